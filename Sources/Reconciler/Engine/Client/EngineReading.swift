/// Everything that a client can ask of an engine without changing anything.
///
/// Every method is one request unless documented otherwise. For a missing object it throws an error whose `isNotFound`
/// is true.
package protocol EngineReading: Sendable {
    /// Checks that the engine answers, and which API version it speaks: `GET /_ping`.
    func ping() async throws(EngineError) -> EnginePing
    /// The engine's version and platform: `GET /version`. Slow.
    func version() async throws(EngineError) -> EngineVersion
    /// The engine's resources and features: `GET /info`. Slow.
    func info() async throws(EngineError) -> EngineInfo

    /// The containers that have all of `labels` (`key` or `key=value`): `GET /containers/json`.
    ///
    /// `all` includes those that are not running.
    func containers(labels: [String], all: Bool) async throws(EngineError) -> [ContainerSummary]
    /// One container, by id or name: `GET /containers/{id}/json`.
    func container(_ reference: String) async throws(EngineError) -> ContainerDetails
    /// The state of a file in a container, running or not: `HEAD /containers/{id}/archive`.
    ///
    /// nil if the container has no such file; throws for a missing container. Doesn't follow a link.
    func stat(container: String, path: String) async throws(EngineError) -> PathStat?
    /// A file or folder in a container, as a tar archive: `GET /containers/{id}/archive`.
    func archive(container: String, path: String) async throws(EngineError) -> EngineStream<[UInt8]>
    /// The output of a container's process: `GET /containers/{id}/logs`.
    func logs(container: String, options: LogOptions) async throws(EngineError) -> EngineStream<OutputFrame>
    /// A command that was run in a container: `GET /exec/{id}/json`.
    func exec(_ id: String) async throws(EngineError) -> ExecDetails

    /// The networks that have all of `labels`: `GET /networks`.
    func networks(labels: [String]) async throws(EngineError) -> [NetworkSummary]
    /// One network, by id or name, with the running containers on it: `GET /networks/{id}`.
    func network(_ reference: String) async throws(EngineError) -> NetworkSummary

    /// The volumes that have all of `labels`: `GET /volumes`.
    func volumes(labels: [String]) async throws(EngineError) -> [VolumeSummary]
    /// One volume: `GET /volumes/{name}`.
    func volume(_ name: String) async throws(EngineError) -> VolumeSummary

    /// The images that have all of `labels` and match the name pattern `reference`, if given: `GET /images/json`.
    func images(labels: [String], reference: String?) async throws(EngineError) -> [ImageSummary]
    /// One image, by name or id: `GET /images/{name}/json`.
    func image(_ reference: String) async throws(EngineError) -> ImageDetails

    /// The engine's events as they happen: `GET /events`.
    func events(_ query: EventQuery) async throws(EngineError) -> EngineStream<EngineEvent>
}

extension EngineReading {
    /// All networks: `GET /networks`.
    package func networks() async throws(EngineError) -> [NetworkSummary] {
        try await networks(labels: [])
    }
}
