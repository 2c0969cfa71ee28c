/// A tool by which an agent asks for something that only an operator may give.
package enum ProposalTool: String, Sendable, Hashable, CaseIterable {
    /// Routes of the egress-proxy.
    case egressProxyBlock = "egress-proxy-block"
    /// Hosts on the allowlist.
    case firewallBlock = "firewall-block"
    /// Another Dockerfile for the agent's image.
    case capabilityBlock = "capability-block"

    /// The tool of a name that agents call it by, the older one too.
    package init?(calledAs name: String) {
        self.init(rawValue: name == "pipelock-block" ? Self.firewallBlock.rawValue : name)
    }
}
