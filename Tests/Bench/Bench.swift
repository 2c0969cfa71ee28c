import ArgumentParser
import FoundationEssentials

/// Measures `bottle` on a real engine, beside its peers and beside an older executable; see docs/bench.md.
@main
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure the release build: a table on standard error, one JSON document on standard output.",
        discussion: """
            scripts/bench prepares what it needs and runs it in the checkout. What misses its bound, or is worse than \
            the old executable, is told and does not change the exit status. BENCH_BOTTLE (executable), \
            BENCH_EGRESS_PROXY and BENCH_FIREWALL (images) are measured in place of this checkout's.

              scripts/bench loop compose heal --rounds 3
              scripts/bench all --old ../old/.build-release/bottle --old-probe '../old/.build-release/bench probe'
            """,
        subcommands: [All.self, Startup.self, Apply.self, Approval.self, Loop.self, Walls.self, Down.self, Probe.self],
        defaultSubcommand: All.self
    )
}

struct Options: ParsableArguments {
    @Option(help: "Runs of startup, apply and approval.")
    var runs = 20

    @Option(help: "Rounds of loop (5 unless said) and walls (3 unless said).")
    var rounds: Int?

    @Option(help: "A second executable, measured in turn with the first.")
    var old: String?

    @Option(help: "The command of an older program that measures in memory, as `bench probe` does.")
    var oldProbe: String?

    func validate() throws {
        if runs < 10 { throw ValidationError("a p95 of fewer than 10 runs says nothing") }
        if let rounds, rounds < 1 { throw ValidationError("nothing is measured in \(rounds) rounds") }
    }
}

/// A subcommand that measures.
protocol Measuring: AsyncParsableCommand, Sendable {
    var options: Options { get }

    func measure(_ session: Session) async throws
}

extension Measuring {
    func run() async throws { try await Session(options).run(measure) }
}

struct Startup: Measuring {
    static let configuration = CommandConfiguration(abstract: "Time `bottle version`.")

    @OptionGroup var options: Options

    func measure(_ session: Session) async throws { try await ApplyBench.startup(session, runs: options.runs) }
}

struct Apply: Measuring {
    static let configuration = CommandConfiguration(
        abstract: "Time applies of the demo's bottle: cold, without a change, one route changed."
    )

    @OptionGroup var options: Options

    func measure(_ session: Session) async throws { try await ApplyBench.apply(session, runs: options.runs) }
}

struct Approval: Measuring {
    static let configuration = CommandConfiguration(
        abstract: "Time from an approval's commit to the agent's first page."
    )

    @OptionGroup var options: Options

    func measure(_ session: Session) async throws { try await ApprovalBench.measure(session, runs: options.runs) }
}

struct Loop: Measuring {
    static let configuration = CommandConfiguration(
        abstract: "Measure the loop: beside docker compose, healing, quiet, with a crowd, and in memory."
    )

    @Argument(help: "Some parts only: \(LoopBench.Part.allCases.map(\.rawValue).joined(separator: ", ")).")
    var parts = LoopBench.Part.allCases

    @OptionGroup var options: Options

    func measure(_ session: Session) async throws {
        try await LoopBench.measure(session, parts: parts, rounds: options.rounds ?? 5)
    }
}

struct Walls: Measuring {
    static let configuration = CommandConfiguration(
        abstract: "Measure the way through egress-proxy and firewall, beside a direct one and the bare programs.",
        discussion: """
            For a profiler: `walls up` makes all of it and leaves it, `walls take bottle crowd 10` prints the raw \
            samples of one measurement (way, what, how many or how much), `down` removes it.
            """
    )

    @Argument(help: "up, or take WAY WHAT [COUNT].")
    var words: [String] = []

    @OptionGroup var options: Options

    func run() async throws {
        let session = Session(options)
        switch (words.first, words.count) {
        case (nil, _): try await session.run(measure)
        case ("up", 1):
            try await session.clear()
            try await WallsBench(session: session.prepared()).start()
        case ("take", 3...4):
            let bench = WallsBench(session: session)
            for line in try await bench.samples(words[1], words[2], Array(words.dropFirst(3))) { print(line) }
        default: throw ValidationError("walls, walls up, or walls take WAY WHAT [COUNT]")
        }
    }

    func measure(_ session: Session) async throws { try await WallsBench.measure(session, rounds: options.rounds ?? 3) }
}

struct All: Measuring {
    static let configuration = CommandConfiguration(abstract: "Measure everything, one group after the other.")

    @OptionGroup var options: Options

    func measure(_ session: Session) async throws {
        try await ApplyBench.startup(session, runs: options.runs)
        try await ApplyBench.apply(session, runs: options.runs)
        try await LoopBench.measure(session, parts: LoopBench.Part.allCases, rounds: options.rounds ?? 5)
        try await WallsBench.measure(session, rounds: options.rounds ?? 3)
        try await ApprovalBench.measure(session, runs: options.runs)
    }
}

struct Down: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Remove what a killed run, or `walls up`, left.")

    @OptionGroup var options: Options

    func run() async throws { try await Session(options).clear() }
}
