import ReconcilerModel

/// The shape of the operator's settings.
enum SettingsShape {
    static let settings = ObjectShape(
        "settings file",
        [
            KeyShape(
                "secrets",
                .table(
                    key: TextShape("a secret's name", pattern: "^[A-Za-z_][A-Za-z0-9_]{0,127}$"),
                    value: .object(source)
                ),
                "where the values of token_ref are found"
            ),
            KeyShape(
                "images",
                .object(
                    ObjectShape(
                        "images",
                        Role.allCases.map {
                            KeyShape(
                                $0.rawValue,
                                .text(TextShape("an image reference")),
                                "takes the place of bottle/\($0.rawValue)"
                            )
                        }
                    )
                ),
                "images that take the place of bottle/<role>"
            ),
            KeyShape(
                "on_proposal",
                .list(.text(TextShape("text", takesNumbers: true)), least: 1),
                "a program and its arguments that get each new proposal as JSON on standard input"
            ),
            KeyShape(
                "network",
                .object(
                    ObjectShape(
                        "network",
                        [
                            KeyShape(
                                "pool",
                                .text(TextShape("an IPv4 range")),
                                "addresses that bottles' networks are cut from"
                            )
                        ]
                    )
                ),
                "addresses"
            ),
            KeyShape(
                "denied",
                .object(
                    ObjectShape(
                        "denied",
                        [
                            KeyShape(
                                "ignore",
                                .list(.text(TextShape("a host pattern")), least: 0),
                                "hosts that `bottle denied` leaves out when nothing but a missing entry refused them"
                            )
                        ]
                    )
                ),
                "what `bottle denied` shows"
            ),
            KeyShape("builds", .object(builds), "what a build of a proposed Dockerfile may reach and use"),
        ]
    )

    private static let builds = ObjectShape(
        "builds",
        [
            KeyShape(
                "allow",
                .list(.text(TextShape("a host", pattern: "^[^\\s/:@]+$")), least: 0),
                "hosts that its steps reach; default: none"
            ),
            KeyShape("memory", ManifestShape.bytes, "for each step; default: 2GiB"),
            KeyShape("cpus", .number, "processors for each step; default: 1"),
            KeyShape("minutes", .integer(1...1440), "how long it may take; default: 10"),
            KeyShape("size", ManifestShape.bytes, "what it may add to its base; default: 4GiB"),
        ]
    )

    private static let source = ObjectShape(
        "secret",
        [
            KeyShape("env", .text(TextShape("a variable's name")), "an environment variable"),
            KeyShape("file", .text(TextShape("a path")), "a file, without its last newline"),
            KeyShape("command", .list(.text(TextShape("text", takesNumbers: true)), least: 1), "a command's output"),
        ],
        oneOf: [["env", "file", "command"]]
    )
}
