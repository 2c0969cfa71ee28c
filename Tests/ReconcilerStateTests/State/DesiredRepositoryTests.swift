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

@Suite("The desired-state repository")
struct DesiredRepositoryTests {
    let scratch: Scratch
    let state: StateFolder
    let environment: [String: String]

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

    private func expectSound(commits: Int? = nil) async throws {
        try await git("fsck --full --strict --no-dangling")
        #expect(try await git("status --porcelain") == "")
        let lock = try POSIX.names(in: "\(state.desired)/.git")?.filter {
            $0.hasSuffix(".lock") || $0.hasPrefix("bottle-")
        }
        #expect(lock == [])
        // A line: no commit has two parents.
        #expect(try await git("rev-list --min-parents=2 HEAD") == "")
        if let commits {
            // One more: the first, empty one.
            #expect(try await git("rev-list --count HEAD") == "\(commits + 1)\n")
        }
    }

    @Test("is not made by looking, and begins empty with a commit")
    func begins() async throws {
        #expect(try DesiredRepository.open(in: state, environment: environment) == nil)
        #expect(try POSIX.names(in: state.path)?.contains("desired") == false)
        let repository = try await repository()
        let snapshot = try await repository.snapshot()
        #expect(snapshot.bottles == [:])
        #expect(snapshot.others == [:])
        #expect(try await repository.head() == snapshot.revision)
        #expect(try DesiredRepository.open(in: state, environment: environment) != nil)
        try await expectSound(commits: 0)
    }

    @Test("returns what was committed, one bottle and all, with the revision")
    func roundTrip() async throws {
        let repository = try await repository()
        let (dev, prod) = (try Identity("dev"), try Identity("prod"))
        let manifest = "a: ü\n\n# trailing\r\n"
        let first = try #require(
            try await repository.commit([DesiredRepository.path(of: dev): .write(manifest)], message: "Apply dev")
        )
        let second = try #require(
            try await repository.commit(
                [
                    "bottles/prod.yaml": .write(""), "bottles/dev.yaml": .write("two"),
                    "remediations/dev/0001-host.yaml": .write("r"),
                ],
                message: "Apply both"
            )
        )
        #expect(try await repository.head() == second)
        #expect(try await repository.bottle(dev) == ("two", second))
        #expect(try await repository.bottle(prod) == ("", second))
        #expect(try await repository.bottle(try Identity("none")) == (nil, second))
        let snapshot = try await repository.snapshot()
        #expect(snapshot.bottles == [dev: "two", prod: ""])
        #expect(snapshot.others == ["remediations/dev/0001-host.yaml": "r"])
        #expect(try await repository.snapshot(at: first).bottles == [dev: manifest])
        #expect(try text("\(repository.folder)/bottles/dev.yaml") == "two")
        try await expectSound(commits: 2)
    }

    @Test("makes no commit when nothing changes")
    func nothing() async throws {
        let repository = try await repository()
        let change = ["bottles/dev.yaml": DesiredChange.write("one")]
        let first = try await repository.commit(change, message: "m")
        #expect(first != nil)
        #expect(try await repository.commit(change, message: "again") == nil)
        #expect(try await repository.commit(["bottles/none.yaml": .remove], message: "again") == nil)
        #expect(try await repository.commit([:], message: "again") == nil)
        #expect(try await repository.head() == first)
        try await expectSound(commits: 1)
    }

    @Test("tells the last change of every bottle at once as it tells each one's")
    func lastChanges() async throws {
        let repository = try await repository()
        #expect(try await repository.lastChanges(at: repository.head()) == [:])
        let names = try ["a", "b", "c"].map { try Identity($0) }
        for text in ["1", "2"] {
            for name in names {
                _ = try await repository.commit([DesiredRepository.path(of: name): .write(text)], message: "write")
            }
        }
        _ = try await repository.commit([DesiredRepository.path(of: names[1]): .remove], message: "delete")
        _ = try await repository.commit(["remediations/a/0001-x.yaml": .write("x")], message: "grant")
        // What a person puts there belongs to no bottle.
        let odd = String(repeating: "0", count: 40)
        try await git("-c user.name=x -c user.email=x commit -q --allow-empty -m nothing")
        let commit = "git add . && git -c user.name=x -c user.email=x commit -qm odd"
        try await shell("cd '\(state.desired)' && echo x >\(odd) && \(commit)", in: scratch.path)
        // Whether it was there all the time or begins now, and whichever process moved HEAD.
        for teller in [repository, try await self.repository()] {
            let all = try await teller.lastChanges(at: teller.head())
            #expect(Set(all.keys) == Set(names))
            for name in names { #expect(try await teller.lastChange(of: name) == all[name]) }
            #expect(try await teller.lastChange(of: try Identity("never")) == nil)
        }
        let before = try await repository.lastChange(of: names[2])
        try await git("rm -q bottles/c.yaml")
        try await git("-c user.name=x -c user.email=x commit -qm mine")
        #expect(try await repository.lastChange(of: names[2]) == repository.head())
        try await git("reset -q --hard HEAD~1")
        #expect(try await repository.lastChange(of: names[2]) == before)
        try await git("checkout -q -b side HEAD~2")
        try await git("-c user.name=x -c user.email=x commit -q --allow-empty -m side")
        try await git("-c user.name=x -c user.email=x merge -q --no-ff -m merge main")
        #expect(try await repository.lastChange(of: names[2]) == before)
    }

    @Test("tells the history of a bottle: when, by whom, why, the newest first, and what differs between two")
    func history() async throws {
        let repository = try await repository()
        let dev = try Identity("dev")
        #expect(try await repository.history(of: dev, limit: 9) == [])
        let path = DesiredRepository.path(of: dev)
        let author = Author(name: "Ada L", email: "ada@example.com")
        let first = try await repository.commit([path: .write("a: 1\n")], message: "one\n\nmore", author: author)
        _ = try await repository.commit(["bottles/other.yaml": .write("x")], message: "not this one")
        let second = try await repository.commit([path: .remove], message: "away", author: author)
        let told = try await repository.history(of: dev, limit: 9)
        #expect(told.map(\.revision) == [second, first])
        #expect(told.map(\.message) == ["away", "one\n\nmore"])
        #expect(told.map(\.author) == [author, author])
        #expect(told.allSatisfy { $0.time.hasPrefix("20") && $0.time.hasSuffix("Z") && !$0.isSigned })
        #expect(try await repository.history(of: dev, limit: 1).map(\.revision) == [second])

        let (old, new) = (try #require(first), try #require(second))
        #expect(try await repository.difference(of: dev, from: old, to: new).contains("\n-a: 1\n"))
        #expect(try await repository.difference(of: try Identity("none"), from: old, to: new) == "")
        for name in [new.id, new.short, "HEAD", "HEAD~0"] {
            #expect(try await repository.revision(named: name) == new)
        }
        #expect(try await repository.revision(named: "HEAD~2") == old)
        for name in ["", "main", "HEAD@{1}", "--all", "HEAD:x", "0000", "HEAD~9999", "\(new.id)~77"] {
            let error = await #expect(throws: BottleError.self) { try await repository.revision(named: name) }
            #expect(error?.code == .noRevision)
        }
    }

    @Test("forgets a removed bottle, in the commit and in the work tree")
    func removes() async throws {
        let repository = try await repository()
        _ = try await repository.commit(["bottles/dev.yaml": .write("one")], message: "m")
        _ = try await repository.commit(["bottles/dev.yaml": .remove], message: "Delete dev")
        #expect(try await repository.bottle(try Identity("dev")).text == nil)
        #expect(try POSIX.names(in: repository.folder) == [".git"])
        try await expectSound(commits: 2)
    }

    @Test("refuses a change that was made for another revision")
    func moved() async throws {
        let repository = try await repository()
        let old = try await repository.head()
        let new = try await repository.commit(["bottles/a.yaml": .write("1")], message: "m", expecting: old)
        let error = await #expect(throws: BottleError.self) {
            try await repository.commit(["bottles/a.yaml": .write("2")], message: "m", expecting: old)
        }
        #expect(error?.code == .desiredMoved)
        #expect(try await repository.head() == new)
        try await expectSound(commits: 1)
    }

    @Test(
        "takes no path that could leave it or reach git's own files",
        arguments: [
            "../x", "/etc/x", ".git/config", "bottles/.git/x", "bottles//x", "bottles/a\nb", "x", "bottles/X", "",
        ]
    )
    func paths(_ path: String) async throws {
        let repository = try await repository()
        await #expect(throws: BottleError.self) { try await repository.commit([path: .write("")], message: "m") }
        try await expectSound(commits: 0)
    }

    @Test("names the operator as author: their git's user, else login and host")
    func author() async throws {
        let repository = try await repository()
        _ = try await repository.commit(["bottles/a.yaml": .write("1")], message: "Reason\n\nMore")
        let login = try #require(UserEntry.current?.login)
        #expect(
            try await git("log -1 --format='%an %ae|%cn|%B'")
                == "\(login) \(login)@\(HostName.current)|\(login)|Reason\n\nMore\n\n"
        )
        try DurableFile.write(
            Array("[user]\n\tname = Ada \"L\" <x>\n\temail = ada@example.com\n".utf8),
            to: "\(scratch.path)/.gitconfig"
        )
        _ = try await repository.commit(["bottles/a.yaml": .write("2")], message: "m")
        #expect(try await git("log -1 --format='%an|%ae'") == "Ada L x|ada@example.com\n")
        _ = try await repository.commit(
            ["bottles/a.yaml": .write("3")],
            message: "m",
            author: Author(name: "\n<>", email: "")
        )
        #expect(try await git("log -1 --format='%an|%ae'") == "unknown|unknown\n")
    }

    @Test("signs what the operator commits when their git is told to, and commits nothing that it can't sign")
    func signs() async throws {
        let repository = try await repository()
        try await shell("ssh-keygen -q -t ed25519 -N '' -f key", in: scratch.path)
        let settings = "[commit]\n\tgpgSign\n[gpg]\n\tformat = ssh\n[user]\n\tsigningKey = ~/key.pub\n"
        try DurableFile.write(Array(settings.utf8), to: "\(scratch.path)/.gitconfig")
        let signed = try #require(try await repository.commit(["bottles/a.yaml": .write("1")], message: "m"))
        try await shell("echo \"a $(cat key.pub)\" >signers", in: scratch.path)
        try await git("-c gpg.ssh.allowedSignersFile='\(scratch.path)/signers' verify-commit \(signed)")
        // Not as the operator, but as another user.
        let author = Author(name: "x", email: "x")
        let other = try await repository.commit(["bottles/a.yaml": .write("2")], message: "m", author: author)
        #expect(try await !git("cat-file commit \(other?.id ?? "")").contains("SSH SIGNATURE"))

        try await shell("rm key key.pub", in: scratch.path)
        let error = await #expect(throws: BottleError.self) {
            try await repository.commit(["bottles/a.yaml": .write("3")], message: "m")
        }
        #expect(error?.code == .desiredUnsigned)
        #expect(try await repository.head() == other)
        try DurableFile.write(Array("[commit]\n\tgpgSign = false\n".utf8), to: "\(scratch.path)/.gitconfig")
        _ = try await repository.commit(["bottles/a.yaml": .write("4")], message: "m")
        try await expectSound(commits: 3)
    }

    @Test("works without HOME, and with a configuration file that git can't read")
    func withoutHome() async throws {
        let bare = try await DesiredRepository.create(in: state, environment: ["PATH": "/usr/bin:/bin"])
        #expect(try await bare.commit(["bottles/a.yaml": .write("1")], message: "m") != nil)
        try DurableFile.write(Array("[broken".utf8), to: "\(scratch.path)/.gitconfig")
        let broken = try await repository()
        #expect(try await broken.commit(["bottles/a.yaml": .write("2")], message: "m") != nil)
    }

    @Test("never runs what a template, a hook, a filter or a setting of the user names")
    func runsNothing() async throws {
        let ran = "\(scratch.path)/ran"
        let script = "\(scratch.path)/script"
        try DurableFile.write(Array("#!/bin/sh\necho \"$0\" >> '\(ran)'\ncat\nexit 1\n".utf8), to: script, mode: 0o755)
        let template = "\(scratch.path)/template"
        try await shell("mkdir -p \(template)/hooks", in: scratch.path)
        let hooks = [
            "pre-commit", "post-commit", "commit-msg", "prepare-commit-msg", "reference-transaction",
            "post-index-change",
            "post-checkout", "pre-auto-gc", "fsmonitor-watchman",
        ]
        for hook in hooks { try await shell("ln -s \(script) \(template)/hooks/\(hook)", in: scratch.path) }
        let settings = """
            [init]
                templateDir = \(template)
            [core]
                hooksPath = \(template)/hooks
                fsmonitor = \(script)
                attributesFile = \(scratch.path)/attributes
                editor = \(script)
                pager = \(script)
                sshCommand = \(script)
            [filter "x"]
                clean = \(script)
                smudge = \(script)
                required = true
            [credential]
                helper = \(script)
            [diff]
                external = \(script)

            """
        try DurableFile.write(Array(settings.utf8), to: "\(scratch.path)/.gitconfig")
        try DurableFile.write(Array("* filter=x\n".utf8), to: "\(scratch.path)/attributes")
        let hostile = environment.merging([
            "GIT_CONFIG_GLOBAL": "\(scratch.path)/.gitconfig", "GIT_DIR": "/nonexistent", "GIT_TEMPLATE_DIR": template,
            "GIT_INDEX_FILE": "/nonexistent", "GIT_EXTERNAL_DIFF": script, "GIT_OBJECT_DIRECTORY": "/nonexistent",
            "GIT_TRACE": "\(ran)", "EDITOR": script,
        ]) { $1 }
        let repository = try await DesiredRepository.create(in: state, environment: hostile)
        // And the same put into the repository itself.
        try await shell("rm -rf desired/.git/hooks; cp -r \(template)/hooks desired/.git/hooks", in: state.path)
        try await shell("cat .gitconfig >> state/desired/.git/config", in: scratch.path)
        for (key, value) in [("commit.gpgSign", "true"), ("gpg.program", script), ("user.signingKey", "x")] {
            try await git("config --local \(key) '\(value)'")
        }
        try await shell("mkdir -p state/desired/.git/info; cp attributes state/desired/.git/info/", in: scratch.path)
        _ = try #require(try await repository.commit(["bottles/a.yaml": .write("text")], message: "m"))
        #expect(try await repository.bottle(try Identity("a")).text == "text")
        #expect(try await repository.snapshot().bottles.count == 1)
        #expect(try await repository.dirtyFiles() == [])
        #expect(try text(ran) == nil)
        // The trap itself works: the user's own git falls into it.
        _ = try? await git("commit --allow-empty --message=x")
        #expect(try text(ran) != nil)
    }

    @Test("keeps what someone's own git commits beside it, in one line")
    func outsideCommits() async throws {
        let repository = try await repository()
        _ = try await repository.commit(["bottles/a.yaml": .write("1")], message: "m")
        try DurableFile.write(Array("mine".utf8), to: "\(repository.folder)/notes.txt")
        try await git("add notes.txt")
        try await git("-c user.name=x -c user.email=x commit --quiet --message=mine")
        _ = try await repository.commit(["bottles/a.yaml": .write("2")], message: "m")
        let snapshot = try await repository.snapshot()
        #expect(snapshot.others == ["notes.txt": "mine"])
        #expect(snapshot.bottles == [try Identity("a"): "2"])
        try await expectSound(commits: 3)
    }
}
