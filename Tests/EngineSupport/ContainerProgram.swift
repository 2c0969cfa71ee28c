package import ReconcilerEngine
package import ReconcilerTime

/// What runs inside a container of the in-memory engine.
///
/// A value: the engine keeps it with the container, and makes a fresh one at each start.
package protocol ContainerProgram: Sendable {
    /// Whether nothing more will happen in it until it gets a signal.
    var isIdle: Bool { get }
    /// Lives through one moment; called once an engine call while it is not idle or paused.
    mutating func tick(_ machine: inout ContainerMachine)
    /// Takes a signal by its short name, such as `HUP`; false: it has no handler for it.
    mutating func handle(_ signal: String, _ machine: inout ContainerMachine) -> Bool
}

/// What a program can see of its container, and do in it.
package struct ContainerMachine: Sendable {
    var state: EngineState
    let id: String
    var ending: Ending?

    /// How a program's process ended.
    enum Ending: Sendable, Hashable {
        case exited(Int)
        case outOfMemory

        var code: Int {
            switch self {
            case .exited(let code): code
            case .outOfMemory: 137
            }
        }
    }

    /// The time inside.
    package var now: Timestamp { state.clock }

    /// The content of a file, through links; nil when there is none.
    package func read(_ path: String) -> [UInt8]? {
        guard let place = try? state.locate(path, in: id, as: .program, followsLast: true) else { return nil }
        return state.node(place)?.content
    }

    /// Puts a node at a path at once, as a rename does; false on a file system that can't be written.
    @discardableResult
    package mutating func put(_ node: FileTree.Node, at path: String) -> Bool {
        guard state.isWritable(path, in: id, as: .program) else { return false }
        return state.set(node, at: path, in: id, as: .program)
    }

    /// Removes what is at a path.
    package mutating func remove(_ path: String) { state.set(nil, at: path, in: id, as: .program) }

    /// The node at a path, links not followed.
    package func node(_ path: String) -> FileTree.Node? {
        guard let place = try? state.locate(path, in: id, as: .program, followsLast: false) else { return nil }
        return state.node(place)
    }

    /// Writes to standard output or standard error.
    package mutating func say(_ text: String, _ channel: OutputFrame.Channel = .output) {
        let line = MemoryContainer.LogLine(frame: OutputFrame(channel, Array(text.utf8)), time: now)
        state.containers[id]?.logs.append(line)
    }

    /// Ends the program.
    package mutating func exit(_ code: Int) { ending = .exited(code) }

    /// Has the kernel end the program for its memory.
    package mutating func runOutOfMemory() { ending = .outOfMemory }
}

/// Sleeps for ever, or ends by itself after a number of moments.
package struct PlainProgram: ContainerProgram {
    private var moments: Int?
    private let code: Int
    private let output: [OutputFrame]
    private let endsOutOfMemory: Bool
    private var hasSpoken = false
    private let codeOnTerm: Int?

    /// - Parameters:
    ///   - moments: after how many it ends; nil: never.
    ///   - codeOnTerm: the code with which it ends on TERM by its own handler; nil: it has none.
    package init(
        endsAfter moments: Int? = nil,
        code: Int = 0,
        saying output: [OutputFrame] = [],
        outOfMemory: Bool = false,
        codeOnTerm: Int? = nil
    ) {
        self.moments = moments
        self.code = code
        self.output = output
        endsOutOfMemory = outOfMemory
        self.codeOnTerm = codeOnTerm
    }

    package var isIdle: Bool { moments == nil && hasSpoken }

    package mutating func tick(_ machine: inout ContainerMachine) {
        if !hasSpoken {
            for frame in output { machine.say(String(decoding: frame.bytes, as: UTF8.self), frame.channel) }
            hasSpoken = true
        }
        guard let left = moments else { return }
        moments = left - 1
        guard left <= 1 else { return }
        if endsOutOfMemory { machine.runOutOfMemory() } else { machine.exit(code) }
    }

    package mutating func handle(_ signal: String, _ machine: inout ContainerMachine) -> Bool {
        guard signal == "TERM", let codeOnTerm else { return false }
        machine.exit(codeOnTerm)
        return true
    }
}
