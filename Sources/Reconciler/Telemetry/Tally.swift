/// Counts by what sets them apart.
package struct Tally: Sendable, Hashable {
    /// The labels' names.
    private let names: [String]
    private var counts: [[String]: UInt64]

    /// - Parameter rows: rows that are shown before anything was counted, so that the first count is seen as a rise.
    package init(_ names: String..., rows: [[String]] = []) {
        self.names = names
        counts = Dictionary(rows.map { ($0, 0) }) { first, _ in first }
    }

    /// Counts one, or several at once; at the largest number there is it stops.
    ///
    /// - Parameter values: one for each name; from a bounded set, since every new one is kept for good.
    package mutating func add(_ values: String..., count: Int = 1) {
        let (sum, overflows) = counts[values, default: 0].addingReportingOverflow(UInt64(max(count, 0)))
        counts[values] = overflows ? .max : sum
    }

    /// Sorted by their labels.
    package var samples: [MetricFamily.Sample] {
        counts.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { values, count in
            .init(Double(count), labels: zip(names, values).map { MetricFamily.Label($0, $1) })
        }
    }
}
