"""The reading of routes documents: refused with a code, or exactly what a plain reading of the JSON says."""
# ruff: noqa: S101 - an assertion that fails is the finding

from __future__ import annotations

import json
import re

import mutation
from documents import DOCUMENTS, SECRETS, TEXTS, cases

from bottle_egress import table

MUTATE = mutation.document
MAX_LENGTH = 4096
CODES = frozenset(
    "too-large not-json bad-version duplicate-key unknown-key missing-key wrong-type bad-host duplicate-host bad-port "
    "bad-method bad-path bad-header bad-scheme bad-slot missing-credential bad-credential".split()
)
_AMBIGUOUS = re.compile(r"[?#\\]|//|/\.\.?(/|;|$)|%(2[eEfF5]|5[cC]|00)")
_NAME = re.compile(r"(\*\.(?=.*\.))?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_FRAMING = frozenset("host content-length transfer-encoding connection upgrade te trailer keep-alive expect".split())


def document(parsed: table.Table) -> dict:
    """The table written out again; entries of the allowlist come out as routes without limits."""
    routes = []
    for listed, start in ((parsed.exact, ""), (parsed.wildcard, "*.")):
        for key, route in listed.items():
            assert route.host == start + key, f"{route.host} is found as {start + key}"
            auth = route.auth and {"header": route.auth.header, "scheme": route.auth.scheme, "slot": route.auth.slot}
            routes.append({
                "host": route.host, "port": route.port, "paths": list(route.paths), "auth": auth,
                "methods": None if route.methods is None else sorted(route.methods),
                "client_auth": route.client_auth, "websocket": route.websocket,
            })  # fmt: skip
    return {"version": 1, "routes": routes, "allowlist": []}


def _pairs(found: list[tuple[str, object]]) -> dict:
    assert len({key for key, _ in found}) == len(found), "a key twice in an accepted table"
    return dict(found)


def check(data: bytes) -> None:
    """Raises AssertionError with what is wrong."""
    try:
        parsed = table.parse(data, SECRETS)
    except table.TableRefused as refusal:
        assert refusal.code in CODES, refusal.code
        assert str(refusal).isascii() and str(refusal).isprintable() and len(str(refusal)) < 100, str(refusal)
        return
    read = json.loads(data, object_pairs_hook=_pairs)
    assert set(read) == {"version", "routes", "allowlist"} and read["version"] == 1
    expected = [route | {"methods": None if route["methods"] is None else sorted(set(route["methods"]))}
                for route in read["routes"]]  # fmt: skip
    hosts = {route["host"] for route in expected}
    free = {"port": 443, "methods": None, "paths": [], "auth": None, "client_auth": False, "websocket": False}
    expected += [{"host": host} | free for host in read["allowlist"] if host not in hosts]
    written = document(parsed)

    def by_host(route: dict) -> str:
        return route["host"]

    assert sorted(written["routes"], key=by_host) == sorted(expected, key=by_host), "another table than the text says"
    assert table.parse(json.dumps(written).encode(), SECRETS) == parsed, "written out and read again it differs"
    for route in expected:
        _check_route(route)


def _check_route(route: dict) -> None:
    host = route["host"]
    assert _NAME.fullmatch(host) and len(host) <= 255, f"host {host!r}"
    assert not re.fullmatch(r"[0-9]+|0x[0-9a-f]*", host.rpartition(".")[2]), f"an address: {host!r}"
    assert type(route["port"]) is int and 1 <= route["port"] <= 65535, f"port {route['port']!r}"
    assert route["methods"] is None or route["methods"], "no method at all"
    for method in route["methods"] or ():
        assert re.fullmatch("[A-Z][A-Z0-9_-]*", method) and method not in ("TRACE", "CONNECT", "TRACK"), method
    for prefix in route["paths"]:
        assert re.fullmatch(r"/[!-~]*", prefix) and not _AMBIGUOUS.search(prefix), f"prefix {prefix!r}"
    assert type(route["client_auth"]) is bool and type(route["websocket"]) is bool
    if route["auth"]:
        header = route["auth"]["header"]
        folded = re.sub("[^a-z0-9]", "-", header.lower())
        assert re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", header) and folded not in _FRAMING, f"header {header!r}"
        assert route["auth"]["slot"] in SECRETS


def seeds() -> list[bytes]:
    """Good documents, and those of the case tables."""
    rows = cases("table")
    changed = [DOCUMENTS[1] | {"routes": [DOCUMENTS[1]["routes"][0] | row.get("route", {})]} | row.get("top", {})
               for row in rows["refused"]]  # fmt: skip
    return [*TEXTS, *(text.encode() for text, _ in rows["texts"]), *(json.dumps(one).encode() for one in changed)]
