import ArgumentParser
import Reconciler
import ReconcilerEngine
import ReconcilerModel

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Keep every bottle as declared, until stopped.",
        discussion: """
            The controller: it looks on a timer, on the engine's events and on every commit of the desired state, and
            does what closes the difference. `apply`, `delete` and the others can run beside it. SIGTERM and Ctrl-C let
            it finish what it is doing; it can be killed at any moment, too.

              bottle run
              bottle run --once
            """
    )

    @Flag(name: .long, help: "One pass of every bottle, then end: 0 when all are as declared, else 1.")
    var once = false

    @Option(name: .long, help: "Seconds between two looks at the engine's lists.")
    var interval: Double = 30

    @Option(name: .long, help: "Seconds between two looks at everything, files inside sidecars included.")
    var sweep: Double = 300

    @Option(name: .long, help: "How many bottles are worked on at once.")
    var concurrency = 8

    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard interval >= 1, interval <= 86_400 else { throw ValidationError("--interval must be 1 to 86400 seconds") }
        guard sweep >= 1, sweep <= 604_800 else { throw ValidationError("--sweep must be 1 to 604800 seconds") }
        guard (1...64).contains(concurrency) else { throw ValidationError("--concurrency must be 1 to 64") }
    }

    func run() async throws { try await common.run(run(in:)) }

    func run(in context: CommandContext) async throws {
        let engine = try await context.engine()
        defer { engine.close() }
        var installation = try await context.installation(engine: engine)
        installation.credentials = try context.watchingCredentials(installation)
        if once {
            try await runOnce(installation, context)
        } else {
            try await keep(installation, context)
        }
    }

    private func runOnce(_ installation: Installation, _ context: CommandContext) async throws {
        let snapshot = try await installation.repository.snapshot()
        let printer = ControllerPrinter(context: context)
        let results = try await withThrowingTaskGroup(of: PassResult?.self) { group in
            var results: [PassResult] = []
            for (index, identity) in snapshot.bottles.keys.sorted().enumerated() {
                if index >= concurrency, let result = try await group.next() ?? nil { results.append(result) }
                group.addTask {
                    let pass = BottlePass(identity, in: installation, now: CommandContext.now) {
                        printer.show(.progress($0, $1))
                    }
                    return try await pass.runIfDesired(mayEndAgent: true, secrets: .asNeeded)
                }
            }
            for try await result in group { if let result { results.append(result) } }
            return results
        }
        for result in results.sorted(by: { $0.identity < $1.identity }) { printer.show(.ended(result)) }
        guard results.allSatisfy({ $0.error == nil }) else { throw ExitStatus.failure }
    }

    private func keep(_ installation: Installation, _ context: CommandContext) async throws {
        let lock = installation.state.controllerLock
        guard let held = try lock.tryAcquire() else {
            throw BottleError(
                "already-running",
                "another controller looks after this state folder",
                at: installation.state.path,
                remedy: lock.holder().map { "it is process \($0)" } ?? "look for another `bottle run`"
            )
        }
        defer { extendLifetime(held) }
        let printer = ControllerPrinter(context: context)
        let controller = Controller(
            installation,
            pace: ControllerPace(
                interval: .milliseconds(Int64(interval * 1000)),
                sweep: .milliseconds(Int64(sweep * 1000)),
                concurrency: concurrency
            ),
            now: CommandContext.now,
            report: printer.show
        )
        StopSignals.install()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await StopSignals.wait()
                await controller.stop()
            }
            try await controller.run()
            group.cancelAll()
        }
    }
}
