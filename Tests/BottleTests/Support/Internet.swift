import FoundationEssentials
import Reconciler
import ReconcilerEngine
import ReconcilerPlatform
import Testing

/// A small internet on a Docker network: one server with several names, whose log says what reached it.
struct Internet: Sendable {
    let fixture: BottleFixture
    let network: String
    let subnet: String
    let container: String
    let address: String
    /// Path of the certificate of the CA that the server's certificates come from.
    let authority: String

    static let names = ["api.bt.test", "docs.bt.test", "files.bt.test", "more.bt.test", "evil.bt.test"]

    /// One request that reached the server.
    struct Request: Sendable, Decodable {
        let tls: Bool
        let host: String
        let method: String
        let path: String
        /// By lowercase name.
        let headers: [String: String]
    }

    /// Starts it; it ends with the fixture.
    static func start(in fixture: BottleFixture) async throws -> Internet {
        let authority = try await makeCertificates(for: names, in: ".", of: fixture)
        let name = fixture.name()
        let subnet = try await network(name, in: fixture)
        await fixture.onTearDown { try await fixture.engine.removeNetwork(name) }
        try fixture.write(server, to: "server.py")
        let aliases = names.flatMap { ["--network-alias", $0] }
        let line = ["docker", "create", "--name", name, "--network", name, "--user", "root"] + aliases
        let created = try await fixture.run(line + ["bottle/agent", "python3", "/srv/server.py"])
        try #require(created.status == 0, "\(created)")
        await fixture.onTearDown { try await fixture.engine.remove(name, force: true, volumes: true) }
        for file in ["server.py", "server.pem", "server.key"] {
            try await fixture.docker("cp", "\(fixture.folder)/\(file)", "\(name):/srv/\(file)")
        }
        try await fixture.docker("start", name)
        let address = try #require(try await fixture.engine.container(name).networks[name]?.ipAddress)
        let internet = Internet(
            fixture: fixture,
            network: name,
            subnet: subnet,
            container: name,
            address: address,
            authority: authority
        )
        try await internet.wait { $0.contains("ready") }
        return internet
    }

    /// Lines below `egress:` by which a bottle leaves through this internet.
    var egress: [String] { ["network: \(network)", "private: [\(subnet)]", "trust: [\(authority)]"] }

    /// What reached the server of the requests whose path holds `mark`; waits a while for the first when one is due.
    func requests(holding mark: String, due: Bool) async throws -> [Request] {
        try await fixture.logged(by: container, due: due) { (request: Request) in request.path.contains(mark) }
    }

    func log() async throws -> String { try await fixture.docker("logs", container) }

    private func wait(until isSo: (String) -> Bool) async throws {
        for _ in 0..<150 {
            if isSo(try await log()) { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        Issue.record("the internet does not come up: \(try await log())")
    }

    /// Makes a CA and a certificate for all names, `server.pem` and `server.key`, in a folder of the fixture.
    ///
    /// - Returns: the path of the CA's certificate.
    static func makeCertificates(for names: [String], in folder: String, of fixture: BottleFixture) async throws
        -> String
    {
        try POSIX.makeFolder("\(fixture.folder)/\(folder)")
        try fixture.write(script, to: "\(folder)/certificates.sh")
        let made = try await fixture.run(["sh", "-e", "certificates.sh"] + names, in: "\(fixture.folder)/\(folder)")
        try #require(made.status == 0, "\(made)")
        return "\(fixture.folder)/\(folder)/ca.pem"
    }

    /// Makes a network with a range of its own; returns the range.
    static func network(_ name: String, in fixture: BottleFixture) async throws -> String {
        var refusal = ""
        for _ in 0..<20 {
            let subnet = "10.\(Int.random(in: 200...230)).\(Int.random(in: 0...255)).0/24"
            let made = try await fixture.run(["docker", "network", "create", "--subnet", subnet, name])
            if made.status == 0 { return subnet }
            refusal = made.errors
        }
        throw NoNetwork(refusal)
    }

    private struct NoNetwork: Error {
        let text: String

        init(_ text: String) { self.text = text }
    }
}

/// A CA and one certificate for all names that it is given, in the working folder.
private let script = """
    names=$(printf 'DNS:%s,' "$@")
    cat >ca.conf <<END
    [req]
    distinguished_name = name
    [name]
    [ca]
    basicConstraints = critical,CA:TRUE
    keyUsage = critical,keyCertSign,cRLSign
    subjectKeyIdentifier = hash
    [server]
    subjectAltName = ${names%,}
    basicConstraints = critical,CA:FALSE
    keyUsage = critical,digitalSignature
    extendedKeyUsage = serverAuth
    subjectKeyIdentifier = hash
    authorityKeyIdentifier = keyid
    END
    new='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -config ca.conf'
    openssl req -x509 $new -days 30 -subj '/CN=bottle test CA' -extensions ca -keyout ca.key -out ca.pem
    openssl req $new -subj "/CN=$1" -keyout server.key -out server.csr
    openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -out server.pem \\
        -extfile ca.conf -extensions server

    """

/// Answers everything with 200 and logs it; what ends in `/info/refs` gets the refs of a git repository, and what holds
/// `/drip/` an answer without end.
private let server = """
    import http.server, json, ssl, threading, time

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        def answer(self):
            self.rfile.read(int(self.headers.get("content-length") or 0))
            tls = isinstance(self.connection, ssl.SSLSocket)
            headers = {name.lower(): value for name, value in self.headers.items()}
            print(json.dumps(dict(tls=tls, host=headers.get("host", ""), method=self.command, path=self.path,
                                  headers=headers)), flush=True)
            if "/drip/" in self.path:
                self.send_response(200)
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                while True:
                    self.wfile.write(b"1\\r\\n.\\r\\n")
                    time.sleep(0.02)
            refs = self.path.split("?")[0].endswith("/info/refs")
            body = b"1234567890123456789012345678901234567890\\trefs/heads/main\\n" if refs else b"hello\\n"
            self.send_response(200)
            self.send_header("content-type", "text/plain")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)
        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = answer
        def log_message(self, *_):
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        def finish_request(self, request, address):
            if self.context:
                request.settimeout(20)
                request = self.context.wrap_socket(request, server_side=True)
                request.settimeout(300)
            super().finish_request(request, address)
        def handle_error(self, *_):
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("/srv/server.pem", "/srv/server.key")
    plain = Server(("0.0.0.0", 80), Handler)
    plain.context = None
    threading.Thread(target=plain.serve_forever, daemon=True).start()
    secure = Server(("0.0.0.0", 443), Handler)
    secure.context = context
    print("ready", flush=True)
    secure.serve_forever()

    """
