import ReconcilerModel

/// Turns nodes with a checked structure into values, and reports what a shape can't express.
///
/// Skips a node of the wrong kind silently: `Cursor.check` has reported it.
struct ManifestDecoder {
    var findings = Findings()

    mutating func name(_ metadata: Cursor) -> Identity? {
        labels(metadata)
        guard let cursor = metadata["name"], let text = cursor.text else { return nil }
        return value(cursor) { () throws(InvalidValue) in try Identity(text) }
    }

    /// Runs `read`; reports an `InvalidValue` that it throws at `cursor`.
    mutating func value<Value>(_ cursor: Cursor, _ read: () throws(InvalidValue) -> Value) -> Value? {
        do {
            return try read()
        } catch {
            findings.invalid(error, path: cursor.path, at: cursor.position)
            return nil
        }
    }

    @discardableResult
    mutating func labels(_ metadata: Cursor) -> [String: String] {
        var labels: [String: String] = [:]
        for entry in metadata["labels"]?.entries ?? [] {
            let bytes = Array(entry.key.utf8)
            let isWord = bytes.allSatisfy { Self.isAlphanumeric($0) || [45, 46, 47, 95].contains($0) }
            if bytes.isEmpty || bytes.count > 63 || !isWord || !Self.isAlphanumeric(bytes[0]) {
                findings.error(
                    "invalid-value",
                    "\(quoted(entry.key)) is not a label's name",
                    at: entry.keyPosition,
                    suggestion: "letters, digits and '-', '_', '.', '/', at most 63, the first a letter or digit"
                )
            } else if entry.key.hasPrefix("dev.bottle.") {
                findings.error("invalid-value", "labels below 'dev.bottle.' are the tool's own", at: entry.keyPosition)
            }
            guard let text = entry.value.text else { continue }
            if text.utf8.count > 256 || text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) {
                findings.error(
                    "invalid-value",
                    "\(entry.value.path) is not a label's value",
                    at: entry.value.position,
                    suggestion: "one line of at most 256 bytes"
                )
            }
            labels[entry.key] = text
        }
        return labels
    }

    /// Decodes a bottle and resolves its agent reference; nil if a required part is wrong.
    mutating func bottle(
        _ document: Cursor,
        folder: String?,
        prompt: MarkdownPrompt?,
        agents: [AgentDocument]
    ) -> LocatedBottle? {
        let name = document["metadata"].flatMap { self.name($0) }
        let labels = document["metadata"].map { plainLabels($0) } ?? [:]
        guard let spec = document["spec"], spec.node.entries != nil else { return nil }
        let choice = agentChoice(spec, folder: folder, agents: agents)
        var agent = choice?.agent
        setPrompt(prompt, of: &agent, spec: choice?.cursor)
        let egress = spec["egress"].map { self.egress($0) } ?? EgressSpec()
        let routes = (spec["egress_proxy"]?["routes"]?.items ?? []).compactMap { cursor in
            route(cursor).map { (cursor: cursor, route: $0) }
        }
        let git = (spec["git"]?.items ?? []).compactMap { cursor in
            gitRemote(cursor).map { (cursor: cursor, remote: $0) }
        }
        crossCheck(spec, egress: egress, routes: routes, git: git)
        if let choice { checkEnvironment(choice.cursor["env"], routes: routes) }
        guard let name, let choice, let agent else { return nil }
        let manifest = BottleManifest(
            identity: name,
            labels: labels,
            agent: agent,
            egress: egress,
            routes: routes.map(\.route),
            git: git.map(\.remote),
            supervise: spec["supervise"]?.boolean ?? false
        )
        warnOfUnbuilt(manifest, spec: spec, agent: choice.cursor)
        return LocatedBottle(
            manifest: manifest,
            file: document.source.name,
            folder: folder,
            location: document.position.location,
            agentFolder: choice.folder,
            agentFile: choice.isReference ? choice.cursor.source.name : nil,
            spec: spec,
            agent: choice.cursor
        )
    }

    private func plainLabels(_ metadata: Cursor) -> [String: String] {
        var silent = ManifestDecoder()
        return silent.labels(metadata)
    }

    private struct AgentChoice {
        var agent: AgentSpec?
        var cursor: Cursor
        var folder: String?
        var isReference: Bool
    }

    private mutating func agentChoice(_ spec: Cursor, folder: String?, agents: [AgentDocument]) -> AgentChoice? {
        guard let cursor = spec["agent"], cursor.node.entries != nil else { return nil }
        guard let reference = cursor["ref"] else {
            return AgentChoice(agent: agent(cursor), cursor: cursor, folder: folder, isReference: false)
        }
        guard let name = reference.text else { return nil }
        guard let document = agents.first(where: { $0.name == name }) else {
            let near = nearest(name, in: agents.map(\.name)).map { "did you mean '\($0)'?" }
            findings.error(
                "dangling-reference",
                "there is no Agent \(quoted(name))",
                at: reference.position,
                suggestion: near ?? "add a 'kind: Agent' document with that name, or its file with -f"
            )
            return nil
        }
        return AgentChoice(agent: document.agent, cursor: document.cursor, folder: document.folder, isReference: true)
    }

    /// Sets the body of a Markdown manifest as the agent's prompt.
    mutating func setPrompt(_ prompt: MarkdownPrompt?, of agent: inout AgentSpec?, spec: Cursor?) {
        guard let prompt else { return }
        if let written = spec?["prompt"] {
            findings.error(
                "conflicting-keys",
                "the prompt is the text below the front matter, and also in 'prompt' at \(written.position.location)",
                at: prompt.position,
                suggestion: "keep one of the two"
            )
        } else if spec != nil, agent?.prompt != nil {
            findings.error(
                "conflicting-keys",
                "the agent has a prompt already",
                at: prompt.position,
                suggestion: "keep one of the two"
            )
        }
        agent?.prompt = .text(prompt.text)
    }

    static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
    }
}
