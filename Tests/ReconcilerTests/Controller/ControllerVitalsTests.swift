import EngineTestSupport
import ModelTestSupport
import Reconciler
import ReconcilerEngine
import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState
import ReconcilerTime
import Synchronization
import Testing

/// What a controller on the engine in memory tells of itself.
@Suite(.timeLimit(.minutes(2))) struct ControllerVitalsTests {
    private func controller(
        of fixture: LoopFixture,
        on engine: any EngineWriting,
        report: @escaping @Sendable (ControllerReport) -> Void = { _ in }
    ) async throws -> Controller {
        Controller(
            try await fixture.installation(engine),
            pace: ControllerPace(interval: .milliseconds(50), sweep: .seconds(600)),
            time: TimeSource(now: { LoopFixture.now }),
            report: report
        )
    }

    /// Asks until the vitals are so; the suite's time limit ends it otherwise.
    private func until(_ controller: Controller, _ isSo: (ControllerVitals) -> Bool) async throws {
        while !isSo(await controller.vitals()) { try await Task.sleep(for: .milliseconds(10)) }
    }

    @Test func aDispatcherThatRunsComesRoundWhenItIsAskedAndOneThatDoesNotNeverDoes() async throws {
        let fixture = try await LoopFixture.converged()
        let controller = try await controller(of: fixture, on: fixture.engine)
        let first = await controller.vitals().silence[.dispatcher]
        let second = await controller.vitals().silence[.dispatcher]
        #expect(try #require(second) > #require(first))
        try await controller.whileRunning {
            try await until(controller) { $0.hasReadDesiredState }
            let asked = SuspendingClock.now
            let silence = await controller.vitals().silence[.dispatcher]
            #expect(try #require(silence) <= asked.duration(to: .now))
        }
    }

    @Test func whatItCanNotReadOrFollowIsAnObstacleUntilItCan() async throws {
        let fixture = try await LoopFixture.converged()
        let faulty = FaultyEngine(fixture.engine)
        let controller = try await controller(of: fixture, on: faulty)
        #expect(await controller.vitals().obstacles.count == 2)
        try await controller.whileRunning {
            try await until(controller) { $0.obstacles.isEmpty }
            #expect(await controller.vitals().bottles == 1)
            let head = "\(fixture.state)/desired/.git/HEAD"
            let good = try #require(try DurableFile.read(head, limit: 1024))
            try DurableFile.write(Array("nonsense\n".utf8), to: head)
            try await until(controller) { $0.troubles.contains(.desiredState) && !$0.obstacles.isEmpty }
            try DurableFile.write(good, to: head)
            try await until(controller) { $0.obstacles.isEmpty }
        }
        #expect(await controller.vitals().isStopping)
    }

    @Test func everyPassThatBeginsEndsUnderItsIdAndAVanishedBottleIsForgotten() async throws {
        let fixture = try await LoopFixture.converged()
        let reports = Mutex<[ControllerReport]>([])
        let controller = try await controller(of: fixture, on: fixture.engine) { report in
            reports.withLock { $0.append(report) }
        }
        try await controller.whileRunning {
            try await until(controller) { $0.obstacles.isEmpty && $0.bottles == 1 }
            try await fixture.engine.change { try $0.remove("bottle-dev-firewall", force: true) }
            while !reports.withLock({ $0.contains(where: \.isOfHealing) }) {
                try await Task.sleep(for: .milliseconds(10))
            }
            _ = try await fixture.installation().repository.commit(
                [DesiredRepository.path(of: SampleManifest.identity): .remove],
                message: "delete"
            )
            try await until(controller) { $0.bottles == 0 && $0.waiting == 0 && $0.underWay == 0 }
        }
        var open: PassID?
        var removals = 0
        for report in reports.withLock({ $0 }) {
            switch report {
            case .began(_, let id):
                #expect(open == nil)
                open = id
            case .progress(_, let id, _): #expect(id == open)
            case .ended(let result):
                #expect(result.id == open)
                open = nil
            case .removed(_, let id, let isComplete):
                #expect(id == open)
                open = nil
                if isComplete { removals += 1 }
            default: break
            }
        }
        #expect(open == nil)
        #expect(removals >= 1)
    }
}

extension ControllerReport {
    /// Whether a pass ended that did something and then found all well.
    fileprivate var isOfHealing: Bool {
        guard case .ended(let result) = self, case .converged = result.outcome else { return false }
        return !result.performed.isEmpty
    }
}
