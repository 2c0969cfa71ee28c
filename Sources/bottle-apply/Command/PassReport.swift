import ReconcilerModel

/// What passes did, as their command prints it: `kind: Result` for programs, a line a bottle for people.
struct PassReport {
    let context: CommandContext

    /// Prints the results, and exits 1 when a pass did not converge.
    ///
    /// - Parameters:
    ///   - authority: what the desired state added and took away, by bottle.
    ///   - revision: the commit that was made; nil: none was needed.
    func show(
        _ results: [PassResult],
        authority: [Identity: [AuthorityChange]],
        revision: String? = nil
    ) throws {
        let failed = results.compactMap(\.error)
        let document = PlanDocument(
            kind: .result,
            bottles: results.map { result in
                var bottle = PlanDocument.Bottle(result)
                bottle.authority = authority[result.identity]
                bottle.revision = revision
                return bottle
            }
        )
        try context.show(document) {
            results.map { text($0) + (revision.map { "\n  revision \($0.prefix(12))" } ?? "") }.joined(separator: "\n")
        }
        for error in failed { context.console.complain(of: error) }
        if !failed.isEmpty { throw ExitStatus.failure }
    }

    /// Says that there was nothing to do; for programs a result without bottles.
    func showNothing(_ note: String) throws {
        context.console.err(note)
        if context.format.isDocument {
            context.console.out(try context.format.text(of: PlanDocument(kind: .result, bottles: [])))
        }
    }

    private func text(_ result: PassResult) -> String {
        let done = result.performed.count { $0.outcome == .done }
        let notes = result.findings.filter { $0.error == nil }.map { "\n  note: \(PlanText.text(of: $0))" }.joined()
        let state = result.error == nil ? "converged" : "not converged"
        let launched = result.performed.contains {
            $0.action.verb == .create && $0.action.object == .container(.egressProxy)
        }
        let fingerprint = launched ? result.preflight.tls.caFingerprint.map { "\n  CA SHA-256 \($0)" } ?? "" : ""
        return "\(result.identity): \(state), \(PlanText.count(done))\(fingerprint)\(notes)"
    }
}
