import ReconcilerPlatform
import ReconcilerTime
import ScratchTestSupport
import Synchronization
import Testing

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

@Suite("A file lock")
struct FileLockTests {
    @Test("lets one holder in until it is dropped")
    func excludes() throws {
        let scratch = try Scratch()
        let lock = FileLock(path: "\(scratch.path)/lock")
        var held = try lock.tryAcquire()
        #expect(held != nil)
        #expect(try lock.tryAcquire() == nil)
        #expect(lock.holder() == getpid())
        held = nil
        #expect(try lock.tryAcquire() != nil)
        #expect(try mode(of: lock.path) == 0o600)
    }

    @Test("gives up when the wait is over, and says who holds it")
    func timesOut() async throws {
        let scratch = try Scratch()
        let lock = FileLock(path: "\(scratch.path)/lock")
        let held = try lock.tryAcquire()
        let error = await #expect(throws: FileLock.TimedOut.self) {
            _ = try await lock.acquire(wait: .milliseconds(30))
        }
        #expect(error?.holder == getpid())
        extendLifetime(held)
    }

    @Test("waits by the clock that it is given")
    func givenClock() async throws {
        let scratch = try Scratch()
        let lock = FileLock(path: "\(scratch.path)/lock")
        let held = try lock.tryAcquire()
        let clock = Mutex(ContinuousClock.now)
        let start = clock.withLock { $0 }
        let time = TimeSource(
            now: { Timestamp(seconds: 0) },
            instant: { clock.withLock { $0 } },
            wait: { instant in clock.withLock { $0 = instant } }
        )
        await #expect(throws: FileLock.TimedOut.self) { _ = try await lock.acquire(wait: .seconds(3600), time: time) }
        #expect((.seconds(3600) ... .seconds(3601)).contains(clock.withLock { $0 } - start))
        extendLifetime(held)
    }

    @Test("stops waiting when the task is cancelled")
    func cancels() async throws {
        let scratch = try Scratch()
        let lock = FileLock(path: "\(scratch.path)/lock")
        let held = try lock.tryAcquire()
        await withTaskGroup { group in
            group.addTask { await #expect(throws: CancellationError.self) { _ = try await lock.acquire() } }
            group.cancelAll()
        }
        extendLifetime(held)
    }

    @Test("dies with a holder that is killed")
    func diesWithHolder() async throws {
        let scratch = try Scratch()
        let path = "\(scratch.path)/lock"
        async let exit: Void = {
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
                let held = try FileLock(path: path).tryAcquire()
                try DurableFile.write([], to: path + ".held")
                while try text(path + ".seen") == nil { try await Task.sleep(for: .milliseconds(5)) }
                extendLifetime(held)
                dieNow()
            }
        }()
        while try text(path + ".held") == nil { try await Task.sleep(for: .milliseconds(5)) }
        #expect(try FileLock(path: path).tryAcquire() == nil)
        let holder = FileLock(path: path).holder()
        #expect(holder != nil && holder != getpid())
        try DurableFile.write([], to: path + ".seen")
        await exit
        #expect(try FileLock(path: path).tryAcquire() != nil)
    }

    @Test("is not inherited by programs that the holder runs")
    func isNotInherited() async throws {
        let scratch = try Scratch()
        let lock = FileLock(path: "\(scratch.path)/lock")
        var held = try lock.tryAcquire()
        #expect(held != nil)
        let started = "\(scratch.path)/started"
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await shell("touch \(started); exec sleep 60", in: "/tmp") }
            while try text(started) == nil { try await Task.sleep(for: .milliseconds(5)) }
            held = nil
            #expect(try lock.tryAcquire() != nil)
            group.cancelAll()
            await #expect(throws: CancellationError.self) { try await group.next() }
        }
    }
}
