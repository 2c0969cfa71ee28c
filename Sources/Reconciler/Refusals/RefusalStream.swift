import ReconcilerEngine
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerTime

/// A bottle's refusals as its file holds them: lines of JSON, the oldest first.
///
/// A batch is its refusals and then one line that says how far which log is read with it. Without that line a batch
/// doesn't count: it was torn, and what it told is still in the log behind the position before it.
package struct RefusalStream: Sendable {
    package private(set) var refusals: [RefusedRequest] = []
    /// By container id, the one heard of last at the end.
    package private(set) var positions: [(container: String, position: LogPosition)] = []
    package private(set) var lost = 0
    package private(set) var unreadable = 0
    /// How many bytes of the file count.
    private(set) var length = 0

    /// How many containers' positions are kept; a bottle has two sidecars that refuse.
    static let positionLimit = 8

    package init() {}

    /// Reads a file's bytes; lines that are none of ours are counted and passed over.
    package init(_ bytes: [UInt8]) {
        var waiting: [RefusedRequest] = []
        var unknown = 0
        var start = 0
        while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
            switch Line(bytes[start..<end]) {
            case .refusal(let refusal): waiting.append(refusal)
            case .read(let container, let position, let lost, let unreadable):
                refusals += waiting
                waiting = []
                note(container, position)
                self.lost = RefusedRequest.sum(self.lost, lost)
                self.unreadable = RefusedRequest.sum(self.unreadable, RefusedRequest.sum(unreadable, unknown))
                unknown = 0
                length = end + 1
            case nil: unknown += 1
            }
            start = end + 1
        }
    }

    /// How far a container's log is read.
    package func position(of container: String) -> LogPosition? {
        positions.last { $0.container == container }?.position
    }

    private mutating func note(_ container: String, _ position: LogPosition) {
        positions.removeAll { $0.container == container }
        positions.append((container, position))
        if positions.count > Self.positionLimit { positions.removeFirst() }
    }

    // MARK: - Writing

    /// A batch as the end of a file.
    static func bytes(of batch: RefusalBatch) -> [UInt8] {
        var text = batch.refusals.map { Line.refusal($0).text + "\n" }.joined()
        text += Line.read(batch.container, batch.position, lost: batch.lost, unreadable: batch.unreadable).text + "\n"
        return Array(text.utf8)
    }

    /// The whole again in less room: the newest as they are, older ones by host and rule.
    ///
    /// Where there are too many hosts, those told first and those told last keep their names: a burst of many
    /// names displaces neither what came before nor what came after.
    func compacted(keeping recent: Int, hosts: Int) -> [UInt8] {
        let older = refusals.dropLast(recent)
        var kinds: [RefusedRequest: RefusedRequest] = [:]
        for refusal in older {
            let coarse = refusal.withoutDetail
            if kinds[coarse.kind]?.merge(coarse) == nil { kinds[coarse.kind] = coarse }
        }
        let byFirst = kinds.values.sorted { ($0.first, $0.host) < ($1.first, $1.host) }
        let rest = byFirst.dropFirst(hosts).sorted { ($0.last, $0.host) > ($1.last, $1.host) }
        var tally = RefusalTally(details: 2 * hosts, hosts: 0)
        for refusal in byFirst.prefix(hosts) + rest { tally.add(refusal) }
        var lines = (tally.refusals + refusals.suffix(recent)).map { Line.refusal($0) }
        for (index, read) in positions.enumerated() {
            let isLast = index == positions.count - 1
            lines.append(
                .read(read.container, read.position, lost: isLast ? lost : 0, unreadable: isLast ? unreadable : 0)
            )
        }
        return Array(lines.map { $0.text + "\n" }.joined().utf8)
    }
}

/// A line of the file.
private enum Line {
    case refusal(RefusedRequest)
    case read(String, LogPosition, lost: Int, unreadable: Int)

    init?(_ bytes: ArraySlice<UInt8>) {
        guard bytes.count <= SidecarLine.limit, let members = FlatJSON.read(bytes),
            case .text(let event) = members["event"]
        else { return nil }
        func text(_ name: String) -> String? { if case .text(let text) = members[name] { text } else { nil } }
        func number(_ name: String) -> Int? { if case .number(let number) = members[name] { number } else { nil } }
        switch event {
        case "refused":
            guard let role = text("sidecar").flatMap(Role.init(rawValue:)), let host = text("host"),
                let rule = text("rule"), let count = number("count"), count > 0,
                let first = text("first").flatMap({ Timestamp(rfc3339: $0) }),
                let last = text("time").flatMap({ Timestamp(rfc3339: $0) })
            else { return nil }
            self = .refusal(
                RefusedRequest(
                    sidecar: role,
                    host: host,
                    port: RefusedRequest.port(members["port"]),
                    method: text("method") ?? "",
                    path: text("path") ?? "",
                    rule: rule,
                    reason: text("reason") ?? "",
                    first: first,
                    last: last,
                    count: count
                )
            )
        case "read":
            guard let container = text("container"), let time = text("time").flatMap({ Timestamp(rfc3339: $0) }),
                let lines = number("lines")
            else { return nil }
            self = .read(
                container,
                LogPosition(time: time, lines: lines),
                lost: number("lost") ?? 0,
                unreadable: number("unreadable") ?? 0
            )
        default: return nil
        }
    }

    var text: String {
        var members: [(String, FlatJSON.Value)]
        switch self {
        case .refusal(let refusal):
            members = [
                ("time", .text(refusal.last.description)), ("event", .text("refused")),
                ("sidecar", .text(refusal.sidecar.rawValue)), ("host", .text(refusal.host)),
                ("rule", .text(refusal.rule)), ("count", .number(min(refusal.count, 999_999_999_999_999_999))),
                ("first", .text(refusal.first.description)),
            ]
            if let port = refusal.port { members.append(("port", .number(port))) }
            for (name, value) in [("method", refusal.method), ("path", refusal.path), ("reason", refusal.reason)]
            where !value.isEmpty {
                members.append((name, .text(value)))
            }
        case .read(let container, let position, let lost, let unreadable):
            members = [
                ("time", .text(position.time.description)), ("event", .text("read")), ("container", .text(container)),
                ("lines", .number(position.lines)),
            ]
            if lost > 0 { members.append(("lost", .number(min(lost, 999_999_999_999_999_999)))) }
            if unreadable > 0 { members.append(("unreadable", .number(min(unreadable, 999_999_999_999_999_999)))) }
        }
        return FlatJSON.line(members)
    }
}
