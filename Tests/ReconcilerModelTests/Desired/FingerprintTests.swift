import ReconcilerModel
import ReconcilerTime
import Testing

/// Hashes and times that other runs, and other versions, must find the same.
@Suite("fingerprints")
struct FingerprintTests {
    @Test("the hash of a fixed spec never changes by accident: a change recreates everyone's containers")
    func specHash() throws {
        var spec = ContainerSpec(
            command: ["run"],
            user: "1000",
            environment: ["B": "2", "A": "1/2"],
            secrets: [.init(name: "SLOT", secret: "TOKEN", fingerprint: "abc")],
            mounts: [.init(volume: "v", target: "/v")],
            memoryFolders: ["/tmp": "rw"],
            extraHosts: ["a:10.0.0.1"]
        )
        spec.resolveNothingOutside()
        // SHA-256 of the compact JSON with sorted keys, as any other program computes it.
        let hash = "v1:df597497cfaad90a28179cbff60430f20e85311c4c0ddd3cd2528fa08b169d39"
        #expect(try SpecHash(of: spec).text == hash)
        #expect(try SpecHash(of: spec).isKnownVersion)
        #expect(!SpecHash(label: "v2:abc").isKnownVersion)
    }

    @Test("every part of a spec counts for its hash")
    func specHashParts() throws {
        let changes: [(inout ContainerSpec) -> Void] = [
            { $0.command = ["x"] }, { $0.user = "x" }, { $0.environment["x"] = "" },
            { $0.secrets = [.init(name: "a", secret: "b", fingerprint: "c")] },
            { $0.secrets = [.init(name: "a", secret: "b", fingerprint: "d")] }, { $0.workingFolder = "/" },
            { $0.hasTerminal = true }, { $0.hasInit = true }, { $0.isRootReadOnly = false },
            { $0.mounts = [.init(volume: "a", target: "b")] }, { $0.memoryFolders = ["a": "b"] }, { $0.ulimits = [] },
            { $0.resolvers = ["a"] }, { $0.resolverOptions = ["a"] }, { $0.extraHosts = ["a"] }, { $0.runtime = "a" },
            { $0.limited = ["a"] }, { $0.stopSeconds = 9 }, { $0.logBytes = 1 }, { $0.logFiles = 1 },
        ]
        var hashes = [try SpecHash(of: ContainerSpec())]
        for change in changes {
            var spec = ContainerSpec()
            change(&spec)
            hashes.append(try SpecHash(of: spec))
        }
        #expect(Set(hashes).count == hashes.count)
    }

    @Test("a file's time stands for its content and is one that every engine can carry")
    func stamp() {
        let stamps = (0..<2000).map { DesiredFile(path: "/a", content: Array("\($0)".utf8)).stamp }
        #expect(Set(stamps).count == stamps.count)
        #expect(stamps.allSatisfy { (978_307_200..<1_011_861_632).contains($0.seconds) })
        #expect(stamps.allSatisfy { (0..<1_000_000_000).contains($0.nanoseconds) })
        // SHA-256 of nothing: e3b0c44298fc1c14…
        let empty = DesiredFile(path: "/a", content: []).stamp
        #expect(empty == Timestamp(seconds: 1_008_151_048, nanoseconds: 419_175_444))
    }

    @Test("a generation is what sha256sum prints of the reloadable files, hashed, whatever their order")
    func generation() throws {
        let one = DesiredFile(path: "/b", content: Array("1".utf8), isReloadable: true)
        let two = DesiredFile(path: "/a", content: Array("2".utf8), isReloadable: true)
        let fixed = DesiredFile(path: "/c", content: Array("3".utf8))
        let text = "\(ContentDigest(of: "2"))  /a\n\(ContentDigest(of: "1"))  /b\n"
        #expect(Generation.digest(of: [one, fixed, two]) == ContentDigest(of: text))
        #expect(Generation.digest(of: [fixed]) == nil)
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        #expect(ContentDigest(of: "").hex == empty)
        #expect(throws: InvalidValue.self) { try ContentDigest(hex: empty.uppercased()) }
        #expect(throws: InvalidValue.self) { try ContentDigest(hex: String(empty.dropLast())) }
    }
}
