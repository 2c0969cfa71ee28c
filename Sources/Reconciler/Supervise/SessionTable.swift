import ReconcilerModel
import ReconcilerPlatform
import ReconcilerProposals

/// The clients' sessions and the calls that wait in them.
///
/// A session carries no authority: its id only lets its owner read the answers to its calls. It lives in memory only:
/// after a restart its id is unknown, and the client starts again.
actor SessionTable {
    typealias Caller = AsyncStream<ProposalBroker.Notice>.Continuation

    /// A call that waits for a decision or was answered recently.
    struct Call: Sendable {
        /// A random prefix for the ids of its events.
        var key: String
        var request: RPCRequest
        var proposal: ProposalID
        fileprivate var caller: Caller?
        /// The number of the stream that serves it, counted from its first.
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

    /// The most answered calls per session that a disconnected client can still fetch.
    private static let answeredLimit = 16

    /// Opens a session and returns its id; nil if too many are in use.
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

    /// The version agreed on in a session; nil if it is unknown.
    func version(of id: String) -> ProtocolVersion? {
        sessions[id]?.used = .now
        return sessions[id]?.version
    }

    /// Ends a session with all its waiting calls; false if it is unknown.
    func close(_ id: String) -> Bool {
        guard let session = sessions.removeValue(forKey: id) else { return false }
        for call in session.calls { call.caller?.finish() }
        return true
    }

    // MARK: - Calls

    /// Registers a waiting call; nil if too many wait, or if the session is gone.
    func begin(_ request: RPCRequest, _ proposal: ProposalID, in id: String, _ caller: Caller) -> Call? {
        guard active < limits.calls, sessions[id] != nil else { return nil }
        let call = Call(key: POSIX.randomHexadecimal(), request: request, proposal: proposal, caller: caller)
        sessions[id]?.calls.append(call)
        return call
    }

    /// Resumes a call whose stream was cut; ends another stream that serves it.
    ///
    /// - Parameter event: the id of the last event that the client received.
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

    /// Records that a stream of a call ended; the call stays for a client that comes back.
    func end(_ call: Call, in id: String, wasAnswered: Bool) {
        guard let index = sessions[id]?.calls.firstIndex(where: { $0.key == call.key }) else { return }
        if wasAnswered { sessions[id]?.calls[index].isAnswered = true }
        // Another stream may have replaced it; that one now serves the call.
        guard sessions[id]?.calls[index].stream == call.stream else { return }
        sessions[id]?.calls[index].caller = nil
        let idle = sessions[id]?.calls.filter { $0.caller == nil } ?? []
        guard idle.count > Self.answeredLimit, let oldest = idle.first(where: \.isAnswered) ?? idle.first else {
            return
        }
        sessions[id]?.calls.removeAll { $0.key == oldest.key }
    }

    /// Cancels a call whose answer the client no longer wants; the proposal stays.
    func cancel(_ request: JSONNode, in id: String) {
        for call in sessions[id]?.calls ?? [] where call.request.id == request { call.caller?.finish() }
        sessions[id]?.calls.removeAll { $0.request.id == request }
    }

    private var active: Int {
        sessions.values.reduce(0) { $0 + $1.calls.count { $0.caller != nil } }
    }
}
