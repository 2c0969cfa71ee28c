"""Messages and heads with random damage, as a parser may not expect them."""

from __future__ import annotations

import json
from random import Random

from raw import NEWEST, request

TOKENS = [
    *(b"\0", b"\xff\xfe", b"\xed\xa0\x80", b"\\ud800", b"\\u0000", b"\\u001b[2J", b"\x1b[2J", "\u202e".encode(), b"\r\n\r\n"),
    *(b"1e999", b"-0", b"9" * 400, b"0x1", b"NaN", b"[" * 3000, b'{"a":' * 2000, b'"', b"\\", b",", b"}", b"]", b"null"),
    *(b'"id":{},', b'"method":"tools/call",', b'"arguments":[],', b'"justification":"\xe2\x80\xae",', b"../../../etc/passwd"),
]


def body(random: Random, number: int) -> bytes:
    """One message, with a few things done to it that a parser may not expect."""
    arguments = [
        ("firewall-block", {"hosts": f"h{number % 40}.example", "justification": "the build needs it"}),
        ("egress-proxy-block", {"routes": json.dumps([{"host": f"r{number % 40}.example"}]), "justification": "why"}),
        ("capability-block", {"dockerfile": "FROM bottle/agent\nRUN true\n", "justification": "why \u00e9"}),
        ("proposal-status", {"id": "0" * 32}),
        ("show-routes", {}),
    ]
    tool, fields = random.choice(arguments)
    message = random.choice(
        [
            request("tools/call", {"name": tool, "arguments": fields, "_meta": {"progressToken": number}}, number),
            request("initialize", {"protocolVersion": NEWEST, "capabilities": {}}),
            request("tools/list", identifier=f"n{number}"),
            {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": number - 1}},
        ]
    )
    damaged = bytearray(json.dumps(message).encode())
    # Mostly little, so that some of it comes through.
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        at = random.randrange(len(damaged) + 1)
        match random.randrange(6):
            case 0 if damaged:
                damaged[at % len(damaged)] ^= 1 << random.randrange(8)
            case 1:
                del damaged[at : at + random.randint(1, 30)]
            case 2:
                damaged[at:at] = random.choice(TOKENS)
            case 3:
                damaged[at:at] = damaged[random.randrange(len(damaged) + 1) :][:60]
            case 4:
                damaged[at:at] = random.randbytes(random.randint(1, 8))
            case _:
                del damaged[at:]
    return bytes(damaged)


def head(random: Random, port: int) -> bytes:
    """A request of a session that nobody has, with damage to its head."""
    body = json.dumps(request("ping")).encode()
    damaged = bytearray(
        f"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nMcp-Session-Id: {'0' * 32}\r\n\r\n".encode()
    )
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(damaged))
        match random.randrange(4):
            case 0:
                damaged[at] = random.randrange(256)
            case 1:
                del damaged[at : at + random.randint(1, 12)]
            case 2:
                damaged[at:at] = random.choice(TOKENS)
            case _:
                damaged[at:at] = b"Transfer-Encoding: chunked\r\n"
    return bytes(damaged) + body
