import ReconcilerEngine
package import ReconcilerModel
import ReconcilerPlatform
import ReconcilerProposals
import ReconcilerState
package import ReconcilerTime

/// Keeps every bottle of an installation as declared: on a timer, on the engine's events, on desired-state commits.
///
/// Level-triggered. A trigger only puts a name into the queue; that bottle's pass finds out what to do. It may be
/// killed at any time: nothing that matters is only in memory.
package actor Controller {
    let installation: Installation
    let pace: ControllerPace
    let report: @Sendable (ControllerReport) -> Void
    private let jitter: @Sendable () -> Double
    private let onProposal: @Sendable (Proposal) async -> Void
    let time: TimeSource
    private let origin: ContinuousClock.Instant

    var queue: WorkQueue
    /// The passes that wait for a slot again.
    var returns: [Identity: AsyncStream<Void>.Continuation] = [:]
    /// Limits builds and pulls to the number of slots.
    let builds: AsyncSemaphore
    private let wakes: AsyncStream<Void>
    let wake: AsyncStream<Void>.Continuation
    nonisolated let looksWanted: AsyncStream<Void>
    /// Asks for a look at the desired state.
    nonisolated let looks: AsyncStream<Void>.Continuation
    /// The timers that wake the dispatcher.
    private var wakeTimer = WakeTimer()
    private var isStopping = false

    /// The list fingerprint of each bottle at its last converged pass.
    private var views: [Identity: ListFingerprint] = [:]
    /// The inventories that passes share.
    let inventories: InventoryCache
    /// When each bottle's latest trigger happened.
    private var happened: [Identity: ContinuousClock.Instant] = [:]
    /// The containers whose files the bottle's next pass reads.
    private var suspects: [Identity: Set<Role>] = [:]
    /// The recent restarts of each agent, and when the last was.
    private var agentStarts: [Identity: (count: Int, last: Duration)] = [:]
    /// Each bottle's heal budget.
    private var healing: [Identity: TokenBucket] = [:]
    /// The waiting proposals that the pass just found and this controller has not announced yet.
    private var proposed: [Identity: [Proposal]] = [:]
    /// The proposals that this controller announced.
    ///
    /// Another process can have seen one first, or been killed before it announced one.
    private var announced: [Identity: Set<ProposalID>] = [:]
    /// The desired state as it was last read completely.
    var desired: DesiredSnapshot?
    /// Every bottle that is desired or recorded.
    var known: Set<Identity> = []
    /// The subsystems that don't work, with their errors.
    private var troubles: [Subsystem: BottleError] = [:]
    /// Whether the engine's events are followed at the moment.
    var followsEvents = false
    /// The wall clock minus the running clock in seconds, at the last look.
    ///
    /// A change means that the wall clock was set.
    var clockOffset: Int64?
    /// When each loop last went on, by a clock that stops while the machine sleeps: to have slept is no stall.
    private var heartbeats: [ControllerVitals.Loop: SuspendingClock.Instant] = [:]

    /// - Parameters:
    ///   - time: the clock.
    ///   - jitter: a random number from 0 to 1.
    ///   - onProposal: receives each waiting proposal once; the next pass of its bottle does not wait for it.
    package init(
        _ installation: Installation,
        pace: ControllerPace,
        time: TimeSource,
        jitter: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) },
        onProposal: @escaping @Sendable (Proposal) async -> Void = { _ in },
        report: @escaping @Sendable (ControllerReport) -> Void
    ) {
        self.installation = installation
        self.pace = pace
        self.time = time
        origin = time.instant()
        inventories = InventoryCache(time: time)
        self.jitter = jitter
        self.onProposal = onProposal
        self.report = report
        queue = WorkQueue(limit: pace.concurrency, backoff: pace.backoff)
        builds = AsyncSemaphore(limit: pace.concurrency)
        (looksWanted, looks) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        (wakes, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        for loop in ControllerVitals.Loop.allCases { heartbeats[loop] = .now }
    }

    /// Runs until `stop` is called, then finishes the passes under way; or until the task is cancelled.
    ///
    /// - Throws: `CancellationError`.
    package func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.watchDesiredState() }
            group.addTask { try await self.watchFolders() }
            group.addTask { try await self.listenForMessages() }
            group.addTask { try await self.watchEngine() }
            group.addTask { try await self.lookFromTimeToTime() }
            group.addTask { try await self.sweepFromTimeToTime() }
            // Returns once stopped; the triggers never do.
            try await dispatch()
            group.cancelAll()
        }
    }

    /// Begins no further pass, build or pull, and lets `run` return once those under way have ended.
    package func stop() async {
        guard !isStopping else { return }
        isStopping = true
        await builds.close()
        report(.stopping)
        wake.yield()
    }

    // MARK: - The queue

    var elapsed: Duration { time.instant() - origin }

    /// The duration with jitter, so that controllers don't run in step.
    func jittered(_ duration: Duration) -> Duration { duration * (0.9 + 0.2 * jitter()) }

    /// Asks for a pass of a bottle.
    ///
    /// - Parameter moment: when its cause happened; nil: just now.
    func enqueue(
        _ bottle: Identity,
        delay: Duration = .zero,
        isUrgent: Bool = false,
        asOf moment: ContinuousClock.Instant? = nil
    ) {
        let moment = moment ?? time.instant()
        happened[bottle] = max(happened[bottle] ?? moment, moment)
        queue.add(bottle, now: elapsed, delay: delay, isUrgent: isUrgent)
        wake.yield()
    }

    func enqueueAll(
        delay: Duration = .zero,
        isUrgent: Bool = false,
        asOf moment: ContinuousClock.Instant? = nil
    ) {
        let moment = moment ?? time.instant()
        for bottle in known.sorted() { enqueue(bottle, delay: delay, isUrgent: isUrgent, asOf: moment) }
    }

    /// Asks for a pass of every bottle, after taking an inventory that all of them share.
    ///
    /// - Parameter isUrgent: whether to ignore earlier failures.
    func enqueueAllTogether(isUrgent: Bool = false) async {
        let moment = time.instant()
        // If this fails, each pass takes its own inventory and reports the error.
        _ = try? await inventories.take(from: installation.engine)
        enqueueAll(isUrgent: isUrgent, asOf: moment)
    }

    /// Makes the next pass of a bottle read the files of these containers: a look from outside may miss a change.
    func suspect(_ roles: Set<Role>, of bottle: Identity) {
        guard known.contains(bottle) else { return }
        suspects[bottle, default: []].formUnion(roles)
    }

    /// Bottles whose list fingerprint differs from that of their last converged pass.
    func changed(in inventory: Inventory) -> [Identity] {
        let now = ListFingerprint.all(of: known, installation: installation.state.installation, in: inventory)
        return known.sorted().filter { views[$0] != now[$0] }
    }

    private func dispatch() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for await _ in wakes {
                heartbeat(.dispatcher)
                resumeWaiting()
                while !isStopping, let bottle = queue.next(now: elapsed) {
                    group.addTask { await self.pass(bottle) }
                }
                if isStopping, queue.underWay == 0 { break }
                if !isStopping, let due = queue.nextDue, let moment = wakeTimer.set(for: due, now: elapsed) {
                    group.addTask { await self.ring(at: moment) }
                }
            }
            try Task.checkCancellation()
            group.cancelAll()
        }
    }

    private func ring(at moment: Duration) async {
        do {
            try await time.sleep(until: origin + moment)
        } catch {
            return
        }
        wakeTimer.rang(at: moment)
        wake.yield()
    }

    // MARK: - Passes

    private func pass(_ bottle: Identity) async {
        let ending = await ending(of: bottle)
        queue.ended(bottle, ending, now: elapsed, jitter: jitter())
        wake.yield()
        for proposal in proposed.removeValue(forKey: bottle) ?? [] {
            report(.proposed(proposal))
            await onProposal(proposal)
        }
    }

    private func ending(of bottle: Identity) async -> WorkQueue.Ending {
        views[bottle] = nil
        let report = report
        let id = PassID.random()
        report(.began(bottle, id))
        var pass = BottlePass(bottle, in: installation, id: id, time: time) { report(.progress($0, id, $1)) }
        pass.letsAgentRest = nextAgentStart(of: bottle) > elapsed
        pass.reading = suspects.removeValue(forKey: bottle) ?? []
        pass.inventories = .init(cache: inventories, since: happened[bottle] ?? time.instant())
        pass.slot = slot(of: bottle)
        var hasRead = false
        defer { if !hasRead { suspect(pass.reading, of: bottle) } }
        do {
            // A commit has the operator's consent to end an agent: `apply` asks before it commits.
            switch try await pass.reconcile(mayEndAgent: true, secrets: .asNeeded) {
            case .removed(let isComplete):
                report(.removed(bottle, id, isComplete: isComplete))
                guard isComplete else { return .retry }
                forget(bottle)
                return .converged
            case .passed(let result, let fingerprint):
                report(.ended(result))
                if case .converged = result.outcome { hasRead = true }
                views[bottle] = fingerprint
                return try await conclude(result)
            }
        } catch is CancellationError {
            return .retry
        } catch {
            report(.failed(bottle, id, BottleError(wrapping: error)))
            return .retry
        }
    }

    /// Records how a pass ended, and decides when the next one is due.
    private func conclude(_ result: PassResult) async throws -> WorkQueue.Ending {
        let bottle = result.identity
        announce(result.proposed, of: bottle)
        // Earlier inventories lack what it did.
        if !result.performed.isEmpty { happened[bottle] = time.instant() }
        noteAgentStart(in: result)
        switch result.outcome {
        case .converged:
            guard !result.findings.contains(.agentRests) else { return .waiting(until: nextAgentStart(of: bottle)) }
            _ = try await installation.withdrawEnded(in: result, now: time.now)
            if result.hasHealed, let next = healing[bottle, default: pace.healing].spend(at: elapsed) {
                report(.healedTooOften(bottle, result.id, rest: next - elapsed))
                return .resting(until: next)
            }
            return result.untilNextEnd.map { .waiting(until: elapsed + $0) } ?? .converged
        case .retry: return .retry
        case .stalled: return .stalled
        }
    }

    private func announce(_ waiting: [Proposal], of bottle: Identity) {
        let known = announced[bottle] ?? []
        proposed[bottle] = waiting.filter { !known.contains($0.id) }
        let all = known.union(waiting.map(\.id))
        // More than an operator answers in a week: only a compromised sidecar submits so many.
        announced[bottle] = all.count > 8 * ProposalQueue.answerLimit ? Set(waiting.map(\.id)) : all
    }

    /// When an ended agent may be restarted: at once, unless it ended repeatedly.
    private func nextAgentStart(of bottle: Identity) -> Duration {
        guard let starts = agentStarts[bottle] else { return .zero }
        return starts.last + pace.agentBackoff.delay(failures: starts.count, jitter: 1)
    }

    private func noteAgentStart(in result: PassResult) {
        guard result.startsEndedAgent else { return }
        let before = agentStarts[result.identity]
        // An agent that ran longer than the longest back-off starts with a count of one.
        let isRecent = before.map { elapsed - $0.last < pace.agentBackoff.cap * 2 } ?? false
        agentStarts[result.identity] = (isRecent ? (before?.count ?? 0) + 1 : 1, elapsed)
    }

    private func forget(_ bottle: Identity) {
        // A commit may have brought it back during its removal; then its pass is in the queue.
        if desired?.bottles[bottle] == nil { known.remove(bottle) }
        agentStarts[bottle] = nil
        healing[bottle] = nil
        happened[bottle] = nil
        views[bottle] = nil
        suspects[bottle] = nil
        announced[bottle] = nil
    }

    // MARK: - Trouble

    /// Reports a subsystem that does not work, once until it recovers.
    func note(_ subsystem: Subsystem, _ error: BottleError) {
        defer { troubles[subsystem] = error }
        guard troubles[subsystem]?.summary != error.summary else { return }
        report(.trouble(error))
    }

    /// Records that the subsystem works.
    ///
    /// - Returns: whether it had not worked before.
    @discardableResult
    func clear(_ subsystem: Subsystem) -> Bool {
        guard troubles.removeValue(forKey: subsystem) != nil else { return false }
        report(.recovered(subsystem))
        return true
    }

    // MARK: - Vitals

    /// Records that a loop goes on.
    func heartbeat(_ loop: ControllerVitals.Loop) { heartbeats[loop] = .now }

    /// The state of the controller: after the next heartbeat of the dispatcher, or after a second without one.
    package func vitals() async -> ControllerVitals {
        let before = heartbeats[.dispatcher]
        wake.yield()
        for _ in 1...100 where heartbeats[.dispatcher] == before {
            // Return at once to a cancelled caller.
            guard (try? await Task.sleep(for: .milliseconds(10))) != nil else { break }
        }
        return ControllerVitals(
            bottles: known.count,
            waiting: queue.waiting,
            underWay: queue.underWay,
            isStopping: isStopping,
            hasReadDesiredState: desired != nil,
            followsEvents: followsEvents,
            troubles: Set(troubles.keys),
            silence: heartbeats.mapValues { $0.duration(to: .now) }
        )
    }
}
