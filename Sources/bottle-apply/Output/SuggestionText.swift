import Reconciler
import ReconcilerModel

/// `denied --suggest` for people.
enum SuggestionText {
    static func of(_ suggestion: RefusalSuggestion, _ bottle: Identity) -> String {
        var lines: [String] = []
        if suggestion.verdicts.isEmpty { lines.append("nothing was refused") }
        for verdict in suggestion.verdicts {
            let name = "\(verdict.group.id)  \(VisibleText.line(verdict.group.host, limit: 80))  \(verdict.group.rule)"
            switch verdict.outcome {
            case .allowed: lines.append("\(name): let through by the change below")
            case .allowedAlready: lines.append("\(name): the manifest lets it through as it is")
            case .impossible(let reason): lines.append("\(name): \(VisibleText.line(reason))")
            }
        }
        guard !suggestion.yaml.isEmpty else { return lines.joined(separator: "\n") }
        lines += ["", "Add to the manifest of \(bottle):", "", suggestion.yaml]
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

/// `denied --suggest -o json` (docs/denied.md).
struct SuggestionDocument: Encodable {
    struct Group: Encodable {
        var id: String
        var host: String
        var rule: String
        /// `allowed`, `allowed-already` or `impossible`.
        var outcome: String
        var reason: String?
    }

    struct RouteChange: Encodable {
        var host: String
        var isNew: Bool
        var port: Int
        /// Null: any.
        var methods: [String]?
        var paths: [String]
        var websocket: Bool
    }

    var apiVersion = "bottle/v1"
    var kind = "Suggestion"
    var bottle: String
    var groups: [Group]
    var addedHosts: [String]
    var removedHosts: [String]
    var routes: [RouteChange]
    var authority: [AuthorityChange]
    var yaml: String

    init(_ bottle: Identity, _ suggestion: RefusalSuggestion) {
        self.bottle = bottle.name
        groups = suggestion.verdicts.map { verdict in
            var group = Group(id: verdict.group.id, host: verdict.group.host, rule: verdict.group.rule, outcome: "")
            switch verdict.outcome {
            case .allowed: group.outcome = "allowed"
            case .allowedAlready: group.outcome = "allowed-already"
            case .impossible(let reason):
                group.outcome = "impossible"
                group.reason = reason
            }
            return group
        }
        addedHosts = suggestion.addedHosts.map(\.text)
        removedHosts = suggestion.removedHosts.map(\.text)
        routes = suggestion.changedRoutes.map { old, new in
            RouteChange(
                host: new.host.text,
                isNew: old == nil,
                port: new.port,
                methods: new.methods.list,
                paths: new.pathAllowlist,
                websocket: new.allowsWebSocket
            )
        }
        authority = suggestion.authority
        yaml = suggestion.yaml
    }
}
