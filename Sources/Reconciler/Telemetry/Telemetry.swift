package import ReconcilerEngine
package import ReconcilerModel
import Synchronization

/// Collects a controller's reports, and serves its health and metrics pages.
package final class Telemetry: Sendable {
    /// What is answered over HTTP.
    package struct Page: Sendable, Hashable {
        package var status: Int
        package var contentType: String
        package var text: String
    }

    private let metrics: Mutex<ControllerMetrics>
    private let pace: ControllerPace
    private let origin = ContinuousClock.now

    /// - Parameters:
    ///   - version: of this program.
    ///   - startTime: when it began, in seconds since 1970.
    package init(pace: ControllerPace, version: String, startTime: Double) {
        self.pace = pace
        metrics = Mutex(ControllerMetrics(version: version, startTime: startTime))
    }

    package func take(_ report: ControllerReport) {
        let moment = ContinuousClock.now - origin
        metrics.withLock { $0.take(report, at: moment) }
    }

    package func take(_ call: EngineClient.Call) {
        metrics.withLock { $0.take(call) }
    }

    /// Counts refusals that are on record now.
    package func take(_ batch: RefusalBatch) {
        metrics.withLock { $0.take(batch) }
    }

    /// Answers for a path: `/healthz`, `/readyz`, `/metrics`; nil: there is no such page.
    package func page(_ path: String, _ vitals: () async -> ControllerVitals) async -> Page? {
        switch path {
        case "/healthz": return Self.verdict(against: await vitals().stalls(at: pace))
        case "/readyz": return Self.verdict(against: await vitals().obstacles)
        case "/metrics":
            let vitals = await vitals()
            let moment = ContinuousClock.now - origin
            let families = metrics.withLock { $0.families(at: moment, vitals) }
            return Page(status: 200, contentType: PrometheusText.contentType, text: PrometheusText.of(families))
        default: return nil
        }
    }

    /// 200 when nothing speaks against it, else 503 with a line for each thing that does.
    private static func verdict(against complaints: [String]) -> Page {
        let type = "text/plain; charset=utf-8"
        guard !complaints.isEmpty else { return Page(status: 200, contentType: type, text: "ok\n") }
        return Page(status: 503, contentType: type, text: complaints.map { "\($0)\n" }.joined())
    }
}
