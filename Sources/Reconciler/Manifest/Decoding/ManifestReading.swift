package import ReconcilerModel

/// A text that may hold manifests.
package struct ManifestSource: Sendable, Hashable {
    package enum Format: Sendable, Hashable {
        case yaml
        /// Markdown with YAML front matter.
        case markdown
    }

    /// What diagnostics call it: a path, or `<stdin>`.
    package var name: String
    /// The folder that relative paths in it are relative to; nil for a text without one.
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

/// What a set of texts says: its valid bottles, and everything that is wrong.
package struct ManifestReading: Sendable {
    /// The bottles without an error of their own, in the order written.
    package var bottles: [LocatedBottle]
    /// All findings, in the order of files and lines.
    package var diagnostics: [Diagnostic]

    package var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }
}

/// A bottle as it was written, with where.
package struct LocatedBottle: Sendable {
    package let manifest: BottleManifest
    /// Name of the source.
    package let file: String
    /// The folder that relative paths are relative to.
    package let folder: String?
    /// Of the document.
    package let location: SourceLocation
    /// The folder that the agent's relative paths are relative to: that of its `kind: Agent` document, else `folder`.
    package let agentFolder: String?
    /// File of the `kind: Agent` document, when the agent is a reference.
    package let agentFile: String?

    /// The bottle's `spec`.
    let spec: Cursor
    /// The keys of the agent, wherever they are.
    let agent: Cursor
}
