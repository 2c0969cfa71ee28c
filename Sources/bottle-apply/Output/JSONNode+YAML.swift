import ReconcilerPlatform

extension JSONNode {
    /// A block-style YAML document; texts are quoted as in JSON, which YAML reads the same way.
    func yaml(indent: Int = 0) -> String {
        let space = String(repeating: " ", count: indent)
        switch self {
        case .list(let list) where !list.isEmpty:
            return list.map { item in
                let text = item.yaml(indent: indent + 2)
                return "\(space)-\(item.isBlock ? " " + String(text.dropFirst(indent + 2)) : " " + text)"
            }.joined(separator: "\n")
        case .object(let members) where !members.isEmpty:
            return members.sorted { $0.name < $1.name }.map { member in
                let text = member.value.yaml(indent: indent + 2)
                return "\(space)\(member.name):\(member.value.isBlock ? "\n" : " ")\(text)"
            }.joined(separator: "\n")
        default: return line
        }
    }

    private var isBlock: Bool {
        switch self {
        case .list(let list): !list.isEmpty
        case .object(let members): !members.isEmpty
        default: false
        }
    }
}
