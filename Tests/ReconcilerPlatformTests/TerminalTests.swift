import ReconcilerPlatform
import Testing

@Suite("A terminal")
struct TerminalTests {
    @Test(
        "has colours unless they are unwanted",
        arguments: [
            ([:], true), (["NO_COLOR": ""], true), (["NO_COLOR": "1"], false), (["TERM": "dumb"], false),
            (["TERM": "xterm-256color"], true),
        ] as [([String: String], Bool)]
    )
    func color(_ environment: [String: String], _ allowed: Bool) {
        #expect(Terminal.current(environment: environment).allowsColor == allowed)
    }

    @Test("has no width where no descriptor is one")
    func width() {
        let terminal = Terminal.current(environment: [:])
        let isTerminal = terminal.inputIsTerminal || terminal.outputIsTerminal || terminal.errorIsTerminal
        #expect(isTerminal || terminal.width == nil)
    }
}
