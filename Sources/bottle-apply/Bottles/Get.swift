import ArgumentParser
import ReconcilerModel
import ReconcilerOperations

struct Get: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List bottles and how they are.",
        discussion: """
            With --watch and -o json each line is an item of the list. A bottle that was deleted has a last line, in \
            which "deleted" is true and nothing else is said.

              bottle get
              bottle get dev -o json
              bottle get --watch
            """
    )

    @Argument(help: "Bottles to list; default: all.")
    var bottles: [String] = []

    @Flag(name: [.customShort("w"), .long], help: "Stay, and show each bottle again when it changed or went.")
    var watch = false

    @OptionGroup var common: CommonOptions

    func run() async throws { try await common.run(run(in:)) }

    func run(in context: CommandContext) async throws {
        let names = try bottles.map { try Identity($0) }
        guard !watch else { return try await self.watch(names, context) }
        var lister = BottleLister(context.operations)
        let items = try await lister.items(names)
        try context.show(ListDocument(kind: "BottleList", items: items)) { text(items, context.format) }
    }

    /// One line, or one JSON document on a line, for each bottle at first, whenever it changed, and when it was deleted.
    ///
    /// A name that nothing has is an error at first; later it may come back.
    private func watch(_ names: [Identity], _ context: CommandContext) async throws {
        var lister = BottleLister(context.operations)
        var shown: [String: BottleItem] = [:]
        var hasHeader = false
        var hasLooked = false
        while true {
            let items = try await lister.items(names, leavingOutMissing: hasLooked)
            hasLooked = true
            for item in items where shown[item.identity] != item {
                if context.format.isDocument {
                    context.console.out(try OutputFormat.line(of: item))
                } else {
                    let lines = text([item], context.format).split(separator: "\n").map(String.init)
                    context.console.out((hasHeader ? lines.dropFirst() : lines[...]).joined(separator: "\n"))
                    hasHeader = true
                }
            }
            for name in shown.keys.sorted() where !items.contains(where: { $0.identity == name }) {
                let item = BottleItem(deleted: name)
                context.console.out(context.format.isDocument ? try OutputFormat.line(of: item) : "\(name)   deleted")
            }
            shown = Dictionary(items.map { ($0.identity, $0) }) { first, _ in first }
            try await Task.sleep(for: .milliseconds(500))
        }
    }

    private func text(_ items: [BottleItem], _ format: OutputFormat) -> String {
        guard !items.isEmpty else { return "no bottles; `bottle init` starts one" }
        if format == .wide {
            var table = Table("NAME", "READY", "REASON", "RUNNING", "DESIRED", "OBSERVED", "AGENT IMAGE")
            for item in items {
                let image = item.containers.first { $0.role == Role.agent.rawValue }?.image ?? "–"
                table.rows.append(row(item) + [short(item.desiredRevision), short(item.observedRevision), image])
            }
            return table.text
        }
        var table = Table("NAME", "READY", "REASON", "RUNNING")
        for item in items { table.rows.append(row(item)) }
        return table.text
    }

    private func row(_ item: BottleItem) -> [String] {
        let ready = item.conditions.first { $0.type == .ready }
        let running = item.containers.count { $0.state == "running" }
        return [
            item.identity, ready?.status.rawValue ?? "Unknown", ready?.reason ?? "NeverApplied",
            "\(running)/\(item.containers.count)",
        ]
    }

    private func short(_ revision: String?) -> String { revision.map { String($0.prefix(12)) } ?? "–" }
}
