import FoundationEssentials
import ReconcilerEngine
import ReconcilerTime
import Testing

/// `bottle run --metrics`: what a controller tells those who watch over it.
@Suite(.needsEngine) struct MetricsTests {
    @Test func aHealedSidecarIsInTheMetricsTheLogTheResultAndTheLastPasses() async throws {
        try await BottleFixture.run { fixture in
            let sample = SampleBottle(name: fixture.name(), agent: ["command: [sleep, infinity]"])
            try await fixture.applied(sample)
            try await fixture.underController(through: fixture.withMetrics("-o json >'\(fixture.results)'")) { log in
                let page = try await fixture.metricsPage(log)
                try await fixture.until("it is ready") { try await page.status("/readyz") == 200 }
                #expect(try await page.status("/healthz") == 200)
                try await fixture.until("the bottle was looked at") {
                    try await page.metric("bottle_condition_bottles{condition=\"Ready\"}") == 1
                }
                let starts = "bottle_actions_total{verb=\"start\",outcome=\"done\"}"
                let passes = "bottle_passes_total{outcome=\"converged\"}"
                let before = (
                    starts: try await page.metric(starts), passes: try await page.metric(passes),
                    drift: try await page.metric("bottle_drift_total{kind=\"stopped\"}")
                )
                try await fixture.heals(sample, agentStays: true, "firewall killed") {
                    try await fixture.docker("kill", "bottle-\(sample.name)-firewall")
                }
                try await fixture.until("the start is counted") {
                    let now = try await page.metric(starts)
                    return now != nil && now == before.starts.map { $0 + 1 }
                }
                // Of the pass that healed it; another may end meanwhile.
                let drift = "bottle_drift_total{kind=\"stopped\"}"
                try await fixture.until("the pass is counted with its drift") {
                    let counts = (try await page.metric(passes) ?? 0, try await page.metric(drift) ?? 0)
                    return counts.0 > before.passes ?? .infinity && counts.1 > before.drift ?? .infinity
                }
                #expect(try await page.metric("bottle_oldest_unconverged_change_age_seconds") == 0)
                #expect(try await page.metric("bottle_bottles") == 1)
                let inspections = "bottle_engine_calls_total{endpoint=\"GET /containers/{id}/json\",code=\"200\"}"
                #expect(try await page.metric(inspections) ?? 0 > 0)
                let text = try await page.text("/metrics")
                for word in [sample.name, fixture.folder] { #expect(!text.contains(word), "\(text)") }

                // The pass that healed it, by its id.
                func isOfIt(_ line: JSON) -> Bool { line["verb"].text == "start" && line["outcome"].text == "done" }
                try await fixture.until("the log has its end") {
                    let lines = try fixture.logLines(log)
                    let pass = lines.last(where: isOfIt)?["pass"].text
                    return lines.contains { $0["message"].text == "pass ended" && $0["pass"].text == pass }
                }
                let lines = try fixture.logLines(log)
                let started = lines.last(where: isOfIt)
                let pass = try #require(started?["pass"].text)
                #expect(pass.count == 8)
                #expect(started?["bottle"].text == sample.name)
                #expect(started?["object"].text == "container/firewall")
                let ended = lines.first { $0["message"].text == "pass ended" && $0["pass"].text == pass }
                #expect(ended?["outcome"].text == "converged")
                #expect(lines.contains { $0["message"].text == "drift" && $0["pass"].text == pass })
                let described = try await fixture.bottle("describe", sample.name, "-o", "json").document()
                #expect(described["passes"].list.contains { $0["id"].text == pass })
                let results = try fixture.jsonLines(of: fixture.results)
                #expect(results.contains { $0["bottles"][0]["pass"].text == pass }, "\(results)")
            }
        }
    }

    @Test func anEngineThatIsGoneMakesItUnreadyAndNotUnhealthy() async throws {
        try await BottleFixture.run { fixture in
            let sample = SampleBottle.alone(fixture.name())
            try await fixture.applied(sample)
            let relay = try await fixture.relay()
            try await relay.start()
            let environment = ["DOCKER_HOST": "unix://\(relay.socket)"]
            try await fixture.underController(environment: environment, through: fixture.withMetrics()) { log in
                let page = try await fixture.metricsPage(log)
                try await fixture.until("it is ready") { try await page.status("/readyz") == 200 }
                #expect(try await page.metric("bottle_ready") == 1)
                try await relay.stop()
                try await fixture.until("it is not") { try await page.status("/readyz") == 503 }
                #expect(try await page.metric("bottle_ready") == 0)
                #expect(try await page.status("/healthz") == 200)
                try await relay.start()
                try await fixture.until("it is again") { try await page.status("/readyz") == 200 }
            }
            try await relay.stop()
        }
    }

    @Test func aRequestInAnotherNameOrWithAnotherMethodGetsNothing() async throws {
        try await BottleFixture.run { fixture in
            try await fixture.applied(SampleBottle.alone(fixture.name()))
            try await fixture.underController(through: fixture.withMetrics()) { log in
                let page = try await fixture.metricsPage(log)
                #expect(try await page.status("/metrics") == 200)
                #expect(try await page.status("/metrics", "-H", "Host: rebound.example") == 421)
                #expect(try await page.status("/metrics", "-H", "Origin: http://rebound.example") == 403)
                #expect(try await page.status("/metrics", "-X", "POST") == 405)
                #expect(try await page.status("/metrics", "-d", "body") == 405)
                #expect(try await page.status("/other") == 404)
            }
        }
    }

    @Test(
        arguments: ["0.0.0.0:0", ":9464", "[::]:9464", "192.168.0.1:9464", "127.0.0.1", "example.com:80", "on", ""]
    )
    func whereOthersCouldComeNothingIsServed(address: String) async throws {
        try await BottleFixture.run { fixture in
            let run = try await fixture.bottle("run", "--metrics", address)
            #expect(run.status == 64, "\(run)")
            #expect(!exists(fixture.state))
        }
    }

    @Test func aPortThatIsTakenIsSaidBeforeAnythingIsDone() async throws {
        try await BottleFixture.run { fixture in
            try await fixture.applied(SampleBottle.alone(fixture.name()))
            try await fixture.underController(through: fixture.withMetrics()) { log in
                let page = try await fixture.metricsPage(log)
                let elsewhere = ["BOTTLE_STATE_DIR": "\(fixture.folder)/other"]
                let second = try await fixture.bottle("run", "--metrics", page.address, environment: elsewhere)
                #expect(second.status == 1, "\(second)")
                #expect(second.errors.contains(page.address), "\(second)")
            }
        }
    }
}

/// A socket that leads to the engine as long as a process passes bytes on.
private struct EngineRelay {
    let fixture: BottleFixture
    /// The engine's own socket.
    let engine: String

    var socket: String { "\(fixture.folder)/relay.sock" }
    private var process: String { "\(fixture.folder)/relay.pid" }

    /// Returns once the socket answers.
    func start() async throws {
        let script = try fixture.write(Self.program, to: "relay.py")
        let line = "rm -f '\(socket)'; setsid python3 '\(script)' '\(socket)' '\(engine)' >/dev/null 2>&1 </dev/null &"
        _ = try await fixture.run(["sh", "-c", "\(line) echo $! >'\(process)'"])
        try await fixture.until("the relay listens") { exists(socket) }
    }

    /// Ends every connection through it, and lets none come.
    func stop() async throws {
        _ = try await fixture.run(["sh", "-c", "kill -KILL $(cat '\(process)'); rm -f '\(socket)'"])
    }

    private static let program = """
        import socket, sys, threading

        def pump(source, target):
            try:
                while data := source.recv(65536):
                    target.sendall(data)
                target.shutdown(socket.SHUT_WR)
            except OSError:
                pass

        listener = socket.socket(socket.AF_UNIX)
        listener.bind(sys.argv[1])
        listener.listen(64)
        while True:
            client = listener.accept()[0]
            engine = socket.socket(socket.AF_UNIX)
            engine.connect(sys.argv[2])
            for pair in (client, engine), (engine, client):
                threading.Thread(target=pump, args=pair, daemon=True).start()

        """
}

/// The pages of one controller.
private struct MetricsPage {
    let fixture: BottleFixture
    /// Host and port.
    let address: String

    func text(_ path: String) async throws -> String {
        try await fixture.run(["curl", "-sS", "--max-time", "20", "http://\(address)\(path)"]).output
    }

    func status(_ path: String, _ arguments: String...) async throws -> Int? {
        let line = ["curl", "-sS", "--max-time", "20", "-o", "/dev/null", "-w", "%{http_code}"]
        return Int(try await fixture.run(line + arguments + ["http://\(address)\(path)"]).output)
    }

    /// The value of one sample; nil: there is none.
    func metric(_ sample: String) async throws -> Double? {
        try await text("/metrics").split(separator: "\n").first { $0.hasPrefix("\(sample) ") }
            .flatMap { Double($0.dropFirst(sample.count + 1)) }
    }
}

extension BottleFixture {
    /// The beginning of a command line that adds metrics on a free port, and a log as JSON, to the arguments.
    fileprivate nonisolated func withMetrics(_ more: String = "") -> String {
        "sh -c 'exec \"$@\" --metrics 127.0.0.1:0 --log-format json \(more.replacing("'", with: "'\\''"))' sh"
    }

    /// A way to the engine that a test can cut; one that was left is cut at the end.
    fileprivate nonisolated func relay() async throws -> EngineRelay {
        let known = environment["DOCKER_HOST"] ?? "unix:///var/run/docker.sock"
        try #require(known.hasPrefix("unix://"))
        let relay = EngineRelay(fixture: self, engine: String(known.dropFirst("unix://".count)))
        await onTearDown { try await relay.stop() }
        return relay
    }

    /// Where results go.
    fileprivate nonisolated var results: String { "\(folder)/results" }

    /// Where a controller that logs as JSON says that its metrics are.
    fileprivate nonisolated func metricsPage(_ log: () throws -> String) async throws -> MetricsPage {
        let told = try logLines(log).first { $0["message"].text == "metrics are served" }
        return MetricsPage(fixture: self, address: try #require(told)["address"].text)
    }

    /// The log; every line of it is an object with what each has.
    fileprivate nonisolated func logLines(_ log: () throws -> String) throws -> [JSON] {
        let lines = try jsonLines(try log())
        for line in lines {
            #expect(Timestamp(rfc3339: line["time"].text) != nil, "\(line)")
            #expect(["debug", "info", "warning", "error"].contains(line["level"].text), "\(line)")
            #expect(!line["message"].text.isEmpty, "\(line)")
        }
        return lines
    }

    fileprivate nonisolated func jsonLines(of file: String) throws -> [JSON] {
        try jsonLines(String(decoding: Data(contentsOf: URL(filePath: file)), as: UTF8.self))
    }

    private nonisolated func jsonLines(_ text: String) throws -> [JSON] {
        // The last line may be half written.
        try text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map { line in
            try JSONDecoder().decode(JSON.self, from: Data(line.utf8))
        }
    }
}
