import ArgumentParser
import FoundationEssentials
import Reconciler
import ReconcilerEngine
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState
import ReconcilerTime

struct Logs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what a bottle's containers wrote, merged by time.",
        discussion: """
            Text from inside the bottle is escaped: nothing in it can steer the terminal.

              bottle logs dev
              bottle logs dev egress-proxy firewall --follow --tail 20
            """
    )

    @Argument(help: "The bottle.")
    var bottle: String

    @Argument(help: "Roles to show: agent, egress-proxy, firewall …; default: all.")
    var roles: [Role] = []

    @Flag(name: .shortAndLong, help: "Stay, and show what comes.")
    var follow = false

    @Option(name: .long, help: "Only what was written within this time, such as 10m.")
    var since: TimeSpan?

    @Option(name: .long, help: "Only so many of the last lines of each container.")
    var tail: Int?

    @Flag(name: .shortAndLong, help: "Begin each line with its time.")
    var timestamps = false

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if let tail, tail < 0 { throw ValidationError("--tail must not be negative") }
    }

    func run() async throws { try await common.run(run(in:)) }

    func run(in context: CommandContext) async throws {
        let identity = try Identity(bottle)
        guard let state = try StateFolder.open(context.paths.state) else { throw BottleError.missing(identity) }
        let client = try await context.engine()
        defer { client.close() }
        let engine: any EngineReading = client
        let inventory = try await Inventory.take(from: engine)
        let containers = inventory.containers(of: identity, installation: state.installation).compactMap { container in
            container.labels[Labels.role].flatMap(Role.init(rawValue:)).map { (role: $0, id: container.id) }
        }.filter { roles.isEmpty || roles.contains($0.role) }.sorted { $0.role < $1.role }
        guard !containers.isEmpty else {
            throw BottleError(
                .noLogs,
                "no such container of this bottle exists",
                at: identity.name,
                remedy: "see `bottle describe \(identity)`"
            )
        }
        let printer = LogPrinter(context: context, roles: containers.map(\.role), timestamps: timestamps)
        var sources: [LogSource] = []
        for container in containers {
            let hasTerminal = try await engine.container(container.id).config.tty ?? false
            let options = LogOptions(
                follow: follow,
                since: since.map { start($0) },
                tail: tail,
                timestamps: true,
                tty: hasTerminal
            )
            sources.append(LogSource(role: container.role, id: container.id, options: options))
        }
        if follow {
            try await self.follow(sources, engine, printer)
        } else {
            try await merge(sources, engine, printer)
        }
    }

    private func start(_ span: TimeSpan) -> Timestamp {
        let moment = Date().timeIntervalSince1970 - span.duration / .seconds(1)
        return Timestamp(seconds: Int64(moment))
    }

    private struct LogSource: Sendable {
        var role: Role
        var id: String
        var options: LogOptions
    }

    /// Each line as it comes.
    private func follow(_ sources: [LogSource], _ engine: any EngineReading, _ printer: LogPrinter) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for source in sources {
                group.addTask {
                    var lines = LogLines(try await engine.logs(container: source.id, options: source.options))
                    while let line = try await lines.next() { printer.show(line, of: source.role) }
                }
            }
            try await group.waitForAll()
        }
    }

    /// All lines in the order of their times; of each container one line is held at a time.
    private func merge(_ sources: [LogSource], _ engine: any EngineReading, _ printer: LogPrinter) async throws {
        var open: [(role: Role, line: LogLines.Line, rest: LogLines)] = []
        for source in sources {
            var lines = LogLines(try await engine.logs(container: source.id, options: source.options))
            if let line = try await lines.next() { open.append((source.role, line, lines)) }
        }
        while let first = open.indices.min(by: { open[$0].line.time < open[$1].line.time }) {
            printer.show(open[first].line, of: open[first].role)
            if let next = try await open[first].rest.next() {
                open[first].line = next
            } else {
                open.remove(at: first)
            }
        }
    }
}
