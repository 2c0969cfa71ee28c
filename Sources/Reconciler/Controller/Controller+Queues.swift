import ReconcilerModel

/// What agents ask for while the controller runs.
extension Controller {
    /// What was last seen of a bottle's queue.
    struct QueueMark: Sendable {
        var asked: FileMoment?
        var refused: FileMoment?
        /// When a pass was last asked for because of it.
        var enqueued: Duration?
    }

    /// Between two passes of a bottle because its agent asked: a sidecar that is not itself any more has no say in how
    /// busy the host is.
    private static let rest = Duration.seconds(1)

    /// Looks at the queues of all bottles from time to time; a bottle whose agent asks gets a pass.
    func watchQueues() async throws {
        let state = installation.state
        var marks: [Identity: QueueMark] = [:]
        var round = 0
        while true {
            let names = (try? POSIX.names(in: state.queue)) ?? []
            for bottle in names.compactMap({ try? Identity($0) }) where known.contains(bottle) {
                var mark = marks[bottle] ?? QueueMark()
                let asked = try? FileMoment(ofLastChange: "\(state.queue(of: bottle))/in")
                if asked != mark.asked {
                    let earliest = mark.enqueued.map { $0 + Self.rest } ?? .zero
                    enqueue(bottle, delay: max(.zero, earliest - elapsed), isUrgent: true)
                    mark.asked = asked
                    mark.enqueued = max(elapsed, earliest)
                }
                // Refusals come in floods; nobody needs the last of them at once.
                if round.isMultiple(of: 20) {
                    let refused = try? FileMoment(ofLastChange: state.refusals(of: bottle))
                    if refused != mark.refused { publishRefusals(of: bottle) }
                    mark.refused = refused
                }
                marks[bottle] = mark
            }
            round += 1
            try await Task.sleep(for: pace.poll)
        }
    }

    /// Shows a bottle's agent what was refused of late; a pass that holds the bottle's lock does it too.
    private func publishRefusals(of bottle: Identity) {
        guard let held = try? installation.state.lock(of: bottle).tryAcquire() else { return }
        defer { extendLifetime(held) }
        guard let refusals = try? RefusalStore.load(bottle, in: installation.state).refusals else { return }
        do {
            try ProposalQueue(bottle, in: installation.state).publish(refusals: refusals)
        } catch {
            note(.queue, BottleError(wrapping: error))
            return
        }
        clear(.queue)
    }
}
