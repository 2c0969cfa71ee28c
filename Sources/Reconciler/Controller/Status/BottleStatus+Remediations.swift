package import ReconcilerModel
package import ReconcilerTime

extension BottleStatus {
    /// Sets the condition that tells whether every remediation fits, and what to do about those that don't.
    package mutating func note(_ outcomes: [RemediationOutcome], at time: Timestamp) {
        let conflicts = outcomes.compactMap { outcome -> String? in
            guard case .conflict(let reason) = outcome.fit else { return nil }
            return "\(outcome.remediation.name) (\(outcome.remediation.change.text)): \(reason)"
        }
        set(
            .remediationConflict,
            !conflicts.isEmpty,
            reason: conflicts.isEmpty ? "AllFit" : "NoLongerFits",
            message: conflicts.isEmpty
                ? "every remediation fits the manifest"
                : conflicts.joined(separator: "; ")
                    + "; edit the manifest so that it fits, drop the remediation, or grant anew what is still wanted",
            at: time
        )
    }
}
