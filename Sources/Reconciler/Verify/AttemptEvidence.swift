/// What is known of one attempt, apart from its client's observation.
package struct AttemptEvidence: Sendable, Hashable {
    package var arrivals: [Arrival] = []
    package var refusals: [Refusal] = []

    package init(arrivals: [Arrival] = [], refusals: [Refusal] = []) {
        self.arrivals = arrivals
        self.refusals = refusals
    }

    /// Assigns the evidence to the attempts.
    ///
    /// An arrival with a mark belongs to the attempt with that mark; the start of a connection belongs to the attempt
    /// whose mark is the first on it. The rest is assigned by time: from the start of one attempt to that of the next.
    ///
    /// - Parameters:
    ///   - attempts: in the order in which they were made, with their marks.
    ///   - arrivals: what reached the servers during and after all attempts.
    /// - Returns: one element per attempt, in their order, and a last one for what came before the first.
    package static func sorted(
        _ attempts: [(observation: Observation, mark: String)],
        arrivals: [Arrival],
        refusals: [Refusal]
    ) -> [AttemptEvidence] {
        var evidence = Array(repeating: AttemptEvidence(), count: attempts.count + 1)
        // The sidecars' timestamps have milliseconds.
        func index(at time: Double) -> Int {
            attempts.lastIndex { $0.observation.began <= time + 0.001 } ?? attempts.count
        }
        let owners = arrivals.map { arrival in attempts.firstIndex { arrival.bears($0.mark) } }
        var connections: [Line: Int] = [:]
        for (arrival, owner) in zip(arrivals, owners) where owner != nil {
            if let line = Line(arrival), connections[line] == nil { connections[line] = owner }
        }
        for (arrival, marked) in zip(arrivals, owners) {
            let isBeginning = arrival.kind == .connection || arrival.kind == .greeting
            let shared = isBeginning ? Line(arrival).flatMap { connections[$0] } : nil
            evidence[marked ?? shared ?? index(at: arrival.time)].arrivals.append(arrival)
        }
        for refusal in refusals {
            let marked = attempts.firstIndex { refusal.line.contains($0.mark) }
            evidence[marked ?? index(at: refusal.time)].refusals.append(refusal)
        }
        return evidence
    }

    /// One connection of one server.
    private struct Line: Hashable {
        var isUnlisted: Bool
        var number: Int

        init?(_ arrival: Arrival) {
            guard let connection = arrival.connection else { return nil }
            isUnlisted = arrival.isUnlisted
            number = connection
        }
    }
}
