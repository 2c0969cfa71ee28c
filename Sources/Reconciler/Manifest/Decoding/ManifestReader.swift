import ReconcilerModel

/// Reads manifests: text to values and diagnostics, without side effects.
package enum ManifestReader {
    /// Reads every document of every source, and collects everything that is wrong.
    ///
    /// Resolves references to `kind: Agent` documents across all sources. Leaves paths, host variables and files as
    /// written; `ManifestResolver` resolves those.
    package static func read(_ sources: [ManifestSource], limits: YAMLLimits = .manifest) -> ManifestReading {
        var reading = Reading()
        for source in sources { reading.add(source, limits: limits) }
        return reading.finish(files: sources.map(\.name))
    }
}

/// One `kind: Bottle` document before its agent reference is resolved.
private struct BottleDocument {
    var document: Cursor
    var folder: String?
    var prompt: MarkdownPrompt?
    /// Whether its structure is valid.
    var isSound: Bool
}

/// The state while reading several sources.
private struct Reading {
    var findings = Findings()
    var agents: [AgentDocument] = []
    var bottles: [BottleDocument] = []

    mutating func add(_ source: ManifestSource, limits: YAMLLimits) {
        guard
            let text = SourceText.read(name: source.name, bytes: source.bytes, limit: limits.bytes, findings: &findings)
        else { return }
        var prompt: MarkdownPrompt?
        var end: Int?
        if source.format == .markdown {
            guard let parts = FrontMatter(text, &findings) else { return }
            end = parts.end
            prompt = parts.body.map {
                MarkdownPrompt(text: $0, position: SourcePosition(source: text, mark: parts.bodyMark))
            }
        }
        var own = Findings()
        let roots = YAMLParser.documents(of: text, upTo: end, limits: limits, findings: &own)
        findings.append(own)
        if roots.isEmpty, !own.hasErrors {
            let position = SourcePosition(source: text, mark: YAMLMark(line: 1, column: 1))
            findings.error(
                "empty-manifest",
                "there is no document in this file",
                at: position,
                suggestion: "`bottle init` writes one"
            )
        }
        for root in roots {
            add(
                Cursor(source: text, node: root, path: ""),
                folder: source.folder,
                prompt: prompt,
                isWhole: !own.hasErrors
            )
        }
    }

    /// Adds a document; `isWhole` says whether its text was read without an error.
    private mutating func add(_ document: Cursor, folder: String?, prompt: MarkdownPrompt?, isWhole: Bool) {
        if case .null = document.node.scalar?.value { return }
        guard document.node.entries != nil else {
            findings.error(
                "wrong-type",
                "a document must be a mapping, not \(document.node.kindName)",
                at: document.position
            )
            return
        }
        if OlderShape.report(document, &findings) { return }
        switch kind(of: document) {
        case "Bottle":
            let isSound = check(document, ManifestShape.bottle) && isWhole
            guard !document.node.holdsLongList else { return }
            bottles.append(BottleDocument(document: document, folder: folder, prompt: prompt, isSound: isSound))
        case "Agent":
            let isSound = check(document, ManifestShape.agentDocument) && isWhole
            guard !document.node.holdsLongList else { return }
            addAgent(document, folder: folder, prompt: prompt, isSound: isSound)
        default: return
        }
    }

    /// Reports where the document doesn't have the shape.
    private mutating func check(_ document: Cursor, _ shape: ObjectShape) -> Bool {
        var own = Findings()
        document.check(.object(shape), &own)
        findings.append(own)
        return !own.hasErrors
    }

    /// The document's kind; nil if it is missing or unknown.
    ///
    /// Reports that, and a wrong `apiVersion`.
    private mutating func kind(of document: Cursor) -> String? {
        if let kind = document["kind"]?.text, ManifestShape.kinds.contains(kind) { return kind }
        let names = ManifestShape.envelope
        document.check(
            .object(
                ObjectShape(
                    "document",
                    names.map { name in
                        switch name {
                        case "apiVersion":
                            KeyShape(name, .choice([ManifestShape.apiVersion]), required: true, "always bottle/v1")
                        case "kind": KeyShape(name, .choice(ManifestShape.kinds), required: true, "Bottle or Agent")
                        default:
                            KeyShape(
                                name,
                                .table(key: TextShape("a key"), value: .anything),
                                required: true,
                                "see `bottle schema`"
                            )
                        }
                    }
                )
            ),
            &findings
        )
        return nil
    }

    private mutating func addAgent(_ document: Cursor, folder: String?, prompt: MarkdownPrompt?, isSound: Bool) {
        var decoder = ManifestDecoder()
        let name = document["metadata"].flatMap { decoder.name($0) }
        var agent = document["spec"].flatMap { decoder.agent($0) }
        decoder.setPrompt(prompt, of: &agent, spec: document["spec"])
        findings.append(decoder.findings)
        if !isSound || decoder.findings.hasErrors { agent = nil }
        guard let name, let spec = document["spec"] else { return }
        if let first = agents.first(where: { $0.name == name.name }) {
            findings.error(
                "duplicate-name",
                "there is already an Agent '\(name)' at \(first.cursor.position.location)",
                at: document["metadata"]?["name"]?.position ?? document.position,
                suggestion: "give one of them another name"
            )
            return
        }
        agents.append(AgentDocument(name: name.name, agent: agent, cursor: spec, folder: folder))
    }

    mutating func finish(files: [String]) -> ManifestReading {
        var located: [LocatedBottle] = []
        var locations: [Identity: SourceLocation] = [:]
        for bottle in bottles {
            let document = bottle.document
            var decoder = ManifestDecoder()
            let decoded = decoder.bottle(document, folder: bottle.folder, prompt: bottle.prompt, agents: agents)
            findings.append(decoder.findings)
            if let name = document["metadata"].flatMap({ try? Identity($0["name"]?.text ?? "") }) {
                let position = document["metadata"]?["name"]?.position ?? document.position
                if let first = locations[name] {
                    findings.error(
                        "duplicate-name",
                        "there is already a Bottle '\(name)' at \(first)",
                        at: position,
                        suggestion: "give one of them another name"
                    )
                } else {
                    locations[name] = position.location
                }
            }
            if let decoded, bottle.isSound, !decoder.findings.hasErrors { located.append(decoded) }
        }
        return ManifestReading(bottles: located, diagnostics: findings.ordered(files: files))
    }
}
