"""Requests of any kind: the oracle must agree with what the policy allows, and a refusal must be one valid line.

A request for `CONNECT` outside of a tunnel goes to the decision on tunnels.
"""
# ruff: noqa: S101 - an assertion that fails is the finding

from __future__ import annotations

import dataclasses
import json
import re
from datetime import UTC, datetime

import fragments
import mutation
import oracle
import wire
from documents import DOCUMENTS, SECRETS, TEXTS, cases

from bottle_egress import refusal, table
from bottle_egress.judge import Allowed, Facts, Identity, Refused, judge, judge_connect, names_identity

MUTATE = mutation.request
MAX_LENGTH = 1200
_TABLES = [table.parse(text, SECRETS) for text in TEXTS]
_NOW = datetime(2026, 1, 2, tzinfo=UTC)
RULES = frozenset("identity host port path method git-push upgrade tls header version no-table grant-expired".split())


def _documents(line: bytes) -> tuple[dict, table.Table] | None:
    if line.isdigit() and len(line) == 1:
        number = int(line) % len(DOCUMENTS)
        return DOCUMENTS[number], _TABLES[number]
    try:
        return json.loads(line), table.parse(line, SECRETS)
    except (table.TableRefused, ValueError, RecursionError):
        return None


def check(data: bytes) -> None:
    """Raises AssertionError with what is wrong."""
    parts = wire.read(data)
    documents = _documents(parts[0]) if parts else None
    if parts is None or documents is None:
        return
    document, parsed = documents
    sent = parts[1]
    facts = Facts(**vars(sent))
    if sent.method == b"CONNECT" and sent.tunnel is None:
        _check_tunnel(document, sent, judge_connect(parsed, facts))
        return
    over = _over(data, document)

    def decide(facts: Facts) -> Allowed | Refused:
        return judge(parsed, facts, SECRETS, lambda grant: "grant-expired" if grant.id in over else None)

    verdict = decide(facts)
    if not isinstance(verdict, Allowed):
        _check_refusal(verdict)
        return
    identity = verdict.identity
    gone = oracle.Gone(
        identity.host, identity.port, identity.tls, verdict.target, verdict.headers, verdict.websocket,
        verdict.grant and verdict.grant.id,
    )  # fmt: skip
    wrong = oracle.complaint(document, SECRETS, sent, gone, over)
    assert wrong is None, wrong
    assert names_identity(parsed, identity), "the table does not name what it allows"
    _check_again(parsed, facts, verdict, decide)
    assert judge(None, facts, SECRETS).rule in RULES, "allowed without a table"


def _over(data: bytes, document: dict) -> frozenset[str]:
    """Some of the document's grants, chosen by the input."""
    ids = sorted(set(re.findall('"id": ?"([^"]*)"', json.dumps(document))))
    pick = sum(data)
    return frozenset(name for index, name in enumerate(ids) if pick >> index & 1)


def _check_again(parsed: table.Table, facts: Facts, verdict: Allowed, decide) -> None:
    """An allowed request, in the form in which it goes upstream, is allowed again and doesn't change."""
    auth = parsed.route(verdict.identity.host).auth
    given = 1 if auth and verdict.identity.tls else 0
    headers = verdict.headers[: len(verdict.headers) - given]
    again = decide(dataclasses.replace(facts, target=verdict.target, headers=headers))
    assert again == verdict, f"judged again it is {again}"


def _check_refusal(verdict) -> None:
    assert verdict.rule in RULES, f"rule {verdict.rule!r}"
    assert verdict.status == (421 if verdict.rule == "identity" else 403), f"status {verdict.status}"
    line = refusal.log_line(verdict, _NOW)
    for text in (line, refusal.body(verdict).decode("ascii").removesuffix("\n")):
        assert text.isascii() and text.isprintable() and len(text) < 6000, f"not one bounded line: {text!r}"
        json.loads(text)
    assert not any(secret in line for secret in SECRETS.values())
    assert "?" not in json.loads(line)["path"], "a query in the log"


def _check_tunnel(document: dict, sent: oracle.Sent, verdict) -> None:
    if not isinstance(verdict, Identity):
        _check_refusal(verdict)
        return
    assert (verdict.host, verdict.port) == oracle.authority(sent.authority, 443), "a tunnel to another name"
    assert verdict.tls
    entry = oracle.entry(document, verdict.host)
    assert verdict.port == (entry["port"] if entry else 443), "a tunnel to another port"
    for name, value in sent.headers:
        if oracle.folded(name) == "host":
            assert oracle.authority(value, verdict.port) == (verdict.host, verdict.port), "another Host"


def seeds() -> list[bytes]:
    """The case tables as requests."""
    found = []
    for method, url, _ in cases("requests")["cases"]:
        scheme, _, rest = url.partition("://")
        authority, slash, path = rest.partition("/")
        found.append(_seed("0", scheme, method, authority, slash + path))
    paths = cases("paths")
    for path in paths["clear"] + [row[0] for row in paths["ambiguous"]]:
        found.append(_seed("0", "https", "GET", "any.example", path))
        found.append(_seed("0", "https", "GET", "api.github.com", "/repos/acme" + path))
        found.append(_seed("1", "https", "GET", "x.a.test", "/a/b/c" + path))
    for target, kind, _ in cases("push")["smart"]:
        found.append(_seed("0", "https", "POST", "any.example", target, f"Content-Type: {kind}"))
    for method, target, _ in cases("push")["dumb"]:
        found.append(_seed("0", "https", method, "any.example", target))
    for line in fragments.HEADERS:
        found.append(_seed("0", "https", "GET", "any.example", "/x", line.decode("latin-1")))
        found.append(_seed("1", "https", "GET", "a.test", "/a/x", line.decode("latin-1")))
        found.append(_seed("1", "https", "PUT", "a.test", "/a/x", line.decode("latin-1")))
    for bundle in fragments.BUNDLES:
        lines = [line.decode() for line in bundle]
        found.append(_seed("0", "https", "GET", "any.example", "/x", *lines))
        found.append(_seed("1", "https", "GET", "b.a.test:8443", "/x", *lines))
    for row in cases("headers")["queries"]:
        found.append(_seed("0", "https", "POST", "any.example", "/x?" + row[0]))
    for method in ("GET", "PUT", "MOVE", "GET-IT"):
        for path in ("/a/x", "/a/c/x", "/b/x", "/d/x", "/x"):
            for index, authority in enumerate(("a.test", "x.a.test", "b.a.test:8443")):
                found.append(_seed("2", "https", method, authority, path, f"X: {index}", "Destination: /b/y"))
                found.append(_seed("2", "https", method, authority, path, "X: " + "a" * index))
    for authority in "any.example:443 ALT.example.:8443 raw.example:443 unlisted.test:443 a.b:80 [::1]:443".split():
        found.append(f"0\n\nCONNECT {authority} HTTP/1.1\nHost: {authority}".encode())
    found.append(TEXTS[1] + b"\na.test:443 a.test\nGET /a/x HTTP/1.1\nHost: a.test")
    return found


def _seed(number: str, scheme: str, method: str, authority: str, path: str, *headers: str) -> bytes:
    host, _, port = authority.partition(":")
    if scheme == "https":
        lines = [number, f"{host}:{port or 443} {host}", f"{method} {path} HTTP/1.1"]
    else:
        lines = [number, "", f"{method} http://{authority}{path} HTTP/1.1"]
    lines += [f"Host: {authority}", *headers]
    return "\n".join(line.replace("\n", "\x1e") for line in lines).encode("utf-8")
