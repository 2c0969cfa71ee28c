/// A TLS ClientHello made by hand, so that it can contain names that no TLS library sends.
package struct ClientHello: Sendable, Hashable, Codable {
    /// The entries of the server name extension, unchanged; empty for no extension.
    package var names: [String]
    package var alpn: [String]

    package init(names: [String], alpn: [String] = []) {
        self.names = names
        self.alpn = alpn
    }

    /// One TLS record that offers TLS 1.2 and 1.3.
    ///
    /// - Parameter random: 96 bytes: the client random, the session id, an X25519 share.
    package func record(random: [UInt8]) -> [UInt8] {
        precondition(random.count == 96)
        var hello: [UInt8] = [0x03, 0x03] + random[0..<32]
        hello += Self.sized(1, Array(random[32..<64]))
        hello += Self.sized(2, Self.pairs([0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F, 0xC02C, 0xC030, 0x009C, 0x002F]))
        hello += [1, 0]
        hello += Self.sized(2, extensions(share: Array(random[64..<96])))
        let length = hello.count
        let message = [1, UInt8(length >> 16), UInt8(length >> 8 & 0xFF), UInt8(length & 0xFF)] + hello
        return [0x16, 0x03, 0x01] + Self.sized(2, message)
    }

    private func extensions(share: [UInt8]) -> [UInt8] {
        var all: [UInt8] = []
        func add(_ number: Int, _ content: [UInt8]) { all += Self.pairs([number]) + Self.sized(2, content) }
        if !names.isEmpty {
            add(0, Self.sized(2, names.flatMap { [0] + Self.sized(2, AttemptPayload.text($0, times: 1).bytes) }))
        }
        add(10, Self.sized(2, Self.pairs([0x001D, 0x0017])))
        add(11, [1, 0])
        add(13, Self.sized(2, Self.pairs([0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501])))
        if !alpn.isEmpty { add(16, Self.sized(2, alpn.flatMap { Self.sized(1, Array($0.utf8)) })) }
        add(43, Self.sized(1, Self.pairs([0x0304, 0x0303])))
        add(45, [1, 1])
        add(51, Self.sized(2, Self.pairs([0x001D]) + Self.sized(2, share)))
        return all
    }

    private static func pairs(_ numbers: [Int]) -> [UInt8] {
        numbers.flatMap { [UInt8($0 >> 8 & 0xFF), UInt8($0 & 0xFF)] }
    }

    /// `content` after its length in `width` bytes.
    private static func sized(_ width: Int, _ content: [UInt8]) -> [UInt8] {
        let count = content.count
        return (width == 2 ? [UInt8(count >> 8 & 0xFF)] : []) + [UInt8(count & 0xFF)] + content
    }
}
