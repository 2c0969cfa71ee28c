"""Requests in every odd form: `forms.py refused|served`. Prints how many there were; fails on what got too far.

Judged by what the servers saw (`/tmp/seen`): `{mark}` is in each request and is another one each time.
"""

import asyncio
import os
import pathlib
import re
import sys

from proxied import converse, head, status

OWN = "Host: good.test"
OTHER = "Host: other.test"
POST = "POST http://good.test/{mark} HTTP/1.1"
GET = "GET http://good.test/{mark} HTTP/1.1"
CHUNKED = "Transfer-Encoding: chunked"
ADDRESS = os.environ["ELSEWHERE"]
FIRST, SECOND, THIRD, FOURTH = map(int, ADDRESS.split("."))

LITERALS = [
    ADDRESS,
    str(FIRST << 24 | SECOND << 16 | THIRD << 8 | FOURTH),
    f"0x{FIRST:02x}{SECOND:02x}{THIRD:02x}{FOURTH:02x}",
    f"0{FIRST:o}.0{SECOND:o}.0{THIRD:o}.0{FOURTH:o}",
    f"{FIRST}.{SECOND}.{THIRD << 8 | FOURTH}",
    f"0x{FIRST:x}.{SECOND}.{THIRD}.{FOURTH}",
    f"{ADDRESS}.",
    f"[::ffff:{ADDRESS}]",
    "[fd00::1]",
    "[fe80::1%25eth0]",
    "0",
]
TARGETS = [
    "ftp://good.test/{mark}",
    "urn:good.test:{mark}",
    "cache_object://good.test/info",
    "http://good.test/squid-internal-mgr/menu",
    "http://firewall/squid-internal-mgr/menu",
    "/squid-internal-mgr/menu",
    "http://good.test/squid-internal-static/icons/SN.png",
    "gopher://good.test/{mark}",
    "wais://good.test/{mark}",
    "whois://good.test/{mark}",
    "file:///etc/passwd",
    "coap://good.test/{mark}",
    "ws://good.test/{mark}",
    "https://good.test/{mark}",
    "http://good.test:443/{mark}",
    "http://good.test:8080/{mark}",
    "http:good.test/{mark}",
    "http:///good.test/{mark}",
    "http:/good.test/{mark}",
    "//good.test/{mark}",
    "/{mark}",
    "good.test/{mark}",
    "*",
    "http://",
    "http://good.test:0/{mark}",
    "http://good.test:65536/{mark}",
    "http://good.test:/{mark}",
    "http://good.test\\.other.test/{mark}",
    "http://good.test@other.test/{mark}",
    "http://good.test:80@other.test/{mark}",
    "http://good.test;other.test/{mark}",
    "http://good.test,other.test/{mark}",
    "http://good.test%00.other.test/{mark}",
    "http://good.test%20other.test/{mark}",
    "http://good.test%2f.other.test/{mark}",
    "http://%67ood.test/{mark}",
    "http://good%2etest/{mark}",
    "http://good.test /{mark}",
    "http://g\xf6\xf6d.test/{mark}",
    "http://\xef\xbd\x87ood.test/{mark}",
    "http://good\xe3\x80\x82test/{mark}",
    "http://xgood.test/{mark}",
    "http://good.test.other.test/{mark}",
    "http://good.testx/{mark}",
]
CONNECTS = [
    "other.test:443",
    "good.test:22",
    "good.test:80",
    "good.test:99999999443",
    "good.test:443 ",
    ":443",
    "*:443",
    "/good.test:443",
    "@good.test:443",
    "u@good.test:443",
    "http://good.test:443",
    "good.test%2e:443",
    "good.test%00.other.test:443",
    "good.test#other.test:443",
    "xgood.test:443",
    "localhost:443",
    "localhost:8890",
    "127.0.0.1:8890",
    "a" * 300 + ".test:443",
]
REFUSED = [
    *(head(f"GET {target} HTTP/1.1", OWN) for target in TARGETS),
    *(head(f"CONNECT {target} HTTP/1.1", OWN) for target in CONNECTS),
    *(head(f"CONNECT {literal}:443 HTTP/1.1", OWN) for literal in LITERALS),
    *(head(f"GET http://{literal}/{{mark}} HTTP/1.1", OWN) for literal in LITERALS),
    *(head(f"{method} http://good.test/{{mark}} HTTP/1.1", OWN) for method in ("TRACE", "PURGE", "PRI", "X" * 40)),
    head("OPTIONS * HTTP/1.1", OWN),
    head("OPTIONS http://good.test/{mark} HTTP/1.1", OWN, "Max-Forwards: 0"),
    head(GET, OWN, end="\n"),
    head("CONNECT good.test:443 HTTP/1.1", OWN, end="\n"),
    head("GET\thttp://good.test/{mark}\tHTTP/1.1", OWN),
    head(GET.removesuffix(" HTTP/1.1")),
    head(GET.replace("1.1", "2.0"), OWN),
    head(GET.replace("1.1", "11"), OWN),
    head(GET, OWN, "X: a\rHost: other.test"),
    head(GET, OWN, "X: a\0b"),
    head(GET, OWN, "X y: a"),
    head(GET, OWN, "X: " + "a" * 65536),
    head("CONNECT good.test:443 HTTP/1.1", OWN, "X: " + "a" * 65536),
    head("GET http://good.test/{mark}" + "a" * 65536 + " HTTP/1.1", OWN),
    b"G" * 70000,
    b"\r\n\r\n" + head(GET, OWN),
    b"  " + head(GET, OWN),
    head(POST, OWN, "Content-Length: 4", "Content-Length: 5") + b"abcd",
    head(POST, OWN, "Content-Length: 4, 4") + b"abcd",
    head(POST, OWN, "Content-Length: +4") + b"abcd",
    head(POST, OWN, "Content-Length: -4") + b"abcd",
    head(POST, OWN, "Transfer-Encoding: xchunked") + b"0\r\n\r\n",
    head(POST, OWN, "Transfer-Encoding: chunked, identity") + b"0\r\n\r\n",
    head(POST, OWN, "Transfer-Encoding : chunked", "Content-Length: 5") + b"0\r\n\r\n",
    head(POST, OWN, "Expect: something", "Content-Length: 4") + b"abcd",
    b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n" + head("GET http://other.test/{mark} HTTP/1.1", OTHER),
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\1\x7f\0\0\1\0\1\0\2" + head(GET, OWN),
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x04\x01\x01\xbb" + bytes((FIRST, SECOND, THIRD, FOURTH)) + b"\0",
]

# What squid mends on the way: one request, to the host that was judged.
SERVED = [
    head(GET, OTHER),
    head(GET, OWN, OTHER),
    head(GET, OTHER, OWN),
    head(GET),
    head(GET.replace("1.1", "1.0")),
    head(GET.replace("good", "GOOD"), OWN),
    head(GET.replace("http", "HTTP", 1), OWN),
    head(GET.replace("good.test", "good.test."), OTHER),
    head(GET.replace("good.test", "other.test@good.test"), OTHER),
    head(GET.replace("good.test", "good.test:080"), OTHER),
    head(GET, OWN, "X: a\r\n b"),
    head(GET, OWN, "Upgrade: websocket", "Connection: Upgrade"),
    head(GET, OWN, "Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAA"),
    head(GET, OWN, "Connection: Host, close"),
    head(GET, OWN, "Proxy-Connection: keep-alive", "Proxy-Authorization: Basic eDp4"),
    head(GET, OWN, "Via: 1.1 a", "X-Forwarded-For: 192.0.2.1", "Forwarded: for=192.0.2.1", "Cache-Control: no-store"),
    head(GET.replace("GET", "BREW"), OWN),
    head(POST, OWN, CHUNKED, "Content-Length: 4") + b"4\r\nabcd\r\n0\r\n\r\n",
    head(POST, OWN, "Transfer-Encoding:\x0bchunked") + b"0\r\n\r\n",
    head(POST, OWN, "Expect: 100-continue", "Content-Length: 4") + b"abcd",
    head(POST, OWN, CHUNKED) + b"4\r\nabcd\r\n0\r\nHost: other.test\r\nX: y\r\n\r\n",
]
# Framing that can't be mended: dropped, with or without an answer.
DROPPED = [
    head(POST, OWN, CHUNKED) + b"0x4\r\nabcd\r\n0\r\n\r\n",
    head(POST, OWN, CHUNKED) + b"-4\r\nabcd\r\n0\r\n\r\n",
    head(POST, OWN, CHUNKED) + b"fffffffffffffffff\r\nabcd\r\n0\r\n\r\n",
    head(POST, OWN, CHUNKED) + b"4\nabcd\n0\n\n",
    head(POST, OWN, CHUNKED) + b'4;a="\n"\r\nabcd\r\n0\r\n\r\n',
]
# What follows a request is judged as one of its own.
FOLLOWED = [
    head(GET, OWN) + head("GET http://other.test/{mark} HTTP/1.1", OTHER),
    head(POST, OWN, CHUNKED, "Content-Length: 60")
    + b"0\r\n\r\n"
    + head("GET http://other.test/{mark} HTTP/1.1", OTHER),
    head(POST, OWN, "Content-Length: 0") + head("CONNECT other.test:443 HTTP/1.1", OTHER),
    head("CONNECT other.test:443 HTTP/1.1", OTHER) + head(GET, OWN),
]

SEEN = pathlib.Path("/tmp/seen")
TELLING = re.compile(rb"squid|6\.13|Mime-Version|X-Cache|127\.0\.0\.1", re.IGNORECASE)


def seen(mark: str) -> list[str]:
    return [line for line in SEEN.read_text(errors="replace").splitlines() if mark in line]


async def attempt(request: bytes, number: int, most: int, least: int = 0) -> bytes:
    mark = f"m{os.getpid()}x{number}x"
    answer, closed = await converse([request.replace(b"{mark}", mark.encode())], 20, 0.05)
    shown = request[:120]
    assert answer or closed, f"hangs: {shown!r}"
    assert not TELLING.search(answer), f"tells of itself: {shown!r} {answer[:600]!r}"
    lines = seen(mark)
    assert least <= len(lines) <= most, f"{len(lines)} arrived: {shown!r} {lines}"
    assert all(" good.test " in line for line in lines), f"another host: {shown!r} {lines}"
    return answer


async def main() -> None:
    if sys.argv[1] == "refused":
        for number, request in enumerate(REFUSED):
            answer = await attempt(request, number, 0)
            assert 400 <= status(answer) < 600, f"{answer[:60]!r} for {request[:120]!r}"
        print(len(REFUSED))
        return
    # Tests before this one had other hosts visited.
    begun = SEEN.stat().st_size if SEEN.exists() else 0
    for number, request in enumerate(SERVED):
        await attempt(request, number, 1, 1)
    for number, request in enumerate(DROPPED, 1000):
        await attempt(request, number, 0)
    for number, request in enumerate(FOLLOWED, 2000):
        await attempt(request, number, 1, 1)
    arrived = SEEN.read_bytes()[begun:].decode(errors="replace").splitlines()
    hosts = {line.split()[2] for line in arrived if line.startswith("80 ")}
    assert hosts, "none of the requests is on record"
    assert hosts <= {"good.test", "-"}, hosts
    print(len(SERVED) + len(DROPPED) + len(FOLLOWED))


asyncio.run(main())
