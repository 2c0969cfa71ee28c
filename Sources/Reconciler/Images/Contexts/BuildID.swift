/// The digest that the linker wrote into an executable or a library (`NT_GNU_BUILD_ID`).
enum BuildID {
    /// Finds it in the first bytes of a 64-bit ELF file; nil if it is not there.
    static func find(in bytes: [UInt8]) -> [UInt8]? {
        func number(_ offset: Int, _ count: Int) -> Int? {
            guard offset >= 0, offset <= bytes.count - count else { return nil }
            var value = 0
            for index in stride(from: offset + count - 1, through: offset, by: -1) {
                guard value < 1 << 54 else { return nil }
                value = value << 8 | Int(bytes[index])
            }
            return value
        }
        // 64 bits, least significant byte first.
        guard bytes.count > 64, bytes[4] == 2, bytes[5] == 1, let table = number(32, 8), let size = number(54, 2),
            let count = number(56, 2), size >= 56, table < bytes.count
        else { return nil }
        for index in 0..<count {
            let header = table + index * size
            guard let kind = number(header, 4), let start = number(header + 8, 8), let length = number(header + 32, 8)
            else { return nil }
            guard kind == 4, start < bytes.count, length < bytes.count - start else { continue }
            var place = start
            while place + 12 <= start + length {
                guard let nameSize = number(place, 4), let dataSize = number(place + 4, 4),
                    let type = number(place + 8, 4), nameSize < bytes.count, dataSize < bytes.count
                else { break }
                let name = place + 12
                let data = name + (nameSize + 3) & ~3
                guard data + dataSize <= start + length else { break }
                if type == 3, Array(bytes[name..<(name + nameSize)]) == Array("GNU\0".utf8), dataSize >= 16 {
                    return Array(bytes[data..<(data + dataSize)])
                }
                place = data + (dataSize + 3) & ~3
            }
        }
        return nil
    }
}
