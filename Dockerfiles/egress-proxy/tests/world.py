"""A test environment on loopback: the real proxy in its own process, and a firewall that also plays all servers."""

from __future__ import annotations

import contextlib
import datetime
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import cases
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

MAX_KEPT = 10_000_000
USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
HOSTS = [
    "api.example.com",
    "any.example",
    "ws.example",
    "alt.example",
    "unlisted.example",
    "localhost",
    "xn--bcher-kva.example",
]


def authority(folder: Path, name: str) -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
    """A CA like bottle's; writes <name>.pem (key and certificate) and <name>-cert.pem."""
    key = rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = _builder(subject, subject, key).add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
    usage = dict.fromkeys(USAGES, False) | {"key_cert_sign": True, "crl_sign": True}
    certificate = certificate.add_extension(x509.KeyUsage(**usage), True).sign(key, hashes.SHA256())
    text = certificate.public_bytes(serialization.Encoding.PEM)
    (folder / f"{name}-cert.pem").write_bytes(text)
    (folder / f"{name}.pem").write_bytes(_pem(key) + text)
    return certificate, key


def leaf(folder: Path, name: str, names: list[str], ca) -> Path:
    """A server's certificate with its key, signed by the CA."""
    key = rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    builder = (
        _builder(subject, ca[0].subject, key)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca[1].public_key()), False)
    )
    path = folder / f"{name}.pem"
    path.write_bytes(_pem(key) + builder.sign(ca[1], hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return path


def _builder(subject, issuer, key):
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    )


def _pem(key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


class Firewall:
    """Listens as the firewall would, and plays each server. `seen` is everything that left the proxy.

    With `direct` there is no firewall: the listener is the TLS server. `scripts` replaces the answer to a path by
    bytes, or by a function of the connection and its file. `tunnel_answer` replaces the answer to CONNECT, by bytes or
    by a function of the connection.
    """

    def __init__(self, certificate: Path, *, direct: bool = False, listen: tuple[str, int] = ("127.0.0.1", 0)) -> None:
        self._direct = direct
        self.seen: list[str] = []
        self.requests: list[dict] = []
        self.sni: list[str | None] = []
        self.open_tunnels = 0
        self.scripts: dict[str, bytes | Callable] = {}
        self.tunnel_answer: bytes | Callable = b"HTTP/1.1 200 OK\r\n\r\n"
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._context.sni_callback = lambda _, name, __: self.sni.append(name)
        self._listener = socket.create_server(listen, backlog=64)
        self.address = self._listener.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), connection:
            if not self._direct:
                head = _head(connection.makefile("rb", buffering=0))
                if not head:
                    return
                self.seen.append(head[0])
                if not head[0].startswith("CONNECT "):
                    self._answer(connection, connection.makefile("rb"), head)
                    return
                if callable(self.tunnel_answer):
                    self.tunnel_answer(connection)
                    return
                connection.sendall(self.tunnel_answer)
                if not self.tunnel_answer.startswith(b"HTTP/1.1 2"):
                    return
            with self._context.wrap_socket(connection, server_side=True) as inner:
                self.open_tunnels += 1
                try:
                    file = inner.makefile("rb")
                    while head := _head(file):
                        self.seen.append(head[0])
                        self._answer(inner, file, head)
                finally:
                    self.open_tunnels -= 1

    def _answer(self, connection, file, head: list[str]) -> None:
        headers = [tuple(line.split(": ", 1)) for line in head[1:]]
        fields = {name.lower(): value for name, value in headers}
        request = {"line": head[0], "headers": headers, "body": b""}
        self.requests.append(request)
        path = head[0].split(" ")[1]
        if script := self.scripts.get(path):
            if callable(script):
                script(connection, file)
            else:
                connection.sendall(script)
            return
        if path.endswith("/events"):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
            for number in range(100):
                connection.sendall(b"data: %d\n\n" % number)
                time.sleep(0.2)
            connection.close()
            return
        if path.endswith("/ws"):
            extra = (
                b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
            )
            connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\n" + extra + b"\r\n")
            if len(first := file.read(2)) < 2:
                raise ConnectionError
            frame = file.read(4 + (first[1] & 0x7F))
            text = bytes(byte ^ frame[index % 4] for index, byte in enumerate(frame[4:]))
            connection.sendall(bytes([0x81, len(text)]) + text)
            file.read(1)
            raise ConnectionError
        if path.endswith("/switch"):
            connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: raw\r\nConnection: Upgrade\r\n\r\nraw")
            raise ConnectionError
        if path.endswith("/hints"):
            connection.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
        size = 0
        for data in _body(file, fields):
            size += len(data)
            if size <= MAX_KEPT:
                request["body"] += data
        content = json.dumps({"line": head[0], "headers": headers, "size": size}).encode()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content) + content)

    def forget(self) -> None:
        """Forget what was seen so far."""
        for record in (self.seen, self.requests, self.sni):
            record.clear()

    def close(self) -> None:
        self._listener.close()


def _head(file) -> list[str]:
    lines: list[str] = []
    while (line := file.readline(65536)) not in (b"\r\n", b""):
        lines.append(line.decode("latin-1").rstrip("\r\n"))
    return lines


def _body(file, fields: dict[str, str]):
    """The pieces of a request's body."""
    if "transfer-encoding" in fields:
        while size := int(file.readline(), 16):
            yield file.read(size + 2)[:-2]
        file.readline()
        return
    remaining = int(fields.get("content-length", 0))
    while remaining > 0 and (data := file.read(min(remaining, 65536))):
        remaining -= len(data)
        yield data


def _as_entrypoint() -> None:
    """What the image's entrypoint does before it executes Python."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


class Proxy:
    """The proxy in its own process, started by launch.py; `fault` breaks a part of it on purpose."""

    def __init__(
        self,
        folder: Path,
        upstream: tuple[str, int] | None,
        *,
        fault: str = "",
        limits: dict[str, float] | None = None,
        output: int | None = None,
    ) -> None:
        self.folder = folder
        self.routes, self.link = folder / "routes.yaml", folder / "loaded"
        self._mark = 0
        self._output = (folder / "stdout").open("ab+")
        self._errors = (folder / "stderr").open("ab+")
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.address = probe.getsockname()
        environment = {"PATH": os.environ["PATH"], "BOTTLE_LISTEN": "{}:{}".format(*self.address), **cases.SECRETS}
        if upstream:
            environment["BOTTLE_UPSTREAM"] = "http://{}:{}".format(*upstream)
        command = [sys.executable, "-B", str(Path(__file__).parent / "launch.py"), str(folder), fault]
        command.append(json.dumps(limits or {}))
        self.process = subprocess.Popen(
            command,
            env=environment,
            stdout=self._output if output is None else output,
            stderr=self._errors,
            preexec_fn=_as_entrypoint,
        )
        self.tls = ssl.create_default_context(cafile=folder / "bottle-cert.pem")

    def wait_for_link(self, suffix: str, seconds: float = 10) -> str:
        """The link's target, as soon as it ends in the suffix."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            with contextlib.suppress(OSError):
                if (target := str(self.link.readlink())).endswith(suffix):
                    return target
            time.sleep(0.01)
        raise AssertionError(f"no link {suffix}: {self.errors()}")

    def reload(self, document) -> str:
        """Write other routes, send SIGHUP, and wait for a new link."""
        before = self.link.lstat().st_mtime_ns
        self.routes.write_text(document if isinstance(document, str) else json.dumps(document))
        self.process.send_signal(signal.SIGHUP)
        end = time.monotonic() + 5
        while self.link.lstat().st_mtime_ns == before:
            assert time.monotonic() < end, self.errors()
            time.sleep(0.005)
        return str(self.link.readlink())

    def refusals(self) -> list[dict]:
        """The lines on standard output since `mark`, all of which must be refusals."""
        return [json.loads(line) for line in (self.folder / "stdout").read_text().splitlines()[self._mark :]]

    def mark(self) -> None:
        """Forget the refusals so far."""
        self._mark = 0
        self._mark = len(self.refusals())

    def errors(self) -> str:
        return (self.folder / "stderr").read_text()

    def memory(self, kind: str = "VmRSS") -> int:
        """Kilobytes that the process holds, or held at most (`VmHWM`)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(dict(line.split(":", 1) for line in status.splitlines())[kind].split()[0])

    def descriptors(self) -> int:
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def connect(self) -> socket.socket:
        connection = socket.create_connection(self.address, timeout=10)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def tunnel(self, host: str, port: int = 443, sni: str | None = "", headers: str = "") -> ssl.SSLSocket:
        """A TLS connection inside a CONNECT; `sni` sets another server name, None omits it."""
        raw = self.connect()
        raw.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n{headers}\r\n".encode())
        answer = raw.recv(4096)
        if not answer.startswith(b"HTTP/1.1 200"):
            raise ConnectionRefusedError(answer.decode("latin-1"))
        context = self.tls
        if sni is None or sni:
            context = ssl.create_default_context(cafile=self.folder / "bottle-cert.pem")
            context.check_hostname = False
        return context.wrap_socket(raw, server_hostname=host.rstrip(".") if sni == "" else sni)

    def send(self, request: str | bytes, host: str = "api.example.com", **tunnel) -> http.client.HTTPResponse:
        """Send raw bytes through a tunnel and read the answer."""
        return answer(self.tunnel(host, **tunnel), request)

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
        code = self.process.wait()
        self._output.close()
        self._errors.close()
        return code


def get(path: str = "/ok/x", host: str = "api.example.com", method: str = "GET", extra: str = "") -> str:
    """The text of a request."""
    return f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{extra}\r\n"


def answer(connection: socket.socket, request: str | bytes, method: str = "GET") -> http.client.HTTPResponse:
    """Send a request and parse the answer; its content is in `.content`."""
    connection.sendall(request.encode() if isinstance(request, str) else request)
    response = http.client.HTTPResponse(connection, method=method)
    response.begin()
    response.content = response.read()
    return response
