import ReconcilerEngine
import ReconcilerTime
import Testing

@Suite("Streams of a real engine", .enabled { await RealEngine.isWanted() })
struct RealEngineStreamTests {
    @Test("a command's outputs come apart, with its exit code")
    func exec() async throws {
        try await RealEngine.run { fixture in
            let id = try await fixture.container()
            try await fixture.engine.start(id)
            let command = ExecCreate(
                command: ["sh", "-c", "printf 'out %s' \"$WORD\"; printf err >&2; pwd; exit 3"],
                environment: ["WORD=x y"],
                workingFolder: "/usr"
            )
            let result = try await fixture.engine.exec(container: id, command)
            #expect(String(decoding: result.output, as: UTF8.self) == "out x y/usr\n")
            #expect(String(decoding: result.errors, as: UTF8.self) == "err")
            #expect(result.exitCode == 3)
            #expect(!result.isTruncated)
        }
    }

    @Test("a command reads what is written to it, until its input is closed")
    func execInput() async throws {
        try await RealEngine.run { fixture in
            let engine = fixture.engine
            let id = try await fixture.container()
            try await engine.start(id)
            let command = ExecCreate(command: ["sh", "-c", "cat; exit 5"], attachInput: true)
            let exec = try await engine.createExec(container: id, command)
            let stream = try await engine.startExec(exec, tty: false)
            try await stream.write(Array("one ".utf8))
            var frames = stream.output.makeAsyncIterator()
            var text = String(decoding: try await frames.next()?.bytes ?? [], as: UTF8.self)
            #expect(text == "one ")
            try await stream.write(Array("two".utf8))
            try await stream.closeInput()
            while let frame = try await frames.next() { text += String(decoding: frame.bytes, as: UTF8.self) }
            #expect(text == "one two")
            try await Task.sleep(for: .milliseconds(200))
            #expect(try await engine.exec(exec).exitCode == 5)
        }
    }

    @Test("output past the limit is dropped, and the command still ends")
    func execLimit() async throws {
        try await RealEngine.run { fixture in
            let id = try await fixture.container()
            try await fixture.engine.start(id)
            let command = ExecCreate(command: ["head", "-c", "20000000", "/dev/zero"])
            let result = try await fixture.engine.exec(container: id, command, limit: 1000)
            #expect(result.output.count == 1000)
            #expect(result.isTruncated)
            #expect(result.exitCode == 0)
        }
    }

    @Test("a command that can't be run, or a container that does not run, is told in the engine's words")
    func execRefused() async throws {
        try await RealEngine.run { fixture in
            let id = try await fixture.container()
            let stopped = await failure {
                _ = try await fixture.engine.exec(container: id, ExecCreate(command: ["true"]))
            }
            #expect(stopped?.isConflict == true)
            #expect(stopped?.description.contains("is not running") == true)
            try await fixture.engine.start(id)
            let missing = try await fixture.engine.exec(container: id, ExecCreate(command: ["/no/such"]))
            #expect(missing.exitCode == 126 || missing.exitCode == 127)
        }
    }

    @Test("what a container wrote comes back, from both outputs, and the tail of it when asked")
    func logs() async throws {
        try await RealEngine.run { fixture in
            let script = "echo one; echo two >&2; sleep 0.2; echo three"
            let id = try await fixture.container(command: ["sh", "-c", script])
            try await fixture.engine.start(id)
            var text: [OutputFrame.Channel: String] = [:]
            for try await frame in try await fixture.engine.logs(container: id, options: LogOptions(follow: true)) {
                text[frame.channel, default: ""] += String(decoding: frame.bytes, as: UTF8.self)
            }
            #expect(text == [.output: "one\nthree\n", .errors: "two\n"])
            var tail = ""
            for try await frame in try await fixture.engine.logs(container: id, options: LogOptions(tail: 1)) {
                tail += String(decoding: frame.bytes, as: UTF8.self)
            }
            #expect(tail == "three\n")
        }
    }

    @Test("events of the asked-for kind arrive while they happen, and past ones by their time")
    func events() async throws {
        try await RealEngine.run { fixture in
            let engine = fixture.engine
            let word = fixture.name("event")
            let filters = ["type": ["network"], "label": ["\(RealEngine.label)=\(word)"]]
            let live = try await engine.events(EventQuery(filters: ["type": ["volume"]]))
            let past = Timestamp(seconds: RealEngine.now() - 1)
            let volume = try await fixture.volume()
            var found: EngineEvent?
            for try await event in live where event.actorID == volume {
                found = event
                break
            }
            #expect(found?.type == "volume" && found?.action == "create")
            #expect((found?.timeNanoseconds ?? 0) > past.seconds * 1_000_000_000)

            let until = Timestamp(seconds: RealEngine.now() + 1)
            var actions: [String] = []
            let query = EventQuery(since: past, until: until, filters: ["type": ["volume"]])
            for try await event in try await engine.events(query) where event.actorID == volume {
                actions.append(event.action)
            }
            #expect(actions == ["create"])
            for try await event in try await engine.events(EventQuery(since: past, until: past, filters: filters)) {
                Issue.record("an event that was not asked for: \(event)")
            }
        }
    }

    @Test("a build tells its progress and gives the image, labelled and tagged, which can then be removed")
    func build() async throws {
        try await RealEngine.run { fixture in
            let engine = fixture.engine
            let tag = "\(fixture.name("image")):one"
            let dockerfile = "FROM \(RealEngine.image)\nARG WORD\nENV FOUND=$WORD\nUSER 12:34\n"
            var tar = TarWriter()
            try tar.add(TarEntry(path: "sub/Dockerfile"), content: Array(dockerfile.utf8))
            let options = BuildOptions(
                tags: [tag],
                dockerfile: "sub/Dockerfile",
                labels: [RealEngine.label: tag],
                arguments: ["WORD": "a&b=c"]
            )
            await fixture.onTearDown { try await $0.removeImage(tag, force: true) }
            var text = ""
            let id = try await engine.buildImage(context: .bytes(tar.finish()), options: options) { line in
                text += line.text ?? ""
            }
            #expect(text.contains("Step 1/"))
            let image = try await engine.image(tag)
            #expect(image.id == id)
            #expect(image.tags.contains(tag))
            #expect(image.config.user == "12:34")
            #expect(image.config.environment?.contains("FOUND=a&b=c") == true)
            let listed = try await engine.images(labels: ["\(RealEngine.label)=\(tag)"], reference: nil)
            #expect(listed.map(\.id) == [id])

            let other = tag.replacing(":one", with: ":two")
            try await engine.tag(id, as: other)
            #expect(try await engine.images(labels: [], reference: other).map(\.id) == [id])
            try await engine.removeImage(other, force: false)
            #expect(await failure { _ = try await engine.image(other) }?.isNotFound == true)
        }
    }

    @Test("a failing build ends with the failing step's own words")
    func failingBuild() async throws {
        try await RealEngine.run { fixture in
            var tar = TarWriter()
            let dockerfile = "FROM \(RealEngine.image)\nRUN echo before && exit 9\n"
            try tar.add(TarEntry(path: "Dockerfile"), content: Array(dockerfile.utf8))
            let context = EngineBody.bytes(tar.finish())
            var text = ""
            let error = await failure {
                _ = try await fixture.engine.buildImage(context: context, options: BuildOptions(tags: [])) {
                    text += $0.text ?? ""
                }
            }
            #expect(text.contains("before\n"))
            guard case .stepFailed(let words, code: 9) = error else {
                Issue.record("not a failed build: \(String(describing: error))")
                return
            }
            #expect(words == "The command '/bin/sh -c echo before && exit 9' returned a non-zero code: 9")
            let syntax = await failure {
                var tar = TarWriter()
                try tar.add(TarEntry(path: "Dockerfile"), content: Array("NONSENSE\n".utf8))
                let context = EngineBody.bytes(tar.finish())
                _ = try await fixture.engine.buildImage(context: context, options: BuildOptions(tags: []))
            }
            #expect(syntax?.status == 400)
            #expect(syntax?.description.lowercased().contains("unknown instruction: nonsense") == true)
        }
    }

    @Test("cancelling a reader of events ends at once")
    func cancelEvents() async throws {
        try await RealEngine.run { fixture in
            let engine = fixture.engine
            let reader = Task {
                for try await _ in try await engine.events(EventQuery(filters: ["type": ["plugin"]])) {}
            }
            try await Task.sleep(for: .milliseconds(100))
            reader.cancel()
            let result = await reader.result
            #expect(throws: EngineError.cancelled) { try result.get() }
        }
    }
}
