import ReconcilerEngine
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState
import ReconcilerTime

/// The triggers that put names into the queue.
extension Controller {
    // MARK: - Folders

    /// Polls folders whose changes may come without a message: the desired state's, and the queues of proposals.
    ///
    /// Git moves a head by creating files in these two folders. A head that is moved otherwise is found a second later.
    func watchFolders() async throws {
        let git = "\(installation.state.desired)/.git"
        var seen: [Timestamp?] = []
        var marks: [Identity: QueueMark] = [:]
        var polls = 0
        let pollsPerSecond = max(Int(Duration.seconds(1) / pace.poll), 1)
        while true {
            let found = ["", "/refs/heads"].map { try? POSIX.lastChange(of: git + $0) }
            if found != seen || polls.isMultiple(of: pollsPerSecond) { looks.yield() }
            seen = found
            lookAtQueues(&marks, showsRefusals: polls.isMultiple(of: 2 * pollsPerSecond))
            polls += 1
            try await time.sleep(for: pace.poll)
        }
    }

    // MARK: - The desired state

    /// Listens for messages; without them polling goes on.
    func listenForMessages() async throws {
        let socket = ControlSocket(path: installation.state.controlSocket)
        let looks = looks
        do {
            try await socket.listen { looks.yield() }
        } catch {
            try Task.checkCancellation()
            note(
                .controlSocket,
                BottleError(
                    .noControlSocket,
                    "commits are noticed a little later",
                    at: socket.path,
                    cause: "\(error)"
                )
            )
        }
        // The other triggers go on.
        while true { try await time.sleep(for: .seconds(3600)) }
    }

    /// Reads the desired state's head when asked; a bottle that a commit changed is urgent.
    func watchDesiredState() async throws {
        var isLost = false
        for await _ in looksWanted {
            heartbeat(.desiredState)
            do {
                let found = try await installation.repository.head()
                if found != desired?.revision {
                    try await adopt(try await installation.repository.snapshot(at: found))
                }
                if isLost { enqueueAll() }
                isLost = false
                clear(.desiredState)
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                // Nothing counts as removed: the last state that was read stays in force, and each bottle's pass
                // reports the error.
                if !isLost { enqueueAll() }
                isLost = true
                note(.desiredState, BottleError(wrapping: error))
            }
        }
        throw CancellationError()
    }

    private func adopt(_ snapshot: DesiredSnapshot) async throws {
        let recorded = Set(try installation.records.loadAll().keys)
        let before = desired
        let (files, filesBefore) = (snapshot.remediationFiles(), before?.remediationFiles() ?? [:])
        desired = snapshot
        // A bottle that is no longer desired or recorded gets a last pass, which forgets it.
        let all = known.union(recorded).union(snapshot.bottles.keys)
        let changed = all.sorted().filter { bottle in
            guard let before else { return true }
            return before.bottles[bottle] != snapshot.bottles[bottle] || filesBefore[bottle] != files[bottle]
        }
        known = recorded.union(snapshot.bottles.keys)
        report(.watching(snapshot.bottles.keys.sorted(), changed: changed, revision: snapshot.revision))
        for bottle in changed { enqueue(bottle, isUrgent: true) }
    }

    // MARK: - The engine

    /// Follows the engine's events; after each gap every bottle gets a pass.
    func watchEngine() async throws {
        var failures = 0
        var isAway = false
        while true {
            try Task.checkCancellation()
            do {
                let query = EventQuery(filters: ["type": ["container", "network", "volume", "image"]])
                let events = try await installation.engine.events(query)
                clear(.events)
                followsEvents = true
                failures = 0
                // Failures without an engine must not delay the next pass.
                await enqueueAllTogether(isUrgent: isAway)
                isAway = false
                for try await event in events { handle(event) }
            } catch {
                try Task.checkCancellation()
                note(.events, BottleError(wrapping: error))
                if !followsEvents { isAway = true }
            }
            followsEvents = false
            failures += 1
            let backoff = Backoff(base: .milliseconds(200), cap: .seconds(5))
            try await time.sleep(for: backoff.delay(failures: failures, jitter: 1))
        }
    }

    private func handle(_ event: EngineEvent) {
        guard !event.isOfLookingOnly else { return }
        if event.type == "image" {
            // A moved tag can concern any bottle; a pass finds out.
            if ["tag", "untag", "delete", "load", "import"].contains(event.action) {
                enqueueAll(delay: pace.debounce)
            }
            return
        }
        for bottle in known where event.concerns(bottle, installation: installation.state.installation) {
            if let role = event.roleOfChangedFiles { suspect([role], of: bottle) }
            enqueue(bottle, delay: pace.debounce)
        }
    }

    // MARK: - Time

    /// Compares list fingerprints with those of the last converged passes, and queues the bottles that differ.
    func lookFromTimeToTime() async throws {
        _ = noticesSetClock()
        while true {
            heartbeat(.timer)
            try await time.sleep(for: jittered(pace.interval))
            if noticesSetClock() { enqueueAll() }
            do {
                let moment = time.instant()
                let inventory = try await inventories.take(from: installation.engine)
                // Treat it as a gap in the events, although their connection may have stayed open.
                if clear(.engine) { enqueueAll(isUrgent: true, asOf: moment) }
                for bottle in changed(in: inventory) { enqueue(bottle, asOf: moment) }
            } catch {
                try Task.checkCancellation()
                note(.engine, BottleError(wrapping: error))
            }
        }
    }

    /// Whether the wall clock was set since the last call: limits by time then end at another moment.
    ///
    /// Waits in here use a clock that can't be set.
    private func noticesSetClock() -> Bool {
        let offset = time.now().seconds - elapsed.components.seconds
        defer { clockOffset = offset }
        return clockOffset.map { abs($0 - offset) > 2 } ?? false
    }

    /// Queues every bottle: a pass also looks at loaded generations, images and secrets, and reads the files.
    func sweepFromTimeToTime() async throws {
        while true {
            try await time.sleep(for: jittered(pace.sweep))
            for bottle in known { suspect(Set(Role.allCases), of: bottle) }
            await enqueueAllTogether()
        }
    }
}

extension EngineEvent {
    /// Whether it comes from a look that changed nothing, such as our own.
    ///
    /// A look at a file in a container mounts its volumes and unmounts them (seen on 20.10).
    fileprivate var isOfLookingOnly: Bool {
        switch type {
        case "container": ["archive-path", "top", "attach", "detach", "resize", "export"].contains(action)
        case "volume": ["mount", "unmount"].contains(action)
        default: false
        }
    }

    /// The container in which files may have been changed: a command ended in it, or files were copied into it.
    fileprivate var roleOfChangedFiles: Role? {
        guard type == "container", action == "exec_die" || action == "extract-to-dir" else { return nil }
        return attributes[Labels.role].flatMap(Role.init(rawValue:))
    }

    /// Whether it concerns an object of this bottle.
    fileprivate func concerns(_ bottle: Identity, installation: InstallationID) -> Bool {
        if attributes[Labels.identity] == bottle.name { return attributes[Labels.installation] == installation.text }
        let name = attributes["name"] ?? actorID
        switch type {
        case "network": return NetworkRole.allCases.contains { Names.network(bottle, $0) == name }
        case "container": return Role.allCases.contains { Names.container(bottle, $0) == name }
        default: return name.hasPrefix("bottle-\(bottle.name)-")
        }
    }
}
