/// Findings in a manifest or the settings as one error, each with its place.
package struct InvalidManifest: Error, Sendable {
    package let diagnostics: [Diagnostic]

    package init(diagnostics: [Diagnostic]) { self.diagnostics = diagnostics }
}
