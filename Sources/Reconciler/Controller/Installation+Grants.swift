import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState
import ReconcilerTime

/// The ends of what was granted within limits.
extension Installation {
    /// Withdraws by a commit what a pass found to have ended.
    ///
    /// The sidecar lets nothing through after the end whether this runs or not: the commit only makes the desired state
    /// say so.
    /// - Returns: whether there was something to withdraw.
    /// - Throws: `BottleError`.
    func withdrawEnded(in result: PassResult, now: @Sendable () -> Timestamp) async throws -> Bool {
        let ended = (result.remediations ?? []).filter { $0.fit == .expired }.map(\.remediation)
        guard let last = ended.compactMap({ $0.limits?.notAfter }).max() else { return false }
        let bottle = result.identity
        let reason = "Withdraw what has ended: \(ended.map(\.name).joined(separator: ", "))"
        // What has ended gives nothing any more: the commit changes who says so, and no authority.
        let desired = try await repository.desired(of: bottle, at: last)?.state.remedied.manifest
        let edit = AuditedEdit(bottle, from: desired, to: desired)
        _ = try await recording(.revoke, of: [edit], reason: reason, now: now) {
            try await repository.dropRemediations(
                of: bottle,
                reason: reason,
                author: Author(name: "bottle", email: "bottle@\(HostName.current)"),
                at: last
            ) { ended.contains($0.remediation) && $0.fit == .expired }?.revision
        }
        return true
    }
}
