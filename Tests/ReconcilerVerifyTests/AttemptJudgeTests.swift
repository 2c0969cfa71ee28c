import ReconcilerVerify
import Testing

@Suite struct AttemptJudgeTests {
    private let judge = AttemptJudge(listed: "api.test", unlisted: "evil.test", credential: "t0ken")

    /// The kinds of what did not hold.
    private func faults(
        _ expected: AttemptExpectation = AttemptExpectation(answers: [.status(403)], rule: .oneOf(["path"])),
        outcome: AttemptOutcome? = .status(403),
        received: String = "",
        hung: Bool = false,
        problem: String? = nil,
        rules: [String] = ["path"],
        arrivals: [Arrival] = []
    ) -> [AttemptFault.Kind] {
        var observation = Observation(name: "a")
        observation.outcome = outcome
        observation.received = received
        observation.isHung = hung
        observation.problem = problem
        let refusals = rules.map { Refusal(time: 0, rule: $0) }
        let evidence = AttemptEvidence(arrivals: arrivals, refusals: refusals)
        return judge.faults(of: Attempt(name: "a", steps: [], expected: expected), observation, evidence).map(\.kind)
    }

    private static func request(_ head: String, sni: String? = "api.test", port: Int = 443) -> Arrival {
        Arrival(.request, time: 0, port: port, sni: sni, isEncrypted: sni != nil, text: head)
    }

    private static let get = request("GET /m1 HTTP/1.1\r\nHost: api.test\r\n\r\n")

    @Test("A refusal on record, with nothing at the servers, holds")
    func refused() {
        #expect(faults() == [])
        #expect(faults(AttemptExpectation(answers: nil), outcome: .silence) == [])
        #expect(faults(AttemptExpectation(answers: [.closed], rule: .notNeeded), outcome: .closed, rules: []) == [])
    }

    @Test("What the client was told must be what it should be told")
    func outcome() {
        #expect(faults(outcome: .status(200)) == [.client])
        #expect(faults(outcome: nil) == [.client])
        #expect(faults(hung: true) == [.client])
        #expect(faults(problem: "no") == [.driver])
    }

    @Test("A refusal without its line does not hold")
    func record() {
        #expect(faults(rules: []) == [.record])
        #expect(faults(rules: ["host"]) == [.record])
        #expect(faults(AttemptExpectation(answers: nil), rules: []) == [.record])
        let permitted = AttemptExpectation(answers: nil, arrives: [PermittedArrival(host: "api.test")])
        #expect(faults(permitted, rules: []) == [])
    }

    @Test(
        "Anything at a server does not hold when nothing may be there",
        arguments: [
            Arrival(.connection, time: 0), Arrival(.greeting, time: 0, sni: "api.test"), get,
            Arrival(.bytes, time: 0, text: "x"), Arrival(.message, time: 0, text: "x"),
            Arrival(.datagram, time: 0, port: 53), Arrival(.connection, time: 0, port: 22),
        ]
    )
    func arrival(_ arrival: Arrival) {
        #expect(faults(arrivals: [arrival]) == [.arrival])
    }

    private static let permitted = AttemptExpectation(
        answers: [.status(200)],
        arrives: [
            PermittedArrival(host: "api.test", method: "GET", path: "/m1", with: ["x-a"], without: ["x-evil"])
        ]
    )
    private static let head = "GET /m1 HTTP/1.1\r\nHost: api.test\r\nX-A: 1\r\n"

    @Test("A permitted request holds, with the connection it came on")
    func permittedRequest() {
        let arrivals = [
            Arrival(.connection, time: 0), Arrival(.greeting, time: 0, sni: "api.test"),
            Self.request(Self.head + "\r\n"),
        ]
        #expect(faults(Self.permitted, outcome: .status(200), rules: [], arrivals: arrivals) == [])
    }

    @Test("A client that gets an answer which no server gave does not hold")
    func missing() {
        #expect(faults(Self.permitted, outcome: .status(200), rules: []) == [.missing])
    }

    @Test(
        "A request that is not quite the permitted one does not hold",
        arguments: [
            request("POST /m1 HTTP/1.1\r\nHost: api.test\r\nX-A: 1\r\n\r\n"),
            request("GET /m1/.. HTTP/1.1\r\nHost: api.test\r\nX-A: 1\r\n\r\n"),
            request("GET /m1 HTTP/1.1\r\nHost: other.test\r\nX-A: 1\r\n\r\n"),
            request("GET /m1 HTTP/1.1\r\nX-A: 1\r\n\r\n"),
            request("GET /m1 HTTP/1.1\r\nHost: api.test\r\nHost: api.test\r\nX-A: 1\r\n\r\n"),
            request("GET /m1 HTTP/1.1\r\nHost: api.test\r\n\r\n"),
            request(head + "X-Evil: 1\r\n\r\n"), request(head + "\r\n", sni: "other.test"),
        ]
    )
    func otherRequest(_ arrival: Arrival) {
        #expect(faults(Self.permitted, outcome: .status(200), rules: [], arrivals: [arrival]) == [.arrival])
    }

    @Test("One permission is for one request, and not for another port or name")
    func once() {
        let one = Self.request(Self.head + "\r\n")
        #expect(faults(Self.permitted, outcome: .status(200), rules: [], arrivals: [one, one]) == [.arrival])
        for more in [
            Arrival(.connection, time: 0, port: 22), Arrival(.greeting, time: 0, sni: nil),
            Arrival(.greeting, time: 0, sni: "other.test"), Arrival(.bytes, time: 0, text: "x"),
        ] {
            #expect(faults(Self.permitted, outcome: .status(200), rules: [], arrivals: [one, more]) == [.arrival])
        }
    }

    @Test("A connection alone may be permitted, and then carries no request")
    func connection() {
        let expected = AttemptExpectation(answers: nil, arrives: [PermittedArrival(host: "api.test", isRequest: false)])
        let greeting = Arrival(.greeting, time: 0, sni: "api.test")
        #expect(faults(expected, rules: [], arrivals: [Arrival(.connection, time: 0), greeting]) == [])
        #expect(faults(expected, rules: [], arrivals: [greeting, Self.get]) == [.arrival])
    }

    @Test("A host with a port is the header as it is written; TLS names no port")
    func port() {
        let expected = AttemptExpectation(answers: nil, arrives: [PermittedArrival(host: "api.test:8443")])
        let right = Self.request("GET / HTTP/1.1\r\nHost: api.test:8443\r\n\r\n", port: 8443)
        #expect(faults(expected, rules: [], arrivals: [Arrival(.greeting, time: 0, sni: "api.test"), right]) == [])
        #expect(faults(expected, rules: [], arrivals: [Self.get]) == [.arrival])
    }

    @Test("What nothing may reach is reached by nothing, whatever is permitted")
    func unlisted() {
        let expected = AttemptExpectation(answers: nil, arrives: [PermittedArrival(host: "evil.test")])
        #expect(faults(expected, rules: [], arrivals: [Arrival(.connection, time: 0, isUnlisted: true)]) == [.arrival])
        #expect(faults(expected, rules: [], arrivals: [Arrival(.greeting, time: 0, sni: "evil.test")]) == [.arrival])
    }

    @Test("The credential is for one host, by TLS, and never for the client")
    func credential() {
        let any = AttemptExpectation(
            answers: nil,
            arrives: [PermittedArrival(host: "api.test"), PermittedArrival(host: "other.test")]
        )
        let field = "Authorization: Bearer t0ken\r\n\r\n"
        let right = Self.request("GET / HTTP/1.1\r\nHost: api.test\r\n" + field)
        #expect(faults(any, rules: [], arrivals: [right]) == [])
        let plain = Self.request("GET / HTTP/1.1\r\nHost: api.test\r\n" + field, sni: nil, port: 80)
        #expect(faults(any, rules: [], arrivals: [plain]) == [.credential])
        let other = Self.request("GET / HTTP/1.1\r\nHost: other.test\r\n" + field, sni: "other.test")
        #expect(faults(any, rules: [], arrivals: [other]) == [.credential])
        #expect(faults(received: "… t0ken …") == [.credential])
    }
}
