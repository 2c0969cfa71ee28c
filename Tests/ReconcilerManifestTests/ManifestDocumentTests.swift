import ReconcilerManifest
import ReconcilerModel
import Testing

@Suite struct ManifestDocumentTests {
    @Test("A manifest that is written and read is the same manifest", arguments: 0..<20)
    func roundTrip(_ block: Int) throws {
        for offset in 0..<50 {
            let seed = UInt64(block * 50 + offset)
            var maker = ManifestMaker(seed: seed)
            let manifest = try maker.manifest()
            let text = ManifestDocument.yaml(of: manifest)
            let reading = ManifestReader.read(
                [ManifestSource(name: "x.yaml", bytes: Array(text.utf8))],
                limits: .stored
            )
            #expect(reading.errors == [], "seed \(seed):\n\(text)")
            #expect(reading.bottles.first?.manifest == manifest, "seed \(seed):\n\(text)")
            #expect(reading.bottles.first.map { ManifestDocument.yaml(of: $0.manifest) } == text, "seed \(seed)")
        }
    }

    @Test("A prompt of several lines is a block that a diff can show")
    func block() throws {
        var manifest = BottleManifest(
            identity: try Identity("dev"),
            agent: AgentSpec(image: .reference(try ImageReference("a")))
        )
        manifest.agent.prompt = .text("One.\n\n- two: # three\n")
        #expect(
            ManifestDocument.yaml(of: manifest) == """
                apiVersion: bottle/v1
                kind: Bottle
                metadata:
                  name: dev
                spec:
                  agent:
                    image: a
                    prompt:
                      text: |
                        One.

                        - two: # three
                  egress:
                    firewall: squid

                """
        )
    }

    @Test("Damage to a manifest never ends the program", arguments: 0..<10)
    func damage(_ block: Int) throws {
        for offset in 0..<60 {
            let seed = UInt64(10_000 + block * 60 + offset)
            var maker = ManifestMaker(seed: seed)
            var bytes = Array(ManifestDocument.yaml(of: try maker.manifest()).utf8)
            for _ in 0..<Int.random(in: 1...6, using: &maker.generator) {
                let place = Int.random(in: 0..<bytes.count, using: &maker.generator)
                switch Int.random(in: 0..<5, using: &maker.generator) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &maker.generator)
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(maker.pick(Array(" \t\n:-#&*!|>'\"%@`{}[],?~\\.".utf8)), at: place)
                case 3:
                    bytes.insert(
                        contentsOf: Array(
                            maker.pick(["<<: ", "*a", "&a ", "- ", "? ", "---\n", "{", "\u{202E}", "!!int "]).utf8
                        ),
                        at: place
                    )
                default: bytes.removeSubrange(place..<min(bytes.count, place + 20))
                }
                if bytes.isEmpty { bytes = [0x0A] }
            }
            let format: ManifestSource.Format = maker.chance() ? .yaml : .markdown
            let reading = ManifestReader.read([ManifestSource(name: "x", bytes: bytes, format: format)])
            #expect(!DiagnosticPrinter().text(reading.diagnostics).utf8.contains(0x1B), "seed \(seed)")
            for located in reading.bottles where !reading.hasErrors {
                let again = ManifestDocument.yaml(of: located.manifest)
                let second = read(again)
                #expect(second.bottles.first?.manifest == located.manifest, "seed \(seed):\n\(again)")
            }
        }
    }
}
