/// The way out of a restricted build: squid as in the firewall sidecar, and two relays that lead to it (SPEC 5).
///
/// A build's steps share the network of the first relay, which has only loopback. So no packet reaches a bridge of the
/// host, not even one that root forges with a raw socket, and no name is resolved. The first relay passes bytes through
/// a socket in a shared folder to the second relay, which passes them to squid.
package enum BuildProxy {
    package static let port = Firewall.port
    /// The proxy URL for the steps.
    package static let proxy = "http://127.0.0.1:\(port)"
    /// The folder that the relays share.
    package static let folder = Hardening.runFolder
    package static let configFolder = Squid.folder
    package static let memoryFolders = Hardening.memoryFolders
    package static let kernelParameters = Hardening.noRouter
    private static let socket = "\(folder)/exit"

    /// The build arguments by which programs find the proxy; the builder keeps them out of the image's history.
    package static let arguments: [String: String] = {
        var arguments: [String: String] = [:]
        for name in ["http_proxy", "https_proxy"] {
            arguments[name] = proxy
            arguments[name.uppercased()] = proxy
        }
        for name in ["no_proxy", "NO_PROXY"] { arguments[name] = "localhost,127.0.0.1" }
        return arguments
    }()

    /// A relay's command, and the file that it creates when it listens.
    package struct Relay: Sendable {
        package var command: [String]
        package var ready: String
    }

    private static func relay(_ name: String, from: String, to: String) -> Relay {
        let ready = "\(folder)/\(name).ready"
        return Relay(command: ["/usr/local/lib/firewall/relay", from, to, ready], ready: ready)
    }

    /// The relay whose network the steps share.
    package static let inner = relay("inner", from: "tcp:127.0.0.1:\(port)", to: "unix:\(socket)")

    /// The relay that reaches squid at `address`.
    package static func outer(to address: IPv4Address) -> Relay {
        relay("outer", from: "unix:\(socket)", to: "tcp:\(address):\(port)")
    }

    /// Squid's environment: where to listen, and the parts of a bottle's egress that its builds share.
    package static func environment(listeningAt address: IPv4Address, egress: EgressSpec) -> [String: String] {
        Squid.environment(listeningAt: address, egress: egress)
    }

    /// The list of what may be reached: each host over TLS and over plain HTTP, which package managers use.
    package static func allowlist(_ hosts: [HostPattern]) -> DesiredFile {
        Squid.allowlist(Set(hosts.flatMap { ["\($0) 443", "\($0) 80"] }).sorted())
    }
}
