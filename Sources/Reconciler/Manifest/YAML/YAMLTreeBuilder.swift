import CYAML
import ReconcilerModel

/// Builds trees with positions from libyaml's events, and stops at the first exceeded limit.
struct YAMLTreeBuilder {
    let source: SourceText
    let limits: YAMLLimits
    private(set) var documents: [YAMLNode] = []
    private(set) var findings = Findings()
    private var stack: [Frame] = []
    private var anchors: [String: YAMLNode] = [:]
    /// Anchors whose node is incomplete: an alias to one would make a cycle.
    private var open: Set<String> = []
    private var nodes = 0
    private var size = 0

    init(source: SourceText, limits: YAMLLimits) {
        self.source = source
        self.limits = limits
    }

    /// Handles one event.
    ///
    /// - Returns: false when reading must stop.
    mutating func handle(_ event: yaml_event_t) -> Bool {
        let mark = unsafe YAMLMark(event.start_mark)
        switch unsafe event.type {
        case YAML_DOCUMENT_START_EVENT:
            anchors = [:]
            open = []
            return true
        case YAML_SCALAR_EVENT:
            let data = unsafe event.data.scalar
            let anchor = unsafe Self.text(data.anchor)
            let tag = unsafe Self.text(data.tag)
            let bytes = unsafe UnsafeBufferPointer(start: data.value, count: data.length)
            let scalar = unsafe YAMLScalar(
                text: String(decoding: bytes, as: UTF8.self),
                style: Self.style(data.style),
                tag: scalarTag(tag, at: mark)
            )
            let node = YAMLNode(.scalar(scalar), mark: mark, size: bytes.count)
            return count(1, bytes.count, at: mark) && insert(node, anchor: anchor)
        case YAML_SEQUENCE_START_EVENT:
            let data = unsafe event.data.sequence_start
            return unsafe begin(isMapping: false, tag: Self.text(data.tag), anchor: Self.text(data.anchor), at: mark)
        case YAML_MAPPING_START_EVENT:
            let data = unsafe event.data.mapping_start
            return unsafe begin(isMapping: true, tag: Self.text(data.tag), anchor: Self.text(data.anchor), at: mark)
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT:
            return end()
        case YAML_ALIAS_EVENT:
            return alias(unsafe Self.text(event.data.alias.anchor) ?? "", at: mark)
        default:
            return true
        }
    }

    /// Reports why libyaml stopped.
    mutating func syntaxError(_ parser: yaml_parser_t) {
        var message = unsafe Self.text(parser.problem) ?? "the text is not YAML"
        // The character scan has reported these already.
        if message.contains("control characters") { return }
        if let context = unsafe Self.text(parser.context) { message += " \(context)" }
        let mark = unsafe YAMLMark(parser.problem_mark)
        let line = source.line(mark.line) ?? ""
        var suggestion: String?
        if line.prefix(while: { $0 == " " || $0 == "\t" }).contains("\t") {
            suggestion = "indent with spaces: YAML allows no tabs there"
        } else if message.contains("mapping values are not allowed") {
            suggestion = "a text that holds ': ' needs quotes; or the indentation is wrong"
        } else if message.contains("expected key") || message.contains("block mapping") {
            suggestion = "check the indentation of this line and the one before"
        }
        report("yaml-syntax", "not valid YAML: \(message)", at: mark, suggestion: suggestion)
    }

    // MARK: Nodes

    private mutating func begin(isMapping: Bool, tag: String?, anchor: String?, at mark: YAMLMark) -> Bool {
        let expected = isMapping ? "tag:yaml.org,2002:map" : "tag:yaml.org,2002:seq"
        if let tag, tag != expected, tag != "!" {
            report(
                "unsupported-yaml",
                "the tag \(quoted(tag)) is not supported",
                at: mark,
                suggestion: "remove the tag"
            )
        }
        guard stack.count < limits.depth else {
            report("too-deep", "more than \(limits.depth) levels of lists and mappings", at: mark)
            return false
        }
        if let anchor {
            open.insert(anchor)
            anchors[anchor] = nil
        }
        stack.append(Frame(isMapping: isMapping, anchor: anchor, mark: mark))
        return count(1, 0, at: mark)
    }

    private mutating func end() -> Bool {
        guard let frame = stack.popLast() else { return true }
        if let anchor = frame.anchor { open.remove(anchor) }
        let content: YAMLNode.Content = frame.isMapping ? .mapping(frame.merged) : .sequence(frame.items)
        return insert(
            YAMLNode(content, mark: frame.mark, weight: frame.weight, size: frame.size),
            anchor: frame.anchor
        )
    }

    private mutating func alias(_ name: String, at mark: YAMLMark) -> Bool {
        guard let node = anchors[name] else {
            let cycle = open.contains(name)
            report(
                cycle ? "alias-cycle" : "unknown-alias",
                cycle
                    ? "the alias '*\(name)' lies inside its own anchor"
                    : "there is no anchor '&\(name)' before this alias",
                at: mark,
                suggestion: cycle ? nil : nearest(name, in: anchors.keys.sorted()).map { "did you mean '*\($0)'?" }
            )
            return false
        }
        return count(node.weight, node.size, at: mark) && insert(node, anchor: nil)
    }

    /// Counts nodes and bytes with aliases expanded.
    private mutating func count(_ nodes: Int, _ size: Int, at mark: YAMLMark) -> Bool {
        self.nodes += nodes
        self.size += size
        guard self.nodes <= limits.nodes, self.size <= limits.expandedBytes else {
            report(
                "too-many-nodes",
                "the text holds more than \(limits.nodes) values or \(limits.expandedBytes) bytes once aliases are written out",
                at: mark,
                suggestion: "use fewer aliases"
            )
            return false
        }
        return true
    }

    private mutating func insert(_ node: YAMLNode, anchor: String?) -> Bool {
        if let anchor { anchors[anchor] = node }
        guard !stack.isEmpty else {
            documents.append(node)
            return true
        }
        let last = stack.count - 1
        stack[last].weight += node.weight
        stack[last].size += node.size
        guard stack[last].isMapping else {
            stack[last].items.append(node)
            return true
        }
        guard let key = stack[last].key else {
            stack[last].key = node
            return true
        }
        stack[last].key = nil
        guard let text = key.scalar?.text else {
            report("invalid-key", "a key must be text, not \(key.kindName)", at: key.mark)
            return true
        }
        if text == "<<", key.scalar?.style == .plain { return merge(node) }
        if let first = stack[last].keys.updateValue(key.mark, forKey: text) {
            stack[last].keys[text] = first
            report(
                "duplicate-key",
                "the key \(quoted(text)) is already in line \(first.line)",
                at: key.mark,
                suggestion: "keep one of the two"
            )
        } else {
            stack[last].entries.append(YAMLEntry(key: text, keyMark: key.mark, value: node))
        }
        return true
    }

    /// Merges the entries of `<<: *anchor` or `<<: [*one, *two]`; written keys win, then the first mapping.
    private mutating func merge(_ node: YAMLNode) -> Bool {
        for mapping in node.items ?? [node] {
            guard let entries = mapping.entries else {
                report(
                    "invalid-key",
                    "'<<' takes a mapping or a list of mappings, not \(mapping.kindName)",
                    at: mapping.mark
                )
                continue
            }
            stack[stack.count - 1].inherited += entries
        }
        return true
    }

    private mutating func report(_ code: String, _ message: String, at mark: YAMLMark, suggestion: String? = nil) {
        findings.error(code, message, at: SourcePosition(source: source, mark: mark), suggestion: suggestion)
    }

    private mutating func scalarTag(_ tag: String?, at mark: YAMLMark) -> YAMLScalar.Tag? {
        guard let tag else { return nil }
        if tag == "!" { return .str }
        let prefix = "tag:yaml.org,2002:"
        if tag.hasPrefix(prefix), let known = YAMLScalar.Tag(rawValue: String(tag.dropFirst(prefix.count))) {
            return known
        }
        report("unsupported-yaml", "the tag \(quoted(tag)) is not supported", at: mark, suggestion: "remove the tag")
        return .str
    }

    private static func text(_ pointer: UnsafePointer<CChar>?) -> String? {
        guard let pointer = unsafe pointer else { return nil }
        return unsafe String(cString: pointer)
    }

    private static func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        guard let pointer = unsafe pointer else { return nil }
        return unsafe String(cString: pointer)
    }

    private static func style(_ style: yaml_scalar_style_t) -> YAMLScalar.Style {
        switch style {
        case YAML_SINGLE_QUOTED_SCALAR_STYLE: .singleQuoted
        case YAML_DOUBLE_QUOTED_SCALAR_STYLE: .doubleQuoted
        case YAML_LITERAL_SCALAR_STYLE: .literal
        case YAML_FOLDED_SCALAR_STYLE: .folded
        default: .plain
        }
    }
}

/// A list or mapping that is still being read.
private struct Frame {
    let isMapping: Bool
    let anchor: String?
    let mark: YAMLMark
    var weight = 1
    var size = 0
    var items: [YAMLNode] = []
    var entries: [YAMLEntry] = []
    var inherited: [YAMLEntry] = []
    var keys: [String: YAMLMark] = [:]
    /// A key whose value hasn't come yet.
    var key: YAMLNode?

    init(isMapping: Bool, anchor: String?, mark: YAMLMark) {
        self.isMapping = isMapping
        self.anchor = anchor
        self.mark = mark
    }

    /// The entries, plus those of `<<` whose keys are not written here.
    var merged: [YAMLEntry] {
        var known = Set(keys.keys)
        return entries + inherited.filter { known.insert($0.key).inserted }
    }
}
