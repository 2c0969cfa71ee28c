package import ReconcilerEngine
package import ReconcilerModel
package import ReconcilerState

/// Everything of one user on one engine that a pass works with.
package struct Installation: Sendable {
    package var state: StateFolder
    package var repository: DesiredRepository
    package var settings: Settings
    package var engine: any EngineWriting
    package var contexts: BuildContexts
    package var credentials: Credentials
    /// Whether the engine can mount folders of this machine.
    package var isEngineLocal: Bool

    package init(
        state: StateFolder,
        repository: DesiredRepository,
        settings: Settings,
        engine: any EngineWriting,
        contexts: BuildContexts,
        credentials: Credentials,
        isEngineLocal: Bool = true
    ) {
        self.isEngineLocal = isEngineLocal
        self.state = state
        self.repository = repository
        self.settings = settings
        self.engine = engine
        self.contexts = contexts
        self.credentials = credentials
    }

    package var records: JSONStore<BottleRecord> { JSONStore(folder: state.records, noun: "record") }
    package var statuses: JSONStore<BottleStatus> { JSONStore(folder: state.status, noun: "status") }
    package var facts: ImageFactsStore { ImageFactsStore(folder: state.images) }

    /// The record of a bottle; a fresh one when nothing of it was ever made.
    package func record(of identity: Identity) throws -> BottleRecord {
        try records.load(identity) ?? BottleRecord(identity: identity, installation: state.installation)
    }

    /// What of the host a bottle's supervise sidecar works on; nil where the engine can't mount it.
    package func supervision(of identity: Identity) -> Supervision? {
        isEngineLocal ? state.supervision(of: identity) : nil
    }

    /// The addresses of every other bottle.
    package func reserved(exceptFor identity: Identity) throws -> [IPv4Block] {
        try records.loadAll().filter { $0.key != identity }.flatMap(\.value.addresses.all)
    }
}

/// Where a pass gets what only the trust room knows.
package struct Credentials: Sendable {
    /// The values of secrets.
    ///
    /// Throws `BottleError` `secret-unavailable`, naming every secret that has none.
    package var values: @Sendable ([SecretReference]) async throws -> [SecretReference: SecretValue]
    /// The values of secrets that can be had without running a program; those that can't are left out.
    package var glance: @Sendable ([SecretReference]) async throws -> [SecretReference: SecretValue]
    /// A keyed fingerprint of a secret's value.
    package var fingerprint: @Sendable (SecretReference, SecretValue) throws -> String
    /// The bottle's certificate authority and its SHA-256; made when there is none and the second argument says so.
    package var authority: @Sendable (Identity, _ minting: Bool) async throws -> Authority?

    package struct Authority: Sendable {
        package var material: RenderInput.Authority
        package var fingerprint: String

        package init(material: RenderInput.Authority, fingerprint: String) {
            self.material = material
            self.fingerprint = fingerprint
        }
    }

    package init(
        values: @escaping @Sendable ([SecretReference]) async throws -> [SecretReference: SecretValue],
        glance: (@Sendable ([SecretReference]) async throws -> [SecretReference: SecretValue])? = nil,
        fingerprint: @escaping @Sendable (SecretReference, SecretValue) throws -> String,
        authority: @escaping @Sendable (Identity, _ minting: Bool) async throws -> Authority?
    ) {
        self.values = values
        self.glance = glance ?? values
        self.fingerprint = fingerprint
        self.authority = authority
    }

    /// Fingerprints of a bottle's secrets; one whose value is not at hand is taken to be the one that is in place.
    func fingerprints(
        of manifest: BottleManifest,
        _ values: [SecretReference: SecretValue],
        orAs record: BottleRecord
    ) throws -> [SecretReference: String] {
        var fingerprints: [SecretReference: String] = [:]
        for secret in manifest.secrets { fingerprints[secret] = record.fingerprints?[secret.name] }
        for (reference, value) in values { fingerprints[reference] = try fingerprint(reference, value) }
        return fingerprints
    }
}

extension Installation {
    /// The revision that last changed a bottle.
    ///
    /// - Parameter committed: the commit just made; nil: there was none.
    package func revision(of identity: Identity, committed: Revision?) async throws -> String {
        if let last = try await repository.lastChange(of: identity) { return last.id }
        if let committed { return committed.id }
        return try await repository.head().id
    }
}
