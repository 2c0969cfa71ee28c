/// Why an exchange ended without an answer, and how far it got.
struct ExchangeFailure: Error {
    enum Progress: Sendable {
        /// The connection was closed before anything was written.
        case notSent
        /// The request was written, and no byte of an answer came.
        case unanswered
        /// A part of the answer came, or bytes that are not HTTP.
        case begun
        /// The engine exceeded a time limit.
        case overdue
    }

    var error: EngineError
    var progress: Progress

    /// Whether to retry the request on a fresh connection.
    func allowsRetry(of request: EngineRequest) -> Bool {
        switch progress {
        case .notSent: true
        case .unanswered: request.isReadOnly && error != .cancelled
        case .begun, .overdue: false
        }
    }
}
