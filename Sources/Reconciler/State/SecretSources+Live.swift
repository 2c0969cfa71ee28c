package import ReconcilerModel
import ReconcilerPlatform
package import ReconcilerTrust

extension SecretSources {
    /// The settings' sources on this machine: its files, its programs, and `environment`.
    ///
    /// A command gets the whole environment and the terminal, to ask for a passphrase there, and `timeLimit` to answer.
    package init(
        _ sources: [SecretReference: SecretSource],
        environment: [String: String],
        timeLimit: Duration = .seconds(120)
    ) {
        self.init(
            sources: sources,
            environment: environment,
            readFile: { path, limit in try DurableFile.read(path, limit: limit) },
            runCommand: { arguments in
                let outcome = try await Program(
                    arguments[0],
                    Array(arguments.dropFirst()),
                    environment: environment,
                    outputLimit: SecretSources.valueLimit + 2,
                    timeLimit: timeLimit,
                    hasOwnGroup: false
                ).run()
                return CommandOutput(succeeded: outcome.succeeded, output: outcome.output)
            }
        )
    }
}
