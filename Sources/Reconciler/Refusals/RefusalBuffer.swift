import ReconcilerEngine
import ReconcilerModel

/// What one follower has read and not yet handed on, in bounded room.
///
/// A flood is told ever more coarsely: a follower may begin so many kinds of refusal at once, and after that one every
/// two seconds; what comes beyond is counted by rule.
actor RefusalBuffer {
    /// How many kinds may begin at once, and how many a second are added to that.
    private static let burst = 200.0
    private static let refill = 0.5
    /// The most kinds with their detail in one batch.
    private static let details = 64

    private let bottle: Identity
    private let container: String
    private let sidecar: Role
    private let clock: @Sendable () -> Duration
    private var reader: LogLineReader
    private var tally: RefusalTally
    private var allowance = burst
    private var lastRefill: Duration
    private var lost = 0
    private var unreadable = 0
    private var kept: LogPosition?

    init(
        bottle: Identity,
        container: String,
        sidecar: Role,
        from position: LogPosition?,
        clock: @escaping @Sendable () -> Duration
    ) {
        self.bottle = bottle
        self.container = container
        self.sidecar = sidecar
        self.clock = clock
        reader = LogLineReader(from: position)
        kept = position
        lastRefill = clock()
        tally = RefusalTally(details: Self.details, hosts: Self.details)
    }

    /// How far the log is read and handed on.
    var position: LogPosition? { kept }

    /// Whether the flood that came has used up what may be told in detail.
    var isFlooded: Bool { allowance < 1 }

    /// - Returns: how many lines there were.
    func take(_ frame: OutputFrame) -> Int {
        let lines = reader.take(frame)
        for line in lines {
            switch line.bytes.map({ SidecarLine($0, of: sidecar) }) {
            case .refusal(let refusal): tally.add(refusal)
            case .lost(let count): lost = RefusedRequest.sum(lost, count)
            case .unreadable, nil: unreadable = RefusedRequest.sum(unreadable, 1)
            }
        }
        return lines.count
    }

    /// What has come since the last call; nil when there is nothing new.
    func drain() -> RefusalBatch? {
        guard let position = reader.position, position != kept else { return nil }
        let batch = RefusalBatch(
            bottle: bottle,
            container: container,
            refusals: tally.refusals,
            lost: lost,
            unreadable: unreadable,
            position: position
        )
        let now = clock()
        allowance = min(Self.burst, allowance + (now - lastRefill) / .seconds(1) * Self.refill)
        allowance = max(0, allowance - Double(tally.namedKinds))
        lastRefill = now
        reset()
        kept = position
        return batch
    }

    /// Takes a batch back that could not be kept.
    func restore(_ batch: RefusalBatch, before position: LogPosition?) {
        for refusal in batch.refusals { tally.add(refusal) }
        lost = RefusedRequest.sum(lost, batch.lost)
        unreadable = RefusedRequest.sum(unreadable, batch.unreadable)
        kept = position
    }

    private func reset() {
        let room = min(Self.details, Int(allowance))
        tally = RefusalTally(details: room, hosts: min(Self.details, Int(allowance) - room))
        lost = 0
        unreadable = 0
    }
}
