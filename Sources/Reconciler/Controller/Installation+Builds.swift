import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState

extension Installation {
    /// How an image of a Dockerfile that the agent of this manifest proposed is built.
    ///
    /// - Throws: `BottleError` `dockerfiles-missing`.
    func restrictedBuild(for manifest: BottleManifest) throws -> RestrictedBuild {
        let firewall = try contexts.image(of: .firewall, settings)
        return RestrictedBuild(
            engine: engine,
            identity: manifest.identity,
            installation: state.installation,
            settings: settings,
            egress: manifest.egress,
            firewall: firewall,
            firewallContext: try contexts.loaded(for: [.firewall: firewall])[.firewall],
            lock: state.buildLock(of: manifest.identity),
            sharedLock: state.sharedLock,
            reserved: { try records.loadAll().flatMap(\.value.addresses.all) }
        )
    }

    /// Removes what a killed build for this bottle left, unless one goes on.
    func clearLeftBuild(of identity: Identity, in inventory: Inventory) async throws {
        guard BuildSandbox.isThere(for: identity, installation: state.installation, in: inventory),
            let held = try state.buildLock(of: identity).tryAcquire()
        else { return }
        defer { extendLifetime(held) }
        try await BuildSandbox(engine: engine, identity: identity, installation: state.installation).clear()
    }
}
