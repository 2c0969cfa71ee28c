import FoundationEssentials
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerProposals
import ReconcilerTime

/// The operator's own program that is told of each new proposal (`on_proposal` in the settings).
struct ProposalHook: Sendable {
    private let command: [String]
    private let environment: [String: String]
    private let complain: @Sendable (BottleError) -> Void

    /// Nil when no program is named.
    init?(
        _ command: [String],
        environment: [String: String],
        complain: @escaping @Sendable (BottleError) -> Void
    ) {
        guard !command.isEmpty else { return nil }
        self.command = command
        self.environment = environment
        self.complain = complain
    }

    /// Runs the program, for half a minute at most; what goes wrong is told and stops nothing.
    ///
    /// What the agent wrote is on standard input only, as JSON: it is never an argument, a variable or a path.
    func run(with proposal: Proposal) async {
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            let input = Array(try encoder.encode(ProposalNotice(proposal))) + [UInt8(ascii: "\n")]
            let outcome = try await Program(
                command[0],
                Array(command.dropFirst()),
                environment: environment,
                input: input,
                outputLimit: 1 << 20,
                timeLimit: .seconds(30)
            ).run()
            guard outcome.succeeded else {
                let words = String(decoding: outcome.errors.suffix(1000), as: UTF8.self)
                throw BottleError(.hookFailed, "it ended: \(outcome.status)", cause: words.isEmpty ? nil : words)
            }
        } catch is CancellationError {
            return
        } catch {
            complain(
                BottleError(
                    .onProposal,
                    "the program that `on_proposal` names was not told of a proposal",
                    at: command[0],
                    remedy: "`bottle proposals` lists what waits",
                    cause: "\(error)"
                )
            )
        }
    }
}

/// What the program gets.
private struct ProposalNotice: Encodable {
    var apiVersion = "bottle/v1"
    var kind = "Proposal"
    var id: String
    var bottle: String
    var tool: String
    var at: String
    var argument: String
    var justification: String

    init(_ proposal: Proposal) {
        id = proposal.id.text
        bottle = proposal.bottle.name
        tool = proposal.tool.rawValue
        at = proposal.time.description
        argument = proposal.argument
        justification = proposal.justification
    }
}
