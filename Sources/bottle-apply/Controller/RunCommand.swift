import ArgumentParser
import FoundationEssentials
import ReconcilerModel
import ReconcilerOperations
import ReconcilerPlatform
import ReconcilerServing

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Keep every bottle as declared, until stopped.",
        discussion: """
            The controller: it looks on a timer, on the engine's events and on every commit of the desired state, and \
            does what closes the difference. `apply`, `delete` and the others can run beside it. SIGTERM and Ctrl-C \
            let it finish what it is doing; it can be killed at any moment, too.

              bottle run
              bottle run --once
              bottle run --metrics 127.0.0.1:9464 --log-format json
            """
    )

    @Flag(name: .long, help: "One round over all bottles, deleted ones too, then end; 0: all is as declared, else 1.")
    var once = false

    @Option(name: .long, help: "Seconds between two looks at the engine's lists.")
    var interval: Double = 30

    @Option(name: .long, help: "Seconds between two looks at everything, files inside sidecars included.")
    var sweep: Double = 300

    @Option(name: .long, help: "How many bottles are worked on at once.")
    var concurrency = 8

    @Option(name: .long, help: "Where /metrics, /healthz and /readyz are served: a port on loopback, or off.")
    var metrics = "off"

    @Option(name: .long, help: "How the log on standard error is written: text or json.")
    var logFormat: LogFormat = .text

    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard interval >= 1, interval <= 86_400 else { throw ValidationError("--interval must be 1 to 86400 seconds") }
        guard sweep >= 1, sweep <= 604_800 else { throw ValidationError("--sweep must be 1 to 604800 seconds") }
        guard (1...64).contains(concurrency) else { throw ValidationError("--concurrency must be 1 to 64") }
        do {
            guard try metricsAddress != nil, once else { return }
        } catch {
            throw ValidationError("--metrics: \(error)")
        }
        throw ValidationError("--metrics is for a run that stays: it can't go with --once")
    }

    /// Nil: nothing is served.
    private var metricsAddress: LoopbackAddress? {
        get throws(LoopbackAddress.Invalid) { metrics == "off" ? nil : try LoopbackAddress(metrics) }
    }

    func run() async throws { try await common.run(run(in:)) }

    func run(in context: CommandContext) async throws {
        let printer = ControllerPrinter(context: context, log: logFormat)
        let metrics = try metricsAddress
        let controller = try await ControllerProcess(
            context.operations,
            interval: .milliseconds(Int64(interval * 1000)),
            sweep: .milliseconds(Int64(sweep * 1000)),
            concurrency: concurrency,
            measuringAs: metrics.map { _ in Version.text },
            onCall: { if context.isVerbose { printer.show($0) } },
            report: { printer.show($0) }
        )
        defer { controller.close() }
        guard !once else {
            guard try await controller.runOnce() else { throw ExitStatus.failure }
            return
        }
        let hook = ProposalHook(controller.proposalHook, environment: context.environment) {
            printer.show(.trouble($0))
        }
        StopSignals.install()
        try await controller.run(
            onProposal: { await hook?.run(with: $0) },
            until: StopSignals.wait,
            serving: { run, page in
                guard let metrics else { return try await run() }
                try await serve(page, at: metrics, printer, while: run)
            }
        )
    }

    private func serve(
        _ page: @escaping @Sendable (String) async -> (status: Int, contentType: String, text: String)?,
        at address: LoopbackAddress,
        _ printer: ControllerPrinter,
        while run: @Sendable () async throws -> Void
    ) async throws {
        let server = LoopbackServer(at: address) { request in
            guard let page = await page(request.path) else {
                return .text(404, "there are /metrics, /healthz and /readyz\n")
            }
            return LoopbackServer.Answer(status: page.status, contentType: page.contentType, body: page.text)
        }
        do {
            try await server.whileServing { bound in
                printer.showMetrics(at: bound.description)
                try await run()
            }
        } catch let error as LoopbackServer.CantListen {
            throw BottleError(
                .metricsAddress,
                "the metrics can't be served",
                at: address.description,
                remedy: "name a port that is free, 0 for any, or `--metrics off`",
                cause: error.reason
            )
        }
    }
}
