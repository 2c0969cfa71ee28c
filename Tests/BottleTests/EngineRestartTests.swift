import Testing

@Suite("A controller whose engine is killed", .serialized, .needsEngine, .needsOwnEngine)
struct EngineRestartTests {
    @Test("has the bottle whole again once another engine runs, and keeps what went on meanwhile")
    func killed() async throws {
        try await BottleFixture.run { fixture in
            let engine = try await OwnEngine.start(in: fixture, images: ["bottle/firewall"])
            let here = ["DOCKER_HOST": engine.host]
            let sample = SampleBottle(
                name: fixture.name(),
                image: "bottle/firewall",
                agent: ["command: [sleep, infinity]", "user: root", "restart: always"],
                allowlist: ["files.bt.test"]
            )
            let applied = try await fixture.apply(sample, environment: here)
            try #require(applied.status == 0, "\(applied)")
            let names = ["agent", "firewall"].map { "bottle-\(sample.name)-\($0)" }
            /// Ids, and when each was started.
            func lives() async throws -> [[Substring]] {
                try await engine.docker(
                    "inspect",
                    "-f",
                    "{{.Id}} {{.State.Running}} {{.State.StartedAt}}",
                    names[0],
                    names[1]
                )
                .split(separator: "\n").map { $0.split(separator: " ") }
            }
            let first = try await lives()
            try await fixture.underController(environment: here) { log in
                func healed() async throws -> Bool {
                    let isRunning = try await lives().allSatisfy { $0[1] == "true" }
                    let diff = try await fixture.bottle("diff", sample.name, "-o", "json", environment: here)
                    return isRunning && diff.status == 0
                }
                // Without live-restore the new engine ends what it finds running.
                try await engine.kill()
                try await fixture.until("the controller says so") { try log().contains("error:") }
                try await engine.launch()
                try await fixture.until("healed after a restart") { try await healed() }
                let second = try await lives()
                #expect(second.map { $0[0] } == first.map { $0[0] })
                #expect(zip(first, second).allSatisfy { $0[2] != $1[2] })

                try await engine.kill()
                try await engine.launch("--live-restore")
                try await fixture.until("healed after a restart with live-restore") { try await healed() }
                #expect(try await lives() == second)
                // It follows the new engine: what happens there is healed too.
                _ = try await engine.docker("kill", names[1])
                try await fixture.until("healed after all") { try await healed() }
            }
        }
    }
}
