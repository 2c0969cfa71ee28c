"""Detection of a git push over HTTP (smart or dumb) in any spelling: pushes go through the git gate.

The body is not read. An LFS batch (`info/lfs/objects/batch`) is the same request for uploads and downloads, and clones
need it, so it passes. It changes no ref, and the upload that follows is a PUT, which is detected.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

_SERVICE = "git-receive-pack"
_ROUNDS = 8
_NOISE = re.compile(r"[\x00-\x20\x7f\\]+")
_UNICODE_ESCAPE = re.compile(r"%u00([0-9A-Fa-f]{2})")
_OVERLONG = re.compile(r"[\xc0\xc1][\x80-\xbf]")
_WRITING = frozenset("PUT DELETE MKCOL MOVE COPY LOCK UNLOCK PROPPATCH".split())
# Where `git http-push` and LFS write, also in a repository whose name doesn't end in .git.
_REPOSITORY = re.compile(
    r"\.git(?:[/;?#]|\Z)|/refs/(?:heads|tags)/|/objects/(?:[0-9a-f]{2}/[0-9a-f]{38}|pack/)"
    r"|/info/refs(?:[;?#]|/?\Z)|/info/lfs(?:[/;?#]|\Z)"
)


def _shortest(match: re.Match[str]) -> str:
    return chr((ord(match[0][0]) & 1) << 6 | ord(match[0][1]) & 0x3F)


def _unwrapped(text: str) -> str:
    """The text in lower case, escapes decoded up to _ROUNDS times, odd letters folded, no blanks or controls."""
    for _ in range(_ROUNDS):
        if "%" not in text:
            break
        plain = unquote_to_bytes(_UNICODE_ESCAPE.sub(r"%\1", text).encode("latin-1", "replace")).decode("latin-1")
        if plain == text:
            break
        text = plain
    if not text.isascii():
        text = _OVERLONG.sub(_shortest, text)
        text = unicodedata.normalize("NFKC", text.encode("latin-1", "replace").decode("utf-8", "replace"))
    return _NOISE.sub("", text).lower()


def _asks_for_service(query: str) -> bool:
    if _SERVICE not in query:
        return False
    parameters = (parameter.partition("=") for parameter in re.split(r"[&;?#]", query))
    return any(name == "service" and _SERVICE in value for name, _, value in parameters)


def is_push(method: str, path: str, query: str, kinds: Iterable[str]) -> bool:
    """Whether a request names git-receive-pack (path segment, service, or media type) or writes into a repository.

    `kinds` are the values of Content-Type and Accept.
    """
    path = _unwrapped(path)
    # Some servers ignore what follows the name in its segment (a parameter, a dot, a format).
    if _SERVICE in path and any(segment.startswith(_SERVICE) for segment in re.split(r"[/?#]", path)):
        return True
    if method.upper() in _WRITING and _REPOSITORY.search(path):
        return True
    if _asks_for_service(path.partition("?")[2]) or (query and _asks_for_service(_unwrapped(query.replace("+", " ")))):
        return True
    return any(_SERVICE in _unwrapped(value) for value in kinds)
