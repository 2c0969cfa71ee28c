import FoundationEssentials
import SeededRandom

extension SplitMix64 {
    /// The seed of this run: `BOTTLE_TEST_SEED`, else a new one.
    static let seed =
        ProcessInfo.processInfo.environment["BOTTLE_TEST_SEED"].flatMap { UInt64($0) }
        ?? UInt64.random(in: 0...UInt64.max)

    /// Moments spread over `span`, one in each of `count` equal parts of it, somewhere in that part.
    mutating func moments(_ count: Int, in span: Duration) -> [Duration] {
        (0..<count).map { span * ((Double($0) + Double.random(in: 0..<1, using: &self)) / Double(count)) }
    }
}
