"""Detection of a git smart-HTTP push in any spelling: pushes belong to the git gate."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

_SERVICE = "git-receive-pack"
_ROUNDS = 8
_NOISE = re.compile(r"[\x00-\x20\x7f\\]+")


def _unwrapped(text: str) -> str:
    """The text in lower case with every layer of percent escapes, blanks and controls removed."""
    for _ in range(_ROUNDS):
        plain = unquote_to_bytes(text.encode("latin-1", "replace")).decode("latin-1")
        if plain == text:
            break
        text = plain
    return _NOISE.sub("", text).lower()


def is_push(path: str, query: str, content_types: list[str]) -> bool:
    """Whether a request names git-receive-pack as a path segment, as its service, or as the kind of its body."""
    if any(segment.split(";")[0] == _SERVICE for segment in re.split(r"[/?#]", _unwrapped(path))):
        return True
    for parameter in re.split(r"[&;?#]", _unwrapped(query.replace("+", " "))):
        name, _, value = parameter.partition("=")
        if name == "service" and _SERVICE in value:
            return True
    return any(_SERVICE in _unwrapped(value) for value in content_types)
