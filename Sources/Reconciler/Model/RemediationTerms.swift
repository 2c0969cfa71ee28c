/// What a remediation changes and for how long, without who made it, when and why.
///
/// It is enough to work out what a manifest becomes. A value that exists is valid.
package struct RemediationTerms: Sendable, Hashable {
    /// From 1; of a bottle's remediations no two ever have the same, so that uses are never counted twice.
    package let number: Int
    /// A DNS label of at most 40 characters, for people.
    package let slug: String
    package let change: RemediationChange
    /// Nil: it holds until it is taken away.
    package let limits: GrantLimits?

    /// - Parameter slug: nil: the one that the change suggests.
    /// - Throws: `InvalidValue` for a number or slug that no file can have, for a change that changes nothing, and for
    ///   limits on what can't be limited.
    package init(
        number: Int,
        slug: String? = nil,
        change: RemediationChange,
        limits: GrantLimits? = nil
    ) throws(InvalidValue) {
        let slug = slug ?? change.slug
        guard Remediation.numbers.contains(number) else {
            throw InvalidValue(kind: "remediation number", text: String(number), rule: "a number from 1 to 999999")
        }
        guard Identity.isLabel(slug), slug.utf8.count <= 40 else {
            throw InvalidValue(
                kind: "remediation name",
                text: slug,
                rule: "lowercase letters, digits and inner hyphens, 1 to 40 characters"
            )
        }
        if let problem = change.problem ?? limits.flatMap({ _ in change.limitProblem }) {
            throw InvalidValue(kind: "remediation", text: slug, rule: problem)
        }
        self.number = number
        self.slug = slug
        self.change = change
        self.limits = limits
    }

    /// `0007-add-host-example-org`: the file's name without its ending.
    package var name: String { "\(Remediation.digits(number))-\(slug)" }

    /// The name under which its uses are counted.
    package func grantID(in bottle: Identity) -> String { "\(bottle)/\(Remediation.digits(number))" }
}
