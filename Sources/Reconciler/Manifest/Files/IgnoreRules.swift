/// The rules of a `.dockerignore` file: comments, `!` exceptions, `*`, `?`, `**`, `[…]`; the last matching rule
/// decides.
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

    /// Whether an exception could bring back something below an ignored folder.
    var hasExceptions: Bool { rules.contains(where: \.isException) }

    /// Whether the rules exclude `path` (relative to the context): a rule matches a path and everything below it.
    func ignores(_ path: String) -> Bool {
        let segments = path.split(separator: "/").map(Array.init)
        var ignored = false
        for rule in rules where rule.isException == ignored {
            let fits = (1...max(1, segments.count)).contains { Self.fits(rule.segments[...], segments[..<$0]) }
            if fits { ignored = !rule.isException }
        }
        return ignored
    }

    /// Whether `pattern` matches the whole of `path`; `**` matches any number of segments.
    private static func fits(_ pattern: ArraySlice<[Character]>, _ path: ArraySlice<[Character]>) -> Bool {
        !path.isEmpty
            && glob(Array(pattern), Array(path), isAny: { $0 == ["*", "*"] }) { segment, name in
                glob(units(of: segment), name, isAny: { $0 == .any }) { unit, character in unit.matches(character) }
            }
    }

    /// Whether `pattern` matches all of `text`: each unit matches one element, or any number of elements if `isAny`.
    ///
    /// Backtracks only to the last wildcard. That is enough, and keeps hostile patterns from taking long.
    private static func glob<Unit, Element>(
        _ pattern: [Unit],
        _ text: [Element],
        isAny: (Unit) -> Bool,
        matches: (Unit, Element) -> Bool
    ) -> Bool {
        var (here, there) = (0, 0)
        var retry: (pattern: Int, text: Int)?
        while there < text.count {
            if here < pattern.count, isAny(pattern[here]) {
                retry = (here, there)
                here += 1
            } else if here < pattern.count, matches(pattern[here], text[there]) {
                here += 1
                there += 1
            } else if let last = retry {
                here = last.pattern + 1
                there = last.text + 1
                retry = (last.pattern, there)
            } else {
                return false
            }
        }
        return pattern[here...].allSatisfy(isAny)
    }

    /// One unit of the pattern for a path segment.
    private enum Unit: Equatable {
        case any, one
        case character(Character)
        case set([Character])

        func matches(_ character: Character) -> Bool {
            switch self {
            case .any, .one: true
            case .character(let own): own == character
            case .set(let set): IgnoreRules.contains(set[...], character)
            }
        }
    }

    private static func units(of segment: [Character]) -> [Unit] {
        var units: [Unit] = []
        var rest = segment[...]
        while let character = rest.popFirst() {
            switch character {
            case "*": if units.last != .any { units.append(.any) }
            case "?": units.append(.one)
            case "\\": units.append(.character(rest.popFirst() ?? "\\"))
            case "[":
                guard let end = rest.dropFirst().firstIndex(of: "]") else { return units + [.set([])] }
                units.append(.set(Array(rest[..<end])))
                rest = rest[(end + 1)...]
            default: units.append(.character(character))
            }
        }
        return units
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
