package import ReconcilerModel

#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif

/// The certificate authorities of all bottles, below the state folder's `trust/`.
///
/// `<id>/<holder>-ca-key.pem` contains key and certificate in one file, so that neither can be there alone;
/// `<id>/<holder>-ca.pem` is a copy of the certificate alone, for people and programs.
package struct TrustStore: Sendable {
    private let files: any PrivateFiles

    package init(files: any PrivateFiles) { self.files = files }

    /// The bottle's stored authority; nil if none was minted.
    ///
    /// Fast: reads files and compares keys. Changes nothing. Also returns an expired authority: see
    /// `CertificateAuthority.isExpiring(at:)`.
    /// - Throws: `BottleError` `ca-unreadable` if a file is damaged, or if the certificate doesn't belong to the key.
    package func authority(
        for bottle: Identity,
        holder: CertificateAuthority.Holder = .egressProxy
    ) throws -> CertificateAuthority? {
        let keyPath = Self.keyPath(bottle, holder)
        guard let bytes = try read(keyPath) else {
            guard try read(Self.certificatePath(bottle, holder)) == nil else {
                throw damaged(keyPath, bottle, "the private key is gone, the certificate is still there")
            }
            return nil
        }
        let authority: CertificateAuthority
        do {
            authority = try CertificateAuthority(combined: String(decoding: bytes, as: UTF8.self))
        } catch {
            // A parser's message may quote the text that it could not parse.
            let cause = (error as? CertificateAuthority.Damage)?.description ?? "a PEM document of it can't be parsed"
            throw damaged(keyPath, bottle, "the certificate authority can't be read", cause: cause)
        }
        if let copy = try read(Self.certificatePath(bottle, holder)), copy != Array(authority.certificate.utf8) {
            let path = Self.certificatePath(bottle, holder)
            throw BottleError(
                .caUnreadable,
                "the certificate is not the one that belongs to the private key",
                at: files.location(of: path),
                remedy: "remove this file; the next apply writes it again from \(files.location(of: keyPath))"
            )
        }
        return authority
    }

    /// The bottle's authority, minted if there is none; durable when this returns.
    ///
    /// All concurrent callers get the same one. If the process dies here, there is a complete authority or none, and
    /// the next call completes its files.
    package func ensureAuthority(
        for bottle: Identity,
        holder: CertificateAuthority.Holder = .egressProxy,
        now: Date
    ) throws -> CertificateAuthority {
        if let known = try authority(for: bottle, holder: holder) {
            try completeCopy(of: known, bottle, holder)
            return known
        }
        let fresh = try CertificateAuthority.mint(for: bottle, holder: holder, now: now)
        let path = Self.keyPath(bottle, holder)
        do {
            _ = try files.create(Array(fresh.combined.utf8), at: path)
        } catch {
            throw unwritable(path, cause: error)
        }
        guard let stored = try authority(for: bottle, holder: holder) else {
            throw damaged(path, bottle, "the certificate authority vanished while it was written")
        }
        try completeCopy(of: stored, bottle, holder)
        return stored
    }

    private func completeCopy(
        of authority: CertificateAuthority,
        _ bottle: Identity,
        _ holder: CertificateAuthority.Holder
    ) throws {
        let path = Self.certificatePath(bottle, holder)
        guard try read(path) == nil else { return }
        do {
            _ = try files.create(Array(authority.certificate.utf8), at: path)
        } catch {
            throw unwritable(path, cause: error)
        }
    }

    private static func keyPath(_ bottle: Identity, _ holder: CertificateAuthority.Holder) -> String {
        "\(bottle.name)/\(holder.rawValue)-ca-key.pem"
    }

    private static func certificatePath(_ bottle: Identity, _ holder: CertificateAuthority.Holder) -> String {
        "\(bottle.name)/\(holder.rawValue)-ca.pem"
    }

    private func read(_ path: String) throws -> [UInt8]? {
        do {
            return try files.read(path)
        } catch {
            throw BottleError(
                .caUnreadable,
                "the file can't be read",
                at: files.location(of: path),
                remedy: "mend its permissions, or restore it from a backup",
                cause: "\(error)"
            )
        }
    }

    private func damaged(_ path: String, _ bottle: Identity, _ message: String, cause: String? = nil) -> BottleError {
        BottleError(
            .caUnreadable,
            message,
            at: files.location(of: path),
            remedy:
                "restore it from a backup, or remove \(files.location(of: bottle.name)): the next apply mints a new "
                + "authority and replaces the containers that trust the old one",
            cause: cause
        )
    }

    private func unwritable(_ path: String, cause: any Error) -> BottleError {
        BottleError(
            .caUnwritable,
            "the certificate authority can't be stored",
            at: files.location(of: path),
            remedy: "make room or mend the permissions, then run the command again",
            cause: "\(cause)"
        )
    }
}
