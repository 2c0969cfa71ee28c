import FoundationEssentials

extension BottleFixture {
    /// Every file below the state folder, with its content's sum; empty where there is no such folder.
    nonisolated func stateFiles() async throws -> [String] {
        guard exists(state) else { return [] }
        let run = try await run(["find", state, "-type", "f", "-exec", "sha256sum", "{}", "+"])
        return run.output.split(separator: "\n").map(String.init).sorted()
    }
}

/// Whether there is anything at a path.
func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
