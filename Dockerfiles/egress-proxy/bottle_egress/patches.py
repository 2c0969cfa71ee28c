"""Every patch of mitmproxy's internals, and the reason for it.

mitmproxy's hooks can't carry a wall: one that raises is swallowed and the request goes on. So the decision stands
in the request's own state machine (`GatedStream.check_killed`, which every way upstream passes), the last check in
front of the socket (`GatedHandler.open_connection`), and whatever crashes closes its connection. What stock code
collects without a bound (heads, trailers, messages, greetings, bodies whose server isn't there yet, connections) is
bounded here, and its error pages, which name addresses and the program, are replaced. `install` refuses when any of
the patched modules is not, byte for byte, the one these patches were written for.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import logging
import re
import socket
from typing import ClassVar

from h11 import EndOfMessage, RemoteProtocolError
from mitmproxy import http
from mitmproxy.connection import ConnectionState
from mitmproxy.net import tls as net_tls
from mitmproxy.proxy import commands, events, mode_servers
from mitmproxy.proxy.layers import http as http_layer
from mitmproxy.proxy.layers import tls, websocket
from mitmproxy.proxy.layers.http import _http1 as http1
from mitmproxy.proxy.layers.http import _upstream_proxy as upstream_proxy
from OpenSSL import SSL
from wsproto import events as frames

from bottle_egress import listening, obstacle, pinned, refusal, upgrade
from bottle_egress.authority import closed_context
from bottle_egress.gate import Gate
from bottle_egress.inbox import Inbox
from bottle_egress.judge import MAX_FIELDS, Allowed, Facts, Identity, Refused, refused
from bottle_egress.obstacle import Obstacle
from bottle_egress.pace import REACHING, Pace, Phase

logger = logging.getLogger(__name__)

MAX_HEAD = 64 * 1024
MAX_RESPONSE_HEAD = 256 * 1024
MAX_RESPONSE_FIELDS = 1024
MAX_INTERIM_RESPONSES = 64
MAX_CHUNK = 1 << 53
MAX_UNREAD = 64 * 1024
MAX_DRAIN = 1024 * 1024
MAX_GREETING = 32 * 1024
MAX_CONNECTIONS = 512
MAX_SERVERS = 4
COLLECT_AFTER = 128
READ_SIZE = 64 * 1024
WIDE_READ_SIZE = 216 * 1024
"""A piece costs Python the same whatever its size. From 128 KiB on malloc would ask the kernel for each, which costs
more than it brings, but for what the entrypoint tells it."""
MAX_WIDE = 4
"""With so few connections each may read widely: a body costs less of the processor so, but more memory."""
MANY = 64
CROWDED_READ_SIZE = 16 * 1024
"""With more connections than that each reads in small pieces: buffers in four places keep the size of the largest."""
FLUSH_SECONDS = 5.0
STALLED_SECONDS = 5.0

_END_OF_HEAD = re.compile(rb"\n\r?\n")
_REQUEST_LINE = re.compile(rb"[!-~]+ [!-~\x80-\xff]+ HTTP/[0-9]\.[0-9]")
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] [1-9][0-9]{2}[ \r\n]")
_INTERIM = re.compile(rb"HTTP/1\.[01] 1(?!01)[0-9]{2}[ \r\n]")
_STATUS_LINE_SIZE = len(b"HTTP/1.1 200 ")
_BEGUN_CHUNK = re.compile(rb"[0-9A-Fa-f]{0,20}(?:[ \t]*\r?|;[^\n]*)")
_SPOKEN = frozenset({b"http/1.1", b"http/1.0"})
_NO_APPLICATION_PROTOCOL = bytes.fromhex("15 0303 0002 02 78")
_WIDE_PIECE = WIDE_READ_SIZE + 17 * 1024  # a read may complete the record that was waiting for it
_STOCK_PIECE = 65535
_RECORD = 16 * 1024
_room = SSL._ffi.new_allocator(should_clear_after_alloc=False)
_GONE = frozenset({7, 8})  # TCP_CLOSE and TCP_CLOSE_WAIT of linux/tcp.h
_DOUBTFUL = frozenset({"version", "header", "malformed", "upgrade"})
"""Rules after whose refusal the connection ends: what follows may be no request."""
_UNFRAMED = frozenset({"version", "malformed"})
"""Those of them where nobody can say how long the body is: nothing more is read."""


def install(gate: Gate) -> None:
    """Put the gate into mitmproxy. Raises UnknownMitmproxy and changes nothing when any guard fails."""
    pinned.check()
    for patched in (GatedStream, GatedHandler, BoundedServer, BoundedGreeting):
        patched.gate = gate
    http_layer.HttpStream = GatedStream
    http_layer.Http1Server = BoundedServer
    http_layer.Http1Client = BoundedClient
    http1.make_body_reader = _body_reader
    http1.ReceiveBuffer = Inbox
    tls.ServerTLSLayer = VerifiedTLS
    upstream_proxy.HttpUpstreamProxy = FirewallTunnel
    websocket.WebsocketLayer = RelayedWebSocket
    net_tls.create_client_proxy_context = _closed(net_tls.create_client_proxy_context)
    net_tls.create_proxy_server_context = _closed(net_tls.create_proxy_server_context)
    mode_servers.ProxyConnectionHandler = GatedHandler
    mode_servers.AsyncioServerInstance.listen = _listen


async def _listen(instance, host: str, port: int) -> list[asyncio.Server]:
    """Stock code listens on every device."""
    return [await asyncio.start_server(instance.handle_stream, sock=listening.open_listener(host, port))]


def _closed(make):
    """The maker of a TLS context, which stock code leaves open to resumption and renegotiation."""
    return functools.lru_cache(maxsize=8)(lambda **how: closed_context(make(**how)))


def _body_reader(size: int | None):
    """A reader of a body that drops trailers, with which stock code can't go on, and doesn't wait for the rest of a
    chunk's first line that can't become one: after a bare line feed no end of it would come."""
    read = _stock_body_reader(size)
    if size is not None:
        return read

    def read_without_trailers(buffer):
        event = read(buffer)
        if read._bytes_in_chunk > MAX_CHUNK:
            raise RemoteProtocolError("a chunk is larger than any body")
        begins_chunk = not (read._bytes_in_chunk or read._bytes_to_discard or read._reading_trailer)
        if event is None and begins_chunk and not _BEGUN_CHUNK.fullmatch(bytes(buffer)):
            raise RemoteProtocolError("no chunk begins like this")
        return EndOfMessage() if isinstance(event, EndOfMessage) else event

    read_without_trailers.read_eof = read.read_eof
    return read_without_trailers


_stock_body_reader = http1.make_body_reader


def _joined(received):
    """What a body's reader says, with all chunks of one read as one piece: each piece costs the same from here on."""
    pieces = []
    for command in received:
        if isinstance(command, http1.ReceiveHttp) and isinstance(command.event, http1.RequestData | http1.ResponseData):
            pieces.append(command.event)
            continue
        yield from _joint(pieces)
        pieces = []
        yield command
    yield from _joint(pieces)


def _joint(pieces):
    if pieces:
        first = pieces[0]
        data = first.data if len(pieces) == 1 else b"".join(piece.data for piece in pieces)
        yield http1.ReceiveHttp(type(first)(first.stream_id, data))


def _is_quiet() -> bool:
    """Whether there are so few connections that each may hold more."""
    return len(GatedHandler.all) <= MAX_WIDE


def _may_be_http(head: bytes) -> bool:
    """Whether these bytes, without empty lines before them, are, or could still become, the head of a request."""
    line, newline, _ = head.partition(b"\n")
    return _REQUEST_LINE.fullmatch(line.rstrip(b"\r")) is not None if newline else line[:1].isalpha() or not line


def _has_more_fields(head: bytes, most: int) -> bool:
    """Whether a head, whole or not yet, has more than so many fields."""
    end = _END_OF_HEAD.search(head)
    return head.count(b"\n", 0, end.start() if end else len(head)) > most + (end is None)


def _refusal(request: http.Request | None, status: int, rule: str, reason: str) -> Refused:
    """A refusal of a request as it is now, or of bytes that became none."""
    if request is None:
        return Refused(status, rule, reason, "", "", "")
    path = request.data.path.decode("latin-1").partition("?")[0]
    method, port = request.data.method.decode("latin-1"), request.data.port or None
    return Refused(status, rule, reason, request.data.host, method, path, port=port)


def _page(verdict: Refused, *, close: bool) -> http.Response:
    response = http.Response.make(
        verdict.status, refusal.body(verdict), {"Content-Type": "application/json", "Cache-Control": "no-store"}
    )
    if close:
        response.headers["Connection"] = "close"
    return response


class GatedStream(http_layer.HttpStream):
    """One request and its response. Nothing goes upstream before the gate has said so."""

    gate: ClassVar[Gate]
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
            self.gate.note(self._verdict)
            yield from self._refuse(self._verdict)
            return True
        if self.mode is not http_layer.HTTPMode.transparent and not self.flow.request.host:
            # Stock code would look for the destination in the Host header, and answer itself when there is none.
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
        """As in stock code, within a time, and with an answer of ours when it fails."""
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
        """As in stock code, which keeps the end of an answer from the client until its request has ended, too."""
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
        """Answer in the place of a server that did not, and put it on record."""
        verdict = _refusal(self.flow.request, reason.status, reason.rule, reason.reason)
        self.gate.note(verdict)
        yield from self._refuse(verdict)

    def _refuse(self, verdict: Refused):
        """Answer at once, even while a body still arrives; the rest of it is drained within bounds."""
        self._over()
        close = not self._ends_with_head or verdict.rule in _DOUBTFUL or verdict.status >= 500
        response, client = _page(verdict, close=close), self.context.client
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


class BoundedHttpLayer(http_layer.HttpLayer):
    """All requests of one connection. Stock code keeps every server connection it ever had."""

    def _handle_event(self, event):
        if isinstance(event, events.ConnectionEvent):
            known = event.connection in self.connections or event.connection == self.context.server
            if not known:
                return
        yield from super()._handle_event(event)

    def get_connection(self, event, *, reuse=True):
        if not self.waiting_for_establishment:
            for connection in list(self.connections):
                if connection is not self.context.client and not connection.connected:
                    del self.connections[connection]
        yield from super().get_connection(event, reuse=reuse)


class BoundedServer(http1.Http1Server):
    """The side that reads requests: bounded heads, and nothing that is not HTTP."""

    gate: ClassVar[Gate]
    _drained = 0
    _before_head = Phase.SILENT, 0.0

    def send(self, event):
        if isinstance(event, http_layer.ResponseProtocolError) and not self.response:
            status = event.code.http_status_code()
            if status is not None and self.conn.state & ConnectionState.CAN_WRITE:
                rule = "malformed" if status < 500 else obstacle.UNANSWERED.rule
                reason = "the request is not valid HTTP" if status < 500 else obstacle.UNANSWERED.reason
                yield from self._end(reason, status, rule)
                return
        yield from super().send(event)
        is_early = isinstance(event, http_layer.ResponseEndOfMessage) and self.response_done and not self.request_done
        if is_early and http1.http1.expected_http_body_size(self.request, self.response) == -1:
            self.conn.pace.enter(Phase.REFUSED)  # only the end of the connection tells the end of this answer

    def read_headers(self, event):
        if not isinstance(event, events.DataReceived):
            yield from super().read_headers(event)
            return
        if not self.buf:
            return
        pace = self.conn.pace
        if pace.phase is not Phase.HEAD:
            self._before_head = pace.phase, pace.since
            pace.enter(Phase.HEAD)
        if not event.data or len(self.buf) == len(event.data) or b"\n" in event.data:
            head = bytes(self.buf).lstrip(b"\r\n")
            if not _may_be_http(head):
                yield from self._end("the bytes are not HTTP")
                return
            if _has_more_fields(head, MAX_FIELDS):
                yield from self._end("the request has too many header fields", 431)
                return
        while (lines := self.buf.maybe_extract_lines()) == []:
            pass  # empty lines before a request line are skipped (RFC 9112, 2.2)
        if not lines:
            if not self.buf:
                pace.resume(*self._before_head)  # empty lines are no head that was begun
            elif len(self.buf) > MAX_HEAD:
                yield from self._end("the request head is too large", 431)
            return
        if sum(map(len, lines)) > MAX_HEAD:
            yield from self._end("the request head is too large", 431)
            return
        try:
            self.request = http1.http1.read_request_head([bytes(line) for line in lines])
            size = http1.http1.expected_http_body_size(self.request)
        except ValueError:
            yield from self._end("the request is not valid HTTP", 400)
            return
        yield http1.ReceiveHttp(http1.RequestHeaders(self.stream_id, self.request, size == 0))
        self.body_reader = http1.make_body_reader(size)
        self.state = self.read_body
        yield from self.state(event)

    def read_body(self, event):
        if isinstance(event, events.DataReceived):
            self.conn.pace.ahead += len(event.data)
            if self.response_done:
                self._drained += len(event.data)
                if self._drained > MAX_DRAIN and http1.http1.connection_close("HTTP/1.1", self.response.headers):
                    self.state = self.done
                    yield commands.CloseConnection(self.conn)
                    return
        stream = self.stream_id  # a request that follows in the same read tells of itself
        for command in _joined(super().read_body(event)):
            broken = isinstance(command, http1.ReceiveHttp) and isinstance(command.event, http1.RequestProtocolError)
            if broken and command.event.stream_id == stream and isinstance(event, events.DataReceived):
                self.gate.note(_refusal(self.request, 400, "malformed", "the body is not framed as HTTP says"))
            yield command
        if self.state == self.read_body and len(self.buf) > MAX_UNREAD:
            yield from self._end("a chunk's extension or the trailers are too large")

    def wait(self, event):
        if isinstance(event, events.DataReceived) and len(self.buf) > MAX_UNREAD:
            yield from self._end("too much is sent before the answer")
            return
        yield from super().wait(event)

    def mark_done(self, *, request=False, response=False):
        yield from super().mark_done(request=request, response=response)
        if self.state == self.read_headers:
            self._drained = 0
            if not self.buf:
                self.conn.pace.enter(Phase.IDLE)

    def _end(self, reason: str, status: int | None = None, rule: str = "malformed"):
        """Put it on record, answer if there is a status, and close."""
        verdict = _refusal(self.request, status or 400, rule, reason)
        self.gate.note(verdict)
        if status is not None:
            page = _page(verdict, close=True)
            yield commands.SendData(self.conn, http1.http1.assemble_response(page))
        under_way = self.state in (self.wait, self.read_body)
        self.state = self.done
        yield commands.CloseConnection(self.conn)
        if under_way:
            code = http1.ErrorCode.CLIENT_DISCONNECTED
            yield http1.ReceiveHttp(http1.RequestProtocolError(self.stream_id, reason, code=code))


class BoundedClient(http1.Http1Client):
    """The side that reads responses: bounded heads; interim responses other than 101 are skipped, up to a number."""

    _interim = 0

    def read_headers(self, event):
        if isinstance(event, events.DataReceived) and self.request:
            while _INTERIM.match(bytes(self.buf)[:_STATUS_LINE_SIZE]) and self.buf.maybe_extract_lines() is not None:
                self._interim += 1
            head = bytes(self.buf)
            if (
                self._interim > MAX_INTERIM_RESPONSES
                or (len(head) >= _STATUS_LINE_SIZE and not _STATUS_LINE.match(head))
                or (len(head) > MAX_RESPONSE_HEAD and not _END_OF_HEAD.search(head[:MAX_RESPONSE_HEAD]))
                or (b"\n" in event.data and _has_more_fields(head, MAX_RESPONSE_FIELDS))
            ):
                yield from self._fail("the response head is not HTTP or too large")
                return
            if not head:
                return
        yield from super().read_headers(event)
        if self.state != self.read_headers:
            self._interim = 0

    def read_body(self, event):
        if self.response_done and isinstance(event, events.DataReceived):
            yield from self._fail("the server goes on after its answer")
            return
        yield from _joined(super().read_body(event))
        if self.state == self.read_body and len(self.buf) > (0 if self.response_done else MAX_UNREAD):
            yield from self._fail("a chunk's extension or the trailers are too large, or more follows the answer")

    def _fail(self, reason: str):
        self.state = self.done
        yield commands.CloseConnection(self.conn)
        code = http1.ErrorCode.GENERIC_SERVER_ERROR
        yield http1.ReceiveHttp(http1.ResponseProtocolError(self.stream_id, reason, code))


class _WholeRecords:
    """A TLS layer that sends a wide read on in one piece, where stock code cuts it at 64 KiB, and copies less."""

    def receive_data(self, data):
        """As in stock code, which makes room for four records to read one, and copies each three times more."""
        if data:
            self.tls.bio_write(data)
        records = [self._read(len(data))]
        close = False
        try:
            while True:
                records.append(self.tls.recv(_RECORD))
        except SSL.WantReadError:
            pass
        except SSL.ZeroReturnError:
            close = True
        except SSL.Error as error:
            yield commands.Log(f"TLS Error: {error}", logging.WARNING)
        yield from self.tls_interact()
        if plain := b"".join(records):
            yield from self.event_to_child(events.DataReceived(self.conn, plain))
        if close:
            self.conn.state &= ~ConnectionState.CAN_READ
            yield from self.event_to_child(events.ConnectionClosed(self.conn))

    def _read(self, size: int) -> bytes:
        """What waits, up to a size. pyOpenSSL reads a record a call, with room, checks and a copy for each."""
        room, count = _room("char[]", size), 0
        while count < size and (more := SSL._lib.SSL_read(self.tls._ssl, room + count, size - count)) > 0:
            count += more
        return SSL._ffi.buffer(room, count)[:]

    def tls_interact(self):
        size = _WIDE_PIECE if _is_quiet() else _STOCK_PIECE
        records = None
        while records is None or len(records) == size:
            try:
                records = self.tls.bio_read(size)
            except SSL.WantReadError:
                return
            yield commands.SendData(self.conn, records)


class BoundedGreeting(_WholeRecords, tls.ClientTLSLayer):
    """TLS with the agent: a greeting of bounded size that knows HTTP/1."""

    gate: ClassVar[Gate]

    def receive_handshake_data(self, data):
        if not self.client_hello_parsed and len(self.recv_buffer) + len(data) > MAX_GREETING:
            self._note("malformed", "the TLS greeting is too large")
            return False, "too large"
        done, failure = yield from super().receive_handshake_data(data)
        if done:
            self.conn.pace.enter(Phase.IDLE)
        elif self.client_hello_parsed and self.conn.pace.phase is Phase.HELLO:
            self.conn.pace.turn(Phase.GREETING)
        return done, failure

    def start_tls(self):
        if self.conn.alpn_offers and not _SPOKEN.intersection(self.conn.alpn_offers):
            self._note("version", "the client speaks neither HTTP/1.1 nor HTTP/1.0")
            yield commands.SendData(self.conn, _NO_APPLICATION_PROTOCOL)
            yield commands.CloseConnection(self.conn)
            return
        yield from super().start_tls()

    def _note(self, rule: str, reason: str) -> None:
        host, port = self.context.server.address
        self.gate.note(Refused(400, rule, reason, host, "", "", port=port))


class FirewallTunnel(upstream_proxy.HttpUpstreamProxy):
    """The way through the firewall. Its answer is read within bounds and told by its status only."""

    def start_handshake(self):
        self.context.client.pace.enter(Phase.SECURING)
        yield from super().start_handshake()

    def receive_handshake_data(self, data):
        if not self.send_connect or _STATUS_LINE.match(bytes(self.buf) + data) is None:
            if len(self.buf) + len(data) > _STATUS_LINE_SIZE and self.send_connect:
                return False, obstacle.UNREACHABLE
            return (yield from super().receive_handshake_data(data))
        status = int((bytes(self.buf) + data)[9:12])
        done, failure = yield from super().receive_handshake_data(data)
        if failure:
            failure = obstacle.refused_by_firewall(status)
        elif not done and len(self.buf) > MAX_HEAD:
            failure = obstacle.UNREACHABLE
        return done, failure


class VerifiedTLS(_WholeRecords, tls.ServerTLSLayer):
    """TLS with a server, told in our words when it fails."""

    def start_handshake(self):
        self.context.client.pace.enter(Phase.SECURING)
        yield from super().start_handshake()

    def receive_handshake_data(self, data):
        done, failure = yield from super().receive_handshake_data(data)
        return done, obstacle.UNTRUSTED if failure else None


class RelayedWebSocket(websocket.WebsocketLayer):
    """A WebSocket that passes each piece of a message on at once, where stock code collects whole messages."""

    def relay_messages(self, event):
        source, target = self.client_ws, self.server_ws
        if event.connection != self.context.client:
            source, target = target, source
        source.receive_data(event.data if isinstance(event, events.DataReceived) else None)
        for frame in source.events():
            if isinstance(frame, frames.Message):
                if frame.data or frame.message_finished:
                    yield target.send2(type(frame)(data=frame.data, message_finished=frame.message_finished))
            elif isinstance(frame, frames.Ping | frames.Pong):
                yield target.send2(frame)
            else:
                for end in (self.server_ws, self.client_ws):
                    if end.state in (websocket.ConnectionState.OPEN, websocket.ConnectionState.REMOTE_CLOSING):
                        yield end.send2(frame)
                    yield commands.CloseConnection(end.conn)
                self.flow.live = False
                self._handle_event = self.done
                return


class _CloseOnCrash:
    """A top layer that turns an exception into the end of the connection, where stock code leaves it hanging."""

    def __init__(self, layer, client) -> None:
        self._layer = layer
        self._client = client

    def handle_event(self, event):
        try:
            yield from self._layer.handle_event(event)
        except Exception as error:
            yield commands.CloseConnection(self._client)
            logger.error("a layer crashed", exc_info=error)


class _PacedReader:
    """Reads as much at once as the number of connections permits, where stock code always asks for 64 KiB, and its
    transport takes up to 256 KiB at once. A piece that finds nothing waiting is passed on as it is, not copied."""

    def __init__(self, reader: asyncio.StreamReader, transport: asyncio.Transport) -> None:
        self._reader = reader
        self._transport = transport
        self._piece = b""
        self._feed = reader.feed_data
        reader.feed_data = self._receive

    async def read(self, _size: int) -> bytes:
        """The next bytes; none at the end."""
        size = CROWDED_READ_SIZE
        if len(GatedHandler.all) <= MANY:
            size = WIDE_READ_SIZE if _is_quiet() else READ_SIZE
        self._transport.max_size = size
        if not self._piece and (copied := await self._reader.read(size)):
            return copied
        piece, self._piece = self._piece, b""
        return piece

    def _receive(self, data: bytes) -> None:
        """Keep what the transport has read. With a second piece it waits in the reader, which stops the transport."""
        if not (self._piece or self._reader._buffer):
            self._piece = data
            self._reader._wakeup_waiter()
            return
        if self._piece:
            self._feed(self._piece)
            self._piece = b""
        self._feed(data)


class GatedHandler(mode_servers.ProxyConnectionHandler):
    """One client connection: counted, timed, closed when anything crashes, without sockets that no request needs."""

    gate: ClassVar[Gate]
    all: ClassVar[dict[GatedHandler, None]] = {}
    _heard: ClassVar[dict[str, bool]] = {}
    _ended: ClassVar[int] = 0

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.pace = self.client.pace = self.timeout_watchdog = Pace()

    @classmethod
    def sweep(cls, now: float) -> None:
        """End what has taken too long."""
        for handler in list(cls.all):
            try:
                if handler.pace.overdue(now):
                    handler._give_up()
                elif now - handler.pace.moved > STALLED_SECONDS and handler._is_deserted():
                    handler.abort()
            except Exception:
                logger.exception("a connection that took too long was not ended")

    async def handle_client(self) -> None:
        if len(self.all) >= MAX_CONNECTIONS and not self._make_room():
            self.gate.note_bytes("too many connections")
            self.transports.pop(self.client).writer.close()
            return
        self.all[self] = None
        try:
            self.layer = _CloseOnCrash(self.layer, self.client)
            await super().handle_client()
        finally:
            self.all.pop(self, None)
            self.gate.disconnected(self.client.id)
            self._collect()

    @classmethod
    def _collect(cls) -> None:
        """Free what closed connections held: mitmproxy's layers refer to each other in circles, buffers included."""
        cls._ended += 1
        if cls._ended >= COLLECT_AFTER:
            cls._ended = 0
            gc.collect()

    async def handle_connection(self, connection) -> None:
        ends = self.transports[connection]
        writer = ends.writer
        ends.reader = _PacedReader(ends.reader, writer.transport)
        try:
            await super().handle_connection(connection)
        finally:
            await self._settle(writer, FLUSH_SECONDS if connection is self.client else 0)

    async def drain_writers(self) -> None:
        """Wait until what was read is on its way: the client's reader for all, a server's for the client alone.

        In stock code each waits for all, so that a server that sends before it reads on is never read again.
        """
        client = self.transports.get(self.client)
        is_client = client is not None and client.handler is asyncio.current_task()
        for connection, transport in list(self.transports.items()):
            if transport.writer is not None and (is_client or connection is self.client):
                try:
                    await transport.writer.drain()
                except OSError as error:
                    if transport.handler is not None:
                        transport.handler.cancel(f"nothing can be sent: {error}")
        if is_client:
            await self.pace.catch_up()

    async def open_connection(self, command) -> None:
        address = command.connection.address
        if not (address and self.gate.may_connect(self.client.id, tuple(address[:2]))):
            command.connection.error = "refused"
            logger.error("a connection was asked for that no request needs")
            await self.server_event(events.OpenConnectionCompleted(command, "refused"))
            return
        servers = [each for each in self.transports if each not in (self.client, command.connection)]
        for idle in servers[: len(servers) + 1 - MAX_SERVERS]:
            self.close_connection(idle)
        await super().open_connection(command)

    async def handle_hook(self, hook) -> None:
        """Run a hook, at no cost when nothing listens: stock code walks all addons twice for each."""
        addons = self.master.addons
        if hook.name not in self._heard:
            self._heard[hook.name] = any(getattr(addon, hook.name, None) for addon in addons.chain)
        if self._heard[hook.name]:
            await addons.trigger_event(hook)

    def abort(self) -> None:
        """Cut the client and all its servers at once, unsent data included."""
        for transport in list(self.transports.values()):
            if transport.writer is not None:
                transport.writer.transport.abort()
            if transport.handler is not None:
                transport.handler.cancel("no longer allowed")

    def _give_up(self) -> None:
        if self.pace.phase in REACHING and not self.pace.timed_out:
            self.pace.timed_out = True
            for connection, transport in list(self.transports.items()):
                if connection is not self.client and transport.handler is not None:
                    transport.handler.cancel("too slow")
            return
        if self.pace.phase in (Phase.HEAD, Phase.GREETING, Phase.HELLO):
            self.gate.note_bytes("a request head or a TLS greeting was not whole in time")
        self.abort()

    def _is_deserted(self) -> bool:
        """Whether the client has closed, which nobody reads while an upload waits for its server."""
        transport = self.transports.get(self.client)
        peer = transport and transport.writer.get_extra_info("socket")
        if peer is None or peer.fileno() < 0:
            return False
        return peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] in _GONE

    def _make_room(self) -> bool:
        """Close the connection that has been without a request for longest; whether there was one."""
        waiting = [handler for handler in self.all if not handler.pace.is_live]
        if not waiting:
            return False
        oldest = min(waiting, key=lambda handler: handler.pace.since)
        del self.all[oldest]
        oldest.abort()
        return True

    @staticmethod
    async def _settle(writer: asyncio.StreamWriter, seconds: float) -> None:
        """Hold on to a closed connection until its peer took the rest; one that doesn't is cut.

        Stock code does neither, and leaves a connection open that is cancelled a second time while it closes.
        """
        if not writer.is_closing():
            writer.transport.abort()
        if writer.transport.get_write_buffer_size() == 0:
            return
        try:
            if seconds:
                with contextlib.suppress(TimeoutError, OSError):
                    async with asyncio.timeout(seconds):
                        await writer.wait_closed()
        finally:
            writer.transport.abort()
