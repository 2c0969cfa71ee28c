"""The case tables, read once."""

from __future__ import annotations

from pathlib import Path

import yaml

SECRETS = {
    "BOTTLE_CREDENTIAL_X": "s3cret-value",
    "BOTTLE_CREDENTIAL_EMPTY": "",
    "BOTTLE_CREDENTIAL_LINES": "a\r\nX-Evil: b",
}


def load(name: str):
    """The content of cases/<name>.yaml."""
    return yaml.safe_load((Path(__file__).parent / "cases" / f"{name}.yaml").read_text(encoding="utf-8"))


def route(**changes):
    """A valid route as the table has it, with changes."""
    base = {"host": "api.example.com", "port": 443, "methods": None, "paths": [], "auth": None}
    return base | {"client_auth": False, "websocket": False} | changes


def document(*routes, allowlist=()):
    """A document with these routes."""
    return {"version": 1, "routes": list(routes), "allowlist": list(allowlist)}
