/// How many observed values were at most each of some bounds.
package struct Histogram: Sendable, Hashable {
    private let bounds: [Double]
    /// By bound, each without the ones below; the last is what exceeds them all.
    private var counts: [UInt64]
    private var sum = 0.0

    /// - Parameter bounds: rising.
    package init(bounds: [Double]) {
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count + 1)
    }

    package mutating func observe(_ value: Double) {
        counts[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
        sum += value
    }

    /// Buckets that each hold the ones below, then the sum and the count.
    package var samples: [MetricFamily.Sample] {
        var total: UInt64 = 0
        var samples: [MetricFamily.Sample] = []
        for (bound, count) in zip(bounds + [.infinity], counts) {
            total += count
            let label = MetricFamily.Label("le", PrometheusText.number(bound))
            samples.append(.init(Double(total), labels: [label], suffix: "_bucket"))
        }
        return samples + [.init(sum, suffix: "_sum"), .init(Double(total), suffix: "_count")]
    }
}
