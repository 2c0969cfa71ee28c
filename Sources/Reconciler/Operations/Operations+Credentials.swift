import FoundationEssentials
import Reconciler
import ReconcilerManifest
import ReconcilerModel
import ReconcilerState
import ReconcilerTrust

extension Operations {
    /// Credentials for looking only: nothing is minted or made, no command is run, and a value that can't be had by
    /// looking is left out.
    func readingCredentials(state: StateFolder?, settings: Settings) throws -> Credentials {
        let sources = SecretSources(settings.secrets, environment: environment)
        let values: @Sendable ([SecretReference]) async throws -> [SecretReference: SecretValue] = {
            try await sources.attempt($0, runningCommands: false).values
        }
        guard let state else {
            return Credentials(values: values, fingerprint: { _, _ in "" }, authority: { _, _ in nil })
        }
        var credentials = try credentials(state: state, settings: settings)
        credentials.values = values
        if try StateFiles(folder: state.trust).read("fingerprint.key") == nil {
            // Without a key no container can carry a fingerprint yet, so that nothing will be compared with this one.
            credentials.fingerprint = { _, _ in "" }
        }
        return credentials
    }

    /// Credentials of a process that lives long: each use finds the values again.
    func watchingCredentials(_ installation: Installation) throws -> Credentials {
        let sources = SecretSources(installation.settings.secrets, environment: environment)
        var credentials = installation.credentials
        credentials.values = { try await sources.resolve($0) }
        credentials.glance = { try await sources.attempt($0, runningCommands: false).values }
        return credentials
    }

    func credentials(state: StateFolder, settings: Settings) throws -> Credentials {
        let files = StateFiles(folder: state.trust)
        let trust = TrustStore(files: files)
        let memory = SecretMemory()
        let sources = SecretSources(settings.secrets, environment: environment)
        return Credentials(
            values: { try await memory.values($0, from: sources) },
            fingerprint: { try KeyedFingerprint.load(from: files).fingerprint(of: $1, name: $0) },
            authority: { identity, minting in
                let found =
                    minting
                    ? try trust.ensureAuthority(for: identity, now: Date()) : try trust.authority(for: identity)
                return found.map { authority in
                    Credentials.Authority(
                        material: .init(certificate: authority.certificate, key: authority.privateKey.exposed),
                        fingerprint: authority.fingerprint
                    )
                }
            }
        )
    }
}

/// Values that were found once: an operation that asks for a passphrase asks once.
private actor SecretMemory {
    private var known: [SecretReference: SecretValue] = [:]

    func values(
        _ references: [SecretReference],
        from sources: SecretSources
    ) async throws -> [SecretReference: SecretValue] {
        let missing = references.filter { known[$0] == nil }
        if !missing.isEmpty {
            known.merge(try await sources.resolve(missing)) { first, _ in first }
        }
        return known.filter { references.contains($0.key) }
    }
}
