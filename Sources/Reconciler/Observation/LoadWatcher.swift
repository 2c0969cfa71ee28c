import ReconcilerEngine
import ReconcilerModel
import ReconcilerTime

/// Waits for a sidecar to say what it has loaded.
struct LoadWatcher: Sendable {
    let engine: any EngineReading
    /// How long a sidecar may take from its start, or from a signal, to its confirmation.
    let patience: Duration
    var time = TimeSource.system
    private let interval: Duration = .milliseconds(12)
    /// How long to wait before checking that the files are still those that were put there.
    private let trust: Duration = .seconds(1)

    /// Waits for the first confirmation since the start.
    ///
    /// From then on the program handles SIGHUP.
    ///
    /// - Returns: what it says then.
    /// - Throws: `BottleError` `silent` when the time is over, `container-ended` when its program ended,
    ///   `container-killed` when a signal ended it.
    func firstWord(of container: ContainerID, name: String) async throws -> LoadedGeneration {
        let silence = BottleError(
            .silent,
            "the sidecar has not said since its start what it has loaded, or the clock was set since",
            at: name,
            remedy: "it is started anew; if that does not help, see `docker logs \(name)`"
        )
        return try await wait(container, name: name, orElse: silence) { $0 }
    }

    /// Waits until `generation`, which is that of these files, is in force.
    ///
    /// - Throws: `BottleError` `load-refused` when the sidecar refused it, `not-loaded` when the time is over,
    ///   `file-changed` when a file was changed meanwhile, `container-ended` or `container-killed` when its program
    ///   ended.
    func confirm(_ generation: ContentDigest, of files: [DesiredFile], by container: ContainerID, name: String)
        async throws
    {
        let late = BottleError(
            .notLoaded,
            "the sidecar did not confirm what it was given within \(patience.components.seconds) s",
            at: name,
            remedy: "see `docker logs \(name)`; the next apply looks again"
        )
        try await wait(container, name: name, orElse: late, unlessChanged: files) { loaded in
            if let refusal = loaded.refusal, refusal.generation == generation {
                throw BottleError(
                    .loadRefused,
                    "the sidecar refused its new files: \(refusal.reason); what it had stays in force",
                    at: name,
                    remedy: "see `docker logs \(name)` for what it said"
                )
            }
            return loaded.inForce == generation && loaded.refusal == nil ? () : nil
        }
    }

    private func wait<Value>(
        _ container: ContainerID,
        name: String,
        orElse late: BottleError,
        unlessChanged files: [DesiredFile] = [],
        until found: (LoadedGeneration) throws -> Value?
    ) async throws -> Value {
        let deadline = time.instant().advanced(by: patience)
        var doubt = time.instant().advanced(by: trust)
        while true {
            let details = try await engine.container(container.text)
            guard details.state.isRunning || details.state.isRestarting else {
                throw await ended(details, name: name)
            }
            if let link = try await engine.stat(container: container.text, path: LoadConfirmation.path),
                let loaded = LoadedGeneration(link, since: details.state.startedAt),
                let value = try found(loaded)
            {
                return value
            }
            guard time.instant() < deadline else { throw late }
            if time.instant() > doubt {
                try await expectUnchanged(files, in: container, name: name)
                doubt = time.instant().advanced(by: trust)
            }
            try await time.sleep(for: interval)
        }
    }

    /// A file may have been edited after we corrected it and before the sidecar read it.
    ///
    /// Then the confirmation would never come.
    private func expectUnchanged(_ files: [DesiredFile], in container: ContainerID, name: String) async throws {
        for file in files {
            let stat = try await engine.stat(container: container.text, path: file.path)
            guard stat.map({ ObservedFile($0).shows(file) }) != true else { continue }
            throw BottleError(
                .fileChanged,
                "\(file.path) was changed again before the sidecar read it",
                at: name,
                remedy: "the next pass puts it right; look who writes to it"
            )
        }
    }

    private func ended(_ details: ContainerDetails, name: String) async -> BottleError {
        // SIGKILL, also the kernel's for memory, and SIGTERM come from outside.
        let isKilled = [128 + 9, 128 + 15].contains(details.state.exitCode)
        return BottleError(
            isKilled ? .containerKilled : .containerEnded,
            "the container ended with status \(details.state.exitCode) instead of confirming what it was given",
            at: name,
            remedy: "see `docker logs \(name)`",
            cause: details.state.error.isEmpty ? nil : details.state.error
        )
    }
}
