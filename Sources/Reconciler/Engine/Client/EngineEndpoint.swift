/// The engine's endpoints that we use, each with one label for all its requests: `GET /containers/{id}/json`.
package enum EngineEndpoint {
    /// The label for every other request.
    package static let other = "other"

    /// All labels, in the order of matching.
    package static let all: [String] = [
        "GET /_ping", "GET /version", "GET /info", "GET /events",
        "GET /containers/json", "POST /containers/create", "GET /containers/{id}/json", "DELETE /containers/{id}",
        "POST /containers/{id}/start", "POST /containers/{id}/stop", "POST /containers/{id}/kill",
        "POST /containers/{id}/restart", "POST /containers/{id}/pause", "POST /containers/{id}/unpause",
        "POST /containers/{id}/rename", "POST /containers/{id}/update", "POST /containers/{id}/wait",
        "GET /containers/{id}/logs", "POST /containers/{id}/exec",
        "HEAD /containers/{id}/archive", "GET /containers/{id}/archive", "PUT /containers/{id}/archive",
        "GET /exec/{id}/json", "POST /exec/{id}/start",
        "GET /images/json", "POST /images/create", "POST /build",
        "GET /images/{image}/json", "POST /images/{image}/tag", "DELETE /images/{image}",
        "GET /networks", "POST /networks/create", "GET /networks/{id}", "DELETE /networks/{id}",
        "POST /networks/{id}/connect", "POST /networks/{id}/disconnect",
        "GET /volumes", "POST /volumes/create", "GET /volumes/{name}", "DELETE /volumes/{name}",
    ]

    private static let patterns = all.map { text in
        let words = text.split(separator: " ")
        return (text: text, method: words[0], segments: words[1].split(separator: "/"))
    }

    /// The label of a request's endpoint.
    ///
    /// - Parameter target: the request's path, with or without API version and query.
    /// - Returns: one of `all`, or `other`: never text from the request.
    package static func of(method: String, target: String) -> String {
        let path = target.prefix { $0 != "?" }
        var segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        if let first = segments.first, first.first == "v", first.dropFirst().first?.isNumber == true {
            segments = segments.dropFirst()
        }
        guard !segments.isEmpty, !segments.contains("") else { return other }
        let found = patterns.first { $0.method == method && matches(Array(segments), $0.segments) }
        return found?.text ?? other
    }

    private static func matches(_ segments: [Substring], _ pattern: [Substring]) -> Bool {
        guard let many = pattern.firstIndex(of: "{image}") else {
            return segments.count == pattern.count
                && zip(segments, pattern).allSatisfy { $0 == $1 || $1.first == "{" }
        }
        // An image's name contains slashes of its own.
        let tail = pattern[(many + 1)...]
        return segments.count >= pattern.count && segments.prefix(many).elementsEqual(pattern[..<many])
            && segments.suffix(tail.count).elementsEqual(tail)
    }
}

extension EngineClient.Call {
    /// The called endpoint, as one of `EngineEndpoint.all`, or `other`.
    package var endpoint: String { EngineEndpoint.of(method: method, target: target) }
}
