import EngineTestSupport
import ReconcilerEngine
import Testing

extension Scenario {
    static let networks: [Scenario] = [
        Scenario("a network's name may be there twice, unless asked not to; then only ids tell") { stage in
            let first = try await stage.network(0)
            let refusal = await failure { _ = try await stage.network(1, name: first.name) }
            #expect(refusal?.isConflict == true)
            let twin = try await stage.network(1, name: first.name, checkDuplicate: false)
            #expect(await failure { _ = try await stage.engine.network(first.name) }?.status == 400)
            #expect(await failure { try await stage.engine.removeNetwork(first.name) }?.status == 400)
            #expect(try await stage.engine.network(twin.id).name == first.name)
            let listed = try await stage.engine.networks(labels: ["\(RealEngine.label)=\(first.name)"])
            #expect(Set(listed.map(\.id)) == [first.id, twin.id])
            try await stage.engine.removeNetwork(twin.id)
            #expect(try await stage.engine.network(first.name).id == first.id)
        },
        Scenario("addresses that overlap with another network's are refused") { stage in
            _ = try await stage.network(0)
            #expect(await failure { _ = try await stage.network(0) }?.status == 403)
        },
        Scenario("a network goes only when nothing that runs is on it, and then leaves a container that can't start") {
            stage in
            let network = try await stage.network()
            let id = try await stage.container(on: network.id, at: stage.address(5))
            try await stage.engine.start(id)
            #expect(await failure { try await stage.engine.removeNetwork(network.id) }?.status == 403)
            try await stage.engine.stop(id, timeout: 2)
            try await stage.engine.removeNetwork(network.id)
            let left = try await stage.engine.container(id).networks[network.name]
            #expect(left?.networkID == network.id)
            #expect(left?.addressing?.ipv4Address == stage.address(5))
            let listed = try await stage.engine.containers(labels: [], all: true).first { $0.id == id }
            #expect(listed?.networks[network.name]?.networkID == network.id)
            let refusal = await failure { try await stage.engine.start(id) }
            #expect(refusal?.isNotFound == true)
            #expect(refusal?.description.contains("network \(network.id) not found") == true)

            // Another network of the same name does not help, and the place on the lost one can't be left.
            _ = try await stage.network(name: network.name)
            #expect(await failure { try await stage.engine.start(id) }?.isNotFound == true)
            let leaving = await failure {
                try await stage.engine.disconnect(network: network.id, container: id, force: true)
            }
            #expect(leaving?.status == 500)
            #expect(try await stage.engine.container(id).state.status == "exited")

            // By its name it can.
            try await stage.engine.disconnect(network: network.name, container: id, force: true)
            #expect(try await stage.engine.container(id).networks.isEmpty)
            try await stage.engine.start(id)
        },
        Scenario("a container is made on a network that is not there, and only its start tells") { stage in
            let name = stage.name("none")
            let id = try await stage.container(on: name)
            #expect(await failure { try await stage.engine.start(id) }?.isNotFound == true)
            #expect(try await stage.engine.container(id).state.status == "created")
        },
        Scenario("what is not there can't be joined or left") { stage in
            let id = try await stage.container()
            let ghost = stage.name("ghost")
            let network = try await stage.network()
            func connect(_ network: String, _ container: String) async -> EngineError? {
                await failure {
                    try await stage.engine.connect(network: network, container: container, endpoint: EndpointCreate())
                }
            }
            func disconnect(_ network: String, _ container: String) async -> EngineError? {
                await failure {
                    try await stage.engine.disconnect(network: network, container: container, force: true)
                }
            }
            #expect(await connect(network.id, ghost)?.isNotFound == true)
            // None stands alone.
            #expect(await connect(network.id, id)?.status == 400)
            #expect(await disconnect(network.id, id)?.status == 500)
            #expect(await disconnect(network.id, ghost)?.isNotFound == true)
            #expect(await failure { try await stage.engine.removeNetwork(ghost) }?.isNotFound == true)
            #expect(await failure { try await stage.engine.removeNetwork("bridge") }?.status == 403)

            // A container that does not run is taken at its word, until it is started.
            try await stage.engine.disconnect(network: "none", container: id, force: true)
            try await stage.engine.connect(network: ghost, container: id, endpoint: EndpointCreate())
            #expect(try await stage.engine.container(id).networks.keys.sorted() == [ghost])
            #expect(await failure { try await stage.engine.start(id) }?.isNotFound == true)
            try await stage.engine.disconnect(network: ghost, container: id, force: true)
            try await stage.engine.start(id)
            #expect(await connect(ghost, id)?.isNotFound == true)
        },
    ]

    static let addresses: [Scenario] = [
        Scenario("a created container tells the address it asked for, and the network's name for its id") { stage in
            let network = try await stage.network()
            let id = try await stage.container(on: network.id, at: stage.address(5), aliases: ["proxy"])
            let made = try #require(try await stage.engine.container(id).networks[network.name])
            #expect(made.networkID == "" && made.ipAddress == "" && made.endpointID == "")
            #expect(made.addressing?.ipv4Address == stage.address(5))
            #expect(made.aliases == ["proxy"])
            let listed = try await stage.engine.containers(labels: [], all: true).first { $0.id == id }
            #expect(listed?.networks[network.name]?.networkID == "")
            #expect(try await stage.engine.network(network.id).containers.isEmpty)

            try await stage.engine.start(id)
            let running = try #require(try await stage.engine.container(id).networks[network.name])
            #expect(running.networkID == network.id && running.ipAddress == stage.address(5))
            #expect(Set(running.aliases) == ["proxy", String(id.prefix(12))])
            #expect(try await stage.engine.network(network.id).containers[id]?.ipv4Address == "\(stage.address(5))/28")

            try await stage.engine.stop(id, timeout: 2)
            let stopped = try #require(try await stage.engine.container(id).networks[network.name])
            #expect(stopped.networkID == network.id && stopped.ipAddress == "" && stopped.endpointID == "")
        },
        Scenario("an address in use keeps a container from starting, and it stays as it was") { stage in
            let network = try await stage.network()
            let holder = try await stage.container(on: network.id, at: stage.address(5))
            let other = try await stage.container(on: network.id, at: stage.address(5))
            try await stage.engine.start(holder)
            #expect(await failure { try await stage.engine.start(other) }?.status == 403)
            let state = try await stage.engine.container(other).state
            #expect(state.status == "created" && state.startedAt == nil && !state.error.isEmpty)
            try await stage.engine.stop(holder, timeout: 2)
            try await stage.engine.start(other)
            #expect(try await stage.engine.container(other).state.isRunning)
        },
        Scenario("a refused connect of a running container leaves a place in the inspection that is none") { stage in
            let (first, second) = (try await stage.network(0), try await stage.network(1))
            let holder = try await stage.container(on: second.id, at: stage.address(5, in: 1))
            let id = try await stage.container(on: first.id)
            try await stage.engine.start(holder)
            try await stage.engine.start(id)
            let endpoint = EndpointCreate(ipv4: stage.address(5, in: 1))
            let refusal = await failure {
                try await stage.engine.connect(network: second.id, container: id, endpoint: endpoint)
            }
            #expect(refusal?.status == 403)
            let left = try await stage.engine.container(id).networks[second.name]
            #expect(left?.networkID == "" && left?.endpointID == "")
            #expect(left?.addressing?.ipv4Address == stage.address(5, in: 1))
            #expect(try await stage.engine.network(second.id).containers[id] == nil)

            try await stage.engine.stop(holder, timeout: 2)
            try await stage.engine.connect(network: second.id, container: id, endpoint: endpoint)
            #expect(try await stage.engine.container(id).networks[second.name]?.networkID == second.id)
        },
        Scenario("a second connect is a refusal while the container runs, and nothing at all while it does not") {
            stage in
            let (first, second) = (try await stage.network(0), try await stage.network(1))
            let id = try await stage.container(on: first.id)
            for number in [5, 6] {
                try await stage.engine.connect(
                    network: second.id,
                    container: id,
                    endpoint: EndpointCreate(ipv4: stage.address(number, in: 1), aliases: ["a\(number)"])
                )
            }
            let place = try await stage.engine.container(id).networks[second.name]
            #expect(place?.addressing?.ipv4Address == stage.address(5, in: 1))
            #expect(place.map { Set($0.aliases) } == ["a5", String(id.prefix(12))])
            try await stage.engine.start(id)
            #expect(try await stage.engine.container(id).networks[second.name]?.ipAddress == stage.address(5, in: 1))
            let refusal = await failure {
                try await stage.engine.connect(network: second.id, container: id, endpoint: EndpointCreate())
            }
            #expect(refusal?.status == 403)
        },
        Scenario("a place is left and taken while the container runs, and while it does not") { stage in
            let (first, second) = (try await stage.network(0), try await stage.network(1))
            let id = try await stage.container(on: first.id, at: stage.address(5))
            try await stage.engine.disconnect(network: first.id, container: id, force: true)
            #expect(try await stage.engine.container(id).networks.isEmpty)
            try await stage.engine.start(id)
            try await stage.engine.connect(
                network: second.id,
                container: id,
                endpoint: EndpointCreate(ipv4: stage.address(7, in: 1), aliases: ["b"])
            )
            #expect(try await stage.engine.container(id).networks[second.name]?.ipAddress == stage.address(7, in: 1))
            try await stage.engine.disconnect(network: second.id, container: id, force: true)
            #expect(try await stage.engine.container(id).networks.isEmpty)
            #expect(try await stage.engine.network(second.id).containers.isEmpty)
        },
    ]
}
