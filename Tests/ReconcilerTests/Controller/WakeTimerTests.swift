import Reconciler
import Testing

@Suite("The dispatcher's wakeTimer")
struct WakeTimerTests {
    @Test("has few asleep for what is due in a month, however much comes earlier, and wakes in time for all of it")
    func crowd() {
        var wakeTimer = WakeTimer()
        var sleeping: [Duration] = []
        var now = Duration.zero
        let month = Duration.seconds(30 * 86_400)
        func wake(for due: Duration) {
            if let moment = wakeTimer.set(for: due, now: now) { sleeping.append(moment) }
            #expect(sleeping.contains { $0 <= max(due, now) || $0 <= now + WakeTimer.longest })
            #expect(wakeTimer.sleepers == sleeping.count)
        }
        for round in 0..<5000 {
            // As a bottle whose grant ends then computes it again each time, a little earlier.
            wake(for: month - .milliseconds(round))
            let event = now + .milliseconds(50)
            wake(for: event)
            #expect(sleeping.contains { $0 <= event })
            now = event
            for moment in sleeping.filter({ $0 <= now }) {
                sleeping.removeAll { $0 == moment }
                wakeTimer.rang(at: moment)
            }
            #expect(sleeping.count <= 2)
        }
    }

    @Test("is set for what is due, and only where nothing else wakes as early")
    func moments() {
        var wakeTimer = WakeTimer()
        #expect(wakeTimer.set(for: .seconds(30), now: .zero) == .seconds(30))
        #expect(wakeTimer.set(for: .seconds(40), now: .zero) == nil)
        #expect(wakeTimer.set(for: .seconds(20), now: .zero) == .seconds(20))
        wakeTimer.rang(at: .seconds(20))
        #expect(wakeTimer.set(for: .seconds(30), now: .seconds(20)) == nil)
        wakeTimer.rang(at: .seconds(30))
        #expect(wakeTimer.set(for: .seconds(500), now: .seconds(30)) == .seconds(30) + WakeTimer.longest)
    }
}
