"""The pure core against the case tables, and properties over generated input."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from itertools import batched
from urllib.parse import urlsplit

import cases
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bottle_egress import credentials, names, paths, refusal, table
from bottle_egress.admission import MAX_IDENTITIES, Admission
from bottle_egress.grant_uses import GrantUses
from bottle_egress.judge import (
    MAX_FIELDS,
    MAX_PARAMETERS,
    Allowed,
    Facts,
    Identity,
    Refused,
    judge,
    judge_connect,
    names_identity,
)
from bottle_egress.loading import Generation, Policy, confirm, generation_hash
from bottle_egress.push import is_push

PATHS, HOSTS, HEADERS, TABLES = (cases.load(name) for name in ("paths", "hosts", "headers", "table"))
REQUESTS = cases.load("requests")
PROPOSALS = cases.load("proposals")


def parsed(document) -> table.Table:
    return table.parse(json.dumps(document).encode(), cases.SECRETS)


def facts(method="GET", host="api.example.com", target="/", headers=(), **changes) -> Facts:
    """A valid request inside a tunnel, with changes."""
    fields = {
        "method": method.encode("latin-1"),
        "target": target.encode("latin-1"),
        "scheme": b"",
        "authority": b"",
        "version": b"HTTP/1.1",
        "headers": ((b"Host", host.encode()), *headers),
        "tunnel": (host, 443),
        "tls": True,
        "sni": host,
    }
    return Facts(**fields | changes)


def outcome(verdict) -> str:
    return "allow" if isinstance(verdict, Allowed | Identity) else verdict.rule


# Names


@pytest.mark.parametrize(("text", "expected"), HOSTS["canonical"])
def test_every_spelling_of_a_host_becomes_one_canonical_name(text, expected):
    if expected is None:
        with pytest.raises(names.BadName):
            names.canonical_host(text)
    else:
        assert names.canonical_host(text) == expected


def test_a_name_that_is_too_long_costs_next_to_nothing():
    """The encoder would take a tenth of a second for this name, and the proxy would do nothing else meanwhile."""
    letters = "".join(chr(0x4E00 + 7 * index) for index in range(1000))
    end = time.monotonic() + 15
    for _ in range(500):
        with pytest.raises(names.BadName):
            names.canonical_host(letters)
    assert time.monotonic() < end


@pytest.mark.parametrize(("raw", "default", "host", "port"), HOSTS["authorities"])
def test_an_authority_is_a_host_and_a_port_or_refused(raw, default, host, port):
    if host is None:
        with pytest.raises(names.BadName):
            names.canonical_authority(raw.encode(), default)
    else:
        assert names.canonical_authority(raw.encode(), default) == (host, port)


@pytest.mark.parametrize(("text", "good"), HOSTS["patterns"])
def test_a_table_holds_only_canonical_host_patterns(text, good):
    assert names.is_host_pattern(str(text)) is good


@pytest.mark.parametrize(("host", "expected"), HOSTS["found"])
def test_exact_wins_over_wildcard_and_the_longest_wildcard_wins(host, expected):
    listed = "api.example.com a.b.example.org *.example.com *.b.example.com *.b.example.org".split()
    found = parsed(cases.document(*(cases.route(host=host) for host in listed))).route(host)
    assert (found.host if found else None) == expected


@given(st.text(max_size=80))
def test_a_canonical_host_is_canonical_again(text):
    try:
        host = names.canonical_host(text)
    except names.BadName:
        return
    assert names.canonical_host(host) == host
    assert host.isascii()
    assert host == host.lower()


# Paths


@pytest.mark.parametrize("path", PATHS["clear"])
def test_a_path_with_one_reading_is_clear(path):
    assert paths.ambiguity(path) is None


@pytest.mark.parametrize(("path", "word"), PATHS["ambiguous"])
def test_a_path_with_two_readings_is_refused_with_its_reason(path, word):
    assert word in (paths.ambiguity(path) or "clear")


@pytest.mark.parametrize(("prefix", "path", "below"), PATHS["prefixes"])
def test_prefixes_end_on_segment_boundaries(prefix, path, below):
    assert paths.is_below(path, [prefix]) is below
    assert paths.is_below(path, ["/elsewhere/", prefix]) is below


@given(st.text(alphabet="/.%;\\ab2eEfF5c0", max_size=24))
def test_a_clear_path_stays_below_its_prefix_however_often_it_is_decoded_and_resolved(rest):
    import posixpath
    from urllib.parse import unquote

    path = "/repos/acme/" + rest
    if paths.ambiguity(path) is not None:
        return
    seen = path
    for _ in range(4):
        seen = unquote(seen)
        assert (posixpath.normpath(seen.replace("\\", "/").replace(";", "/")) + "/").startswith("/repos/acme/")


# Pushes, credentials


PUSHES = [(row[2], "GET", *row[:2]) for row in cases.load("push")["smart"]]
PUSHES += [(expected, method, target, "") for method, target, expected in cases.load("push")["dumb"]]


@pytest.mark.parametrize(("expected", "method", "target", "kind"), PUSHES)
def test_a_push_is_seen_in_any_spelling(expected, method, target, kind):
    path, _, query = target.partition("?")
    path, query = (text.encode("utf-8").decode("latin-1") for text in (path, query))
    assert is_push(method, path, query, [kind]) is expected


@pytest.mark.parametrize("header", ["Content-Type", "Accept", "content_type"])
def test_a_push_is_seen_by_the_kind_of_its_body(header):
    sent = [(header.encode(), b"application/x-git-receive-pack-request")]
    case = facts("POST", host="any.example", target="/x", headers=sent)
    assert outcome(judge(parsed(REQUESTS["table"]), case, cases.SECRETS)) == "git-push"


@pytest.mark.parametrize("name", HEADERS["credentials"])
def test_a_credential_header_is_known(name):
    assert credentials.is_credential_header(name.encode())


@pytest.mark.parametrize("name", HEADERS["overrides"])
def test_an_override_header_is_known(name):
    assert credentials.is_override_header(name.encode())


@pytest.mark.parametrize("name", HEADERS["acting"])
def test_a_header_that_acts_for_another_is_known(name):
    assert credentials.is_acting_header(name.encode())


@pytest.mark.parametrize("client_auth", [False, True])
@pytest.mark.parametrize("auth", [None, {"header": "Private-Token", "scheme": None, "slot": "BOTTLE_CREDENTIAL_X"}])
def test_a_client_does_not_act_for_another_user_by_the_credential_of_a_route(client_auth, auth):
    document = cases.document(cases.route(host="api.example.com", auth=auth, client_auth=client_auth))
    sent = facts(target="/x?sudo=root", headers=[(b"Sudo", b"root"), (b"Impersonate-User", b"root")])
    verdict = judge(parsed(document), sent, cases.SECRETS)
    goes = client_auth and auth is None
    assert verdict.target == (sent.target if goes else b"/x")
    assert (verdict.headers == sent.headers) == goes
    assert b"root" not in b"".join(value for _, value in verdict.headers) or goes


@pytest.mark.parametrize("name", HEADERS["kept"])
def test_an_ordinary_header_is_left_alone(name):
    assert not credentials.is_credential_header(name.encode())
    assert not credentials.is_acting_header(name.encode())
    assert not credentials.is_override_header(name.encode())


@pytest.mark.parametrize(("query", "without", "with_client_auth"), HEADERS["queries"])
def test_credentials_and_overrides_leave_the_query(query, without, with_client_auth):
    for reads in (False, True):
        for kept, expected in ((False, without), (True, with_client_auth)):
            options = {"keep_credentials": kept, "keep_acting": kept, "reads": reads}
            assert credentials.stripped_query(query, **options) == expected


@pytest.mark.parametrize(("query", "reading", "writing"), HEADERS["signed"])
def test_a_signed_link_may_read_and_not_write(query, reading, writing):
    for kept, reads, expected in ((False, True, reading), (False, False, writing), (True, False, query)):
        assert credentials.stripped_query(query, keep_credentials=kept, keep_acting=kept, reads=reads) == expected


@pytest.mark.parametrize(("more", "expected"), [(0, "allow"), (1, "malformed")])
def test_the_number_of_header_fields_is_bounded(more, expected):
    case = facts(host="any.example", headers=[(b"X-A", b"")] * (MAX_FIELDS - 1 + more))
    assert outcome(judge(parsed(REQUESTS["table"]), case, cases.SECRETS)) == expected
    connect = replace(case, method=b"CONNECT", authority=b"any.example:443", tunnel=None)
    assert outcome(judge_connect(parsed(REQUESTS["table"]), connect)) == expected


@pytest.mark.parametrize(("parameters", "expected"), [(MAX_PARAMETERS, "allow"), (MAX_PARAMETERS + 1, "path")])
@pytest.mark.parametrize("mark", "&;")
def test_the_number_of_parameters_is_bounded(parameters, expected, mark):
    case = facts(host="any.example", target="/?" + mark.join(["a=1"] * parameters))
    assert outcome(judge(parsed(REQUESTS["table"]), case, cases.SECRETS)) == expected


def test_a_connection_that_asks_for_ever_other_names_is_remembered_within_bounds(tmp_path):
    policy = Policy(tmp_path / "routes.yaml", cases.SECRETS)
    policy.table = parsed(REQUESTS["table"])
    admission = Admission(policy, GrantUses(tmp_path / "grants.json"), None, lambda line: None)
    addresses = [(f"n{number}.list.example", 443) for number in range(10 * MAX_IDENTITIES)]
    for stream, (host, _) in enumerate(addresses):
        assert outcome(admission.admit("client", stream, facts(host=host))) == "allow"
        assert admission.may_connect("client", (host, 443))
        admission.finished("client", stream)
    assert sum(admission.may_connect("client", address) for address in addresses) == MAX_IDENTITIES
    policy.table = parsed(cases.document())
    assert admission.no_longer_allowed() == ["client"]


def test_chunked_goes_up_in_lower_case():
    sent = facts("POST", host="any.example", headers=[(b"Transfer-Encoding", b"CHUNKED")])
    verdict = judge(parsed(REQUESTS["table"]), sent, cases.SECRETS)
    assert verdict.headers == ((b"Host", b"any.example"), (b"Transfer-Encoding", b"chunked"))


@pytest.mark.parametrize(("header", "sent", "upstream"), HEADERS["values"])
def test_a_header_that_is_partly_dangerous_keeps_its_rest(header, sent, upstream):
    raw = [(header.encode(), sent.encode())]
    verdict = judge(parsed(REQUESTS["table"]), facts(host="any.example", headers=raw), cases.SECRETS)
    assert [value.decode() for name, value in verdict.headers if name != b"Host"] == ([upstream] if upstream else [])


# Tables


@pytest.mark.parametrize("case", TABLES["refused"], ids=str)
def test_a_bad_table_is_refused_with_its_reason(case):
    auth = {"header": "Authorization", "scheme": "token", "slot": "BOTTLE_CREDENTIAL_X"}
    document = cases.document(cases.route(auth=auth) | case.get("route", {})) | case.get("top", {})
    document.pop(case.get("without"), None)
    with pytest.raises(table.TableRefused) as caught:
        parsed(document)
    assert caught.value.code == case["code"]


@pytest.mark.parametrize("case", PROPOSALS["routes"], ids=str)
def test_what_a_proposal_takes_the_table_takes(case):
    assert case["table"] or not case["proposal"], "an approval that could not come into force"
    document = cases.document(
        cases.route(host=case["host"], methods=case.get("methods"), paths=case.get("paths", []))
    )
    if case["table"]:
        assert [*parsed(document).exact] == [case["host"]]
    else:
        with pytest.raises(table.TableRefused):
            parsed(document)


@pytest.mark.parametrize(("text", "code"), TABLES["texts"])
def test_a_text_that_is_no_table_is_refused(text, code):
    with pytest.raises(table.TableRefused) as caught:
        table.parse(text.encode(), {})
    assert caught.value.code == code


@pytest.mark.parametrize("key", ["host", "port", "methods", "paths", "auth", "client_auth", "websocket"])
def test_every_key_of_a_route_must_be_there(key):
    item = cases.route()
    del item[key]
    with pytest.raises(table.TableRefused) as caught:
        parsed(cases.document(item))
    assert caught.value.code == "missing-key"


def test_bytes_that_are_not_utf8_too_many_bytes_and_deep_nesting_are_refused():
    for content, code in (
        (b"\xff\xfe", "not-json"),
        (b" " * (1 << 20) + b"{}", "too-large"),
        (b"[" * 9000, "not-json"),
    ):
        with pytest.raises(table.TableRefused) as caught:
            table.parse(content, {})
        assert caught.value.code == code


def test_two_routes_for_one_host_are_refused_and_a_route_wins_over_the_allowlist():
    with pytest.raises(table.TableRefused) as caught:
        parsed(cases.document(cases.route(), cases.route()))
    assert caught.value.code == "duplicate-host"
    both = parsed(cases.document(cases.route(methods=["GET"]), allowlist=["api.example.com"]))
    assert both.route("api.example.com").methods == {"GET"}


# Decisions


@pytest.mark.parametrize(("method", "url", "expected"), REQUESTS["cases"])
def test_a_request_is_decided_by_the_table(method, url, expected):
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    host, _, port = authority.partition(":")
    if scheme == "https":
        case = facts(method, target=slash + path, headers=(), tunnel=(host, int(port or 443)), sni=host)
    else:
        case = facts(method, target=slash + path, tunnel=None, tls=False, sni=None)
        case = Facts(**vars(case) | {"scheme": b"http", "authority": authority.encode()})
    case = Facts(**vars(case) | {"headers": ((b"Host", authority.encode()),)})
    assert outcome(judge(parsed(REQUESTS["table"]), case, cases.SECRETS)) == expected


HOST = (b"Host", b"api.example.com")
IDENTITIES = [
    ("all names equal", {}, "allow"),
    ("case and dot differ", {"tunnel": ("API.example.com.", 443), "sni": "api.EXAMPLE.com"}, "allow"),
    ("absolute form that is equal", {"scheme": b"https", "authority": b"api.example.com:443"}, "allow"),
    ("no server name", {"sni": None}, "identity"),
    ("another server name", {"sni": "other.example.com"}, "identity"),
    ("server name is an address", {"sni": "192.0.2.1"}, "identity"),
    ("another host in the target", {"scheme": b"https", "authority": b"other.example.com"}, "identity"),
    ("another port in the target", {"scheme": b"https", "authority": b"api.example.com:80"}, "identity"),
    ("plain scheme in a tunnel", {"scheme": b"http", "authority": b"api.example.com"}, "identity"),
    ("user in the target", {"scheme": b"https", "authority": b"me@api.example.com"}, "identity"),
    ("no Host", {"headers": ()}, "identity"),
    ("two Hosts", {"headers": ((b"Host", b"api.example.com"), (b"host", b"api.example.com"))}, "identity"),
    ("another Host", {"headers": ((b"Host", b"other.example.com"),)}, "identity"),
    ("another port in Host", {"headers": ((b"Host", b"api.example.com:444"),)}, "identity"),
    ("list in Host", {"headers": ((b"Host", b"api.example.com, other.example.com"),)}, "identity"),
    ("Host that is no text", {"headers": ((b"Host", b"\xff"),)}, "identity"),
    ("no TLS in the tunnel", {"tls": False}, "tls"),
    (
        "https target without a tunnel",
        {"tunnel": None, "scheme": b"https", "authority": b"api.example.com"},
        "identity",
    ),
    ("origin form without a tunnel", {"tunnel": None}, "identity"),
    ("HTTP/2", {"version": b"HTTP/2.0"}, "version"),
    ("bare CR in a value", {"headers": ((b"Host", b"api.example.com"), (b"X", b"a\rb"))}, "header"),
    ("folded value", {"headers": ((b"Host", b"api.example.com"), (b"X", b"a\r\n b"))}, "header"),
    ("NUL in a value", {"headers": ((b"Host", b"api.example.com"), (b"X", b"\0"))}, "header"),
    ("two lengths", {"headers": (HOST, (b"Content-Length", b"1"), (b"content-length", b"1"))}, "header"),
    ("length and coding", {"headers": (HOST, (b"Content-Length", b"1"), (b"Transfer-Encoding", b"chunked"))}, "header"),
    ("list of lengths", {"headers": (HOST, (b"Content-Length", b"1, 1"))}, "header"),
    ("signed length", {"headers": (HOST, (b"Content-Length", b"+1"))}, "header"),
    ("negative length", {"headers": (HOST, (b"Content-Length", b"-1"))}, "header"),
    ("hexadecimal length", {"headers": (HOST, (b"Content-Length", b"0x1"))}, "header"),
    ("empty length", {"headers": (HOST, (b"Content-Length", b""))}, "header"),
    ("length over 64 bits", {"headers": (HOST, (b"Content-Length", b"18446744073709551621"))}, "header"),
    ("a length", {"headers": (HOST, (b"Content-Length", b"107374182400"))}, "allow"),
    ("two codings", {"headers": (HOST, (b"Transfer-Encoding", b"gzip, chunked"))}, "header"),
    ("coding on two lines", {"headers": (HOST, *[(b"Transfer-Encoding", b"chunked")] * 2)}, "header"),
    ("identity", {"headers": (HOST, (b"Transfer-Encoding", b"identity"))}, "header"),
    ("coding with a parameter", {"headers": (HOST, (b"Transfer-Encoding", b"chunked;q=1"))}, "header"),
    ("quoted coding", {"headers": (HOST, (b"Transfer-Encoding", b'"chunked"'))}, "header"),
    ("blank after the coding", {"headers": (HOST, (b"Transfer-Encoding", b"chunked "))}, "header"),
    ("chunked in HTTP/1.0", {"version": b"HTTP/1.0", "headers": (HOST, (b"Transfer-Encoding", b"chunked"))}, "header"),
    ("chunked", {"headers": (HOST, (b"Transfer-Encoding", b"chunked"))}, "allow"),
    ("chunked in odd case", {"headers": (HOST, (b"transfer-encoding", b"CHUNKED"))}, "allow"),
    ("blank in a name", {"headers": ((b"Host", b"api.example.com"), (b"X Y", b"a"))}, "header"),
    ("line feed in a name", {"headers": ((b"Host", b"api.example.com"), (b"X\nY", b"a"))}, "header"),
    ("no name", {"headers": ((b"Host", b"api.example.com"), (b"", b"a"))}, "header"),
    ("blank before the colon", {"headers": ((b"Host ", b"api.example.com"),)}, "header"),
    ("framing with a dot", {"headers": ((b"Host", b"api.example.com"), (b"Transfer.Encoding", b"x"))}, "header"),
    ("sharp s in the server name", {"sni": "api.example\u00df.com"}, "identity"),
    ("framing with underscore", {"headers": ((b"Host", b"api.example.com"), (b"Content_Length", b"1"))}, "header"),
]


@pytest.mark.parametrize(("why", "changes", "expected"), IDENTITIES, ids=[row[0] for row in IDENTITIES])
def test_all_names_of_a_request_must_be_one(why, changes, expected):
    verdict = judge(parsed(cases.document(cases.route())), Facts(**vars(facts()) | changes), cases.SECRETS)
    assert outcome(verdict) == expected
    if expected == "identity":
        assert verdict.status == 421


SECOND_TARGETS = [
    ("Destination", "/repos/acme/y", "allow"),
    ("Destination", "https://a.test/repos/acme/y", "allow"),
    ("Destination", "https://A.Test.:443/repos/acme/y", "allow"),
    ("Destination", "/repos/other/y", "path"),
    ("Destination", "/repos/acme/../other/y", "path"),
    ("Destination", "/repos/acme/%2e%2e/other/y", "path"),
    ("Destination", "/repos/acme/y?z", "path"),
    ("Destination", "https://a.test", "path"),
    ("Destination", "", "path"),
    ("destination", "https://a.test/repos/other/y", "path"),
    ("Destination", "https://b.test/repos/acme/y", "identity"),
    ("Destination", "https://user@a.test/repos/acme/y", "identity"),
    ("Destination", "//b.test/repos/acme/y", "path"),
    ("x-amz-copy-source", "/repos/acme/y", "path"),
    ("X_Amz_Copy_Source", "bucket/key", "path"),
    ("x-ms-copy-source", "https://b.test/y", "path"),
    ("X-Copy-From", "/repos/acme/y", "path"),
]


@pytest.mark.parametrize(("name", "value", "expected"), SECOND_TARGETS)
def test_a_second_target_is_bound_by_the_paths_of_the_route(name, value, expected):
    sent = facts("MOVE", "a.test", "/repos/acme/x", [(name.encode(), value.encode())])
    bounded = parsed(cases.document(cases.route(host="a.test", paths=["/repos/acme/"])))
    assert outcome(judge(bounded, sent, cases.SECRETS)) == expected
    assert outcome(judge(parsed(cases.document(cases.route(host="a.test"))), sent, cases.SECRETS)) == "allow"


_WEBSOCKET = [("Upgrade", "websocket"), ("Connection", "Upgrade")]
UPGRADES = [
    ("websocket on its route", "any.example", "GET", [("Upgrade", "websocket"), ("Connection", "Upgrade")], "allow"),
    ("in odd case", "any.example", "GET", [("upgrade", "WebSocket"), ("connection", "keep-alive, UPGRADE")], "allow"),
    ("on another route", "raw.example", "GET", [("Upgrade", "websocket"), ("Connection", "Upgrade")], "upgrade"),
    ("h2c", "any.example", "GET", [("Upgrade", "h2c"), ("Connection", "Upgrade")], "upgrade"),
    *(
        (f"with {name}: {value}", "any.example", "GET", [*_WEBSOCKET, (name, value)], expected)
        for name, value, expected in [
            ("Content-Length", "0", "allow"),
            ("Content-Length", "5", "upgrade"),
            ("Transfer-Encoding", "chunked", "upgrade"),
        ]
    ),
    ("two upgrades", "any.example", "GET", [("Upgrade", "websocket, h2c"), ("Connection", "Upgrade")], "upgrade"),
    (
        "two lines",
        "any.example",
        "GET",
        [("Upgrade", "websocket"), ("Upgrade", "x"), ("Connection", "Upgrade")],
        "upgrade",
    ),
    ("only Connection", "any.example", "GET", [("Connection", "Upgrade")], "upgrade"),
    ("only Upgrade", "any.example", "GET", [("Upgrade", "websocket")], "upgrade"),
    ("by POST", "any.example", "POST", [("Upgrade", "websocket"), ("Connection", "Upgrade")], "upgrade"),
]


@pytest.mark.parametrize(("why", "host", "method", "headers", "expected"), UPGRADES, ids=[row[0] for row in UPGRADES])
def test_the_only_upgrade_is_a_websocket_on_a_route_that_allows_it(why, host, method, headers, expected):
    raw = [(name.encode(), value.encode()) for name, value in headers]
    verdict = judge(parsed(REQUESTS["table"]), facts(method, host, headers=raw), cases.SECRETS)
    assert outcome(verdict) == expected
    if expected == "allow":
        assert verdict.websocket


CONNECTS = [
    ("api.github.com:443", (), "allow"),
    ("API.github.com.:443", ("api.github.com:443",), "allow"),
    ("unlisted.example:443", (), "allow"),
    ("alt.example:8443", (), "allow"),
    ("alt.example:443", (), "port"),
    ("api.github.com:22", (), "port"),
    ("api.github.com:80", (), "port"),
    ("unlisted.example:22", (), "port"),
    ("api.github.com:443", ("other.example",), "identity"),
    ("[::1]:443", (), "identity"),
    ("user@api.github.com:443", (), "identity"),
]


@pytest.mark.parametrize(("authority", "hosts", "expected"), CONNECTS)
def test_a_tunnel_opens_only_to_the_port_of_its_host(authority, hosts, expected):
    case = facts("CONNECT", target="", tunnel=None, tls=False, sni=None, authority=authority.encode())
    case = Facts(**vars(case) | {"headers": tuple((b"Host", host.encode()) for host in hosts)})
    assert outcome(judge_connect(parsed(REQUESTS["table"]), case)) == expected


def test_a_tunnel_with_a_body_is_refused():
    case = facts("CONNECT", target="", tunnel=None, authority=b"any.example:443")
    case = Facts(**vars(case) | {"headers": ((b"Content-Length", b"0"),)})
    assert outcome(judge_connect(parsed(REQUESTS["table"]), case)) == "header"


def test_without_a_table_every_request_is_refused_inside_its_tunnel():
    assert outcome(judge(None, facts(), {})) == "no-table"
    assert outcome(judge_connect(None, facts(authority=b"api.example.com:443"))) == "allow"
    assert outcome(judge_connect(None, facts(authority=b"api.example.com:22"))) == "port"


def test_the_credential_of_the_route_replaces_what_the_client_sent():
    kept = [name for name in HEADERS["kept"] if name != "Content-Length"]
    sent = [(name.encode(), b"mine") for name in HEADERS["credentials"] + HEADERS["overrides"] + kept]
    left = []
    for some in batched(sent, MAX_FIELDS - 1):
        case = facts(host="api.github.com", target="/repos/acme/x", headers=some)
        verdict = judge(parsed(REQUESTS["table"]), case, cases.SECRETS)
        assert isinstance(verdict, Allowed)
        assert dict(verdict.headers)[b"Host"] == b"api.github.com"
        assert [value for name, value in verdict.headers if name == b"Authorization"] == [b"token s3cret-value"]
        left += [name.decode() for name, value in verdict.headers if value == b"mine"]
    assert left == kept


def test_the_credential_never_goes_over_plain_http():
    case = facts(tunnel=None, tls=False, sni=None, host="api.github.com", target="/repos/acme/x")
    case = Facts(**vars(case) | {"scheme": b"http", "authority": b"api.github.com"})
    verdict = judge(parsed(REQUESTS["table"]), case, cases.SECRETS)
    assert isinstance(verdict, Allowed)
    assert b"s3cret" not in b"".join(value for _, value in verdict.headers)
    assert verdict.identity == Identity("api.github.com", 80, tls=False)


def test_client_auth_leaves_the_clients_credential_but_not_its_overrides():
    sent = [(b"Authorization", b"mine"), (b"X-Original-URL", b"/y"), (b"Proxy-Authorization", b"p")]
    case = facts(host="alt.example", target="/x?token=t", headers=sent, tunnel=("alt.example", 8443))
    case = Facts(**vars(case) | {"headers": ((b"Host", b"alt.example:8443"), *sent)})
    verdict = judge(parsed(REQUESTS["table"]), case, cases.SECRETS)
    assert verdict.headers == ((b"Host", b"alt.example:8443"), (b"Authorization", b"mine"))
    assert verdict.target == b"/x?token=t"


def test_a_secret_is_in_no_text_of_a_decision():
    case = facts(host="api.github.com", target="/repos/acme/x", headers=[(b"Authorization", b"agent-key")])
    verdict = judge(parsed(REQUESTS["table"]), case, cases.SECRETS)
    assert "s3cret" not in repr(verdict)
    assert "agent-key" not in repr(case)


@given(
    st.binary(max_size=40), st.binary(max_size=12), st.lists(st.tuples(st.binary(max_size=9), st.binary(max_size=9)))
)
def test_any_bytes_are_decided_without_an_exception_and_only_on_the_named_host(target, method, headers):
    case = facts(headers=headers)
    case = Facts(**vars(case) | {"target": target, "method": method})
    verdict = judge(parsed(cases.document(cases.route(paths=["/ok/"]))), case, cases.SECRETS)
    if isinstance(verdict, Allowed):
        assert verdict.identity == Identity("api.example.com", 443, tls=True)
        assert verdict.target.startswith(b"/ok/")
    else:
        json.loads(refusal.log_line(verdict, datetime.now(UTC)))
        json.loads(refusal.body(verdict))


def test_a_table_names_an_identity_by_host_and_port():
    current = parsed(REQUESTS["table"])
    assert names_identity(current, Identity("alt.example", 8443, tls=True))
    assert names_identity(current, Identity("raw.example", 80, tls=False))
    assert not names_identity(current, Identity("alt.example", 443, tls=True))
    assert not names_identity(current, Identity("gone.example", 443, tls=True))
    assert not names_identity(None, Identity("raw.example", 443, tls=True))


# Refusals as text


def test_the_log_line_is_one_bounded_escaped_line_without_the_query():
    path = "/\x1b[31m\r\n\x7f\u202e" + "a" * 9000
    verdict = Refused(403, "path", "why", "h" * 999, "M" * 99, path)
    line = refusal.log_line(verdict, datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC))
    assert line.isprintable()
    assert line.isascii()
    assert len(line) < 5000
    fields = json.loads(line)
    assert list(fields) == ["time", "event", "host", "method", "path", "rule", "reason"]
    assert fields["time"] == "2026-01-02T03:04:05.678Z"
    case = facts(target="/x?token=hidden", host="unlisted.example")
    assert "hidden" not in refusal.log_line(judge(parsed(REQUESTS["table"]), case, {}), datetime.now(UTC))


def test_the_body_names_the_rule_and_the_tool():
    body = json.loads(refusal.body(judge(parsed(REQUESTS["table"]), facts(host="unlisted.example"), {})))
    assert body["rule"] == "host"
    assert body["tool"] == "egress-proxy-block"
    assert "egress-proxy-block" in body["hint"]
    push = facts(host="any.example", target="/a.git/git-receive-pack")
    body = json.loads(refusal.body(judge(parsed(REQUESTS["table"]), push, {})))
    assert "git gate" in body["reason"]


# Loading


def test_the_generation_is_the_hash_of_the_sorted_list_of_files():
    import hashlib

    one, two = hashlib.sha256(b"1").hexdigest(), hashlib.sha256(b"2").hexdigest()
    expected = hashlib.sha256(f"{one}  /a\n{two}  /b\n".encode()).hexdigest()
    assert generation_hash({"/b": b"2", "/a": b"1"}) == expected


def test_a_refused_load_keeps_the_table_and_tells_both_hashes(tmp_path):
    path = tmp_path / "routes.yaml"
    good = json.dumps(cases.document(cases.route())).encode()
    policy = Policy(path, {})
    assert policy.load().link_target == f"/none/unreadable/{generation_hash({str(path): b''})}"
    assert policy.table is None
    path.write_bytes(b"{")
    assert policy.load().link_target == f"/none/not-json/{generation_hash({str(path): b'{'})}"
    path.write_bytes(good)
    in_force = generation_hash({str(path): good})
    assert policy.load().link_target == f"/{in_force}/ok"
    kept = policy.table
    path.write_bytes(b"{}")
    refused = generation_hash({str(path): b"{}"})
    assert policy.load().link_target == f"/{in_force}/missing-key/{refused}"
    assert policy.table is kept
    path.unlink()
    assert policy.load().link_target.startswith(f"/{in_force}/unreadable/")
    path.write_bytes(good)
    assert policy.load().link_target == f"/{in_force}/ok"


def test_the_link_is_replaced_atomically_over_whatever_was_left(tmp_path):
    link = tmp_path / "loaded"
    (tmp_path / "loaded.new").write_text("left by a crash")
    confirm(link, Generation("abc"))
    assert str(link.readlink()) == "/abc/ok"
    confirm(link, Generation("abc", "def", "not-json"))
    assert str(link.readlink()) == "/abc/not-json/def"
    assert [entry.name for entry in tmp_path.iterdir()] == ["loaded"]


def test_urls_of_the_cases_are_urls():
    assert all(urlsplit(url).scheme in ("http", "https") for _, url, _ in REQUESTS["cases"])
