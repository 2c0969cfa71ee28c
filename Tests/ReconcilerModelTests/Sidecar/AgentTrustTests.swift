import FoundationEssentials
import ModelTestSupport
import ReconcilerModel
import Testing

@Suite("an agent's trust")
struct AgentTrustTests {
    private func agent(_ manifest: BottleManifest, roots: String? = nil) throws -> DesiredContainer {
        var input = try SampleManifest.input(manifest)
        if let roots { input.agentFacts?.roots = roots }
        return try #require(try DesiredBottle(rendering: input).container(.agent))
    }

    private func file(_ agent: DesiredContainer, _ name: String) -> [UInt8]? {
        agent.files.first { $0.path == "/etc/bottle/\(name)" }?.content
    }

    @Test("every variable that names one of our files names one that is there, for everybody to read")
    func filesNamed() throws {
        let agent = try agent(SampleManifest.routed)
        let named = Set(agent.spec.environment.values.filter { $0.hasPrefix("/etc/bottle/") })
        let there = Set(agent.files.map(\.path))
        #expect(named.isSubset(of: there))
        #expect(there.subtracting(named) == ["/etc/bottle/ca-bundle.jks"])
        #expect(agent.files.allSatisfy { $0.mode == 0o644 })
    }

    @Test("the files of programs that read no variable name the bundle")
    func settings() throws {
        let agent = try agent(SampleManifest.routed)
        for name in ["wgetrc", "apt.conf"] {
            let text = String(decoding: try #require(file(agent, name)), as: UTF8.self)
            #expect(text.contains("/etc/bottle/ca-bundle.pem"))
            #expect(text.hasSuffix("\n"))
        }
    }

    @Test("where nothing intercepts there is nothing to trust: no file, no variable", arguments: [true, false])
    func nothing(_ isWalled: Bool) throws {
        var manifest = SampleManifest.unrouted
        if !isWalled { manifest.egress.firewall = .none }
        let agent = try agent(manifest)
        #expect(agent.files.map(\.path) == ["/etc/bottle/prompt.md"])
        let named = agent.spec.environment.filter { $0.value.hasPrefix("/etc/bottle/") }.keys
        #expect(Array(named) == ["BOTTLE_PROMPT_FILE"])
    }

    @Test("Node is told to read the proxy's variables wherever there is a proxy, and no program goes to it through it")
    func proxied() throws {
        for (manifest, proxy) in [(SampleManifest.routed, "egress-proxy"), (SampleManifest.unrouted, "firewall")] {
            let variables = try agent(manifest).spec.environment
            #expect(variables["NODE_USE_ENV_PROXY"] == "1")
            for name in ["NO_PROXY", "no_proxy"] {
                #expect(variables[name]?.split(separator: ",").contains { $0 == proxy } == true)
            }
        }
        var alone = SampleManifest.unrouted
        alone.egress.firewall = .none
        #expect(try agent(alone).spec.environment["NODE_USE_ENV_PROXY"] == nil)
    }

    @Test("a manifest's own settings file for one program is taken; every other variable of ours can't be set")
    func ownSettings() throws {
        let ours = try agent(SampleManifest.routed).spec.environment.filter { $0.value.hasPrefix("/etc/bottle/ca") }
            .keys
        #expect(OwnedVariables.always.isSuperset(of: ours))
        for name in OwnedVariables.yielding {
            #expect(!OwnedVariables.always.contains(name))
            #expect(try agent(SampleManifest.routed).spec.environment[name]?.hasPrefix("/etc/bottle/") == true)
            var manifest = SampleManifest.routed
            manifest.agent.environment[name] = .literal("/etc/mine")
            #expect(try agent(manifest).spec.environment[name] == "/etc/mine")
        }
    }

    // MARK: - Java's form

    /// What a certificate is to one who only carries it: a DER sequence of some length.
    private func certificate(_ filler: UInt8, length: Int) -> [UInt8] {
        let short: [UInt8] = [0x81, UInt8(truncatingIfNeeded: length)]
        let long: [UInt8] = [0x82, UInt8(length >> 8), UInt8(length & 255)]
        return [0x30] + (length < 256 ? short : long) + Array(repeating: filler, count: length)
    }

    private func pem(_ der: [UInt8], _ newline: String = "\n") -> String {
        let text = Data(der).base64EncodedString(options: [.lineLength64Characters, .endLineWithLineFeed])
            .split(separator: "\n").joined(separator: newline)
        return ["-----BEGIN CERTIFICATE-----", text, "-----END CERTIFICATE-----", ""].joined(separator: newline)
    }

    /// The certificates of a key store, as its format's description says to read them.
    private func certificates(_ store: [UInt8]) throws -> [String: [UInt8]] {
        var rest = store.dropLast(20)[...]
        func take(_ count: Int) throws -> ArraySlice<UInt8> {
            try #require(rest.count >= count)
            defer { rest = rest.dropFirst(count) }
            return rest.prefix(count)
        }
        func number(_ size: Int) throws -> Int { try take(size).reduce(0) { $0 << 8 + Int($1) } }
        #expect(try number(4) == 0xFEED_FEED)
        #expect(try number(4) == 2)
        var certificates: [String: [UInt8]] = [:]
        let count = try number(4)
        for _ in 0..<count {
            #expect(try number(4) == 2)
            let alias = String(decoding: try take(try number(2)), as: UTF8.self)
            _ = try take(8)
            #expect(String(decoding: try take(try number(2)), as: UTF8.self) == "X.509")
            certificates[alias] = Array(try take(try number(4)))
        }
        #expect(rest.isEmpty)
        #expect(certificates.count == count)
        return certificates
    }

    @Test("Java's store holds every certificate of the bundle, whatever its lines end in and whatever is between them")
    func javaStore() throws {
        let small = certificate(1, length: 200)
        let large = certificate(2, length: 1500)
        let roots = "# a comment\r\n" + pem(small, "\r\n") + "\nother text\n" + pem(large)
        let store = try #require(file(try agent(SampleManifest.routed, roots: roots), "ca-bundle.jks"))
        #expect(try Set(certificates(store).values) == [small, large])
        #expect(try file(agent(SampleManifest.routed, roots: roots), "ca-bundle.jks") == store)
    }

    @Test("what is no whole certificate is left out of Java's store, which would be refused as a whole for it")
    func javaStoreBroken() throws {
        let whole = certificate(1, length: 300)
        let broken = [
            pem(Array(whole.dropLast())), pem(whole + [0]), pem([]), pem([0x31] + whole.dropFirst()),
            "-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\nAAAA\n",
            "-----BEGIN TRUSTED CERTIFICATE-----\nAAAA\n-----END TRUSTED CERTIFICATE-----\n",
        ]
        for text in broken {
            let store = try #require(file(try agent(SampleManifest.routed, roots: text + pem(whole)), "ca-bundle.jks"))
            #expect(try Array(certificates(store).values) == [whole], "\(text)")
        }
    }

    @Test("Java's store ends in the sum by which its own tools check it")
    func javaStoreSum() throws {
        let store = try #require(file(try agent(SampleManifest.routed, roots: ""), "ca-bundle.jks"))
        // An empty store as keytool of OpenJDK 21 leaves it, after its last certificate was deleted.
        let empty = "feedfeed0000000200000000e2686e45fb43dfa4d992dd41ceb6b21c6330d792"
        let digits = store.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
        #expect(digits.joined() == empty)
    }
}
