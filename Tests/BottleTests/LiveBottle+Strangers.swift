import ReconcilerEngine
import Testing

extension LiveBottle {
    @Suite("among things that are not its own, or that it can't take for its own")
    struct Strangers {
        /// A second network under the name of a bottle's own, with everything that its own has but its id.
        private func makeTwin(of network: NetworkSummary, subnet: String?, _ fixture: BottleFixture) async throws
            -> String
        {
            try await fixture.engine.createNetwork(
                NetworkCreate(
                    name: network.name,
                    checkDuplicate: false,
                    isInternal: network.isInternal,
                    ipam: subnet.map { IPAM(pools: [.init(subnet: $0)]) } ?? network.ipam,
                    options: network.options,
                    labels: network.labels
                )
            )
        }

        @Test("removes a network's twin, and touches nothing else")
        func twin() async throws {
            let bottle = try SharedBottle.current()
            try await bottle.settle()
            let fixture = bottle.fixture
            let own = try await fixture.engine.network("bottle-\(bottle.sample.name)-link")
            let before = try await fixture.snapshot()
            let id = try await makeTwin(of: own, subnet: "10.199.253.240/28", fixture)
            let healing = try await bottle.applied { _ in }
            #expect(try healing.actions() == ["remove network/link"])
            #expect(try healing.document()["bottles"][0]["drift"].list.map(\.["kind"].text) == ["not-desired"])
            #expect(try await fixture.snapshot() == before)
            #expect(!(try await fixture.engine.networks()).contains { $0.id == id })
            try await bottle.expectWhole()
        }

        @Test("moves to the network that took its network's place under the same name")
        func replaced() async throws {
            let bottle = try SharedBottle.current()
            try await bottle.settle()
            let fixture = bottle.fixture
            let own = try await fixture.engine.network("bottle-\(bottle.sample.name)-link")
            let before = try await fixture.snapshot()
            let line = "docker stop -t 1 bottle-ID-egress-proxy bottle-ID-firewall; docker network rm bottle-ID-link"
            try #require(try await fixture.run(["sh", "-ec", bottle.named(line)]).status == 0)
            let id = try await makeTwin(of: own, subnet: nil, fixture)
            let healing = try await bottle.applied { _ in }
            #expect(
                try healing.actions() == [
                    "remove container/firewall", "remove container/egress-proxy", "create container/firewall",
                    "create container/egress-proxy",
                ]
            )
            let kinds = try healing.document()["bottles"][0]["drift"].list.map(\.["kind"].text)
            #expect(kinds == ["network-gone", "network-gone"])
            try await bottle.expectWhole()
            let after = try await fixture.snapshot()
            #expect(before.changed(in: after) == [bottle.container("firewall"), bottle.container("egress-proxy")])
            #expect(after.networks[own.name] == id)
        }

        /// Something of others under one of the bottle's names.
        struct Taken: Sendable, CustomTestStringConvertible {
            let testDescription: String
            let take: String
            let look: String
            let giveBack: String
        }

        static let taken = [
            Taken(
                testDescription: "container",
                take: "docker rm -f bottle-ID-firewall; docker create --name bottle-ID-firewall bottle/agent",
                look: "docker inspect bottle-ID-firewall",
                giveBack: "docker rm -f bottle-ID-firewall"
            ),
            Taken(
                testDescription: "network",
                take: """
                    docker stop -t 1 bottle-ID-egress-proxy bottle-ID-firewall
                    docker network rm bottle-ID-link
                    docker network create --internal --subnet 10.199.252.240/28 bottle-ID-link
                    """,
                look: "docker network inspect bottle-ID-link",
                giveBack: "docker network rm bottle-ID-link"
            ),
        ]

        @Test("is in error, and changes nothing, while others hold one of its names", arguments: taken)
        func nameTaken(_ taken: Taken) async throws {
            let bottle = try SharedBottle.current()
            try await bottle.settle()
            let fixture = bottle.fixture
            func shell(_ line: String) async throws -> Run {
                try await fixture.run(["sh", "-ec", bottle.named(line)])
            }
            let done = try await shell(taken.take)
            try #require(done.status == 0, "\(done)")
            let before = try await fixture.snapshot()
            let look = try await shell(taken.look)
            let refused = try await fixture.apply(bottle.sample, environment: bottle.secrets)
            #expect(refused.status == 1)
            #expect(try refused.document()["code"].text == "name-taken")
            #expect(try await fixture.snapshot() == before)
            #expect(try await shell(taken.look).output == look.output)
            #expect(try await shell(taken.giveBack).status == 0)
            try await bottle.settle()
            try await bottle.expectWhole()
        }

        @Test("tells of a stranger on its internal network, is degraded, and touches neither it nor anything else")
        func guest() async throws {
            let bottle = try SharedBottle.current()
            try await bottle.settle()
            let fixture = bottle.fixture
            let before = try await fixture.snapshot()
            let guest = fixture.name()
            let network = "bottle-\(bottle.sample.name)-internal"
            try await fixture.docker("run", "-d", "--name", guest, "--network", network, "bottle/agent", "sleep", "600")
            let told = try await bottle.applied { _ in }
            let drift = try told.document()["bottles"][0]["drift"]
            #expect(try told.actions() == [])
            #expect(drift.list.map(\.["kind"].text) == ["foreign-container"])
            #expect(drift[0]["cause"].text.contains(guest))
            let item = try await fixture.bottle("get", bottle.sample.name, "-o", "json").document()["items"][0]
            #expect(item.condition("Degraded") == "True")
            #expect(try await fixture.docker("inspect", "-f", "{{.State.Status}}", guest) == "running")
            #expect(try await fixture.snapshot() == before)
            try await fixture.engine.remove(guest, force: true, volumes: true)
            try await bottle.settle()
            let after = try await fixture.bottle("get", bottle.sample.name, "-o", "json").document()["items"][0]
            #expect(after.condition("Degraded") == "False")
        }

        @Test("leaves a living agent that was renamed as it is, and says that it is to be replaced")
        func renamedAgent() async throws {
            let bottle = try SharedBottle.current()
            try await bottle.settle()
            let fixture = bottle.fixture
            let before = try await fixture.docker("inspect", "-f", "{{.Id}} {{.State.StartedAt}}", bottle.agent)
            try await fixture.docker("rename", bottle.agent, "\(bottle.agent)-other")
            let told = try await bottle.applied { _ in }
            #expect(try told.actions() == [])
            let drift = try told.document()["bottles"][0]["drift"].list
            #expect(drift.map { "\($0["kind"].text) \($0["object"].text)" } == ["renamed container/agent"])
            let item = try await fixture.bottle("get", bottle.sample.name, "-o", "json").document()["items"][0]
            #expect(item.condition("ReplacementPending") == "True")
            try await fixture.docker("rename", "\(bottle.agent)-other", bottle.agent)
            try await bottle.expectWhole()
            #expect(try await fixture.docker("inspect", "-f", "{{.Id}} {{.State.StartedAt}}", bottle.agent) == before)
        }

        @Test("hands a rotated secret to a new egress-proxy, and touches nothing else")
        func rotated() async throws {
            let bottle = try SharedBottle.current()
            try await bottle.settle()
            let fixture = bottle.fixture
            let before = try await fixture.snapshot()
            let secret = ["BT_TOKEN": "another-\(fixture.name())"]
            let healing = try await fixture.applied(bottle.sample, environment: secret)
            #expect(try healing.actions() == ["remove container/egress-proxy", "create container/egress-proxy"])
            let drift = try healing.document()["bottles"][0]["drift"].list
            #expect(drift.map { "\($0["kind"].text) \($0["object"].text)" } == ["spec-changed container/egress-proxy"])
            let mark = fixture.name()
            #expect(try await bottle.request(["https://api.bt.test/repos/acme/\(mark)"]) == 200)
            let seen = try await bottle.internet.requests(holding: mark, due: true)
            #expect(seen.map { $0.headers["authorization"] } == ["Bearer \(secret["BT_TOKEN"] ?? "")"])
            let after = try await fixture.snapshot()
            #expect(before.changed(in: after) == [bottle.container("egress-proxy")])
            #expect(after.networks == before.networks)
            #expect(after.volumes == before.volumes)
        }
    }
}
