"""Which headers and parameters of a request carry a credential, or state method or target a second time.

Bodies are not read: where a route lists POST, a server that honours `_method` in a form may take the request for
another method.
"""

from __future__ import annotations

import re
import string
from urllib.parse import unquote_plus

# CGI turns every mark in a header's name into `_`; some servers do so with blanks and dots in a parameter's.
_FOLD = bytes(
    code if chr(code) in string.ascii_lowercase + string.digits else ord("-") for code in bytes(range(256)).lower()
)
_CREDENTIAL_WORDS = frozenset(
    b"auth authorization authorisation authentication apikey token jwt bearer secret password passwd passphrase "
    b"passcode pat otp dpop sas signature credential credentials cookie cookie2 cert".split()
)
_CREDENTIAL_ENDS = (b"token", b"apikey", b"accesskey", b"secretkey", b"authkey", b"appkey")
_CREDENTIAL_NAMES = frozenset(
    b"signature-input x-honeycomb-team remote-user x-remote-user x-webauth-user x-aws-access-key-id "
    b"x-jfrog-art-api x-wsse x-apig-appcode x-arr-clientcert x-clickhouse-user x-remote-group".split()
)
_CREDENTIAL_STARTS = (
    # The user as a gateway states it; servers behind the gateway believe it.
    b"x-remote-extra-",
    b"x-authenticated-",
    b"x-consumer-",
    b"x-goog-authenticated-user-",
    b"x-ms-client-principal",
    b"x-amzn-oidc-",
)
# Impersonation: a credential acts for another user, or in another place, than its own; an administrator's can act for
# any user. Names that select something of the credential's own (a budget, an organisation) are not listed.
_ACTING_WORDS = frozenset(b"sudo impersonate impersonated impersonation runas onbehalfof".split())  # GitLab, Kubernetes
_ACTING_PAIRS = frozenset(
    # Egnyte, Redmine, Zendesk, Box, Smartsheet, Dropbox
    b"act-as run-as switch-user behalf-of as-user assume-user select-user select-admin".split()
)
_ACTING_NAMES = frozenset(
    # Discourse, Dynamics, Trino, Vault. Vault also takes a namespace in the path, which the route's paths limit.
    b"api-username mscrmcallerid callerobjectid x-trino-user x-presto-user x-vault-namespace".split()
)
# Names that look like credentials and are not. They stay, since requests fail without them.
_HARMLESS = frozenset(
    b"sec-websocket-key idempotency-key x-idempotency-key surrogate-key x-cache-key x-partition-key lock-token "
    b"x-continuation-token x-page-token x-next-token".split()
)
_OVERRIDES = frozenset(
    b"x-http-method-override x-http-method x-method-override x-method x-override-url "
    b"x-host x-url x-uri x-path x-replaced-path x-real-ip x-client-ip client-ip true-client-ip x-cluster-client-ip "
    b"cf-connecting-ip x-http-host-override x-http-destinationurl x-proxy-url forwarded via base-url request-uri "
    b"destination-url".split()
)
_OVERRIDE_STARTS = (b"proxy-", b"x-forwarded-", b"x-original-", b"x-rewrite-", b"x-envoy-original-")
_HOP_BY_HOP = frozenset(b"keep-alive te trailer http2-settings".split())
_CREDENTIAL_PROTOCOL = re.compile(rb"api-?key|token|bearer|authorization|\beyJ", re.IGNORECASE)

# Names of parameters, with marks as hyphens.
_CREDENTIAL_PARAMETERS = frozenset(
    "access-token accesstoken auth-token authtoken api-key apikey x-api-key x-goog-api-key api-token apitoken "
    "private-token job-token deploy-token oauth-token id-token refresh-token bearer-token session-token client-secret "
    "client-assertion subscription-key ocp-apim-subscription-key authorization auth token jwt bearer secret password "
    "passwd pwd passphrase oauth-signature hapikey app-key appkey application-key access-key accesskey secret-key "
    "auth-key authkey user-key sas-token circle-token x-plex-token personal-access-token token-auth wstoken "
    "x-jfrog-art-api".split()
)
_SIGNATURE_PARAMETERS = frozenset(
    "x-amz-signature x-amz-credential x-amz-security-token x-goog-signature x-goog-credential sig signature "
    "awsaccesskeyid googleaccessid".split()
)
_OVERRIDE_PARAMETERS = frozenset(
    # Google's services read whole headers out of `$httpHeaders`.
    "-method --method -httpmethod -http-method x-http-method x-http-method-override x-method-override "
    "-httpheaders -http-headers".split()
)
_ACTING_PARAMETERS = frozenset("sudo doas api-username".split())  # GitLab and Gitea, Hadoop, Discourse
_MARKS = re.compile(r"[^a-z0-9]")


def folded(name: bytes) -> bytes:
    """A header's name as the most lenient server compares it: lower case, and every mark a hyphen."""
    return name.translate(_FOLD)


def is_credential_header(name: bytes) -> bool:
    """Whether a header may carry a credential of the client's own."""
    name = folded(name)
    if name in _HARMLESS:
        return False
    words = name.split(b"-")
    return (
        words[-1] == b"key"
        or name.endswith(_CREDENTIAL_ENDS)
        or name in _CREDENTIAL_NAMES
        or name.startswith(_CREDENTIAL_STARTS)
        or not _CREDENTIAL_WORDS.isdisjoint(words)
    )


def is_acting_header(name: bytes) -> bool:
    """Whether a header makes a credential, also the route's, act for another user."""
    name = folded(name)
    words = name.split(b"-")
    return not _ACTING_WORDS.isdisjoint(words) or b"-".join(words[-2:]) in _ACTING_PAIRS or name in _ACTING_NAMES


def is_override_header(name: bytes) -> bool:
    """Whether a header could change the method, target or origin of the request, or is for one hop only."""
    name = folded(name)
    return name in _OVERRIDES or name in _HOP_BY_HOP or name.startswith(_OVERRIDE_STARTS)


def stripped_protocols(value: bytes) -> bytes:
    """The value of Sec-WebSocket-Protocol without the keys that browsers put in, like `openai-insecure-api-key.…`."""
    if not _CREDENTIAL_PROTOCOL.search(value):
        return value
    return b",".join(protocol for protocol in value.split(b",") if not _CREDENTIAL_PROTOCOL.search(protocol)).strip()


def _parameter_key(name: str) -> str:
    if "%" in name or "+" in name:
        name = unquote_plus(name)
    base, bracket, rest = name.partition("[")
    if bracket and not rest.strip("[]0123456789"):
        name = base  # `name[]` and `name[0]` are the parameter `name`, as a list
    return _MARKS.sub("-", name.strip().lower())


def stripped_query(query: str, *, keep_credentials: bool, keep_acting: bool, reads: bool) -> str:
    """The query without parameters that override the method. Without those that carry a credential or make one act
    for another user, too, unless they are kept.

    A signed link that only reads (`reads`: GET or HEAD, and no `Action` among the parameters) keeps its signature:
    downloads are offered that way, and such a request sends no more data out than an unsigned one. A signature that
    permits a write is a credential of the agent's own.
    """
    if not query:
        return query
    parts = re.split("([&;])", query)
    parameters = [parameter.partition("=") for parameter in parts[::2]]
    keys = [_parameter_key(name) for name, _, _ in parameters]
    signed = not reads or "action" in keys

    def stays(key: str, value: str) -> bool:
        if key in _OVERRIDE_PARAMETERS or (key in _ACTING_PARAMETERS and not keep_acting):
            return False
        if keep_credentials:
            return True
        if key in _CREDENTIAL_PARAMETERS or (signed and key in _SIGNATURE_PARAMETERS):
            return False
        return not (key == "key" and unquote_plus(value).startswith("AIza"))

    kept = [stays(key, value) for key, (_, _, value) in zip(keys, parameters, strict=True)]
    if all(kept):
        return query
    separated = zip(["", *parts[1::2]], parts[::2], kept, strict=True)
    return "".join(mark + parameter for mark, parameter, stay in separated if stay).lstrip("&;")
