"""The test oracle: what must be true of an allowed request according to RFC 3986, RFC 9110, UTS 46 and SPEC 4.1.

It is independent of the policy's code and imports nothing of it. `complaint` compares the routes document as JSON, what
the client sent, and what would go upstream.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote_plus

import idna
import readings

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")

# Names in which well-known services accept a credential; `_` and any other mark count as `-`.
CREDENTIAL_HEADERS = frozenset(
    "authorization proxy-authorization authentication cookie cookie2 x-api-key api-key apikey x-apikey x-auth-token "
    "x-auth-key x-auth-email x-access-token x-goog-api-key x-goog-iam-authorization-token private-token job-token "
    "deploy-token x-gitlab-token x-github-token x-amz-security-token ocp-apim-subscription-key x-functions-key "
    "aeg-sas-key aeg-sas-token x-ms-copy-source-authorization x-vault-token x-consul-token x-nomad-token dd-api-key "
    "dd-application-key x-shopify-access-token x-figma-token x-plex-token x-rapidapi-key xi-api-key circle-token "
    "fastly-key x-sentry-auth x-honeycomb-team x-hasura-admin-secret x-client-secret x-password x-jwt-assertion "
    "x-forwarded-authorization http-authorization x-otp x-github-otp dpop signature signature-input x-hub-signature "
    "x-session-token x-accesskey x-client-cert x-remote-user remote-user x-forwarded-user x-trackertoken "
    "x-remote-group x-remote-extra-scopes x-authenticated-userid x-consumer-username x-goog-authenticated-user-email "
    "x-ms-client-principal x-amzn-oidc-identity".split()
)
# Names by which a server accepts another method, target, host or origin than the request line's.
OVERRIDE_HEADERS = frozenset(
    "x-http-method x-http-method-override x-method-override x-method x-original-method x-forwarded-method "
    "x-original-url x-original-uri x-original-host x-original-path x-rewrite-url x-rewrite-uri x-override-url "
    "x-forwarded-host x-forwarded-server x-forwarded-proto x-forwarded-port x-forwarded-prefix x-forwarded-path "
    "x-forwarded-uri x-forwarded-url x-forwarded-for forwarded via x-host x-real-ip client-ip true-client-ip "
    "x-client-ip x-cluster-client-ip cf-connecting-ip x-envoy-original-path x-envoy-original-host "
    "x-http-destinationurl x-replaced-path te trailer keep-alive proxy-connection http2-settings".split()
)
# Names by which a credential acts for another user, or in another place, than its own.
ACTING_HEADERS = frozenset(
    "sudo impersonate-user impersonate-group impersonate-uid impersonate-extra-scopes x-on-behalf-of as-user "
    "assume-user x-redmine-switch-user dropbox-api-select-user dropbox-api-select-admin api-username mscrmcallerid "
    "callerobjectid x-gerrit-runas es-security-runas-user x-egnyte-act-as x-trino-user x-vault-namespace".split()
)
ACTING_PARAMETERS = frozenset("sudo doas api_username".split())
CREDENTIAL_PARAMETERS = frozenset(
    "access_token auth_token api_key apikey api-key x-api-key api_token token private_token private-token job_token "
    "oauth_token id_token refresh_token bearer_token client_secret client_assertion subscription-key authorization "
    "password passwd secret jwt oauth_signature hapikey application_key app_key access_key secret_key auth_key "
    "user_key session_token auth".split()
)
SIGNATURE_PARAMETERS = frozenset(
    "x-amz-signature x-amz-credential x-amz-security-token x-goog-signature x-goog-credential sig signature "
    "awsaccesskeyid googleaccessid".split()
)
OVERRIDE_PARAMETERS = frozenset(
    "_method x-http-method-override x-method-override $httpmethod _httpmethod x-http-method".split()
)
FRAMING = frozenset(("content-length", "transfer-encoding"))
SECOND_TARGETS = frozenset(
    "destination x-amz-copy-source x-goog-copy-source x-ms-copy-source x-copy-from x-amz-rename-source "
    "x-ms-rename-source".split()
)
PUSHING_METHODS = frozenset("PUT DELETE MKCOL MOVE COPY LOCK UNLOCK PROPPATCH".split())


@dataclass(frozen=True)
class Sent:
    """A request as received: `tunnel` is host and port of its CONNECT, `scheme` and `authority` are the target's."""

    method: bytes
    target: bytes
    scheme: bytes
    authority: bytes
    version: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    tunnel: tuple[str, int] | None
    tls: bool
    sni: str | None


@dataclass(frozen=True)
class Gone:
    """A request as it would go upstream."""

    host: str
    port: int
    tls: bool
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    websocket: bool
    grant: str | None = None
    """The id of the grant that is used for it."""


@lru_cache(4096)
def folded(name: bytes) -> str:
    """A header's name as the most lenient server compares it: in CGI every mark is the same."""
    return re.sub("[^a-z0-9]", "-", name.decode("latin-1").lower())


def host(text: str) -> str:
    """A name as a WHATWG URL parser reads it, without user and final dots, in lower case. Raises ValueError."""
    text = text.rpartition("@")[2]
    text = readings.decoded(text.encode("utf-8", "replace").decode("latin-1")).encode("latin-1").decode("utf-8")
    text = idna.uts46_remap(text, std3_rules=False, transitional=False)
    labels = re.split("[.\u3002\uff0e\uff61]", text.rstrip("."))
    return ".".join(label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii") for label in labels)


def authority(raw: bytes, default: int) -> tuple[str, int]:
    """Host and port of an authority, leniently. Raises ValueError."""
    text = raw.decode("utf-8").strip()
    name, colon, port = text.rpartition(":")
    if not colon:
        return host(text), default
    return host(name), int(port) if port else default


def entry(document: dict, name: str) -> dict | None:
    """The document's entry for a name: the exact one, else the longest wildcard; a route before the allowlist."""
    routes = {route["host"]: route for route in document["routes"]}
    free = {"port": 443, "methods": None, "paths": [], "auth": None, "client_auth": False, "websocket": False}
    for listed in document["allowlist"]:
        routes.setdefault(listed, free | {"host": listed})
    if name in routes:
        return routes[name]
    fitting = [key for key in routes if key.startswith("*.") and name.endswith(key[1:]) and len(name) >= len(key)]
    return routes[max(fitting, key=len)] if fitting else None


def is_ambiguous(path: str) -> bool:
    """SPEC 4.1: dot or empty segments, backslash, encoded slash, backslash, dot or NUL, controls, non-ASCII, a
    percent sign that survives one decoding; here also unescaped blanks, and fragments."""
    once = readings.decoded(path)
    marks = ("/", ".", "\\", "%")
    return (
        not path.startswith("/")
        or re.search(r"[^\x20-\x7e]", once) is not None
        or re.search(r"[ #\\]", path) is not None
        or "%" in once
        or any(path.count(mark) != once.count(mark) for mark in marks[:3])
        or any(not segment for segment in once.split("/")[1:-1])
        or any(segment and not segment.partition(";")[0].strip(". ") and "." in segment.partition(";")[0]
               for segment in once.split("/"))
    )  # fmt: skip


def below(path: str, prefixes: list[str]) -> bool:
    """Whether every reading of the path lies below a prefix that is read in the same way."""
    return all(
        any(readings.is_below(state[0], prefix) for prefix in state[1:]) for state in readings.together(path, *prefixes)
    )


def is_push(method: str, path: str, query: str, headers: list[tuple[str, str]]) -> bool:
    """Whether some git server could take this for a push: smart (receive-pack) or dumb (WebDAV into a repository)."""
    for name, value in headers:
        if name in ("content-type", "accept"):
            kinds = readings.unwrapped(value)
            if any("x-git-receive-pack-" in kind for kind in kinds):
                return True
    for text in readings.unwrapped(path):
        segments = [segment.partition(";")[0] for segment in re.split("[/?#]", text)]
        if any(segment.rstrip(". ").partition(".")[0] == "git-receive-pack" for segment in segments):
            return True
        into = any(segment.endswith(".git") for segment in segments)
        if method.upper() in PUSHING_METHODS and into:
            return True
    hidden = {text.partition("?")[2] for text in readings.unwrapped(path)}
    for text in readings.unwrapped(query.replace("+", " ")) | hidden:
        for parameter in re.split("[&;?#]", text):
            name, _, value = parameter.partition("=")
            if name == "service" and value.strip("'\"") == "git-receive-pack":
                return True
    return False


def complaint(
    document: dict, secrets: dict[str, str], sent: Sent, gone: Gone, over: frozenset[str] = frozenset()
) -> str | None:
    """Why this request must not pass in that form; None when it may. `over` are the ids of grants that no longer
    hold."""
    try:
        wrong = _names(sent, gone)
    except ValueError as error:
        return f"a name that is none went through: {error}"
    route = entry(document, gone.host)
    if wrong or route is None:
        return wrong or f"no entry names {gone.host}"
    if gone.port != (route["port"] if gone.tls else 80):
        return f"port {gone.port}"
    return (
        _method_and_form(sent, gone)
        or _scope(sent, gone, route, over)
        or _push(sent, gone)
        or _query(sent, gone, route)
        or _headers(gone, route, secrets)
        or _upgrade(sent, gone, route)
        or _unchanged(sent, gone)
    )


def _names(sent: Sent, gone: Gone) -> str | None:
    default = 443 if sent.tunnel else 80
    claimed = [authority(value, default) for name, value in sent.headers if folded(name) == "host"]
    if len(claimed) != 1:
        return f"{len(claimed)} Host headers"
    if sent.tunnel:
        if not sent.tls or sent.sni is None or sent.scheme not in (b"", b"https"):
            return "a tunnel without TLS or server name, or with another scheme"
        claimed += [(host(sent.tunnel[0]), sent.tunnel[1]), (host(sent.sni), gone.port)]
    elif sent.scheme != b"http" or not sent.authority:
        return "no http:// target outside of a tunnel"
    if sent.authority:
        if b"@" in sent.authority:
            return "a user in the target"
        claimed.append(authority(sent.authority, default))
    if gone.tls != (sent.tunnel is not None):
        return "plain became TLS or TLS plain"
    differing = [one for one in claimed if one != (gone.host, gone.port)]
    return f"{differing} went to {gone.host}:{gone.port}" if differing else None


def _scope(sent: Sent, gone: Gone, route: dict, over: frozenset[str]) -> str | None:
    """What is wrong with the methods, paths and grant by which the request was allowed."""
    own = {"id": None, "methods": route["methods"], "paths": route["paths"]}
    if "grant" in route:
        own["id"] = route["grant"]["id"]
    elif gone.grant and _is_plainly_in(own, sent):
        return f"{gone.grant} is used for what passes without limits"
    if gone.grant in over:
        return f"{gone.grant} holds no more"
    members = [member for member in (own, *route.get("grants", ())) if member["id"] == gone.grant]
    wrong = [_method(sent, member) or _path(sent, gone, member) for member in members]
    return None if None in wrong else (wrong or [f"no member of the entry is {gone.grant}"])[0]


def _is_plainly_in(scope: dict, sent: Sent) -> bool:
    """Whether the request is clearly within the rules: literal method and path, and no second target."""
    path = sent.target.decode("latin-1").partition("?")[0]
    below = [path == prefix or path.startswith(prefix.rstrip("/") + "/") for prefix in scope["paths"]]
    is_alone = all(folded(name) not in SECOND_TARGETS for name, _ in sent.headers)
    return is_alone and (not below or any(below)) and _method(sent, scope) is None


def _method(sent: Sent, scope: dict) -> str | None:
    method = sent.method.decode("latin-1")
    listed = scope["methods"] is None or method in scope["methods"]
    return None if listed else f"method {method!r} is not listed"


def _method_and_form(sent: Sent, gone: Gone) -> str | None:
    method = sent.method.decode("latin-1")
    if not _TOKEN.fullmatch(sent.method) or method.upper() in ("TRACE", "TRACK", "CONNECT"):
        return f"method {method!r}"
    if sent.version not in (b"HTTP/1.0", b"HTTP/1.1"):
        return f"version {sent.version!r}"
    if re.search(rb"[\x00-\x20\x7f]", gone.target):
        return "a control byte or blank in the target"
    return None


def _path(sent: Sent, gone: Gone, route: dict) -> str | None:
    for target in {sent.target, gone.target}:
        path = target.decode("latin-1").partition("?")[0]
        if is_ambiguous(path):
            return f"the ambiguous path {path!r}"
        if route["paths"] and not below(path, route["paths"]):
            return f"the path {path!r} has a reading outside of {route['paths']}"
    if route["paths"]:
        for name, value in gone.headers:
            if folded(name) in SECOND_TARGETS:
                where = re.sub("^https?://[^/]*", "", value.decode("latin-1"))
                if folded(name) != "destination" or is_ambiguous(where) or not below(where, route["paths"]):
                    return f"a second target {value!r} outside of {route['paths']}"
                there = authority(value.split(b"/")[2], gone.port)[0] if value.startswith(b"http") else gone.host
                if there != gone.host:
                    return f"a second target {value!r} on another host"
    return None


def _push(sent: Sent, gone: Gone) -> str | None:
    headers = [(folded(name), value.decode("latin-1")) for name, value in sent.headers]
    for target in {sent.target, gone.target}:
        path, _, query = target.decode("latin-1").partition("?")
        if is_push(sent.method.decode("latin-1"), path, query, headers):
            return "a git push"
    return None


def _query(sent: Sent, gone: Gone, route: dict) -> str | None:
    parameters = [
        (unquote_plus(name).strip().lower(), unquote_plus(value))
        for name, _, value in (
            part.partition("=") for part in re.split("[&;]", gone.target.decode("latin-1").partition("?")[2])
        )
    ]
    reads = sent.method in (b"GET", b"HEAD") and all(name != "action" for name, _ in parameters)
    for name, value in parameters:
        if name in OVERRIDE_PARAMETERS:
            return f"the parameter {name} overrides"
        if name in ACTING_PARAMETERS and (route["auth"] or not route["client_auth"]):
            return f"the parameter {name} has a credential act for another"
        if route["client_auth"]:
            continue
        if name in CREDENTIAL_PARAMETERS or (name == "key" and value.startswith("AIza")):
            return f"the parameter {name} is a credential"
        if name in SIGNATURE_PARAMETERS and not reads:
            return f"the parameter {name} signs a request that writes"
    return None


def _headers(gone: Gone, route: dict, secrets: dict[str, str]) -> str | None:
    injected = None
    if route["auth"] and gone.tls:
        scheme = route["auth"]["scheme"]
        secret = secrets[route["auth"]["slot"]]
        injected = (route["auth"]["header"].encode(), (f"{scheme} {secret}" if scheme is not None else secret).encode())
    default = 443 if gone.tls else 80
    host_value = (gone.host if gone.port == default else f"{gone.host}:{gone.port}").encode()
    hosts = [value for name, value in gone.headers if folded(name) == "host"]
    if hosts != [host_value]:
        return f"Host {hosts}"
    framing = [(folded(name), value) for name, value in gone.headers if folded(name) in FRAMING]
    if framing and (
        len(framing) > 1
        or not re.fullmatch(
            "transfer-encoding chunked|content-length [0-9]{1,18}", f"{framing[0][0]} {framing[0][1].decode('latin-1')}"
        )
    ):
        return f"the body is framed by {framing}"
    found = 0
    for name, value in gone.headers:
        if (name, value) == injected and not found:
            found = 1
            continue
        if not _TOKEN.fullmatch(name) or _CONTROL.search(value):
            return f"the header {name!r} is malformed"
        key = folded(name)
        if any(secret and secret.encode() in value for secret in secrets.values()):
            return f"a credential of a route in {name!r}"
        if injected and key == folded(injected[0]):
            return f"the client's own {name!r} beside the route's"
        if key in FRAMING and b"-" not in name:
            return f"the framing header {name!r}"
        if key in OVERRIDE_HEADERS or key.startswith("proxy-"):
            return f"the header {name!r} overrides"
        if key in ACTING_HEADERS and (route["auth"] or not route["client_auth"]):
            return f"the header {name!r} has a credential act for another"
        if key in CREDENTIAL_HEADERS and not route["client_auth"]:
            return f"the client's {name!r}"
        protocols = key == "sec-websocket-protocol" and not route["client_auth"]
        if protocols and re.search(rb"api-key|bearer\.", value, re.IGNORECASE):
            return "a credential in Sec-WebSocket-Protocol"
        if key == "connection" and not {option.strip().lower() for option in value.split(b",")} <= {
            b"close",
            b"keep-alive",
            b"upgrade",
        }:
            return f"Connection names {value!r}"
    return "the route's credential is missing" if injected and not found else None


def _upgrade(sent: Sent, gone: Gone, route: dict) -> str | None:
    upgrades = [value.strip().lower() for name, value in gone.headers if folded(name) == "upgrade"]
    asked = [b"upgrade" in value.lower() for name, value in gone.headers if folded(name) == "connection"]
    if not upgrades and not any(asked):
        return "no upgrade was asked for" if gone.websocket else None
    if upgrades != [b"websocket"] or not route["websocket"] or not gone.websocket or sent.method != b"GET":
        return f"the upgrade {upgrades}"
    return None


def _unchanged(sent: Sent, gone: Gone) -> str | None:
    """The path goes upstream unchanged, and headers are only removed: nothing is forwarded in a normalised form."""
    if sent.target.partition(b"?")[0] != gone.target.partition(b"?")[0]:
        return "the path was changed"
    return None
