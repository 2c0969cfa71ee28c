"""Request paths: refuse what two programs could read in two ways, compare the rest on segment boundaries."""

from __future__ import annotations

import re

_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_UNESCAPED_FORBIDDEN = re.compile(r"[^\x21-\x7e]|[\\#]")


def ambiguity(path: str) -> str | None:
    """Why this path (without its query) could be read in two ways; None when there is one reading only."""
    if not path.startswith("/"):
        return "does not begin with a slash"
    if _UNESCAPED_FORBIDDEN.search(path):
        return "holds a control, blank, non-ASCII, backslash or fragment character"
    if _BAD_ESCAPE.search(path):
        return "holds an incomplete percent escape"
    for escape in _ESCAPE.findall(path):
        code = int(escape[1:], 16)
        if chr(code) in "/\\.%":
            return "hides a slash, backslash, dot or percent sign in an escape"
        if code < 0x20 or code >= 0x7F:
            return "hides a control or non-ASCII character in an escape"
    segments = decoded(path).split("/")[1:]
    if "" in segments[:-1]:
        return "holds an empty segment"
    if any(segment.split(";")[0] in (".", "..") for segment in segments):
        return "holds a dot segment"
    return None


def decoded(path: str) -> str:
    """The path with each escape replaced once."""
    return _ESCAPE.sub(lambda escape: chr(int(escape[0][1:], 16)), path)


def is_below(path: str, prefix: str) -> bool:
    """Whether an unambiguous path is the prefix or lies below it.

    `/a` holds `/a` and `/a/b` but not `/ab`; `/a/` holds `/a/` and `/a/b` but not `/a`.
    """
    path, prefix = decoded(path), decoded(prefix)
    if prefix.endswith("/"):
        return path.startswith(prefix)
    return path == prefix or path.startswith(prefix + "/")
