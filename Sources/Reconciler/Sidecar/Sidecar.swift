/// What all sidecars share.
enum Sidecar {
    /// The folder of a sidecar's load confirmation.
    static let runFolder = "/run/bottle"

    /// Volumes for what a sidecar with a read-only root must be given or must write: its config and its confirmation.
    static func mounts(_ identity: Identity, _ role: Role, folder: String) -> [ContainerSpec.Mount] {
        [
            .init(volume: Names.volume(identity, "\(role.rawValue)-config"), target: folder),
            .init(volume: Names.volume(identity, "\(role.rawValue)-run"), target: runFolder),
        ]
    }
}

/// The link by which a sidecar tells what it has loaded (SPEC 4).
package enum LoadConfirmation {
    package static let path = "\(Sidecar.runFolder)/loaded"
}
