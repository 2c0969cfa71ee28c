import HTTPTypes

/// Decides by a request's head whether a loopback listener answers it.
///
/// Every program of every user on this machine can connect, and so can every page in a browser. A page may use its own
/// name for our address (DNS rebinding), but then the request contains that name.
struct RequestGuard: Sendable {
    /// The allowed methods.
    var methods: Set<HTTPRequest.Method> = [.get, .head]
    /// The port on which the server listens.
    var port: Int

    /// The answer that refuses the request; nil if it is acceptable.
    func refusal(of head: HTTPRequest) -> LoopbackServer.Answer? {
        // The first `Host` is the authority; with a second one it is unclear which is meant.
        guard let authority = head.authority, isOurs(authority), !namesHostTwice(head) else {
            return .text(421, "this address is not served here\n")
        }
        // A page's own requests name the page's origin.
        for origin in head.headerFields[values: .origin] {
            guard origin.hasPrefix("http://"), isOurs(String(origin.dropFirst("http://".count))) else {
                return .text(403, "not for pages of elsewhere\n")
            }
        }
        guard methods.contains(head.method) else {
            var answer = LoopbackServer.Answer.text(405, "only \(allowed) are answered\n")
            answer.fields.append(("Allow", allowed))
            return answer
        }
        guard !hasBody(head) else { return .text(413, "a request must have no body\n") }
        return nil
    }

    /// Whether a body follows the head.
    func hasBody(_ head: HTTPRequest) -> Bool {
        if !head.headerFields[values: .transferEncoding].isEmpty { return true }
        return head.headerFields[values: .contentLength].contains { $0 != "0" }
    }

    private func namesHostTwice(_ head: HTTPRequest) -> Bool {
        head.headerFields.contains { $0.name.canonicalName == "host" }
    }

    private func isOurs(_ authority: String) -> Bool {
        let hosts = ["127.0.0.1", "localhost", "[::1]"]
        let authority = authority.lowercased()
        if port == 80, hosts.contains(authority) { return true }
        return hosts.contains { authority == "\($0):\(port)" }
    }

    private var allowed: String { methods.map(\.rawValue).sorted().joined(separator: ", ") }
}
