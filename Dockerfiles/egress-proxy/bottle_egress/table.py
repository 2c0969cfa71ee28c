"""The routes table: a strict parser, and the lookup of a host."""

from __future__ import annotations

import calendar
import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bottle_egress import credentials as credential
from bottle_egress import names, paths

MAX_BYTES = 1 << 20
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
_METHOD = re.compile(r"[A-Z][A-Z0-9_-]{0,31}")
_SLOT = re.compile(r"BOTTLE_CREDENTIAL_[A-Za-z0-9_]{1,200}")
_SECRET = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")
GRANT_ID = re.compile(r"[a-z0-9-]{1,63}/[0-9]{4,18}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_TIME_FORM = "%Y-%m-%dT%H:%M:%SZ"
_MAX_USES = 1_000_000
_NEVER_METHODS = frozenset({"CONNECT", "TRACE", "TRACK"})
_NEVER_HEADERS = frozenset(
    b"host content-length transfer-encoding connection upgrade te trailer expect keep-alive content-encoding".split()
)


class TableRefused(Exception):
    """The text is not a valid table; `code` is the stable reason."""

    def __init__(self, code: str, where: str) -> None:
        super().__init__(f"{code}: {where}")
        self.code = code
        self.where = where


@dataclass(frozen=True)
class Auth:
    """The credential of a route: which header it goes into and which environment slot holds it."""

    header: str
    scheme: str | None
    slot: str


@dataclass(frozen=True)
class Grant:
    """Limits, and the id under which uses are counted. From `not_after` (seconds since 1970) on nothing passes."""

    id: str
    not_after: int | None
    max_uses: int | None


@dataclass(frozen=True)
class Widening:
    """Methods and paths that pass in addition to the route's own, within limits."""

    methods: frozenset[str] | None
    paths: tuple[str, ...]
    grant: Grant


@dataclass(frozen=True)
class Route:
    """One host (or wildcard) and what is allowed there. An allowlist entry is a route that allows everything.

    With a `grant` its methods and paths pass within limits only; `grants` pass in addition.
    """

    host: str
    port: int = 443
    methods: frozenset[str] | None = None
    paths: tuple[str, ...] = ()
    auth: Auth | None = None
    client_auth: bool = False
    websocket: bool = False
    grant: Grant | None = None
    grants: tuple[Widening, ...] = ()


@dataclass(frozen=True)
class Table:
    """All routes by host, the wildcards by what follows `*.`."""

    exact: Mapping[str, Route]
    wildcard: Mapping[str, Route]

    def route(self, host: str) -> Route | None:
        """The entry for a canonical host: the exact one, else the longest wildcard, which never matches its apex."""
        if found := self.exact.get(host):
            return found
        _, _, rest = host.partition(".")
        while rest:
            if found := self.wildcard.get(rest):
                return found
            _, _, rest = rest.partition(".")
        return None

    def grants(self) -> Iterator[Grant]:
        """Every grant of the table; some come more than once."""
        for routes in (self.exact, self.wildcard):
            for route in routes.values():
                if route.grant is not None:
                    yield route.grant
                for widening in route.grants:
                    yield widening.grant


def parse(content: bytes, credentials: Mapping[str, str]) -> Table:
    """Read a table. Every slot it names must have a usable value in `credentials`. Raises TableRefused."""
    if len(content) > MAX_BYTES:
        raise TableRefused("too-large", "file")
    try:
        document = json.loads(content.decode("utf-8"), object_pairs_hook=_unique_object, parse_constant=_no_constant)
    except TableRefused:
        raise
    except (ValueError, RecursionError) as error:
        raise TableRefused("not-json", "file") from error
    top = _fields(document, "file", ("version", "routes", "allowlist"))
    if type(top["version"]) is not int or top["version"] != 1:
        raise TableRefused("bad-version", "version")
    routes: dict[str, Route] = {}
    limits: dict[str, Grant] = {}
    for index, item in enumerate(_list(top["routes"], "routes")):
        route = _route(item, f"routes[{index}]", credentials, limits)
        if route.host in routes:
            raise TableRefused("duplicate-host", f"routes[{index}].host")
        routes[route.host] = route
    listed: set[str] = set()
    for index, host in enumerate(_list(top["allowlist"], "allowlist")):
        where = f"allowlist[{index}]"
        if _host(host, where) in listed:
            raise TableRefused("duplicate-host", where)
        listed.add(host)
        routes.setdefault(host, Route(host))
    return Table(
        exact={host: route for host, route in routes.items() if not host.startswith("*.")},
        wildcard={host[2:]: route for host, route in routes.items() if host.startswith("*.")},
    )


def _unique_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise TableRefused("duplicate-key", "file")
    return result


def _no_constant(name: str) -> object:
    raise ValueError(name)


def _fields(value: object, where: str, keys: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, object]:
    """The value as an object that has exactly these keys, with or without the optional ones."""
    if not isinstance(value, dict):
        raise TableRefused("wrong-type", where)
    for key in value:
        if key not in keys and key not in optional:
            raise TableRefused("unknown-key", where)
    for key in keys:
        if key not in value:
            raise TableRefused("missing-key", f"{where}.{key}")
    return value


def _list(value: object, where: str) -> list[object]:
    if not isinstance(value, list):
        raise TableRefused("wrong-type", where)
    return value


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise TableRefused("wrong-type", where)
    return value


def _flag(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise TableRefused("wrong-type", where)
    return value


def _host(value: object, where: str) -> str:
    if not names.is_host_pattern(_text(value, where)):
        raise TableRefused("bad-host", where)
    return value


def _route(item: object, where: str, credentials: Mapping[str, str], limits: dict[str, Grant]) -> Route:
    keys = ("host", "port", "methods", "paths", "auth", "client_auth", "websocket")
    fields = _fields(item, where, keys, optional=("grant", "grants"))
    port = fields["port"]
    if type(port) is not int:
        raise TableRefused("wrong-type", f"{where}.port")
    if not 1 <= port <= 65535:
        raise TableRefused("bad-port", f"{where}.port")
    return Route(
        host=_host(fields["host"], f"{where}.host"),
        port=port,
        methods=_methods(fields["methods"], f"{where}.methods"),
        paths=_paths(fields["paths"], f"{where}.paths"),
        auth=_auth(fields["auth"], f"{where}.auth", credentials),
        client_auth=_flag(fields["client_auth"], f"{where}.client_auth"),
        websocket=_flag(fields["websocket"], f"{where}.websocket"),
        grant=_grant(fields["grant"], f"{where}.grant", limits) if "grant" in fields else None,
        grants=_widenings(fields["grants"], f"{where}.grants", limits) if "grants" in fields else (),
    )


def _widenings(value: object, where: str, limits: dict[str, Grant]) -> tuple[Widening, ...]:
    widenings = []
    for index, item in enumerate(_list(value, where)):
        here = f"{where}[{index}]"
        fields = _fields(item, here, ("id", "not_after", "max_uses", "methods", "paths"))
        scope = {key: fields.pop(key) for key in ("methods", "paths")}
        widenings.append(
            Widening(
                methods=_methods(scope["methods"], f"{here}.methods"),
                paths=_paths(scope["paths"], f"{here}.paths"),
                grant=_grant(fields, here, limits),
            )
        )
    if not widenings:
        raise TableRefused("bad-grant", where)
    return tuple(widenings)


def _grant(value: object, where: str, limits: dict[str, Grant]) -> Grant:
    """The limits; those of one id are the same wherever they stand."""
    fields = _fields(value, where, ("id", "not_after", "max_uses"))
    if not GRANT_ID.fullmatch(_text(fields["id"], f"{where}.id")):
        raise TableRefused("bad-grant", f"{where}.id")
    uses = fields["max_uses"]
    if uses is not None and type(uses) is not int:
        raise TableRefused("wrong-type", f"{where}.max_uses")
    if uses is not None and not 1 <= uses <= _MAX_USES:
        raise TableRefused("bad-grant", f"{where}.max_uses")
    grant = Grant(fields["id"], _moment(fields["not_after"], f"{where}.not_after"), uses)
    if (grant.not_after is None and uses is None) or limits.setdefault(grant.id, grant) != grant:
        raise TableRefused("bad-grant", where)
    return grant


def _moment(value: object, where: str) -> int | None:
    """Seconds since 1970 of RFC 3339 in UTC, to the second, in its one form."""
    if value is None:
        return None
    try:
        if not _TIME.fullmatch(_text(value, where)):
            raise ValueError
        read = time.strptime(value, _TIME_FORM)
        if read.tm_sec > 59:
            raise ValueError
        return calendar.timegm(read)
    except ValueError as error:
        raise TableRefused("bad-grant", where) from error


def _methods(value: object, where: str) -> frozenset[str] | None:
    if value is None:
        return None
    methods = [_text(method, where) for method in _list(value, where)]
    if not methods or any(not _METHOD.fullmatch(method) or method in _NEVER_METHODS for method in methods):
        raise TableRefused("bad-method", where)
    return frozenset(methods)


def _paths(value: object, where: str) -> tuple[str, ...]:
    prefixes = tuple(_text(path, where) for path in _list(value, where))
    if any(paths.ambiguity(prefix) or "?" in prefix for prefix in prefixes):
        raise TableRefused("bad-path", where)
    return prefixes


def _auth(value: object, where: str, credentials: Mapping[str, str]) -> Auth | None:
    if value is None:
        return None
    fields = _fields(value, where, ("header", "scheme", "slot"))
    header = _text(fields["header"], f"{where}.header")
    folded = credential.folded(header.encode("utf-8", "replace"))
    if not _TOKEN.fullmatch(header) or folded in _NEVER_HEADERS or folded.startswith(b"proxy-"):
        raise TableRefused("bad-header", f"{where}.header")
    scheme = fields["scheme"]
    if scheme is not None and not _TOKEN.fullmatch(_text(scheme, f"{where}.scheme")):
        raise TableRefused("bad-scheme", f"{where}.scheme")
    slot = _text(fields["slot"], f"{where}.slot")
    if not _SLOT.fullmatch(slot):
        raise TableRefused("bad-slot", f"{where}.slot")
    if slot not in credentials:
        raise TableRefused("missing-credential", f"{where}.slot")
    if not _SECRET.fullmatch(credentials[slot]):
        raise TableRefused("bad-credential", f"{where}.slot")
    return Auth(header, scheme, slot)
