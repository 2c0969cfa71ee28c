/// A Dockerfile that an agent proposed, judged, and made into the text that is built (SPEC 5, "Capability").
///
/// What it holds begins with images of known ids only, fetches nothing by itself, mounts nothing, and can be read in one
/// way only. What `RUN` does is not judged: that runs where it can reach nothing (`RestrictedBuild`).
package struct RestrictedDockerfile: Sendable, Hashable {
    /// The text that is built: as proposed, but that each `FROM` names an image's id.
    ///
    /// Judged again with these ids it comes out the same.
    package let text: String
    /// The ids that its stages begin with, the first stage's first.
    package let bases: [ImageID]

    /// Judges `text`.
    ///
    /// - Parameter bases: the images that it may begin with, by the names it may use for them; their ids may be used too.
    /// - Throws: `DockerfileRefusal` with every reason.
    package init(_ text: String, bases: [String: ImageID]) throws(DockerfileRefusal) {
        let reading = DockerfileReading(text)
        var judge = Judge(bases: bases)
        var lines: [String] = []
        for item in reading.items {
            switch item {
            case .aside(let line): lines.append(line)
            case .instruction(let instruction): lines += judge.lines(of: instruction)
            }
        }
        if judge.stages.isEmpty { judge.refuse(1, "it has no FROM") }
        let reasons = (reading.problems + judge.reasons).sorted { ($0.line, $0.text) < ($1.line, $1.text) }
        guard reasons.isEmpty else { throw DockerfileRefusal(reasons: reasons) }
        self.text = lines.joined(separator: "\n") + "\n"
        self.bases = judge.used
    }

    /// Judges a text that came out of this before: its stages begin with ids alone.
    ///
    /// - Throws: `DockerfileRefusal`, also for a text that is not as it came out.
    package init(sealed text: String) throws(DockerfileRefusal) {
        var ids: [String: ImageID] = [:]
        for name in Self.firstNames(of: text) { if let id = try? ImageID(name) { ids[name] = id } }
        try self.init(text, bases: ids)
        guard self.text == text else {
            throw DockerfileRefusal(reasons: [.init(line: 1, text: "it was changed since it was judged")])
        }
    }

    /// What the `FROM`s of any Dockerfile name, as far as they are plain names: stages too.
    package static func firstNames(of text: String) -> [String] {
        origins(of: text).filter { (try? ImageReference($0)) != nil }
    }

    /// What each `FROM` of a Dockerfile names.
    static func origins(of text: String) -> [String] {
        DockerfileReading(text).instructions.filter { $0.word == "FROM" }.compactMap { instruction in
            instruction.words.first { !$0.isFlag }
        }
    }
}

/// Goes through the instructions of a Dockerfile and keeps what later ones depend on.
private struct Judge {
    let bases: [String: ImageID]
    var stages: [String?] = []
    var used: [ImageID] = []
    var reasons: [DockerfileRefusal.Reason] = []

    init(bases: [String: ImageID]) { self.bases = bases }

    private static let harmless: Set<String> = [
        "CMD", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "MAINTAINER", "SHELL", "STOPSIGNAL", "USER", "VOLUME",
        "WORKDIR",
    ]

    mutating func refuse(_ line: Int, _ text: String) { reasons.append(.init(line: line, text: text)) }

    /// The lines of the instruction as they are to be built; its problems are noted.
    mutating func lines(of instruction: DockerfileReading.Instruction) -> [String] {
        let line = instruction.line
        let rest = instruction.rest
        switch instruction.word {
        case "FROM": return [from(instruction)]
        case "ARG": argument(rest, line)
        case _ where stages.isEmpty: refuse(line, "\(Self.shown(instruction.word)) before FROM")
        case "RUN":
            if rest.isFlag { refuse(line, "RUN takes no \(Self.flag(rest))") }
            if rest.opensHere { refuse(line, "'<<' in RUN: the builder has no here-documents") }
        case "COPY": copy(rest, line)
        case "ADD": add(rest, line)
        case "LABEL": label(rest, line)
        case "ONBUILD": refuse(line, "ONBUILD: nothing is built from an agent's image")
        case let word where Self.harmless.contains(word): break
        case let word: refuse(line, "\(Self.shown(word)) is no instruction")
        }
        return instruction.lines
    }

    // MARK: - Images

    private mutating func from(_ instruction: DockerfileReading.Instruction) -> String {
        let line = instruction.line
        let words = instruction.words
        var name: String?
        if let first = words.first, first.isFlag {
            refuse(line, "FROM takes no \(Self.flag(first))")
        } else if words.count == 3, words[1].lowercased() == "as" {
            name = words[2].lowercased()
            if !Self.isStageName(words[2].lowercased()) || bases[words[2].lowercased()] != nil {
                refuse(line, "\(Self.shown(words[2])) is no name for a stage")
            } else if stages.contains(name) {
                refuse(line, "two stages are called \(Self.shown(words[2]))")
            }
        } else if words.count != 1 {
            refuse(line, "FROM takes an image, or an image AS a name")
        }
        defer { stages.append(name) }
        var origin = words.first ?? ""
        if let id = base(origin) {
            used.append(id)
            origin = id.text
        } else if Self.isStageName(origin.lowercased()), stages.contains(origin.lowercased()) {
            origin = origin.lowercased()
        } else if !origin.isFlag {
            let known = bases.keys.sorted().prefix(3).joined(separator: ", ")
            refuse(line, "FROM \(Self.shown(origin)): it may begin with \(known) only")
        }
        return "FROM \(origin)" + (name.map { " AS \($0)" } ?? "")
    }

    private func base(_ name: String) -> ImageID? {
        if let id = bases[name] ?? bases.values.first(where: { $0.text == name }) { return id }
        if name.hasSuffix(":latest") { return bases[String(name.dropLast(7))] }
        return bases["\(name):latest"]
    }

    private static func isStageName(_ name: String) -> Bool {
        guard let first = name.utf8.first, (97...122).contains(first), name != "scratch" else { return false }
        return name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || [45, 46, 95].contains($0) }
    }

    // MARK: - Files

    private mutating func copy(_ rest: String, _ line: Int) {
        if rest.opensHere { refuse(line, "'<<' in COPY: the builder has no here-documents") }
        for flag in flags(of: rest, "COPY", line) {
            switch flag.name {
            case "chown": continue
            case "from":
                let earlier = stages.dropLast()
                let isName = Self.isStageName(flag.value.lowercased()) && earlier.contains(flag.value.lowercased())
                let isNumber = Int(flag.value).map { String($0) == flag.value && earlier.indices.contains($0) } ?? false
                if !isName && !isNumber {
                    refuse(line, "COPY --from=\(Self.shown(flag.value)): only from an earlier stage")
                }
            default: refuse(line, "COPY takes no --\(Self.shown(flag.name))")
            }
        }
    }

    /// `ADD` fetches what looks like an address, also one that variables, quotes or escapes make: hence plain paths only.
    private mutating func add(_ rest: String, _ line: Int) {
        var paths = rest
        for flag in flags(of: rest, "ADD", line) {
            if flag.name != "chown" { refuse(line, "ADD takes no --\(Self.shown(flag.name))") }
            paths = String(paths.dropFirst(flag.length))
        }
        let isPlain = paths.utf8.allSatisfy { byte in
            switch byte {
            case 97...122, 65...90, 48...57: true
            default: " \t._/-*?[]\",".utf8.contains(byte)
            }
        }
        let isRemote = paths.lowercased().split { " \t\"[],".contains($0) }.contains { $0.hasPrefix("github.com/") }
        if !isPlain || isRemote { refuse(line, "ADD of anything but plain paths: take COPY, or RUN with a program") }
    }

    /// A label of ours on an image would pass its containers off as ours.
    private mutating func label(_ rest: String, _ line: Int) {
        let bare = rest.lowercased().filter { !"\"'\\".contains($0) }
        if bare.utf8.contains(UInt8(ascii: "$")) { refuse(line, "LABEL with a variable") }
        if bare.contains("dev.bottle") || bare.contains("io.bottle") { refuse(line, "LABEL that is bottle's own") }
    }

    /// The builder is told of the proxy by these; declared, they would become part of the image.
    private mutating func argument(_ rest: String, _ line: Int) {
        let bare = rest.lowercased().filter { !"\"'\\".contains($0) }
        for name in ["http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy"] where bare.contains(name) {
            refuse(line, "ARG \(name): the way out while building is not the Dockerfile's")
        }
    }

    // MARK: - Words

    private struct Flag {
        var name: String
        var value: String
        /// Characters up to the next word.
        var length: Int
    }

    private mutating func flags(of rest: String, _ word: String, _ line: Int) -> [Flag] {
        var found: [Flag] = []
        var left = Substring(rest)
        while left.isFlag {
            let text = left.prefix { $0 != " " && $0 != "\t" }
            let blanks = left.dropFirst(text.count).prefix { $0 == " " || $0 == "\t" }
            if !text.utf8.allSatisfy({ (33...126).contains($0) }) || text.contains(where: { "\"'\\$`".contains($0) }) {
                refuse(line, "\(word) \(Self.shown(text)): a flag with quotes, variables or escapes")
            }
            let parts = text.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            found.append(
                Flag(
                    name: parts.first.map { $0.lowercased() } ?? "",
                    value: parts.count > 1 ? String(parts[1]) : "",
                    length: text.count + blanks.count
                )
            )
            left = left.dropFirst(text.count + blanks.count)
        }
        return found
    }

    private static func flag(_ text: String) -> String {
        shown(text.prefix { $0 != " " && $0 != "\t" && $0 != "=" })
    }

    /// A word of the agent's, short enough for a reason. (What could mislead in it is a problem of its line already.)
    private static func shown(_ text: some StringProtocol) -> String {
        String(
            text.unicodeScalars.filter { !$0.properties.isDefaultIgnorableCodePoint }.prefix(60).map { scalar in
                scalar.properties.generalCategory == .control ? "?" : Character(scalar)
            }
        )
    }
}

extension DockerfileReading.Instruction {
    fileprivate var words: [String] {
        rest.utf8.split(whereSeparator: DockerfileReading.isBlank).map { String(Substring($0)) }
    }
}

// By bytes: as characters, what has an accent on it would be another.
extension StringProtocol {
    fileprivate var isFlag: Bool { utf8.starts(with: "--".utf8) }

    /// Whether some builder could take it for the beginning of a here-document: `<<` right before its end's name.
    ///
    /// `<<<` and `1 << 2` are none.
    fileprivate var opensHere: Bool {
        let bytes = Array(utf8)
        return bytes.indices.dropLast(2).contains { index in
            bytes[index] == 60 && bytes[index + 1] == 60 && (index == 0 || bytes[index - 1] != 60)
                && bytes[index + 2] != 60 && !DockerfileReading.isBlank(bytes[index + 2])
        }
    }
}
