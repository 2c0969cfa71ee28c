import ReconcilerEngine
import Testing

@Suite("An agent's image that the manifest builds", .serialized, .needsEngine)
struct BuildTests {
    @Test("is built once, built again when its changed context is applied, and runs")
    func build() async throws {
        try await BottleFixture.run { fixture in
            _ = try await fixture.run(["mkdir", "context"])
            let sample = SampleBottle.built(fixture.name())
            try fixture.write("FROM bottle/agent\nCOPY mark /mark\n", to: "context/Dockerfile")
            try fixture.write("one", to: "context/mark")
            let agent = "bottle-\(sample.name)-agent"

            let cold = try await fixture.applied(sample)
            #expect(try cold.actions(outcome: "done").contains("build image/agent"))
            await fixture.removesImage(of: agent)
            #expect(try await fixture.docker("exec", agent, "cat", "/mark") == "one")
            #expect(try await fixture.applied(sample).actions() == [])
            let before = try await fixture.snapshot()

            // Later edits of the folder are nothing until they are applied.
            try fixture.write("two", to: "context/mark")
            #expect(try await fixture.bottle("diff", sample.name).status == 0)
            #expect(try await fixture.snapshot() == before)
            let changed = try await fixture.applied(sample)
            await fixture.removesImage(of: agent)
            #expect(try changed.actions(outcome: "done").contains("build image/agent"))
            #expect(try await fixture.docker("exec", agent, "cat", "/mark") == "two")
            #expect(try await fixture.applied(sample).actions() == [])
            #expect(try await fixture.snapshot().parts(of: sample.name) == before.parts(of: sample.name))
        }
    }

    @Test("whose build fails is an error in the builder's words without its colours, and the agent that lives goes on")
    func failing() async throws {
        try await BottleFixture.run { fixture in
            _ = try await fixture.run(["mkdir", "context"])
            let sample = SampleBottle.built(fixture.name())
            let agent = "bottle-\(sample.name)-agent"
            try fixture.write("FROM bottle/agent\nLABEL mark=one\n", to: "context/Dockerfile")
            try await fixture.applied(sample)
            await fixture.removesImage(of: agent)
            let before = try await fixture.snapshot()

            // The builder colours what a step writes there; the step has colours of its own, too.
            let step = #"RUN printf 'no \033\1331msuch\033\1330m luck\n' >&2; exit 7"#
            try fixture.write("FROM bottle/agent\n\(step)\n", to: "context/Dockerfile")
            let failed = try await fixture.apply(sample)
            #expect(failed.status == 1)
            #expect(failed.text.contains("no such luck"), "\(failed)")
            for colour in ["[91m", "[1m", "[0m", "\u{1b}", "u{1b}"] {
                #expect(!failed.text.contains(colour), "\(failed)")
            }
            #expect(try await fixture.snapshot() == before)
            let item = try await fixture.bottle("get", "-o", "json").document()["items"][0]
            #expect(item.condition("Ready") == "False")

            try fixture.write("FROM bottle/agent\nLABEL mark=one\n", to: "context/Dockerfile")
            try await fixture.applied(sample)
            #expect(try await fixture.snapshot() == before)
            #expect(try await fixture.applied(sample).actions() == [])
        }
    }
}

extension SampleBottle {
    /// An agent alone, whose image is built of the fixture's folder `context`.
    fileprivate static func built(_ name: String) -> SampleBottle {
        alone(name).with { $0.build = "{context: context}" }
    }
}

extension BottleFixture {
    /// The image that a container runs now goes with the fixture.
    fileprivate func removesImage(of container: String) async {
        guard let image = try? await engine.container(container).imageID else { return }
        onTearDown { try await self.engine.removeImage(image, force: true) }
    }
}
