import FoundationEssentials
import ModelTestSupport
import Reconciler
import ReconcilerEngine
import ReconcilerManifest
import ReconcilerModel
import Testing

/// What a manifest would have to say for refused requests to pass.
@Suite("A suggestion")
struct RefusalSuggestionTests {
    struct Row: CustomTestStringConvertible, Sendable {
        let rule: String
        var host = "new.test"
        var methods = ["GET"]
        var paths = ["/"]
        var port: Int?
        /// What is changed, as a sorted list; nil: nothing can be.
        let change: [String]?

        var testDescription: String { "\(rule) \(host) \(methods) \(paths)" }

        var group: RefusalGroup? {
            var groups = RefusalGroups()
            for method in methods {
                for path in paths {
                    groups.add(RefusalGroupsTests.refusal(host, rule, method: method, path: path, port: port))
                }
            }
            return groups.all.first
        }
    }

    /// Routes: api.example.com (GET and HEAD below /repos/acme/), docs.example.com, *.wild.test; allowed: raw.example.org.
    static let manifest = SampleManifest.edited { manifest in
        manifest.routes.append(Route(host: SampleManifest.host("*.wild.test"), pathAllowlist: ["/v1"]))
    }

    static let possible: [Row] = [
        Row(rule: "host", change: ["+ new.test"]),
        Row(rule: "host", methods: ["POST"], change: ["+ new.test"]),
        Row(rule: "unlisted-host", methods: ["CONNECT"], paths: [""], change: ["+ new.test"]),
        Row(rule: "host", host: "raw.example.org", change: []),
        Row(rule: "host", host: "docs.example.com", change: []),
        Row(rule: "host", host: "a.wild.test", change: []),
        Row(rule: "host", host: "wild.test", change: ["+ wild.test"]),
        Row(rule: "host", port: 443, change: ["+ new.test"]),
        Row(rule: "host", port: 80, change: ["+ new.test"]),
        Row(rule: "unlisted-host", methods: ["CONNECT"], port: 8443, change: ["route new.test port 8443"]),
        Row(rule: "port", methods: ["CONNECT"], port: 8443, change: ["route new.test port 8443"]),
        Row(rule: "unlisted-port", methods: ["CONNECT"], port: 8443, change: ["route new.test port 8443"]),
        Row(
            rule: "port",
            host: "raw.example.org",
            methods: ["CONNECT"],
            port: 8443,
            change: ["- raw.example.org", "route raw.example.org port 8443"]
        ),
        Row(
            rule: "port",
            host: "a.wild.test",
            methods: ["CONNECT"],
            port: 8443,
            change: ["route a.wild.test port 8443"]
        ),
        Row(
            rule: "path",
            host: "api.example.com",
            paths: ["/repos/other/x"],
            change: ["route api.example.com paths /repos/acme/ /repos/other/x"]
        ),
        Row(
            rule: "path",
            host: "api.example.com",
            paths: ["/user", "/user/keys", "/repos/acme/x"],
            change: ["route api.example.com paths /repos/acme/ /user"]
        ),
        Row(
            rule: "path",
            host: "api.example.com",
            paths: ["/search/odd%20name/x"],
            change: ["route api.example.com paths /repos/acme/ /search/"]
        ),
        Row(rule: "path", host: "a.wild.test", paths: ["/v2/x"], change: ["route *.wild.test paths /v1 /v2/x"]),
        Row(
            rule: "method",
            host: "api.example.com",
            methods: ["POST", "PATCH"],
            change: ["route api.example.com methods GET HEAD PATCH POST"]
        ),
        Row(rule: "method", host: "api.example.com", change: []),
        Row(rule: "upgrade", host: "docs.example.com", change: ["route docs.example.com websocket"]),
        Row(
            rule: "upgrade",
            host: "raw.example.org",
            change: ["- raw.example.org", "route raw.example.org websocket"]
        ),
    ]

    static let impossible: [Row] = [
        Row(rule: "git-push", change: nil), Row(rule: "identity", change: nil), Row(rule: "tls", change: nil),
        Row(rule: "header", change: nil), Row(rule: "version", change: nil), Row(rule: "malformed", change: nil),
        Row(rule: "no-table", change: nil), Row(rule: "internal", change: nil), Row(rule: "firewall", change: nil),
        Row(rule: "upstream", change: nil), Row(rule: "form", change: nil), Row(rule: "not-a-name", change: nil),
        Row(rule: "private-address", change: nil), Row(rule: "unresolved", change: nil), Row(rule: "sni", change: nil),
        Row(rule: "not-tls", change: nil), Row(rule: "crowded", change: nil), Row(rule: "a-rule-to-come", change: nil),
        Row(rule: "host", host: "10.0.0.1", change: nil),
        Row(rule: "host", host: "*.new.test", change: nil),
        Row(rule: "host", host: RefusedRequest.anyHost, change: nil),
        Row(rule: "host", host: "New.test", change: nil),
        Row(rule: "host", host: "new.test\nevil.test", change: nil),
        Row(rule: "host", host: "new.test: {}", change: nil),
        // Plain HTTP, which no entry lets through to another port.
        Row(rule: "host", port: 8080, change: nil),
        Row(rule: "host", host: "raw.example.org", port: 8080, change: nil),
        Row(rule: "port", host: "raw.example.org", port: 8080, change: nil),
        Row(rule: "grant-expired", host: "docs.example.com", change: nil),
        Row(rule: "grant-used-up", host: "docs.example.com", change: nil),
        Row(rule: "grant-uncounted", host: "docs.example.com", change: nil),
        Row(rule: "port", change: nil),
        Row(rule: "port", host: "docs.example.com", port: 8443, change: nil),
        Row(rule: "path", host: "docs.example.com", paths: ["/a/../b"], change: nil),
        Row(rule: "path", host: "api.example.com", paths: ["/a/../b"], change: nil),
        Row(rule: "path", host: "api.example.com", paths: ["//a"], change: nil),
        Row(rule: "path", host: "api.example.com", paths: ["/%2e%2e/b"], change: nil),
        Row(rule: "path", host: "api.example.com", paths: ["/repos/acme/x"], change: nil),
        Row(rule: "path", change: nil),
        Row(rule: "method", host: "docs.example.com", methods: ["TRACE"], change: nil),
        Row(rule: "method", host: "api.example.com", methods: ["TRACE"], change: nil),
        Row(rule: "method", host: "api.example.com", methods: ["get"], change: nil),
        Row(rule: "upgrade", change: nil),
    ]

    @Test("is the smallest change for every rule", arguments: possible + impossible)
    func isSmallest(_ row: Row) throws {
        let group = try #require(row.group)
        let suggestion = RefusalSuggestion(for: [group], in: Self.manifest)
        let outcome = try #require(suggestion.verdicts.first).outcome
        switch row.change {
        case nil:
            guard case .impossible(let reason) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(!reason.isEmpty)
            #expect(suggestion.after == Self.manifest)
        case []: #expect(outcome == .allowedAlready)
        default: #expect(outcome == .allowed)
        }
        #expect(Self.text(suggestion) == row.change ?? [])
        #expect(suggestion.yaml.isEmpty == (row.change ?? []).isEmpty)
        #expect(suggestion.authority.isEmpty == (row.change ?? []).isEmpty)
    }

    @Test("every rule that the sidecars have is known")
    func rulesAreKnown() {
        let known = Set((Self.possible + Self.impossible).map(\.rule))
        let told = [
            "identity", "host", "port", "path", "method", "git-push", "upgrade", "tls", "header", "version", "no-table",
            "internal", "malformed", "firewall", "upstream", "unlisted-host", "unlisted-port", "not-a-name", "form",
            "private-address", "unresolved", "sni", "not-tls", "crowded", "grant-expired", "grant-used-up",
            "grant-uncounted",
        ]
        #expect(known.isSuperset(of: told))
    }

    @Test("of several groups is one change, and a manifest with it is valid")
    func severalGroups() throws {
        let groups = Self.possible.compactMap(\.group)
        let suggestion = RefusalSuggestion(for: groups, in: Self.manifest)
        #expect(Set(suggestion.after.routes.map(\.host)).count == suggestion.after.routes.count)
        let text = ManifestDocument.yaml(of: suggestion.after)
        let reading = ManifestReader.read([ManifestSource(name: "after", bytes: Array(text.utf8))])
        #expect(reading.diagnostics.filter { $0.severity == .error } == [])
    }

    @Test("names a narrower route beside an open host where only reading was seen")
    func narrower() throws {
        let read = try #require(Row(rule: "host", change: nil).group)
        let suggestion = RefusalSuggestion(for: [read], in: Self.manifest)
        #expect(suggestion.narrower == [Route(host: SampleManifest.host("new.test"), methods: .only(["GET", "HEAD"]))])
        let write = try #require(Row(rule: "host", methods: ["GET", "POST"], change: nil).group)
        #expect(RefusalSuggestion(for: [write], in: Self.manifest).narrower == [])
    }

    private static func text(_ suggestion: RefusalSuggestion) -> [String] {
        let hosts = suggestion.addedHosts.map { "+ \($0)" } + suggestion.removedHosts.map { "- \($0)" }
        return
            (hosts
            + suggestion.changedRoutes.map { old, new in
                let old = old ?? Route(host: new.host)
                var parts = ["route \(new.host)"]
                if new.port != old.port { parts.append("port \(new.port)") }
                if new.methods != old.methods {
                    parts.append("methods " + (new.methods.list ?? []).joined(separator: " "))
                }
                if new.pathAllowlist != old.pathAllowlist {
                    parts.append("paths " + new.pathAllowlist.joined(separator: " "))
                }
                if new.allowsWebSocket != old.allowsWebSocket { parts.append("websocket") }
                return parts.joined(separator: " ")
            }).sorted()
    }
}
