import ReconcilerPlatform
import ScratchTestSupport
import Testing

@Suite("A program")
struct ProgramTests {
    let path = ["PATH": "/usr/bin:/bin"]

    @Test("returns its output, its errors and its exit status")
    func outcome() async throws {
        let outcome = try await Program("sh", ["-c", "echo out; echo err >&2; exit 3"], environment: path).run()
        #expect(outcome.output == Array("out\n".utf8))
        #expect(outcome.errors == Array("err\n".utf8))
        #expect(outcome.status == .exited(3))
        #expect(!outcome.succeeded)
    }

    @Test("gets exactly the environment, folder and arguments given, without a shell")
    func givesExactly() async throws {
        let outcome = try await Program(
            "/usr/bin/env",
            ["printf", "%s|", "$(id)", "a b", "*"],
            environment: path,
            workingFolder: "/usr"
        ).run()
        #expect(String(decoding: outcome.output, as: UTF8.self) == "$(id)|a b|*|")
        let environment = try await Program("/usr/bin/env", environment: ["A": "1=2\n3"]).run()
        #expect(String(decoding: environment.output, as: UTF8.self) == "A=1=2\n3\n")
    }

    @Test("takes and gives megabytes at once without a deadlock")
    func large() async throws {
        let bytes = (0..<6_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let outcome = try await Program(
            "sh",
            ["-c", "tee /dev/stderr"],
            environment: path,
            input: bytes,
            outputLimit: 8 << 20
        ).run()
        #expect(outcome.output == bytes)
        #expect(outcome.errors == bytes)
    }

    @Test("that ignores its input is no error")
    func ignoresInput() async throws {
        let input = [UInt8](repeating: 65, count: 4_000_000)
        let outcome = try await Program("true", environment: path, input: input).run()
        #expect(outcome.succeeded)
    }

    @Test("that never reads its input is stopped all the same", arguments: ["exec sleep 900", "exec yes"])
    func neverReads(_ line: String) async throws {
        let start = ContinuousClock.now
        let input = [UInt8](repeating: 65, count: 4_000_000)
        await #expect(throws: Program.Failure.self) {
            try await Program(
                "sh",
                ["-c", line],
                environment: path,
                input: input,
                outputLimit: 1000,
                timeLimit: .milliseconds(500)
            ).run()
        }
        #expect(ContinuousClock.now - start < .seconds(120))
    }

    @Test("never loses output by ending quickly")
    func losesNothing() async throws {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    var total = 0
                    for _ in 0..<25 {
                        total += try await Program("head", ["-c", "100000", "/dev/zero"], environment: path)
                            .run().output.count
                    }
                    return total
                }
            }
            for try await total in group { #expect(total == 2_500_000) }
        }
    }

    @Test("that writes too much is stopped")
    func tooMuch() async throws {
        await #expect(throws: Program.Failure.wroteTooMuch("yes", limit: 1000)) {
            try await Program("yes", environment: path, outputLimit: 1000).run()
        }
    }

    @Test("that takes too long is killed, with what it started")
    func tooLong() async throws {
        let start = ContinuousClock.now
        let limit = Duration.milliseconds(100)
        await #expect(throws: Program.Failure.tookTooLong("sh", limit)) {
            try await Program("sh", ["-c", "sleep 900 & sleep 900"], environment: path, timeLimit: limit).run()
        }
        // Far from a bound on speed: a call that waited would return only much later.
        #expect(ContinuousClock.now - start < .seconds(120))
    }

    @Test("does not wait for a grandchild that keeps its output open")
    func grandchild() async throws {
        let start = ContinuousClock.now
        let outcome = try await Program("sh", ["-c", "sleep 240 & echo done"], environment: path).run()
        #expect(outcome.output == Array("done\n".utf8))
        // Far from a bound on speed: a call that waited would return only much later.
        #expect(ContinuousClock.now - start < .seconds(120))
    }

    @Test("is killed when its task is cancelled")
    func cancels() async throws {
        let start = ContinuousClock.now
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await #expect(throws: CancellationError.self) {
                    try await Program("sleep", ["900"], environment: path).run()
                }
            }
            try? await Task.sleep(for: .milliseconds(50))
            group.cancelAll()
        }
        // Far from a bound on speed: a call that waited would return only much later.
        #expect(ContinuousClock.now - start < .seconds(120))
    }

    @Test("that does not exist is named")
    func missing() async throws {
        await #expect(throws: Program.Failure.notFound("no-such-program")) {
            try await Program("no-such-program", environment: path).run()
        }
    }

    @Test("inherits no descriptor but the standard three")
    func inheritsNothing() async throws {
        let scratch = try Scratch()
        let held = try FileLock(path: "\(scratch.path)/lock").tryAcquire()
        let outcome = try await Program("sh", ["-c", "ls /dev/fd"], environment: path).run()
        // ls itself has the folder open.
        #expect(String(decoding: outcome.output, as: UTF8.self).split(separator: "\n").count <= 4)
        extendLifetime(held)
    }
}
