/// Names of HTTP headers.
enum HeaderName {
    /// Whether `text` is a token as RFC 9110 defines it.
    static func isToken(_ text: String) -> Bool {
        let marks = Set("!#$%&'*+-.^_`|~".utf8)
        return (1...128).contains(text.utf8.count)
            && text.utf8.allSatisfy { ManifestDecoder.isAlphanumeric($0) || marks.contains($0) }
    }

    /// Why the header `name` can't carry a credential; nil if it can.
    static func refusal(_ name: String) -> String? {
        let lower = name.lowercased()
        if framing.contains(lower) { return "belongs to the connection, not to a credential" }
        if lower.hasPrefix("proxy-") { return "is read by proxies on the way, not by the host" }
        if lower.hasPrefix("sec-") || lower.hasPrefix("x-forwarded-") || routing.contains(lower) {
            return "changes where or how a request is read"
        }
        return nil
    }

    private static let framing: Set<String> = [
        "host", "content-length", "content-type", "content-encoding", "transfer-encoding", "connection", "keep-alive",
        "te",
        "trailer", "upgrade", "expect", "date", "http2-settings",
    ]

    private static let routing: Set<String> = [
        "via", "forwarded", "max-forwards", "x-real-ip", "x-http-method", "x-http-method-override", "x-method-override",
        "x-original-url", "x-rewrite-url", "x-original-host", "x-host", "range", "accept-encoding",
    ]
}
