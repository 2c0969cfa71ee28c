import ReconcilerModel

extension Cursor {
    /// Reports every position below at which the node doesn't have `shape`: unknown or missing keys, wrong types,
    /// values outside an enumeration.
    func check(_ shape: Shape, _ findings: inout Findings) {
        switch shape {
        case .text(let text): checkText(text, &findings)
        case .integer(let range): checkInteger(range, &findings)
        case .number: checkNumber(&findings)
        case .boolean: checkBoolean(&findings)
        case .choice(let values): checkChoice(values, &findings)
        case .list(let element, let least): checkList(element, least, &findings)
        case .anything: return
        case .table(_, let value):
            guard node.entries != nil else { return wrongType(shape, &findings) }
            guard countFits(node.entries?.count ?? 0, &findings) else { return }
            for entry in entries { entry.value.check(value, &findings) }
        case .object(let object): checkObject(object, &findings)
        case .either(let shapes):
            guard let fitting = shapes.first(where: { fits($0) }) else { return wrongType(shape, &findings) }
            check(fitting, &findings)
        }
    }

    /// Whether the node has the shape's kind.
    private func fits(_ shape: Shape) -> Bool {
        switch shape {
        case .list: node.items != nil
        case .table, .object: node.entries != nil
        case .either(let shapes): shapes.contains { fits($0) }
        case .integer:
            if case .integer = node.scalar?.value { true } else { false }
        case .boolean: boolean != nil
        case .text, .number, .choice: node.scalar != nil
        case .anything: true
        }
    }

    private func wrongType(_ shape: Shape, _ findings: inout Findings) {
        var suggestion: String?
        if case .null = node.scalar?.value { suggestion = "leave the key out, or give it a value" }
        findings.error(
            "wrong-type",
            "\(subject) must be \(shape.noun), not \(node.kindName)",
            at: position,
            suggestion: suggestion
        )
    }

    private var subject: String { path.isEmpty ? "the document" : path }

    private func checkText(_ shape: TextShape, _ findings: inout Findings) {
        guard let scalar = node.scalar else { return wrongType(.text(shape), &findings) }
        switch scalar.value {
        case .text: break
        case .integer where shape.takesNumbers, .float where shape.takesNumbers: break
        case .null:
            findings.error(
                "wrong-type",
                "\(path) must be \(shape.name), not nothing (null)",
                at: position,
                suggestion: "write \"\" for an empty text"
            )
        default:
            findings.error(
                "wrong-type",
                "\(path) must be \(shape.name), not \(node.kindName)",
                at: position,
                suggestion: "put it in quotes: \"\(scalar.text.prefix(80))\""
            )
        }
        if scalar.text.unicodeScalars.contains("\0") {
            findings.error("invalid-value", "\(path) holds a NUL character", at: position)
        }
    }

    private func checkInteger(_ range: ClosedRange<Int>, _ findings: inout Findings) {
        guard case .integer(let value) = node.scalar?.value else { return wrongType(.integer(range), &findings) }
        guard let value, range.contains(value) else {
            return findings.error(
                "invalid-value",
                "\(path): \(quoted(text ?? "")) is not a number from \(range.lowerBound) to \(range.upperBound)",
                at: position
            )
        }
    }

    private func checkNumber(_ findings: inout Findings) {
        switch node.scalar?.value {
        case .integer, .float: break
        default: wrongType(.number, &findings)
        }
    }

    private func checkBoolean(_ findings: inout Findings) {
        guard boolean == nil else { return }
        let words = ["yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"]
        let meant = text.flatMap { words[$0.lowercased()] ?? ["true": "true", "false": "false"][$0.lowercased()] }
        findings.error(
            "wrong-type",
            "\(path) must be true or false, not \(meant == nil ? node.kindName : "the text \(quoted(text ?? ""))")",
            at: position,
            suggestion: meant.map { "write \($0)" }
        )
    }

    private func checkChoice(_ values: [String], _ findings: inout Findings) {
        guard let text else { return wrongType(.choice(values), &findings) }
        guard !values.contains(text) else { return }
        let near = nearest(text, in: values).map { "did you mean '\($0)'?" }
        findings.error(
            "unknown-value",
            "\(path): \(quoted(text)) is not one of the values it may have",
            at: position,
            suggestion: near ?? (values.count == 1 ? "write \(values[0])" : "one of: \(values.joined(separator: ", "))")
        )
    }

    private func checkList(_ element: Shape, _ least: Int, _ findings: inout Findings) {
        guard node.items != nil else { return wrongType(.list(element, least: least), &findings) }
        if items.count < least {
            findings.error("missing-value", "\(path) needs at least \(least) entry", at: position)
        }
        guard countFits(node.items?.count ?? 0, &findings) else { return }
        for item in items { item.check(element, &findings) }
    }

    /// Limits the length of lists, because entries are compared with each other.
    private func countFits(_ count: Int, _ findings: inout Findings) -> Bool {
        guard count > YAMLNode.mostEntries else { return true }
        findings.error(
            "too-many-entries",
            "\(path) has \(count) entries, more than \(YAMLNode.mostEntries)",
            at: position
        )
        return false
    }

    private func checkObject(_ object: ObjectShape, _ findings: inout Findings) {
        guard node.entries != nil else { return wrongType(.object(object), &findings) }
        let names = object.keys.map(\.name)
        for entry in entries {
            guard let key = object.keys.first(where: { $0.name == entry.key }) else {
                let near = findings.isFull ? nil : nearest(entry.key, in: names).map { "did you mean '\($0)'?" }
                findings.error(
                    "unknown-key",
                    "unknown key \(quoted(entry.key)) in \(path.isEmpty ? "the document" : path)",
                    at: entry.keyPosition,
                    suggestion: near ?? "'\(object.name)' has: \(names.joined(separator: ", "))"
                )
                continue
            }
            entry.value.check(key.shape, &findings)
        }
        if let alone = object.standsAlone, node[alone] != nil {
            for entry in entries where entry.key != alone && names.contains(entry.key) {
                findings.error(
                    "conflicting-keys",
                    "'\(alone)' stands alone in \(path): '\(entry.key)' can't be beside it",
                    at: entry.keyPosition
                )
            }
            return
        }
        checkPresence(object, &findings)
    }

    private func checkPresence(_ object: ObjectShape, _ findings: inout Findings) {
        for key in object.keys where key.isRequired && node[key.name] == nil {
            findings.error(
                "missing-key",
                "\(path.isEmpty ? "the document" : path) has no '\(key.name)'",
                at: position,
                suggestion: "add '\(key.name):' (\(key.about))"
            )
        }
        for need in object.needs where node[need.key] != nil && node[need.other] == nil {
            findings.error(
                "missing-key",
                "\(path) has '\(need.key)' but no '\(need.other)'",
                at: keyPosition(need.key),
                suggestion: need.suggestion
            )
        }
        for set in object.oneOf {
            let present = set.filter { node[$0] != nil }
            let choice = set.map { "'\($0)'" }.joined(separator: " or ")
            if present.isEmpty {
                findings.error("missing-key", "\(path) needs \(choice)", at: position)
            } else if present.count > 1 {
                findings.error("conflicting-keys", "\(path) takes only one of \(choice)", at: keyPosition(present[1]))
            }
        }
    }
}

extension Shape {
    /// What a person would call a value of this shape.
    var noun: String {
        switch self {
        case .text(let text): text.name
        case .integer: "a whole number"
        case .number: "a number"
        case .boolean: "true or false"
        case .choice(let values): values.count > 6 ? "a word" : values.joined(separator: " | ")
        case .anything: "a value"
        case .list: "a list"
        case .table: "a mapping"
        case .object: "a mapping"
        case .either(let shapes):
            shapes.map(\.noun).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }.joined(separator: " or ")
        }
    }
}
