/// The table of a run, for people.
struct BenchmarkTable {
    let benchmark: Benchmark

    var text: String {
        var lines: [String] = []
        var group = ""
        for result in benchmark.results {
            if result.group != group {
                group = result.group
                lines += ["", Self.row(group, "", ["runs", "min", "mean", "p50", "p95", "p99", "max"], "")]
            }
            let figures = [result.min, result.mean, result.p50, result.p95, result.p99, result.max].map(Self.short)
            let way = "\(Self.padded(result.way, 8)) \(result.unit)"
            lines.append(Self.row(result.name, way, ["\(result.runs)"] + figures, Self.remarks(result)))
        }
        lines += [""] + benchmark.notes
        let bounds = benchmark.results.filter { $0.bound != nil }
        lines += Self.summary("missed its bound", bounds.filter { $0.bound?.met == false }, of: bounds)
        let olds = benchmark.results.filter { $0.worseThanOld != nil }
        lines += Self.summary("worse than the old by more than 5 %", olds.filter { $0.worseThanOld == true }, of: olds)
        let machine = benchmark.machine
        lines.append(
            "\(machine.processors) processors; load average \(machine.loadBefore.map(Self.short) ?? "?") before, "
                + "\(machine.loadAfter.map(Self.short) ?? "?") after"
        )
        return lines.joined(separator: "\n")
    }

    private static func remarks(_ result: Benchmark.Result) -> String {
        var remarks: [String] = []
        if let ratio = result.ratio, let peer = result.peer { remarks.append("\(short(ratio)) of \(peer)") }
        if let bound = result.bound {
            let limit = bound.atMost.map { "<= \(short($0))" } ?? bound.atLeast.map { ">= \(short($0))" } ?? ""
            remarks.append("\(bound.statistic.rawValue) \(limit) \(bound.met ? "met" : "MISSED")")
        }
        if let ratio = result.ratioToOld {
            remarks.append("\(short(ratio)) of old\(result.worseThanOld == true ? " WORSE" : "")")
        }
        return remarks.joined(separator: "; ")
    }

    private static func summary(_ what: String, _ some: [Benchmark.Result], of all: [Benchmark.Result]) -> [String] {
        guard !all.isEmpty else { return [] }
        return ["\(some.count) of \(all.count) \(what)"] + some.map { "  \($0.group): \($0.name)" }
    }

    private static func row(_ name: String, _ way: String, _ figures: [String], _ remarks: String) -> String {
        let cells = figures.map { String(repeating: " ", count: max(9 - $0.count, 1)) + $0 }.joined()
        return "\(padded(name, 52)) \(padded(way, 18))\(cells)\(remarks.isEmpty ? "" : "  " + remarks)"
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(width - text.count, 0))
    }

    /// Three digits, or all that stand before the point.
    private static func short(_ value: Double) -> String {
        guard value.isFinite else { return "-" }
        let scale: Double = value >= 100 ? 1 : value >= 10 ? 10 : 100
        let rounded = (value * scale).rounded() / scale
        return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
    }
}
