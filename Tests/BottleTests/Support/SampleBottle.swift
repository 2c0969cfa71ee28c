/// A bottle's manifest, in parts that a test changes.
struct SampleBottle {
    var name: String
    var image = "bottle/agent"
    /// In place of the image, as a YAML flow mapping.
    var build: String?
    /// Further lines below `agent:`.
    var agent: [String] = ["command: [sleep, infinity]"]
    var firewall = "squid"
    var allowlist: [String] = []
    /// Further lines below `egress:`.
    var egress: [String] = []
    /// Each as a YAML flow mapping.
    var routes: [String] = []
    var supervise = false

    /// The agent alone: no way out at all.
    static func alone(_ name: String) -> SampleBottle { SampleBottle(name: name, firewall: "none") }

    var text: String {
        var lines = [
            "apiVersion: bottle/v1", "kind: Bottle", "metadata: {name: \(name)}", "spec:", "  agent:",
            build.map { "    build: \($0)" } ?? "    image: \(image)",
        ]
        lines += agent.map { "    \($0)" }
        lines += ["  egress:", "    firewall: \(firewall)", "    allowlist: [\(allowlist.joined(separator: ", "))]"]
        lines += egress.map { "    \($0)" }
        if !routes.isEmpty { lines += ["  egress_proxy:", "    routes:"] + routes.map { "      - \($0)" } }
        if supervise { lines.append("  supervise: true") }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The sample with one thing changed.
    func with(_ change: (inout SampleBottle) -> Void) -> SampleBottle {
        var changed = self
        change(&changed)
        return changed
    }
}
