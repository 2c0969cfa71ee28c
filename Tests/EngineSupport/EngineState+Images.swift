package import ReconcilerEngine
import ReconcilerModel

extension EngineState {
    /// A reference with its tag.
    static func tagged(_ reference: String) -> String {
        let last = reference.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        return last.contains(":") || last.contains("@") ? reference : "\(reference):latest"
    }

    /// The image that a name or an id means.
    package func findImage(_ reference: String) -> MemoryImage? {
        if let exact = images[reference] ?? images["sha256:\(reference)"] { return exact }
        let name = Self.tagged(reference)
        return images.values.first { $0.tags.contains(name) }
    }

    private func missing(_ reference: String) -> EngineError {
        Self.refusal(404, "No such image: \(Self.tagged(reference))")
    }

    /// Takes up an image, with its tags.
    package mutating func add(_ image: MemoryImage) {
        var image = image
        let tags = Set(image.tags.map(Self.tagged))
        for id in images.keys { images[id]?.tags.subtract(tags) }
        image.tags = tags.union(images[image.id]?.tags ?? [])
        images[image.id] = image
    }

    package mutating func tag(_ reference: String, as name: String) throws(EngineError) {
        guard let image = findImage(reference) else { throw missing(reference) }
        move(Self.tagged(name), to: image.id)
    }

    private mutating func move(_ tag: String, to id: String) {
        for other in images.keys { images[other]?.tags.remove(tag) }
        images[id]?.tags.insert(tag)
        tell("image", "tag", id, ["name": tag])
    }

    mutating func removeImage(_ reference: String, force: Bool) throws(EngineError) {
        guard let image = findImage(reference) else { throw missing(reference) }
        let tag = Self.tagged(reference)
        if image.tags.contains(tag), image.tags.count > 1 {
            images[image.id]?.tags.remove(tag)
            tell("image", "untag", image.id, ["name": image.id])
            return
        }
        if let user = containers.values.first(where: { $0.imageID == image.id }), !force || user.isRunning {
            throw Self.refusal(
                409,
                "conflict: unable to remove repository reference \"\(reference)\" (must force) - container "
                    + "\(user.id.prefix(12)) is using its referenced image \(image.id.dropFirst(7).prefix(12))"
            )
        }
        images[image.id] = nil
        tell("image", "untag", image.id, ["name": image.id])
        tell("image", "delete", image.id, ["name": image.id])
    }

    mutating func pull(_ reference: String) throws(EngineError) -> [ProgressLine] {
        let name = Self.tagged(reference)
        guard let image = registry[name] ?? registry[reference] else {
            throw Self.refusal(
                404,
                "pull access denied for \(reference), repository does not exist or may require 'docker login': "
                    + "denied: requested access to the resource is denied"
            )
        }
        var tagged = image
        tagged.tags = [name]
        add(tagged)
        count("pull", "image", name)
        tell("image", "pull", name, ["name": reference])
        return [
            ProgressLine(status: "Pulling from \(reference)", item: "latest"),
            ProgressLine(status: "Status: Downloaded newer image for \(name)"),
        ]
    }

    /// Builds an image; the same context, options and base give the same image.
    ///
    /// Knows `FROM`, `ARG`, `ENV`, `LABEL`, `USER`, `CMD` and `RUN`, of which only an `exit` at the end counts.
    mutating func build(
        _ files: [TarFile],
        _ options: BuildOptions
    ) throws(EngineError) -> [ProgressLine] {
        builds.append(options)
        guard let file = files.first(where: { $0.entry.path == options.dockerfile }) else {
            throw Self.refusal(500, "Cannot locate specified Dockerfile: \(options.dockerfile)")
        }
        let steps = String(decoding: file.content, as: UTF8.self).split(separator: "\n").map(String.init)
            .filter { !$0.hasPrefix("#") && !$0.allSatisfy(\.isWhitespace) }
        for step in steps where !Self.instructions.contains(Self.word(step)) {
            throw Self.refusal(
                400,
                "dockerfile parse error line 1: unknown instruction: \(Self.word(step))"
            )
        }
        var lines: [ProgressLine] = []
        var image: MemoryImage?
        var arguments = options.arguments
        for (index, step) in steps.enumerated() {
            lines.append(ProgressLine(text: "Step \(index + 1)/\(steps.count) : \(step)\n"))
            let rest = Self.rest(step)
            switch Self.word(step) {
            case "FROM":
                guard let base = findImage(rest) else {
                    lines.append(ProgressLine(error: "pull access denied for \(rest), repository does not exist"))
                    return lines
                }
                image = base
            case "ARG": if arguments[rest] == nil { arguments[rest] = "" }
            case "ENV":
                let value = arguments.reduce(rest) { $0.replacing("$\($1.key)", with: $1.value) }
                let others = image?.config.environment ?? []
                image?.config.environment = others + [value]
            case "USER": image?.config.user = rest
            case "LABEL":
                let parts = rest.split(separator: "=", maxSplits: 1).map { $0.filter { $0 != "\"" } }
                var labels = image?.config.labels ?? [:]
                if parts.count == 2 { labels[parts[0]] = parts[1] }
                image?.config.labels = labels
            case "RUN":
                lines += Self.output(of: rest)
                if let code = Self.exitCode(of: rest), code != 0 {
                    lines.append(
                        ProgressLine(
                            error: "The command '/bin/sh -c \(rest)' returned a non-zero code: \(code)",
                            code: code
                        )
                    )
                    return lines
                }
            default: break
            }
        }
        guard var image else { throw Self.refusal(400, "no build stage in current context") }
        let digests = files.map { "\($0.entry.path) \(ContentDigest(of: $0.content))" }
        let facts = digests + [image.id] + options.labels.map { "\($0)=\($1)" } + arguments.map { "\($0)=\($1)" }
        image.id = "sha256:\(ContentDigest(of: facts.sorted().joined(separator: "\n")))"
        image.config.labels = (image.config.labels ?? [:]).merging(options.labels) { $1 }
        image.tags = images[image.id]?.tags ?? []
        image.createdAt = images[image.id]?.createdAt ?? clock
        for tag in options.tags.map(Self.tagged) { image.start = programs[tag] ?? image.start }
        images[image.id] = image
        for tag in options.tags.map(Self.tagged) {
            move(tag, to: image.id)
            count("build", "image", tag)
        }
        lines.append(ProgressLine(imageID: image.id))
        lines.append(ProgressLine(text: "Successfully built \(image.id.dropFirst(7).prefix(12))\n"))
        return lines
    }

    private static let instructions: Set<String> = [
        "FROM", "ARG", "ENV", "LABEL", "USER", "CMD", "ENTRYPOINT", "RUN", "COPY", "ADD", "WORKDIR", "EXPOSE", "VOLUME",
        "STOPSIGNAL", "HEALTHCHECK", "SHELL",
    ]

    private static func word(_ step: String) -> String {
        step.split(separator: " ", maxSplits: 1).first.map { $0.uppercased() } ?? ""
    }

    private static func rest(_ step: String) -> String {
        step.split(separator: " ", maxSplits: 1).dropFirst().first.map(String.init) ?? ""
    }

    private static func output(of line: String) -> [ProgressLine] {
        line.split(separator: " && ").filter { $0.hasPrefix("echo ") }.map {
            ProgressLine(text: "\($0.dropFirst(5))\n")
        }
    }

    private static func exitCode(of line: String) -> Int? {
        line.split(separator: " && ").last.flatMap { $0.hasPrefix("exit ") ? Int($0.dropFirst(5)) : nil }
    }
}
