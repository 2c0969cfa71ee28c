import ReconcilerPlatform
import Testing

struct TokenBucketTests {
    @Test func soManyInARowAreFreeAndEachFurtherOneWaitsForTheInterval() {
        var budget = TokenBucket(limit: 3, interval: .seconds(30))
        #expect(budget.spend(at: .zero) == nil)
        #expect(budget.spend(at: .zero) == nil)
        #expect(budget.spend(at: .zero) == .seconds(30))
        #expect(budget.spend(at: .seconds(30)) == .seconds(60))
        #expect(budget.spend(at: .seconds(60)) == .seconds(90))
    }

    @Test func whatIsNotUsedComesBackAndNeverMoreThanThat() {
        var budget = TokenBucket(limit: 3, interval: .seconds(30))
        for _ in 0..<3 { _ = budget.spend(at: .zero) }
        #expect(budget.spend(at: .seconds(60)) == nil)
        #expect(budget.spend(at: .seconds(60)) == .seconds(90))
        for _ in 0..<2 { #expect(budget.spend(at: .seconds(9000)) == nil) }
        #expect(budget.spend(at: .seconds(9000)) == .seconds(9030))
    }

    @Test func whoIsHealedSeldomNeverWaits() {
        var budget = TokenBucket(limit: 1, interval: .seconds(30))
        for turn in 0..<100 { #expect(budget.spend(at: .seconds(30 * turn)) == .seconds(30 * turn + 30)) }
        var two = TokenBucket(limit: 2, interval: .seconds(30))
        for turn in 0..<100 { #expect(two.spend(at: .seconds(31 * turn)) == nil) }
    }

    @Test func aTokenIsTakenOnlyWhereThereIsOne() {
        var bucket = TokenBucket(limit: 2, interval: .seconds(3))
        #expect(bucket.available(at: .zero) == 2)
        let taken = [.zero, .zero, .zero, .milliseconds(2999), .seconds(3), .seconds(3)].map { bucket.take(at: $0) }
        #expect(taken == [true, true, false, false, true, false])
        #expect(bucket.available(at: .seconds(9)) == 2 && bucket.available(at: .seconds(900)) == 2)
    }

    @Test func takingMoreThanThereIsEmptiesItAndNoMore() {
        var bucket = TokenBucket(limit: 4, interval: .seconds(2))
        bucket.take(upTo: 3, at: .zero)
        #expect(bucket.available(at: .zero) == 1)
        bucket.take(upTo: 100, at: .seconds(1))
        #expect(bucket.available(at: .seconds(1)) == 0)
        #expect(bucket.available(at: .seconds(3)) == 1)
        bucket.take(upTo: 0, at: .seconds(3))
        #expect(bucket.available(at: .seconds(9)) == 4)
    }
}
