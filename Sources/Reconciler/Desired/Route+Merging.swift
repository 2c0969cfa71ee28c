/// What a change of a route makes of the route as it is now.
enum RouteMerge {
    case merged(Route)
    /// Why the change does not fit.
    case conflict(String)
}

extension Route {
    /// Brings the difference between `old` and `new`, which was made for `old`, onto this route of the same host.
    ///
    /// Three-way: what the change left alone stays as it is here. The result lets nothing through that neither this route
    /// nor `new` does: an edit that widened the methods and a change that widened the paths don't multiply.
    func merging(from old: Route, to new: Route) -> RouteMerge {
        var merged = self
        let widens = !old.scope.covers(new.scope)
        func merge<Value: Equatable>(_ name: String, _ path: WritableKeyPath<Route, Value>, isTied: Bool) -> String? {
            let (before, after, present) = (old[keyPath: path], new[keyPath: path], self[keyPath: path])
            if present == before || present == after {
                if before != after { merged[keyPath: path] = after }
                return nil
            }
            if before != after { return "both the manifest and the change set the \(name) of \(host)" }
            return isTied && widens ? "the \(name) of \(host) changed under it" : nil
        }
        let problems = [
            merge("credential", \.auth, isTied: true),
            merge("port", \.port, isTied: true),
            merge("client_auth", \.allowsClientAuth, isTied: true),
            merge("websocket", \.allowsWebSocket, isTied: allowsWebSocket),
            merge("role", \.roles, isTied: false),
        ]
        if let problem = problems.compactMap({ $0 }).first { return .conflict(problem) }
        guard let methods = methods.merging(from: old.methods, to: new.methods) else {
            return .conflict("the manifest's methods of \(host) leave nothing that the change fits")
        }
        guard let paths = RequestScope.merging(pathAllowlist, from: old.pathAllowlist, to: new.pathAllowlist) else {
            return .conflict("the manifest's paths of \(host) leave nothing that the change fits")
        }
        merged = merged.with(scope: RequestScope(methods: methods, paths: paths))
        guard merged.scope.isWithin([scope, new.scope]) else {
            return .conflict(
                "the manifest's edit and the change together would let more of \(host) through than either"
            )
        }
        return .merged(merged)
    }
}

extension Route.Methods {
    /// The difference between two sets of methods, brought onto these; nil when nothing would be left, or what was taken
    /// away can't be taken from these.
    func merging(from old: Route.Methods, to new: Route.Methods) -> Route.Methods? {
        if old.covers(new), new.covers(old) { return self }
        switch (self, old, new) {
        case (_, _, .any): return .any
        case (.any, .any, .only): return new
        case (.only(let own), .any, .only(let kept)): return Self.some(own.filter(kept.contains))
        case (.any, .only(let before), .only(let after)):
            return before.allSatisfy(after.contains) ? .any : nil
        case (.only(let own), .only(let before), .only(let after)):
            let kept = own.filter { !before.contains($0) || after.contains($0) }
            return Self.some(kept + after.filter { !before.contains($0) && !kept.contains($0) })
        }
    }

    private static func some(_ methods: [String]) -> Route.Methods? { methods.isEmpty ? nil : .only(methods) }
}

extension RequestScope {
    /// The difference between two lists of prefixes, brought onto a third; an empty list is any path.
    ///
    /// - Returns: nil when nothing would be left, or what was taken away can't be taken from these.
    static func merging(_ own: [String], from old: [String], to new: [String]) -> [String]? {
        if paths(old, cover: new), paths(new, cover: old) { return own }
        if paths(new, cover: []) { return new }
        if paths(old, cover: []) {
            // Narrowed from any path: what both have.
            if paths(own, cover: []) { return new }
            let common =
                own.filter { paths(new, cover: [$0]) } + new.filter { paths(own, cover: [$0]) && !own.contains($0) }
            return common.isEmpty ? nil : common
        }
        let added = new.filter { !paths(old, cover: [$0]) }
        let removed = old.filter { !paths(new, cover: [$0]) }
        if paths(own, cover: []) { return removed.isEmpty ? own : nil }
        var kept: [String] = []
        for path in own {
            let isRemoved = removed.contains { paths([$0], cover: [path]) } && !paths(new, cover: [path])
            // A prefix can't be cut out of a wider one.
            if !isRemoved, removed.contains(where: { path != $0 && self.path(path, covers: $0) }) { return nil }
            if !isRemoved { kept.append(path) }
        }
        // Where the old prefix was wider than the new one, only what is new of it in the manifest's terms is added.
        let narrowed = new.filter { paths(old, cover: [$0]) && !old.contains($0) && paths(own, cover: [$0]) }
        let all = (kept + narrowed + added).reduce(into: [String]()) { list, path in
            if !list.contains(path), !paths(list.isEmpty ? ["\u{0}"] : list, cover: [path]) { list.append(path) }
        }
        return all.isEmpty ? nil : all
    }

    /// What of these requests `other` does not let through, as scopes that may overlap with it.
    func beyond(_ other: RequestScope) -> [RequestScope] {
        var scopes: [RequestScope] = []
        if paths.isEmpty {
            if !Self.paths(other.paths, cover: []) { scopes.append(self) }
        } else {
            let added = paths.filter { !Self.paths(other.paths, cover: [$0]) }
            if !added.isEmpty { scopes.append(RequestScope(methods: methods, paths: added)) }
        }
        guard !other.methods.covers(methods), scopes != [self] else { return scopes }
        var added = methods
        if case .only(let names) = methods, case .only(let known) = other.methods {
            added = .only(names.filter { !known.contains($0) })
        }
        // Where the paths are wider too, the part above has their methods already.
        let common = paths.isEmpty ? other.paths : paths.filter { Self.paths(other.paths, cover: [$0]) }
        if common.isEmpty, !paths.isEmpty { return scopes }
        scopes.append(RequestScope(methods: added, paths: common))
        return scopes
    }

    /// Whether every request of these is in at least one of `scopes`.
    func isWithin(_ scopes: [RequestScope]) -> Bool {
        let mentioned = scopes.flatMap { $0.methods.list ?? [] } + (methods.list ?? [])
        // The empty method stands for all that are not mentioned.
        let kinds = methods.list ?? (Set(mentioned).sorted() + [""])
        return kinds.allSatisfy { method in
            let holders = scopes.filter { $0.methods.covers(.only([method])) }
            if holders.contains(where: { Self.paths($0.paths, cover: []) }) { return true }
            return !paths.isEmpty && Self.paths(holders.flatMap(\.paths) + ["\u{0}"], cover: paths)
        }
    }
}
