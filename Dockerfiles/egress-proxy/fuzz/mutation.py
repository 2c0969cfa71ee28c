"""The mutators: libFuzzer's own, and edits that insert a fragment where it belongs in a request."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

import atheris
import fragments
from documents import HOSTS

Mutator = Callable[[bytes, int, int], bytes]


def _insert(chance: random.Random, text: bytes, pieces: list[bytes]) -> bytes:
    at = chance.randint(0, len(text))
    # Half of the time a piece replaces a character, else it is inserted.
    return text[:at] + chance.choice(pieces) + text[at + chance.randint(0, 1) :]


def _escape(chance: random.Random, text: bytes) -> bytes:
    if not text:
        return text
    at = chance.randrange(len(text))
    form = chance.choice((b"%%%02x", b"%%%02X", b"%%25%02x", b"%%u00%02x"))
    return text[:at] + form % text[at] + text[at + 1 :]


def _target(chance: random.Random, lines: list[bytes]) -> None:
    method, _, rest = lines[2].partition(b" ")
    target, _, version = rest.rpartition(b" ")
    pick = chance.random()
    if pick < 0.35:
        target = _insert(chance, target, fragments.PATH)
    elif pick < 0.5:
        target = _escape(chance, target)
    elif pick < 0.6:
        target = _insert(chance, target, fragments.PUSH)
    elif pick < 0.7:
        target += chance.choice(fragments.QUERY)
    elif pick < 0.75:
        target = chance.choice(fragments.PATH + fragments.PUSH)
    elif pick < 0.92:
        method = chance.choice(fragments.METHODS)
    elif pick < 0.95:
        version = chance.choice((b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/1.10"))
    else:
        target = _insert(chance, target, fragments.HOST)
    lines[2] = b" ".join((method, target, version))


def _spelled(chance: random.Random, host: bytes) -> bytes:
    pick = chance.random()
    if pick < 0.1:
        return host.upper()
    if pick < 0.2:
        return host + b"."
    if pick < 0.25:
        return _insert(chance, host, fragments.HOST)
    if pick < 0.3:
        return chance.choice(fragments.HOST)
    return host


def _move(chance: random.Random, lines: list[bytes]) -> None:
    """Send the request to another host of a document, sometimes with one of its names in another spelling."""
    number = chance.randrange(len(HOSTS))
    host = chance.choice(HOSTS[number]).encode()
    port = b":8443" if host in (b"alt.example", b"b.a.test") else b""
    lines[0] = b"%d" % number
    lines[3:] = [line for line in lines[3:] if not line.lower().startswith(b"host:")]
    lines.insert(3, b"Host: " + _spelled(chance, host + port))
    method, _, rest = lines[2].partition(b" ")
    target, _, version = rest.rpartition(b" ")
    path = b"/" + target.partition(b"://")[2].partition(b"/")[2] if b"://" in target else target
    if chance.random() < 0.8:
        lines[1] = _spelled(chance, host) + (port or b":443") + b" " + _spelled(chance, host)
        if chance.random() < 0.15:
            path = b"https://" + _spelled(chance, host + port) + path
    else:
        lines[1] = b""
        path = b"http://" + _spelled(chance, host) + path
    lines[2] = b" ".join((method, path, version))


def _connect(chance: random.Random, lines: list[bytes]) -> None:
    """Make it a request for a tunnel, to a host of a document or a similar name."""
    number = chance.randrange(len(HOSTS))
    port = chance.choice((b":443", b":8443", b":80", b""))
    authority = _spelled(chance, chance.choice(HOSTS[number]).encode()) + port
    lines[0], lines[1], lines[2] = b"%d" % number, b"", b"CONNECT " + authority + b" HTTP/1.1"
    lines[3:] = [line for line in lines[3:] if chance.random() < 0.3]
    if chance.random() < 0.5:
        lines.append(b"Host: " + _spelled(chance, authority))


def _headers(chance: random.Random, lines: list[bytes]) -> None:
    pick = chance.random()
    if pick < 0.1:
        lines += chance.choice(fragments.BUNDLES)
    elif pick < 0.7 or len(lines) == 3:
        lines.insert(chance.randint(3, len(lines)), chance.choice(fragments.HEADERS))
    elif pick < 0.8:
        del lines[chance.randrange(3, len(lines))]
    else:
        at = chance.randrange(3, len(lines))
        lines[at] = _insert(chance, lines[at], fragments.HOST if lines[at][:4].lower() == b"host" else fragments.PATH)


def _tunnel(chance: random.Random, lines: list[bytes]) -> None:
    lines[1] = chance.choice(
        (b"~" + lines[1], lines[1].partition(b" ")[0] + b" -", _insert(chance, lines[1], fragments.HOST))
    )


_EDITS = (_target, _target, _target, _target, _move, _move, _headers, _headers, _tunnel, _connect)


def request(data: bytes, most: int, seed: int) -> bytes:
    """For inputs of wire.py."""
    chance = random.Random(seed)  # noqa: S311
    if chance.random() < 0.2:
        return atheris.Mutate(data, most)
    lines = data.split(b"\n")
    if len(lines) < 3:
        lines = [b"0", b"", b"GET http://any.example/ HTTP/1.1", b"Host: any.example"]
    for _ in range(chance.choice((1, 1, 2, 3))):
        chance.choice(_EDITS)(chance, lines)
    return b"\n".join(lines)[:most]


def text(pieces: list[bytes]) -> Mutator:
    """For inputs that are one text: pieces are inserted, removed, doubled."""

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        chance = random.Random(seed)  # noqa: S311
        if chance.random() < 0.3:
            return atheris.Mutate(data, most)
        for _ in range(chance.choice((1, 1, 2, 3))):
            first, second = sorted((chance.randint(0, len(data)), chance.randint(0, len(data))))
            data = chance.choice(
                (
                    data[:first] + chance.choice(pieces) + data[first:],
                    data[:first] + chance.choice(pieces) + data[first + 1 :],
                    data[:first] + data[second:],
                    data[:second] + data[first:],
                )
            )
        return data[:most]

    return mutate


_VALUES = (
    None, True, False, 0, 1, 443, 443.0, -1, 65536, 10**30, "", "GET", "get", "/", "/a/", "/a/../b", "/a%2fb", "a.test",
    "A.test", "*.a.test", "*.test", "X-Team", "Host", "Content_Length", "\ud800", "\0", [], {}, [None], ["GET"],
    {"host": 1}, {"id": "dev/0001", "not_after": None, "max_uses": 5}, "2026-01-01T00:00:00Z", "dev/0001",
    [{"id": "dev/0009", "not_after": "2026-01-01T00:00:00Z", "max_uses": None, "methods": None, "paths": []}],
)  # fmt: skip


def _places(node: object) -> list[tuple[list | dict, int | str]]:
    """Every place in a document that holds a value."""
    found = []
    items = enumerate(node) if isinstance(node, list) else node.items() if isinstance(node, dict) else ()
    for key, value in items:
        found.append((node, key))
        found += _places(value)
    return found


def document(data: bytes, most: int, seed: int) -> bytes:
    """For routes documents: values are swapped, copied, removed, doubled; what is not JSON is edited as text."""
    chance = random.Random(seed)  # noqa: S311
    as_text = text(fragments.JSON)
    if chance.random() < 0.4:
        return as_text(data, most, seed)
    try:
        root = json.loads(data)
        places = _places(root)
        (node, key), (other, its) = chance.choice(places), chance.choice(places)
    except (ValueError, IndexError, RecursionError):
        return as_text(data, most, seed)
    pick = chance.random()
    if pick < 0.4:
        node[key] = chance.choice(_VALUES)
    elif pick < 0.6:
        node[key] = other[its]
    elif pick < 0.7:
        del node[key]
    elif isinstance(node, list):
        node.insert(key, other[its])
    else:
        node[chance.choice(list(_names(root)))] = other[its]
    try:
        written = json.dumps(root).encode()
    except (ValueError, RecursionError):  # a value inside itself
        return as_text(data, most, seed)
    if chance.random() < 0.1 and isinstance(key, str):
        name = json.dumps(key).encode() + b": "
        written = written.replace(name, name + b"null, " + name, 1)
    return written[:most]


def _names(root: object) -> set[str]:
    return {key for _, key in _places(root) if isinstance(key, str)} | {"extra"}
