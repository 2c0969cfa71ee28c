import ReconcilerEngine
package import ReconcilerModel
package import ReconcilerTime

/// All refusals of one host by one rule.
package struct RefusalGroup: Sendable, Hashable {
    /// Says which group it is, wherever and whenever it is shown: twelve letters and digits of a digest of host and rule.
    ///
    /// Long enough that another host with the same one can't be found.
    package let id: String
    package let host: String
    package let rule: String
    package private(set) var sidecars: [Role] = []
    package private(set) var ports: [Int] = []
    package private(set) var methods: [String] = []
    /// Some of the paths, those seen first.
    package private(set) var paths: [String] = []
    /// Whether there were more ports, methods or paths than are named here.
    package private(set) var isPartial = false
    /// The sidecar's words for the last of them that had any.
    package private(set) var reason = ""
    package private(set) var first: Timestamp
    package private(set) var last: Timestamp
    package private(set) var count = 0

    /// The most ports, methods and paths that are named.
    package static let limit = 8

    fileprivate init(_ refusal: RefusedRequest) {
        id = Self.id(host: refusal.host, rule: refusal.rule)
        host = refusal.host
        rule = refusal.rule
        first = refusal.first
        last = refusal.last
    }

    fileprivate mutating func add(_ refusal: RefusedRequest) {
        if !refusal.reason.isEmpty, reason.isEmpty || refusal.last >= last { reason = refusal.reason }
        first = min(first, refusal.first)
        last = max(last, refusal.last)
        count = RefusedRequest.sum(count, refusal.count)
        note(refusal.sidecar, in: \.sidecars)
        if let port = refusal.port { note(port, in: \.ports) }
        if !refusal.method.isEmpty, refusal.method != "-" { note(refusal.method, in: \.methods) }
        if !refusal.path.isEmpty { note(refusal.path, in: \.paths) }
        // What was taken together had detail that is gone.
        if refusal.count > 1, refusal.reason.isEmpty { isPartial = true }
    }

    private mutating func note<Value: Equatable>(_ value: Value, in list: WritableKeyPath<RefusalGroup, [Value]>) {
        guard !self[keyPath: list].contains(value) else { return }
        guard self[keyPath: list].count < Self.limit else {
            isPartial = true
            return
        }
        self[keyPath: list].append(value)
    }

    /// The id of the group of `host` and `rule`.
    package static func id(host: String, rule: String) -> String {
        let digits = Array("abcdefghijkmnpqrstuvwxyz23456789".utf8)
        let digest = ContentDigest(of: "\(rule) \(host)").hex
        // 60 bits, five to a character.
        var bits = UInt64(digest.prefix(16), radix: 16) ?? 0
        var text: [UInt8] = []
        for _ in 0..<12 {
            text.append(digits[Int(bits & 31)])
            bits >>= 5
        }
        return String(decoding: text, as: UTF8.self)
    }
}

/// One bottle's refusals by host and rule, in bounded room.
package struct RefusalGroups: Sendable {
    /// The most groups; refusals of further hosts are told without the host.
    package static let limit = 2000

    private var byID: [String: RefusalGroup] = [:]
    private let limit: Int

    package init(limit: Int = RefusalGroups.limit) { self.limit = limit }

    package var isEmpty: Bool { byID.isEmpty }

    /// All of them, the one heard of last at the end.
    package var all: [RefusalGroup] {
        byID.values.sorted { ($0.last, $0.host, $0.rule) < ($1.last, $1.host, $1.rule) }
    }

    /// The group with this id.
    package subscript(id: String) -> RefusalGroup? { byID[id] }

    /// How many requests were refused, by rule.
    package var countsByRule: [String: Int] {
        byID.values.reduce(into: [:]) { $0[$1.rule] = RefusedRequest.sum($0[$1.rule] ?? 0, $1.count) }
    }

    /// - Returns: the id of the group that took it.
    @discardableResult
    package mutating func add(_ refusal: RefusedRequest) -> String {
        var refusal = refusal
        var id = RefusalGroup.id(host: refusal.host, rule: refusal.rule)
        if byID[id] == nil, byID.count >= limit {
            refusal = refusal.withoutHost
            // Rules are the sidecars' words; should there be more than anybody has, they are one.
            if byID.count >= limit + RefusalTally.ruleLimit { refusal.rule = RefusedRequest.otherRule }
            id = RefusalGroup.id(host: refusal.host, rule: refusal.rule)
        }
        byID[id, default: RefusalGroup(refusal)].add(refusal)
        return id
    }
}
