"""Refusals as mitmproxy's HTTP responses, in place of its own pages, which name addresses and the program."""

from __future__ import annotations

from mitmproxy import http

from bottle_egress import refusal
from bottle_egress.judge import Refused


def refusal_of(request: http.Request | None, status: int, rule: str, reason: str) -> Refused:
    """A refusal of a request as it is now; of bytes that did not become a request when it is None."""
    if request is None:
        return Refused(status, rule, reason, "", "", "")
    path = request.data.path.decode("latin-1").partition("?")[0]
    method, port = request.data.method.decode("latin-1"), request.data.port or None
    return Refused(status, rule, reason, request.data.host, method, path, port=port)


def error_page(verdict: Refused, *, close: bool) -> http.Response:
    response = http.Response.make(
        verdict.status, refusal.body(verdict), {"Content-Type": "application/json", "Cache-Control": "no-store"}
    )
    if close:
        response.headers["Connection"] = "close"
    return response
