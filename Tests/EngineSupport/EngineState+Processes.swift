package import ReconcilerEngine
import ReconcilerTime

/// Time, and what lives in it.
extension EngineState {
    /// Lets a millisecond pass: every program that is not idle lives through it.
    package mutating func pass() {
        advance(milliseconds: 1)
        for id in containers.keys.sorted() {
            guard let container = containers[id], container.isRunning, !container.state.isPaused,
                !container.program.isIdle
            else { continue }
            with(id) { program, machine in program.tick(&machine) }
        }
    }

    mutating func advance(milliseconds: Int) {
        let nanoseconds = clock.nanoseconds + Int64(milliseconds % 1000) * 1_000_000
        clock.seconds += Int64(milliseconds / 1000) + nanoseconds / 1_000_000_000
        clock.nanoseconds = nanoseconds % 1_000_000_000
    }

    /// Lets a container's program do something, and takes it down when it ended by it.
    private mutating func with(
        _ id: String,
        _ body: (inout any ContainerProgram, inout ContainerMachine) -> Void
    ) {
        guard var program = containers[id]?.program else { return }
        var machine = ContainerMachine(state: self, id: id)
        body(&program, &machine)
        self = machine.state
        containers[id]?.program = program
        if let ending = machine.ending { ended(id, ending) }
    }

    /// Delivers a signal to a running container; one that is paused is thawed by it.
    mutating func deliver(_ signal: String, to id: String) {
        guard let container = containers[id], container.isRunning else { return }
        if container.state.isPaused { thaw(id) }
        tell("kill", of: container, ["signal": String(Self.numbers[signal] ?? 0)])
        guard signal != "KILL" else { return ended(id, .exited(137)) }
        var isHandled = false
        with(id) { program, machine in isHandled = program.handle(signal, &machine) }
        guard !isHandled, !["CHLD", "CONT", "URG", "WINCH"].contains(signal), let number = Self.numbers[signal] else {
            return
        }
        // The kernel keeps a first process without a handler alive; under an init the program is not the first.
        if container.hostConfig.initProcess == true { ended(id, .exited(128 + number)) }
    }

    /// Ends a container's program as the kernel does when memory runs out.
    package mutating func runOutOfMemory(_ reference: String) throws(EngineError) {
        ended(try find(reference).id, .outOfMemory)
    }

    /// Ends a container's program by itself.
    package mutating func exit(_ reference: String, code: Int) throws(EngineError) {
        ended(try find(reference).id, .exited(code))
    }

    /// Edits a file as the program inside does: without an event.
    package mutating func edit(
        _ path: String,
        in reference: String,
        _ change: (inout FileTree.Node) -> Void
    ) throws(EngineError) {
        let id = try find(reference).id
        guard let place = try locate(path, in: id, as: .program, followsLast: false), var node = node(place) else {
            throw Self.refusal(404, "there is no \(path) to edit")
        }
        change(&node)
        write(node, place)
    }

    /// Takes down what a container held, since its program ended.
    mutating func ended(_ id: String, _ ending: ContainerMachine.Ending) {
        guard var container = containers[id], container.isRunning else { return }
        container.state.status = "exited"
        container.state.isRunning = false
        container.state.isPaused = false
        container.state.pid = 0
        container.state.exitCode = ending.code
        container.state.wasOutOfMemory = ending == .outOfMemory
        container.state.finishedAt = clock
        container.memory = [:]
        containers[id] = container
        if ending == .outOfMemory { tell("oom", of: container) }
        tell("die", of: container, ["exitCode": String(ending.code)])
        for name in container.endpoints.keys.sorted() { takeDown(name, of: id) }
        guard !container.isAskedToEnd, isRestarted(container, ending.code) else { return }
        containers[id]?.restartCount += 1
        try? start(id)
    }

    private func isRestarted(_ container: MemoryContainer, _ code: Int) -> Bool {
        switch container.hostConfig.restartPolicy?.name ?? "" {
        case "always", "unless-stopped": true
        case "on-failure":
            code != 0
                && (container.hostConfig.restartPolicy?.maximumRetries.map { $0 == 0 || container.restartCount < $0 }
                    ?? true)
        default: false
        }
    }

    // MARK: - Signals

    static let numbers = [
        "HUP": 1, "INT": 2, "QUIT": 3, "KILL": 9, "USR1": 10, "USR2": 12, "ALRM": 14, "TERM": 15, "CHLD": 17,
        "CONT": 18,
        "URG": 23, "WINCH": 28,
    ]

    /// A signal's short name: `HUP` for `SIGHUP`, `HUP` and `1`.
    static func signalName(_ text: String) -> String? {
        if let number = Int(text) { return numbers.first { $0.value == number }?.key }
        let upper = text.uppercased()
        let name = upper.hasPrefix("SIG") ? String(upper.dropFirst(3)) : upper
        return numbers[name] == nil ? nil : name
    }

    // MARK: - Commands

    /// Runs a command in a running container to its end; it must be a `ShellLine`.
    package mutating func exec(_ reference: String, _ request: ExecCreate) throws(EngineError) -> ExecResult {
        let container = try find(reference)
        guard container.isRunning else { throw Self.refusal(409, "Container \(container.id) is not running") }
        guard !container.state.isPaused else {
            throw Self.refusal(409, "Container \(container.id) is paused, unpause the container before exec")
        }
        let id = freshID("exec")
        let words = request.command.joined(separator: " ")
        tell("exec_create: \(words)", of: container, ["execID": id])
        tell("exec_start: \(words)", of: container, ["execID": id])
        var result = ExecResult()
        if let line = ShellLine(command: request.command) {
            var machine = ContainerMachine(state: self, id: container.id)
            result = line.run(&machine)
            self = machine.state
        } else {
            result.errors = Array("the in-memory engine knows no such command: \(words)\n".utf8)
            result.exitCode = 127
        }
        execs[id] = ExecDetails(id: id, containerID: container.id, exitCode: result.exitCode)
        tell("exec_die", of: container, ["execID": id, "exitCode": String(result.exitCode)])
        return result
    }
}
