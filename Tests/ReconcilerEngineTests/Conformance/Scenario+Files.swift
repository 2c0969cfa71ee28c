import EngineTestSupport
import ReconcilerEngine
import ReconcilerTime
import Testing

extension Scenario {
    static let files: [Scenario] = [
        Scenario("files go into a volume of a created and of a running container, below a root that can't be written") {
            fixture in
            let engine = fixture.engine
            let mounts = [Mount(type: .volume, source: try await fixture.volume(), target: "/etc/loop")]
            let id = try await fixture.container(
                host: HostConfig(readOnlyRoot: true, mounts: mounts, tmpfs: ["/tmp": "size=1m"])
            )
            for text in ["created", "running"] {
                try await fixture.put(text, at: "/etc/loop/file", in: id)
                #expect(try await fixture.read("/etc/loop/file", in: id) == text)
                let stat = try #require(try await engine.stat(container: id, path: "/etc/loop/file"))
                #expect(stat.modifiedAt == ConformanceFixture.time && stat.permissions == 0o644 && !stat.isFolder)
                #expect(stat.size == Int64(text.utf8.count))
                for path in ["/etc/file", "/tmp/file"] {
                    let refusal = await failure { try await fixture.put(text, at: path, in: id) }
                    #expect([403, 500].contains(refusal?.status))
                    #expect(try await engine.stat(container: id, path: path) == nil)
                }
                if text == "created" { try await engine.start(id) }
            }
            // What lies in memory is not seen from outside.
            _ = try await engine.exec(container: id, ShellLine.write("x", to: "/tmp/file").execution)
            let inside = try await engine.exec(container: id, ShellLine.show("/tmp/file").execution)
            #expect(inside.output == Array("x".utf8))
            #expect(try await engine.stat(container: id, path: "/tmp/file") == nil)
        },
        Scenario("a copy needs a folder that is there, makes those below it, and never turns a file into a folder") {
            fixture in
            let engine = fixture.engine
            let id = try await fixture.container()
            #expect(await failure { try await fixture.put("x", at: "/nowhere/file", in: id) }?.isNotFound == true)
            #expect(await failure { try await fixture.put("x", at: "/etc/passwd/file", in: id) }?.status == 500)
            let below = TarFile(entry: TarEntry(path: "a/b/file", mode: 0o600), content: [1])
            try await fixture.unpack([below], in: "/root", of: id)
            #expect(try await engine.stat(container: id, path: "/root/a/b")?.isFolder == true)
            #expect(try await engine.stat(container: id, path: "/root/a/b/file")?.permissions == 0o600)
            for kinds in [("a", TarEntry.Kind.file), ("a/b/file", .folder)] {
                let entry = TarFile(entry: TarEntry(path: kinds.0, kind: kinds.1), content: [])
                let refusal = await failure { try await fixture.unpack([entry], in: "/root", of: id) }
                #expect((refusal?.status ?? 0) >= 400)
            }
            #expect(try await engine.stat(container: id, path: "/root/a/b/file") != nil)
        },
        Scenario("a look tells a link by its target, a missing file by nothing, and is refused below a file") {
            fixture in
            let engine = fixture.engine
            let id = try await fixture.container()
            let links = [("near", "b/c"), ("far", "/abc/ok"), ("round", "round")].map { name, target in
                TarFile(entry: TarEntry(path: name, kind: .symbolicLink(target: target), mode: 0o777), content: [])
            }
            try await fixture.unpack(links, in: "/root", of: id)
            #expect(try await engine.stat(container: id, path: "/root/near")?.linkTarget == "/root/b/c")
            #expect(try await engine.stat(container: id, path: "/root/far")?.linkTarget == "/abc/ok")
            let link = try #require(try await engine.stat(container: id, path: "/root/far"))
            #expect(link.isLink)
            // By one clock, and the look came after.
            #expect(try #require(link.seenAt).seconds >= link.modifiedAt.seconds)
            #expect(try await engine.stat(container: id, path: "/root/none") == nil)
            #expect(try await engine.stat(container: id, path: "/root")?.isFolder == true)
            #expect(await failure { _ = try await engine.stat(container: id, path: "/etc/passwd/x") }?.status == 500)
            #expect(await failure { _ = try await engine.stat(container: id, path: "/root/round/x") }?.status == 500)
            #expect(
                await failure { _ = try await engine.stat(container: fixture.name("c"), path: "/") }?.isNotFound == true
            )
        },
        Scenario("an upload that breaks off leaves a part of a file, with another time") { fixture in
            let engine = fixture.engine
            let id = try await fixture.container()
            let content = [UInt8](repeating: 7, count: 4096)
            let files = [
                TarFile(entry: TarEntry(path: "whole", modifiedAt: ConformanceFixture.time), content: [1]),
                TarFile(entry: TarEntry(path: "part", modifiedAt: ConformanceFixture.time), content: content),
            ]
            // Each file has a header, and one with its time before that.
            let archive = Array(try ConformanceFixture.archive(files).prefix(512 * 8 + 1500))
            let refusal = await failure {
                try await engine.putArchive(container: id, path: "/root", .bytes(archive))
            }
            #expect(refusal?.status == 500)
            #expect(try await engine.stat(container: id, path: "/root/whole")?.modifiedAt == ConformanceFixture.time)
            let part = try await engine.stat(container: id, path: "/root/part")
            #expect(part.map { $0.size < 4096 && $0.modifiedAt != ConformanceFixture.time } ?? true)
        },
        Scenario("a file that is itself mounted can't be replaced") { fixture in
            let mount = Mount(type: .bind, source: "/etc/hostname", target: "/root/mounted")
            let id = try await fixture.container(host: HostConfig(mounts: [mount]))
            try await fixture.engine.start(id)
            let before = try await fixture.read("/root/mounted", in: id)
            let refusal = await failure { try await fixture.put("mine", at: "/root/mounted", in: id) }
            #expect(refusal?.status == 500)
            #expect(try await fixture.read("/root/mounted", in: id) == before)
        },
        Scenario("a file that is edited inside has another time, and keeps its mode") { fixture in
            let engine = fixture.engine
            let id = try await fixture.container()
            try await fixture.put("ours", at: "/root/file", in: id)
            try await engine.start(id)
            let edit = try await engine.exec(container: id, ShellLine.write("else", to: "/root/file").execution)
            #expect(edit.exitCode == 0)
            let stat = try #require(try await engine.stat(container: id, path: "/root/file"))
            #expect(stat.modifiedAt != ConformanceFixture.time && stat.permissions == 0o644)
            #expect(try await fixture.read("/root/file", in: id) == "else")
            _ = try await engine.exec(container: id, ShellLine.changeMode(0o600, of: "/root/file").execution)
            #expect(try await engine.stat(container: id, path: "/root/file")?.permissions == 0o600)
            _ = try await engine.exec(container: id, ShellLine.remove("/root/file").execution)
            #expect(try await engine.stat(container: id, path: "/root/file") == nil)
        },
        Scenario("an empty volume gets what the image has at its place when a container is made, unless told not to") {
            fixture in
            let volumes = [try await fixture.volume(), try await fixture.volume()]
            for (volume, noCopy) in zip(volumes, [false, true]) {
                let options = Mount.VolumeOptions(noCopy: noCopy)
                let mount = Mount(type: .volume, source: volume, target: "/etc/skel", volumeOptions: options)
                let id = try await fixture.container(host: HostConfig(mounts: [mount]))
                let stat = try await fixture.engine.stat(container: id, path: "/etc/skel/.bashrc")
                #expect((stat == nil) == noCopy)
            }
        },
        Scenario("a volume's files outlive its containers") { fixture in
            let volume = try await fixture.volume()
            for round in 0..<2 {
                let mount = Mount(type: .volume, source: volume, target: "/data")
                let id = try await fixture.container(host: HostConfig(mounts: [mount]))
                if round == 0 {
                    try await fixture.put("kept", at: "/data/file", in: id)
                    try await fixture.put("lost", at: "/root/file", in: id)
                } else {
                    #expect(try await fixture.read("/data/file", in: id) == "kept")
                    #expect(try await fixture.read("/root/file", in: id) == nil)
                }
                #expect(await failure { try await fixture.engine.removeVolume(volume) }?.isConflict == true)
                try await fixture.engine.remove(id, force: true, volumes: true)
            }
        },
    ]
}
