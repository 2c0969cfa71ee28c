import Testing

/// A connection that an agent holds open: a program in it, which leaves word when the connection is cut.
struct HeldOpen: Sendable {
    let fixture: BottleFixture
    let agent: String
    private let mark: String

    /// Begins a download without end; the URL's path holds `/drip/`.
    static func download(_ url: String, in agent: String, of fixture: BottleFixture) async throws -> HeldOpen {
        try await begin(downloading, url, in: agent, of: fixture)
    }

    /// Opens a tunnel to a host, has one request answered in it, and leaves it at that.
    static func tunnel(to host: String, in agent: String, of fixture: BottleFixture) async throws -> HeldOpen {
        try await begin(tunnelling, host, in: agent, of: fixture)
    }

    private static func begin(
        _ program: String,
        _ target: String,
        in agent: String,
        of fixture: BottleFixture
    ) async throws -> HeldOpen {
        let held = HeldOpen(fixture: fixture, agent: agent, mark: fixture.name())
        let run = ["docker", "exec", "-d", agent, "python3", "-c", program, target, "/tmp/\(held.mark)"]
        let begun = try await fixture.run(run)
        try #require(begun.status == 0, "\(begun)")
        try await fixture.until("\(target) is held open") { try await held.size() > 0 }
        return held
    }

    var isCut: Bool {
        get async throws {
            try await fixture.run(["docker", "exec", agent, "test", "-e", "/tmp/\(mark).cut"]).status == 0
        }
    }

    func expectCut() async throws {
        try await fixture.until("it is cut") { try await isCut }
    }

    /// Expects that more still arrives than has up to now.
    func expectGoingOn(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let before = try await size()
        try await fixture.until("more arrives") { try await size() > before }
        #expect(try await !isCut, sourceLocation: sourceLocation)
    }

    /// How much has arrived.
    private func size() async throws -> Int {
        let run = try await fixture.run(["docker", "exec", agent, "sh", "-c", "wc -c </tmp/\(mark)"])
        return Int(run.output.trimmingSuffix(while: \.isWhitespace)) ?? 0
    }

    // Any certificate is trusted: without an egress-proxy the agent sees the server's own certificate.
    private static let downloading = """
        import ssl, sys, urllib.request
        url, path = sys.argv[1:]
        trusting = ssl._create_unverified_context()
        try:
            answer = urllib.request.urlopen(url, timeout=300, context=trusting)
            with open(path, "wb", buffering=0) as file:
                while data := answer.read1(4096):
                    file.write(data)
        finally:
            open(path + ".cut", "w").close()
        """

    private static let tunnelling = """
        import os, socket, ssl, sys, urllib.parse
        host, path = sys.argv[1:]
        proxy = urllib.parse.urlsplit(os.environ["HTTPS_PROXY"])
        try:
            raw = socket.create_connection((proxy.hostname, proxy.port))
            raw.sendall(f"CONNECT {host}:443 HTTP/1.1\\r\\nHost: {host}:443\\r\\n\\r\\n".encode())
            assert b" 200 " in raw.recv(4096)
            inner = ssl._create_unverified_context().wrap_socket(raw, server_hostname=host)
            inner.sendall(f"GET /tunnel HTTP/1.1\\r\\nHost: {host}\\r\\n\\r\\n".encode())
            with open(path, "wb", buffering=0) as file:
                file.write(inner.recv(4096))
                while inner.recv(4096):
                    pass
        finally:
            open(path + ".cut", "w").close()
        """
}
