import ArgumentParser
import ReconcilerModel
import ReconcilerOperations
import ReconcilerPlatform

struct Images: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Build the images that come with bottle.",
        subcommands: [ImagesBuild.self]
    )
}

struct ImagesBuild: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "build",
        abstract: "Build what is missing, or was built from other files.",
        discussion: """
              bottle images build
              bottle images build egress-proxy --force
            """
    )

    @Argument(help: "Roles to build: agent, egress-proxy, firewall, supervise; default: all that come with bottle.")
    var roles: [Role] = []

    @Flag(name: .long, help: "Build also what is there already.")
    var force = false

    @OptionGroup var common: CommonOptions

    func run() async throws { try await common.run(run(in:)) }

    func run(in context: CommandContext) async throws {
        let built = try await context.operations.buildImages(roles, force: force) { event in
            switch event {
            case .began(let reference): context.console.err("building \(reference) …")
            case .output(let line):
                if context.isVerbose { context.console.err("  \(VisibleText.line(line, limit: 400))") }
            }
        }
        try context.show(ListDocument(kind: "ImageList", items: built)) {
            built.map { "\($0.reference): \($0.outcome)" }.joined(separator: "\n")
        }
    }
}
