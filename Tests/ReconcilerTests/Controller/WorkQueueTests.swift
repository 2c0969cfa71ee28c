import Reconciler
import ReconcilerModel
import ReconcilerPlatform
import Testing

/// The controller's queue: a pure state machine, driven here by hand.
@Suite struct WorkQueueTests {
    private let a: Identity
    private let b: Identity
    private let c: Identity

    init() throws {
        a = try Identity("a")
        b = try Identity("b")
        c = try Identity("c")
    }

    private func queue(limit: Int = 8) -> WorkQueue {
        WorkQueue(limit: limit, backoff: Backoff(base: .seconds(1), cap: .seconds(60)))
    }

    @Test func namesComeOutInTheOrderInWhichTheyCameAndOnceEach() {
        var queue = queue()
        for bottle in [b, a, b, a, c, b] { queue.add(bottle, now: .zero) }
        #expect([queue.next(now: .zero), queue.next(now: .zero), queue.next(now: .zero)] == [b, a, c])
        #expect(queue.next(now: .zero) == nil)
    }

    @Test func aBottleIsNeverUnderWayTwiceAndWhatCameMeanwhileIsNotLost() {
        var queue = queue()
        queue.add(a, now: .zero)
        #expect(queue.next(now: .zero) == a)
        queue.add(a, now: .zero)
        queue.add(a, now: .zero)
        #expect(queue.next(now: .seconds(9)) == nil)
        queue.ended(a, .converged, now: .seconds(9), jitter: 0)
        #expect(queue.next(now: .seconds(9)) == a)
        queue.ended(a, .converged, now: .seconds(9), jitter: 0)
        #expect(queue.next(now: .seconds(99)) == nil)
        #expect(queue.isIdle)
    }

    @Test func atMostSoManyAreUnderWayAtOnce() {
        var queue = queue(limit: 2)
        for bottle in [a, b, c] { queue.add(bottle, now: .zero) }
        #expect(queue.next(now: .zero) == a)
        #expect(queue.next(now: .zero) == b)
        #expect(queue.next(now: .zero) == nil)
        #expect(queue.nextDue == nil)
        queue.ended(b, .converged, now: .zero, jitter: 0)
        #expect(queue.nextDue == .zero)
        #expect(queue.next(now: .zero) == c)
    }

    @Test func eventsAreGatheredForAWhileAndMoreOfThemDoNotPutThePassOff() {
        var queue = queue()
        queue.add(a, now: .zero, delay: .milliseconds(50))
        queue.add(a, now: .milliseconds(40), delay: .milliseconds(50))
        #expect(queue.next(now: .milliseconds(49)) == nil)
        #expect(queue.nextDue == .milliseconds(50))
        #expect(queue.next(now: .milliseconds(50)) == a)
    }

    @Test func failuresRestLongerEachTimeUpToTheCapAndNoEventShortensThat() {
        var queue = queue()
        var now = Duration.zero
        var rests: [Duration] = []
        queue.add(a, now: now)
        for _ in 0..<10 {
            #expect(queue.next(now: now) == a)
            queue.ended(a, .retry, now: now, jitter: 1)
            queue.add(a, now: now)
            let due = queue.nextDue ?? .zero
            rests.append(due - now)
            #expect(queue.next(now: due - .nanoseconds(1)) == nil)
            now = due
        }
        #expect(rests == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60].map { Duration.seconds($0) })
    }

    @Test func jitterHalvesARestAtMost() {
        let backoff = Backoff(base: .seconds(8), cap: .seconds(60))
        #expect(backoff.delay(failures: 1, jitter: 0) == .seconds(4))
        #expect(backoff.delay(failures: 1, jitter: 1) == .seconds(8))
        #expect(backoff.delay(failures: 60, jitter: 1) == .seconds(60))
    }

    @Test func successForgetsWhatFailedBefore() {
        var queue = queue()
        queue.add(a, now: .zero)
        for ending in [WorkQueue.Ending.retry, .retry, .converged] {
            let now = queue.nextDue ?? .zero
            #expect(queue.next(now: now) == a)
            queue.ended(a, ending, now: now, jitter: 1)
        }
        queue.add(a, now: .seconds(100))
        #expect(queue.next(now: .seconds(100)) == a)
        queue.ended(a, .retry, now: .seconds(100), jitter: 1)
        #expect(queue.nextDue == .seconds(101))
    }

    @Test func anEditIsTakenUpAtOnceAlsoAfterFailures() {
        var queue = queue()
        queue.add(a, now: .zero)
        _ = queue.next(now: .zero)
        queue.ended(a, .retry, now: .zero, jitter: 1)
        queue.add(a, now: .milliseconds(10), isUrgent: true)
        #expect(queue.next(now: .milliseconds(10)) == a)
        // An edit while the pass is under way: its failure is one of the state before.
        queue.add(a, now: .milliseconds(20), isUrgent: true)
        queue.ended(a, .retry, now: .milliseconds(30), jitter: 1)
        #expect(queue.next(now: .milliseconds(30)) == a)
    }

    @Test func aStalledBottleWaitsForAChangeAndAWaitingOneForItsMoment() {
        var queue = queue()
        queue.add(a, now: .zero)
        queue.add(b, now: .zero)
        _ = queue.next(now: .zero)
        _ = queue.next(now: .zero)
        queue.ended(a, .stalled, now: .zero, jitter: 1)
        queue.ended(b, .waiting(until: .seconds(5)), now: .zero, jitter: 1)
        #expect(queue.next(now: .seconds(4)) == nil)
        #expect(queue.next(now: .seconds(5)) == b)
        queue.add(a, now: .seconds(6))
        #expect(queue.next(now: .seconds(6)) == a)
    }

    @Test func aRestIsEndedByNothingButItsMomentOrAPerson() {
        var queue = queue()
        queue.add(a, now: .zero)
        #expect(queue.next(now: .zero) == a)
        // What happened meanwhile waits, too.
        queue.add(a, now: .zero)
        queue.ended(a, .resting(until: .seconds(30)), now: .zero, jitter: 1)
        #expect(queue.next(now: .zero) == nil)
        queue.add(a, now: .seconds(1))
        #expect(queue.next(now: .seconds(29)) == nil)
        #expect(queue.next(now: .seconds(30)) == a)
        queue.ended(a, .resting(until: .seconds(60)), now: .seconds(30), jitter: 1)
        queue.add(a, now: .seconds(31), isUrgent: true)
        #expect(queue.next(now: .seconds(31)) == a)
        queue.ended(a, .converged, now: .seconds(32), jitter: 1)
        #expect(queue.isIdle)
    }

    @Test func whatAPersonAskedForDuringAPassDoesNotWaitForTheRestAfterIt() {
        var queue = queue()
        queue.add(a, now: .zero)
        #expect(queue.next(now: .zero) == a)
        queue.add(a, now: .zero, isUrgent: true)
        queue.ended(a, .resting(until: .seconds(30)), now: .zero, jitter: 1)
        #expect(queue.next(now: .zero) == a)
    }

    @Test func oneThatFailsDoesNotHoldTheOthersUp() {
        var queue = queue(limit: 1)
        queue.add(a, now: .zero)
        _ = queue.next(now: .zero)
        queue.add(b, now: .zero)
        queue.ended(a, .retry, now: .zero, jitter: 1)
        #expect(queue.next(now: .zero) == b)
    }

    @Test func oneThatStepsAsideMakesRoomAndIsStillUnderWay() {
        var queue = queue(limit: 1)
        for bottle in [a, b] { queue.add(bottle, now: .zero) }
        #expect(queue.next(now: .zero) == a)
        #expect(queue.next(now: .zero) == nil)
        queue.stepAside(a)
        queue.add(a, now: .zero)
        #expect(queue.nextDue == .zero)
        #expect(queue.next(now: .zero) == b)
        #expect(queue.next(now: .zero) == nil)
        #expect(queue.underWay == 2)
    }

    @Test func whoComesBackWaitsForAPlaceAndGoesBeforeOneThatHasNotBegun() {
        var queue = queue(limit: 1)
        for bottle in [a, b, c] { queue.add(bottle, now: .zero) }
        #expect(queue.next(now: .zero) == a)
        queue.stepAside(a)
        #expect(queue.next(now: .zero) == b)
        #expect(queue.nextBack() == nil)
        queue.wantsBack(a)
        queue.wantsBack(a)
        #expect(queue.nextBack() == nil)
        #expect(queue.isAside(a))
        queue.ended(b, .converged, now: .zero, jitter: 0)
        #expect(queue.nextBack() == a)
        #expect(!queue.isAside(a))
        #expect(queue.nextBack() == nil)
        #expect(queue.next(now: .zero) == nil)
        queue.ended(a, .converged, now: .zero, jitter: 0)
        #expect(queue.next(now: .zero) == c)
    }

    @Test func oneThatEndsAsideLeavesNoPlaceBehindAndTakesNone() {
        var queue = queue(limit: 1)
        for bottle in [a, b] { queue.add(bottle, now: .zero) }
        #expect(queue.next(now: .zero) == a)
        queue.stepAside(a)
        #expect(queue.next(now: .zero) == b)
        queue.wantsBack(a)
        queue.ended(a, .stalled, now: .zero, jitter: 0)
        queue.ended(b, .stalled, now: .zero, jitter: 0)
        #expect(queue.nextBack() == nil)
        #expect(queue.isIdle)
        queue.add(a, now: .zero)
        queue.add(b, now: .zero)
        #expect(queue.next(now: .zero) == a)
        #expect(queue.next(now: .zero) == nil)
    }

    @Test func whoIsNotUnderWayCanNeitherStepAsideNorComeBack() {
        var queue = queue(limit: 1)
        queue.add(a, now: .zero)
        queue.stepAside(a)
        queue.stepAside(b)
        queue.wantsBack(a)
        #expect(!queue.isAside(a) && !queue.isAside(b))
        #expect(queue.nextBack() == nil)
        #expect(queue.next(now: .zero) == a)
    }
}
