extension BottleError {
    /// What and why, in one line without the remedy.
    package var summary: String {
        let text = [location, message].compactMap { $0 }.joined(separator: ": ")
        return cause.map { "\(text): \($0)" } ?? text
    }

    /// `needs-yes`: living agents would end, and the operator has not agreed to that.
    package static func needsYes(_ bottles: [Identity]) -> BottleError {
        BottleError(
            .needsYes,
            "this would end and replace the living agent of \(bottles.map(\.name).joined(separator: ", "))",
            remedy: "add --yes to do it; the agent was not touched"
        )
    }
}
