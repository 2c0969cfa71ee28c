"""Plain requests within the rules, built from the input's bytes: each must be allowed, and go upstream unchanged."""
# ruff: noqa: S101 - an assertion that fails is the finding

from __future__ import annotations

import fragments
import mutation
import oracle
from documents import DOCUMENTS, SECRETS, TEXTS

from bottle_egress import table
from bottle_egress.judge import Allowed, Facts, judge

MUTATE = mutation.text(fragments.PATH)
MAX_LENGTH = 200
_TABLES = [table.parse(text, SECRETS) for text in TEXTS]
_SEGMENTS = (
    "a b.c v1 messages app.git info refs file.txt src%20dir a%26b a%3Fb a%40b a%3Ab %5Bid%5D x@y:z user~ ..a "
    "a.. a...b "
    ".well-known .git git-upload-pack a;v=1 (x) a,b a+b $batch 'x' x! a=b a*b - _ ~x main...dev v1.2.3 "
    "about-git-receive-pack"
).split()
_QUERIES = (
    "a=1 page=2 q=a%20b q=%C3%A9 q=%2Fetc%2F.. service=git-upload-pack q=git-receive-pack next_token=x page_token=x "
    "key=value a b[]=1 u=https://x.test/?y redirect=//x q=a;b sort=-x method=x pageToken=x code=x state=x id=token "
    "continuationToken=x max_tokens=9 author=x keyword=x tokens=1 signed=1"
).split()
_HEADERS = [
    (name.encode(), value.encode())
    for name, _, value in (
        line.partition(": ")
        for line in (
            "Accept: */*|Accept-Encoding: gzip|User-Agent: x/1.0 (y; z)|Content-Type: application/json|"
            "Content-Length: 0|"
            "If-None-Match: \"x\"|Range: bytes=0-1|Git-Protocol: version=2|Idempotency-Key: x|"
            "anthropic-version: 2023-06-01|"
            "OpenAI-Organization: x|Mcp-Session-Id: x|X-Request-Id: x|X-Stainless-Lang: js|traceparent: 00-x-y-01|"
            "Content-Type: application/x-git-upload-pack-request|Accept: application/x-git-upload-pack-result|"
            "Accept-Language: de|Origin: https://x.test|Referer: https://x.test/|Expect: 100-continue|Date: x|"
            "Content-Encoding: gzip|X-GitHub-Api-Version: 2022-11-28|Lock-Token: <x>|Depth: 1|If-Match: *|"
            "X-Amz-Date: x|X-Amz-Content-Sha256: x|x-ms-version: 2024-01-01|X-Continuation-Token: x|Keep: a\tb|"
            "Empty: |"
            "X-Utf: caf\u00e9|npm-command: install|Prefer: wait=5"
        ).split("|")
    )
]  # fmt: skip


class _Choices:
    """The input's bytes as a sequence of choices; after the last byte it is always the first choice."""

    def __init__(self, data: bytes) -> None:
        self._data = iter(data)

    def below(self, limit: int) -> int:
        return next(self._data, 0) % limit

    def of(self, options):
        return options[self.below(len(options))]

    def some(self, options, most: int) -> list:
        return [self.of(options) for _ in range(self.below(most + 1))]


def _host(choices: _Choices, host: str) -> str:
    host = choices.of((host, host, host.upper(), host.title(), host + "."))
    return host.replace("xn--bcher-kva", choices.of(("xn--bcher-kva", "b\u00fccher"))) if host.islower() else host


def _request(choices: _Choices) -> tuple[int, dict, oracle.Sent]:
    number = choices.below(len(DOCUMENTS))
    document = DOCUMENTS[number]
    free = {"port": 443, "methods": None, "paths": [], "client_auth": False, "websocket": False}
    entries = document["routes"] + [free | {"host": host} for host in document["allowlist"]]
    entry = choices.of(entries)
    # A name below a wildcard that no longer one or exact name covers.
    host = entry["host"].replace("*", choices.of(("zz", "a-b.q", "9", "x_y")))
    method = choices.of(entry["methods"] or ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"))
    prefix = choices.of(entry["paths"] or ("/",))
    segments = choices.some(_SEGMENTS, 4)
    if method in oracle.PUSHING_METHODS:
        segments = [segment for segment in segments if segment != "refs" and not segment.endswith(".git")]
    path = prefix if not segments else prefix + ("" if prefix.endswith("/") else "/") + "/".join(segments)
    path += choices.of(("", "/")) if not path.endswith("/") else ""
    query = "&".join(choices.some(_QUERIES, 3))
    target = path + choices.of(("?" + query if query else "", "?" + query))
    tls = choices.below(4) > 0
    port = entry["port"] if tls else 80
    written = choices.of(("", f":{port}")) if port in (80, 443) else f":{port}"
    headers = [(b"Host", (_host(choices, host) + written).encode()), *dict.fromkeys(choices.some(_HEADERS, 5))]
    authority = scheme = ""
    if not tls or choices.below(4) == 0:
        authority, scheme = _host(choices, host) + written, "https" if tls else "http"
    if tls and entry["websocket"] and method == "GET" and choices.below(3) == 0:
        headers += [(b"Upgrade", b"websocket"), (b"Connection", b"keep-alive, Upgrade"), (b"Sec-WebSocket-Key", b"x")]
    elif choices.below(3) == 0:
        headers.append((b"Connection", choices.of((b"close", b"keep-alive"))))
    sent = oracle.Sent(
        method.encode(), target.encode(), scheme.encode(), authority.encode(), b"HTTP/1.1", tuple(headers),
        (_host(choices, host), port) if tls else None, tls, _host(choices, host) if tls else None,
    )  # fmt: skip
    return number, entry, sent


def check(data: bytes) -> None:
    """Raises AssertionError with what was blocked or changed."""
    number, entry, sent = _request(_Choices(data))
    verdict = judge(_TABLES[number], Facts(**vars(sent)), SECRETS, lambda _: None)
    assert isinstance(verdict, Allowed), f"blocked ({verdict.rule}, {verdict.reason}): {sent}"
    assert verdict.target == sent.target, f"{sent.target!r} became {verdict.target!r}"
    went = [header for header in verdict.headers if header[0] != b"Host"]
    for header in sent.headers[1:]:
        assert header in went, f"{header} was taken out of {sent}"
    assert len(went) == len(sent.headers) - 1 + bool(entry.get("auth") and sent.tls), f"{went}"
    identity = verdict.identity
    gone = oracle.Gone(
        identity.host, identity.port, identity.tls, verdict.target, verdict.headers, verdict.websocket,
        verdict.grant and verdict.grant.id,
    )  # fmt: skip
    assert gone.grant == entry.get("grant", {}).get("id"), f"{gone.grant} is used for {sent}"
    wrong = oracle.complaint(DOCUMENTS[number], SECRETS, sent, gone)
    assert wrong is None, f"{wrong}: {sent}"


def seeds() -> list[bytes]:
    """Sequences of choices that reach every entry and every piece at least once."""
    return [bytes((a, b, c, d, 2, e, e + 1, 1, e, 0, b, 0, a, 3, e, e, e)) for a in range(3) for b in range(8)
            for c in range(2) for d in range(2) for e in range(0, 40, 7)]  # fmt: skip
