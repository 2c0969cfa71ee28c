import ReconcilerModel

/// The shape of `kind: Remediation`: a file of the desired state, which this program writes.
enum RemediationShape {
    static let document = ObjectShape(
        "Remediation",
        [
            KeyShape(
                "apiVersion",
                .choice([ManifestShape.apiVersion]),
                required: true,
                "always \(ManifestShape.apiVersion)"
            ),
            KeyShape("kind", .choice(["Remediation"]), required: true, "what the document describes"),
            KeyShape("metadata", .object(metadata), required: true, "its name and its bottle"),
            KeyShape("spec", .object(spec), required: true, "what it changes, by whom and why"),
        ]
    )

    private static let host = TextShape("a host", pattern: "^[^\\s/:@]+$")
    private static let digest = TextShape("a SHA-256 digest", pattern: "^[0-9a-f]{64}$")
    private static let time = TextShape(
        "a time",
        pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"
    )

    private static let metadata = ObjectShape(
        "metadata",
        [
            KeyShape(
                "name",
                .text(TextShape("a name", pattern: "^[0-9]{4,6}-[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")),
                required: true,
                "number and slug, as in the file's name"
            ),
            KeyShape(
                "bottle",
                .text(TextShape("a bottle's name", pattern: "^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")),
                required: true,
                "the bottle it belongs to"
            ),
        ]
    )

    /// The keys of `spec` that say what changes; exactly one must be present.
    static let changes = [
        "add_route", "change_route", "remove_route", "add_host", "remove_host", "replace_dockerfile",
    ]

    private static let spec = ObjectShape(
        "spec",
        [
            KeyShape("by", .text(TextShape("text")), required: true, "the operator: Name <address>"),
            KeyShape("at", .text(time), required: true, "when: RFC 3339, UTC, to the second"),
            KeyShape("reason", .text(TextShape("text")), required: true, "why"),
            KeyShape("proposal", .text(TextShape("text", takesNumbers: true)), "id of the proposal it answers"),
            KeyShape("candidate", .text(digest), "SHA-256 of what was approved"),
            KeyShape("limits", .object(limits), "for how long, and how often"),
            KeyShape("add_route", .object(ManifestShape.route), "a route that the manifest lacks"),
            KeyShape("change_route", .object(routeChange), "a route before and after"),
            KeyShape("remove_route", .text(host), "host of a route that goes"),
            KeyShape("add_host", .text(host), "an entry for egress.allowlist"),
            KeyShape("remove_host", .text(host), "an entry of egress.allowlist that goes"),
            KeyShape("replace_dockerfile", .object(dockerfile), "another Dockerfile for the agent"),
        ],
        oneOf: [changes]
    )

    private static let limits = ObjectShape(
        "limits",
        [
            KeyShape("not_after", .text(time), "the first moment at which it holds no more"),
            KeyShape("max_uses", .integer(GrantLimits.usesRange), "requests that it lets through"),
        ]
    )

    private static let routeChange = ObjectShape(
        "change_route",
        [
            KeyShape("from", .object(ManifestShape.route), required: true, "the route it was made for"),
            KeyShape("to", .object(ManifestShape.route), required: true, "what becomes of it"),
        ]
    )

    private static let dockerfile = ObjectShape(
        "replace_dockerfile",
        [
            KeyShape("dockerfile", .text(TextShape("text")), required: true, "the whole Dockerfile"),
            KeyShape("context", .text(digest), required: true, "digest of the stored context that holds it"),
            KeyShape("path", .text(TextShape("a path")), "where in the context it is; default: Dockerfile"),
            KeyShape("replaces", .text(TextShape("text")), required: true, "the manifest's image it was made for"),
            KeyShape(
                "base",
                .text(ManifestShape.imageID),
                "id of the image that it begins with, when an agent proposed it: it is built in the restricted way"
            ),
            KeyShape(
                "proposed",
                .text(TextShape("text")),
                "as it was proposed, where names of images stood for ids; default: as in `dockerfile`"
            ),
        ]
    )
}
