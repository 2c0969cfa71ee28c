import ReconcilerModel

/// The shapes of `kind: Bottle` and `kind: Agent`: every key of SPEC 3.
enum ManifestShape {
    static let apiVersion = "bottle/v1"
    static let kinds = ["Bottle", "Agent"]

    static let bottle = document("Bottle", spec: bottleSpec)
    static let agentDocument = document("Agent", spec: .object(agent(isDocument: true)))

    /// The keys of every document; used if its kind is unknown.
    static let envelope = ["apiVersion", "kind", "metadata", "spec"]

    private static func document(_ kind: String, spec: Shape) -> ObjectShape {
        ObjectShape(
            kind,
            [
                KeyShape("apiVersion", .choice([apiVersion]), required: true, "always \(apiVersion)"),
                KeyShape("kind", .choice([kind]), required: true, "what the document describes"),
                KeyShape("metadata", .object(metadata), required: true, "the name"),
                KeyShape("spec", spec, required: true, "what it should be"),
            ]
        )
    }

    static let metadata = ObjectShape(
        "metadata",
        [
            KeyShape(
                "name",
                .text(TextShape("a name", pattern: "^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")),
                required: true,
                "a DNS label of at most 40 characters"
            ),
            KeyShape(
                "labels",
                .table(key: TextShape("a label"), value: .text(TextShape("text", takesNumbers: true))),
                "words for your own use"
            ),
        ]
    )

    static let bottleSpec = Shape.object(
        ObjectShape(
            "spec",
            [
                KeyShape(
                    "agent",
                    .object(agent(isDocument: false)),
                    required: true,
                    "what runs, or {ref: name of an Agent}"
                ),
                KeyShape("egress", .object(egress), "which hosts may be reached"),
                KeyShape("egress_proxy", .object(egressProxy), "routes with credentials and limits"),
                KeyShape("git", .list(.object(gitRemote), least: 0), "repositories that the git gate serves"),
                KeyShape("supervise", .boolean, "whether the agent may ask for more"),
            ]
        )
    )

    static func agent(isDocument: Bool) -> ObjectShape {
        let path = TextShape("a path")
        var keys = [
            KeyShape(
                "image",
                .text(TextShape("an image reference", pattern: "^[A-Za-z0-9_/:@][A-Za-z0-9._/:@-]*$")),
                "image to run"
            ),
            KeyShape("build", .object(build), "folder to build the image from"),
            KeyShape(
                "command",
                .list(.text(TextShape("text", takesNumbers: true)), least: 1),
                "program and arguments; default: the image's"
            ),
            KeyShape("user", .text(TextShape("a user", takesNumbers: true)), "user name or uid; default: the image's"),
            KeyShape("home", .text(TextShape("an absolute path", pattern: "^/")), "home folder in the container"),
            KeyShape("restart", .choice(RestartPolicy.allCases.map(\.rawValue)), "when the agent is started again"),
            KeyShape("prompt", .object(prompt), "the agent's first instructions"),
            KeyShape("skills", .list(.text(path), least: 0), "folders with skills"),
            KeyShape(
                "env",
                .table(
                    key: TextShape("a variable's name", pattern: "^[A-Za-z_][A-Za-z0-9_]*$"),
                    value: .either([
                        .text(TextShape("text", takesNumbers: true)),
                        .object(
                            ObjectShape(
                                "variable",
                                [
                                    KeyShape(
                                        "from_host",
                                        .text(TextShape("a variable's name", pattern: "^[A-Za-z_][A-Za-z0-9_]*$")),
                                        required: true,
                                        "your own variable, read when you apply"
                                    )
                                ]
                            )
                        ),
                    ])
                ),
                "environment variables"
            ),
            KeyShape("workspace", .object(workspace), "the agent's working folder"),
            KeyShape("resources", .object(resources), "limits"),
            KeyShape(
                "runtime",
                .text(TextShape("a runtime's name", pattern: "^[A-Za-z0-9][A-Za-z0-9._-]*$")),
                "a container runtime of the engine"
            ),
        ]
        guard !isDocument else { return ObjectShape("agent", keys, oneOf: [["image", "build"]]) }
        keys.append(KeyShape("ref", .text(TextShape("a name")), "name of a kind: Agent document"))
        return ObjectShape("agent", keys, oneOf: [["image", "build"]], standsAlone: "ref")
    }

    static let build = ObjectShape(
        "build",
        [
            KeyShape("context", .text(TextShape("a path")), required: true, "folder sent to the builder"),
            KeyShape("dockerfile", .text(TextShape("a path")), "Dockerfile inside the folder; default: Dockerfile"),
            KeyShape(
                "pinned",
                .text(TextShape("a SHA-256 digest", pattern: "^[0-9a-f]{64}$")),
                "digest of the stored copy; written by apply"
            ),
            KeyShape(
                "base",
                .text(imageID),
                "id of the image that a proposed Dockerfile begins with; such a build is restricted; written by export"
            ),
        ],
        needs: [("base", "pinned", "leave it out: it belongs to a stored copy")]
    )

    static let imageID = TextShape("an image's id", pattern: "^sha256:[0-9a-f]{64}$")

    static let prompt = ObjectShape(
        "prompt",
        [
            KeyShape("file", .text(TextShape("a path")), "file that holds the prompt"),
            KeyShape("text", .text(TextShape("text")), "the prompt itself"),
        ],
        oneOf: [["file", "text"]]
    )

    static let workspace = ObjectShape(
        "workspace",
        [
            KeyShape("path", .text(TextShape("a path")), "folder on your machine"),
            KeyShape("mode", .choice(Workspace.Mode.allCases.map(\.rawValue)), "how it gets in; default: none"),
        ]
    )

    static let bytes = Shape.either([
        .integer(MemorySize.least...MemorySize.most),
        .text(TextShape("bytes, or a number with KiB, MiB, GiB or TiB", pattern: "^[0-9]+ ?([KMGT]iB?)?$")),
    ])

    static let resources = ObjectShape(
        "resources",
        [
            KeyShape("cpus", .number, "processors, at most three decimals"),
            KeyShape("memory", bytes, "bytes, or a number with KiB, MiB, GiB or TiB"),
            KeyShape("pids", .integer(1...4_194_304), "processes and threads"),
        ]
    )

    private static let host = TextShape("a host", pattern: "^[^\\s/:@]+$")
    private static let address = TextShape("an IPv4 address", pattern: "^[0-9]{1,3}(\\.[0-9]{1,3}){3}$")
    private static let extraHosts = Shape.table(key: host, value: .text(address))

    static let egress = ObjectShape(
        "egress",
        [
            KeyShape(
                "firewall",
                .choice(EgressSpec.Firewall.allCases.map(\.rawValue)),
                "what guards the way out; default: squid"
            ),
            KeyShape("allowlist", .list(.text(host), least: 0), "hosts that may be reached beside the routes'"),
            KeyShape(
                "passthrough",
                .list(.text(host), least: 0),
                "hosts whose TLS an intercepting firewall leaves alone"
            ),
            KeyShape(
                "network",
                .text(TextShape("a network's name", pattern: "^[A-Za-z0-9][A-Za-z0-9_.-]+$")),
                "existing network in place of the bottle's own"
            ),
            KeyShape("extra_hosts", extraHosts, "fixed addresses of hosts"),
            KeyShape(
                "private",
                .list(
                    .text(TextShape("an IPv4 range", pattern: "^[0-9]{1,3}(\\.[0-9]{1,3}){3}/[0-9]{1,2}$")),
                    least: 0
                ),
                "private ranges that may be reached"
            ),
            KeyShape(
                "trust",
                .list(
                    .either([
                        .text(TextShape("a path")),
                        .object(
                            ObjectShape(
                                "trust entry",
                                [
                                    KeyShape(
                                        "pem",
                                        .text(TextShape("PEM text")),
                                        required: true,
                                        "certificates in PEM form"
                                    )
                                ]
                            )
                        ),
                    ]),
                    least: 0
                ),
                "further roots for upstream TLS"
            ),
        ]
    )

    static let egressProxy = ObjectShape(
        "egress_proxy",
        [KeyShape("routes", .list(.object(route), least: 0), "hosts with their limits and credentials")]
    )

    private static let role = Shape.choice(Route.Role.allCases.map(\.rawValue))

    static let route = ObjectShape(
        "route",
        [
            KeyShape("host", .text(host), required: true, "host that is reached"),
            KeyShape("port", .integer(1...65535), "upstream port; default: 443"),
            KeyShape(
                "role",
                .either([role, .list(role, least: 0)]),
                "special meaning for the agent"
            ),
            KeyShape(
                "methods",
                .either([
                    .list(.text(TextShape("an HTTP method", pattern: "^[A-Z][A-Z-]*$")), least: 1), .choice(["any"]),
                ]),
                "HTTP methods, or any"
            ),
            KeyShape("path_allowlist", .list(.text(TextShape("a path", pattern: "^/")), least: 1), "path prefixes"),
            KeyShape("auth", .object(auth), "credential that is added"),
            KeyShape("client_auth", .choice(["strip", "allow"]), "what happens to a credential of the agent's own"),
            KeyShape("websocket", .boolean, "whether WebSockets may be opened"),
        ],
        needs: [("auth", "methods", "say what the credential may do: 'methods: [GET, HEAD]', or 'methods: any'")]
    )

    static let auth = ObjectShape(
        "auth",
        [
            KeyShape(
                "header",
                .text(TextShape("a header's name", pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")),
                "default: Authorization"
            ),
            KeyShape(
                "scheme",
                .text(TextShape("a word", pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")),
                "word before the value"
            ),
            KeyShape(
                "token_ref",
                .text(TextShape("a secret's name", pattern: "^[A-Za-z_][A-Za-z0-9_]{0,127}$")),
                required: true,
                "name of the secret"
            ),
        ]
    )

    static let gitRemote = ObjectShape(
        "git entry",
        [
            KeyShape("name", .text(TextShape("a name")), required: true, "the gate serves /<name>.git"),
            KeyShape("upstream", .text(TextShape("an SSH address")), required: true, "ssh://user@host:port/path"),
            KeyShape("identity_file", .text(TextShape("a path")), required: true, "private key"),
            KeyShape("known_host_key", .text(TextShape("a public key")), "the host's key: \"ssh-ed25519 AAAA…\""),
            KeyShape(
                "refs",
                .list(.text(TextShape("a ref pattern")), least: 1),
                "what may be pushed; default: heads and tags"
            ),
            KeyShape("extra_hosts", extraHosts, "fixed addresses of hosts"),
            KeyShape(
                "allow_binary",
                .list(.text(TextShape("a path pattern")), least: 0),
                "files the scanner may pass over"
            ),
        ]
    )
}
