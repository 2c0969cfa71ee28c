"""The choke point: a request in mitmproxy's own state machine, which sends nothing upstream before it is admitted."""

from __future__ import annotations

from typing import ClassVar

from mitmproxy import http
from mitmproxy.proxy import commands
from mitmproxy.proxy.layers import http as http_layer

from bottle_egress import obstacle, upgrade
from bottle_egress.admission import Admission
from bottle_egress.error_pages import error_page, refusal_of
from bottle_egress.judge import Allowed, Facts, Identity, Refused, refused
from bottle_egress.obstacle import Obstacle
from bottle_egress.pace import Phase

_DOUBTFUL = frozenset({"version", "header", "malformed", "upgrade"})
"""Rules after whose refusal the connection ends: what follows may be no request."""
_UNFRAMED = frozenset({"version", "malformed"})
"""Those of them where the length of the body is unknown: nothing more is read."""


class AdmittedStream(http_layer.HttpStream):
    """One request and its response. Nothing goes upstream before the request is admitted."""

    admission: ClassVar[Admission]
    _verdict: Allowed | Identity | Refused | None = None
    _scheme_as_sent: bytes = b""
    _ends_with_head: bool = False
    _ended_early: bool = False

    def state_wait_for_request_headers(self, event):
        self.context.client.pace.enter(Phase.BUSY)
        self._scheme_as_sent = event.request.data.scheme
        self._ends_with_head = event.end_stream
        yield from super().state_wait_for_request_headers(event)

    def check_invalid(self, request):
        if not request:
            return (yield from super().check_invalid(request))
        if http_layer.validate_request(self.mode, self.flow.request, True):
            self._verdict = refused(self._facts(), "malformed", "the request is not valid HTTP", status=400)
            self.admission.note(self._verdict)
            yield from self._refuse(self._verdict)
            return True
        if self.mode is not http_layer.HTTPMode.transparent and not self.flow.request.host:
            # Stock code would take the destination from the Host header, and send its own answer when there is none.
            self._verdict = self._decide()
            if isinstance(self._verdict, Refused):
                yield from self._refuse(self._verdict)
                return True
        return False

    def check_killed(self, emit_error_hook):
        """The choke point: stock code calls it after each hook and before each step towards the server."""
        if (yield from super().check_killed(emit_error_hook)):
            self._over()
            return True
        if self.client_state == self.state_errored:
            return False
        if self._verdict is None:
            self._verdict = self._decide()
            if isinstance(self._verdict, Allowed):
                self._apply(self._verdict)
        if isinstance(self._verdict, Refused):
            yield from self._refuse(self._verdict)
            return True
        if self.flow.response is not None and isinstance(self._verdict, Allowed):
            if self.flow.response.status_code == 101 and not self._opens_websocket(self._verdict):
                killed = http_layer.RequestProtocolError(self.stream_id, "switched", http_layer.ErrorCode.KILL)
                yield http_layer.SendHttp(killed, self.context.server)
                yield from self._unanswered(obstacle.SWITCHED)
                return True
            self.flow.response.stream = True
        return False

    def make_server_connection(self):
        """As in stock code, but with a time limit, and with our own answer on failure."""
        pace, request, via = self.context.client.pace, self.flow.request, self.flow.server_conn.via
        pace.enter(Phase.CONNECTING)
        connection, failure = yield http_layer.GetHttpConnection(
            (request.host, request.port), request.scheme == "https", via, "tcp"
        )
        timed_out, pace.timed_out = pace.timed_out, False
        pace.enter(Phase.BUSY)
        if failure:
            if timed_out:
                failure = obstacle.SLOW
            yield from self._unanswered(failure if isinstance(failure, Obstacle) else obstacle.UNREACHABLE)
            return False
        self.context.server = self.flow.server_conn = connection
        return True

    def send_response(self, already_streamed=False):
        """As in stock code, which waits for the end of the request before it sends the end of the answer."""
        yield from super().send_response(already_streamed)
        is_early = self.server_state == self.state_done and self.client_state == self.state_stream_request_body
        if is_early and self.flow.response.status_code != 101:
            self._ended_early = True
            yield http_layer.SendHttp(http_layer.ResponseEndOfMessage(self.stream_id), self.context.client)

    def handle_connect_finish(self):
        self.context.client.pace.enter(Phase.GREETING)
        yield from super().handle_connect_finish()

    def flow_done(self):
        for command in super().flow_done():
            ends = isinstance(command, http_layer.SendHttp) and isinstance(
                command.event, http_layer.ResponseEndOfMessage
            )
            if not (ends and self._ended_early):
                yield command
        if not self.flow.websocket:
            self._over()

    def handle_protocol_error(self, event):
        self._over()
        from_server = isinstance(event, http_layer.ResponseProtocolError)
        if from_server and isinstance(self._verdict, Allowed) and self.flow.response is None:
            yield from self._unanswered(obstacle.UNANSWERED)
        else:
            yield from super().handle_protocol_error(event)

    def _over(self) -> None:
        self.admission.finished(self.context.client.id, self.stream_id)

    def _decide(self) -> Allowed | Identity | Refused:
        facts = self._facts()
        if facts.method == b"CONNECT" and facts.tunnel is None:
            return self.admission.admit_tunnel(facts)
        return self.admission.admit(self.context.client.id, self.stream_id, facts)

    def _facts(self) -> Facts:
        request, client = self.flow.request.data, self.context.client
        inside = self.mode is http_layer.HTTPMode.transparent
        return Facts(
            method=request.method,
            target=request.path,
            scheme=self._scheme_as_sent,
            authority=request.authority if inside or request.method == b"CONNECT" else self._proxy_authority(),
            version=request.http_version,
            headers=request.headers.fields,
            tunnel=self.context.server.address if inside else None,
            tls=client.tls_established,
            sni=client.sni,
        )

    def _proxy_authority(self) -> bytes:
        """The authority of an absolute-form target, which stock code clears in regular mode."""
        request = self.flow.request.data
        if request.authority or not self._scheme_as_sent:
            return request.authority
        return f"{request.host}:{request.port}".encode()

    def _apply(self, allowed: Allowed) -> None:
        request, identity = self.flow.request, allowed.identity
        headers = upgrade.without_extensions(allowed.headers) if allowed.websocket else allowed.headers
        request.data.headers = http.Headers(headers)
        request.data.path = allowed.target
        request.data.scheme = b"https" if identity.tls else b"http"
        request.data.host, request.data.port = identity.host, identity.port
        absolute = self.mode is http_layer.HTTPMode.upstream
        request.data.authority = request.data.headers["Host"].encode() if absolute else b""
        request.stream = True
        if identity.tls:
            self.flow.server_conn.sni = identity.host

    def _opens_websocket(self, allowed: Allowed) -> bool:
        request, response = self.flow.request.data, self.flow.response.data
        return allowed.websocket and upgrade.opens_websocket(request.headers.fields, response.headers.fields)

    def _unanswered(self, reason: Obstacle):
        """Answer in the place of a server that did not, and log it."""
        verdict = refusal_of(self.flow.request, reason.status, reason.rule, reason.reason)
        self.admission.note(verdict)
        yield from self._refuse(verdict)

    def _refuse(self, verdict: Refused):
        """Answer at once, even while a body still arrives; the rest of the body is read and dropped, within bounds."""
        self._over()
        close = not self._ends_with_head or verdict.rule in _DOUBTFUL or verdict.status >= 500
        response, client = error_page(verdict, close=close), self.context.client
        self.client_state = self.server_state = self.state_errored
        self.flow.live = False
        client.pace.enter(Phase.REFUSED)
        yield http_layer.SendHttp(http_layer.ResponseHeaders(self.stream_id, response, False), client)
        if self.flow.request.method.upper() != "HEAD":
            yield http_layer.SendHttp(http_layer.ResponseData(self.stream_id, response.raw_content), client)
        yield http_layer.SendHttp(http_layer.ResponseEndOfMessage(self.stream_id), client)
        yield http_layer.DropStream(self.stream_id)
        if verdict.rule in _UNFRAMED:
            yield commands.CloseConnection(client)
