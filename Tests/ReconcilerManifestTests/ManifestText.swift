import ReconcilerManifest
import ReconcilerModel

/// A manifest text with one place marked by `@@`.
struct MarkedText {
    let text: String
    let line: Int
    let column: Int

    init(_ marked: String) {
        let parts = marked.components(of: "@@")
        text = parts.joined()
        let before = parts[0].split(separator: "\n", omittingEmptySubsequences: false)
        line = parts.count == 2 ? before.count : 0
        column = parts.count == 2 ? (before.last?.unicodeScalars.count ?? 0) + 1 : 0
    }
}

extension String {
    func components(of separator: String) -> [String] {
        var parts: [String] = []
        var rest = self[...]
        while let range = rest.firstRange(of: separator) {
            parts.append(String(rest[..<range.lowerBound]))
            rest = rest[range.upperBound...]
        }
        return parts + [String(rest)]
    }
}

/// A bottle `dev` whose spec has the agent `{image: a}` unless `spec` names one.
func bottle(_ spec: String = "", agent: String? = "{image: a}") -> String {
    var lines = ["apiVersion: bottle/v1", "kind: Bottle", "metadata: {name: dev}", "spec:"]
    if let agent { lines.append("  agent: \(agent)") }
    lines += spec.split(separator: "\n", omittingEmptySubsequences: false).map { $0.isEmpty ? "" : "  " + $0 }
    return lines.joined(separator: "\n") + "\n"
}

/// A bottle with these lines of an `egress` section.
func egress(_ lines: String) -> String {
    bottle("egress:\n" + lines.split(separator: "\n").map { "  " + $0 }.joined(separator: "\n"))
}

/// A bottle with routes: `lines` are entries of the list.
func routes(_ lines: String) -> String {
    bottle("egress_proxy:\n  routes:\n" + lines.split(separator: "\n").map { "    " + $0 }.joined(separator: "\n"))
}

func read(_ text: String, name: String = "bottle.yaml") -> ManifestReading {
    ManifestReader.read([ManifestSource(name: name, bytes: Array(text.utf8))])
}

extension ManifestReading {
    var errors: [Diagnostic] { diagnostics.filter { $0.severity == .error } }
    var warnings: [Diagnostic] { diagnostics.filter { $0.severity == .warning } }

    /// `code line:column` of every error, for comparison.
    var errorPlaces: [String] {
        errors.map { "\($0.code) \($0.location?.line ?? 0):\($0.location?.column ?? 0)" }
    }
}
