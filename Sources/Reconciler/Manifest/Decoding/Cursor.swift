import ReconcilerModel

/// A node with the file it is in and the path that leads to it.
///
/// The accessors return nil for a wrong kind of node: the check of shapes has reported it.
struct Cursor: Sendable {
    var source: SourceText
    var node: YAMLNode
    /// As a person would write it: `spec.egress_proxy.routes[0].host`.
    var path: String

    var place: Place { Place(source: source, mark: node.mark) }

    subscript(key: String) -> Cursor? {
        node[key].map { Cursor(source: source, node: $0, path: joined(key)) }
    }

    /// The place of `key` itself, else of the mapping.
    func keyPlace(_ key: String) -> Place {
        let mark = node.entries?.first { $0.key == key }?.keyMark
        return Place(source: source, mark: mark ?? node.mark)
    }

    /// The path of what lies under `key`; a key that no path should hold is cut, since every node below carries it.
    func joined(_ key: String) -> String {
        let part = key.utf8.count <= 128 ? key : String(key.unicodeScalars.prefix(32)) + "…"
        return path.isEmpty ? part : "\(path).\(part)"
    }

    var items: [Cursor] {
        (node.items ?? []).enumerated().map {
            Cursor(source: source, node: $0.element, path: "\(path)[\($0.offset)]")
        }
    }

    var entries: [(key: String, keyPlace: Place, value: Cursor)] {
        (node.entries ?? []).map { entry in
            (
                entry.key, Place(source: source, mark: entry.keyMark),
                Cursor(source: source, node: entry.value, path: joined(entry.key))
            )
        }
    }

    /// The scalar's text, as written, whatever its core type.
    var text: String? { node.scalar?.text }

    var integer: Int? {
        if case .integer(let value) = node.scalar?.value { value } else { nil }
    }

    var boolean: Bool? {
        if case .boolean(let value) = node.scalar?.value { value } else { nil }
    }

    /// The texts of a list, or the one text that stands in its place.
    var texts: [Cursor] { node.items == nil ? (node.scalar == nil ? [] : [self]) : items }

    /// The cursor at a path below; the last one that exists on the way when the path leaves the document.
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
