/// Bytes to send.
package enum AttemptPayload: Sendable, Hashable, Codable {
    /// A character below U+0100 is one byte, others are UTF-8.
    case text(String, times: Int)
    case bytes([UInt8])

    package var bytes: [UInt8] {
        switch self {
        case .bytes(let bytes): return bytes
        case .text(let text, let times):
            let once = text.unicodeScalars.flatMap { scalar -> [UInt8] in
                scalar.value < 0x100 ? [UInt8(scalar.value)] : Array(String(scalar).utf8)
            }
            guard times != 1 else { return once }
            var all: [UInt8] = []
            all.reserveCapacity(once.count * times)
            for _ in 0..<times { all += once }
            return all
        }
    }
}
