import ArgumentParser
import ReconcilerManifest
import ReconcilerModel
import ReconcilerOperations
import ReconcilerPlatform

struct Edit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Change a bottle's desired state in an editor: its routes, allowlist, Dockerfile or manifest.",
        discussion: """
            Routes, allowlist and Dockerfile are shown with what was granted; the edit becomes remediations, which \
            later applies of the manifest keep. An edit of the manifest takes its place. A text that is not valid \
            comes back with the errors on top; one that is saved unchanged changes nothing.

              bottle edit allowlist dev
              EDITOR='code --wait' bottle edit routes dev --reason 'a narrower path'
            """
    )

    @Argument(help: "What is edited: routes, allowlist, dockerfile or manifest.")
    var subject: EditableText.Subject

    @Argument(help: "The bottle.")
    var bottle: String

    @Option(name: .shortAndLong, help: "Why, for the history of the desired state.")
    var reason: String?

    @Flag(name: .shortAndLong, help: "Ask nothing after the edit.")
    var yes = false

    @OptionGroup var common: CommonOptions

    func run() async throws { try await common.run(run(in:)) }

    func run(in context: CommandContext) async throws {
        let identity = try Identity(bottle)
        let editable = try await context.operations.editableText(subject, of: identity)
        let edited = try await EditorSession(editable.name, of: identity, in: context)
            .edit(editable.text, hints: [editable.hint]) { text in
                let edited = try editable.read(text)
                context.show(edited?.warnings ?? [])
                return edited
            }
        guard let edited = edited ?? nil else {
            return try PassReport(context: context).showNothing("nothing was changed")
        }
        let reason = reason ?? "edit the \(subject.rawValue) of \(identity)"
        try await context.carryOut(try await context.operations.prepare(editing: edited, reason: reason), yes: yes)
    }
}

extension EditableText.Subject: ExpressibleByArgument {}
