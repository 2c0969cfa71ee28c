import Testing

extension LiveBottle {
    @Suite("from which something is taken away")
    struct Revoking {
        private func download(_ url: String, _ bottle: SharedBottle) async throws -> HeldOpen {
            try await .download(url, in: bottle.agent, of: bottle.fixture)
        }

        @Test("cuts the download below a path that is gone, and no other")
        func path() async throws {
            let bottle = try SharedBottle.current()
            try await bottle.settle()
            let gone = try await download("https://api.bt.test/repos/acme/drip/x", bottle)
            let kept = try await download("https://docs.bt.test/drip/x", bottle)
            #expect(try await !gone.isCut)

            let there = try await bottle.applied { $0.routes[0].replace("/repos/acme/", with: "/repos/beta/") }
            #expect(try there.actions() == Edits.copySignalProxy)
            try await gone.expectCut()
            try await kept.expectGoingOn()
        }

        /// A host, and the edit that takes it away.
        struct Loss: Sendable, CustomTestStringConvertible {
            let testDescription: String
            let host: String
            let change: @Sendable (inout SampleBottle) -> Void
        }

        static let losses = [
            Loss(testDescription: "a route", host: "docs.bt.test") { $0.routes.removeLast() },
            Loss(testDescription: "an allowlist entry", host: "files.bt.test") { $0.allowlist = [] },
        ]

        @Test("cuts the open tunnel and the running download of a host that is gone", arguments: losses)
        func host(_ loss: Loss) async throws {
            let bottle = try SharedBottle.current()
            try await bottle.settle()
            let download = try await download("https://\(loss.host)/drip/x", bottle)
            let tunnel = try await HeldOpen.tunnel(to: loss.host, in: bottle.agent, of: bottle.fixture)
            try await download.expectGoingOn()
            #expect(try await !tunnel.isCut)

            let there = try await bottle.applied(loss.change)
            #expect(try there.actions() == Edits.copySignalProxy + Edits.copyRestartFirewall)
            try await download.expectCut()
            try await tunnel.expectCut()
            #expect(try await bottle.request(["https://\(loss.host)/x"]) == 403)
        }

        @Test("cuts nothing when something is added")
        func addition() async throws {
            let bottle = try SharedBottle.current()
            try await bottle.settle()
            let download = try await download("https://docs.bt.test/drip/x", bottle)
            let tunnel = try await HeldOpen.tunnel(to: "files.bt.test", in: bottle.agent, of: bottle.fixture)
            try await bottle.applied { $0.allowlist.append("more.bt.test") }
            try await download.expectGoingOn()
            #expect(try await !tunnel.isCut)
        }
    }
}

@Suite("A bottle from which a host is taken away", .needsEngine)
struct RevokingTests {
    @Test("and that has no egress-proxy: its firewall's restart cuts what is open")
    func firewallAlone() async throws {
        try await BottleFixture.run { fixture in
            let internet = try await Internet.start(in: fixture)
            let sample = SampleBottle(
                name: fixture.name(),
                allowlist: ["files.bt.test", "more.bt.test"],
                egress: internet.egress
            )
            try await fixture.applied(sample)
            let agent = "bottle-\(sample.name)-agent"
            let download = try await HeldOpen.download("https://files.bt.test/drip/x", in: agent, of: fixture)
            let tunnel = try await HeldOpen.tunnel(to: "files.bt.test", in: agent, of: fixture)
            try await download.expectGoingOn()
            #expect(try await !tunnel.isCut)

            let there = try await fixture.applied(sample.with { $0.allowlist = ["more.bt.test"] })
            #expect(try there.actions() == LiveBottle.Edits.copyRestartFirewall)
            try await download.expectCut()
            try await tunnel.expectCut()
        }
    }

    @Test("and that has no firewall: its egress-proxy cuts that host's, and the others go on")
    func proxyAlone() async throws {
        try await BottleFixture.run { fixture in
            let internet = try await Internet.start(in: fixture)
            var sample = SampleBottle(
                name: fixture.name(),
                egress: internet.egress,
                routes: ["{host: api.bt.test}", "{host: docs.bt.test}"]
            )
            sample.firewall = "none"
            try await fixture.applied(sample)
            let agent = "bottle-\(sample.name)-agent"
            let download = try await HeldOpen.download("https://docs.bt.test/drip/x", in: agent, of: fixture)
            let tunnel = try await HeldOpen.tunnel(to: "docs.bt.test", in: agent, of: fixture)
            let kept = try await HeldOpen.download("https://api.bt.test/drip/x", in: agent, of: fixture)
            #expect(try await !tunnel.isCut)

            let there = try await fixture.applied(sample.with { $0.routes.removeLast() })
            #expect(try there.actions() == LiveBottle.Edits.copySignalProxy)
            try await download.expectCut()
            try await tunnel.expectCut()
            try await kept.expectGoingOn()
        }
    }
}
