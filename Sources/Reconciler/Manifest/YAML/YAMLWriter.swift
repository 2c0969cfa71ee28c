/// Writes block-style YAML with two spaces per level.
struct YAMLWriter {
    private(set) var text = ""
    private var level = 0
    /// Whether the next line begins a list entry.
    private var isEntry = false

    mutating func pair(_ key: String, _ value: String) {
        raw(key, YAMLText.block(value, indent: (level + 1) * 2) ?? YAMLText.scalar(value))
    }

    /// Writes a pair whose value is YAML already.
    mutating func raw(_ key: String, _ value: String) {
        line("\(YAMLText.scalar(key)): \(value)")
    }

    /// Writes a list entry with a single text.
    mutating func item(_ value: String) { line(YAMLText.scalar(value)) }

    mutating func mapping(_ key: String, _ write: (inout YAMLWriter) -> Void) {
        line("\(YAMLText.scalar(key)):")
        level += 1
        write(&self)
        level -= 1
    }

    /// Writes a sorted mapping of texts; nothing if empty.
    mutating func table(_ key: String, _ values: [String: String]) {
        guard !values.isEmpty else { return }
        mapping(key) { writer in
            for (name, value) in values.sorted(by: { $0.key < $1.key }) { writer.pair(name, value) }
        }
    }

    /// Writes a list of texts; nothing if empty.
    mutating func list(_ key: String, _ values: [String]) {
        guard !values.isEmpty else { return }
        sequence(key, values) { $1.item($0) }
    }

    mutating func sequence<Item>(_ key: String, _ items: [Item], _ write: (Item, inout YAMLWriter) -> Void) {
        line("\(YAMLText.scalar(key)):")
        level += 2
        for item in items {
            isEntry = true
            write(item, &self)
        }
        isEntry = false
        level -= 2
    }

    private mutating func line(_ content: String) {
        let indent = isEntry ? String(repeating: "  ", count: level - 1) + "- " : String(repeating: "  ", count: level)
        text += indent + content + "\n"
        isEntry = false
    }
}
