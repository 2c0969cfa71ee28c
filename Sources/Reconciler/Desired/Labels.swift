/// The labels on every object of ours.
///
/// They never change on a living object.
package enum Labels {
    package static let prefix = "dev.bottle."
    package static let managedBy = "dev.bottle.managed-by"
    package static let installation = "dev.bottle.installation"
    package static let identity = "dev.bottle.identity"
    package static let role = "dev.bottle.role"
    package static let specHash = "dev.bottle.spec-hash"
    /// The bottle that an object of a restricted build is for.
    ///
    /// The object is not part of that bottle.
    package static let build = "dev.bottle.build"

    /// The labels of an object of `identity` in the part `role`.
    package static func of(
        _ identity: Identity,
        role: String,
        installation: InstallationID,
        specHash: SpecHash? = nil
    ) -> [String: String] {
        var labels = [
            managedBy: "bottle", Self.installation: installation.text, Self.identity: identity.name, Self.role: role,
        ]
        if let specHash { labels[Self.specHash] = specHash.text }
        return labels
    }

    /// The labels of what a restricted build for `identity` needs while it lasts.
    package static func ofBuild(for identity: Identity, installation: InstallationID) -> [String: String] {
        [managedBy: "bottle", Self.installation: installation.text, role: "build", build: identity.name]
    }
}

/// The engine's names of a bottle's objects (SPEC 10).
package enum Names {
    package static func container(_ identity: Identity, _ role: Role) -> String {
        "bottle-\(identity)-\(role.rawValue)"
    }
    package static func network(_ identity: Identity, _ role: NetworkRole) -> String {
        "bottle-\(identity)-\(role.rawValue)"
    }
    package static func volume(_ identity: Identity, _ purpose: String) -> String { "bottle-\(identity)-\(purpose)" }
    /// Something of a restricted build; no role has a name that begins so.
    package static func build(_ identity: Identity, _ part: String? = nil) -> String {
        "bottle-\(identity)-build" + (part.map { "-\($0)" } ?? "")
    }
    package static func image(_ role: Role) -> String { "bottle/\(role.rawValue)" }
}
