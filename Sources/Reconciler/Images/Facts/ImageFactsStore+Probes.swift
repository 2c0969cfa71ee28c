import ReconcilerPlatform

extension ImageFactsStore {
    /// Records that a probe of the image is about to be made.
    ///
    /// The record is durable when this returns.
    package func beginProbe(_ image: String) throws {
        try DurableFile.write(Array(image.utf8), to: "\(path(of: image)).probe")
    }

    /// Removes the record when the probe is gone.
    package func endProbe(_ image: String) throws { try DurableFile.remove("\(path(of: image)).probe") }

    /// The images whose probes may still be there, left by killed processes.
    package func pendingProbes() throws -> [String] {
        try (POSIX.names(in: folder) ?? []).filter { $0.hasSuffix(".probe") }.compactMap { name in
            try DurableFile.read("\(folder)/\(name)", limit: 1024, followLinks: false)
                .map { String(decoding: $0, as: UTF8.self) }
        }
    }
}
