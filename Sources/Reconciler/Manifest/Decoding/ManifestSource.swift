/// A text that may contain manifests.
package struct ManifestSource: Sendable, Hashable {
    package enum Format: Sendable, Hashable {
        case yaml
        /// Markdown with YAML front matter.
        case markdown
    }

    /// The name that diagnostics use: a path, or `<stdin>`.
    package var name: String
    /// The folder against which its relative paths are resolved; nil for a text without one.
    package var folder: String?
    package var bytes: [UInt8]
    package var format: Format

    /// - Parameter format: nil chooses Markdown for names that end in `.md` or `.markdown`.
    package init(name: String, folder: String? = nil, bytes: [UInt8], format: Format? = nil) {
        self.name = name
        self.folder = folder
        self.bytes = bytes
        self.format = format ?? (Self.isMarkdown(name) ? .markdown : .yaml)
    }

    static func isMarkdown(_ name: String) -> Bool {
        let lower = name.lowercased()
        return lower.hasSuffix(".md") || lower.hasSuffix(".markdown")
    }
}
