import EngineTestSupport
import FoundationEssentials
import Reconciler
import ReconcilerEngine
import ReconcilerManifest
import ReconcilerModel

/// Many bottles on an engine in memory: what the loop itself takes, without an engine's time.
///
/// Prints one JSON document. Usage: loop-bench COUNT, or loop-bench desired COUNT for the desired state alone.
@main
enum LoopBench {
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

    static func main() async throws {
        if CommandLine.arguments.dropFirst().first == "desired" {
            let count = CommandLine.arguments.dropFirst(2).first.flatMap { Int($0) } ?? 1000
            let figures = try await DesiredBench.figures(bottles: count)
            return print(String(decoding: try JSONEncoder().encode(figures), as: UTF8.self))
        }
        let count = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 1000
        let bed = try await Bed(bottles: count)
        defer { bed.remove() }
        let firstPasses = try await bed.millisecondsOfController()
        let world = Memory.now
        let allPasses = try await bed.millisecondsOfController()
        let sample = stride(from: 0, to: count, by: max(count / 20, 1)).map { bed.identities[$0] }
        let passes = try await sample.asyncMap { try await bed.millisecondsOfPass($0) }
        let looks = try await (0..<20).asyncMap { _ in try await bed.millisecondsOfLook() }
        let figures = Figures(
            bottles: count,
            firstPassesMs: firstPasses,
            allPassesMs: allPasses,
            passMs: passes.median,
            lookMs: looks.median,
            mostMiB: Memory.most,
            worldMiB: world
        )
        print(String(decoding: try JSONEncoder().encode(figures), as: UTF8.self))
    }
}

/// What this process holds, in MiB; 0 where nothing tells.
enum Memory {
    static var now: Double { value("VmRSS:") }
    static var most: Double { value("VmHWM:") }

    private static func value(_ key: String) -> Double {
        let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix(key) } ?? ""
        return (line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Double($0) } ?? 0) / 1024
    }
}

extension Sequence {
    func asyncMap<Value>(_ transform: (Element) async throws -> Value) async throws -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await transform(element)) }
        return values
    }
}

extension [Double] {
    var median: Double { isEmpty ? 0 : sorted()[(count - 1) / 2] }
}

/// Runs `body` and tells how long it took.
func milliseconds(_ body: () async throws -> Void) async rethrows -> Double {
    let begun = ContinuousClock.now
    try await body()
    return (ContinuousClock.now - begun) / .milliseconds(1)
}
