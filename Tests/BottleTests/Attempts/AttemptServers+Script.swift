extension AttemptServers {
    /// The program of a server that logs everything that reaches it, raw, one `Arrival` a line.
    ///
    /// It answers every request with 200. It is as easily misled as a server can be: only a transfer coding that is
    /// exactly `chunked` frames a body for it, so that what a proxy took for a body it takes for requests.
    static let script = """
        import base64, hashlib, itertools, json, socket, ssl, sys, threading, time

        UNLISTED = sys.argv[1] == "unlisted"
        PLAIN, SECURE, TRAPS, DATAGRAMS = [80], [443, 8443], [22, 53, 8080, 9443], [53, 123, 443]
        KEPT, LONGEST = 4096, 1 << 20
        lock = threading.Lock()
        numbers = itertools.count()

        def tell(kind, port, number=None, sni=None, encrypted=False, text=b"", body=b""):
            line = json.dumps(dict(kind=kind, time=time.time(), port=port, connection=number, isUnlisted=UNLISTED,
                                   sni=sni, isEncrypted=encrypted, text=text[:16384].decode("latin-1"),
                                   body=body[:KEPT].decode("latin-1")))
            with lock:
                sys.stdout.write(line + "\\n")
                sys.stdout.flush()

        class Over(Exception):
            pass

        class Stream:
            def __init__(self, connection, port, number, sni, encrypted):
                self.connection, self.about = connection, (port, number, sni, encrypted)
                self.buffer = b""
                self.ended = False

            def tell(self, kind, text=b"", body=b""):
                tell(kind, *self.about, text, body)

            def more(self):
                if self.ended:
                    return False
                try:
                    data = self.connection.recv(65536)
                except (OSError, ssl.SSLError):
                    data = b""
                self.ended = not data
                self.buffer += data
                return not self.ended

            def until(self, end):
                while end not in self.buffer:
                    if len(self.buffer) > LONGEST or not self.more():
                        raise Over
                found, self.buffer = self.buffer.split(end, 1)
                return found + end

            def exactly(self, count, keep):
                kept = b""
                while count > 0:
                    if not self.buffer and not self.more():
                        return kept
                    part, self.buffer = self.buffer[:count], self.buffer[count:]
                    count -= len(part)
                    kept += part[:max(0, keep - len(kept))]
                return kept

            def send(self, data):
                self.connection.sendall(data)

        def headers_of(head):
            found = {}
            for line in head.split(b"\\n")[1:]:
                name, colon, value = line.rstrip(b"\\r").partition(b":")
                if colon:
                    found.setdefault(name.strip().lower(), value.strip())
            return found

        def body_of(stream, headers):
            if headers.get(b"transfer-encoding") == b"chunked":
                kept = b""
                while True:
                    size = int(stream.until(b"\\n").split(b";")[0].strip() or b"0", 16)
                    if size == 0:
                        while True:
                            line = stream.until(b"\\n")
                            kept += line if line.strip() else b""
                            if not line.strip():
                                return kept
                    kept += stream.exactly(size, KEPT)
                    stream.until(b"\\n")
            return stream.exactly(int(headers.get(b"content-length") or 0), KEPT)

        def websocket(stream, headers):
            key = headers.get(b"sec-websocket-key", b"") + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
            accept = base64.b64encode(hashlib.sha1(key).digest())
            stream.send(b"HTTP/1.1 101 Switching Protocols\\r\\nupgrade: websocket\\r\\nconnection: Upgrade\\r\\n"
                        b"sec-websocket-accept: " + accept + b"\\r\\n\\r\\n")
            while True:
                first = stream.exactly(2, 2)
                if len(first) < 2:
                    return
                size = first[1] & 127
                if size >= 126:
                    size = int.from_bytes(stream.exactly(2 if size == 126 else 8, 8), "big")
                mask = stream.exactly(4, 4) if first[1] & 128 else bytes(4)
                data = bytes(byte ^ mask[i % 4] for i, byte in enumerate(stream.exactly(size, KEPT)))
                stream.tell("message", data)
                if first[0] & 15 == 8:
                    return stream.send(bytes([0x88, len(data[:2])]) + data[:2])
                data = data[:125]
                stream.send(bytes([0x80 | first[0] & 15, len(data)]) + data)

        def requests(stream):
            while True:
                try:
                    head = stream.until(b"\\r\\n\\r\\n")
                except Over:
                    if stream.buffer:
                        stream.tell("bytes", stream.buffer)
                    return
                headers = headers_of(head)
                if headers.get(b"expect", b"").lower() == b"100-continue":
                    stream.send(b"HTTP/1.1 100 Continue\\r\\n\\r\\n")
                body = b""
                try:
                    body = body_of(stream, headers)
                except (Over, ValueError):
                    stream.ended = True
                stream.tell("request", head, body)
                if headers.get(b"upgrade", b"").lower() == b"websocket":
                    return websocket(stream, headers)
                target = head.split(b" ")[1].split(b"?")[0] if head.count(b" ") > 1 else b""
                text = b"hello\\n"
                if target.endswith(b"/info/refs"):
                    text = b"1234567890123456789012345678901234567890\\trefs/heads/main\\n"
                if head.startswith(b"HEAD "):
                    text = b""
                stream.send(b"HTTP/1.1 200 OK\\r\\ncontent-type: text/plain\\r\\ncontent-length: %d\\r\\n\\r\\n" % len(text)
                            + text)
                if stream.ended or headers.get(b"connection", b"").lower() == b"close":
                    return

        def serve(connection, port, number):
            connection.settimeout(30)
            try:
                if port in TRAPS:
                    connection.settimeout(2)
                    data = connection.recv(KEPT)
                    if data:
                        tell("bytes", port, number, text=data)
                    return
                sni = None
                if port in SECURE:
                    first = connection.recv(KEPT, socket.MSG_PEEK)
                    if not first.startswith(b"\\x16"):
                        if first:
                            tell("bytes", port, number, text=first)
                        return
                    seen = []
                    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                    context.load_cert_chain("/srv/server.pem", "/srv/server.key")
                    context.set_alpn_protocols(["http/1.1"])
                    context.sni_callback = lambda _, name, __: seen.append(name)
                    try:
                        connection = context.wrap_socket(connection, server_side=True)
                    finally:
                        sni = seen[0] if seen else None
                        tell("greeting", port, number, sni, True)
                requests(Stream(connection, port, number, sni, port in SECURE))
            except (OSError, ValueError):
                pass
            finally:
                connection.close()

        def listen(port):
            server = socket.create_server(("0.0.0.0", port), backlog=512)
            def accept():
                while True:
                    connection, _ = server.accept()
                    number = next(numbers)
                    tell("connection", port, number)
                    threading.Thread(target=serve, args=(connection, port, number), daemon=True).start()
            threading.Thread(target=accept, daemon=True).start()

        def datagrams(port):
            server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            server.bind(("0.0.0.0", port))
            def receive():
                while True:
                    data, _ = server.recvfrom(65536)
                    tell("datagram", port, text=data)
            threading.Thread(target=receive, daemon=True).start()

        for port in PLAIN + SECURE + TRAPS:
            listen(port)
        for port in DATAGRAMS:
            datagrams(port)
        print("ready", flush=True)
        threading.Event().wait()

        """
}
