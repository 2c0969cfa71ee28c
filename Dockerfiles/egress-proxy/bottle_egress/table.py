"""The routes table: its strict reading, and which entry a host belongs to."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from bottle_egress import credentials as credential
from bottle_egress import names, paths

MAX_BYTES = 1 << 20
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
_METHOD = re.compile(r"[A-Z][A-Z0-9_-]{0,31}")
_SLOT = re.compile(r"BOTTLE_CREDENTIAL_[A-Za-z0-9_]{1,200}")
_SECRET = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")
_NEVER_METHODS = frozenset({"CONNECT", "TRACE", "TRACK"})
_NEVER_HEADERS = frozenset(
    b"host content-length transfer-encoding connection upgrade te trailer expect keep-alive content-encoding".split()
)


class TableRefused(Exception):
    """The text is not a table that may come into force; `code` is the stable reason."""

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
class Route:
    """One host (or wildcard) and what may be done there. An allowlist entry is a route without limits."""

    host: str
    port: int = 443
    methods: frozenset[str] | None = None
    paths: tuple[str, ...] = ()
    auth: Auth | None = None
    client_auth: bool = False
    websocket: bool = False


@dataclass(frozen=True)
class Table:
    """All routes by host, the wildcards by what follows `*.`."""

    exact: Mapping[str, Route]
    wildcard: Mapping[str, Route]

    def route(self, host: str) -> Route | None:
        """The entry for a canonical host: the exact one, else the longest wildcard, never of its own apex."""
        if found := self.exact.get(host):
            return found
        _, _, rest = host.partition(".")
        while rest:
            if found := self.wildcard.get(rest):
                return found
            _, _, rest = rest.partition(".")
        return None


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
    for index, item in enumerate(_list(top["routes"], "routes")):
        route = _route(item, f"routes[{index}]", credentials)
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


def _fields(value: object, where: str, keys: tuple[str, ...]) -> dict[str, object]:
    """The value as an object that has exactly these keys."""
    if not isinstance(value, dict):
        raise TableRefused("wrong-type", where)
    for key in value:
        if key not in keys:
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


def _route(item: object, where: str, credentials: Mapping[str, str]) -> Route:
    fields = _fields(item, where, ("host", "port", "methods", "paths", "auth", "client_auth", "websocket"))
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
    )


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
