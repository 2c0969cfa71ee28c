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
            _ = try await installation.repository.dropRemediations(
                of: result.identity,
                reason: "Withdraw what has ended: \(ended.map(\.name).joined(separator: ", "))",
                author: Author(name: "bottle", email: "bottle@\(HostName.current)"),
                at: last
            ) { ended.contains($0.remediation) && $0.fit == .expired }
        }
        return result.untilNextEnd.map { .waiting(until: elapsed + $0) } ?? .converged
    }
}
