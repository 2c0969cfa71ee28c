"""Every way in which a server may read a request path, by RFC 3986, by the WHATWG URL standard and by known bugs.

It is independent of the policy and imports nothing of it. Text is latin-1, one character per byte.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator

MOST = 600
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNICODE_ESCAPE = re.compile(r"%u([0-9A-Fa-f]{4})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_OVERLONG = re.compile(r"[\xc0\xc1][\x80-\xbf]|\xe0[\x80-\x9f][\x80-\xbf]|\xf0[\x80-\x8f][\x80-\xbf]{2}")


def equivalent(path: str) -> str:
    """RFC 3986 6.2.2: escapes in upper case, those of unreserved characters decoded. No server may tell these apart."""

    def plain(escape: re.Match[str]) -> str:
        character = chr(int(escape[1], 16))
        return character if character in _UNRESERVED else escape[0].upper()

    return _ESCAPE.sub(plain, path)


def decoded(text: str) -> str:
    """Each escape replaced once."""
    return _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), text)


def _unicode_escapes(text: str) -> str:
    return _UNICODE_ESCAPE.sub(lambda escape: _narrow(chr(int(escape[1], 16))), text)


def _narrow(text: str) -> str:
    """Compatibility forms folded (fullwidth dots and slashes become plain ones), as bytes again."""
    folded = unicodedata.normalize("NFKC", text)
    return folded.encode("utf-8", "replace").decode("latin-1")


def _compatibility(text: str) -> str:
    return text if text.isascii() else _narrow(text.encode("latin-1").decode("utf-8", "replace"))


def _short(text: str) -> str:
    """Overlong UTF-8, as a decoder reads it that does not require the shortest form."""

    def character(match: re.Match[str]) -> str:
        value = 0
        for index, byte in enumerate(map(ord, match[0])):
            value = (byte & (0x3F if index else 0x1F)) | value << 6
        return chr(value & 0x7F)

    return _OVERLONG.sub(character, text)


def _without_parameters(text: str) -> str:
    return "/".join(segment.partition(";")[0] for segment in text.split("/"))


def resolved(text: str) -> str:
    """RFC 3986 5.2.4: dot segments removed."""
    kept: list[str] = []
    segments = text.split("/")
    for index, segment in enumerate(segments):
        last = index == len(segments) - 1
        if segment == "..":
            if len(kept) > 1:
                kept.pop()
            if last:
                kept.append("")
        elif segment == ".":
            if last:
                kept.append("")
        else:
            kept.append(segment)
    return "/".join(kept)


def _windows(text: str) -> str:
    """Servers that ignore blanks and dots at the end of a name; a name of only dots and blanks goes one level up."""

    def name(segment: str) -> str:
        if segment and not segment.strip(". "):
            dots = segment.count(".")
            return "" if not dots else "." * min(dots, 2)
        return segment.rstrip(". ")

    return "/".join(map(name, text.split("/")))


# Each step, with what a text must contain for the step to change it.
_STEPS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("%", decoded),
    ("%u", _unicode_escapes),
    ("[^\x00-\x7f]", _short),
    ("[^\x00-\x7f]", _compatibility),
    (r"\\", lambda text: text.replace("\\", "/")),
    (";", _without_parameters),
    ("//", lambda text: re.sub("//+", "/", text)),
    (r"/\.", resolved),
    (r"[. ](/|\||$)", _windows),
    ("\0", lambda text: text.partition("\0")[0]),
    ("#", lambda text: text.partition("#")[0]),
    (r"\?", lambda text: text.partition("?")[0]),
    ("[\t\r\n]", lambda text: re.sub("[\t\r\n]", "", text)),
    ("[\x00-\x20\x7f]", lambda text: re.sub("[\x00-\x20\x7f]", "", text)),
)
STEPS = tuple((re.compile(pattern), step) for pattern, step in _STEPS)


def together(*texts: str) -> Iterator[tuple[str, ...]]:
    """The texts as each server would read them: the same steps for all, in every order that matters."""
    first = tuple(map(equivalent, texts))
    seen = {first}
    waiting = [first]
    while waiting:
        state = waiting.pop()
        yield state
        joined = "|".join(state)
        for pattern, step in STEPS:
            if not pattern.search(joined):
                continue
            following = tuple(map(step, state))
            if following not in seen and len(seen) < MOST:
                seen.add(following)
                waiting.append(following)


def is_below(path: str, prefix: str) -> bool:
    """Whether a path is the prefix or lies below it, compared as text on segment boundaries."""
    return path == prefix or path.startswith(prefix if prefix.endswith("/") else prefix + "/")


def unwrapped(text: str) -> set[str]:
    """The text in lower case, decoded up to five times by every decoder."""
    seen = {text}
    waiting = [(text, 0)] if "%" in text or not text.isascii() else []
    while waiting:
        current, depth = waiting.pop()
        if depth == 5:
            continue
        for step in (decoded, _unicode_escapes, _short, _compatibility):
            following = step(current)
            if following not in seen and len(seen) < MOST:
                seen.add(following)
                waiting.append((following, depth + 1))
    return {re.sub("[\x00-\x20\x7f\\\\]", "", one).lower() for one in seen}
