/// Path prefixes that end on segment boundaries.
enum PathPrefix {
    /// What is ambiguous in `text`; nil if every program reads the prefix the same way.
    static func problem(_ text: String) -> (message: String, suggestion: String?)? {
        let bytes = Array(text.utf8)
        guard bytes.first == UInt8(ascii: "/") else {
            return ("\(quoted(text)) does not begin with '/'", "write '/\(text.prefix(80))'")
        }
        guard bytes.count <= 1024 else { return ("a path prefix has at most 1024 bytes", nil) }
        if let cut = text.firstIndex(where: { $0 == "?" || $0 == "#" }) {
            return ("a path prefix has no query and no fragment", "write '\(text[..<cut].prefix(80))'")
        }
        if text.hasSuffix("*") {
            return ("entries are prefixes, not patterns", "write '\(text.drop(last: "*").prefix(80))'")
        }
        if bytes.contains(where: { $0 <= 0x20 || $0 >= 0x7F || "\\\"<>^`{|}*".utf8.contains($0) }) {
            return ("\(quoted(text)) holds a character that paths don't have", "percent-encode it")
        }
        let segments = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        for (index, segment) in segments.enumerated() {
            if segment.isEmpty, index < segments.count - 1 {
                return ("\(quoted(text)) has an empty segment", "write one '/'")
            }
            // Some servers ignore spaces at the end of a name, and treat more than two dots as two.
            let plain = segment.lowercased().replacing("%2e", with: ".").replacing("%20", with: " ")
            let dots = plain.drop { $0 == " " }
            if dots.first == ".", dots.allSatisfy({ $0 == "." || $0 == " " }) {
                return ("\(quoted(text)) has a dot segment", "write where it leads to")
            }
            // Some servers cut off a segment's parameters before they look for dots.
            if segment.contains(";") { return ("\(quoted(text)) has a ';', which servers read in different ways", nil) }
        }
        return encodingProblem(bytes, text)
    }

    private static func encodingProblem(_ bytes: [UInt8], _ text: String) -> (message: String, suggestion: String?)? {
        var index = 0
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "%") else {
                index += 1
                continue
            }
            let digits = String(decoding: bytes[(index + 1)...].prefix(2), as: UTF8.self)
            guard digits.count == 2, digits.allSatisfy(\.isHexDigit), let byte = UInt8(digits, radix: 16) else {
                return ("\(quoted(text)) has a '%' without two hexadecimal digits", nil)
            }
            if byte < 0x20 || byte >= 0x7F || "/\\.%;?#".utf8.contains(byte) {
                return ("\(quoted(text)) encodes a character that servers read in different ways: %\(digits)", nil)
            }
            index += 3
        }
        return nil
    }
}

extension String {
    fileprivate func drop(last character: Character) -> Substring {
        var rest = self[...]
        while rest.last == character { rest.removeLast() }
        return rest
    }
}
