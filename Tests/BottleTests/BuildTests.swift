import ReconcilerEngine
import Testing

@Suite("An agent's image that the manifest builds", .serialized, .needsEngine)
struct BuildTests {
    @Test("is built once, built anew when its context changed and is applied, and runs")
    func build() async throws {
        try await Scene.run { scene in
            _ = try await scene.run(["mkdir", "context"])
            let sample = Sample.built(scene.name())
            try scene.write("FROM bottle/agent\nCOPY mark /mark\n", to: "context/Dockerfile")
            try scene.write("one", to: "context/mark")
            let agent = "bottle-\(sample.name)-agent"

            let cold = try await scene.applied(sample)
            #expect(try cold.actions(outcome: "done").contains("build image/agent"))
            await scene.removesImage(of: agent)
            #expect(try await scene.docker("exec", agent, "cat", "/mark") == "one")
            #expect(try await scene.applied(sample).actions() == [])
            let before = try await scene.world()

            // Later edits of the folder are nothing until they are applied.
            try scene.write("two", to: "context/mark")
            #expect(try await scene.bottle("diff", sample.name).status == 0)
            #expect(try await scene.world() == before)
            let changed = try await scene.applied(sample)
            await scene.removesImage(of: agent)
            #expect(try changed.actions(outcome: "done").contains("build image/agent"))
            #expect(try await scene.docker("exec", agent, "cat", "/mark") == "two")
            #expect(try await scene.applied(sample).actions() == [])
            #expect(try await scene.world().parts(of: sample.name) == before.parts(of: sample.name))
        }
    }

    @Test("whose build fails is an error in the builder's words without its colours, and the agent that lives goes on")
    func failing() async throws {
        try await Scene.run { scene in
            _ = try await scene.run(["mkdir", "context"])
            let sample = Sample.built(scene.name())
            let agent = "bottle-\(sample.name)-agent"
            try scene.write("FROM bottle/agent\nLABEL mark=one\n", to: "context/Dockerfile")
            try await scene.applied(sample)
            await scene.removesImage(of: agent)
            let before = try await scene.world()

            // The builder colours what a step writes there; the step has colours of its own, too.
            let step = #"RUN printf 'no \033\1331msuch\033\1330m luck\n' >&2; exit 7"#
            try scene.write("FROM bottle/agent\n\(step)\n", to: "context/Dockerfile")
            let failed = try await scene.apply(sample)
            #expect(failed.status == 1)
            #expect(failed.text.contains("no such luck"), "\(failed)")
            for colour in ["[91m", "[1m", "[0m", "\u{1b}", "u{1b}"] {
                #expect(!failed.text.contains(colour), "\(failed)")
            }
            #expect(try await scene.world() == before)
            let item = try await scene.bottle("get", "-o", "json").document()["items"][0]
            #expect(item.condition("Ready") == "False")

            try scene.write("FROM bottle/agent\nLABEL mark=one\n", to: "context/Dockerfile")
            try await scene.applied(sample)
            #expect(try await scene.world() == before)
            #expect(try await scene.applied(sample).actions() == [])
        }
    }
}

extension Sample {
    /// An agent alone, whose image is built of the scene's folder `context`.
    fileprivate static func built(_ name: String) -> Sample {
        alone(name).with { $0.build = "{context: context}" }
    }
}

extension Scene {
    /// The image that a container runs now goes with the scene.
    fileprivate func removesImage(of container: String) async {
        guard let image = try? await engine.container(container).imageID else { return }
        onTearDown { try await self.engine.removeImage(image, force: true) }
    }
}
