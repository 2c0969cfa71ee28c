extension EngineRequest {
    /// The reference as one percent-encoded path segment.
    ///
    /// Refuses an empty or dotted one: the engine would normalize the path to another request's, such as the list.
    static func segment(_ reference: String, _ kind: String) throws(EngineError) -> String {
        guard !reference.isEmpty, reference != ".", reference != "..", !reference.utf8.contains(0) else {
            throw .invalidArgument("'\(reference)' is not the name or id of a \(kind)")
        }
        return encode(reference)
    }

    /// An image reference as path segments; keeps its slashes.
    static func imageSegments(_ reference: String) throws(EngineError) -> String {
        var segments: [String] = []
        for part in reference.split(separator: "/", omittingEmptySubsequences: false) {
            do {
                segments.append(try segment(String(part), "image"))
            } catch {
                throw .invalidArgument("'\(reference)' is not the name or id of an image")
            }
        }
        return segments.joined(separator: "/")
    }

    /// The query of these pairs, in their order.
    static func query(_ pairs: [(String, String)]) -> String {
        pairs.map { "\(encode($0))=\(encode($1))" }.joined(separator: "&")
    }

    /// The pair for a filter parameter; none if there are no filters.
    static func filters(_ filters: [String: [String]]) throws(EngineError) -> [(String, String)] {
        let wanted = filters.filter { !$0.value.isEmpty }
        guard !wanted.isEmpty else { return [] }
        return [("filters", String(decoding: try EngineJSON.encode(wanted), as: UTF8.self))]
    }

    /// Percent-encodes everything but RFC 3986's unreserved characters.
    private static func encode(_ text: String) -> String {
        var encoded: [UInt8] = []
        encoded.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"):
                encoded.append(byte)
            default:
                encoded.append(UInt8(ascii: "%"))
                encoded.append(hexadecimal(byte >> 4))
                encoded.append(hexadecimal(byte & 15))
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    private static func hexadecimal(_ digit: UInt8) -> UInt8 {
        digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "A") + digit - 10
    }
}
