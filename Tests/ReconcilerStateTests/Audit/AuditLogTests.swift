import ReconcilerModel
import ReconcilerPlatform
import ReconcilerState
import ScratchTestSupport
import Testing

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

@Suite("The audit log")
struct AuditLogTests {
    @Test("goes on over full files, and is whole over all of them")
    func rotates() throws {
        let fixture = try AuditFixture()
        let log = AuditLog(fixture.state, fileLimit: 4000)
        for number in 1...60 { try log.append([AuditFixture.note("\(number)")], at: AuditFixture.time) }
        let names = try #require(try POSIX.names(in: fixture.state.path)).filter { $0.hasPrefix("audit") }
        #expect(names.count > 3)
        #expect(names.contains("audit-0001.jsonl") && names.contains("audit.jsonl"))
        let found = try fixture.check()
        #expect(found.problems == [])
        #expect(found.files == names.filter { $0 != "audit.jsonl" } + ["audit.jsonl"])
        #expect(found.lines == 60 + names.count - 1)
        var follower = AuditFollower(AuditFiles(folder: fixture.state.path))
        #expect(try follower.more().compactMap(\.details.reason) == (1...60).map(String.init))
        // A file that is gone shows.
        try POSIX.unlink("\(fixture.state.path)/audit-0002.jsonl")
        #expect(try fixture.check().problems.map(\.problem) == [.removed])
    }

    @Test("goes on when a writer died between a full file and the next", arguments: [true, false])
    func diesWhileRotating(wasMade: Bool) throws {
        let fixture = try AuditFixture(lines: 10)
        try POSIX.rename(fixture.path, to: "\(fixture.state.path)/audit-0001.jsonl")
        if wasMade { try DurableFile.write([], to: fixture.path) }
        try fixture.log.append([AuditFixture.note("next")], at: AuditFixture.time)
        let found = try fixture.check()
        #expect(found.problems == [])
        #expect(found.lines == 12)
    }

    @Test("is followed over the change of files")
    func follows() throws {
        let fixture = try AuditFixture()
        let log = AuditLog(fixture.state, fileLimit: 2000)
        var follower = AuditFollower(AuditFiles(folder: fixture.state.path))
        var seen: [String] = []
        for number in 1...40 {
            try log.append([AuditFixture.note("\(number)")], at: AuditFixture.time)
            if number % 7 == 0 { seen += try follower.more().compactMap(\.details.reason) }
        }
        seen += try follower.more().compactMap(\.details.reason)
        #expect(seen == (1...40).map(String.init))
    }

    @Test("sets aside what a writer left that died in the middle of a line, and says so", arguments: [1, 20, 300, 400])
    func tornLine(length: Int) throws {
        let fixture = try AuditFixture(lines: 3)
        let whole = try fixture.bytes()
        // The fourth line of another log, cut off.
        let other = try AuditFixture(lines: 4)
        let line = try other.lines()[3]
        let part = line.prefix(min(length, line.count - 1))
        try DurableFile.write(whole + part, to: fixture.path)
        #expect(try fixture.check().problems == [])
        #expect(try fixture.check().torn.map(\.notedBy) == [nil])
        try fixture.log.append([AuditFixture.note("next")], at: AuditFixture.time)
        let found = try fixture.check()
        #expect(found.problems == [])
        #expect(found.torn.map(\.notedBy) == [4])
        #expect(found.lines == 5)
        // Torn again, this time in the line that set it aside.
        let all = try fixture.bytes()
        let cut = whole.count + part.count + 1 + 100
        try DurableFile.write(Array(all[..<cut]), to: fixture.path)
        try fixture.log.append([AuditFixture.note("next")], at: AuditFixture.time)
        let again = try fixture.check()
        #expect(again.problems == [])
        #expect(again.torn.map(\.notedBy) == [4, 4])
        // What was set aside can't be changed either.
        var bytes = try fixture.bytes()
        bytes[whole.count] ^= 1
        try DurableFile.write(bytes, to: fixture.path)
        #expect(!(try fixture.check()).problems.isEmpty)
    }

    @Test("begins again behind a first line that was never finished")
    func tornFirstLine() throws {
        let fixture = try AuditFixture()
        try DurableFile.write(Array(#"{"bottle":"de"#.utf8), to: fixture.path)
        try fixture.log.append([AuditFixture.note("next")], at: AuditFixture.time)
        let found = try fixture.check()
        #expect(found.problems == [])
        #expect(found.torn.map(\.notedBy) == [1])
    }

    @Test("keeps a last line that lacks nothing but its newline")
    func lacksNewline() throws {
        let fixture = try AuditFixture(lines: 3)
        try DurableFile.write(try fixture.bytes().dropLast(), to: fixture.path)
        try fixture.log.append([AuditFixture.note("next")], at: AuditFixture.time)
        let found = try fixture.check()
        #expect(found.problems == [] && found.torn == [])
        #expect(found.lines == 4)
    }

    @Test("does not go on behind a line that bottle did not write, nor through a link, a pipe or a folder")
    func refusesOther() throws {
        for kind in ["noise", "link", "pipe", "folder"] {
            let fixture = try AuditFixture()
            switch kind {
            case "noise": try DurableFile.write([UInt8](repeating: 7, count: 5 << 20), to: fixture.path)
            case "link":
                try DurableFile.write([], to: "\(fixture.scratch.path)/elsewhere")
                #expect(unsafe symlink("\(fixture.scratch.path)/elsewhere", fixture.path) == 0)
            case "pipe": #expect(unsafe mkfifo(fixture.path, 0o600) == 0)
            default: try POSIX.makeFolder(fixture.path)
            }
            #expect(throws: BottleError.self, "\(kind)") {
                try fixture.log.append([AuditFixture.note("next")], at: AuditFixture.time)
            }
        }
    }

    @Test("is ASCII alone, and bounded, whatever an agent's text holds")
    func bounds() throws {
        let fixture = try AuditFixture()
        let nasty = "\u{1B}[2J\u{202E}\u{85}\"\\\n😀" + String(repeating: "\u{7}ü", count: 100_000)
        let action = Action(.copy, .container(.agent), .fileChanged, path: nasty)
        let drift = Drift(kind: .fileChanged, object: .container(.agent), cause: nasty)
        let plan = Plan(identity: try Identity("dev"), actions: Array(repeating: action, count: 500), drift: [drift])
        let intent = try fixture.log.begin(plan, revision: nil, at: AuditFixture.time)
        let failed = PerformedAction(action: action, outcome: .failed, milliseconds: 1, error: nasty)
        try fixture.log.end(intent, plan, performed: [failed], at: AuditFixture.time)
        let lines = try fixture.lines()
        #expect(lines.count == 3)
        #expect(lines.allSatisfy { $0.count < 100_000 && $0.allSatisfy { (0x20..<0x7F).contains($0) } })
        let line = try #require(AuditLine(lines[1]))
        #expect(line.details.action?.error?.hasPrefix("\u{1B}[2J\u{202E}\u{85}\"\\\n😀") == true)
        #expect(AuditLine(lines[0])?.details.omitted == 400)
        #expect(try fixture.check().problems == [])
    }

    @Test("has every line of eight processes that write at once", .timeLimit(.minutes(3)))
    func manyWriters() async throws {
        let fixture = try AuditFixture()
        let path = fixture.state.path
        await withTaskGroup { group in
            for writer in 0..<8 {
                group.addTask {
                    await #expect(processExitsWith: .success) { [path = path as String, writer = writer as Int] in
                        let log = AuditLog(try #require(try StateFolder.open(path)), fileLimit: 20_000)
                        for number in 0..<50 {
                            try log.append([AuditFixture.note("\(writer) \(number)")], at: AuditFixture.time)
                        }
                    }
                }
            }
        }
        let found = try fixture.check()
        #expect(found.problems == [] && found.torn == [])
        var follower = AuditFollower(AuditFiles(folder: path))
        let reasons = try follower.more().compactMap(\.details.reason)
        #expect(reasons.count == 400)
        for writer in 0..<8 {
            #expect(reasons.filter { $0.hasPrefix("\(writer) ") } == (0..<50).map { "\(writer) \($0)" })
        }
    }

    @Test("is whole after writers that are killed at any moment, with all that they were told is there")
    func survivesKills() async throws {
        let fixture = try AuditFixture()
        let path = fixture.state.path
        for round in 0..<20 {
            let moment = 3000 + 900 * round + Int.random(in: 0..<900)
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, moment = moment as Int] in
                let log = AuditLog(try #require(try StateFolder.open(path)), fileLimit: 60_000)
                let told = try POSIX.open("\(path)/told", O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
                Task.detached {
                    _ = usleep(UInt32(moment))
                    dieNow()
                }
                while true {
                    let numbers = try log.append(
                        [AuditFixture.note("a"), AuditFixture.note("b")],
                        at: AuditFixture.time
                    )
                    _ = lseek(told.number, 0, SEEK_SET)
                    try told.write(Array("\(numbers[1])\n".utf8), to: path)
                    await Task.yield()
                }
            }
            let found = try fixture.check()
            #expect(found.problems == [], "killed after \(moment) µs")
            let told = try text("\(path)/told")?.split(separator: "\n").first.flatMap { Int($0) } ?? 0
            #expect(found.last?.sequence ?? 0 >= told, "killed after \(moment) µs")
        }
        try fixture.log.append([AuditFixture.note("next")], at: AuditFixture.time)
        #expect(try fixture.check().problems == [])
    }

    @Test("takes nothing from a disk that is full, and goes on when there is room again")
    func fullDisk() async throws {
        let fixture = try AuditFixture(lines: 3)
        let path = fixture.state.path
        let size = try fixture.bytes().count
        // The kernel's own refusal, in the middle of a line and at its end.
        for room in [0, 1, 200, 700] {
            await #expect(processExitsWith: .success) {
                [path = path as String, limit = size + room as Int] in
                _ = signal(SIGXFSZ, SIG_IGN)
                var limits = rlimit(rlim_cur: rlim_t(limit), rlim_max: rlim_t.max)
                #expect(unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limits) == 0)
                let log = AuditLog(try #require(try StateFolder.open(path)))
                let error = #expect(throws: BottleError.self) {
                    try log.append(
                        [AuditFixture.note("one"), AuditFixture.note(String(repeating: "x", count: 900))],
                        at: AuditFixture.time
                    )
                }
                #expect(error?.code == .auditUnwritable)
            }
            #expect(try fixture.bytes().count == size)
        }
        try fixture.log.append([AuditFixture.note("next")], at: AuditFixture.time)
        #expect(try fixture.check().lines == 4)
    }

    @Test("takes nothing from a file system that is full", .enabled(if: geteuid() == 0, "mounting one takes root"))
    func fullFileSystem() async throws {
        let scratch = try Scratch()
        let place = "\(scratch.path)/small"
        try POSIX.makeFolder(place)
        guard (try? await shell("mount -t tmpfs -o size=128k,mode=700 tmpfs \(place)", in: "/tmp")) != nil else {
            return
        }
        do {
            let state = try StateFolder.create("\(place)/state")
            let log = AuditLog(state)
            var refusals = 0
            var taken = 0
            for _ in 0..<2000 where refusals < 3 {
                do {
                    try log.append([AuditFixture.note(String(repeating: "x", count: 600))], at: AuditFixture.time)
                    taken += 1
                } catch let error as BottleError {
                    #expect(error.code == .auditUnwritable)
                    refusals += 1
                }
            }
            #expect(refusals == 3 && taken > 10)
            let found = try AuditFiles(folder: state.path).check().found
            #expect(found.problems == [] && found.torn == [])
            #expect(found.lines == taken)
        } catch {
            try await shell("umount \(place)", in: "/tmp")
            throw error
        }
        try await shell("umount \(place)", in: "/tmp")
    }

    @Test("costs little: what one line takes to be on the disk is printed")
    func cost() throws {
        let fixture = try AuditFixture()
        let spent = try (0..<50).map { number in
            try ContinuousClock().measure {
                try fixture.log.append([AuditFixture.note("\(number)")], at: AuditFixture.time)
            }
        }.sorted()
        print("an append: p50 \(spent[25] / .milliseconds(1)) ms, p98 \(spent[48] / .milliseconds(1)) ms")
        #expect(try fixture.check().lines == 50)
    }
}
