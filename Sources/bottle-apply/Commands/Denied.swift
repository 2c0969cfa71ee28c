import ArgumentParser
import FoundationEssentials
import Reconciler
import ReconcilerEngine
import ReconcilerModel
import ReconcilerState
import ReconcilerTime

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
        let noise = RefusalNoise(try context.settings().noise)
        var reader = try await RefusalReader(context, since: since.map { $0.ago })
        defer { reader.close() }
        try await reader.read(names)
        if suggest, let identity = names?.first {
            return try await self.suggest(for: identity, reader, context, without: noise)
        }
        let printer = RefusalPrinter(
            context: context,
            noise: noise,
            showsNoise: all,
            namesBottle: bottle == nil
        )
        guard watch else { return try printer.show(reader.found, isComplete: reader.isComplete) }
        try await watch(reader, printer, names.map(Set.init))
    }

    private func watch(_ reader: RefusalReader, _ printer: RefusalPrinter, _ names: Set<Identity>?) async throws {
        guard let engine = reader.engine, let installation = reader.installation else {
            throw reader.unreachable
                ?? BottleError(.noBottles, "there is nothing to watch", remedy: "`bottle apply` makes a bottle")
        }
        let sink = RefusalScreen(found: reader.found, printer: printer, since: since.map { $0.ago })
        try await sink.begin()
        var pace = FollowerPace()
        pace.batch = .milliseconds(300)
        pace.flooded = .seconds(2)
        let context = printer.context
        let follower = RefusalFollower(
            engine: engine,
            installation: installation,
            sink: sink,
            pace: pace,
            concerns: { names?.contains($0) ?? true },
            trouble: { context.console.err($0.text(Style(isOn: context.console.colorsErrors))) }
        )
        try await follower.run()
    }

    private func suggest(
        for identity: Identity,
        _ reader: RefusalReader,
        _ context: CommandContext,
        without noise: RefusalNoise
    ) async throws {
        let found = reader.found[identity]?.groups ?? RefusalGroups()
        let wanted =
            try groups.isEmpty
            ? found.all.filter { all || !noise.contains($0) } : reader.groups(named: groups, of: identity)
        let desired = try await context.desired(of: identity)
        let suggestion = RefusalSuggestion(for: wanted, in: desired.remedied.manifest)
        let document = SuggestionDocument(identity, suggestion)
        try context.show(document) { SuggestionText.of(suggestion, identity) }
    }
}

extension TimeSpan {
    /// The moment that is this long ago.
    fileprivate var ago: Timestamp {
        Timestamp(seconds: Int64(Date().timeIntervalSince1970 - duration / .seconds(1)))
    }
}

/// Shows the groups that a batch added to.
private actor RefusalScreen: RefusalSink {
    /// The most groups that are shown for one batch.
    private static let limit = 40

    private var found: [Identity: BottleRefusals]
    private let printer: RefusalPrinter
    private let since: Timestamp?

    init(found: [Identity: BottleRefusals], printer: RefusalPrinter, since: Timestamp?) {
        self.found = found
        self.printer = printer
        self.since = since
    }

    /// Shows what there is.
    func begin() throws {
        for (bottle, refusals) in found.sorted(by: { $0.key < $1.key }) {
            try printer.show(refusals.groups.all.suffix(Self.limit), of: bottle, hidden: 0)
        }
    }

    func positions(of bottle: Identity) -> [String: LogPosition] { found[bottle]?.positions ?? [:] }

    func take(_ batch: RefusalBatch) throws {
        var refusals = found[batch.bottle] ?? BottleRefusals(since: since)
        let changed = refusals.add(batch)
        found[batch.bottle] = refusals
        let groups = refusals.groups.all.filter { changed.contains($0.id) }
        try printer.show(
            groups.suffix(Self.limit),
            of: batch.bottle,
            hidden: max(0, groups.count - Self.limit)
        )
    }
}
