extension Authority {
    /// What one agent may do and another may not.
    static func agent(from old: AgentSpec?, to new: AgentSpec) -> [Permission] {
        var found: [Permission] = []
        /// A setting of which there is always one: another value is something new.
        func differs(_ kind: AuthorityChange.Kind, _ before: String?, _ now: String) {
            if before != now { found.append(Permission(kind, now)) }
        }
        differs(.image, old?.image.shown, new.image.shown)
        differs(.runtime, old.map { $0.runtime ?? "the engine's own" }, new.runtime ?? "the engine's own")
        differs(.user, old.map { $0.user ?? "the image's own" }, new.user ?? "the image's own")
        if old?.command != new.command { found.append(Permission(.command, new.shownCommand)) }
        differs(.restart, old?.restart.rawValue, new.restart.rawValue)
        if let path = new.workspace.path, new.workspace != old?.workspace {
            switch new.workspace.mode {
            case .mount: found.append(Permission(.mount, path))
            case .copy: found.append(Permission(.copy, path))
            case .none: break
            }
        }
        found += Set(new.skills).subtracting(old?.skills ?? []).map { Permission(.skill, $0) }
        for (name, value) in new.environment where old?.environment[name] != value {
            switch value {
            case .literal: found.append(Permission(.environment, name))
            case .fromHost(let source): found.append(Permission(.hostEnvironment, "\(name) from \(source)"))
            }
        }
        return found + resources(from: old?.resources, to: new.resources)
    }

    private static func resources(from old: Resources?, to new: Resources) -> [Permission] {
        func more(_ name: String, _ now: Int64?, than before: Int64??, _ text: (Int64) -> String) -> Permission? {
            guard let before else { return Permission(.resource, "\(name) \(now.map(text) ?? "without limit")") }
            guard let before else { return nil }
            guard now.map({ $0 > before }) ?? true else { return nil }
            return Permission(.resource, "\(name) \(now.map(text) ?? "without limit")")
        }
        return [
            more("cpus", new.milliCPUs.map(Int64.init), than: old.map { $0.milliCPUs.map(Int64.init) }) {
                let (whole, rest) = $0.quotientAndRemainder(dividingBy: 1000)
                return rest == 0 ? "\(whole)" : "\(whole).\(String(1000 + rest).dropFirst())"
            },
            more("memory", new.memory, than: old.map(\.memory)) { "\($0) bytes" },
            more("pids", new.pids.map(Int64.init), than: old.map { $0.pids.map(Int64.init) }) { "\($0)" },
        ].compactMap { $0 }
    }
}

extension AgentImage {
    /// The image for people: a pinned build by the beginning of its digest.
    fileprivate var shown: String {
        switch self {
        case .reference(let reference): reference.text
        case .build(let source):
            "built from \(source.pinned.map { String($0.hex.prefix(16)) } ?? source.context) \(source.dockerfile)"
                + (source.base == nil ? "" : ", restricted")
        }
    }
}

extension AgentSpec {
    fileprivate var shownCommand: String {
        command.isEmpty ? "the image's own" : command.map { $0.contains(" ") ? "'\($0)'" : $0 }.joined(separator: " ")
    }
}
