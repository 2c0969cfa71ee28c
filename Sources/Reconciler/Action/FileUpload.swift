package import ReconcilerEngine
package import ReconcilerModel

/// Files of a container as archives to unpack in it.
package struct FileUpload: Sendable, Hashable {
    /// The folder to unpack in.
    package var folder: String
    package var archive: [UInt8]

    /// The uploads that bring `files` into a container: one for each of its volumes, and one for the rest.
    ///
    /// The engine refuses to unpack in a read-only root, but not in a volume.
    package static func of(_ files: [DesiredFile], mounts: [ContainerSpec.Mount]) throws -> [FileUpload] {
        let byFolder = Dictionary(grouping: files) { file in
            mounts.map(\.target).filter { file.path.hasPrefix("\($0)/") }.max { $0.utf8.count < $1.utf8.count } ?? "/"
        }
        return try byFolder.sorted { $0.key < $1.key }.map { folder, files in
            FileUpload(folder: folder, archive: try files.archive(below: folder))
        }
    }

    /// The upload that gives a folder that is there to `owner` and leaves all else of it; nil for the root.
    ///
    /// It is unpacked in the folder above, because the engine skips an archive's entry for the very folder it unpacks in.
    package static func ofFolder(_ path: String, like stat: PathStat, _ owner: FileOwner) throws -> FileUpload? {
        let parts = path.split(separator: "/").map(String.init)
        guard let name = parts.last else { return nil }
        var writer = TarWriter()
        try writer.add(
            TarEntry(
                path: name,
                kind: .folder,
                mode: stat.permissions,
                uid: Int64(owner.user),
                gid: Int64(owner.group),
                modifiedAt: stat.modifiedAt
            )
        )
        return FileUpload(folder: "/" + parts.dropLast().joined(separator: "/"), archive: writer.finish())
    }
}
