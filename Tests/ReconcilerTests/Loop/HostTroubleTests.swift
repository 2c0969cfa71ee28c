import EngineTestSupport
import ModelTestSupport
import Reconciler
import ReconcilerEngine
import ReconcilerModel
import ReconcilerProposals
import ReconcilerState
import ReconcilerTime
import Testing

/// Builds that the engine ends for its host's trouble, and those that only look as if.
@Suite("A build of a proposed Dockerfile that the engine ends")
struct HostTroubleTests {
    private static let text = "FROM bottle/agent\nENV A=b\n"
    private static let fullDisk = EngineError.failed(
        "Error processing tar file(exit status 1): write /usr/lib/x: no space left on device"
    )

    /// What the engine says, and how it is judged.
    private static let verdicts: [(EngineError, code: String)] = [
        (fullDisk, "host-trouble"),
        (.failed("no space left on device"), "host-trouble"),
        (
            .failed("failed to create shim task: OCI runtime create failed: no space left on device: unknown"),
            "host-trouble"
        ),
        (.failed("context canceled"), "host-trouble"),
        (.failed("mkdir /var/lib/docker/overlay2/l: disk quota exceeded"), "host-trouble"),
        (
            .http(.init(status: 500, method: "POST", path: "/build", message: "write /tmp/x: no space left on device")),
            "host-trouble"
        ),
        // A step failed by itself, whatever its command, its code and its last words.
        (
            .stepFailed("The command 'echo x: no space left on device' returned a non-zero code: 1", code: 1),
            "build-failed"
        ),
        (.stepFailed("The command 'x' returned a non-zero code: 1: no space left on device", code: 1), "build-failed"),
        (.stepFailed("The command '/bin/sh -c make' returned a non-zero code: 137", code: 137), "build-failed"),
        // Words of the Dockerfile in the middle of the engine's.
        (
            .failed("exec: \"a: no space left on device\": executable file not found in $PATH: unknown"),
            "build-failed"
        ),
        (.failed("lstat /etc/passwd/no space left on device: not a directory"), "build-failed"),
        (.failed("stat /no space left on device"), "build-failed"),
    ]

    private func installation(_ fixture: LoopFixture, _ engine: any EngineWriting) async throws -> (
        Installation, DesiredState
    ) {
        let installation = try await fixture.installation(engine)
        let desired = try await installation.repository.desired(of: SampleManifest.identity, at: LoopFixture.now)
        return (installation, try #require(desired).state)
    }

    @Test("is the host's trouble when the engine's own words end so, and the Dockerfile's else", arguments: verdicts)
    func verdict(_ told: EngineError, _ code: String) async throws {
        let fixture = try await LoopFixture.converged()
        let faulty = FaultyEngine(fixture.engine)
        await faulty.faults.add(.refuse(told)) { $0.name == "build" }
        let (installation, state) = try await installation(fixture, faulty)
        let build = CapabilityBuild(installation)
        let error = await #expect(throws: BottleError.self) {
            try await build.build(dockerfile: Self.text, for: SampleManifest.identity, state: state)
        }
        #expect(error?.code.rawValue == code)
        #expect(error?.cause?.contains("\(told)") == true, "\(String(describing: error))")
        #expect(try await fixture.plan().isEmpty)
    }

    @Test("is the Dockerfile's when a step says that there is no space, and fails")
    func printed() async throws {
        let fixture = try await LoopFixture.converged()
        let (installation, state) = try await installation(fixture, fixture.engine)
        let text = "FROM bottle/agent\nRUN echo write /x: no space left on device && exit 1\n"
        let error = await #expect(throws: BottleError.self) {
            try await CapabilityBuild(installation).build(dockerfile: text, for: SampleManifest.identity, state: state)
        }
        #expect(error?.code == .buildFailed)
    }

    // MARK: - What becomes of the proposal

    /// A bottle whose agent's proposal is approved, and whose image is gone before a pass came.
    private struct Approved {
        let fixture: LoopFixture
        let proposal: Proposal

        init() async throws {
            fixture = try await LoopFixture.converged(SampleManifest.edited { $0.supervise = true })
            let installation = try await fixture.installation()
            let content = try ProposalContent(.capabilityBlock, text)
            let question = ProposalID.question(SampleManifest.identity, .capabilityBlock, content.canonical)
            proposal = try Proposal(
                id: ProposalID(question: question, at: LoopFixture.now),
                bottle: SampleManifest.identity,
                tool: .capabilityBlock,
                argument: text,
                justification: "because",
                time: LoopFixture.now
            )
            let queue = ProposalQueue(SampleManifest.identity, in: installation.state)
            try SidecarQueue(folder: queue.folder).submit(proposal)
            let desired = try await installation.repository.desired(of: SampleManifest.identity, at: LoopFixture.now)
            let built = try await CapabilityBuild(installation).build(
                dockerfile: text,
                for: SampleManifest.identity,
                state: try #require(desired).state
            )
            let draft = RemediationDraft(
                .dockerfileReplaced(built.replacement),
                reason: "go on",
                proposal: proposal.id.text
            )
            _ = try await installation.repository.commit(
                remediation: draft,
                for: SampleManifest.identity,
                at: LoopFixture.now
            )
            try await fixture.engine.removeImage(built.imageID.text, force: true)
        }

        /// A pass so many seconds later.
        ///
        /// - Returns: what the agent is told by then.
        func pass(after seconds: Int64, on engine: any EngineWriting) async throws -> ProposalAnswer? {
            let moment = Timestamp(seconds: LoopFixture.now.seconds + seconds)
            let installation = try await fixture.installation(engine)
            _ = try await BottlePass(
                SampleManifest.identity,
                in: installation,
                time: TimeSource(now: { moment }),
                report: { _, _ in }
            )
            .run(mayEndAgent: true)
            return try ProposalQueue(SampleManifest.identity, in: installation.state).answer(to: proposal.id)
        }
    }

    @Test("for the host's trouble leaves the proposal approved, and a pass applies it once the host is well")
    func triedAgain() async throws {
        let approved = try await Approved()
        let faulty = FaultyEngine(approved.fixture.engine)
        await faulty.faults.add(.refuse(Self.fullDisk), times: 3) { $0.name == "build" }
        for minutes in [0, 1, 59] as [Int64] {
            #expect(try await approved.pass(after: minutes * 60, on: faulty)?.state == .approved)
        }
        #expect(await faulty.faults.calls["build"] == 3)
        #expect(try await approved.pass(after: 3599, on: faulty)?.state == .applied)
    }

    @Test("in the same way an hour after the approval has failed, is taken back, and is not built again")
    func bounded() async throws {
        let approved = try await Approved()
        let faulty = FaultyEngine(approved.fixture.engine)
        await faulty.faults.add(.refuse(Self.fullDisk), times: .max) { $0.name == "build" }
        #expect(try await approved.pass(after: 0, on: faulty)?.state == .approved)
        let answer = try await approved.pass(after: 3601, on: faulty)
        #expect(answer?.state == .failed)
        #expect(answer?.words?.contains("no space left on device") == true)
        #expect(try await approved.pass(after: 3602, on: faulty)?.state == .failed)
        #expect(await faulty.faults.calls["build"] == 2)
        #expect(try await approved.fixture.plan().isEmpty)
    }
}
