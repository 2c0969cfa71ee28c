import Testing

@Suite("On a terminal", .serialized, .needsEngine)
struct TerminalTests {
    @Test("apply and delete ask, and a no changes nothing")
    func asks() async throws {
        try await BottleFixture.run { fixture in
            let sample = SampleBottle.alone(fixture.name())
            let file = try fixture.write(sample)
            let refused = try await fixture.typing("n\n", "apply", "-f", file)
            #expect(refused.status == 1, "\(refused)")
            #expect(try await fixture.snapshot() == EngineSnapshot())
            #expect(!exists("\(fixture.state)/desired/bottles/\(sample.name).yaml"))

            let agreed = try await fixture.typing("y\n", "apply", "-f", file)
            #expect(agreed.status == 0, "\(agreed)")
            let snapshot = try await fixture.snapshot()
            #expect(snapshot.parts(of: sample.name) == ["agent", "home", "internal"])

            let kept = try await fixture.typing("n\n", "delete", sample.name)
            #expect(kept.status == 1, "\(kept)")
            #expect(try await fixture.snapshot() == snapshot)
            let deleted = try await fixture.typing("y\n", "delete", sample.name)
            #expect(deleted.status == 0, "\(deleted)")
            #expect(try await fixture.snapshot() == EngineSnapshot())
        }
    }
}

extension BottleFixture {
    /// Runs `bottle` on a terminal of its own, with a user who types.
    fileprivate nonisolated func typing(_ keys: String, _ arguments: String...) async throws -> Run {
        await remember(state)
        return try await run(["python3", "-c", Self.terminal, keys, executable] + arguments)
    }

    private static let terminal = """
        import os, pty, sys
        pid, master = pty.fork()
        if pid == 0:
            os.execv(sys.argv[2], sys.argv[2:])
        os.write(master, sys.argv[1].encode())
        while True:
            try:
                data = os.read(master, 65536)
            except OSError:
                break
            if not data:
                break
            os.write(1, data)
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        """
}
