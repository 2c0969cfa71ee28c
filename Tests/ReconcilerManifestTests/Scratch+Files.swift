import FoundationEssentials
import ReconcilerPlatform
import ScratchTestSupport

extension Scratch {
    /// Writes `text` to `name`, with the folders above it.
    func write(_ text: String, to name: String, mode: Int = 0o644) throws {
        let target = "\(path)/\(name)"
        try makeFolder(String(target[..<(target.lastIndex(of: "/") ?? target.endIndex)]))
        try Data(text.utf8).write(to: URL(filePath: target))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: target)
    }

    func makeFolder(_ path: String) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: "\(path)/\(name)", withDestinationPath: target)
    }

    /// What is below `name`, sorted: path, kind (`f`, `d` or `l`) and mode.
    func files(in name: String) throws -> [String] {
        let files = FileManager.default
        return try files.subpathsOfDirectory(atPath: "\(path)/\(name)").map { file in
            let facts = try files.attributesOfItem(atPath: "\(path)/\(name)/\(file)")
            let kinds: [FileAttributeType: String] = [.typeDirectory: "d", .typeSymbolicLink: "l"]
            let kind = kinds[facts[.type] as? FileAttributeType ?? .typeRegular] ?? "f"
            return "\(file) \(kind) \(String(facts[.posixPermissions] as? Int ?? 0, radix: 8))"
        }.sorted()
    }
}

struct ScratchProblem: Error {}

/// Runs Python to its end; what it wrote, errors last.
func python(_ arguments: [String], input: String = "") async throws -> (status: Program.Outcome.Status, output: String)
{
    let outcome = try await Program(
        "/usr/bin/env",
        ["python3"] + arguments,
        environment: ProcessInfo.processInfo.environment,
        input: Array(input.utf8)
    ).run()
    return (outcome.status, String(decoding: outcome.output + outcome.errors, as: UTF8.self))
}

/// Whether the independent validator of schemas is installed.
func hasValidator() async -> Bool {
    (try? await python(["-c", "import jsonschema, yaml"]))?.status == .exited(0)
}
