import Reconciler
import Testing

@Suite("The dispatcher's alarm")
struct AlarmTests {
    @Test("has few asleep for what is due in a month, however much comes earlier, and wakes in time for all of it")
    func crowd() {
        var alarm = Alarm()
        var sleeping: [Duration] = []
        var now = Duration.zero
        let month = Duration.seconds(30 * 86_400)
        func wake(for due: Duration) {
            if let moment = alarm.set(for: due, now: now) { sleeping.append(moment) }
            #expect(sleeping.contains { $0 <= max(due, now) || $0 <= now + Alarm.longest })
            #expect(alarm.sleepers == sleeping.count)
        }
        for round in 0..<5000 {
            // As a bottle whose grant ends then computes it anew each time, a little earlier.
            wake(for: month - .milliseconds(round))
            let event = now + .milliseconds(50)
            wake(for: event)
            #expect(sleeping.contains { $0 <= event })
            now = event
            for moment in sleeping.filter({ $0 <= now }) {
                sleeping.removeAll { $0 == moment }
                alarm.rang(at: moment)
            }
            #expect(sleeping.count <= 2)
        }
    }

    @Test("is set for what is due, and only where nobody wakes as early")
    func moments() {
        var alarm = Alarm()
        #expect(alarm.set(for: .seconds(30), now: .zero) == .seconds(30))
        #expect(alarm.set(for: .seconds(40), now: .zero) == nil)
        #expect(alarm.set(for: .seconds(20), now: .zero) == .seconds(20))
        alarm.rang(at: .seconds(20))
        #expect(alarm.set(for: .seconds(30), now: .seconds(20)) == nil)
        alarm.rang(at: .seconds(30))
        #expect(alarm.set(for: .seconds(500), now: .seconds(30)) == .seconds(30) + Alarm.longest)
    }
}
