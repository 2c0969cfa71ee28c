import Reconciler
import ReconcilerEngine
package import ReconcilerModel
import ReconcilerProposals
import ReconcilerState
import ReconcilerTime

/// What is known of bottles' refusals: what was kept, and what the sidecars' logs hold beyond that.
package struct RefusalReport: Sendable {
    /// Why the logs could not be read; nil: they were, or there is nothing to read.
    package let unreachable: BottleError?
    fileprivate let engine: Result<any EngineReading, BottleError>
    /// Nil: nothing was ever applied.
    fileprivate let installation: InstallationID?
    fileprivate let found: [Identity: BottleRefusals]
    fileprivate let noise: RefusalNoise
    fileprivate let since: Timestamp?

    /// Whether the sidecars' logs were read, too.
    private var isComplete: Bool { (try? engine.get()) != nil }

    /// All that was found.
    ///
    /// - Parameter showsNoise: whether known telemetry and ignored hosts are listed, too.
    package func list(showsNoise: Bool) -> RefusalList {
        let groups = found.sorted { $0.key < $1.key }.flatMap { bottle, refusals in
            refusals.groups.all.map { (bottle: bottle, group: $0) }
        }
        return RefusalList(
            items: groups.filter { showsNoise || !noise.contains($0.group) }.map { item($0.group, of: $0.bottle) },
            hidden: groups.map(\.group).filter { !showsNoise && noise.contains($0) },
            lost: found.values.reduce(0) { $0 + $1.lost },
            unreadable: found.values.reduce(0) { $0 + $1.unreadable },
            isComplete: isComplete
        )
    }

    fileprivate func item(_ group: RefusalGroup, of bottle: Identity) -> RefusalItem {
        RefusalItem(bottle, group, isNoise: noise.contains(group))
    }

    /// The changes of a manifest that let groups through.
    ///
    /// - Throws: `BottleError` `no-such-group`, `not-grantable` when no grant lets one of them through.
    func changes(
        for ids: [String],
        of identity: Identity,
        in manifest: BottleManifest,
        isNarrow: Bool
    ) throws -> [RemediationChange] {
        let suggestion = RefusalSuggestion(for: try groups(named: ids, of: identity), in: manifest)
        for case .impossible(let reason) in suggestion.verdicts.map(\.outcome) {
            throw BottleError(
                .notGrantable,
                "no grant lets this through: \(reason)",
                at: identity.name,
                remedy: "`bottle denied \(identity) --suggest` says so of each"
            )
        }
        return suggestion.changes(isNarrow: isNarrow)
    }

    /// - Parameter ids: empty: all groups, or all that are no noise.
    fileprivate func groups(
        named ids: [String],
        of identity: Identity,
        showsNoise: Bool = false
    ) throws -> [RefusalGroup] {
        let groups = found[identity]?.groups ?? RefusalGroups()
        guard !ids.isEmpty else { return groups.all.filter { showsNoise || !noise.contains($0) } }
        return try ids.map { id in
            guard let group = groups[id] else {
                throw BottleError(
                    .noSuchGroup,
                    "no refusals of this bottle have the id '\(VisibleText.ascii(id, limit: 40))'",
                    at: identity.name,
                    remedy: "`bottle denied \(identity) --all` lists them"
                )
            }
            return group
        }
    }
}

extension Operations {
    /// Reads the refusals of the named bottles, or of all.
    ///
    /// - Parameter since: only what happened within this time counts.
    /// - Throws: `BottleError` `not-found` for a name that nothing has.
    package func refusals(_ names: [Identity]?, since: Duration? = nil) async throws -> RefusalReport {
        let noise = RefusalNoise(try settings().noise)
        let start = since.map { Self.ago($0) }
        let engine: Result<any EngineReading, BottleError>
        let state = try state()
        do {
            engine = .success(try await reading())
        } catch let error as BottleError {
            engine = .failure(error)
        }
        var found: [Identity: BottleRefusals] = [:]
        if let state {
            found = try await refusals(names, in: state, engine: try? engine.get(), since: start)
        } else if let first = names?.first {
            throw BottleError.missing(first)
        }
        var unreachable: BottleError?
        if case .failure(let error) = engine, state != nil { unreachable = error }
        return RefusalReport(
            unreachable: unreachable,
            engine: engine,
            installation: state?.installation,
            found: found,
            noise: noise,
            since: start
        )
    }

    private func refusals(
        _ names: [Identity]?,
        in state: StateFolder,
        engine: (any EngineReading)?,
        since: Timestamp?
    ) async throws -> [Identity: BottleRefusals] {
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
            let desired = try await snapshot()?.bottles ?? [:]
            for name in names where !known.contains(name) && desired[name] == nil { throw BottleError.missing(name) }
        }
        var found: [Identity: BottleRefusals] = [:]
        for bottle in names ?? known.sorted() {
            found[bottle] = try await BottleRefusals.read(
                bottle,
                in: state,
                containers: containers[bottle] ?? [],
                engine: engine,
                since: since
            )
        }
        return found
    }

    /// The refusals that may have led to a proposal: those of the hosts it is about.
    ///
    /// - Returns: also why the sidecars' logs could not be read; nil: they were.
    package func refusals(
        behind review: ProposalReview
    ) async throws -> (items: [RefusalItem], unreachable: BottleError?) {
        guard case .changes(let changes) = review.verdict else { return (items: [], unreachable: nil) }
        let hosts = Set(changes.compactMap { $0.host?.text })
        let report = try await refusals([review.proposal.bottle])
        return (report.list(showsNoise: true).items.filter { hosts.contains($0.host) }, report.unreachable)
    }

    /// The smallest change of a bottle's manifest that would let refusals through.
    ///
    /// - Parameters:
    ///   - ids: of groups; empty: all that the report lists.
    ///   - showsNoise: whether known telemetry is listed, too.
    /// - Throws: `BottleError` `no-such-group`, `not-found`.
    package func suggestion(
        for ids: [String],
        of identity: Identity,
        in report: RefusalReport,
        showsNoise: Bool
    ) async throws -> SuggestionDocument {
        let groups = try report.groups(named: ids, of: identity, showsNoise: showsNoise)
        let desired = try await desired(of: identity)
        return SuggestionDocument(identity, RefusalSuggestion(for: groups, in: desired.remedied.manifest))
    }

    /// Shows the groups of a report, then each group again when it grew; until cancelled.
    ///
    /// - Parameters:
    ///   - names: the bottles; nil: all.
    ///   - show: gets groups of a bottle, and how many more of it there were.
    ///   - trouble: gets what keeps the logs from being read for the moment.
    /// - Throws: `BottleError` `no-bottles`, `engine-unreachable`.
    package func watch(
        _ report: RefusalReport,
        of names: Set<Identity>?,
        showsNoise: Bool,
        show: @escaping @Sendable (_ items: [RefusalItem], _ bottle: Identity, _ hidden: Int) throws -> Void,
        trouble: @escaping @Sendable (BottleError) -> Void
    ) async throws {
        let engine = try report.engine.get()
        guard let installation = report.installation else {
            throw BottleError(.noBottles, "there is nothing to watch", remedy: "`bottle apply` makes a bottle")
        }
        let screen = RefusalScreen(report) { groups, bottle, hidden in
            let shown = groups.filter { showsNoise || !report.noise.contains($0) }
            try show(shown.map { report.item($0, of: bottle) }, bottle, hidden)
        }
        try await screen.begin()
        var pace = FollowerPace()
        pace.batch = .milliseconds(300)
        pace.flooded = .seconds(2)
        try await RefusalFollower(
            engine: engine,
            installation: installation,
            sink: screen,
            pace: pace,
            concerns: { names?.contains($0) ?? true },
            trouble: trouble
        ).run()
    }
}

/// Shows the groups that a batch added to.
private actor RefusalScreen: RefusalSink {
    /// The most groups that are shown for one batch.
    private static let limit = 40

    private var found: [Identity: BottleRefusals]
    private let since: Timestamp?
    private let show: @Sendable (_ groups: [RefusalGroup], _ bottle: Identity, _ hidden: Int) throws -> Void

    init(
        _ report: RefusalReport,
        show: @escaping @Sendable (_ groups: [RefusalGroup], _ bottle: Identity, _ hidden: Int) throws -> Void
    ) {
        found = report.found
        since = report.since
        self.show = show
    }

    /// Shows what there is.
    func begin() throws {
        for (bottle, refusals) in found.sorted(by: { $0.key < $1.key }) {
            try show(refusals.groups.all.suffix(Self.limit), bottle, 0)
        }
    }

    func positions(of bottle: Identity) -> [String: LogPosition] { found[bottle]?.positions ?? [:] }

    func take(_ batch: RefusalBatch) throws {
        var refusals = found[batch.bottle] ?? BottleRefusals(since: since)
        let changed = refusals.add(batch)
        found[batch.bottle] = refusals
        let groups = refusals.groups.all.filter { changed.contains($0.id) }
        try show(groups.suffix(Self.limit), batch.bottle, max(0, groups.count - Self.limit))
    }
}
