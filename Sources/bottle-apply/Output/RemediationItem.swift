import ReconcilerModel
import ReconcilerTime

/// A remediation as `describe -o json` shows it.
struct RemediationItem: Encodable {
    var name: String
    var number: Int
    /// What it does, in words.
    var change: String
    var host: String?
    var by: String
    var at: String
    var reason: String
    var proposal: String?
    var notAfter: String?
    var maxUses: Int?
    /// `applied`, `redundant`, `expired` or `conflict`.
    var state: String
    /// Why it does not fit; nil when it does.
    var conflict: String?

    init(_ outcome: RemediationOutcome) {
        let remediation = outcome.remediation
        name = remediation.name
        number = remediation.number
        change = remediation.change.text
        host = remediation.change.host?.text
        by = remediation.provenance.author
        at = remediation.provenance.time.description
        reason = remediation.provenance.reason
        proposal = remediation.provenance.proposal
        notAfter = remediation.limits?.notAfter?.description
        maxUses = remediation.limits?.maxUses
        state = outcome.fit.word
        if case .conflict(let reason) = outcome.fit { conflict = reason }
    }

    /// Two lines: what and how it fits; who, when and why.
    func text(style: Style) -> [String] {
        let limits = [notAfter.map { "until \($0)" }, maxUses.map { "\($0) uses" }].compactMap { $0 }
        let limited = limits.isEmpty ? "" : " (\(limits.joined(separator: ", ")))"
        let shown = conflict == nil ? state : style.yellow(state)
        let why = conflict.map { ": \(VisibleText.line($0, limit: 300))" } ?? ""
        return [
            "  \(name)  \(VisibleText.line(change))\(limited)  \(shown)\(why)",
            "    \(style.dim("\(at) \(VisibleText.line(by)): \(VisibleText.line(reason, limit: 200))"))",
        ]
    }
}
