import ReconcilerModel

/// A YAML node together with its file and the path that leads to it.
///
/// The accessors return nil for a node of the wrong kind: the shape check has already reported it.
struct Cursor: Sendable {
    var source: SourceText
    var node: YAMLNode
    /// As a person would write it: `spec.egress_proxy.routes[0].host`.
    var path: String

    var position: SourcePosition { SourcePosition(source: source, mark: node.mark) }

    subscript(key: String) -> Cursor? {
        node[key].map { Cursor(source: source, node: $0, path: joined(key)) }
    }

    /// The position of `key` itself, or of the mapping if it lacks the key.
    func keyPosition(_ key: String) -> SourcePosition {
        let mark = node.entries?.first { $0.key == key }?.keyMark
        return SourcePosition(source: source, mark: mark ?? node.mark)
    }

    /// The path of the value under `key`.
    ///
    /// An overlong key is cut, because every node below repeats it.
    func joined(_ key: String) -> String {
        let part = key.utf8.count <= 128 ? key : String(key.unicodeScalars.prefix(32)) + "…"
        return path.isEmpty ? part : "\(path).\(part)"
    }

    var items: [Cursor] {
        (node.items ?? []).enumerated().map {
            Cursor(source: source, node: $0.element, path: "\(path)[\($0.offset)]")
        }
    }

    var entries: [(key: String, keyPosition: SourcePosition, value: Cursor)] {
        (node.entries ?? []).map { entry in
            (
                entry.key, SourcePosition(source: source, mark: entry.keyMark),
                Cursor(source: source, node: entry.value, path: joined(entry.key))
            )
        }
    }

    /// The scalar's text as written, whatever its core type.
    var text: String? { node.scalar?.text }

    var integer: Int? {
        if case .integer(let value) = node.scalar?.value { value } else { nil }
    }

    var boolean: Bool? {
        if case .boolean(let value) = node.scalar?.value { value } else { nil }
    }

    /// The texts of a list, or the single text written in place of a list.
    var texts: [Cursor] { node.items == nil ? (node.scalar == nil ? [] : [self]) : items }

    /// The cursor at the end of `steps`; if the document ends earlier, the last cursor that exists on the way.
    func descend(_ steps: [Step]) -> Cursor {
        var here = self
        for step in steps {
            switch step {
            case .key(let key):
                guard let next = here[key] else { return here }
                here = next
            case .index(let index):
                guard index < here.items.count else { return here }
                here = here.items[index]
            }
        }
        return here
    }

    enum Step: Sendable {
        case key(String)
        case index(Int)
    }
}
