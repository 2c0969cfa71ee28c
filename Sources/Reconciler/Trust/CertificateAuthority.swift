import Crypto
package import ReconcilerModel
import SwiftASN1
import X509
import _CryptoExtras

#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif

/// The certificate authority with which one sidecar of one bottle signs.
///
/// Minted once per bottle; it is the only one of ours that the agent trusts. Valid for ten years from a day before it
/// was made, because the clock of a virtual machine that slept may lag. It changes only if its bottle is deleted or its
/// files are removed, because a new one means a new trust bundle in the agent.
package struct CertificateAuthority: Sendable {
    /// The sidecar that signs, which also determines the key type that it can read.
    package enum Holder: String, Sendable, CaseIterable {
        /// mitmproxy: RSA-2048, SHA-256, key in PKCS #1.
        case egressProxy = "egress-proxy"
        /// pipelock: ECDSA P-256, key in SEC1.
        case firewall
    }

    /// The certificate, PEM.
    package let certificate: String
    /// The private key, PEM.
    package let privateKey: PrivateKeyText
    /// SHA-256 of the certificate's DER form, as `AA:BB:…`.
    package let fingerprint: String
    package let notBefore: Date
    package let notAfter: Date

    /// The text of a private key; its description never reveals it.
    package struct PrivateKeyText: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
        /// The PEM text; read it only to hand it to the sidecar that signs.
        package let exposed: String

        package var description: String { "<redacted>" }
        package var customMirror: Mirror { Mirror(self, children: [:]) }
    }

    /// Whether it has expired or will within 30 days, so that a new one is due.
    package func isExpiring(at now: Date) -> Bool { notAfter < now.addingTimeInterval(30 * 86_400) }

    /// Makes a new authority: a fresh key, a self-signed certificate.
    ///
    /// CA:TRUE with path length 0, key usage certificate and CRL signing, both critical; the subject key identifier is
    /// the SHA-1 of the key bits (RFC 5280, 4.2.1.2), so that a leaf's authority key identifier matches it.
    package static func mint(
        for bottle: Identity,
        holder: Holder = .egressProxy,
        now: Date
    ) throws -> CertificateAuthority {
        let (key, text): (Certificate.PrivateKey, String)
        let algorithm: Certificate.SignatureAlgorithm
        switch holder {
        case .egressProxy:
            let rsa = try _RSA.Signing.PrivateKey(keySize: .bits2048)
            (key, text, algorithm) = (.init(rsa), rsa.pemRepresentation + "\n", .sha256WithRSAEncryption)
        case .firewall:
            let p256 = P256.Signing.PrivateKey()
            (key, text, algorithm) = (.init(p256), try SEC1.pem(of: p256) + "\n", .ecdsaWithSHA256)
        }
        let name = try DistinguishedName {
            CommonName("bottle \(bottle.name) CA")
            OrganizationalUnitName(holder.rawValue)
        }
        let identifier = SubjectKeyIdentifier(hash: key.publicKey)
        let certificate = try Certificate(
            version: .v3,
            serialNumber: Certificate.SerialNumber(),
            publicKey: key.publicKey,
            notValidBefore: now.addingTimeInterval(-86_400),
            notValidAfter: now.addingTimeInterval(3650 * 86_400),
            issuer: name,
            subject: name,
            signatureAlgorithm: algorithm,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
                identifier
            },
            issuerPrivateKey: key
        )
        return try CertificateAuthority(certificate: certificate, privateKey: text)
    }

    /// Key and certificate in one text, as stored and as mitmproxy reads it.
    var combined: String { privateKey.exposed + certificate }

    /// Parses the text of `combined`.
    ///
    /// - Throws: if a part is missing, or the key doesn't belong to the certificate.
    init(combined text: String) throws {
        let documents = try PEMDocument.parseMultiple(pemString: text)
        guard let certificateDocument = documents.first(where: { $0.discriminator == "CERTIFICATE" }),
            let keyDocument = documents.first(where: { $0.discriminator.hasSuffix("PRIVATE KEY") }),
            documents.count == 2
        else { throw Damage(description: "one private key and one certificate are expected") }
        let certificate = try Certificate(pemDocument: certificateDocument)
        let key = try Certificate.PrivateKey(pemDocument: keyDocument)
        guard key.publicKey == certificate.publicKey else {
            throw Damage(description: "the private key is not the certificate's")
        }
        try self.init(certificate: certificate, privateKey: keyDocument.pemString + "\n")
    }

    private init(certificate: Certificate, privateKey: String) throws {
        let document = try certificate.serializeAsPEM()
        self.certificate = document.pemString + "\n"
        self.privateKey = PrivateKeyText(exposed: privateKey)
        fingerprint = SHA256.hash(data: document.derBytes)
            .map { ContentDigest.hexadecimal([$0]).uppercased() }.joined(separator: ":")
        notBefore = certificate.notValidBefore
        notAfter = certificate.notValidAfter
    }

    /// Why a stored authority is damaged.
    struct Damage: Error, CustomStringConvertible { let description: String }
}

/// Private keys in the form of RFC 5915, which Go programs expect under `EC PRIVATE KEY`.
private enum SEC1 {
    static func pem(of key: P256.Signing.PrivateKey) throws -> String {
        var serializer = DER.Serializer()
        try serializer.appendConstructedNode(identifier: .sequence) { sequence in
            try sequence.serialize(1)
            try sequence.serialize(ASN1OctetString(contentBytes: ArraySlice(Array(key.rawRepresentation))))
            try sequence.serialize(
                ASN1ObjectIdentifier.NamedCurves.secp256r1,
                explicitlyTaggedWithTagNumber: 0,
                tagClass: .contextSpecific
            )
            try sequence.serialize(
                ASN1BitString(bytes: ArraySlice(Array(key.publicKey.x963Representation))),
                explicitlyTaggedWithTagNumber: 1,
                tagClass: .contextSpecific
            )
        }
        return PEMDocument(type: "EC PRIVATE KEY", derBytes: serializer.serializedBytes).pemString
    }
}
