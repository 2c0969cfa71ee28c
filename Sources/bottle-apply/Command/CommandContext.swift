import ArgumentParser
import FoundationEssentials
import ReconcilerManifest
import ReconcilerModel
import ReconcilerOperations
import ReconcilerPlatform

/// What a command works with: its surroundings, and the use cases.
struct CommandContext: Sendable {
    let operations: Operations
    let environment: [String: String]
    let workingFolder: String
    let console: Console
    let format: OutputFormat
    let isVerbose: Bool

    init(format: OutputFormat, isVerbose: Bool, host: String?) throws {
        environment = ProcessInfo.processInfo.environment
        workingFolder = FileManager.default.currentDirectoryPath
        let console = Console(terminal: Terminal.current(environment: environment))
        operations = try Operations(environment: environment, workingFolder: workingFolder, host: host) { call in
            if isVerbose { console.show(call) }
        }
        self.console = console
        self.format = format
        self.isVerbose = isVerbose
    }

    /// Prints the result: the document for programs, the text for people.
    func show(_ document: some Encodable, text: () -> String) throws {
        console.out(format.isDocument ? try format.text(of: document) : text())
    }

    /// Shows what passes do.
    var progress: Operations.Progress {
        let printer = ProgressPrinter(console: console, verbose: isVerbose)
        return { printer.show($0, $1) }
    }

    // MARK: - Errors

    func report(_ error: BottleError) {
        if format.isDocument, let text = try? format.text(of: ErrorDocument(error)) {
            console.out(text)
        } else {
            console.complain(of: error)
        }
    }

    func report(_ invalid: InvalidManifest) {
        show(invalid.diagnostics)
        guard format.isDocument else { return }
        let first = invalid.diagnostics.first { $0.severity == .error }
        let error = BottleError(
            .invalidManifest,
            first?.message ?? "the manifest is not valid",
            at: first?.location?.description,
            remedy: first?.suggestion
        )
        if let text = try? format.text(of: ErrorDocument(error)) { console.out(text) }
    }

    /// Shows findings in a manifest.
    func show(_ diagnostics: [Diagnostic]) {
        guard !diagnostics.isEmpty else { return }
        console.err(DiagnosticPrinter(isColored: console.colorsErrors).text(diagnostics))
    }
}

/// Options that every command has.
struct CommonOptions: ParsableArguments {
    @Option(name: .long, help: "The engine's address; default: DOCKER_HOST, the docker context, the usual sockets.")
    var host: String?

    @Option(name: .shortAndLong, help: "How results are shown: table, wide, json or yaml.")
    var output: OutputFormat = .table

    @Flag(name: .shortAndLong, help: "Show each call to the engine, and builds as they go.")
    var verbose = false

    /// Runs a command's body and turns what it throws into what a person or a program reads, and an exit status.
    func run(_ body: (CommandContext) async throws -> Void) async throws {
        InterruptHandler.install()
        let context: CommandContext
        do {
            context = try CommandContext(format: output, isVerbose: verbose, host: host)
        } catch {
            Console(terminal: .current(environment: [:])).err("\(error)")
            throw ExitStatus.failure
        }
        defer { context.operations.close() }
        do {
            try await body(context)
        } catch let exit as ExitCode {
            throw exit
        } catch let invalid as InvalidManifest {
            context.report(invalid)
            throw ExitStatus.failure
        } catch {
            context.report(Operations.explain(error))
            throw ExitStatus.failure
        }
    }
}
