import ReconcilerEngine
import ReconcilerTime
import Testing

@Suite("Tar archives")
struct TarTests {
    static let entries: [TarEntry] = [
        TarEntry(path: "a", kind: .folder, mode: 0o750, uid: 1, gid: 2, modifiedAt: Timestamp(seconds: 5)),
        TarEntry(path: "a/b.txt", mode: 0o4755, uid: 1000, gid: 1001, size: 3, modifiedAt: Timestamp(seconds: 7)),
        TarEntry(path: "a/empty", modifiedAt: Timestamp(seconds: 1, nanoseconds: 1)),
        TarEntry(path: "a/link", kind: .symbolicLink(target: "/x/../y"), mode: 0o777),
        TarEntry(path: "a/hard", kind: .hardLink(target: "a/b.txt")),
        TarEntry(path: "é/ü", modifiedAt: Timestamp(seconds: 1_700_000_000, nanoseconds: 123_456_789)),
        TarEntry(path: String(repeating: "long/", count: 60) + "end"),
        TarEntry(path: "l", kind: .symbolicLink(target: String(repeating: "t", count: 300)), mode: 0o777),
        TarEntry(path: "big-ids", uid: 1 << 31, gid: 1 << 40, modifiedAt: Timestamp(seconds: -2, nanoseconds: 500)),
        TarEntry(path: "old", modifiedAt: Timestamp(seconds: -1, nanoseconds: 750_000_000)),
    ]

    static func content(_ entry: TarEntry) -> [UInt8] {
        [UInt8](repeating: 0x61, count: Int(entry.size))
    }

    static func archive() throws -> [UInt8] {
        var tar = TarWriter()
        for entry in entries { try tar.add(entry, content: content(entry)) }
        return tar.finish()
    }

    static func read(_ bytes: [UInt8], cut: Int = 4096, limits: TarReader.Limits = .init()) throws -> [TarFile] {
        var reader = TarReader(limits: limits)
        var files: [TarFile] = []
        for start in stride(from: 0, to: bytes.count, by: cut) {
            for part in try reader.read(Array(bytes[start..<min(start + cut, bytes.count)])) {
                switch part {
                case .entry(let entry): files.append(TarFile(entry: entry, content: []))
                case .content(let bytes): files[files.count - 1].content += bytes
                }
            }
        }
        try reader.finish()
        return files
    }

    @Test("what was written is read back, however the bytes are cut", arguments: [1, 100, 512, 513, 1 << 20])
    func roundTrip(cut: Int) throws {
        let files = try Self.read(Self.archive(), cut: cut)
        #expect(files.map(\.entry) == Self.entries)
        #expect(files.map(\.content) == Self.entries.map(Self.content))
    }

    @Test("the same entries give the same bytes, in whole blocks")
    func deterministic() throws {
        #expect(try Self.archive() == Self.archive())
        #expect(try Self.archive().count % 512 == 0)
    }

    @Test(
        "a path that is not plainly inside the archive is not written",
        arguments: ["", "/a", "a/", "a//b", ".", "./a", "..", "a/../b", "a\0b"]
    )
    func unsafeWrite(_ path: String) {
        var tar = TarWriter()
        #expect(throws: EngineError.self) { try tar.add(TarEntry(path: path)) }
    }

    @Test("a cut-off archive is an error at every length but an entry's end")
    func truncated() throws {
        var tar = TarWriter()
        try tar.add(TarEntry(path: "f", modifiedAt: Timestamp(seconds: 0, nanoseconds: 1)), content: [1, 2, 3])
        let bytes = tar.finish()
        for length in [1, 511, 513, 600, 1024, 1500, 1536, 1539, 2000] {
            #expect(throws: EngineError.self, "\(length)") { _ = try Self.read(Array(bytes.prefix(length))) }
        }
        #expect(try Self.read(bytes).count == 1)
    }

    @Test("a changed header is an error")
    func checksum() throws {
        var tar = TarWriter()
        try tar.add(TarEntry(path: "f"))
        for offset in [0, 100, 110, 130, 156, 160, 257, 345] {
            var bytes = tar.finish()
            bytes[offset] ^= 0x11
            #expect(throws: EngineError.self, "\(offset)") { _ = try Self.read(bytes) }
        }
    }

    /// A header block as a stranger might write it, with a right checksum.
    static func block(
        name: String = "f",
        type: Character = "0",
        size: [UInt8] = Array("00000000000\0".utf8),
        prefix: String = "",
        magic: String = "ustar\u{0}00"
    ) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ bytes: some Sequence<UInt8>, _ offset: Int) {
            for (index, byte) in bytes.enumerated() { block[offset + index] = byte }
        }
        put(name.utf8, 0)
        put("0000644\0".utf8, 100)
        put("0000000\0".utf8, 108)
        put("0000000\0".utf8, 116)
        put(size, 124)
        put("00000000000\0".utf8, 136)
        put("        ".utf8, 148)
        put([type.asciiValue ?? 0], 156)
        put(magic.utf8, 257)
        put(prefix.utf8, 345)
        let sum = String(block.reduce(0) { $0 + Int($1) }, radix: 8)
        put((String(repeating: "0", count: 6 - sum.count) + sum + "\0 ").utf8, 148)
        return block
    }

    static func padded(_ text: String) -> [UInt8] {
        Array(text.utf8) + [UInt8](repeating: 0, count: (512 - text.utf8.count % 512) % 512)
    }

    static func octal(_ value: Int) -> [UInt8] {
        let digits = String(value, radix: 8)
        return Array((String(repeating: "0", count: 11 - digits.count) + digits + "\0").utf8)
    }

    static let end = [UInt8](repeating: 0, count: 1024)

    @Test("names of other writers are read: prefix, GNU long name, a folder by its slash")
    func foreign() throws {
        let long = String(repeating: "x", count: 200)
        let bytes =
            Self.block(name: "b", prefix: "a") + Self.block(name: "./d/", type: "\0", magic: "")
            + Self.block(name: "././@LongLink", type: "L", size: Self.octal(201)) + Self.padded(long + "\0")
            + Self.block(name: "short") + Self.end
        let entries = try Self.read(bytes).map(\.entry)
        #expect(entries.map(\.path) == ["a/b", "d", long])
        #expect(entries.map(\.kind) == [.file, .folder, .file])
    }

    @Test("GNU's binary size is read")
    func binarySize() throws {
        let size: [UInt8] = [0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]
        let bytes = Self.block(size: size) + Self.padded("ab") + Self.end
        #expect(try Self.read(bytes).first?.content == Array("ab".utf8))
    }

    static let hostile: [(String, [UInt8])] = [
        ("absolute path", block(name: "/etc/passwd") + end),
        ("path that climbs", block(name: "a/../../b") + end),
        ("climbing hard link", block(name: "a", type: "1") + end),
        ("prefix that climbs", block(name: "b", prefix: "..") + end),
        ("negative size", block(size: [UInt8](repeating: 0xFF, count: 12)) + end),
        ("size past Int64", block(size: [0x80] + [UInt8](repeating: 0xFF, count: 11)) + end),
        ("size that is no number", block(size: Array("9zz".utf8)) + end),
        ("huge long name", block(type: "L", size: octal(1 << 30)) + end),
        ("sparse file", block(type: "S") + end),
        ("end after an extension", block(type: "L", size: octal(1)) + padded("x") + end),
        ("broken PAX length", block(type: "x", size: octal(12)) + padded("99 path=abc\n") + block() + end),
        ("negative PAX length", block(type: "x", size: octal(12)) + padded("-9 path=abc\n") + block() + end),
        ("PAX record without =", block(type: "x", size: octal(8)) + padded("8 abcde\n") + block() + end),
        ("PAX negative size", block(type: "x", size: octal(11)) + padded("11 size=-1\n") + block() + end),
        ("PAX path that climbs", block(type: "x", size: octal(13)) + padded("13 path=../a\n") + block() + end),
        ("PAX sparse", block(type: "x", size: octal(22)) + padded("22 GNU.sparse.major=1\n") + block() + end),
        ("not a tar", [UInt8](repeating: 0x41, count: 512)),
    ]

    @Test("a hostile archive is an error", arguments: hostile.indices)
    func hostileArchive(_ index: Int) {
        let (reason, bytes) = Self.hostile[index]
        #expect(throws: EngineError.self, "\(reason)") { _ = try Self.read(bytes) }
    }

    @Test("more entries than the limit are an error")
    func manyEntries() throws {
        var tar = TarWriter()
        for number in 0..<4 { try tar.add(TarEntry(path: "\(number)")) }
        let bytes = tar.finish()
        #expect(try Self.read(bytes, limits: .init(entries: 4)).count == 4)
        #expect(throws: EngineError.self) { _ = try Self.read(bytes, limits: .init(entries: 3)) }
    }

    @Test("what follows the end mark is not read")
    func afterEnd() throws {
        #expect(try Self.read(Self.block() + Self.end + Self.block(name: "hidden")).map(\.entry.path) == ["f"])
    }

    @Test("random bytes never end the process, only the reading")
    func noise() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<300 {
            var bytes = (try? Self.archive()) ?? []
            for _ in 0..<8 {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            _ = try? Self.read(bytes, cut: 700)
        }
    }
}
