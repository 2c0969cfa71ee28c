import FoundationEssentials
import Reconciler
import ReconcilerEngine
import ReconcilerPlatform
import Testing

/// `bottle run`: what happens to a bottle while the controller looks after it.
@Suite struct RunTests {
    @Test func theControllerHealsDriftTakesUpEditsAndEndsWhenAsked() async throws {
        try await BottleFixture.run { fixture in
            let sample = SampleBottle(
                name: fixture.name(),
                agent: ["command: [sleep, infinity]"],
                allowlist: ["files.bt.test"],
                routes: ["{host: api.bt.test}"]
            )
            try await fixture.applied(sample)
            try await fixture.underController { log in
                try await fixture.heals(sample, agentStays: true, "firewall stopped") {
                    try await fixture.docker("stop", "-t", "0", "bottle-\(sample.name)-firewall")
                }
                try await fixture.heals(sample, agentStays: true, "agent on the bridge") {
                    try await fixture.docker("network", "connect", "bridge", "bottle-\(sample.name)-agent")
                }
                try await fixture.heals(sample, agentStays: true, "egress-proxy removed") {
                    try await fixture.docker("rm", "-f", "bottle-\(sample.name)-egress-proxy")
                }
                try await fixture.heals(sample, agentStays: true, "egress-proxy paused") {
                    try await fixture.freeze("bottle-\(sample.name)-egress-proxy")
                }
                try await fixture.heals(sample, agentStays: false, "agent removed") {
                    try await fixture.docker("rm", "-f", "bottle-\(sample.name)-agent")
                }
                try await fixture.heals(sample, agentStays: true, "file edited by exec") {
                    try await fixture.docker(
                        "exec",
                        "bottle-\(sample.name)-egress-proxy",
                        "sh",
                        "-c",
                        "echo >>/etc/egress-proxy/routes.yaml"
                    )
                }
                // A commit of another process, such as an approval's.
                let before = try await fixture.routes(of: sample)
                try await fixture.edit(sample) { $0.replacing("host: api.bt.test", with: "host: more.bt.test") }
                try await fixture.until("the edit is in force") {
                    let now = try await fixture.routes(of: sample)
                    return now != before && now.contains("more.bt.test")
                }
                let told = try log()
                #expect(told.contains("drift: container/firewall"), "\(told)")
            }
        }
    }

    @Test func aBottleThatACommitDeletedGoesAndOneThatNoRevisionEverHadStays() async throws {
        try await BottleFixture.run { fixture in
            let gone = SampleBottle(name: fixture.name(), agent: ["command: [sleep, infinity]"])
            let kept = SampleBottle(name: fixture.name(), agent: ["command: [sleep, infinity]"])
            try await fixture.applied(gone)
            try await fixture.applied(kept)
            try await fixture.underController { _ in
                try await fixture.git("rm", "-q", "bottles/\(gone.name).yaml")
                try await fixture.git("commit", "-q", "-m", "remove it")
                try await fixture.until("everything of it is gone") {
                    let label = "label=dev.bottle.identity=\(gone.name)"
                    let left = try await fixture.docker("ps", "-aq", "--filter", label)
                    let volumes = try await fixture.docker("volume", "ls", "-q", "--filter", label)
                    return (left + volumes).isEmpty
                }
                #expect(try await fixture.docker("ps", "-q", "--filter", "name=bottle-\(kept.name)-agent") != "")
            }
        }
    }

    @Test func aStrangerOnTheBottlesNetworkIsReportedAndNotTouched() async throws {
        try await BottleFixture.run { fixture in
            let sample = SampleBottle(name: fixture.name())
            try await fixture.applied(sample)
            try await fixture.underController { _ in
                let stranger = fixture.name()
                let line = ["docker", "run", "-d", "--name", stranger, "--network", "none", "bottle/agent"]
                try #require(try await fixture.run(line + ["sleep", "99"]).status == 0)
                await fixture.onTearDown { try await fixture.engine.remove(stranger, force: true, volumes: true) }
                try await fixture.docker("network", "disconnect", "none", stranger)
                try await fixture.docker("network", "connect", "bottle-\(sample.name)-internal", stranger)
                let degraded = ["wait", sample.name, "--timeout", "30s", "--for"]
                let seen = try await fixture.bottle(degraded + ["condition=Degraded"])
                #expect(seen.status == 0, "\(seen)")
                let networks = try await fixture.engine.container(stranger).networks
                #expect(networks["bottle-\(sample.name)-internal"] != nil)
                try await fixture.docker("network", "disconnect", "bottle-\(sample.name)-internal", stranger)
                let over = try await fixture.bottle(degraded + ["condition=Degraded=False"])
                #expect(over.status == 0, "\(over)")
            }
        }
    }

    @Test func anAgentThatEndsAgainAndAgainIsStartedLessAndLessOften() async throws {
        try await BottleFixture.run { fixture in
            var sample = SampleBottle.alone(fixture.name())
            sample.agent = ["command: [sh, -c, 'exit 3']", "restart: always"]
            try await fixture.applied(sample)
            try await fixture.underController { log in
                func starts() throws -> Int {
                    try log().split(separator: "\n").count { $0.contains("start container/agent (ended)") }
                }
                try await fixture.until("it was started again, and again") { try starts() >= 2 }
                try await fixture.until("it rests") {
                    let item = try await fixture.bottle("get", sample.name, "-o", "json").document()["items"].list.first
                    return item?["conditions"].list.contains { $0["reason"].text == "AgentRests" } == true
                }
                try await Task.sleep(for: .seconds(4))
                // Without rests there would be dozens by now.
                let count = try starts()
                #expect(count <= 8)
            }
        }
    }

    @Test func itOutlivesAnEngineThatCanNotBeReached() async throws { try await Self.outlivesEngine(goneFor: .zero) }

    /// - Parameter time: how long the engine stays away after the controller said so.
    static func outlivesEngine(goneFor time: Duration) async throws {
        try await BottleFixture.run { fixture in
            let sample = SampleBottle(name: fixture.name())
            try await fixture.applied(sample)
            let known = fixture.environment["DOCKER_HOST"] ?? "unix:///var/run/docker.sock"
            try #require(known.hasPrefix("unix://"))
            let link = "\(fixture.folder)/engine.sock"
            let place = ["ln", "-sfn", String(known.dropFirst("unix://".count)), link]
            try #require(try await fixture.run(place).status == 0)
            let environment = ["DOCKER_HOST": "unix://\(link)"]
            try await fixture.underController(environment: environment, timeLimit: .seconds(120) + time) { log in
                try #require(try await fixture.run(["rm", link]).status == 0)
                try await fixture.docker("stop", "-t", "0", "bottle-\(sample.name)-firewall")
                try await fixture.until("it says that the engine is gone") { try log().contains("error:") }
                try await Task.sleep(for: time)
                try #require(try await fixture.run(place).status == 0)
                try await fixture.until("healed all the same") {
                    try await fixture.bottle("diff", sample.name, "-o", "json").status == 0
                }
            }
        }
    }

    @Test func thereIsOneControllerForAStateFolder() async throws {
        try await BottleFixture.run { fixture in
            try await fixture.underController { _ in
                let second = try await fixture.bottle("run")
                #expect(second.status == 1)
                #expect(second.errors.contains("another controller"), "\(second)")
            }
        }
    }

    @Test func onePassOfAllBottlesSaysWhetherTheyAreAsDeclared() async throws {
        try await BottleFixture.run { fixture in
            let sample = SampleBottle(name: fixture.name(), agent: ["command: [sleep, infinity]"])
            try await fixture.applied(sample)
            try await fixture.docker("rm", "-f", "bottle-\(sample.name)-firewall")
            let healing = try await fixture.bottle("run", "--once")
            #expect(healing.status == 0, "\(healing)")
            let quiet = try await fixture.bottle("diff", sample.name, "-o", "json")
            #expect(quiet.status == 0, "\(quiet)")
            try await fixture.docker("rm", "-f", "bottle-\(sample.name)-firewall")
            try await fixture.docker("create", "--name", "bottle-\(sample.name)-firewall", "bottle/agent")
            await fixture.onTearDown {
                try await fixture.engine.remove("bottle-\(sample.name)-firewall", force: true, volumes: true)
            }
            let blocked = try await fixture.bottle("run", "--once")
            #expect(blocked.status == 1, "\(blocked)")
        }
    }

    @Test func oneRoundFinishesWhatACommitDeletedBesideABottleThatItHeals() async throws {
        try await BottleFixture.run { fixture in
            let gone = SampleBottle(name: fixture.name(), agent: ["command: [sleep, infinity]"])
            let kept = SampleBottle(name: fixture.name(), agent: ["command: [sleep, infinity]"])
            try await fixture.applied(gone)
            try await fixture.applied(kept)
            // What a delete leaves that was killed after its commit.
            try await fixture.git("rm", "-q", "bottles/\(gone.name).yaml")
            try await fixture.git("commit", "-q", "-m", "remove it")
            try await fixture.docker("stop", "-t", "0", "bottle-\(kept.name)-firewall")
            let round = try await fixture.bottle("run", "--once")
            #expect(round.status == 0, "\(round)")
            let label = "label=dev.bottle.identity=\(gone.name)"
            for list in [["ps", "-aq"], ["network", "ls", "-q"], ["volume", "ls", "-q"]] {
                let left = try await fixture.run(["docker"] + list + ["--filter", label])
                #expect(left.status == 0 && left.output == "", "\(list): \(left)")
            }
            #expect(try await fixture.bottle("diff", kept.name, "-o", "json").status == 0)
            let lists = try await fixture.bottle("get", "-o", "json").document()["items"].list
            #expect(lists.compactMap { $0["identity"].text } == [kept.name])
        }
    }
}

extension BottleFixture {
    /// Runs `body` while a controller of the fixture's state folder, or of the environment's, runs; expects it to end
    /// well when asked.
    ///
    /// - Parameters:
    ///   - prefix: the beginning of the controller's command line.
    ///   - sweep: seconds between two looks at everything.
    ///   - timeLimit: how long it may run at most.
    nonisolated func underController(
        environment more: [String: String] = [:],
        through prefix: String = "",
        sweep: Int = 600,
        timeLimit: Duration = .seconds(120),
        _ body: ((() throws -> String)) async throws -> Void
    ) async throws {
        let environment = environment.merging(more) { $1 }
        let state = environment["BOTTLE_STATE_DIR"] ?? state
        let log = "\(state).log"
        // What an earlier one said would stand for this one's word.
        try DurableFile.remove(log)
        try await withThrowingTaskGroup(of: Run.self) { group in
            let command = "exec \(prefix) '\(executable)' run --interval 2 --sweep \(sweep) 2>'\(log)'"
            group.addTask {
                try await self.run(["sh", "-c", command], environment: environment, timeLimit: timeLimit)
            }
            let read: () throws -> String = {
                String(decoding: try DurableFile.read(log, limit: 1 << 22) ?? [], as: UTF8.self)
            }
            try await until("the controller runs") { try read().contains("revision") }
            let lock = "\(state)/locks/.controller.lock"
            let holder = String(decoding: try DurableFile.read(lock, limit: 32) ?? [], as: UTF8.self)
            let process = String(holder.trimmingSuffix(while: \.isNewline))
            do {
                try await body(read)
            } catch {
                _ = try await self.run(["kill", "-KILL", process])
                throw error
            }
            _ = try await self.run(["kill", "-TERM", process])
            let ended = try await group.next()
            let told = try read()
            #expect(ended?.status == 0, "\(told)")
        }
    }

    /// Waits, far longer than it should take: engines on busy machines have stood still for a minute.
    nonisolated func until(_ what: String, _ isSo: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(120)
        while ContinuousClock.now < deadline {
            if try await isSo() { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        Issue.record("waited in vain: \(what)")
    }

    /// Damages a bottle and expects it to become whole without anybody's help, and its agent to live on.
    nonisolated func heals(
        _ sample: SampleBottle,
        agentStays: Bool,
        _ what: String,
        damage: () async throws -> Void
    ) async throws {
        let agent = try await docker("inspect", "-f", "{{.Id}}", "bottle-\(sample.name)-agent")
        try await damage()
        try await until("healed: \(what)") {
            try await bottle("diff", sample.name, "-o", "json").status == 0
        }
        if agentStays {
            let now = try await docker("inspect", "-f", "{{.Id}}", "bottle-\(sample.name)-agent")
            #expect(now == agent, "\(what)")
        }
    }

    nonisolated func routes(of sample: SampleBottle) async throws -> String {
        try await docker("exec", "bottle-\(sample.name)-egress-proxy", "cat", "/etc/egress-proxy/routes.yaml")
    }

    /// Runs git in the desired-state repository, as an operator would.
    nonisolated func git(_ arguments: String...) async throws {
        let line = ["git", "-C", "\(state)/desired", "-c", "user.name=operator", "-c", "user.email=o@bt.test"]
        let run = try await run(line + arguments)
        try #require(run.status == 0, "\(run)")
    }

    /// Commits an edit of a bottle's stored manifest.
    nonisolated func edit(_ sample: SampleBottle, _ change: (String) -> String) async throws {
        let path = "\(state)/desired/bottles/\(sample.name).yaml"
        let text = String(decoding: try DurableFile.read(path, limit: 1 << 20) ?? [], as: UTF8.self)
        try DurableFile.write(Array(change(text).utf8), to: path)
        try await git("commit", "-q", "-a", "-m", "edit")
    }
}
