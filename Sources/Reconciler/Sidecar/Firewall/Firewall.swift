/// The firewall sidecar: traffic leaves the bottle through it, by host name.
///
/// The manifest chooses the program that does this. A further one is a folder beside `Squid` and an entry in
/// `providers`.
package enum Firewall: Sidecar {
    package static let role = Role.firewall
    /// Where every provider listens.
    package static let port = 8888

    private static let providers: [EgressSpec.Firewall: any FirewallProvider.Type] = [.squid: Squid.self]

    package static func isNeeded(by manifest: BottleManifest) -> Bool { manifest.egress.firewall != .none }

    package static func exit(in manifest: BottleManifest) -> Exit? {
        Exit(rank: 0, port: port, interceptsTLS: providers[manifest.egress.firewall]?.interceptsTLS ?? false)
    }

    package static let refusalRules = Set(providers.values.flatMap { $0.refusalRules }).sorted()

    package static func container(_ input: RenderInput, _ topology: Topology) throws -> DesiredContainer {
        let choice = input.manifest.egress.firewall
        guard let provider = providers[choice] else {
            throw BottleError(.notBuiltYet, "the firewall '\(choice.rawValue)' is not built yet")
        }
        return try provider.container(input, topology)
    }

    /// What the firewall lets out, one `pattern port` each, sorted: the routes' hosts and the allowlist.
    package static func permissions(of manifest: BottleManifest) -> [String] {
        let routes = manifest.routes.map { "\($0.host) \($0.port)" }
        let hosts = manifest.egress.allowlist.map { "\($0) 443" }
        return Set(routes + hosts).sorted()
    }
}

/// A program that can be a bottle's firewall.
protocol FirewallProvider: SendableMetatype {
    /// The rules that it names when it tells a refusal, as `Sidecar.refusalRules`.
    static var refusalRules: [String] { get }
    /// As `Exit.interceptsTLS`.
    static var interceptsTLS: Bool { get }
    static func container(_ input: RenderInput, _ topology: Topology) throws -> DesiredContainer
}
