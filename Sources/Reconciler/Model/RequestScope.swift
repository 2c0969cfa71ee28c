/// Requests by method and path: every one of the methods on every one of the paths.
package struct RequestScope: Sendable, Hashable {
    package var methods: Route.Methods
    /// Prefixes on segment boundaries; empty: any path.
    package var paths: [String]

    package init(methods: Route.Methods = .any, paths: [String] = []) {
        self.methods = methods
        self.paths = paths
    }

    /// Whether every request of `other` is one of these.
    package func covers(_ other: RequestScope) -> Bool {
        methods.covers(other.methods) && Self.paths(paths, cover: other.paths)
    }

    /// Whether every path below `others` is below `prefixes`; an empty list means any path.
    package static func paths(_ prefixes: [String], cover others: [String]) -> Bool {
        if prefixes.isEmpty || prefixes.contains("/") { return true }
        return !others.isEmpty && others.allSatisfy { other in prefixes.contains { path($0, covers: other) } }
    }

    /// Whether every path below `other` is below `prefix`: `/a` holds `/a` and `/a/b`, `/a/` only `/a/b`.
    package static func path(_ prefix: String, covers other: String) -> Bool {
        let (prefix, other) = (equivalent(prefix), equivalent(other))
        guard other.starts(with: prefix) else { return false }
        return other.count == prefix.count || prefix.last == 47 || other[prefix.count] == 47
    }

    /// The path with escapes of unreserved characters decoded and the others in upper case (RFC 3986, 6.2.2).
    private static func equivalent(_ path: String) -> [UInt8] {
        let bytes = Array(path.utf8)
        guard bytes.contains(37) else { return bytes }
        var output: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let digits = bytes[(index + 1)...].prefix(2)
            guard bytes[index] == 37, digits.count == 2,
                let byte = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
            else {
                output.append(bytes[index])
                index += 1
                continue
            }
            let isUnreserved =
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || [45, 46, 95, 126].contains(byte)
            output += isUnreserved ? [byte] : [37] + String(decoding: digits, as: UTF8.self).uppercased().utf8
            index += 3
        }
        return output
    }
}

extension Route.Methods {
    /// Whether every method of `other` is one of these.
    package func covers(_ other: Route.Methods) -> Bool {
        switch (self, other) {
        case (.any, _): true
        case (.only, .any): false
        case (.only(let own), .only(let others)): Set(others).isSubset(of: own)
        }
    }

    /// Whether a method that changes something is among them.
    package var mayWrite: Bool {
        switch self {
        case .any: true
        case .only(let methods): methods.contains(where: Self.writes)
        }
    }

    /// Whether a method changes something.
    package static func writes(_ method: String) -> Bool { !["GET", "HEAD", "OPTIONS"].contains(method) }
}
