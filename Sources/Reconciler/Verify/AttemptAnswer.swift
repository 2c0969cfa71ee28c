/// One HTTP/1 answer as its client saw it.
package struct AttemptAnswer: Sendable, Hashable, Codable {
    package var status: Int
    /// Status line and headers, as they came; bytes above 0x7F as the characters of the same number.
    package var head: String
    /// The body's beginning, likewise.
    package var body: String
    /// Bytes of the body.
    package var length: Int
    /// Whether all of it came.
    package var isWhole: Bool
}

/// Finds HTTP/1 answers in bytes as they come, skipping interim ones; keeps what it has not used.
struct AnswerParser {
    /// The most of a body that is kept.
    static let keptBody = 16_384
    /// The longest head that is waited for.
    private static let longestHead = 262_144

    /// Bytes that are no part of an answer that was given.
    private(set) var rest: [UInt8] = []
    /// The method of the request whose answer comes next, where that says how the answer ends.
    var method = Method.other

    enum Method {
        case head
        case connect
        case other
    }

    mutating func feed(_ bytes: [UInt8]) { rest += bytes }

    /// The next whole answer; nil when more must come.
    mutating func next() -> AttemptAnswer? { take(isOver: false) }

    /// The next answer now that nothing more comes.
    mutating func last() -> AttemptAnswer? { take(isOver: true) }

    private mutating func take(isOver: Bool) -> AttemptAnswer? {
        while let (head, start) = head() {
            if (100...199).contains(head.status), head.status != 101 {
                rest.removeFirst(start)
                continue
            }
            var body = BodyReading(rest[start...])
            body.read(head.framing(method), isOver: isOver)
            guard body.isWhole || isOver else { return nil }
            rest.removeFirst(body.end - rest.startIndex)
            return AttemptAnswer(
                status: head.status,
                head: head.text,
                body: Self.text(body.kept),
                length: body.length,
                isWhole: body.isWhole
            )
        }
        return nil
    }

    /// A whole head at the beginning, and where what follows it begins.
    private func head() -> (head: AnswerHead, start: Int)? {
        let end = rest.prefix(Self.longestHead).firstRange(of: Array("\r\n\r\n".utf8))
        guard let end, let head = AnswerHead(Self.text(rest[..<end.upperBound])) else { return nil }
        return (head, end.upperBound)
    }

    /// Bytes as characters of the same number.
    static func text(_ bytes: some Collection<UInt8>) -> String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: bytes.map { Unicode.Scalar($0) })
        return String(text)
    }
}

extension AnswerParser.Method {
    /// Of a request that begins with these bytes.
    static func of(_ bytes: [UInt8]) -> Self {
        bytes.starts(with: "HEAD ".utf8) ? .head : bytes.starts(with: "CONNECT ".utf8) ? .connect : .other
    }
}

/// The status line and headers of an answer.
private struct AnswerHead {
    enum Framing {
        case none
        case length(Int)
        case chunked
        case toTheClose
    }

    let status: Int
    let text: String
    private let headers: [(name: String, value: String)]

    init?(_ text: String) {
        // Character by character, CR LF would be one.
        let lines = text.unicodeScalars.split(separator: "\n").map { line in
            String(line.last == "\r" ? line.dropLast() : line)
        }
        let words = lines.first?.split(separator: " ", maxSplits: 2) ?? []
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]), (100...999).contains(status)
        else { return nil }
        self.status = status
        self.text = text
        headers = lines.dropFirst().compactMap { line in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            return (line[..<colon].lowercased(), value.lowercased())
        }
    }

    func framing(_ method: AnswerParser.Method) -> Framing {
        if method == .head || method == .connect && (200...299).contains(status) { return .none }
        if status == 204 || status == 304 || status == 101 { return .none }
        if headers.contains(where: { $0.name == "transfer-encoding" && $0.value.contains("chunked") }) {
            return .chunked
        }
        if let length = headers.first(where: { $0.name == "content-length" }).flatMap({ Int($0.value) }), length >= 0 {
            return .length(length)
        }
        return .toTheClose
    }
}

/// A body as far as it has come.
private struct BodyReading {
    private let bytes: ArraySlice<UInt8>
    /// Where what follows the body begins.
    private(set) var end: Int
    private(set) var length = 0
    private(set) var kept: [UInt8] = []
    private(set) var isWhole = false

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        end = bytes.startIndex
    }

    mutating func read(_ framing: AnswerHead.Framing, isOver: Bool) {
        switch framing {
        case .none: isWhole = true
        case .length(let length):
            add(length)
            isWhole = self.length == length
        case .toTheClose:
            add(bytes.count)
            isWhole = isOver
        case .chunked: readChunks()
        }
    }

    private mutating func readChunks() {
        while let line = line() {
            guard let size = Int(line.prefix { $0 != ";" && $0 != " " }, radix: 16), size >= 0 else { return }
            if size == 0 {
                // Trailers, and the empty line after them.
                while let line = self.line() {
                    if line.isEmpty { return isWhole = true }
                }
                return
            }
            let before = length
            add(size)
            guard length - before == size, self.line() == "" else { return }
        }
    }

    /// The next line, which may be empty; nil when it has not all come.
    private mutating func line() -> String? {
        guard let newline = bytes[end...].firstIndex(of: 0x0A) else { return nil }
        defer { end = newline + 1 }
        let line = bytes[end..<newline]
        return AnswerParser.text(line.last == 0x0D ? line.dropLast() : line)
    }

    private mutating func add(_ count: Int) {
        let part = bytes[end...].prefix(count)
        kept += part.prefix(AnswerParser.keptBody - kept.count)
        length += part.count
        end += part.count
    }
}
