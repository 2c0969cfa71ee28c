import ReconcilerPlatform
import ReconcilerProposals

/// The sessions of clients, and the calls that wait in them.
///
/// A session carries no authority: who has its id may read what its calls are answered, no more. It lives in memory
/// only: after a restart its id is unknown, and the client begins again.
actor SessionTable {
    typealias Caller = AsyncStream<ProposalBroker.Notice>.Continuation

    /// A call that waits for a decision, or was answered of late.
    struct Call: Sendable {
        /// Random; begins the ids of its events.
        var key: String
        var request: RPCRequest
        var proposal: ProposalID
        fileprivate var caller: Caller?
        /// Which of the streams that served it this is.
        fileprivate var stream = 0
        fileprivate var isAnswered = false
    }

    private struct Session {
        var version: ProtocolVersion
        var used: ContinuousClock.Instant
        var calls: [Call] = []
    }

    private let limits: SuperviseLimits
    private var sessions: [String: Session] = [:]

    init(limits: SuperviseLimits) { self.limits = limits }

    /// Calls whose answers a client that was cut off can still get, a session.
    private static let answeredLimit = 16

    /// A new session's id; nil when there are too many that are in use.
    func open(_ version: ProtocolVersion) -> String? {
        if sessions.count >= limits.sessions {
            let idle = sessions.filter { $0.value.calls.allSatisfy { $0.caller == nil } }
            guard let oldest = idle.min(by: { $0.value.used < $1.value.used }) else { return nil }
            sessions[oldest.key] = nil
        }
        let id = POSIX.randomHexadecimal()
        sessions[id] = Session(version: version, used: .now)
        return id
    }

    /// What was agreed on in a session; nil: it is not known.
    func version(of id: String) -> ProtocolVersion? {
        sessions[id]?.used = .now
        return sessions[id]?.version
    }

    /// Ends a session with all calls that wait in it; false when it was not known.
    func close(_ id: String) -> Bool {
        guard let session = sessions.removeValue(forKey: id) else { return false }
        for call in session.calls { call.caller?.finish() }
        return true
    }

    // MARK: - Calls

    /// Lets a call wait; nil when too many do, or the session is gone.
    func begin(_ request: RPCRequest, _ proposal: ProposalID, in id: String, _ caller: Caller) -> Call? {
        guard active < limits.calls, sessions[id] != nil else { return nil }
        let call = Call(key: POSIX.randomHexadecimal(), request: request, proposal: proposal, caller: caller)
        sessions[id]?.calls.append(call)
        return call
    }

    /// Takes a call up again whose stream was cut; another stream that serves it ends.
    ///
    /// - Parameter event: the id of the last event that the client got.
    func resume(after event: String, in id: String, _ caller: Caller) -> Call? {
        let key = event.prefix { $0 != "-" }
        guard let index = sessions[id]?.calls.firstIndex(where: { $0.key == key }),
            var call = sessions[id]?.calls[index], call.caller != nil || active < limits.calls
        else { return nil }
        call.caller?.finish()
        call.caller = caller
        call.stream += 1
        sessions[id]?.calls[index] = call
        return call
    }

    /// Says that a stream of a call ended; the call itself stays for a client that comes back.
    func end(_ call: Call, in id: String, wasAnswered: Bool) {
        guard let index = sessions[id]?.calls.firstIndex(where: { $0.key == call.key }) else { return }
        if wasAnswered { sessions[id]?.calls[index].isAnswered = true }
        // Another stream may have taken its place: that one goes on to serve the call.
        guard sessions[id]?.calls[index].stream == call.stream else { return }
        sessions[id]?.calls[index].caller = nil
        let idle = sessions[id]?.calls.filter { $0.caller == nil } ?? []
        guard idle.count > Self.answeredLimit, let oldest = idle.first(where: \.isAnswered) ?? idle.first else {
            return
        }
        sessions[id]?.calls.removeAll { $0.key == oldest.key }
    }

    /// The client wants no answer any more; the proposal stays.
    func cancel(_ request: JSONNode, in id: String) {
        for call in sessions[id]?.calls ?? [] where call.request.id == request { call.caller?.finish() }
        sessions[id]?.calls.removeAll { $0.request.id == request }
    }

    private var active: Int {
        sessions.values.reduce(0) { $0 + $1.calls.count { $0.caller != nil } }
    }
}
