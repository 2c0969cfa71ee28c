"""Whether a server's answer opens the WebSocket that was asked for."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3

Headers = Iterable[tuple[bytes, bytes]]


def opens_websocket(request: Headers, response: Headers) -> bool:
    """Whether a 101 proves that the server accepted this request as a WebSocket, without extensions."""
    keys, versions = _values(request, b"sec-websocket-key"), _values(request, b"sec-websocket-version")
    if len(keys) != 1 or versions != [b"13"]:
        return False
    digest = hashlib.sha1(keys[0] + _GUID, usedforsecurity=False).digest()
    return (
        [value.lower() for value in _values(response, b"upgrade")] == [b"websocket"]
        and _values(response, b"sec-websocket-accept") == [base64.b64encode(digest)]
        and not _values(response, b"sec-websocket-extensions")
    )


def without_extensions(headers: Headers) -> tuple[tuple[bytes, bytes], ...]:
    """The headers without an offer of extensions: with compression a small frame could become a large one here."""
    return tuple((name, value) for name, value in headers if name.lower() != b"sec-websocket-extensions")


def _values(headers: Headers, wanted: bytes) -> list[bytes]:
    return [value.strip() for name, value in headers if name.lower() == wanted]
