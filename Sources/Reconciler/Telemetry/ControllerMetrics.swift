package import ReconcilerEngine
package import ReconcilerModel
import ReconcilerTime

/// What a controller has done and found since it began, in numbers.
///
/// Pure: moments are durations since any one moment. No label holds a text of a bottle's, an agent's or the engine's:
/// each comes from a set that is known beforehand.
package struct ControllerMetrics: Sendable {
    private let version: String
    /// Seconds since 1970.
    private let startTime: Double

    private var passes = Tally("outcome", rows: PassEnd.allCases.map { [$0.rawValue] })
    private var durations = Histogram(
        bounds: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900]
    )
    private var actions = Tally(
        "verb",
        "outcome",
        rows: Verb.allCases.flatMap { verb in Outcome.allCases.map { [verb.rawValue, $0.rawValue] } }
    )
    private var drift = Tally("kind", rows: Reason.allCases.map { [$0.rawValue] })
    private var calls = Tally("endpoint", "code")
    private var refusals = Tally("sidecar", "rule", rows: RefusalRule.known.map { [$0.sidecar.rawValue, $0.rule] })
    /// When the pass of each bottle began that is under way.
    private var begun: [Identity: Duration] = [:]
    /// What is not as declared yet.
    private var open: [Identity: Opening] = [:]
    /// What holds of each bottle since its last pass.
    private var conditions: [Identity: Set<Condition.Kind>] = [:]

    /// Since when a bottle has been known not to be as declared.
    private struct Opening {
        var since: Duration
        /// When the last commit came that changed it.
        var lastChange: Duration
    }

    /// How a pass ended, as it is counted.
    private enum PassEnd: String, CaseIterable {
        case converged, retry, stalled
        /// It could not even say how it went.
        case failed
        /// It removed what was left of a bottle that a commit deleted.
        case removed

        init(_ outcome: PassOutcome) {
            switch outcome {
            case .converged: self = .converged
            case .retry: self = .retry
            case .stalled: self = .stalled
            }
        }
    }

    package init(version: String, startTime: Double) {
        self.version = version
        self.startTime = startTime
    }

    // MARK: - Recording

    package mutating func take(_ report: ControllerReport, at moment: Duration) {
        switch report {
        case .watching(_, let changed, _):
            for bottle in changed {
                open[bottle] = Opening(since: open[bottle]?.since ?? moment, lastChange: moment)
            }
        case .began(let bottle, _):
            begun[bottle] = moment
        case .progress(_, _, .ended(let performed)):
            actions.add(performed.action.verb.rawValue, performed.outcome.rawValue)
        case .ended(let result):
            for found in result.drift { drift.add(found.kind.rawValue) }
            takeConditions(from: result)
            end(result.identity, PassEnd(result.outcome), at: moment)
        case .failed(let bottle, _, _):
            end(bottle, .failed, at: moment)
        case .removed(let bottle, _, let isComplete):
            end(bottle, isComplete ? .removed : .retry, at: moment)
            if isComplete { conditions[bottle] = nil }
        case .progress, .proposed, .healedTooOften, .trouble, .recovered, .stopping: break
        }
    }

    private mutating func takeConditions(from result: PassResult) {
        var status = BottleStatus()
        status.end(result, at: Timestamp(seconds: 0))
        // A pass that failed early says nothing of some.
        var held = conditions[result.identity] ?? []
        for condition in status.conditions {
            if condition.status == .true { held.insert(condition.type) } else { held.remove(condition.type) }
        }
        conditions[result.identity] = held
    }

    package mutating func take(_ call: EngineClient.Call) {
        let code = call.status.map { (100...599).contains($0) ? "\($0)" : "other" } ?? "none"
        calls.add(call.endpoint, code)
    }

    package mutating func take(_ batch: RefusalBatch) {
        for refusal in batch.refusals {
            let rule = RefusalRule(sidecar: refusal.sidecar, rule: refusal.rule).ifKnown
            refusals.add(rule.sidecar.rawValue, rule.rule, count: refusal.count)
        }
    }

    private mutating func end(_ bottle: Identity, _ end: PassEnd, at moment: Duration) {
        let start = begun.removeValue(forKey: bottle) ?? moment
        passes.add(end.rawValue)
        durations.observe((moment - start) / .seconds(1))
        switch end {
        case .converged, .removed:
            // What was committed while it ran may not be in it.
            guard let last = open[bottle]?.lastChange, last > start else {
                open[bottle] = nil
                return
            }
            open[bottle]?.since = last
        case .retry, .stalled, .failed:
            if open[bottle] == nil { open[bottle] = Opening(since: start, lastChange: start) }
        }
    }

    // MARK: - Exposition

    /// Everything, as of a moment.
    package func families(at moment: Duration, _ vitals: ControllerVitals) -> [MetricFamily] {
        let oldest = open.values.map(\.since).min().map { (moment - $0) / .seconds(1) }
        return [
            MetricFamily("bottle_passes_total", .counter, help: "Passes that ended.", samples: passes.samples),
            MetricFamily(
                "bottle_pass_duration_seconds",
                .histogram,
                help: "How long passes took, waiting for locks included.",
                samples: durations.samples
            ),
            MetricFamily(
                "bottle_actions_total",
                .counter,
                help: "Actions of plans, and what became of them.",
                samples: actions.samples
            ),
            MetricFamily(
                "bottle_drift_total",
                .counter,
                help: "Drift that passes found, each time they found it.",
                samples: drift.samples
            ),
            MetricFamily(
                "bottle_engine_calls_total",
                .counter,
                help: "Calls to the engine by the status of the answer; none: no answer came.",
                samples: calls.samples
            ),
            MetricFamily(
                "bottle_refusals_total",
                .counter,
                help: "Requests that sidecars refused, as they came on record.",
                samples: refusals.samples
            ),
            MetricFamily(
                "bottle_oldest_unconverged_change_age_seconds",
                .gauge,
                help: "For how long the bottle that waits longest has not been as declared; 0: every bottle is.",
                oldest ?? 0
            ),
            MetricFamily(
                "bottle_condition_bottles",
                .gauge,
                help: "Bottles of which the condition held at the end of their last pass in this process.",
                samples: conditionSamples
            ),
            MetricFamily(
                "bottle_build_info",
                .gauge,
                help: "The version of bottle that runs.",
                samples: [.init(1, labels: [.init("version", version)])]
            ),
            MetricFamily(
                "process_start_time_seconds",
                .gauge,
                help: "When the process began, in seconds since 1970.",
                startTime
            ),
        ] + Self.families(vitals)
    }

    private var conditionSamples: [MetricFamily.Sample] {
        Condition.Kind.allCases.map { kind in
            let count = conditions.values.count { $0.contains(kind) }
            return .init(Double(count), labels: [.init("condition", kind.rawValue)])
        }
    }

    private static func families(_ vitals: ControllerVitals) -> [MetricFamily] {
        [
            MetricFamily("bottle_bottles", .gauge, help: "Bottles looked after.", Double(vitals.bottles)),
            MetricFamily("bottle_queue_depth", .gauge, help: "Bottles that wait for a pass.", Double(vitals.waiting)),
            MetricFamily("bottle_passes_under_way", .gauge, help: "Passes under way.", Double(vitals.underWay)),
            MetricFamily(
                "bottle_ready",
                .gauge,
                help: "1 while the desired state is read and the engine's events are followed, else 0.",
                vitals.obstacles.isEmpty ? 1 : 0
            ),
        ]
    }
}
