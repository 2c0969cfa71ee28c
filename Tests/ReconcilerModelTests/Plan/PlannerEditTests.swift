import ModelTestSupport
import ReconcilerModel
import Testing

/// Plans of desired-state edits, as text.
@Suite("plans of edits")
struct PlannerEditTests {
    private func plan(_ manifest: BottleManifest, _ edit: (inout BottleManifest) -> Void) throws -> String {
        var fixture = try PlannerFixture.converged(manifest)
        fixture.edit(edit)
        return try fixture.plan().text
    }

    private func cold(_ manifest: BottleManifest) throws -> String {
        var fixture = PlannerFixture(manifest)
        fixture.bringImages()
        return try fixture.plan().text
    }

    @Test("a bottle with routes is brought up from the networks inwards, the agent's start last")
    func coldWithRoutes() throws {
        let text = try cold(SampleManifest.routed)
        #expect(
            text
                == """
                0 create network/internal missing
                1 create network/link missing
                2 create network/egress missing
                3 create volume/bottle-dev-egress-proxy-config missing
                4 create volume/bottle-dev-egress-proxy-run missing
                5 create volume/bottle-dev-firewall-config missing
                6 create volume/bottle-dev-firewall-run missing
                7 create volume/bottle-dev-home missing
                8 create container/firewall missing after 1,2,5,6
                9 create container/egress-proxy missing after 0,1,3,4
                10 create container/agent missing after 0,7 starts after 8,9
                """
        )
    }

    @Test("without routes there is no egress-proxy and no link")
    func coldWithoutRoutes() throws {
        let text = try cold(SampleManifest.unrouted)
        #expect(
            text
                == """
                0 create network/internal missing
                1 create network/egress missing
                2 create volume/bottle-dev-firewall-config missing
                3 create volume/bottle-dev-firewall-run missing
                4 create volume/bottle-dev-home missing
                5 create container/firewall missing after 0,1,2,3
                6 create container/agent missing after 0,4 starts after 5
                """
        )
    }

    @Test("without a firewall the egress-proxy itself is on the egress network")
    func coldWithoutFirewall() throws {
        let text = try cold(SampleManifest.unwalled)
        #expect(
            text
                == """
                0 create network/internal missing
                1 create network/egress missing
                2 create volume/bottle-dev-egress-proxy-config missing
                3 create volume/bottle-dev-egress-proxy-run missing
                4 create volume/bottle-dev-home missing
                5 create container/egress-proxy missing after 0,1,2,3
                6 create container/agent missing after 0,4 starts after 5
                """
        )
    }

    @Test("images that are missing are built before any container is touched")
    func coldWithoutImages() throws {
        var fixture = PlannerFixture(SampleManifest.unrouted)
        let text = try fixture.plan().text
        #expect(
            text
                == """
                0 build image/firewall missing
                1 build image/agent missing
                2 create network/internal missing
                3 create network/egress missing
                4 create volume/bottle-dev-firewall-config missing
                5 create volume/bottle-dev-firewall-run missing
                6 create volume/bottle-dev-home missing
                7 create container/firewall missing after 0,1,2,3,4,5
                8 create container/agent missing after 0,1,2 starts after 7
                """
        )
    }

    @Test("changed paths reach the egress-proxy by copy and signal, and nothing else happens")
    func paths() throws {
        let text = try plan(SampleManifest.routed) { $0.routes[0].pathAllowlist = ["/repos/acme/", "/users/"] }
        #expect(
            text
                == """
                0 copy container/egress-proxy file-changed /etc/egress-proxy/routes.yaml
                1 signal container/egress-proxy files-copied after 0
                """
        )
    }

    @Test("changed methods or a changed order are a copy and a signal too")
    func methods() throws {
        let methods = try plan(SampleManifest.routed) { $0.routes[0].methods = .any }
        let order = try plan(SampleManifest.routed) { $0.routes.reverse() }
        let paths = try plan(SampleManifest.routed) { $0.routes[0].pathAllowlist = [] }
        #expect(methods == paths)
        #expect(order == paths)
    }

    @Test("a host that comes in is opened at the firewall first")
    func hostAdded() throws {
        let route = try plan(SampleManifest.routed) {
            $0.routes.append(Route(host: SampleManifest.host("new.example.com")))
        }
        let entry = try plan(SampleManifest.routed) {
            $0.egress.allowlist.append(SampleManifest.host("*.new.example.com"))
        }
        #expect(
            route
                == """
                0 copy container/firewall file-changed /etc/firewall/allowlist
                1 signal container/firewall files-copied after 0
                2 copy container/egress-proxy file-changed /etc/egress-proxy/routes.yaml after 1
                3 signal container/egress-proxy files-copied after 2
                """
        )
        #expect(entry == route)
    }

    @Test("a host that goes is closed at the egress-proxy first, and the firewall restarts to cut what is live")
    func hostRemoved() throws {
        let route = try plan(SampleManifest.routed) { $0.routes.removeLast() }
        let entry = try plan(SampleManifest.routed) { $0.egress.allowlist = [] }
        #expect(
            route
                == """
                0 copy container/egress-proxy file-changed /etc/egress-proxy/routes.yaml
                1 signal container/egress-proxy files-copied after 0
                2 copy container/firewall file-changed /etc/firewall/allowlist after 1
                3 restart container/firewall permission-withdrawn after 2
                """
        )
        #expect(entry == route)
    }

    @Test("a host that takes another's place is closed before it is opened")
    func hostExchanged() throws {
        let exchanged = try plan(SampleManifest.routed) { $0.routes[1].host = SampleManifest.host("new.example.com") }
        let removed = try plan(SampleManifest.routed) { $0.routes.removeLast() }
        #expect(exchanged == removed)
    }

    @Test("without routes only the firewall is told")
    func unrouted() throws {
        let added = try plan(SampleManifest.unrouted) {
            $0.egress.allowlist.append(SampleManifest.host("new.example.com"))
        }
        #expect(
            added
                == """
                0 copy container/firewall file-changed /etc/firewall/allowlist
                1 signal container/firewall files-copied after 0
                """
        )
        let removed = try plan(SampleManifest.unrouted) { $0.egress.allowlist = [] }
        #expect(
            removed
                == """
                0 copy container/firewall file-changed /etc/firewall/allowlist
                1 restart container/firewall permission-withdrawn after 0
                """
        )
    }

    @Test("a new token_ref recreates only the egress-proxy")
    func tokenRef() throws {
        let text = try plan(SampleManifest.routed) {
            $0.routes[0].auth?.token = try! SecretReference("TOKEN_B")
        }
        #expect(
            text
                == """
                0 remove container/egress-proxy spec-changed
                1 create container/egress-proxy spec-changed after 0
                """
        )
    }

    @Test("a new token_ref on a new host: the firewall opens before the new egress-proxy starts")
    func tokenRefAndHost() throws {
        let text = try plan(SampleManifest.routed) {
            $0.routes.append(
                Route(
                    host: SampleManifest.host("new.example.com"),
                    auth: RouteAuth(token: try! SecretReference("TOKEN_B"))
                )
            )
        }
        #expect(
            text
                == """
                0 remove container/egress-proxy spec-changed
                1 copy container/firewall file-changed /etc/firewall/allowlist
                2 signal container/firewall files-copied after 0,1
                3 create container/egress-proxy spec-changed after 0 starts after 2
                """
        )
    }

    @Test("a secret with another value recreates only the egress-proxy, and is drift")
    func secretRotated() throws {
        var fixture = try PlannerFixture.converged(SampleManifest.routed)
        fixture.fingerprints[SampleManifest.token] = "another"
        let text = try fixture.plan().text
        #expect(
            text
                == """
                0 remove container/egress-proxy spec-changed
                1 create container/egress-proxy spec-changed after 0
                drift spec-changed container/egress-proxy: was made from another description
                """
        )
    }

    @Test("a changed environment replaces exactly the agent")
    func environment() throws {
        let text = try plan(SampleManifest.routed) { $0.agent.environment["TZ"] = .literal("CET") }
        #expect(
            text
                == """
                0 stop container/agent spec-changed
                1 remove container/agent spec-changed after 0
                2 create container/agent spec-changed after 1
                """
        )
    }

    @Test("an edit that replaces the agent and closes a host: the new agent begins when the host is closed")
    func environmentAndHost() throws {
        let text = try plan(SampleManifest.routed) {
            $0.agent.environment["TZ"] = .literal("CET")
            $0.egress.allowlist = []
        }
        #expect(
            text
                == """
                0 stop container/agent spec-changed
                1 remove container/agent spec-changed after 0
                2 copy container/egress-proxy file-changed /etc/egress-proxy/routes.yaml
                3 signal container/egress-proxy files-copied after 2
                4 copy container/firewall file-changed /etc/firewall/allowlist after 3
                5 restart container/firewall permission-withdrawn after 4
                6 create container/agent spec-changed after 1 starts after 3,5
                """
        )
    }

    @Test("a changed prompt is copied to the living agent")
    func prompt() throws {
        let text = try plan(SampleManifest.routed) { $0.agent.prompt = .text("Do more.") }
        #expect(
            text
                == """
                0 copy container/agent file-changed /etc/bottle/prompt.md
                """
        )
    }

    @Test("changed limits are updated in place")
    func limits() throws {
        let memory = try plan(SampleManifest.routed) { $0.agent.resources.memory = 1 << 30 }
        #expect(
            memory
                == """
                0 update container/agent limits-changed
                """
        )
        #expect(try plan(SampleManifest.routed) { $0.agent.resources.milliCPUs = 500 } == memory)
        #expect(try plan(SampleManifest.routed) { $0.agent.resources.pids = 99 } == memory)
    }

    /// A bottle whose agent is built from a folder of its user.
    private static func built(_ context: String, dockerfile: String = "Dockerfile") -> BuildSource {
        BuildSource(context: "/project", dockerfile: dockerfile, pinned: ContentDigest(of: context))
    }

    @Test("an image of another name that is still to come replaces the living agent, which is told beforehand")
    func otherImage() throws {
        var fixture = try PlannerFixture.converged(SampleManifest.routed)
        fixture.edit { $0.agent.image = .build(Self.built("one")) }
        let first = try fixture.plan()
        #expect(first.verbs == ["build image/agent"])
        #expect(first.replacesAgent)
    }

    @Test("a plan that ends no living agent says so, whatever image it brings")
    func replacesNobody() throws {
        // The image's files changed without an edit: a build, and then only a finding.
        var fixture = try PlannerFixture.converged(SampleManifest.routed)
        fixture.contexts[.agent] = ContentDigest(of: "new version")
        #expect(try fixture.plan().verbs == ["build image/agent"])
        #expect(try !fixture.plan().replacesAgent)
        let sidecar = try PlannerFixture.converged(SampleManifest.routed).editing { $0.egress.allowlist = [] }
        #expect(!sidecar.replacesAgent)
        // An agent that ended has nothing to lose.
        var ended = try PlannerFixture.converged(SampleManifest.routed)
        ended.end(.agent, exitCode: 0)
        #expect(try !ended.editing { $0.agent.environment["TZ"] = .literal("CET") }.replacesAgent)
        #expect(try !PlannerFixture(SampleManifest.routed).editing { _ in }.replacesAgent)
    }

    @Test("a limit that is taken away replaces the agent, since the engine can't take it away")
    func limitTaken() throws {
        let text = try plan(SampleManifest.routed) { $0.agent.resources.memory = nil }
        #expect(text.contains("stop container/agent spec-changed"))
    }

    @Test("a changed root for upstream TLS stops the egress-proxy while the file is put right")
    func trust() throws {
        let text = try plan(SampleManifest.routed) { $0.egress.trust = [.pem("ROOT")] }
        #expect(
            text
                == """
                0 stop container/egress-proxy file-changed
                1 copy container/egress-proxy file-changed /etc/egress-proxy/upstream-roots.pem after 0
                2 start container/egress-proxy files-copied after 1
                """
        )
    }

    @Test("an egress network of others takes our own one's place")
    func externalNetwork() throws {
        let text = try plan(SampleManifest.routed) { $0.egress.network = "corp" }
        #expect(
            text
                == """
                0 disconnect container/firewall foreign-network
                1 connect container/firewall disconnected (egress)
                2 remove network/egress not-desired after 0,1
                """
        )
    }

    @Test("the first route moves the firewall behind an egress-proxy, and the agent to that")
    func firstRoute() throws {
        let text = try plan(SampleManifest.unrouted) {
            $0.routes = [Route(host: SampleManifest.host("docs.example.com"))]
        }
        #expect(
            text
                == """
                0 build image/egress-proxy missing
                1 remove container/firewall spec-changed after 0
                2 stop container/agent spec-changed after 0
                3 remove container/agent spec-changed after 2
                4 create network/link missing after 1,3
                5 create volume/bottle-dev-egress-proxy-config missing
                6 create volume/bottle-dev-egress-proxy-run missing
                7 create container/firewall spec-changed after 0,1,3,4
                8 create container/egress-proxy missing after 0,1,3,4,5,6
                9 create container/agent spec-changed after 0,1,3 starts after 7,8
                """
        )
    }

    @Test("the last route takes the egress-proxy, its config and the link away, and leaves its count of uses")
    func lastRoute() throws {
        let text = try plan(SampleManifest.routed) { $0.routes = [] }
        #expect(
            text
                == """
                0 remove container/egress-proxy not-desired
                1 remove container/firewall spec-changed
                2 stop container/agent spec-changed
                3 remove container/agent spec-changed after 2
                4 create container/firewall spec-changed after 0,1,3
                5 create container/agent spec-changed after 0,1,3 starts after 4
                6 remove network/link not-desired after 0,1,2,3,4,5
                7 remove volume/bottle-dev-egress-proxy-config not-desired after 0,1,2,3,4,5,6
                """
        )
    }

    @Test("teardown removes exactly what is the bottle's")
    func teardown() throws {
        var fixture = try PlannerFixture.converged(SampleManifest.routed)
        fixture.containers.append(
            ObservedContainer(id: "c-foreign", name: "bottle-dev-supervise")
        )
        let desired = try fixture.desired()
        let plan = Planner.teardown(
            SampleManifest.identity,
            observed: fixture.observed(desired),
            record: fixture.record
        )
        #expect(
            plan.text
                == """
                0 stop container/agent deleted
                1 remove container/agent deleted after 0
                2 remove container/egress-proxy deleted
                3 remove container/firewall deleted
                4 remove network/egress deleted after 1,2,3
                5 remove network/internal deleted after 1,2,3
                6 remove network/link deleted after 1,2,3
                7 remove volume/bottle-dev-egress-proxy-config deleted after 1,2,3
                8 remove volume/bottle-dev-egress-proxy-run deleted after 1,2,3
                9 remove volume/bottle-dev-firewall-config deleted after 1,2,3
                10 remove volume/bottle-dev-firewall-run deleted after 1,2,3
                11 remove volume/bottle-dev-home deleted after 1,2,3
                """
        )
        #expect(plan.replacesAgent)
    }
}

extension PlannerFixture {
    /// The plan after an edit.
    fileprivate func editing(_ change: (inout BottleManifest) -> Void) throws -> Plan {
        var fixture = self
        fixture.edit(change)
        return try fixture.plan()
    }
}
