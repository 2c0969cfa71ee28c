import NIOCore

/// The socket's end of an answer's body: holds the socket back while the reader lags.
///
/// Lives on its connection's event loop.
final class BodyPipe {
    private let queue: BodyQueue
    private var isPaused = false
    private var hasPaused = false
    private var holdsRead = false
    private let read: () -> Void
    private let abandoned: () -> Void

    /// A pipe that calls `read` when held reading may go on, and `abandoned` when the reader left before the end.
    init(on eventLoop: any EventLoop, read: @escaping () -> Void, abandoned: @escaping () -> Void) {
        self.read = read
        self.abandoned = abandoned
        queue = BodyQueue()
        let pipe = NIOLoopBound(self, eventLoop: eventLoop)
        queue.attach(
            drained: { eventLoop.execute { pipe.value.resume() } },
            abandoned: { eventLoop.execute { pipe.value.abandoned() } }
        )
    }

    /// The reader's end; called once.
    func open() -> EngineStream<[UInt8]> {
        let reader = BodyQueue.Reader(queue: queue)
        return EngineStream {
            { () async throws(EngineError) -> [UInt8]? in
                try await reader.next().map { Array($0.readableBytesView) }
            }
        }
    }

    /// Whether a read may go to the socket now; one that may not is remembered.
    func admitsRead() -> Bool {
        if isPaused { holdsRead = true }
        return !isPaused
    }

    func yield(_ bytes: ByteBuffer) {
        guard bytes.readableBytes > 0 else { return }
        if !queue.append(bytes) {
            isPaused = true
            hasPaused = true
        }
    }

    /// Whether the reader lagged so far behind that nothing was read, now or since the last time this was asked.
    func takePause() -> Bool {
        defer { hasPaused = isPaused }
        return hasPaused
    }

    func finish(_ error: EngineError? = nil) {
        queue.finish(error)
        resume()
    }

    private func resume() {
        isPaused = false
        guard holdsRead else { return }
        holdsRead = false
        read()
    }
}
