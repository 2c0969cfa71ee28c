import ReconcilerModel

extension Cursor {
    /// What is told of a file that must be one YAML document.
    struct OneDocumentRule {
        /// Of a second document.
        var second: String
        /// Of a file without any; nil: that is fine.
        var none: (code: String, message: String, suggestion: String?)?
        var limits = YAMLLimits.manifest
    }

    /// The root of a file that must be one document.
    ///
    /// - Parameter path: what the root is called in messages.
    /// - Returns: nil when there is no document to be read.
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
            findings.error("wrong-type", rule.second, at: Place(source: text, mark: second.mark))
        }
        if roots.isEmpty, let none = rule.none, !findings.hasErrors {
            let place = Place(source: text, mark: YAMLMark(line: 1, column: 1))
            findings.error(none.code, none.message, at: place, suggestion: none.suggestion)
        }
        return roots.first.map { Cursor(source: text, node: $0, path: path) }
    }
}
