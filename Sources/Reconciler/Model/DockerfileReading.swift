/// A Dockerfile in logical lines, read so that no builder can read it otherwise (SPEC 5).
///
/// Builders differ in what they make of comments inside a continued line, of two backslashes at a line's end and of
/// blanks that aren't ASCII. Here such a comment or an empty line inside a continued line is left out, and whatever else
/// could be read in two ways is a problem.
struct DockerfileReading {
    enum Item {
        /// A comment or an empty line.
        case aside(String)
        case instruction(Instruction)
    }

    struct Instruction {
        /// The number of its first line.
        var line: Int
        /// In capitals.
        var word: String
        /// What follows the word, the continued lines put together.
        var rest: String
        /// Its lines as they are to be built.
        var lines: [String]
    }

    private(set) var items: [Item] = []
    private(set) var problems: [DockerfileRefusal.Reason] = []

    var instructions: [Instruction] {
        items.compactMap { if case .instruction(let instruction) = $0 { instruction } else { nil } }
    }

    private static let bytes = 256 << 10
    /// Builders read lines of up to 64 KiB.
    private static let lineBytes = 32 << 10
    private static let most = 300

    init(_ text: String) {
        guard text.utf8.count <= Self.bytes else {
            problems.append(.init(line: 1, text: "it is larger than \(Self.bytes >> 10) KiB"))
            return
        }
        read(
            text.utf8.split(separator: 10, omittingEmptySubsequences: false).map { line in
                String(Substring(line.last == 13 ? line.dropLast() : line))
            }
        )
        if instructions.count > Self.most {
            problems.append(.init(line: 1, text: "it has more than \(Self.most) instructions"))
        }
    }

    private mutating func read(_ lines: [String]) {
        var open: Instruction?
        for (index, line) in lines.enumerated() {
            let number = index + 1
            if let problem = Self.problem(of: line) { problems.append(.init(line: number, text: problem)) }
            let bare = line.utf8.drop(while: Self.isBlank)
            let isAside = bare.isEmpty || bare.first == UInt8(ascii: "#")
            if isAside {
                if open == nil, number < lines.count || !bare.isEmpty { takeAside(line, number) }
                continue
            }
            var body = Substring(line.utf8.reversed().drop(while: Self.isBlank).reversed().text)
            let isContinued = body.utf8.last == UInt8(ascii: "\\")
            if isContinued {
                body = body.dropLastByte
                if body.utf8.last == UInt8(ascii: "\\") {
                    problems.append(.init(line: number, text: "a line that ends with two backslashes"))
                }
            }
            var instruction = open ?? Instruction(line: number, word: "", rest: "", lines: [])
            instruction.rest += body
            instruction.lines.append(isContinued ? "\(body)\\" : line)
            open = isContinued ? instruction : nil
            if !isContinued { close(instruction) }
        }
        if let open { problems.append(.init(line: open.line, text: "its last line ends with a backslash")) }
    }

    private mutating func close(_ instruction: Instruction) {
        var instruction = instruction
        let whole = instruction.rest.utf8.drop(while: Self.isBlank)
        let word = whole.prefix { !Self.isBlank($0) }
        instruction.word = String(Substring(word)).uppercased()
        instruction.rest = String(Substring(whole.dropFirst(word.count).drop(while: Self.isBlank)))
        items.append(.instruction(instruction))
    }

    /// Comments count before the first instruction only: there they can be orders to the builder.
    private mutating func takeAside(_ line: String, _ number: Int) {
        items.append(.aside(line))
        guard instructions.isEmpty else { return }
        let words = line.utf8.drop { Self.isBlank($0) || $0 == UInt8(ascii: "#") }
        let name = String(Substring(words.prefix { !Self.isBlank($0) && $0 != UInt8(ascii: "=") })).lowercased()
        let rest = words.dropFirst(name.utf8.count).drop(while: Self.isBlank)
        guard rest.first == UInt8(ascii: "="), ["syntax", "check", "escape"].contains(name) else { return }
        problems.append(.init(line: number, text: "'# \(name)=' would change how it is read"))
    }

    /// To Unicode the same as `;`, a backtick and `K`; to a shell not.
    private static let twins: Set<Unicode.Scalar> = ["\u{37e}", "\u{1fef}", "\u{212a}"]

    private static func problem(of line: String) -> String? {
        if line.utf8.count > lineBytes { return "a line of more than \(lineBytes >> 10) KiB" }
        for scalar in line.unicodeScalars where scalar != "\t" {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                return "a control or an invisible character, U+\(String(scalar.value, radix: 16, uppercase: true))"
            case .spaceSeparator where scalar != " ":
                return "a blank that is no plain space, U+\(String(scalar.value, radix: 16, uppercase: true))"
            case _ where twins.contains(scalar):
                return "a character that looks like another, U+\(String(scalar.value, radix: 16, uppercase: true))"
            default: continue
            }
        }
        return nil
    }

    static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 }
}

/// Why a proposed Dockerfile can't be built.
package struct DockerfileRefusal: Error, Sendable, Hashable, CustomStringConvertible {
    package struct Reason: Sendable, Hashable {
        package var line: Int
        package var text: String
    }

    /// In the order of lines; never empty.
    package var reasons: [Reason]

    package var description: String {
        let told = reasons.prefix(8).map { "line \($0.line): \($0.text)" }
        return (told + (reasons.count > 8 ? ["and \(reasons.count - 8) more"] : [])).joined(separator: "; ")
    }
}

extension Sequence<UInt8> {
    fileprivate var text: String { String(decoding: Array(self), as: UTF8.self) }
}

extension Substring {
    fileprivate var dropLastByte: Substring { Substring(utf8.dropLast()) }
}
