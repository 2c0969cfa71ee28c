import ReconcilerManifest
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState
import ReconcilerTime
import ScratchTestSupport
import Testing

@Suite("Remediations in the repository")
struct RemediationCommitTests {
    private let fixture: RemediationFixture
    private let dev: Identity
    private let now = RemediationFixture.now

    init() throws {
        fixture = try RemediationFixture()
        dev = fixture.dev
    }

    private func manifest(_ hosts: [String] = []) throws -> BottleManifest { try fixture.manifest(hosts) }

    private func repository(_ manifest: BottleManifest) async throws -> DesiredRepository {
        try await fixture.repository(manifest)
    }

    private func adding(_ host: String, _ limits: GrantLimits? = nil) throws -> RemediationDraft {
        RemediationDraft(.hostAdded(try HostPattern(host)), limits: limits, reason: "docs for \(host)\n\nmore")
    }

    private func hosts(_ repository: DesiredRepository, at moment: Timestamp? = nil) async throws -> [String] {
        try await fixture.hosts(repository, at: moment ?? now)
    }

    private func files() throws -> [String] {
        (try POSIX.names(in: "\(fixture.state.desired)/remediations/dev") ?? []).sorted()
    }

    @discardableResult
    private func git(_ line: String) async throws -> String {
        try await shell(
            "git -C '\(fixture.state.desired)' -c user.name=x -c user.email=x@x \(line)",
            in: fixture.scratch.path
        )
    }

    @Test("are committed under the next number, with author and reason, and take effect")
    func commits() async throws {
        let repository = try await repository(try manifest())
        let author = Author(name: "Op", email: "op@example.com")
        let first = try await repository.commit(remediation: try adding("a.example"), for: dev, author: author, at: now)
        let second = try await repository.commit(
            remediation: try adding("b.example"),
            for: dev,
            author: author,
            at: now
        )
        #expect([first.remediation.number, second.remediation.number] == [1, 2])
        #expect(try files() == ["0001-add-host-a-example.yaml", "0002-add-host-b-example.yaml", "last"])
        #expect(try await hosts(repository) == ["a.example", "b.example"])
        #expect(try await repository.head() == second.revision)
        #expect(try await repository.lastChange(of: dev) == second.revision)
        let log = try await git("log -1 --format='%an %ae%n%s%n%b'")
        #expect(log.hasPrefix("Op op@example.com\ndocs for b.example\n"))
        let snapshot = try await repository.snapshot()
        let one = try #require(try snapshot.desired(of: dev, at: now))
        let other = try #require(try await repository.desired(of: dev, at: now))
        #expect(one == other.state)
    }

    @Test(
        "outlive an edit of the manifest, and are dropped by the one that has them; their numbers are not given again"
    )
    func edits() async throws {
        let repository = try await repository(try manifest())
        _ = try await repository.commit(remediation: try adding("a.example"), for: dev, at: now)
        _ = try await repository.commit(remediation: try adding("b.example"), for: dev, at: now)
        _ = try await repository.commit(manifests: [try manifest(["c.example"])], reason: "apply", at: now)
        #expect(try await hosts(repository) == ["c.example", "a.example", "b.example"])
        _ = try await repository.commit(manifests: [try manifest(["b.example"])], reason: "apply", at: now)
        #expect(try files() == ["0001-add-host-a-example.yaml", "last"])
        #expect(try await hosts(repository) == ["b.example", "a.example"])
        let dropped = try await repository.dropRemediations(of: dev, reason: "no more", at: now) { _ in true }
        #expect(dropped?.dropped.map(\.number) == [1])
        #expect(try await repository.dropRemediations(of: dev, reason: "no more", at: now) { _ in true } == nil)
        let third = try await repository.commit(remediation: try adding("d.example"), for: dev, at: now)
        #expect(third.remediation.number == 3)
    }

    @Test("that don't fit, are there already or have ended are refused, and nothing is committed")
    func refusals() async throws {
        let repository = try await repository(try manifest(["a.example"]))
        let head = try await repository.head()
        let past = try GrantLimits(notAfter: now)
        let rows: [(RemediationDraft, BottleError.Code)] = [
            (try adding("a.example"), .alreadyDesired), (try adding("api.example.com"), .remediationConflict),
            (try adding("b.example", past), .alreadyEnded),
            (RemediationDraft(.hostAdded(try HostPattern("c.example")), reason: " "), .invalidRemediation),
        ]
        for (draft, code) in rows {
            let error = await #expect(throws: BottleError.self) {
                try await repository.commit(remediation: draft, for: dev, at: now)
            }
            #expect(error?.code == code)
        }
        let error = await #expect(throws: BottleError.self) {
            try await repository.commit(remediation: try adding("b.example"), for: try Identity("none"), at: now)
        }
        #expect(error?.code == .notFound)
        #expect(try await repository.head() == head)
    }

    @Test(
        "limited in time need an egress-proxy, contribute nothing after their end, and are dropped by the next commit"
    )
    func limited() async throws {
        let repository = try await repository(try manifest())
        let hour = try GrantLimits(notAfter: Timestamp(seconds: now.seconds + 3600))
        _ = try await repository.commit(remediation: try adding("a.example", hour), for: dev, at: now)
        #expect(try await hosts(repository) == ["a.example"])
        let later = Timestamp(seconds: now.seconds + 3600)
        #expect(try await hosts(repository, at: later) == [])
        _ = try await repository.commit(remediation: try adding("b.example"), for: dev, at: later)
        #expect(try files() == ["0002-add-host-b-example.yaml", "last"])

        var bare = try manifest()
        bare.routes = []
        _ = try await repository.commit(manifests: [bare], reason: "apply", at: now)
        let error = await #expect(throws: BottleError.self) {
            try await repository.commit(remediation: try adding("c.example", hour), for: dev, at: now)
        }
        #expect(error?.code == .remediationConflict)
    }

    @Test("are checked as every manifest is: no second way to push")
    func checks() async throws {
        var manifest = try manifest()
        manifest.git = [
            GitRemote(
                name: "app",
                upstream: "ssh://git@git.example.org/a.git",
                identityFile: "/k",
                knownHostKey: "git.example.org ssh-ed25519 AAAA"
            )
        ]
        let remediation = try Remediation(
            number: 1,
            slug: "a",
            change: .hostAdded(try HostPattern("git.example.org")),
            provenance: .init(author: "a", time: now, reason: "b")
        )
        let remedied = DesiredRepository.remedied(manifest, [remediation], at: now)
        #expect(remedied.conflicts.count == 1)
        #expect(remedied.manifest == manifest)
    }

    static let nonsense = [
        ("0001-x.yaml", "a: b\nc: ]\n", 2), ("0001-x.yaml", "\n\nkind: Remediation\n", 3),
        ("one.yaml", "apiVersion: bottle/v1\nkind: Remediation\n", 1),
    ]

    @Test("edited into nonsense stop the bottle, naming file and line", arguments: nonsense)
    func unreadable(_ name: String, _ text: String, _ line: Int) async throws {
        let repository = try await repository(try manifest())
        _ = try await repository.commit(["remediations/dev/\(name)": .write(text)], message: "by hand")
        for attempt in [
            { () async throws in _ = try await repository.desired(of: dev, at: now) },
            { () async throws in _ = try await repository.snapshot().desired(of: dev, at: now) },
            { () async throws in
                _ = try await repository.commit(remediation: try adding("a.example"), for: dev, at: now)
            },
        ] {
            let error = await #expect(throws: BottleError.self) { try await attempt() }
            #expect(error?.code == .remediationUnreadable)
            #expect(error?.location?.hasPrefix("remediations/dev/\(name):\(line):") == true, "\(error?.location ?? "")")
        }
        // Another bottle's nonsense is not its own.
        #expect(try await repository.desired(of: try Identity("other"), at: now) == nil)
    }

    @Test("with one number twice can't be read")
    func twins() async throws {
        let repository = try await repository(try manifest())
        let first = try await repository.commit(remediation: try adding("a.example"), for: dev, at: now).remediation
        let twin = try Remediation(
            number: 1,
            slug: "twin",
            change: .hostAdded(try HostPattern("t.example")),
            provenance: first.provenance
        )
        let text = RemediationDocument.yaml(of: twin, bottle: dev)
        _ = try await repository.commit(["remediations/dev/0001-twin.yaml": .write(text)], message: "by hand")
        let error = await #expect(throws: BottleError.self) { try await repository.desired(of: dev, at: now) }
        #expect(error?.code == .remediationUnreadable)
    }

    @Test("whose content is missing from the object store are never taken for gone")
    func damage() async throws {
        let repository = try await repository(try manifest())
        _ = try await repository.commit(remediation: try adding("a.example"), for: dev, at: now)
        for name in ["HEAD:remediations/dev", "HEAD:remediations"] {
            let id = try await git("rev-parse \(name)").prefix { $0 != "\n" }
            let path = "\(fixture.state.desired)/.git/objects/\(id.prefix(2))/\(id.dropFirst(2))"
            let bytes = try #require(try DurableFile.read(path, limit: 1 << 20))
            try POSIX.unlink(path)
            let error = await #expect(throws: BottleError.self) { try await repository.desired(of: dev, at: now) }
            #expect(error?.code == .desiredUnreadable, "\(name)")
            try DurableFile.write(bytes, to: path)
        }
        #expect(try await hosts(repository) == ["a.example"])
    }

    @Test("go with their bottle")
    func deletion() async throws {
        let repository = try await repository(try manifest())
        _ = try await repository.commit(remediation: try adding("a.example"), for: dev, at: now)
        _ = try await repository.remove(dev, reason: "delete")
        #expect(try await repository.desired(of: dev, at: now) == nil)
        #expect(try await repository.snapshot().others == [:])
    }

    @Test("by many writers at once have numbers of their own")
    func writers() async throws {
        let repository = try await repository(try manifest())
        let (dev, now) = (dev, now)
        let numbers = try await withThrowingTaskGroup(of: Int.self) { group in
            for index in 0..<8 {
                group.addTask {
                    let draft = RemediationDraft(.hostAdded(try HostPattern("h\(index).example")), reason: "r")
                    return try await repository.commit(remediation: draft, for: dev, at: now).remediation.number
                }
            }
            return try await group.reduce(into: [Int]()) { $0.append($1) }
        }
        #expect(numbers.sorted() == Array(1...8))
        #expect(try await hosts(repository).count == 8)
    }
}
