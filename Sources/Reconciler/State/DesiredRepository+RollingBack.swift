package import ReconcilerModel
package import ReconcilerTime

extension DesiredRepository {
    /// Commits a bottle's manifest and remediations as they were at an earlier revision.
    ///
    /// Remediations that have ended since stay out; of a bottle that was deleted meanwhile every limited one, since what
    /// counted their uses went with it. The file of numbers stays as it is: no number is given twice, and the
    /// uses of one that comes back go on being counted.
    /// - Parameter expected: the revision that was looked at; the bottle must be desired as it was there. nil: as HEAD
    ///   has it.
    /// - Returns: the new revision; nil, and no commit, when nothing differs.
    /// - Throws: `BottleError` `not-found` when the bottle was not desired then, and what `commit` and `desired` throw.
    package func rollBack(
        _ identity: Identity,
        to old: Revision,
        reason: String,
        at moment: Timestamp,
        expecting expected: Revision? = nil
    ) async throws -> Revision? {
        try await commit { head in
            try await expect(expected, of: identity, at: head)
            let then = try await files(of: identity, at: old)
            guard let text = then.text else {
                throw BottleError(.notFound, "bottle \(identity) was not desired at \(old.short)")
            }
            let state = try Self.desired(of: identity, text: text, files: then.files, at: moment)
            let (now, present) = try await files(of: identity, at: head)
            let ended = Set(state.endedRemediations(afterDeletion: now == nil).map { Self.path(of: $0, in: identity) })
            let wanted = Self.remediations(in: then.files).filter { !ended.contains($0.key) }
            var changes: [String: DesiredChange] = [Self.path(of: identity): .write(text)]
            for path in Self.remediations(in: present).keys where wanted[path] == nil { changes[path] = .remove }
            for (path, content) in wanted { changes[path] = .write(content) }
            let highest = state.remedied.outcomes.map(\.remediation.number).max() ?? 0
            let noted = Self.lastNumber(noted: present[Self.numberFile(of: identity)])
            // A bottle that was deleted has no file of numbers any more.
            let known = max(noted, Self.lastNumber(noted: then.files[Self.numberFile(of: identity)]), highest)
            if known > noted { changes[Self.numberFile(of: identity)] = .write("\(known)\n") }
            return DesiredEdit(
                changes: changes,
                message:
                    "\(reason)\n\nBottle \(identity) as it was at \(old)\(ended.isEmpty ? "" : ", without what has ended")"
            )
        }
    }

    /// The files of remediations among a bottle's files.
    package static func remediations(in files: [String: String]) -> [String: String] {
        files.filter { $0.key.hasSuffix(".yaml") }
    }
}

extension DesiredState {
    /// What does not come back with it.
    ///
    /// - Parameter afterDeletion: whether the bottle was deleted since.
    package func endedRemediations(afterDeletion: Bool) -> [Remediation] {
        remedied.outcomes.filter { $0.fit == .expired || (afterDeletion && $0.remediation.limits != nil) }
            .map(\.remediation)
    }
}
