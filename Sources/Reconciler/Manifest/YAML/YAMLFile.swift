package import ReconcilerModel

/// A YAML text other than a manifest: its documents and everything that is wrong with it.
package struct YAMLFile: Sendable {
    package let documents: [YAMLNode]
    private let name: String
    private let source: SourceText?
    private var findings: Findings

    /// Reads `bytes`; the diagnostics report broken YAML and exceeded `limits`.
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

    /// Adds an error at a position in the text.
    package mutating func report(_ code: String, _ message: String, at mark: YAMLMark, suggestion: String? = nil) {
        guard let source else { return }
        findings.error(code, message, at: SourcePosition(source: source, mark: mark), suggestion: suggestion)
    }

    /// Adds an error for a word that is not in `words`, and suggests the closest one.
    package mutating func report(unknown word: String, _ noun: String, of words: [String], at mark: YAMLMark) {
        report(
            "unknown-\(noun)",
            "unknown \(noun) \(quoted(word))",
            at: mark,
            suggestion: nearest(word, in: words).map { "did you mean '\($0)'?" }
                ?? "one of: \(words.joined(separator: ", "))"
        )
    }

    /// Everything that is wrong, in the order of the text.
    package var diagnostics: [Diagnostic] { findings.ordered(files: [name]) }
}

extension YAMLNode {
    /// The scalar's value as a whole number.
    package var integer: Int? {
        if case .integer(let value) = scalar?.value { value } else { nil }
    }

    /// Whether the node is a null scalar.
    package var isNull: Bool { scalar?.value == .null }
}
