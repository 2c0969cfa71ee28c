import ReconcilerManifest
import ReconcilerModel
import Testing

@Suite("Lists that are edited by themselves")
struct EntryListReaderTests {
    @Test("routes read back as they were written")
    func routes() throws {
        let routes = [
            Route(
                host: try HostPattern("api.example.com"),
                port: 8443,
                methods: .only(["GET", "POST"]),
                pathAllowlist: ["/a/", "/b"],
                auth: RouteAuth(scheme: "Bearer", token: try SecretReference("TOKEN")),
                allowsWebSocket: true
            ), Route(host: try HostPattern("*.docs.example.org")),
        ]
        let text = EntryListReader.text(of: routes)
        #expect(EntryListReader.routes(file: "r", bytes: Array(text.utf8)).routes == routes)
        let none = EntryListReader.text(of: [Route]())
        #expect(EntryListReader.routes(file: "r", bytes: Array(none.utf8)).routes == [])
    }

    @Test(
        "what a manifest could not say is an error with its line",
        arguments: [
            ("routes:\n  - host: a.example\n  - host: a.example\n", 3, "duplicate-route"),
            ("routes:\n  - hots: a.example\n", 2, "unknown-key"),
            ("routes:\n  - host: a.example\n    auth: {token_ref: T}\n", 3, "missing-key"),
            ("hosts: []\n", 1, "unknown-key"), ("", 1, "empty-manifest"),
        ]
    )
    func badRoutes(_ row: (text: String, line: Int, code: String)) {
        let reading = EntryListReader.routes(file: "r", bytes: Array(row.text.utf8))
        #expect(reading.routes == nil)
        #expect(reading.diagnostics.contains { $0.code == row.code }, "\(reading.diagnostics)")
        #expect(reading.diagnostics.contains { $0.location?.line == row.line }, "\(reading.diagnostics)")
    }

    @Test("hosts are one a line, with comments and blank lines, in whatever case")
    func hosts() throws {
        let text = "# all of it\n\nDocs.Example.com   # manual\n*.files.example.org\n"
        let reading = EntryListReader.hosts(file: "h", bytes: Array(text.utf8))
        #expect(reading.hosts?.map(\.text) == ["docs.example.com", "*.files.example.org"])
        #expect(EntryListReader.hosts(file: "h", bytes: []).hosts == [])
        let hosts = try ["a.example", "*.b.example.org"].map { try HostPattern($0) }
        #expect(EntryListReader.hosts(file: "h", bytes: Array(EntryListReader.text(of: hosts).utf8)).hosts == hosts)
    }

    @Test(
        "a line that is no host is an error at that line",
        arguments: [
            "a.example\nhttps://b.example/\n", "a.example\na.example\n", "a.example\nb.example c.example\n",
            "a.example\n*.com\n",
        ]
    )
    func badHosts(_ text: String) {
        let reading = EntryListReader.hosts(file: "h", bytes: Array(text.utf8))
        #expect(reading.hosts == nil)
        #expect(reading.diagnostics.first?.location?.line == 2, "\(reading.diagnostics)")
    }
}
