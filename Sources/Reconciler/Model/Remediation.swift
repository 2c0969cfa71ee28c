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

    package let terms: RemediationTerms
    package let provenance: Provenance

    package var number: Int { terms.number }
    package var slug: String { terms.slug }
    package var change: RemediationChange { terms.change }
    package var limits: GrantLimits? { terms.limits }
    package var name: String { terms.name }

    package static let numbers = 1...999_999

    /// - Throws: as `RemediationTerms`, and `InvalidValue` for an author, reason or proposal that no file can hold.
    package init(
        number: Int,
        slug: String,
        change: RemediationChange,
        provenance: Provenance,
        limits: GrantLimits? = nil
    ) throws(InvalidValue) {
        try self.init(RemediationTerms(number: number, slug: slug, change: change, limits: limits), provenance)
    }

    /// - Throws: `InvalidValue` for an author, reason or proposal that no file can hold.
    package init(_ terms: RemediationTerms, _ provenance: Provenance) throws(InvalidValue) {
        try Self.check("operator", provenance.author, most: 512, allowsLines: false)
        try Self.check("reason", provenance.reason, most: 8192, allowsLines: true)
        if let proposal = provenance.proposal {
            try Self.check("proposal", proposal, most: 128, allowsLines: false)
        }
        self.terms = terms
        self.provenance = provenance
    }

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
