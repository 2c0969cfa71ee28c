import ReconcilerModel
import ReconcilerPlatform
import ReconcilerProposals
import ReconcilerState
import ReconcilerTime

/// The queues of agents' proposals.
extension Controller {
    /// What was last seen of a bottle's queue.
    struct QueueMark: Sendable {
        var asked: Timestamp?
        var refused: Timestamp?
        /// When a pass was last asked for because of it.
        var enqueued: Duration?
    }

    /// Between two passes of a bottle for its agent's proposals, so that a compromised sidecar can't keep the host
    /// busy.
    private static let rest = Duration.seconds(1)

    /// Looks at the queues of all bottles; one with a new proposal gets a pass.
    ///
    /// - Parameter showsRefusals: whether to publish refusals to agents. They come in floods and are not urgent.
    func lookAtQueues(_ marks: inout [Identity: QueueMark], showsRefusals: Bool) {
        let state = installation.state
        let names = (try? POSIX.names(in: state.queue)) ?? []
        for bottle in names.compactMap({ try? Identity($0) }) where known.contains(bottle) {
            var mark = marks[bottle] ?? QueueMark()
            let asked = try? POSIX.lastChange(of: "\(state.queue(of: bottle))/in")
            if asked != mark.asked {
                let earliest = mark.enqueued.map { $0 + Self.rest } ?? .zero
                enqueue(bottle, delay: max(.zero, earliest - elapsed), isUrgent: true)
                mark.asked = asked
                mark.enqueued = max(elapsed, earliest)
            }
            if showsRefusals {
                let refused = try? POSIX.lastChange(of: state.refusals(of: bottle))
                if refused != mark.refused { publishRefusals(of: bottle) }
                mark.refused = refused
            }
            marks[bottle] = mark
        }
    }

    /// Publishes the last refusals to a bottle's agent; a pass that holds the bottle's lock does it too.
    private func publishRefusals(of bottle: Identity) {
        guard let held = try? installation.state.lock(of: bottle).tryAcquire() else { return }
        defer { extendLifetime(held) }
        guard let refusals = try? RefusalStore.load(bottle, in: installation.state).refusals else { return }
        do {
            let told = refusals.map(SupervisedState.Refusal.init)
            try ProposalQueue(bottle, in: installation.state).publish(refusals: told)
        } catch {
            note(.queue, BottleError(wrapping: error))
            return
        }
        clear(.queue)
    }
}
