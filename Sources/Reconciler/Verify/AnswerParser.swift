/// Parses HTTP/1 answers incrementally; skips interim ones and keeps unused bytes.
struct AnswerParser {
    /// How many bytes of a body to keep.
    static let keptBody = 16_384
    /// How many bytes of a head to wait for.
    private static let longestHead = 262_144

    /// Bytes that don't belong to an answer returned so far.
    private(set) var rest: [UInt8] = []
    /// The method of the request that the next answer belongs to; it determines how the answer ends.
    var method = Method.other

    enum Method {
        case head
        case connect
        case other
    }

    mutating func feed(_ bytes: [UInt8]) { rest += bytes }

    /// The next complete answer; nil if more bytes must come.
    mutating func next() -> AttemptAnswer? { parse(isOver: false) }

    /// The next answer after the end of the stream.
    mutating func last() -> AttemptAnswer? { parse(isOver: true) }

    private mutating func parse(isOver: Bool) -> AttemptAnswer? {
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

    /// A complete head at the beginning, and the index after it.
    private func head() -> (head: AnswerHead, start: Int)? {
        let end = rest.prefix(Self.longestHead).firstRange(of: Array("\r\n\r\n".utf8))
        guard let end, let head = AnswerHead(Self.text(rest[..<end.upperBound])) else { return nil }
        return (head, end.upperBound)
    }

    /// Converts each byte to the character with the same number.
    static func text(_ bytes: some Collection<UInt8>) -> String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: bytes.map { Unicode.Scalar($0) })
        return String(text)
    }
}

extension AnswerParser.Method {
    /// The method of a request that begins with these bytes.
    static func of(_ bytes: [UInt8]) -> Self {
        bytes.starts(with: "HEAD ".utf8) ? .head : bytes.starts(with: "CONNECT ".utf8) ? .connect : .other
    }
}

/// An answer's status line and headers.
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
        // As a Character, CR LF would be a single one.
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

/// The part of a body received so far.
private struct BodyReading {
    private let bytes: ArraySlice<UInt8>
    /// The index after the body.
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
                // Trailers, and the empty line that ends them.
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

    /// The next line, which may be empty; nil if it is incomplete.
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
