package import ReconcilerTime

/// One approved change to one bottle's desired state: what, who, when, why, and for how long.
///
/// A value that exists is valid: it can be written as a file and read back (SPEC 5).
package struct Remediation: Sendable, Hashable {
    /// Who made it, when and why.
    package struct Provenance: Sendable, Hashable {
        /// The operator: `Name <address>`.
        package var author: String
        package var time: Timestamp
        package var reason: String
        /// The proposal it answers; nil: the operator's own idea.
        package var proposal: String?
        /// What exactly was approved; nil: nothing was shown for approval.
        package var candidate: ContentDigest?

        package init(
            author: String,
            time: Timestamp,
            reason: String,
            proposal: String? = nil,
            candidate: ContentDigest? = nil
        ) {
            self.author = author
            self.time = time
            self.reason = reason
            self.proposal = proposal
            self.candidate = candidate
        }
    }

    /// From 1; of a bottle's remediations no two ever have the same, so that uses are never counted twice.
    package let number: Int
    /// A DNS label of at most 40 characters, for people.
    package let slug: String
    package let change: RemediationChange
    package let provenance: Provenance
    /// Nil: it holds until it is taken away.
    package let limits: GrantLimits?

    package static let numbers = 1...999_999

    /// - Throws: `InvalidValue` for a number, slug, author, reason or proposal that no file can hold, for a change that
    ///   changes nothing, and for limits on what can't be limited.
    package init(
        number: Int,
        slug: String,
        change: RemediationChange,
        provenance: Provenance,
        limits: GrantLimits? = nil
    ) throws(InvalidValue) {
        guard Self.numbers.contains(number) else {
            throw InvalidValue(kind: "remediation number", text: String(number), rule: "a number from 1 to 999999")
        }
        guard Identity.isLabel(slug), slug.utf8.count <= 40 else {
            throw InvalidValue(
                kind: "remediation name",
                text: slug,
                rule: "lowercase letters, digits and inner hyphens, 1 to 40 characters"
            )
        }
        try Self.check("operator", provenance.author, most: 512, allowsLines: false)
        try Self.check("reason", provenance.reason, most: 8192, allowsLines: true)
        if let proposal = provenance.proposal {
            try Self.check("proposal", proposal, most: 128, allowsLines: false)
        }
        if let problem = change.problem ?? limits.flatMap({ _ in change.limitProblem }) {
            throw InvalidValue(kind: "remediation", text: slug, rule: problem)
        }
        self.number = number
        self.slug = slug
        self.change = change
        self.provenance = provenance
        self.limits = limits
    }

    /// `0007-add-host-example-org`: the file's name without its ending.
    package var name: String { "\(Self.digits(number))-\(slug)" }

    /// The name under which its uses are counted.
    package func grantID(in bottle: Identity) -> String { "\(bottle)/\(Self.digits(number))" }

    /// At least four digits.
    package static func digits(_ number: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(4 - text.utf8.count, 0)) + text
    }

    /// The number and slug of a name like `0007-add-host-example-org`; nil for every other text.
    package static func parts(of name: String) -> (number: Int, slug: String)? {
        guard let dash = name.firstIndex(of: "-"), let number = Int(name[..<dash]), numbers.contains(number),
            digits(number) == name[..<dash]
        else { return nil }
        let slug = String(name[name.index(after: dash)...])
        return Identity.isLabel(slug) && slug.utf8.count <= 40 ? (number, slug) : nil
    }

    private static func check(
        _ kind: String,
        _ text: String,
        most: Int,
        allowsLines: Bool
    ) throws(InvalidValue) {
        let isShown = text.unicodeScalars.allSatisfy { scalar in
            (allowsLines && scalar == "\n") || (scalar.value >= 0x20 && !(0x7F...0x9F).contains(scalar.value))
        }
        let isBlank = text.unicodeScalars.allSatisfy(\.properties.isWhitespace)
        guard isShown, !isBlank, text.utf8.count <= most else {
            throw InvalidValue(
                kind: kind,
                text: String(text.prefix(80)),
                rule: "\(allowsLines ? "text" : "one line") of 1 to \(most) bytes, without control characters"
            )
        }
    }
}
