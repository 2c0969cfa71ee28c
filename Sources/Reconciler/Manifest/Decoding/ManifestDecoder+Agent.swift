import ReconcilerModel

extension ManifestDecoder {
    /// Decodes an agent; nil if it has no valid image.
    mutating func agent(_ cursor: Cursor) -> AgentSpec? {
        let image = agentImage(cursor)
        let user = cursor["user"].flatMap { self.user($0) }
        let home = cursor["home"].flatMap { self.home($0) }
        let environment = self.environment(cursor["env"])
        let workspace = cursor["workspace"].map { self.workspace($0) } ?? Workspace()
        let resources = cursor["resources"].map { self.resources($0) } ?? Resources()
        let runtime = cursor["runtime"].flatMap { word($0, "a runtime's name") }
        for item in cursor["skills"]?.items ?? [] { requireText(item) }
        guard let image else { return nil }
        return AgentSpec(
            image: image,
            command: command(cursor["command"]),
            user: user,
            home: home,
            restart: cursor["restart"]?.text.flatMap(RestartPolicy.init(rawValue:)) ?? .never,
            prompt: cursor["prompt"].flatMap { prompt($0) },
            skills: (cursor["skills"]?.items ?? []).compactMap(\.text),
            environment: environment,
            workspace: workspace,
            resources: resources,
            runtime: runtime
        )
    }

    private mutating func agentImage(_ cursor: Cursor) -> AgentImage? {
        if let image = cursor["image"], let text = image.text {
            return value(image) { () throws(InvalidValue) in try ImageReference(text) }.map { .reference($0) }
        }
        guard let build = cursor["build"], let context = build["context"], let folder = context.text else { return nil }
        requireText(context)
        var source = BuildSource(context: folder)
        if let path = build["dockerfile"].flatMap({ pathInContext($0) }) { source.dockerfile = path }
        if let pinned = build["pinned"], let hex = pinned.text {
            source.pinned = value(pinned) { () throws(InvalidValue) in try ContentDigest(hex: hex) }
        }
        source.base = build["base"].flatMap { imageID($0) }
        return .build(source)
    }

    mutating func imageID(_ cursor: Cursor) -> ImageID? {
        guard let text = cursor.text else { return nil }
        return value(cursor) { () throws(InvalidValue) in try ImageID(text) }
    }

    /// A path inside a build context.
    ///
    /// Reports a path that leads out of it.
    mutating func pathInContext(_ cursor: Cursor) -> String? {
        guard let path = cursor.text else { return nil }
        let segments = path.split(separator: "/", omittingEmptySubsequences: false)
        if path.isEmpty || segments.contains("..") || segments.contains("") {
            findings.error(
                "invalid-value",
                "\(cursor.path): \(quoted(path)) is not a path inside the build context",
                at: cursor.position,
                suggestion: "a relative path without '..'"
            )
        }
        return path
    }

    private mutating func command(_ cursor: Cursor?) -> [String] {
        guard let cursor else { return [] }
        if cursor.items.first?.text?.isEmpty == true {
            findings.error("invalid-value", "\(cursor.path)[0], the program, is empty", at: cursor.items[0].position)
        }
        return cursor.items.compactMap(\.text)
    }

    private mutating func user(_ cursor: Cursor) -> String? {
        guard let text = cursor.text else { return nil }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let isValid =
            parts.count <= 2 && text.utf8.count <= 128
            && parts.allSatisfy { part in
                !part.isEmpty && part.first != "-"
                    && part.utf8.allSatisfy { Self.isAlphanumeric($0) || [45, 46, 95].contains($0) }
            }
        if !isValid {
            findings.error(
                "invalid-value",
                "\(cursor.path): \(quoted(text)) is not a user",
                at: cursor.position,
                suggestion: "a user's name or number, optionally ':' and a group"
            )
        }
        return text
    }

    private mutating func home(_ cursor: Cursor) -> String? {
        guard let text = cursor.text else { return nil }
        let segments = text.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        let isPlain = !segments.contains { $0.isEmpty || $0 == "." || $0 == ".." || $0.contains(":") }
        if !text.hasPrefix("/") || !isPlain || text == "/" {
            findings.error(
                "invalid-value",
                "\(cursor.path): \(quoted(text)) is not a home folder",
                at: cursor.position,
                suggestion: "an absolute path like /home/node, without '.', '..' and ':'"
            )
        }
        return text
    }

    private mutating func prompt(_ cursor: Cursor) -> Prompt? {
        if let text = cursor["text"]?.text { return .text(text) }
        guard let file = cursor["file"], let path = file.text else { return nil }
        requireText(file)
        return .file(path)
    }

    private mutating func workspace(_ cursor: Cursor) -> Workspace {
        let mode = cursor["mode"]?.text.flatMap(Workspace.Mode.init(rawValue:)) ?? .none
        if mode != .none, cursor["path"] == nil {
            findings.error(
                "missing-key",
                "\(cursor.path) has mode '\(mode.rawValue)' but no 'path'",
                at: cursor.position,
                suggestion: "add 'path: .'"
            )
        }
        if let path = cursor["path"] { requireText(path) }
        return Workspace(mode: mode, path: cursor["path"]?.text)
    }

    /// A number of bytes, written as a number or with a unit.
    mutating func bytes(_ cursor: Cursor) -> Int64? {
        guard let text = cursor.text else { return nil }
        if case .integer(let number) = cursor.node.scalar?.value { return number.map { Int64($0) } }
        return value(cursor) { () throws(InvalidValue) in try MemorySize.read(text) }
    }

    /// A number of processors in thousandths.
    mutating func milliCPUs(_ cursor: Cursor) -> Int? {
        guard let text = cursor.text, cursor.isNumber else { return nil }
        return value(cursor) { () throws(InvalidValue) in try ProcessorCount.read(text) }
    }

    private mutating func resources(_ cursor: Cursor) -> Resources {
        var resources = Resources()
        resources.milliCPUs = cursor["cpus"].flatMap { milliCPUs($0) }
        resources.memory = cursor["memory"].flatMap { bytes($0) }
        resources.pids = cursor["pids"]?.integer
        return resources
    }

    private mutating func environment(_ cursor: Cursor?) -> [String: EnvironmentValue] {
        var environment: [String: EnvironmentValue] = [:]
        for entry in cursor?.entries ?? [] {
            do {
                _ = try SecretReference(entry.key)
            } catch {
                findings.error(
                    "invalid-value",
                    "\(quoted(entry.key)) is not a variable's name",
                    at: entry.keyPosition,
                    suggestion: error.rule
                )
            }
            if OwnedVariables.always.contains(entry.key) {
                findings.error(
                    "owned-variable",
                    "'\(entry.key)' is set by bottle, for the agent's home, its proxy or its certificates",
                    at: entry.keyPosition,
                    suggestion: entry.key == "HOME"
                        ? "remove it; 'home:' of the agent names another folder"
                        : "remove it; further roots go into egress.trust"
                )
            }
            if let source = entry.value["from_host"], let name = source.text {
                if value(source, { () throws(InvalidValue) in try SecretReference(name) }) != nil {
                    environment[entry.key] = .fromHost(name)
                }
            } else if let text = entry.value.text {
                environment[entry.key] = .literal(text)
            }
        }
        return environment
    }

    mutating func word(_ cursor: Cursor, _ noun: String) -> String? {
        guard let text = cursor.text else { return nil }
        let bytes = Array(text.utf8)
        let isWord = bytes.count <= 128 && bytes.allSatisfy { Self.isAlphanumeric($0) || [45, 46, 95].contains($0) }
        if bytes.isEmpty || !isWord || !Self.isAlphanumeric(bytes[0]) {
            findings.error(
                "invalid-value",
                "\(cursor.path): \(quoted(text)) is not \(noun)",
                at: cursor.position,
                suggestion: "letters, digits and '-', '_', '.', the first a letter or digit"
            )
        }
        return text
    }

    /// Reports a path that is empty or contains control characters.
    mutating func requireText(_ cursor: Cursor) {
        guard let text = cursor.text else { return }
        if text.isEmpty || text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) {
            findings.error("invalid-value", "\(cursor.path): \(quoted(text)) is not a path", at: cursor.position)
        }
    }
}

extension Cursor {
    var isNumber: Bool {
        switch node.scalar?.value {
        case .integer, .float: true
        default: false
        }
    }
}
