"""DELIBERATELY UNSAFE, for tests only: the addon that one writes first.

It asks the request for its host, compares the beginning of the path, adds the credential, and answers 403 otherwise.
All that makes this no wall (which host that is, when it is asked, what an exception does, what is not HTTP) is what
`bottle_egress` is there for. The table and the proof of its loading are those of the real proxy.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from datetime import UTC, datetime
from pathlib import Path

from bottle_egress import loading
from mitmproxy import http


class NaiveRules:
    """Host, method and path as the request claims them."""

    def __init__(self) -> None:
        self._secrets = {key: value for key, value in os.environ.items() if key.startswith("BOTTLE_CREDENTIAL_")}
        self._policy = loading.Policy(Path("/etc/egress-proxy/routes.yaml"), self._secrets)

    def running(self) -> None:
        """Load the table, and again on each SIGHUP."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._load)
        self._load()

    def request(self, flow: http.HTTPFlow) -> None:
        """Let a listed host and path through with its credential; refuse the rest."""
        request = flow.request
        route = self._policy.table.route(request.pretty_host) if self._policy.table else None
        if route is None:
            self._refuse(flow, "host")
        elif route.methods is not None and request.method not in route.methods:
            self._refuse(flow, "method")
        elif route.paths and not request.path.startswith(tuple(route.paths)):
            self._refuse(flow, "path")
        elif route.auth:
            scheme = f"{route.auth.scheme} " if route.auth.scheme else ""
            request.headers[route.auth.header] = scheme + self._secrets[route.auth.slot]

    def _load(self) -> None:
        loading.confirm(Path("/run/bottle/loaded"), self._policy.load())

    @staticmethod
    def _refuse(flow: http.HTTPFlow, rule: str) -> None:
        request = flow.request
        line = {
            "time": datetime.now(UTC).isoformat(),
            "event": "refused",
            "host": request.pretty_host,
            "method": request.method,
            "path": request.path,
            "rule": rule,
            "reason": "naive",
        }
        print(json.dumps(line), flush=True)
        flow.response = http.Response.make(403, b"refused\n")


addons = [NaiveRules()]
