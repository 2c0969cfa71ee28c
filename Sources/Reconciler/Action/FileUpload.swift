package import ReconcilerEngine
package import ReconcilerModel

/// An archive of files, and the folder of a container to unpack it in.
package struct FileUpload: Sendable, Hashable {
    /// The folder to unpack in.
    package var folder: String
    package var archive: [UInt8]

    /// The uploads of `files`: one for each volume of the container, and one for the rest.
    ///
    /// The engine unpacks nothing in a read-only root, but does in a volume.
    package static func of(_ files: [DesiredFile], mounts: [ContainerSpec.Mount]) throws -> [FileUpload] {
        let byFolder = Dictionary(grouping: files) { file in
            mounts.map(\.target).filter { file.path.hasPrefix("\($0)/") }.max { $0.utf8.count < $1.utf8.count } ?? "/"
        }
        return try byFolder.sorted { $0.key < $1.key }.map { folder, files in
            FileUpload(folder: folder, archive: try files.archive(below: folder))
        }
    }

    /// The upload that gives an existing folder to `owner` and changes nothing else; nil for the root.
    ///
    /// It is unpacked in the parent: the engine skips an entry for the folder that it unpacks in.
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
