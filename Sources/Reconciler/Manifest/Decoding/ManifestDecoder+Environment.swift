import ReconcilerModel

extension ManifestDecoder {
    /// Reports environment variables of the agent that its bottle's routes rule out.
    mutating func checkEnvironment(_ environment: Cursor?, routes: [(cursor: Cursor, route: Route)]) {
        var owners: [String: (role: Route.Role, cursor: Cursor)] = [:]
        var credentials: [String: Cursor] = [:]
        for (cursor, route) in routes {
            for role in route.roles {
                for name in OwnedVariables.of(role) where owners[name] == nil { owners[name] = (role, cursor) }
            }
            if let name = route.auth?.token.name, credentials[name] == nil { credentials[name] = cursor }
        }
        for entry in environment?.entries ?? [] {
            if let (role, cursor) = owners[entry.key] {
                findings.error(
                    "owned-variable",
                    "'\(entry.key)' is set by bottle for the role '\(role.rawValue)' at \(cursor.position.location)",
                    at: entry.keyPosition,
                    suggestion: "remove it"
                )
            }
            guard let source = entry.value["from_host"], let name = source.text, let cursor = credentials[name] else {
                continue
            }
            findings.error(
                "credential-to-agent",
                "\(source.path): '\(name)' is the credential of \(cursor.path) at \(cursor.position.location); this would give it to the agent, and write it into the desired state",
                at: source.position,
                suggestion: "remove '\(entry.key)': the egress-proxy adds the credential to the route's requests"
            )
        }
    }
}
