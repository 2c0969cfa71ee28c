/// Something that is to be put on record.
package struct AuditEntry: Sendable, Hashable {
    package var what: AuditKind
    /// The bottle it is about; nil: the whole installation.
    package var bottle: Identity?
    /// The desired state's revision that it made, or that it was done for.
    package var revision: Revision?
    package var details: AuditDetails

    package init(
        _ what: AuditKind,
        bottle: Identity? = nil,
        revision: Revision? = nil,
        details: AuditDetails = AuditDetails()
    ) {
        self.what = what
        self.bottle = bottle
        self.revision = revision
        self.details = details
    }
}

/// What a line says beyond who, when and about which bottle; what doesn't apply is left out of it.
///
/// Texts are bounded when they are put in, since agents and engines have a say in them; lists are cut at `mostItems`,
/// and `omitted` counts what was cut off.
package struct AuditDetails: Sendable, Hashable, Codable {
    /// An action, planned or performed, in the words of a plan.
    package struct Act: Sendable, Hashable, Codable {
        package var verb: String
        package var object: String
        package var reason: String
        package var path: String?
        package var network: String?
        /// `done`, `failed` or `skipped`; nil: it is only planned.
        package var outcome: String?
        package var ms: Int?
        package var error: String?
    }

    /// What differed from the state last converged to.
    package struct Difference: Sendable, Hashable, Codable {
        package var kind: String
        package var object: String
        package var cause: String
    }

    /// What a writer left that died in the middle of a line.
    package struct Torn: Sendable, Hashable, Codable {
        package var bytes: Int
        package var sha256: String
        /// Its first part.
        package var text: String

        package init(bytes: Int, sha256: String, text: String) {
            self.bytes = bytes
            self.sha256 = sha256
            self.text = text
        }
    }

    /// Why, in the operator's words.
    package var reason: String?
    /// Of an intent: the kind of edit that is about to be made.
    package var edit: String?
    /// Of an intent: the actions that are about to be performed.
    package var actions: [Act]?
    /// Of an intent: the drift that its actions are to mend.
    package var drift: [Difference]?
    /// The sequence number of the intent that this line answers.
    package var intent: Int?
    package var action: Act?
    /// Of a heal: what it mended, or should have.
    package var healed: Difference?
    /// `done` or `failed`.
    package var outcome: String?
    package var error: String?
    /// What an edit took out of the manifest, a line a fact (`ManifestFacts`).
    package var before: [String]?
    /// What it put in.
    package var after: [String]?
    /// What an edit lets the bottle do that it could not, and takes from it, as `+ kind subject` (`AuthorityChange`).
    package var authority: [String]?
    /// How many items the bounds of the lists above left out.
    package var omitted: Int?
    package var torn: Torn?
    package var checkpoint: AuditCheckpoint?
    /// Of a rotation: the name of the file that was full.
    package var file: String?

    package init() {}

    /// The most items that a list has.
    package static let mostItems = 100
}

extension AuditDetails.Act {
    package init(_ action: Action) {
        verb = action.verb.rawValue
        object = AuditText.bounded("\(action.object)", 200)
        reason = action.reason.rawValue
        path = action.path.map { AuditText.bounded($0, 300) }
        network = action.network?.rawValue
    }

    package init(_ performed: PerformedAction) {
        self.init(performed.action)
        outcome = performed.outcome.rawValue
        ms = performed.milliseconds
        error = performed.error.map { AuditText.bounded($0, 2000) }
    }
}

extension AuditDetails.Difference {
    package init(_ drift: Drift) {
        kind = drift.kind.rawValue
        object = AuditText.bounded("\(drift.object)", 200)
        cause = AuditText.bounded(drift.cause, 500)
    }
}

/// Bounds on texts that go into the log.
package enum AuditText {
    /// The beginning of `text` that takes at most `limit` bytes of a line, with a `…` where something was cut off.
    package static func bounded(_ text: String, _ limit: Int) -> String {
        var size = 0
        var kept = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            size += cost(scalar)
            guard size <= limit else { return String(kept) + "…" }
            kept.append(scalar)
        }
        return text
    }

    /// How many bytes of a line, which is ASCII alone, the scalar takes.
    private static func cost(_ scalar: Unicode.Scalar) -> Int {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0x1_0000: 6
        case 0x1_0000...: 12
        case 0x22, 0x5C: 2
        default: 1
        }
    }
}
