import Reconciler
import ReconcilerModel
import Testing

@Suite struct TelemetryTests {
    private let telemetry = Telemetry(pace: ControllerPace(), version: "1", startTime: 0)
    private var vitals = ControllerVitals(
        bottles: 0,
        waiting: 0,
        underWay: 0,
        isStopping: false,
        hasReadDesiredState: true,
        followsEvents: true,
        troubles: [],
        silence: Dictionary(uniqueKeysWithValues: ControllerVitals.Loop.allCases.map { ($0, .zero) })
    )

    private func status(_ path: String) async -> Int? {
        await telemetry.page(path) { vitals }?.status
    }

    @Test func allIsWell() async {
        for path in ["/healthz", "/readyz", "/metrics"] { #expect(await status(path) == 200) }
        for path in ["/", "/metrics/", "/healthz/x", "", "/debug"] { #expect(await status(path) == nil) }
    }

    @Test(arguments: ControllerVitals.Loop.allCases)
    mutating func aLoopThatStandsStillIsUnhealthyAndOneThatIsSlowIsNot(loop: ControllerVitals.Loop) async {
        vitals.silence[loop] = .seconds(5)
        #expect(await status("/healthz") == 200)
        vitals.silence[loop] = .seconds(3600)
        #expect(await status("/healthz") == 503)
        #expect(await telemetry.page("/healthz") { vitals }?.text.contains(loop.rawValue) == true)
    }

    @Test mutating func whatBringsNothingAboutIsUnreadyAndStillAlive() async {
        func isUnready(_ change: (inout ControllerVitals) -> Void) async -> Bool {
            var changed = vitals
            change(&changed)
            let ready = await telemetry.page("/readyz") { changed }?.status
            let healthy = await telemetry.page("/healthz") { changed }?.status
            return ready == 503 && healthy == 200
        }
        #expect(await isUnready { $0.hasReadDesiredState = false })
        #expect(await isUnready { $0.followsEvents = false })
        #expect(await isUnready { $0.troubles = [.desiredState] })
        #expect(await isUnready { $0.troubles = [.engine] })
        #expect(await isUnready { $0.isStopping = true })
        // Commits are noticed a little later, no more.
        #expect(await isUnready { $0.troubles = [.controlSocket] } == false)
    }
}
