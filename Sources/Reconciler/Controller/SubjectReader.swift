package import ReconcilerModel

/// Gathers what a bottle is assessed from, changing nothing; works before there is any state.
package struct SubjectReader: Sendable {
    private let state: StateFolder?
    private let credentials: Credentials

    package init(state: StateFolder?, credentials: Credentials) {
        self.state = state
        self.credentials = credentials
    }

    /// Everything about one bottle.
    ///
    /// - Throws: `BottleError` `secret-unavailable`, `state-unreadable`.
    package func subject(_ manifest: BottleManifest, revision: String) async throws -> Assessor.Subject {
        let values = try await credentials.values(manifest.secrets)
        var fingerprints: [SecretReference: String] = [:]
        for (reference, value) in values { fingerprints[reference] = try credentials.fingerprint(reference, value) }
        let authority = try await credentials.authority(manifest.identity, false)
        let records = state.map { JSONStore<BottleRecord>(folder: $0.records, noun: "record") }
        let all = try records?.loadAll() ?? [:]
        // A value that can't be had by looking is taken to be the one that is in place.
        let known = all[manifest.identity]?.fingerprints ?? [:]
        for secret in manifest.secrets where fingerprints[secret] == nil { fingerprints[secret] = known[secret.name] }
        return Assessor.Subject(
            manifest: manifest,
            revision: revision,
            record: all[manifest.identity]
                ?? BottleRecord(identity: manifest.identity, installation: state?.installation ?? ""),
            fingerprints: fingerprints,
            authority: authority?.material,
            caFingerprint: authority?.fingerprint,
            reserved: all.filter { $0.key != manifest.identity }.flatMap(\.value.addresses.all)
        )
    }
}

extension Installation {
    /// Everything about one bottle, without minting anything.
    package func subject(_ manifest: BottleManifest, revision: String) async throws -> Assessor.Subject {
        try await SubjectReader(state: state, credentials: credentials).subject(manifest, revision: revision)
    }
}
