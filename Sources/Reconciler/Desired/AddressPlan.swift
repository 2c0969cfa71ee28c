/// The /28 block of each network of a bottle, and the address of each role in it.
package struct AddressPlan: Sendable, Hashable, Codable {
    /// Base addresses by network, as text; the prefix is always 28.
    private var blocks: [String: String]

    package init() { blocks = [:] }

    package subscript(role: NetworkRole) -> IPv4Block? {
        get { blocks[role.rawValue].flatMap { try? IPv4Block($0) } }
        set { blocks[role.rawValue] = newValue?.description }
    }

    /// Every block of the plan.
    package var all: [IPv4Block] { NetworkRole.allCases.compactMap { self[$0] } }

    /// The fixed address of `container` on `network`: the gateway keeps the first one.
    package func address(of container: Role, on network: NetworkRole) -> IPv4Address? {
        self[network]?.address(container.hostNumber)
    }

    /// Adds a free block of `pool` for each role in `roles` that has none, and drops blocks of other roles.
    ///
    /// Blocks that the plan has are kept, so that a bottle's addresses stay the same for its whole life.
    /// - Parameter place: where in the pool the search begins, any number. With different starts, installations that
    ///   don't know of each other rarely choose the same block at once.
    /// - Throws: `BottleError` `network-pool-exhausted` when nothing of the pool is free; the plan is then unchanged.
    package mutating func assign(
        _ roles: [NetworkRole],
        from pool: IPv4Block,
        avoiding used: [IPv4Block],
        startingAt place: UInt64 = 0
    ) throws {
        var plan = self
        let blocks = max(pool.count >> UInt64(32 - Self.prefix), 1)
        let start = (place % blocks) << UInt64(32 - Self.prefix)
        for role in NetworkRole.allCases where !roles.contains(role) { plan[role] = nil }
        for role in roles where plan[role] == nil {
            let taken = used + plan.all
            guard
                let free = Self.firstFree(in: pool, from: start, avoiding: taken)
                    ?? Self.firstFree(in: pool, from: 0, avoiding: taken)
            else {
                throw BottleError(
                    .networkPoolExhausted,
                    "no free /\(Self.prefix) is left in the network pool \(pool)",
                    remedy: "set a larger or another `network.pool` in the settings"
                )
            }
            plan[role] = free
        }
        self = plan
    }

    private static let prefix = 28

    private static func firstFree(
        in pool: IPv4Block,
        from start: UInt64,
        avoiding used: [IPv4Block]
    ) -> IPv4Block? {
        let size: UInt64 = 1 << UInt64(32 - prefix)
        var offset = start
        while offset + size <= pool.count {
            let candidate = IPv4Block(base: pool.address(UInt32(offset)), prefix: prefix)
            guard let blocker = used.first(where: { $0.overlaps(candidate) }) else { return candidate }
            // Past the end of the overlapping block, rounded up.
            let end = UInt64(blocker.base.bits) + blocker.count
            let next = end > UInt64(pool.base.bits) ? end - UInt64(pool.base.bits) : offset + size
            offset = max(offset + size, (next + size - 1) / size * size)
        }
        return nil
    }
}
