import NIOCore
import Synchronization

/// A bounded queue between the event loop and a body's reader; the event loop stops reading when it is full.
final class BodyQueue: Sendable {
    /// Above this many bytes, reading from the socket pauses.
    static let highWatermark = 256 << 10
    /// Below this many bytes, it resumes.
    static let lowWatermark = 64 << 10

    private typealias Element = Result<ByteBuffer?, EngineError>

    private struct State {
        var chunks = CircularBuffer<ByteBuffer>()
        var bytes = 0
        var isFull = false
        var end: Element?
        var waiter: CheckedContinuation<Element, Never>?
        var drained: (@Sendable () -> Void)?
        var abandoned: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    /// Sets the callbacks: `drained` when there is room again, `abandoned` when the reader has left.
    func attach(drained: @escaping @Sendable () -> Void, abandoned: @escaping @Sendable () -> Void) {
        state.withLock { state in
            state.drained = drained
            state.abandoned = abandoned
        }
    }

    /// Appends bytes; false if the caller must pause until `drained`.
    func append(_ bytes: ByteBuffer) -> Bool {
        let (waiter, goesOn) = state.withLock { state -> (CheckedContinuation<Element, Never>?, Bool) in
            guard state.end == nil else { return (nil, true) }
            if let waiter = state.waiter {
                state.waiter = nil
                return (waiter, true)
            }
            state.chunks.append(bytes)
            state.bytes += bytes.readableBytes
            if state.bytes > Self.highWatermark { state.isFull = true }
            return (nil, !state.isFull)
        }
        waiter?.resume(returning: .success(bytes))
        return goesOn
    }

    /// Marks the end; bytes in the queue can still be read.
    func finish(_ error: EngineError?) {
        let waiter = state.withLock { state -> CheckedContinuation<Element, Never>? in
            state.drained = nil
            state.abandoned = nil
            guard state.end == nil else { return nil }
            state.end = error.map { .failure($0) } ?? .success(nil)
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: error.map { .failure($0) } ?? .success(nil))
    }

    /// The reader has left; drops the queued bytes.
    fileprivate func leave() {
        let (waiter, abandoned) = state.withLock { state in
            state.end = .failure(.cancelled)
            state.chunks.removeAll()
            state.bytes = 0
            defer {
                state.waiter = nil
                state.drained = nil
                state.abandoned = nil
            }
            return (state.waiter, state.abandoned)
        }
        waiter?.resume(returning: .failure(.cancelled))
        abandoned?()
    }

    private func wait(_ waiter: CheckedContinuation<Element, Never>) {
        var drained: (@Sendable () -> Void)?
        let element = state.withLock { state -> Element? in
            if let bytes = state.chunks.popFirst() {
                state.bytes -= bytes.readableBytes
                if state.isFull, state.bytes <= Self.lowWatermark {
                    state.isFull = false
                    drained = state.drained
                }
                return .success(bytes)
            }
            if let end = state.end { return end }
            guard state.waiter == nil else {
                return .failure(.invalidArgument("a stream has one reader"))
            }
            state.waiter = waiter
            return nil
        }
        if let element { waiter.resume(returning: element) }
        drained?()
    }

    /// The reader's side; leaves the queue when it is deallocated.
    final class Reader: Sendable {
        private let queue: BodyQueue

        init(queue: BodyQueue) {
            self.queue = queue
        }

        deinit {
            queue.leave()
        }

        func next() async throws(EngineError) -> ByteBuffer? {
            let element = await withTaskCancellationHandler {
                await withCheckedContinuation { queue.wait($0) }
            } onCancel: {
                queue.leave()
            }
            return try element.get()
        }
    }
}

extension EngineError {
    /// Converts a transport's error; keeps one that already is an `EngineError`.
    init(_ error: any Error) {
        switch error {
        case let error as EngineError: self = error
        case let failure as ExchangeFailure: self = failure.error
        case is CancellationError: self = .cancelled
        default: self = .transport(String(describing: error))
        }
    }
}
