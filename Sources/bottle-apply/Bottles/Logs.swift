import ArgumentParser
import FoundationEssentials
import ReconcilerModel
import ReconcilerOperations
import ReconcilerPlatform

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
        let logs = try await context.operations.logs(of: identity, roles: roles)
        let printer = LogPrinter(context: context, roles: logs.roles, timestamps: timestamps)
        try await logs.read(follow: follow, within: since?.duration, tail: tail) { printer.show($0) }
    }
}
