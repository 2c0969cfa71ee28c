package import ReconcilerEngine
package import ReconcilerModel

/// Renders the desired state, observes, and plans, without changing anything.
package struct Assessor: Sendable {
    private let engine: any EngineReading
    private let settings: Settings
    private let contexts: BuildContexts
    private let facts: ImageFactsStore?
    private let guessesFacts: Bool
    private let letsAgentRest: Bool
    private let silent: Set<Role>

    /// - Parameters:
    ///   - guessesFacts: whether facts of an image that was never inspected may be read from the agent's container.
    ///     That is good enough to show a plan; a pass that acts inspects the image.
    ///   - letsAgentRest: whether an agent that ended stays ended, even if its `restart` starts it again.
    ///   - silent: the sidecars that never said what they have loaded since their start, though a pass waited for it.
    package init(
        engine: any EngineReading,
        settings: Settings,
        contexts: BuildContexts,
        facts: ImageFactsStore?,
        guessesFacts: Bool,
        letsAgentRest: Bool = false,
        silent: Set<Role> = []
    ) {
        self.engine = engine
        self.settings = settings
        self.contexts = contexts
        self.facts = facts
        self.guessesFacts = guessesFacts
        self.letsAgentRest = letsAgentRest
        self.silent = silent
    }

    /// What one bottle is assessed from.
    package struct Subject: Sendable {
        package var manifest: BottleManifest
        /// Who decided on the agent's image, when and why; nil: it is the manifest's own.
        package var imageDecision: Remediation.Provenance?
        package var revision: Revision?
        package var record: BottleRecord
        package var fingerprints: [SecretReference: String]
        package var authority: RenderInput.Authority?
        package var caFingerprint: String?
        /// Addresses that other bottles of this installation have.
        package var reserved: [IPv4Block]
        /// Nil: the engine can't mount folders of this machine.
        package var supervision: Supervision?

        package init(
            _ bottle: RemediedBottle,
            revision: Revision?,
            record: BottleRecord,
            fingerprints: [SecretReference: String],
            authority: RenderInput.Authority?,
            caFingerprint: String?,
            reserved: [IPv4Block],
            supervision: Supervision?
        ) {
            manifest = bottle.manifest
            imageDecision = bottle.imageRemediation?.provenance
            self.revision = revision
            self.record = record
            self.fingerprints = fingerprints
            self.authority = authority
            self.caFingerprint = caFingerprint
            self.reserved = reserved
            self.supervision = supervision
        }
    }

    package struct Assessment: Sendable {
        package var desired: DesiredBottle
        package var observed: ObservedBottle
        package var plan: Plan
        /// The record, with the addresses that `desired` uses.
        package var record: BottleRecord
        package var preflight: Preflight
        package var contexts: [Role: BuildContext]
        /// The agent's image, if it must be inspected before its container can be rendered.
        package var unknownImage: String?

        /// Whether there is nothing to do, and nothing to report from the engine's lists.
        package var isQuiet: Bool {
            plan.isEmpty && unknownImage == nil
                && plan.findings.allSatisfy { finding in
                    switch finding {
                    case .agentEnded, .agentRests, .replacementPending, .reloadRefused: true
                    default: false
                    }
                }
        }

        /// Ids of the bottle's networks that exist.
        package var networks: [NetworkRole: NetworkID] {
            Planner.networkIDs(desired: desired, observed: observed, record: record)
        }
    }

    /// Assesses one bottle against one inventory.
    ///
    /// - Parameter reading: the containers whose files are read whole when a look from outside finds nothing wrong.
    /// - Throws: `BottleError` for what can't be rendered, `EngineError`.
    package func assess(
        _ subject: Subject,
        inventory: Inventory,
        reading: Set<Role> = []
    ) async throws -> Assessment {
        let observer = Observer(engine: engine)
        let topology = Topology(subject.manifest)
        let wanted = try contexts.images(of: subject.manifest, topology: topology, settings: settings)
        let images = try await observer.images(Set(wanted.values.map(\.reference)))

        var record = subject.record
        let own = Set(topology.ownNetworks.map { Names.network(subject.manifest.identity, $0) })
        try record.addresses.assign(
            topology.ownNetworks,
            from: settings.networkPool,
            avoiding: record.lacksAddresses(for: subject.manifest)
                ? inventory.usedBlocks(exceptOf: own) + subject.reserved
                    + record.avoided.compactMap { try? IPv4Block($0) } : [],
            startingAt: record.addressPlace
        )
        let agentImage = wanted[.agent].flatMap { images[$0.reference]?.id }
        var agentFacts: ImageFacts?
        if let agentImage {
            agentFacts = try await knownFacts(of: agentImage, inventory: inventory, installation: record.installation)
        }
        let desired = try DesiredBottle(
            rendering: RenderInput(
                manifest: subject.manifest,
                revision: subject.revision,
                addresses: record.addresses,
                images: wanted.mapValues { RenderInput.Image(desired: $0, id: images[$0.reference]?.id) },
                agentFacts: agentFacts,
                fingerprints: subject.fingerprints,
                authority: subject.authority,
                supervision: subject.supervision,
                imageDecision: subject.imageDecision
            )
        )
        let observed = try await observer.bottle(
            desired,
            installation: record.installation,
            inventory: inventory,
            images: images,
            reading: reading
        )
        return Assessment(
            desired: desired,
            observed: observed,
            plan: Planner.plan(
                desired: desired,
                observed: observed,
                record: record,
                letsAgentRest: letsAgentRest,
                silent: silent
            ),
            record: record,
            preflight: Preflight(subject.manifest, caFingerprint: subject.caFingerprint),
            contexts: try contexts.loaded(for: wanted),
            unknownImage: agentFacts == nil ? agentImage : nil
        )
    }

    /// The stored facts of an image, or those that a container of it shows.
    private func knownFacts(
        of id: String,
        inventory: Inventory,
        installation: InstallationID
    ) async throws -> ImageFacts? {
        if let known = facts?.load(id) { return known }
        guard guessesFacts else { return nil }
        let container = inventory.containers.first {
            $0.imageID == id && $0.labels[Labels.installation] == installation.text
                && $0.labels[Labels.role] == Role.agent.rawValue
        }
        guard let container else { return nil }
        do {
            return try await ImageFactsReader(engine: engine).facts(of: engine.image(id), in: container.id)
        } catch {
            // An agent that is root can make its own files unreadable; the plan is still shown.
            guard (error as? EngineError)?.status != nil else { throw error }
            return nil
        }
    }
}
