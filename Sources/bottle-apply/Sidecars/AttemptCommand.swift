import ArgumentParser
import FoundationEssentials
import ReconcilerPlatform
import ReconcilerVerify

/// The end of `verify` that runs inside a container; hidden, since its input is made by a program.
struct AttemptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attempt",
        abstract: "Make the attempts to escape that standard input lists as JSON; print one JSON line for each.",
        shouldDisplay: false
    )

    func run() async throws {
        let console = Console(terminal: .current(environment: [:]))
        do {
            let input = try Console.readInput(limit: 64 << 20)
            let batch = try JSONDecoder().decode(AttemptBatch.self, from: Data(input))
            let encoder = JSONEncoder()
            try await batch.perform { report in
                console.out(String(decoding: try encoder.encode(report), as: UTF8.self))
            }
        } catch {
            console.err("attempt: \(error)")
            throw ExitStatus.failure
        }
    }
}
