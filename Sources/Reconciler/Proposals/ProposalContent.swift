package import ReconcilerManifest
package import ReconcilerModel

/// What a tool's argument says, read and found to be of the right form; not yet compared with anything.
package enum ProposalContent: Sendable, Hashable {
    case routes([WrittenRoute])
    case hosts([HostPattern])
    case dockerfile(String)

    /// What a list may ask for at once, so that a person can judge it.
    static let changeLimit = 32

    /// Reads an argument.
    ///
    /// - Throws: `ProposalRefusal` with all that is wrong with it.
    package init(_ tool: ProposalTool, _ argument: String) throws(ProposalRefusal) {
        guard argument.utf8.count <= Proposal.argumentLimit else {
            throw ProposalRefusal(
                "the argument has \(argument.utf8.count) bytes, at most \(Proposal.argumentLimit) are taken"
            )
        }
        switch tool {
        case .egressProxyBlock:
            let found = RouteListReader.read(name: "routes", bytes: Array(argument.utf8))
            let errors = found.diagnostics.filter { $0.severity == .error }
            guard errors.isEmpty else { throw ProposalRefusal(reasons: errors.prefix(20).map(\.sentence)) }
            guard found.routes.allSatisfy({ $0.route.pathAllowlist.count <= 64 }) else {
                throw ProposalRefusal("a route has at most 64 entries in its path_allowlist")
            }
            self = .routes(found.routes)
        case .firewallBlock:
            let found = HostListReader.read(argument)
            guard found.reasons.isEmpty else { throw ProposalRefusal(reasons: found.reasons) }
            guard !found.hosts.isEmpty else { throw ProposalRefusal("no host is named: write one host a line") }
            self = .hosts(found.hosts)
        case .capabilityBlock:
            self = .dockerfile(try ProposedDockerfile.read(argument))
        }
    }

    /// One text for one meaning, whatever the spelling and the order.
    package var canonical: String {
        switch self {
        case .routes(let routes): routes.map(\.canonical).sorted().joined(separator: "\n")
        case .hosts(let hosts): hosts.map(\.text).sorted().joined(separator: "\n")
        case .dockerfile(let text): text
        }
    }
}

extension Diagnostic {
    /// In one line, for somebody who sent the text and has no file.
    fileprivate var sentence: String {
        let place = location.map { "line \($0.line), column \($0.column): " } ?? ""
        return place + message + (suggestion.map { "; \($0)" } ?? "")
    }
}

/// The text of a Dockerfile that an agent proposes.
enum ProposedDockerfile {
    /// The text with one kind of line break, no blanks at the ends of lines, and one line break at its end.
    ///
    /// Whether it can be built, and from what, is for the build to say.
    static func read(_ text: String) throws(ProposalRefusal) -> String {
        let normal = normalised(text)
        let instructions = normal.split(separator: "\n").filter { !$0.drop { $0 == " " || $0 == "\t" }.hasPrefix("#") }
        let first = instructions.first { line in
            !line.drop { $0 == " " || $0 == "\t" }.uppercased().hasPrefix("ARG ")
        }
        guard let first, first.drop(while: { $0 == " " || $0 == "\t" }).uppercased().hasPrefix("FROM ") else {
            throw ProposalRefusal("this is no Dockerfile: its first instruction must be FROM; send the whole file")
        }
        return normal
    }

    static func normalised(_ text: String) -> String {
        var lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map { line in
            var line = line
            while let last = line.last, last == " " || last == "\t" { line.removeLast() }
            return String(line)
        }
        while lines.last?.isEmpty == true { lines.removeLast() }
        return lines.joined(separator: "\n") + "\n"
    }
}
