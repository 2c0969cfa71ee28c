/// What can be changed in an engine.
///
/// Every method is one request unless it says otherwise. When one throws `.transport` or `.cancelled`, whether the
/// engine acted is not known: observe again.
package protocol EngineWriting: EngineReading {
    /// Makes a network and gives its id: `POST /networks/create`. A used name is a conflict.
    func createNetwork(_ network: NetworkCreate) async throws(EngineError) -> String
    /// Removes a network: `DELETE /networks/{id}`. One with running containers is refused (403).
    func removeNetwork(_ reference: String) async throws(EngineError)
    /// Attaches a container to a network: `POST /networks/{id}/connect`.
    func connect(network: String, container: String, endpoint: EndpointCreate) async throws(EngineError)
    /// Detaches a container from a network: `POST /networks/{id}/disconnect`.
    func disconnect(network: String, container: String, force: Bool) async throws(EngineError)

    /// Makes a volume, or gives the one that has the name already, whatever its labels: `POST /volumes/create`.
    func createVolume(name: String, labels: [String: String]) async throws(EngineError) -> VolumeSummary
    /// Removes a volume: `DELETE /volumes/{name}`. One in use is a conflict.
    func removeVolume(_ name: String) async throws(EngineError)

    /// Makes a container: `POST /containers/create`. A used name is a conflict that names the holder.
    func createContainer(name: String, _ container: ContainerCreate) async throws(EngineError) -> CreatedContainer
    /// Starts a container: `POST /containers/{id}/start`. `isNotModified` when it runs already.
    func start(_ container: String) async throws(EngineError)
    /// Asks a container to end, and kills it after `timeout` seconds (the container's own when nil):
    /// `POST /containers/{id}/stop`. `isNotModified` when it does not run.
    func stop(_ container: String, timeout: Int?) async throws(EngineError)
    /// Sends a signal, such as `SIGHUP`: `POST /containers/{id}/kill`. Success says delivered, not acted upon.
    func kill(_ container: String, signal: String) async throws(EngineError)
    /// Stops and starts a container: `POST /containers/{id}/restart`.
    func restart(_ container: String, timeout: Int?) async throws(EngineError)
    /// Freezes a container: `POST /containers/{id}/pause`.
    func pause(_ container: String) async throws(EngineError)
    /// Thaws a container: `POST /containers/{id}/unpause`.
    func unpause(_ container: String) async throws(EngineError)
    /// Gives a container another name: `POST /containers/{id}/rename`.
    func rename(_ container: String, to name: String) async throws(EngineError)
    /// Changes limits in place and gives the engine's warnings: `POST /containers/{id}/update`.
    func update(_ container: String, _ update: ContainerUpdate) async throws(EngineError) -> [String]
    /// Removes a container, with its anonymous volumes when `volumes`: `DELETE /containers/{id}`.
    ///
    /// One that runs is a conflict unless `force`.
    func remove(_ container: String, force: Bool, volumes: Bool) async throws(EngineError)
    /// Waits until a container does not run and gives its exit code: `POST /containers/{id}/wait`.
    func wait(_ container: String) async throws(EngineError) -> Int

    /// Unpacks a tar archive in a folder of a container that need not run: `PUT /containers/{id}/archive`.
    ///
    /// The folder must exist. Not atomic: a reader can see a file missing or partial.
    func putArchive(
        container: String,
        path: String,
        _ archive: EngineBody,
        options: PutArchiveOptions
    ) async throws(EngineError)
    /// Runs a command in a running container to its end: `POST /containers/{id}/exec`, `POST /exec/{id}/start`, then
    /// `GET /exec/{id}/json` until the exit code is there.
    ///
    /// Keeps up to `limit` bytes of each output and reads on past them, so that the command never blocks on its output.
    /// Cancellation ends the waiting, not the command.
    func exec(container: String, _ exec: ExecCreate, limit: Int) async throws(EngineError) -> ExecResult

    /// Builds an image from a tar archive: `POST /build`. A failed build is a message with `error`, the last one.
    func build(
        context: EngineBody,
        options: BuildOptions
    ) async throws(EngineError) -> EngineStream<ProgressLine>
    /// Fetches an image from its registry: `POST /images/create`. A failed pull is a message with `error`.
    func pull(_ reference: String) async throws(EngineError) -> EngineStream<ProgressLine>
    /// Gives an image another name: `POST /images/{name}/tag`.
    func tag(_ image: String, as reference: String) async throws(EngineError)
    /// Removes an image, or one of its names: `DELETE /images/{name}`.
    func removeImage(_ reference: String, force: Bool) async throws(EngineError)
}

/// How an archive is unpacked.
package struct PutArchiveOptions: Sendable, Hashable {
    /// Whether replacing a folder by a file, or the reverse, is refused.
    package var keepKinds: Bool
    /// The engine's `copyUIDGID`: whether ownership goes to the container's user instead of the archive's.
    package var copyOwner: Bool

    /// How to unpack; by default as the archive says.
    package init(keepKinds: Bool = true, copyOwner: Bool = false) {
        self.keepKinds = keepKinds
        self.copyOwner = copyOwner
    }
}

extension EngineWriting {
    /// Asks a container to end, with its own timeout.
    package func stop(_ container: String) async throws(EngineError) {
        try await stop(container, timeout: nil)
    }

    /// Unpacks a tar archive in a folder of a container, as the archive says.
    package func putArchive(container: String, path: String, _ archive: EngineBody) async throws(EngineError) {
        try await putArchive(container: container, path: path, archive, options: PutArchiveOptions())
    }

    /// Runs a command in a container, keeping up to 1 MiB of each output.
    package func exec(container: String, _ exec: ExecCreate) async throws(EngineError) -> ExecResult {
        try await self.exec(container: container, exec, limit: 1 << 20)
    }

    /// Builds an image to its end and gives its id; a failed build throws `.stepFailed` or `.failed` with the engine's words.
    package func buildImage(
        context: EngineBody,
        options: BuildOptions,
        onProgress: (ProgressLine) -> Void = { _ in }
    ) async throws(EngineError) -> String {
        var messages = try await build(context: context, options: options).makeAsyncIterator()
        var id: String?
        while let message = try await messages.next() {
            onProgress(message)
            if let error = message.error {
                throw if let code = message.code { .stepFailed(error, code: code) } else { .failed(error) }
            }
            id = message.imageID ?? id
        }
        guard let id else { throw .failed("the build ended without an image") }
        return id
    }

    /// Fetches an image to its end; a failed pull throws `.failed` with the engine's words.
    package func pullImage(
        _ reference: String,
        onProgress: (ProgressLine) -> Void = { _ in }
    ) async throws(EngineError) {
        var messages = try await pull(reference).makeAsyncIterator()
        while let message = try await messages.next() {
            onProgress(message)
            if let error = message.error { throw .failed(error) }
        }
    }
}
