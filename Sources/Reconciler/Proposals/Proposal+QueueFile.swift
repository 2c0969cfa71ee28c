package import ReconcilerModel
import ReconcilerPlatform
import ReconcilerTime

extension Proposal {
    /// Whether its id stands for what it asks for.
    package var isGenuine: Bool {
        guard let content = try? ProposalContent(tool, argument) else { return false }
        return id.question == ProposalID.question(bottle, tool, content.canonical)
    }
}

extension Proposal {
    private static let version = 1

    /// The file's bytes: one object on one line, in ASCII.
    package var bytes: [UInt8] {
        let line = FlatJSON.line([
            ("version", .number(Self.version)), ("id", .text(id.text)), ("bottle", .text(bottle.name)),
            ("tool", .text(tool.rawValue)), ("at", .text(time.description)), ("argument", .text(argument)),
            ("justification", .text(justification)),
        ])
        return Array(line.utf8) + [UInt8(ascii: "\n")]
    }

    /// Reads a file of the queue.
    ///
    /// - Throws: `QueueFile.Unsuitable`, saying what is wrong in our own words: nothing of the file is in it.
    package init(reading bytes: [UInt8]) throws(QueueFile.Unsuitable) {
        var fields = try QueueFile.Fields(bytes, version: Self.version)
        let id = try fields.id()
        let bottle = try fields.text("bottle")
        let tool = try fields.text("tool")
        let time = try fields.time("at")
        let argument = try fields.text("argument")
        let justification = try fields.text("justification")
        try fields.finish()
        guard let bottle = try? Identity(bottle) else { throw .init("its bottle is no identity") }
        guard let tool = ProposalTool(rawValue: tool) else { throw .init("its tool is unknown") }
        do {
            try self.init(
                id: id,
                bottle: bottle,
                tool: tool,
                argument: argument,
                justification: justification,
                time: time
            )
        } catch {
            throw .init("its texts are not what a proposal may hold")
        }
        guard isGenuine else { throw .init("its id does not stand for what it asks for") }
    }
}
