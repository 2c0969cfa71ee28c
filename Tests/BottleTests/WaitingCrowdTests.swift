import FoundationEssentials
import Reconciler
import ReconcilerModel
import ReconcilerOperations
import ReconcilerPlatform
import ReconcilerProposals
import ReconcilerState
import ReconcilerTime
import SeededRandom
import Testing

/// A hundred calls that wait at once on one controller, from inside real agents.
///
/// A bottle takes sixteen proposals at once, so every agent has some callers that ask the same and share an answer.
@Suite("A hundred callers who wait at once", .needsEngine)
struct WaitingCrowdTests {
    private static let bottles = 4
    private static let callers = 25
    private static let hosts = 16
    /// What the controller may grow by, in MiB, and each server: a few KiB a call are due.
    private static let growth = 24

    /// What an operator decides, and says.
    private struct Decision: Equatable {
        var isApproved: Bool
        var words: String

        /// Neighbours differ, also between bottles: the same host is approved in one and rejected in the next.
        init(_ host: String, in bottle: Int) {
            let number = Int(host.drop { !$0.isNumber }.prefix { $0.isNumber }) ?? 0
            isApproved = (number + bottle).isMultiple(of: 2)
            words = "\(isApproved ? "yes" : "no") to \(host) in the bottle number \(bottle)"
        }
    }

    @Test("are each answered with their own decision, and none of them takes much room", .timeLimit(.minutes(5)))
    func crowd() async throws {
        try await BottleFixture.run { fixture in
            let samples = (0..<Self.bottles).map { _ in
                SampleBottle(name: fixture.name()).with { $0.supervise = true }
            }
            let files = try samples.flatMap { ["-f", try fixture.write($0)] }
            let applied = try await fixture.bottle(["apply"] + files + ["--yes"])
            try #require(applied.status == 0, "\(applied)")
            try await fixture.underController { _ in
                // What the first proposal of all brings into memory stays there.
                try await warmUp(samples[0], fixture)
                let before = try await Sizes(of: samples, fixture)
                async let answers = answers(to: samples, fixture)
                try await fixture.until("all wait") {
                    try await waiting(samples, fixture) == Self.bottles * Self.callers
                }
                let crowded = try await Sizes(of: samples, fixture)
                try await decide(samples, fixture)
                for (bottle, answers) in try await answers.enumerated() {
                    expect(answers, in: bottle)
                }
                let after = try await Sizes(of: samples, fixture)
                print("MiB before, with the crowd, after: \(before) \(crowded) \(after)")
                for sizes in [crowded, after] {
                    #expect(sizes.controller - before.controller <= Self.growth, "\(before) \(sizes)")
                    for (now, then) in zip(sizes.servers, before.servers) {
                        #expect(now - then <= Self.growth, "\(before) \(sizes)")
                    }
                }
            }
            for (bottle, sample) in samples.enumerated() { try await expectDesired(bottle, sample, fixture) }
        }
    }

    private func warmUp(_ sample: SampleBottle, _ fixture: BottleFixture) async throws {
        async let answered = fixture.asks(
            "firewall-block",
            #"{"hosts": "warm.bt.test", "justification": "to begin with"}"#,
            in: sample
        )
        let id = try await fixture.asked(by: sample)["id"].text
        let rejected = try await fixture.bottle("reject", id, "--reason", "not yet")
        #expect(rejected.status == 0, "\(rejected)")
        #expect(try await answered.output.contains("not yet"))
    }

    // MARK: - The callers

    private struct Answer: Decodable {
        let number: Int
        let host: String
        let proposal: String
        let state: String
        let words: String
    }

    /// What the callers of each bottle were told.
    private func answers(to samples: [SampleBottle], _ fixture: BottleFixture) async throws -> [[Answer]] {
        try await withThrowingTaskGroup(of: (Int, [Answer]).self) { group in
            for (bottle, sample) in samples.enumerated() {
                group.addTask {
                    let program = ["python3", "-c", Self.asking, "\(Self.callers)", "\(Self.hosts)"]
                    let line = ["docker", "exec", "bottle-\(sample.name)-agent"] + program
                    let run = try await fixture.run(line, timeLimit: .seconds(240))
                    try #require(run.status == 0, "\(run)")
                    return (bottle, try JSONDecoder().decode([Answer].self, from: Data(run.output.utf8)))
                }
            }
            var answers = [[Answer]](repeating: [], count: samples.count)
            for try await (bottle, told) in group { answers[bottle] = told }
            return answers
        }
    }

    private func waiting(_ samples: [SampleBottle], _ fixture: BottleFixture) async throws -> Int {
        var count = 0
        for sample in samples {
            let line = ["docker", "exec", "bottle-\(sample.name)-agent", "sh", "-c", "wc -l </tmp/waiting"]
            count += Int(try await fixture.run(line).output.trimmingSuffix(while: \.isWhitespace)) ?? 0
        }
        return count
    }

    private func expect(_ answers: [Answer], in bottle: Int) {
        #expect(answers.map(\.number).sorted() == Array(0..<Self.callers))
        for answer in answers {
            let decision = Decision(answer.host, in: bottle)
            #expect(answer.host == "h\(answer.number % Self.hosts).bt.test")
            #expect(answer.state == (decision.isApproved ? "applied" : "rejected"), "\(answer)")
            #expect(answer.words == decision.words, "\(answer)")
        }
        #expect(Set(answers.map(\.proposal)).count == Self.hosts)
    }

    // MARK: - The operator

    /// Decides all that waits, in a mixed order: two of each bottle by the commands, the others as a page does.
    private func decide(_ samples: [SampleBottle], _ fixture: BottleFixture) async throws {
        let seed = SplitMix64.seed
        print("seed of the order: BOTTLE_TEST_SEED=\(seed)")
        var random = SplitMix64(seed: seed)
        let state = try #require(try StateFolder.open(fixture.state))
        let repository = try await DesiredRepository.create(in: state, environment: fixture.environment)
        let moment = Timestamp(seconds: Int64(Date().timeIntervalSince1970))
        let reviews = try Operations.reviews(in: state, try await repository.snapshot(), at: moment)
            .filter { !$0.state.isFinal }
        #expect(reviews.count == Self.bottles * Self.hosts)
        var typed: Set<String> = []
        for review in reviews.shuffled(using: &random) {
            let proposal = review.proposal
            let bottle = try #require(samples.firstIndex { $0.name == proposal.bottle.name })
            let decision = Decision(String(proposal.argument.prefix { $0 != "\n" }), in: bottle)
            if typed.insert("\(bottle) \(decision.isApproved)").inserted {
                let verb = decision.isApproved ? "approve" : "reject"
                let run = try await fixture.bottle(verb, proposal.id.text, "--reason", decision.words)
                #expect(run.status == 0, "\(run)")
            } else if decision.isApproved {
                let desired = try #require(try await repository.desired(of: proposal.bottle, at: moment)).state
                let now = ProposalReview(proposal, nil, in: desired, dockerfile: nil, at: moment)
                let drafts = now.drafts(limits: nil, reason: decision.words)
                let step = RemediationStep(adding: drafts, reason: decision.words)
                _ = try await repository.commit(step, for: proposal.bottle, at: moment)
            } else {
                let ruling = ProposalDecision(state, repository) { moment }
                try await ruling.reject(proposal, words: decision.words)
            }
        }
    }

    /// What was approved for a bottle, once each, is what is desired of it and nothing else.
    private func expectDesired(_ bottle: Int, _ sample: SampleBottle, _ fixture: BottleFixture) async throws {
        let approved = (0..<Self.hosts).map { "h\($0).bt.test" }.filter { Decision($0, in: bottle).isApproved }
        let list = try await fixture.bottle("remediations", sample.name, "-o", "json").document()["items"].list
        let proposals = try await fixture.bottle("proposals", sample.name, "--all", "-o", "json").document()["items"]
            .list
        let applied = proposals.filter { $0["state"].text == "applied" }.map(\.["id"].text)
        #expect(list.map(\.["proposal"].text).sorted() == applied.sorted())
        #expect(applied.count == approved.count)
        let allowed = try await fixture.docker(
            "exec",
            "bottle-\(sample.name)-firewall",
            "cat",
            "/etc/firewall/allowlist"
        )
        for number in 0..<Self.hosts {
            let host = "h\(number).bt.test"
            #expect(allowed.contains(host) == approved.contains(host), "\(host) in \(allowed)")
        }
    }

    // MARK: - Room

    /// What is resident, in MiB.
    private struct Sizes: Sendable, CustomStringConvertible {
        let controller: Int
        let servers: [Int]

        init(of samples: [SampleBottle], _ fixture: BottleFixture) async throws {
            let process = try fixture.controllerProcess()
            let size = try await fixture.run(["ps", "-o", "rss=", "-p", process])
            controller = try #require(Int(size.output.filter(\.isNumber)), "\(size)") >> 10
            var sizes: [Int] = []
            for sample in samples {
                let top = try await fixture.docker("top", "bottle-\(sample.name)-supervise", "-o", "pid,rss")
                let processes = top.split(separator: "\n").dropFirst().map { $0.split(separator: " ") }
                sizes.append(try processes.map { try #require(Int($0[1]), "\(top)") }.reduce(0, +) >> 10)
            }
            servers = sizes
        }

        var description: String { "\(controller) \(servers)" }
    }

    /// Calls at once, each in a session of its own; leaves a line for each that waits, and prints what each was told.
    private static let asking = """
        import http.client, json, sys, threading

        count, hosts = map(int, sys.argv[1:])
        answers = []

        def post(connection, session, message):
            fields = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
            if session:
                fields["Mcp-Session-Id"] = session
            connection.request("POST", "/mcp", json.dumps({"jsonrpc": "2.0"} | message), fields)
            return connection.getresponse()

        def ask(number):
            connection = http.client.HTTPConnection("supervise", 9100, timeout=240)
            version = {"protocolVersion": "2025-06-18", "capabilities": {}}
            begun = post(connection, None, {"id": 0, "method": "initialize", "params": version})
            begun.read()
            host = f"h{number % hosts}.bt.test"
            arguments = {"hosts": host, "justification": f"caller {number} needs it"}
            call = {"name": "firewall-block", "arguments": arguments}
            message = {"id": f"call {number}", "method": "tools/call", "params": call}
            answer = post(connection, begun.getheader("Mcp-Session-Id"), message)
            assert answer.getheader("Content-Type") == "text/event-stream", answer.read()
            with open("/tmp/waiting", "a") as file:
                file.write(".\\n")
            lines = [line[6:] for line in answer if line.startswith(b"data: {")]
            told = json.loads(lines[-1])
            assert told["id"] == message["id"], told
            content = told["result"]["structuredContent"]
            told = {key: content[key] for key in ("proposal", "state", "words")}
            answers.append({"number": number, "host": host} | told)

        threads = [threading.Thread(target=ask, args=[number]) for number in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print(json.dumps(answers))
        """
}

extension BottleFixture {
    /// The process of the controller that runs.
    nonisolated func controllerProcess() throws -> String {
        let holder = try DurableFile.read("\(state)/locks/.controller.lock", limit: 32) ?? []
        return String(String(decoding: holder, as: UTF8.self).trimmingSuffix(while: \.isNewline))
    }
}
