import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState
import ReconcilerTrust
import ScratchTestSupport
import Testing

@Suite("Secret sources of this machine")
struct SecretSourcesLiveTests {
    let environment = ["PATH": "/usr/bin:/bin", "MARKER": "s3cr3t-marker"]

    @Test("read files and run programs, without a shell")
    func live() async throws {
        let scratch = try Scratch()
        try DurableFile.write(Array("from file\n".utf8), to: "\(scratch.path)/token")
        let (file, command, bare) = (
            try SecretReference("FILE"), try SecretReference("COMMAND"), try SecretReference("MARKER")
        )
        let sources = SecretSources(
            [file: .file("\(scratch.path)/token"), command: .command(["printf", "%s\n", "$HOME *"])],
            environment: environment
        )
        let values = try await sources.resolve([file, command, bare])
        #expect(values[file]?.exposed == "from file")
        #expect(values[command]?.exposed == "$HOME *")
        #expect(values[bare]?.exposed == "s3cr3t-marker")
    }

    @Test(
        "name what stopped them, never what a command wrote",
        arguments: [
            (["sh", "-c", "echo $MARKER; echo $MARKER >&2; exit 1"], "failed"),
            (["sh", "-c", "echo $MARKER; exec sleep 60"], "took longer"),
            (["sh", "-c", "yes $MARKER"], "wrote more"),
            (["sh", "-c", "echo $MARKER; echo $MARKER"], "control"),
            (["no-such-program", "s3cr3t-marker"], "not found"),
        ]
    )
    func failures(_ arguments: [String], _ reason: String) async throws {
        let name = try SecretReference("TOKEN")
        let sources = SecretSources(
            [name: .command(arguments)],
            environment: environment,
            timeLimit: reason == "took longer" ? .milliseconds(300) : .seconds(60)
        )
        let error = await #expect(throws: BottleError.self) { _ = try await sources.resolve([name]) }
        let text = try "\(#require(error))"
        #expect(text.contains("TOKEN"))
        #expect(text.contains(reason))
        #expect(!text.contains("s3cr3t-marker"))
    }

    @Test("refuse a pipe in the place of a file, at once")
    func pipe() async throws {
        let scratch = try Scratch()
        try await shell("mkfifo token", in: scratch.path)
        let name = try SecretReference("TOKEN")
        let sources = SecretSources([name: .file("\(scratch.path)/token")], environment: environment)
        await #expect(throws: BottleError.self) { _ = try await sources.resolve([name]) }
    }
}
