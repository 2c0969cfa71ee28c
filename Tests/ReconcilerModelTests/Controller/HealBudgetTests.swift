import Reconciler
import Testing

/// How often a bottle is healed at once.
struct HealBudgetTests {
    @Test func soManyInARowAreFreeAndEachFurtherOneWaitsForTheInterval() {
        var budget = HealBudget(limit: 3, interval: .seconds(30))
        #expect(budget.spend(at: .zero) == nil)
        #expect(budget.spend(at: .zero) == nil)
        #expect(budget.spend(at: .zero) == .seconds(30))
        #expect(budget.spend(at: .seconds(30)) == .seconds(60))
        #expect(budget.spend(at: .seconds(60)) == .seconds(90))
    }

    @Test func whatIsNotUsedComesBackAndNeverMoreThanThat() {
        var budget = HealBudget(limit: 3, interval: .seconds(30))
        for _ in 0..<3 { _ = budget.spend(at: .zero) }
        #expect(budget.spend(at: .seconds(60)) == nil)
        #expect(budget.spend(at: .seconds(60)) == .seconds(90))
        for _ in 0..<2 { #expect(budget.spend(at: .seconds(9000)) == nil) }
        #expect(budget.spend(at: .seconds(9000)) == .seconds(9030))
    }

    @Test func whoIsHealedSeldomNeverWaits() {
        var budget = HealBudget(limit: 1, interval: .seconds(30))
        for turn in 0..<100 { #expect(budget.spend(at: .seconds(30 * turn)) == .seconds(30 * turn + 30)) }
        var two = HealBudget(limit: 2, interval: .seconds(30))
        for turn in 0..<100 { #expect(two.spend(at: .seconds(31 * turn)) == nil) }
    }
}
