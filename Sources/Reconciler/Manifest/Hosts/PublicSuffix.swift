/// The public suffix list: names below which anybody can register a host.
enum PublicSuffix {
    enum Standing: Sendable, Hashable {
        /// Anybody can register `<label>.<name>`.
        case suffix
        /// Public suffixes exist below the name: `amazonaws.com` contains `s3.amazonaws.com`.
        case holdsSuffixes
        case ordinary
    }

    /// How the list classifies `name` (canonical ASCII, at least two labels).
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

    /// The rules whose last label is `top`, without that label.
    ///
    /// The list is embedded by the build and renewed by `scripts/public-suffixes`; its head describes the format.
    /// Each call scans it once, so that programs which never ask pay nothing.
    private static func rules(under top: String) -> [Substring] {
        var found: [Substring] = []
        var isInside = false
        for line in PackageResources.public_suffixes_txt.split(separator: UInt8(ascii: "\n")) {
            if line.first == UInt8(ascii: "+") {
                if !isInside { continue }
            } else {
                isInside = line.starts(with: top.utf8) && line.dropFirst(top.utf8.count).first == UInt8(ascii: " ")
            }
            if isInside { found += String(decoding: line, as: UTF8.self).split(separator: " ").dropFirst() }
        }
        return found
    }
}
