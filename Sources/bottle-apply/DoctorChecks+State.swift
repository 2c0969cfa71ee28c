import Reconciler
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerProposals
import ReconcilerState

/// What bottle keeps: the desired state and its history, the queues, the record of what was done.
extension DoctorChecks {
    func state() async -> [DoctorCheck] {
        do {
            guard let state = try StateFolder.open(context.paths.state) else {
                return [
                    DoctorCheck(name: "state", verdict: .good, finding: "\(context.paths.state) (made on first use)")
                ]
            }
            return [await desired(in: state), await history(in: state), queues(in: state), audit()]
        } catch {
            return [bad("state", error)]
        }
    }

    /// Whether every bottle's manifest and remediations can be read, and nothing was edited without a commit.
    private func desired(in state: StateFolder) async -> DoctorCheck {
        do {
            let repository = try DesiredRepository.open(in: state, environment: context.environment)
            guard let repository else {
                return DoctorCheck(name: "state", verdict: .good, finding: "\(state.path), nothing desired yet")
            }
            let snapshot = try await repository.snapshot()
            let moment = CommandContext.now()
            for bottle in snapshot.bottles.keys.sorted() { _ = try snapshot.desired(of: bottle, at: moment) }
            let dirty = try await repository.dirtyFiles()
            guard dirty.isEmpty else {
                return DoctorCheck(
                    name: "state",
                    verdict: .warning,
                    finding: "edited but not committed, so without effect: \(dirty.joined(separator: ", "))",
                    remedy: "commit the edits in \(state.desired), or undo them with git"
                )
            }
            return DoctorCheck(
                name: "state",
                verdict: .good,
                finding: "\(state.path), \(snapshot.bottles.count) bottles desired"
            )
        } catch {
            return bad("state", error)
        }
    }

    /// Whether git finds every object of the history whole.
    private func history(in state: StateFolder) async -> DoctorCheck {
        do {
            guard let repository = try DesiredRepository.open(in: state, environment: context.environment) else {
                return DoctorCheck(name: "history", verdict: .good, finding: "none yet")
            }
            try await repository.checkObjects()
            return DoctorCheck(name: "history", verdict: .good, finding: "whole: \(state.desired)")
        } catch {
            return bad("history", error)
        }
    }

    /// Whether anything lies in the queues that no supervise sidecar leaves there, and whether each is still answered.
    private func queues(in state: StateFolder) -> DoctorCheck {
        do {
            let bottles = try (POSIX.names(in: state.queue) ?? []).compactMap { try? Identity($0) }.sorted()
            var odd: [String] = []
            for bottle in bottles {
                let queue = ProposalQueue(bottle, in: state)
                let listing = try queue.listing()
                if let first = listing.ignored.first {
                    let all = listing.isComplete ? "\(listing.ignoredCount)" : "more than \(listing.ignoredCount)"
                    odd.append("\(queue.inFolder) holds \(all) that are no proposals: \(first.name): \(first.reason)")
                }
                if try queue.answers().count >= ProposalQueue.answerLimit {
                    odd.append("\(bottle) asked \(ProposalQueue.answerLimit) times a day: no new proposal is answered")
                }
            }
            guard odd.isEmpty else {
                return DoctorCheck(
                    name: "queues",
                    verdict: .warning,
                    finding: odd.joined(separator: "; "),
                    remedy: "a supervise sidecar may not be itself any more: see its `bottle logs`, then remove its "
                        + "container, which is made anew, and what is no proposal"
                )
            }
            return DoctorCheck(name: "queues", verdict: .good, finding: "\(bottles.count) of bottles that can ask")
        } catch {
            return bad("queues", error)
        }
    }

    /// Whether the audit log is whole.
    private func audit() -> DoctorCheck {
        do {
            let (found, checkpoints) = try AuditFiles(folder: context.paths.state).check()
            guard found.isWhole else {
                let first = found.problems.first
                return DoctorCheck(
                    name: "audit log",
                    verdict: .bad,
                    finding: "not whole: \(first.map { "\($0.file):\($0.line): \($0.message)" } ?? "")",
                    remedy: "`bottle audit verify` lists all of it; keep the files, and find out who changed them"
                )
            }
            let signed = checkpoints.isEmpty ? "no checkpoint" : "\(checkpoints.count) checkpoints"
            return DoctorCheck(name: "audit log", verdict: .good, finding: "whole: \(found.lines) lines, \(signed)")
        } catch {
            return bad("audit log", error)
        }
    }

    func bad(_ name: String, _ error: any Error) -> DoctorCheck {
        let error = BottleError(wrapping: error)
        return DoctorCheck(name: name, verdict: .bad, finding: error.summary, remedy: error.remedy)
    }
}
