package import ReconcilerEngine

/// One call to an engine, by its name in `EngineWriting` and what it is about.
package struct EngineCall: Sendable, Hashable, CustomStringConvertible {
    package var name: String
    /// Names where they are known, so that runs of one thing can be compared; else ids.
    package var target: String
    package var isMutating: Bool

    package var description: String { "\(name) \(target)" }
}

/// Decides what goes wrong, and when.
package actor FaultInjector {
    /// Where in a call a process dies.
    package enum Moment: String, Sendable, Hashable, CaseIterable {
        /// The engine never hears of it.
        case before
        /// Half of what is sent arrives; other calls than uploads then don't happen.
        case during
        /// The engine has done it, and the caller does not learn of that.
        case after
    }

    /// What goes wrong with a call.
    package enum Fault: Sendable {
        /// The engine answers so, and does nothing.
        case refuse(EngineError)
        /// It takes so long.
        case delay(Duration)
        /// The engine does it, and its answer is lost.
        case loseReply
        /// Something else happens in the world first; then the engine answers so, and does nothing.
        case meet(@Sendable () async throws -> Void, EngineError)
        /// Something else happens in the world first; then the call goes its way.
        case follow(@Sendable () async throws -> Void)
    }

    private struct Rule {
        var matches: @Sendable (EngineCall) -> Bool
        var fault: Fault
        var times: Int
    }

    private var rules: [Rule] = []
    private var crash: (call: EngineCall, occurrence: Int, moment: Moment)?
    private var atCrash: (@Sendable () -> Void)?
    private var isDead = false
    /// Every call that changes something, in the order in which they began; none after the process died.
    package private(set) var mutations: [EngineCall] = []
    /// How many calls only looked.
    package private(set) var looks = 0
    /// How many calls of each name began.
    package private(set) var calls: [String: Int] = [:]
    private var names: [String: String] = [:]

    package init() {}

    /// Lets something go wrong with the next `times` calls that `matches` picks.
    package func add(
        _ fault: Fault,
        times: Int = 1,
        to matches: @escaping @Sendable (EngineCall) -> Bool
    ) {
        rules.append(Rule(matches: matches, fault: fault, times: times))
    }

    /// Lets the process die at a changing call, the `occurrence`th of its kind counted from 0; from then on every call
    /// fails.
    ///
    /// - Parameter atCrash: run at that very moment, before the process learns of it.
    package func crash(
        at call: EngineCall,
        occurrence: Int = 0,
        _ moment: Moment,
        atCrash: @escaping @Sendable () -> Void = {}
    ) {
        crash = (call, occurrence, moment)
        self.atCrash = atCrash
    }

    /// Whether the process died.
    package var hasCrashed: Bool { isDead }

    /// Remembers the name of an object, to tell calls by it.
    func learn(_ id: String, _ name: String) { names[id] = name }

    private func named(_ call: EngineCall) -> EngineCall {
        var call = call
        call.target = call.target.split(separator: " ").map { names[String($0)] ?? String($0) }.joined(separator: " ")
        return call
    }

    static let death = EngineError.transport("the process is dead")

    /// What is to happen to a call that begins now.
    enum Verdict: Sendable { case act, actInPart, actAndLoseReply, actAndDie }

    func begin(_ call: EngineCall) async throws(EngineError) -> Verdict {
        guard !isDead else { throw Self.death }
        let call = named(call)
        calls[call.name, default: 0] += 1
        guard call.isMutating else {
            looks += 1
            return try await verdict(by: call)
        }
        mutations.append(call)
        guard let crash, crash.call == call, mutations.count(where: { $0 == call }) == crash.occurrence + 1 else {
            return try await verdict(by: call)
        }
        switch crash.moment {
        case .before:
            die()
            throw Self.death
        case .during:
            guard call.name == "putArchive" else {
                die()
                throw Self.death
            }
            return .actInPart
        case .after: return .actAndDie
        }
    }

    func die() {
        guard !isDead else { return }
        isDead = true
        atCrash?()
    }

    private func verdict(by call: EngineCall) async throws(EngineError) -> Verdict {
        guard let index = rules.firstIndex(where: { $0.times > 0 && $0.matches(call) }) else { return .act }
        rules[index].times -= 1
        switch rules[index].fault {
        case .refuse(let error): throw error
        case .loseReply: return .actAndLoseReply
        case .meet(let event, let error):
            try await happen(event)
            throw error
        case .follow(let event):
            try await happen(event)
            return .act
        case .delay(let time):
            do { try await Task.sleep(for: time) } catch { throw .cancelled }
            return .act
        }
    }

    private func happen(_ event: @Sendable () async throws -> Void) async throws(EngineError) {
        do { try await event() } catch { throw .transport("what was to happen did not: \(error)") }
    }
}
