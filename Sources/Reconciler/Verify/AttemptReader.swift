import ReconcilerManifest
package import ReconcilerModel

/// Reads attempts from YAML: one list of them per file.
package struct AttemptReader {
    private var fields: AttemptFields

    /// The attempts in `bytes`, and everything that is wrong; leaves out an attempt with an error of its own.
    package static func read(name: String, bytes: [UInt8]) -> (attempts: [Attempt], diagnostics: [Diagnostic]) {
        let file = YAMLFile(name: name, bytes: bytes)
        var reader = AttemptReader(fields: AttemptFields(file: file))
        var attempts: [Attempt] = []
        for document in file.documents {
            for node in reader.fields.list(document, "a file of attempts") ?? [] {
                if let attempt = reader.attempt(node) { attempts.append(attempt) }
            }
        }
        return (attempts, reader.fields.diagnostics)
    }

    private mutating func attempt(_ node: YAMLNode) -> Attempt? {
        let errors = fields.errors
        let known = ["name", "source", "faces", "steps", "expected"]
        guard let keys = fields.mapping(node, "an attempt", known, required: ["name", "source", "steps", "expected"])
        else { return nil }
        let name = keys["name"].flatMap { fields.name($0) } ?? ""
        let source = keys["source"].flatMap { fields.text($0, "source") } ?? ""
        let faces = keys["faces"].flatMap { fields.choice($0, "value", Attempt.Face.self) } ?? .egressProxy
        let nodes = keys["steps"].flatMap { fields.list($0, "steps") } ?? []
        let steps = nodes.compactMap { step($0) }
        let expected = keys["expected"].flatMap { expectation($0) } ?? AttemptExpectation()
        guard fields.errors == errors else { return nil }
        return Attempt(name: name, source: source, faces: faces, steps: steps, expected: expected)
    }

    // MARK: - Steps

    private static let steps = [
        "connect", "send", "receive", "tls", "hello", "tunnel", "get", "pause", "shutdown", "udp", "resolve",
    ]

    private mutating func step(_ node: YAMLNode) -> AttemptStep? {
        guard let entries = node.entries, entries.count == 1 else {
            fields.report("wrong-type", "a step must be a mapping with one key", at: node)
            return nil
        }
        let value = entries[0].value
        switch entries[0].key {
        case "connect": return target(value, alone: "proxy").map { .connect($0) }
        case "send": return payload(value).map { .send($0) }
        case "receive": return fields.choice(value, "value", AttemptStep.Reception.self).map { .receive($0) }
        case "tls": return offer(value).map { .tls($0) }
        case "hello": return hello(value).map { .hello($0) }
        case "tunnel": return tunnel(value).map { .tunnel($0) }
        case "get": return fields.template(value, "get").map { .get($0) }
        case "pause": return fields.integer(value, "pause", in: 0...10_000).map { .pause($0) }
        case "shutdown": return fields.word(value, of: ["write"]) == nil ? nil : .shutdown
        case "udp": return datagram(value)
        case "resolve": return fields.template(value, "resolve").map { .resolve($0) }
        default:
            fields.report(unknown: entries[0].key, "step", of: Self.steps, at: entries[0].keyMark)
            return nil
        }
    }

    /// `host:port`, or the word `alone`.
    private mutating func target(_ node: YAMLNode, alone: String? = nil) -> String? {
        guard let text = fields.template(node, "a target") else { return nil }
        guard text == alone || HostPort(text) != nil else {
            fields.report("invalid-value", "a target is host:port, not '\(text)'", at: node)
            return nil
        }
        return text
    }

    private mutating func payload(_ node: YAMLNode) -> AttemptPayload? {
        guard node.entries != nil else { return fields.template(node, "what is sent").map { .text($0, times: 1) } }
        guard let keys = fields.mapping(node, "what is sent", ["hex", "text", "times"]) else { return nil }
        if let hex = keys["hex"] {
            if keys.count > 1 { fields.report("conflicting-keys", "hex stands alone", at: node) }
            return bytes(hex).map { .bytes($0) }
        }
        guard let text = keys["text"] else {
            fields.report("missing-key", "what is sent needs hex or text", at: node)
            return nil
        }
        let times = keys["times"].flatMap { fields.integer($0, "times", in: 1...20_000_000) }
        return fields.template(text, "text").map { .text($0, times: times ?? 1) }
    }

    private mutating func bytes(_ node: YAMLNode) -> [UInt8]? {
        guard let text = fields.text(node, "hex") else { return nil }
        let digits = text.utf8.filter { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\n") }
        let values = digits.map { Character(Unicode.Scalar($0)).hexDigitValue }
        guard digits.count % 2 == 0, !values.contains(nil) else {
            fields.report("invalid-value", "hex takes pairs of hexadecimal digits", at: node)
            return nil
        }
        let known = values.compactMap(\.self)
        return stride(from: 0, to: known.count, by: 2).map { UInt8(known[$0] << 4 | known[$0 + 1]) }
    }

    private mutating func offer(_ node: YAMLNode) -> TLSOffer? {
        guard let keys = fields.mapping(node, "tls", ["sni", "alpn", "max"], required: ["sni"]) else { return nil }
        return TLSOffer(
            sni: keys["sni"].flatMap { $0.isNull ? nil : fields.template($0, "sni") },
            alpn: keys["alpn"].map { fields.texts($0, "alpn") } ?? [],
            max: keys["max"].flatMap { fields.choice($0, "value", TLSOffer.Version.self) }
        )
    }

    private mutating func hello(_ node: YAMLNode) -> ClientHello? {
        guard let keys = fields.mapping(node, "hello", ["sni", "names", "alpn"]) else { return nil }
        if keys["sni"] != nil, keys["names"] != nil {
            fields.report("conflicting-keys", "hello takes either sni or names", at: node)
        }
        let sni = keys["sni"].flatMap { $0.isNull ? nil : fields.template($0, "sni") }
        return ClientHello(
            names: keys["names"].map { fields.templates($0, "names") } ?? sni.map { [$0] } ?? [],
            alpn: keys["alpn"].map { fields.texts($0, "alpn") } ?? []
        )
    }

    private mutating func tunnel(_ node: YAMLNode) -> AttemptStep.Tunnel? {
        guard node.entries != nil else {
            return fields.template(node, "tunnel").map { .init(host: $0, tls: TLSOffer(sni: $0)) }
        }
        let known = ["host", "port", "sni", "alpn", "max"]
        guard let keys = fields.mapping(node, "tunnel", known, required: ["host"]),
            let host = keys["host"].flatMap({ fields.template($0, "host") })
        else { return nil }
        var offer = TLSOffer(sni: host)
        if let sni = keys["sni"] { offer.sni = sni.isNull ? nil : fields.template(sni, "sni") }
        if let alpn = keys["alpn"] { offer.alpn = fields.texts(alpn, "alpn") }
        offer.max = keys["max"].flatMap { fields.choice($0, "value", TLSOffer.Version.self) }
        let port = keys["port"].flatMap { fields.integer($0, "port", in: 1...65535) }
        return .init(host: host, port: port ?? 443, tls: offer)
    }

    private mutating func datagram(_ node: YAMLNode) -> AttemptStep? {
        guard let keys = fields.mapping(node, "udp", ["to", "hex", "text"], required: ["to"]),
            let to = keys["to"].flatMap({ target($0) })
        else { return nil }
        if let hex = keys["hex"] { return bytes(hex).map { .udp(to: to, .bytes($0)) } }
        guard let text = keys["text"].flatMap({ fields.template($0, "text") }) else {
            fields.report("missing-key", "udp needs hex or text", at: node)
            return nil
        }
        return .udp(to: to, .text(text, times: 1))
    }

    // MARK: - What is expected

    private mutating func expectation(_ node: YAMLNode) -> AttemptExpectation? {
        guard let keys = fields.mapping(node, "expected", ["answer", "rule", "arrives"], required: ["answer"])
        else { return nil }
        var expected = AttemptExpectation()
        if let answer = keys["answer"] { expected.answers = answers(answer) }
        if let rule = keys["rule"] {
            expected.rule = rule.isNull ? .notNeeded : .oneOf(fields.textOrTexts(rule, "rule"))
        }
        if let arrives = keys["arrives"] {
            expected.arrives = (fields.list(arrives, "arrives") ?? []).compactMap { arrival($0) }
        }
        return expected
    }

    /// The outcomes; nil for `any`.
    private mutating func answers(_ node: YAMLNode) -> [AttemptOutcome]? {
        if node.scalar?.text == "any" { return nil }
        return (node.items ?? [node]).compactMap { outcome($0) }
    }

    private mutating func outcome(_ node: YAMLNode) -> AttemptOutcome? {
        if node.integer != nil { return fields.integer(node, "a status", in: 101...599).map { .status($0) } }
        return fields.word(node, of: AttemptOutcome.words.keys.sorted()).flatMap { AttemptOutcome.words[$0] }
    }

    private mutating func arrival(_ node: YAMLNode) -> PermittedArrival? {
        let known = ["host", "method", "path", "with", "without", "requests"]
        guard let keys = fields.mapping(node, "an arrival", known, required: ["host"]),
            let host = keys["host"].flatMap({ fields.template($0, "host") })
        else { return nil }
        return PermittedArrival(
            host: host,
            method: keys["method"].flatMap { fields.text($0, "method") },
            path: keys["path"].flatMap { fields.template($0, "path") },
            with: keys["with"].map { fields.texts($0, "with") } ?? [],
            without: keys["without"].map { fields.texts($0, "without") } ?? [],
            isRequest: keys["requests"].flatMap { fields.integer($0, "requests", in: 0...1) } != 0
        )
    }
}
