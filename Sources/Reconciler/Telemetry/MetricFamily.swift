/// One metric with everything it says at a moment, in Prometheus' terms.
package struct MetricFamily: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable {
        case counter, gauge, histogram
    }

    /// One line: a value and what sets it apart from the others.
    package struct Sample: Sendable, Hashable {
        /// What follows the family's name: `_bucket`, `_sum`, `_count`; else nothing.
        package var suffix: String
        /// Names and values, in the order in which they are shown.
        package var labels: [Label]
        package var value: Double

        package init(_ value: Double, labels: [Label] = [], suffix: String = "") {
            self.suffix = suffix
            self.labels = labels
            self.value = value
        }
    }

    package struct Label: Sendable, Hashable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// With its unit, and `_total` at the end of a counter's.
    package var name: String
    package var help: String
    package var kind: Kind
    package var samples: [Sample]

    package init(_ name: String, _ kind: Kind, help: String, samples: [Sample]) {
        self.name = name
        self.help = help
        self.kind = kind
        self.samples = samples
    }

    /// A metric that is one number.
    package init(_ name: String, _ kind: Kind, help: String, _ value: Double) {
        self.init(name, kind, help: help, samples: [Sample(value)])
    }
}
