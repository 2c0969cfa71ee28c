/// A text that is not a value of the kind it should be.
package struct InvalidValue: Error, Hashable, CustomStringConvertible {
    /// What the text should have been, as one noun: `host pattern`, `image reference`.
    package let kind: String
    package let text: String
    /// What a correct value looks like, or what this one breaks.
    package let rule: String

    package init(kind: String, text: String, rule: String) {
        self.kind = kind
        self.text = text
        self.rule = rule
    }

    package var description: String { "'\(text)' is not a valid \(kind): \(rule)" }
}
