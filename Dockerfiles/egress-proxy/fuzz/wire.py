"""One input as readable text, so that people can read a finding and write a case.

    <number of a routes document, or one as JSON>
    <host>:<port> <server name, or ->        (empty line: no tunnel; ~ before it: the tunnel carries no TLS)
    <method> <target> <version>
    <header>: <value>
    …

Byte 1E stands for a line feed inside a field, 1F for a blank inside the method.
"""

from __future__ import annotations

import re

from oracle import Sent

_ABSOLUTE = re.compile(rb"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)(.*)", re.DOTALL)


def read(data: bytes) -> tuple[bytes, Sent] | None:
    """The routes line and the request; None when the input is not a request."""
    lines = [line.replace(b"\x1e", b"\n") for line in data.split(b"\n")]
    if len(lines) < 3:
        return None
    routes, tunnel, request, *rest = lines
    method, _, target_and_version = request.partition(b" ")
    target, _, version = target_and_version.rpartition(b" ")
    method = method.replace(b"\x1f", b" ")
    scheme = authority = b""
    if method == b"CONNECT" and not tunnel:
        authority, target = target, b""
    elif absolute := _ABSOLUTE.fullmatch(target):
        scheme, authority, target = absolute[1], absolute[2], absolute[3]
    headers = tuple(
        (name, value.removeprefix(b" ")) for name, colon, value in (line.partition(b":") for line in rest) if colon
    )
    server = sni = None
    tls = False
    if tunnel:
        tls = not tunnel.startswith(b"~")
        address, _, name = tunnel.removeprefix(b"~").partition(b" ")
        host, _, port = address.rpartition(b":")
        if not re.fullmatch(rb"[0-9]{1,5}", port):
            return None
        # As mitmproxy passes them on: text, made of any bytes.
        server = host.decode("utf-8", "surrogateescape"), int(port)
        sni = None if name == b"-" else name.decode("utf-8", "surrogateescape")
    return routes, Sent(method, target, scheme, authority, version, headers, server, tls, sni)


def write(routes: bytes, sent: Sent) -> bytes:
    """The text of a request; what the format can't express (a colon in a header's name) is lost."""
    tunnel = b""
    if sent.tunnel:
        name = "-" if sent.sni is None else sent.sni
        text = f"{'' if sent.tls else '~'}{sent.tunnel[0]}:{sent.tunnel[1]} {name}"
        tunnel = text.encode("utf-8", "surrogateescape")
    target = (sent.scheme + b"://" if sent.scheme else b"") + sent.authority + sent.target
    request = b" ".join((sent.method.replace(b" ", b"\x1f"), target, sent.version))
    fields = [routes, tunnel, request, *(name + b": " + value for name, value in sent.headers)]
    return b"\n".join(field.replace(b"\n", b"\x1e") for field in fields)
