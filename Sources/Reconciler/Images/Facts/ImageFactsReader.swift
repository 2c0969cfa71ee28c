package import ReconcilerEngine
package import ReconcilerModel

/// Reads the facts of an image from a container of it, which need not run.
package struct ImageFactsReader: Sendable {
    private let engine: any EngineReading

    package init(engine: any EngineReading) { self.engine = engine }

    /// Where systems keep the certificates they trust: Debian, Red Hat, Alpine and SUSE.
    private static let rootPaths = [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        "/etc/ssl/cert.pem", "/etc/ssl/ca-bundle.pem",
    ]

    /// The facts of `image`, read from `container`, which was made from it.
    package func facts(of image: ImageDetails, in container: String) async throws -> ImageFacts {
        let passwd = try await read("/etc/passwd", in: container) ?? []
        var roots: String?
        for path in Self.rootPaths where roots == nil {
            let bytes = try await read(path, in: container) ?? []
            if !bytes.isEmpty { roots = String(decoding: bytes, as: UTF8.self) }
        }
        return ImageFacts(
            id: image.id,
            user: image.config.user ?? "",
            labels: image.config.labels ?? [:],
            accounts: ImageFacts.accounts(passwd: String(decoding: passwd, as: UTF8.self)),
            roots: roots
        )
    }

    /// A regular file's content, through links as the engine resolves them; nil when there is none.
    private func read(_ path: String, in container: String) async throws -> [UInt8]? {
        var path = path
        for _ in 0..<8 {
            guard let stat = try await engine.stat(container: container, path: path) else { return nil }
            if stat.isLink {
                path = stat.linkTarget
                continue
            }
            guard !stat.isFolder, stat.size <= 4 << 20 else { return nil }
            let files = try await engine.archive(container: container, path: path).tarFiles(upTo: 5 << 20)
            return files.first { $0.entry.kind == .file }?.content
        }
        return nil
    }
}
