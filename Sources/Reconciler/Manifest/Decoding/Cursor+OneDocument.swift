import ReconcilerModel

extension Cursor {
    /// The messages for a file that must be exactly one YAML document.
    struct OneDocumentRule {
        /// Message for a second document.
        var second: String
        /// Error for a file without a document; nil if that is allowed.
        var none: (code: String, message: String, suggestion: String?)?
        var limits = YAMLLimits.manifest
    }

    /// Returns the root of a file that must be one document.
    ///
    /// - Parameter path: what messages call the root.
    /// - Returns: nil if there is no document to read.
    static func root(
        of name: String,
        _ bytes: [UInt8],
        path: String = "",
        _ rule: OneDocumentRule,
        _ findings: inout Findings
    ) -> Cursor? {
        guard let text = SourceText.read(name: name, bytes: bytes, limit: rule.limits.bytes, findings: &findings) else {
            return nil
        }
        let roots = YAMLParser.documents(of: text, limits: rule.limits, findings: &findings)
        if let second = roots.dropFirst().first {
            findings.error("wrong-type", rule.second, at: SourcePosition(source: text, mark: second.mark))
        }
        if roots.isEmpty, let none = rule.none, !findings.hasErrors {
            let position = SourcePosition(source: text, mark: YAMLMark(line: 1, column: 1))
            findings.error(none.code, none.message, at: position, suggestion: none.suggestion)
        }
        return roots.first.map { Cursor(source: text, node: $0, path: path) }
    }
}
