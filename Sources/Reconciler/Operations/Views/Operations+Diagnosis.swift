import Reconciler
import ReconcilerEngine
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerProposals
import ReconcilerState

/// One thing that was looked at.
package struct DoctorCheck: Sendable, Encodable {
    package enum Verdict: String, Sendable, Encodable { case good, warning, bad }

    package let name: String
    package let verdict: Verdict
    package let finding: String
    package let remedy: String?

    fileprivate init(_ name: String, _ verdict: Verdict, _ finding: String, remedy: String? = nil) {
        self.name = name
        self.verdict = verdict
        self.finding = finding
        self.remedy = remedy
    }

    fileprivate init(_ name: String, _ finding: String) { self.init(name, .good, finding) }

    fileprivate init(_ name: String, _ error: any Error) {
        let error = BottleError(wrapping: error)
        self.init(name, .bad, error.summary, remedy: error.remedy)
    }
}

extension Operations {
    /// Checks what bottle needs on this machine; only looks.
    package func diagnose() async -> [DoctorCheck] {
        let checks = [checkSettings(), await checkGit()] + (await checkState())
        do {
            let client = try await connection.client()
            let answer = DoctorCheck("engine", "answers at \(client.address), API \(client.apiVersion)")
            do {
                return checks + [answer] + (try await check(client))
            } catch {
                return checks + [answer, DoctorCheck("engine", error)]
            }
        } catch {
            return checks + [DoctorCheck("engine", error)]
        }
    }

    private func checkSettings() -> DoctorCheck {
        do {
            _ = try settings()
            return DoctorCheck("settings", paths.settings)
        } catch let invalid as InvalidManifest {
            let problems = invalid.diagnostics.map(\.message).joined(separator: "; ")
            return DoctorCheck("settings", .bad, "\(paths.settings): \(problems)", remedy: "mend the file")
        } catch {
            return DoctorCheck("settings", error)
        }
    }

    private func checkGit() async -> DoctorCheck {
        do {
            let outcome = try await Program("git", ["--version"], environment: environment).run()
            let version = String(decoding: outcome.output.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
            return DoctorCheck("git", outcome.succeeded ? .good : .bad, version)
        } catch {
            return DoctorCheck("git", .bad, "\(error)", remedy: "install git 2.30 or later")
        }
    }

    private func check(_ engine: any EngineReading) async throws -> [DoctorCheck] {
        let info = try await engine.info()
        let version = try await engine.version()
        var checks = [DoctorCheck("engine version", version.version)]
        // 25.0.5 stopped forwarding outside names from internal networks; agents get a resolver that forwards nothing.
        if version.apiVersion.isOlder(than: "1.44") {
            checks.append(
                DoctorCheck(
                    "internal networks",
                    .warning,
                    "this engine can forward DNS from internal networks (CVE-2024-29018)",
                    remedy:
                        "bottle gives agents a resolver that forwards nothing; an engine from 25.0.5 on is better still"
                )
            )
        }
        let secure = info.securityOptions.contains { $0.contains("seccomp") }
        checks.append(
            DoctorCheck(
                "seccomp",
                secure ? .good : .warning,
                secure ? "on" : "off: containers can make every system call",
                remedy: secure ? nil : "run an engine with its default seccomp profile"
            )
        )
        return checks
    }

    // MARK: - What bottle keeps

    private func checkState() async -> [DoctorCheck] {
        do {
            guard let state = try state() else {
                return [DoctorCheck("state", "\(paths.state) (made on first use)")]
            }
            return [await checkDesired(in: state), await checkHistory(in: state), checkQueues(in: state), checkAudit()]
        } catch {
            return [DoctorCheck("state", error)]
        }
    }

    /// Whether every bottle's manifest and remediations can be read, and nothing was edited without a commit.
    private func checkDesired(in state: StateFolder) async -> DoctorCheck {
        do {
            guard let repository = try repository() else {
                return DoctorCheck("state", "\(state.path), nothing desired yet")
            }
            let snapshot = try await repository.snapshot()
            for bottle in snapshot.bottles.keys.sorted() { _ = try snapshot.desired(of: bottle, at: Self.moment()) }
            let dirty = try await repository.dirtyFiles()
            guard dirty.isEmpty else {
                return DoctorCheck(
                    "state",
                    .warning,
                    "edited but not committed, so without effect: \(dirty.joined(separator: ", "))",
                    remedy: "commit the edits in \(state.desired), or undo them with git"
                )
            }
            return DoctorCheck("state", "\(state.path), \(snapshot.bottles.count) bottles desired")
        } catch {
            return DoctorCheck("state", error)
        }
    }

    /// Whether git finds every object of the history whole.
    private func checkHistory(in state: StateFolder) async -> DoctorCheck {
        do {
            guard let repository = try repository() else { return DoctorCheck("history", "none yet") }
            try await repository.checkObjects()
            return DoctorCheck("history", "whole: \(state.desired)")
        } catch {
            return DoctorCheck("history", error)
        }
    }

    /// Whether anything lies in the queues that no supervise sidecar leaves there, and whether each is still answered.
    private func checkQueues(in state: StateFolder) -> DoctorCheck {
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
                    "queues",
                    .warning,
                    odd.joined(separator: "; "),
                    remedy: "a supervise sidecar may not be itself any more: see its `bottle logs`, then remove its "
                        + "container, which is made anew, and what is no proposal"
                )
            }
            return DoctorCheck("queues", "\(bottles.count) of bottles that can ask")
        } catch {
            return DoctorCheck("queues", error)
        }
    }

    /// Whether the audit log is whole.
    private func checkAudit() -> DoctorCheck {
        do {
            let (found, checkpoints) = try AuditFiles(folder: paths.state).check()
            guard found.isWhole else {
                let first = found.problems.first
                return DoctorCheck(
                    "audit log",
                    .bad,
                    "not whole: \(first.map { "\($0.file):\($0.line): \($0.message)" } ?? "")",
                    remedy: "`bottle audit verify` lists all of it; keep the files, and find out who changed them"
                )
            }
            let signed = checkpoints.isEmpty ? "no checkpoint" : "\(checkpoints.count) checkpoints"
            return DoctorCheck("audit log", "whole: \(found.lines) lines, \(signed)")
        } catch {
            return DoctorCheck("audit log", error)
        }
    }
}

extension String {
    /// Whether this version, numbers joined by dots, comes before `other`.
    fileprivate func isOlder(than other: String) -> Bool {
        let mine = split(separator: ".").map { Int($0) ?? 0 }
        let theirs = other.split(separator: ".").map { Int($0) ?? 0 }
        return mine.lexicographicallyPrecedes(theirs)
    }
}
