/// A host that may be reached: an ASCII lowercase name, or `*.` and at least two labels.
///
/// A wildcard matches any depth below it and never the apex. The initializer takes the canonical ASCII form only;
/// turning what a person wrote into it (IDNA, case) is the manifest reader's work.
package struct HostPattern: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let text: String

    package var isWildcard: Bool { text.hasPrefix("*.") }

    /// The name without the leading `*.`.
    package var base: String { isWildcard ? String(text.dropFirst(2)) : text }

    /// - Throws: `InvalidValue` for anything but a lowercase ASCII name or `*.` + at least two labels.
    package init(_ text: String) throws(InvalidValue) {
        func invalid(_ rule: String) -> InvalidValue { InvalidValue(kind: "host", text: text, rule: rule) }
        let wildcard = text.hasPrefix("*.")
        let base = wildcard ? String(text.dropFirst(2)) : text
        let labels = base.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard !base.isEmpty, base.utf8.count <= 253 else { throw invalid("a name of 1 to 253 characters") }
        guard labels.allSatisfy({ Identity.isLabel($0) }) else {
            throw invalid(
                "lowercase labels joined by dots, without scheme, port or path; a wildcard only as a leading '*.'"
            )
        }
        guard !wildcard || labels.count >= 2 else { throw invalid("a wildcard needs at least two labels after '*.'") }
        guard labels.last?.utf8.allSatisfy({ (48...57).contains($0) }) != true, !Self.looksHexadecimal(labels) else {
            throw invalid("a name, not an address")
        }
        self.text = text
    }

    package var description: String { text }

    package static func < (left: HostPattern, right: HostPattern) -> Bool { left.text < right.text }

    /// Whether `host` (canonical ASCII lowercase) is named by this pattern.
    package func matches(_ host: String) -> Bool {
        isWildcard ? host.hasSuffix("." + base) : host == text
    }

    /// Whether every host that `other` names is named by this pattern too.
    package func covers(_ other: HostPattern) -> Bool {
        guard isWildcard else { return self == other }
        return other.base.hasSuffix("." + base) || (other.isWildcard && other.base == base)
    }

    private static func looksHexadecimal(_ labels: [String]) -> Bool {
        guard let last = labels.last, last.hasPrefix("0x") else { return false }
        return last.dropFirst(2).allSatisfy { $0.isHexDigit }
    }
}
