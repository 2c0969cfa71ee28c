import FoundationEssentials
import Reconciler
import ReconcilerPlatform
import Testing

/// An engine that is killed between an agent's question and its answer, while the containers live on.
@Suite("An agent that waits while its engine is killed", .serialized, .needsEngine, .needsOwnEngine)
struct EngineGoneTests {
    @Test(
        "is answered by the call that it made, whenever that was, and what it asked for is done once",
        .timeLimit(.minutes(5))
    )
    func killed() async throws {
        try await BottleFixture.run { fixture in
            let engine = try await OwnEngine.start(in: fixture, images: ["bottle/firewall", "bottle/supervise"])
            let bottle = try await SupervisedBottle.applied(in: fixture, on: engine)
            let lives = try await bottle.lives()
            try await fixture.underController(environment: bottle.here) { _ in
                try await bottle.ask("one.bt.test")
                let first = try await fixture.asked(by: bottle.sample, environment: bottle.here)["id"].text
                // Before the decision: what can't be put in force is not approved, and goes on waiting.
                try await engine.kill()
                let early = try await fixture.bottle("approve", first, environment: bottle.here)
                #expect(early.status == 1, "\(early)")
                try await engine.launch("--live-restore")
                #expect(try await fixture.asked(by: bottle.sample, environment: bottle.here)["state"].text == "pending")

                // Right after the commit, and again while what was approved is put in force by the next pass.
                let head = try fixture.desiredHead()
                async let approved = fixture.bottle("approve", first, "--reason", "go on", environment: bottle.here)
                try await bottle.soon("it is committed") { try fixture.desiredHead() != head }
                try await engine.kill()
                _ = try await approved
                let length = try bottle.auditLength()
                try await engine.launch("--live-restore")
                try await bottle.soon("the pass begins") {
                    try bottle.auditLength() != length || bottle.heard("one.bt.test") != nil
                }
                try await engine.kill()
                try await engine.launch("--live-restore")
                try await bottle.expectHeard("one.bt.test", "applied", "go on")

                // A no needs no engine: the agent hears it while there is none.
                try await bottle.ask("two.bt.test")
                let second = try await fixture.asked(by: bottle.sample, environment: bottle.here)["id"].text
                try await engine.kill()
                let rejected = try await fixture.bottle(
                    "reject",
                    second,
                    "--reason",
                    "not that",
                    environment: bottle.here
                )
                #expect(rejected.status == 0, "\(rejected)")
                try await bottle.expectHeard("two.bt.test", "rejected", "not that")
                try await engine.launch("--live-restore")
                try await fixture.until("all is well") {
                    try await fixture.bottle("diff", bottle.sample.name, environment: bottle.here).status == 0
                }
                let made = try await fixture.bottle(
                    "remediations",
                    bottle.sample.name,
                    "-o",
                    "json",
                    environment: bottle.here
                )
                #expect(try made.document()["items"].list.map(\.["proposal"].text) == [first])
                let allowed = try await engine.docker("exec", bottle.firewall, "cat", "/etc/firewall/allowlist")
                #expect(allowed.contains("one.bt.test") && !allowed.contains("two.bt.test"), "\(allowed)")
                #expect(try await bottle.lives() == lives)
            }
        }
    }
}

/// A bottle on an engine that is killed, whose agent leaves what it hears in a file.
private struct SupervisedBottle: Sendable {
    let fixture: BottleFixture
    let engine: OwnEngine
    let sample: SampleBottle

    /// The agent's, as the host counts.
    let process: String

    static func applied(in fixture: BottleFixture, on engine: OwnEngine) async throws -> SupervisedBottle {
        let sample = SampleBottle(
            name: fixture.name(),
            image: "bottle/firewall",
            agent: ["command: [sleep, infinity]", "user: root"],
            allowlist: ["files.bt.test"]
        ).with { $0.supervise = true }
        let applied = try await fixture.apply(sample, environment: ["DOCKER_HOST": engine.host])
        try #require(applied.status == 0, "\(applied)")
        let process = try await engine.docker("inspect", "-f", "{{.State.Pid}}", "bottle-\(sample.name)-agent")
        return SupervisedBottle(fixture: fixture, engine: engine, sample: sample, process: process)
    }

    var here: [String: String] { ["DOCKER_HOST": engine.host] }
    var agent: String { "bottle-\(sample.name)-agent" }
    var firewall: String { "bottle-\(sample.name)-firewall" }

    /// Ids of all containers, and when each was started.
    func lives() async throws -> String {
        let names = ["agent", "firewall", "supervise"].map { "bottle-\(sample.name)-\($0)" }
        let format = "{{.Id}} {{.State.Running}} {{.State.StartedAt}}"
        return try await engine.docker("inspect", "-f", format, names[0], names[1], names[2])
    }

    /// How much is on record; a pass says what it is about to do before it does anything.
    func auditLength() throws -> Int {
        try DurableFile.read("\(fixture.state)/audit.jsonl", limit: 1 << 24)?.count ?? 0
    }

    /// Waits for something that is due at once, without taking long to notice it.
    func soon(_ what: String, _ isSo: () throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(120)
        while try !isSo() {
            guard ContinuousClock.now < deadline else {
                Issue.record("waited in vain: \(what)")
                return
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Asks for a host from inside the agent, by a process that no client of the engine holds on to.
    func ask(_ host: String) async throws {
        _ = try await engine.docker("exec", "-d", agent, "bash", "-c", Self.asking, "ask", host)
    }

    /// The image has no client, but bash opens connections.
    private static let asking = """
        ask() {
            exec 3<>/dev/tcp/supervise/9100
            printf 'POST /mcp HTTP/1.1\\r\\nHost: supervise:9100\\r\\nContent-Type: application/json\\r\\n%b' "$1" >&3
            printf 'Accept: application/json, text/event-stream\\r\\nConnection: close\\r\\n' >&3
            printf 'Content-Length: %s\\r\\n\\r\\n%s' "${#2}" "$2" >&3
            cat <&3
        }
        session=$(ask '' '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18",\
        "capabilities":{}}}' | tr -d '\\r' | sed -n 's/^mcp-session-id: //Ip')
        ask "Mcp-Session-Id: $session\\r\\n" '{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":\
        "firewall-block","arguments":{"hosts":"'$1'","justification":"to go on"}}}' >/var/tmp/$1.part
        mv /var/tmp/$1.part /var/tmp/$1
        """

    /// What the agent heard in answer to its question, once it has; read without the engine.
    func heard(_ host: String) throws -> String? {
        let path = "/proc/\(process)/root/var/tmp/\(host)"
        return try DurableFile.read(path, limit: 1 << 20).map { String(decoding: $0, as: UTF8.self) }
    }

    func expectHeard(_ host: String, _ state: String, _ words: String) async throws {
        try await fixture.until("it is answered") { try heard(host) != nil }
        let told = try heard(host) ?? ""
        #expect(told.contains(#""state":"\#(state)""#) && told.contains(words), "\(told)")
        #expect(told.split(separator: "\n").count { $0.contains(#""result""#) } == 1, "\(told)")
    }
}
