"""Hosts and authorities: every spelling of a name becomes the same canonical text, or an error."""

from __future__ import annotations

import re
import unicodedata

_LONGEST = 253
_LONGEST_LABEL = 63
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_PATTERN_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_HEXADECIMAL = re.compile(r"0x[0-9a-f]*")
_PORT = re.compile(r"[0-9]{1,5}")
_DOTS = "\u3002\uff0e\uff61"
# Characters that IDNA 2003 and 2008 map to different names: sharp s, final sigma, joiners, fillers, Cherokee,
# variation selectors, compatibility ideographs.
_DEVIATING = re.compile(
    "[\u00df\u1e9e\u03c2\u200c\u200d\u034f\u115f\u1160\u13a0-\u13ff\uab70-\uabbf\u17b4\u17b5"
    "\u180b-\u180f\u3164\uf900-\ufaff\ufe00-\ufe0f\uffa0\U0002f800-\U0002fa1f\U000e0000-\U000e0fff]"
)


class BadName(ValueError):
    """The text is not a host name, or not an authority."""


def canonical_host(text: str) -> str:
    """The host in ASCII lowercase without its one trailing dot.

    Raises BadName for anything that is not a name. IPv4 addresses pass: no table lists one.
    """
    if len(text) > 4 * _LONGEST:
        raise BadName("too long for a host name")
    if not text.isascii():
        text = _internationalised(text)
    text = text.lower().removesuffix(".")
    if not text or len(text) > _LONGEST or not all(_LABEL.fullmatch(label) for label in text.split(".")):
        raise BadName("not a host name")
    return text


def _internationalised(text: str) -> str:
    """The name in the ASCII form of IDNA. Raises BadName where versions of IDNA differ."""
    if _DEVIATING.search(text) or any(
        not character.isascii() and character not in _DOTS and unicodedata.category(character)[0] not in "LM"
        for character in text
    ):
        raise BadName("a name that programs write in different ways")
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    # The encoder finds out late that a label is too long, after time that grows with the square of the length.
    if any(len(label) > _LONGEST_LABEL for label in re.split(f"[.{_DOTS}]", folded)):
        raise BadName("too long for a host name")
    try:
        name = text.encode("idna")
        if name.lower() != folded.encode("idna").lower():
            raise BadName("a name that programs write in different ways")
        return name.decode("ascii")
    except UnicodeError as error:
        raise BadName("not an internationalised name") from error


def canonical_authority(raw: bytes, default_port: int) -> tuple[str, int]:
    """`host[:port]` as canonical host and port. Raises BadName; an IPv6 literal is not a name."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadName("not text") from error
    host, colon, port = text.partition(":")
    if not colon:
        return canonical_host(host), default_port
    if not _PORT.fullmatch(port) or not 1 <= int(port) <= 65535:
        raise BadName("not a port")
    return canonical_host(host), int(port)


def is_host_pattern(text: str) -> bool:
    """Whether the text is a canonical host name, or `*.` and at least two labels; never an address."""
    wildcard = text.startswith("*.")
    base = text[2:] if wildcard else text
    labels = base.split(".")
    if len(base) > _LONGEST or not all(_PATTERN_LABEL.fullmatch(label) for label in labels):
        return False
    if wildcard and len(labels) < 2:
        return False
    return not (labels[-1].isdigit() or _HEXADECIMAL.fullmatch(labels[-1]))
