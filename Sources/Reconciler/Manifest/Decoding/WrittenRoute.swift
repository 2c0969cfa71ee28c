package import ReconcilerModel

/// A route written by an author who may not write credentials: an agent, in a proposal.
package struct WrittenRoute: Sendable, Hashable {
    /// The written values, with the manifest's defaults for the rest; never has `auth`.
    package var route: Route
    /// The keys that were written, sorted.
    package var keys: [String]

    package init(route: Route, keys: [String]) {
        self.route = route
        self.keys = keys
    }

    /// Stands for a credential that the operator wrote.
    ///
    /// Says that one exists and reveals nothing of it.
    package static let keptAuth = "kept"

    /// One text per meaning, independent of spelling; lines of ASCII.
    package var canonical: String {
        var parts = ["route \(route.host)"]
        for key in keys {
            switch key {
            case "port": parts.append("port \(route.port)")
            case "role": parts.append("role \(route.roles.map(\.rawValue).sorted().joined(separator: ","))")
            case "client_auth": parts.append("client_auth \(route.allowsClientAuth)")
            case "websocket": parts.append("websocket \(route.allowsWebSocket)")
            case "auth": parts.append("auth")
            default: break
            }
        }
        switch route.methods {
        case .any: parts.append("methods any")
        case .only(let methods): parts.append("methods \(methods.sorted().joined(separator: ","))")
        }
        parts.append("paths \(route.pathAllowlist.sorted().joined(separator: " "))")
        return parts.joined(separator: "\n  ")
    }
}
