"""TLS greetings made by hand, and which server name one asks for, read as RFC 8446 and RFC 6066 have it."""

import itertools
import struct

HANDSHAKE, CLIENT_HELLO, SERVER_NAME, HOST_NAME = 22, 1, 0, 0
LARGEST_RECORD, LARGEST_GREETING = 2**14, 2**14


def record(content: bytes, kind: int = HANDSHAKE, version: int = 0x0301) -> bytes:
    return struct.pack(">BHH", kind, version, len(content)) + content


def vector(size: str, content: bytes) -> bytes:
    return struct.pack(">" + size, len(content)) + content


def extension(kind: int, content: bytes) -> bytes:
    return struct.pack(">H", kind) + vector("H", content)


def names(*entries: bytes | tuple[int, bytes]) -> bytes:
    """The extension of server names; an entry is a name, or a type and a name."""
    pairs = [entry if isinstance(entry, tuple) else (HOST_NAME, entry) for entry in entries]
    return extension(
        SERVER_NAME, vector("H", b"".join(struct.pack("B", kind) + vector("H", name) for kind, name in pairs))
    )


def hello(*extensions: bytes, version: int = 0x0303, bare: bool = False) -> bytes:
    """A ClientHello's handshake message that the server can accept, with these extensions before its own."""
    offered = [
        extension(10, vector("H", bytes.fromhex("001d0017"))),
        extension(13, vector("H", bytes.fromhex("040304010804"))),
        extension(11, b"\1\0"),
    ]
    suites = bytes.fromhex("c02bc02fc009c013009c002f")
    body = struct.pack(">H", version) + bytes(32) + b"\0" + vector("H", suites) + b"\1\0"
    if not bare:
        body += vector("H", b"".join([*extensions, *offered]))
    return struct.pack("B", CLIENT_HELLO) + struct.pack(">I", len(body))[1:] + body


def record_list(message: bytes, *cuts: int) -> list[bytes]:
    edges = [0, *cuts, len(message)]
    return [record(message[a:b]) for a, b in itertools.pairwise(edges)]


def records(message: bytes, *cuts: int) -> bytes:
    return b"".join(record_list(message, *cuts))


class Reader:
    """Takes fields off the front of bytes; ValueError where there are too few."""

    def __init__(self, content: bytes) -> None:
        self.rest = content

    def take(self, count: int) -> bytes:
        if count > len(self.rest):
            raise ValueError("too short")
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def number(self, width: int) -> int:
        return int.from_bytes(self.take(width))

    def vector(self, width: int) -> "Reader":
        return Reader(self.take(self.number(width)))

    def end(self) -> None:
        if self.rest:
            raise ValueError("too long")


def first_message(flight: bytes) -> bytes:
    reader, message = Reader(flight), b""
    while len(message) < 4 or len(message) < 4 + int.from_bytes(message[1:4]):
        if reader.number(1) != HANDSHAKE or reader.number(1) != 3:
            raise ValueError("not a handshake of TLS")
        reader.take(1)
        content = reader.vector(2).rest
        if not 1 <= len(content) <= LARGEST_RECORD:
            raise ValueError("not a record")
        message += content
    if len(message) != 4 + int.from_bytes(message[1:4]) or reader.rest[:1] == bytes([HANDSHAKE]):
        raise ValueError("more than one message")
    return message


def name_asked(flight: bytes) -> bytes | None:
    """The one server name of a first flight that is a whole ClientHello, else None."""
    try:
        message = Reader(first_message(flight))
        if message.number(1) != CLIENT_HELLO:
            return None
        body = message.vector(3)
        body.take(34)
        for width in (1, 2, 1):
            body.vector(width)
        extensions = body.vector(2)
        body.end()
        found = []
        while extensions.rest:
            kind, content = extensions.number(2), extensions.vector(2)
            if kind == SERVER_NAME:
                found.append(content)
        (content,) = found
        listed = content.vector(2)
        content.end()
        if listed.number(1) != HOST_NAME:
            return None
        name = listed.vector(2)
        listed.end()
        return name.rest
    except ValueError:
        return None
