package import ReconcilerTime

/// A bottle's manifest with its remediations applied, and what became of each of them (SPEC 5).
///
/// The rules, also in docs/remediations.md:
/// - Remediations apply in the order of their numbers, each to what those before it made of the manifest.
/// - *applied*: it fits. It may have no effect at the moment.
/// - *redundant*: the manifest has it without any remediation, or has the net effect of all remediations of the host,
///   and leaving it out changes nothing. The next commit that writes the bottle drops it; a pass never does.
/// - *conflict*: it no longer fits. It contributes nothing, and the others still apply. A remediation and an edit of
///   the manifest together never allow more than one of them alone.
/// - *expired*: `not_after` has passed. It contributes nothing.
package struct RemediedBottle: Sendable, Hashable {
    /// The desired manifest: the declared one with the remediations that apply.
    ///
    /// Its routes carry limits, which no manifest has.
    package var manifest: BottleManifest
    /// In the order of numbers.
    package var outcomes: [RemediationOutcome]

    /// The manifest alone.
    package init(_ manifest: BottleManifest) {
        self.manifest = manifest
        outcomes = []
    }

    /// Applies `remediations` to a manifest.
    ///
    /// Pure: the time is an argument.
    /// - Parameter accepts: checks the manifest that an applied remediation makes; returns why it is invalid, nil if it
    ///   is valid.
    package init(
        _ manifest: BottleManifest,
        remediations: [Remediation],
        at moment: Timestamp,
        accepts: (BottleManifest) -> String? = { _ in nil }
    ) {
        let ordered = remediations.sorted { $0.number < $1.number }
        let remedied = RemediedManifest(manifest, terms: ordered.map(\.terms), at: moment, accepts: accepts)
        self.manifest = remedied.manifest
        outcomes = zip(ordered, remedied.fits).map { RemediationOutcome(remediation: $0, fit: $1) }
    }

    /// The one that the agent's image comes from; nil: it is the manifest's own.
    package var imageRemediation: Remediation? {
        outcomes.last { outcome in
            guard case .dockerfileReplaced = outcome.remediation.change else { return false }
            return outcome.fit == .applied
        }?.remediation
    }

    /// Those that no longer fit.
    package var conflicts: [RemediationOutcome] {
        outcomes.filter { if case .conflict = $0.fit { true } else { false } }
    }

    /// Those that the next commit of this bottle drops.
    package var spent: [RemediationOutcome] { outcomes.filter(\.isSpent) }

    /// When the next of its limits ends by time; nil: none will.
    package var nextEnd: Timestamp? {
        outcomes.filter { $0.fit != .expired }.compactMap { $0.remediation.limits?.notAfter }.min()
    }
}

/// What became of one remediation.
package struct RemediationOutcome: Sendable, Hashable {
    package var remediation: Remediation
    package var fit: RemediationFit

    package init(remediation: Remediation, fit: RemediationFit) {
        self.remediation = remediation
        self.fit = fit
    }

    /// Whether the next commit of the bottle drops it.
    package var isSpent: Bool { fit == .redundant || fit == .expired }
}

/// How a remediation fits the manifest it belongs to.
package enum RemediationFit: Sendable, Hashable {
    case applied
    case redundant
    case expired
    /// Why it no longer fits.
    case conflict(String)

    /// In one word, for programs.
    package var word: String {
        switch self {
        case .applied: "applied"
        case .redundant: "redundant"
        case .expired: "expired"
        case .conflict: "conflict"
        }
    }
}
