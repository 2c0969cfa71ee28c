import ArgumentParser
import FoundationEssentials
import ReconcilerModel
import ReconcilerOperations

struct Denied: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what bottles' sidecars refused, by host and rule.",
        discussion: """
            What `bottle run` keeps, and what the sidecars' logs hold beyond that. Known telemetry, and what the \
            settings name in `denied: {ignore: [host]}`, is left out unless --all is given; how much was left out is \
            always said.

              bottle denied dev --since 1h
              bottle denied dev --watch -o json
              bottle denied dev --suggest               what would let all of it through
              bottle denied dev --suggest a7bq3kfm2xwd  what would let this group through
            """
    )

    @Argument(help: "The bottle; default: all.")
    var bottle: String?

    @Argument(help: "With --suggest: ids of groups; default: all that are shown.")
    var groups: [String] = []

    @Flag(name: [.customShort("w"), .long], help: "Stay, and show each group again when it grew.")
    var watch = false

    @Option(name: .long, help: "Only what was refused within this time, such as 10m.")
    var since: TimeSpan?

    @Flag(name: .long, help: "Known telemetry, too.")
    var all = false

    @Flag(name: .long, help: "Print the smallest change of the manifest that would let groups through.")
    var suggest = false

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if suggest, bottle == nil { throw ValidationError("--suggest needs a bottle") }
        if suggest, watch { throw ValidationError("--suggest and --watch don't go together") }
        if !suggest, !groups.isEmpty { throw ValidationError("groups are named with --suggest only") }
    }

    func run() async throws { try await common.run(run(in:)) }

    func run(in context: CommandContext) async throws {
        let names = try bottle.map { [try Identity($0)] }
        let operations = context.operations
        let report = try await operations.refusals(names, since: since?.duration)
        context.warn(ofUnread: report.unreachable)
        if suggest, let identity = names?.first {
            let document = try await operations.suggestion(for: groups, of: identity, in: report, showsNoise: all)
            return try context.show(document) { SuggestionText.of(document) }
        }
        let printer = RefusalPrinter(context: context, namesBottle: bottle == nil)
        guard watch else { return try printer.show(report.list(showsNoise: all)) }
        try await operations.watch(
            report,
            of: names.map(Set.init),
            showsNoise: all,
            show: { try printer.show($0, of: $1, hidden: $2) },
            trouble: { context.console.complain(of: $0) }
        )
    }
}
