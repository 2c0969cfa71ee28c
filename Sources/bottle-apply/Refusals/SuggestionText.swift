import ReconcilerModel
import ReconcilerOperations

/// `denied --suggest` for people.
enum SuggestionText {
    static func of(_ suggestion: SuggestionDocument) -> String {
        var lines = suggestion.groups.map { group in
            let name = "\(group.id)  \(VisibleText.line(group.host, limit: 80))  \(group.rule)"
            return switch group.outcome {
            case "allowed": "\(name): let through by the change below"
            case "allowed-already": "\(name): the manifest lets it through as it is"
            default: "\(name): \(VisibleText.line(group.reason ?? ""))"
            }
        }
        if lines.isEmpty { lines.append("nothing was refused") }
        guard !suggestion.yaml.isEmpty else { return lines.joined(separator: "\n") }
        lines += ["", "Add to the manifest of \(suggestion.bottle):", "", suggestion.yaml]
        lines += ["", "What that gives the bottle, and takes from it:"]
        lines += suggestion.authority.map { "  \(VisibleText.line($0.text, limit: 200))" }
        if !suggestion.narrower.isEmpty {
            lines += [
                "", "Enough for what was seen, in place of the allowlist's entries (under egress_proxy.routes):", "",
            ]
            lines += suggestion.narrower.map { route in
                "      - {host: \(route.host), methods: [\((route.methods.list ?? []).joined(separator: ", "))]}"
            }
        }
        return lines.joined(separator: "\n")
    }
}
