package import ReconcilerModel
package import ReconcilerState

/// Gathers what a bottle is assessed from, changing nothing; works before there is any state.
package struct SubjectReader: Sendable {
    private let state: StateFolder?
    private let credentials: Credentials
    private let supervision: @Sendable (Identity) -> Supervision?

    /// - Parameter supervision: where a bottle's queue is; nil if the engine can't mount it.
    package init(
        state: StateFolder?,
        credentials: Credentials,
        supervision: @escaping @Sendable (Identity) -> Supervision?
    ) {
        self.state = state
        self.supervision = supervision
        self.credentials = credentials
    }

    /// Everything about one bottle.
    ///
    /// - Throws: `BottleError` `secret-unavailable`, `state-unreadable`.
    package func subject(_ bottle: RemediedBottle, revision: Revision?) async throws -> Assessor.Subject {
        let manifest = bottle.manifest
        let values = try await credentials.values(manifest.secrets)
        let authority = try await credentials.authority(manifest.identity, false)
        let records = state.map { JSONStore<BottleRecord>(folder: $0.records, noun: "record") }
        let all = try records?.loadAll() ?? [:]
        let record =
            all[manifest.identity]
            ?? BottleRecord(identity: manifest.identity, installation: state?.installation ?? .absent)
        return Assessor.Subject(
            bottle,
            revision: revision,
            record: record,
            fingerprints: try credentials.fingerprints(of: manifest, values, orAs: record),
            authority: authority?.material,
            caFingerprint: authority?.fingerprint,
            reserved: all.filter { $0.key != manifest.identity }.flatMap(\.value.addresses.all),
            supervision: supervision(manifest.identity)
        )
    }
}

extension Installation {
    /// Everything about one bottle, without minting anything.
    package func subject(_ bottle: RemediedBottle, revision: Revision?) async throws -> Assessor.Subject {
        try await SubjectReader(state: state, credentials: credentials, supervision: supervision(of:))
            .subject(bottle, revision: revision)
    }
}
