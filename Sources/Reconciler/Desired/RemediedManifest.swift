package import ReconcilerTime

/// A manifest with remediations applied, and how each of them fits; the rules are those of `RemediedBottle`.
package struct RemediedManifest: Sendable, Hashable {
    package private(set) var manifest: BottleManifest
    /// In the order of numbers.
    package private(set) var fits: [RemediationFit] = []

    /// Applies `terms` to a manifest.
    ///
    /// Pure: the time is an argument.
    /// - Parameter accepts: a last word on a manifest that an applied remediation made; a text is why it can't be.
    package init(
        _ manifest: BottleManifest,
        terms: [RemediationTerms],
        at moment: Timestamp,
        accepts: (BottleManifest) -> String? = { _ in nil }
    ) {
        self.manifest = manifest
        let ordered = terms.sorted { $0.number < $1.number }
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
            fits.append(fit)
        }
    }

    /// The numbers of those of a host that together come to what the manifest says of it by itself.
    private static func absorbed(_ live: [RemediationTerms], by declared: BottleManifest) -> Set<Int> {
        var numbers: Set<Int> = []
        var chains: [HostPattern: [RemediationTerms]] = [:]
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
        _ remediation: RemediationTerms,
        to declared: BottleManifest,
        later: ArraySlice<RemediationTerms>,
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

    /// A Dockerfile takes the place of the manifest's own image; of several the last that fits counts.
    private mutating func apply(
        _ replacement: DockerfileReplacement,
        to declared: BottleManifest,
        later: ArraySlice<RemediationTerms>
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
}

extension BottleManifest {
    fileprivate func has(_ replacement: DockerfileReplacement) -> Bool {
        guard case .build(let source) = agent.image else { return false }
        return source.pinned == replacement.context && source.dockerfile == replacement.path
            && source.base == replacement.base
    }
}
