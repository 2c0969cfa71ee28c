import ReconcilerEngine
import ReconcilerModel
import Synchronization

/// What a build printed, line by line, and the last of it for whoever must know why it failed.
///
/// The text is of whoever wrote the Dockerfile and of programs that it runs: nothing of it can move a cursor, colour a
/// screen, hide or reorder text, and it is bounded.
final class BuildOutput: Sendable {
    private let tail = Mutex<[String]>([])

    private static let lines = 12
    private static let characters = 300

    /// The last lines, one below the other.
    var last: String { tail.withLock { $0.joined(separator: "\n") } }

    /// Takes up a message of the builder.
    ///
    /// - Returns: its lines.
    func add(_ message: ProgressLine) -> [String] {
        let lines = Self.lines(of: message.text ?? message.status ?? "")
        tail.withLock { $0 = ($0 + lines).suffix(Self.lines) }
        return lines
    }

    /// Why a build failed: its last lines and what the engine said, in one text.
    func cause(_ error: any Error) -> String {
        let words = Self.lines(of: "\(error)").prefix(Self.lines)
        return tail.withLock { ($0 + words.filter { [last = $0.last] in $0 != last }).joined(separator: "\n") }
    }

    /// The lines of a text, cleaned; empty ones are left out.
    static func lines(of text: String) -> [String] {
        text.split(whereSeparator: \.isNewline).map(clean).filter { !$0.isEmpty }
    }

    /// One line without control sequences, control characters and invisible ones.
    static func clean(_ line: Substring) -> String {
        var text = String.UnicodeScalarView()
        var scalars = line.unicodeScalars.makeIterator()
        while let scalar = scalars.next() {
            guard text.count < characters else {
                text.append("…")
                break
            }
            if scalar == "\u{1b}" {
                skipSequence(&scalars)
            } else if scalar == "\t" {
                text.append(" ")
            } else {
                switch VisibleText.look(of: scalar) {
                case .hidden, .joiner: continue
                case .plain, .mark, .blank: text.append(scalar)
                }
            }
        }
        return String(text)
    }

    /// Goes past what an escape begins: to the letter that ends it where it opens a bracket, else one character.
    private static func skipSequence(_ scalars: inout Substring.UnicodeScalarView.Iterator) {
        guard scalars.next() == "[" else { return }
        while let next = scalars.next(), !(0x40...0x7E).contains(next.value) {}
    }
}
