"""Bad or missing answers of servers: the client gets an answer of ours, or its connection is closed."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
import time

import pytest
from test_live import rule, until, websocket
from world import answer, get

INTERNAL = ("mitmproxy", "127.0.0.1", "Traceback", "Errno", "squid")
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
SWITCH = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"


def says_nothing_internal(response) -> bool:
    text = response.content.decode() + str(response.headers)
    assert response.headers["Content-Type"] == "application/json"
    return not any(word in text for word in (*INTERNAL, "s3cret"))


@pytest.fixture
def closed_port():
    """An address where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()


@pytest.fixture
def mute():
    """An address that queues connections and never answers; when the queue is full, it doesn't even accept."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        yield listener.getsockname()


def test_a_missing_firewall_is_reported_at_once_and_logged(start, closed_port):
    proxy = start(closed_port)
    response = proxy.send(get())
    assert (response.status, rule(response)) == (502, "upstream")
    assert says_nothing_internal(response)
    assert [line["rule"] for line in proxy.refusals()] == ["upstream"]
    assert answer(proxy.connect(), get("http://any.example/", "any.example")).status == 502


def test_a_firewall_that_takes_no_connection_is_given_up(start, mute):
    fill = []
    for _ in range(8):
        fill.append(socket.socket())
        fill[-1].setblocking(False)
        fill[-1].connect_ex(mute)
    proxy = start(mute, limits={"CONNECTING": 1, "SECURING": 1})
    response = proxy.send(get())
    assert (response.status, rule(response)) == (504, "upstream")
    assert says_nothing_internal(response)
    for each in fill:
        each.close()


def test_a_firewall_that_never_answers_is_given_up(start, mute):
    proxy = start(mute, limits={"SECURING": 1})
    response = proxy.send(get())
    assert (response.status, rule(response)) == (504, "upstream")
    assert says_nothing_internal(response)


def test_a_server_that_never_greets_is_given_up(start, firewall):
    firewall.tunnel_answer = lambda raw: raw.sendall(b"HTTP/1.1 200 OK\r\n\r\n") or (raw.recv(9999) and time.sleep(8))
    proxy = start(firewall.address, limits={"SECURING": 1})
    response = proxy.send(get())
    assert (response.status, rule(response)) == (504, "upstream")


def test_a_client_can_try_again_after_a_server_was_not_reached(start, firewall):
    firewall.tunnel_answer = b"HTTP/1.1 503 No\r\n\r\n"
    proxy = start(firewall.address)
    assert proxy.send(get()).status == 503
    firewall.tunnel_answer = b"HTTP/1.1 200 OK\r\n\r\n"
    assert proxy.send(get()).status == 200


@pytest.mark.parametrize("status", [403, 502, 503, 504])
def test_a_tunnel_that_the_firewall_refuses_is_told_as_its_refusal(start, firewall, status):
    firewall.tunnel_answer = f"HTTP/1.1 {status} Secret\r\nServer: squid/6.13\r\n\r\nat 127.0.0.1".encode()
    proxy = start(firewall.address)
    response = proxy.send(get())
    assert (response.status, rule(response)) == (status, "firewall")
    assert str(status) in json.loads(response.content)["reason"]
    assert says_nothing_internal(response)
    assert [(line["rule"], line["host"]) for line in proxy.refusals()] == [("firewall", "api.example.com")]


@pytest.mark.parametrize(
    "words",
    [b"HTTP/1.1 999 x\r\n\r\n", b"junk that is not HTTP\r\n\r\n", b"", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 30_000],
    ids=["odd", "junk", "closed", "endless"],
)
def test_any_other_word_of_the_firewall_is_no_tunnel(start, firewall, words):
    firewall.tunnel_answer = lambda raw: raw.sendall(words)
    proxy = start(firewall.address)
    response = proxy.send(get())
    assert response.status == 502
    assert says_nothing_internal(response)


def test_an_upload_learns_that_the_server_is_not_there(start, closed_port):
    proxy = start(closed_port)
    tunnel = proxy.tunnel("api.example.com")
    head = get(method="POST", extra="Content-Length: 500000\r\n").encode()
    assert answer(tunnel, head + b"x" * 500_000).status == 502


def test_bodies_do_not_pile_up_while_a_server_is_waited_for(start, mute):
    proxy = start(mute, limits={"SECURING": 3})
    tunnels = [proxy.tunnel("api.example.com") for _ in range(8)]
    before = proxy.memory()

    def send(tunnel):
        with pytest.raises(OSError):
            tunnel.sendall(get(method="POST", extra="Content-Length: 900000000\r\n").encode())
            for _ in range(400):
                tunnel.sendall(b"x" * 1_000_000)

    threads = [threading.Thread(target=send, args=(tunnel,)) for tunnel in tunnels]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert proxy.memory("VmHWM") - before < 60_000


# Answers that are invalid, or are followed by more


def hang_up(connection, file):
    raise ConnectionError


BROKEN = {
    "not-http": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "closed": hang_up,
    "http2": b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "http09": b"<html>hello</html>\r\n\r\n",
    "odd-status": b"HTTP/1.1 2_0 OK\r\nContent-Length: 0\r\n\r\n",
    "signed-status": b"HTTP/1.1 +20 OK\r\nContent-Length: 0\r\n\r\n",
    "length-and-chunked": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two-lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "odd-coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "endless-head": b"HTTP/1.1 200 OK\r\n" + b"X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n" * 20_000,
    "many-fields": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + b"X:\r\n" * 1024 + b"\r\n",
    "endless-line": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 600_000,
    "interim-flood": b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" * 10_000,
    "switch": (SWITCH + "Upgrade: raw\r\n\r\n").encode() + b"raw bytes",
    "switch-to-websocket": (SWITCH + f"Upgrade: websocket\r\nSec-WebSocket-Accept: {ACCEPT}\r\n\r\n").encode(),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_answer_becomes_one_of_ours_and_its_connection_is_not_used_again(proxy, firewall, name):
    firewall.scripts["/ok/broken"] = BROKEN[name]
    tunnel = proxy.tunnel("api.example.com")
    response = answer(tunnel, get("/ok/broken"))
    assert (response.status, rule(response)) == (502, "upstream")
    assert says_nothing_internal(response)
    assert [line["rule"] for line in proxy.refusals()] == ["upstream"]
    assert until(lambda: firewall.open_tunnels == 0)
    assert proxy.send(get()).status == 200
    assert proxy.errors() == ""


@pytest.mark.parametrize(
    ("words", "method", "body"),
    [
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad",
            "GET",
            b"ok",
        ),
        (b"HTTP/1.1 204 No\r\n\r\nbad", "GET", b""),
        (b"HTTP/1.1 304 No\r\nContent-Length: 3\r\n\r\nbad", "GET", b""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad", "HEAD", b""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nbad", "GET", b"ok"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-T: 1\r\n\r\n", "GET", b"ok"),
    ],
    ids=["twice", "204", "304", "head", "after-chunks", "trailers"],
)
def test_what_follows_an_answer_never_answers_another_request(proxy, firewall, words, method, body):
    firewall.scripts["/ok/odd"] = words
    tunnel = proxy.tunnel("api.example.com")
    response = answer(tunnel, get("/ok/odd", method=method), method)
    assert response.content == body
    following = answer(tunnel, get("/ok/next"))
    assert b"/ok/next" in following.content
    assert proxy.errors() == ""


def test_an_answer_before_the_request_ends_reaches_the_client_and_a_second_one_does_not(proxy, firewall):
    def early(connection, file):
        connection.sendall(b"HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno")
        file.read(1000)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad")
        raise ConnectionError

    firewall.scripts["/ok/early"] = early
    tunnel = proxy.tunnel("api.example.com")
    assert answer(tunnel, get("/ok/early", method="POST", extra="Content-Length: 900000\r\n")).status == 413
    received = b""
    try:
        tunnel.sendall(b"x" * 2000)
        while data := tunnel.recv(65536):
            received += data
    except ConnectionError:
        pass
    assert received == b""
    assert proxy.errors() == ""


@pytest.mark.parametrize("kind", ["chunked", "until-close"])
def test_an_answer_before_the_request_ends_ends_for_the_client_too(proxy, firewall, kind):
    def early(connection, file):
        if kind == "chunked":
            connection.sendall(b"HTTP/1.1 413 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n")
            while size := int(file.readline(), 16):
                file.read(size + 2)
            file.readline()
        else:
            connection.sendall(b"HTTP/1.1 413 No\r\n\r\nno")
            raise ConnectionError

    firewall.scripts["/ok/early"] = early
    tunnel = proxy.tunnel("api.example.com")
    response = answer(tunnel, get("/ok/early", method="POST", extra="Transfer-Encoding: chunked\r\n"))
    assert (response.status, response.content) == (413, b"no")
    if kind == "chunked":
        rest = b"dbba0\r\n" + b"x" * 900_000 + b"\r\n0\r\n\r\n"
        following = answer(tunnel, rest + get("/ok/next").encode())
        assert b"/ok/next" in following.content
    assert proxy.errors() == ""


def test_a_broken_request_behind_one_that_was_answered_early_is_on_record_once(proxy, firewall):
    def early(connection, file):
        connection.sendall(b"HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno")
        file.read(5)

    firewall.scripts["/ok/early"] = early
    tunnel = proxy.tunnel("api.example.com")
    assert answer(tunnel, get("/ok/early", method="POST", extra="Content-Length: 5\r\n")).status == 413
    tunnel.sendall(b"hello" + get("/ok/x", method="POST", extra="Transfer-Encoding: chunked\r\n").encode() + b"5\nx")
    with contextlib.suppress(OSError):
        while tunnel.recv(65536):
            pass
    assert [line["rule"] for line in proxy.refusals()] == ["malformed"]


@pytest.mark.parametrize("part", [b"X-T: y\r\n", b"aaaaaaaaaaaaaaaa"], ids=["trailers", "extension"])
def test_endless_trailers_and_chunk_extensions_of_a_server_are_cut(proxy, firewall, part):
    lead = b"0\r\n" if part.endswith(b"\n") else b"1;"

    def endless(connection, file):
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + lead)
        for _ in range(4000):
            connection.sendall(part * 1000)

    firewall.scripts["/ok/endless"] = endless
    tunnel = proxy.tunnel("api.example.com")
    tunnel.sendall(get("/ok/endless").encode())
    while tunnel.recv(65536):
        pass
    assert until(lambda: firewall.open_tunnels == 0)
    assert proxy.memory("VmHWM") < 120_000
    assert proxy.errors() == ""


@pytest.mark.parametrize(
    "fields",
    [
        "Upgrade: raw\r\n",
        "Upgrade: websocket\r\nSec-WebSocket-Accept: AAAA\r\n",
        "Upgrade: websocket\r\n",
        f"Upgrade: websocket\r\nSec-WebSocket-Accept: {ACCEPT}\r\nSec-WebSocket-Extensions: permessage-deflate\r\n",
        f"Upgrade: websocket, raw\r\nSec-WebSocket-Accept: {ACCEPT}\r\n",
    ],
)
def test_a_websocket_begins_only_with_the_answer_of_the_standard(proxy, firewall, fields):
    firewall.scripts["/ok/ws"] = (SWITCH + fields + "\r\n").encode()
    response = answer(proxy.tunnel("ws.example"), websocket("ws.example"))
    assert (response.status, rule(response)) == (502, "upstream")


def test_bytes_sent_before_the_answer_to_a_websocket_are_requests_when_it_is_declined(proxy, firewall):
    firewall.scripts["/ok/ws"] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno"
    tunnel = proxy.tunnel("ws.example")
    smuggled = get("/ok/smuggled", "any.example")
    response = answer(tunnel, websocket("ws.example") + smuggled)
    assert (response.status, response.content) == (200, b"no")
    assert rule(answer(tunnel, b"")) == "identity"
    assert not any("smuggled" in line for line in firewall.seen)


def frame(data: bytes, *, opcode: int = 2, fin: bool = True, size: int | None = None, mask: bool = True) -> bytes:
    size = len(data) if size is None else size
    bit = 0x80 if mask else 0
    length = bytes([bit | size]) if size < 126 else bytes([bit | 127]) + struct.pack(">Q", size)
    return bytes([(0x80 if fin else 0) | opcode]) + length + (b"\0\0\0\0" if mask else b"") + data


def open_websocket(proxy, firewall, server):
    """A WebSocket whose server is a function of the connection and its file."""

    def serve(connection, file):
        connection.sendall((SWITCH + f"Upgrade: websocket\r\nSec-WebSocket-Accept: {ACCEPT}\r\n\r\n").encode())
        server(connection, file)

    firewall.scripts["/ok/ws"] = serve
    tunnel = proxy.tunnel("ws.example")
    tunnel.sendall(websocket("ws.example").encode())
    assert tunnel.recv(4096).startswith(b"HTTP/1.1 101")
    return tunnel


@pytest.mark.parametrize(
    "words",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        frame(b"x", mask=False),
        b"\xc2\x81\0\0\0\0x",
        b"\x8b\x80\0\0\0\0",
        b"\x09\x80\0\0\0\0",
    ],
    ids=["http", "unmasked", "reserved-bit", "unknown-opcode", "cut-ping"],
)
def test_only_websocket_frames_pass_after_the_switch(proxy, firewall, words):
    received = []

    def server(connection, file):
        received.append(file.read())

    tunnel = open_websocket(proxy, firewall, server)
    tunnel.sendall(words)
    while tunnel.recv(65536):
        pass
    assert until(lambda: received)
    assert received[0] == b"" or received[0][0] == 0x88  # nothing, or a close frame
    assert words not in received[0]


def test_a_huge_websocket_message_passes_as_it_comes_and_is_never_held(proxy, firewall):
    size, passed = 80_000_000, []

    def server(connection, file):
        count = 0
        while data := file.read1(1 << 20):
            count += len(data)
            passed[:] = [count]

    tunnel = open_websocket(proxy, firewall, server)
    tunnel.sendall(frame(b"", size=size))
    for _ in range(size // 1_000_000):
        tunnel.sendall(b"x" * 1_000_000)
    assert until(lambda: passed and passed[0] > size, 30)
    assert proxy.memory("VmHWM") < 120_000


def test_no_extension_is_offered_to_the_server_of_a_websocket(proxy, firewall):
    text = websocket("ws.example")[:-2] + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    tunnel = proxy.tunnel("ws.example")
    tunnel.sendall(text.encode())
    assert tunnel.recv(4096).startswith(b"HTTP/1.1 101")
    assert "permessage" not in repr(firewall.requests)


# TLS


def test_old_tls_is_spoken_on_neither_side(start, trust, proxy):
    context = ssl.create_default_context(cafile=proxy.folder / "bottle-cert.pem")
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    raw = proxy.connect()
    raw.sendall(b"CONNECT api.example.com:443 HTTP/1.1\r\n\r\n")
    raw.recv(4096)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        context.wrap_socket(raw, server_hostname="api.example.com")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_no_session_is_resumed_so_there_is_no_early_data(common, version):
    proxy, _ = common
    context = ssl.create_default_context(cafile=proxy.folder / "bottle-cert.pem")
    context.minimum_version = context.maximum_version = version
    session = None
    for _ in range(2):
        raw = proxy.connect()
        raw.sendall(b"CONNECT api.example.com:443 HTTP/1.1\r\n\r\n")
        raw.recv(4096)
        tunnel = context.wrap_socket(raw, server_hostname="api.example.com", session=session)
        assert answer(tunnel, get()).status == 200
        assert not tunnel.session_reused
        session = tunnel.session


def test_the_server_is_offered_http1_and_nothing_that_the_client_chose(proxy, firewall):
    offered = []

    def spy(raw):
        raw.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        offered.append(raw.recv(65536))

    firewall.tunnel_answer = spy
    context = ssl.create_default_context(cafile=proxy.folder / "bottle-cert.pem")
    context.set_alpn_protocols(["chosen-by-agent", "http/1.1"])
    raw = proxy.connect()
    raw.sendall(b"CONNECT api.example.com:443 HTTP/1.1\r\n\r\n")
    raw.recv(4096)
    assert answer(context.wrap_socket(raw, server_hostname="api.example.com"), get()).status == 502
    assert b"\x08http/1.1" in offered[0]
    assert b"chosen-by-agent" not in offered[0]


# HTTP/2


def greet(proxy, protocols):
    context = ssl.create_default_context(cafile=proxy.folder / "bottle-cert.pem")
    context.set_alpn_protocols(protocols)
    raw = proxy.connect()
    raw.sendall(b"CONNECT api.example.com:443 HTTP/1.1\r\n\r\n")
    raw.recv(4096)
    return context.wrap_socket(raw, server_hostname="api.example.com")


def test_http1_is_chosen_from_an_offer_of_both(common):
    proxy, _ = common
    tunnel = greet(proxy, ["h2", "http/1.1"])
    assert tunnel.selected_alpn_protocol() == "http/1.1"
    assert answer(tunnel, get()).status == 200


def test_a_client_of_http2_only_is_told_in_the_handshake_and_on_record(common):
    proxy, firewall = common
    with pytest.raises(ssl.SSLError, match=r"(?i)application.protocol"):
        greet(proxy, ["h2"])
    assert [(line["rule"], line["host"]) for line in proxy.refusals()] == [("version", "api.example.com")]
    assert firewall.seen == []


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


@pytest.mark.parametrize("inside", [True, False])
def test_http2_with_prior_knowledge_is_refused_whatever_its_frames_say(common, inside):
    proxy, firewall = common
    authority = b"\x00\x00\x1c\x01\x05\x00\x00\x00\x01\x82\x87\x84\x41\x0cany.example."
    connection = greet(proxy, ["http/1.1"]) if inside else proxy.connect()
    response = answer(connection, PREFACE + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00" + authority)
    assert (response.status, rule(response)) == (403, "version")
    with contextlib.suppress(ConnectionError):
        assert connection.recv(100) == b""
    assert [line["rule"] for line in proxy.refusals()] == ["version"]
    assert firewall.seen == []
