/// Why a call to the engine failed.
///
/// Keeps the engine's own words unchanged. Cancellation of the calling task is `.cancelled`, so that typed throws can
/// carry it.
package enum EngineError: Error, Sendable, Hashable {
    /// No complete answer came: no connection, a connection that broke, bytes that are not HTTP.
    case transport(String)
    /// The engine answered with a failure.
    case http(HTTPFailure)
    /// The engine's answer to `path` doesn't have the documented shape.
    case decoding(path: String, message: String)
    /// The text is not an address of an engine that this client can talk to.
    case invalidAddress(String, reason: String)
    /// An argument that would turn the request into another one; nothing was sent.
    case invalidArgument(String)
    /// The engine's API is older than this client's minimum.
    case unsupportedVersion(engine: String, minimum: String)
    /// The answer is larger than the caller or this client allows.
    case limitExceeded(String)
    /// Bytes that are not a tar archive, or an archive that is unsafe to read.
    case archive(String)
    /// The engine began a build or pull and then reported this failure in its progress.
    case failed(String)
    /// A build step ended with an exit code other than 0; the words repeat its command.
    case stepFailed(String, code: Int)
    /// The calling task was cancelled; whether the engine acted is unknown.
    case cancelled

    /// A failed HTTP status, with the words that came with it.
    package struct HTTPFailure: Sendable, Hashable {
        /// The HTTP status code.
        package let status: Int
        /// The request's method, such as `POST`.
        package let method: String
        /// The request's path, with the API version and without the query.
        package let path: String
        /// The engine's own message; the plain body if it was not the documented JSON, empty if there was none.
        package let message: String

        /// A failure as the engine reported it.
        package init(status: Int, method: String, path: String, message: String) {
            self.status = status
            self.method = method
            self.path = path
            self.message = message
        }
    }

    /// The HTTP status, if the engine answered.
    package var status: Int? {
        guard case .http(let failure) = self else { return nil }
        return failure.status
    }

    /// The same error, with `words` if the engine refused without any, as in an answer without a body.
    func saying(_ words: String) -> EngineError {
        guard case .http(let failure) = self, failure.message.isEmpty else { return self }
        return .http(
            HTTPFailure(status: failure.status, method: failure.method, path: failure.path, message: words)
        )
    }

    /// Whether the engine has no such object (404).
    package var isNotFound: Bool { status == 404 }

    /// Whether the object's present state forbids the request, or the name is in use (409).
    package var isConflict: Bool { status == 409 }

    /// Whether the object already was in the requested state (304).
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
