internal import FoundationEssentials

/// The versioned fingerprint of a container's spec, as its label carries it: `v1:<hex>`.
package struct SpecHash: Sendable, Hashable, CustomStringConvertible {
    package let text: String

    /// Keeps a label's text as it is; `isKnownVersion` says whether it can be compared.
    package init(label text: String) { self.text = text }

    /// Hashes one canonical value: JSON with sorted keys, behind the version.
    ///
    /// - Throws: `EncodingError`, for a value JSON can't carry.
    package init(of value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        text = "\(Self.version):\(ContentDigest(of: try encoder.encode(value)))"
    }

    /// Hashes facts that are texts already: `name=value` lines, sorted by name.
    package init(facts: [String: String]) {
        let lines = facts.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)\n" }.joined()
        text = "\(Self.version):\(ContentDigest(of: lines))"
    }

    package var isKnownVersion: Bool { text.hasPrefix("\(Self.version):") }

    package var description: String { text }

    private static let version = "v1"
}
