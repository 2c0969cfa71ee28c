import Testing

extension LiveBottle {
    @Suite("that was changed behind its back")
    struct DriftHealed {
        /// What is done to the bottle by hand, `ID` being its name; and what heals it.
        struct Damage: Sendable, CustomTestStringConvertible {
            let testDescription: String
            let line: String
            let kinds: [String]
            let actions: [String]
            /// The containers that are another life afterwards.
            var touched: Set<String> = []
            /// The networks that were recreated.
            var networks: Set<String> = []
        }

        @Test(
            "is put right with the fewest actions, and nothing else is touched",
            arguments: containers + networks + files + limits
        )
        func heals(_ damage: Damage) async throws {
            let bottle = try SharedBottle.current()
            try await bottle.settle()
            let before = try await bottle.fixture.snapshot()

            let done = try await bottle.fixture.run(["sh", "-ec", bottle.named(damage.line)])
            try #require(done.status == 0, "\(done)")
            let healing = try await bottle.applied { _ in }
            #expect(try healing.actions() == damage.actions)
            let drift = try healing.document()["bottles"][0]["drift"]
            #expect(drift.list.map(\.["kind"].text) == damage.kinds)
            #expect(drift[0].keys == ["kind", "object", "cause"])
            try await bottle.expectWhole()
            let after = try await bottle.fixture.snapshot()
            #expect(before.changed(in: after) == Set(damage.touched.map(bottle.container)))
            let networks = Set(before.networks.keys.filter { before.networks[$0] != after.networks[$0] })
            #expect(networks == Set(damage.networks.map { "bottle-\(bottle.sample.name)-\($0)" }))
            #expect(Set(after.networks.keys) == Set(before.networks.keys))
            #expect(after.volumes == before.volumes)
        }

        @Test("comes back whole when a sidecar went with its volumes")
        func volumesGone() async throws {
            let bottle = try SharedBottle.current()
            try await bottle.settle()
            let before = try await bottle.fixture.snapshot()
            let line = """
                docker rm -f bottle-ID-egress-proxy
                docker volume rm bottle-ID-egress-proxy-config bottle-ID-egress-proxy-run
                """
            let done = try await bottle.fixture.run(["sh", "-ec", bottle.named(line)])
            try #require(done.status == 0, "\(done)")

            let healing = try await bottle.applied { _ in }
            #expect(
                try Set(healing.actions())
                    == [
                        "create container/egress-proxy", "create volume/\(bottle.container("egress-proxy"))-config",
                        "create volume/\(bottle.container("egress-proxy"))-run",
                    ]
            )
            try await bottle.expectWhole()
            let after = try await bottle.fixture.snapshot()
            #expect(before.changed(in: after) == [bottle.container("egress-proxy")])
        }

        @Test("with the firewall away lets nothing out")
        func failsClosed() async throws {
            let bottle = try SharedBottle.current()
            try await bottle.settle()
            try await bottle.fixture.docker("rm", "-f", bottle.container("firewall"))
            let mark = bottle.fixture.name()
            #expect(try await bottle.request(["--max-time", "6", "https://files.bt.test/\(mark)"]) != 200)
            #expect(try await bottle.internet.requests(holding: mark, due: false).isEmpty)
        }
    }
}
