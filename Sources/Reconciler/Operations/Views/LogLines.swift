import ReconcilerEngine
import ReconcilerModel
import ReconcilerTime

/// A container's output in lines, each with the time that the engine read it.
struct LogLines {
    /// A line longer than this is shown in parts.
    private static let limit = 16 << 10

    private let role: Role
    private var frames: EngineStream<OutputFrame>.Iterator
    private var pending: [OutputFrame.Channel: [UInt8]] = [:]
    private var ready: [LogRecord] = []
    private var hasEnded = false

    init(_ stream: EngineStream<OutputFrame>, of role: Role) {
        frames = stream.makeAsyncIterator()
        self.role = role
    }

    /// The next line; nil at the end.
    mutating func next() async throws -> LogRecord? {
        while ready.isEmpty, !hasEnded {
            if let frame = try await frames.next() {
                take(frame)
            } else {
                hasEnded = true
                for channel in pending.keys.sorted(by: { $0.rawValue < $1.rawValue }) { flush(channel) }
            }
        }
        return ready.isEmpty ? nil : ready.removeFirst()
    }

    private mutating func take(_ frame: OutputFrame) {
        var rest = frame.bytes[...]
        while !rest.isEmpty {
            let end = rest.firstIndex(of: UInt8(ascii: "\n"))
            let space = Self.limit - (pending[frame.channel]?.count ?? 0)
            let piece = rest[..<(end ?? rest.endIndex)].prefix(space)
            if !piece.isEmpty { pending[frame.channel, default: []] += piece }
            rest = rest[piece.endIndex...]
            if piece.count == space || piece.endIndex == end { flush(frame.channel) }
            if piece.endIndex == end { rest = rest.dropFirst() }
        }
    }

    private mutating func flush(_ channel: OutputFrame.Channel) {
        guard var bytes = pending[channel] else { return }
        pending[channel] = nil
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        let head = bytes.prefix { $0 != UInt8(ascii: " ") }
        let text = String(decoding: head, as: UTF8.self)
        let isTime = Timestamp(rfc3339: text) != nil
        ready.append(
            LogRecord(
                role: role,
                time: isTime ? text : "",
                bytes: isTime ? Array(bytes.dropFirst(head.count + 1)) : bytes,
                isError: channel == .errors
            )
        )
    }
}
