import FoundationEssentials
import Reconciler
import ReconcilerEngine
package import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState
import ReconcilerTime

/// The controller of an installation, as a front end runs it.
package struct ControllerProcess: Sendable {
    private let installation: Installation
    private let engine: EngineClient
    private let pace: ControllerPace
    private let telemetry: Telemetry?
    private let report: @Sendable (ControllerReport) -> Void

    /// The program that the settings name for new proposals, and its arguments; empty: none.
    package var proposalHook: [String] { installation.settings.onProposal }

    /// Reaches the engine and opens the installation.
    ///
    /// - Parameters:
    ///   - interval: between two looks at the engine's lists.
    ///   - sweep: between two looks at everything, files inside sidecars included.
    ///   - concurrency: how many bottles are worked on at once.
    ///   - version: of this program, for the metrics; nil: nothing is measured.
    ///   - onCall: gets each call to the engine once it ended.
    package init(
        _ operations: Operations,
        interval: Duration,
        sweep: Duration,
        concurrency: Int,
        measuringAs version: String?,
        onCall: @escaping @Sendable (EngineCall) -> Void,
        report: @escaping @Sendable (ControllerReport) -> Void
    ) async throws {
        let pace = ControllerPace(interval: interval, sweep: sweep, concurrency: concurrency)
        let telemetry = version.map {
            Telemetry(pace: pace, version: $0, startTime: Date().timeIntervalSince1970)
        }
        engine = try await operations.connection.connect { call in
            onCall(EngineCall(call))
            telemetry?.take(call)
        }
        var installation = try await operations.installation(client: engine)
        installation.credentials = try operations.watchingCredentials(installation)
        self.installation = installation
        self.pace = pace
        self.telemetry = telemetry
        self.report = report
    }

    /// Ends the connections to the engine.
    package func close() { engine.close() }

    /// One round over all bottles, deleted ones too.
    ///
    /// - Returns: whether all is as declared.
    package func runOnce() async throws -> Bool {
        try await OneShotRun(installation, concurrency: pace.concurrency, time: .system, report: report).run()
    }

    /// Keeps every bottle as declared, and the refusals of its sidecars on record, until `stopped` returns.
    ///
    /// - Parameters:
    ///   - onProposal: gets each proposal that waits, once.
    ///   - stopped: returns when the end is asked for; the passes under way are then finished.
    ///   - serve: runs its first argument, and answers meanwhile with what its second says of a path; nil: there is no
    ///     such page.
    /// - Throws: `BottleError` `already-running`.
    package func run(
        onProposal: @escaping @Sendable (Proposal) async -> Void,
        until stopped: @escaping @Sendable () async throws -> Void,
        serving serve: (
            _ run: @Sendable () async throws -> Void,
            _ page: @escaping @Sendable (String) async -> (status: Int, contentType: String, text: String)?
        ) async throws -> Void
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
        let (report, telemetry) = (report, telemetry)
        let controller = Controller(
            installation,
            pace: pace,
            time: .system,
            onProposal: onProposal
        ) {
            report($0)
            telemetry?.take($0)
        }
        let store = RefusalStore(state: installation.state)
        let follower = RefusalFollower(
            engine: installation.engine,
            installation: installation.state.installation,
            sink: telemetry.map { CountedRefusals(store, in: $0) } ?? store,
            trouble: { report(.trouble($0)) }
        )
        try await serve(
            {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        try await stopped()
                        await controller.stop()
                    }
                    group.addTask { try await follower.run() }
                    try await controller.run()
                    group.cancelAll()
                }
            },
            { path in
                let page = await telemetry?.page(path) { await controller.vitals() }
                return page.map { ($0.status, $0.contentType, $0.text) }
            }
        )
    }
}
