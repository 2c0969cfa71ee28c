/// One thing to do on the engine (SPEC 10).
package enum Verb: String, Sendable, Hashable, CaseIterable, Codable {
    case build, pull, create, start, stop, remove, connect, disconnect, copy, signal, restart, update, unpause, exec
}

/// What an action is about.
package enum ObjectName: Sendable, Hashable, CustomStringConvertible {
    case container(Role)
    case network(NetworkRole)
    case volume(String)
    case image(Role)

    package var description: String {
        switch self {
        case .container(let role): "container/\(role.rawValue)"
        case .network(let role): "network/\(role.rawValue)"
        case .volume(let name): "volume/\(name)"
        case .image(let role): "image/\(role.rawValue)"
        }
    }
}

/// Why an action is planned; docs/plan.md lists the words, which are a contract.
package enum Reason: String, Sendable, Hashable, CaseIterable, Codable {
    case missing
    case contextChanged = "context-changed"
    case specChanged = "spec-changed"
    case imageChanged = "image-changed"
    case networkChanged = "network-changed"
    case networkGone = "network-gone"
    case renamed
    case stopped
    case neverStarted = "never-started"
    case ended
    case paused
    case disconnected
    case addressWrong = "address-wrong"
    case foreignNetwork = "foreign-network"
    case foreignContainer = "foreign-container"
    case limitsChanged = "limits-changed"
    case fileMissing = "file-missing"
    case fileChanged = "file-changed"
    case filesCopied = "files-copied"
    case otherGeneration = "other-generation"
    case silent
    case permissionWithdrawn = "permission-withdrawn"
    case notDesired = "not-desired"
    case deleted
}

package struct Action: Sendable, Hashable {
    package var verb: Verb
    package var object: ObjectName
    package var reason: Reason
    /// The path of the file that a `copy` writes.
    package var path: String?
    /// The bottle's network that a `connect` or `disconnect` is about.
    package var network: NetworkRole?
    /// The container that exists already; nil for one that is to be created.
    package var container: ContainerID?
    /// The network that is removed, or that a `disconnect` leaves.
    package var networkID: NetworkID?
    /// Positions in the plan of the actions that must be done before this one begins.
    package var after: [Int]
    /// Positions of the actions that must be done before a created container is started.
    package var startsAfter: [Int]

    package init(
        _ verb: Verb,
        _ object: ObjectName,
        _ reason: Reason,
        path: String? = nil,
        network: NetworkRole? = nil,
        container: ContainerID? = nil,
        networkID: NetworkID? = nil,
        after: [Int] = [],
        startsAfter: [Int] = []
    ) {
        self.verb = verb
        self.object = object
        self.reason = reason
        self.path = path
        self.network = network
        self.container = container
        self.networkID = networkID
        self.after = after
        self.startsAfter = startsAfter
    }
}
