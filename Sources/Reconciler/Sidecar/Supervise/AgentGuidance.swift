internal import FoundationEssentials
import ReconcilerTime

/// Files in an agent's container that say what it may do and how to ask for more (SPEC 4.4).
enum AgentGuidance {
    static let folder = "\(Agent.folder)/current-config"

    /// The files of a bottle that has `supervise`; none without.
    ///
    /// - Parameter image: who decided on the image, when and why; nil: it is the manifest's own.
    static func files(_ manifest: BottleManifest, image: Remediation.Provenance?) throws -> [DesiredFile] {
        guard manifest.supervise else { return [] }
        return [
            DesiredFile(path: "\(folder)/routes.json", content: try routes(manifest.routes)),
            DesiredFile(
                path: "\(folder)/allowlist",
                content: Array(manifest.egress.allowlist.map { "\($0)\n" }.sorted().joined().utf8)
            ),
            // Written even without a decision, so that the one of an earlier image does not stay.
            DesiredFile(path: "\(folder)/image.json", content: try json(Image(image))),
            DesiredFile(path: "\(Agent.folder)/when-blocked.md", content: Array(text.utf8)),
        ]
    }

    /// The routes in force; of a credential only that there is one.
    private static func routes(_ routes: [Route]) throws -> [UInt8] { try json(routes.map(Shown.init)) }

    private static func json(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(value)) + [UInt8(ascii: "\n")]
    }

    private struct Shown: Encodable {
        var host: String
        var port: Int
        var methods: [String]?
        var pathAllowlist: [String]
        var hasCredential: Bool
        var limits: String?

        init(_ route: Route) {
            host = route.host.text
            port = route.port
            methods = route.methods.list
            pathAllowlist = route.pathAllowlist
            hasCredential = route.auth != nil
            limits = route.grant?.limits.text
        }

        private enum CodingKeys: String, CodingKey {
            case host, port, methods, limits
            case pathAllowlist = "path_allowlist"
            case hasCredential = "has_credential"
        }
    }

    /// What the image comes from, and why.
    private struct Image: Encodable {
        var source: String
        var decidedAt: String?
        var proposal: String?
        var words: String?

        private static let wordLimit = 4000

        init(_ decision: Remediation.Provenance?) {
            source = decision.map { $0.proposal == nil ? "operator" : "proposal" } ?? "manifest"
            decidedAt = decision?.time.description
            proposal = decision?.proposal
            // An operator's reason for an edit of their own is for the history.
            words = decision.flatMap { $0.proposal == nil ? nil : VisibleText.block($0.reason, limit: Self.wordLimit) }
        }

        private enum CodingKeys: String, CodingKey {
            case source, proposal, words
            case decidedAt = "decided_at"
        }
    }

    private static let text = """
        # When something is blocked

        You work in a bottle: requests leave it only to named hosts, methods and paths. A refused request is answered
        with 403 and says which rule refused it. Nothing is wrong with the network, and trying again does not help.

        Ask instead. The MCP server `supervise` (\(Supervise.url)) takes proposals, and a person decides:

        - `egress-proxy-block`: another path or method of a host, or a new host with its paths. Send the routes you
          want as JSON, as `show-routes` prints them.
        - `firewall-block`: hosts to be reached, one a line.
        - `capability-block`: a Dockerfile with what the image lacks; you are started anew in the built image, with
          your home as it is. The answer is then in \(folder)/image.json.

        Each takes a `justification`: say what you are doing and why it needs this. The call waits until it is decided,
        minutes or hours, and tells the answer once the change is in force. The same call again joins the same
        proposal. Ask for as little as will do. Credentials can't be asked for.

        What is in force now lies in \(folder).

        """
}
