import ReconcilerEngine
import ReconcilerTime
import Testing

@Suite("Files in containers of a real engine", .enabled { await RealEngine.isWanted() })
struct RealEngineArchiveTests {
    static let time = Timestamp(seconds: 1_700_000_000, nanoseconds: 123_456_789)

    static func archive(uid: Int64 = 0, gid: Int64 = 0) throws -> [UInt8] {
        var tar = TarWriter()
        try tar.add(TarEntry(path: "conf", kind: .folder, mode: 0o755, uid: uid, gid: gid, modifiedAt: time))
        try tar.add(
            TarEntry(path: "conf/routes.json", mode: 0o640, uid: uid, gid: gid, modifiedAt: time),
            content: Array("{}\n".utf8)
        )
        try tar.add(TarEntry(path: "conf/loaded", kind: .symbolicLink(target: "/abc/ok"), mode: 0o777))
        return tar.finish()
    }

    @Test("a file put into a created container keeps its bytes, its mode, and its time to the nanosecond")
    func roundTrip() async throws {
        try await RealEngine.run { fixture in
            let engine = fixture.engine
            let id = try await fixture.container()
            try await engine.putArchive(container: id, path: "/etc", .bytes(Self.archive()))

            let stat = try #require(try await engine.stat(container: id, path: "/etc/conf/routes.json"))
            #expect(stat.modifiedAt == Self.time)
            #expect(stat.size == 3)
            #expect(stat.permissions == 0o640)
            #expect(!stat.isFolder && !stat.isLink)
            #expect(try await engine.stat(container: id, path: "/etc/conf")?.isFolder == true)

            let files = try await engine.archive(container: id, path: "/etc/conf").tarFiles(upTo: 1 << 20)
            let file = try #require(files.first { $0.entry.path == "conf/routes.json" })
            #expect(file.content == Array("{}\n".utf8))
            #expect(file.entry.mode == 0o640)
        }
    }

    @Test("the state of a symbolic link is its own, with the target made absolute")
    func link() async throws {
        try await RealEngine.run { fixture in
            let id = try await fixture.container()
            try await fixture.engine.putArchive(container: id, path: "/etc", .bytes(Self.archive()))
            let stat = try #require(try await fixture.engine.stat(container: id, path: "/etc/conf/loaded"))
            #expect(stat.isLink)
            #expect(stat.linkTarget == "/abc/ok")
        }
    }

    @Test("a missing file has no state, a missing container is an error")
    func missing() async throws {
        try await RealEngine.run { fixture in
            let id = try await fixture.container()
            #expect(try await fixture.engine.stat(container: id, path: "/nowhere/at/all") == nil)
            let error = await failure { _ = try await fixture.engine.stat(container: "engtest-none", path: "/etc") }
            #expect(error?.isNotFound == true)
        }
    }

    struct Ownership: Sendable {
        let copyOwner: Bool
        let user: String?
        let owner: String
    }

    @Test(
        "files go into a volume under a read-only root before the start; the archive says whose they are",
        arguments: [
            Ownership(copyOwner: false, user: nil, owner: "1000:1001"),
            Ownership(copyOwner: false, user: "1234:2345", owner: "1000:1001"),
            Ownership(copyOwner: false, user: "www-data", owner: "1000:1001"),
            // Without a user of its own the container changes nothing about the archive's.
            Ownership(copyOwner: true, user: nil, owner: "1000:1001"),
            Ownership(copyOwner: true, user: "www-data", owner: "33:33"),
        ]
    )
    func owner(_ row: Ownership) async throws {
        try await RealEngine.run { fixture in
            let engine = fixture.engine
            let volume = try await fixture.volume()
            let host = HostConfig(
                networkMode: "none",
                initProcess: true,
                readOnlyRoot: true,
                mounts: [Mount(type: .volume, source: volume, target: "/run/bottle")]
            )
            let id = try await fixture.container(user: row.user, host: host)
            try await engine.putArchive(
                container: id,
                path: "/run/bottle",
                .bytes(Self.archive(uid: 1000, gid: 1001)),
                options: PutArchiveOptions(copyOwner: row.copyOwner)
            )
            let stat = try await engine.stat(container: id, path: "/run/bottle/conf/routes.json")
            #expect(stat?.modifiedAt == Self.time)

            try await engine.start(id)
            let look = ExecCreate(
                command: ["stat", "-c", "%u:%g %a %.9Y", "/run/bottle/conf/routes.json"],
                user: "0"
            )
            let result = try await engine.exec(container: id, look)
            #expect(String(decoding: result.output, as: UTF8.self) == "\(row.owner) 640 1700000000.123456789\n")
        }
    }

    @Test("copying into a read-only root is refused with the engine's own words")
    func readOnly() async throws {
        try await RealEngine.run { fixture in
            let id = try await fixture.container(host: HostConfig(networkMode: "none", readOnlyRoot: true))
            let error = await failure {
                try await fixture.engine.putArchive(container: id, path: "/etc", .bytes(Self.archive()))
            }
            guard case .http(let refusal) = error else {
                Issue.record("not a refusal: \(String(describing: error))")
                return
            }
            // 500 from 20.10, 403 from newer engines.
            #expect([403, 500].contains(refusal.status))
            #expect(refusal.message == "container rootfs is marked read-only")
        }
    }

    @Test("an archive that is made while it is sent arrives whole")
    func streamed() async throws {
        try await RealEngine.run { fixture in
            let size = 8 << 20
            let header = try TarWriter.header(of: TarEntry(path: "big", size: Int64(size)))
            let body = EngineBody.stream(
                EngineStream {
                    var chunks = [header] + (0..<128).map { [UInt8](repeating: UInt8($0), count: size / 128) }
                    chunks += [TarWriter.padding(of: Int64(size)), TarWriter.trailer]
                    chunks.reverse()
                    return { () async throws(EngineError) -> [UInt8]? in chunks.popLast() }
                }
            )
            let id = try await fixture.container()
            try await fixture.engine.putArchive(container: id, path: "/tmp", body)
            #expect(try await fixture.engine.stat(container: id, path: "/tmp/big")?.size == Int64(size))

            let files = try await fixture.engine.archive(container: id, path: "/tmp/big").tarFiles(upTo: size)
            #expect(files.count == 1)
            #expect(files.first?.content.count == size)
            #expect(files.first?.content.last == 127)
            let error = await failure {
                _ = try await fixture.engine.archive(container: id, path: "/tmp/big").tarFiles(upTo: size - 1)
            }
            guard case .limitExceeded = error else {
                Issue.record("not a limit: \(String(describing: error))")
                return
            }
        }
    }

    @Test("a body whose maker fails never looks like a whole one")
    func brokenBody() async throws {
        try await RealEngine.run { fixture in
            let id = try await fixture.container()
            let body = EngineBody.stream(
                EngineStream {
                    { () async throws(EngineError) -> [UInt8]? in throw EngineError.archive("the disk broke") }
                }
            )
            let error = await failure { try await fixture.engine.putArchive(container: id, path: "/tmp", body) }
            #expect(error == .archive("the disk broke"))
        }
    }
}
