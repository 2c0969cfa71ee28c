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

@Suite("The state folder")
struct StateFolderTests {
    @Test("is made once with everything in it, private, and keeps its installation id")
    func makes() throws {
        let scratch = try Scratch()
        let path = "\(scratch.path)/a/b/state"
        let first = try StateFolder.create(path)
        #expect(try StateFolder.create(path) == first)
        #expect(try StateFolder.open(path) == first)
        #expect(first.installation.text.utf8.count == 32)
        #expect(try mode(of: path) == 0o700)
        for folder in [first.queue, first.sessions, first.trust, first.records, first.locks] {
            #expect(try mode(of: folder) == 0o700)
        }
        #expect(try StateFolder.create("\(scratch.path)/other").installation != first.installation)
    }

    @Test("that is missing is not made by looking")
    func looks() throws {
        let scratch = try Scratch()
        #expect(try StateFolder.open("\(scratch.path)/state") == nil)
        #expect(try POSIX.names(in: scratch.path) == [])
    }

    @Test("gets one installation id when many processes make it at once")
    func agrees() async throws {
        let scratch = try Scratch()
        let path = "\(scratch.path)/state"
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<4 {
                group.addTask {
                    await #expect(processExitsWith: .success) { [path = path as String, number = number as Int] in
                        let state = try StateFolder.create(path)
                        try DurableFile.write(Array(state.installation.text.utf8), to: "\(path)/seen.\(number)")
                    }
                }
            }
        }
        let seen = try (0..<4).map { try text("\(path)/seen.\($0)") }
        #expect(Set(seen) == [try StateFolder.create(path).installation.text])
    }

    @Test("is refused when others may write in it", arguments: [mode_t(0o770), 0o702, 0o1777])
    func unsafeMode(_ mode: mode_t) throws {
        let scratch = try Scratch()
        let path = "\(scratch.path)/state"
        _ = try StateFolder.create(path)
        #expect(unsafe chmod(path, mode) == 0)
        for attempt in [{ try StateFolder.create(path) as StateFolder? }, { try StateFolder.open(path) }] {
            let error = #expect(throws: BottleError.self) { try attempt() }
            #expect(error?.code == .stateUnsafe)
        }
    }

    @Test("that others may only read is closed to them")
    func tightens() throws {
        let scratch = try Scratch()
        let path = "\(scratch.path)/state"
        try POSIX.makeFolder(path)
        #expect(unsafe chmod(path, 0o755) == 0)
        _ = try StateFolder.create(path)
        #expect(try mode(of: path) == 0o700)
    }

    @Test("is refused when it belongs to someone else", .enabled(if: geteuid() == 0, "needs root"))
    func otherOwner() throws {
        let scratch = try Scratch()
        let path = "\(scratch.path)/state"
        _ = try StateFolder.create(path)
        #expect(unsafe chown(path, 12345, 12345) == 0)
        let error = #expect(throws: BottleError.self) { try StateFolder.open(path) }
        #expect(error?.code == .stateUnsafe)
    }

    @Test("is refused when it is a file")
    func file() throws {
        let scratch = try Scratch()
        try DurableFile.write([], to: "\(scratch.path)/state")
        #expect(throws: BottleError.self) { try StateFolder.create("\(scratch.path)/state") }
        #expect(throws: BottleError.self) { try StateFolder.open("\(scratch.path)/state") }
    }

    @Test("reached by a symbolic link is the folder itself")
    func link() throws {
        let scratch = try Scratch()
        let state = try StateFolder.create("\(scratch.path)/real")
        #expect(unsafe symlink("\(scratch.path)/real", "\(scratch.path)/link") == 0)
        #expect(try StateFolder.create("\(scratch.path)/link") == state)
    }

    @Test("never gets a second id while it has records", arguments: ["", "zz", "0123"])
    func keepsInstallation(_ damaged: String) throws {
        let scratch = try Scratch()
        let state = try StateFolder.create("\(scratch.path)/state")
        let id = "\(state.path)/installation"
        try DurableFile.write([], to: "\(state.records)/dev.json")
        if damaged.isEmpty { try DurableFile.remove(id) } else { try DurableFile.write(Array(damaged.utf8), to: id) }
        let error = #expect(throws: BottleError.self) { try StateFolder.create(state.path) }
        #expect(error?.code == .stateUnreadable)
        #expect(error?.remedy?.contains("dev.bottle.installation") == true)
        #expect(try text(id) == (damaged.isEmpty ? nil : damaged))
    }

    @Test("has a lock a bottle, apart from its own")
    func locks() throws {
        let scratch = try Scratch()
        let state = try StateFolder.create("\(scratch.path)/state")
        let paths = [state.lock(of: try Identity("desired")), state.lock(of: try Identity("dev")), state.desiredLock]
        #expect(Set(paths.map(\.path)).count == 3)
        #expect(try state.lock(of: try Identity("dev")).tryAcquire() != nil)
    }
}

@Suite("A JSON store")
struct JSONStoreTests {
    struct Document: Codable, Equatable, Sendable { var name: String }

    @Test("returns what was saved, one and all")
    func roundTrip() throws {
        let scratch = try Scratch()
        let store = JSONStore<Document>(folder: scratch.path, noun: "record")
        let (a, b) = (try Identity("a"), try Identity("b"))
        #expect(try store.load(a) == nil)
        try store.save(Document(name: "one"), for: a)
        try store.save(Document(name: "two"), for: b)
        try store.save(Document(name: "three"), for: b)
        #expect(try store.load(b) == Document(name: "three"))
        #expect(try store.loadAll() == [a: Document(name: "one"), b: Document(name: "three")])
        #expect(try mode(of: store.path(of: a)) == 0o600)
        try store.remove(a)
        try store.remove(a)
        #expect(try store.loadAll() == [b: Document(name: "three")])
    }

    @Test(
        "never replaces or passes over a file it can't read",
        arguments: ["", "{", #"{"version":1,"value":{}}"#, #"{"version":2,"value":{"name":"x","more":1}}"#]
    )
    func unreadable(_ content: String) throws {
        let scratch = try Scratch()
        let store = JSONStore<Document>(folder: scratch.path, noun: "record")
        let a = try Identity("a")
        try DurableFile.write(Array(content.utf8), to: store.path(of: a))
        for attempt in [
            { _ = try store.load(a) }, { _ = try store.loadAll() }, { try store.save(Document(name: "x"), for: a) },
        ] {
            let error = #expect(throws: BottleError.self) { try attempt() }
            #expect(error?.code == .stateUnreadable)
            #expect(error?.location == store.path(of: a))
        }
        #expect(try text(store.path(of: a)) == content)
    }

    @Test("stops at a file whose name is no bottle's")
    func strangeName() throws {
        let scratch = try Scratch()
        try DurableFile.write([], to: "\(scratch.path)/Not A Name.json")
        let store = JSONStore<Document>(folder: scratch.path, noun: "record")
        #expect(throws: BottleError.self) { try store.loadAll() }
    }

    @Test("reads a missing folder as empty")
    func noFolder() throws {
        #expect(try JSONStore<Document>(folder: "/nonexistent", noun: "record").loadAll() == [:])
    }
}
