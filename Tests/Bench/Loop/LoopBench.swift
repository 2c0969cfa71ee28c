import ArgumentParser
import FoundationEssentials

/// What the loop costs: beside docker compose with the same topology, images and engine; and as a controller.
struct LoopBench: Sendable {
    enum Part: String, CaseIterable, ExpressibleByArgument {
        case compose, heal, quiet, crowd, memory, desired
    }

    let session: Session
    let rounds: Int
    let subnet: String

    static func measure(_ session: Session, parts: [Part], rounds: Int) async throws {
        try await session.clear()
        let needsServer = !Set(parts).isDisjoint(with: [.compose, .heal, .quiet])
        let bench = LoopBench(
            session: session,
            rounds: rounds,
            subnet: needsServer ? try await Engine.startServer() : ""
        )
        for part in parts {
            switch part {
            case .compose: try await bench.compose()
            case .heal: try await bench.heal()
            case .quiet: try await bench.quiet()
            case .crowd: try await bench.crowd()
            case .memory: try await bench.memory()
            case .desired: try await bench.desired()
            }
        }
        try await session.clear()
    }

    func manifest(_ contender: Contender) -> String { "\(contender.folder)/loop.yaml" }

    /// The manifest, with a variable of the agent's and what the route allows.
    func writeBottle(_ contender: Contender, _ variable: String, _ paths: String...) throws {
        try writeFile(
            """
            apiVersion: bottle/v1
            kind: Bottle
            metadata: {name: \(contender.bottle("loop"))}
            spec:
              agent:
                image: \(contender.image("agent"))
                command: [sleep, infinity]
                env: {BENCH: "\(variable)"}
              egress:
                firewall: squid
                network: \(Engine.outer)
                private: [\(subnet)]
                trust: [\(Engine.certificate)]
              egress_proxy:
                routes:
                  - host: \(Engine.host)
                    methods: any
                    auth: {scheme: Bearer, token_ref: BENCH_TOKEN}
                    path_allowlist: [\(paths.joined(separator: ", "))]

            """,
            to: manifest(contender)
        )
    }

    // MARK: - Beside docker compose

    /// In turn: one of them is up at a time, so that all have the same addresses.
    private func compose() async throws {
        let sheet = session.sheet("loop compose")
        note("beside docker compose \(try await docker("compose", "version", "--short"))")
        // The peer is made of the first bottle; and all begin with warm caches.
        for round in 0...rounds {
            if round > 0 { note("round \(round) of \(rounds)") }
            let kept = round > 0 ? sheet : Sheet(group: sheet.group, recorder: Recorder())
            for contender in session.contenders(round) { try await ofBottle(contender, round, kept) }
            try await ofPeer(round, kept)
        }
        for name in ["one variable of the agent", "down"] { sheet.compare(name, with: "compose") }
        sheet.compare("nothing changed", with: "compose", atMost: 0.35)
        sheet.compare("cold", with: "compose", atMost: 0.8)
        sheet.compare("route in effect", with: "compose", atMost: 0.2)
    }

    private func ofBottle(_ contender: Contender, _ round: Int, _ sheet: Sheet) async throws {
        let apply = { _ = try await contender.apply(manifest(contender)) }
        try writeBottle(contender, "\(round)-0", "/v1/")
        sheet.add("cold", contender.way, try await milliseconds(apply))
        for _ in 0..<3 { sheet.add("nothing changed", contender.way, try await milliseconds(apply)) }
        try writeBottle(contender, "\(round)", "/v1/")
        sheet.add("one variable of the agent", contender.way, try await milliseconds(apply))
        let path = "/bottle-\(round)/"
        try writeBottle(contender, "\(round)", "/v1/", path)
        let agent = contender.container("loop", "agent")
        sheet.add("route in effect", contender.way, try await effective(agent, path, apply))
        if round == 0, contender.way == "bottle" { try await ComposePeer.write(from: contender) }
        sheet.add(
            "down",
            contender.way,
            try await milliseconds { try await contender.delete(contender.bottle("loop")) }
        )
    }

    private func ofPeer(_ round: Int, _ sheet: Sheet) async throws {
        let before = "\(round)-0", after = "\(round)"
        let up = { (variable: String) in try await ComposePeer.compose("up", "-d", "--wait", variable: variable) }
        sheet.add("cold", "compose", try await milliseconds { _ = try await up(before) })
        for _ in 0..<3 {
            let time = try await milliseconds { try await ComposePeer.compose("up", "-d", variable: before) }
            sheet.add("nothing changed", "compose", time)
        }
        sheet.add("one variable of the agent", "compose", try await milliseconds { _ = try await up(after) })
        let recreated = try await effective(ComposePeer.agent, "/peer-\(round)/") {
            try await ComposePeer.allow("/peer-\(round)/")
            let proxy = "egress-proxy"
            try await ComposePeer.compose("up", "-d", "--wait", "--no-deps", "--force-recreate", proxy, variable: after)
        }
        sheet.add("route in effect", "compose", recreated)
        let signalled = try await effective(ComposePeer.agent, "/signal-\(round)/") {
            try await ComposePeer.allow("/signal-\(round)/")
            try await ComposePeer.compose("kill", "--signal", "HUP", "egress-proxy", variable: after)
        }
        sheet.add("route in effect", "signal", signalled)
        let down = try await milliseconds { try await ComposePeer.compose("down", "--volumes", variable: after) }
        sheet.add("down", "compose", down)
    }

    /// From the start of `change` until a request that was refused before reaches the server.
    ///
    /// The client in the agent's container asks again and again from before the change on.
    private func effective(
        _ agent: String,
        _ path: String,
        _ change: () async throws -> Void
    ) async throws -> Double {
        async let answered = docker("exec", agent, "sh", "-c", Self.ask, "-", "https://\(Engine.host)\(path)")
        try await Task.sleep(for: .milliseconds(300))
        let begun = now()
        try await change()
        guard let moment = Double(try await answered) else { throw BenchError("the new route never answered: \(path)") }
        return moment / 1e6 - begun
    }

    private static let ask = """
        end=$(($(date +%s) + 60))
        while [ "$(date +%s)" -lt "$end" ]; do
            case $(curl -so /dev/null -w "%{http_code}" --max-time 2 "$1") in
                403 | 000 | 502) sleep 0.01 ;;
                *) date +%s%N; exit ;;
            esac
        done
        """

    // MARK: - In memory

    /// Many bottles on an engine in memory: the loop's own part, without the time of a real engine.
    ///
    /// The one in memory walks through all it holds at each call, so that making a thousand (BENCH_BOTTLES=1000) takes
    /// five minutes by itself.
    private func memory() async throws {
        let counts = ["50", ProcessInfo.processInfo.environment["BENCH_BOTTLES"] ?? "200"]
        let figures = [
            ("firstPassesMs", "all made", "ms"), ("allPassesMs", "all looked at by a second controller", "ms"),
            ("passMs", "one pass that finds nothing", "ms"), ("lookMs", "one look at the lists", "ms"),
            ("mostMiB", "process", "MiB"), ("worldMiB", "process before the second controller", "MiB"),
        ]
        for count in counts {
            note("\(count) bottles in memory")
            try await probe("loop memory", [count], figures) { "\(count) bottles, \($0)" }
        }
    }

    /// The desired state by itself: a commit of one remediation, and what a thousand bottles with ten each come to.
    private func desired() async throws {
        note("the desired state")
        let figures = [
            ("commitMs", "commit of one remediation, p50", "ms"),
            ("commitP95Ms", "commit of one remediation, p95", "ms"),
            ("mergeMs", "1000 bottles with ten remediations each", "ms"),
            ("readAndMergeMs", "the same, all texts read again", "ms"),
        ]
        try await probe("loop desired", ["desired", "1000"], figures) { $0 }
        let sheet = session.sheet("loop desired")
        sheet.compare(figures[0].1, atMost: 40)
        sheet.compare(figures[2].1, atMost: 200)
    }

    /// One figure of each run of the probes; two of them are measured in turn, as often as there are rounds.
    private func probe(
        _ group: String,
        _ arguments: [String],
        _ figures: [(key: String, name: String, unit: String)],
        _ named: (String) -> String
    ) async throws {
        for round in 0..<(session.probes.count > 1 ? rounds : 1) {
            for (way, command) in round.isMultiple(of: 2) ? session.probes : session.probes.reversed() {
                let output = try await Command(command + arguments).run()
                let values = try JSONDecoder().decode([String: Double].self, from: Data(output.utf8))
                for figure in figures {
                    guard let value = values[figure.key] else { continue }
                    session.sheet(group).add(named(figure.name), way, value, unit: figure.unit)
                }
            }
        }
    }
}
