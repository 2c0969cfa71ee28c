import ReconcilerEngine
import Testing

/// What the desired state was, when, by whom and why.
@Suite struct HistoryTests {
    @Test func revisionsOfABottleAreListedAndCompared() async throws {
        try await BottleFixture.run { fixture in
            let sample = SampleBottle.alone(fixture.name())
            try await fixture.applied(sample)
            var edited = sample
            edited.agent.append("env: {EVIL: \"a\\u202Eb\"}")
            try await fixture.applied(edited)

            let told = try await fixture.bottle("history", sample.name, "-o", "json").document()["items"].list
            #expect(told.count == 2)
            #expect(told.allSatisfy { !$0["author"].text.isEmpty && $0["message"].text.contains("apply") })
            let first = told.last?["revision"].text ?? ""
            let table = try await fixture.bottle("history", sample.name)
            #expect(table.status == 0 && table.output.contains(first.prefix(12)))

            let difference = try await fixture.bottle("diff", sample.name, first)
            #expect(difference.status == 2, "\(difference)")
            #expect(difference.output.contains("EVIL"))
            #expect(!difference.output.unicodeScalars.contains("\u{202E}"))
            let document = try await fixture.bottle("diff", sample.name, "HEAD~1..HEAD", "-o", "json").document()
            #expect(document["diff"].text.contains("EVIL") && document["from"].text == first)
            #expect(try await fixture.bottle("diff", sample.name, "HEAD..HEAD").status == 0)
            #expect(try await fixture.bottle("diff", sample.name, "00000000").status == 1)
            #expect(try await fixture.bottle("history", "nobody").status == 1)
        }
    }
}
