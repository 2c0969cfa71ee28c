import ReconcilerTime

/// What this installation remembers of a bottle: what it made, and the state it last converged to.
///
/// Durable before anything is created, so that an object with our labels but without a record is not ours.
package struct BottleRecord: Sendable, Hashable, Codable {
    package var identity: String
    package var installation: InstallationID
    package var addresses: AddressPlan
    /// Blocks the engine refused because something we can't see uses them.
    package var avoided: [String]
    /// Names of every container, network and volume that was or is about to be made.
    package var names: [String]
    /// Ids of networks and containers by name, added after they were made.
    package var ids: [String: String]
    /// What the bottle last converged to; nil: never.
    package var converged: Converged?
    /// What each generation of a sidecar's files allows, by role and hash; for the ones that may be in force.
    package var permissions: [String: [String: [String]]]
    /// The intent hash that the living agent was made for.
    package var agentIntent: String?
    /// The exit code of that agent, once it ended and its restart policy left it so; nil: it lives, or is to live.
    ///
    /// With it, an ended agent whose container is removed stays ended.
    package var agentExit: Int?

    /// Keyed fingerprints of the secrets' values it last converged with, by name.
    package var fingerprints: [String: String]?

    package struct Converged: Sendable, Hashable, Codable {
        /// Nil: what was applied had no commit.
        package var revision: Revision?
        /// Spec hashes by role.
        package var specs: [String: String]
        /// Generations by role.
        package var generations: [String: String]
        /// When each managed file says it was changed, by container and path; it stands for the content.
        package var stamps: [String: String]

        package init(
            revision: Revision?,
            specs: [String: String] = [:],
            generations: [String: String] = [:],
            stamps: [String: String] = [:]
        ) {
            self.revision = revision
            self.specs = specs
            self.generations = generations
            self.stamps = stamps
        }
    }

    package init(identity: Identity, installation: InstallationID) {
        self.identity = identity.name
        self.installation = installation
        addresses = AddressPlan()
        avoided = []
        names = []
        ids = [:]
        permissions = [:]
    }
}

extension BottleRecord.Converged {
    /// The state that `desired` describes, for telling drift from desired changes later.
    package init(_ desired: DesiredBottle) {
        self.init(revision: desired.revision)
        for container in desired.containers {
            specs[container.role.rawValue] = container.specHash?.text
            generations[container.role.rawValue] = container.generation?.hex
            for file in container.files { stamps[Self.key(container.role, file.path)] = Self.value(file) }
        }
    }

    /// Whether this is the state that `desired` describes, whichever revision it comes from.
    package func describes(_ desired: DesiredBottle) -> Bool {
        var other = Self(desired)
        other.revision = revision
        return other == self
    }

    package static func key(_ role: Role, _ path: String) -> String { "\(role.rawValue):\(path)" }

    package static func value(_ file: DesiredFile) -> String {
        "\(file.stamp.seconds).\(file.stamp.nanoseconds)/\(file.mode)"
    }
}

extension BottleRecord {
    /// Where this bottle's search for free addresses begins: a number of its own, always the same.
    package var addressPlace: UInt64 {
        UInt64(ContentDigest(of: "\(installation) \(identity)").hex.prefix(8), radix: 16) ?? 0
    }
}
