import Reconciler
import ReconcilerEngine
import ReconcilerModel
import ReconcilerTime
import Testing

@Suite("uploads")
struct FileUploadTests {
    private func entries(_ upload: FileUpload) throws -> [TarEntry] {
        var reader = TarReader()
        return try reader.read(upload.archive).compactMap { if case .entry(let entry) = $0 { entry } else { nil } }
    }

    @Test(
        "a folder is given to its owner from the folder above, with its own mode and time",
        arguments: [("/home/node", "/home", "node"), ("/root", "/", "root"), ("/var/lib/a/b", "/var/lib/a", "b")]
    )
    func folder(_ path: String, _ above: String, _ name: String) throws {
        let stat = PathStat(
            name: name,
            size: 0,
            mode: PathStat.folderBit | 0o750,
            modifiedAt: Timestamp(seconds: 1_000)
        )
        let upload = try #require(try FileUpload.ofFolder(path, like: stat, FileOwner(user: 7, group: 8)))
        #expect(upload.folder == above)
        let entry = try #require(try entries(upload).first)
        #expect(entry.path == name && entry.kind == .folder && entry.mode == 0o750)
        #expect(entry.uid == 7 && entry.gid == 8)
        #expect(entry.modifiedAt.seconds == 1_000)
    }

    @Test("a file right in a volume brings no entry for the volume's own folder, which stays its owner's")
    func volumeFolder() throws {
        let uploads = try FileUpload.of(
            [DesiredFile(path: "/home/node/.gitconfig", content: []), DesiredFile(path: "/etc/bottle/a", content: [])],
            mounts: [.init(volume: "v", target: "/home/node")]
        )
        #expect(uploads.map(\.folder) == ["/", "/home/node"])
        #expect(try entries(uploads[1]).map(\.path) == [".gitconfig"])
        #expect(try entries(uploads[0]).map(\.path) == ["etc/bottle", "etc/bottle/a"])
    }
}
