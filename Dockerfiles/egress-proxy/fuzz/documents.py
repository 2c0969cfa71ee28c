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
]
TEXTS = [json.dumps(document).encode() for document in DOCUMENTS]
HOSTS = [
    sorted({entry["host"].replace("*.", "x.") for entry in document["routes"]} | {
        host.replace("*.", "x.") for host in document["allowlist"]
    })
    for document in DOCUMENTS
]  # fmt: skip
