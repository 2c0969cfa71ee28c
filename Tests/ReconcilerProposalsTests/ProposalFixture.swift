import ReconcilerModel
import ReconcilerProposals
import ReconcilerTime

/// One bottle's policy and proposals, for tests.
enum ProposalFixture {
    static func policy() throws -> SupervisedPolicy {
        let token = try SecretReference("GITHUB_TOKEN")
        return SupervisedPolicy(
            bottle: try Identity("dev"),
            routes: [
                Route(
                    host: try HostPattern("api.github.com"),
                    methods: .only(["GET", "HEAD"]),
                    pathAllowlist: ["/repos/acme/"],
                    auth: RouteAuth(scheme: "token", token: token)
                ),
                Route(host: try HostPattern("docs.example.com"), pathAllowlist: ["/a"]),
                Route(
                    host: try HostPattern("llm.example"),
                    roles: [.claudeCodeOAuth],
                    auth: RouteAuth(scheme: "Bearer", token: token)
                ),
            ],
            allowlist: [try HostPattern("raw.example.org"), try HostPattern("*.wide.example.org")],
            dockerfile: PresentDockerfile(built: "FROM bottle/agent\nRUN true\n")
        )
    }

    static func verdict(
        _ tool: ProposalTool,
        _ argument: String,
        in policy: SupervisedPolicy? = nil
    ) throws -> ProposalVerdict {
        do {
            let content = try ProposalContent(tool, argument)
            return ProposalCheck.verdict(on: content, in: try policy ?? Self.policy())
        } catch let refusal as ProposalRefusal {
            return .refused(refusal.reasons)
        }
    }

    static func proposal(
        _ argument: String,
        tool: ProposalTool = .firewallBlock,
        justification: String = "the build needs it",
        bottle: String = "dev",
        at seconds: Int64 = 1_800_000_000
    ) throws -> Proposal {
        let identity = try Identity(bottle)
        let content = try ProposalContent(tool, argument)
        let time = Timestamp(seconds: seconds)
        return try Proposal(
            id: ProposalID(question: ProposalID.question(identity, tool, content.canonical), at: time),
            bottle: identity,
            tool: tool,
            argument: argument,
            justification: justification,
            time: time
        )
    }
}
