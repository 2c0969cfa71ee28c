"""Request paths: ambiguous ones are refused, the others are compared on segment boundaries."""

from __future__ import annotations

import re
from collections.abc import Iterable

_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_UNESCAPED_FORBIDDEN = re.compile(r"[^\x21-\x7e]|[\\#]")
_HIDDEN_MARK = re.compile(r"%(?:2[5EFef]|5[Cc])")
_HIDDEN_BYTE = re.compile(r"%(?:[01][0-9A-Fa-f]|7[Ff]|[89A-Fa-f][0-9A-Fa-f])")
# Some programs ignore blanks at the end of a name, parameters, or what follows an escaped mark.
_DOT_SEGMENT = re.compile(r"/ *\.[. ]*(?:[/;?#]|\Z)")
_EMPTY_SEGMENT = re.compile(r"/(?:;[^/]*)?/")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def ambiguity(path: str) -> str | None:
    """Why two programs could read this path (without its query) differently; None when they could not."""
    if not path.startswith("/"):
        return "does not begin with a slash"
    if _UNESCAPED_FORBIDDEN.search(path):
        return "holds a control, blank, non-ASCII, backslash or fragment character"
    if "%" in path:
        if _BAD_ESCAPE.search(path):
            return "holds an incomplete percent escape"
        if _HIDDEN_MARK.search(path):
            return "hides a slash, backslash, dot or percent sign in an escape"
        if _HIDDEN_BYTE.search(path):
            return "hides a control or non-ASCII character in an escape"
        path = _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), path)
    if _EMPTY_SEGMENT.search(path):
        return "holds an empty segment"
    if _DOT_SEGMENT.search(path):
        return "holds a dot segment"
    return None


def equivalent(path: str) -> str:
    """The path with the escapes of unreserved characters decoded and the others in upper case (RFC 3986, 6.2.2).

    Other escapes stay: a server may tell `%3B` from `;`.
    """

    def plain(escape: re.Match[str]) -> str:
        character = chr(int(escape[1], 16))
        return character if character in _UNRESERVED else escape[0].upper()

    return _ESCAPE.sub(plain, path) if "%" in path else path


def is_below(path: str, prefixes: Iterable[str]) -> bool:
    """Whether an unambiguous path is one of the prefixes or lies below it.

    `/a` holds `/a` and `/a/b` but not `/ab`; `/a/` holds `/a/` and `/a/b` but not `/a`.
    """
    path = equivalent(path)
    for prefix in map(equivalent, prefixes):
        if path.startswith(prefix) and (len(path) == len(prefix) or prefix[-1] == "/" or path[len(prefix)] == "/"):
            return True
    return False
