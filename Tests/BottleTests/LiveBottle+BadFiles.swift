import Testing

extension LiveBottle {
    @Suite("with a bad file put in by hand")
    struct BadFiles {
        struct BadFile: Sendable, CustomTestStringConvertible {
            let testDescription: String
            let role: String
            let content: String

            var path: String { role == "firewall" ? "/etc/firewall/allowlist" : "/etc/egress-proxy/routes.yaml" }
        }

        static let open =
            #"{"host": "evil.bt.test", "port": 443, "methods": null, "paths": [], "auth": null, "#
            + #""client_auth": true, "websocket": false"#

        static let files = [
            BadFile(testDescription: "routes: no JSON", role: "egress-proxy", content: "{"),
            BadFile(testDescription: "routes: empty", role: "egress-proxy", content: ""),
            BadFile(
                testDescription: "routes: an unknown key beside an open route",
                role: "egress-proxy",
                content: #"{"version": 1, "allowlist": [], "routes": [\#(open), "bogus": 1}]}"#
            ),
            BadFile(
                testDescription: "routes: a wildcard for everything",
                role: "egress-proxy",
                content: #"{"version": 1, "allowlist": ["evil.bt.test", "*"], "routes": []}"#
            ),
            BadFile(
                testDescription: "allowlist: everything",
                role: "firewall",
                content: "files.bt.test 443\nevil.bt.test 443\n* 443\n"
            ),
            BadFile(
                testDescription: "allowlist: squid's own directives",
                role: "firewall",
                content: "evil.bt.test 443\nhttp_access allow all\n"
            ),
        ]

        @Test("keeps what was in force, opens nothing, stays up, and is restored", arguments: files)
        func refused(_ file: BadFile) async throws {
            let bottle = try SharedBottle.current()
            try await bottle.settle()
            let fixture = bottle.fixture
            let container = bottle.container(file.role)
            let good = try await bottle.loaded(file.role).wanted
            let before = try await fixture.snapshot()

            try await fixture.docker(
                "exec",
                "-i",
                container,
                "sh",
                "-c",
                "cat >\(file.path)",
                input: file.content
            )
            try await fixture.docker("kill", "-s", "HUP", container)
            let said = try await bottle.waitForRefusal(file.role)
            // In force is still what was: "/<hash in force>/<reason>/<hash refused>".
            #expect(said.split(separator: "/").first == good.split(separator: "/").first)
            #expect(said.split(separator: "/").count == 3)

            let mark = fixture.name()
            #expect(try await bottle.request(["https://evil.bt.test/\(mark)"]) == 403)
            #expect(try await bottle.internet.requests(holding: mark, due: false).isEmpty)
            #expect(try await bottle.request(["https://files.bt.test/\(mark)"]) == 200)
            #expect(try await fixture.snapshot() == before)

            let healing = try await bottle.applied { _ in }
            #expect(try healing.actions() == ["copy container/\(file.role)", "signal container/\(file.role)"])
            try await bottle.expectWhole()
            #expect(try await fixture.snapshot() == before)
        }
    }
}
