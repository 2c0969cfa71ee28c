import ArgumentParser
import Reconciler
import ReconcilerModel
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
        let finder = ProposalFinder(context: context)
        let wanted = names.isEmpty ? nil : Set(names)
        guard watch else {
            let items = try await items(finder, wanted)
            return try context.show(ProposalList(items: items)) { ProposalView.table(items) }
        }
        var seen: [String: String] = [:]
        while true {
            for item in try await finder.all(of: wanted).map(ProposalItem.init) {
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

    private func items(_ finder: ProposalFinder, _ bottles: Set<Identity>?) async throws -> [ProposalItem] {
        try await finder.all(of: bottles).filter { all || !$0.state.isFinal }.map(ProposalItem.init)
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
        let review = try await ProposalFinder(context: context).one(id)
        let bottle = review.proposal.bottle
        var groups: [RefusalGroup] = []
        if case .changes(let changes) = review.verdict {
            let hosts = Set(changes.compactMap { $0.host?.text })
            var reader = try await RefusalReader(context, since: nil)
            defer { reader.close() }
            try await reader.read([bottle])
            groups = (reader.found[bottle]?.groups.all ?? []).filter { hosts.contains($0.host) }
        }
        let style = Style(isOn: context.console.colorsOutput)
        var document = ProposalDocument(proposal: ProposalItem(review))
        document.argument = review.proposal.argument
        document.refusals = groups.map(\.id)
        try context.show(document) { ProposalView.whole(review, refusals: groups, style: style) }
    }
}

/// `proposals -o json` (SPEC 10).
private struct ProposalList: Encodable {
    var apiVersion = "bottle/v1"
    var kind = "ProposalList"
    var items: [ProposalItem]
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
