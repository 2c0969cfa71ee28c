/// One request, or a connection without one, that may reach a server in an attempt.
package struct PermittedArrival: Sendable, Hashable, Codable {
    package var host: String
    /// nil for any.
    package var method: String?
    /// The path with its query; nil for any.
    package var path: String?
    /// Names of headers, in lower case, that must be present.
    package var with: [String]
    /// Names of headers, in lower case, that must be absent.
    package var without: [String]
    /// Whether a request may come; otherwise only a connection may.
    package var isRequest: Bool

    package init(
        host: String,
        method: String? = nil,
        path: String? = nil,
        with: [String] = [],
        without: [String] = [],
        isRequest: Bool = true
    ) {
        self.host = host
        self.method = method
        self.path = path
        self.with = with
        self.without = without
        self.isRequest = isRequest
    }
}
