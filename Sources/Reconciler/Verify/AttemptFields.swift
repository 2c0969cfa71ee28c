import ReconcilerManifest
import ReconcilerModel

/// Decodes values of a YAML file and reports invalid ones.
struct AttemptFields {
    private var file: YAMLFile
    /// How many errors it has reported.
    private(set) var errors = 0

    init(file: YAMLFile) { self.file = file }

    var diagnostics: [Diagnostic] { file.diagnostics }

    mutating func report(_ code: String, _ message: String, at node: YAMLNode) {
        errors += 1
        file.report(code, message, at: node.mark)
    }

    mutating func report(unknown word: String, _ noun: String, of words: [String], at mark: YAMLMark) {
        errors += 1
        file.report(unknown: word, noun, of: words, at: mark)
    }

    /// The values of a mapping that may have only `known` keys.
    mutating func mapping(
        _ node: YAMLNode,
        _ noun: String,
        _ known: [String],
        required: [String] = []
    ) -> [String: YAMLNode]? {
        guard let entries = node.entries else {
            report("wrong-type", "\(noun) must be a mapping", at: node)
            return nil
        }
        var values: [String: YAMLNode] = [:]
        for entry in entries {
            if known.contains(entry.key) {
                values[entry.key] = entry.value
            } else {
                report(unknown: entry.key, "key", of: known, at: entry.keyMark)
            }
        }
        for key in required where values[key] == nil { report("missing-key", "\(noun) has no '\(key)'", at: node) }
        return values
    }

    mutating func list(_ node: YAMLNode, _ noun: String) -> [YAMLNode]? {
        guard let items = node.items else {
            report("wrong-type", "\(noun) must be a list", at: node)
            return nil
        }
        return items
    }

    mutating func text(_ node: YAMLNode, _ noun: String) -> String? {
        guard let scalar = node.scalar, !node.isNull else {
            report("wrong-type", "\(noun) must be text", at: node)
            return nil
        }
        return scalar.text
    }

    mutating func texts(_ node: YAMLNode, _ noun: String) -> [String] {
        (list(node, noun) ?? []).compactMap { text($0, noun) }
    }

    mutating func textOrTexts(_ node: YAMLNode, _ noun: String) -> [String] {
        node.items == nil ? text(node, noun).map { [$0] } ?? [] : texts(node, noun)
    }

    /// A text in which every word in braces must be a placeholder.
    mutating func template(_ node: YAMLNode, _ noun: String) -> String? {
        guard let text = text(node, noun) else { return nil }
        for word in AttemptPlaceholders.words(in: text) where !AttemptPlaceholders.names.contains(word) {
            report(unknown: word, "placeholder", of: AttemptPlaceholders.names, at: node.mark)
        }
        return text
    }

    mutating func templates(_ node: YAMLNode, _ noun: String) -> [String] {
        (list(node, noun) ?? []).compactMap { template($0, noun) }
    }

    mutating func integer(_ node: YAMLNode, _ noun: String, in range: ClosedRange<Int>) -> Int? {
        guard let value = node.integer, range.contains(value) else {
            let bounds = "from \(range.lowerBound) to \(range.upperBound)"
            report("invalid-value", "\(noun) must be a number \(bounds)", at: node)
            return nil
        }
        return value
    }

    mutating func word(_ node: YAMLNode, of words: [String]) -> String? {
        guard let text = text(node, "this") else { return nil }
        guard words.contains(text) else {
            report(unknown: text, "value", of: words, at: node.mark)
            return nil
        }
        return text
    }

    mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ node: YAMLNode,
        _ noun: String,
        _ type: Choice.Type
    ) -> Choice? {
        word(node, of: type.allCases.map(\.rawValue)).flatMap { type.init(rawValue: $0) }
    }

    /// A name in kebab case.
    mutating func name(_ node: YAMLNode) -> String? {
        guard let text = text(node, "name") else { return nil }
        let isName =
            !text.isEmpty && text.utf8.count <= 64
            && text.split(separator: "-", omittingEmptySubsequences: false).allSatisfy { part in
                !part.isEmpty && part.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) }
            }
        guard isName else {
            report("invalid-value", "a name is kebab-case, not '\(text)'", at: node)
            return nil
        }
        return text
    }
}
