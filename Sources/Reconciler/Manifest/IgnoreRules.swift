/// The rules of a `.dockerignore` file: comments, `!` exceptions, `*`, `?`, `**`, `[…]`; the last rule that fits decides.
struct IgnoreRules: Sendable {
    private struct Rule {
        var segments: [[Character]]
        var isException: Bool
    }

    private var rules: [Rule] = []

    init(_ text: String) {
        for line in text.split(omittingEmptySubsequences: true, whereSeparator: \.isNewline) {
            var pattern = line.trimmingSpaces
            if pattern.isEmpty || pattern.hasPrefix("#") { continue }
            let isException = pattern.hasPrefix("!")
            if isException { pattern = String(pattern.dropFirst()).trimmingSpaces }
            let normal = HostPath.normal("/" + pattern)
            guard normal != "/" else { continue }
            rules.append(
                Rule(segments: normal.split(separator: "/").map(Array.init), isException: isException)
            )
        }
    }

    /// Whether an exception could bring something below an ignored folder back.
    var hasExceptions: Bool { rules.contains(where: \.isException) }

    /// Whether the rules leave `path` (relative to the context) out: a rule fits a path and all below it.
    func ignores(_ path: String) -> Bool {
        let segments = path.split(separator: "/").map(Array.init)
        var ignored = false
        for rule in rules where rule.isException == ignored {
            let fits = (1...max(1, segments.count)).contains { Self.fits(rule.segments[...], segments[..<$0]) }
            if fits { ignored = !rule.isException }
        }
        return ignored
    }

    private static func fits(_ pattern: ArraySlice<[Character]>, _ path: ArraySlice<[Character]>) -> Bool {
        guard let first = pattern.first else { return path.isEmpty }
        if first == ["*", "*"] {
            if pattern.count == 1 { return !path.isEmpty }
            return (0...path.count).contains { fits(pattern.dropFirst(), path.dropFirst($0)) }
        }
        guard let segment = path.first, matches(first[...], segment[...]) else { return false }
        return fits(pattern.dropFirst(), path.dropFirst())
    }

    private static func matches(_ pattern: ArraySlice<Character>, _ text: ArraySlice<Character>) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        switch first {
        case "*":
            return (0...text.count).contains { matches(pattern.dropFirst(), text.dropFirst($0)) }
        case "?":
            return !text.isEmpty && matches(pattern.dropFirst(), text.dropFirst())
        case "[":
            guard let end = pattern.dropFirst(2).firstIndex(of: "]"), let character = text.first else { return false }
            let set = pattern[(pattern.startIndex + 1)..<end]
            return Self.contains(set, character) && matches(pattern[(end + 1)...], text.dropFirst())
        case "\\" where pattern.count > 1:
            return text.first == pattern.dropFirst().first && matches(pattern.dropFirst(2), text.dropFirst())
        default:
            return text.first == first && matches(pattern.dropFirst(), text.dropFirst())
        }
    }

    private static func contains(_ set: ArraySlice<Character>, _ character: Character) -> Bool {
        var rest = set
        let isNegated = rest.first == "^"
        if isNegated { rest = rest.dropFirst() }
        var found = false
        while let low = rest.popFirst() {
            guard rest.first == "-", let high = rest.dropFirst().first else {
                found = found || low == character
                continue
            }
            rest = rest.dropFirst(2)
            found = found || (low <= character && character <= high)
        }
        return found != isNegated
    }
}
