package import ReconcilerModel

/// Reads the hosts of a proposal: one per line, `#` begins a comment.
package enum HostListReader {
    private static let mostHosts = 1000

    /// The distinct hosts in canonical form, and the reasons why other lines are not hosts.
    package static func read(_ text: String) -> (hosts: [HostPattern], reasons: [String]) {
        var hosts: [HostPattern] = []
        var reasons: [String] = []
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let written = line.prefix { $0 != "#" }.trimmed
            guard !written.isEmpty else { continue }
            do {
                let host = try HostWriting(written, allowsWildcard: true).pattern
                if host.text != written {
                    reasons.append(
                        "line \(index + 1): \(quoted(written)) is another spelling of a host: write '\(host)'"
                    )
                } else if !hosts.contains(host) {
                    hosts.append(host)
                }
            } catch {
                let advice = error.suggestion.map { ": \($0)" } ?? ""
                reasons.append("line \(index + 1): \(error.message)\(advice)")
            }
            if hosts.count > mostHosts { reasons.append("there are more than \(mostHosts) hosts") }
            guard reasons.count < 20, hosts.count <= mostHosts else { break }
        }
        return (hosts, reasons)
    }
}

extension Substring {
    fileprivate var trimmed: String {
        func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" }
        var rest = drop(while: isBlank)
        while let last = rest.last, isBlank(last) { rest.removeLast() }
        return String(rest)
    }
}
