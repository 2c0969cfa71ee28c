import EngineTestSupport
import ReconcilerEngine
import Testing

extension Scenario {
    static let objects: [Scenario] = [
        Scenario("a used name is a conflict that names the holder, for a new container and for a renamed one") {
            fixture in
            let engine = fixture.engine
            let (holder, other) = (try await fixture.container(), try await fixture.container())
            let name = try await engine.container(holder).name
            let making = await failure {
                let config = ContainerConfig(image: fixture.image)
                _ = try await engine.createContainer(name: name, ContainerCreate(config: config))
            }
            #expect(making?.isConflict == true && making?.description.contains(holder) == true)
            let naming = await failure { try await engine.rename(other, to: name) }
            #expect(naming?.isConflict == true && naming?.description.contains(holder) == true)
            #expect(await failure { try await engine.rename(holder, to: name) }?.status == 400)
            let fresh = fixture.name("renamed")
            try await engine.rename(holder, to: fresh)
            #expect(try await engine.container(fresh).id == holder)
            try await engine.rename(other, to: name)
            #expect(try await engine.container(name).id == other)
        },
        Scenario("limits change in place; nothing and zero leave them, and memory stays below memory and swap") {
            fixture in
            let engine = fixture.engine
            let id = try await fixture.container(
                host: HostConfig(memory: 64 << 20, memorySwap: 64 << 20, nanoCPUs: 500_000_000, pidsLimit: 50)
            )
            try await engine.start(id)
            let refusal = await failure { _ = try await engine.update(id, ContainerUpdate(memory: 128 << 20)) }
            #expect(refusal?.isConflict == true)
            _ = try await engine.update(id, ContainerUpdate(memory: 32 << 20, memorySwap: 32 << 20, pidsLimit: 40))
            _ = try await engine.update(
                id,
                ContainerUpdate(memory: 0, nanoCPUs: 0, restartPolicy: .init(name: "unless-stopped"))
            )
            var host = try await engine.container(id).hostConfig
            #expect(host.memory == 32 << 20 && host.memorySwap == 32 << 20)
            #expect(host.nanoCPUs == 500_000_000 && host.pidsLimit == 40)
            #expect(host.restartPolicy?.name == "unless-stopped")
            _ = try await engine.update(id, ContainerUpdate(pidsLimit: -1, restartPolicy: .init(name: "no")))
            host = try await engine.container(id).hostConfig
            #expect((host.pidsLimit ?? 0) <= 0 && host.restartPolicy?.name == "no")
        },
        Scenario("a volume that is there is handed over with the labels it has, and is kept while it is used") {
            fixture in
            let name = try await fixture.volume(["whose": "theirs"])
            let again = try await fixture.engine.createVolume(name: name, labels: ["whose": "mine"])
            #expect(again.labels == ["whose": "theirs"])
            let mount = Mount(type: .volume, source: name, target: "/data")
            let id = try await fixture.container(host: HostConfig(mounts: [mount]))
            #expect(await failure { try await fixture.engine.removeVolume(name) }?.isConflict == true)
            try await fixture.engine.remove(id, force: true, volumes: true)
            // Named volumes stay.
            #expect(try await fixture.engine.volume(name).labels == ["whose": "theirs"])
            try await fixture.engine.removeVolume(name)
            #expect(await failure { try await fixture.engine.removeVolume(name) }?.isNotFound == true)
        },
        Scenario("an image's labels and variables are its containers' too, and theirs win") { fixture in
            let tag = "\(fixture.name("image")):one"
            let id = try await fixture.build(
                "FROM \(fixture.image)\nENV A=image\nENV B=image\nUSER 12\n",
                tag,
                ["l": "image", "m": "image"]
            )
            let made = try await fixture.engine.createContainer(
                name: fixture.name("c"),
                ContainerCreate(
                    config: ContainerConfig(
                        image: id,
                        environment: ["B=mine"],
                        command: ["sleep", "600"],
                        labels: ["m": "mine"]
                    )
                )
            )
            await fixture.onTearDown { try await $0.remove(made.id, force: true, volumes: true) }
            let found = try await fixture.engine.container(made.id)
            #expect(found.imageID == id && found.config.user == "12")
            #expect(found.config.labels == ["l": "image", "m": "mine"])
            #expect(Set(found.config.environment ?? []).isSuperset(of: ["A=image", "B=mine"]))
            #expect(found.config.environment?.contains("B=image") == false)
            let listed = try await fixture.engine.containers(labels: ["l=image", "m"], all: true)
            #expect(listed.map(\.id) == [made.id])
        },
        Scenario("a name moves from image to image; one that is used stays") { fixture in
            let engine = fixture.engine
            let tag = "\(fixture.name("image")):one"
            let first = try await fixture.build("FROM \(fixture.image)\nENV A=one\n", tag, [:])
            let made = try await engine.createContainer(
                name: fixture.name("c"),
                ContainerCreate(config: ContainerConfig(image: tag, command: ["sleep", "600"]))
            )
            await fixture.onTearDown { try await $0.remove(made.id, force: true, volumes: true) }
            #expect(try await engine.containers(labels: [], all: true).first { $0.id == made.id }?.image == tag)
            let second = try await fixture.build("FROM \(fixture.image)\nENV A=two\n", tag, [:])
            #expect(first != second)
            #expect(try await engine.image(tag).id == second)
            #expect(try await engine.image(first).id == first)
            let listed = try await engine.containers(labels: [], all: true).first { $0.id == made.id }
            #expect(listed?.imageID == first && listed?.image == first)
            #expect(await failure { try await engine.removeImage(first, force: false) }?.isConflict == true)
            #expect(try await fixture.build("FROM \(fixture.image)\nENV A=two\n", tag, [:]) == second)
            await fixture.onTearDown { try await $0.removeImage(first, force: true) }
        },
        Scenario("what can't be built is told in the progress, with the step's own code") { fixture in
            let failing = await failure {
                _ = try await fixture.build("FROM \(fixture.image)\nRUN exit 9\n", fixture.name("i"), [:])
            }
            #expect(failing == .stepFailed("The command '/bin/sh -c exit 9' returned a non-zero code: 9", code: 9))
            let wrong = await failure { _ = try await fixture.build("NONSENSE\n", fixture.name("i"), [:]) }
            #expect(wrong?.status == 400)
            let missing = await failure {
                let config = ContainerConfig(image: "\(fixture.name("none")):1")
                _ = try await fixture.engine.createContainer(name: fixture.name("c"), ContainerCreate(config: config))
            }
            #expect(missing?.isNotFound == true)
            #expect(await failure { _ = try await fixture.engine.image(fixture.name("none")) }?.isNotFound == true)
        },
        Scenario("a list and an inspection are of one mind, whatever the state") { fixture in
            let engine = fixture.engine
            let network = try await fixture.network()
            let label = fixture.name("label")
            let id = try await fixture.container(on: network.id, at: fixture.address(9), labels: ["loop": label])
            try await fixture.expectOneMind(of: id, label)
            try await engine.start(id)
            try await fixture.expectOneMind(of: id, label)
            try await engine.freeze(id)
            try await fixture.expectOneMind(of: id, label)
            try await engine.unpause(id)
            try await engine.rename(id, to: fixture.name("renamed"))
            try await fixture.expectOneMind(of: id, label)
            try await engine.stop(id, timeout: 1)
            try await fixture.expectOneMind(of: id, label)
        },
    ]

    static let told: [Scenario] = [
        Scenario("what is done to a container is told, in order, with its name and labels") { fixture in
            let engine = fixture.engine
            let live = try await engine.events(EventQuery(filters: ["type": ["container"], "label": ["loop"]]))
            let id = try await fixture.container(labels: ["loop": "yes"])
            let name = try await engine.container(id).name
            try await fixture.put("x", at: "/root/file", in: id)
            try await engine.start(id)
            _ = try await engine.exec(container: id, ShellLine.show("/etc/passwd").execution)
            try await engine.freeze(id)
            try await engine.unpause(id)
            _ = try await engine.update(id, ContainerUpdate(pidsLimit: 60))
            let renamed = fixture.name("renamed")
            try await engine.rename(id, to: renamed)
            _ = try await fixture.read("/root/file", in: id)
            try await engine.kill(id, signal: "SIGHUP")
            _ = try await engine.wait(id)
            try await engine.start(id)
            try await engine.stop(id, timeout: 2)
            try await engine.remove(id, force: true, volumes: true)
            var events: [EngineEvent] = []
            for try await event in live where event.actorID == id {
                events.append(event)
                if event.action == "destroy" { break }
            }
            let actions = events.map { String($0.action.prefix { $0 != ":" }) }
            // The engine hears of these two from two sides, and sometimes tells them twice.
            #expect(actions.contains("pause") && actions.contains("unpause"))
            #expect(
                actions.filter { !["pause", "unpause"].contains($0) } == [
                    "create", "extract-to-dir", "start", "exec_create", "exec_start", "exec_die", "update", "rename",
                    "archive-path", "kill", "die", "start", "kill", "die", "stop", "destroy",
                ]
            )
            #expect(events.allSatisfy { $0.attributes["loop"] == "yes" })
            #expect(events.first?.attributes["name"] == name && events.last?.attributes["name"] == renamed)
            #expect(events.first { $0.action == "die" }?.attributes["exitCode"] == "129")
        },
        Scenario("what is done to a network is told of the network, with the container's id") { fixture in
            let engine = fixture.engine
            let live = try await engine.events(EventQuery(filters: ["type": ["network"]]))
            let network = try await fixture.network()
            let id = try await fixture.container(on: network.id)
            try await engine.start(id)
            try await engine.disconnect(network: network.id, container: id, force: true)
            try await engine.connect(network: network.id, container: id, endpoint: EndpointCreate())
            try await engine.stop(id, timeout: 2)
            try await engine.removeNetwork(network.id)
            var actions: [String] = []
            for try await event in live where event.actorID == network.id {
                actions.append(event.action)
                if ["connect", "disconnect"].contains(event.action) { #expect(event.attributes["container"] == id) }
                if event.action == "destroy" { break }
            }
            // Leaving while it runs is told twice.
            #expect(
                actions == ["create", "connect", "disconnect", "disconnect", "connect", "disconnect", "destroy"]
            )
        },
        Scenario("a mere look into a container with a volume is told as a mount, and as nothing of the container") {
            fixture in
            let engine = fixture.engine
            let volume = try await fixture.volume()
            let mount = Mount(type: .volume, source: volume, target: "/data")
            let id = try await fixture.container(host: HostConfig(mounts: [mount]))
            let live = try await engine.events(EventQuery())
            _ = try await engine.stat(container: id, path: "/data")
            try await engine.start(id)
            var told: [String] = []
            for try await event in live where event.actorID == id || event.actorID == volume {
                told.append("\(event.type) \(event.action)")
                if event.action == "start" { break }
            }
            #expect(told.prefix(2) == ["volume mount", "volume unmount"])
            #expect(told.filter { $0.hasPrefix("container") } == ["container start"])
        },
    ]
}

extension ConformanceFixture {
    /// Expects that the list and the inspection of a container that has `label` say the same.
    func expectOneMind(of id: String, _ label: String) async throws {
        let details = try await engine.container(id)
        let found = try await engine.containers(labels: ["loop=\(label)"], all: true)
        let listed = try #require(found.first)
        #expect(listed.id == details.id && listed.names == [details.name])
        #expect(listed.state == details.state.status && listed.imageID == details.imageID)
        #expect(listed.labels == details.config.labels)
        #expect(listed.networks.mapValues(\.networkID) == details.networks.mapValues(\.networkID))
        #expect(listed.networks.mapValues(\.ipAddress) == details.networks.mapValues(\.ipAddress))
        #expect(listed.networks.mapValues(\.addressing) == details.networks.mapValues(\.addressing))
        let runs = try await engine.containers(labels: ["loop=\(label)"], all: false)
        #expect(runs.isEmpty != details.state.isRunning)
    }

    /// Builds an image, which goes with the scenario.
    func build(_ dockerfile: String, _ tag: String, _ labels: [String: String]) async throws -> String {
        let file = TarFile(entry: TarEntry(path: "Dockerfile"), content: Array(dockerfile.utf8))
        let id = try await engine.buildImage(
            context: .bytes(try Self.archive([file])),
            options: BuildOptions(tags: [tag], labels: labels)
        )
        onTearDown { try await $0.removeImage(tag, force: true) }
        return id
    }
}
