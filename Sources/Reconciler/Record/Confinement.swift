/// What holds a container in, as the engine itself tells it: labels can be copied, this can't.
///
/// A choice of what every engine tells in the same words, not the whole spec. It holds no secret.
package struct Confinement: Sendable, Hashable {
    package struct Mount: Sendable, Hashable {
        /// The volume's name; nil for anything that isn't a volume, such as a folder of the host.
        package var volume: String?
        package var target: String
        /// The folder of the host that it is; nil for anything else.
        package var folder: String?
        /// Whether a folder of the host can only be read.
        package var isReadOnly = false

        package init(volume: String?, target: String) {
            self.volume = volume
            self.target = target
        }

        package init(folder: String, target: String, isReadOnly: Bool) {
            self.folder = folder
            self.target = target
            self.isReadOnly = isReadOnly
        }

        /// Whether it is a volume that the engine made because the image asks for one there.
        fileprivate var isAnonymous: Bool { volume.map { (try? ContentDigest(hex: $0)) != nil } ?? false }
    }

    package var dropsAllCapabilities = true
    package var hasAddedCapabilities = false
    package var hasNoNewPrivileges = true
    package var isPrivileged = false
    package var isRootReadOnly: Bool
    package var mounts: [Mount]
    package var user: String
    package var command: [String]
    /// The variables that the spec sets without a secret, with their values in the container.
    package var environment: [String: String]

    package init(isRootReadOnly: Bool, mounts: [Mount], user: String, command: [String], environment: [String: String])
    {
        self.isRootReadOnly = isRootReadOnly
        self.mounts = mounts
        self.user = user
        self.command = command
        self.environment = environment
    }

    /// Whether a container with this confinement can be one that was made from `spec`.
    package func meets(_ spec: ContainerSpec) -> Bool {
        let wanted = Set(
            spec.mounts.map { Mount(volume: $0.volume, target: $0.target) }
                + (spec.hostFolders ?? []).map {
                    Mount(folder: $0.source, target: $0.target, isReadOnly: $0.isReadOnly)
                }
        )
        return dropsAllCapabilities && !hasAddedCapabilities && hasNoNewPrivileges && !isPrivileged
            && isRootReadOnly == spec.isRootReadOnly
            && wanted.isSubset(of: mounts) && mounts.allSatisfy { wanted.contains($0) || $0.isAnonymous }
            // What the spec leaves to the image isn't known here.
            && (spec.user == nil || spec.user == user) && (spec.command.isEmpty || spec.command == command)
            && spec.environment.allSatisfy { environment[$0.key] == $0.value }
    }
}
