import ArgumentParser
import ReconcilerModel
import ReconcilerOperations
import ReconcilerProposals

struct Proposals: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "proposals",
        abstract: "Show what agents ask for.",
        discussion: """
            Those that wait for a decision, of all bottles; --all shows those that were decided of late, too.

              bottle proposals
              bottle proposals --watch -o json
              bottle proposals show 3f2a91c0
            """,
        subcommands: [ProposalsList.self, ProposalsShow.self],
        defaultSubcommand: ProposalsList.self
    )
}

struct ProposalsList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List proposals; without a subcommand this is what is shown."
    )

    @Argument(help: "The bottles; default: all.")
    var bottles: [String] = []

    @Flag(name: .long, help: "Those that were decided of late, too.")
    var all = false

    @Flag(name: [.customShort("w"), .long], help: "Stay, and show each proposal that is new or was decided.")
    var watch = false

    @OptionGroup var common: CommonOptions

    func run() async throws { try await common.run(run(in:)) }

    func run(in context: CommandContext) async throws {
        let names = try bottles.map { try Identity($0) }
        let wanted = names.isEmpty ? nil : Set(names)
        guard watch else {
            let items = try await items(wanted, context)
            return try context.show(ListDocument(kind: "ProposalList", items: items)) { ProposalView.table(items) }
        }
        var seen: [String: String] = [:]
        while true {
            for item in try await context.operations.proposals(of: wanted).map(ProposalItem.init) {
                // The first time only what waits is news.
                let isNews = seen[item.id] == nil ? all || item.state == "pending" : seen[item.id] != item.state
                seen[item.id] = item.state
                guard isNews else { continue }
                context.console.out(
                    context.format.isDocument
                        ? try OutputFormat.line(of: item)
                        : "\(item.id)  \(item.bottle)  \(item.state)  \(VisibleText.line(item.changes.first ?? "", limit: 80))"
                )
            }
            try await Task.sleep(for: .milliseconds(300))
        }
    }

    private func items(_ bottles: Set<Identity>?, _ context: CommandContext) async throws -> [ProposalItem] {
        try await context.operations.proposals(of: bottles).filter { all || !$0.state.isFinal }.map(ProposalItem.init)
    }
}

struct ProposalsShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one proposal whole: why, what changes, what that gives, and the refusals that led to it."
    )

    @Argument(help: "The proposal: the first digits of its id.")
    var id: String

    @OptionGroup var common: CommonOptions

    func run() async throws { try await common.run(run(in:)) }

    func run(in context: CommandContext) async throws {
        let review = try await context.operations.proposal(id)
        let (refusals, unreachable) = try await context.operations.refusals(behind: review)
        context.warn(ofUnread: unreachable)
        let style = Style(isOn: context.console.colorsOutput)
        var document = ProposalDocument(proposal: ProposalItem(review))
        document.argument = review.proposal.argument
        document.refusals = refusals.map(\.id)
        try context.show(document) { ProposalView.whole(review, refusals: refusals, style: style) }
    }
}

/// `proposals show -o json`.
private struct ProposalDocument: Encodable {
    var apiVersion = "bottle/v1"
    var kind = "Proposal"
    var proposal: ProposalItem
    /// As the agent sent it.
    var argument = ""
    /// Ids of the groups of refusals that led to it, as `denied` shows them.
    var refusals: [String] = []
}
