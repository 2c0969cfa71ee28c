import ReconcilerPlatform
import Testing

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Clients in Python against the built executable; each prints a line a scenario and fails at the first that is wrong.
@Suite("The MCP server", .serialized)
struct SuperviseServerTests {
    private static let here = #filePath.split(separator: "/").dropLast().map { "/\($0)" }.joined()
    private static let root = here.split(separator: "/").dropLast(2).map { "/\($0)" }.joined()

    /// The executable under test: `BOTTLE_EXECUTABLE`, else the debug build of this checkout.
    private static var executable: String {
        let named = ProcessInfo.processInfo.environment["BOTTLE_EXECUTABLE"] ?? ""
        return named.isEmpty ? "\(root)/.build/debug/bottle" : named
    }

    /// Whether the real client is installed; it must be where `make test` has made the Python tools.
    private static func hasRealClient() async -> Bool {
        let outcome = try? await python(["-c", "import mcp.client"])
        return outcome?.succeeded == true
    }

    private static func python(_ arguments: [String]) async throws -> Program.Outcome {
        let environment = ProcessInfo.processInfo.environment
        return try await Program(
            "/usr/bin/env",
            ["python3"] + arguments,
            environment: ["PATH": environment["PATH"] ?? "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"]
        ).run()
    }

    private func expect(_ scenarios: Int, from client: String) async throws {
        let outcome = try await Self.python(["\(Self.here)/clients/\(client)", Self.executable])
        let output = String(decoding: outcome.output, as: UTF8.self)
        let lines = output.split(separator: "\n").filter { $0.hasPrefix("ok ") }
        #expect(
            outcome.succeeded && lines.count == scenarios,
            "\(output)\n\(String(decoding: outcome.errors, as: UTF8.self))"
        )
    }

    @Test(
        "serves the `mcp` package's client: tools, decisions, progress, a call given up, a server killed",
        .enabled("the Python tools of scripts/venv are missing") { await hasRealClient() },
        .timeLimit(.minutes(5))
    )
    func realClient() async throws { try await expect(5, from: "real-client.py") }

    @Test(
        "holds against an agent that floods, forges, stalls and sends what is no message",
        .timeLimit(.minutes(5))
    )
    func hostileClient() async throws { try await expect(13, from: "hostile-client.py") }
}
