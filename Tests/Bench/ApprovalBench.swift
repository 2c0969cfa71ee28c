import FoundationEssentials

/// How soon an approved change lets the agent's next request through, with a controller running.
///
/// From the end of the commit to a 200 inside the agent, for a path of a listed host (one sidecar) and for a new host
/// (two sidecars).
enum ApprovalBench {
    static func measure(_ session: Session, runs: Int) async throws {
        let sheet = session.sheet("approval")
        for contender in session.contenders { try await contender.clear() }
        let subnet = try await Demo.start()
        for contender in session.contenders { try await start(contender, subnet: subnet) }
        note("measuring: a path of a listed host")
        try await session.controlling(runs, ["--metrics", "off"]) { contender, _, run in
            let route =
                #"[{\"host\": \"api.demo.test\", \"methods\": [\"GET\"], \"path_allowlist\": [\"/p\#(run)/\"]}]"#
            let arguments = #"{"routes": "\#(route)", "justification": "bench"}"#
            let url = "https://api.demo.test/p\(run)/x"
            let time = try await approve(contender, "egress-proxy-block", arguments, url)
            sheet.add("approve: a path", contender.way, time)
        }
        note("measuring: a new host")
        try await session.controlling(runs, ["--metrics", "off"]) { contender, _, _ in
            let arguments = #"{"hosts": "files.demo.test", "justification": "bench"}"#
            let time = try await approve(contender, "firewall-block", arguments, "https://files.demo.test/x")
            sheet.add("approve: a new host", contender.way, time)
            let bottle = contender.bottle("approval")
            try await contender.command("revoke", bottle, "host", "files.demo.test", "--yes").run()
        }
        sheet.compare("approve: a path", atMost: 200)
        sheet.compare("approve: a new host", atMost: 350)
        for contender in session.contenders { try await contender.clear() }
    }

    private static func start(_ contender: Contender, subnet: String) async throws {
        let manifest = "\(contender.folder)/approval.yaml"
        try writeFile(
            """
            apiVersion: bottle/v1
            kind: Bottle
            metadata: {name: \(contender.bottle("approval"))}
            spec:
              agent: {image: \(contender.image("agent")), command: [sleep, infinity]}
              egress: {network: bottle-demo-internet, private: [\(subnet)], trust: [\(Demo.authority)]}
              egress_proxy:
                routes: [{host: api.demo.test, methods: [GET], path_allowlist: [/first/]}]
              supervise: true

            """,
            to: manifest
        )
        try await contender.apply(manifest)
        for script in ["ask.sh", "until.sh"] {
            let agent = contender.container("approval", "agent")
            try await docker("cp", "Tests/Bench/agent/\(script)", "\(agent):/tmp/\(script)")
        }
    }

    /// Milliseconds from the commit to the page.
    private static func approve(
        _ contender: Contender,
        _ tool: String,
        _ arguments: String,
        _ url: String
    ) async throws -> Double {
        // What an agent may ask in a minute is bounded.
        try await Task.sleep(for: .milliseconds(1200))
        let agent = contender.container("approval", "agent")
        async let asked = docker("exec", agent, "sh", "/tmp/ask.sh", tool, arguments)
        let id = try await poll("a proposal", every: .milliseconds(100), seconds: 20) {
            try await pending(contender)
        }
        async let came = docker("exec", agent, "sh", "/tmp/until.sh", url)
        try await Task.sleep(for: .milliseconds(300))
        try await contender.command("approve", id, "--yes").run()
        let reference = "\(contender.folder)/state/desired/.git/refs/heads/main"
        let committed = try FileManager.default.attributesOfItem(atPath: reference)[.modificationDate] as? Date
        _ = try await asked
        guard let committed, let arrived = Double(try await came) else {
            throw BenchError("no time of the commit or of the page")
        }
        return arrived / 1e6 - committed.timeIntervalSince1970 * 1000
    }

    private static func pending(_ contender: Contender) async throws -> String? {
        struct Proposals: Decodable {
            struct Proposal: Decodable { var id, state: String }
            var items: [Proposal]
        }
        let output = try await contender.command("proposals", contender.bottle("approval"), "-o", "json").run()
        let proposals = try JSONDecoder().decode(Proposals.self, from: Data(output.utf8))
        return proposals.items.first { $0.state == "pending" }?.id
    }
}
