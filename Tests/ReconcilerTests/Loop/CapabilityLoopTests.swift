import EngineTestSupport
import ModelTestSupport
import Reconciler
import ReconcilerEngine
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerProposals
import ReconcilerState
import ReconcilerTime
import Testing

/// Images of proposed Dockerfiles in whole passes.
@Suite("A proposed Dockerfile in the loop")
struct CapabilityLoopTests {
    private static let now = SampleManifest.known(try Timestamp("2026-01-01T00:00:00Z"))
    private static let text = "FROM bottle/agent\nENV A=b\n"

    private func built(
        _ text: String = text,
        in fixture: LoopFixture,
        on engine: (any EngineWriting)? = nil
    ) async throws -> CapabilityBuild.Built {
        let installation = try await fixture.installation(engine)
        let desired = try #require(try await installation.repository.desired(of: SampleManifest.identity, at: Self.now))
        return try await CapabilityBuild(installation).build(
            dockerfile: text,
            for: SampleManifest.identity,
            state: desired.state
        )
    }

    private func commit(
        _ built: CapabilityBuild.Built,
        because reason: String = "approved",
        in fixture: LoopFixture
    ) async throws {
        let draft = RemediationDraft(.dockerfileReplaced(built.replacement), reason: reason, proposal: "31e2")
        _ = try await fixture.installation().repository.commit(
            remediation: draft,
            for: SampleManifest.identity,
            at: Self.now
        )
    }

    private func lives(in fixture: LoopFixture) async -> [String] {
        await fixture.engine.world.containers.values.map { "\($0.id) \($0.name) \($0.isRunning)" }.sorted()
    }

    @Test("is built before the commit, changes nothing by that, and then only the agent is replaced")
    func approved() async throws {
        let fixture = try await LoopFixture.converged()
        let before = await lives(in: fixture)
        let built = try await built(in: fixture)
        #expect(await lives(in: fixture) == before)
        #expect(try await fixture.plan().isEmpty)
        try await commit(built, in: fixture)
        let result = try await fixture.run()
        #expect(
            result.performed.map(\.action.text) == [
                "stop container/agent image-changed", "remove container/agent image-changed",
                "create container/agent image-changed",
            ]
        )
        #expect(try await fixture.engine.container("bottle-dev-agent").imageID == built.imageID.text)
        #expect(try await fixture.run().performed.isEmpty)
    }

    @Test("has a base that can't be switched: its text, files and base are in its digest and in its name")
    func pinned() async throws {
        let fixture = try await LoopFixture.converged()
        let first = try await built(in: fixture)
        let base = try await fixture.engine.image("bottle/agent").id
        #expect(first.replacement.base?.text == base)
        #expect(first.replacement.dockerfile == "FROM \(base)\nENV A=b\n")
        #expect(try await built(in: fixture) == first)
        #expect(try await built(Self.text + "ENV B=c\n", in: fixture).replacement.context != first.replacement.context)
        // The tag moves on to another image; what was approved stays what it was.
        try await commit(first, in: fixture)
        _ = try await fixture.run()
        try await fixture.engine.tag(SampleEngine.base, as: "bottle/agent")
        #expect(try await fixture.run().performed.allSatisfy { !"\($0.action.object)".contains("agent") })
        #expect(try await fixture.engine.container("bottle-dev-agent").imageID == first.imageID.text)
    }

    @Test("whose image is gone is built again by a pass; one whose base is gone is not")
    func again() async throws {
        let fixture = try await LoopFixture.converged()
        let built = try await built(in: fixture)
        try await commit(built, in: fixture)
        _ = try await fixture.run()
        try await fixture.engine.remove("bottle-dev-agent", force: true, volumes: true)
        try await fixture.engine.removeImage(built.imageID.text, force: true)
        let result = try await fixture.run()
        #expect(result.error == nil)
        #expect(result.performed.map(\.action.text).first == "build image/agent missing")
        #expect(try await fixture.engine.container("bottle-dev-agent").imageID == built.imageID.text)

        try await fixture.engine.remove("bottle-dev-agent", force: true, volumes: true)
        try await fixture.engine.removeImage(built.imageID.text, force: true)
        try await fixture.engine.removeImage(try #require(built.replacement.base).text, force: true)
        let stalled = try await fixture.run()
        #expect(stalled.error?.cause?.contains("is not here any more") == true, "\(stalled.outcome)")
        #expect(try await fixture.engine.images(labels: [], reference: "bottle/dev-agent").isEmpty)
    }

    /// What the agent of a bottle with `supervise` finds about its image.
    private func told(in fixture: LoopFixture) async throws -> String {
        let agent = try #require(await fixture.engine.world.containers.values.first { $0.name == "bottle-dev-agent" })
        let bytes = try #require(agent.root["/etc/bottle/current-config/image.json"]?.content)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("leaves the answer where the agent finds it that replaced the one which asked, and no more")
    func answered() async throws {
        let fixture = try await LoopFixture.converged(SampleManifest.edited { $0.supervise = true })
        #expect(try await told(in: fixture).contains("\"source\" : \"manifest\""))
        let built = try await built(in: fixture)
        // The process that approved it was killed after the commit: the words are in the desired state alone.
        try await commit(built, because: "go on\nbut \u{202e}only once", in: fixture)
        let result = try await fixture.run()
        #expect(
            result.performed.map(\.action.text) == [
                "stop container/agent image-changed", "remove container/agent image-changed",
                "create container/agent image-changed",
            ]
        )
        #expect(
            try await told(in: fixture) == """
                {
                  "decided_at" : "2026-01-01T00:00:00Z",
                  "proposal" : "31e2",
                  "source" : "proposal",
                  "words" : "go on\\nbut \\\\u{202e}only once"
                }

                """
        )
        #expect(try await fixture.run().performed.isEmpty)
        #expect(try await fixture.plan(reading: [.agent]).isEmpty)
        // Taken back, the manifest's own image runs again, with nothing left of the answer.
        _ = try await fixture.installation().repository.dropRemediations(
            of: SampleManifest.identity,
            reason: "back",
            at: Self.now
        ) { _ in true }
        _ = try await fixture.run()
        #expect(try await told(in: fixture).contains("\"source\" : \"manifest\""))
        #expect(try await told(in: fixture).contains("words") == false)
    }

    @Test("that is in force is nothing to ask for, as it was proposed, as it is built, and as it is shown")
    func inForce() async throws {
        let fixture = try await LoopFixture.converged(SampleManifest.edited { $0.supervise = true })
        let built = try await built(in: fixture)
        try await commit(built, in: fixture)
        _ = try await fixture.run()
        let queue = ProposalQueue(SampleManifest.identity, in: try await fixture.installation().state)
        let policy = try #require(try SidecarQueue(folder: queue.folder).state()).policy
        #expect(policy.dockerfile?.text == Self.text)
        for text in [Self.text, built.replacement.dockerfile, "from bottle/agent:latest\r\nENV A=b  \n"] {
            let content = try ProposalContent(.capabilityBlock, text)
            #expect(ProposalCheck.verdict(on: content, in: policy) == .inForce, "\(text)")
        }
        for text in [Self.text + "ENV B=c\n", "FROM debian\nENV A=b\n", "FROM bottle/agent\n"] {
            let content = try ProposalContent(.capabilityBlock, text)
            #expect(ProposalCheck.verdict(on: content, in: policy) == .dockerfile(text), "\(text)")
        }
    }

    @Test("is built in a network of its own, within limits, and the builder is given nothing else")
    func options() async throws {
        let fixture = try await LoopFixture.converged()
        let built = try await built(in: fixture)
        let options = try #require(await fixture.engine.world.builds.last)
        let mode = try #require(options.networkMode)
        #expect(mode.hasPrefix("container:"))
        let image = try DesiredImage.restricted(
            of: SampleManifest.identity,
            context: built.replacement.context,
            dockerfile: "Dockerfile",
            base: try #require(built.replacement.base)
        )
        // An argument would reach any Dockerfile that declares it: a secret has no place to come from.
        let expected = BuildOptions(
            tags: [],
            labels: [DesiredImage.contextLabel: try #require(image.context).hex],
            networkMode: mode,
            memory: 2 << 30,
            memorySwap: 2 << 30,
            milliCPUs: 1000,
            fileSize: 4 << 30
        )
        #expect(options == expected)
    }

    @Test("whose base was changed is not built")
    func changedBase() async throws {
        let fixture = try await LoopFixture.converged()
        var replacement = try await built(in: fixture).replacement
        replacement.base = try ImageID(try await fixture.engine.image(SampleEngine.base).id)
        let installation = try await fixture.installation()
        let draft = RemediationDraft(.dockerfileReplaced(replacement), reason: "by hand")
        _ = try await installation.repository.commit(remediation: draft, for: SampleManifest.identity, at: Self.now)
        let result = try await fixture.run()
        #expect(result.error?.cause?.contains("another image than was approved") == true, "\(result.outcome)")
    }

    @Test("whose stored copy was changed is not built")
    func changedCopy() async throws {
        let fixture = try await LoopFixture.converged()
        let built = try await built(in: fixture)
        try await commit(built, in: fixture)
        try await fixture.engine.removeImage(built.imageID.text, force: true)
        let folder = try await fixture.installation().state.contexts
        let file = "\(folder)/\(built.replacement.context)/Dockerfile"
        try DurableFile.write(Array((built.replacement.dockerfile + "ENV B=c\n").utf8), to: file)
        let result = try await fixture.run()
        #expect(result.error.map { "\($0)" }?.contains("not what was applied") == true, "\(result.outcome)")
        #expect(try await fixture.engine.images(labels: [], reference: "bottle/dev-agent").isEmpty)
    }

    @Test("whose stored text was changed is not built")
    func changed() async throws {
        let fixture = try await LoopFixture.converged()
        let text = "FROM \(SampleEngine.base)\nRUN --mount=type=bind,target=/x true\n"
        let context = try BuildContext([:]).replacing("Dockerfile", with: text)
        let installation = try await fixture.installation()
        try context.keep(in: installation.state.contexts)
        var replacement = try await built(in: fixture).replacement
        replacement.context = context.digest
        let draft = RemediationDraft(.dockerfileReplaced(replacement), reason: "by hand")
        _ = try await installation.repository.commit(remediation: draft, for: SampleManifest.identity, at: Self.now)
        let result = try await fixture.run()
        #expect(result.error?.cause?.contains("RUN takes no --mount") == true, "\(result.outcome)")
    }

    @Test("that failed leaves the bottle as it is, and says the last lines")
    func failed() async throws {
        let fixture = try await LoopFixture.converged()
        let before = await lives(in: fixture)
        let error = await #expect(throws: BottleError.self) {
            try await built("FROM bottle/agent\nRUN echo \u{2603} && exit 3\n", in: fixture)
        }
        #expect(error?.code == .buildFailed && error?.cause?.contains("\u{2603}") == true)
        #expect(await lives(in: fixture) == before)
        #expect(try await fixture.plan().isEmpty)
    }

    @Test("is not judged by an engine that goes away while it is built")
    func engineGone() async throws {
        let fixture = try await LoopFixture.converged()
        let before = await lives(in: fixture)
        let faulty = FaultyEngine(fixture.engine)
        let gone = EngineError.transport("the engine closed the connection")
        await faulty.faults.add(.refuse(gone)) { $0.name == "build" }
        await #expect(throws: gone) { try await built(in: fixture, on: faulty) }
        #expect(await lives(in: fixture) == before)
        #expect(try await fixture.plan().isEmpty)
        #expect(try await built(in: fixture, on: faulty) == built(in: fixture))
    }

    @Test("What a killed build left is no drift, and goes with the next pass or the bottle", arguments: [false, true])
    func leftovers(isDeleted: Bool) async throws {
        let fixture = try await LoopFixture.converged()
        let installation = try await fixture.installation()
        let labels = Labels.ofBuild(for: SampleManifest.identity, installation: installation.state.installation)
        let request = ContainerCreate(
            config: ContainerConfig(image: "bottle/firewall", command: ["sleep"], labels: labels),
            hostConfig: HostConfig(networkMode: "none")
        )
        let id = try await fixture.engine.createContainer(name: "bottle-dev-build-steps", request).id
        let step = ContainerCreate(
            config: ContainerConfig(image: SampleEngine.base, command: ["sleep"]),
            hostConfig: HostConfig(networkMode: "container:\(id)")
        )
        _ = try await fixture.engine.createContainer(name: "busy_step", step)
        _ = try await fixture.engine.createVolume(name: "bottle-dev-build", labels: labels)
        let plan = try await fixture.plan()
        #expect(plan.isEmpty && plan.drift.isEmpty)
        if isDeleted {
            _ = try await fixture.pass().delete(reason: "gone")
        } else {
            #expect(try await fixture.run().performed.isEmpty)
        }
        let world = await fixture.engine.world
        #expect(!world.containers.values.contains { $0.name.contains("build") || $0.name == "busy_step" })
        #expect(try await fixture.engine.volumes(labels: ["\(Labels.build)=dev"]).isEmpty)
    }
}
