import ArgumentParser
import Reconciler
import ReconcilerEngine
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState

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
        let contexts = try BundledImages.find(environment: context.environment).contexts()
        let settings = try context.settings()
        for role in roles where contexts[role] == nil {
            throw BottleError(.noDockerfile, "no Dockerfile for \(role.rawValue) comes with bottle")
        }
        let engine = try await context.engine()
        defer { engine.close() }
        let state = try StateFolder.create(context.paths.state)
        var built: [ImagesDocument.Image] = []
        for role in (roles.isEmpty ? contexts.keys.sorted() : roles) {
            guard let files = contexts[role] else { continue }
            let image = try BuildContexts(bundled: [role: files], stored: nil).image(of: role, settings)
            // One builder of an image at a time: a pass that needs the same one waits, and finds it.
            built.append(
                try await state.lock(ofImage: image.reference).withLock {
                    try await build(image, from: files, engine: engine, context: context)
                }
            )
        }
        try context.show(ImagesDocument(items: built)) {
            built.map { "\($0.reference): \($0.outcome)" }.joined(separator: "\n")
        }
    }

    private func build(
        _ image: DesiredImage,
        from files: BuildContext,
        engine: any EngineWriting,
        context: CommandContext
    ) async throws -> ImagesDocument.Image {
        let role = image.role.rawValue
        guard let digest = image.context else {
            return ImagesDocument.Image(
                role: role,
                reference: image.reference.text,
                outcome: "named by the settings"
            )
        }
        let found = try await Observer(engine: engine).images([image.reference])[image.reference]
        guard force || found?.labels[DesiredImage.contextLabel] != digest.hex else {
            return ImagesDocument.Image(role: role, reference: image.reference.text, outcome: "up to date")
        }
        context.console.err("building \(image.reference) …")
        try await ImageMaker(engine: engine) { line in
            if context.isVerbose { context.console.err("  \(VisibleText.line(line, limit: 400))") }
        }.build(image, from: files)
        return ImagesDocument.Image(role: role, reference: image.reference.text, outcome: "built")
    }
}

private struct ImagesDocument: Encodable {
    struct Image: Encodable {
        var role: String
        var reference: String
        var outcome: String
    }

    var apiVersion = "bottle/v1"
    var kind = "ImageList"
    var items: [Image]
}

extension Role: ExpressibleByArgument {}
