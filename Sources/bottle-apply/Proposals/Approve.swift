import ArgumentParser
import ReconcilerModel
import ReconcilerOperations
import ReconcilerPlatform
import ReconcilerProposals

struct Approve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Let an agent have what it asks for.",
        discussion: """
            Commits what is shown as remediations, runs the bottle's pass, and tells the agent once it is in force. \
            What is approved is what was shown: when what is desired of the bottle moved meanwhile, nothing is \
            committed.

              bottle approve 3f2a91c0 --reason 'fine, but only reading'
              bottle approve 3f2a91c0 --for 2h
              bottle approve 3f2a91c0 --edit
            """
    )

    @Argument(help: "The proposal: the first digits of its id.")
    var id: String

    @OptionGroup var limitArguments: LimitArguments

    @Flag(name: .long, help: "Edit what is asked for first; the agent is told what became of it.")
    var edit = false

    @Option(name: .long, help: "Only when this is still the candidate's hash, as `proposals -o json` has it.")
    var candidate: String?

    @Option(name: .shortAndLong, help: "What the agent is told; it goes into the history, too.")
    var reason: String?

    @Flag(name: .shortAndLong, help: "Ask nothing.")
    var yes = false

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if edit, candidate != nil { throw ValidationError("--candidate and --edit don't go together") }
    }

    func run() async throws { try await common.run(run(in:)) }

    func run(in context: CommandContext) async throws {
        let operations = context.operations
        let pending = try await operations.pendingProposal(id, candidate: candidate)
        var edited: ProposalReview?
        if edit {
            let proposal = pending.review.proposal
            let hint = "What \(proposal.bottle) asks for with \(proposal.tool.rawValue); what is saved is approved."
            edited = try await EditorSession("proposal", of: proposal.bottle, in: context)
                .edit(proposal.argument, hints: [hint], read: pending.edited)
            guard edited != nil else {
                return try PassReport(context: context).showNothing("nothing was changed: the proposal still waits")
            }
        }
        let approval = try pending.approval(of: edited, within: limitArguments.request)
        let console = context.console
        if console.terminal.inputIsTerminal, !context.format.isDocument {
            console.err(ProposalView.whole(approval.review, refusals: [], style: Style(isOn: console.colorsErrors)))
        }
        let change = try await operations.prepare(approving: approval, reason: reason) { [context] line in
            guard let line else {
                let bottle = approval.review.proposal.bottle
                return console.err("\(bottle)  building what is asked for; nothing else changes meanwhile …")
            }
            if context.isVerbose { console.err(VisibleText.line(line, limit: 400)) }
        }
        try await context.carryOut(change, yes: yes)
    }
}
