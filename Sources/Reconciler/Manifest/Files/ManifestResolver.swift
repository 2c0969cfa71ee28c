package import ReconcilerModel

/// Turns an authored manifest into one that stands alone (SPEC 3, *Resolved*).
///
/// Reads the files that the manifest names in the person's folders. Writes nothing but copies of build contexts below
/// `contextStore`, and not even those without a store. A copy is complete or absent and named by its digest: if the
/// process dies here, nothing is left half-written, and a second run gives the same result.
package struct ManifestResolver: Sendable {
    /// The home folder for `~`.
    package var home: String
    /// The environment of the person who applies.
    package var environment: [String: String]
    /// Folder for copies of build contexts: `<contextStore>/<digest>/…`; nil stores nothing, for showing a plan.
    package var contextStore: String?
    /// The tool's state folder, which no workspace may contain.
    package var stateFolder: String?
    /// Sockets of engines, which no workspace may contain.
    package var engineSockets: [String]
    /// The user's known_hosts; nil for `~/.ssh/known_hosts`.
    package var knownHosts: String?

    package init(
        home: String,
        environment: [String: String],
        contextStore: String?,
        stateFolder: String? = nil,
        engineSockets: [String] = ["/var/run/docker.sock", "/run/docker.sock"],
        knownHosts: String? = nil
    ) {
        self.home = home
        self.environment = environment
        self.contextStore = contextStore
        self.stateFolder = stateFolder
        self.engineSockets = engineSockets
        self.knownHosts = knownHosts
    }

    /// Resolves `bottle`.
    ///
    /// - Returns: the manifest with an empty `unresolved`, and the diagnostics; no manifest if there is an error.
    package func resolve(_ bottle: LocatedBottle) -> (manifest: BottleManifest?, diagnostics: [Diagnostic]) {
        var resolution = Resolution(bottle: bottle, resolver: self)
        let manifest = resolution.run()
        let findings = resolution.findings
        return (findings.hasErrors ? nil : manifest, findings.ordered(files: [bottle.file]))
    }
}
