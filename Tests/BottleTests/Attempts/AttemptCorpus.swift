import Reconciler
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerVerify
import Testing

/// The attempts of `attacks/`, by class: the name of their file.
struct AttemptCorpus: Sendable {
    let classes: [String: [Attempt]]
    /// What is wrong in the files.
    let diagnostics: [Diagnostic]

    /// Reads the files.
    static func load() throws -> AttemptCorpus {
        let here = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(separator: "/")
        let folder = "\(here)/attacks"
        var classes: [String: [Attempt]] = [:]
        var diagnostics: [Diagnostic] = []
        for file in try POSIX.names(in: folder) ?? [] where file.hasSuffix(".yaml") {
            let bytes = try #require(try DurableFile.read("\(folder)/\(file)", limit: 4 << 20))
            let reading = AttemptReader.read(name: file, bytes: bytes)
            classes[String(file.dropLast(5))] = reading.attempts
            diagnostics += reading.diagnostics
        }
        return AttemptCorpus(classes: classes, diagnostics: diagnostics)
    }

    /// All of them, in the order of files.
    var attempts: [Attempt] { classes.sorted { $0.key < $1.key }.flatMap(\.value) }
}
