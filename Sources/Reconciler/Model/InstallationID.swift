/// The id of an installation of bottle: the label by which it knows its own objects on an engine.
package struct InstallationID: Sendable, Hashable, Codable, CustomStringConvertible {
    package let text: String

    /// - Throws: `InvalidValue` unless `text` is 1 to 64 lowercase letters and digits.
    package init(_ text: String) throws(InvalidValue) {
        let isValid = text.utf8.allSatisfy { (48...57).contains($0) || (97...122).contains($0) }
        guard (1...64).contains(text.utf8.count), isValid else {
            throw InvalidValue(kind: "installation id", text: text, rule: "1 to 64 lowercase letters and digits")
        }
        self.text = text
    }

    private init(unchecked text: String) { self.text = text }

    /// Stands in where there is no state folder yet: no object carries it.
    package static let absent = InstallationID(unchecked: "")

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        do {
            try self.init(try container.decode(String.self))
        } catch let error as InvalidValue {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(error)")
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }

    package var description: String { text }
}
