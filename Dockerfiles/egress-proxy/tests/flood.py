"""Floods the proxy as a malicious agent could from inside its container, and prints what it did; for integration.sh.

Usage: flood.py PROXY-ADDRESS KIND; it holds what it opened until its standard input ends.
"""

from __future__ import annotations

import contextlib
import resource
import socket
import ssl
import sys

most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 20_000) if most > 0 else 20_000, most))
proxy, kind = (sys.argv[1], 9099), sys.argv[2]
held: list[socket.socket] = []
CONNECT = b"CONNECT api.test.example:443 HTTP/1.1\r\n\r\n"


def connect() -> socket.socket:
    """A connection that stays open."""
    held.append(socket.create_connection(proxy, timeout=20))
    return held[-1]


def tunnel() -> ssl.SSLSocket:
    """A tunnel to the server of the route."""
    raw = connect()
    raw.sendall(CONNECT)
    raw.recv(4096)
    held.append(ssl._create_unverified_context().wrap_socket(raw, server_hostname="api.test.example"))
    return held[-1]


count = 0
if kind == "connections":
    for _ in range(10_000):
        with contextlib.suppress(OSError):
            connect().sendall(b"GET http://raw.test.example/ HTTP/1.1\r\nX: " + b"a" * 60_000)
            count += 1
elif kind == "greetings":
    for number in range(2_000):
        with contextlib.suppress(OSError):
            raw = connect()
            raw.sendall(CONNECT.replace(b"api", b"h%d" % number))
            raw.recv(4096)
            raw.sendall(b"\x16\x03\x01\x40\x00\x01\x00\x70\x00" + b"a" * 16_000)
            count += 1
elif kind == "uploads":
    tunnels = []
    for _ in range(480):
        with contextlib.suppress(OSError):
            each = tunnel()
            each.sendall(b"PUT /deaf HTTP/1.1\r\nHost: api.test.example\r\nContent-Length: 9000000000\r\n\r\n")
            each.settimeout(0.02)
            tunnels.append(each)
            count += 1
    for _ in range(20):
        for each in tunnels:
            with contextlib.suppress(OSError):
                each.send(b"x" * 1_000_000)
elif kind == "downloads":
    for _ in range(480):
        with contextlib.suppress(OSError):
            tunnel().sendall(b"GET /flood HTTP/1.1\r\nHost: api.test.example\r\n\r\n")
            count += 1
print(f"{count} {kind}", flush=True)
sys.stdin.read()
