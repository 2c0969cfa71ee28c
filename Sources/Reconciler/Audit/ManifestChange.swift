import ReconcilerManifest
package import ReconcilerModel
package import ReconcilerTrust

/// What an edit does to a bottle's manifest, in words that may be kept for ever.
///
/// What an operator writes into `env`, `command` and `prompt` may be a secret in practice: of these only a keyed
/// fingerprint is shown, which tells that a value changed and never which it is.
package struct ManifestChange: Sendable, Hashable {
    /// Facts that are no longer so.
    package let before: [String]
    /// Facts that are new.
    package let after: [String]

    /// - Parameters:
    ///   - old: nil: the bottle was not desired, or what was desired is unreadable.
    ///   - new: nil: it is desired no more.
    package init(from old: BottleManifest?, to new: BottleManifest?, _ fingerprint: KeyedFingerprint) {
        let old = old.map { ManifestFacts.of(Self.withoutValues($0, fingerprint)) } ?? []
        let new = new.map { ManifestFacts.of(Self.withoutValues($0, fingerprint)) } ?? []
        before = Self.left(of: old, without: new)
        after = Self.left(of: new, without: old)
    }

    package var isEmpty: Bool { before.isEmpty && after.isEmpty }

    private static func left(of facts: [String], without others: [String]) -> [String] {
        var counts: [String: Int] = [:]
        for fact in others { counts[fact, default: 0] += 1 }
        return facts.filter { fact in
            guard let count = counts[fact], count > 0 else { return true }
            counts[fact] = count - 1
            return false
        }
    }

    private static func withoutValues(_ manifest: BottleManifest, _ fingerprint: KeyedFingerprint) -> BottleManifest {
        func hidden(_ text: String, _ name: String) -> String {
            "<fingerprint \(fingerprint.fingerprint(of: text, under: name).prefix(16))>"
        }
        var manifest = manifest
        for (name, value) in manifest.agent.environment {
            if case .literal(let text) = value {
                manifest.agent.environment[name] = .literal(hidden(text, "env \(name)"))
            }
        }
        if case .text(let text) = manifest.agent.prompt { manifest.agent.prompt = .text(hidden(text, "prompt")) }
        if manifest.agent.command.count > 1 {
            let rest = manifest.agent.command.dropFirst().joined(separator: "\0")
            manifest.agent.command = [manifest.agent.command[0], hidden(rest, "command")]
        }
        return manifest
    }
}

extension AuditDetails {
    /// Takes a change in, cut to the bounds.
    package mutating func take(_ change: ManifestChange) {
        func bounded(_ facts: [String]) -> [String]? {
            facts.isEmpty ? nil : facts.prefix(Self.mostItems).map { AuditText.bounded($0, 500) }
        }
        before = bounded(change.before)
        after = bounded(change.after)
        count(leftOut: max(0, change.before.count - Self.mostItems) + max(0, change.after.count - Self.mostItems))
    }

    /// Takes in what an edit gives and takes away, cut to the bounds.
    mutating func take(_ changes: [AuthorityChange]) {
        guard !changes.isEmpty else { return }
        authority = changes.prefix(Self.mostItems).map { change in
            // A command may hold a secret in practice.
            change.kind == .command
                ? "\(change.change.sign) \(change.kind.rawValue)" : AuditText.bounded(change.text, 500)
        }
        count(leftOut: max(0, changes.count - Self.mostItems))
    }

    /// Counts what the bounds of a list left out.
    mutating func count(leftOut: Int) {
        guard leftOut > 0 else { return }
        omitted = (omitted ?? 0) + leftOut
    }
}
