package import ReconcilerEngine
import ReconcilerTime

/// Docker's engine without Docker: everything of `EngineState` behind the calls of `EngineWriting`.
///
/// Each call takes a millisecond of its clock, in which the programs in its containers live on. Nothing in it depends
/// on real time, except that a caller that waits for something asks again every few milliseconds.
package actor MemoryEngine {
    var state: EngineState
    /// Looked at after each call; what it tells is kept in `violations`.
    private var watch: (@Sendable (EngineState) -> [String])?
    /// What the watch told, in the order in which it was seen, each once.
    package private(set) var violations: [String] = []
    private var isDown = false

    package init(_ state: EngineState = EngineState()) { self.state = state }

    /// The world as it is now; a copy.
    package var world: EngineState { state }

    /// Changes the world behind everybody's back, with no event but those that `change` tells.
    package func change<Value: Sendable>(_ change: @Sendable (inout EngineState) throws -> Value) rethrows -> Value {
        try change(&state)
    }

    /// Has every state from now on looked at, after each call.
    package func watch(_ watch: @escaping @Sendable (EngineState) -> [String]) { self.watch = watch }

    /// Ends every program, as the end of the engine does, and refuses every call until `comeUp`.
    package func goDown() {
        isDown = true
        for id in state.containers.keys.sorted() { state.ended(id, .exited(137)) }
    }

    package func comeUp() { isDown = false }

    /// Lets milliseconds pass without a call.
    package func pass(_ milliseconds: Int) { for _ in 0..<milliseconds { state.pass() } }

    func call<Value>(_ body: (inout EngineState) throws(EngineError) -> Value) throws(EngineError) -> Value {
        guard !isDown else { throw .transport("connect: no such file or directory") }
        guard !Task.isCancelled else { throw .cancelled }
        state.pass()
        defer { look() }
        return try body(&state)
    }

    private func look() {
        for violation in watch?(state) ?? [] where !violations.contains(violation) { violations.append(violation) }
    }

    /// Waits a moment of real time, so that another task can go first.
    static func rest() async throws(EngineError) {
        do { try await Task.sleep(for: .milliseconds(2)) } catch { throw .cancelled }
    }
}

extension MemoryEngine: EngineReading {
    package func ping() throws(EngineError) -> EnginePing {
        try call { _ throws(EngineError) in EnginePing(apiVersion: "1.41", server: "Docker/20.10.24 (linux)") }
    }

    package func version() throws(EngineError) -> EngineVersion {
        try call { _ throws(EngineError) in
            EngineVersion(version: "20.10.24", apiVersion: "1.41", minimumAPIVersion: "1.12", os: "linux")
        }
    }

    package func info() throws(EngineError) -> EngineInfo {
        throw .invalidArgument("the in-memory engine has no info")
    }

    package func containers(labels: [String], all: Bool) throws(EngineError) -> [ContainerSummary] {
        try call { state throws(EngineError) in state.list(labels: labels, all: all) }
    }

    package func container(_ reference: String) throws(EngineError) -> ContainerDetails {
        try call { state throws(EngineError) in state.details(try state.find(reference)) }
    }

    package func stat(container: String, path: String) throws(EngineError) -> PathStat? {
        try call { state throws(EngineError) in try state.stat(container, path) }
    }

    package func archive(container: String, path: String) throws(EngineError) -> EngineStream<[UInt8]> {
        let bytes = try call { state throws(EngineError) in try state.archive(container, path) }
        return EngineStream([bytes])
    }

    package func logs(container: String, options: LogOptions) throws(EngineError) -> EngineStream<OutputFrame> {
        let id = try call { state throws(EngineError) in try state.find(container).id }
        let past = state.containers[id]?.logs.count ?? 0
        let first = options.tail.map { max(0, past - $0) } ?? 0
        return EngineStream { [self] in
            var next = first
            return { () async throws(EngineError) -> OutputFrame? in
                while true {
                    let (line, isRunning) = try await self.line(next, of: id)
                    if let line {
                        next += 1
                        if let since = options.since, line.time < since { continue }
                        if let until = options.until, until < line.time { continue }
                        return options.timestamps ? line.stamped : line.frame
                    }
                    guard options.follow, isRunning else { return nil }
                    try await Self.rest()
                }
            }
        }
    }

    private func line(_ index: Int, of id: String) throws(EngineError) -> (MemoryContainer.LogLine?, isRunning: Bool) {
        try call { state throws(EngineError) in
            let container = state.containers[id]
            let logs = container?.logs ?? []
            return (index < logs.count ? logs[index] : nil, container?.isRunning ?? false)
        }
    }

    package func exec(_ id: String) throws(EngineError) -> ExecDetails {
        try call { state throws(EngineError) in
            guard let found = state.execs[id] else { throw EngineState.refusal(404, "No such exec instance: \(id)") }
            return found
        }
    }

    package func networks(labels: [String]) throws(EngineError) -> [NetworkSummary] {
        try call { state throws(EngineError) in
            // The list names no containers.
            state.networks.values.filter { state.matches($0.summary.labels, labels) }.map(\.summary).sorted {
                $0.id < $1.id
            }
        }
    }

    package func network(_ reference: String) throws(EngineError) -> NetworkSummary {
        try call { state throws(EngineError) in state.view(try state.findNetwork(reference)) }
    }

    package func volumes(labels: [String]) throws(EngineError) -> [VolumeSummary] {
        try call { state throws(EngineError) in
            state.volumes.values.map(\.summary).filter { state.matches($0.labels, labels) }.sorted { $0.name < $1.name }
        }
    }

    package func volume(_ name: String) throws(EngineError) -> VolumeSummary {
        try call { state throws(EngineError) in try state.findVolume(name).summary }
    }

    package func images(labels: [String], reference: String?) throws(EngineError) -> [ImageSummary] {
        try call { state throws(EngineError) in
            let name = reference.map(EngineState.tagged)
            return state.images.values.filter { image in
                state.matches(image.config.labels ?? [:], labels) && (name.map { image.tags.contains($0) } ?? true)
            }.map { image in
                ImageSummary(
                    id: image.id,
                    tags: image.tags.sorted(),
                    labels: image.config.labels ?? [:],
                    created: image.createdAt.seconds
                )
            }.sorted { $0.id < $1.id }
        }
    }

    package func image(_ reference: String) throws(EngineError) -> ImageDetails {
        try call { state throws(EngineError) in
            guard let image = state.findImage(reference) else {
                throw EngineState.refusal(
                    404,
                    "no such image: \(reference): No such image: \(EngineState.tagged(reference))"
                )
            }
            return ImageDetails(
                id: image.id,
                tags: image.tags.sorted(),
                config: image.config,
                createdAt: image.createdAt,
                os: "linux",
                architecture: "amd64"
            )
        }
    }

    package func events(_ query: EventQuery) throws(EngineError) -> EngineStream<EngineEvent> {
        let first = try call { state throws(EngineError) in query.since == nil ? state.events.count : 0 }
        return EngineStream { [self] in
            var next = first
            var ready: ArraySlice<EngineEvent> = []
            return { () async throws(EngineError) -> EngineEvent? in
                while true {
                    if let event = ready.popFirst() { return event }
                    let (found, position, now) = try await self.news(from: next, query)
                    next = position
                    ready = found[...]
                    guard ready.isEmpty else { continue }
                    if let until = query.until, until <= now { return nil }
                    try await Self.rest()
                }
            }
        }
    }

    /// What there is to tell since `start`; a reader that waits for a moment to come lets the time pass.
    private func news(
        from start: Int,
        _ query: EventQuery
    ) throws(EngineError) -> ([EngineEvent], Int, Timestamp) {
        try call { state throws(EngineError) in
            if query.until != nil { state.advance(milliseconds: 100) }
            let (found, next) = state.events(from: start, query)
            return (found, next, state.clock)
        }
    }
}
