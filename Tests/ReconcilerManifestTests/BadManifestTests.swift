import ReconcilerManifest
import ReconcilerModel
import Testing

/// A manifest with one mistake at `@@`.
struct BadManifest: Sendable, CustomTestStringConvertible {
    let why: String
    let code: String
    let text: String
    /// What the suggestion must hold.
    let suggestion: String?

    init(_ why: String, _ code: String, _ text: String, _ suggestion: String? = nil) {
        self.why = why
        self.code = code
        self.text = text
        self.suggestion = suggestion
    }

    var testDescription: String { why }
}

@Suite struct BadManifestTests {
    static let structure = [
        BadManifest("an unknown key of the spec", "unknown-key", bottle("@@egres: {}"), "did you mean 'egress'?"),
        BadManifest("an unknown key far from any", "unknown-key", bottle("@@zebra: 1"), "agent, egress"),
        BadManifest(
            "an unknown key in a route",
            "unknown-key",
            routes("- host: a.example\n  @@method: any"),
            "'methods'"
        ),
        BadManifest("an unknown key of the document", "unknown-key", "@@meta: 1\n" + bottle()),
        BadManifest("a duplicate key", "duplicate-key", egress("firewall: squid\n@@firewall: none"), "keep one"),
        BadManifest("a missing agent", "missing-key", bottle("@@egress: {}", agent: nil), "agent"),
        BadManifest("an agent without an image", "missing-key", bottle(agent: "@@{user: me}")),
        BadManifest("an agent with two images", "conflicting-keys", bottle(agent: "{image: a, @@build: {context: .}}")),
        BadManifest("a route without a host", "missing-key", routes("- @@methods: any"), "host"),
        BadManifest("text for a list", "wrong-type", egress("allowlist: @@a.example")),
        BadManifest("a list for a mapping", "wrong-type", bottle("egress: @@[]")),
        BadManifest("nothing for a mapping", "wrong-type", bottle("egress: @@~"), "leave the key out"),
        BadManifest("a number for a name", "wrong-type", egress("network: @@12"), "\"12\""),
        BadManifest("yes for a boolean", "wrong-type", bottle("supervise: @@yes"), "write true"),
        BadManifest("Off for a boolean", "wrong-type", bottle("supervise: @@Off"), "write false"),
        BadManifest("a quoted boolean", "wrong-type", bottle("supervise: @@\"true\""), "write true"),
        BadManifest(
            "a boolean for a variable",
            "wrong-type",
            bottle(agent: "{image: a, env: {A: @@true}}"),
            "\"true\""
        ),
        BadManifest("an unknown firewall", "unknown-value", egress("firewall: @@squit"), "'squid'"),
        BadManifest(
            "an unknown restart",
            "unknown-value",
            bottle(agent: "{image: a, restart: @@sometimes}"),
            "never, on-failure"
        ),
        BadManifest(
            "an unknown role",
            "unknown-value",
            routes("- host: a.example\n  role: @@npm-registry"),
            "claude_code_oauth"
        ),
        BadManifest(
            "an unknown apiVersion",
            "unknown-value",
            bottle().replacing("bottle/v1", with: "@@bottle/v2"),
            "bottle/v1"
        ),
        BadManifest(
            "an unknown kind",
            "unknown-value",
            bottle().replacing("kind: Bottle", with: "kind: @@Botle"),
            "'Bottle'"
        ),
        BadManifest(
            "a missing kind",
            "missing-key",
            "@@" + bottle().replacing("kind: Bottle\n", with: ""),
            "Bottle or Agent"
        ),
        BadManifest(
            "a missing apiVersion",
            "missing-key",
            "@@" + bottle().replacing("apiVersion: bottle/v1\n", with: "")
        ),
        BadManifest("a list for a document", "wrong-type", "@@- a\n"),
        BadManifest(
            "prompt as file and text",
            "conflicting-keys",
            bottle(agent: "{image: a, prompt: {file: f, @@text: t}}")
        ),
        BadManifest("a reference beside an image", "conflicting-keys", bottle(agent: "{ref: x, @@image: a}").agentX),
        BadManifest("a dangling reference", "dangling-reference", bottle(agent: "{ref: @@y}").agentX, "'x'"),
        BadManifest("no document", "empty-manifest", "@@# nothing\n"),
    ]

    static let values = [
        BadManifest("a name in upper case", "invalid-value", bottle().replacing("dev", with: "@@Dev")),
        BadManifest(
            "a name of 41 characters",
            "invalid-value",
            bottle().replacing("dev", with: "@@" + String(repeating: "a", count: 41)),
            "1 to 40"
        ),
        BadManifest(
            "a label of the tool's own",
            "invalid-value",
            bottle().replacing("{name: dev}", with: "{name: dev, labels: {@@dev.bottle.x: a}}")
        ),
        BadManifest("a bad image", "invalid-value", bottle(agent: "{image: @@'a b'}")),
        BadManifest(
            "a Dockerfile outside of its context",
            "invalid-value",
            bottle(agent: "{build: {context: ., dockerfile: @@../D}}")
        ),
        BadManifest(
            "a digest in upper case",
            "invalid-value",
            bottle(agent: "{build: {context: ., pinned: @@ABC}}"),
            "64 lowercase"
        ),
        BadManifest("a user like an option", "invalid-value", bottle(agent: "{image: a, user: @@-u}")),
        BadManifest("a relative home", "invalid-value", bottle(agent: "{image: a, home: @@home/x}")),
        BadManifest("an empty program", "invalid-value", bottle(agent: "{image: a, command: [@@'']}")),
        BadManifest("an empty command", "missing-value", bottle(agent: "{image: a, command: @@[]}")),
        BadManifest("a variable with a hyphen", "invalid-value", bottle(agent: "{image: a, env: {@@A-B: c}}")),
        BadManifest("a variable with NUL", "invalid-value", bottle(agent: "{image: a, env: {A: @@\"\\0\"}}")),
        BadManifest("the proxy's variable", "owned-variable", bottle(agent: "{image: a, env: {@@https_proxy: c}}")),
        BadManifest(
            "the certificate's variable",
            "owned-variable",
            bottle(agent: "{image: a, env: {@@NODE_EXTRA_CA_CERTS: c}}")
        ),
        BadManifest(
            "a variable of the host with a space",
            "invalid-value",
            bottle(agent: "{image: a, env: {A: {from_host: @@'a b'}}}")
        ),
        BadManifest(
            "a workspace without a path",
            "missing-key",
            bottle(agent: "{image: a, workspace: @@{mode: copy}}")
        ),
        BadManifest(
            "memory in gigabytes",
            "invalid-value",
            bottle(agent: "{image: a, resources: {memory: @@4G}}"),
            "4GiB"
        ),
        BadManifest(
            "too little memory",
            "invalid-value",
            bottle(agent: "{image: a, resources: {memory: @@1KiB}}"),
            "6MiB"
        ),
        BadManifest(
            "a fraction of memory",
            "invalid-value",
            bottle(agent: "{image: a, resources: {memory: @@1.5GiB}}")
        ),
        BadManifest(
            "memory beyond a machine integer",
            "invalid-value",
            bottle(agent: "{image: a, resources: {memory: @@99999999999999999999}}")
        ),
        BadManifest("no processors", "invalid-value", bottle(agent: "{image: a, resources: {cpus: @@0}}")),
        BadManifest(
            "four decimals of a processor",
            "invalid-value",
            bottle(agent: "{image: a, resources: {cpus: @@0.1234}}")
        ),
        BadManifest(
            "an exponent of processors",
            "invalid-value",
            bottle(agent: "{image: a, resources: {cpus: @@1e1}}")
        ),
        BadManifest("processors as text", "wrong-type", bottle(agent: "{image: a, resources: {cpus: @@\"2\"}}")),
        BadManifest("no processes", "invalid-value", bottle(agent: "{image: a, resources: {pids: @@0}}")),
        BadManifest("a runtime like an option", "invalid-value", bottle(agent: "{image: a, runtime: @@-x}")),
        BadManifest("the host's network", "invalid-value", egress("network: @@host")),
        BadManifest("an address with a leading zero", "invalid-value", egress("extra_hosts: {a.example: @@10.0.0.07}")),
        BadManifest("a loopback address", "forbidden-address", egress("extra_hosts: {a.example: @@127.0.0.1}")),
        BadManifest("the metadata address", "forbidden-address", egress("extra_hosts: {a.example: @@169.254.169.254}")),
        BadManifest("an address for a wildcard", "invalid-host", egress("extra_hosts: {@@'*.a.example': 10.0.0.7}")),
        BadManifest(
            "two spellings of one host",
            "duplicate-key",
            egress("extra_hosts: {a.example: 10.0.0.7, @@A.example: 10.0.0.7}")
        ),
        BadManifest("a range with host bits", "invalid-value", egress("private: [@@10.0.0.1/24]"), "10.0.0.0/24"),
        BadManifest("a range over loopback", "forbidden-address", egress("private: [@@0.0.0.0/0]")),
        BadManifest("a range in link-local", "forbidden-address", egress("private: [@@169.254.169.0/24]")),
        BadManifest("a range over a metadata service", "forbidden-address", egress("private: [@@100.64.0.0/10]")),
        BadManifest("a trust entry without certificates", "invalid-certificate", egress("trust: [{pem: @@hello}]")),
        BadManifest(
            "a trust entry with a private key",
            "invalid-certificate",
            egress("trust: [{pem: @@\"-----BEGIN PRIVATE KEY-----\"}]")
        ),
        BadManifest("port 0", "invalid-value", routes("- host: a.example\n  port: @@0")),
        BadManifest(
            "a path without a slash",
            "invalid-path",
            routes("- host: a.example\n  path_allowlist: [@@a]"),
            "'/a'"
        ),
        BadManifest("a path with dots", "invalid-path", routes("- host: a.example\n  path_allowlist: [@@/a/../b]")),
        BadManifest(
            "a path with encoded dots",
            "invalid-path",
            routes("- host: a.example\n  path_allowlist: [@@/a/%2E%2e]")
        ),
        BadManifest(
            "a path with an empty segment",
            "invalid-path",
            routes("- host: a.example\n  path_allowlist: [@@/a//b]")
        ),
        BadManifest(
            "a path with an encoded slash",
            "invalid-path",
            routes("- host: a.example\n  path_allowlist: [@@/a%2fb]")
        ),
        BadManifest(
            "a path encoded twice",
            "invalid-path",
            routes("- host: a.example\n  path_allowlist: [@@/a%252fb]")
        ),
        BadManifest(
            "a path with a query",
            "invalid-path",
            routes("- host: a.example\n  path_allowlist: [@@'/a?b']"),
            "'/a'"
        ),
        BadManifest(
            "a path with a star",
            "invalid-path",
            routes("- host: a.example\n  path_allowlist: [@@'/a/*']"),
            "'/a/'"
        ),
        BadManifest(
            "a path with a backslash",
            "invalid-path",
            routes("- host: a.example\n  path_allowlist: [@@'/a\\b']")
        ),
        BadManifest("a path outside of ASCII", "invalid-path", routes("- host: a.example\n  path_allowlist: [@@/ä]")),
        BadManifest("an empty path list", "missing-value", routes("- host: a.example\n  path_allowlist: @@[]")),
        BadManifest("a method in lower case", "invalid-value", routes("- host: a.example\n  methods: [@@get]"), "GET"),
        BadManifest("the method TRACE", "invalid-value", routes("- host: a.example\n  methods: [@@TRACE]")),
        BadManifest("the method CONNECT", "invalid-value", routes("- host: a.example\n  methods: [GET, @@CONNECT]")),
        BadManifest(
            "any inside of a list",
            "invalid-value",
            routes("- host: a.example\n  methods: [@@any]"),
            "methods: any"
        ),
        BadManifest("one method as text", "unknown-value", routes("- host: a.example\n  methods: @@GET")),
        BadManifest("no methods", "missing-value", routes("- host: a.example\n  methods: @@[]")),
        BadManifest(
            "auth without methods",
            "missing-key",
            routes("- host: a.example\n  @@auth: {token_ref: T}"),
            "GET, HEAD"
        ),
        BadManifest(
            "auth without a token",
            "missing-key",
            routes("- host: a.example\n  methods: any\n  auth: @@{scheme: Bearer}")
        ),
        BadManifest(
            "a token's name with a hyphen",
            "invalid-value",
            routes("- host: a.example\n  methods: any\n  auth: {token_ref: @@a-b}")
        ),
        BadManifest(
            "the header Host",
            "forbidden-header",
            routes("- host: a.example\n  methods: any\n  auth: {header: @@Host, token_ref: T}")
        ),
        BadManifest(
            "a proxy's header",
            "forbidden-header",
            routes("- host: a.example\n  methods: any\n  auth: {header: @@Proxy-Authorization, token_ref: T}")
        ),
        BadManifest(
            "a header with a colon",
            "invalid-value",
            routes("- host: a.example\n  methods: any\n  auth: {header: @@'X:', token_ref: T}")
        ),
        BadManifest(
            "a scheme of two words",
            "invalid-value",
            routes("- host: a.example\n  methods: any\n  auth: {scheme: @@a b, token_ref: T}")
        ),
    ]

    @Test("A mistake of structure is one error at its line and column", arguments: structure)
    func mistakeOfStructure(_ row: BadManifest) { expectOneError(row) }

    @Test("A value that can't be is one error at its line and column", arguments: values)
    func impossibleValue(_ row: BadManifest) { expectOneError(row) }

    private func expectOneError(_ row: BadManifest) {
        let marked = MarkedText(row.text)
        let reading = read(marked.text)
        #expect(reading.errorPlaces == ["\(row.code) \(marked.line):\(marked.column)"], "\(reading.errors)")
        #expect(reading.bottles.isEmpty)
        if let wanted = row.suggestion {
            #expect(reading.errors.first?.suggestion?.contains(wanted) == true, "\(reading.errors)")
        }
        for error in reading.errors {
            #expect(error.location?.file == "bottle.yaml")
            let line = marked.text.split(separator: "\n", omittingEmptySubsequences: false)[marked.line - 1]
            #expect(error.snippet == String(line))
        }
    }

    @Test("All mistakes of all files are reported in the order of files and lines")
    func allAtOnce() {
        let first = bottle("egress: {firewall: squit, allowlist: ['https://x.example/']}\nsupervise: yes")
        let second = bottle("zebra: 1")
        let reading = ManifestReader.read([
            ManifestSource(name: "b.yaml", bytes: Array(first.utf8)),
            ManifestSource(name: "a.yaml", bytes: Array(second.utf8)),
        ])
        #expect(
            reading.errors.map(\.code) == [
                "unknown-value", "invalid-host", "wrong-type", "duplicate-name", "unknown-key",
            ]
        )
        #expect(reading.errors.map { $0.location?.file } == ["b.yaml", "b.yaml", "b.yaml", "a.yaml", "a.yaml"])
    }

    @Test("A broken line stops its file, not the documents before it and not other files")
    func syntax() {
        let text = MarkedText(bottle("supervise: yes") + "---\na: [1, 2\nb@@: 3\n")
        let reading = ManifestReader.read([
            ManifestSource(name: "a.yaml", bytes: Array(text.text.utf8)),
            ManifestSource(name: "b.yaml", bytes: Array(bottle("zebra: 1").utf8)),
        ])
        #expect(
            reading.errors.map(\.code) == ["wrong-type", "yaml-syntax", "unknown-key", "duplicate-name"]
                || reading.errors.map(\.code) == ["wrong-type", "yaml-syntax", "duplicate-name", "unknown-key"]
        )
        let syntax = reading.errors.first { $0.code == "yaml-syntax" }
        #expect(syntax?.location == SourceLocation(file: "a.yaml", line: text.line, column: text.column))
    }

    @Test("The same name in two files is an error that names both places")
    func duplicateNames() {
        let reading = ManifestReader.read([
            ManifestSource(name: "a.yaml", bytes: Array(bottle().utf8)),
            ManifestSource(name: "b.yaml", bytes: Array(bottle().utf8)),
        ])
        #expect(reading.errors.map(\.code) == ["duplicate-name"])
        #expect(reading.errors.first?.location == SourceLocation(file: "b.yaml", line: 3, column: 18))
        #expect(reading.errors.first?.message.contains("a.yaml:3:18") == true)
    }
}

extension String {
    /// With the Agent document `x`.
    var agentX: String { self + "---\napiVersion: bottle/v1\nkind: Agent\nmetadata: {name: x}\nspec: {image: a}\n" }
}
