"""TLS greetings in every odd form through a tunnel to good.test: `greetings.py`. Fails on what got too far.

A tunnel is open when the real server answers its greeting; one that is refused ends without a byte of the server's.
"""

import asyncio
import struct
import sys
import time

from hellos import (
    HANDSHAKE,
    LARGEST_GREETING,
    SERVER_NAME,
    extension,
    hello,
    names,
    record,
    record_list,
    records,
    vector,
)
from proxied import connect, converse, greeting, head, status

DEADLINE = 25  # what README promises, with room
SOON = 8  # below the deadline of a greeting, so that only what is refused or stopped ends within it
GOOD = "good.test"
ECHO = 9444  # a server that sends back what reaches it, as it is


def drip(data: bytes, size: int, pause: float) -> list[bytes | float]:
    steps: list[bytes | float] = []
    for start in range(0, len(data), size):
        steps += [data[start : start + size], pause]
    return steps


def apart(parts: list[bytes], pause: float) -> list[bytes | float]:
    """Each in a segment of its own."""
    return [step for part in parts for step in (part, pause)]


REAL = greeting(GOOD)
INSIDE = hello(names(b"good.test")).index(b"good.test") + 4
ECH = extension(0xFE0D, b"\0\0\1\0\1\x2a" + vector("H", bytes(32)) + vector("H", bytes(200)))
GREASE = extension(0x0A0A, b"") + extension(0xFAFA, b"\0")
PADDING = [extension(21, bytes(size)) for size in (1200, 9000)]
ROOM = LARGEST_GREETING - len(hello(names(b"good.test"))) - 4
LARGEST = hello(names(b"good.test"), extension(21, bytes(ROOM)))

OPENS: dict[str, list[bytes | float]] = {
    "a greeting": [REAL],
    "a greeting made by hand": [record(hello(names(b"good.test")))],
    "a name in upper case": [record(hello(names(b"GOOD.test")))],
    "GREASE": [record(hello(GREASE, names(b"good.test"), GREASE))],
    "a post-quantum size": [record(hello(names(b"good.test"), PADDING[0]))],
    "9 kB": [record(hello(names(b"good.test"), PADDING[1]))],
    "many segments": drip(REAL, 40, 0.002),
    "a byte a segment": drip(record(hello(names(b"good.test"))), 1, 0.002),
    "two records, cut inside the name": [records(hello(names(b"good.test")), INSIDE)],
    "ten records": [records(hello(names(b"good.test")), *range(8, 90, 9))],
    "records, each in its own segment": apart(record_list(hello(names(b"good.test")), *range(8, 90, 9)), 0.01),
    "9 kB in records, each in its own segment": apart(record_list(hello(names(b"good.test"), PADDING[1]), 4096), 0.05),
    "the largest": [records(LARGEST)],
    "the largest in segments": drip(records(LARGEST, 5000, 10000), 1000, 0.002),
    "application data behind it": [record(hello(names(b"good.test"))) + record(bytes(50), 23)],
    "right behind CONNECT": [connect(GOOD) + REAL],
}
REFUSED: dict[str, list[bytes | float]] = {
    "no name": [record(hello())],
    "no extensions": [record(hello(bare=True))],
    "another name": [record(hello(names(b"other.test")))],
    "an empty name": [record(hello(names(b"")))],
    "an empty list": [record(hello(extension(SERVER_NAME, b"\0\0")))],
    "an empty extension": [record(hello(extension(SERVER_NAME, b"")))],
    "two names": [record(hello(names(b"good.test", b"other.test")))],
    "two names, the other first": [record(hello(names(b"other.test", b"good.test")))],
    "the extension twice": [record(hello(names(b"good.test"), names(b"other.test")))],
    "the extension twice, the other first": [record(hello(names(b"other.test"), names(b"good.test")))],
    "another type of name": [record(hello(names((1, b"good.test"))))],
    "a dot behind": [record(hello(names(b"good.test.other.test")))],
    "NUL": [record(hello(names(b"good.test\0.other.test")))],
    "NUL behind": [record(hello(names(b"good.test\0")))],
    "a space": [record(hello(names(b"good.test other.test")))],
    "a line feed": [record(hello(names(b"good.test\nother.test")))],
    "a percent sign": [record(hello(names(b"good%2etest")))],
    "an address": [record(hello(names(b"192.0.2.1")))],
    "a wildcard": [record(hello(names(b"*.test")))],
    "a long name": [record(hello(names(b"a" * 3000)))],
    "a name longer than its list": [record(hello(extension(SERVER_NAME, b"\0\x0e\0\xff\xffgood.test!!")))],
    "ECH with another outer name": [record(hello(ECH, names(b"other.test")))],
    "another name, cut inside": [records(hello(names(b"other.test")), INSIDE)],
    "another name in a second greeting, behind a good one": [
        record(hello(names(b"good.test"))) + record(hello(names(b"other.test")))
    ],
    "another name in a second greeting of one record": [
        record(hello(names(b"good.test")) + hello(names(b"other.test")))
    ],
    "a first record without the head of its message": [records(hello(names(b"good.test")), 3)],
    "an alert": [bytes.fromhex("15030300020100")],
    "a change of cipher": [record(b"\1", 20)],
    "application data": [record(b"GET / HTTP/1.1\r\n\r\n", 23)],
    "application data of two bytes": [b"\x17\3"],
    "SSLv2": [b"\x80\x2e\1\3\1\0\x15\0\0\0\x10\1\0\x80\7\0\xc0\3\0\x80\6\0\x40\2\0\x80\4\0\x80" + bytes(16)],
    "one byte more than the largest": [records(hello(names(b"good.test"), extension(21, bytes(ROOM + 1))), 9000)],
    "16 MB that begin": [struct.pack(">BHHBBH", HANDSHAKE, 0x0301, 2**14, 1, 0xFF, 0xFFFF)],
    "16 MB that begin in two segments": [b"\x16\3\1\x40\0", 0.3, b"\1\xff\xff\xff"],
    "16 MB and 2 MB of them": [
        struct.pack(">BHHBBHH", HANDSHAKE, 0x0301, 2**14, 1, 0xFF, 0xFFFF, 0x0303)
        + bytes(2**14 - 6)
        + record(b"A" * 256) * 8000
    ],
    "a byte a record": [records(LARGEST, 4, *range(5, len(LARGEST)))],
    "another name in a second greeting": [record(hello(names(b"other.test"))) + record(hello(names(b"good.test")))],
    "another name behind an alert": [record(b"\1\0", 21) + record(hello(names(b"other.test")))],
    "another name behind a change of cipher": [record(b"\1", 20) + record(hello(names(b"other.test")))],
    "another name behind another message": [record(b"\0\0\0\0") + record(hello(names(b"other.test")))],
    "a question to the firewall's own helper": [
        record(hello(names(b"x\n0 good.test good.test\n1 good.test good.test")))
    ],
    "plain HTTP behind an alert": [record(b"\1\0", 21) + head("GET / HTTP/1.1", "Host: other.test")],
    "an empty record": [record(b"")],
    "a record longer than allowed": [struct.pack(">BHH", HANDSHAKE, 0x0301, 0xFFFF) + bytes(0xFFFF)],
    "a server's greeting": [record(b"\2" + hello(names(b"good.test"))[1:])],
    "a message of 16 MB": [record(b"\1\xff\xff\xff" + bytes(12000)) * 20],
    "another protocol": [b"SSH-2.0-client\r\n"],
    "plain HTTP": [head("GET / HTTP/1.1", "Host: good.test")],
    "HTTP/2 in the clear": [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    "a second CONNECT": [connect("other.test")],
    "a second CONNECT at once": [connect(GOOD) + connect("other.test")],
    "a body": [head("CONNECT good.test:443 HTTP/1.1", "Host: good.test", "Content-Length: 5") + b"hello"],
}
# Begun and not gone on with: closed soon. A byte beyond the head of a long record doesn't wake squid.
STOPPED: dict[str, list[bytes | float]] = {
    "half a greeting": [REAL[:60]],
    "a head of a record": [REAL[:5]],
    "a head of a record, and later a byte": [REAL[:5], 0.5, REAL[5:6]],
    "a byte": [REAL[:1]],
}
STOPPED_HEADS: dict[str, list[bytes | float]] = {
    "half a head": [b"CONNECT good.test:443 HTTP/1.1\r\nHo"],
    "a head without its end": [b"CONNECT good.test:443 HTTP/1.1\r\nHost: good.test:443\r\n"],
    "half a request line": [b"GET http://good.test/ HT"],
    "a request line": [b"GET http://good.test/ HTTP/1.1"],
    "a request line and CR": [b"GET http://good.test/ HTTP/1.1\r"],
    "a request line without a version": [b"GET http://good.test/"],
    "a request line without a version, and CR": [b"GET http://good.test/\r"],
    "bare line feeds": [b"GET http://good.test/ HTTP/1.1\nHost: good.test\n"],
    "a letter": [b"G"],
    "empty lines": [b"\r\n\r\n"],
    "half an end": [b"GET http://good.test/ HTTP/1.1\r\nHost: good.test\r\n\r"],
    "half a header": [b"GET http://good.test/ HTTP/1.1\r\nHost: good.test\r\nX: y"],
    "bare CR": [b"GET http://good.test/ HTTP/1.1\rHost: good.test\r\r"],
    "SOCKS 5": [b"\5\1\0"],
    "TLS to the port": [REAL],
}
# Never begun, or going on for ever: closed within the time that README states.
UNFINISHED: dict[str, list[bytes | float]] = {
    "nothing": [],
    "half of it, a byte now and then": drip(REAL[: 2 * DEADLINE], 1, 0.5),
}
UNFINISHED_HEADS: dict[str, list[bytes | float]] = {
    "no byte": [],
    "half a second head": [
        head("GET http://other.test/ HTTP/1.1", "Host: other.test"),
        0.5,
        b"GET http://good.test/ HTTP/1.1\r\nHo",
    ],
    "a head, a byte now and then": drip(connect(GOOD)[: 2 * DEADLINE], 1, 0.5),
}
# A pause is none before the first byte, and a short one is as good as none.
SLOW: dict[str, list[bytes | float]] = {
    "thinks before the greeting": [connect(GOOD), 3, REAL],
    "thinks before the head": [3, connect(GOOD), 0.1, REAL],
    "stops for a moment in the greeting": [connect(GOOD), 0.1, REAL[:60], 0.6, REAL[60:]],
    "stops for a moment in the head": [connect(GOOD)[:30], 0.6, connect(GOOD)[30:], 0.1, REAL],
}


async def through_tunnel(steps: list[bytes | float], port: int, limit: float) -> tuple[bytes, bool]:
    own = bool(steps) and isinstance(steps[0], bytes) and steps[0].startswith(b"CONNECT good.test:443")
    if own:
        steps = [step.replace(b"good.test:443", b"good.test:%d" % port, 2) for step in steps]
    else:
        steps = [connect(GOOD, port), 0.1, *steps]
    answer, closed = await converse(steps, limit, settle=limit)
    # A reset, for what was sent on a closed connection, may come before the answer.
    assert status(answer) == 200 or (closed and not answer), answer[:80]
    return answer.partition(b"\r\n\r\n")[2], closed


async def opens(name: str, steps: list[bytes | float]) -> None:
    answer, _ = await through_tunnel(steps, 443, 1.5)
    assert answer[:1] == b"\x16" and answer[5:6] == b"\2", f"{name}: no answer of the server: {answer[:60]!r}"
    answer, _ = await through_tunnel(steps, ECHO, 1.5)
    sent = b"".join(step for step in steps if isinstance(step, bytes))
    assert answer and sent.endswith(answer), f"{name}: the server got {len(answer)} of {len(sent)} bytes"


async def is_refused(name: str, steps: list[bytes | float]) -> None:
    """At once: far sooner than what is only not finished."""
    start = time.monotonic()
    answer, closed = await through_tunnel(steps, ECHO, DEADLINE)
    assert closed and time.monotonic() - start < SOON, f"{name}: is kept open for {time.monotonic() - start:.1f} s"
    assert answer == b"", f"{name}: reached the server: {answer[:60]!r}"


async def ends(name: str, steps: list[bytes | float], tunnelled: bool, limit: float) -> None:
    start = time.monotonic()
    opening = [connect(GOOD), 0.1] if tunnelled else []
    answer, closed = await converse(opening + steps, limit, limit)
    print(f"{name}: {time.monotonic() - start:.1f} s", file=sys.stderr)
    assert closed, f"{name}: is kept open"
    assert tunnelled or status(answer) != 200, f"{name}: is served: {answer[:60]!r}"


async def is_served(name: str, steps: list[bytes | float]) -> None:
    answer, _ = await converse(steps, 1.5, 1.5)
    assert status(answer) == 200, f"{name}: {answer[:60]!r}"
    assert answer.partition(b"\r\n\r\n")[2][:1] == b"\x16", f"{name}: no answer of the server: {answer[:60]!r}"


async def main() -> None:
    await asyncio.gather(*(opens(name, steps) for name, steps in OPENS.items()))
    await asyncio.gather(*(is_served(name, steps) for name, steps in SLOW.items()))
    for name, steps in REFUSED.items():
        await is_refused(name, steps)
    print(len(REFUSED) + len(STOPPED) + len(UNFINISHED), len(STOPPED_HEADS))
    await asyncio.gather(*(ends(name, steps, True, SOON) for name, steps in STOPPED.items()))
    await asyncio.gather(*(ends(name, steps, False, SOON) for name, steps in STOPPED_HEADS.items()))
    await asyncio.gather(*(ends(name, steps, True, DEADLINE) for name, steps in UNFINISHED.items()))
    await asyncio.gather(*(ends(name, steps, False, DEADLINE) for name, steps in UNFINISHED_HEADS.items()))


asyncio.run(main())
