"""The text of a refusal: one bounded ASCII line of JSON, whatever the agent sent."""
# ruff: noqa: S101 - an assertion that fails is the finding

from __future__ import annotations

import json
from datetime import UTC, datetime

import fragments
import mutation

from bottle_egress import refusal
from bottle_egress.judge import Refused

MUTATE = mutation.text(
    [*fragments.PATH, "\u202e\u0007\u009b\U0001f4a9".encode(), b"\x1b[2J", b'"', b"\\", b"a" * 300, b"\n"]
)
MAX_LENGTH = 4000
_RULES = ("host", "git-push", "no-table", "path", "malformed", "internal")
_NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def _text(field: bytes) -> str:
    """Decoded as UTF-8 with lone surrogates where that is possible, else byte by byte."""
    try:
        return field.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return field.decode("latin-1")


def _begins(text: str, start: str) -> bool:
    """Whether the text begins with this; a surrogate pair equals its character."""
    wide, narrow = (one.encode("utf-16-be", "surrogatepass") for one in (text, start))
    return wide.startswith(narrow)


def check(data: bytes) -> None:
    """Raises AssertionError with what is wrong."""
    fields = map(_text, data.split(b"\n", 3))
    host, method, path, *rest = (*fields, "", "", "")
    rule = _RULES[len(data) % len(_RULES)]
    port = len(data) % 3 or None
    verdict = Refused(403, rule, "why", host, method, path, "egress-proxy-block" if rest[0] else None, port)
    line = refusal.log_line(verdict, _NOW)
    body = refusal.body(verdict)
    assert body.endswith(b"\n")
    for text in (line, body[:-1].decode("ascii")):
        assert text.isascii() and text.isprintable(), f"a control character: {text!r}"
        assert len(text) < 12 * (260 + 32 + 512) + 1000, f"{len(text)} characters"
        read = json.loads(text)
        assert _begins(host, read["host"][:250]) and _begins(path, read["path"][:500]), "another text"
    keys = ["time", "event", "host", "method", "path", *(["port"] if port else []), "rule", "reason"]
    assert list(json.loads(line)) == keys


def seeds() -> list[bytes]:
    """A plain refusal, and one made of control characters."""
    return [b"a.test\nGET\n/a/b", b"\x00\x1b[31m\n\x7f\n/\xe2\x80\xae\r", b"a" * 999, b"\xed\xa0\x80\n\xff\n\x85"]
