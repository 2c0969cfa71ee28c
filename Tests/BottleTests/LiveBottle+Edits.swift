import Testing

extension LiveBottle {
    @Suite("of which one thing is edited")
    struct Edits {
        /// An edit, and what it takes to make it so.
        struct Edit: Sendable, CustomTestStringConvertible {
            let testDescription: String
            let actions: [String]
            let change: @Sendable (inout SampleBottle) -> Void
        }

        static let copySignalProxy = ["copy container/egress-proxy", "signal container/egress-proxy"]
        static let copySignalFirewall = ["copy container/firewall", "signal container/firewall"]
        static let copyRestartFirewall = ["copy container/firewall", "restart container/firewall"]

        static let reloads = [
            Edit(testDescription: "another path", actions: copySignalProxy) {
                $0.routes[0].replace("/repos/acme/", with: "/repos/acme/, /repos/beta/")
            },
            Edit(testDescription: "another method", actions: copySignalProxy) {
                $0.routes[0].replace("GET, HEAD", with: "GET, HEAD, POST")
            },
            Edit(testDescription: "routes in another order", actions: copySignalProxy) { $0.routes.reverse() },
            Edit(testDescription: "a route's host", actions: copySignalFirewall + copySignalProxy) {
                $0.routes.append("{host: more.bt.test}")
            },
            Edit(testDescription: "an allowlist entry", actions: copySignalFirewall + copySignalProxy) {
                $0.allowlist.append("more.bt.test")
            },
        ]

        @Test("reloads exactly the sidecars it concerns, and back", arguments: reloads)
        func reload(_ edit: Edit) async throws {
            let bottle = try SharedBottle.current()
            try await bottle.settle()
            let before = try await bottle.fixture.snapshot()

            let there = try await bottle.applied(edit.change)
            #expect(try there.actions() == edit.actions)
            try await bottle.expectLoaded()
            try await bottle.expectConverged(edit.change)
            #expect(try await bottle.fixture.snapshot() == before)

            let back = try await bottle.applied { _ in }
            let isOnlyProxy = edit.actions == Self.copySignalProxy
            #expect(
                try back.actions()
                    == (isOnlyProxy ? Self.copySignalProxy : Self.copySignalProxy + Self.copyRestartFirewall)
            )
            try await bottle.expectLoaded()
            try await bottle.expectConverged()
            let after = try await bottle.fixture.snapshot()
            #expect(before.changed(in: after) == (isOnlyProxy ? [] : [bottle.container("firewall")]))
            #expect(after.containers.mapValues(\.id) == before.containers.mapValues(\.id))
        }

        @Test("of its agent's environment: replaces the agent alone, on its home, and only with --yes")
        func agentEnvironment() async throws {
            let bottle = try SharedBottle.current()
            try await bottle.settle()
            try await bottle.fixture.docker("exec", bottle.agent, "sh", "-c", "echo kept >~/work")
            let before = try await bottle.fixture.snapshot()
            let head = try bottle.fixture.desiredHead()
            let changed = bottle.sample.with { $0.agent[2] = "env: {COLOUR: blue}" }

            let file = try bottle.fixture.write(changed)
            let refused = try await bottle.fixture.bottle(
                "apply",
                "-f",
                file,
                "-o",
                "json",
                environment: bottle.secrets
            )
            #expect(refused.status == 1)
            #expect(try refused.document()["code"].text == "needs-yes")
            #expect(try await bottle.fixture.snapshot() == before)
            #expect(try bottle.fixture.desiredHead() == head)

            let there = try await bottle.fixture.applied(changed, environment: bottle.secrets)
            #expect(try there.actions() == ["stop", "remove", "create"].map { "\($0) container/agent" })
            let after = try await bottle.fixture.snapshot()
            #expect(before.changed(in: after) == [bottle.agent])
            #expect(after.networks == before.networks)
            #expect(after.volumes == before.volumes)
            let seen = try await bottle.inAgent(["sh", "-c", "echo $COLOUR; cat ~/work"])
            #expect(seen.output == "blue\nkept\n")
            try await bottle.expectConverged { $0 = changed }
        }

        @Test("of a secret: recreates the egress-proxy alone, which then adds the new one", arguments: [false, true])
        func secret(isRenamed: Bool) async throws {
            let bottle = try SharedBottle.current()
            try await bottle.settle()
            let before = try await bottle.fixture.snapshot()
            let fresh = "fresh-\(UInt64.random(in: .min ... .max))"
            let name = isRenamed ? "BT_OTHER" : "BT_TOKEN"
            let sample = bottle.sample.with { if isRenamed { $0.routes[0].replace("BT_TOKEN", with: name) } }

            let there = try await bottle.fixture.applied(sample, environment: [name: fresh])
            #expect(try there.actions() == ["remove container/egress-proxy", "create container/egress-proxy"])
            let after = try await bottle.fixture.snapshot()
            #expect(before.changed(in: after) == [bottle.container("egress-proxy")])
            #expect(after.networks == before.networks)
            try await bottle.expectLoaded()
            let again = try await bottle.fixture.applied(sample, environment: [name: fresh])
            #expect(try again.actions() == [])

            let mark = bottle.fixture.name()
            #expect(try await bottle.request(["https://api.bt.test/repos/acme/\(mark)"]) == 200)
            let seen = try await bottle.internet.requests(holding: mark, due: true)
            #expect(seen.map { $0.headers["authorization"] } == ["Bearer \(fresh)"])
        }

        @Test("of its prompt: copies it into the living agent")
        func prompt() async throws {
            let bottle = try SharedBottle.current()
            try await bottle.settle()
            let before = try await bottle.fixture.snapshot()
            let change: (inout SampleBottle) -> Void = { $0.agent[1] = "prompt: {text: second}" }

            let there = try await bottle.applied(change)
            #expect(try there.actions() == ["copy container/agent"])
            #expect(try await bottle.fixture.snapshot() == before)
            let seen = try await bottle.inAgent(["sh", "-c", "cat $BOTTLE_PROMPT_FILE"])
            #expect(seen.output.hasPrefix("second"))
            try await bottle.expectConverged(change)
        }
    }
}

extension String {
    /// Replaces what must be there.
    mutating func replace(_ old: String, with new: String, sourceLocation: SourceLocation = #_sourceLocation) {
        guard let range = ranges(of: old).first else {
            Issue.record("'\(old)' is not in '\(self)'", sourceLocation: sourceLocation)
            return
        }
        replaceSubrange(range, with: new)
    }
}
