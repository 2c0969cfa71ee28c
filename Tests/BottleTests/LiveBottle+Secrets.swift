import FoundationEssentials
import ReconcilerEngine
import Testing

extension LiveBottle {
    @Suite("with secrets")
    struct Secrets {
        @Test("has their values in the egress-proxy's environment and nowhere else, whatever their source")
        func nowhereElse() async throws {
            let bottle = try SharedBottle.current()
            let fixture = bottle.fixture
            let values = ["BT_ENV", "BT_FILE", "BT_COMMAND"].map { "\($0)-s3cret-\(UInt64.random(in: .min ... .max))" }
            let folder = "\(fixture.folder)/secrets"
            _ = try await fixture.run(["mkdir", "-p", folder])
            let file = try fixture.write(values[1] + "\n", to: "secrets/file")
            let command = try fixture.write(values[2] + "\n", to: "secrets/command")
            try fixture.write(
                fixture.settings + "secrets:\n  BT_FILE: {file: \(file)}\n  BT_COMMAND: {command: [cat, \(command)]}\n",
                to: "config/bottle/config.yaml"
            )
            let names = ["BT_ENV", "BT_FILE", "BT_COMMAND"]
            let hosts = ["api.bt.test", "docs.bt.test", "more.bt.test"]
            let sample = bottle.sample.with {
                $0.name = fixture.name()
                $0.routes = zip(hosts, names).map { host, name in
                    "{host: \(host), methods: [GET], auth: {scheme: Bearer, token_ref: \(name)}}"
                }
            }
            let environment = ["BT_ENV": values[0]]
            let manifest = try fixture.write(sample)
            let lines = [
                ["diff", "-f", manifest, "-o", "json"], ["apply", "-f", manifest, "--dry-run", "--verbose"],
                ["apply", "-f", manifest, "--yes", "--verbose", "--reason", "canary-\(sample.name)"],
                ["apply", "-f", manifest, "-o", "json", "--verbose"], ["diff", sample.name], ["diff", "-o", "yaml"],
                ["get", "-o", "json"], ["describe", sample.name, "-o", "json"], ["describe", sample.name], ["doctor"],
                ["validate", "-f", manifest],
            ]
            var printed = ""
            let watch = try await ArgumentWatch.during(fixture, needles: values + ["canary-\(sample.name)"]) {
                for line in lines { printed += try await fixture.bottle(line, environment: environment).text }
            }
            // The bottle's own argument shows that the watch sees arguments.
            #expect(watch == ["canary-\(sample.name)"])

            // The values work, so they were worth looking for.
            let proxy = "bottle-\(sample.name)-egress-proxy"
            let agent = "bottle-\(sample.name)-agent"
            for (host, value) in zip(hosts, values) {
                let mark = fixture.name()
                let line = ["docker", "exec", agent, "curl", "-sS", "--max-time", "20", "https://\(host)/\(mark)"]
                #expect(try await fixture.run(line).output == "hello\n")
                let seen = try await bottle.internet.requests(holding: mark, due: true)
                #expect(seen.map { $0.headers["authorization"] } == ["Bearer \(value)"])
            }

            let snapshot = try await fixture.snapshot()
            var searched: [String: String] = ["what was printed": printed]
            for name in snapshot.containers.keys where name.contains(sample.name) {
                let inspected = try await fixture.docker("inspect", name)
                searched["logs of \(name)"] = try await fixture.run(["docker", "logs", name]).text
                searched["labels of \(name)"] = try await fixture.docker(
                    "inspect",
                    "-f",
                    "{{json .Config.Labels}}",
                    name
                )
                if name != proxy { searched["all of \(name)"] = inspected }
                let image = try await fixture.docker("inspect", "-f", "{{.Image}}", name)
                searched["layers of \(name)"] = try await fixture.docker("history", "--no-trunc", image)
                searched["image of \(name)"] = try await fixture.docker("inspect", image)
            }
            for object in Array(snapshot.networks.keys) + Array(snapshot.volumes) where object.contains(sample.name) {
                searched[object] = try await fixture.docker("inspect", object)
            }
            searched["the state folder"] = try await fixture.stateText()
            searched["the agent's processes and files"] = try await fixture.files(of: agent, needles: values)
            #expect(searched["the state folder"]?.contains(sample.name) == true)
            #expect(searched["the agent's processes and files"] == "root:x:0:0:\n")
            for (place, text) in searched {
                for value in values { #expect(!text.contains(value), "a secret is in \(place)") }
            }
            let inside = try await fixture.engine.container(proxy).config.environment ?? []
            for (name, value) in zip(names, values) { #expect(inside.contains("BOTTLE_CREDENTIAL_\(name)=\(value)")) }
            // Nor is it in the egress-proxy's own files.
            #expect(try await fixture.files(of: proxy, needles: values, processes: false) == "root:x:0:0:\n")

            let deleted = try await fixture.bottle("delete", sample.name, "--yes")
            #expect(deleted.status == 0)
        }
    }
}

extension BottleFixture {
    /// Everything below the state folder, and every object of its repository, as text.
    fileprivate nonisolated func stateText() async throws -> String {
        let line = """
            find "$1" -type f -exec cat {} +
            cd "$1/desired" && git log --all -p --format=fuller
            git cat-file --batch-all-objects --batch
            """
        let run = try await run(["sh", "-c", line, "sh", state])
        try #require(run.status == 0, "\(run)")
        return run.output
    }

    /// Those of `needles` that are in a container's files, or in its processes' environments and arguments.
    ///
    /// A line of /etc/passwd is always looked for, and found.
    fileprivate nonisolated func files(
        of container: String,
        needles: [String],
        processes: Bool = true
    ) async throws -> String {
        let places = processes ? "/ /proc/[0-9]*/environ /proc/[0-9]*/cmdline" : "/"
        let search = "grep -rsaohFf - --exclude-dir=proc --exclude-dir=sys \(places) | sort -u"
        let line = ["docker", "exec", "-i", "--user", "root", container, "sh", "-c", search]
        return try await run(line, input: (needles + ["root:x:0:0:"]).joined(separator: "\n") + "\n").output
    }
}

/// Watches the arguments of every process of the machine.
private enum ArgumentWatch {
    /// Those of `needles` that were an argument of some process, or part of one, while `body` ran.
    static func during(_ fixture: BottleFixture, needles: [String], _ body: () async throws -> Void) async throws
        -> [String]
    {
        let stop = "\(fixture.folder)/stop"
        async let watched = fixture.run(
            ["python3", "-c", program, stop],
            input: needles.joined(separator: "\n")
        )
        let result: Result<Void, any Error>
        do {
            result = .success(try await body())
        } catch {
            result = .failure(error)
        }
        try fixture.write("", to: "stop")
        let run = try await watched
        try result.get()
        try #require(run.status == 0, "\(run)")
        return run.output.split(separator: "\n").map(String.init)
    }

    private static let program = """
        import os, sys
        needles = [line.encode() for line in sys.stdin.read().split("\\n")]
        seen = set()
        while not os.path.exists(sys.argv[1]):
            for pid in os.listdir("/proc"):
                if pid.isdigit():
                    try:
                        with open(f"/proc/{pid}/cmdline", "rb") as file:
                            line = file.read()
                    except OSError:
                        continue
                    seen.update(needle for needle in needles if needle in line)
        print(*sorted(needle.decode() for needle in seen), sep="\\n")
        """
}
