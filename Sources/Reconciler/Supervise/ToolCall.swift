import ReconcilerModel
import ReconcilerPlatform
import ReconcilerProposals

/// A tool call whose arguments have the right form.
struct ToolCall: Sendable, Hashable {
    struct Asked: Sendable, Hashable {
        var tool: ProposalTool
        var argument: String
        var justification: String
    }

    /// What it asks of the operator; nil if the tool only reads.
    private(set) var proposal: Asked?
    private(set) var reading: ReadingTool?
    /// The proposal whose state it asks for; nil for all.
    private(set) var id: ProposalID?

    /// - Throws: `RPCError` for an unknown tool, and for missing, unknown or wrongly typed arguments.
    init(_ request: RPCRequest) throws(RPCError) {
        guard let name = request.parameters["name"]?.text else {
            throw RPCError(.invalidParameters, "'name' must be a tool's name")
        }
        let arguments = request.parameters["arguments"] ?? .object([:])
        guard case .object(let members) = arguments else {
            throw RPCError(.invalidParameters, "'arguments' must be an object")
        }
        func check(_ known: [String]) throws(RPCError) {
            guard members.allSatisfy({ known.contains($0.name) }) else {
                let names = known.isEmpty ? "none" : known.joined(separator: ", ")
                throw RPCError(.invalidParameters, "the arguments of this tool are: \(names)")
            }
        }
        if let tool = ProposalTool(calledAs: name) {
            try check([tool.argumentName, "justification"])
            guard let argument = arguments[tool.argumentName].flatMap({ tool.text(of: $0) }) else {
                throw RPCError(.invalidParameters, "'\(tool.argumentName)' must be a text")
            }
            guard let justification = arguments["justification"]?.text else {
                throw RPCError(.invalidParameters, "'justification' must be a text: the operator reads it")
            }
            proposal = Asked(tool: tool, argument: argument, justification: justification)
        } else if let tool = ReadingTool(rawValue: name) {
            try check(tool == .proposalStatus ? ["id"] : [])
            if let asked = arguments["id"] {
                guard let text = asked.text, let id = try? ProposalID(text) else {
                    throw RPCError(.invalidParameters, "'id' must be the id of a proposal: 32 hexadecimal digits")
                }
                self.id = id
            }
            reading = tool
        } else {
            throw RPCError(.invalidParameters, "there is no such tool: see tools/list")
        }
    }
}

extension ProposalTool {
    /// The argument that contains the proposed change.
    var argumentName: String {
        switch self {
        case .egressProxyBlock: "routes"
        case .firewallBlock: "hosts"
        case .capabilityBlock: "dockerfile"
        }
    }

    /// The argument's text; also accepts a list of routes or hosts sent as JSON instead of as its text.
    fileprivate func text(of node: JSONNode) -> String? {
        switch (self, node) {
        case (_, .text(let text)): return text
        case (.egressProxyBlock, .list): return node.line
        case (.firewallBlock, .list(let items)):
            let hosts = items.compactMap(\.text)
            return hosts.count == items.count ? hosts.joined(separator: "\n") : nil
        default: return nil
        }
    }
}
