"""The patches of mitmproxy, all of them: subclasses put in the place of six classes, guarded by source hashes.

mitmproxy's hooks can't carry a wall: one that raises is swallowed and the request goes on. So the decision stands
in the request's own state machine (`GatedStream.check_killed`, which every way upstream passes), the last check in
front of the socket (`GatedHandler.open_connection`), and whatever crashes closes its connection. `install` refuses
when any of the patched modules is not, byte for byte, the one these patches were written for.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import logging
import re
from pathlib import Path
from typing import ClassVar

from mitmproxy import http
from mitmproxy.proxy import commands, events, mode_servers
from mitmproxy.proxy.layers import http as http_layer
from mitmproxy.proxy.layers import websocket
from mitmproxy.proxy.layers.http import _http1 as http1

from bottle_egress import refusal
from bottle_egress.gate import Gate
from bottle_egress.judge import Allowed, Facts, Identity, Refused, refused

logger = logging.getLogger(__name__)

VERSION = "12.2.3"
SOURCES = {
    "mitmproxy.proxy.layer": "c45454046edfdf03a62642405857fbf48d309c9cd1112e5d0f605cf6ccc79a13",
    "mitmproxy.proxy.layers.http": "0e7b3474f7febddcf81cb69685f3cd9a3b7af9c849ae47925add565e9ed67d4c",
    "mitmproxy.proxy.layers.http._http1": "a2ed8918f1c4a0704715a6881acc82249a92ff147909f250a22a7a2edb0aa6ee",
    "mitmproxy.proxy.layers.http._upstream_proxy": "9205bd003b1f96ceef9691b7a196bd49931022fa2e21d699996d60eca7fae94a",
    "mitmproxy.proxy.layers.tls": "76e315d8e64355a757183d3f4dbace43550ce4092d1907547ed9ddf40c6a2c39",
    "mitmproxy.proxy.layers.websocket": "1c3e6090aa92f884a2813c2c988be9ec20afc4cd2170a3de36f5bc3689926fb4",
    "mitmproxy.proxy.mode_servers": "1b980ec81b97843fa37ca182c2bcabef0d3eb3a685af8aecf1e5d5f7964abd7d",
    "mitmproxy.proxy.server": "8e7a49721801ffc20acfe9e8dd723a0c65dfb14933832bca70137c17e352bcbe",
    "mitmproxy.net.http.http1.read": "ecc1c13bd4467ac776c009c03149dd487771e0c7753721038229830f3e0d8cb4",
    "mitmproxy.net.http.validate": "9c77e4d6c20f54f34afed14cad61e5ca5bd6494adc32e2babadc971aa4f23385",
}

MAX_HEAD = 64 * 1024
MAX_RESPONSE_HEAD = 256 * 1024
MAX_PIPELINED = 64 * 1024
MAX_DRAIN = 1024 * 1024
MAX_WEBSOCKET_MESSAGE = 32 * 1024 * 1024
MAX_CONNECTIONS = 512

_END_OF_HEAD = re.compile(rb"\n\r?\n")
_REQUEST_LINE = re.compile(rb"[!-~]+ [!-~\x80-\xff]+ HTTP/[0-9]\.[0-9]")
_INTERIM = re.compile(rb"HTTP/1\.[01] 1(?!01)[0-9]{2}[ \r]")


class UnknownMitmproxy(Exception):
    """The installed mitmproxy is not the one that the patches were written for."""


def source_hash(module: str) -> str:
    """SHA-256 of a module's source file."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise UnknownMitmproxy(f"{module} is missing")
    return hashlib.sha256(Path(spec.origin).read_bytes()).hexdigest()


def install(gate: Gate) -> None:
    """Put the gate into mitmproxy. Raises UnknownMitmproxy and changes nothing when any guard fails."""
    if (version := importlib.metadata.version("mitmproxy")) != VERSION:
        raise UnknownMitmproxy(f"mitmproxy is {version}, not {VERSION}")
    for module, expected in SOURCES.items():
        if source_hash(module) != expected:
            raise UnknownMitmproxy(f"the source of {module} differs")
    GatedStream.gate = GatedHandler.gate = BoundedServer.gate = gate
    http_layer.HttpStream = GatedStream
    http_layer.Http1Server = BoundedServer
    http_layer.Http1Client = BoundedClient
    websocket.WebsocketLayer = BoundedWebSocket
    mode_servers.ProxyConnectionHandler = GatedHandler


def _may_be_http(head: bytes) -> bool:
    """Whether these bytes are, or could still become, the head of a request."""
    line, newline, _ = head.lstrip(b"\r\n").partition(b"\n")
    return _REQUEST_LINE.fullmatch(line.rstrip(b"\r")) is not None if newline else line[:1].isalpha() or not line


class GatedStream(http_layer.HttpStream):
    """One request and its response. Nothing goes upstream before the gate has said so."""

    gate: ClassVar[Gate]
    _verdict: Allowed | Identity | Refused | None = None
    _scheme_as_sent: bytes = b""
    _ends_with_head: bool = False

    def state_wait_for_request_headers(self, event):
        self._scheme_as_sent = event.request.data.scheme
        self._ends_with_head = event.end_stream
        yield from super().state_wait_for_request_headers(event)

    def check_invalid(self, request):
        invalid = yield from super().check_invalid(request)
        if invalid and request:
            self.gate.note(refused(self._facts(), "malformed", "the request is not valid HTTP", status=400))
        return invalid

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
            if self.flow.response.status_code == 101 and not self._verdict.websocket:
                self.client_state = self.server_state = self.state_errored
                self._over()
                yield commands.CloseConnection(self.context.client)
                return True
            self.flow.response.stream = True
        return False

    def flow_done(self):
        yield from super().flow_done()
        if not self.flow.websocket:
            self._over()

    def handle_protocol_error(self, event):
        self._over()
        yield from super().handle_protocol_error(event)

    def _over(self) -> None:
        self.gate.finished(self.context.client.id, self.stream_id)

    def _decide(self) -> Allowed | Identity | Refused:
        facts = self._facts()
        if facts.method == b"CONNECT" and facts.tunnel is None:
            return self.gate.admit_tunnel(facts)
        return self.gate.admit(self.context.client.id, self.stream_id, facts)

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
        """The authority of an absolute-form target; stock code clears the field in regular mode."""
        request = self.flow.request.data
        if request.authority or not self._scheme_as_sent:
            return request.authority
        return f"{request.host}:{request.port}".encode()

    def _apply(self, allowed: Allowed) -> None:
        request, identity = self.flow.request, allowed.identity
        request.data.headers = http.Headers(allowed.headers)
        request.data.path = allowed.target
        request.data.scheme = b"https" if identity.tls else b"http"
        request.data.host, request.data.port = identity.host, identity.port
        absolute = self.mode is http_layer.HTTPMode.upstream
        request.data.authority = request.data.headers["Host"].encode() if absolute else b""
        request.stream = True
        if identity.tls:
            self.flow.server_conn.sni = identity.host

    def _refuse(self, verdict: Refused):
        """Answer at once, even while a body still arrives; the rest of it is drained within bounds."""
        content = refusal.body(verdict)
        response = http.Response.make(
            verdict.status, content, {"Content-Type": "application/json", "Cache-Control": "no-store"}
        )
        if not self._ends_with_head:
            response.headers["Connection"] = "close"
        client = self.context.client
        self.client_state = self.server_state = self.state_errored
        self.flow.live = False
        yield http_layer.SendHttp(http_layer.ResponseHeaders(self.stream_id, response, False), client)
        if self.flow.request.method.upper() != "HEAD":
            yield http_layer.SendHttp(http_layer.ResponseData(self.stream_id, content), client)
        yield http_layer.SendHttp(http_layer.ResponseEndOfMessage(self.stream_id), client)
        yield http_layer.DropStream(self.stream_id)


class BoundedServer(http1.Http1Server):
    """The side that reads requests: bounded heads, and nothing that is not HTTP."""

    gate: ClassVar[Gate]
    _drained = 0

    def read_headers(self, event):
        if isinstance(event, events.DataReceived) and self.buf:
            if len(self.buf) > MAX_HEAD and not _END_OF_HEAD.search(bytes(self.buf)[:MAX_HEAD]):
                yield commands.SendData(self.conn, http1.make_error_response(431, "request head too large"))
                yield from self._close("the request head is too large")
                return
            if (len(self.buf) == len(event.data) or b"\n" in event.data) and not _may_be_http(bytes(self.buf)):
                yield from self._close("the bytes are not HTTP")
                return
        yield from super().read_headers(event)
        if self.state == self.done and self.request is None:
            self.gate.note_bytes("the request is not valid HTTP")

    def read_body(self, event):
        if self.response_done and isinstance(event, events.DataReceived):
            self._drained += len(event.data)
            if self._drained > MAX_DRAIN and http1.http1.connection_close("HTTP/1.1", self.response.headers):
                self.state = self.done
                yield commands.CloseConnection(self.conn)
                return
        yield from super().read_body(event)

    def wait(self, event):
        if isinstance(event, events.DataReceived) and len(self.buf) > MAX_PIPELINED:
            yield from self._close("too much is sent before the answer")
            return
        yield from super().wait(event)

    def _close(self, reason: str):
        self.gate.note_bytes(reason)
        waiting = self.state == self.wait
        self.state = self.done
        yield commands.CloseConnection(self.conn)
        if waiting:
            code = http1.ErrorCode.CLIENT_DISCONNECTED
            yield http1.ReceiveHttp(http1.RequestProtocolError(self.stream_id, reason, code=code))


class BoundedClient(http1.Http1Client):
    """The side that reads responses: bounded heads; interim responses other than 101 are skipped."""

    def read_headers(self, event):
        if isinstance(event, events.DataReceived) and self.request:
            while _INTERIM.match(bytes(self.buf)[:32]):
                if self.buf.maybe_extract_lines() is None:
                    break
            if len(self.buf) > MAX_RESPONSE_HEAD and not _END_OF_HEAD.search(bytes(self.buf)):
                yield commands.CloseConnection(self.conn)
                yield http1.ReceiveHttp(
                    http1.ResponseProtocolError(
                        self.stream_id, "response head too large", http1.ErrorCode.GENERIC_SERVER_ERROR
                    )
                )
                return
            if not self.buf:
                return
        yield from super().read_headers(event)


class BoundedWebSocket(websocket.WebsocketLayer):
    """A WebSocket whose messages, which stock code collects whole, are bounded."""

    def relay_messages(self, event):
        yield from super().relay_messages(event)
        if any(sum(map(len, end.frame_buf)) > MAX_WEBSOCKET_MESSAGE for end in (self.client_ws, self.server_ws)):
            yield commands.CloseConnection(self.context.server)
            yield commands.CloseConnection(self.context.client)
            self._handle_event = self.done


class _CloseOnCrash:
    """A top layer that turns an exception into the end of the connection, where stock code leaves it hanging."""

    def __init__(self, layer, client) -> None:
        self._layer = layer
        self._client = client

    def handle_event(self, event):
        try:
            yield from self._layer.handle_event(event)
        except Exception as error:
            logger.error("a layer crashed", exc_info=error)
            yield commands.CloseConnection(self._client)


class GatedHandler(mode_servers.ProxyConnectionHandler):
    """One client connection: counted, closed when anything crashes, without sockets that the gate did not admit."""

    gate: ClassVar[Gate]
    count: ClassVar[int] = 0
    _heard: ClassVar[dict[str, bool]] = {}

    async def handle_client(self) -> None:
        if GatedHandler.count >= MAX_CONNECTIONS:
            self.gate.note_bytes("too many connections")
            self.transports.pop(self.client).writer.close()
            return
        GatedHandler.count += 1
        try:
            self.layer = _CloseOnCrash(self.layer, self.client)
            await super().handle_client()
        finally:
            GatedHandler.count -= 1
            self.gate.disconnected(self.client.id)

    async def open_connection(self, command) -> None:
        address = command.connection.address
        if not (address and self.gate.may_connect(self.client.id, tuple(address[:2]))):
            command.connection.error = "refused"
            logger.error("a connection was asked for that no request needs")
            await self.server_event(events.OpenConnectionCompleted(command, "refused"))
            return
        await super().open_connection(command)

    async def handle_hook(self, hook) -> None:
        """Run a hook, at no cost when nothing listens: stock code walks all addons twice for each."""
        addons = self.master.addons
        if hook.name not in self._heard:
            self._heard[hook.name] = any(getattr(addon, hook.name, None) for addon in addons.chain)
        if self._heard[hook.name]:
            with self.timeout_watchdog.disarm():
                await addons.trigger_event(hook)

    def abort(self) -> None:
        """Cut the client and all its servers at once, unsent data included."""
        for transport in list(self.transports.values()):
            if transport.writer is not None:
                transport.writer.transport.abort()
            if transport.handler is not None:
                transport.handler.cancel("no longer allowed")
