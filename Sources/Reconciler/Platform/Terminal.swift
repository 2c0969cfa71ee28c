#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// What the standard descriptors are connected to.
package struct Terminal: Sendable, Hashable {
    package var inputIsTerminal: Bool
    package var outputIsTerminal: Bool
    package var errorIsTerminal: Bool
    /// The terminal's columns; nil if there is no terminal.
    package var width: Int?
    /// Whether a terminal may get colours: not with `NO_COLOR` or `TERM=dumb`.
    package var allowsColor: Bool

    package init(
        inputIsTerminal: Bool = false,
        outputIsTerminal: Bool = false,
        errorIsTerminal: Bool = false,
        width: Int? = nil,
        allowsColor: Bool = false
    ) {
        self.inputIsTerminal = inputIsTerminal
        self.outputIsTerminal = outputIsTerminal
        self.errorIsTerminal = errorIsTerminal
        self.width = width
        self.allowsColor = allowsColor
    }

    /// Inspects descriptors 0, 1 and 2 of this process.
    package static func current(environment: [String: String]) -> Terminal {
        let terminals = (0...2).map { isatty(Int32($0)) == 1 }
        var size = winsize()
        var width: Int?
        for number in [Int32(1), 2, 0] where width == nil && terminals[Int(number)] {
            if unsafe ioctl(number, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { width = Int(size.ws_col) }
        }
        return Terminal(
            inputIsTerminal: terminals[0],
            outputIsTerminal: terminals[1],
            errorIsTerminal: terminals[2],
            width: width,
            allowsColor: (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
        )
    }
}
