import ReconcilerManifest
import ReconcilerModel
import ScratchTestSupport
import Testing

@Suite struct ManifestFilesTests {
    @Test("A folder gives its manifests by name, without those below and without plain Markdown")
    func folder() throws {
        let scratch = try Scratch()
        for name in ["b.yaml", "a.yml", "c.json", "notes.txt", ".hidden.yaml", "sub/d.yaml"] {
            try scratch.write("a: 1\n", to: name)
        }
        try scratch.write("# Read me\n", to: "README.md")
        try scratch.write("---\na: 1\n---\n", to: "agent.md")
        let (sources, problems) = ManifestFiles.load(["."], folder: scratch.path)
        #expect(problems == [])
        #expect(sources.map(\.name) == ["./a.yml", "./agent.md", "./b.yaml", "./c.json"])
        #expect(sources.allSatisfy { $0.folder == scratch.path })
    }

    @Test("A file named twice is read once; '-' is standard input")
    func twice() throws {
        let scratch = try Scratch()
        try scratch.write("a: 1\n", to: "a.yaml")
        let (sources, problems) = ManifestFiles.load(
            ["a.yaml", "./a.yaml", scratch.path + "/a.yaml", "-"],
            standardInput: Array("b: 2".utf8),
            folder: scratch.path
        )
        #expect(problems == [])
        #expect(sources.map(\.name) == ["a.yaml", "<stdin>"])
        #expect(sources.last?.bytes == Array("b: 2".utf8))
    }

    @Test("All that can't be read is reported, with what to do")
    func unreadable() throws {
        let scratch = try Scratch()
        try scratch.write("x", to: "empty/notes.txt")
        try scratch.write(String(repeating: "#", count: 5 << 20), to: "large.yaml")
        let (sources, problems) = ManifestFiles.load(
            ["nothing.yaml", "empty", "large.yaml", "-"],
            folder: scratch.path
        )
        #expect(sources == [])
        #expect(problems.map(\.code) == ["no-such-file", "no-manifest", "too-large", "unreadable"])
        #expect(problems.allSatisfy { $0.suggestion != nil && $0.severity == .error })
    }
}
