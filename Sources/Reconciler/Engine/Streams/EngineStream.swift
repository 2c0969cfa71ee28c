/// Elements that arrive over time from the engine, or go to it; read once, by one reader.
///
/// Nothing is fetched ahead of the reader beyond a small window. Dropping the stream or its iterator, or cancelling
/// the reading task, closes the connection underneath.
package struct EngineStream<Element: Sendable>: AsyncSequence, Sendable {
    package typealias Failure = EngineError
    /// Gives the next element, nil at the end; called again only after it returned.
    package typealias Pull = () async throws(EngineError) -> Element?

    private let start: @Sendable () -> Pull

    /// A stream whose elements come from the function that `start` returns; `start` is called once, by the reader.
    package init(_ start: @escaping @Sendable () -> Pull) {
        self.start = start
    }

    /// A stream of elements that are already here.
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

/// Turns chunks of bytes into values; the chunks' borders mean nothing.
protocol StreamDecoder: Sendable {
    associatedtype Output: Sendable

    /// Takes the next bytes and appends every value that is now complete.
    mutating func decode(_ bytes: [UInt8], into values: inout [Output]) throws(EngineError)

    /// Told once, at the end of the bytes.
    mutating func finish(into values: inout [Output]) throws(EngineError)
}

extension EngineStream where Element == [UInt8] {
    /// The values that `decoder` makes of these bytes.
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

    /// All the bytes; throws when they are more than `limit`.
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
