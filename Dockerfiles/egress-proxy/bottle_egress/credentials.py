"""What counts as a credential, or as a second way to say method and target, in a client's request."""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

_CREDENTIAL_WORDS = frozenset(
    "auth authorization authentication apikey token jwt bearer secret password passwd passphrase pat "
    "credential credentials cookie cookie2".split()
)
_HARMLESS_KEYS = frozenset(
    "sec-websocket-key idempotency-key x-idempotency-key surrogate-key x-cache-key x-partition-key".split()
)
_OVERRIDES = frozenset(
    "x-http-method-override x-http-method x-method-override x-method "
    "x-original-url x-rewrite-url x-original-uri x-rewrite-uri x-original-host x-original-path "
    "x-host x-url x-uri x-path x-override-url x-forwarded-host x-forwarded-server x-forwarded-proto "
    "x-forwarded-scheme x-forwarded-port x-forwarded-prefix x-forwarded-path x-forwarded-uri x-forwarded-for "
    "x-real-ip x-http-host-override x-http-destinationurl x-proxy-url forwarded via base-url request-uri "
    "destination-url".split()
)
_HOP_BY_HOP = frozenset("keep-alive te trailer http2-settings".split())

_CREDENTIAL_PARAMETERS = frozenset(
    "access_token accesstoken auth_token authtoken api_key apikey api-key x-api-key x-goog-api-key private_token "
    "private-token job_token deploy_token oauth_token id_token refresh_token client_secret subscription-key "
    "authorization token".split()
)
_OVERRIDE_PARAMETERS = frozenset("_method x-http-method-override x-method-override $httpmethod".split())


def folded(name: str) -> str:
    """A header's name as servers compare it: lower case, and underscore the same as hyphen."""
    return name.lower().replace("_", "-")


def is_credential_header(name: str) -> bool:
    """Whether a header may carry the client's own authority."""
    name = folded(name)
    if name in _HARMLESS_KEYS:
        return False
    words = name.split("-")
    return words[-1] == "key" or bool(_CREDENTIAL_WORDS.intersection(words)) or words[-1].endswith(("token", "apikey"))


def is_override_header(name: str) -> bool:
    """Whether a header could give the request another method, target or origin, or belongs to one hop only."""
    name = folded(name)
    return name in _OVERRIDES or name in _HOP_BY_HOP or name.startswith("proxy-")


def stripped_query(query: str, keep_credentials: bool) -> str:
    """The query without parameters that override the method and, unless kept, without credentials."""

    def stays(parameter: str) -> bool:
        name, _, value = parameter.partition("=")
        name = unquote_plus(name).strip().lower()
        if name in _OVERRIDE_PARAMETERS:
            return False
        if keep_credentials:
            return True
        return name not in _CREDENTIAL_PARAMETERS and not (name == "key" and unquote_plus(value).startswith("AIza"))

    parts = re.split("([&;])", query)
    if all(stays(parameter) for parameter in parts[::2]):
        return query
    return "&".join(parameter for parameter in parts[::2] if stays(parameter))
