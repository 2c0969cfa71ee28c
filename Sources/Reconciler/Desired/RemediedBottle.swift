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
        self.init(manifest)
        let ordered = remediations.sorted { $0.number < $1.number }
        let live = ordered.filter { $0.limits.map { !$0.hasEnded(at: moment) } ?? true }
        let absorbed = Self.absorbed(live, by: manifest)
        var place = 0
        for remediation in ordered {
            let fit: RemediationFit
            if place < live.count, live[place].number == remediation.number {
                place += 1
                fit =
                    absorbed.contains(remediation.number)
                    ? .redundant : apply(remediation, to: manifest, later: live[place...], accepts: accepts)
            } else {
                fit = .expired
            }
            outcomes.append(RemediationOutcome(remediation: remediation, fit: fit))
        }
    }

    /// The numbers of remediations of a host whose net effect is what the manifest itself says.
    private static func absorbed(_ live: [Remediation], by declared: BottleManifest) -> Set<Int> {
        var numbers: Set<Int> = []
        var chains: [HostPattern: [Remediation]] = [:]
        for remediation in live {
            if let host = remediation.change.host { chains[host, default: []].append(remediation) }
        }
        for (host, chain) in chains where chain.allSatisfy({ $0.limits == nil }) {
            if declared.netEntry(of: chain.map(\.change)) == declared.entry(of: host) {
                numbers.formUnion(chain.map(\.number))
            }
        }
        return numbers
    }

    /// Applies one to what is desired so far.
    private mutating func apply(
        _ remediation: Remediation,
        to declared: BottleManifest,
        later: ArraySlice<Remediation>,
        accepts: (BottleManifest) -> String?
    ) -> RemediationFit {
        if case .dockerfileReplaced(let replacement) = remediation.change {
            return apply(replacement, to: declared, later: later)
        }
        let grant = remediation.limits.map { Grant(id: remediation.grantID(in: declared.identity), limits: $0) }
        switch manifest.applying(remediation.change, grant: grant) {
        case .unchanged:
            return declared.applying(remediation.change, grant: grant) == .unchanged ? .redundant : .applied
        case .changed(let changed):
            if let reason = accepts(changed) { return .conflict(reason) }
            manifest = changed
            return .applied
        case .conflict(let reason):
            let chain = [remediation] + later.filter { $0.change.host == remediation.change.host }
            let isHeld = grant == nil && declared.holds(netEffectOf: chain.filter { $0.limits == nil }.map(\.change))
            return isHeld ? .redundant : .conflict(reason)
        }
    }

    /// A Dockerfile replaces the manifest's own image; of several the last that fits counts.
    private mutating func apply(
        _ replacement: DockerfileReplacement,
        to declared: BottleManifest,
        later: ArraySlice<Remediation>
    ) -> RemediationFit {
        if declared.has(replacement) { return .redundant }
        let isSuperseded = later.contains { remediation in
            guard case .dockerfileReplaced(let next) = remediation.change else { return false }
            return declared.has(next) || declared.agent.image.origin == next.replaces
        }
        if isSuperseded { return .redundant }
        guard declared.agent.image.origin == replacement.replaces else {
            return .conflict(
                "it was made for another image: \(replacement.replaces), now \(declared.agent.image.origin)"
            )
        }
        var folder = "/"
        if case .build(let source) = declared.agent.image { folder = source.context }
        manifest.agent.image = .build(
            BuildSource(
                context: folder,
                dockerfile: replacement.path,
                pinned: replacement.context,
                base: replacement.base
            )
        )
        return .applied
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
    package var spent: [RemediationOutcome] { outcomes.filter { $0.fit == .redundant || $0.fit == .expired } }

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

extension BottleManifest {
    fileprivate func has(_ replacement: DockerfileReplacement) -> Bool {
        guard case .build(let source) = agent.image else { return false }
        return source.pinned == replacement.context && source.dockerfile == replacement.path
            && source.base == replacement.base
    }
}
