import FoundationEssentials

/// Random numbers that a seed repeats.
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// The seed of this run: `BOTTLE_TEST_SEED`, else a new one.
    static let seed =
        ProcessInfo.processInfo.environment["BOTTLE_TEST_SEED"].flatMap { UInt64($0) }
        ?? UInt64.random(in: 0...UInt64.max)
}

extension SplitMix64 {
    /// Moments spread over `span`, one in each of `count` equal parts of it, somewhere in that part.
    mutating func moments(_ count: Int, in span: Duration) -> [Duration] {
        (0..<count).map { span * ((Double($0) + Double.random(in: 0..<1, using: &self)) / Double(count)) }
    }
}
