import ArgumentParser
import FoundationEssentials

/// Many bottles on an engine in memory: what the loop itself takes, without an engine's time.
///
/// A process of its own, so that the memory is only that of these bottles.
struct Probe: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure on an engine in memory, and print one JSON object of figures.",
        usage: "bench probe [desired] [COUNT]",
        shouldDisplay: false
    )

    @Argument(help: "How many bottles; after the word `desired`: for the desired state alone.")
    var words: [String] = []

    private struct Figures: Encodable {
        var bottles: Int
        /// Until a new controller has made them all.
        var firstPassesMs: Double
        /// Until another controller, which knows nothing yet, has looked at all of them.
        var allPassesMs: Double
        /// One pass that finds nothing to do, beside all the others' objects: the median.
        var passMs: Double
        /// One look at the lists, compared for every bottle: the median.
        var lookMs: Double
        /// The most that this process held, the engine in memory and all it holds included.
        var mostMiB: Double
        /// Of that, what was there before the controllers: of the second one, the world.
        var worldMiB: Double
    }

    func run() async throws {
        let count = words.last.flatMap { Int($0) } ?? 1000
        guard words.first == "desired" else { return try await Self.print(figures(count)) }
        try await Self.print(DesiredProbe.figures(bottles: count))
    }

    private static func print(_ figures: some Encodable) throws {
        Swift.print(String(decoding: try JSONEncoder().encode(figures), as: UTF8.self))
    }

    private func figures(_ count: Int) async throws -> Figures {
        let bottles = try await InMemoryBottles(count)
        defer { bottles.remove() }
        let firstPasses = try await bottles.millisecondsOfController()
        let world = Memory.now
        let allPasses = try await bottles.millisecondsOfController()
        let sample = stride(from: 0, to: count, by: max(count / 20, 1)).map { bottles.identities[$0] }
        var passes: [Double] = []
        for identity in sample { passes.append(try await bottles.millisecondsOfPass(identity)) }
        var looks: [Double] = []
        for _ in 0..<20 { looks.append(try await bottles.millisecondsOfLook()) }
        return Figures(
            bottles: count,
            firstPassesMs: firstPasses,
            allPassesMs: allPasses,
            passMs: passes.median,
            lookMs: looks.median,
            mostMiB: Memory.most(),
            worldMiB: world
        )
    }
}

/// What a process holds, in MiB; 0 where nothing tells.
enum Memory {
    static var now: Double { value("VmRSS:", of: "self") }
    static func most(of process: String = "self") -> Double { value("VmHWM:", of: process) }

    private static func value(_ key: String, of process: String) -> Double {
        let line = text(of: "/proc/\(process)/status").split(separator: "\n").first { $0.hasPrefix(key) } ?? ""
        return (line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Double($0) } ?? 0) / 1024
    }
}
