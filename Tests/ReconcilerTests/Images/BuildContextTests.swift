import FoundationEssentials
import Reconciler
import ReconcilerEngine
import ReconcilerManifest
import ReconcilerModel
import ReconcilerPlatform
import ScratchTestSupport
import Testing

/// A person's context, pinned and stored by the resolver, and read by the builder.
@Suite("A stored build context")
struct BuildContextTests {
    /// A folder with a context `ctx` of every kind of file, beside a file outside it.
    private func withScratch(_ body: (String) async throws -> Void) async throws {
        let scratch = "/tmp/bottle-context-\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        let files = FileManager.default
        try files.createDirectory(atPath: scratch + "/ctx/empty", withIntermediateDirectories: true)
        try files.createDirectory(atPath: scratch + "/ctx/src", withIntermediateDirectories: true)
        try files.createDirectory(atPath: scratch + "/outside", withIntermediateDirectories: true)
        for (name, text, mode) in [
            ("ctx/Dockerfile", "FROM x\n", 0o644), ("ctx/src/run", "#!\n", 0o755), ("ctx/.hidden", "h", 0o600),
            ("ctx/README.md", "r", 0o644), ("outside/secret", "SECRET", 0o600),
        ] {
            try Data(text.utf8).write(to: URL(filePath: scratch + "/" + name))
            try files.setAttributes([.posixPermissions: mode], ofItemAtPath: scratch + "/" + name)
        }
        for (name, target) in [("in", "src/run"), ("out", "../outside/secret"), ("away", "../outside"), ("none", "x")] {
            try files.createSymbolicLink(atPath: "\(scratch)/ctx/\(name)", withDestinationPath: target)
        }
        try await body(scratch)
    }

    private func resolve(_ scratch: String, store: String?) throws -> BottleManifest {
        let text = """
            {apiVersion: bottle/v1, kind: Bottle, metadata: {name: dev}, spec: {agent: {build: {context: \(scratch)/ctx}}}}
            """
        let reading = ManifestReader.read([ManifestSource(name: "b.yaml", bytes: Array(text.utf8))])
        let resolver = ManifestResolver(home: scratch, environment: [:], contextStore: store)
        let resolution = resolver.resolve(try #require(reading.bottles.first))
        #expect(resolution.diagnostics.isEmpty)
        return try #require(resolution.manifest)
    }

    /// The context that the agent's image of `manifest` is built from.
    private func context(of manifest: BottleManifest, store: String) throws -> BuildContext {
        let contexts = BuildContexts(bundled: [:], stored: store)
        guard case .build(let source) = manifest.agent.image, let pinned = source.pinned else { throw Missing() }
        let image = DesiredImage(
            role: .agent,
            reference: try ImageReference("bottle/dev-agent"),
            source: .stored(context: pinned, dockerfile: source.dockerfile)
        )
        let context = try #require(try contexts.loaded(for: [.agent: image])[.agent])
        #expect(context.digest == pinned)
        return context
    }

    private struct Missing: Error {}

    /// One line an entry of a tar archive.
    private func lines(_ archive: [UInt8]) async throws -> [String] {
        var lines: [String] = []
        for file in try await EngineStream([archive]).tarFiles(upTo: 1 << 20) {
            let (path, mode) = (file.entry.path, String(file.entry.mode, radix: 8))
            switch file.entry.kind {
            case .folder: lines.append("\(path)/ \(mode)")
            case .symbolicLink(let target): lines.append("\(path) -> \(target)")
            default: lines.append("\(path) \(mode) \(String(decoding: file.content, as: UTF8.self).debugDescription)")
            }
        }
        return lines
    }

    @Test("is built exactly as it was pinned, links as links")
    func builtAsPinned() async throws {
        try await withScratch { scratch in
            let store = scratch + "/contexts"
            let manifest = try resolve(scratch, store: store)
            // The builder sees the copy, not what became of the original.
            try FileManager.default.removeItem(atPath: scratch + "/ctx")
            let archive = try context(of: manifest, store: store).archive()
            #expect(
                try await lines(archive) == [
                    #".hidden 644 "h""#, #"Dockerfile 644 "FROM x\n""#, #"README.md 644 "r""#,
                    "away -> ../outside", "empty/ 755", "in -> src/run", "none -> x", "out -> ../outside/secret",
                    "src/ 755", ##"src/run 755 "#!\n""##,
                ]
            )
            #expect(archive.firstRange(of: Array("SECRET".utf8)) == nil)
        }
    }

    @Test("is not made without a store, and the digest is the same")
    func nothingStored() async throws {
        try await withScratch { scratch in
            let shown = try resolve(scratch, store: nil)
            #expect(try FileManager.default.contentsOfDirectory(atPath: scratch).sorted() == ["ctx", "outside"])
            #expect(try resolve(scratch, store: scratch + "/contexts") == shown)
        }
    }

    @Test("is missed only when it is to be built")
    func missing() async throws {
        try await withScratch { scratch in
            let manifest = try resolve(scratch, store: nil)
            let context = try context(of: manifest, store: scratch + "/contexts")
            let error = #expect(throws: BottleError.self) { _ = try context.archive() }
            #expect(error?.code == .contextUnreadable)
            #expect(error?.remedy == "apply the manifest again")
        }
    }

    @Test(
        "that was changed is not built",
        arguments: ["content", "mode", "link", "file for a link", "link for a file", "link for all", "more", "less"]
    )
    func tampered(_ how: String) async throws {
        try await withScratch { scratch in
            let store = scratch + "/contexts"
            let manifest = try resolve(scratch, store: store)
            let context = try context(of: manifest, store: store)
            let copy = "\(store)/\(context.digest)"
            let files = FileManager.default
            func replace(_ name: String, linkTo target: String) throws {
                try files.removeItem(atPath: "\(copy)/\(name)")
                try files.createSymbolicLink(atPath: "\(copy)/\(name)", withDestinationPath: target)
            }
            switch how {
            case "content": try Data("FROM y\n".utf8).write(to: URL(filePath: copy + "/Dockerfile"))
            case "mode": try files.setAttributes([.posixPermissions: 0o644], ofItemAtPath: copy + "/src/run")
            case "link": try replace("in", linkTo: "Dockerfile")
            case "file for a link":
                try files.removeItem(atPath: copy + "/in")
                try Data("#!\n".utf8).write(to: URL(filePath: copy + "/in"))
            case "link for a file": try replace("src/run", linkTo: "../../../outside/secret")
            case "link for all":
                try files.moveItem(atPath: copy, toPath: copy + ".moved")
                try files.createSymbolicLink(atPath: copy, withDestinationPath: copy + ".moved")
            case "more": try Data().write(to: URL(filePath: copy + "/empty/more"))
            default: try files.removeItem(atPath: copy + "/empty")
            }
            let error = #expect(throws: BottleError.self) { _ = try context.archive() }
            #expect(error?.code == .contextUnreadable)
        }
    }
}

@Suite("The files of this program")
struct ProgramFileTests {
    @Test("are the executable and its libraries beside the C library, of one digest each time")
    func context() throws {
        let scratch = try Scratch()
        try POSIX.makeFolder("\(scratch.path)/supervise")
        try DurableFile.write(Array("FROM scratch\n".utf8), to: "\(scratch.path)/supervise/Dockerfile")
        let first = try #require(try BundledImages(folder: scratch.path).contexts()[.supervise])
        let again = try #require(try BundledImages(folder: scratch.path).contexts()[.supervise])
        #expect(first.digest == again.digest)
        let archive = try first.archive()
        #expect(try first.archive() == archive)
        let own = try DurableFile.read("/proc/self/exe", limit: 1 << 30) ?? []
        #expect(archive.count > own.count && own.count > 1 << 16)
        try DurableFile.write(Array("FROM other\n".utf8), to: "\(scratch.path)/supervise/Dockerfile")
        #expect(try BundledImages(folder: scratch.path).contexts()[.supervise]?.digest != first.digest)
    }

    @Test("that are missing, as where bottle is no program for Linux, are told with what to do")
    func notForLinux() throws {
        let contexts = BuildContexts(bundled: [.agent: BuildContext([:])], stored: nil)
        let error = #expect(throws: BottleError.self) { try contexts.image(of: .supervise, Settings()) }
        #expect(error?.code == .programNotForLinux)
        #expect(error?.remedy?.contains("images: {supervise: NAME}") == true)
    }
}
