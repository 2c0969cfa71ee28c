"""Host names and authorities: the canonical form is stable, and is the name that UTS 46 gives."""
# ruff: noqa: S101 - an assertion that fails is the finding

from __future__ import annotations

import fragments
import mutation
import oracle
from documents import cases

from bottle_egress import names

MUTATE = mutation.text(fragments.HOST)
MAX_LENGTH = 300


def check(data: bytes) -> None:
    """Raises AssertionError with what is wrong."""
    text = data.decode("utf-8", "surrogateescape")
    if names.is_host_pattern(text):
        base = text.removeprefix("*.")
        assert names.canonical_host(base) == base, f"the pattern {text!r} is no canonical name"
    try:
        host = names.canonical_host(text)
    except names.BadName:
        host = None
    if host is not None:
        assert host.isascii() and host == host.lower() and 0 < len(host) <= 253, f"host {host!r}"
        assert not set(host) - set("abcdefghijklmnopqrstuvwxyz0123456789-_."), f"host {host!r}"
        assert names.canonical_host(host) == host == names.canonical_host(host.upper() + "."), f"not stable: {host!r}"
        try:
            other = oracle.host(text)
        except ValueError as error:
            raise AssertionError(f"{text!r} is {host!r} here and no name there: {error}") from error
        assert other == host, f"{text!r} is {host!r} here and {other!r} there"
    try:
        host, port = names.canonical_authority(data, 443)
    except names.BadName:
        return
    assert 1 <= port <= 65535
    assert names.canonical_authority(f"{host}:{port}".encode(), 80) == (host, port), "an authority that changes"
    assert oracle.authority(data, 443) == (host, port), f"{data!r} is {host}:{port} here"


def seeds() -> list[bytes]:
    """The case table of hosts, and single letters of every kind."""
    hosts = cases("hosts")
    texts = [row[0] for row in hosts["canonical"] + hosts["authorities"]] + [str(row[0]) for row in hosts["patterns"]]
    letters = (chr(code) for code in (*range(0x80, 0x600, 7), *range(0x1E00, 0x2FFF, 41), *range(0xFF00, 0xFFEF, 5)))
    return [text.encode() for text in texts] + [f"a{letter}.test".encode() for letter in letters]
