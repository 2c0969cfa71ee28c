import ReconcilerModel

extension CapabilityBuild {
    /// Builds for the bottles of `installation`.
    ///
    /// - Parameter output: receives each line of the build, cleaned.
    package init(_ installation: Installation, output: @escaping @Sendable (String) -> Void = { _ in }) {
        self.init(
            engine: installation.engine,
            settings: installation.settings,
            contexts: installation.contexts,
            state: installation.state,
            restrictedBuild: installation.restrictedBuild(for:),
            output: output
        )
    }
}
