package import ReconcilerModel

/// A YAML text that is no manifest: its documents, and everything that is wrong with it.
package struct YAMLFile: Sendable {
    package let documents: [YAMLNode]
    private let name: String
    private let source: SourceText?
    private var findings: Findings

    /// Reads `bytes`; what breaks YAML or `limits` is among the diagnostics.
    ///
    /// - Parameter name: what diagnostics call the text.
    package init(name: String, bytes: [UInt8], limits: YAMLLimits = .manifest) {
        var findings = Findings()
        let source = SourceText.read(name: name, bytes: bytes, limit: limits.bytes, findings: &findings)
        documents = source.map { YAMLParser.documents(of: $0, limits: limits, findings: &findings) } ?? []
        self.name = name
        self.source = source
        self.findings = findings
    }

    /// Adds an error at a place of the text.
    package mutating func report(_ code: String, _ message: String, at mark: YAMLMark, suggestion: String? = nil) {
        guard let source else { return }
        findings.error(code, message, at: Place(source: source, mark: mark), suggestion: suggestion)
    }

    /// Adds an error for a word that is none of `words`, with the one that was most likely meant.
    package mutating func report(unknown word: String, _ noun: String, of words: [String], at mark: YAMLMark) {
        report(
            "unknown-\(noun)",
            "unknown \(noun) \(quoted(word))",
            at: mark,
            suggestion: nearest(word, in: words).map { "did you mean '\($0)'?" }
                ?? "one of: \(words.joined(separator: ", "))"
        )
    }

    /// All that is wrong, in the order of the text.
    package var diagnostics: [Diagnostic] { findings.ordered(files: [name]) }
}

extension YAMLNode {
    /// The whole number that a scalar is.
    package var integer: Int? {
        if case .integer(let value) = scalar?.value { value } else { nil }
    }

    /// Whether the node is a scalar that says nothing.
    package var isNull: Bool { scalar?.value == .null }
}
