/// Whether names are public suffixes: names below which anybody can register a host.
enum PublicSuffix {
    enum Standing: Sendable, Hashable {
        /// Anybody can register `<label>.<name>`.
        case suffix
        /// Public suffixes lie below the name: `amazonaws.com` holds `s3.amazonaws.com`.
        case holdsSuffixes
        case ordinary
    }

    /// Where `name` (canonical ASCII, at least two labels) stands in the list.
    static func standing(of name: String) -> Standing {
        let labels = name.split(separator: ".").map(String.init)
        guard let top = labels.last, labels.count > 1 else { return .suffix }
        let rest = labels.dropLast().joined(separator: ".")
        let parent = labels.dropFirst().dropLast().joined(separator: ".")
        var isSuffix = false
        var holds = false
        for rule in rules(under: top) {
            if rule.hasPrefix("!") {
                if rule.dropFirst() == rest { return .ordinary }
            } else if rule == rest {
                isSuffix = true
            } else if rule == "*" ? labels.count == 2 : rule.hasPrefix("*.") && rule.dropFirst(2) == parent {
                isSuffix = true
            } else if rule == "*." + rest {
                isSuffix = true
            } else if rule.hasSuffix("." + rest) {
                holds = true
            }
        }
        return isSuffix ? .suffix : holds ? .holdsSuffixes : .ordinary
    }

    /// The rules whose last label is `top`, without it.
    private static func rules(under top: String) -> [Substring] {
        var found: [Substring] = []
        var isInside = false
        for line in PublicSuffixData.rules.utf8.split(separator: UInt8(ascii: "\n")) {
            if line.first == UInt8(ascii: "+") {
                if !isInside { continue }
            } else {
                if isInside { break }
                isInside = line.starts(with: top.utf8) && line.dropFirst(top.utf8.count).first == UInt8(ascii: " ")
            }
            if isInside { found += Substring(line).split(separator: " ").dropFirst() }
        }
        return found
    }
}
