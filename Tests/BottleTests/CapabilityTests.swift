import Reconciler
import ReconcilerEngine
import ReconcilerModel
import ReconcilerPlatform
import Testing

/// Builds of Dockerfiles that an agent proposed, on a real engine.
@Suite("The build of a proposed Dockerfile", .serialized, .needsEngine)
struct CapabilityTests {
    @Test("reaches a listed host, and no other, nor the engine's host, a neighbour, a resolver or the metadata address")
    func reach() async throws {
        try await BottleFixture.run { fixture in
            let internet = try await Internet.start(in: fixture)
            let neighbour = try await Internet.start(in: fixture)
            let sample = SampleBottle(name: fixture.name(), egress: internet.egress)
            let builds = Settings.Builds(allow: [try HostPattern("docs.bt.test")])
            let build = try await BuildFixture.applied(sample, in: fixture, builds: builds)
            let (host, port) = try await hostServer(in: fixture)
            let gateway = internet.subnet.replacing("0/24", with: "1")
            let mark = "m\(UInt32.random(in: 0...UInt32.max))"
            // That these would answer any client that can reach them.
            try await fixture.docker(
                "exec",
                internet.container,
                "curl",
                "-so",
                "/dev/null",
                "http://\(gateway):\(port)/before-\(mark)"
            )
            let direct = [
                "http://\(gateway):\(port)", "http://172.17.0.1:\(port)", "http://\(internet.address)",
                "http://\(neighbour.address)", "http://169.254.169.254", "http://docs.bt.test", "http://evil.bt.test",
            ]
            let proxied = direct.dropLast(2) + ["http://evil.bt.test", "https://evil.bt.test"]
            let steps = [
                "FROM bottle/agent", "USER root",
                "RUN curl -sf -m 20 http://docs.bt.test/plain-\(mark) && echo got plain",
                "RUN curl -skf -m 20 https://docs.bt.test/tls-\(mark) && echo got tls",
                "RUN for u in \(direct.joined(separator: " ")); do "
                    + "curl -sk -m 5 --noproxy '*' $u/direct-\(mark) && echo reached $u; done; true",
                "RUN for u in \(proxied.joined(separator: " ")); do "
                    + "curl -skf -m 20 $u/proxied-\(mark) && echo reached $u; done; true",
                "RUN for n in docs.bt.test localhost.bt.test \(internet.container); do "
                    + "getent hosts $n && echo resolved $n; done; true",
                "RUN echo interfaces $(ls /sys/class/net); test ! -e /var/run/docker.sock && echo no engine",
                "RUN env | grep -ci proxy | sed 's/^/variables /'",
            ]
            let outcome = try await build.build(steps.joined(separator: "\n") + "\n")
            let built = try #require(outcome.built, "\(String(describing: outcome.error))")
            #expect(outcome.output.contains("got plain") || outcome.output.contains { $0.hasSuffix("got plain") })
            #expect(!outcome.output.contains { $0.hasPrefix("reached ") || $0.hasPrefix("helloreached") })
            #expect(!outcome.output.contains { $0.hasPrefix("resolved ") })
            #expect(outcome.output.contains("interfaces lo"))
            #expect(outcome.output.contains("no engine"))
            #expect(outcome.output.contains("variables 6"))
            // Asserted at the other ends: what came, came for the listed host.
            let came = try await internet.requests(holding: mark, due: true)
            #expect(
                Set(came.map { "\($0.tls) \($0.host) \($0.path)" }) == [
                    "false docs.bt.test /plain-\(mark)", "true docs.bt.test /tls-\(mark)",
                ]
            )
            #expect(try await neighbour.requests(holding: mark, due: false).isEmpty)
            let served = try await fixture.run(["docker", "logs", host])
            #expect((served.output + served.errors).contains("/before-\(mark)"))
            #expect(!(served.output + served.errors).contains("direct-\(mark)"))
            #expect(!(served.output + served.errors).contains("proxied-\(mark)"))
            // Nothing of the way out stays in the image, and nothing of the site on the engine.
            let history = try await fixture.docker("history", "--no-trunc", built.imageID.text)
            #expect(!history.contains("127.0.0.1:8888"))
            #expect(try await build.leftovers() == [])
        }
    }

    /// A server on the engine's host itself, on all of its addresses.
    private func hostServer(in fixture: BottleFixture) async throws -> (container: String, port: Int) {
        let name = fixture.name()
        let port = Int.random(in: 20_000...30_000)
        try await fixture.docker(
            "run",
            "-d",
            "--name",
            name,
            "--network",
            "host",
            "bottle/agent",
            "python3",
            "-u",
            "-m",
            "http.server",
            "--bind",
            "0.0.0.0",
            "\(port)"
        )
        await fixture.onTearDown { try await fixture.engine.remove(name, force: true, volumes: true) }
        for _ in 0..<100 {
            if try await fixture.docker("logs", name).contains("Serving") { break }
            try await Task.sleep(for: .milliseconds(50))
        }
        return (name, port)
    }

    @Test("has no secret: no mount, no variable, no file and no way to ask for one, and the engine is not there")
    func secrets() async throws {
        try await BottleFixture.run { fixture in
            let build = try await BuildFixture.applied(.alone(fixture.name()), in: fixture)
            try fixture.write("canary", to: "secret")
            let steps = [
                "FROM bottle/agent", "USER root", "COPY . /context",
                "RUN echo context $(ls -A /context)",
                "RUN echo variables $(env | sed 's/=.*//' | sort)",
                "RUN echo mounts $(cut -d' ' -f2 /proc/self/mounts | grep -Ev '^/(proc|sys|dev)(/|$)' | sort)",
                "RUN for f in /run/secrets /run/buildkit /run/docker.sock /root/.docker /root/.ssh /run/host-services; "
                    + "do test -e $f && echo found $f; done; true",
            ]
            let outcome = try await build.build(steps.joined(separator: "\n") + "\n")
            _ = try #require(outcome.built, "\(String(describing: outcome.error))")
            #expect(outcome.output.contains("context Dockerfile"))
            #expect(outcome.output.contains("mounts / /etc/hostname /etc/hosts /etc/resolv.conf"), "\(outcome)")
            #expect(!outcome.output.contains { $0.hasPrefix("found ") })
            let own = try await fixture.docker(
                "inspect",
                "-f",
                "{{range .Config.Env}}{{println .}}{{end}}",
                "bottle/agent"
            )
            let usual = ["HOME", "HOSTNAME", "OLDPWD", "PATH", "PWD", "SHLVL", "_"]
            let known = Set(own.split(separator: "\n").map { String($0.prefix { $0 != "=" }) } + usual)
            let line = try #require(outcome.output.first { $0.hasPrefix("variables ") })
            #expect(Set(line.split(separator: " ").dropFirst().map(String.init)).subtracting(known) == [])
            for flag in ["secret,id=x", "ssh", "bind,target=/x", "cache,target=/x"] {
                let asked = try await build.build("FROM bottle/agent\nRUN --mount=type=\(flag) true\n")
                #expect(asked.error?.code == .dockerfileRefused && asked.output.isEmpty, "\(asked)")
            }
            #expect(try await build.leftovers() == [])
        }
    }

    @Test("that fails changes nothing, and tells its last lines without the builder's colours")
    func failing() async throws {
        try await BottleFixture.run { fixture in
            let build = try await BuildFixture.applied(.alone(fixture.name()), in: fixture)
            let before = try await fixture.snapshot()
            let contexts = try POSIX.names(in: "\(fixture.state)/contexts")
            let head = try fixture.desiredHead()
            let line = "RUN echo no such luck >&2; printf '\\033[2Jx\\n'; exit 7\n"
            let outcome = try await build.build("FROM bottle/agent\n\(line)")
            #expect(outcome.built == nil)
            #expect(outcome.error?.code == .buildFailed)
            #expect(outcome.error?.cause?.contains("no such luck") == true)
            #expect(outcome.error?.cause?.contains("\u{1b}") == false)
            #expect(outcome.error?.cause?.contains("[91m") == false)
            let refused = try await build.build("FROM bottle/agent\nADD http://h/x /x\n")
            #expect(refused.error?.code == .dockerfileRefused)
            #expect(try await fixture.snapshot() == before)
            #expect(try POSIX.names(in: "\(fixture.state)/contexts") == contexts)
            #expect(try fixture.desiredHead() == head)
            #expect(try await build.leftovers() == [])
            #expect(try await fixture.engine.images(labels: [], reference: "bottle/\(build.identity)-agent").isEmpty)
        }
    }

    @Test("changes nothing until it is committed, then only the agent, and is restricted again when the image is gone")
    func rebuilt() async throws {
        try await BottleFixture.run { fixture in
            let build = try await BuildFixture.applied(.alone(fixture.name()), in: fixture)
            let before = try await fixture.snapshot()
            let text = "FROM bottle/agent\nUSER root\nRUN ls /sys/class/net >/interfaces; date +%N >/made\nUSER node\n"
            let built = try #require(try await build.build(text).built)
            #expect(try await build.build(text).built == built)
            #expect(try await fixture.snapshot() == before)

            try await build.commit(built)
            let agent = "bottle-\(build.identity)-agent"
            let applied = try await fixture.applied(build.sample)
            #expect(try !applied.actions().contains { $0.hasPrefix("build") })
            #expect(try await fixture.snapshot().changed(in: before) == [agent])
            #expect(try await fixture.engine.container(agent).imageID == built.imageID.text)
            #expect(try await fixture.docker("exec", agent, "cat", "/interfaces") == "lo")
            let made = try await fixture.docker("exec", agent, "cat", "/made")

            try await fixture.docker("rm", "-f", agent)
            try await fixture.docker("rmi", "-f", built.imageID.text)
            let again = try await fixture.applied(build.sample)
            let image = try await fixture.engine.container(agent).imageID
            await fixture.onTearDown { try await fixture.engine.removeImage(image, force: true) }
            #expect(try again.actions(outcome: "done").contains("build image/agent"))
            #expect(try await fixture.docker("exec", agent, "cat", "/made") != made)
            #expect(try await fixture.docker("exec", agent, "cat", "/interfaces") == "lo")
            #expect(try await fixture.applied(build.sample).actions() == [])
            #expect(try await build.leftovers() == [])
        }
    }

    @Test("that is killed leaves nothing after the bottle's next pass, or its deletion")
    func killed() async throws {
        try await BottleFixture.run { fixture in
            let build = try await BuildFixture.applied(.alone(fixture.name()), in: fixture)
            let text = "FROM bottle/agent\nRUN sleep 8 # \(fixture.name())\n"
            let built = try #require(try await build.build(text).built)
            try await build.commit(built)
            let file = try fixture.write(build.sample)
            for last in ["apply", "delete"] {
                try await fixture.docker("rm", "-f", "bottle-\(build.identity)-agent")
                for image in try await fixture.engine.images(labels: [], reference: "bottle/\(build.identity)-agent") {
                    try await fixture.docker("rmi", "-f", image.id)
                }
                let killed = try await fixture.bottle(
                    ["apply", "-f", file, "--yes"],
                    kill: (signal: "KILL", after: .seconds(5))
                )
                #expect(killed.status != 0)
                #expect(try await build.leftovers() != [])
                if last == "apply" {
                    try await fixture.applied(build.sample)
                } else {
                    #expect(try await fixture.bottle("delete", build.sample.name, "--yes").status == 0)
                }
                #expect(try await build.leftovers() == [])
                for image in try await fixture.engine.images(labels: [], reference: "bottle/\(build.identity)-agent") {
                    await fixture.onTearDown { try await fixture.engine.removeImage(image.id, force: true) }
                }
            }
        }
    }

    @Test("ends at its time limit and at its size, and leaves no step running")
    func limits() async throws {
        try await BottleFixture.run { fixture in
            let builds = Settings.Builds(memory: 64 << 20, timeLimit: .seconds(5), size: 8 << 20)
            let build = try await BuildFixture.applied(.alone(fixture.name()), in: fixture, builds: builds)
            let base = "FROM bottle/agent\nUSER root\n"
            let slow = try await build.build("\(base)RUN echo begun; sleep 600\n")
            #expect(slow.error?.code == .buildFailed)
            #expect(slow.error?.message.contains("took longer than 5 s") == true)
            #expect(slow.error?.cause?.contains("begun") == true)
            #expect(try await build.leftovers() == [])
            let large = try await build.build("\(base)RUN head -c 9M /dev/zero >/x\n")
            #expect(large.error?.code == .buildFailed, "\(large)")
            let many = try await build.build("\(base)RUN for i in 1 2 3; do head -c 5M /dev/zero >/x$i; done\n")
            #expect(many.error?.message.contains("larger than its base") == true, "\(many)")
            let hungry = try await build.build("\(base)RUN python3 -c 'bytearray(200 << 20)'\n")
            #expect(hungry.error?.code == .buildFailed, "\(hungry)")
            #expect(try await fixture.engine.images(labels: [], reference: "bottle/\(build.identity)-agent").isEmpty)
            #expect(try await build.leftovers() == [])
        }
    }
}
