/// Why a call to the engine did not do what was asked.
///
/// The engine's own words are kept as they came. Cancellation of the calling task is `.cancelled`, so that typed
/// throws can carry it.
package enum EngineError: Error, Sendable, Hashable {
    /// No complete answer came: no connection, a connection that broke, bytes that are not HTTP.
    case transport(String)
    /// The engine answered, and refused.
    case http(HTTPFailure)
    /// The engine's answer to `path` is not of the documented shape.
    case decoding(path: String, message: String)
    /// The text does not name an engine that this client can talk to.
    case invalidAddress(String, reason: String)
    /// An argument that would make another request than the one meant; nothing was sent.
    case invalidArgument(String)
    /// The engine's API is older than this client's minimum.
    case unsupportedVersion(engine: String, minimum: String)
    /// The answer is larger than the caller or this client allows.
    case limitExceeded(String)
    /// Bytes that are not a tar archive, or one that is not safe to read.
    case archive(String)
    /// The engine took up a build or pull and then told this failure in its progress.
    case failed(String)
    /// A step of a build ended with another code than 0; the words repeat its command.
    case stepFailed(String, code: Int)
    /// The calling task was cancelled; whether the engine acted is not known.
    case cancelled

    /// An HTTP status that is not success, with the words that came with it.
    package struct HTTPFailure: Sendable, Hashable {
        /// The HTTP status code.
        package let status: Int
        /// The request's method, such as `POST`.
        package let method: String
        /// The request's path, with the API version and without the query.
        package let path: String
        /// The engine's own message; the bare body when it was not the documented JSON, empty when there was none.
        package let message: String

        /// A failure as the engine told it.
        package init(status: Int, method: String, path: String, message: String) {
            self.status = status
            self.method = method
            self.path = path
            self.message = message
        }
    }

    /// The HTTP status, when the engine answered.
    package var status: Int? {
        guard case .http(let failure) = self else { return nil }
        return failure.status
    }

    /// The same, with `words` where the engine refused and said nothing, as in an answer that has no body.
    func saying(_ words: String) -> EngineError {
        guard case .http(let failure) = self, failure.message.isEmpty else { return self }
        return .http(
            HTTPFailure(status: failure.status, method: failure.method, path: failure.path, message: words)
        )
    }

    /// Whether the engine said that it has no such object (404).
    package var isNotFound: Bool { status == 404 }

    /// Whether the engine said that the object's present state forbids it, or that the name is taken (409).
    package var isConflict: Bool { status == 409 }

    /// Whether the engine said that the object already was as asked (304).
    package var isNotModified: Bool { status == 304 }
}

extension EngineError: CustomStringConvertible {
    /// One line; for a refusal, the engine's own words first.
    package var description: String {
        switch self {
        case .transport(let message): message
        case .http(let failure): failure.description
        case .decoding(let path, let message): "the engine's answer to \(path) could not be read: \(message)"
        case .invalidAddress(let text, let reason): "'\(text)' is not a usable engine address: \(reason)"
        case .invalidArgument(let message): message
        case .unsupportedVersion(let engine, let minimum):
            "the engine speaks API \(engine); at least \(minimum) (Docker 20.10) is needed"
        case .limitExceeded(let message): message
        case .archive(let message): message
        case .failed(let message), .stepFailed(let message, _): message
        case .cancelled: "cancelled"
        }
    }
}

extension EngineError.HTTPFailure: CustomStringConvertible {
    /// The engine's words, then the request they answer.
    package var description: String {
        let request = "HTTP \(status) from \(method) \(path)"
        return message.isEmpty ? request : "\(message) (\(request))"
    }
}
