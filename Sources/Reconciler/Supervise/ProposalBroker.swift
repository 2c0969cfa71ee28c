import ReconcilerModel
import ReconcilerPlatform
package import ReconcilerProposals
package import ReconcilerTime

/// Takes proposals, and hands what is decided to those who wait: the one owner of the sidecar's side of the queue.
///
/// Nothing is lost when the process dies: a proposal that a caller was told of is on the disk, and the same call finds
/// it again.
package actor ProposalBroker {
    /// What a caller who waits is told.
    package enum Notice: Sendable, Hashable {
        /// Nothing new; a sign of life is due.
        case pulse
        /// What became of the proposal; the last notice when it is final.
        case answer(ProposalAnswer)
    }

    /// What became of a call.
    package enum Submission: Sendable, Hashable {
        /// It waits under this id, which may have been asked before.
        case waiting(ProposalID, isNew: Bool)
        /// It was decided before.
        case decided(ProposalAnswer)
        case refused([String])
    }

    private struct Entry {
        var proposal: Proposal
        var answer: ProposalAnswer?
        /// When a caller was told the final answer.
        var heard: Timestamp?
        var waiting: [Int: AsyncStream<Notice>.Continuation] = [:]

        var isDecided: Bool { answer?.state.isFinal == true }
    }

    private let queue: SidecarQueue
    private let limits: SuperviseLimits
    private let time: TimeSource
    private let origin: ContinuousClock.Instant
    private let log: EventLog

    private var entries: [ProposalID: Entry] = [:]
    private var nextWaiter = 0
    private var lastWord: Timestamp?
    private var stateMark: FileMark?
    private var looksSinceFull = 0
    private var proposals: TokenBucket
    /// What is in force; nil while the host has not said it.
    package private(set) var state: SupervisedState?

    package init(queue: SidecarQueue, limits: SuperviseLimits, time: TimeSource, log: EventLog) throws {
        self.queue = queue
        self.limits = limits
        self.time = time
        origin = time.instant()
        self.log = log
        proposals = TokenBucket(limit: limits.burst, interval: .seconds(limits.refill))
        try queue.tidy()
        for proposal in try queue.proposals() { entries[proposal.id] = Entry(proposal: proposal) }
    }

    // MARK: - Asking

    /// Takes a call: joins it to the proposal that asks the same, or makes a new one.
    ///
    /// The justification does not count for what is the same: an agent words it anew each time.
    package func submit(_ tool: ProposalTool, argument: String, justification: String) -> Submission {
        guard let state else {
            return .refused(["what is in force is not known yet: try again in a minute"])
        }
        do {
            let content = try ProposalContent(tool, argument)
            let bottle = state.policy.bottle
            let question = ProposalID.question(bottle, tool, content.canonical)
            let verdict = ProposalCheck.verdict(on: content, in: state.policy)
            let known = entries.values.filter { $0.proposal.id.question == question }
                .max { $0.proposal.id < $1.proposal.id }
            if let known, let earlier = answer(again: known, verdict) { return earlier }
            switch verdict {
            case .inForce: return .refused(["already in force: nothing has to be asked for"])
            case .refused(let reasons): return .refused(reasons)
            case .changes, .dockerfile: break
            }
            // What holds without room is checked before what needs it.
            let last = [known?.proposal.id, try? queue.newestAnswered(question)].compactMap { $0 }.max()
            let proposal = try Proposal(
                id: ProposalID(question: question, at: time.now(), after: last),
                bottle: bottle,
                tool: tool,
                argument: argument,
                justification: justification,
                time: time.now()
            )
            if let reason = crowd() { return .refused([reason]) }
            return keep(proposal)
        } catch {
            return .refused(error.reasons)
        }
    }

    /// What a call gets whose question was asked before; nil: it is asked anew.
    private func answer(again known: Entry, _ verdict: ProposalVerdict) -> Submission? {
        guard let answer = known.answer, answer.state.isFinal else {
            return .waiting(known.proposal.id, isNew: false)
        }
        guard let heard = known.heard else { return .decided(answer) }
        // What was applied and is in force no more, is asked anew.
        if answer.state == .applied { return verdict == .inForce ? .decided(answer) : nil }
        return heard.seconds + limits.memory > time.now().seconds ? .decided(answer) : nil
    }

    /// Why no new proposal can be taken now; nil: one can, and counts.
    private func crowd() -> String? {
        let pending = entries.values.count { !$0.isDecided }
        guard pending < limits.pending else {
            return "\(pending) proposals wait for the operator already: wait for their answers"
        }
        if entries.count >= limits.queued {
            guard
                let oldest = entries.values.filter({ $0.heard != nil && $0.waiting.isEmpty })
                    .min(by: { $0.proposal.id < $1.proposal.id })
            else { return "too many proposals whose answers nobody heard: call `proposal-status`" }
            forget(oldest.proposal.id)
        }
        let isInPace = proposals.take(at: time.instant() - origin)
        return isInPace ? nil : "proposals come too fast: wait a few seconds"
    }

    private func keep(_ proposal: Proposal) -> Submission {
        do {
            try queue.submit(proposal)
        } catch {
            log.event("queue-unwritable", [("cause", .text("\(error)"))])
            return .refused(["the queue can't be written: tell the operator"])
        }
        entries[proposal.id] = Entry(proposal: proposal)
        log.event("proposed", [("id", .text(proposal.id.text)), ("tool", .text(proposal.tool.rawValue))])
        return .waiting(proposal.id, isNew: true)
    }

    // MARK: - Waiting

    /// Lets a caller wait for a proposal: it is told what is known and then what comes, until the final answer, which ends
    /// the notices; at once for a proposal that is not known.
    ///
    /// - Returns: what to `leave` with.
    package func join(_ id: ProposalID, _ caller: AsyncStream<Notice>.Continuation) -> Int {
        let waiter = nextWaiter
        nextWaiter += 1
        if let answer = entries[id]?.answer { caller.yield(.answer(answer)) }
        if let entry = entries[id], !entry.isDecided {
            entries[id]?.waiting[waiter] = caller
        } else {
            caller.finish()
        }
        return waiter
    }

    package func leave(_ id: ProposalID, _ waiter: Int) { entries[id]?.waiting[waiter] = nil }

    /// How many callers wait.
    package var waiting: Int { entries.values.reduce(0) { $0 + $1.waiting.count } }

    /// Says that a caller has the final answer of a proposal.
    package func wasHeard(_ id: ProposalID) {
        guard entries[id]?.isDecided == true, entries[id]?.heard == nil else { return }
        entries[id]?.heard = time.now()
        log.event("told", [("id", .text(id.text)), ("state", .text(entries[id]?.answer?.state.rawValue ?? ""))])
    }

    /// The proposals that are remembered, with what became of them, the newest last.
    package var known: [(proposal: Proposal, answer: ProposalAnswer?)] {
        entries.values.sorted { ($0.proposal.time, $0.proposal.id) < ($1.proposal.time, $1.proposal.id) }
            .map { ($0.proposal, $0.answer) }
    }

    // MARK: - Looking

    /// Gives every waiting caller a sign of life.
    package func pulse() {
        for entry in entries.values {
            for continuation in entry.waiting.values { continuation.yield(.pulse) }
        }
        sweep()
    }

    /// Looks at what the host said, when it said something.
    ///
    /// The folder's time tells; every tenth look is whole, since two changes can share one.
    package func look() {
        let word = try? queue.lastWord()
        looksSinceFull += 1
        guard word != lastWord || looksSinceFull >= 10 else { return }
        looksSinceFull = 0
        lastWord = word
        readState()
        let open = entries.filter { !$0.value.isDecided }.keys
        guard !open.isEmpty, let answers = try? queue.answers(to: open) else { return }
        for (id, answer) in answers where entries[id]?.answer != answer { tell(answer) }
    }

    /// One that can't be read leaves what was known before.
    private func readState() {
        guard let mark = try? queue.stateMark(), mark != stateMark else { return }
        do {
            guard let fresh = try queue.state() else { return }
            state = fresh
        } catch {
            log.event("state-unreadable", [("cause", .text("\(error)"))])
        }
        stateMark = mark
    }

    private func tell(_ answer: ProposalAnswer) {
        entries[answer.id]?.answer = answer
        log.event("decided", [("id", .text(answer.id.text)), ("state", .text(answer.state.rawValue))])
        let waiting = entries[answer.id]?.waiting ?? [:]
        for continuation in waiting.values {
            continuation.yield(.answer(answer))
            if answer.state.isFinal { continuation.finish() }
        }
        if answer.state.isFinal { entries[answer.id]?.waiting = [:] }
    }

    /// Takes out of the queue what was heard, or what nobody came back for.
    private func sweep() {
        let moment = time.now().seconds
        for (id, entry) in entries where entry.isDecided && entry.waiting.isEmpty {
            let isOver =
                entry.heard.map { $0.seconds + limits.memory <= moment }
                ?? ((entry.answer?.time.seconds ?? moment) + limits.patience <= moment)
            if isOver { forget(id) }
        }
    }

    private func forget(_ id: ProposalID) {
        do {
            try queue.withdraw(id)
            entries[id] = nil
        } catch {
            log.event("queue-unwritable", [("cause", .text("\(error)"))])
        }
    }
}
