import ReconcilerModel
import ReconcilerPlatform
import ReconcilerProposals

/// The tools' descriptions for clients.
enum ToolCatalogue {
    static let instructions = """
        You run in a container that reaches only what its operator allowed. When a request is refused (403, a host \
        that can't be reached, a missing program), do not look for a way around: ask here. Look at recent-refusals to \
        see what was refused and why, then call egress-proxy-block (a method, path or host on a route), \
        firewall-block (a host) or capability-block (a program in the image), with the least that you need and the \
        reason. The call returns when the operator has decided, which can take minutes or hours, and an approved \
        change is in force by then: try again what was refused. If the call is cut, make the same call again: it \
        joins the proposal that waits.
        """

    static let list = JSONNode.list(proposing + reading)

    private static let proposing: [JSONNode] = [
        tool(
            ProposalTool.egressProxyBlock.rawValue,
            "Ask for a route",
            """
            Ask the operator to let requests through that the egress-proxy refused (403 with a rule such as host, path \
            or method). Call show-routes first, change or add the routes that you need, and send the list. A route that \
            you leave out stays as it is. You can add hosts, paths, and methods of routes without credentials. You \
            can't write auth, role, client_auth, other ports or wildcards: leave those keys out, or as show-routes \
            prints them ("auth": "kept"). Waits for the decision, minutes or hours.
            """,
            "routes",
            """
            JSON text of the list egress_proxy.routes, for example \
            [{"host":"api.example.com","methods":["GET"],"path_allowlist":["/v1/"]}]. Methods and path_allowlist are \
            the whole new lists of their route; without them any method and any path.
            """,
            limit: Proposal.argumentLimit
        ),
        hosts(
            ProposalTool.firewallBlock.rawValue,
            """
            Ask the operator to allow hosts, with every method and path, when a host could not be reached. Prefer \
            egress-proxy-block with a path where that is enough. Waits for the decision, minutes or hours.
            """
        ),
        hosts("pipelock-block", "Older name of firewall-block."),
        tool(
            ProposalTool.capabilityBlock.rawValue,
            "Ask for another image",
            """
            Ask the operator for programs that the image lacks, by proposing the Dockerfile it is built from. Call \
            show-dockerfile first and send the whole new file. An approved one is built while you go on; then this \
            container is replaced on the same home and workspace, and you are started again: the answer, with the \
            operator's words, is in /etc/bottle/current-config/image.json then.
            """,
            "dockerfile",
            "The whole Dockerfile.",
            limit: Proposal.argumentLimit
        ),
    ]

    private static func hosts(_ name: String, _ about: String) -> JSONNode {
        tool(
            name,
            "Ask for hosts",
            about,
            "hosts",
            "One host a line, such as files.example.org; # begins a comment. No wildcards, ports, paths or schemes.",
            limit: Proposal.argumentLimit
        )
    }

    private static func tool(
        _ name: String,
        _ title: String,
        _ about: String,
        _ argument: String,
        _ argumentAbout: String,
        limit: Int
    ) -> JSONNode {
        .object([
            "name": .text(name), "title": .text(title), "description": .text(about),
            "inputSchema": .object([
                "type": .text("object"),
                "properties": .object([
                    .init(
                        name: argument,
                        value: .object([
                            "type": .text("string"), "minLength": .integer(1), "maxLength": .integer(limit),
                            "description": .text(argumentAbout),
                        ])
                    ),
                    .init(
                        name: "justification",
                        value: .object([
                            "type": .text("string"), "minLength": .integer(1),
                            "maxLength": .integer(Proposal.justificationLimit),
                            "description": .text(
                                "Why you need exactly this, for the operator: what you were doing, and what was refused."
                            ),
                        ])
                    ),
                ]),
                "required": .list([.text(argument), .text("justification")]), "additionalProperties": .boolean(false),
            ]),
            "annotations": .object([
                "readOnlyHint": .boolean(false), "destructiveHint": .boolean(false), "idempotentHint": .boolean(true),
                "openWorldHint": .boolean(false),
            ]),
        ])
    }

    private static let reading: [JSONNode] = ReadingTool.allCases.map { tool in
        let properties: [JSONNode.Member] =
            tool == .proposalStatus
            ? [
                .init(
                    name: "id",
                    value: .object([
                        "type": .text("string"), "pattern": .text("^[0-9a-f]{32}$"),
                        "description": .text("A proposal's id; without it, all."),
                    ])
                )
            ] : []
        return .object([
            "name": .text(tool.rawValue), "title": .text(tool.title), "description": .text(tool.about),
            "inputSchema": .object([
                "type": .text("object"), "properties": .object(properties), "additionalProperties": .boolean(false),
            ]),
            "annotations": .object(["readOnlyHint": .boolean(true), "openWorldHint": .boolean(false)]),
        ])
    }
}

extension ReadingTool {
    fileprivate var title: String {
        switch self {
        case .showRoutes: "Routes in force"
        case .showAllowlist: "Allowlist in force"
        case .showDockerfile: "Dockerfile of this image"
        case .recentRefusals: "What was refused"
        case .proposalStatus: "What became of proposals"
        }
    }

    fileprivate var about: String {
        switch self {
        case .showRoutes:
            "The egress-proxy's routes as JSON, in the form that egress-proxy-block takes; \"auth\": \"kept\" stands for "
                + "a credential that is added for you."
        case .showAllowlist: "The hosts that may be reached beside the routes', one a line."
        case .showDockerfile: "The Dockerfile that this container's image is built from."
        case .recentRefusals:
            "Requests of this container that were refused of late, with rule and reason, the newest last."
        case .proposalStatus: "What you asked for and what became of it, the newest last."
        }
    }
}
