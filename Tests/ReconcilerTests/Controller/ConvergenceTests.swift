import Reconciler
import ReconcilerModel
import Testing

@Suite("What a pass does next")
struct ConvergenceTests {
    private let identity: Identity
    private let empty: Plan

    init() throws {
        identity = try Identity("dev")
        empty = Plan(identity: identity)
    }

    private func machine(mayEndAgent: Bool = true, readsFiles: Bool = false) -> Convergence {
        Convergence(identity, mayEndAgent: mayEndAgent, readsFiles: readsFiles)
    }

    private func plan(_ actions: Action...) -> Plan { Plan(identity: identity, actions: actions) }

    private let start = Action(.start, .container(.firewall), .stopped, container: "c1")

    private func failed(_ action: Action, _ code: BottleError.Code? = nil) -> PerformedAction {
        PerformedAction(action: action, outcome: .failed, milliseconds: 1, error: "no", code: code)
    }

    private func done(_ action: Action) -> PerformedAction {
        PerformedAction(action: action, outcome: .done, milliseconds: 1)
    }

    /// The step in one word.
    private func word(_ step: Convergence.Step) -> String {
        switch step {
        case .look: "look"
        case .findSecrets: "find secrets"
        case .act: "act"
        case .markConverged: "mark converged"
        case .end(let outcome): "\(outcome.word) \(error(outcome)?.code.rawValue ?? "")"
        }
    }

    private func error(_ outcome: PassOutcome) -> BottleError? {
        switch outcome {
        case .converged: nil
        case .retry(let error), .stalled(let error): error
        }
    }

    @Test("an empty plan is convergence, after a look that reads files where one is wanted")
    func emptyPlan() {
        var plain = machine()
        #expect(word(plain.next(after: empty, lacksSecrets: false)) == "mark converged")
        var reader = machine(readsFiles: true)
        #expect(!reader.isReading)
        #expect(word(reader.next(after: empty, lacksSecrets: false)) == "look")
        #expect(reader.isReading)
        #expect(word(reader.next(after: empty, lacksSecrets: false)) == "mark converged")
    }

    @Test("a finding that blocks, and an agent that may not end, stall the pass before it acts")
    func stalls() {
        var blocked = plan(start)
        blocked.findings = [.externalNetworkMissing("corp")]
        var first = machine()
        #expect(word(first.next(after: blocked, lacksSecrets: true)) == "stalled network-missing")
        var ending = plan(start)
        ending.replacesAgent = true
        var second = machine(mayEndAgent: false)
        #expect(word(second.next(after: ending, lacksSecrets: false)) == "stalled needs-yes")
        var third = machine()
        #expect(word(third.next(after: ending, lacksSecrets: false)) == "act")
    }

    @Test("secrets that a plan needs are found before it is performed, in a round of its own")
    func secrets() {
        var machine = machine()
        #expect(machine.seesDrift)
        #expect(word(machine.next(after: plan(start), lacksSecrets: true)) == "find secrets")
        #expect(!machine.seesDrift)
        #expect(word(machine.next(after: plan(start), lacksSecrets: false)) == "act")
    }

    @Test("after a failure the pass looks once more, and acts only if that mends networks the first look did not see")
    func failure() {
        let twin = Action(.remove, .network(.internal), .notDesired, networkID: "n2")
        for (later, expected) in [(plan(start), "retry action-failed"), (plan(twin, start), "act")] {
            var machine = machine()
            _ = machine.next(after: plan(start), lacksSecrets: false)
            let step = machine.next(after: plan(start), performed: [failed(start)], hasNewAddresses: false)
            #expect(word(step) == "look")
            #expect(word(machine.next(after: later, lacksSecrets: false)) == expected)
        }
    }

    @Test("a second failure ends the pass with what failed then")
    func secondFailure() {
        let twin = Action(.remove, .network(.internal), .notDesired, networkID: "n2")
        var machine = machine()
        _ = machine.next(after: plan(start), performed: [failed(start)], hasNewAddresses: false)
        let step = machine.next(after: plan(twin), performed: [failed(twin)], hasNewAddresses: false)
        guard case .end(let outcome) = step else { return #expect(Bool(false), "\(word(step))") }
        #expect(error(outcome)?.message == "could not remove network/internal")
        #expect(error(outcome)?.cause == "no")
    }

    @Test("new addresses in place of refused ones make no failure")
    func newAddresses() {
        var machine = machine()
        let step = machine.next(after: plan(start), performed: [failed(start)], hasNewAddresses: true)
        #expect(word(step) == "look")
        #expect(word(machine.next(after: plan(start), lacksSecrets: false)) == "act")
    }

    @Test("a silent sidecar is told to the next look, once; then its failure counts")
    func silence() {
        var machine = machine()
        let first = machine.next(after: plan(start), performed: [failed(start, .silent)], hasNewAddresses: false)
        #expect(word(first) == "look")
        #expect(machine.silent == [.firewall])
        #expect(machine.seesDrift)
        #expect(word(machine.next(after: plan(start), lacksSecrets: false)) == "act")
        _ = machine.next(after: plan(start), performed: [failed(start, .silent)], hasNewAddresses: false)
        #expect(word(machine.next(after: plan(start), lacksSecrets: false)) == "retry action-failed")
    }

    @Test("a bottle that never settles ends the pass in the last round, which only looks")
    func rounds() {
        var machine = machine(readsFiles: true)
        for _ in 1..<Convergence.rounds {
            #expect(word(machine.next(after: plan(start), lacksSecrets: false)) == "act")
            _ = machine.next(after: plan(start), performed: [done(start)], hasNewAddresses: false)
        }
        var last = machine
        #expect(word(machine.next(after: plan(start), lacksSecrets: false)) == "retry not-converging")
        // Without a round left for it, files are not read whole.
        #expect(word(last.next(after: empty, lacksSecrets: false)) == "mark converged")
    }
}
