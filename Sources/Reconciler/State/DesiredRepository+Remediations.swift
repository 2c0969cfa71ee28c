import ReconcilerManifest
package import ReconcilerModel
package import ReconcilerTime

/// A bottle as it is desired: its manifest as applied, and what its remediations make of it.
package struct DesiredState: Sendable, Hashable {
    package var declared: BottleManifest
    package var remedied: RemediedBottle

    package init(declared: BottleManifest, remedied: RemediedBottle) {
        self.declared = declared
        self.remedied = remedied
    }
}

extension DesiredRepository {
    /// One bottle as it is desired at `moment`, and the revision that last changed it; nil when it is not desired.
    ///
    /// - Throws: `BottleError` `desired-unreadable`, `remediation-unreadable`.
    package func desired(
        of identity: Identity,
        at moment: Timestamp
    ) async throws -> (state: DesiredState, revision: Revision)? {
        let head = try await head()
        let (text, files) = try await files(of: identity, at: head)
        guard let text else { return nil }
        let state = try Self.desired(of: identity, text: text, files: files, at: moment)
        return (state, try await lastChange(of: identity) ?? head)
    }

    /// Reads and merges the texts of one bottle.
    ///
    /// - Parameter files: everything below `remediations/<id>/`, by its path from the top.
    static func desired(
        of identity: Identity,
        text: String,
        files: [String: String],
        at moment: Timestamp
    ) throws -> DesiredState {
        let declared = try manifest(of: identity, text: text)
        let remediations = try remediations(of: identity, files: files)
        return DesiredState(declared: declared, remedied: remedied(declared, remediations, at: moment))
    }

    /// Applies remediations to a manifest, and lets the checks that every manifest passes have the last word.
    package static func remedied(
        _ declared: BottleManifest,
        _ remediations: [Remediation],
        at moment: Timestamp
    ) -> RemediedBottle {
        checked(declared, RemediedBottle.init(_:remediations:at:accepts:), remediations, at: moment, \.manifest)
    }

    /// The same of what needs no author.
    package static func remedied(
        _ declared: BottleManifest,
        _ terms: [RemediationTerms],
        at moment: Timestamp
    ) -> RemediedManifest {
        checked(declared, RemediedManifest.init(_:terms:at:accepts:), terms, at: moment, \.manifest)
    }

    private static func checked<Item, Merged>(
        _ declared: BottleManifest,
        _ merge: (BottleManifest, [Item], Timestamp, (BottleManifest) -> String?) -> Merged,
        _ items: [Item],
        at moment: Timestamp,
        _ manifest: (Merged) -> BottleManifest
    ) -> Merged {
        let merged = merge(declared, items, moment) { _ in nil }
        // The whole first: which item is to blame is asked only when there is something to blame.
        guard manifest(merged) != declared,
            MergedManifest.problem(of: manifest(merged), beside: declared) != nil
        else { return merged }
        return merge(declared, items, moment) { MergedManifest.problem(of: $0, beside: declared) }
    }

    // MARK: - Files

    /// The folder of a bottle's remediations, from the top of the repository.
    package static func remediationFolder(of identity: Identity) -> String { "remediations/\(identity.name)" }

    /// Where a remediation is, from the top of the repository.
    package static func path(of remediation: Remediation, in identity: Identity) -> String {
        "\(remediationFolder(of: identity))/\(remediation.name).yaml"
    }

    /// The file that keeps the highest number ever given: a number that was given once is never given again, since uses
    /// are counted by it.
    package static func numberFile(of identity: Identity) -> String { "\(remediationFolder(of: identity))/last" }

    /// The remediations among a bottle's files, by number.
    ///
    /// - Throws: `BottleError` `remediation-unreadable` with all that is wrong with the first file that can't be read.
    static func remediations(of identity: Identity, files: [String: String]) throws -> [Remediation] {
        let prefix = remediationFolder(of: identity) + "/"
        var found: [Remediation] = []
        let own = files.filter { $0.key.hasPrefix(prefix) && $0.key.hasSuffix(".yaml") }
        for (path, text) in own.sorted(by: { $0.key < $1.key }) {
            let name = String(path.dropFirst(prefix.count).dropLast(".yaml".count))
            let (remediation, diagnostics) = RemediationReader.read(
                file: path,
                name: name,
                bottle: identity,
                bytes: Array(text.utf8)
            )
            guard let remediation else { throw unreadable(path, of: identity, diagnostics) }
            if let twin = found.first(where: { $0.number == remediation.number }) {
                throw unreadable(
                    path,
                    of: identity,
                    [
                        Diagnostic(
                            code: "duplicate-number",
                            message: "it has the number of \(twin.name)",
                            location: SourceLocation(file: path, line: 1, column: 1)
                        )
                    ]
                )
            }
            found.append(remediation)
        }
        return found.sorted { $0.number < $1.number }
    }

    private static func unreadable(_ path: String, of identity: Identity, _ diagnostics: [Diagnostic]) -> BottleError {
        let errors = diagnostics.filter { $0.severity == .error }
        return BottleError(
            .remediationUnreadable,
            "a remediation of bottle \(identity) can't be read; nothing of the bottle is touched",
            at: errors.first?.location?.description ?? path,
            remedy: "mend the file or remove it, and commit that in the desired state's folder",
            cause: errors.map { error in
                [error.location.map { "\($0): " } ?? "", error.message, error.suggestion.map { " (\($0))" } ?? ""]
                    .joined()
            }.joined(separator: "; ")
        )
    }
}

extension DesiredSnapshot {
    /// One bottle as it is desired at `moment`; nil when it is not desired.
    ///
    /// - Throws: `BottleError` `desired-unreadable`, `remediation-unreadable`.
    package func desired(of identity: Identity, at moment: Timestamp) throws -> DesiredState? {
        guard let text = bottles[identity] else { return nil }
        return try DesiredRepository.desired(of: identity, text: text, files: others, at: moment)
    }

    /// Whether any remediation is beside the bottle's manifest.
    package func hasRemediations(of identity: Identity) -> Bool {
        let prefix = DesiredRepository.remediationFolder(of: identity) + "/"
        return others.keys.contains { $0.hasPrefix(prefix) && $0.hasSuffix(".yaml") }
    }

    /// Every file below `remediations/`, by the bottle it belongs to.
    package func remediationFiles() -> [Identity: [String: String]] {
        var files: [Identity: [String: String]] = [:]
        for (path, text) in others where path.hasPrefix("remediations/") {
            if let owner = DesiredRepository.owner(of: path) { files[owner, default: [:]][path] = text }
        }
        return files
    }

    /// What the bottle's remediations make of another manifest.
    ///
    /// - Throws: `BottleError` `remediation-unreadable`.
    package func remedied(_ manifest: BottleManifest, at moment: Timestamp) throws -> RemediedBottle {
        let remediations = try DesiredRepository.remediations(of: manifest.identity, files: others)
        return DesiredRepository.remedied(manifest, remediations, at: moment)
    }
}

/// The checks of a manifest, for one that was merged.
enum MergedManifest {
    /// Why `manifest` can't be a bottle's; nil when it can, or when `declared` has the same fault by itself.
    static func problem(of manifest: BottleManifest, beside declared: BottleManifest) -> String? {
        let known = Set(errors(declared).map(\.message))
        return errors(manifest).first { !known.contains($0.message) }?.message
    }

    private static func errors(_ manifest: BottleManifest) -> [Diagnostic] {
        let text = ManifestDocument.yaml(of: manifest.withoutLimits)
        return ManifestReader.read([ManifestSource(name: "merged", bytes: Array(text.utf8))], limits: .stored)
            .diagnostics.filter { $0.severity == .error }
    }
}

extension BottleManifest {
    /// With everything that holds within limits as if it held always, for checks that know no limits.
    fileprivate var withoutLimits: BottleManifest {
        var manifest = self
        for index in manifest.routes.indices { manifest.routes[index].grant = nil }
        return manifest
    }
}
