package import ReconcilerModel

/// The bottle that the tests start from.
package enum SampleManifest {
    /// A value that is right as it is written here.
    package static func known<Value>(_ make: @autoclosure () throws -> Value) -> Value {
        do { return try make() } catch { preconditionFailure("\(error)") }
    }

    package static let identity = known(try Identity("dev"))
    /// The id of the commit with this number; 0: of none.
    package static func revision(_ number: Int) -> Revision? {
        let digits = String(number, radix: 16)
        return number == 0 ? nil : Revision(String(repeating: "0", count: 40 - digits.count) + digits)
    }

    package static let token = known(try SecretReference("TOKEN_A"))

    package static func host(_ text: String) -> HostPattern { known(try HostPattern(text)) }

    /// A bottle with two routes behind squid.
    package static var routed: BottleManifest {
        BottleManifest(
            identity: identity,
            agent: AgentSpec(
                image: .reference(known(try ImageReference("bottle/agent"))),
                command: ["agent"],
                prompt: .text("Do it."),
                environment: ["TZ": .literal("UTC")],
                resources: Resources(milliCPUs: 2000, memory: 4 << 30, pids: 512)
            ),
            egress: EgressSpec(allowlist: [host("raw.example.org")]),
            routes: [
                Route(
                    host: host("api.example.com"),
                    methods: .only(["GET", "HEAD"]),
                    pathAllowlist: ["/repos/acme/"],
                    auth: RouteAuth(scheme: "Bearer", token: token)
                ),
                Route(host: host("docs.example.com")),
            ]
        )
    }

    /// A bottle without routes: the agent talks to the firewall.
    package static var unrouted: BottleManifest {
        var manifest = routed
        manifest.routes = []
        return manifest
    }

    /// Routes, and nothing behind the egress-proxy.
    package static var unwalled: BottleManifest {
        var manifest = routed
        manifest.egress.firewall = .none
        return manifest
    }

    /// The bottle with two routes as an edit changed it.
    package static func edited(_ edit: (inout BottleManifest) -> Void) -> BottleManifest {
        var manifest = routed
        edit(&manifest)
        return manifest
    }
}
