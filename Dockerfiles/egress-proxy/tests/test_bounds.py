"""Limits for a malicious client: time, connections, memory, the log. Other clients are served meanwhile."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import ssl
import struct
import threading
import time

import cases
import pytest
from test_live import rule, until
from world import answer, get

BRIEF = {"SILENT": 2, "HEAD": 1, "GREETING": 1, "HELLO": 1, "IDLE": 3, "REFUSED": 1}
THINKING = 3
SOON = 6  # far below the limit for a whole head or greeting


def closed(connection, seconds: float = 15) -> bool:
    """Whether the peer closes within the time, whatever it sends first."""
    connection.settimeout(seconds)
    try:
        while connection.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


def drips(connection, piece: bytes) -> bool:
    """Whether the peer closes while the same piece is sent repeatedly."""
    end = time.monotonic() + 15
    with contextlib.suppress(OSError):
        while time.monotonic() < end:
            connection.sendall(piece)
            time.sleep(0.05)
    return time.monotonic() < end


def opened(proxy) -> socket.socket:
    """A tunnel before its first byte of TLS."""
    raw = proxy.connect()
    raw.sendall(b"CONNECT api.example.com:443 HTTP/1.1\r\n\r\n")
    raw.recv(4096)
    return raw


# Time


def test_a_connection_that_says_nothing_is_closed(start, firewall):
    assert closed(start(firewall.address, limits=BRIEF).connect())


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("start_of_head", [b"GET /ok/x HTTP/1.1\r\n", b"", b"\r\n"], ids=["line", "none", "blank"])
def test_a_head_that_drips_is_cut(start, firewall, inside, start_of_head):
    proxy = start(firewall.address, limits=BRIEF)
    connection = proxy.tunnel("api.example.com") if inside else proxy.connect()
    connection.sendall(start_of_head)
    assert drips(connection, b"X: y\r\n" if start_of_head.startswith(b"G") else (start_of_head or b"G"))
    # Empty lines do not begin a head, so the connection ends like one that sends nothing.
    assert [line["rule"] for line in proxy.refusals()] == ([] if start_of_head == b"\r\n" else ["malformed"])
    assert firewall.seen == []


@pytest.mark.parametrize("piece", [b"", b"\x16", b"\x16\x03\x01\x40\x00", b"\x16\x03\x01\x00\x01\x01"])
def test_a_greeting_that_is_never_whole_is_cut(start, firewall, piece):
    proxy = start(firewall.address, limits=BRIEF)
    raw = opened(proxy)
    raw.sendall(piece)
    assert closed(raw)
    assert [line["rule"] for line in proxy.refusals()] == ["malformed"]


@pytest.mark.parametrize("start_of_head", ["GET /ok/x HTTP/1.1\r\nHo", "G", "\r\nG"], ids=["field", "line", "blank"])
@pytest.mark.parametrize("place", ["outside", "inside", "next"])
def test_a_head_is_not_waited_for_when_nothing_more_of_it_comes(common, place, start_of_head):
    proxy, firewall = common
    connection = proxy.connect() if place == "outside" else proxy.tunnel("api.example.com")
    if place == "next":
        assert answer(connection, get()).status == 200
    connection.sendall(start_of_head.encode())
    assert closed(connection, SOON)
    assert [line["rule"] for line in proxy.refusals()] == ["malformed"]
    assert len(firewall.requests) == (place == "next")


@pytest.mark.parametrize("piece", [b"\x16", b"\x16\x03", b"\x16\x03\x01\x40\x00", b"\x16\x03\x01\x00\x01\x01"])
def test_a_greeting_is_not_waited_for_when_nothing_more_of_it_comes(common, piece):
    proxy, firewall = common
    raw = opened(proxy)
    raw.sendall(piece)
    assert closed(raw, SOON)
    assert [line["rule"] for line in proxy.refusals()] == ["malformed"]
    assert firewall.seen == []


def test_an_empty_line_behind_a_request_begins_no_head(common):
    proxy, _ = common
    tunnel = proxy.tunnel("api.example.com")
    assert answer(tunnel, get()).status == 200
    tunnel.sendall(b"\r\n")
    time.sleep(THINKING)
    assert answer(tunnel, get()).status == 200
    assert proxy.refusals() == []


def test_a_greeting_in_pieces_has_no_more_time_than_one_in_one(start, firewall):
    proxy = start(firewall.address, limits={"GREETING": 6, "HELLO": 6})
    raw = opened(proxy)
    begun = time.monotonic()
    time.sleep(4)
    raw.sendall(b"\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03")
    assert drips(raw, b"\0")
    assert time.monotonic() - begun < 9
    assert [line["rule"] for line in proxy.refusals()] == ["malformed"]


def test_a_client_may_think_before_it_greets_within_the_handshake_and_before_a_request(common):
    proxy, _ = common
    raw = opened(proxy)
    time.sleep(THINKING)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = proxy.tls.wrap_bio(incoming, outgoing, server_hostname="api.example.com")
    raw.settimeout(SOON)
    hello = True
    while True:
        try:
            client.do_handshake()
            break
        except ssl.SSLWantReadError:
            raw.sendall(outgoing.read())
            incoming.write(raw.recv(65536))
            if hello:
                time.sleep(THINKING)
            hello = False
    raw.sendall(outgoing.read())
    time.sleep(THINKING)
    client.write(get().encode())
    raw.sendall(outgoing.read())
    while True:
        try:
            assert client.read(12) == b"HTTP/1.1 200"
            break
        except ssl.SSLWantReadError:
            incoming.write(raw.recv(65536))


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize(("fields", "whole"), [(128, True), (129, False), (129, True), (5000, True)])
def test_a_head_of_too_many_fields_is_refused_without_waiting_for_its_end(start, firewall, inside, fields, whole):
    proxy = start(firewall.address, limits={"HEAD": 600})
    connection = proxy.tunnel("api.example.com") if inside else proxy.connect()
    head = get("/ok/x" if inside else "http://any.example/", "api.example.com" if inside else "any.example")
    line, host = head.split("\r\n")[:2]
    lines = [line, host, *["X: y"] * (fields - 1)]
    text = "\r\n" + "\r\n".join(lines) + ("\r\n\r\n" if whole else "\r\n")
    response = answer(connection, text)
    if fields <= 128:
        assert response.status == 200
    else:
        assert (response.status, rule(response)) == (431, "malformed")
        assert closed(connection)
        assert [line["rule"] for line in proxy.refusals()] == ["malformed"]
        assert firewall.requests == []


def test_bytes_after_a_request_that_begin_no_other_end_the_connection_at_once(start, firewall):
    proxy = start(firewall.address, limits={"HEAD": 600})
    tunnel = proxy.tunnel("api.example.com")
    assert answer(tunnel, get().encode() + b"\x16\x03\x01").status == 200
    assert closed(tunnel)
    assert [line["rule"] for line in proxy.refusals()] == ["malformed"]


def test_a_greeting_is_bounded_in_size(common):
    proxy, _ = common
    raw = opened(proxy)
    record = b"\x16\x03\x01\x40\x00" + b"\x01\xff\xff\xff" + b"a" * (0x4000 - 4)
    with contextlib.suppress(OSError):
        for _ in range(8):
            raw.sendall(record)
    assert closed(raw)
    assert [line["rule"] for line in proxy.refusals()] == ["malformed"]


def test_a_kept_connection_is_closed_when_nothing_comes_any_more(start, firewall):
    proxy = start(firewall.address, limits=BRIEF)
    tunnel = proxy.tunnel("api.example.com")
    assert answer(tunnel, get()).status == 200
    assert closed(tunnel)
    assert proxy.refusals() == []


def test_a_silent_answer_outlives_every_limit_but_that_of_silence(start, firewall):
    def slow(connection, file):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
        time.sleep(5)
        connection.sendall(b"ok")

    firewall.scripts["/ok/slow"] = slow
    proxy = start(firewall.address, limits={**BRIEF, "IDLE": 1})
    assert proxy.send(get("/ok/slow")).content == b"ok"


def test_a_request_in_which_nothing_moves_is_ended(start, firewall):
    firewall.scripts["/ok/never"] = lambda connection, file: file.read()
    tunnel = start(firewall.address, limits={"BUSY": 1}).tunnel("api.example.com")
    tunnel.sendall(get("/ok/never").encode())
    assert closed(tunnel)


@pytest.mark.parametrize(
    "extra",
    ["Content-Length: 900000\r\n", "Transfer-Encoding: chunked\r\n", "Content-Length: 9\r\nExpect: 100-continue\r\n"],
)
def test_a_refused_body_may_not_drip(start, firewall, extra):
    proxy = start(firewall.address, limits=BRIEF)
    tunnel = proxy.tunnel("api.example.com")
    assert answer(tunnel, get("/ok/x")).status == 200
    assert rule(answer(tunnel, get("/no", method="POST", extra=extra))) == "path"
    assert drips(tunnel, b"1\r\nx\r\n" if "chunked" in extra else b"x")
    assert len(proxy.refusals()) == 1
    assert not any("/no" in line for line in firewall.seen)


@pytest.mark.parametrize("pipelined", [True, False])
def test_a_refused_body_is_never_read_as_a_request(common, pipelined):
    proxy, firewall = common
    tunnel = proxy.tunnel("api.example.com")
    smuggled = get("/ok/smuggled") * 3
    head = get("/no", method="POST", extra=f"Content-Length: {len(smuggled) + 5}\r\n")
    chunked = f"{len(smuggled):x}\r\n{smuggled}\r\n0\r\n\r\n" + smuggled
    for text in (head + smuggled, get("/no", method="POST", extra="Transfer-Encoding: chunked\r\n") + chunked):
        tunnel = proxy.tunnel("api.example.com")
        lead = get("/ok/lead")
        if pipelined:
            tunnel.sendall((lead + text).encode())
            assert answer(tunnel, b"").status == 200
        else:
            assert answer(tunnel, lead).status == 200
            tunnel.sendall(text.encode())
        assert answer(tunnel, b"").status == 403
        tunnel.sendall(smuggled.encode()) if not pipelined else None
        assert closed(tunnel)
    assert not any("smuggled" in line for line in firewall.seen)
    assert [line["rule"] for line in proxy.refusals()] == ["path", "path"]


def test_an_endless_chunked_body_after_a_refusal_is_cut(common):
    proxy, firewall = common
    tunnel = proxy.tunnel("api.example.com")
    assert answer(tunnel, get("/no", method="POST", extra="Transfer-Encoding: chunked\r\n")).status == 403
    with pytest.raises(OSError):
        for _ in range(5000):
            tunnel.sendall(b"fff\r\n" + b"x" * 0xFFF + b"\r\n")
    assert firewall.seen == []


# Connections


def occupied(proxy, firewall, count: int) -> list:
    """A number of tunnels, each with a request under way that is never answered."""
    firewall.scripts["/ok/never"] = lambda connection, file: file.read()
    tunnels = [proxy.tunnel("api.example.com") for _ in range(count)]
    for tunnel in tunnels:
        tunnel.sendall(get("/ok/never").encode())
    assert until(lambda: len(firewall.requests) == count)
    return tunnels


def test_idle_connections_make_room_and_busy_ones_do_not(start, firewall):
    proxy = start(firewall.address, limits={"MAX_CONNECTIONS": 8})
    busy = occupied(proxy, firewall, 3)
    idle = [proxy.connect() for _ in range(5)]
    assert proxy.send(get()).status == 200
    assert closed(idle[0])
    assert proxy.refusals() == []
    for tunnel in busy:
        tunnel.settimeout(0.2)
        with pytest.raises(TimeoutError):
            tunnel.recv(1)


def test_busy_connections_are_bounded(start, firewall):
    proxy = start(firewall.address, limits={"MAX_CONNECTIONS": 4})
    busy = occupied(proxy, firewall, 4)
    assert closed(proxy.connect())
    for tunnel in busy:
        tunnel.close()
    assert until(lambda: firewall.open_tunnels == 0)
    assert proxy.send(get()).status == 200


def test_thousands_of_connections_are_held_to_their_number_and_leave_nothing_behind(start, firewall):
    most = 512
    proxy = start(firewall.address, limits={"MAX_CONNECTIONS": most})
    proxy.send(get())
    before = proxy.descriptors()
    leaked = []
    for _ in range(1500):
        leaked.append(proxy.connect())
        with contextlib.suppress(OSError):
            leaked[-1].sendall(b"GET http://any.example/ HTTP/1.1\r\nX: " + b"a" * 60_000)
    # The event loop accepts up to a hundred connections at once; those that make room are closed in its next round.
    assert until(lambda: proxy.descriptors() <= before + most, 30)
    assert proxy.send(get()).status == 200
    assert proxy.memory("VmHWM") < 190_000
    for connection in leaked:
        connection.close()
    assert until(lambda: proxy.descriptors() <= before + 5, 30)


def test_one_client_connection_holds_few_server_connections(start, firewall):
    proxy = start(firewall.address, cases.document(allowlist=["*.wild.example.org"]))
    connection = proxy.connect()
    for number in range(60):
        host = f"h{number}.wild.example.org"
        assert answer(connection, get(f"http://{host}/", host)).status == 200
    assert proxy.descriptors() < 30


def test_a_server_that_always_closes_leaves_nothing_behind(proxy, firewall):
    def once(connection, file):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        raise ConnectionError

    firewall.scripts["/ok/once"] = once
    tunnel = proxy.tunnel("api.example.com")
    sizes = []
    for number in range(200):
        while answer(tunnel, get("/ok/once")).status != 200:  # the proxy had not yet seen the close
            tunnel = proxy.tunnel("api.example.com")
        if number % 100 == 99:
            sizes.append(proxy.memory())
    assert sizes[1] - sizes[0] < 4_000
    assert proxy.descriptors() < 30


def test_certificates_for_many_names_are_not_all_kept(proxy):
    for _ in range(120):
        proxy.tunnel(f"h{_}.example.org").close()
    before = proxy.memory()
    for number in range(400):
        proxy.tunnel(f"h{number}.example.net").close()
    assert proxy.memory() - before < 10_000
    assert proxy.send(get()).status == 200


def test_a_client_that_leaves_while_its_upload_waits_leaves_nothing_behind(start, firewall):
    proxy = start(firewall.address, limits={"STALLED_SECONDS": 1})
    never = threading.Event()
    firewall.scripts["/ok/deaf"] = lambda connection, file: never.wait(30)
    proxy.send(get())
    before = proxy.descriptors()
    for _ in range(10):
        tunnel = proxy.tunnel("api.example.com")
        tunnel.settimeout(0.5)
        with contextlib.suppress(OSError):
            tunnel.sendall(get("/ok/deaf", method="POST", extra="Content-Length: 900000000\r\n").encode())
            tunnel.sendall(b"x" * 50_000_000)
        tunnel.close()
    assert until(lambda: proxy.descriptors() <= before, 10)
    never.set()


def test_a_reader_that_stops_holds_its_own_download_only(proxy, firewall):
    def flood(connection, file):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 900000000\r\n\r\n")
        for _ in range(900):
            connection.sendall(b"x" * 1_000_000)

    firewall.scripts["/ok/flood"] = flood
    stopped = [proxy.tunnel("api.example.com") for _ in range(10)]
    for tunnel in stopped:
        tunnel.sendall(get("/ok/flood").encode())
    time.sleep(2)
    assert proxy.send(get()).status == 200
    assert proxy.memory("VmHWM") < 130_000


@pytest.mark.alone
def test_uploads_to_a_server_that_does_not_read_hold_little_each(proxy, firewall):
    never = threading.Event()
    firewall.scripts["/ok/deaf"] = lambda connection, file: never.wait(60)
    tunnels = [proxy.tunnel("api.example.com") for _ in range(60)]
    before = proxy.memory()
    for tunnel in tunnels:
        tunnel.sendall(get("/ok/deaf", method="POST", extra="Content-Length: 900000000\r\n").encode())
        tunnel.setblocking(False)
    end = time.monotonic() + 6
    while time.monotonic() < end:
        for tunnel in tunnels:
            with contextlib.suppress(OSError):
                tunnel.send(b"x" * 500_000)
    assert proxy.memory("VmHWM") - before < 60 * 1_000
    assert proxy.send(get()).status == 200
    never.set()


# The log


def test_a_flood_of_refusals_is_a_line_each_and_no_memory(proxy):
    tunnel = proxy.tunnel("api.example.com")
    for _ in range(20):
        assert answer(tunnel, get("/no")).status == 403
    before = proxy.memory()
    for _ in range(50):
        tunnel.sendall(get("/no").encode() * 60)
        received = b""
        while received.count(b"\r\n\r\n{") < 60:
            received += tunnel.recv(1 << 20)
    assert proxy.memory() - before < 5_000
    assert len(proxy.refusals()) == 20 + 3000


def test_a_log_without_a_reader_stops_nothing_and_the_loss_is_logged(start, firewall):
    reading, writing = os.pipe()
    proxy = start(firewall.address, output=writing, limits={"MAX_WAITING": 20_000})
    os.close(writing)
    tunnel = proxy.tunnel("api.example.com")
    for _ in range(600):
        assert answer(tunnel, get("/no")).status == 403
    assert proxy.send(get()).status == 200
    lines = []
    with os.fdopen(reading) as log:
        for line in log:
            lines.append(json.loads(line))
            if lines[-1]["event"] == "lost":
                break
    assert len(lines) - 1 + lines[-1]["lines"] == 600
    assert lines[-1]["lines"] > 0


def test_a_log_that_is_closed_stops_nothing(start, firewall):
    reading, writing = os.pipe()
    os.close(reading)
    proxy = start(firewall.address, output=writing)
    os.close(writing)
    assert proxy.send(get("/no")).status == 403
    assert proxy.send(get()).status == 200


# The socket


def test_an_address_that_no_device_carries_is_not_listened_on(start, firewall, monkeypatch):
    from bottle_egress import listening

    with pytest.raises(listening.NotListening):
        listening.device_of("192.0.2.1")
    name, index = listening.device_of("127.0.0.1")
    with listening.open_listener("127.0.0.1", 0) as listener:
        assert listener.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16).rstrip(b"\0").decode() == name
        assert listener.proto == socket.IPPROTO_TCP  # otherwise every answer waits for the client's delayed ACK
    assert socket.if_indextoname(index) == name


def test_a_kernel_that_refuses_the_binding_keeps_it_from_starting(start, firewall):
    proxy = start(firewall.address, fault="device", suffix="")
    assert proxy.process.wait(10) == 1
    assert "device" in proxy.errors()


def test_a_reset_in_the_middle_of_a_head_is_no_fault(proxy):
    for _ in range(20):
        connection = proxy.connect()
        connection.sendall(b"GET / HT")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    assert proxy.send(get()).status == 200
    assert proxy.errors() == ""
