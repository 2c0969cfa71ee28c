/// What the containers of all sidecars share.
enum Hardening {
    /// The folder of a sidecar's load confirmation.
    static let runFolder = "/run/bottle"

    /// Kernel parameters that keep a container on two networks from joining them.
    ///
    /// Engines switch forwarding on in every container (seen on 20.10): another container on the outer network could
    /// send its packets through a sidecar to the agent. Nor does a sidecar answer on one interface for an address of
    /// another.
    static let noRouter = [
        "net.ipv4.ip_forward": "0",
        "net.ipv4.conf.all.arp_ignore": "1",
        "net.ipv4.conf.all.rp_filter": "1",
        "net.ipv4.icmp_echo_ignore_all": "1",
    ]

    /// Folders in memory for a container with a read-only root.
    static let memoryFolders = ["/tmp": "rw,nosuid,nodev,noexec,size=64m"]

    /// Volumes for what a sidecar with a read-only root must be given or must write: its config in `folder`, and its
    /// load confirmation.
    ///
    /// The egress-proxy also counts the uses of grants there.
    static func mounts(_ identity: Identity, _ role: Role, folder: String) -> [ContainerSpec.Mount] {
        [
            .init(volume: Names.volume(identity, "\(role.rawValue)-config"), target: folder),
            .init(volume: Names.volume(identity, runVolume(of: role)), target: runFolder),
        ]
    }

    /// The purpose of the volume with a sidecar's load confirmation.
    static func runVolume(of role: Role) -> String { "\(role.rawValue)-run" }
}

/// The link by which a sidecar tells what it has loaded (SPEC 4).
package enum LoadConfirmation {
    package static let path = "\(Hardening.runFolder)/loaded"
}
