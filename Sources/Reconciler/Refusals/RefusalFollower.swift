package import ReconcilerEngine
package import ReconcilerModel
package import ReconcilerPlatform
import Synchronization

/// How often a follower hands on, and how much it reads.
package struct FollowerPace: Sendable {
    /// From a refusal to its batch.
    package var batch = Duration.seconds(1)
    /// The same while a flood is told coarsely.
    package var flooded = Duration.seconds(10)
    /// The most lines of one sidecar that are read in a second; more wait in the engine's log.
    package var linesPerSecond = 10_000
    package var backoff = Backoff(base: .milliseconds(200), cap: .seconds(30))

    package init() {}
}

/// Follows the logs of every sidecar that refuses, from where they were last read, and hands on what they say.
///
/// One stream a sidecar, and the engine's events for those that start; nothing is asked from time to time. Memory is
/// bounded, and who floods the log is told by numbers. Without the engine it waits for it.
package struct RefusalFollower: Sendable {
    private let engine: any EngineReading
    private let installation: InstallationID
    private let sink: any RefusalSink
    private let pace: FollowerPace
    private let concerns: @Sendable (Identity) -> Bool
    private let trouble: @Sendable (BottleError) -> Void

    /// - Parameters:
    ///   - installation: whose containers are followed.
    ///   - concerns: which bottles are.
    ///   - trouble: told once of what keeps it from its work, until it works again.
    package init(
        engine: any EngineReading,
        installation: InstallationID,
        sink: any RefusalSink,
        pace: FollowerPace = FollowerPace(),
        concerns: @escaping @Sendable (Identity) -> Bool = { _ in true },
        trouble: @escaping @Sendable (BottleError) -> Void
    ) {
        self.engine = engine
        self.installation = installation
        self.sink = sink
        self.pace = pace
        self.concerns = concerns
        self.trouble = trouble
    }

    /// Runs until the task is cancelled.
    ///
    /// What was read and not handed on then is read again by the next run.
    /// - Throws: `CancellationError`.
    package func run() async throws {
        let followed = Followed()
        try await withThrowingDiscardingTaskGroup { group in
            var failures = 0
            while true {
                do {
                    let query = EventQuery(filters: [
                        "type": ["container"], "event": ["start"], "label": ["\(Labels.installation)=\(installation)"],
                    ])
                    // First the events, so that nothing starts unseen between the two.
                    let events = try await engine.events(query)
                    let label = "\(Labels.installation)=\(installation)"
                    for container in try await engine.containers(labels: [label], all: true) {
                        begin(Sidecar(container.id, container.labels), followed, in: &group)
                    }
                    failures = 0
                    for try await event in events where event.type == "container" && event.action == "start" {
                        begin(Sidecar(event.actorID, event.attributes), followed, in: &group)
                    }
                } catch {
                    // The controller tells of an engine that can't be reached.
                    try Task.checkCancellation()
                }
                failures += 1
                try await Task.sleep(for: pace.backoff.delay(failures: failures, jitter: 1))
            }
        }
    }

    private func begin(
        _ sidecar: Sidecar?,
        _ followed: Followed,
        in group: inout ThrowingDiscardingTaskGroup<any Error>
    ) {
        guard let sidecar, sidecar.installation == installation, concerns(sidecar.bottle), followed.begin(sidecar.id)
        else { return }
        group.addTask {
            repeat { await follow(sidecar) } while !Task.isCancelled && followed.end(sidecar.id)
        }
    }

    // MARK: - One sidecar

    /// Reads a container's log until it has ended.
    private func follow(_ sidecar: Sidecar) async {
        var failures = 0
        while !Task.isCancelled {
            do {
                try await read(sidecar)
                guard try await engine.container(sidecar.id).state.isRunning else { return }
                failures = 0
            } catch let error as EngineError {
                if error.isNotFound { return }
            } catch is CancellationError {
                return
            } catch {
                trouble(BottleError(wrapping: error))
            }
            failures += 1
            try? await Task.sleep(for: pace.backoff.delay(failures: failures, jitter: 1))
        }
    }

    /// Reads a container's log to the end of its stream, and hands all of it on.
    private func read(_ sidecar: Sidecar) async throws {
        let position = try await sink.positions(of: sidecar.bottle)[sidecar.id]
        let origin = ContinuousClock.now
        let intake = RefusalBuffer(
            bottle: sidecar.bottle,
            container: sidecar.id,
            sidecar: sidecar.role,
            from: position,
            clock: { ContinuousClock.now - origin }
        )
        let options = LogOptions(follow: true, since: position?.time, timestamps: true)
        let frames = try await engine.logs(container: sidecar.id, options: options)
        let (arrivals, arrival) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await _ in arrivals {
                    try await Task.sleep(for: await intake.isFlooded ? pace.flooded : pace.batch)
                    try await handOn(intake)
                }
            }
            try await take(frames, into: intake) { arrival.yield() }
            arrival.finish()
            group.cancelAll()
        }
        try await handOn(intake)
    }

    private func take(
        _ frames: EngineStream<OutputFrame>,
        into intake: RefusalBuffer,
        arrived: () -> Void
    ) async throws {
        var begin = ContinuousClock.now
        var lines = 0
        for try await frame in frames {
            lines += await intake.take(frame)
            arrived()
            guard lines >= pace.linesPerSecond else { continue }
            // The engine's own log bounds what waits meanwhile.
            try await Task.sleep(until: begin + .seconds(1), clock: .continuous)
            begin = ContinuousClock.now
            lines = 0
        }
    }

    /// Hands on what has come; tries again for a while when it can't be kept.
    private func handOn(_ intake: RefusalBuffer) async throws {
        var failures = 0
        while true {
            let before = await intake.position
            guard let batch = await intake.drain() else { return }
            do {
                return try await sink.take(batch)
            } catch {
                await intake.restore(batch, before: before)
                try Task.checkCancellation()
                trouble(BottleError(wrapping: error))
            }
            failures += 1
            try await Task.sleep(for: pace.backoff.delay(failures: failures, jitter: 1))
        }
    }
}

/// A container that tells refusals.
private struct Sidecar: Sendable {
    let id: String
    let bottle: Identity
    let role: Role
    let installation: InstallationID

    init?(_ id: String, _ labels: [String: String]) {
        guard let role = labels[Labels.role].flatMap(Role.init(rawValue:)), Sidecars.refusing.contains(role),
            let bottle = labels[Labels.identity].flatMap({ try? Identity($0) }),
            let installation = labels[Labels.installation].flatMap({ try? InstallationID($0) })
        else { return nil }
        self.id = id
        self.bottle = bottle
        self.role = role
        self.installation = installation
    }
}

/// The containers that are being followed.
private final class Followed: Sendable {
    /// By id; whether it was started again since its follower began.
    private let ids = Mutex<[String: Bool]>([:])

    /// Whether the caller shall follow it; else its follower will know that it started once more.
    func begin(_ id: String) -> Bool {
        ids.withLock { ids in
            let isNew = ids[id] == nil
            ids[id] = !isNew
            return isNew
        }
    }

    /// Whether its follower shall go on, since it started once more.
    func end(_ id: String) -> Bool {
        ids.withLock { ids in
            let again = ids[id] ?? false
            ids[id] = again ? false : nil
            return again
        }
    }
}
