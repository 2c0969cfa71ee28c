import ReconcilerManifest
import ReconcilerModel
import ReconcilerPlatform
import ScratchTestSupport
import Testing

@Suite struct ManifestSchemaTests {
    private static let here = #filePath.split(separator: "/").dropLast().joined(separator: "/")
    private static let manifests = "/" + here.split(separator: "/").dropLast(2).joined(separator: "/") + "/manifests"

    private func check(_ files: [String]) async throws -> (status: Program.Outcome.Status, output: String) {
        try await python(["/\(Self.here)/schema-check.py"] + files, input: ManifestSchema.json)
    }

    @Test("Every example reads without errors")
    func examples() {
        let (sources, problems) = ManifestFiles.load([Self.manifests])
        #expect(problems == [])
        #expect(sources.count >= 4)
        let reading = ManifestReader.read(sources)
        #expect(reading.errors == [], "\(DiagnosticPrinter().text(reading.errors))")
    }

    @Test("Every example is valid by an independent validator of the schema", .enabled { await hasValidator() })
    func examplesByValidator() async throws {
        let (status, output) = try await check(
            ManifestFiles.load([Self.manifests]).sources.map {
                "\(Self.manifests)/\($0.name.split(separator: "/").last ?? "")"
            }
        )
        #expect(status == .exited(0), "\(output)")
    }

    @Test("What the reader takes the schema takes", .enabled { await hasValidator() })
    func generated() async throws {
        let scratch = try Scratch()
        var text = ""
        for seed in 0..<200 {
            var maker = ManifestMaker(seed: UInt64(seed))
            text += "---\n" + ManifestDocument.yaml(of: try maker.manifest())
        }
        try scratch.write(text, to: "all.yaml")
        let (status, output) = try await check([scratch.path + "/all.yaml"])
        #expect(status == .exited(0), "\(output.prefix(3000))")
        #expect(output.contains("200 documents checked"))
    }

    @Test("The schema refuses what the reader refuses for its structure", .enabled { await hasValidator() })
    func refused() async throws {
        let scratch = try Scratch()
        // YAML 1.1 of the validator's reader knows neither a quoted-boolean error nor duplicate keys as errors.
        let rows = BadManifestTests.structure.filter {
            !["duplicate-key", "dangling-reference", "empty-manifest"].contains($0.code)
                && $0.why != "yes for a boolean" && $0.why != "Off for a boolean"
        }
        for row in rows {
            try scratch.write(MarkedText(row.text).text, to: "bad.yaml")
            let (status, output) = try await check([scratch.path + "/bad.yaml"])
            #expect(status == .exited(1), "\(row.why): \(output)")
        }
    }

    @Test("The starter manifest reads without a word", arguments: ["dev", "true", "123"])
    func starter(_ name: String) throws {
        let identity = try Identity(name)
        let reading = read(ManifestStarter.text(name: identity))
        #expect(reading.diagnostics == [])
        #expect(reading.bottles.map(\.manifest.identity) == [identity])
    }
}
