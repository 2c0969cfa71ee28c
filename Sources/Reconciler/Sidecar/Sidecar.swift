/// What all sidecars share.
enum Sidecar {
    /// The folder of a sidecar's load confirmation.
    static let runFolder = "/run/bottle"

    /// Keeps a container on two networks from joining them.
    ///
    /// Engines switch forwarding on in every container (seen on 20.10): a stranger on the outer network could send its
    /// packets through a sidecar to the agent. Nor does a sidecar answer on one interface for an address of another.
    static let noRouter = [
        "net.ipv4.ip_forward": "0",
        "net.ipv4.conf.all.arp_ignore": "1",
        "net.ipv4.conf.all.rp_filter": "1",
        "net.ipv4.icmp_echo_ignore_all": "1",
    ]

    /// Volumes for what a sidecar with a read-only root must be given or must write: its config and its confirmation,
    /// beside which the egress-proxy keeps the count of the uses of grants.
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
