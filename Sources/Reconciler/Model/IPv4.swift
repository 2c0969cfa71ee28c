/// An IPv4 address.
package struct IPv4Address: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let bits: UInt32

    package init(bits: UInt32) { self.bits = bits }

    /// Reads four decimal numbers without leading zeros.
    ///
    /// - Throws: `InvalidValue` for every other form.
    package init(_ text: String) throws(InvalidValue) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        var bits: UInt32 = 0
        guard parts.count == 4 else {
            throw InvalidValue(kind: "IPv4 address", text: text, rule: "four numbers from 0 to 255 joined by dots")
        }
        for part in parts {
            guard let number = UInt8(part), String(number) == part else {
                throw InvalidValue(kind: "IPv4 address", text: text, rule: "four numbers from 0 to 255 joined by dots")
            }
            bits = bits << 8 | UInt32(number)
        }
        self.bits = bits
    }

    package var description: String {
        "\(bits >> 24).\(bits >> 16 & 255).\(bits >> 8 & 255).\(bits & 255)"
    }

    package static func < (left: IPv4Address, right: IPv4Address) -> Bool { left.bits < right.bits }
}

/// A block of IPv4 addresses in CIDR form, without host bits.
package struct IPv4Block: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let base: IPv4Address
    /// Length of the network part, 0 to 32.
    package let prefix: Int

    /// - Precondition: `prefix` is 0 to 32. Host bits of `base` are cleared.
    package init(base: IPv4Address, prefix: Int) {
        precondition((0...32).contains(prefix))
        self.base = IPv4Address(bits: base.bits & Self.mask(prefix))
        self.prefix = prefix
    }

    /// Reads `a.b.c.d/n`.
    ///
    /// - Throws: `InvalidValue` for another form or for host bits that are not zero.
    package init(_ text: String) throws(InvalidValue) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let prefix = Int(parts[1]), String(prefix) == parts[1], (0...32).contains(prefix) else {
            throw InvalidValue(kind: "IPv4 range", text: text, rule: "an address, '/' and a length from 0 to 32")
        }
        let base = try IPv4Address(parts[0])
        guard base.bits & ~Self.mask(prefix) == 0 else {
            let block = IPv4Block(base: base, prefix: prefix)
            throw InvalidValue(kind: "IPv4 range", text: text, rule: "host bits must be zero: \(block)")
        }
        self.init(base: base, prefix: prefix)
    }

    package var description: String { "\(base)/\(prefix)" }

    /// Number of addresses in the block.
    package var count: UInt64 { 1 << UInt64(32 - prefix) }

    package static func < (left: IPv4Block, right: IPv4Block) -> Bool {
        left.base == right.base ? left.prefix < right.prefix : left.base < right.base
    }

    package func contains(_ address: IPv4Address) -> Bool {
        address.bits & Self.mask(prefix) == base.bits
    }

    package func overlaps(_ other: IPv4Block) -> Bool {
        contains(other.base) || other.contains(base)
    }

    /// The address at `offset` from the start of the block.
    package func address(_ offset: UInt32) -> IPv4Address {
        IPv4Address(bits: base.bits &+ offset)
    }

    private static func mask(_ prefix: Int) -> UInt32 {
        prefix == 0 ? 0 : UInt32.max << UInt32(32 - prefix)
    }
}
