import EngineTestSupport
import ModelTestSupport
import Reconciler
import ReconcilerModel
import ReconcilerOperations
import ReconcilerProposals
import ReconcilerState
import ReconcilerTime
import Synchronization
import Testing

/// One decision a proposal, however many decide at once and whatever is killed in between.
@Suite("A decision on a proposal")
struct ProposalDecisionTests {
    private static let host = "files.example.net\n"

    private func ruling(_ fixture: LoopFixture) async throws -> ProposalDecision {
        let installation = try await fixture.installation()
        return ProposalDecision(installation.state, installation.repository) { LoopFixture.now }
    }

    private func isAllowed(_ fixture: LoopFixture) async throws -> Bool {
        let desired = try await fixture.installation().repository.desired(
            of: SampleManifest.identity,
            at: LoopFixture.now
        )
        return desired?.state.remedied.manifest.egress.allowlist.contains(SampleManifest.host("files.example.net"))
            == true
    }

    @Test(
        "that has failed is withdrawn by the next pass, where the process that said so was killed before it did that",
        arguments: [true, false]
    )
    func failedAndKilled(_ isStillAsked: Bool) async throws {
        let fixture = try await LoopFixture.converged(LoopFixture.supervised)
        let proposal = try fixture.ask(Self.host)
        try await fixture.approve(proposal)
        try fixture.queue().tell(
            ProposalAnswer(id: proposal.id, state: .failed, time: LoopFixture.now, words: "refused")
        )
        if !isStillAsked { try SidecarQueue(folder: fixture.queue().folder).withdraw(proposal.id) }
        _ = try await fixture.run()
        let result = try await fixture.run()
        #expect(result.remediations == [] && result.error == nil)
        #expect(try fixture.answer(to: proposal)?.state == .failed)
        #expect(try await !isAllowed(fixture))
    }

    @Test("that was limited and ended before a pass came has failed, and says why")
    func ended() async throws {
        let fixture = try await LoopFixture.converged(LoopFixture.supervised)
        let proposal = try fixture.ask(Self.host)
        let before = Timestamp(seconds: LoopFixture.now.seconds - 100)
        let end = Timestamp(seconds: LoopFixture.now.seconds - 1)
        try await fixture.approve(proposal, limits: try GrantLimits(notAfter: end), at: before)
        _ = try await fixture.run()
        let told = try #require(try fixture.answer(to: proposal))
        #expect(told.state == .failed, "\(told)")
        #expect(told.words?.contains("ended") == true, "\(told)")
    }

    @Test("can't be a no once a yes is committed, whether a pass has come or not")
    func rejectedAfterApproval() async throws {
        let fixture = try await LoopFixture.converged(LoopFixture.supervised)
        let proposal = try fixture.ask(Self.host)
        _ = try await fixture.run()
        try await fixture.approve(proposal)
        let ruling = try await ruling(fixture)
        await #expect(throws: BottleError.self) { try await ruling.reject(proposal, words: "no") }
        #expect(try fixture.answer(to: proposal)?.state == .pending)
        _ = try await fixture.run()
        #expect(try fixture.answer(to: proposal)?.state == .applied)
    }

    @Test("can't be a yes once a no was said, and what would have been committed is not")
    func approvedAfterRejection() async throws {
        let fixture = try await LoopFixture.converged(LoopFixture.supervised)
        let proposal = try fixture.ask(Self.host)
        _ = try await fixture.run()
        let ruling = try await ruling(fixture)
        try await ruling.reject(proposal, words: "no")
        await #expect(throws: BottleError.self) {
            try await ruling.approve(proposal, edited: nil) { try await fixture.approve(proposal) }
        }
        #expect(try fixture.answer(to: proposal)?.state == .rejected)
        #expect(try await !isAllowed(fixture))
    }

    @Test("tells the agent what was approved, and nothing of an edit that came to nothing")
    func editThatCameToNothing() async throws {
        let fixture = try await LoopFixture.converged(LoopFixture.supervised)
        let proposal = try fixture.ask(Self.host)
        _ = try await fixture.run()
        let ruling = try await ruling(fixture)
        await #expect(throws: CancellationError.self) {
            try await ruling.approve(proposal, edited: "other.example.net\n") { throw CancellationError() }
        }
        try await ruling.approve(proposal, edited: nil) { try await fixture.approve(proposal) }
        _ = try await fixture.run()
        let told = try #require(try fixture.answer(to: proposal))
        #expect(told.state == .applied && told.edited == nil, "\(told)")
    }

    @Test("of which a long edit is noted can still be read")
    func longEdit() async throws {
        let fixture = try await LoopFixture.converged(LoopFixture.supervised)
        let proposal = try fixture.ask(Self.host)
        let ruling = try await ruling(fixture)
        let text = String(repeating: "\u{1}", count: Proposal.argumentLimit)
        try await ruling.approve(proposal, edited: text) { try await fixture.approve(proposal) }
        #expect(try await fixture.run().error == nil)
        #expect(try fixture.answer(to: proposal)?.state == .applied)
    }

    @Test("puts what is withdrawn for a failure on record as what it takes away")
    func withdrawalOnRecord() async throws {
        let fixture = try await LoopFixture.converged(LoopFixture.supervised)
        let proposal = try fixture.ask("[{\"host\": \"\(SampleEngine.refusedHost)\"}]", tool: .egressProxyBlock)
        try await fixture.approve(proposal)
        _ = try await fixture.run()
        let state = try await fixture.installation().state
        var follower = AuditFollower(AuditFiles(folder: state.path))
        let line = try #require(try follower.more().last { $0.what == AuditKind.revoke.rawValue })
        #expect(
            line.details.authority?.contains { $0.contains(SampleEngine.refusedHost.text) } == true,
            "\(line.details)"
        )
    }

    @Test("is asked for by the hook also where another process saw the proposal first", .timeLimit(.minutes(3)))
    func seenByAnother() async throws {
        let fixture = try await LoopFixture.converged(LoopFixture.supervised)
        let proposal = try fixture.ask(Self.host)
        // As `apply` does beside a controller, or a controller that was killed before it ran the hook.
        _ = try await fixture.run()
        #expect(try fixture.answer(to: proposal)?.state == .pending)
        let told = Mutex<[Proposal]>([])
        let controller = Controller(
            try await fixture.installation(),
            pace: ControllerPace(interval: .milliseconds(50)),
            time: TimeSource(now: { LoopFixture.now }),
            onProposal: { proposal in told.withLock { $0.append(proposal) } },
            report: { _ in }
        )
        try await controller.whileRunning {
            try await eventually("it is told") { told.withLock { !$0.isEmpty } }
            // Further passes tell of nothing else.
            let other = try fixture.ask("other.example.net\n")
            try await eventually("another is told") { told.withLock { $0.contains(other) } }
            #expect(told.withLock { $0 } == [proposal, other])
        }
    }

    @Test("is answered for so many proposals a day, and no more files than that are left on the host")
    func flooded() async throws {
        let fixture = try await LoopFixture.converged(LoopFixture.supervised)
        let queue = try fixture.queue()
        for number in 0..<ProposalQueue.answerLimit {
            let digits = String(number, radix: 16)
            let id = try ProposalID(String(repeating: "0", count: 32 - digits.count) + digits)
            try queue.tell(ProposalAnswer(id: id, state: .refused, time: LoopFixture.now))
        }
        let proposal = try fixture.ask(Self.host)
        let result = try await fixture.run()
        #expect(result.proposed == [] && result.error == nil)
        #expect(try fixture.answer(to: proposal) == nil)
        #expect(try queue.answers().count == ProposalQueue.answerLimit)
    }
}
