import ReconcilerModel
import ReconcilerOperations
import ReconcilerPlatform

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Results go to standard output, progress and complaints to standard error.
struct Console: Sendable {
    let terminal: Terminal

    /// Whether standard error may be coloured.
    var colorsErrors: Bool { terminal.errorIsTerminal && terminal.allowsColor }
    var colorsOutput: Bool { terminal.outputIsTerminal && terminal.allowsColor }

    func out(_ text: String) { Self.write(text + "\n", to: 1) }
    func err(_ text: String) { Self.write(text + "\n", to: 2) }

    func complain(of error: BottleError) { err(error.text(Style(isOn: colorsErrors))) }

    /// Shows a call to the engine.
    func show(_ call: EngineCall) {
        let status = call.status.map(String.init) ?? "–"
        let ms = (call.duration / .milliseconds(1) * 10).rounded() / 10
        err("engine: \(call.method) \(VisibleText.line(call.target, limit: 300)) \(status) \(ms) ms")
    }

    /// Asks on the terminal; anything but a yes is a no.
    func confirm(_ question: String) -> Bool {
        Self.write("\(question) [y/N] ", to: 2)
        let answer = readLine() ?? ""
        return ["y", "yes"].contains(answer.lowercased())
    }

    private static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe systemWrite(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            // The reader has gone.
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}

private let systemWrite = unsafe write

extension Console {
    /// All of standard input.
    ///
    /// - Throws: `BottleError` when it is more than `limit` bytes or can't be read.
    static func readInput(limit: Int) throws -> [UInt8] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe systemRead(0, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else {
                throw BottleError(.inputUnreadable, "standard input can't be read", cause: "error \(errno)")
            }
            guard count > 0 else { return all }
            all += buffer[..<count]
            guard all.count <= limit else {
                throw BottleError(.inputTooLarge, "standard input is more than \(limit) bytes")
            }
        }
    }
}

private let systemRead = unsafe read
