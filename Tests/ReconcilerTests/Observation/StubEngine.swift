import ReconcilerEngine

/// An engine that shows a few containers, and answers looks at their files as it is told.
struct StubEngine: EngineReading {
    var shown: [ContainerDetails] = []
    /// The answer to a look at a path, in every container; a path that isn't here isn't there.
    var looks: [String: Result<PathStat, EngineError>] = [:]

    var inventory: [ContainerSummary] {
        shown.map { ContainerSummary(id: $0.id, names: ["/\($0.name)"], labels: $0.config.labels ?? [:]) }
    }

    private var notFound: EngineError {
        .http(.init(status: 404, method: "GET", path: "/", message: "no such object"))
    }

    func container(_ reference: String) async throws(EngineError) -> ContainerDetails {
        guard let found = shown.first(where: { $0.id == reference || $0.name == reference }) else { throw notFound }
        return found
    }

    func stat(container: String, path: String) async throws(EngineError) -> PathStat? {
        try looks[path]?.get()
    }

    func ping() async throws(EngineError) -> EnginePing { throw notFound }
    func version() async throws(EngineError) -> EngineVersion { throw notFound }
    func info() async throws(EngineError) -> EngineInfo { throw notFound }
    func containers(labels: [String], all: Bool) async throws(EngineError) -> [ContainerSummary] { inventory }
    func archive(container: String, path: String) async throws(EngineError) -> EngineStream<[UInt8]> { throw notFound }
    func logs(container: String, options: LogOptions) async throws(EngineError) -> EngineStream<OutputFrame> {
        throw notFound
    }
    func exec(_ id: String) async throws(EngineError) -> ExecDetails { throw notFound }
    func networks(labels: [String]) async throws(EngineError) -> [NetworkSummary] { [] }
    func network(_ reference: String) async throws(EngineError) -> NetworkSummary { throw notFound }
    func volumes(labels: [String]) async throws(EngineError) -> [VolumeSummary] { [] }
    func volume(_ name: String) async throws(EngineError) -> VolumeSummary { throw notFound }
    func images(labels: [String], reference: String?) async throws(EngineError) -> [ImageSummary] { [] }
    func image(_ reference: String) async throws(EngineError) -> ImageDetails { throw notFound }
    func events(_ query: EventQuery) async throws(EngineError) -> EngineStream<EngineEvent> { throw notFound }
}
