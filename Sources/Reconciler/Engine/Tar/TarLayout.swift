/// The layout of a ustar header: 512 bytes of fixed fields.
enum TarLayout {
    static let block = 512
    static let name = 0..<100
    static let mode = 100..<108
    static let uid = 108..<116
    static let gid = 116..<124
    static let size = 124..<136
    static let modifiedAt = 136..<148
    static let checksum = 148..<156
    static let type = 156
    static let linkName = 157..<257
    static let magic = 257..<265
    static let prefix = 345..<500

    /// How many zero bytes follow content of `size` bytes.
    static func padding(_ size: Int64) -> Int {
        Int((Int64(block) - size % Int64(block)) % Int64(block))
    }

    /// The sum of a header's bytes, with the checksum field taken as blanks.
    static func sum(_ header: some Collection<UInt8>) -> Int {
        var sum = 0
        for (offset, byte) in header.enumerated() {
            sum += checksum.contains(offset) ? 0x20 : Int(byte)
        }
        return sum
    }
}
