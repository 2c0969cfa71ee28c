import FoundationEssentials
import ModelTestSupport
import Reconciler
import ReconcilerEngine
import ReconcilerModel
import ReconcilerTime
import Testing

@Suite struct ControllerMetricsTests {
    private let dev = SampleManifest.identity
    private let other = SampleManifest.known(try Identity("other"))
    private var metrics = ControllerMetrics(version: "1.2.3", startTime: 1_700_000_000.5)

    private static let vitals = ControllerVitals(
        bottles: 2,
        waiting: 1,
        underWay: 1,
        isStopping: false,
        hasReadDesiredState: true,
        followsEvents: true,
        troubles: [],
        silence: [:]
    )

    /// The line that begins with `sample`, without it.
    private func value(_ sample: String, at seconds: Int = 0) -> String? {
        let text = PrometheusText.of(metrics.families(at: .seconds(seconds), Self.vitals))
        return text.split(separator: "\n").first { $0.hasPrefix("\(sample) ") }.map {
            String($0.dropFirst(sample.count + 1))
        }
    }

    private func result(of bottle: Identity, _ outcome: PassOutcome, drift: [Drift] = []) -> ControllerReport {
        var result = PassResult(identity: bottle, id: .random())
        result.outcome = outcome
        result.drift = drift
        return .ended(result)
    }

    private let oldest = "bottle_oldest_unconverged_change_age_seconds"

    @Test mutating func everyMetricIsThereBeforeAnythingHappened() {
        #expect(value("bottle_build_info{version=\"1.2.3\"}") == "1")
        #expect(value("process_start_time_seconds") == "1700000000.5")
        #expect(value("bottle_passes_total{outcome=\"converged\"}") == "0")
        #expect(value("bottle_actions_total{verb=\"create\",outcome=\"failed\"}") == "0")
        #expect(value("bottle_drift_total{kind=\"paused\"}") == "0")
        #expect(value("bottle_pass_duration_seconds_count") == "0")
        #expect(value("bottle_condition_bottles{condition=\"Ready\"}") == "0")
        #expect(value("bottle_bottles") == "2")
        #expect(value("bottle_queue_depth") == "1")
        #expect(value("bottle_passes_under_way") == "1")
        #expect(value("bottle_ready") == "1")
        #expect(value(oldest) == "0")
    }

    @Test mutating func aPassIsCountedWithItsTimeItsActionsAndItsDrift() {
        let pass = PassID.random()
        metrics.take(.began(dev, pass), at: .seconds(10))
        let start = Action(.start, .container(.firewall), .stopped)
        metrics.take(.progress(dev, pass, .began(start)), at: .seconds(10))
        for outcome in [Outcome.done, .skipped] {
            let performed = PerformedAction(action: start, outcome: outcome, milliseconds: 1)
            metrics.take(.progress(dev, pass, .ended(performed)), at: .seconds(11))
        }
        let drift = [
            Drift(kind: .stopped, object: .container(.firewall), cause: "text of an engine"),
            Drift(kind: .silent, object: .container(.agent), cause: ""),
        ]
        metrics.take(result(of: dev, .converged, drift: drift), at: .milliseconds(12_250))
        #expect(value("bottle_passes_total{outcome=\"converged\"}") == "1")
        #expect(value("bottle_pass_duration_seconds_bucket{le=\"1\"}") == "0")
        #expect(value("bottle_pass_duration_seconds_bucket{le=\"2.5\"}") == "1")
        #expect(value("bottle_pass_duration_seconds_sum") == "2.25")
        #expect(value("bottle_actions_total{verb=\"start\",outcome=\"done\"}") == "1")
        #expect(value("bottle_actions_total{verb=\"start\",outcome=\"skipped\"}") == "1")
        #expect(value("bottle_drift_total{kind=\"stopped\"}") == "1")
        #expect(value("bottle_drift_total{kind=\"silent\"}") == "1")
        #expect(value("bottle_condition_bottles{condition=\"Ready\"}") == "1")
    }

    @Test mutating func theOldestChangeGrowsOlderUntilAPassThatBeganAfterItConverged() throws {
        let first = try #require(SampleManifest.revision(1))
        let second = try #require(SampleManifest.revision(2))
        metrics.take(.watching([dev, other], changed: [dev, other], revision: first), at: .seconds(0))
        for bottle in [dev, other] { metrics.take(.began(bottle, .random()), at: .seconds(1)) }
        #expect(value(oldest, at: 5) == "5")
        metrics.take(result(of: other, .converged), at: .seconds(6))
        // A commit that came while a pass was under way may not be in it.
        metrics.take(.watching([dev, other], changed: [dev], revision: second), at: .seconds(7))
        metrics.take(result(of: dev, .converged), at: .seconds(8))
        #expect(value(oldest, at: 10) == "3")
        metrics.take(.began(dev, .random()), at: .seconds(10))
        metrics.take(result(of: dev, .converged), at: .seconds(11))
        #expect(value(oldest, at: 12) == "0")
    }

    @Test mutating func aBottleThatDoesNotConvergeWaitsSinceItsFirstPassThatFailed() {
        let error = BottleError(.nameTaken, "somebody else's")
        for (start, outcome) in [(10, PassOutcome.stalled(error)), (20, .retry(error)), (30, .retry(error))] {
            metrics.take(.began(dev, .random()), at: .seconds(start))
            metrics.take(result(of: dev, outcome), at: .seconds(start + 1))
        }
        metrics.take(.began(dev, .random()), at: .seconds(40))
        metrics.take(.failed(dev, .random(), error), at: .seconds(41))
        #expect(value(oldest, at: 50) == "40")
        #expect(value("bottle_condition_bottles{condition=\"Degraded\"}") == "1")
        metrics.take(.began(dev, .random()), at: .seconds(60))
        metrics.take(result(of: dev, .converged), at: .seconds(61))
        #expect(value(oldest, at: 70) == "0")
        #expect(value("bottle_condition_bottles{condition=\"Degraded\"}") == "0")
        for (outcome, count) in [("stalled", "1"), ("retry", "2"), ("failed", "1"), ("converged", "1")] {
            #expect(value("bottle_passes_total{outcome=\"\(outcome)\"}") == count)
        }
    }

    @Test mutating func aBottleThatIsGoneIsWaitedForAndCountedNoMore() throws {
        let first = try #require(SampleManifest.revision(1))
        metrics.take(.began(dev, .random()), at: .zero)
        metrics.take(result(of: dev, .converged), at: .zero)
        metrics.take(.watching([], changed: [dev], revision: first), at: .seconds(1))
        metrics.take(.began(dev, .random()), at: .seconds(2))
        metrics.take(.removed(dev, .random(), isComplete: false), at: .seconds(3))
        #expect(value(oldest, at: 4) == "3")
        metrics.take(.began(dev, .random()), at: .seconds(5))
        metrics.take(.removed(dev, .random(), isComplete: true), at: .seconds(6))
        #expect(value(oldest, at: 7) == "0")
        #expect(value("bottle_passes_total{outcome=\"removed\"}") == "1")
        #expect(value("bottle_condition_bottles{condition=\"Ready\"}") == "0")
    }

    @Test mutating func aCallIsCountedByWhereItWentAndWhatCameBack() {
        let calls: [(String, Int?)] = [
            ("/v1.41/containers/0123/json", 200), ("/v1.41/containers/4567/json", 200),
            ("/v1.41/containers/89ab/json", 404), ("/v1.41/containers/89ab/json", nil), ("/of/whoever", 9999),
        ]
        for (target, status) in calls {
            metrics.take(.init(method: "GET", target: target, status: status, duration: .zero))
        }
        let name = "bottle_engine_calls_total{endpoint=\"GET /containers/{id}/json\",code="
        #expect(value("\(name)\"200\"}") == "2")
        #expect(value("\(name)\"404\"}") == "1")
        #expect(value("\(name)\"none\"}") == "1")
        #expect(value("bottle_engine_calls_total{endpoint=\"other\",code=\"other\"}") == "1")
    }

    private func batch(_ refusals: RefusedRequest...) -> RefusalBatch {
        let position = LogPosition(time: Timestamp(seconds: 1), lines: 1)
        return RefusalBatch(bottle: dev, container: "c", refusals: refusals, position: position)
    }

    private func refusal(_ rule: String, of sidecar: Role = .egressProxy, count: Int = 1) -> RefusedRequest {
        RefusedRequest(
            sidecar: sidecar,
            host: "evil.bt.test",
            rule: rule,
            first: Timestamp(seconds: 1),
            count: count
        )
    }

    @Test mutating func refusalsAreCountedByRuleAndARuleThatNobodyHasIsOther() {
        let path = "bottle_refusals_total{sidecar=\"egress-proxy\",rule=\"path\"}"
        #expect(value(path) == "0")
        metrics.take(batch(refusal("path"), refusal("path", count: 41), refusal("sni", of: .firewall)))
        // The firewall's word from the egress-proxy is none of its rules.
        metrics.take(batch(refusal("sni"), refusal("evil.bt.test"), refusal("path", of: .firewall)))
        #expect(value(path) == "42")
        #expect(value("bottle_refusals_total{sidecar=\"firewall\",rule=\"sni\"}") == "1")
        #expect(value("bottle_refusals_total{sidecar=\"egress-proxy\",rule=\"other\"}") == "2")
        #expect(value("bottle_refusals_total{sidecar=\"firewall\",rule=\"other\"}") == "1")
        #expect(!PrometheusText.of(metrics.families(at: .zero, Self.vitals)).contains("evil.bt.test"))
        metrics.take(batch(refusal("path", count: .max), refusal("path", count: .max), refusal("path", count: .max)))
        #expect(value(path) != nil)
    }

    @Test func everyRuleThatASidecarTellsIsOnItsOperatorsPage() throws {
        let root = "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        for (sidecar, words) in Dictionary(grouping: RefusalRule.known, by: \.sidecar) {
            let path = "\(root)/Dockerfiles/\(sidecar.rawValue)/README.md"
            let page = String(decoding: try #require(FileManager.default.contents(atPath: path)), as: UTF8.self)
            for word in words where word.rule != "other" { #expect(page.contains("`\(word.rule)`"), "\(word.rule)") }
        }
    }

    @Test mutating func noLabelIsAWordOfABottleOrOfTheEngine() {
        let secret = "agent's words"
        metrics.take(batch(refusal(secret)))
        metrics.take(.began(dev, .random()), at: .zero)
        var report = PassResult(identity: dev, id: .random())
        report.drift = [Drift(kind: .missing, object: .volume(secret), cause: secret)]
        report.findings = [.foreignContainer(name: secret, network: .internal)]
        report.outcome = .retry(BottleError(.engineRefused, secret, at: secret, cause: secret))
        let action = Action(.copy, .container(.agent), .fileChanged, path: secret, container: ContainerID(secret))
        let performed = PerformedAction(action: action, outcome: .failed, milliseconds: 1, error: secret)
        metrics.take(.progress(dev, .random(), .ended(performed)), at: .zero)
        metrics.take(.ended(report), at: .zero)
        metrics.take(.trouble(BottleError(.engineRefused, secret)), at: .zero)
        metrics.take(.init(method: secret, target: "/\(secret)", status: 200, duration: .zero))
        let text = PrometheusText.of(metrics.families(at: .zero, Self.vitals))
        #expect(!text.contains(secret))
        #expect(!text.contains("\"\(dev.name)\""))
    }
}
