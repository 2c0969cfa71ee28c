import ReconcilerPlatform
import ScratchTestSupport
import Testing

@Suite struct ControlSocketTests {
    @Test func aMessageArrivesAndAListenerThatDiedIsReplaced() async throws {
        let scratch = try Scratch()
        let socket = ControlSocket(path: "\(scratch.path)/control.sock")
        // No listener: nothing happens, and the call does not wait.
        socket.poke()
        for _ in 0..<2 {
            let (pokes, poked) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
            await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    defer { poked.finish() }
                    try await socket.listen { poked.yield() }
                }
                group.addTask {
                    while true {
                        socket.poke()
                        try await Task.sleep(for: .milliseconds(5))
                    }
                }
                var count = 0
                for await _ in pokes {
                    count += 1
                    break
                }
                #expect(count == 1)
                group.cancelAll()
            }
        }
    }

    @Test func aFloodOfMessagesNeverBlocksTheSender() async throws {
        let scratch = try Scratch()
        let socket = ControlSocket(path: "\(scratch.path)/control.sock")
        await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await socket.listen {} }
            try? await Task.sleep(for: .milliseconds(50))
            for _ in 0..<20_000 { socket.poke() }
            group.cancelAll()
        }
    }

    @Test func aPathTooLongForASocketIsAnErrorAndPokingItIsHarmless() async throws {
        let path = "/tmp/" + String(repeating: "x", count: 200)
        ControlSocket(path: path).poke()
        await #expect(throws: (any Error).self) { try await ControlSocket(path: path).listen {} }
    }
}
