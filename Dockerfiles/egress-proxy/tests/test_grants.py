"""Grants: how a table with limits decides, and that the real proxy keeps the limits, judged by what the server saw."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from datetime import UTC, datetime

import cases
import pytest
from test_live import rule, until, websocket
from test_policy import facts, outcome, parsed
from world import answer, get

from bottle_egress import table
from bottle_egress.admission import Admission
from bottle_egress.grant_uses import EXPIRED, USED_UP, GrantUses
from bottle_egress.judge import judge
from bottle_egress.loading import Policy


def moment(seconds: float) -> str:
    """The time some seconds from now, to the second."""
    return datetime.fromtimestamp(int(time.time() + seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def limits(number: int, *, not_after: str | None = None, max_uses: int | None = None, **scope) -> dict:
    return {"id": f"dev/{number:04}", "not_after": not_after, "max_uses": max_uses} | scope


# The table and the decision

EXAMPLE = os.environ.get("EXAMPLE", "")
EXAMPLE_SECRETS = {"BOTTLE_CREDENTIAL_TOKEN_A": "a"}
API, HOOKS = "api.example.com", "hooks.example.net"
DECISIONS = [
    ("GET", API, "/repos/acme/x", (), "free"),
    ("POST", API, "/repos/acme/x", (), "dev/0002"),
    ("GET", API, "/search/x", (), "dev/0002"),
    ("DELETE", API, "/search/x", (), "path"),
    ("POST", API, "/other", (), "path"),
    ("POST", API, "/search/x", ("dev/0002",), EXPIRED),
    ("GET", API, "/repos/acme/x", ("dev/0002",), "free"),
    ("DELETE", API, "/repos/acme/x", ("dev/0002",), "method"),
    ("DELETE", "files.example.net", "/any", (), "dev/0001"),
    ("GET", "files.example.net", "/any", ("dev/0001",), EXPIRED),
    ("POST", HOOKS, "/in/x", (), "dev/0003"),
    ("POST", HOOKS, "/out", (), "path"),
    ("GET", HOOKS, "/in/x", (), "method"),
    ("GET", "docs.example.com", "/", ("dev/0001", "dev/0002", "dev/0003"), "free"),
    ("GET", "raw.example.org", "/", ("dev/0001", "dev/0002", "dev/0003"), "free"),
    ("POST", API, "/search/../x", (), "path"),
    ("POST", HOOKS, "/in/x.git/git-receive-pack", (), "git-push"),
]


def decided(read: table.Table, method: str, host: str, path: str, over: tuple[str, ...] = ()) -> str:
    """The rule of the refusal, the id of the grant that is needed, or `free`."""
    verdict = judge(
        read,
        facts(method, host, path),
        EXAMPLE_SECRETS,
        lambda grant: EXPIRED if grant.id in over else None,
    )
    return (verdict.grant.id if verdict.grant else "free") if outcome(verdict) == "allow" else verdict.rule


@pytest.mark.parametrize(("method", "host", "path", "over", "expected"), DECISIONS)
def test_the_example_of_the_documents_is_read_and_decides(method, host, path, over, expected):
    read = table.parse(EXAMPLE.encode(), EXAMPLE_SECRETS)
    assert decided(read, method, host, path, over) == expected


def test_the_grants_of_the_example_are_those_that_it_names():
    found = set(table.parse(EXAMPLE.encode(), EXAMPLE_SECRETS).grants())
    until_five, until_six = (int(datetime(2026, 11, 24, hour, tzinfo=UTC).timestamp()) for hour in (5, 6))
    assert found == {
        table.Grant("dev/0001", until_five, None),
        table.Grant("dev/0002", None, 1),
        table.Grant("dev/0003", until_six, 5),
    }


def test_the_first_member_that_holds_and_matches_is_used():
    scope = {"methods": None, "paths": []}
    route = cases.route(
        methods=["GET"],
        grant=limits(1, max_uses=1),
        grants=[limits(2, max_uses=1, methods=["GET"], paths=["/a"]), limits(3, max_uses=1, **scope)],
    )
    read = parsed(cases.document(route))
    assert decided(read, "GET", API, "/a") == "dev/0001"
    assert decided(read, "GET", API, "/a", ("dev/0001",)) == "dev/0002"
    assert decided(read, "GET", API, "/b", ("dev/0001",)) == "dev/0003"
    assert decided(read, "PUT", API, "/a") == "dev/0003"
    assert decided(read, "GET", API, "/a", ("dev/0001", "dev/0002", "dev/0003")) == EXPIRED


def test_methods_of_one_member_are_not_joined_with_paths_of_another():
    grants = [
        limits(1, max_uses=1, methods=["PUT"], paths=["/a"]),
        limits(2, max_uses=1, methods=["GET"], paths=["/b"]),
    ]
    read = parsed(cases.document(cases.route(methods=["GET"], paths=["/c"], grants=grants)))
    asked = [("PUT", "/a"), ("GET", "/b"), ("GET", "/c"), ("PUT", "/b"), ("PUT", "/c"), ("GET", "/a")]
    expected = ["dev/0001", "dev/0002", "free", "path", "method", "path"]
    assert [decided(read, method, API, path) for method, path in asked] == expected


def test_the_second_target_of_a_request_stays_in_the_scope_of_its_first():
    grants = [limits(1, max_uses=1, methods=["MOVE"], paths=["/a"])]
    read = parsed(cases.document(cases.route(paths=["/c"], methods=["MOVE"], grants=grants)))
    for path, second, expected in [("/a/x", "/a/y", "allow"), ("/a/x", "/c/y", "path"), ("/c/x", "/a/y", "path")]:
        sent = facts("MOVE", API, path, [(b"Destination", second.encode())])
        assert outcome(judge(read, sent, {}, lambda _: None)) == expected


def test_without_a_count_nothing_limited_passes():
    read = parsed(cases.document(cases.route(grant=limits(1, max_uses=1))))
    assert outcome(judge(read, facts(), {})) == "grant-uncounted"


def test_a_broken_count_closes_what_is_limited_and_nothing_else(tmp_path):
    (tmp_path / "grants.json").write_text("{")
    policy = Policy(tmp_path / "routes.yaml", {})
    policy.table = parsed(cases.document(cases.route(grant=limits(1, max_uses=1)), allowlist=["any.example"]))
    admission = Admission(policy, GrantUses(tmp_path / "grants.json"), None, lambda _: None)
    admission.grant_uses.name(policy.table.grants())
    assert outcome(admission.admit("a", 1, facts())) == "grant-uncounted"
    assert outcome(admission.admit("a", 2, facts(host="any.example"))) == "allow"


def test_a_request_under_way_goes_on_by_the_grant_that_it_used_only(tmp_path):
    now = [0.0]
    policy = Policy(tmp_path / "routes.yaml", {})
    admission = Admission(policy, GrantUses(tmp_path / "grants.json", lambda: now[0]), None, lambda _: None)

    def load(*grants, **changes):
        policy.table = parsed(cases.document(cases.route(methods=["HEAD"], grants=list(grants), **changes)))
        admission.grant_uses.name(policy.table.grants())

    scope = {"methods": None, "paths": []}
    once = limits(1, max_uses=1, not_after="1970-01-01T00:10:00Z", **scope)
    load(once)
    assert outcome(admission.admit("a", 1, facts())) == "allow"
    assert admission.no_longer_allowed() == [], "a grant that is used up has let this one through"
    load(once, websocket=True)
    assert admission.no_longer_allowed() == []
    load(limits(2, max_uses=1, **scope))
    assert admission.no_longer_allowed() == ["a"], "another grant was not used by it"
    load(once)
    now[0] = 600
    assert admission.no_longer_allowed() == ["a"]
    policy.table = parsed(cases.document(cases.route()))
    assert admission.no_longer_allowed() == [], "the entry lets it through without limits by now"


# The real proxy


def granted(*grants, allowlist=("any.example",), **entry):
    """A table where one host has limits, on the whole entry or beside `HEAD`."""
    beside = {"methods": ["HEAD"], "grants": list(grants)} if grants else {}
    return cases.document(cases.route(**beside, **entry), allowlist=list(allowlist))


ANY = {"methods": None, "paths": []}


def arrived(firewall) -> list[str]:
    """The requests that reached a server."""
    return [line for line in firewall.seen if not line.startswith("CONNECT ")]


@pytest.mark.parametrize("uses", [1, 7])
def test_of_100_requests_at_once_the_server_sees_as_many_as_were_granted(start, firewall, uses):
    proxy = start(firewall.address, granted(limits(1, max_uses=uses, **ANY)))
    tunnels = [proxy.tunnel(API) for _ in range(100)]
    together, statuses = threading.Barrier(100), []

    def ask(tunnel, number):
        together.wait()
        statuses.append(answer(tunnel, get(f"/{number}")).status)

    threads = [threading.Thread(target=ask, args=(tunnel, number)) for number, tunnel in enumerate(tunnels)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] * uses + [403] * (100 - uses)
    assert len(arrived(firewall)) == uses
    refused = proxy.refusals()
    assert {(line["rule"], line["host"], line["port"]) for line in refused} == {(USED_UP, API, 443)}
    assert len(refused) == 100 - uses


def test_what_passes_without_limits_uses_nothing(start, firewall):
    proxy = start(firewall.address, granted(limits(1, max_uses=1, **ANY)))
    tunnel = proxy.tunnel(API)
    assert [answer(tunnel, get(method="HEAD"), "HEAD").status for _ in range(3)] == [200] * 3
    assert not (proxy.folder / "grants.json").exists()
    assert [answer(tunnel, get()).status for _ in range(2)] == [200, 403]
    assert json.loads((proxy.folder / "grants.json").read_text())["uses"] == {"dev/0001": 1}


def test_a_refusal_by_a_grant_names_its_rule_and_the_tool(start, firewall):
    document = granted(limits(1, not_after=moment(-5), **ANY))
    proxy = start(firewall.address, document)
    response = proxy.send(get())
    body = json.loads(response.content)
    assert (response.status, body["rule"], body["tool"]) == (403, EXPIRED, "egress-proxy-block")
    assert firewall.seen == []


def test_pipelined_requests_count_one_by_one(start, firewall):
    proxy = start(firewall.address, granted(limits(1, max_uses=2, **ANY)))
    tunnel = proxy.tunnel(API)
    tunnel.sendall("".join(get(f"/{number}") for number in range(5)).encode())
    assert [answer(tunnel, "").status for _ in range(5)] == [200, 200, 403, 403, 403]
    assert arrived(firewall) == ["GET /0 HTTP/1.1", "GET /1 HTTP/1.1"]


def test_plain_and_encrypted_requests_share_the_count_and_so_do_all_entries_of_an_id(start, firewall):
    grant = limits(1, max_uses=2)
    document = cases.document(cases.route(grant=grant), cases.route(host="any.example", grant=grant))
    proxy = start(firewall.address, document)
    assert answer(proxy.connect(), get("http://api.example.com/")).status == 200
    assert proxy.send(get(host="any.example"), host="any.example").status == 200
    assert rule(proxy.send(get())) == USED_UP
    assert len(arrived(firewall)) == 2


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_use_outlives_the_proxy_however_it_ends(start, firewall, end):
    document = granted(limits(1, max_uses=2, **ANY))
    first = start(firewall.address, document)
    assert first.send(get()).status == 200
    first.process.send_signal(end)
    first.process.wait()
    second = start(firewall.address, document, before=first)
    assert [second.send(get()).status for _ in range(2)] == [200, 403]
    assert len(arrived(firewall)) == 2


def test_a_request_that_was_counted_and_not_answered_stays_counted(start, firewall):
    proxy = start(firewall.address, granted(limits(1, max_uses=1, **ANY)))
    firewall.tunnel_answer = b"HTTP/1.1 503 Busy\r\n\r\n"
    assert proxy.send(get()).status == 503
    firewall.tunnel_answer = b"HTTP/1.1 200 OK\r\n\r\n"
    assert rule(proxy.send(get())) == USED_UP
    assert arrived(firewall) == []


def test_a_client_that_leaves_before_its_upload_is_whole_has_used_it(start, firewall):
    proxy = start(firewall.address, granted(limits(1, max_uses=1, **ANY)))
    tunnel = proxy.tunnel(API)
    tunnel.sendall(get(method="POST", extra="Content-Length: 1000\r\nExpect: 100-continue\r\n").encode())
    assert tunnel.recv(4096).startswith(b"HTTP/1.1 100")
    tunnel.close()
    assert rule(proxy.send(get())) == USED_UP
    assert len(arrived(firewall)) <= 1


def test_a_request_that_is_refused_for_its_form_uses_nothing(start, firewall):
    proxy = start(firewall.address, granted(limits(1, max_uses=1, **ANY)))
    for bad in (
        get("/a/../b"),
        get(method="TRACE"),
        get(extra="Host: any.example\r\n"),
        get(extra="Upgrade: h2c\r\nConnection: Upgrade\r\n"),
        websocket(API),
        get("/a?service=git-receive-pack"),
        get(method="POST", extra="Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
        get(method="POST", extra="Transfer-Encoding: gzip\r\n"),
    ):
        assert proxy.send(bad).status >= 400
    assert proxy.send(get()).status == 200
    assert len(arrived(firewall)) == 1


def test_a_request_on_a_connection_that_the_server_closes_is_not_sent_twice(start, firewall):
    proxy = start(firewall.address, granted(limits(1, max_uses=1, **ANY), limits(2, max_uses=1, **ANY)))
    tunnel = proxy.tunnel(API)
    assert answer(tunnel, get("/first")).status == 200

    def leave(connection, _):
        raise ConnectionError

    firewall.scripts["/second"] = leave
    assert answer(tunnel, get("/second")).status == 502
    assert arrived(firewall) == ["GET /first HTTP/1.1", "GET /second HTTP/1.1"]


def test_a_table_that_drops_a_grant_and_brings_it_back_gives_no_use_back(start, firewall):
    document = granted(limits(1, max_uses=1, **ANY))
    proxy = start(firewall.address, document)
    assert proxy.send(get()).status == 200
    for other in (granted(limits(2, max_uses=1, **ANY)), cases.document(), document):
        assert proxy.reload(other).endswith("/ok")
    assert rule(proxy.send(get())) == USED_UP


def test_a_bad_table_keeps_the_grants_that_were_in_force(start, firewall):
    proxy = start(firewall.address, granted(limits(1, max_uses=2, **ANY)))
    assert proxy.send(get()).status == 200
    assert "/bad-grant/" in proxy.reload(granted(limits(1, **ANY)))
    assert [proxy.send(get()).status for _ in range(2)] == [200, 403]


def test_a_count_that_cannot_be_written_lets_nothing_limited_through_and_all_else(start, firewall):
    proxy = start(firewall.address, granted(limits(1, max_uses=1, **ANY)))
    (proxy.folder / "grants.json.new").mkdir()
    assert rule(proxy.send(get())) == "grant-uncounted"
    assert proxy.send(get(host="any.example"), host="any.example").status == 200
    assert "can't be written" in proxy.errors()
    (proxy.folder / "grants.json.new").rmdir()
    assert proxy.send(get()).status == 200
    assert arrived(firewall) == ["GET /ok/x HTTP/1.1", "GET /ok/x HTTP/1.1"]


def careless(proxy, number: int) -> None:
    """A client that sends a request in one of several ways and doesn't wait for the whole answer."""
    ways = [
        get(f"/{number}"),
        get(f"/{number}") * 3,
        get(f"/{number}", extra="Connection: close\r\n"),
        get(f"/{number}", method="POST", extra="Content-Length: 100000\r\n") + "x",
        get(f"/{number}", method="POST", extra="Expect: 100-continue\r\nContent-Length: 5\r\n") + "hello",
        get(f"/{number}", method="POST", extra="Transfer-Encoding: chunked\r\n") + "5\r\nhello\r\nZ",
        get(f"/{number}", method="POST", extra="Content-Length: 5\r\n") + "hello" + get("/behind"),
        websocket(API),
        get("/events"),
    ]
    with contextlib.suppress(OSError):
        plain = number % 5 == 0
        connection = proxy.connect() if plain else proxy.tunnel(API)
        request = ways[number % len(ways)]
        connection.sendall((request.replace(" /", f" http://{API}/") if plain else request).encode())
        connection.settimeout(1)
        if number % 3:
            connection.recv(4096)
        connection.close()


def crowd(proxy, size: int = 90) -> list[threading.Thread]:
    threads = [threading.Thread(target=careless, args=(proxy, number)) for number in range(size)]
    for thread in threads:
        thread.start()
    return threads


def test_whatever_clients_do_no_more_arrives_than_was_granted(start, firewall):
    document = cases.document(cases.route(websocket=True, grant=limits(1, max_uses=40)))
    proxy = start(firewall.address, document)
    for thread in crowd(proxy):
        thread.join()
    used = json.loads((proxy.folder / "grants.json").read_text())["uses"]["dev/0001"]
    assert 0 < len(arrived(firewall)) <= used <= 40


@pytest.mark.parametrize("seconds", [0.02, 0.05, 0.1, 0.2])
def test_killed_at_any_moment_and_started_again_no_more_arrives_than_was_granted(start, firewall, seconds):
    document = cases.document(cases.route(websocket=True, grant=limits(1, max_uses=20)))
    first = start(firewall.address, document)
    threads = crowd(first)
    time.sleep(seconds)
    first.process.kill()
    first.process.wait()
    for thread in threads:
        thread.join()
    second = start(firewall.address, document, before=first)
    for thread in crowd(second):
        thread.join()
    assert rule(second.send(get())) == USED_UP
    assert len(arrived(firewall)) <= 20


# Requests under way when their grant expires


def drained(connection) -> bytes:
    """All bytes until the connection ends."""
    received = b""
    try:
        while data := connection.recv(65536):
            received += data
    except OSError as error:
        assert not isinstance(error, TimeoutError), "it was not cut"
    return received


def test_a_stream_is_cut_when_its_grant_ends_and_another_goes_on(start, firewall):
    end = moment(3)
    proxy = start(firewall.address, granted(limits(1, not_after=end, **ANY)))
    limited, free = proxy.tunnel(API), proxy.tunnel("any.example")
    limited.sendall(get("/events").encode())
    free.sendall(get("/events", "any.example").encode())
    assert b"data: 0" in limited.recv(4096) + limited.recv(4096) + limited.recv(4096)
    drained(limited)
    assert moment(0) >= end
    assert until(lambda: firewall.open_tunnels == 1)
    before = free.recv(65536)
    assert before and free.recv(65536)
    assert rule(proxy.send(get())) == EXPIRED


def test_a_websocket_is_cut_when_its_grant_ends(start, firewall):
    end = moment(3)
    proxy = start(firewall.address, cases.document(cases.route(websocket=True, grant=limits(1, not_after=end))))
    tunnel = proxy.tunnel(API)
    tunnel.sendall(websocket(API).encode())
    assert tunnel.recv(4096).startswith(b"HTTP/1.1 101")
    drained(tunnel)
    assert moment(0) >= end
    assert until(lambda: firewall.open_tunnels == 0)


def test_an_upload_is_cut_when_its_grant_ends(start, firewall):
    proxy = start(firewall.address, granted(limits(1, not_after=moment(3), **ANY)))
    tunnel = proxy.tunnel(API)
    tunnel.sendall(get(method="POST", extra="Content-Length: 1000000\r\n").encode() + b"x")
    assert until(lambda: len(arrived(firewall)) == 1)
    assert drained(tunnel) == b""
    assert until(lambda: firewall.open_tunnels == 0)
    assert firewall.requests[0]["body"] in (b"", b"x")


def test_a_request_whose_connection_takes_longer_than_its_grant_never_leaves(start, firewall):
    opened, release = threading.Event(), threading.Event()
    told = []

    def stall(connection):
        opened.set()
        release.wait(10)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        told.append(connection.recv(4096))

    firewall.tunnel_answer = stall
    proxy = start(firewall.address, granted(limits(1, not_after=moment(3), **ANY)))
    tunnel = proxy.tunnel(API)
    tunnel.sendall(get().encode())
    assert opened.wait(5)
    assert drained(tunnel) == b""
    release.set()
    assert until(lambda: told or firewall.seen) and b"\x16" not in b"".join(told)
    assert arrived(firewall) == []


def test_a_grant_that_is_used_up_does_not_cut_what_used_it(start, firewall):
    document = granted(limits(1, max_uses=1, **ANY))
    proxy = start(firewall.address, document)
    tunnel = proxy.tunnel(API)
    tunnel.sendall(get("/events").encode())
    assert rule(proxy.send(get())) == USED_UP
    assert proxy.reload(document).endswith("/ok")
    received = b""
    while b"data: 3\n" not in received:
        data = tunnel.recv(4096)
        assert data
        received += data
    # When the grant is withdrawn, the request is cut.
    assert proxy.reload(cases.document(allowlist=["any.example"])).endswith("/ok")
    drained(tunnel)
    assert until(lambda: firewall.open_tunnels == 0)
