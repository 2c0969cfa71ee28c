package import ReconcilerModel

/// The result of reading a set of texts: the valid bottles and everything that is wrong.
package struct ManifestReading: Sendable {
    /// The bottles without an error of their own, in written order.
    package var bottles: [LocatedBottle]
    /// All findings, ordered by file and line.
    package var diagnostics: [Diagnostic]

    package var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }
}
