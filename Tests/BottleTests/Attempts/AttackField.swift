import FoundationEssentials
import Reconciler
import ReconcilerEngine
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerTime
import ReconcilerVerify
import Testing

/// A bottle under attack, and the servers that its attackers try to reach.
struct AttackField: Sendable {
    let fixture: BottleFixture
    let servers: AttemptServers
    /// What the reports call it.
    let title: String
    let face: Attempt.Face
    let hasFirewall: Bool
    let name: String
    /// The credential that the egress-proxy adds.
    let token: String
    let executable: AttemptExecutable

    /// Brings it up; it ends with the fixture.
    ///
    /// - Parameters:
    ///   - face: what stands before the agent.
    ///   - images: of the sidecars, in place of our own, by role.
    static func start(
        _ title: String,
        in fixture: BottleFixture,
        face: Attempt.Face,
        hasFirewall: Bool = true,
        images: [String: String] = [:],
        executable: AttemptExecutable
    ) async throws -> AttackField {
        let field = AttackField(
            fixture: fixture,
            servers: try await AttemptServers.start(in: fixture),
            title: title,
            face: face,
            hasFirewall: hasFirewall,
            name: fixture.name(),
            token: "t0ken-\(UInt64.random(in: .min ... .max))",
            executable: executable
        )
        let settings = "\(fixture.folder)/\(fixture.name())"
        try POSIX.makeFolder(settings)
        try POSIX.makeFolder("\(settings)/bottle")
        let all = Self.imagesUnderTest.merging(images) { $1 }.map { "\($0.key): \"\($0.value)\"" }
        let text = fixture.settings + "images: {\(all.sorted().joined(separator: ", "))}\n"
        try DurableFile.write(Array(text.utf8), to: "\(settings)/bottle/config.yaml")
        let environment = ["BT_TOKEN": field.token, "XDG_CONFIG_HOME": settings]
        try await fixture.applied(field.sample, environment: environment)
        try await executable.install(in: field.container("agent"))
        return field
    }

    /// `BOTTLE_TEST_IMAGES`, `role=image` separated by commas: other images to try the attempts on.
    static var imagesUnderTest: [String: String] {
        let named = ProcessInfo.processInfo.environment["BOTTLE_TEST_IMAGES"] ?? ""
        return named.split(separator: ",").reduce(into: [:]) { images, pair in
            let words = pair.split(separator: "=", maxSplits: 1)
            if words.count == 2 { images[String(words[0])] = String(words[1]) }
        }
    }

    private var sample: SampleBottle {
        let wild = "\"*.\(AttemptServers.wildApex)\""
        guard face == .egressProxy else {
            return SampleBottle(
                name: name,
                allowlist: [AttemptServers.listed, AttemptServers.open, wild],
                egress: servers.egress
            )
        }
        return SampleBottle(
            name: name,
            firewall: hasFirewall ? "squid" : "none",
            allowlist: [AttemptServers.open, wild],
            egress: servers.egress,
            routes: [
                "{host: \(AttemptServers.listed), methods: [GET, HEAD], "
                    + "auth: {scheme: Bearer, token_ref: BT_TOKEN}, path_allowlist: [/repos/acme/]}",
                "{host: \(AttemptServers.websocket), websocket: true}",
                "{host: \(AttemptServers.port), port: 8443}",
            ]
        )
    }

    func container(_ role: String) -> String { "bottle-\(name)-\(role)" }

    /// Names of the sidecars.
    var sidecars: [String] {
        (face == .egressProxy ? ["egress-proxy"] : []) + (hasFirewall ? ["firewall"] : [])
    }

    /// The address of a container on one of the bottle's own networks.
    func address(of role: String, on network: String) async throws -> String {
        let networks = try await fixture.engine.container(container(role)).networks
        return try #require(networks["bottle-\(name)-\(network)"]?.ipAddress)
    }

    /// Where the agent's proxy listens.
    func proxy() async throws -> HostPort {
        face == .egressProxy
            ? HostPort(host: try await address(of: "egress-proxy", on: "internal"), port: 9099)
            : HostPort(host: try await address(of: "firewall", on: "internal"), port: 8888)
    }

    /// What the words in the attempts stand for, but the mark.
    func placeholders() async throws -> AttemptPlaceholders {
        let proxy = try await proxy().host
        // The first address of a /28, whatever uses it.
        let gateway = IPv4Address(bits: try IPv4Address(proxy).bits & ~15 | 1)
        let firewall = try await address(of: "firewall", on: face == .egressProxy ? "link" : "internal")
        return AttemptPlaceholders(
            [
                "listed": AttemptServers.listed, "open": AttemptServers.open, "websocket": AttemptServers.websocket,
                "wild": AttemptServers.wild, "wildapex": AttemptServers.wildApex, "port": AttemptServers.port,
                "unlisted": AttemptServers.unlisted, "unlistedserver": servers.unlistedAddress, "proxy": proxy,
                "firewall": firewall, "gateway": gateway.description,
            ].merging(AttemptPlaceholders.spellings(ofServer: servers.address)) { $1 }
        )
    }

    /// What the sidecars refused so far, and what went wrong in them, in the order of time.
    func refusals() async throws -> (refusals: [Refusal], errors: [Refusal]) {
        var refusals: [Refusal] = []
        var errors: [Refusal] = []
        for role in sidecars {
            let run = try await fixture.run(["docker", "logs", container(role)])
            try #require(run.status == 0, "\(run)")
            for line in run.text.split(separator: "\n") {
                guard let fields = try? JSONDecoder().decode(JSON.self, from: Data(line.utf8)),
                    let time = Timestamp(rfc3339: fields["time"].text)
                else { continue }
                let refusal = Refusal(
                    time: Double(time.seconds) + Double(time.nanoseconds) / 1e9,
                    rule: fields["rule"].text,
                    line: "\(role): \(line)"
                )
                if fields["event"].text == "refused" { refusals.append(refusal) }
                if fields["event"].text == "error" { errors.append(refusal) }
            }
        }
        return (refusals.sorted { $0.time < $1.time }, errors.sorted { $0.time < $1.time })
    }

    /// Which lives the sidecars lead: another one when they were restarted.
    func lives() async throws -> [String] {
        var lives: [String] = []
        for role in sidecars {
            let found = try await fixture.engine.container(container(role))
            lives.append("\(role) \(found.id) \(found.state.status) \(found.state.startedAt?.description ?? "")")
        }
        return lives
    }
}
