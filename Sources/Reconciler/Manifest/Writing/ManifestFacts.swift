package import ReconcilerModel

/// A manifest as a list of facts, for showing what an edit changed.
package enum ManifestFacts {
    /// One line per value with its path: `spec.egress.allowlist[]: files.example.com`.
    ///
    /// Names list items that are mappings by their host or name, so that inserting an entry at the front changes no
    /// other line. The order of list items is not a fact.
    package static func of(_ manifest: BottleManifest) -> [String] {
        let text = ManifestDocument.yaml(of: manifest)
        let file = YAMLFile(name: "manifest", bytes: Array(text.utf8), limits: .stored)
        var facts: [String] = []
        for document in file.documents { add(document, "", &facts) }
        return facts
    }

    private static func add(_ node: YAMLNode, _ path: String, _ facts: inout [String]) {
        if let entries = node.entries {
            for entry in entries { add(entry.value, path.isEmpty ? entry.key : "\(path).\(entry.key)", &facts) }
        } else if let items = node.items {
            for item in items {
                let name = item["host"]?.scalar?.text ?? item["name"]?.scalar?.text ?? ""
                add(item, "\(path)[\(name)]", &facts)
            }
        } else {
            facts.append("\(path): \(node.scalar?.text ?? "")")
        }
    }
}
