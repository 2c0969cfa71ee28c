/// One kind of sidecar: everything that the rest of the program must know of it.
///
/// A further sidecar is a folder in this room, a folder in Dockerfiles, a role, and an entry in `Sidecars.all`.
package protocol Sidecar: SendableMetatype {
    static var role: Role { get }

    /// Whether a bottle of this manifest has the sidecar.
    static func isNeeded(by manifest: BottleManifest) -> Bool

    /// How the agent's traffic leaves through it; nil: none does.
    static func exit(in manifest: BottleManifest) -> Exit?

    /// Its networks, the one that faces its clients first.
    static func networks(in topology: Topology) -> [NetworkRole]

    /// The rules that it names when it tells a refusal on its standard output, a flat JSON object a line. Empty: it
    /// refuses nothing.
    static var refusalRules: [String] { get }

    /// The purposes of its volumes that outlive the sidecar and go only with `delete`.
    static var preciousVolumes: [String] { get }

    /// Whether its image is made of the very program that runs.
    static var runsThisProgram: Bool { get }

    /// Its container.
    ///
    /// - Throws: `BottleError` when the manifest asks for what can't be rendered.
    static func container(_ input: RenderInput, _ topology: Topology) throws -> DesiredContainer
}

/// How traffic passes a sidecar on its way out of the bottle.
package struct Exit: Sendable, Hashable {
    /// Its place in the chain of exits: a smaller number is nearer to the outside.
    package var rank: Int
    /// Where it listens for HTTP proxy requests.
    package var port: Int
    /// Whether it ends TLS with certificates of the bottle's own authority, which its clients must trust.
    package var interceptsTLS: Bool
}

extension Sidecar {
    package static func exit(in manifest: BottleManifest) -> Exit? { nil }
    package static func networks(in topology: Topology) -> [NetworkRole] { topology.chainNetworks(of: role) }
    package static var refusalRules: [String] { [] }
    package static var preciousVolumes: [String] { [] }
    package static var runsThisProgram: Bool { false }
}

/// The sidecars that this program has.
package enum Sidecars {
    /// In the order of rendering: containers and images of a bottle are listed so.
    package static let all: [any Sidecar.Type] = [Firewall.self, EgressProxy.self, Supervise.self]

    package static subscript(role: Role) -> (any Sidecar.Type)? { all.first { $0.role == role } }

    /// The sidecars of a bottle of this manifest.
    package static func needed(by manifest: BottleManifest) -> [any Sidecar.Type] {
        all.filter { $0.isNeeded(by: manifest) }
    }

    /// The roles whose containers tell refusals on their standard output.
    package static let refusing = Set(all.filter { !$0.refusalRules.isEmpty }.map { $0.role })

    /// Whether a bottle of this manifest needs a certificate authority.
    package static func needAuthority(in manifest: BottleManifest) -> Bool {
        needed(by: manifest).contains { $0.exit(in: manifest)?.interceptsTLS == true }
    }
}
