"""The decision whether a request may pass, and in which form. Pure: facts and table in, a value out."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bottle_egress import credentials as credential
from bottle_egress import names, paths
from bottle_egress.push import is_push
from bottle_egress.table import Grant, Route, Table, Widening

_METHOD = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,32}")
_HEADER_NAME = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE_CONTROLS = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_QUERY_CONTROLS = re.compile(r"[\x00-\x20\x7f]")
_NEVER_METHODS = frozenset({"CONNECT", "TRACE", "TRACK"})
_FRAMING = frozenset({b"content-length", b"transfer-encoding"})
_CHUNKED = b"chunked"
_LENGTH = re.compile(rb"[0-9]{1,18}")
_CONNECTION_OPTIONS = frozenset({b"close", b"keep-alive", b"upgrade"})
# Headers that name a second resource, which the server then reads or writes: WebDAV, and copies between objects.
_DESTINATION = b"destination"
_COPY_SOURCES = frozenset(
    b"x-amz-copy-source x-goog-copy-source x-ms-copy-source x-copy-from x-amz-rename-source x-ms-rename-source".split()
)
_ABSOLUTE = re.compile(rb"https?://([^/?#]*)(/[^?#]*)")
MAX_FIELDS = 128
MAX_PARAMETERS = 1024
_TUNNEL_PORT = 443
_PLAIN_PORT = 80

Headers = tuple[tuple[bytes, bytes], ...]
_Fields = dict[bytes, list[bytes]]


@dataclass(frozen=True)
class Facts:
    """What the client sent, unchanged, and what its connection proves.

    `tunnel` is the host and port of the CONNECT that the request came through, None on the proxy port itself;
    `scheme` and `authority` are those of the request target as sent, empty in origin form.
    """

    method: bytes
    target: bytes
    scheme: bytes
    authority: bytes
    version: bytes
    headers: Headers = field(repr=False)
    tunnel: tuple[str, int] | None
    tls: bool
    sni: str | None


@dataclass(frozen=True)
class Identity:
    """The one name and port a request is for."""

    host: str
    port: int
    tls: bool


@dataclass(frozen=True)
class Allowed:
    """The request as it may go upstream."""

    identity: Identity
    target: bytes
    headers: Headers = field(repr=False)
    websocket: bool
    grant: Grant | None = None
    """The grant to use before the request is forwarded; None where the entry lets it through without limits."""


@dataclass(frozen=True)
class Refused:
    """The request is not forwarded. `rule` is stable, `reason` is for people; `tool` is what the agent may call.

    `port` is None when the request names none that can be read.
    """

    status: int
    rule: str
    reason: str
    host: str
    method: str
    path: str
    tool: str | None = None
    port: int | None = None


class _Stop(Exception):
    def __init__(self, rule: str, reason: str, *, status: int = 403, proposable: bool = False) -> None:
        super().__init__(reason)
        self.rule, self.reason, self.status = rule, reason, status
        self.tool = "egress-proxy-block" if proposable else None


def refused(facts: Facts, rule: str, reason: str, *, status: int = 403, tool: str | None = None) -> Refused:
    """A refusal of these facts, in the names that the client used; a valid host name is in canonical form."""
    host, port = facts.tunnel or (facts.authority.decode("latin-1"), None)
    with contextlib.suppress(names.BadName):
        default = _TUNNEL_PORT if facts.tunnel or facts.method == b"CONNECT" else _PLAIN_PORT
        host, told = names.canonical_authority(host.encode("utf-8", "replace"), default)
        port = port or told
    path = facts.target.decode("latin-1").partition("?")[0]
    return Refused(status, rule, reason, host, facts.method.decode("latin-1"), path, tool, port)


_GRANT_REASONS = {
    "grant-expired": "what let this request through was granted for a time, which is over",
    "grant-used-up": "what let this request through was granted for a number of requests, which have been made",
    "grant-uncounted": "this request passes within limits only, and its use can't be put on record",
}


def not_granted(facts: Facts, rule: str) -> Refused:
    """The refusal of a request whose grant doesn't hold any more."""
    stop = _not_granted(rule)
    return refused(facts, rule, stop.reason, tool=stop.tool)


def _not_granted(rule: str) -> _Stop:
    return _Stop(rule, _GRANT_REASONS[rule], proposable=rule != "grant-uncounted")


def nothing_holds(_: Grant) -> str | None:
    """The default of `obstacle`: without a count of uses no grant holds."""
    return "grant-uncounted"


def judge(
    table: Table | None,
    facts: Facts,
    secrets: Mapping[str, str],
    obstacle: Callable[[Grant], str | None] = nothing_holds,
) -> Allowed | Refused:
    """Decide a request. Without a table everything is refused.

    `obstacle` returns the rule by which a request that needs a grant is refused, None when the grant holds. A decision
    uses no grant: before an allowed request is forwarded, the caller counts a use of its `grant`.
    """
    try:
        return _judge(table, facts, secrets, obstacle)
    except _Stop as stop:
        return refused(facts, stop.rule, stop.reason, status=stop.status, tool=stop.tool)


def judge_connect(table: Table | None, facts: Facts) -> Identity | Refused:
    """Decide whether a tunnel may be opened. An unlisted host is refused inside, where clients show the reason."""
    try:
        _check_form(facts)
        host, port = _authority(facts.authority, _TUNNEL_PORT, "CONNECT target")
        fields = _fields(facts.headers)
        for value in fields.get(b"host", ()):
            if _authority(value, port, "Host header") != (host, port):
                raise _Stop("identity", "the Host header names another server than the CONNECT target", status=421)
        if not _FRAMING.isdisjoint(fields):
            raise _Stop("header", "CONNECT has no body")
        route = table.route(host) if table else None
        if port != (route.port if route else _TUNNEL_PORT):
            raise _Stop("port", f"port {port} is not one of this host's ports", proposable=True)
        return Identity(host, port, tls=True)
    except _Stop as stop:
        return refused(facts, stop.rule, stop.reason, status=stop.status, tool=stop.tool)


def names_identity(table: Table | None, identity: Identity) -> bool:
    """Whether a table still names this host on this port."""
    route = table.route(identity.host) if table else None
    return route is not None and identity.port == (route.port if identity.tls else _PLAIN_PORT)


def _judge(
    table: Table | None, facts: Facts, secrets: Mapping[str, str], obstacle: Callable[[Grant], str | None]
) -> Allowed:
    _check_form(facts)
    method = facts.method.decode("latin-1")
    if method.upper() in _NEVER_METHODS:
        raise _Stop("method", f"{method.upper()} is never forwarded")
    fields = _fields(facts.headers)
    _check_framing(facts, fields)
    identity = _identity(facts, fields)
    path, question, query = facts.target.decode("latin-1").partition("?")
    kinds = (value.decode("latin-1") for name in (b"content-type", b"accept") for value in fields.get(name, ()))
    if is_push(method, path, query, kinds):
        raise _Stop("git-push", "a push goes through the git gate (git-gate:9418), not over HTTPS")
    route = _table(table).route(identity.host)
    if route is None:
        raise _Stop("host", "no route and no allowlist entry names this host", proposable=True)
    if identity.port != (route.port if identity.tls else _PLAIN_PORT):
        raise _Stop("port", f"port {identity.port} is not one of this host's ports", proposable=True)
    _check_ambiguity(path)
    if _QUERY_CONTROLS.search(query):
        raise _Stop("path", "the query holds a control character or a blank")
    if query.count("&") + query.count(";") >= MAX_PARAMETERS:
        raise _Stop("path", "the query has too many parameters")
    grant = _grant(method, path, fields, identity, route, obstacle)
    websocket = _websocket(facts, fields, method, route)
    query = credential.stripped_query(
        query,
        keep_credentials=route.client_auth,
        keep_acting=_acts_for_itself(route),
        reads=method in ("GET", "HEAD"),
    )
    target = path + (question + query if query or facts.target.endswith(b"?") else "")
    return Allowed(
        identity,
        target.encode("latin-1"),
        _upstream_headers(facts.headers, identity, route, secrets),
        websocket,
        grant,
    )


def _check_form(facts: Facts) -> None:
    if facts.version not in (b"HTTP/1.1", b"HTTP/1.0"):
        raise _Stop("version", "only HTTP/1 is spoken here")
    if not _METHOD.fullmatch(facts.method.decode("latin-1")):
        raise _Stop("method", "not an HTTP method")
    if len(facts.headers) > MAX_FIELDS:
        raise _Stop("malformed", "the request has too many header fields", status=431)
    for name, value in facts.headers:
        if not _HEADER_NAME.fullmatch(name):
            raise _Stop("header", "a header's name is none")
        if _VALUE_CONTROLS.search(value):
            raise _Stop("header", "a header holds a control character or is folded over lines")
        if credential.folded(name) in _FRAMING and name.lower() not in _FRAMING:
            raise _Stop("header", "a header that frames the message is misspelled")


def _check_framing(facts: Facts, fields: _Fields) -> None:
    """Only one header may tell where the body ends: otherwise two programs may see two different requests."""
    lengths, codings = fields.get(b"content-length", ()), fields.get(b"transfer-encoding", ())
    if len(lengths) + len(codings) > 1:
        raise _Stop("header", "more than one header tells the length of the body")
    if any(not _LENGTH.fullmatch(length) for length in lengths):
        raise _Stop("header", "the length of the body is no number, or too large")
    if any(coding.lower() != _CHUNKED or facts.version != b"HTTP/1.1" for coding in codings):
        raise _Stop("header", "the only transfer coding is chunked, in HTTP/1.1")


def _table(table: Table | None) -> Table:
    if table is None:
        raise _Stop("no-table", "the proxy has no valid routes, so nothing may pass")
    return table


def _authority(raw: bytes, port: int, what: str) -> tuple[str, int]:
    try:
        return names.canonical_authority(raw, port)
    except names.BadName as error:
        raise _Stop("identity", f"the {what} is {error}", status=421) from error


def _identity(facts: Facts, fields: _Fields) -> Identity:
    """The name and port on which CONNECT, SNI, target and Host agree, or a refusal with 421."""

    def mismatch(what: str) -> _Stop:
        return _Stop("identity", f"{what}: all names of one request must be the same", status=421)

    if facts.tunnel is None:
        if facts.scheme != b"http" or not facts.authority:
            raise mismatch("a request to the proxy needs an http:// target, or CONNECT for https")
        host, port = _authority(facts.authority, _PLAIN_PORT, "target")
        scheme, tls = b"http", False
    else:
        if not facts.tls:
            raise _Stop("tls", "a tunnel carries TLS only")
        try:
            host = names.canonical_host(facts.tunnel[0])
            sni = names.canonical_host(facts.sni or "")
        except names.BadName as error:
            raise mismatch("the TLS server name is missing or no name") from error
        port = facts.tunnel[1]
        if sni != host:
            raise mismatch("the TLS server name differs from the CONNECT target")
        scheme, tls = b"https", True
        if facts.scheme or facts.authority:
            if facts.scheme != scheme:
                raise mismatch("the target has another scheme than the connection")
            if _authority(facts.authority, _TUNNEL_PORT, "target") != (host, port):
                raise mismatch("the target differs from the CONNECT target")
    values = fields.get(b"host", ())
    if len(values) != 1:
        raise mismatch("there must be exactly one Host header")
    if _authority(values[0], _TUNNEL_PORT if tls else _PLAIN_PORT, "Host header") != (host, port):
        raise mismatch("the Host header differs from the target")
    return Identity(host, port, tls)


def _grant(
    method: str,
    path: str,
    fields: _Fields,
    identity: Identity,
    route: Route,
    obstacle: Callable[[Grant], str | None],
) -> Grant | None:
    """The first grant that holds and lets the request through; None when the entry needs no grant."""
    unlisted: _Stop | None = None
    over: _Stop | None = None
    for scope in (route, *route.grants):
        try:
            _check_scope(method, path, fields, identity, scope)
        except _Stop as stop:
            unlisted = unlisted or stop
            continue
        if scope.grant is None:
            return None
        rule = obstacle(scope.grant)
        if rule is None:
            return scope.grant
        over = over or _not_granted(rule)
    raise over or unlisted


def _check_scope(method: str, path: str, fields: _Fields, identity: Identity, scope: Route | Widening) -> None:
    _check_path(path, scope)
    if scope.paths:
        _check_second_targets(fields, identity, scope)
    if scope.methods is not None and method not in scope.methods:
        raise _Stop("method", "the route does not list this method", proposable=True)


def _check_ambiguity(path: str) -> None:
    if reason := paths.ambiguity(path):
        raise _Stop("path", f"the path {reason}")


def _check_path(path: str, scope: Route | Widening) -> None:
    if scope.paths and not paths.is_below(path, scope.paths):
        raise _Stop("path", "the route does not list this path", proposable=True)


def _check_second_targets(fields: _Fields, identity: Identity, scope: Route | Widening) -> None:
    """Where paths are limited, they also limit the second resource of a request."""
    if not _COPY_SOURCES.isdisjoint(fields):
        raise _Stop("path", "a header names a second resource, which the route's paths can't bound")
    for value in fields.get(_DESTINATION, ()):
        if absolute := _ABSOLUTE.fullmatch(value):
            default = _TUNNEL_PORT if identity.tls else _PLAIN_PORT
            if _authority(absolute[1], default, "Destination") != (identity.host, identity.port):
                raise _Stop("identity", "the Destination is on another server", status=421)
            value = absolute[2]
        if b"?" in value:
            raise _Stop("path", "the Destination holds a query")
        second = value.decode("latin-1")
        _check_ambiguity(second)
        _check_path(second, scope)


def _websocket(facts: Facts, fields: _Fields, method: str, route: Route) -> bool:
    """Whether the request opens a WebSocket that the route allows; any other upgrade is refused."""
    upgrades = fields.get(b"upgrade", ())
    asks = any(
        token.strip().lower() == b"upgrade" for value in fields.get(b"connection", ()) for token in value.split(b",")
    )
    if not upgrades and not asks:
        return False
    if [value.strip().lower() for value in upgrades] != [b"websocket"] or not asks:
        raise _Stop("upgrade", "the only upgrade is websocket")
    if not route.websocket:
        raise _Stop("upgrade", "the route does not allow WebSockets", proposable=False)
    if method != "GET" or facts.version != b"HTTP/1.1":
        raise _Stop("upgrade", "a WebSocket begins with GET over HTTP/1.1")
    if b"transfer-encoding" in fields or fields.get(b"content-length", [b"0"]) != [b"0"]:
        raise _Stop("upgrade", "a request for a WebSocket has no body")
    return True


def _fields(headers: Headers) -> _Fields:
    """The values of each header; spellings that some server takes for the same header are one."""
    fields: _Fields = {}
    for name, value in headers:
        fields.setdefault(credential.folded(name), []).append(value)
    return fields


def _upstream_headers(headers: Headers, identity: Identity, route: Route, secrets: Mapping[str, str]) -> Headers:
    injected = credential.folded(route.auth.header.encode("ascii")) if route.auth else None
    default = _TUNNEL_PORT if identity.tls else _PLAIN_PORT
    host = identity.host if identity.port == default else f"{identity.host}:{identity.port}"
    result = [(b"Host", host.encode("ascii"))]
    for name, value in headers:
        key = credential.folded(name)
        if key in (b"host", injected) or credential.is_override_header(name):
            continue
        if not _acts_for_itself(route) and credential.is_acting_header(name):
            continue
        if key == b"connection":
            value = _connection_options(value)
            if not value:
                continue
        if key == b"transfer-encoding":
            value = _CHUNKED  # some servers compare it case-sensitively
        if not route.client_auth:
            if credential.is_credential_header(name):
                continue
            if key == b"sec-websocket-protocol":
                value = credential.stripped_protocols(value)
                if not value:
                    continue
        result.append((name, value))
    if route.auth and identity.tls:
        value = secrets[route.auth.slot]
        if route.auth.scheme is not None:
            value = f"{route.auth.scheme} {value}"
        result.append((route.auth.header.encode("ascii"), value.encode("ascii")))
    return tuple(result)


def _acts_for_itself(route: Route) -> bool:
    """Whether the client's own credential is the only one; then the client may say for which user it acts."""
    return route.client_auth and route.auth is None


def _connection_options(value: bytes) -> bytes:
    """The options of Connection that name no header: a server would drop a header that is named there."""
    options = [option.strip() for option in value.split(b",")]
    kept = [option for option in options if option.lower() in _CONNECTION_OPTIONS]
    return value if len(kept) == len(options) else b", ".join(kept)
