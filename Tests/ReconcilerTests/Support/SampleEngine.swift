import EngineTestSupport
import ModelTestSupport
import Reconciler
import ReconcilerEngine
import ReconcilerModel

/// The images and the engine that the tests start from.
enum SampleEngine {
    static let base = "debian:trixie-slim"

    /// What comes with the program for each role.
    static let contexts: [Role: BuildContext] = [
        .agent: context("FROM \(base)\nUSER node\nCMD agent\n"),
        .egressProxy: context("FROM \(base)\nCMD egress-proxy\n"),
        .firewall: context("FROM \(base)\nCMD firewall\n"),
        .supervise: context("FROM \(base)\nCMD supervise\n"),
    ]

    private static func context(_ dockerfile: String) -> BuildContext {
        BuildContext(["Dockerfile": .file(Array(dockerfile.utf8), isExecutable: false)])
    }

    /// An engine with the base image, on which nothing was made yet.
    static var engine: EngineState {
        var state = EngineState()
        let files = FileTree(files: [
            "/etc/passwd": "root:x:0:0:root:/root:/bin/bash\nnode:x:1000:1000::/home/node:/bin/bash\n",
            "/etc/ssl/certs/ca-certificates.crt": "PUBLIC ROOTS\n",
        ])
        state.add(MemoryImage(id: "sha256:\(ContentDigest(of: "base"))", tags: [base], files: files))
        state.programs["bottle/egress-proxy:latest"] = { _ in
            ReloadingProgram(reading: ["/etc/egress-proxy/routes.yaml"], refusal: refusal)
        }
        state.programs["bottle/firewall:latest"] = { _ in ReloadingProgram(reading: ["/etc/firewall/allowlist"]) }
        // The agent's own command ends once it has registered a server.
        state.programs["bottle/agent:latest"] = { config in
            config.entrypoint == ["claude"] ? PlainProgram(endsAfter: 1, code: 0) : PlainProgram()
        }
        state.programs["bottle/supervise:latest"] = { _ in ReloadingProgram(reading: []) }
        return state
    }

    /// The egress-proxy takes no table that names this host.
    static let refusedHost = SampleManifest.host("refused.example.com")

    private static let refusal: @Sendable ([String: [UInt8]]) -> String? = { contents in
        let texts = contents.values.map { String(decoding: $0, as: UTF8.self) }
        return texts.contains { $0.contains("refused.example.com") } ? "bad-routes" : nil
    }

    /// Secrets that are always there, and a certificate authority that never changes.
    static func credentials(secret: String = "s3cret") -> Credentials {
        Credentials(
            values: { references in
                Dictionary(uniqueKeysWithValues: references.map { ($0, SecretValue(secret)) })
            },
            fingerprint: { reference, value in "\(ContentDigest(of: "\(reference) \(value.exposed)"))" },
            authority: { _, _ in
                Credentials.Authority(
                    material: .init(certificate: "CA CERTIFICATE\n", key: "CA PRIVATE KEY\n"),
                    fingerprint: "fingerprint"
                )
            }
        )
    }
}
