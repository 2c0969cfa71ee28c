import ArgumentParser
import FoundationEssentials
import ReconcilerModel
import ReconcilerPlatform

/// How a result is shown.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
    case table, wide, json, yaml

    /// Whether standard output must be one document and nothing else.
    var isDocument: Bool { self == .json || self == .yaml }

    /// The document's text in this format, harmless for a terminal.
    func text(of document: some Encodable) throws -> String {
        let json = try JSONEncoder.document.encode(document)
        guard self == .yaml else { return VisibleText.document(String(decoding: json, as: UTF8.self)) }
        return VisibleText.document(try JSONReader.read(Array(json), valueLimit: .max).yaml(), isYAML: true)
    }

    /// A document on one line, as a stream of them has, harmless for a terminal.
    static func line(of document: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return VisibleText.document(String(decoding: try encoder.encode(document), as: UTF8.self))
    }
}

extension JSONEncoder {
    /// For everything that is printed.
    static var document: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}
