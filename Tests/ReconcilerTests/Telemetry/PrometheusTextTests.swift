import Reconciler
import Testing

@Suite struct PrometheusTextTests {
    @Test func familiesAreSortedAndEachHasItsHelpAndType() {
        let text = PrometheusText.of([
            MetricFamily("b_total", .counter, help: "Of b.", samples: []),
            MetricFamily("a", .gauge, help: "Of a.", 2.5),
        ])
        #expect(text == "# HELP a Of a.\n# TYPE a gauge\na 2.5\n# HELP b_total Of b.\n# TYPE b_total counter\n")
    }

    @Test func whatWouldEndALabelOrALineIsEscaped() {
        let label = MetricFamily.Label("l", "a\"b\\c\nd\r é {}")
        let text = PrometheusText.of([
            MetricFamily("m", .gauge, help: "a \"quote\", a \\ and\na line", samples: [.init(1, labels: [label])])
        ])
        #expect(
            text == """
                # HELP m a "quote", a \\\\ and\\na line
                # TYPE m gauge
                m{l="a\\"b\\\\c\\nd\r é {}"} 1

                """
        )
    }

    @Test(
        arguments: [
            (0, "0"), (-0.0, "0"), (1, "1"), (0.025, "0.025"), (1e15, "1000000000000000"), (1e300, "1e+300"),
            (-.infinity, "-Inf"), (.infinity, "+Inf"), (.nan, "NaN"),
        ] as [(Double, String)]
    )
    func aNumberIsWrittenAsPrometheusReadsIt(value: Double, text: String) {
        #expect(PrometheusText.of([MetricFamily("m", .gauge, help: "", value)]).hasSuffix("\nm \(text)\n"))
    }

    @Test func bucketsHoldTheOnesBelowAndEndWithAll() {
        var histogram = Histogram(bounds: [0.5, 1, 10])
        for value in [0.25, 0.5, 0.75, 11, 2] { histogram.observe(value) }
        let text = PrometheusText.of([MetricFamily("h", .histogram, help: "H.", samples: histogram.samples)])
        #expect(
            text == """
                # HELP h H.
                # TYPE h histogram
                h_bucket{le="0.5"} 2
                h_bucket{le="1"} 3
                h_bucket{le="10"} 4
                h_bucket{le="+Inf"} 5
                h_sum 14.5
                h_count 5

                """
        )
    }

    @Test func aTallyShowsItsRowsBeforeAnythingWasCounted() {
        var tally = Tally("verb", "outcome", rows: [["start", "done"], ["copy", "done"]])
        tally.add("start", "done")
        tally.add("start", "done")
        tally.add("copy", "failed")
        let text = PrometheusText.of([MetricFamily("t_total", .counter, help: "T.", samples: tally.samples)])
        #expect(
            text == """
                # HELP t_total T.
                # TYPE t_total counter
                t_total{verb="copy",outcome="done"} 0
                t_total{verb="copy",outcome="failed"} 1
                t_total{verb="start",outcome="done"} 2

                """
        )
    }
}
