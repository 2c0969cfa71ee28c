import FoundationEssentials
import Reconciler
import ReconcilerManifest
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState
import ReconcilerTime

/// What the desired state itself takes: a commit of one remediation, and the state of many bottles with remediations.
enum DesiredProbe {
    struct Figures: Encodable {
        var bottles: Int
        var remediationsEach: Int
        /// One remediation committed, on the disk: the median and the 95th percentile.
        var commitMs: Double
        var commitP95Ms: Double
        /// What all bottles come to, from their manifests and remediations as values.
        var mergeMs: Double
        /// The same from the texts of one revision.
        var readAndMergeMs: Double
    }

    static func figures(bottles count: Int, remediationsEach each: Int = 10) async throws -> Figures {
        let folder = "/tmp/bottle-desired-bench.\(POSIX.randomHexadecimal())"
        try POSIX.makeFolder(folder)
        defer { try? POSIX.removeTree(folder) }
        let commits = try await commits(in: folder)
        let moment = Timestamp(seconds: 1_800_000_000)
        let bottles = try (0..<count).map { try bottle($0, each: each) }
        var snapshot = DesiredSnapshot(revision: commits.revision, bottles: [:], others: [:])
        for (manifest, remediations) in bottles {
            let identity = manifest.identity
            snapshot.bottles[identity] = ManifestDocument.yaml(of: manifest)
            for remediation in remediations {
                snapshot.others[DesiredRepository.path(of: remediation, in: identity)] =
                    RemediationDocument.yaml(of: remediation, bottle: identity)
            }
        }
        let clock = ContinuousClock()
        var routes = 0
        let merging = clock.measure {
            for (manifest, remediations) in bottles {
                routes += RemediedBottle(manifest, remediations: remediations, at: moment).manifest.routes.count
            }
        }
        let reading = try clock.measure {
            let files = snapshot.remediationFiles()
            for (identity, text) in snapshot.bottles {
                var own = DesiredSnapshot(revision: snapshot.revision, bottles: [identity: text], others: [:])
                own.others = files[identity] ?? [:]
                routes += try own.desired(of: identity, at: moment)?.remedied.manifest.routes.count ?? 0
            }
        }
        guard routes > 0 else { throw CancellationError() }
        return Figures(
            bottles: count,
            remediationsEach: each,
            commitMs: commits.times.median,
            commitP95Ms: commits.times.sorted().rank(95),
            mergeMs: merging / .milliseconds(1),
            readAndMergeMs: reading / .milliseconds(1)
        )
    }

    private static func commits(in folder: String) async throws -> (times: [Double], revision: Revision) {
        let state = try StateFolder.create("\(folder)/state")
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let repository = try await DesiredRepository.create(in: state, environment: ["PATH": path, "HOME": folder])
        let moment = Timestamp(seconds: 1_800_000_000)
        let (manifest, _) = try bottle(0, each: 0)
        _ = try await repository.commit(manifests: [manifest], reason: "apply", at: moment)
        var times: [Double] = []
        for number in 0..<60 {
            let draft = RemediationDraft(.hostAdded(try HostPattern("h\(number).example.net")), reason: "bench")
            let begun = ContinuousClock.now
            _ = try await repository.commit(remediation: draft, for: manifest.identity, at: moment)
            times.append((ContinuousClock.now - begun) / .milliseconds(1))
        }
        return (times, try await repository.head())
    }

    private static func bottle(_ number: Int, each: Int) throws -> (BottleManifest, [Remediation]) {
        let manifest = BottleManifest(
            identity: try Identity("b\(number)"),
            agent: AgentSpec(image: .reference(try ImageReference("bottle/agent")), command: ["agent"]),
            egress: EgressSpec(allowlist: [try HostPattern("raw.example.org")]),
            routes: [
                Route(host: try HostPattern("api.example.com"), methods: .only(["GET"]), pathAllowlist: ["/a/"]),
                Route(host: try HostPattern("docs.example.com")),
            ]
        )
        let provenance = Remediation.Provenance(
            author: "Op <op@example.com>",
            time: Timestamp(seconds: 1_700_000_000),
            reason: "bench"
        )
        let remediations = try (0..<each).map { index in
            let host = try HostPattern("h\(index).example.net")
            let change: RemediationChange =
                index.isMultiple(of: 2)
                ? .hostAdded(host) : .routeAdded(Route(host: host, methods: .only(["GET"]), pathAllowlist: ["/x/"]))
            return try Remediation(number: index + 1, slug: change.slug, change: change, provenance: provenance)
        }
        return (manifest, remediations)
    }
}
