import ModelTestSupport
import ReconcilerModel
import Testing

/// Plans from what a test says that was observed and recorded; `DriftTable` has what an engine can be brought to.
@Suite("plans from what was observed")
struct PlannerObservationTests {
    @Test("a program that describes the unchanged agent otherwise leaves the living one alone")
    func upgrade() throws {
        var fixture = try PlannerFixture.converged(SampleManifest.routed)
        let earlier = "v1:" + String(repeating: "0", count: 64)
        fixture.record.agentIntent = earlier
        fixture.change(.agent) { $0.labels[Labels.specHash] = earlier }
        let plan = try fixture.plan()
        #expect(plan.actions.isEmpty)
        #expect(plan.findings == [.replacementPending(reason: .specChanged)])
        fixture.edit { $0.agent.environment["NEW"] = .literal("1") }
        let edited = try fixture.plan()
        #expect(edited.replacesAgent)
    }

    @Test("a paused firewall that must close a host is restarted, not only told")
    func pausedWithdrawal() throws {
        var fixture = try PlannerFixture.converged(SampleManifest.unrouted)
        fixture.change(.firewall) { $0.state = .paused }
        fixture.edit { $0.egress.allowlist = [] }
        let text = try fixture.plan().text
        #expect(
            text
                == """
                0 unpause container/firewall paused
                1 copy container/firewall file-changed /etc/firewall/allowlist after 0
                2 restart container/firewall permission-withdrawn after 1
                drift paused container/firewall: is paused
                """
        )
    }

    @Test("a container that was made but never started gets what it lacks, then starts")
    func halfMade() throws {
        var fixture = try PlannerFixture.converged(SampleManifest.routed)
        fixture.record.converged = nil
        fixture.change(.egressProxy) { container in
            container.state = .created
            container.files = [:]
            container.loaded = nil
            // The engine tells no network's id before the first start.
            container.endpoints = [container.endpoints[0]]
            container.endpoints[0].networkID = nil
        }
        let text = try fixture.plan().text
        #expect(
            text
                == """
                0 connect container/egress-proxy disconnected (link)
                1 copy container/egress-proxy file-missing /etc/egress-proxy/routes.yaml after 0
                2 copy container/egress-proxy file-missing /etc/egress-proxy/upstream-roots.pem after 0
                3 copy container/egress-proxy file-missing /etc/egress-proxy/ca.pem after 0
                4 start container/egress-proxy never-started after 1,2,3
                """
        )
    }

    @Test("files that are right but not in force are signalled")
    func otherGeneration() throws {
        var fixture = try PlannerFixture.converged(SampleManifest.routed)
        let old = ContentDigest(of: "old")
        fixture.record.permissions["firewall"]?[old.hex] = ["docs.example.com 443"]
        fixture.change(.firewall) { $0.loaded = LoadedGeneration(inForce: old) }
        let text = try fixture.plan().text
        #expect(
            text
                == """
                0 signal container/firewall other-generation
                drift other-generation container/firewall: has not loaded the files it was given
                """
        )
    }

    @Test("a sidecar that has said nothing since its start is signalled, which waits for its first word")
    func saysNothing() throws {
        var fixture = try PlannerFixture.converged(SampleManifest.routed)
        fixture.change(.firewall) { $0.loaded = nil }
        let text = try fixture.plan().text
        #expect(
            text
                == """
                0 signal container/firewall other-generation
                """
        )
    }

    @Test("a firewall that has said nothing and may have read an old file is restarted")
    func saysNothingAndDiffers() throws {
        var fixture = try PlannerFixture.converged(SampleManifest.unrouted)
        fixture.change(.firewall) { $0.loaded = nil }
        fixture.edit { $0.egress.allowlist = [SampleManifest.host("new.example.com")] }
        let text = try fixture.plan().text
        #expect(
            text
                == """
                0 copy container/firewall file-changed /etc/firewall/allowlist
                1 restart container/firewall permission-withdrawn after 0
                """
        )
    }

    @Test(
        "a firewall restarts when what is in force allowed more, or no record says what",
        arguments: [["docs.example.com 443", "gone.example.com 443"], nil]
    )
    func withdrawn(_ allowed: [String]?) throws {
        var fixture = try PlannerFixture.converged(SampleManifest.routed)
        let old = ContentDigest(of: "old")
        fixture.record.permissions["firewall"]?[old.hex] = allowed
        fixture.change(.firewall) { $0.loaded = LoadedGeneration(inForce: old) }
        let text = try fixture.plan().text
        #expect(text.hasPrefix("0 restart container/firewall permission-withdrawn\ndrift other-generation"))
    }

    @Test("a refused generation is told, not signalled again, and not restarted into", arguments: [true, false])
    func refused(_ removesHost: Bool) throws {
        var fixture = try PlannerFixture.converged(SampleManifest.unrouted)
        fixture.edit { manifest in
            if removesHost {
                manifest.egress.allowlist = []
            } else {
                manifest.egress.allowlist.append(SampleManifest.host("new.example.com"))
            }
        }
        let wanted = try #require(try fixture.desired().container(.firewall))
        let generation = try #require(wanted.generation)
        fixture.change(.firewall) { container in
            container.put(wanted.files)
            container.loaded?.refusal = .init(reason: "bad-file", generation: generation)
        }
        let plan = try fixture.plan()
        #expect(plan.isEmpty)
        #expect(plan.findings == [.reloadRefused(role: .firewall, reason: "bad-file")])
    }

    @Test("every part of what confines a container counts")
    func confinement() throws {
        let wanted = try #require(
            try DesiredBottle(rendering: SampleManifest.input(SampleManifest.routed)).container(.agent)
        )
        var spec = wanted.spec
        spec.user = "node"
        let right = Confinement(spec)
        #expect(right.meets(spec))
        let wrong: [(inout Confinement) -> Void] = [
            { $0.dropsAllCapabilities = false }, { $0.hasAddedCapabilities = true }, { $0.hasNoNewPrivileges = false },
            { $0.isPrivileged = true }, { $0.isRootReadOnly.toggle() }, { $0.user = "root" }, { $0.command = ["sh"] },
            { $0.environment["HTTP_PROXY"] = "http://evil" }, { $0.environment["HTTP_PROXY"] = nil },
            { $0.mounts.removeFirst() }, { $0.mounts[0].volume = "other" }, { $0.mounts[0].target = "/other" },
            { $0.mounts.append(.init(volume: nil, target: "/var/run/docker.sock")) },
            { $0.mounts.append(.init(volume: "bottle-other-home", target: "/other")) },
        ]
        for (index, change) in wrong.enumerated() {
            var confinement = right
            change(&confinement)
            #expect(!confinement.meets(spec), "change \(index)")
        }
    }

    @Test("a file in the agent that can't be looked at is put there again, and nothing of the sidecars waits for that")
    func unreadable() throws {
        var fixture = try PlannerFixture.converged(SampleManifest.routed)
        fixture.networks.append(
            ObservedNetwork(
                id: "n-old",
                name: "bottle-dev-old",
                labels: Labels.of(SampleManifest.identity, role: "link", installation: SampleManifest.installation)
            )
        )
        fixture.record.names.append("bottle-dev-old")
        fixture.edit { $0.egress.allowlist = [] }
        let desired = try fixture.desired()
        var observed = fixture.observed(desired)
        let agent = try #require(observed.containers.firstIndex { $0.role == .agent })
        observed.containers[agent].files["/etc/bottle/prompt.md"] = .some(.unreadable)
        let plan = Planner.plan(desired: desired, observed: observed, record: fixture.record)
        #expect(
            plan.text
                == """
                0 copy container/egress-proxy file-changed /etc/egress-proxy/routes.yaml
                1 signal container/egress-proxy files-copied after 0
                2 copy container/firewall file-changed /etc/firewall/allowlist after 1
                3 restart container/firewall permission-withdrawn after 2
                4 copy container/agent file-changed /etc/bottle/prompt.md after 1,3
                5 remove network/link not-desired after 0,1,2,3
                drift file-changed container/agent: /etc/bottle/prompt.md is not as it was put there
                """
        )
    }

    @Test("a sidecar beside its namesake is removed; a living agent is not ours to end")
    func twins() throws {
        var fixture = try PlannerFixture.converged(SampleManifest.unrouted)
        for role in [Role.firewall, .agent] {
            var twin = try #require(fixture.container(role))
            twin.id = ContainerID("c-twin-\(role.rawValue)")
            twin.name = "renamed-\(role.rawValue)"
            fixture.record.names.append(twin.name)
            fixture.containers.insert(twin, at: 0)
        }
        let plan = try fixture.plan()
        #expect(plan.verbs == ["remove container/firewall"])
        #expect(plan.actions[0].container == "c-twin-firewall")
    }

    @Test("a hash of another version is no difference until there is an edit")
    func otherHashVersion() throws {
        var fixture = try PlannerFixture.converged(SampleManifest.routed)
        fixture.record.agentIntent = "v0:abc"
        for index in fixture.containers.indices { fixture.containers[index].labels[Labels.specHash] = "v0:abc" }
        #expect(try fixture.plan().text == "")
        fixture.images[SampleManifest.image(.firewall).reference]?.id = "sha256:moved"
        #expect(try fixture.plan().verbs == ["remove container/firewall", "create container/firewall"])
        fixture.edit { $0.agent.environment["TZ"] = .literal("CET") }
        #expect(try fixture.plan().verbs.contains("stop container/agent"))
    }
}
