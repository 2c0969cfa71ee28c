import EngineTestSupport
import FoundationEssentials
import Reconciler
import ReconcilerEngine
import ReconcilerManifest
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState
import ReconcilerTime

/// One installation on an engine in memory, in whose desired state are many bottles.
struct InMemoryBottles {
    let identities: [Identity]
    private let installation: Installation
    private let folder: String

    /// Commits so many bottles, each of an agent, an egress-proxy and a firewall; none of them is there yet.
    init(_ count: Int) async throws {
        // In memory where there is such a place: every record is forced to the disk.
        let place = FileManager.default.isWritableFile(atPath: "/dev/shm") ? "/dev/shm" : "/tmp"
        folder = "\(place)/bottle-bench.\(POSIX.randomHexadecimal().prefix(12))"
        try POSIX.makeFolder(folder)
        identities = try (0..<count).map { try Identity("bench-\($0)") }
        let state = try StateFolder.create("\(folder)/state")
        let environment = ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "HOME": folder]
        let repository = try await DesiredRepository.create(in: state, environment: environment)
        var changes: [String: DesiredChange] = [:]
        for identity in identities {
            changes[DesiredRepository.path(of: identity)] = .write(
                ManifestDocument.yaml(of: try Self.manifest(identity))
            )
        }
        _ = try await repository.commit(changes, message: "bench")
        installation = Installation(
            state: state,
            repository: repository,
            settings: Settings(images: try Self.images),
            engine: MemoryEngine(try Self.world),
            contexts: BuildContexts(bundled: [:], stored: nil),
            credentials: Credentials(
                values: { Dictionary(uniqueKeysWithValues: $0.map { ($0, SecretValue("s3cret")) }) },
                fingerprint: { reference, value in "\(ContentDigest(of: "\(reference) \(value.exposed)"))" },
                authority: { _, _ in
                    .init(material: .init(certificate: "CERTIFICATE\n", key: "KEY\n"), fingerprint: "fingerprint")
                }
            )
        )
    }

    func remove() { try? FileManager.default.removeItem(atPath: folder) }

    // MARK: - What is measured

    /// From the start of a controller until a pass of every bottle has ended well.
    func millisecondsOfController() async throws -> Double {
        let (reports, report) = AsyncStream<ControllerReport>.makeStream()
        let controller = Controller(installation, pace: ControllerPace(), time: Self.time) { report.yield($0) }
        return try await withThrowingTaskGroup(of: Void.self) { group in
            let time = try await milliseconds {
                group.addTask { try await controller.run() }
                var left = Set(identities)
                for await case .ended(let result) in reports {
                    if let error = result.error { throw error }
                    left.remove(result.identity)
                    if left.isEmpty { break }
                }
            }
            await controller.stop()
            try await group.waitForAll()
            return time
        }
    }

    /// One pass that finds nothing to do.
    func millisecondsOfPass(_ identity: Identity) async throws -> Double {
        let pass = BottlePass(identity, in: installation, time: Self.time) { _, _ in }
        return try await milliseconds { _ = try await pass.run(mayEndAgent: true) }
    }

    /// What the controller does on its timer: the lists, and a comparison of each bottle with what they said before.
    func millisecondsOfLook() async throws -> Double {
        let before = try await views()
        return try await milliseconds {
            guard try await views() == before else { throw BottleError(.moving, "the world changes by itself") }
        }
    }

    private func views() async throws -> [Identity: ListFingerprint] {
        let inventory = try await Inventory.take(from: installation.engine)
        return ListFingerprint.all(of: identities, installation: installation.state.installation, in: inventory)
    }

    // MARK: - The world

    private static let time = TimeSource(now: { Timestamp(seconds: 1_767_225_600) })

    private static var images: [Role: ImageReference] {
        get throws {
            [
                .agent: try ImageReference("bench/agent"), .egressProxy: try ImageReference("bench/egress-proxy"),
                .firewall: try ImageReference("bench/firewall"),
            ]
        }
    }

    /// An engine that has the images and nothing else.
    private static var world: EngineState {
        get throws {
            var world = EngineState()
            let files = FileTree(files: ["/etc/passwd": "node:x:1000:1000::/home/node:/bin/sh\n"])
            let configured = ["/etc/egress-proxy/routes.yaml", "/etc/firewall/allowlist"]
            for (role, image) in try images {
                world.add(
                    MemoryImage(
                        id: "sha256:\(ContentDigest(of: role.rawValue))",
                        tags: [image.text],
                        config: ContainerConfig(user: role == .agent ? "node" : nil),
                        files: files,
                        start: { _ in
                            switch role {
                            case .egressProxy: ReloadingProgram(reading: [configured[0]])
                            case .firewall: ReloadingProgram(reading: [configured[1]])
                            default: PlainProgram()
                            }
                        }
                    )
                )
            }
            return world
        }
    }

    private static func manifest(_ identity: Identity) throws -> BottleManifest {
        BottleManifest(
            identity: identity,
            agent: AgentSpec(image: .reference(try ImageReference("bench/agent")), command: ["agent"]),
            egress: EgressSpec(allowlist: [try HostPattern("raw.example.org")]),
            routes: [
                Route(
                    host: try HostPattern("api.example.com"),
                    methods: .only(["GET", "HEAD"]),
                    pathAllowlist: ["/repos/acme/"],
                    auth: RouteAuth(scheme: "Bearer", token: try SecretReference("TOKEN"))
                )
            ]
        )
    }
}
