import ReconcilerEngine
import ReconcilerModel
import ReconcilerPlatform

/// A bounded buffer of what one follower has read and not handed on yet.
///
/// In a flood it keeps less detail: a token bucket limits how many new kinds of refusal a follower may begin; the rest is
/// counted by rule.
actor RefusalBuffer {
    /// The most kinds with their detail in one batch.
    private static let details = 64

    private let bottle: Identity
    private let container: String
    private let sidecar: Role
    private let clock: @Sendable () -> Duration
    private var reader: LogLineReader
    private var tally: RefusalTally
    /// A token is a kind that may begin.
    private var kinds = TokenBucket(limit: 200, interval: .seconds(2))
    /// How many kinds could begin after the last batch.
    private var room: Int
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
        room = kinds.limit
        tally = RefusalTally(details: Self.details, hosts: Self.details)
    }

    /// How far the log is read and handed on.
    var position: LogPosition? { kept }

    /// Whether the flood that came has used up what may be told in detail.
    var isFlooded: Bool { room < 1 }

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
        kinds.take(upTo: tally.namedKinds, at: now)
        room = kinds.available(at: now)
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
        let details = min(Self.details, room)
        tally = RefusalTally(details: details, hosts: min(Self.details, room - details))
        lost = 0
        unreadable = 0
    }
}
