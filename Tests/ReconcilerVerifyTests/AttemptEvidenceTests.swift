import ReconcilerVerify
import Testing

@Suite struct AttemptEvidenceTests {
    private func sorted(_ arrivals: [Arrival] = [], _ refusals: [Refusal] = []) -> [AttemptEvidence] {
        let attempts = [
            (observation: Observation(name: "a", began: 10, ended: 11), mark: "m1z"),
            (observation: Observation(name: "b", began: 20, ended: 21), mark: "m2z"),
        ]
        return AttemptEvidence.sorted(attempts, arrivals: arrivals, refusals: refusals)
    }

    @Test("What bears no mark belongs to the attempt that was begun last")
    func time() {
        let times = [9.0, 10, 10.5, 19.9, 20, 99].map { Arrival(.connection, time: $0) }
        #expect(sorted(times).map { $0.arrivals.map(\.time) } == [[10, 10.5, 19.9], [20, 99], [9]])
        let refusals = [9.0, 12, 20.0001].map { Refusal(time: $0, rule: "path") }
        #expect(sorted([], refusals).map { $0.refusals.map(\.time) } == [[12], [20.0001], [9]])
    }

    @Test("What bears a mark belongs to its attempt whenever it comes")
    func mark() {
        let arrivals = [
            Arrival(.request, time: 25, text: "GET /M1Z"), Arrival(.request, time: 12, body: "m2z"),
            Arrival(.greeting, time: 25, sni: "m1z.test"),
        ]
        #expect(sorted(arrivals).map { $0.arrivals.map(\.kind) } == [[.request, .greeting], [.request], []])
        #expect(sorted([], [Refusal(time: 25, rule: "path", line: "/m1z")]).map(\.refusals.count) == [1, 0, 0])
    }

    @Test("The beginning of a connection goes with the first mark that is seen on it")
    func connection() {
        let arrivals = [
            Arrival(.connection, time: 19, connection: 4), Arrival(.greeting, time: 19, connection: 4),
            Arrival(.request, time: 21, connection: 4, text: "m2z"),
            Arrival(.request, time: 22, connection: 4, text: "m1z"),
            Arrival(.connection, time: 22, connection: 4, isUnlisted: true),
        ]
        let kinds = sorted(arrivals).map { $0.arrivals.map(\.kind) }
        #expect(kinds == [[.request], [.connection, .greeting, .request, .connection], []])
    }
}
