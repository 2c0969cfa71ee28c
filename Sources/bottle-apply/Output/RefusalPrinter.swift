import Reconciler
import ReconcilerEngine
import ReconcilerModel
import ReconcilerTime

/// Shows refusals by host and rule, as a table or as documents.
struct RefusalPrinter: Sendable {
    /// The most rows of a table.
    private static let rowLimit = 200

    let context: CommandContext
    let noise: RefusalNoise
    let showsNoise: Bool
    let namesBottle: Bool

    /// Shows all that was found, once.
    func show(_ found: [Identity: BottleRefusals], isComplete: Bool) throws {
        var items: [RefusalItem] = []
        var hidden: [RefusalGroup] = []
        for (bottle, refusals) in found.sorted(by: { $0.key < $1.key }) {
            for group in refusals.groups.all {
                if isHidden(group) { hidden.append(group) } else { items.append(item(group, of: bottle)) }
            }
        }
        let document = RefusalList(
            items: items,
            hidden: .init(groups: hidden.count, count: hidden.reduce(0) { $0 + $1.count }),
            lost: found.values.reduce(0) { $0 + $1.lost },
            unreadable: found.values.reduce(0) { $0 + $1.unreadable },
            isComplete: isComplete
        )
        try context.show(document) { text(document) }
    }

    /// Shows groups of a bottle again, a line each.
    func show(_ groups: some Sequence<RefusalGroup>, of bottle: Identity, hidden: Int) throws {
        for group in groups where !isHidden(group) {
            let item = item(group, of: bottle)
            if context.format.isDocument {
                context.console.out(try OutputFormat.line(of: item))
            } else {
                context.console.out(row(item).joined(separator: "   "))
            }
        }
        if hidden > 0 { context.console.err("… and \(hidden) more groups of \(bottle)") }
    }

    private func isHidden(_ group: RefusalGroup) -> Bool { !showsNoise && noise.contains(group) }

    private func item(_ group: RefusalGroup, of bottle: Identity) -> RefusalItem {
        RefusalItem(bottle, group, isNoise: noise.contains(group))
    }

    private func text(_ list: RefusalList) -> String {
        var lines: [String] = []
        if list.items.isEmpty {
            lines.append("nothing was refused")
        } else {
            let header = ["ID", "HOST", "RULE", "COUNT", "FIRST", "LAST", "METHODS", "PATHS"]
            var table = Table(namesBottle ? ["BOTTLE"] + header : header)
            table.rows = list.items.suffix(Self.rowLimit).map(row)
            lines.append(table.text)
            let rest = list.items.count - table.rows.count
            if rest > 0 { lines.append("… and \(rest) groups that were heard of before these; `-o json` has all") }
        }
        if list.hidden.groups > 0 {
            lines.append("not shown: \(list.hidden.count) refusals of telemetry or ignored hosts; --all shows them")
        }
        if list.lost > 0 { lines.append("\(list.lost) refusals came faster than sidecars could write them down") }
        if list.unreadable > 0 { lines.append("\(list.unreadable) lines of the logs are no sidecar's") }
        return lines.joined(separator: "\n")
    }

    private func row(_ item: RefusalItem) -> [String] {
        let ports = item.ports.filter { $0 != 443 && $0 != 80 }
        let host = ports.count == 1 ? "\(item.host):\(ports[0])" : item.host
        let paths = item.paths.prefix(3).map { VisibleText.line($0, limit: 60) }
        let hasMore = item.paths.count > 3 || item.isPartial
        let cells = [
            item.id, host.isEmpty ? "–" : VisibleText.line(host, limit: 80), VisibleText.line(item.rule, limit: 32),
            String(item.count), item.first, item.last, VisibleText.line(item.methods.joined(separator: ","), limit: 60),
            paths.joined(separator: " ") + (hasMore ? " …" : ""),
        ]
        return namesBottle ? [item.bottle] + cells : cells
    }
}

/// `denied -o json` (docs/denied.md).
struct RefusalList: Encodable {
    struct Hidden: Encodable {
        var groups: Int
        var count: Int
    }

    var apiVersion = "bottle/v1"
    var kind = "RefusalList"
    var items: [RefusalItem]
    var hidden: Hidden
    var lost: Int
    var unreadable: Int
    var isComplete: Bool
}

/// One group; with `-w`, a document of its own.
struct RefusalItem: Encodable {
    var bottle: String
    var id: String
    var host: String
    var rule: String
    var reason: String
    var sidecars: [String]
    var ports: [Int]
    var methods: [String]
    var paths: [String]
    var isPartial: Bool
    var isNoise: Bool
    var count: Int
    var first: String
    var last: String

    init(_ bottle: Identity, _ group: RefusalGroup, isNoise: Bool) {
        self.bottle = bottle.name
        id = group.id
        host = group.host
        rule = group.rule
        reason = group.reason
        sidecars = group.sidecars.map(\.rawValue).sorted()
        ports = group.ports
        methods = group.methods
        paths = group.paths
        isPartial = group.isPartial
        self.isNoise = isNoise
        count = group.count
        first = Timestamp(seconds: group.first.seconds).description
        last = Timestamp(seconds: group.last.seconds).description
    }
}
