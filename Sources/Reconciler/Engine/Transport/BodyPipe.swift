import NIOCore

/// The socket's side of an answer's body: applies back-pressure while the reader lags.
///
/// Confined to its connection's event loop.
final class BodyPipe {
    private let queue: BodyQueue
    private var isPaused = false
    private var hasPaused = false
    private var holdsRead = false
    private let read: () -> Void
    private let abandoned: () -> Void

    /// A pipe that calls `read` when reading may resume, and `abandoned` when the reader leaves before the end.
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

    /// The reader's side; call it once.
    func open() -> EngineStream<[UInt8]> {
        let reader = BodyQueue.Reader(queue: queue)
        return EngineStream {
            { () async throws(EngineError) -> [UInt8]? in
                try await reader.next().map { Array($0.readableBytesView) }
            }
        }
    }

    /// Whether the socket may read now; if not, remembers that a read is due.
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

    /// Whether reading was paused for the reader at any time since the last call.
    func hasPausedSinceLastCheck() -> Bool {
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
