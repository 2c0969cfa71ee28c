import ReconcilerEngine
import Testing

/// What the desired state was, when, by whom and why.
@Suite struct HistoryTests {
    @Test func revisionsOfABottleAreListedAndCompared() async throws {
        try await Scene.run { scene in
            let sample = Sample.alone(scene.name())
            try await scene.applied(sample)
            var edited = sample
            edited.agent.append("env: {EVIL: \"a\\u202Eb\"}")
            try await scene.applied(edited)

            let told = try await scene.bottle("history", sample.name, "-o", "json").document()["items"].list
            #expect(told.count == 2)
            #expect(told.allSatisfy { !$0["author"].text.isEmpty && $0["message"].text.contains("apply") })
            let first = told.last?["revision"].text ?? ""
            let table = try await scene.bottle("history", sample.name)
            #expect(table.status == 0 && table.output.contains(first.prefix(12)))

            let difference = try await scene.bottle("diff", sample.name, first)
            #expect(difference.status == 2, "\(difference)")
            #expect(difference.output.contains("EVIL"))
            #expect(!difference.output.unicodeScalars.contains("\u{202E}"))
            let document = try await scene.bottle("diff", sample.name, "HEAD~1..HEAD", "-o", "json").document()
            #expect(document["diff"].text.contains("EVIL") && document["from"].text == first)
            #expect(try await scene.bottle("diff", sample.name, "HEAD..HEAD").status == 0)
            #expect(try await scene.bottle("diff", sample.name, "00000000").status == 1)
            #expect(try await scene.bottle("history", "nobody").status == 1)
        }
    }
}
