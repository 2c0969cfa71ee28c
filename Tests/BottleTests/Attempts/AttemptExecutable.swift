import FoundationEssentials
import Reconciler
import ReconcilerPlatform
import ReconcilerVerify
import Testing

/// The executable under test with the libraries it needs, to be run inside of any container with a newer C library.
struct AttemptExecutable: Sendable {
    private let fixture: BottleFixture
    private let folder: String

    /// Collects it; a static build needs nothing beside itself.
    init(in fixture: BottleFixture) async throws {
        self.fixture = fixture
        folder = "\(fixture.folder)/\(fixture.name())"
        try POSIX.makeFolder(folder, mode: 0o755)
        var files = [fixture.executable]
        let needed = try await fixture.run(["ldd", fixture.executable])
        for line in needed.output.split(separator: "\n") {
            let words = line.split { $0 == " " || $0 == "\t" }
            guard words.count >= 3, words[1] == "=>", !Self.isOfTheSystem(String(words[0])) else { continue }
            files.append(String(words[2]))
        }
        let copied = try await fixture.run(["cp", "-L"] + files + [folder])
        try #require(copied.status == 0, "\(copied)")
    }

    /// The C library goes with the container's own loader.
    private static func isOfTheSystem(_ library: String) -> Bool {
        ["libc.so", "libm.so", "libpthread.so", "libdl.so", "librt.so", "ld-linux"].contains { library.hasPrefix($0) }
    }

    private static let place = "/attempt"

    /// Puts it into a container.
    func install(in container: String) async throws {
        try await fixture.docker("cp", "\(folder)/.", "\(container):\(Self.place)")
    }

    /// Has it do a batch inside of a container, as the container's user.
    func perform(_ batch: AttemptBatch, in container: String) async throws -> [AttemptReport] {
        let name = fixture.executable.split(separator: "/").last.map(String.init) ?? "bottle"
        let program = Program(
            "docker",
            ["exec", "-i", "-e", "LD_LIBRARY_PATH=\(Self.place)", container, "\(Self.place)/\(name)", "attempt"],
            environment: fixture.environment,
            input: Array(try JSONEncoder().encode(batch)),
            outputLimit: 256 << 20,
            timeLimit: .seconds(900)
        )
        let run = Run(try await program.run())
        let lines = run.output.split(separator: "\n")
        try #require(run.status == 0, "\(run.status) \(run.errors) after \(lines.last ?? "nothing")")
        return try lines.map {
            try JSONDecoder().decode(AttemptReport.self, from: Data($0.utf8))
        }
    }
}
