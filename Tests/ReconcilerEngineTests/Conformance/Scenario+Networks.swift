import EngineTestSupport
import ReconcilerEngine
import Testing

extension Scenario {
    static let networks: [Scenario] = [
        Scenario("a network's name may be there twice, unless asked not to; then only ids tell") { fixture in
            let first = try await fixture.network(0)
            let refusal = await failure { _ = try await fixture.network(1, name: first.name) }
            #expect(refusal?.isConflict == true)
            let twin = try await fixture.network(1, name: first.name, checkDuplicate: false)
            #expect(await failure { _ = try await fixture.engine.network(first.name) }?.status == 400)
            #expect(await failure { try await fixture.engine.removeNetwork(first.name) }?.status == 400)
            #expect(try await fixture.engine.network(twin.id).name == first.name)
            let listed = try await fixture.engine.networks(labels: ["\(RealEngine.label)=\(first.name)"])
            #expect(Set(listed.map(\.id)) == [first.id, twin.id])
            try await fixture.engine.removeNetwork(twin.id)
            #expect(try await fixture.engine.network(first.name).id == first.id)
        },
        Scenario("addresses that overlap with another network's are refused") { fixture in
            _ = try await fixture.network(0)
            #expect(await failure { _ = try await fixture.network(0) }?.status == 403)
        },
        Scenario("a network goes only when nothing that runs is on it, and then leaves a container that can't start") {
            fixture in
            let network = try await fixture.network()
            let id = try await fixture.container(on: network.id, at: fixture.address(5))
            try await fixture.engine.start(id)
            #expect(await failure { try await fixture.engine.removeNetwork(network.id) }?.status == 403)
            try await fixture.engine.stop(id, timeout: 2)
            try await fixture.engine.removeNetwork(network.id)
            let left = try await fixture.engine.container(id).networks[network.name]
            #expect(left?.networkID == network.id)
            #expect(left?.addressing?.ipv4Address == fixture.address(5))
            let listed = try await fixture.engine.containers(labels: [], all: true).first { $0.id == id }
            #expect(listed?.networks[network.name]?.networkID == network.id)
            let refusal = await failure { try await fixture.engine.start(id) }
            #expect(refusal?.isNotFound == true)
            #expect(refusal?.description.contains("network \(network.id) not found") == true)

            // Another network of the same name does not help, and the place on the lost one can't be left.
            _ = try await fixture.network(name: network.name)
            #expect(await failure { try await fixture.engine.start(id) }?.isNotFound == true)
            let leaving = await failure {
                try await fixture.engine.disconnect(network: network.id, container: id, force: true)
            }
            #expect(leaving?.status == 500)
            #expect(try await fixture.engine.container(id).state.status == "exited")

            // By its name it can.
            try await fixture.engine.disconnect(network: network.name, container: id, force: true)
            #expect(try await fixture.engine.container(id).networks.isEmpty)
            try await fixture.engine.start(id)
        },
        Scenario("a container is made on a network that is not there, and only its start tells") { fixture in
            let name = fixture.name("none")
            let id = try await fixture.container(on: name)
            #expect(await failure { try await fixture.engine.start(id) }?.isNotFound == true)
            #expect(try await fixture.engine.container(id).state.status == "created")
        },
        Scenario("what is not there can't be joined or left") { fixture in
            let id = try await fixture.container()
            let ghost = fixture.name("ghost")
            let network = try await fixture.network()
            func connect(_ network: String, _ container: String) async -> EngineError? {
                await failure {
                    try await fixture.engine.connect(network: network, container: container, endpoint: EndpointCreate())
                }
            }
            func disconnect(_ network: String, _ container: String) async -> EngineError? {
                await failure {
                    try await fixture.engine.disconnect(network: network, container: container, force: true)
                }
            }
            #expect(await connect(network.id, ghost)?.isNotFound == true)
            // None stands alone.
            #expect(await connect(network.id, id)?.status == 400)
            #expect(await disconnect(network.id, id)?.status == 500)
            #expect(await disconnect(network.id, ghost)?.isNotFound == true)
            #expect(await failure { try await fixture.engine.removeNetwork(ghost) }?.isNotFound == true)
            #expect(await failure { try await fixture.engine.removeNetwork("bridge") }?.status == 403)

            // A container that does not run is taken at its word, until it is started.
            try await fixture.engine.disconnect(network: "none", container: id, force: true)
            try await fixture.engine.connect(network: ghost, container: id, endpoint: EndpointCreate())
            #expect(try await fixture.engine.container(id).networks.keys.sorted() == [ghost])
            #expect(await failure { try await fixture.engine.start(id) }?.isNotFound == true)
            try await fixture.engine.disconnect(network: ghost, container: id, force: true)
            try await fixture.engine.start(id)
            #expect(await connect(ghost, id)?.isNotFound == true)
        },
    ]

    static let addresses: [Scenario] = [
        Scenario("a created container tells the address it asked for, and the network's name for its id") { fixture in
            let network = try await fixture.network()
            let id = try await fixture.container(on: network.id, at: fixture.address(5), aliases: ["proxy"])
            let made = try #require(try await fixture.engine.container(id).networks[network.name])
            #expect(made.networkID == "" && made.ipAddress == "" && made.endpointID == "")
            #expect(made.addressing?.ipv4Address == fixture.address(5))
            #expect(made.aliases == ["proxy"])
            let listed = try await fixture.engine.containers(labels: [], all: true).first { $0.id == id }
            #expect(listed?.networks[network.name]?.networkID == "")
            #expect(try await fixture.engine.network(network.id).containers.isEmpty)

            try await fixture.engine.start(id)
            let running = try #require(try await fixture.engine.container(id).networks[network.name])
            #expect(running.networkID == network.id && running.ipAddress == fixture.address(5))
            #expect(Set(running.aliases) == ["proxy", String(id.prefix(12))])
            #expect(
                try await fixture.engine.network(network.id).containers[id]?.ipv4Address == "\(fixture.address(5))/28"
            )

            try await fixture.engine.stop(id, timeout: 2)
            let stopped = try #require(try await fixture.engine.container(id).networks[network.name])
            #expect(stopped.networkID == network.id && stopped.ipAddress == "" && stopped.endpointID == "")
        },
        Scenario("an address in use keeps a container from starting, and it stays as it was") { fixture in
            let network = try await fixture.network()
            let holder = try await fixture.container(on: network.id, at: fixture.address(5))
            let other = try await fixture.container(on: network.id, at: fixture.address(5))
            try await fixture.engine.start(holder)
            #expect(await failure { try await fixture.engine.start(other) }?.status == 403)
            let state = try await fixture.engine.container(other).state
            #expect(state.status == "created" && state.startedAt == nil && !state.error.isEmpty)
            try await fixture.engine.stop(holder, timeout: 2)
            try await fixture.engine.start(other)
            #expect(try await fixture.engine.container(other).state.isRunning)
        },
        Scenario("a refused connect of a running container leaves a place in the inspection that is none") { fixture in
            let (first, second) = (try await fixture.network(0), try await fixture.network(1))
            let holder = try await fixture.container(on: second.id, at: fixture.address(5, in: 1))
            let id = try await fixture.container(on: first.id)
            try await fixture.engine.start(holder)
            try await fixture.engine.start(id)
            let endpoint = EndpointCreate(ipv4: fixture.address(5, in: 1))
            let refusal = await failure {
                try await fixture.engine.connect(network: second.id, container: id, endpoint: endpoint)
            }
            #expect(refusal?.status == 403)
            let left = try await fixture.engine.container(id).networks[second.name]
            #expect(left?.networkID == "" && left?.endpointID == "")
            #expect(left?.addressing?.ipv4Address == fixture.address(5, in: 1))
            #expect(try await fixture.engine.network(second.id).containers[id] == nil)

            try await fixture.engine.stop(holder, timeout: 2)
            try await fixture.engine.connect(network: second.id, container: id, endpoint: endpoint)
            #expect(try await fixture.engine.container(id).networks[second.name]?.networkID == second.id)
        },
        Scenario("a second connect is a refusal while the container runs, and nothing at all while it does not") {
            fixture in
            let (first, second) = (try await fixture.network(0), try await fixture.network(1))
            let id = try await fixture.container(on: first.id)
            for number in [5, 6] {
                try await fixture.engine.connect(
                    network: second.id,
                    container: id,
                    endpoint: EndpointCreate(ipv4: fixture.address(number, in: 1), aliases: ["a\(number)"])
                )
            }
            let place = try await fixture.engine.container(id).networks[second.name]
            #expect(place?.addressing?.ipv4Address == fixture.address(5, in: 1))
            #expect(place.map { Set($0.aliases) } == ["a5", String(id.prefix(12))])
            try await fixture.engine.start(id)
            #expect(
                try await fixture.engine.container(id).networks[second.name]?.ipAddress == fixture.address(5, in: 1)
            )
            let refusal = await failure {
                try await fixture.engine.connect(network: second.id, container: id, endpoint: EndpointCreate())
            }
            #expect(refusal?.status == 403)
        },
        Scenario("a place is left and taken while the container runs, and while it does not") { fixture in
            let (first, second) = (try await fixture.network(0), try await fixture.network(1))
            let id = try await fixture.container(on: first.id, at: fixture.address(5))
            try await fixture.engine.disconnect(network: first.id, container: id, force: true)
            #expect(try await fixture.engine.container(id).networks.isEmpty)
            try await fixture.engine.start(id)
            try await fixture.engine.connect(
                network: second.id,
                container: id,
                endpoint: EndpointCreate(ipv4: fixture.address(7, in: 1), aliases: ["b"])
            )
            #expect(
                try await fixture.engine.container(id).networks[second.name]?.ipAddress == fixture.address(7, in: 1)
            )
            try await fixture.engine.disconnect(network: second.id, container: id, force: true)
            #expect(try await fixture.engine.container(id).networks.isEmpty)
            #expect(try await fixture.engine.network(second.id).containers.isEmpty)
        },
    ]
}
