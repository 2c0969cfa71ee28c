package import ReconcilerModel
import ReconcilerPlatform
package import ReconcilerProposals
package import ReconcilerTime

/// Accepts proposals and delivers decisions to waiting callers; the only writer of the sidecar's side of the queue.
///
/// If the process dies, nothing is lost: a proposal whose id a caller has got is on disk, and the same call finds it
/// again.
package actor ProposalBroker {
    /// A notice to a waiting caller.
    package enum Notice: Sendable, Hashable {
        /// Nothing new; a keep-alive is due.
        case pulse
        /// The proposal's state; the last notice if it is final.
        case answer(ProposalAnswer)
    }

    /// The result of a call.
    package enum Submission: Sendable, Hashable {
        /// The proposal waits under this id; a call may have submitted it before.
        case waiting(ProposalID, isNew: Bool)
        /// It was decided already.
        case decided(ProposalAnswer)
        case refused([String])
    }

    private struct Entry {
        var proposal: Proposal
        var answer: ProposalAnswer?
        /// When a caller received the final answer.
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
    /// What is in force; nil until the host has said it.
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

    /// Submits a call: joins it to an equal proposal, or makes a new one.
    ///
    /// The justification doesn't count for equality, because an agent words it differently each time.
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
            // Check what needs no room before what does.
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

    /// The answer to a call that repeats a known question; nil if it needs a new proposal.
    private func answer(again known: Entry, _ verdict: ProposalVerdict) -> Submission? {
        guard let answer = known.answer, answer.state.isFinal else {
            return .waiting(known.proposal.id, isNew: false)
        }
        guard let heard = known.heard else { return .decided(answer) }
        // A change that was applied but is no longer in force needs a new proposal.
        if answer.state == .applied { return verdict == .inForce ? .decided(answer) : nil }
        return heard.seconds + limits.memory > time.now().seconds ? .decided(answer) : nil
    }

    /// Why no new proposal is accepted now; nil if one is, which then counts against the limits.
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

    /// Subscribes a caller to a proposal: it gets the current state and then each change.
    ///
    /// The final answer ends the notices. They end at once if the proposal is unknown.
    ///
    /// - Returns: the number to pass to `leave`.
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

    /// The number of waiting callers.
    package var waiting: Int { entries.values.reduce(0) { $0 + $1.waiting.count } }

    /// Records that a caller has received the proposal's final answer.
    package func wasHeard(_ id: ProposalID) {
        guard entries[id]?.isDecided == true, entries[id]?.heard == nil else { return }
        entries[id]?.heard = time.now()
        log.event("told", [("id", .text(id.text)), ("state", .text(entries[id]?.answer?.state.rawValue ?? ""))])
    }

    /// The remembered proposals and their answers, the newest last.
    package var known: [(proposal: Proposal, answer: ProposalAnswer?)] {
        entries.values.sorted { ($0.proposal.time, $0.proposal.id) < ($1.proposal.time, $1.proposal.id) }
            .map { ($0.proposal, $0.answer) }
    }

    // MARK: - Looking

    /// Sends a keep-alive to every waiting caller.
    package func pulse() {
        for entry in entries.values {
            for continuation in entry.waiting.values { continuation.yield(.pulse) }
        }
        sweep()
    }

    /// Reads what the host wrote, if it wrote something.
    ///
    /// The folder's time shows that. Every tenth call reads everything, because two changes can have the same time.
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

    /// Reads the state; an unreadable one leaves the previous state in place.
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

    /// Removes proposals from the queue whose answers were heard, or whose callers never came back.
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
