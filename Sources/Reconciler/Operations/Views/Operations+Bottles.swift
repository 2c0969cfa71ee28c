import Reconciler
import ReconcilerManifest
package import ReconcilerModel
import ReconcilerState

/// One bottle whole.
package struct BottleDescription: Sendable {
    package let item: BottleItem
    package let passes: [PassSummary]
    package let remediations: [RemediationOutcome]
    /// As it was applied; nil: a commit deleted it, and not all of it is gone.
    package let declared: BottleManifest?
    /// What a pass would do now; nil as `declared`.
    package let planned: PlannedBottle?
}

/// A bottle's manifest with its remediations folded in.
package struct BottleExport: Sendable {
    /// As YAML.
    package let manifest: String
    /// Remediations that it does not hold.
    package let leftOut: [LeftOut]

    package enum LeftOut: Sendable {
        /// It does not fit, for this reason.
        case conflict(name: String, String)
        /// It holds within limits only.
        case limited(name: String, GrantLimits)
    }
}

/// How a bottle's desired state differs between two revisions.
package struct RevisionDifference: Sendable {
    package let from: Revision
    package let to: Revision
    /// A unified diff; empty: they are the same.
    package let diff: String
    /// What the newer revision allows that the older does not, and the other way round; nil: one can't be read.
    package let authority: [AuthorityChange]?
}

extension Operations {
    /// The bottles that are desired, in order.
    package func desiredBottles() async throws -> [Identity] { try await snapshot()?.bottles.keys.sorted() ?? [] }

    /// - Throws: `BottleError` `not-found`.
    package func describe(_ identity: Identity) async throws -> BottleDescription {
        var lister = BottleLister(self)
        guard let item = try await lister.items([identity]).first, let state = try state() else {
            throw BottleError.missing(identity)
        }
        let desired = try await snapshot()?.desired(of: identity, at: Self.moment())
        let statuses = JSONStore<BottleStatus>(folder: state.status, noun: "status")
        var planned: PlannedBottle?
        if let desired { planned = try await self.planned([desired.declared], by: try await preview()).first }
        return BottleDescription(
            item: item,
            passes: try statuses.load(identity)?.passes ?? [],
            remediations: desired?.remedied.outcomes ?? [],
            declared: desired?.declared,
            planned: planned
        )
    }

    /// What was approved and granted for a bottle beside its manifest.
    ///
    /// - Throws: `BottleError` `not-found`.
    package func remediations(of identity: Identity) async throws -> [RemediationOutcome] {
        try await desired(of: identity).remedied.outcomes
    }

    /// - Throws: `BottleError` `not-found`.
    package func export(_ identity: Identity) async throws -> BottleExport {
        let bottle = try await desired(of: identity).remedied
        return BottleExport(
            manifest: ManifestDocument.yaml(of: bottle.manifest),
            leftOut: bottle.outcomes.compactMap { outcome in
                let name = outcome.remediation.name
                if case .conflict(let reason) = outcome.fit { return .conflict(name: name, reason) }
                guard let limits = outcome.remediation.limits, outcome.fit == .applied else { return nil }
                return .limited(name: name, limits)
            }
        )
    }

    /// The revisions that changed a bottle, the newest first; also of one that was deleted.
    ///
    /// - Throws: `BottleError` `not-found`.
    package func history(of identity: Identity, limit: Int) async throws -> [RevisionDetails] {
        let revisions = try await repository()?.history(of: identity, limit: limit) ?? []
        guard !revisions.isEmpty else { throw BottleError.missing(identity) }
        return revisions
    }

    /// What changed of a bottle's desired state.
    ///
    /// - Parameter range: `REV`, which is compared with now, or `REV..REV`.
    /// - Throws: `BottleError` `not-found`, `no-revision`.
    package func difference(of identity: Identity, in range: String) async throws -> RevisionDifference {
        guard let repository = try repository(), try await repository.lastChange(of: identity) != nil else {
            throw BottleError.missing(identity)
        }
        let ends = range.split(separator: ".", omittingEmptySubsequences: true).map(String.init)
        let old = try await repository.revision(named: ends.first ?? "")
        let new = try await repository.revision(named: ends.count > 1 ? ends[1] : "HEAD")
        let (before, after) = (try await repository.snapshot(at: old), try await repository.snapshot(at: new))
        let moment = Self.moment()
        var authority: [AuthorityChange]?
        do {
            authority = Authority.changes(
                from: try before.desired(of: identity, at: moment)?.remedied.manifest,
                to: try after.desired(of: identity, at: moment)?.remedied.manifest
            )
        } catch is BottleError {
            authority = nil
        }
        return RevisionDifference(
            from: old,
            to: new,
            diff: try await repository.difference(of: identity, from: old, to: new),
            authority: authority
        )
    }
}
