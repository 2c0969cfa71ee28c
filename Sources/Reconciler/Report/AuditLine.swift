#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// One line of the audit log, as it is on the disk.
///
/// `{…,"hash":"<64 digits>"}`: an object with sorted keys, without spaces, in ASCII alone (so that no line can steer a
/// terminal), and at its end the SHA-256 of the same object without `hash`. `previous` is the `hash` of the line before;
/// the first line's is all zeros. The chain goes on over files.
package struct AuditLine: Sendable, Hashable {
    /// The line's number since the log began, from 1.
    package var sequence: Int { body.sequence }
    /// RFC 3339, in UTC.
    package var time: String { body.time }
    package var `operator`: String { body.operator }
    package var installation: String { body.installation }
    package var bottle: String? { body.bottle }
    package var revision: String? { body.revision }
    /// An `AuditKind`, or the word of a newer program.
    package var what: String { body.what }
    package var details: AuditDetails { body.details }
    package var previous: String { body.previous }
    package let hash: String
    private let body: Body

    private struct Body: Sendable, Hashable, Codable {
        var version: Int
        var sequence: Int
        var time: String
        var `operator`: String
        var installation: String
        var bottle: String?
        var revision: String?
        var what: String
        var details: AuditDetails
        var previous: String
    }

    /// Where a line stands in the chain.
    package struct Link: Sendable, Hashable {
        package var sequence: Int
        package var hash: String

        /// What the first line follows.
        package static let beginning = Link(sequence: 0, hash: String(repeating: "0", count: 64))

        package init(sequence: Int, hash: String) {
            self.sequence = sequence
            self.hash = hash
        }
    }

    package var link: Link { Link(sequence: sequence, hash: hash) }

    /// The line that follows `link`, and its bytes without a newline.
    ///
    /// - Parameter ascii: writes JSON with nothing but ASCII in it.
    package static func following(
        _ link: Link,
        _ entry: AuditEntry,
        time: String,
        by operator: String,
        installation: String,
        ascii: ([UInt8]) -> [UInt8]
    ) throws -> (line: AuditLine, bytes: [UInt8]) {
        let body = Body(
            version: 1,
            sequence: link.sequence + 1,
            time: time,
            operator: AuditText.bounded(`operator`, 300),
            installation: installation,
            bottle: entry.bottle?.name,
            revision: entry.revision?.id,
            what: entry.what.rawValue,
            details: entry.details,
            previous: link.hash
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let object = ascii(Array(try encoder.encode(body)))
        let hash = ContentDigest(of: object).hex
        return (AuditLine(hash: hash, body: body), object.dropLast() + Array(#","hash":"\#(hash)"}"#.utf8))
    }

    /// Reads a line.
    ///
    /// - Returns: nil when its hash is not that of its content, or its content is not a line's.
    package init?(_ bytes: some RandomAccessCollection<UInt8>) {
        guard let (object, hash) = Self.parts(of: bytes), ContentDigest(of: object).hex == hash,
            let body = try? JSONDecoder().decode(Body.self, from: Data(object)),
            (1...(1 << 53)).contains(body.sequence)
        else { return nil }
        self.init(hash: hash, body: body)
    }

    private init(hash: String, body: Body) {
        self.hash = hash
        self.body = body
    }

    /// Whether `bytes` is a line from its first to its last byte, whatever it says: no part of one.
    package static func isWhole(_ bytes: some RandomAccessCollection<UInt8>) -> Bool {
        bytes.first == UInt8(ascii: "{") && parts(of: bytes) != nil
    }

    private static func parts(of bytes: some RandomAccessCollection<UInt8>) -> (object: [UInt8], hash: String)? {
        let end = Array(bytes.suffix(75))
        guard end.count == 75, end.starts(with: Array(#","hash":""#.utf8)), end.suffix(2) == Array(#""}"#.utf8)[...],
            let hash = try? ContentDigest(hex: String(decoding: end[9..<73], as: UTF8.self))
        else { return nil }
        return (bytes.dropLast(75) + [UInt8(ascii: "}")], hash.hex)
    }
}

extension AuditLine: Encodable {
    private enum CodingKeys: String, CodingKey { case hash }

    package func encode(to encoder: any Encoder) throws {
        try body.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(hash, forKey: .hash)
    }
}
