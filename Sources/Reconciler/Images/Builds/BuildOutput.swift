import ReconcilerEngine
import ReconcilerModel
import Synchronization

/// The output of a build, line by line; it keeps the last lines to explain a failure.
///
/// The text comes from the author of the Dockerfile and from programs that it runs. It is bounded, and can't move a
/// cursor, colour a screen, or hide or reorder text.
final class BuildOutput: Sendable {
    private let tail = Mutex<[String]>([])

    private static let lines = 12
    private static let characters = 300

    /// The last lines, one below the other.
    var last: String { tail.withLock { $0.joined(separator: "\n") } }

    /// Adds a message of the builder.
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

    /// Skips an escape sequence: to its final letter after a bracket, else one character.
    private static func skipSequence(_ scalars: inout Substring.UnicodeScalarView.Iterator) {
        guard scalars.next() == "[" else { return }
        while let next = scalars.next(), !(0x40...0x7E).contains(next.value) {}
    }
}
