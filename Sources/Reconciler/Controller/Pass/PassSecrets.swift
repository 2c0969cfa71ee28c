import ReconcilerModel

/// The values of a bottle's secrets that a pass has found, and their fingerprints.
package struct PassSecrets: Sendable {
    /// When the values of secrets are found.
    package enum Use: Sendable {
        /// All of them before anything else: a person waits, who may be asked for a passphrase.
        case first
        /// At first only those that need no program to run. The rest when a container must be made that holds them.
        /// Until then a value that was not found counts as the one that is in place.
        case asNeeded
    }

    private let manifest: BottleManifest
    private let credentials: Credentials
    private(set) var values: [SecretReference: SecretValue]
    private(set) var fingerprints: [SecretReference: String] = [:]

    /// - Throws: `BottleError` `secret-unavailable`.
    init(of manifest: BottleManifest, from credentials: Credentials, _ use: Use) async throws {
        self.manifest = manifest
        self.credentials = credentials
        let find = use == .first ? credentials.values : credentials.glance
        values = try await find(manifest.secrets)
    }

    /// Whether a value was not found yet.
    var areIncomplete: Bool { manifest.secrets.contains { values[$0] == nil } }

    /// Finds every value.
    ///
    /// - Throws: `BottleError` `secret-unavailable`.
    mutating func findAll() async throws { values = try await credentials.values(manifest.secrets) }

    /// Makes the fingerprints of the values; one without a value keeps the fingerprint that `record` has.
    mutating func fingerprint(orAs record: BottleRecord) throws {
        fingerprints = try credentials.fingerprints(of: manifest, values, orAs: record)
    }
}
