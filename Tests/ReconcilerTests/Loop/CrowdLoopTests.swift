import EngineTestSupport
import ModelTestSupport
import Reconciler
import ReconcilerManifest
import ReconcilerModel
import ReconcilerOperations
import ReconcilerProposals
import ReconcilerState
import ReconcilerTime
import SeededRandom
import Synchronization
import Testing

/// Many callers that wait at once on one controller, several in each bottle.
@Suite("A hundred proposals that wait on one controller")
struct CrowdLoopTests {
    private static let now = SampleManifest.known(try Timestamp("2026-01-01T00:00:00Z"))
    private static let bottles = 25
    private static let hosts = (0..<4).map { SampleManifest.host("files-\($0).example.net") }

    /// What one caller asks for, and what an operator decides: the same hosts in every bottle, never the same decision
    /// in the next one.
    private struct Asker {
        var proposal: Proposal
        var host: HostPattern
        var isApproved: Bool
        var words: String

        init(bottle number: Int, host place: Int) throws {
            let bottle = try Identity("dev-\(number)")
            host = CrowdLoopTests.hosts[place]
            let content = try ProposalContent(.firewallBlock, "\(host)\n")
            let question = ProposalID.question(bottle, .firewallBlock, content.canonical)
            proposal = try Proposal(
                id: ProposalID(question: question, at: CrowdLoopTests.now),
                bottle: bottle,
                tool: .firewallBlock,
                argument: "\(host)\n",
                justification: "\(bottle) needs it",
                time: CrowdLoopTests.now
            )
            isApproved = (number + place).isMultiple(of: 2)
            words = "\(isApproved ? "yes" : "no") to \(bottle) and \(host)"
        }
    }

    @Test(
        "are all answered, each with its own decision and words, in whatever order they are decided",
        .timeLimit(.minutes(5))
    )
    func crowd() async throws {
        let fixture = try await LoopFixture.fresh()
        let installation = try await fixture.installation()
        let askers = try (0..<Self.bottles).flatMap { bottle in
            try Self.hosts.indices.map { try Asker(bottle: bottle, host: $0) }
        }
        var manifests: [String: DesiredChange] = [:]
        for bottle in Set(askers.map(\.proposal.bottle)) {
            let manifest = SampleManifest.edited {
                $0.identity = bottle
                $0.supervise = true
            }
            manifests[DesiredRepository.path(of: bottle)] = .write(ManifestDocument.yaml(of: manifest))
        }
        _ = try await installation.repository.commit(manifests, message: "apply")
        func answer(_ asker: Asker) throws -> ProposalAnswer.State? {
            try ProposalQueue(asker.proposal.bottle, in: installation.state).answer(to: asker.proposal.id)?.state
        }
        let told = Mutex<[Proposal]>([])
        let controller = Controller(
            installation,
            pace: ControllerPace(sweep: .seconds(600)),
            time: TimeSource(now: { Self.now }),
            onProposal: { proposal in told.withLock { $0.append(proposal) } },
            report: { _ in }
        )
        // Asked while no controller ran: it finds all of them.
        for asker in askers {
            let queue = ProposalQueue(asker.proposal.bottle, in: installation.state)
            try queue.prepare()
            try SidecarQueue(folder: queue.folder).submit(asker.proposal)
        }
        try await controller.whileRunning {
            try await eventually("all wait") { try askers.allSatisfy { try answer($0) == .pending } }
            let seed = UInt64.random(in: 0...UInt64.max)
            print("seed of the order: \(seed)")
            var random = SplitMix64(seed: seed)
            for asker in askers.shuffled(using: &random) { try await decide(asker, installation) }
            try await eventually("all are answered") { try askers.allSatisfy { try answer($0)?.isFinal == true } }
        }
        #expect(Set(told.withLock { $0 }) == Set(askers.map(\.proposal)))
        #expect(told.withLock { $0.count } == 100)
        for (bottle, askers) in Dictionary(grouping: askers, by: \.proposal.bottle) {
            try await expectAnswered(askers, bottle, installation)
        }
        #expect(await fixture.engine.violations.isEmpty)
    }

    private func decide(_ asker: Asker, _ installation: Installation) async throws {
        let proposal = asker.proposal
        guard asker.isApproved else {
            return try await ProposalDecision(installation.state, installation.repository) { Self.now }
                .reject(proposal, words: asker.words)
        }
        let desired = try await installation.repository.desired(of: proposal.bottle, at: Self.now)
        let review = ProposalReview(proposal, nil, in: try #require(desired).state, dockerfile: nil, at: Self.now)
        let step = RemediationStep(adding: review.drafts(limits: nil, reason: asker.words), reason: asker.words)
        _ = try await installation.repository.commit(step, for: proposal.bottle, at: Self.now)
    }

    /// Their own answers and no other; what is desired and what the sidecar is told is in force say the same.
    private func expectAnswered(_ askers: [Asker], _ bottle: Identity, _ installation: Installation) async throws {
        let queue = ProposalQueue(bottle, in: installation.state)
        let answers = try queue.answers()
        let state = try #require(try SidecarQueue(folder: queue.folder).state())
        let desired = try #require(try await installation.repository.desired(of: bottle, at: Self.now)).state.remedied
        #expect(answers.count == askers.count)
        for asker in askers {
            let answer = try #require(answers[asker.proposal.id])
            #expect(answer.state == (asker.isApproved ? .applied : .rejected) && answer.words == asker.words)
            #expect(desired.manifest.egress.allowlist.contains(asker.host) == asker.isApproved)
            #expect(state.policy.allowlist.contains(asker.host) == asker.isApproved)
        }
        let approved = askers.filter(\.isApproved).map(\.proposal.id.text)
        #expect(desired.outcomes.compactMap(\.remediation.provenance.proposal).sorted() == approved.sorted())
    }
}
