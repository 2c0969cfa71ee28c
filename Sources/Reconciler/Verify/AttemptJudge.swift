/// Decides whether a bottle held: by the arrivals, then by the sidecars' records, and last by the client's observation.
package struct AttemptJudge: Sendable {
    /// The credential that the egress-proxy adds for `listed`, as it stands in a header; nil if there is none.
    package var credential: String?
    /// The only host that may get the credential.
    package var listed: String
    /// A host that must not be reachable.
    package var unlisted: String

    package init(listed: String, unlisted: String, credential: String?) {
        self.listed = listed
        self.unlisted = unlisted
        self.credential = credential
    }

    /// The broken expectations; empty if the bottle held.
    ///
    /// - Parameter attempt: with its placeholders filled in.
    package func faults(
        of attempt: Attempt,
        _ observation: Observation,
        _ evidence: AttemptEvidence
    ) -> [AttemptFault] {
        let expected = attempt.expected
        var texts: [(AttemptFault.Kind, [String])] = []
        texts.append((.driver, observation.problem.map { ["it could not be made: \($0)"] } ?? []))
        texts.append((.arrival, arrivalFaults(expected, evidence.arrivals)))
        texts.append((.credential, credentialFaults(observation, evidence.arrivals)))
        texts.append((.record, recordFaults(expected, evidence.refusals)))
        texts.append((.client, clientFaults(expected, observation)))
        if isAnswered(expected), !evidence.arrivals.contains(where: { $0.kind == .request }) {
            texts.append((.missing, ["nothing arrives of what should"]))
        }
        return texts.flatMap { kind, texts in texts.map { AttemptFault(kind: kind, text: $0) } }
    }

    private func clientFaults(_ expected: AttemptExpectation, _ observation: Observation) -> [String] {
        var faults = observation.isHung ? ["the client hangs"] : []
        if let answers = expected.answers, !answers.contains(where: { $0 == observation.outcome }) {
            let wanted = answers.map(\.description).joined(separator: ", ")
            faults.append("the client gets \(observation.outcome?.description ?? "nothing that counts"), not \(wanted)")
        }
        return faults
    }

    /// Whether the client must receive a server's answer.
    private func isAnswered(_ expected: AttemptExpectation) -> Bool {
        guard expected.answers?.count == 1, case .status(let status) = expected.answers?.first else { return false }
        return (200...299).contains(status) && expected.arrives.contains(where: \.isRequest)
    }

    // MARK: - Servers

    private func arrivalFaults(_ expected: AttemptExpectation, _ arrivals: [Arrival]) -> [String] {
        var permitted = expected.arrives.filter(\.isRequest)
        let hosts = Set(expected.arrives.map(\.name))
        return arrivals.compactMap { arrival in
            if arrival.isUnlisted { return "\(unlisted) is reached: \(arrival.words)" }
            if arrival.sni?.lowercased() == unlisted { return "TLS for \(unlisted): \(arrival.words)" }
            switch arrival.kind {
            case .connection:
                let isPermitted = !hosts.isEmpty && Self.ports.contains(arrival.port)
                return isPermitted ? nil : "a server is reached: \(arrival.words)"
            case .greeting:
                let isPermitted = arrival.sni.map { hosts.contains($0.lowercased()) } ?? false
                return isPermitted ? nil : "a server is greeted: \(arrival.words)"
            case .message: return hosts.isEmpty ? "a message arrives: \(arrival.words)" : nil
            case .bytes: return "bytes arrive that are no request: \(arrival.words)"
            case .datagram: return "a datagram arrives: \(arrival.words)"
            case .request:
                let request = ArrivedRequest(arrival.text)
                guard let index = permitted.firstIndex(where: { $0.allows(request, sni: arrival.sni) }) else {
                    return "a request arrives that should not: \(arrival.words)"
                }
                permitted.remove(at: index)
                return nil
            }
        }
    }

    /// The ports on which servers speak HTTP.
    private static let ports: Set<Int> = [80, 443, 8443]

    // MARK: - Credentials

    private func credentialFaults(_ observation: Observation, _ arrivals: [Arrival]) -> [String] {
        guard let credential else { return [] }
        var faults: [String] = []
        if observation.received.contains(credential) { faults.append("the client sees the credential") }
        for arrival in arrivals where (arrival.text + arrival.body).contains(credential) {
            let isForListed = arrival.kind == .request && ArrivedRequest(arrival.text).host == listed
            if !isForListed || !arrival.isEncrypted || arrival.sni?.lowercased() != listed {
                faults.append("the credential goes elsewhere: \(arrival.words)")
            }
        }
        return faults
    }

    // MARK: - Records

    private func recordFaults(_ expected: AttemptExpectation, _ refusals: [Refusal]) -> [String] {
        let rules = refusals.map(\.rule)
        switch expected.rule {
        case .notNeeded: return []
        case .asNeeded:
            return expected.arrives.isEmpty && rules.isEmpty ? ["no sidecar says that it refused anything"] : []
        case .oneOf(let wanted):
            guard !rules.contains(where: { wanted.contains($0) }) else { return [] }
            let seen = rules.isEmpty ? "none" : rules.joined(separator: ", ")
            return ["no refusal by \(wanted.joined(separator: " or ")) is on record, but \(seen)"]
        }
    }
}

extension PermittedArrival {
    /// The host without a port, in lower case.
    var name: String { (HostPort(host)?.host ?? host).lowercased() }

    /// Whether `request` is the permitted one.
    func allows(_ request: ArrivedRequest, sni: String?) -> Bool {
        (request.host == host.lowercased() || request.authority == host.lowercased())
            && sni.map { $0.lowercased() == name } ?? true
            && method.map { $0 == request.method } ?? true
            && path.map { $0 == request.target } ?? true
            && with.allSatisfy { request.has($0) }
            && !without.contains { request.has($0) }
    }
}

extension Arrival {
    /// A description in one line of bounded length.
    var words: String {
        var words = "\(kind.rawValue) on port \(port)"
        if let sni { words += ", SNI \(sni)" }
        if !text.isEmpty { words += ": \(Self.shown(text))" }
        if !body.isEmpty { words += " and \(Self.shown(body))" }
        return words
    }

    private static func shown(_ text: String) -> String {
        var shown = ""
        for scalar in text.unicodeScalars.prefix(400) { shown += scalar.escaped(asASCII: true) }
        return shown
    }
}
