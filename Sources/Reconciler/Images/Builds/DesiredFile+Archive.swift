import ReconcilerEngine
import ReconcilerModel

extension [DesiredFile] {
    /// The archive to unpack in `folder`, which contains all of these files.
    func archive(below folder: String) throws -> [UInt8] {
        var writer = TarWriter()
        var folders: Set<String> = []
        for file in sorted(by: { $0.path < $1.path }) {
            let path = String(file.path.dropFirst(folder == "/" ? 1 : folder.utf8.count + 1))
            let parent = path.split(separator: "/").dropLast().joined(separator: "/")
            if !parent.isEmpty, folders.insert(parent).inserted {
                try writer.add(TarEntry(path: parent, kind: .folder, mode: 0o755))
            }
            try writer.add(
                TarEntry(
                    path: path,
                    mode: file.mode,
                    uid: Int64(file.owner),
                    gid: Int64(file.group),
                    modifiedAt: file.stamp
                ),
                content: file.content
            )
        }
        return writer.finish()
    }
}
