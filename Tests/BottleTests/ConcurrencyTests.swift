import FoundationEssentials
import Reconciler
import ReconcilerEngine
import ReconcilerModel
import ReconcilerPlatform
import Testing

@Suite("Commands at once on one bottle", .serialized, .needsEngine)
struct ConcurrencyTests {
    /// Waits until `condition` holds; the test's time limit is the bound.
    private func until(_ condition: () async throws -> Bool) async throws {
        while try await !condition() { try await Task.sleep(for: .milliseconds(50)) }
    }

    private func commits(_ fixture: BottleFixture) async throws -> Int {
        let run = try await fixture.run(["git", "-C", "\(fixture.state)/desired", "rev-list", "--count", "HEAD"])
        return Int(run.output.trimmingSuffix(while: \.isNewline)) ?? 0
    }

    @Test("bring about what was committed last, whichever of them gets the lock last", .timeLimit(.minutes(3)))
    func lastCommitWins() async throws {
        try await BottleFixture.run { fixture in
            let sample = SampleBottle.alone(fixture.name())
            try await fixture.applied(sample)
            for _ in 0..<3 {
                let lock = FileLock(path: "\(fixture.state)/locks/\(sample.name).lock")
                let before = try await commits(fixture)
                var held: FileLock.Held? = try await lock.acquire()
                let value = Int.random(in: 1000...9999)
                func edited(_ mark: String) -> SampleBottle {
                    sample.with { $0.agent.append("env: {MARK: '\(mark)-\(value)'}") }
                }
                async let first = fixture.apply(edited("one"))
                try await until { try await commits(fixture) == before + 1 }
                let second = try fixture.write(edited("two").text, to: "two.yaml")
                async let other = fixture.bottle(["apply", "-f", second, "--yes", "-o", "json"])
                try await until { try await commits(fixture) == before + 2 }
                extendLifetime(held)
                held = nil
                #expect(try await first.status == 0)
                #expect(try await other.status == 0)

                let variables = try await fixture.docker(
                    "inspect",
                    "-f",
                    "{{.Config.Env}}",
                    "bottle-\(sample.name)-agent"
                )
                #expect(variables.contains("MARK=two-\(value)"))
                #expect(try await fixture.bottle("diff", sample.name).status == 0)
            }
        }
    }

    @Test("leave nothing behind when one of them deletes it", .timeLimit(.minutes(3)))
    func deletedBeside() async throws {
        try await BottleFixture.run { fixture in
            let sample = SampleBottle.alone(fixture.name())
            try await fixture.applied(sample)
            let lock = FileLock(path: "\(fixture.state)/locks/\(sample.name).lock")
            let before = try await commits(fixture)
            var held: FileLock.Held? = try await lock.acquire()
            async let applying = fixture.apply(sample.with { $0.agent.append("env: {MARK: two}") })
            try await until { try await commits(fixture) == before + 1 }
            async let deleting = fixture.bottle("delete", sample.name, "--yes")
            extendLifetime(held)
            held = nil
            _ = try await applying
            #expect(try await deleting.status == 0)
            let installation = try #require(try fixture.installation())
            let left = try await fixture.engine.containers(
                labels: ["dev.bottle.installation=\(installation)"],
                all: true
            )
            #expect(left.isEmpty)
            #expect(try await fixture.bottle("get", sample.name).status == 1)
        }
    }

    @Test(
        "beside a controller wait for the process that has the bottle, and say which that is",
        .timeLimit(.minutes(3))
    )
    func besideController() async throws {
        try await BottleFixture.run { fixture in
            let sample = SampleBottle.alone(fixture.name())
            try await fixture.applied(sample)
            try await fixture.underController { log in
                let lock = FileLock(path: "\(fixture.state)/locks/\(sample.name).lock")
                var held: FileLock.Held? = try await lock.acquire()
                let file = try fixture.write(sample.with { $0.agent.append("env: {MARK: two}") })
                let errors = "\(fixture.folder)/apply.log"
                let line = "exec '\(fixture.executable)' apply -f '\(file)' --yes 2>'\(errors)'"
                async let applying = fixture.run(["sh", "-c", line])
                let word = "\(sample.name)  waiting for process \(ProcessInfo.processInfo.processIdentifier), "
                try await until {
                    // Both want it: the commit is the controller's to bring about, too.
                    let told = try DurableFile.read(errors, limit: 1 << 20) ?? []
                    return try String(decoding: told, as: UTF8.self).contains(word) && log().contains(word)
                }
                extendLifetime(held)
                held = nil
                let done = try await applying
                #expect(done.status == 0, "\(done)")
                #expect(try await fixture.bottle("diff", sample.name).status == 0)
            }
            let format = "{{.Config.Env}}"
            let variables = try await fixture.docker("inspect", "-f", format, "bottle-\(sample.name)-agent")
            #expect(variables.contains("MARK=two"))
        }
    }
}
