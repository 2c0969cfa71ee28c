/// Everything that a client can change in an engine.
///
/// Every method is one request unless documented otherwise. If one throws `.transport` or `.cancelled`, whether the
/// engine acted is unknown: observe again.
package protocol EngineWriting: EngineReading {
    /// Creates a network and returns its id: `POST /networks/create`. A name in use is a conflict.
    func createNetwork(_ network: NetworkCreate) async throws(EngineError) -> String
    /// Removes a network: `DELETE /networks/{id}`. The engine refuses one with running containers (403).
    func removeNetwork(_ reference: String) async throws(EngineError)
    /// Attaches a container to a network: `POST /networks/{id}/connect`.
    func connect(network: String, container: String, endpoint: EndpointCreate) async throws(EngineError)
    /// Detaches a container from a network: `POST /networks/{id}/disconnect`.
    func disconnect(network: String, container: String, force: Bool) async throws(EngineError)

    /// Creates a volume, or returns the existing one with the name, whatever its labels: `POST /volumes/create`.
    func createVolume(name: String, labels: [String: String]) async throws(EngineError) -> VolumeSummary
    /// Removes a volume: `DELETE /volumes/{name}`. One in use is a conflict.
    func removeVolume(_ name: String) async throws(EngineError)

    /// Creates a container: `POST /containers/create`. A name in use is a conflict that names the holder.
    func createContainer(name: String, _ container: ContainerCreate) async throws(EngineError) -> CreatedContainer
    /// Starts a container: `POST /containers/{id}/start`. `isNotModified` if it is running already.
    func start(_ container: String) async throws(EngineError)
    /// Stops a container, and kills it after `timeout` seconds (if nil, the container's own): `POST
    /// /containers/{id}/stop`.
    ///
    /// `isNotModified` if it is not running.
    func stop(_ container: String, timeout: Int?) async throws(EngineError)
    /// Sends a signal, such as `SIGHUP`: `POST /containers/{id}/kill`. Success means delivered, not acted upon.
    func kill(_ container: String, signal: String) async throws(EngineError)
    /// Stops and starts a container: `POST /containers/{id}/restart`.
    func restart(_ container: String, timeout: Int?) async throws(EngineError)
    /// Pauses a container: `POST /containers/{id}/pause`.
    func pause(_ container: String) async throws(EngineError)
    /// Resumes a paused container: `POST /containers/{id}/unpause`.
    func unpause(_ container: String) async throws(EngineError)
    /// Renames a container: `POST /containers/{id}/rename`.
    func rename(_ container: String, to name: String) async throws(EngineError)
    /// Changes limits in place and returns the engine's warnings: `POST /containers/{id}/update`.
    func update(_ container: String, _ update: ContainerUpdate) async throws(EngineError) -> [String]
    /// Removes a container, with its anonymous volumes if `volumes`: `DELETE /containers/{id}`.
    ///
    /// A running one is a conflict unless `force`.
    func remove(_ container: String, force: Bool, volumes: Bool) async throws(EngineError)
    /// Waits until a container is not running and returns its exit code: `POST /containers/{id}/wait`.
    func wait(_ container: String) async throws(EngineError) -> Int

    /// Unpacks a tar archive into a folder of a container, running or not: `PUT /containers/{id}/archive`.
    ///
    /// The folder must exist. Not atomic: a reader can see a file missing or partial.
    func putArchive(
        container: String,
        path: String,
        _ archive: EngineBody,
        options: PutArchiveOptions
    ) async throws(EngineError)
    /// Runs a command in a running container to its end: `POST /containers/{id}/exec`, `POST /exec/{id}/start`, then
    /// `GET /exec/{id}/json` until the exit code is known.
    ///
    /// Keeps up to `limit` bytes of each output and reads the rest too, so that the command never blocks on its output.
    /// Cancellation ends the wait, not the command.
    func exec(container: String, _ exec: ExecCreate, limit: Int) async throws(EngineError) -> ExecResult

    /// Builds an image from a tar archive: `POST /build`. If the build fails, the last message has an `error`.
    func build(
        context: EngineBody,
        options: BuildOptions
    ) async throws(EngineError) -> EngineStream<ProgressLine>
    /// Pulls an image from its registry: `POST /images/create`. If the pull fails, a message has an `error`.
    func pull(_ reference: String) async throws(EngineError) -> EngineStream<ProgressLine>
    /// Gives an image another name: `POST /images/{name}/tag`.
    func tag(_ image: String, as reference: String) async throws(EngineError)
    /// Removes an image, or one of its names: `DELETE /images/{name}`.
    func removeImage(_ reference: String, force: Bool) async throws(EngineError)
}

extension EngineWriting {
    /// Stops a container, with its own timeout.
    package func stop(_ container: String) async throws(EngineError) {
        try await stop(container, timeout: nil)
    }

    /// Unpacks a tar archive into a folder of a container, with the archive's owners.
    package func putArchive(container: String, path: String, _ archive: EngineBody) async throws(EngineError) {
        try await putArchive(container: container, path: path, archive, options: PutArchiveOptions())
    }

    /// Runs a command in a container, keeping up to 1 MiB of each output.
    package func exec(container: String, _ exec: ExecCreate) async throws(EngineError) -> ExecResult {
        try await self.exec(container: container, exec, limit: 1 << 20)
    }

    /// Builds an image to its end and returns its id; throws `.stepFailed` or `.failed` with the engine's words if the
    /// build fails.
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

    /// Pulls an image to its end; throws `.failed` with the engine's words if the pull fails.
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
