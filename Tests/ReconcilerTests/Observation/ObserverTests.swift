import ModelTestSupport
import Reconciler
import ReconcilerEngine
import ReconcilerModel
import ReconcilerTime
import Testing

@Suite("what the observer makes of an engine's answers")
struct ObserverTests {
    private func details(_ role: Role, name: String? = nil) -> ContainerDetails {
        ContainerDetails(
            id: "c-\(role.rawValue)",
            name: name ?? Names.container(SampleManifest.identity, role),
            config: ContainerConfig(
                labels: Labels.of(
                    SampleManifest.identity,
                    role: role.rawValue,
                    installation: SampleManifest.installation
                )
            ),
            state: ContainerState(status: "running", isRunning: true, startedAt: Timestamp(seconds: 100))
        )
    }

    private func observe(_ engine: StubEngine) async throws -> ObservedBottle {
        try await Observer(engine: engine).bottle(
            try DesiredBottle(rendering: SampleManifest.input(SampleManifest.routed)),
            installation: SampleManifest.installation,
            inventory: Inventory(containers: engine.inventory),
            images: [:]
        )
    }

    @Test(
        "a look that the engine refuses shows something that is not the file we put there",
        arguments: [
            .http(.init(status: 500, method: "HEAD", path: "/archive", message: "")),
            .http(.init(status: 400, method: "HEAD", path: "/archive", message: "")),
            .decoding(path: "/archive", message: "no readable header"),
        ] as [EngineError]
    )
    func refusedLook(_ refusal: EngineError) async throws {
        let path = "\(Agent.folder)/prompt.md"
        let engine = StubEngine(shown: [details(.agent)], looks: [path: .failure(refusal)])
        let agent = try #require(try await observe(engine).containers.first)
        #expect(agent.files[path] == .some(.unreadable))
        #expect(agent.files["\(Agent.folder)/ca.pem"] == .some(nil))
        let wanted = try DesiredBottle(rendering: SampleManifest.input(SampleManifest.routed)).container(.agent)
        let file = try #require(wanted?.files.first { $0.path == path })
        #expect(!ObservedFile.unreadable.shows(file))
    }

    @Test(
        "an engine that gives no answer is no answer about a file",
        arguments: [.transport("gone"), .cancelled] as [EngineError]
    )
    func noAnswer(_ failure: EngineError) async throws {
        let engine = StubEngine(
            shown: [details(.agent)],
            looks: ["\(Agent.folder)/prompt.md": .failure(failure)]
        )
        await #expect(throws: EngineError.self) { try await observe(engine) }
    }

    @Test("a load confirmation that the engine refuses to show is no word of the sidecar")
    func refusedConfirmation() async throws {
        let refusal = EngineError.http(.init(status: 500, method: "HEAD", path: "/archive", message: ""))
        let engine = StubEngine(shown: [details(.firewall)], looks: [LoadConfirmation.path: .failure(refusal)])
        #expect(try await observe(engine).containers.first?.loaded == nil)
    }

    @Test("a renamed container of ours is looked at like one under its name", arguments: [Role.firewall, .agent])
    func renamed(_ role: Role) async throws {
        let hash = ContentDigest(of: "loaded")
        let link = PathStat(
            name: "loaded",
            size: 0,
            mode: PathStat.linkBit | 0o777,
            modifiedAt: Timestamp(seconds: 101),
            linkTarget: "/\(hash)/ok"
        )
        let engine = StubEngine(
            shown: [details(role, name: "renamed")],
            looks: [LoadConfirmation.path: .success(link)]
        )
        let found = try #require(try await observe(engine).containers.first)
        #expect(found.name == "renamed")
        #expect(!found.files.isEmpty)
        #expect(found.loaded?.inForce == (role == .firewall ? hash : nil))
    }

    @Test("what confines a container is read from the engine, and no secret with it")
    func confinement() async throws {
        let wanted = try #require(
            try DesiredBottle(rendering: SampleManifest.input(SampleManifest.routed)).container(.egressProxy)
        )
        var shown = details(.egressProxy)
        shown.config.environment =
            wanted.spec.environment.map { "\($0.key)=\($0.value)" } + ["BOTTLE_CREDENTIAL_TOKEN_A=secret", "PATH=/bin"]
        shown.hostConfig = HostConfig(
            dropCapabilities: ["ALL"],
            securityOptions: ["no-new-privileges"],
            isPrivileged: false,
            readOnlyRoot: true,
            restartPolicy: .init(name: "no")
        )
        shown.mounts = wanted.spec.mounts.map { MountPoint(type: "volume", name: $0.volume, destination: $0.target) }
        let right = try #require(try await observe(StubEngine(shown: [shown])).containers.first)
        #expect(right.confinement?.meets(wanted.spec) == true)
        #expect(right.confinement?.environment == wanted.spec.environment)
        #expect(!right.restartsItself)
        shown.mounts.append(MountPoint(type: "bind", source: "/", destination: "/host"))
        shown.hostConfig.restartPolicy = .init(name: "always")
        let wrong = try #require(try await observe(StubEngine(shown: [shown])).containers.first)
        #expect(wrong.confinement?.meets(wanted.spec) == false)
        #expect(wrong.restartsItself)
    }
}
