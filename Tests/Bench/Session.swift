import FoundationEssentials
import ReconcilerPlatform
import Synchronization

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// One run of the bench: who is measured, and what was found.
struct Session: Sendable {
    let contenders: [Contender]
    let recorder = Recorder()
    /// The programs that measure on the engine in memory, by way: this one, and an older one.
    let probes: [(way: String, command: [String])]

    init(_ options: Options) {
        let environment = ProcessInfo.processInfo.environment
        let variables = ["egress-proxy": "BENCH_EGRESS_PROXY", "firewall": "BENCH_FIREWALL"]
        let secrets = ["DEMO_TOKEN": POSIX.randomHexadecimal(), "BENCH_TOKEN": POSIX.randomHexadecimal()]
        var contenders = [
            Contender(
                way: "bottle",
                executable: environment["BENCH_BOTTLE"] ?? "\(Place.root)/.build-release/bottle",
                images: variables.compactMapValues { environment[$0] },
                secrets: secrets
            )
        ]
        if let old = options.old {
            contenders.append(Contender(way: "old", executable: old, images: [:], secrets: secrets))
        }
        self.contenders = contenders
        let probe = environment["BENCH_LOOP_PROGRAM"].map { [$0] } ?? [CommandLine.arguments[0], "probe"]
        probes =
            [("bottle", probe)] + (options.oldProbe.map { [("old", $0.split(separator: " ").map(String.init))] } ?? [])
    }

    private init(_ session: Session, _ contenders: [Contender]) {
        self.contenders = contenders
        probes = session.probes
    }

    func sheet(_ group: String) -> Sheet { Sheet(group: group, recorder: recorder) }

    /// Who goes first changes from round to round.
    func contenders(_ round: Int) -> [Contender] { round.isMultiple(of: 2) ? contenders : contenders.reversed() }

    /// Runs so many rounds of `body` in each of the contenders' turn, with a controller of its own.
    ///
    /// One contender keeps its controller; two of them have it one at a time, since it wakes for the other's events too.
    func controlling(
        _ rounds: Int,
        _ options: [String],
        body: (Contender, Contender.Controller, _ round: Int) async throws -> Void
    ) async throws {
        let each = contenders.count == 1 ? rounds : max(rounds / 4, 1)
        for first in stride(from: 0, to: rounds, by: each) {
            for contender in contenders(first / each) {
                try await contender.controlling(options) { controller in
                    try await controller.settle()
                    for round in first..<min(first + each, rounds) { try await body(contender, controller, round) }
                }
            }
        }
    }

    /// The images of all contenders, each under names of its own when there are two.
    func prepared() async throws -> Session {
        note("preparing")
        var prepared: [Contender] = []
        // The first one comes last: its images keep their usual names.
        for contender in contenders.reversed() {
            prepared.insert(try await contender.prepare(named: contenders.count > 1), at: 0)
        }
        return Session(self, prepared)
    }

    /// Removes all that the bench ever made, what a killed run left too.
    func clear() async throws {
        try await ComposePeer.down()
        for contender in contenders { try await contender.clear() }
        try await Engine.clear()
        try await Demo.stop()
    }

    // MARK: - A run

    /// Measures, removes everything and prints: a table for people, and one JSON document on standard output.
    func run(_ measure: @escaping @Sendable (Session) async throws -> Void) async throws {
        try FileManager.default.createDirectory(atPath: Place.cache, withIntermediateDirectories: true)
        StopSignals.install()
        try await clear()
        let session = try await prepared()
        let before = Self.loadAverage
        let outcome = await withTaskGroup(of: Result<Void, any Error>.self) { group in
            group.addTask { await Result { try await measure(session) } }
            group.addTask { await Result { try await StopSignals.wait() } }
            defer { group.cancelAll() }
            return await group.next()
        }
        let machine = Benchmark.Machine(
            processors: ProcessInfo.processInfo.activeProcessorCount,
            engine: try? await docker("version", "--format", "{{.Server.Version}}"),
            compose: try? await docker("compose", "version", "--short"),
            loadBefore: before,
            loadAfter: Self.loadAverage
        )
        // Not in a task that was cancelled: the commands in it would be, too.
        try await clear()
        try outcome?.get()
        let benchmark = session.recorder.document(machine: machine)
        note(BenchmarkTable(benchmark: benchmark).text)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        print(String(decoding: try encoder.encode(benchmark), as: UTF8.self))
    }

    private static var loadAverage: Double? {
        var average = 0.0
        return unsafe getloadavg(&average, 1) == 1 ? average : nil
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}

/// Global: a signal's handler can capture nothing.
private let signalled = Atomic<Bool>(false)

/// The first SIGINT or SIGTERM ends the measuring, and what was made is removed; the next ones wait for that.
private enum StopSignals {
    static func install() {
        for number in [SIGINT, SIGTERM] { _ = signal(number) { _ in signalled.store(true, ordering: .relaxed) } }
    }

    static func wait() async throws {
        while !signalled.load(ordering: .relaxed) { try await Task.sleep(for: .milliseconds(100)) }
        throw BenchError("interrupted")
    }
}
