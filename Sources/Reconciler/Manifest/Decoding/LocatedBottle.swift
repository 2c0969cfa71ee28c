package import ReconcilerModel

/// A bottle as written, with its location.
package struct LocatedBottle: Sendable {
    package let manifest: BottleManifest
    /// Name of the source.
    package let file: String
    /// The folder against which relative paths are resolved.
    package let folder: String?
    /// Location of the document.
    package let location: SourceLocation
    /// The folder for the agent's relative paths: that of its `kind: Agent` document, else `folder`.
    package let agentFolder: String?
    /// File of the `kind: Agent` document, if the agent is a reference.
    package let agentFile: String?

    /// The bottle's `spec`.
    let spec: Cursor
    /// The agent's keys, in this document or in the one it refers to.
    let agent: Cursor
}
