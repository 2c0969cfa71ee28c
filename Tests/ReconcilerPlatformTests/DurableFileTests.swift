import ReconcilerPlatform
import ScratchTestSupport
import Testing

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

@Suite("A durable file")
struct DurableFileTests {
    @Test("holds what was written last, with the mode asked for")
    func writes() throws {
        let scratch = try Scratch()
        let path = "\(scratch.path)/file"
        try DurableFile.write(Array("one".utf8), to: path)
        try DurableFile.write(Array("two".utf8), to: path, mode: 0o644)
        #expect(try text(path) == "two")
        #expect(try mode(of: path) == 0o644)
        #expect(try POSIX.names(in: scratch.path) == ["file"])
    }

    @Test("is made by exactly one of many creators, and the others see its content whole")
    func createsOnce() async throws {
        let scratch = try Scratch()
        let path = "\(scratch.path)/file"
        let winners = try await withThrowingTaskGroup { group in
            for number in 0..<16 {
                group.addTask {
                    let content = Array(String(repeating: "\(number) ", count: 5000).utf8)
                    return try DurableFile.create(content, at: path) ? number : nil
                }
            }
            return try await group.reduce(into: [Int]()) { winners, number in
                if let number { winners.append(number) }
            }
        }
        let winner = try #require(winners.first)
        #expect(winners.count == 1)
        #expect(try text(path) == String(repeating: "\(winner) ", count: 5000))
        #expect(try POSIX.names(in: scratch.path) == ["file"])
    }

    @Test("loses the temporary files of killed writers at the next write, never those of living ones")
    func removesLeftovers() throws {
        let scratch = try Scratch()
        let dead = "\(scratch.path)/.file.0123.tmp"
        let alive = "\(scratch.path)/.file.4567.tmp"
        let other = "\(scratch.path)/.other.4567.tmp"
        for path in [dead, alive, other] { _ = try POSIX.open(path, O_CREAT | O_WRONLY, mode: 0o600) }
        let lock = try FileLock(path: alive).tryAcquire()
        try DurableFile.write([], to: "\(scratch.path)/file")
        #expect(try POSIX.names(in: scratch.path) == [".file.4567.tmp", ".other.4567.tmp", "file"])
        extendLifetime(lock)
    }

    @Test("survives writers that are killed at any moment, whole")
    func survivesKills() async throws {
        let scratch = try Scratch()
        let path = "\(scratch.path)/file"
        try DurableFile.write(Array(repeating: 0, count: 200_000), to: path)
        for round in 0..<4 {
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, round = round as Int] in
                Task.detached {
                    try await Task.sleep(for: .milliseconds(5 + 17 * round))
                    dieNow()
                }
                var byte: UInt8 = 0
                while true {
                    try DurableFile.write(Array(repeating: byte, count: 200_000), to: path)
                    byte &+= 1
                    await Task.yield()
                }
            }
            let bytes = try #require(try DurableFile.read(path, limit: 1 << 20))
            #expect(bytes.count == 200_000)
            #expect(Set(bytes).count == 1)
        }
        try DurableFile.write([], to: path)
        #expect(try POSIX.names(in: scratch.path) == ["file"])
    }

    enum Obstacle: String, CaseIterable { case link, pipe, folder, tooLarge }

    @Test("is read only when it is a plain file within the limit", arguments: Obstacle.allCases)
    func refuses(_ obstacle: Obstacle) throws {
        let scratch = try Scratch()
        let path = "\(scratch.path)/file"
        switch obstacle {
        case .link:
            try DurableFile.write([1], to: path + ".target")
            #expect(unsafe symlink(path + ".target", path) == 0)
            #expect(try DurableFile.read(path, limit: 8, followLinks: true) == [1])
        case .pipe: #expect(unsafe mkfifo(path, 0o600) == 0)
        case .folder: try POSIX.makeFolder(path)
        case .tooLarge: try DurableFile.write(Array(repeating: 0, count: 9), to: path)
        }
        #expect(throws: DurableFile.Unsuitable.self) { try DurableFile.read(path, limit: 8, followLinks: false) }
    }

    @Test("that is missing reads as nil")
    func missing() throws {
        #expect(try DurableFile.read("/nonexistent/file", limit: 1) == nil)
    }
}
