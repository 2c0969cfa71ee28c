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
        }

        static let damages = [
            Damage(
                testDescription: "egress-proxy removed",
                line: "docker rm -f bottle-ID-egress-proxy",
                kinds: ["missing"],
                actions: ["create container/egress-proxy"],
                touched: ["egress-proxy"]
            ),
            Damage(
                testDescription: "firewall removed",
                line: "docker rm -f bottle-ID-firewall",
                kinds: ["missing"],
                actions: ["create container/firewall"],
                touched: ["firewall"]
            ),
            Damage(
                testDescription: "firewall stopped",
                line: "docker stop -t 1 bottle-ID-firewall",
                kinds: ["stopped"],
                actions: ["start container/firewall"],
                touched: ["firewall"]
            ),
            Damage(
                testDescription: "egress-proxy paused",
                line: Scene.freezing("bottle-ID-egress-proxy"),
                kinds: ["paused"],
                actions: ["unpause container/egress-proxy"]
            ),
            Damage(
                testDescription: "egress-proxy off its link",
                line: "docker network disconnect -f bottle-ID-link bottle-ID-egress-proxy",
                kinds: ["disconnected"],
                actions: ["connect container/egress-proxy"]
            ),
            Damage(
                testDescription: "egress-proxy off the agent's network",
                line: "docker network disconnect -f bottle-ID-internal bottle-ID-egress-proxy",
                kinds: ["disconnected"],
                actions: ["connect container/egress-proxy", "restart container/egress-proxy"],
                touched: ["egress-proxy"]
            ),
            Damage(
                testDescription: "firewall off its clients' network",
                // Its supervisor sees it within a second or two and ends.
                line: "docker network disconnect -f bottle-ID-link bottle-ID-firewall; docker wait bottle-ID-firewall",
                kinds: ["disconnected", "stopped"],
                actions: ["connect container/firewall", "start container/firewall"],
                touched: ["firewall"]
            ),
            Damage(
                testDescription: "firewall off the network out",
                line: "docker network disconnect -f NET bottle-ID-firewall",
                kinds: ["disconnected"],
                actions: ["connect container/firewall"]
            ),
            Damage(
                testDescription: "agent on Docker's bridge",
                line: "docker network connect bridge bottle-ID-agent",
                kinds: ["foreign-network"],
                actions: ["disconnect container/agent"]
            ),
            Damage(
                testDescription: "agent on the network out",
                line: "docker network connect NET bottle-ID-agent",
                kinds: ["foreign-network"],
                actions: ["disconnect container/agent"]
            ),
            Damage(
                testDescription: "routes edited in the sidecar",
                line: "docker exec bottle-ID-egress-proxy sh -c 'echo >>/etc/egress-proxy/routes.yaml'",
                kinds: ["file-changed"],
                actions: ["copy container/egress-proxy", "signal container/egress-proxy"]
            ),
            Damage(
                testDescription: "allowlist gone from the sidecar",
                line: "docker exec bottle-ID-firewall rm /etc/firewall/allowlist",
                kinds: ["file-missing"],
                actions: ["copy container/firewall", "signal container/firewall"]
            ),
            Damage(
                testDescription: "CA overwritten in the agent",
                line: "docker exec -u root bottle-ID-agent sh -c 'echo >/etc/bottle/ca-bundle.pem'",
                kinds: ["file-changed"],
                actions: ["copy container/agent"]
            ),
            Damage(
                testDescription: "egress-proxy with less memory",
                line: "docker update --memory 128m --memory-swap 128m bottle-ID-egress-proxy",
                kinds: ["limits-changed"],
                actions: ["update container/egress-proxy"]
            ),
            Damage(
                testDescription: "agent removed",
                line: "docker rm -f bottle-ID-agent",
                kinds: ["missing"],
                actions: ["create container/agent"],
                touched: ["agent"]
            ),
        ]

        @Test("is put right with the fewest actions, and nothing else is touched", arguments: damages)
        func heals(_ damage: Damage) async throws {
            let bottle = try SharedBottle.current()
            try await bottle.settle()
            let before = try await bottle.scene.world()

            let done = try await bottle.scene.run(["sh", "-ec", bottle.named(damage.line)])
            try #require(done.status == 0, "\(done)")
            let healing = try await bottle.applied { _ in }
            #expect(try healing.actions() == damage.actions)
            let drift = try healing.document()["bottles"][0]["drift"]
            #expect(drift.list.map(\.["kind"].text) == damage.kinds)
            #expect(drift[0].keys == ["kind", "object", "cause"])
            try await bottle.expectWhole()
            let after = try await bottle.scene.world()
            #expect(before.changed(in: after) == Set(damage.touched.map(bottle.container)))
            #expect(after.networks == before.networks)
            #expect(after.volumes == before.volumes)
        }

        @Test("comes back whole when a network went while its containers were stopped")
        func networkGone() async throws {
            let bottle = try SharedBottle.current()
            try await bottle.settle()
            let before = try await bottle.scene.world()
            let line = "docker stop -t 1 bottle-ID-egress-proxy bottle-ID-firewall; docker network rm bottle-ID-link"
            let done = try await bottle.scene.run(["sh", "-ec", bottle.named(line)])
            try #require(done.status == 0, "\(done)")

            let healing = try await bottle.applied { _ in }
            #expect(try !healing.actions().contains { $0.hasSuffix("/agent") || $0.hasSuffix("/internal") })
            try await bottle.expectWhole()
            let after = try await bottle.scene.world()
            #expect(before.changed(in: after) == [bottle.container("egress-proxy"), bottle.container("firewall")])
            #expect(after.parts(of: bottle.sample.name) == before.parts(of: bottle.sample.name))
        }

        @Test("comes back whole when a sidecar went with its volumes")
        func volumesGone() async throws {
            let bottle = try SharedBottle.current()
            try await bottle.settle()
            let before = try await bottle.scene.world()
            let line = """
                docker rm -f bottle-ID-egress-proxy
                docker volume rm bottle-ID-egress-proxy-config bottle-ID-egress-proxy-run
                """
            let done = try await bottle.scene.run(["sh", "-ec", bottle.named(line)])
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
            let after = try await bottle.scene.world()
            #expect(before.changed(in: after) == [bottle.container("egress-proxy")])
        }

        @Test("with the firewall away lets nothing out")
        func failsClosed() async throws {
            let bottle = try SharedBottle.current()
            try await bottle.settle()
            try await bottle.scene.docker("rm", "-f", bottle.container("firewall"))
            let mark = bottle.scene.name()
            #expect(try await bottle.request(["--max-time", "6", "https://files.bt.test/\(mark)"]) != 200)
            #expect(try await bottle.internet.requests(holding: mark, due: false).isEmpty)
        }
    }
}
