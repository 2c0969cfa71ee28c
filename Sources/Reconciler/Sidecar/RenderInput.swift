/// Everything that a bottle is rendered from.
package struct RenderInput: Sendable {
    /// What is known of the image of one role.
    package struct Image: Sendable, Hashable {
        package var desired: DesiredImage
        /// Nil while the engine doesn't have it.
        package var id: String?

        package init(desired: DesiredImage, id: String?) {
            self.desired = desired
            self.id = id
        }
    }

    /// The bottle's own certificate authority, as PEM.
    package struct Authority: Sendable, Hashable {
        package var certificate: String
        package var key: String

        package init(certificate: String, key: String) {
            self.certificate = certificate
            self.key = key
        }
    }

    package var manifest: BottleManifest
    package var revision: Revision?
    package var addresses: AddressPlan
    package var images: [Role: Image]
    /// Facts of the agent's image; nil while they are unknown.
    package var agentFacts: ImageFacts?
    /// Keyed fingerprints of the secrets' values.
    package var fingerprints: [SecretReference: String]
    package var authority: Authority?
    /// Nil: the engine can't mount folders of this machine.
    package var supervision: Supervision?
    /// Who decided on the agent's image, when and why; nil: it is the manifest's own.
    package var imageDecision: Remediation.Provenance?

    package init(
        manifest: BottleManifest,
        revision: Revision?,
        addresses: AddressPlan,
        images: [Role: Image],
        agentFacts: ImageFacts? = nil,
        fingerprints: [SecretReference: String] = [:],
        authority: Authority? = nil,
        supervision: Supervision? = nil,
        imageDecision: Remediation.Provenance? = nil
    ) {
        self.manifest = manifest
        self.revision = revision
        self.addresses = addresses
        self.images = images
        self.agentFacts = agentFacts
        self.fingerprints = fingerprints
        self.authority = authority
        self.supervision = supervision
        self.imageDecision = imageDecision
    }
}
