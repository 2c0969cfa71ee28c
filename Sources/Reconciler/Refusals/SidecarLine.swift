import ReconcilerEngine
package import ReconcilerModel
import ReconcilerPlatform
import ReconcilerTime

/// What a line on a sidecar's standard output says.
///
/// The line holds text of the agent. It counts only if it has exactly the shape that sidecars write; what has not is
/// counted and never shown.
package enum SidecarLine: Sendable, Hashable {
    case refusal(RefusedRequest)
    /// So many lines were not written, because they were not read fast enough.
    case lost(Int)
    case unreadable

    /// The longest line that is looked at, in bytes; sidecars write less.
    package static let limit = 8192

    /// Reads a line of `sidecar`, without its newline.
    package init(_ bytes: some Collection<UInt8>, of sidecar: Role) {
        self = .unreadable
        guard bytes.count <= Self.limit, let members = FlatJSON.read(bytes) else { return }
        switch members["event"] {
        case .text("refused"):
            if let refusal = RefusedRequest(members, of: sidecar) { self = .refusal(refusal) }
        case .text("lost"):
            if case .number(let lines) = members["lines"] { self = .lost(lines) }
        default: break
        }
    }
}

extension RefusedRequest {
    fileprivate init?(_ members: [String: FlatJSON.Value], of sidecar: Role) {
        guard case .text(let time) = members["time"], let moment = Timestamp(rfc3339: time),
            case .text(let rule) = members["rule"], Self.isRule(rule),
            case .text(let host) = members["host"],
            case .text(let method) = members["method"],
            case .text(let reason) = members["reason"]
        else { return nil }
        var path = ""
        if let member = members["path"] {
            guard case .text(let text) = member else { return nil }
            path = text
        }
        self.init(
            sidecar: sidecar,
            host: host,
            port: Self.port(members["port"]),
            method: method,
            path: path,
            rule: rule,
            reason: reason,
            first: moment
        )
    }

    /// Whether `text` can be the name of a rule: lowercase words joined by hyphens.
    static func isRule(_ text: String) -> Bool {
        (1...32).contains(text.utf8.count)
            && text.utf8.allSatisfy { (97...122).contains($0) || $0 == UInt8(ascii: "-") }
    }

    static func port(_ value: FlatJSON.Value?) -> Int? {
        let number: Int? =
            switch value {
            case .text(let text): text.utf8.count <= 5 ? Int(text) : nil
            case .number(let number): number
            case nil: nil
            }
        return number.flatMap { (1...65_535).contains($0) ? $0 : nil }
    }
}
