import ReconcilerModel

/// The ends of what was granted within limits.
extension Controller {
    /// When a bottle that converged wants its next pass, after what has ended was withdrawn by a commit.
    ///
    /// The sidecar lets nothing through after the end whether this runs or not: the commit only makes the desired state
    /// say so.
    func settled(_ result: PassResult) async throws -> WorkQueue.Ending {
        let ended = (result.remediations ?? []).filter { $0.fit == .expired }.map(\.remediation)
        if !ended.isEmpty, let last = ended.compactMap({ $0.limits?.notAfter }).max() {
            let bottle = result.identity
            let reason = "Withdraw what has ended: \(ended.map(\.name).joined(separator: ", "))"
            // What has ended gives nothing any more: the commit changes who says so, and no authority.
            let desired = try await installation.repository.desired(of: bottle, at: last)?.state.remedied.manifest
            let edit = AuditedEdit(bottle, from: desired, to: desired)
            _ = try await installation.recording(.revoke, of: [edit], reason: reason, now: now) {
                try await installation.repository.dropRemediations(
                    of: bottle,
                    reason: reason,
                    author: Author(name: "bottle", email: "bottle@\(HostName.current)"),
                    at: last
                ) { ended.contains($0.remediation) && $0.fit == .expired }?.revision
            }
        }
        return result.untilNextEnd.map { .waiting(until: elapsed + $0) } ?? .converged
    }
}
