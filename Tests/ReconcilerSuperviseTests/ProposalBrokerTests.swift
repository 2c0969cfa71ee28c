import ReconcilerModel
import ReconcilerPlatform
import ReconcilerProposals
import ReconcilerSupervise
import ReconcilerTime
import Synchronization
import Testing

@Suite("The desk of proposals")
struct ProposalBrokerTests {
    /// A queue with both its sides, and a clock that stands.
    private final class Bed: Sendable {
        let folder: String
        let host: ProposalQueue
        let clock = Mutex<Int64>(1_800_000_000)

        init() throws {
            folder = "/tmp/bottle-desk-test.\(POSIX.randomHexadecimal())"
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

        /// A desk as a sidecar that has just started has it.
        func desk(_ change: (inout SuperviseLimits) -> Void = { _ in }) async throws -> ProposalBroker {
            var limits = SuperviseLimits()
            change(&limits)
            let log = EventLog(time: TimeSource(now: { self.now })) { _ in }
            let desk = try ProposalBroker(
                queue: SidecarQueue(folder: folder),
                limits: limits,
                time: TimeSource(now: { self.now }),
                log: log
            )
            await desk.look()
            return desk
        }

        func decide(_ id: ProposalID, _ state: ProposalAnswer.State, by desk: ProposalBroker) async throws {
            try host.tell(ProposalAnswer(id: id, state: state, time: now))
            // A folder's time may not tell two changes apart: the tenth look is whole.
            for _ in 0..<10 { await desk.look() }
        }
    }

    private let bed: Bed

    init() throws { bed = try Bed() }

    private func ask(_ desk: ProposalBroker, _ host: String = "a.example") async -> ProposalBroker.Submission {
        await desk.submit(.firewallBlock, argument: host, justification: "because of \(host)")
    }

    private func proposed(_ desk: ProposalBroker, _ host: String = "a.example") async throws -> ProposalID {
        guard case .waiting(let id, _) = await ask(desk, host) else {
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
        let desk = try await bed.desk()
        let id = try await proposed(desk)
        #expect(
            await desk.submit(.firewallBlock, argument: "# x\na.example\n", justification: "y")
                == .waiting(id, isNew: false)
        )
        #expect(try bed.host.listing().proposals.map(\.justification) == ["because of a.example"])
        #expect(await ask(try await bed.desk()) == .waiting(id, isNew: false))
    }

    @Test("gives a decision that nobody heard to whoever asks again, after a week, and after a restart")
    func unheard() async throws {
        let desk = try await bed.desk()
        let id = try await proposed(desk)
        try await bed.decide(id, .rejected, by: desk)
        bed.pass(6 * 24 * 3600)
        await desk.pulse()
        #expect(decision(await ask(desk)) == .rejected)
        #expect(decision(await ask(try await bed.desk())) == .rejected)
    }

    @Test("gives a decision that was heard for ten minutes, then asks anew under another id")
    func heard() async throws {
        let desk = try await bed.desk()
        let id = try await proposed(desk)
        try await bed.decide(id, .rejected, by: desk)
        await desk.wasHeard(id)
        bed.pass(599)
        #expect(decision(await ask(desk)) == .rejected)
        bed.pass(1)
        let next = try await proposed(desk)
        #expect(next != id && next.question == id.question && next > id)
        await desk.pulse()
        #expect(try bed.host.listing().proposals.map(\.id) == [next])
        // What the host still has of the first is not taken for an answer to the second.
        #expect(await ask(desk) == .waiting(next, isNew: false))
    }

    @Test("says of what was applied that it was, while it is in force, and asks anew once it is not")
    func applied() async throws {
        let desk = try await bed.desk()
        let id = try await proposed(desk)
        try bed.publish(allowing: ["raw.example.org", "a.example"])
        try await bed.decide(id, .applied, by: desk)
        await desk.wasHeard(id)
        #expect(decision(await ask(desk)) == .applied)
        bed.pass(600)
        await desk.pulse()
        #expect(refusal(await ask(desk))?.contains("already in force") == true)
        try bed.publish(allowing: ["raw.example.org"])
        for _ in 0..<10 { await desk.look() }
        #expect(try await proposed(desk) > id)
    }

    @Test("tells those who wait what comes, and each only of its own")
    func notices() async throws {
        let desk = try await bed.desk()
        let ids = [try await proposed(desk, "a.example"), try await proposed(desk, "b.example")]
        var streams: [AsyncStream<ProposalBroker.Notice>] = []
        for id in ids {
            let (stream, caller) = AsyncStream.makeStream(of: ProposalBroker.Notice.self)
            _ = await desk.join(id, caller)
            streams.append(stream)
        }
        await desk.pulse()
        try await bed.decide(ids[0], .approved, by: desk)
        try await bed.decide(ids[1], .rejected, by: desk)
        try await bed.decide(ids[0], .applied, by: desk)
        #expect(await desk.waiting == 0)
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
        let crowded = try await bed.desk { $0.pending = 2 }
        for host in ["a.example", "b.example"] { _ = try await proposed(crowded, host) }
        #expect(refusal(await ask(crowded, "c.example"))?.contains("2 proposals wait") == true)
        let fast = try await bed.desk { limits in
            limits.burst = 1
            limits.refill = 1_000_000
        }
        _ = try await proposed(fast, "c.example")
        #expect(refusal(await ask(fast, "d.example"))?.contains("too fast") == true)
        // Those that are there are joined all the same.
        #expect(
            try await proposed(fast, "a.example")
                == bed.host.listing().proposals.first { $0.argument == "a.example" }?.id
        )
    }

    @Test("makes room by what was heard, and never by what nobody heard")
    func room() async throws {
        let desk = try await bed.desk { $0.queued = 2 }
        let first = try await proposed(desk, "a.example")
        let second = try await proposed(desk, "b.example")
        for id in [first, second] { try await bed.decide(id, .rejected, by: desk) }
        #expect(refusal(await ask(desk, "c.example"))?.contains("nobody heard") == true)
        await desk.wasHeard(second)
        let third = try await proposed(desk, "c.example")
        #expect(Set(try bed.host.listing().proposals.map(\.id)) == [first, third])
    }

    @Test("knows nothing before the host has said what is in force")
    func unknown() async throws {
        try DurableFile.remove("\(bed.host.outFolder)/current.json")
        let desk = try await bed.desk()
        #expect(refusal(await ask(desk))?.contains("not known yet") == true)
        try bed.publish(allowing: [])
        for _ in 0..<10 { await desk.look() }
        _ = try await proposed(desk)
    }

    @Test("removes what a killed sidecar left half written, and nothing else")
    func leftovers() async throws {
        let id = try await proposed(try await bed.desk())
        for name in [".\(id).json.0123456789abcdef.tmp", "other"] {
            try DurableFile.write([1], to: "\(bed.host.inFolder)/\(name)")
        }
        _ = try await bed.desk()
        #expect(try POSIX.names(in: bed.host.inFolder) == ["\(id).json", "other"])
    }
}
