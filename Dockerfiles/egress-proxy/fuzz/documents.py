"""The routes documents that requests are judged by, and the credentials that they name."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

CASES = Path(__file__).parent.parent / "tests" / "cases"
SECRETS = {"BOTTLE_CREDENTIAL_X": "s3cret-value", "BOTTLE_CREDENTIAL_Y": "0ther-s3cret"}


def cases(name: str):
    """The content of one case file."""
    return yaml.safe_load((CASES / f"{name}.yaml").read_text(encoding="utf-8"))


def _route(host: str, **changes) -> dict:
    base = {"host": host, "port": 443, "methods": None, "paths": [], "auth": None}
    return base | {"client_auth": False, "websocket": False} | changes


def _grant(number: int, **limits) -> dict:
    return {"id": f"dev/{number:04}", "not_after": None, "max_uses": None} | limits


def _auth(header: str, scheme: str | None, slot: str) -> dict:
    return {"header": header, "scheme": scheme, "slot": f"BOTTLE_CREDENTIAL_{slot}"}


DOCUMENTS = [
    cases("requests")["table"],
    {
        "version": 1,
        "routes": [
            _route("a.test", methods=["GET", "PUT", "MOVE"], paths=["/a/", "/b"], auth=_auth("X-Team", None, "X")),
            _route("*.a.test", paths=["/a/b/c/", "/%7Ed/"], auth=_auth("Authorization", "Bearer", "Y")),
            _route("*.c.a.test", methods=["GET"], paths=["/c/"], auth=_auth("X-Team", "Key", "Y")),
            _route("b.a.test", port=8443, websocket=True, auth=_auth("Cookie", None, "Y")),
            _route("xn--bcher-kva.test", methods=["POST", "GET"], paths=["/a;v=1/", "/a%20b/"]),
            _route("c.test", client_auth=True, websocket=True, paths=["/"]),
            _route("f.test", client_auth=True, auth=_auth("X-Team", None, "X")),
        ],
        "allowlist": ["d.test", "*.e.test", "c.test"],
    },
    {
        "version": 1,
        "routes": [
            _route(
                "a.test",
                methods=["GET", "MOVE"],
                paths=["/a/"],
                auth=_auth("X-Team", None, "X"),
                grants=[
                    _grant(1, max_uses=5) | {"methods": ["PUT", "GET"], "paths": ["/b/", "/a/c"]},
                    _grant(2, not_after="2026-01-01T00:00:00Z") | {"methods": ["MOVE", "GET-IT"], "paths": ["/b/"]},
                    _grant(3, max_uses=1) | {"methods": None, "paths": ["/d/"]},
                ],
            ),
            _route("*.a.test", paths=["/a/"], grant=_grant(3, max_uses=1), websocket=True),
            _route(
                "b.a.test",
                port=8443,
                methods=["GET"],
                grant=_grant(4, not_after="2030-12-31T23:59:59Z", max_uses=9),
                grants=[_grant(1, max_uses=5) | {"methods": None, "paths": []}],
            ),
            _route("c.test", client_auth=True),
        ],
        "allowlist": ["d.test", "*.e.test"],
    },
]
TEXTS = [json.dumps(document).encode() for document in DOCUMENTS]
HOSTS = [
    sorted({entry["host"].replace("*.", "x.") for entry in document["routes"]} | {
        host.replace("*.", "x.") for host in document["allowlist"]
    })
    for document in DOCUMENTS
]  # fmt: skip
