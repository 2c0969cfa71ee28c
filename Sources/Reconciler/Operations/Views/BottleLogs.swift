import Reconciler
import ReconcilerEngine
package import ReconcilerModel
import ReconcilerState

/// One line that a container wrote.
package struct LogRecord: Sendable {
    package let role: Role
    /// As the engine wrote it; texts of one length, so that their order is that of the times.
    package let time: String
    package let bytes: [UInt8]
    package let isError: Bool
}

/// What a bottle's containers wrote.
package struct BottleLogs: Sendable {
    fileprivate let containers: [(role: Role, id: String)]
    fileprivate let engine: any EngineReading

    package var roles: [Role] { containers.map(\.role) }

    /// Reads the lines in the order of their times, or with `follow` each as it comes, until cancelled.
    ///
    /// - Parameters:
    ///   - span: only what was written within this time; nil: all.
    ///   - tail: only so many of the last lines of each container; nil: all.
    package func read(
        follow: Bool,
        within span: Duration?,
        tail: Int?,
        show: @escaping @Sendable (LogRecord) -> Void
    ) async throws {
        let since = span.map { Operations.ago($0) }
        var sources: [(role: Role, id: String, options: LogOptions)] = []
        for (role, id) in containers {
            let hasTerminal = try await engine.container(id).config.tty ?? false
            let options = LogOptions(follow: follow, since: since, tail: tail, timestamps: true, tty: hasTerminal)
            sources.append((role, id, options))
        }
        guard follow else { return try await merge(sources, show) }
        let engine = engine
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (role, id, options) in sources {
                group.addTask {
                    var lines = LogLines(try await engine.logs(container: id, options: options), of: role)
                    while let line = try await lines.next() { show(line) }
                }
            }
            try await group.waitForAll()
        }
    }

    /// All lines in the order of their times; of each container one line is held at a time.
    private func merge(
        _ sources: [(role: Role, id: String, options: LogOptions)],
        _ show: @Sendable (LogRecord) -> Void
    ) async throws {
        var open: [(line: LogRecord, rest: LogLines)] = []
        for (role, id, options) in sources {
            var lines = LogLines(try await engine.logs(container: id, options: options), of: role)
            if let line = try await lines.next() { open.append((line, lines)) }
        }
        while let first = open.indices.min(by: { open[$0].line.time < open[$1].line.time }) {
            show(open[first].line)
            if let next = try await open[first].rest.next() {
                open[first].line = next
            } else {
                open.remove(at: first)
            }
        }
    }
}

extension Operations {
    /// The logs of a bottle's containers.
    ///
    /// - Parameter roles: empty: all.
    /// - Throws: `BottleError` `not-found`, `no-logs`.
    package func logs(of identity: Identity, roles: [Role]) async throws -> BottleLogs {
        guard let state = try state() else { throw BottleError.missing(identity) }
        let engine = try await reading()
        let inventory = try await Inventory.take(from: engine)
        let containers = inventory.containers(of: identity, installation: state.installation).compactMap { container in
            container.labels[Labels.role].flatMap(Role.init(rawValue:)).map { (role: $0, id: container.id) }
        }.filter { roles.isEmpty || roles.contains($0.role) }.sorted { $0.role < $1.role }
        guard !containers.isEmpty else {
            throw BottleError(
                .noLogs,
                "no such container of this bottle exists",
                at: identity.name,
                remedy: "see `bottle describe \(identity)`"
            )
        }
        return BottleLogs(containers: containers, engine: engine)
    }
}
