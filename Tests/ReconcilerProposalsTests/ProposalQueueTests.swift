import ReconcilerModel
import ReconcilerPlatform
import ReconcilerProposals
import ReconcilerTime
import ScratchTestSupport
import Testing

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

@Suite("A bottle's queue")
struct ProposalQueueTests {
    private let scratch: Scratch
    private let queue: ProposalQueue
    private let sidecar: SidecarQueue

    init() throws {
        scratch = try Scratch()
        queue = ProposalQueue(try Identity("dev"), folder: "\(scratch.path)/dev")
        sidecar = SidecarQueue(folder: "\(scratch.path)/dev")
        try queue.prepare()
    }

    private func put(_ text: String, _ name: String) throws {
        try DurableFile.write(Array(text.utf8), to: "\(queue.inFolder)/\(name)")
    }

    private func id(_ digit: Character) -> String { String(repeating: digit, count: 32) }

    @Test("carries a proposal in and its answer out")
    func both() throws {
        let proposal = try ProposalFixture.proposal("a.example", justification: "täglich \u{1F600}\n\"quoted\" \\ text")
        try sidecar.submit(proposal)
        #expect(try queue.listing().proposals == [proposal])
        #expect(try queue.listing().ignoredCount == 0)
        #expect(try queue.proposal(proposal.id) == proposal)
        #expect(try sidecar.proposals() == [proposal])
        let answer = ProposalAnswer(
            id: proposal.id,
            state: .applied,
            time: Timestamp(seconds: 1_800_000_100),
            words: "fine, but ask\nfor less",
            revision: "abc",
            edited: "b.example"
        )
        try queue.tell(answer)
        #expect(try sidecar.answers(to: [proposal.id]) == [proposal.id: answer])
        #expect(try queue.answer(to: proposal.id) == answer)
        try sidecar.withdraw(proposal.id)
        try sidecar.withdraw(proposal.id)
        #expect(try queue.listing().proposals == [])
    }

    @Test("tells the sidecar what is in force without any secret's name, and only once")
    func state() throws {
        #expect(try sidecar.state() == nil)
        let state = SupervisedState(policy: try ProposalFixture.policy(), revision: "abc", limited: ["x: 1 use"])
        #expect(try queue.publish(state))
        #expect(try !queue.publish(state))
        let read = try #require(try sidecar.state())
        #expect(read.policy.routes.map(\.scope) == state.policy.routes.map(\.scope))
        #expect(read.policy.routes.map { $0.auth != nil } == [true, false, true])
        #expect(read.policy.allowlist == state.policy.allowlist && read.limited == state.limited)
        let file = try #require(try text("\(queue.outFolder)/current.json"))
        #expect(!file.contains("GITHUB_TOKEN") && !file.contains("Bearer"))
    }

    @Test("passes over links, pipes, sockets, folders and files with a second name, without waiting")
    func strangeFiles() throws {
        let good = try ProposalFixture.proposal("a.example")
        try sidecar.submit(good)
        let outside = "\(scratch.path)/outside.json"
        try DurableFile.write(good.bytes, to: outside)
        #expect(unsafe symlink(outside, "\(queue.inFolder)/\(id("1")).json") == 0)
        #expect(unsafe symlink("/dev/zero", "\(queue.inFolder)/\(id("2")).json") == 0)
        #expect(unsafe mkfifo("\(queue.inFolder)/\(id("3")).json", 0o600) == 0)
        try POSIX.makeFolder("\(queue.inFolder)/\(id("4")).json")
        #expect(unsafe link(outside, "\(queue.inFolder)/\(id("5")).json") == 0)
        #expect(try bindSocket("\(queue.inFolder)/\(id("6")).json"))
        #expect(unsafe symlink("\(id("7")).json", "\(queue.inFolder)/\(id("7")).json") == 0)
        let listing = try queue.listing()
        #expect(listing.proposals == [good])
        #expect(listing.ignoredCount == 7)
        #expect(
            listing.ignored.map(\.reason) == [
                "it is a symbolic link", "it is a symbolic link", "it is not a regular file",
                "it is not a regular file", "it has a second name elsewhere", "it is not a regular file",
                "it is a symbolic link",
            ]
        )
    }

    private func bindSocket(_ path: String) throws -> Bool {
        // The path is longer than an address holds: bound under a short name, then renamed.
        let short = "\(scratch.path)/s"
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: Array(short.utf8)) }
        let bound = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe bind(descriptor, address, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        return unsafe bound == 0 && rename(short, path) == 0
    }

    @Test("passes over names that are none of a proposal, and shows them in plain ASCII")
    func strangeNames() throws {
        for name in ["..json", "x\u{1B}[2J.json", "\u{202E}.json", "\(id("a").uppercased()).json", "\(id("b")).JSON"] {
            try put("{}", name)
        }
        let listing = try queue.listing()
        #expect(listing.proposals == [] && listing.ignoredCount == 5)
        for ignored in listing.ignored {
            #expect(ignored.name.utf8.allSatisfy { (0x20...0x7E).contains($0) })
        }
    }

    @Test(
        "passes over a file that is not what it says",
        arguments: [
            "", "{", "[]", "null", "{\"version\":1}", "{\"version\":2}", String(repeating: "[", count: 100_000),
            String(repeating: "x", count: 600 << 10),
        ]
    )
    func strangeContent(_ content: String) throws {
        try put(content, "\(id("a")).json")
        let listing = try queue.listing()
        #expect(listing.proposals == [] && listing.ignoredCount == 1)
    }

    @Test("passes over a proposal of another bottle, of another name, with a member too many, or another question")
    func forged() throws {
        let good = try ProposalFixture.proposal("a.example")
        let line = String(decoding: good.bytes, as: UTF8.self)
        let foreign = try ProposalFixture.proposal("a.example", bottle: "other")
        try put(String(decoding: foreign.bytes, as: UTF8.self), "\(foreign.id).json")
        try put(line, "\(id("c")).json")
        try put(line.replacing("a.example", with: "b.example"), "\(good.id).json")
        let more = try ProposalFixture.proposal("d.example")
        try put(
            String(decoding: more.bytes, as: UTF8.self).replacing("{\"version\"", with: "{\"x\":1,\"version\""),
            "\(more.id).json"
        )
        let bidi = try ProposalFixture.proposal("e.example", justification: "x")
        try put(
            String(decoding: bidi.bytes, as: UTF8.self).replacing("\"x\"", with: "\"\\u202e\""),
            "\(bidi.id).json"
        )
        let listing = try queue.listing()
        #expect(listing.proposals == [] && listing.ignoredCount == 5)
    }

    @Test("with thousands of files is read in part, and says so")
    func flood() throws {
        for number in 0..<5000 {
            let digits = String(number, radix: 16)
            let name = String(repeating: "0", count: 32 - digits.count) + digits
            let file = unsafe open("\(queue.inFolder)/\(name).json", O_CREAT | O_WRONLY, 0o600)
            #expect(file >= 0)
            close(file)
        }
        let listing = try queue.listing()
        #expect(!listing.isComplete && listing.ignored.count == 16)
        #expect(listing.ignoredCount == ProposalQueue.nameLimit)
    }

    @Test("keeps an answer while its proposal waits, and for a day after")
    func sweep() throws {
        let kept = try ProposalFixture.proposal("a.example")
        let gone = try ProposalFixture.proposal("b.example")
        try sidecar.submit(kept)
        for id in [kept.id, gone.id] {
            try queue.tell(ProposalAnswer(id: id, state: .rejected, time: Timestamp(seconds: 1_800_000_000)))
        }
        try queue.sweep(at: Timestamp(seconds: 1_800_000_000 + ProposalQueue.keptFor - 1))
        #expect(try queue.answers().count == 2)
        try queue.sweep(at: Timestamp(seconds: 1_800_000_000 + ProposalQueue.keptFor))
        #expect(try Array(queue.answers().keys) == [kept.id])
    }

    @Test("forgets what it said a day ago also where a sidecar has left more names than are looked at")
    func sweepInAFlood() throws {
        let kept = try ProposalFixture.proposal("a.example")
        let gone = try ProposalFixture.proposal("b.example")
        try sidecar.submit(kept)
        for number in 0...ProposalQueue.nameLimit {
            let file = unsafe open("\(queue.inFolder)/\(number)", O_CREAT | O_WRONLY, 0o600)
            #expect(file >= 0)
            close(file)
        }
        #expect(try !queue.listing().isComplete)
        for id in [kept.id, gone.id] {
            try queue.tell(ProposalAnswer(id: id, state: .rejected, time: Timestamp(seconds: 1_800_000_000)))
        }
        try queue.sweep(at: Timestamp(seconds: 1_800_000_000 + ProposalQueue.keptFor))
        #expect(try Array(queue.answers().keys) == [kept.id])
    }

    @Test("names the same question the same, and each asking by an id of its own")
    func ids() throws {
        let dev = try Identity("dev")
        let question = ProposalID.question(dev, .firewallBlock, "a.example")
        #expect(question == ProposalID.question(dev, .firewallBlock, "a.example"))
        #expect(question != ProposalID.question(try Identity("dev2"), .firewallBlock, "a.example"))
        #expect(question != ProposalID.question(dev, .egressProxyBlock, "a.example"))
        let first = ProposalID(question: question, at: Timestamp(seconds: 1_800_000_000))
        let second = ProposalID(question: question, at: Timestamp(seconds: 1_700_000_000), after: first)
        #expect(first.question == second.question && first < second)
        #expect(throws: InvalidValue.self) { try ProposalID("../../../../../../../etc/passwd0000") }
    }

    @Test(
        "takes no proposal with what can't be seen",
        arguments: [
            "\u{202E}", "\u{7}", "\u{1B}[31m", "\u{2066}", "\u{200B}", "\u{E0041}", "\u{FEFF}", "\u{85}", "\u{3164}",
            "\u{115F}", "\u{34F}", "\u{E0100}", "\u{180B}", "\u{1160}", "\u{FFA0}", "\u{2800}",
        ]
    )
    func hidden(_ mark: String) throws {
        #expect(throws: ProposalRefusal.self) {
            try ProposalFixture.proposal("a.example", justification: "please\(mark) say yes")
        }
    }

    @Test(
        "takes what people write with characters that join and vary others",
        arguments: ["\u{2764}\u{FE0F}", "\u{1F469}\u{200D}\u{1F4BB}", "cafe\u{301}", "100\u{A0}%"]
    )
    func joined(_ text: String) throws {
        #expect(try ProposalFixture.proposal("a.example", justification: text).justification == text)
    }

    @Test("takes no proposal without a reason or with one that is too long")
    func reasons() throws {
        for text in ["", " \n\t", String(repeating: "x", count: Proposal.justificationLimit + 1)] {
            #expect(throws: ProposalRefusal.self) { try ProposalFixture.proposal("a.example", justification: text) }
        }
    }
}
