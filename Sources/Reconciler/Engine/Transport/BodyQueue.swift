import NIOCore
import Synchronization

/// A body's bytes between the event loop and their reader; bounded, since the event loop stops when told to.
final class BodyQueue: Sendable {
    /// Above this many bytes the socket is held back.
    static let highWatermark = 256 << 10
    /// Below this many it goes on.
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

    /// Who is told that more bytes are wanted, and that none are wanted any more.
    func attach(drained: @escaping @Sendable () -> Void, abandoned: @escaping @Sendable () -> Void) {
        state.withLock { state in
            state.drained = drained
            state.abandoned = abandoned
        }
    }

    /// Takes bytes; false when no more are wanted until `drained`.
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

    /// No more bytes come; those that are here can still be read.
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

    /// The reader wants no more; what is here is dropped.
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

    /// The reader's end; when it goes, the queue is left.
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
    /// The error of a transport in our words; one of ours as it is.
    init(_ error: any Error) {
        switch error {
        case let error as EngineError: self = error
        case let failure as ExchangeFailure: self = failure.error
        case is CancellationError: self = .cancelled
        default: self = .transport(String(describing: error))
        }
    }
}
