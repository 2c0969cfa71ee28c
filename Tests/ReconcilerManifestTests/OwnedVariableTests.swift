import ReconcilerManifest
import ReconcilerModel
import Testing

@Suite struct OwnedVariableTests {
    static let shapes = [
        ("a role", "{host: a.example, role: claude_code_oauth, methods: any, auth: {token_ref: T}}", "squid"),
        ("routes without a role", "{host: a.example}", "squid"),
        ("routes without a firewall", "{host: a.example}", "none"),
        ("a firewall without routes", "", "squid"),
        ("no way out", "", "none"),
    ]

    private func text(_ route: String, _ firewall: String, variable: String? = nil) -> String {
        bottle(
            "egress: {firewall: \(firewall)}" + (route.isEmpty ? "" : "\negress_proxy: {routes: [\(route)]}"),
            agent: "{image: a, home: /home/u, prompt: {text: p}, env: {TZ: UTC\(variable.map { ", \($0): x" } ?? "")}}"
        )
    }

    @Test("Every variable that the tool gives the agent is one that a manifest can't set, or may", arguments: shapes)
    func agentsVariables(_ why: String, _ route: String, _ firewall: String) throws {
        let manifest = try #require(read(text(route, firewall)).bottles.first).manifest
        let variables = try rendered(manifest)
        #expect(variables.contains("HOME"))
        for name in variables where name != "TZ" {
            let errors = read(text(route, firewall, variable: name)).errors
            let codes = OwnedVariables.yielding.contains(name) ? [] : ["owned-variable"]
            #expect(errors.map(\.code) == codes, "\(name): \(errors)")
        }
    }

    /// The names of the variables of the bottle's agent.
    private func rendered(_ manifest: BottleManifest) throws -> [String] {
        let topology = Topology(manifest)
        var addresses = AddressPlan()
        try addresses.assign(topology.ownNetworks, from: IPv4Block("10.231.0.0/16"), avoiding: [])
        var images: [Role: RenderInput.Image] = [:]
        for role in topology.roles {
            let reference = try ImageReference(Names.image(role))
            images[role] = .init(
                desired: DesiredImage(role: role, reference: reference, source: .registry),
                id: "sha256:\(role)"
            )
        }
        let input = RenderInput(
            manifest: manifest,
            revision: nil,
            addresses: addresses,
            images: images,
            fingerprints: Dictionary(uniqueKeysWithValues: manifest.secrets.map { ($0, "f") }),
            authority: .init(certificate: "C", key: "K")
        )
        let bottle = try DesiredBottle(rendering: input)
        return try #require(bottle.container(.agent)).spec.environment.keys.sorted()
    }
}
