import FoundationEssentials
import Reconciler
import ReconcilerPlatform
import ReconcilerVerify
import Testing

/// What came of all attempts on one bottle.
struct AttackRun: Sendable {
    struct Verdict: Sendable {
        let attempt: Attempt
        let observation: Observation
        let evidence: AttemptEvidence
        /// Empty when the bottle held.
        let faults: [AttemptFault]
    }

    let verdicts: [Verdict]
    /// What reached the servers before the first attempt.
    let strays: [Arrival]
    /// What the sidecars said that went wrong in them.
    let errors: [Refusal]
    /// The lives of the sidecars before and after.
    let lives: (before: [String], after: [String])

    /// Makes the attempts that are for the field's face, one after another, from inside of the agent.
    ///
    /// - Parameter limits: shorter where much will hang.
    init(
        _ attempts: [Attempt],
        on field: AttackField,
        limits: AttemptDriver.Limits = AttemptDriver.Limits()
    ) async throws {
        let before = try await field.lives()
        let run = "m\(String(UInt32.random(in: 0...UInt32.max), radix: 36))x"
        var marks: [String] = []
        var made: [Attempt] = []
        var placeholders = try await field.placeholders()
        for (index, attempt) in attempts.filter({ $0.isFor(field.face) }).enumerated() {
            // The last letter keeps one mark from being the beginning of another.
            marks.append("\(run)\(index)z")
            placeholders.values["mark"] = marks[index]
            made.append(attempt.filled(placeholders))
        }
        let batch = AttemptBatch(proxy: try await field.proxy(), attempts: made, limits: limits)
        try Self.keep(try JSONEncoder().encode(batch), as: "\(field.title).batch.json")
        let reports = try await field.executable.perform(batch, in: field.container("agent"))
        let observations = reports.compactMap { if case .attempt(let observation) = $0 { observation } else { nil } }
        try #require(observations.map(\.name) == made.map(\.name))
        // What the last one brought about is still on its way to the logs.
        try await Task.sleep(for: .milliseconds(500))
        let said = try await field.refusals()
        let evidence = AttemptEvidence.sorted(
            Array(zip(observations, marks)).map { (observation: $0, mark: $1) },
            arrivals: try await field.servers.arrivals(),
            refusals: said.refusals
        )
        let judge = AttemptJudge(
            listed: AttemptServers.listed,
            unlisted: AttemptServers.unlisted,
            credential: field.face == .egressProxy ? field.token : nil
        )
        verdicts = made.indices.map { index in
            Verdict(
                attempt: made[index],
                observation: observations[index],
                evidence: evidence[index],
                faults: judge.faults(of: made[index], observations[index], evidence[index])
            )
        }
        strays = evidence[made.count].arrivals
        errors = said.errors
        lives = (before, try await field.lives())
        try keepReport(as: field.title)
    }

    /// Names of the attempts that brought something out of the bottle.
    var escapes: Set<String> {
        Set(
            verdicts.filter { $0.faults.contains { $0.kind == .arrival || $0.kind == .credential } }
                .map(\.attempt.name)
        )
    }

    /// Names of the attempts in which the bottle held.
    var held: Set<String> { Set(verdicts.filter(\.faults.isEmpty).map(\.attempt.name)) }

    /// The same in full, for people, in the folder that `BOTTLE_ATTEMPTS_REPORT` names.
    private func keepReport(as name: String) throws {
        let text = verdicts.map(\.description).joined(separator: "\n")
        let ends = errors.map { "error: \($0.line)\n" }.joined() + strays.map { "stray: \($0)\n" }.joined()
        try Self.keep(Data((text + "\n" + ends).utf8), as: "\(name).txt")
    }

    private static func keep(_ content: Data, as name: String) throws {
        guard let folder = ProcessInfo.processInfo.environment["BOTTLE_ATTEMPTS_REPORT"] else { return }
        try DurableFile.write(Array(content), to: "\(folder)/\(name)")
    }
}

extension AttackRun.Verdict: CustomStringConvertible {
    var description: String {
        let state = faults.isEmpty ? "held" : "NOT HELD"
        let spent = Int((observation.ended - observation.began) * 1000)
        var lines = ["\(state) \(attempt.name) (\(spent) ms, longest wait \(Int(observation.longestWait)) ms)"]
        lines += faults.map { "  fault: \($0)" }
        lines += observation.trace.map { "  step: \($0)" }
        lines += observation.answers.map { answer in
            "  answer: \(Self.shown(answer.head)) \(Self.shown(answer.body))"
        }
        if observation.answers.isEmpty, !observation.received.isEmpty {
            lines.append("  received: \(Self.shown(observation.received))")
        }
        lines += evidence.arrivals.map { arrival in
            "  arrived: \(arrival.kind) on \(arrival.port), SNI \(arrival.sni ?? "none"): \(Self.shown(arrival.text)) "
                + Self.shown(arrival.body)
        }
        lines += evidence.refusals.map { "  refused: \($0.line)" }
        return lines.joined(separator: "\n")
    }

    private static func shown(_ text: String) -> String {
        var shown = ""
        for scalar in text.unicodeScalars.prefix(600) { shown += scalar.escaped(asASCII: true) }
        return shown
    }
}
