import ReconcilerManifest
import ReconcilerModel
import ReconcilerState
import ReconcilerTime
import Testing

@Suite("An edit of a bottle's remediations")
struct RemediationStepTests {
    private let fixture: RemediationFixture
    private let dev: Identity
    private let now = RemediationFixture.now

    init() throws {
        fixture = try RemediationFixture()
        dev = fixture.dev
    }

    private func repository() async throws -> DesiredRepository {
        try await fixture.repository(try fixture.manifest(["docs.example.com"]))
    }

    private func added(_ hosts: String..., limits: GrantLimits? = nil) throws -> RemediationStep {
        RemediationStep(
            adding: try hosts.map { RemediationDraft(.hostAdded(try HostPattern($0)), limits: limits, reason: "r") },
            reason: "r"
        )
    }

    private func hosts(_ repository: DesiredRepository) async throws -> [String] { try await fixture.hosts(repository) }

    private func names(_ repository: DesiredRepository) async throws -> [String] {
        try await fixture.desired(repository).remedied.outcomes.map(\.remediation.name)
    }

    @Test("adds and withdraws several at once in one commit")
    func several() async throws {
        let repository = try await repository()
        _ = try await repository.commit(try added("a.example", "b.example"), for: dev, at: now)
        let before = try await repository.head()
        var step = try added("c.example", "d.example")
        step.withdrawn = ["0001-add-host-a-example"]
        let (outcome, revision) = try await repository.commit(step, for: dev, at: now)
        #expect(outcome.made.map(\.number) == [3, 4])
        #expect(try await hosts(repository) == ["docs.example.com", "b.example", "c.example", "d.example"])
        #expect(try await repository.history(of: dev, limit: 9).map(\.revision).prefix(2) == [revision, before])
    }

    @Test("is refused whole when a part of it does not fit, changes nothing or names what is not there")
    func refused() async throws {
        let repository = try await repository()
        _ = try await repository.commit(try added("a.example"), for: dev, at: now)
        let before = try await repository.head()
        let rows: [(RemediationStep, BottleError.Code)] = [
            (try added("b.example", "api.example.com"), .remediationConflict),
            (try added("a.example"), .alreadyDesired),
            (RemediationStep(withdrawing: ["0009-nothing"], reason: "r"), .notFound),
        ]
        for (step, code) in rows {
            await #expect { _ = try await repository.commit(step, for: dev, at: now) } throws: {
                ($0 as? BottleError)?.code == code
            }
        }
        #expect(try await repository.head() == before)
    }

    @Test("is not made on another revision than it was shown for")
    func moved() async throws {
        let repository = try await repository()
        let seen = try await repository.head()
        _ = try await repository.commit(try added("a.example"), for: dev, at: now)
        await #expect {
            _ = try await repository.commit(try added("b.example"), for: dev, at: now, expecting: seen)
        } throws: {
            ($0 as? BottleError)?.code == .desiredMoved
        }
        await #expect { try await repository.expect(seen) } throws: { ($0 as? BottleError)?.code == .desiredMoved }
        try await repository.expect(try await repository.head())
    }

    @Test("is made where nothing but another bottle moved since it was shown")
    func anotherMoved() async throws {
        let repository = try await repository()
        let seen = try await repository.head()
        var other = try fixture.manifest()
        other.identity = try Identity("other")
        _ = try await repository.commit(manifests: [other], reason: "apply", at: now)
        _ = try await repository.commit(try added("b.example"), for: dev, at: now, expecting: seen)
        #expect(try await hosts(repository).contains("b.example"))
        _ = try await repository.commit(manifests: [other], reason: "apply", at: now)
        let second = try await repository.head()
        _ = try await repository.remove(try Identity("other"), reason: "delete")
        let manifest = try fixture.manifest(["docs.example.com", "c.example"])
        #expect(
            try await repository.commit(manifests: [manifest], reason: "edit", at: now, unmovedSince: second) != nil
        )
        await #expect {
            try await repository.commit(
                manifests: [try fixture.manifest()],
                reason: "edit",
                at: now,
                unmovedSince: second
            )
        } throws: {
            ($0 as? BottleError)?.code == .desiredMoved
        }
        let third = try await repository.head()
        let rolled = try await repository.rollBack(dev, to: seen, reason: "back", at: now, expecting: third)
        #expect(rolled != nil)
        #expect(try await !hosts(repository).contains("b.example"))
    }

    @Test("an apply that prunes leaves the manifest alone, and gives no number again")
    func pruned() async throws {
        let repository = try await repository()
        _ = try await repository.commit(try added("a.example", "b.example"), for: dev, at: now)
        let manifest = try await fixture.desired(repository).declared
        let again = try await repository.commit(manifests: [manifest], reason: "apply", at: now)
        #expect(again == nil)
        _ = try await repository.commit(manifests: [manifest], reason: "apply", prunesRemediations: true, at: now)
        #expect(try await names(repository) == [])
        #expect(try await hosts(repository) == ["docs.example.com"])
        let (outcome, _) = try await repository.commit(try added("c.example"), for: dev, at: now)
        #expect(outcome.made.map(\.number) == [3])
    }

    @Test("a rollback brings manifest and remediations back as they were, without what has ended, by a new commit")
    func rolledBack() async throws {
        let repository = try await repository()
        let limits = try GrantLimits(notAfter: Timestamp(seconds: now.seconds + 60))
        _ = try await repository.commit(try added("a.example"), for: dev, at: now)
        _ = try await repository.commit(try added("short.example", limits: limits), for: dev, at: now)
        let old = try await repository.head()
        _ = try await repository.commit(
            RemediationStep(withdrawing: ["0001-add-host-a-example"], reason: "r"),
            for: dev,
            at: now
        )
        var manifest = try await fixture.desired(repository).declared
        manifest.egress.allowlist = []
        _ = try await repository.commit(manifests: [manifest], reason: "apply", at: now)
        _ = try await repository.commit(try added("c.example"), for: dev, at: now)

        let later = Timestamp(seconds: now.seconds + 3600)
        let before = try await repository.head()
        let revision = try #require(try await repository.rollBack(dev, to: old, reason: "back", at: later))
        #expect(try await hosts(repository) == ["docs.example.com", "a.example"])
        #expect(try await names(repository) == ["0001-add-host-a-example"])
        #expect(try await repository.history(of: dev, limit: 2).map(\.revision) == [revision, before])
        let (outcome, _) = try await repository.commit(try added("d.example"), for: dev, at: later)
        #expect(outcome.made.map(\.number) == [4])
        #expect(try await repository.rollBack(dev, to: try await repository.head(), reason: "again", at: later) == nil)
    }

    @Test("a rollback of a deleted bottle brings it back without what was limited, and gives no number again")
    func rolledBackAfterDeletion() async throws {
        let repository = try await repository()
        _ = try await repository.commit(try added("a.example"), for: dev, at: now)
        _ = try await repository.commit(
            try added("once.example", limits: try GrantLimits(maxUses: 1)),
            for: dev,
            at: now
        )
        let old = try await repository.head()
        _ = try await repository.remove(dev, reason: "delete")
        _ = try await repository.rollBack(dev, to: old, reason: "back", at: now)
        #expect(try await names(repository) == ["0001-add-host-a-example"])
        let (outcome, _) = try await repository.commit(try added("d.example"), for: dev, at: now)
        #expect(outcome.made.map(\.number) == [3])
    }

    @Test("a rollback to a revision that had no such bottle is refused")
    func neverThere() async throws {
        let repository = try await fixture.emptyRepository()
        let old = try await repository.head()
        _ = try await self.repository()
        await #expect { _ = try await repository.rollBack(dev, to: old, reason: "back", at: now) } throws: {
            ($0 as? BottleError)?.code == .notFound
        }
    }
}
