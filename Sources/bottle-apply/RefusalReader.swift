import Reconciler
import ReconcilerEngine
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState
import ReconcilerTime

/// Finds what is known of bottles' refusals; only reads.
struct RefusalReader {
    /// Nil when it can't be reached: then only what was kept is known.
    private(set) var engine: (any EngineReading)?
    /// Why the engine can't be reached.
    private(set) var unreachable: BottleError?
    let installation: InstallationID?
    private(set) var found: [Identity: BottleRefusals] = [:]

    private let context: CommandContext
    private let state: StateFolder?
    private let client: EngineClient?
    private let since: Timestamp?

    init(_ context: CommandContext, since: Timestamp?) async throws {
        self.context = context
        self.since = since
        state = try StateFolder.open(context.paths.state)
        installation = state?.installation
        do {
            let client = try await context.engine()
            self.client = client
            engine = client
        } catch let error as BottleError {
            client = nil
            unreachable = error
        }
    }

    /// Whether the sidecars' logs were read, too.
    var isComplete: Bool { engine != nil }

    func close() { client?.close() }

    /// Reads the named bottles, or all of them.
    ///
    /// - Throws: `BottleError` `not-found` for a name that nothing has.
    mutating func read(_ names: [Identity]?) async throws {
        guard let state else {
            if let first = names?.first { throw BottleError.missing(first) }
            return
        }
        var containers: [Identity: [ContainerSummary]] = [:]
        if let engine {
            let label = "\(Labels.installation)=\(state.installation)"
            for container in try await engine.containers(labels: [label], all: true) {
                guard let bottle = container.labels[Labels.identity].flatMap({ try? Identity($0) }) else { continue }
                containers[bottle, default: []].append(container)
            }
        }
        let known = Set(containers.keys).union(RefusalStore.bottles(in: state))
        if let names {
            let desired = try await context.snapshot()?.bottles ?? [:]
            for name in names where !known.contains(name) && desired[name] == nil {
                throw BottleError.missing(name)
            }
        }
        for bottle in names ?? known.sorted() {
            found[bottle] = try await BottleRefusals.read(
                bottle,
                in: state,
                containers: containers[bottle] ?? [],
                engine: engine,
                since: since
            )
        }
        if let unreachable {
            context.console.err("only what was kept is shown: \(unreachable.message)")
        }
    }

    /// The groups of a bottle that was read, by their ids.
    ///
    /// - Throws: `BottleError` `no-such-group`.
    func groups(named ids: [String], of identity: Identity) throws -> [RefusalGroup] {
        let found = found[identity]?.groups ?? RefusalGroups()
        return try ids.map { id in
            guard let group = found[id] else {
                throw BottleError(
                    .noSuchGroup,
                    "no refusals of this bottle have the id '\(VisibleText.line(id, limit: 40))'",
                    at: identity.name,
                    remedy: "`bottle denied \(identity) --all` lists them"
                )
            }
            return group
        }
    }
}
