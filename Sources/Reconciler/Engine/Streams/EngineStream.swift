/// A stream of elements from the engine or to it; has one reader, who reads it once.
///
/// Fetches ahead of the reader no more than a small window. Dropping the stream or its iterator, or cancelling the
/// reading task, closes the connection underneath.
package struct EngineStream<Element: Sendable>: AsyncSequence, Sendable {
    package typealias Failure = EngineError
    /// Returns the next element, nil at the end; called again only after it has returned.
    package typealias Pull = () async throws(EngineError) -> Element?

    private let start: @Sendable () -> Pull

    /// A stream whose elements come from the function that `start` returns; the reader calls `start` once.
    package init(_ start: @escaping @Sendable () -> Pull) {
        self.start = start
    }

    /// A stream of elements in memory.
    package init(_ elements: [Element]) {
        self.init {
            var rest = elements[...]
            return { () async throws(EngineError) -> Element? in rest.popFirst() }
        }
    }

    /// Reads one stream.
    package struct Iterator: AsyncIteratorProtocol {
        fileprivate let pull: Pull

        /// The next element, nil at the end.
        package mutating func next() async throws(EngineError) -> Element? {
            try await pull()
        }

        /// The next element, nil at the end.
        package mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(EngineError) -> Element? {
            try await pull()
        }
    }

    /// The reader; there is one per stream.
    package func makeAsyncIterator() -> Iterator {
        Iterator(pull: start())
    }
}

extension EngineStream where Element == [UInt8] {
    /// The values that `decoder` decodes from these bytes.
    func decoded<Decoder: StreamDecoder>(by decoder: Decoder) -> EngineStream<Decoder.Output> {
        EngineStream<Decoder.Output> {
            var source = makeAsyncIterator()
            var decoder = decoder
            var ready: [Decoder.Output] = []
            var index = 0
            var ended = false
            return { () async throws(EngineError) -> Decoder.Output? in
                while index == ready.count {
                    if ended { return nil }
                    ready.removeAll(keepingCapacity: true)
                    index = 0
                    if let bytes = try await source.next() {
                        try decoder.decode(bytes, into: &ready)
                    } else {
                        ended = true
                        try decoder.finish(into: &ready)
                    }
                }
                defer { index += 1 }
                return ready[index]
            }
        }
    }

    /// All the bytes; throws if there are more than `limit`.
    package func collect(upTo limit: Int) async throws(EngineError) -> [UInt8] {
        var all: [UInt8] = []
        var iterator = makeAsyncIterator()
        while let bytes = try await iterator.next() {
            guard all.count + bytes.count <= limit else {
                throw EngineError.limitExceeded("more than \(limit) bytes came")
            }
            all.append(contentsOf: bytes)
        }
        return all
    }
}
