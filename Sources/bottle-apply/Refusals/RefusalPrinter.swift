import ReconcilerModel
import ReconcilerOperations

/// Shows refusals by host and rule, as a table or as documents.
struct RefusalPrinter: Sendable {
    /// The most rows of a table.
    private static let rowLimit = 200

    let context: CommandContext
    let namesBottle: Bool

    /// Shows all that was found, once.
    func show(_ list: RefusalList) throws { try context.show(list) { text(list) } }

    /// Shows groups of a bottle again, a line each.
    func show(_ items: [RefusalItem], of bottle: Identity, hidden: Int) throws {
        for item in items {
            context.console.out(
                context.format.isDocument ? try OutputFormat.line(of: item) : row(item).joined(separator: "   ")
            )
        }
        if hidden > 0 { context.console.err("… and \(hidden) more groups of \(bottle)") }
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
