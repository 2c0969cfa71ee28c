"""The real proxy over real sockets. Tests look at what the firewall saw, not only at what the client was told."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import cases
import pytest
from conftest import TABLE
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world import Firewall, answer, get

from bottle_egress import paths


def rule(response) -> str:
    return json.loads(response.content)["rule"]


def until(condition, seconds: float = 3) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False


# What is allowed


def test_an_allowed_request_arrives_with_the_credential_of_the_route_only(common):
    proxy, firewall = common
    sent = "Authorization: Bearer mine\r\nX-Api-Key: mine\r\nCookie: a=mine\r\nX-Kept: 1\r\n"
    response = proxy.send(get("/ok/x?a=1&access_token=mine", extra=sent))
    assert response.status == 200
    assert firewall.seen == ["CONNECT api.example.com:443 HTTP/1.1", "GET /ok/x?a=1 HTTP/1.1"]
    headers = firewall.requests[0]["headers"]
    assert ("Authorization", "Bearer s3cret-value") in headers
    assert ("X-Kept", "1") in headers
    assert "mine" not in repr(headers)
    assert proxy.refusals() == []


def test_the_server_name_and_host_upstream_are_canonical_whatever_the_client_wrote(common):
    proxy, firewall = common
    response = proxy.send(get(host="API.example.COM."), host="Api.Example.Com.", sni="API.EXAMPLE.com")
    assert response.status == 200
    assert firewall.sni == ["api.example.com"]
    assert ("Host", "api.example.com") in firewall.requests[0]["headers"]
    assert firewall.seen[0] == "CONNECT api.example.com:443 HTTP/1.1"


def test_the_server_name_upstream_is_canonical_when_only_the_client_hello_is_odd(common):
    proxy, firewall = common
    assert proxy.send(get(), sni="API.EXAMPLE.com").status == 200
    assert firewall.sni == ["api.example.com"]


def test_one_tunnel_carries_many_requests_each_decided_on_its_own(common):
    proxy, firewall = common
    tunnel = proxy.tunnel("api.example.com")
    statuses = [answer(tunnel, get(path)).status for path in ("/ok/1", "/no", "/ok/2", "/ok/../no", "/ok/3")]
    assert statuses == [200, 403, 200, 403, 200]
    assert [line for line in firewall.seen if line.startswith("GET")] == [f"GET /ok/{n} HTTP/1.1" for n in (1, 2, 3)]


def test_plain_http_goes_to_port_80_without_a_credential(common):
    proxy, firewall = common
    response = answer(proxy.connect(), get("http://api.example.com/ok/x"))
    assert response.status == 200
    assert firewall.seen == ["GET http://api.example.com/ok/x HTTP/1.1"]
    assert "s3cret" not in repr(firewall.requests)


def test_a_large_body_streams_both_chunked_and_with_a_length(common):
    proxy, firewall = common
    chunk = b"x" * 100_000
    chunked = (b"%x\r\n" % len(chunk) + chunk + b"\r\n") * 20 + b"0\r\n\r\n"
    head = get(method="POST", extra="Transfer-Encoding: chunked\r\n").encode()
    assert proxy.send(head + chunked).status == 200
    head = get(method="POST", extra="Content-Length: 2000000\r\n").encode()
    assert proxy.send(head + chunk * 20).status == 200
    assert [len(request["body"]) for request in firewall.requests] == [2_000_000, 2_000_000]


def test_an_answer_longer_than_its_request_streams_while_that_is_sent(proxy, firewall):
    size, times = 10_000_000, 10

    def multiply(connection, file):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (size * times))
        left = size
        while left:
            data = file.read1(min(left, 65536))
            connection.sendall(data * times)
            left -= len(data)

    firewall.scripts["http://any.example/multiply"] = multiply
    connection = proxy.connect()
    connection.settimeout(60)
    head = get("http://any.example/multiply", "any.example", "POST", f"Content-Length: {size}\r\n")
    sending = threading.Thread(target=connection.sendall, args=(head.encode() + b"x" * size,), daemon=True)
    sending.start()
    assert len(answer(connection, "").content) == size * times
    sending.join(60)


def test_chunks_that_come_together_arrive_whole_and_in_order_both_ways(common):
    proxy, firewall = common
    pieces = [bytes([65 + number % 26]) * (1 + number * 37 % 5000) for number in range(200)]
    chunked = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    firewall.scripts["/ok/pieces"] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked
    tunnel = proxy.tunnel("api.example.com")
    tunnel.sendall(get(method="POST", extra="Transfer-Encoding: chunked\r\n").encode() + chunked)
    assert answer(tunnel, "").status == 200
    assert firewall.requests[0]["body"] == b"".join(pieces)
    assert answer(tunnel, get("/ok/pieces")).content == b"".join(pieces)


def test_expect_continue_is_answered_only_when_the_request_is_allowed(common):
    proxy, _ = common
    extra = "Content-Length: 3\r\nExpect: 100-continue\r\n"
    tunnel = proxy.tunnel("api.example.com")
    tunnel.sendall(get(method="POST", extra=extra).encode())
    assert tunnel.recv(4096).startswith(b"HTTP/1.1 100")
    assert answer(tunnel, b"abc").status == 200
    assert answer(proxy.tunnel("api.example.com"), get("/no", method="POST", extra=extra)).status == 403


def test_server_sent_events_arrive_at_once(common):
    proxy, _ = common
    tunnel = proxy.tunnel("api.example.com")
    started = time.monotonic()
    tunnel.sendall(get("/ok/events").encode())
    received = b""
    while b"data: 1\n" not in received:
        received += tunnel.recv(4096)
    assert time.monotonic() - started < 2
    assert b"data: 50" not in received


def test_an_interim_response_does_not_end_the_request(common):
    proxy, _ = common
    assert proxy.send(get("/ok/hints")).status == 200


def websocket(host: str) -> str:
    fields = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    return get("/ok/ws", host, extra=fields + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")


def test_a_websocket_works_on_the_route_that_allows_it(common):
    proxy, _ = common
    tunnel = proxy.tunnel("ws.example")
    tunnel.sendall(websocket("ws.example").encode())
    received = tunnel.recv(4096)
    assert received.startswith(b"HTTP/1.1 101")
    tunnel.sendall(b"\x81\x85" + b"\0\0\0\0" + b"hello")
    while not received.endswith(b"\x81\x05hello"):
        data = tunnel.recv(4096)
        assert data
        received += data


def test_a_websocket_is_refused_elsewhere(common):
    proxy, firewall = common
    response = proxy.send(websocket("any.example"), host="any.example")
    assert (response.status, rule(response)) == (403, "upgrade")
    assert firewall.seen == []


@pytest.mark.parametrize("framing", ["Content-Length: 1000", "Transfer-Encoding: chunked"])
def test_what_follows_the_request_for_a_websocket_is_never_a_body(proxy, firewall, framing):
    """A server switches before the body has ended: what follows would pass unjudged, as neither frames nor requests."""
    extra = (
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{framing}\r\n"
    )
    response = proxy.send(get("/ws", host="ws.example", extra=extra), host="ws.example")
    assert (response.status, rule(response)) == (403, "upgrade")
    assert firewall.seen == []


def test_a_switch_of_protocols_that_was_not_asked_for_is_cut(proxy, firewall):
    tunnel = proxy.tunnel("any.example")
    response = answer(tunnel, get("/switch", "any.example"))
    assert (response.status, rule(response)) == (502, "upstream")
    assert tunnel.recv(4096) == b""
    assert until(lambda: firewall.open_tunnels == 0)


# What is refused: nothing may reach the firewall

REFUSED = [
    ("path", {}, get("/no"), 403),
    ("path", {}, get("/ok/..%2fno"), 403),
    ("path", {}, get("/ok/%2e%2e/no"), 403),
    ("path", {}, get("/ok//x"), 403),
    ("path", {}, get("/ok/\\x"), 403),
    ("path", {}, get("*", method="POST"), 403),
    ("method", {}, get(method="DELETE"), 403),
    ("method", {}, get(method="TRACE"), 403),
    ("host", {"host": "unlisted.example"}, get(host="unlisted.example"), 403),
    ("git-push", {"host": "any.example"}, get("/a/info/refs?service=git-receive-pack", "any.example"), 403),
    ("git-push", {"host": "any.example"}, get("/a/git-receive%2Dpack", "any.example", "POST"), 403),
    ("identity", {}, get(host="any.example"), 421),
    ("identity", {"sni": "any.example"}, get(), 421),
    ("identity", {"sni": None}, get(), 421),
    ("identity", {}, get("https://any.example/ok/x"), 421),
    ("identity", {}, get("http://api.example.com/ok/x"), 421),
    ("identity", {}, get(extra="Host: any.example\r\n"), 421),
    ("header", {}, get(extra="X: a\rb\r\n"), 403),
    ("header", {}, get(extra="X: a\r\n folded\r\n"), 403),
    ("upgrade", {}, get(extra="Upgrade: h2c\r\nConnection: Upgrade\r\n"), 403),
]


@pytest.mark.parametrize(
    ("name", "tunnel", "request_text", "status"), REFUSED, ids=[repr(row[2])[:60] for row in REFUSED]
)
def test_a_refusal_is_answered_inside_the_tunnel_and_nothing_leaves(common, name, tunnel, request_text, status):
    proxy, firewall = common
    response = proxy.send(request_text, **tunnel)
    assert (response.status, rule(response)) == (status, name)
    assert firewall.seen == []
    assert [line["rule"] for line in proxy.refusals()] == [name]


MALFORMED = [
    "GET /ok/x HTTP/1.1\r\nHost: api.example.com\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "GET /ok/x HTTP/1.1\r\nHost: api.example.com\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "GET /ok/x HTTP/1.1\r\nHost: api.example.com\r\nTransfer-Encoding: xchunked\r\n\r\n",
    "GET /ok/x HTTP/1.1\r\nHost : api.example.com\r\n\r\n",
    "CONNECT any.example:443 HTTP/1.1\r\nHost: any.example\r\n\r\n",
    "GET /ok/x y HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
    "\x16\x03\x01\x02\x00\x01",
    "\x00\x01\x02",
    "SSH-2.0-OpenSSH_9.2\r\n",
    "X" * 70_000,
    "GET /ok/x HTTP/1.1\r\nX: " + "a" * 70_000,
]


@pytest.mark.parametrize("text", MALFORMED, ids=[repr(text)[:50] for text in MALFORMED])
def test_bytes_that_are_no_good_request_end_the_connection_and_nothing_leaves(common, text):
    proxy, firewall = common
    tunnel = proxy.tunnel("api.example.com")
    tunnel.settimeout(5)
    received = b""
    try:
        tunnel.sendall(text.encode("latin-1"))
        while data := tunnel.recv(4096):
            received += data
    except OSError as error:
        assert not isinstance(error, TimeoutError)
    assert b" 200 " not in received
    assert firewall.seen == []
    assert [line["rule"] for line in proxy.refusals()] == ["malformed"]


def test_the_preface_of_http2_is_refused_and_closed(common):
    proxy, firewall = common
    tunnel = proxy.tunnel("api.example.com")
    assert rule(answer(tunnel, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")) == "version"
    while tunnel.recv(4096):
        pass
    assert [line["rule"] for line in proxy.refusals()] == ["version"]
    assert firewall.seen == []


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    method=st.sampled_from(["GET", "POST", "HEAD", "DELETE", "get", "CONNECT", "GET\t", ""]) | st.text(max_size=5),
    target=st.text(alphabet="/ok.%2eEfF5cC0;\\a?#:@ \t\r\x00", max_size=20).map(lambda text: "/ok/" + text)
    | st.sampled_from(["/no", "//ok/x", "http://api.example.com/ok/", "https://any.example/ok/", "*", ""]),
    version=st.sampled_from(["HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/0.9", ""]),
    hosts=st.lists(
        st.sampled_from(["api.example.com", "API.example.com.", "any.example", "a\rb"]), min_size=1, max_size=2
    ),
    extra=st.sampled_from(
        ["", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "X: 1\r\n y\r\n", "Broken\r\n"]
    ),
    tail=st.binary(max_size=12),
)
def test_whatever_is_sent_only_listed_requests_leave(common, method, target, version, hosts, extra, tail):
    proxy, firewall = common
    firewall.forget()
    fields = "".join(f"Host: {host}\r\n" for host in hosts)
    request = f"{method} {target} {version}\r\n{fields}{extra}\r\n".encode("utf-8", "replace") + tail
    tunnel = proxy.tunnel("api.example.com")
    tunnel.settimeout(0.05)
    with contextlib.suppress(OSError):
        tunnel.sendall(request)
        tunnel.recv(65536)
    tunnel.close()
    for line in firewall.seen:
        assert re.fullmatch(r"CONNECT api\.example\.com:443 HTTP/1\.1|(GET|HEAD|POST) /ok/[!-~]* HTTP/1\.[01]", line)
        path = line.split(" ")[1].partition("?")[0]
        assert line.startswith("CONNECT") or paths.ambiguity(path) is None


def test_an_internationalised_host_is_one_in_all_its_spellings(start, firewall):
    proxy = start(firewall.address, cases.document(allowlist=["xn--bcher-kva.example"]))
    response = proxy.send(get("/", "XN--bcher-kva.example"), host="xn--bcher-kva.example")
    assert response.status == 200
    assert firewall.seen[0] == "CONNECT xn--bcher-kva.example:443 HTTP/1.1"
    assert firewall.sni == ["xn--bcher-kva.example"]
    assert ("Host", "xn--bcher-kva.example") in firewall.requests[0]["headers"]


@pytest.mark.parametrize("first", [b"\x00\x01", b"\x05\x01\x00", b"\x16\x03\x01\x00\x05hello", b"1234 x\r\n\r\n"])
def test_bytes_that_are_not_http_on_the_port_itself_close_it(common, first):
    proxy, _ = common
    connection = proxy.connect()
    connection.sendall(first)
    assert connection.recv(100) == b""


@pytest.mark.parametrize("first", [b"\x00\x01", b"\x05\x01\x00", b"\x16\x02\x00", b"\x15\x03\x01\x00\x02\x01\x00"])
def test_bytes_that_are_neither_tls_nor_http_close_a_tunnel(common, first):
    proxy, firewall = common
    raw = proxy.connect()
    raw.sendall(b"CONNECT api.example.com:443 HTTP/1.1\r\n\r\n")
    raw.recv(4096)
    raw.sendall(first)
    assert raw.recv(100) == b""
    assert firewall.seen == []


@pytest.mark.parametrize("first", [b"SSH-2.0-OpenSSH_9.9\r\n", b"\x00\x01\x02"])
def test_what_comes_in_one_write_with_connect_is_judged_and_on_record(common, first):
    proxy, firewall = common
    raw = proxy.connect()
    raw.settimeout(5)
    raw.sendall(b"CONNECT api.example.com:443 HTTP/1.1\r\n\r\n" + first)
    while raw.recv(4096):
        pass
    assert firewall.seen == []
    assert until(proxy.refusals)
    assert [line["rule"] for line in proxy.refusals()] == ["malformed"]


def test_plain_http_inside_a_tunnel_is_refused(common):
    proxy, firewall = common
    raw = proxy.connect()
    raw.sendall(b"CONNECT api.example.com:443 HTTP/1.1\r\n\r\n")
    raw.recv(4096)
    assert rule(answer(raw, get())) == "tls"
    assert firewall.seen == []


@pytest.mark.parametrize(
    ("line", "status", "name"),
    [
        ("CONNECT api.example.com:22", 403, "port"),
        ("CONNECT unlisted.example:8443", 403, "port"),
        ("CONNECT alt.example:443", 403, "port"),
        ("CONNECT 127.0.0.1:22", 403, "port"),
        ("GET http://unlisted.example/", 403, "host"),
        ("GET http://any.example:8080/", 403, "port"),
        ("GET https://any.example/", 421, "identity"),
        ("GET /ok/x", 421, "identity"),
    ],
)
def test_the_proxy_port_itself_refuses_what_no_route_names(common, line, status, name):
    proxy, firewall = common
    host = line.split(" ")[1].removeprefix("http://").removeprefix("https://").rstrip("/")
    response = answer(proxy.connect(), f"{line} HTTP/1.1\r\nHost: {host if '.' in host else 'any.example'}\r\n\r\n")
    assert (response.status, rule(response)) == (status, name)
    assert firewall.seen == []


def test_a_refusal_comes_while_the_body_is_still_open(common):
    proxy, firewall = common
    tunnel = proxy.tunnel("api.example.com")
    started = time.monotonic()
    response = answer(tunnel, get("/no", method="POST", extra="Content-Length: 1000000000\r\n"))
    assert response.status == 403
    assert time.monotonic() - started < 1
    with pytest.raises(OSError):
        for _ in range(200):
            tunnel.sendall(b"x" * 100_000)
    assert firewall.seen == []


def test_a_refused_head_request_has_no_body(common):
    proxy, _ = common
    tunnel = proxy.tunnel("api.example.com")
    assert answer(tunnel, get("/no", method="HEAD"), "HEAD").status == 403
    assert answer(tunnel, get()).status == 200


def test_a_refused_body_that_is_short_leaves_no_request_behind(common):
    proxy, firewall = common
    smuggled = get("/ok/smuggled")
    tunnel = proxy.tunnel("api.example.com")
    text = get("/no", method="POST", extra=f"Content-Length: {len(smuggled)}\r\n") + smuggled
    assert answer(tunnel, text).status == 403
    assert firewall.seen == []


def test_pipelined_requests_are_each_decided(common):
    proxy, firewall = common
    tunnel = proxy.tunnel("api.example.com")
    tunnel.sendall((get("/ok/1") + get("/no") + get("/ok/2") + get(host="any.example")).encode())
    received = b""
    while len(re.findall(rb"HTTP/1.1 [0-9]{3} ", received)) < 4:
        data = tunnel.recv(65536)
        assert data
        received += data
    assert re.findall(rb"HTTP/1.1 ([0-9]{3}) ", received) == [b"200", b"403", b"200", b"421"]
    assert [line for line in firewall.seen if line.startswith("GET")] == ["GET /ok/1 HTTP/1.1", "GET /ok/2 HTTP/1.1"]


def test_empty_lines_before_a_request_in_one_write_are_skipped(common):
    proxy, firewall = common
    answered = answer(proxy.tunnel("api.example.com"), "\r\n\r\n" + get("/no", method="DELETE"))
    assert answered.status == 403
    assert answer(proxy.tunnel("api.example.com"), "\r\n\r\n" + get("/ok/late")).status == 200
    assert [line for line in firewall.seen if not line.startswith("CONNECT")] == ["GET /ok/late HTTP/1.1"]


@pytest.mark.parametrize(
    "chunks",
    [
        "-5\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "5\r\nhelloXX\r\n",
        "10000000000000005\r\nhello",
        "5\nhello\n0\n\n",
        "5;x=y\nhello\n0\n\n",
        "5\rhello\r0\r\r",
        "5\r\nhello\r\n0\n\n",
        "hello",
    ],
)
def test_a_body_in_bad_chunks_is_on_record_and_ends_the_connection(common, chunks):
    proxy, firewall = common
    tunnel = proxy.tunnel("any.example")
    tunnel.sendall((get("/any", "any.example", "POST", "Transfer-Encoding: chunked\r\n") + chunks).encode())
    tunnel.settimeout(20)
    while True:
        try:
            if not tunnel.recv(65536):
                break
        except ConnectionError:
            break
    assert until(lambda: [line["rule"] for line in proxy.refusals()] == ["malformed"])
    assert all(b"hello" not in request["body"] or len(request["body"]) <= 5 for request in firewall.requests)


def test_a_tunnel_that_was_refused_can_be_followed_by_one_that_is_allowed(common):
    proxy, _ = common
    raw = proxy.connect()
    assert answer(raw, "CONNECT api.example.com:22 HTTP/1.1\r\n\r\n").status == 403
    raw.sendall(b"CONNECT api.example.com:443 HTTP/1.1\r\n\r\n")
    assert raw.recv(4096).startswith(b"HTTP/1.1 200")


def test_a_websocket_message_without_end_is_cut(proxy):
    tunnel = proxy.tunnel("ws.example")
    tunnel.sendall(websocket("ws.example").encode())
    assert tunnel.recv(4096).startswith(b"HTTP/1.1 101")
    with pytest.raises(OSError):
        tunnel.sendall(b"\x82\xff" + struct.pack(">Q", 1 << 40) + b"\0\0\0\0")
        for _ in range(100):
            tunnel.sendall(b"x" * 1_000_000)


def test_trailers_are_dropped_and_the_connection_goes_on(common):
    proxy, firewall = common
    tunnel = proxy.tunnel("api.example.com")
    text = get(method="POST", extra="Transfer-Encoding: chunked\r\n") + "1\r\na\r\n0\r\nX-Trailer: 1\r\n\r\n"
    assert answer(tunnel, text).status == 200
    assert answer(tunnel, get()).status == 200
    assert [request["body"] for request in firewall.requests] == [b"a", b""]
    assert "X-Trailer" not in repr(firewall.requests)


def test_an_unverified_server_gets_no_request(start, trust):
    for certificate in ("strange.pem", "misnamed.pem"):
        firewall = Firewall(trust / certificate)
        response = start(firewall.address).send(get())
        assert (response.status, rule(response)) == (502, "upstream")
        assert "certificate" in json.loads(response.content)["reason"]
        assert firewall.requests == []
        firewall.close()


# Fail closed


@pytest.mark.parametrize("fault", ["judge", "credentials"])
def test_an_exception_in_the_decision_refuses(start, firewall, fault):
    proxy = start(firewall.address, fault=fault)
    response = proxy.send(get())
    assert (response.status, rule(response)) == (403, "internal")
    assert rule(answer(proxy.connect(), get("http://api.example.com/ok/x"))) == "internal"
    assert firewall.seen == []
    assert "s3cret" not in proxy.errors()
    assert "RuntimeError" in proxy.errors()


FAULTS = [
    "no-verdict",
    "choke-point",
    "apply",
    "facts",
    "may-connect",
    "note",
    "table",
    "request-head",
    "response-head",
    "greeting",
    "tls-client",
    "tls-server",
    "certificate",
    "next-layer",
    "pick",
    "tunnel",
    "connection",
    "refusal",
    "record",
]


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_breaks_the_client_gets_an_answer_or_a_close_and_nothing_leaves(start, firewall, fault):
    proxy = start(firewall.address, fault=fault, limits={"HEAD": 1, "GREETING": 1, "SILENT": 1})
    allowed, forbidden = get("/ok/x"), get("/no")
    for request in (forbidden, allowed):
        answered = False
        try:
            response = proxy.send(request)
            answered = response.status == 200
            assert answered or response.status >= 400
            assert not answered or request == allowed
        except OSError as error:
            assert not isinstance(error, TimeoutError)
        except http.client.HTTPException:
            pass
        if fault not in HARMLESS:
            assert not answered
    requests = [line for line in firewall.seen if not line.startswith("CONNECT")]
    assert not any("/no" in line for line in requests)
    if fault not in (*HARMLESS, "response-head"):
        assert requests == []
    assert "s3cret" not in proxy.errors()


HARMLESS = ("note", "refusal", "record")
"""Parts that don't decide what is allowed: what is refused stays refused, the rest works."""


def test_hooks_that_raise_change_nothing(start, firewall):
    proxy = start(firewall.address, fault="hooks")
    assert proxy.send(get()).status == 200
    assert proxy.send(get("/no")).status == 403
    assert len(firewall.requests) == 1


def test_a_reload_that_breaks_keeps_the_link_and_the_process(start, firewall):
    proxy = start(firewall.address, fault="reload")
    before = proxy.link.lstat().st_mtime_ns
    proxy.routes.write_text(json.dumps(cases.document()))
    proxy.process.send_signal(signal.SIGHUP)
    assert until(lambda: "RuntimeError" in proxy.errors())
    assert proxy.link.lstat().st_mtime_ns == before
    assert proxy.send(get("/no")).status == 403


@pytest.mark.parametrize("fault", ["source", "version"])
def test_another_mitmproxy_is_not_started(start, firewall, fault):
    proxy = start(firewall.address, fault=fault, suffix="")
    assert proxy.process.wait(10) == 1
    assert "mitmproxy" in proxy.errors()


def test_with_another_function_of_python_it_is_not_started(start, firewall):
    proxy = start(firewall.address, fault="function", suffix="")
    assert proxy.process.wait(10) == 1
    assert "the source of asyncio.streams.StreamReader.read differs" in proxy.errors()


@pytest.mark.parametrize(("name", "content"), [("ca.pem", b"junk"), ("ca.pem", None), ("upstream-roots.pem", b"junk")])
def test_unusable_trust_is_not_started(trust, tmp_path, name, content):
    for source, target in (("bottle.pem", "ca.pem"), ("servers-cert.pem", "upstream-roots.pem")):
        (tmp_path / target).write_bytes((trust / source).read_bytes())
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    environment = {"PATH": os.environ["PATH"], "BOTTLE_LISTEN": "127.0.0.1:1"}
    command = [sys.executable, "-B", "launch.py", str(tmp_path), "", "{}"]
    done = subprocess.run(command, env=environment, capture_output=True, timeout=20, check=False)
    assert done.returncode == 1
    assert name in done.stderr.decode()


def test_missing_or_empty_extra_roots_are_fine(start, firewall, trust, tmp_path):
    proxy = start(firewall.address)
    proxy.stop()
    (proxy.folder / "upstream-roots.pem").write_bytes(b"")
    proxy.link.unlink()
    again = type(proxy)(proxy.folder, firewall.address)
    try:
        again.wait_for_link("/ok")
    finally:
        again.stop()


# Loading


@pytest.mark.parametrize(("text", "code"), [(None, "unreadable"), ("{", "not-json"), ("{}", "missing-key")])
def test_a_start_with_a_bad_table_refuses_everything_until_a_good_one_comes(start, firewall, text, code):
    proxy = start(firewall.address, text, suffix="")
    assert f"/none/{code}/" in proxy.wait_for_link("") or until(lambda: f"/none/{code}/" in str(proxy.link.readlink()))
    response = proxy.send(get())
    assert (response.status, rule(response)) == (403, "no-table")
    assert firewall.seen == []
    assert proxy.reload(TABLE).endswith("/ok")
    assert proxy.send(get()).status == 200


def test_a_reload_changes_the_rules_and_a_bad_one_keeps_them(proxy):
    good = str(proxy.link.readlink()).split("/")[1]
    refused = proxy.reload("{")
    assert refused.startswith(f"/{good}/not-json/")
    assert proxy.send(get()).status == 200
    assert proxy.reload(cases.document(allowlist=["any.example"])).endswith("/ok")
    assert rule(proxy.send(get())) == "host"


def test_the_hash_is_the_one_the_reconciler_computes(common):
    proxy, _ = common
    assert str(proxy.link.readlink()) == f"/{generation(proxy)}/ok"


def test_a_reload_closes_connections_of_a_host_that_is_gone_and_no_others(proxy, firewall):
    gone, stays = proxy.tunnel("api.example.com"), proxy.tunnel("any.example")
    assert answer(gone, get()).status == 200
    assert answer(stays, get("/", "any.example")).status == 200
    streaming = proxy.tunnel("api.example.com")
    streaming.sendall(get("/ok/events").encode())
    assert b"data" in streaming.recv(4096) + streaming.recv(4096)
    proxy.reload(cases.document(allowlist=["any.example"]))
    started = time.monotonic()
    for connection in (gone, streaming):
        connection.settimeout(3)
        try:
            while connection.recv(65536):
                pass
        except ConnectionError:
            pass
    assert time.monotonic() - started < 1
    assert until(lambda: firewall.open_tunnels == 1)
    assert answer(stays, get("/", "any.example")).status == 200


def test_a_reload_cuts_a_request_under_way_whose_path_is_gone_even_of_a_slow_reader(proxy, firewall):
    stays, gone = proxy.tunnel("api.example.com"), proxy.tunnel("api.example.com")
    assert answer(stays, get("/ok/x")).status == 200
    gone.sendall(get("/ok/events").encode())
    assert until(lambda: any("events" in line for line in firewall.seen))
    narrowed = json.loads(json.dumps(TABLE))
    narrowed["routes"][0]["paths"] = ["/ok/x"]
    proxy.reload(narrowed)
    gone.settimeout(3)
    try:
        while gone.recv(65536):
            pass
    except ConnectionError:
        pass
    assert answer(stays, get("/ok/x")).status == 200


def test_a_websocket_is_closed_when_its_route_stops_allowing_it(proxy):
    tunnel = proxy.tunnel("ws.example")
    tunnel.sendall(websocket("ws.example").encode())
    assert tunnel.recv(4096).startswith(b"HTTP/1.1 101")
    changed = json.loads(json.dumps(TABLE))
    changed["routes"][1]["websocket"] = False
    proxy.reload(changed)
    tunnel.settimeout(3)
    try:
        while tunnel.recv(4096):
            pass
    except ConnectionError:
        pass


def test_many_signals_in_a_row_end_with_the_last_file_in_force(proxy):
    for number in range(20):
        proxy.routes.write_text(json.dumps(cases.document(allowlist=[f"h{number}.example", "any.example"])))
        proxy.process.send_signal(signal.SIGHUP)
    proxy.routes.write_text(json.dumps(TABLE))
    proxy.process.send_signal(signal.SIGHUP)
    assert until(lambda: proxy.link.readlink() == Path(f"/{generation(proxy)}/ok"))
    assert proxy.send(get()).status == 200


def test_signals_during_the_start_neither_end_the_proxy_nor_are_they_lost(start, firewall):
    proxy = start(firewall.address, cases.document(), suffix="")
    sent = 0
    while not proxy.link.is_symlink():
        if sent == 10:
            proxy.routes.write_text(json.dumps(TABLE))
        proxy.process.send_signal(signal.SIGHUP)
        sent += 1
        time.sleep(0.005)
    assert sent > 10
    proxy.process.send_signal(signal.SIGHUP)
    assert until(lambda: proxy.link.readlink() == Path(f"/{generation(proxy)}/ok"))
    assert proxy.send(get()).status == 200


def generation(proxy) -> str:
    """The hash as the reconciler computes it."""
    content = hashlib.sha256(proxy.routes.read_bytes()).hexdigest()
    return hashlib.sha256(f"{content}  {proxy.routes}\n".encode()).hexdigest()


# The process


def test_it_ends_at_once_on_sigterm_even_with_open_connections(proxy):
    tunnel = proxy.tunnel("api.example.com")
    tunnel.sendall(get("/ok/events").encode())
    tunnel.recv(100)
    idle = proxy.connect()
    assert proxy.stop() == 0  # otherwise it is killed after 5 s, and the status shows it
    idle.close()


def test_nothing_but_refusals_is_on_standard_output_and_no_secret_anywhere(proxy):
    proxy.send(get())
    proxy.send(get("/no?secret=query", extra="Authorization: Bearer client-key\r\n"))
    proxy.reload("{")
    text = (proxy.folder / "stdout").read_text() + proxy.errors()
    assert len(proxy.refusals()) == 1
    for secret in ("s3cret", "secret=query", "client-key"):
        assert secret not in text


def test_memory_stays_small_while_much_is_streamed(start, firewall):
    proxy = start(firewall.address)
    tunnel = proxy.tunnel("any.example")
    size = 200_000_000
    tunnel.sendall(get("/", "any.example", "POST", f"Content-Length: {size}\r\n").encode())
    for _ in range(size // 1_000_000):
        tunnel.sendall(b"x" * 1_000_000)
    assert answer(tunnel, b"").status == 200
    assert proxy.memory("VmHWM") < 120_000


def test_pipelined_bytes_are_bounded(proxy):
    tunnel = proxy.tunnel("api.example.com")
    tunnel.sendall(get("/ok/events").encode())
    with pytest.raises(OSError):
        for _ in range(400):
            tunnel.sendall(b"x" * 10_000)
            time.sleep(0.001)


def test_a_client_that_resets_in_the_middle_leaves_nothing_open(proxy, firewall):
    tunnel = proxy.tunnel("api.example.com")
    tunnel.sendall(get("/ok/events").encode())
    tunnel.recv(100)
    tunnel.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    tunnel.close()
    assert until(lambda: firewall.open_tunnels == 0)


def test_without_a_firewall_it_connects_itself_to_named_hosts_only(start, trust):
    server = Firewall(trust / "leaf.pem", direct=True)
    port = server.address[1]
    proxy = start(None, cases.document(cases.route(host="localhost", port=port)))
    assert proxy.send(get("/x", f"localhost:{port}"), host="localhost", port=port).status == 200
    assert server.seen == ["GET /x HTTP/1.1"]
    with pytest.raises(ConnectionRefusedError):
        proxy.tunnel("127.0.0.1", port)
    with pytest.raises(ConnectionRefusedError):
        proxy.tunnel("localhost", port + 1)
    assert server.seen == ["GET /x HTTP/1.1"]
    server.close()


def test_the_websocket_accept_of_the_test_server_is_the_one_of_the_standard():
    digest = hashlib.sha1(b"dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11", usedforsecurity=False)
    assert base64.b64encode(digest.digest()) == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
