import ArgumentParser
import FoundationEssentials
import Reconciler
import ReconcilerEngine
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerServing
import ReconcilerState
import ReconcilerTime

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
        let telemetry = try metricsAddress.map { _ in
            Telemetry(pace: pace, version: Version.text, startTime: Date().timeIntervalSince1970)
        }
        let engine = try await context.engine { call in
            if context.isVerbose { printer.show(call) }
            telemetry?.take(call)
        }
        defer { engine.close() }
        var installation = try await context.installation(engine: engine)
        installation.credentials = try context.watchingCredentials(installation)
        if once {
            try await runOnce(installation, printer)
        } else {
            try await keep(installation, printer, telemetry, environment: context.environment)
        }
    }

    private var pace: ControllerPace {
        ControllerPace(
            interval: .milliseconds(Int64(interval * 1000)),
            sweep: .milliseconds(Int64(sweep * 1000)),
            concurrency: concurrency
        )
    }

    private func runOnce(_ installation: Installation, _ printer: ControllerPrinter) async throws {
        let round = OneShotRun(installation, concurrency: concurrency, time: .system) { printer.show($0) }
        guard try await round.run() else { throw ExitStatus.failure }
    }

    private func keep(
        _ installation: Installation,
        _ printer: ControllerPrinter,
        _ telemetry: Telemetry?,
        environment: [String: String]
    ) async throws {
        let lock = installation.state.controllerLock
        guard let held = try lock.tryAcquire() else {
            throw BottleError(
                .alreadyRunning,
                "another controller looks after this state folder",
                at: installation.state.path,
                remedy: lock.holder().map { "it is process \($0)" } ?? "look for another `bottle run`"
            )
        }
        defer { extendLifetime(held) }
        let hook = ProposalHook(installation.settings.onProposal, environment: environment) {
            printer.show(.trouble($0))
        }
        let controller = Controller(
            installation,
            pace: pace,
            time: .system,
            onProposal: { await hook?.run(with: $0) }
        ) { report in
            printer.show(report)
            telemetry?.take(report)
        }
        let store = RefusalStore(state: installation.state)
        let follower = RefusalFollower(
            engine: installation.engine,
            installation: installation.state.installation,
            sink: telemetry.map { CountedRefusals(store, in: $0) } ?? store,
            trouble: { printer.show(.trouble($0)) }
        )
        StopSignals.install()
        guard let address = try metricsAddress, let telemetry else { return try await attend(controller, follower) }
        let server = LoopbackServer(at: address) { request in
            guard let page = await telemetry.page(request.path, controller.vitals) else {
                return .text(404, "there are /metrics, /healthz and /readyz\n")
            }
            return LoopbackServer.Answer(status: page.status, contentType: page.contentType, body: page.text)
        }
        do {
            try await server.whileServing { bound in
                printer.showMetrics(at: bound.description)
                try await attend(controller, follower)
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

    /// Runs the controller, and what follows refusals beside it, until a signal asks for the end.
    private func attend(_ controller: Controller, _ follower: RefusalFollower) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await StopSignals.wait()
                await controller.stop()
            }
            group.addTask { try await follower.run() }
            try await controller.run()
            group.cancelAll()
        }
    }
}
