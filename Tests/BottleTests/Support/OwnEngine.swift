import FoundationEssentials
import Reconciler
import ReconcilerPlatform
import Testing

/// A Docker engine that one test has for itself and may kill, in a network namespace of its own.
///
/// It ends with its fixture, and all that it ran. The namespace outlives the engine, as a machine outlives its daemon.
struct OwnEngine: Sendable {
    let fixture: BottleFixture
    /// Short, since containerd's socket below it must stay under 108 bytes.
    let folder: String

    var host: String { "unix://\(folder)/docker.sock" }

    /// Whether this machine lets us start one: as root, with its programs at hand.
    static func isPossible() async -> Bool {
        let line = """
            PATH=$PATH:/usr/sbin:/sbin
            [ "$(id -u)" = 0 ] || exit 1
            for program in dockerd containerd nsenter unshare ip; do command -v $program || exit 1; done
            """
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let run = try? await Program(
            "sh",
            ["-c", line],
            environment: ["PATH": path],
            workingFolder: "/",
            input: [],
            timeLimit: .seconds(60)
        ).run()
        return run?.status == .exited(0)
    }

    /// An engine with the given images of the fixture's engine.
    static func start(in fixture: BottleFixture, images: [String]) async throws -> OwnEngine {
        let engine = OwnEngine(fixture: fixture, folder: "/run/bt-\(POSIX.randomHexadecimal().prefix(8))")
        let made = try await engine.shell("mkdir -p $run && touch $run/net && unshare --net=$run/net ip link set lo up")
        try #require(made.status == 0, "\(made)")
        await fixture.onTearDown { try await engine.end() }
        try await engine.launch()
        let loaded = try await engine.shell("docker save \(images.joined(separator: " ")) | docker -H $host load")
        try #require(loaded.status == 0, "\(loaded)")
        return engine
    }

    /// Starts the daemon and waits until it answers.
    func launch(_ options: String...) async throws {
        let line = """
            rm -f $run/pid $run/docker.sock
            # What a killed containerd leaves keeps the next from starting.
            rm -f $run/containerd/containerd.pid $run/containerd/*.sock $run/containerd/*.sock.ttrpc
            setsid nsenter --net=$run/net dockerd --data-root $data --exec-root $run --pidfile $run/pid \\
                --host $host --config-file $data.json --bip 10.127.0.1/24 --shutdown-timeout 5 \\
                --default-address-pool base=10.127.128.0/18,size=24 \(options.joined(separator: " ")) \\
                </dev/null >$data.log 2>&1 &
            for i in $(seq 300); do docker -H $host version >/dev/null 2>&1 && exit; sleep 0.1; done
            tail -n 20 $data.log >&2
            exit 1
            """
        let run = try await shell("mkdir -p $data; echo '{}' >$data.json; \(line)")
        try #require(run.status == 0, "\(run)")
    }

    /// Kills the daemon and its containerd; what they run goes on.
    func kill() async throws {
        let run = try await shell(
            """
            processes="$(cat $run/pid) $(cat $run/containerd/containerd.pid)"
            kill -KILL $processes
            # One that is dead may have no parent that waits for it: it is a process without a command line then.
            for process in $processes; do
                while tr '\\0' ' ' 2>/dev/null </proc/$process/cmdline | grep -q .; do sleep 0.05; done
            done
            """
        )
        try #require(run.status == 0, "\(run)")
    }

    /// Runs the docker CLI on it; the test ends here when it fails.
    func docker(_ arguments: String...) async throws -> String {
        let run = try await fixture.run(["docker", "-H", host] + arguments)
        try #require(run.status == 0, "\(run)")
        return String(run.output.trimmingSuffix(while: \.isNewline))
    }

    private func end() async throws {
        if try await shell("docker -H $host version").status != 0 { try await launch() }
        let run = try await shell(
            """
            docker -H $host ps -aq | xargs -r docker -H $host rm -f >/dev/null
            daemon=$(cat $run/pid)
            kill $daemon
            for i in $(seq 150); do kill -0 $daemon 2>/dev/null || break; sleep 0.1; done
            for mount in $(awk -v a=$run/ -v b=$data/ 'index($5 "/", a) == 1 || index($5 "/", b) == 1 {print $5}' \\
                /proc/self/mountinfo | sort -r); do umount --lazy $mount; done
            rm -rf $run $data $data.json $data.log
            """
        )
        #expect(run.status == 0, "\(run)")
    }

    private func shell(_ line: String) async throws -> Run {
        let places = "PATH=$PATH:/usr/sbin:/sbin; run=\(folder); data=\(fixture.folder)/engine; host=\(host)\n"
        return try await fixture.run(["sh", "-c", places + line])
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips where no engine of the test's own can be started.
    static var needsOwnEngine: Self { .enabled("no engine can be started here") { await OwnEngine.isPossible() } }
}
