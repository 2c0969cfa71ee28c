"""The parser of routes documents: it refuses with a code, or the table equals a plain reading of the JSON."""
# ruff: noqa: S101 - an assertion that fails is the finding

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import mutation
from documents import DOCUMENTS, SECRETS, TEXTS, cases

from bottle_egress import table

MUTATE = mutation.document
MAX_LENGTH = 4096
CODES = frozenset(
    "too-large not-json bad-version duplicate-key unknown-key missing-key wrong-type bad-host duplicate-host bad-port "
    "bad-method bad-path bad-header bad-scheme bad-slot missing-credential bad-credential bad-grant".split()
)
_AMBIGUOUS = re.compile(r"[?#\\]|//|/\.\.?(/|;|$)|%(2[eEfF5]|5[cC]|00)")
_NAME = re.compile(r"(\*\.(?=.*\.))?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_FRAMING = frozenset("host content-length transfer-encoding connection upgrade te trailer keep-alive expect".split())


def document(parsed: table.Table) -> dict:
    """The table as a document; entries of the allowlist become routes without limits."""
    routes = []
    for listed, start in ((parsed.exact, ""), (parsed.wildcard, "*.")):
        for key, route in listed.items():
            assert route.host == start + key, f"{route.host} is found as {start + key}"
            auth = route.auth and {"header": route.auth.header, "scheme": route.auth.scheme, "slot": route.auth.slot}
            routes.append(_limits(route) | {
                "host": route.host, "port": route.port, "paths": list(route.paths), "auth": auth,
                "methods": None if route.methods is None else sorted(route.methods),
                "client_auth": route.client_auth, "websocket": route.websocket,
            })  # fmt: skip
    return {"version": 1, "routes": routes, "allowlist": []}


def _limits(route: table.Route) -> dict:
    """The keys of an entry that exist only with limits."""
    found = {}
    if route.grant is not None:
        found["grant"] = _grant(route.grant)
    if route.grants:
        found["grants"] = [
            _grant(each.grant)
            | {"methods": None if each.methods is None else sorted(each.methods), "paths": list(each.paths)}
            for each in route.grants
        ]
    return found


def _grant(grant: table.Grant) -> dict:
    end = None
    if grant.not_after is not None:
        end = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=grant.not_after)).isoformat()
    return {"id": grant.id, "not_after": end and end.replace("+00:00", "Z"), "max_uses": grant.max_uses}


def _sorted(member: dict) -> dict:
    return member | {"methods": None if member["methods"] is None else sorted(set(member["methods"]))}


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
    expected = [_sorted(route) for route in read["routes"]]
    for route in expected:
        if "grants" in route:
            route["grants"] = [_sorted(member) for member in route["grants"]]
    hosts = {route["host"] for route in expected}
    free = {"port": 443, "methods": None, "paths": [], "auth": None, "client_auth": False, "websocket": False}
    expected += [{"host": host} | free for host in read["allowlist"] if host not in hosts]
    written = document(parsed)

    def by_host(route: dict) -> str:
        return route["host"]

    assert sorted(written["routes"], key=by_host) == sorted(expected, key=by_host), "another table than the text says"
    assert table.parse(json.dumps(written).encode(), SECRETS) == parsed, "written out and read again it differs"
    limits: dict[str, tuple] = {}
    for route in expected:
        _check_route(route)
        for member in ([route["grant"]] if "grant" in route else []) + route.get("grants", []):
            _check_grant(member, limits)


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


def _check_grant(member: dict, limits: dict[str, tuple]) -> None:
    end, uses = member["not_after"], member["max_uses"]
    assert re.fullmatch(r"[a-z0-9-]+/[0-9]{4,}", member["id"]), member["id"]
    assert end is not None or uses is not None, "a grant without limits"
    assert uses is None or (type(uses) is int and 1 <= uses <= 1_000_000), f"{uses!r} uses"
    assert limits.setdefault(member["id"], (end, uses)) == (end, uses), "two sets of limits"


def seeds() -> list[bytes]:
    """Valid documents, and those of the case tables."""
    rows = cases("table")
    changed = [DOCUMENTS[1] | {"routes": [DOCUMENTS[1]["routes"][0] | row.get("route", {})]} | row.get("top", {})
               for row in rows["refused"]]  # fmt: skip
    return [*TEXTS, *(text.encode() for text, _ in rows["texts"]), *(json.dumps(one).encode() for one in changed)]
