/// Something that reached a server of ours.
package struct Arrival: Sendable, Hashable, Codable {
    package enum Kind: String, Sendable, Hashable, Codable {
        /// A TCP connection.
        case connection
        /// The first message of TLS.
        case greeting
        /// The head of an HTTP request, with what there was of its body.
        case request
        /// A message of a WebSocket.
        case message
        /// Bytes that are none of these.
        case bytes
        case datagram
    }

    package var kind: Kind
    /// Seconds since 1970.
    package var time: Double
    package var port: Int
    /// Which connection it came on, a number of its server's; nil for a datagram.
    package var connection: Int?
    /// Whether it is the server that only names nobody may reach lead to.
    package var isUnlisted: Bool
    /// The server name of TLS; nil when there was none.
    package var sni: String?
    package var isEncrypted: Bool
    /// The head of a request as it came, or other bytes; each byte a character of the same number.
    package var text: String
    /// The body's beginning, likewise.
    package var body: String

    package init(
        _ kind: Kind,
        time: Double,
        port: Int = 443,
        connection: Int? = nil,
        isUnlisted: Bool = false,
        sni: String? = nil,
        isEncrypted: Bool = true,
        text: String = "",
        body: String = ""
    ) {
        self.kind = kind
        self.time = time
        self.port = port
        self.connection = connection
        self.isUnlisted = isUnlisted
        self.sni = sni
        self.isEncrypted = isEncrypted
        self.text = text
        self.body = body
    }

    /// Whether `mark` stands anywhere in it.
    func bears(_ mark: String) -> Bool {
        text.lowercased().contains(mark) || body.lowercased().contains(mark)
            || sni?.lowercased().contains(mark) == true
    }
}

/// One line in which a sidecar says that it refused something.
package struct Refusal: Sendable, Hashable {
    /// Seconds since 1970.
    package var time: Double
    package var rule: String
    /// The whole line.
    package var line: String

    package init(time: Double, rule: String, line: String = "") {
        self.time = time
        self.rule = rule
        self.line = line
    }
}

/// What is known of one attempt besides what its client saw.
package struct AttemptEvidence: Sendable, Hashable {
    package var arrivals: [Arrival] = []
    package var refusals: [Refusal] = []

    package init(arrivals: [Arrival] = [], refusals: [Refusal] = []) {
        self.arrivals = arrivals
        self.refusals = refusals
    }

    /// Gives each attempt what belongs to it.
    ///
    /// What bears a mark belongs to the attempt with that mark, and the beginning of a connection to the attempt whose
    /// mark is the first that is seen on it. The rest goes by time: from the begin of one attempt to that of the next.
    ///
    /// - Parameters:
    ///   - attempts: in the order they were made, with their marks.
    ///   - arrivals: what reached the servers during and after all of them.
    /// - Returns: as many as there are attempts, in their order, and last what came before the first.
    package static func sorted(
        _ attempts: [(observation: Observation, mark: String)],
        arrivals: [Arrival],
        refusals: [Refusal]
    ) -> [AttemptEvidence] {
        var evidence = Array(repeating: AttemptEvidence(), count: attempts.count + 1)
        // The sidecars' clocks tick in milliseconds.
        func place(_ time: Double) -> Int {
            attempts.lastIndex { $0.observation.began <= time + 0.001 } ?? attempts.count
        }
        let places = arrivals.map { arrival in attempts.firstIndex { arrival.bears($0.mark) } }
        var connections: [Line: Int] = [:]
        for (arrival, place) in zip(arrivals, places) where place != nil {
            if let line = Line(arrival), connections[line] == nil { connections[line] = place }
        }
        for (arrival, marked) in zip(arrivals, places) {
            let isBeginning = arrival.kind == .connection || arrival.kind == .greeting
            let shared = isBeginning ? Line(arrival).flatMap { connections[$0] } : nil
            evidence[marked ?? shared ?? place(arrival.time)].arrivals.append(arrival)
        }
        for refusal in refusals {
            let marked = attempts.firstIndex { refusal.line.contains($0.mark) }
            evidence[marked ?? place(refusal.time)].refusals.append(refusal)
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
