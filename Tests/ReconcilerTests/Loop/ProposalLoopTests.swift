import EngineTestSupport
import FoundationEssentials
import ModelTestSupport
import Reconciler
import ReconcilerEngine
import ReconcilerModel
import ReconcilerOperations
import ReconcilerPlatform
import ReconcilerProposals
import ReconcilerState
import ReconcilerTime
import Synchronization
import Testing

/// Proposals from the queue to the running bottle, and the answers.
@Suite("Proposals in the loop")
struct ProposalLoopTests {
    @Test("One is told to wait, and that it is in force once a pass has converged with what approves it")
    func approved() async throws {
        let fixture = try await LoopFixture.converged(LoopFixture.supervised)
        let proposal = try fixture.ask("files.example.net\n")
        let seen = try await fixture.run()
        #expect(seen.proposed == [proposal])
        #expect(try fixture.answer(to: proposal)?.state == .pending)
        #expect(try await fixture.run().proposed == [proposal])

        try await fixture.approve(proposal)
        let result = try await fixture.run()
        #expect(
            result.performed.map { "\($0.action.verb.rawValue) \($0.action.object)" } == [
                "copy container/firewall", "signal container/firewall", "copy container/egress-proxy",
                "signal container/egress-proxy", "copy container/agent",
            ]
        )
        let told = try #require(try fixture.answer(to: proposal))
        #expect(
            told.state == ProposalAnswer.State.applied && told.words == "go on" && told.revision == result.revision?.id
        )
        let state = try #require(try SidecarQueue(folder: try fixture.queue().folder).state())
        #expect(
            state.policy.allowlist.map(\.text).contains("files.example.net") && state.revision == result.revision?.id
        )
        #expect(try await fixture.run().performed.isEmpty)
    }

    @Test("One that a sidecar refuses to load has failed, is taken back, and what was in force is again")
    func failed() async throws {
        let fixture = try await LoopFixture.converged(LoopFixture.supervised)
        let proposal = try fixture.ask("[{\"host\": \"\(SampleEngine.refusedHost)\"}]", tool: .egressProxyBlock)
        _ = try await fixture.run()
        try await fixture.approve(proposal)
        _ = try await fixture.run()
        let told = try #require(try fixture.answer(to: proposal))
        #expect(told.state == .failed)
        #expect(told.words?.contains("bad-routes") == true, "\(told)")
        let result = try await fixture.run()
        #expect(result.error == nil, "\(result.outcome)")
        #expect(result.remediations == [])
        #expect(try fixture.answer(to: proposal)?.state == .failed)
        #expect(try await fixture.run().performed.isEmpty)
    }

    @Test("One whose approval is revoked before a pass came has failed; one that is in force by itself is applied")
    func overtaken() async throws {
        let fixture = try await LoopFixture.converged(LoopFixture.supervised)
        let proposal = try fixture.ask("files.example.net\n")
        _ = try await fixture.run()
        try await fixture.commit(
            SampleManifest.edited {
                $0.supervise = true
                $0.egress.allowlist.append(SampleManifest.host("files.example.net"))
            }
        )
        _ = try await fixture.run()
        #expect(try fixture.answer(to: proposal)?.state == .applied)
    }

    @Test("What asks for authority of its own is refused, whichever process put it into the queue")
    func refused() async throws {
        let fixture = try await LoopFixture.converged(LoopFixture.supervised)
        let argument = "[{\"host\": \"api.example.com\", \"methods\": [\"GET\", \"HEAD\", \"DELETE\"]}]"
        let proposal = try fixture.ask(argument, tool: .egressProxyBlock)
        let result = try await fixture.run()
        #expect(result.proposed == [])
        #expect(try fixture.answer(to: proposal)?.state == .refused)
        #expect(result.performed.isEmpty)
    }

    @Test("A process killed between commit and answer is followed by one that answers, and approves nothing twice")
    func killed() async throws {
        let fixture = try await LoopFixture.converged(LoopFixture.supervised)
        let proposal = try fixture.ask("files.example.net\n")
        // No pass saw it before it was approved, and the process that approved it did no more.
        try await fixture.approve(proposal)
        await #expect(throws: BottleError.self) { try await fixture.approve(proposal) }
        _ = try await fixture.run()
        #expect(try fixture.answer(to: proposal)?.state == .applied)
        let remediations = try await fixture.run().remediations
        #expect(remediations?.map(\.remediation.provenance.proposal) == [proposal.id.text])
    }

    /// What is gone for the rest of a pass.
    enum Loss: String, Sendable, CustomTestStringConvertible, CaseIterable {
        case engine, process

        var testDescription: String { rawValue }
    }

    @Test(
        "Lost at any call after the approval, nothing has failed by that, and the next pass applies it once",
        arguments: Loss.allCases
    )
    func lost(_ loss: Loss) async throws {
        let before = try await LoopFixture.converged(LoopFixture.supervised)
        let proposal = try before.ask("files.example.net\n")
        try await before.approve(proposal)
        let clean = try await before.fork()
        let counted = FaultyEngine(clean.engine)
        #expect(try await clean.run(on: counted).error == nil)
        let count = await counted.faults.calls.values.reduce(0, +)
        // Where its queue is, differs from fork to fork.
        func lines(_ fixture: LoopFixture) async -> [String] {
            WorldText.lines(await fixture.engine.world).filter { !$0.contains("supervise") }
        }
        let end = await lines(clean)
        var losses = 0

        // A process that is lost at any call has a sweep of its own.
        for call in stride(from: 0, to: count, by: loss == .engine ? 1 : 4) {
            let place: Comment = "from call \(call) on"
            let fixture = try await before.fork()
            let faulty = FaultyEngine(fixture.engine)
            let seen = Mutex(0)
            await faulty.faults.add(.refuse(.transport("nobody answers")), times: .max) { _ in
                let number = seen.withLock { number in
                    number += 1
                    return number - 1
                }
                if number == call { fixture.keepState(as: "lost") }
                return number >= call
            }
            let cut = try await fixture.run(on: faulty)
            #expect(try fixture.answer(to: proposal)?.state == (cut.error == nil ? .applied : .approved), place)
            if cut.error != nil { losses += 1 }

            let next = loss == .engine ? fixture : try await fixture.fork(state: "\(fixture.folder)/lost")
            let result = try await next.run()
            #expect(result.error == nil, place)
            let told = try next.answer(to: proposal)
            #expect(told?.state == .applied && told?.words == "go on", place)
            #expect(result.remediations?.map(\.remediation.provenance.proposal) == [proposal.id.text], place)
            #expect(await lines(next) == end, place)
            #expect(await next.engine.violations.isEmpty, place)
        }
        #expect(losses > 10)
    }

    @Test(
        "A running controller sees what is asked by itself, tells of it once, and an operator's no is heard",
        .timeLimit(.minutes(3))
    )
    func controller() async throws {
        let fixture = try await LoopFixture.converged(LoopFixture.supervised)
        let installation = try await fixture.installation()
        let (hooked, hook) = AsyncStream.makeStream(of: Proposal.self)
        let controller = Controller(
            installation,
            pace: ControllerPace(),
            time: TimeSource(now: { LoopFixture.now }),
            onProposal: { hook.yield($0) },
            report: { _ in }
        )
        try await controller.whileRunning {
            let proposal = try fixture.ask("files.example.net\n")
            var told = hooked.makeAsyncIterator()
            #expect(await told.next() == proposal)
            try await eventually("it waits") { try fixture.answer(to: proposal)?.state == .pending }
            let ruling = ProposalDecision(installation.state, installation.repository) { LoopFixture.now }
            try await ruling.reject(proposal, words: "no")
            await #expect(throws: BottleError.self) { try await ruling.reject(proposal, words: "again") }
            #expect(try fixture.answer(to: proposal)?.state == .rejected)
        }
        hook.finish()
        let log = AuditLog(installation.state)
        #expect(
            try DurableFile.read(log.path, limit: 1 << 20).map { String(decoding: $0, as: UTF8.self) }?
                .contains("rejection") == true
        )
    }

    @Test("The queue goes with its bottle")
    func deleted() async throws {
        let fixture = try await LoopFixture.converged(LoopFixture.supervised)
        _ = try fixture.ask("files.example.net\n")
        _ = try await fixture.pass().delete(reason: "delete")
        #expect(try POSIX.status(try fixture.queue().folder, followLinks: false) == nil)
    }
}
