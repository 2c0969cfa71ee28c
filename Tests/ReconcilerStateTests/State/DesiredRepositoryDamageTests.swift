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

@Suite("The desired-state repository, when things go wrong")
struct DesiredRepositoryDamageTests {
    let scratch: Scratch
    let state: StateFolder
    let environment: [String: String]
    var dotGit: String { "\(state.desired)/.git" }

    init() throws {
        scratch = try Scratch()
        state = try StateFolder.create("\(scratch.path)/state")
        environment = ["PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": scratch.path]
    }

    private func repository() async throws -> DesiredRepository {
        try await DesiredRepository.create(in: state, environment: environment)
    }

    @discardableResult
    private func git(_ line: String) async throws -> String {
        try await shell("git -C '\(state.desired)' \(line)", in: scratch.path)
    }

    private func expectSound() async throws {
        try await git("fsck --full --strict --no-dangling")
        #expect(try await git("status --porcelain") == "")
        #expect(try await git("rev-list --min-parents=2 HEAD") == "")
        // A git that outlived its writer may hold a lock yet, for a moment.
        let end = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < end, try leftovers() != [] { try await Task.sleep(for: .milliseconds(10)) }
        #expect(try leftovers() == [])
    }

    private func leftovers() throws -> [String]? {
        try POSIX.names(in: dotGit)?.filter { $0.hasSuffix(".lock") || $0.hasPrefix("bottle-") }
    }

    static let damages = [
        "truncate -s 0 HEAD",
        "rm HEAD",
        "echo garbage > HEAD",
        "echo 'ref: refs/heads/other' > HEAD",
        "echo 'ref: ../../etc/passwd' > HEAD",
        "ln -sf /etc/passwd HEAD",
        "rm refs/heads/main",
        "truncate -s 0 refs/heads/main",
        "printf %040d 1 > refs/heads/main",
        "rm -rf objects/??",
        "for f in objects/??/*; do truncate -s 5 --no-create $f; done",
        "rm -rf .",
        "rm -rf objects refs",
    ]

    @Test("damage is an error that says what to do, never no bottles", arguments: damages)
    func damage(_ line: String) async throws {
        let repository = try await repository()
        _ = try await repository.commit(["bottles/dev.yaml": .write("one")], message: "m")
        // A record, as every applied bottle has: it tells a repository that is gone from one never made.
        try DurableFile.write([], to: "\(state.records)/dev.json")
        if line == "rm -rf ." {
            try await shell("rm -rf desired", in: state.path)
        } else {
            try await shell("chmod -R u+w .; \(line)", in: dotGit)
        }
        let dev = try Identity("dev")
        for attempt: @Sendable () async throws -> Void in [
            { _ = try await repository.bottle(dev) },
            { _ = try await repository.bottle(try Identity("none")) },
            { _ = try await repository.snapshot() },
            { _ = try await repository.commit(["bottles/dev.yaml": .remove], message: "m") },
        ] {
            let error = await #expect(throws: BottleError.self) { try await attempt() }
            #expect(error?.code == .desiredUnreadable)
            #expect(error?.remedy?.contains("backup") == true)
        }
    }

    @Test("a repository that is gone though bottles are recorded is never created again")
    func gone() async throws {
        _ = try await repository()
        try DurableFile.write([], to: "\(state.records)/dev.json")
        try await shell("rm -rf desired", in: state.path)
        let opening = #expect(throws: BottleError.self) {
            try DesiredRepository.open(in: state, environment: environment)
        }
        #expect(opening?.code == .desiredUnreadable)
        let making = await #expect(throws: BottleError.self) { try await repository() }
        #expect(making?.code == .desiredUnreadable)
        try POSIX.makeFolder(state.desired)
        await #expect(throws: BottleError.self) { try await repository() }
    }

    @Test("a missing git is named")
    func noGit() async throws {
        _ = try await repository()
        let without = try #require(try DesiredRepository.open(in: state, environment: ["PATH": "/nonexistent"]))
        let error = await #expect(throws: BottleError.self) { try await without.snapshot() }
        #expect(error?.code == .gitMissing)
    }

    @Test("an edit in the work tree has no say, is reported, and is never overwritten")
    func edited() async throws {
        let repository = try await repository()
        _ = try await repository.commit(
            ["bottles/a.yaml": .write("1"), "bottles/b.yaml": .write("1")],
            message: "m"
        )
        let edited = "\(repository.folder)/bottles/a.yaml"
        try DurableFile.write(Array("edited".utf8), to: edited)
        try DurableFile.write(Array("new".utf8), to: "\(repository.folder)/bottles/c.yaml")
        #expect(try await repository.dirtyFiles() == ["bottles/a.yaml", "bottles/c.yaml"])
        #expect(try await repository.bottle(try Identity("a")).text == "1")
        for change in [DesiredChange.write("2"), .remove] {
            let error = await #expect(throws: BottleError.self) {
                try await repository.commit(["bottles/a.yaml": change], message: "m")
            }
            #expect(error?.code == .desiredDirty)
            #expect(error?.remedy?.contains("checkout HEAD -- bottles/a.yaml") == true)
        }
        await #expect(throws: BottleError.self) {
            try await repository.commit(["bottles/c.yaml": .write("2")], message: "m")
        }
        #expect(try await repository.commit(["bottles/b.yaml": .write("2")], message: "m") != nil)
        #expect(try text(edited) == "edited")
        #expect(try text("\(repository.folder)/bottles/c.yaml") == "new")
        // What the remedy says works.
        try await git("checkout --quiet HEAD -- bottles/a.yaml")
        #expect(try await repository.commit(["bottles/a.yaml": .write("2")], message: "m") != nil)
    }

    @Test("a link in the work tree is not followed out of it")
    func linked() async throws {
        let repository = try await repository()
        _ = try await repository.commit(["bottles/a.yaml": .write("1")], message: "m")
        try await shell("mkdir out; mv state/desired/bottles/a.yaml out; rmdir state/desired/bottles", in: scratch.path)
        try await shell("ln -s ../../out state/desired/bottles", in: scratch.path)
        let error = await #expect(throws: BottleError.self) {
            try await repository.commit(["bottles/a.yaml": .write("2")], message: "m")
        }
        #expect(error?.code == .desiredDirty)
        #expect(try text("\(scratch.path)/out/a.yaml") == "1")
    }

    @Test("a lock that someone's git holds is waited for, then named, never removed")
    func foreignLock() async throws {
        let repository = try await repository()
        let lock = "\(dotGit)/refs/heads/main.lock"
        try DurableFile.write([], to: lock)
        let error = await #expect(throws: BottleError.self) {
            try await repository.commit(["bottles/a.yaml": .write("1")], message: "m")
        }
        #expect(error?.code == .desiredUnwritable)
        #expect(error?.cause?.contains("main.lock") == true)
        #expect(try text(lock) == "")
    }

    @Test("someone's open git commit keeps its index lock, and our commit goes on")
    func foreignIndexLock() async throws {
        let repository = try await repository()
        let lock = "\(dotGit)/index.lock"
        try DurableFile.write([], to: lock)
        #expect(try await repository.commit(["bottles/a.yaml": .write("1")], message: "m") != nil)
        #expect(try text(lock) == "")
        #expect(try await repository.dirtyFiles() == [])
        try POSIX.unlink(lock)
        #expect(try await repository.commit(["bottles/a.yaml": .write("2")], message: "m") != nil)
        try await expectSound()
    }

    @Test("what a killed writer and its killed git left is cleared by the next commit")
    func leftovers() async throws {
        let repository = try await repository()
        _ = try await repository.commit(["bottles/a.yaml": .write("1")], message: "m")
        _ = try await repository.commit(["bottles/a.yaml": .write("2")], message: "m")
        // As if killed after HEAD moved: the work tree is a revision behind, locks of git's lie about.
        try DurableFile.write(Array("1".utf8), to: "\(repository.folder)/bottles/a.yaml")
        try DurableFile.write(Array("bottles/a.yaml\n".utf8), to: "\(dotGit)/bottle-writing")
        try await shell(
            """
            touch HEAD.lock refs/heads/main.lock packed-refs.lock
            mkdir bottle-scratch.0123 bottle-scratch.4567 bottle-scratch.89ab
            cp index bottle-scratch.0123/index; ln bottle-scratch.0123/index index.lock
            touch bottle-scratch.4567/0 bottle-scratch.4567/index.lock
            """,
            in: dotGit
        )
        #expect(try await repository.commit(["bottles/b.yaml": .write("1")], message: "m") != nil)
        #expect(try text("\(repository.folder)/bottles/a.yaml") == "2")
        try await expectSound()
    }

    @Test("a git that outlives its killed writer leaves nothing behind the next commit")
    func outliving() async throws {
        let repository = try await repository()
        _ = try await repository.commit(["bottles/a.yaml": .write("1")], message: "m")
        let slow = "\(scratch.path)/slow"
        try POSIX.makeFolder(slow)
        // A git that does what it was told only when its writer is gone and the next one is done.
        try DurableFile.write(
            Array(
                """
                #!/bin/sh
                PATH=/usr/local/bin:/usr/bin:/bin
                case " $* " in
                *" update-index "*)
                    cat >'\(slow)/input'
                    touch '\(slow)/begun'
                    until test -e '\(slow)/go'; do sleep 0.02; done
                    git "$@" <'\(slow)/input'
                    touch '\(slow)/done' ;;
                *) exec git "$@" ;;
                esac

                """.utf8
            ),
            to: "\(slow)/git",
            mode: 0o700
        )
        let path = state.path
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, slow = slow as String] in
            let repository = try await DesiredRepository.create(
                in: try StateFolder.create(path),
                environment: ["PATH": "\(slow):/usr/local/bin:/usr/bin:/bin"]
            )
            Task.detached {
                while try POSIX.status("\(slow)/begun", followLinks: false) == nil {
                    try await Task.sleep(for: .milliseconds(5))
                }
                dieNow()
            }
            _ = try await repository.commit(["bottles/a.yaml": .write("2")], message: "m")
        }
        #expect(try await repository.commit(["bottles/b.yaml": .write("1")], message: "m") != nil)
        try await shell("touch go; until test -e done; do sleep 0.02; done", in: slow)
        try await expectSound()
    }

    @Test("what someone has staged stays staged, through commits and through the mending after a kill")
    func staged() async throws {
        let repository = try await repository()
        _ = try await repository.commit(["bottles/a.yaml": .write("1")], message: "m")
        try DurableFile.write(Array("mine".utf8), to: "\(repository.folder)/notes.txt")
        try await git("add notes.txt")
        _ = try await repository.commit(["bottles/a.yaml": .write("2")], message: "m")
        #expect(try await git("status --porcelain") == "A  notes.txt\n")
        try DurableFile.write(Array("bottles/a.yaml\nnotes.txt\n../x\n".utf8), to: "\(dotGit)/bottle-writing")
        _ = try await repository.commit(["bottles/a.yaml": .write("3")], message: "m")
        #expect(try await git("status --porcelain") == "A  notes.txt\n")
        #expect(try text("\(repository.folder)/notes.txt") == "mine")
        #expect(try await repository.snapshot().others == [:])
    }

    @Test("a folder that a killed maker left is cleared by the next")
    func leftoverCreation() async throws {
        try await shell("mkdir -p .desired.0123.tmp/.git/objects", in: state.path)
        _ = try await repository()
        #expect(try POSIX.names(in: state.path)?.filter { $0.hasPrefix(".desired") } == [])
        try await expectSound()
    }

    @Test("eight processes at once commit one line that holds every change")
    func concurrent() async throws {
        let path = state.path
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask {
                    await #expect(processExitsWith: .success) { [path = path as String, writer = writer as Int] in
                        let state = try StateFolder.create(path)
                        let repository = try await DesiredRepository.create(
                            in: state,
                            environment: ["PATH": "/usr/local/bin:/usr/bin:/bin"]
                        )
                        for number in 0..<50 {
                            _ = try await repository.commit(
                                [
                                    "bottles/w\(writer).yaml": .write("\(number)"),
                                    "bottles/shared.yaml": .write("\(writer) \(number)"),
                                ],
                                message: "Writer \(writer), \(number)"
                            )
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        let repository = try await repository()
        let snapshot = try await repository.snapshot()
        for writer in 0..<8 { #expect(snapshot.bottles[try Identity("w\(writer)")] == "49") }
        #expect(try await git("rev-list --count HEAD") == "401\n")
        #expect(
            try await git("log --format=%s HEAD").split(separator: "\n").filter { $0.hasPrefix("Writer") }.count == 400
        )
        #expect(try await repository.dirtyFiles() == [])
        try await expectSound()
    }

    @Test("a writer killed at any moment leaves a repository that the next commit finds whole")
    func killed() async throws {
        let repository = try await repository()
        _ = try await repository.commit(["bottles/dev.yaml": .write("0")], message: "m")
        let path = state.path
        var generator = SystemRandomNumberGenerator()
        for round in 0..<20 {
            let before = try await repository.head()
            let delay = Int.random(in: 0..<90_000, using: &generator)
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [path = path as String, round = round as Int, delay = delay as Int] in
                let state = try StateFolder.create(path)
                let repository = try await DesiredRepository.create(
                    in: state,
                    environment: ["PATH": "/usr/local/bin:/usr/bin:/bin"]
                )
                Task.detached {
                    try await Task.sleep(for: .microseconds(delay))
                    dieNow()
                }
                var number = 0
                while true {
                    _ = try await repository.commit(
                        [
                            "bottles/dev.yaml": .write("\(round) \(number)"), "bottles/n\(number % 3).yaml": .remove,
                            "bottles/n\((number + 1) % 3).yaml": .write("\(round) \(number)"),
                        ],
                        message: "Round \(round), \(number)"
                    )
                    number += 1
                }
            }
            let comment = Comment(rawValue: "round \(round), killed after \(delay) µs")
            let after = try await repository.head()
            try await git("merge-base --is-ancestor \(before) \(after)")
            #expect(try await repository.bottle(try Identity("dev")).text != nil, comment)
            let committed = try await repository.commit(
                ["bottles/last.yaml": .write("\(round)")],
                message: "After \(round)"
            )
            #expect(committed != nil, comment)
            #expect(try await repository.dirtyFiles() == [], comment)
            try await expectSound()
        }
    }
}
