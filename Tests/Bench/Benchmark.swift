import FoundationEssentials
import Synchronization

/// What a run of the bench found: the one JSON document that it prints.
///
/// docs/bench.md explains each field.
struct Benchmark: Encodable {
    struct Machine: Encodable {
        var processors: Int
        var engine: String?
        var compose: String?
        /// The load average of one minute, before and after.
        var loadBefore: Double?
        var loadAfter: Double?
    }

    /// The samples of one thing, measured in one way.
    struct Result: Encodable {
        var group: String
        var name: String
        /// Who did it: `bottle`, `old`, or a peer.
        var way: String
        var unit: String
        var runs: Int
        var min: Double
        var mean: Double
        var p50: Double
        var p95: Double
        var p99: Double
        var max: Double
        /// The way, or the name, that this is compared with.
        var peer: String?
        /// This p50 as a part of the peer's.
        var ratio: Double?
        /// This p50 as a part of the old executable's.
        var ratioToOld: Double?
        var worseThanOld: Bool?
        var bound: Bound?
    }

    struct Bound: Encodable {
        enum Statistic: String, Encodable { case p50, p99, max, ratio }

        var statistic: Statistic
        var atMost: Double?
        var atLeast: Double?
        var met: Bool
    }

    var apiVersion = "bottle/v1"
    var kind = "Benchmark"
    var machine: Machine
    var results: [Result]
    /// What no number says.
    var notes: [String]
}

/// Collects samples, in the order in which their names first come.
final class Recorder: Sendable {
    fileprivate struct Key: Hashable { var group, name, way: String }

    fileprivate struct Series {
        var unit: String
        var samples: [Double] = []
        var peer: String?
        var bound: Benchmark.Bound?
    }

    fileprivate struct State {
        var order: [Key] = []
        var series: [Key: Series] = [:]
        var notes: [String] = []
    }

    fileprivate let state = Mutex(State())

    func note(_ text: String) { state.withLock { $0.notes.append(text) } }

    func document(machine: Benchmark.Machine) -> Benchmark {
        let state = state.withLock { $0 }
        let results = state.order.map { state.result($0) }
        return Benchmark(machine: machine, results: results.compactMap { $0 }, notes: state.notes)
    }
}

/// What one group of the bench measured.
struct Sheet: Sendable {
    let group: String
    let recorder: Recorder

    func add(_ name: String, _ way: String, _ samples: Double..., unit: String = "ms") {
        add(name, way, all: samples, unit: unit)
    }

    func add(_ name: String, _ way: String, all samples: [Double], unit: String = "ms") {
        guard !samples.isEmpty else { return }
        let key = Recorder.Key(group: group, name: name, way: way)
        recorder.state.withLock { state in
            if state.series[key] == nil { state.order.append(key) }
            state.series[key, default: Recorder.Series(unit: unit)].samples += samples
        }
    }

    /// Compares the bottle's figure with a peer's (a way of the same name, else a name of the same way).
    ///
    /// The limit bounds the ratio of both, else the statistic. What was not measured is not compared.
    func compare(
        _ name: String,
        with peer: String? = nil,
        _ statistic: Benchmark.Bound.Statistic? = nil,
        atMost: Double? = nil,
        atLeast: Double? = nil
    ) {
        recorder.state.withLock { state in
            for way in ["bottle", "old"] {
                let key = Recorder.Key(group: group, name: name, way: way)
                state.series[key]?.peer = peer
                guard way == "bottle", atMost ?? atLeast != nil else { continue }
                let statistic = statistic ?? (peer == nil ? .p50 : .ratio)
                state.series[key]?.bound = .init(statistic: statistic, atMost: atMost, atLeast: atLeast, met: false)
            }
        }
    }

    /// What was measured so far; nil when nothing was.
    func result(_ name: String, _ way: String) -> Benchmark.Result? {
        recorder.state.withLock { $0.result(Recorder.Key(group: group, name: name, way: way)) }
    }
}

extension Recorder.State {
    fileprivate func result(_ key: Recorder.Key) -> Benchmark.Result? {
        guard let own = series[key] else { return nil }
        let sorted = own.samples.sorted()
        var result = Benchmark.Result(
            group: key.group,
            name: key.name,
            way: key.way,
            unit: own.unit,
            runs: sorted.count,
            min: sorted.rank(0).thousandths,
            mean: (sorted.reduce(0, +) / Double(sorted.count)).thousandths,
            p50: sorted.rank(50).thousandths,
            p95: sorted.rank(95).thousandths,
            p99: sorted.rank(99).thousandths,
            max: sorted.rank(100).thousandths
        )
        if let name = own.peer {
            let way = Recorder.Key(group: key.group, name: key.name, way: name)
            let peer = series[way] ?? series[Recorder.Key(group: key.group, name: name, way: key.way)]
            result.peer = name
            result.ratio = peer.flatMap { result.p50.ratio(to: $0.samples.median) }
        }
        if key.way == "bottle", let old = series[Recorder.Key(group: key.group, name: key.name, way: "old")] {
            let ratio = result.p50.ratio(to: old.samples.median)
            result.ratioToOld = ratio
            result.worseThanOld = ratio.map { own.unit.hasSuffix("/s") ? $0 < 1 / 1.05 : $0 > 1.05 }
        }
        if var bound = own.bound {
            let measured: Double? =
                switch bound.statistic {
                case .p50: result.p50
                case .p99: result.p99
                case .max: result.max
                case .ratio: result.ratio
                }
            bound.met = measured.map { $0 <= bound.atMost ?? .infinity && $0 >= bound.atLeast ?? -.infinity } ?? false
            result.bound = bound
        }
        return result
    }
}

extension [Double] {
    /// Of sorted samples, by nearest rank: the smallest that so many percent of them do not exceed.
    func rank(_ percent: Int) -> Double {
        isEmpty ? .nan : self[Swift.max((count * percent + 99) / 100, 1) - 1]
    }

    var median: Double { sorted().rank(50) }
}

extension Double {
    func ratio(to other: Double) -> Double? { other > 0 ? (self / other).thousandths : nil }

    var thousandths: Double { (self * 1000).rounded() / 1000 }
}
