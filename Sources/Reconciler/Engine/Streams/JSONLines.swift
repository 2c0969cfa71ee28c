/// Decodes a stream of JSON values, one per line.
struct JSONLines<Value: Decodable & Sendable>: StreamDecoder {
    typealias Output = Value

    /// The most bytes of a line.
    static var limit: Int { 4 << 20 }

    let path: String
    private var line: [UInt8] = []

    init(path: String) {
        self.path = path
    }

    mutating func decode(_ bytes: [UInt8], into values: inout [Value]) throws(EngineError) {
        var rest = bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            line.append(contentsOf: rest[..<end])
            rest = rest[(end + 1)...]
            try decodeLine(into: &values)
        }
        line.append(contentsOf: rest)
        guard line.count <= Self.limit else {
            throw .limitExceeded("\(path): a line of more than \(Self.limit) bytes")
        }
    }

    mutating func finish(into values: inout [Value]) throws(EngineError) {
        try decodeLine(into: &values)
    }

    private mutating func decodeLine(into values: inout [Value]) throws(EngineError) {
        defer { line.removeAll(keepingCapacity: true) }
        guard line.contains(where: { $0 > 0x20 }) else { return }
        values.append(try EngineJSON.decode(Value.self, from: line, path: path))
    }
}
