import ReconcilerModel
import ReconcilerPlatform
import ReconcilerProposals
import ReconcilerSupervise
import ReconcilerTime
import Synchronization
import Testing

@Suite("The broker of proposals")
struct ProposalBrokerTests {
    /// A queue with both its sides, and a clock that stands.
    private final class QueueFixture: Sendable {
        let folder: String
        let host: ProposalQueue
        let clock = Mutex<Int64>(1_800_000_000)

        init() throws {
            folder = "/tmp/bottle-queue-test.\(POSIX.randomHexadecimal())"
            host = ProposalQueue(try Identity("dev"), folder: folder)
            try POSIX.makeFolder(folder)
            try host.prepare()
            try publish(allowing: ["raw.example.org"])
        }

        deinit { try? POSIX.removeTree(folder) }

        func publish(allowing hosts: [String]) throws {
            let policy = SupervisedPolicy(
                bottle: try Identity("dev"),
                allowlist: try hosts.map { try HostPattern($0) }
            )
            try host.publish(SupervisedState(policy: policy, revision: "abc"))
        }

        var now: Timestamp { Timestamp(seconds: clock.withLock { $0 }) }

        func pass(_ seconds: Int64) { clock.withLock { $0 += seconds } }

        /// A broker as a sidecar that has just started has it.
        func broker(_ change: (inout SuperviseLimits) -> Void = { _ in }) async throws -> ProposalBroker {
            var limits = SuperviseLimits()
            change(&limits)
            let log = EventLog(time: TimeSource(now: { self.now })) { _ in }
            let broker = try ProposalBroker(
                queue: SidecarQueue(folder: folder),
                limits: limits,
                time: TimeSource(now: { self.now }),
                log: log
            )
            await broker.look()
            return broker
        }

        func decide(_ id: ProposalID, _ state: ProposalAnswer.State, by broker: ProposalBroker) async throws {
            try host.tell(ProposalAnswer(id: id, state: state, time: now))
            // A folder's time may not tell two changes apart: the tenth look is whole.
            for _ in 0..<10 { await broker.look() }
        }
    }

    private let fixture: QueueFixture

    init() throws { fixture = try QueueFixture() }

    private func ask(_ broker: ProposalBroker, _ host: String = "a.example") async -> ProposalBroker.Submission {
        await broker.submit(.firewallBlock, argument: host, justification: "because of \(host)")
    }

    private func proposed(_ broker: ProposalBroker, _ host: String = "a.example") async throws -> ProposalID {
        guard case .waiting(let id, _) = await ask(broker, host) else {
            throw Unexpected()
        }
        return id
    }

    private struct Unexpected: Error {}

    private func decision(_ submission: ProposalBroker.Submission) -> ProposalAnswer.State? {
        if case .decided(let answer) = submission { answer.state } else { nil }
    }

    private func refusal(_ submission: ProposalBroker.Submission) -> String? {
        if case .refused(let reasons) = submission { reasons.joined() } else { nil }
    }

    @Test("joins the same question, however it is written and whatever its reason, also after a restart")
    func joins() async throws {
        let broker = try await fixture.broker()
        let id = try await proposed(broker)
        #expect(
            await broker.submit(.firewallBlock, argument: "# x\na.example\n", justification: "y")
                == .waiting(id, isNew: false)
        )
        #expect(try fixture.host.listing().proposals.map(\.justification) == ["because of a.example"])
        #expect(await ask(try await fixture.broker()) == .waiting(id, isNew: false))
    }

    @Test("gives an unheard decision to the next that asks, after a week, and after a restart")
    func unheard() async throws {
        let broker = try await fixture.broker()
        let id = try await proposed(broker)
        try await fixture.decide(id, .rejected, by: broker)
        fixture.pass(6 * 24 * 3600)
        await broker.pulse()
        #expect(decision(await ask(broker)) == .rejected)
        #expect(decision(await ask(try await fixture.broker())) == .rejected)
    }

    @Test("gives a decision that was heard for ten minutes, then asks again under another id")
    func heard() async throws {
        let broker = try await fixture.broker()
        let id = try await proposed(broker)
        try await fixture.decide(id, .rejected, by: broker)
        await broker.wasHeard(id)
        fixture.pass(599)
        #expect(decision(await ask(broker)) == .rejected)
        fixture.pass(1)
        let next = try await proposed(broker)
        #expect(next != id && next.question == id.question && next > id)
        await broker.pulse()
        #expect(try fixture.host.listing().proposals.map(\.id) == [next])
        // What the host still has of the first is not taken for an answer to the second.
        #expect(await ask(broker) == .waiting(next, isNew: false))
    }

    @Test("says of what was applied that it was, while it is in force, and asks again once it is not")
    func applied() async throws {
        let broker = try await fixture.broker()
        let id = try await proposed(broker)
        try fixture.publish(allowing: ["raw.example.org", "a.example"])
        try await fixture.decide(id, .applied, by: broker)
        await broker.wasHeard(id)
        #expect(decision(await ask(broker)) == .applied)
        fixture.pass(600)
        await broker.pulse()
        #expect(refusal(await ask(broker))?.contains("already in force") == true)
        try fixture.publish(allowing: ["raw.example.org"])
        for _ in 0..<10 { await broker.look() }
        #expect(try await proposed(broker) > id)
    }

    @Test("tells those who wait what comes, and each only of its own")
    func notices() async throws {
        let broker = try await fixture.broker()
        let ids = [try await proposed(broker, "a.example"), try await proposed(broker, "b.example")]
        var streams: [AsyncStream<ProposalBroker.Notice>] = []
        for id in ids {
            let (stream, caller) = AsyncStream.makeStream(of: ProposalBroker.Notice.self)
            _ = await broker.join(id, caller)
            streams.append(stream)
        }
        await broker.pulse()
        try await fixture.decide(ids[0], .approved, by: broker)
        try await fixture.decide(ids[1], .rejected, by: broker)
        try await fixture.decide(ids[0], .applied, by: broker)
        #expect(await broker.waiting == 0)
        var told: [[String]] = []
        for stream in streams {
            told.append(
                await stream.reduce(into: []) { words, notice in
                    switch notice {
                    case .pulse: words.append("pulse")
                    case .answer(let answer): words.append(answer.state.rawValue)
                    }
                }
            )
        }
        #expect(told == [["pulse", "approved", "applied"], ["pulse", "rejected"]])
    }

    @Test("takes so many at once, and so fast, and no more")
    func bounds() async throws {
        let crowded = try await fixture.broker { $0.pending = 2 }
        for host in ["a.example", "b.example"] { _ = try await proposed(crowded, host) }
        #expect(refusal(await ask(crowded, "c.example"))?.contains("2 proposals wait") == true)
        let fast = try await fixture.broker { limits in
            limits.burst = 1
            limits.refill = 1_000_000
        }
        _ = try await proposed(fast, "c.example")
        #expect(refusal(await ask(fast, "d.example"))?.contains("too fast") == true)
        // Those that are there are joined all the same.
        #expect(
            try await proposed(fast, "a.example")
                == fixture.host.listing().proposals.first { $0.argument == "a.example" }?.id
        )
    }

    @Test("makes room by dropping what was heard, never what was not")
    func room() async throws {
        let broker = try await fixture.broker { $0.queued = 2 }
        let first = try await proposed(broker, "a.example")
        let second = try await proposed(broker, "b.example")
        for id in [first, second] { try await fixture.decide(id, .rejected, by: broker) }
        #expect(refusal(await ask(broker, "c.example"))?.contains("nobody heard") == true)
        await broker.wasHeard(second)
        let third = try await proposed(broker, "c.example")
        #expect(Set(try fixture.host.listing().proposals.map(\.id)) == [first, third])
    }

    @Test("knows nothing before the host has said what is in force")
    func unknown() async throws {
        try DurableFile.remove("\(fixture.host.outFolder)/current.json")
        let broker = try await fixture.broker()
        #expect(refusal(await ask(broker))?.contains("not known yet") == true)
        try fixture.publish(allowing: [])
        for _ in 0..<10 { await broker.look() }
        _ = try await proposed(broker)
    }

    @Test("removes what a killed sidecar left half written, and nothing else")
    func leftovers() async throws {
        let id = try await proposed(try await fixture.broker())
        for name in [".\(id).json.0123456789abcdef.tmp", "other"] {
            try DurableFile.write([1], to: "\(fixture.host.inFolder)/\(name)")
        }
        _ = try await fixture.broker()
        #expect(try POSIX.names(in: fixture.host.inFolder) == ["\(id).json", "other"])
    }
}
