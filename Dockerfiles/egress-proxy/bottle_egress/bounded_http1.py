"""HTTP/1 read within bounds, on the side of the client and on the side of the server."""

from __future__ import annotations

import re
from typing import ClassVar

from h11 import EndOfMessage, RemoteProtocolError
from mitmproxy.connection import ConnectionState
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.layers import http as http_layer
from mitmproxy.proxy.layers.http import _http1 as http1

from bottle_egress import obstacle
from bottle_egress.admission import Admission
from bottle_egress.error_pages import error_page, refusal_of
from bottle_egress.judge import MAX_FIELDS
from bottle_egress.pace import Phase

MAX_HEAD = 64 * 1024
MAX_RESPONSE_HEAD = 256 * 1024
MAX_RESPONSE_FIELDS = 1024
MAX_INTERIM_RESPONSES = 64
MAX_CHUNK = 1 << 53
MAX_UNREAD = 64 * 1024
MAX_DRAIN = 1024 * 1024

_END_OF_HEAD = re.compile(rb"\n\r?\n")
_REQUEST_LINE = re.compile(rb"[!-~]+ [!-~\x80-\xff]+ HTTP/[0-9]\.[0-9]")
STATUS_LINE = re.compile(rb"HTTP/1\.[01] [1-9][0-9]{2}[ \r\n]")
_INTERIM = re.compile(rb"HTTP/1\.[01] 1(?!01)[0-9]{2}[ \r\n]")
STATUS_LINE_SIZE = len(b"HTTP/1.1 200 ")
_BEGUN_CHUNK = re.compile(rb"[0-9A-Fa-f]{0,20}(?:[ \t]*\r?|;[^\n]*)")


def body_reader(size: int | None):
    """A reader of a body that drops trailers, which stock code can't handle.

    It also fails as soon as a chunk's first line can't become valid. Stock code would wait for the end of that line,
    which never comes after a bare line feed.
    """
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
    """The commands of a body's reader, with all chunks of one read joined: each piece costs the same from here on."""
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


def _may_be_http(head: bytes) -> bool:
    """Whether these bytes are, or could still become, the head of a request. Empty lines in front are already gone."""
    line, newline, _ = head.partition(b"\n")
    return _REQUEST_LINE.fullmatch(line.rstrip(b"\r")) is not None if newline else line[:1].isalpha() or not line


def _has_more_fields(head: bytes, most: int) -> bool:
    """Whether a head, complete or not, has more than `most` fields."""
    end = _END_OF_HEAD.search(head)
    return head.count(b"\n", 0, end.start() if end else len(head)) > most + (end is None)


class BoundedServer(http1.Http1Server):
    """The side of the client: request heads within bounds, and nothing that is not HTTP."""

    admission: ClassVar[Admission]
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
            self.conn.pace.enter(Phase.REFUSED)  # this answer ends when the connection closes

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
                pace.resume(*self._before_head)  # empty lines do not begin a head
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
        stream = self.stream_id  # a later request in the same read has its own errors
        for command in _joined(super().read_body(event)):
            broken = isinstance(command, http1.ReceiveHttp) and isinstance(command.event, http1.RequestProtocolError)
            if broken and command.event.stream_id == stream and isinstance(event, events.DataReceived):
                self.admission.note(refusal_of(self.request, 400, "malformed", "the body is not framed as HTTP says"))
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
        """Log a refusal, answer if there is a status, and close the connection."""
        verdict = refusal_of(self.request, status or 400, rule, reason)
        self.admission.note(verdict)
        if status is not None:
            page = error_page(verdict, close=True)
            yield commands.SendData(self.conn, http1.http1.assemble_response(page))
        under_way = self.state in (self.wait, self.read_body)
        self.state = self.done
        yield commands.CloseConnection(self.conn)
        if under_way:
            code = http1.ErrorCode.CLIENT_DISCONNECTED
            yield http1.ReceiveHttp(http1.RequestProtocolError(self.stream_id, reason, code=code))


class BoundedClient(http1.Http1Client):
    """The side of the server: response heads within bounds; interim responses except 101 are skipped, up to a limit."""

    _interim = 0

    def read_headers(self, event):
        if isinstance(event, events.DataReceived) and self.request:
            while _INTERIM.match(bytes(self.buf)[:STATUS_LINE_SIZE]) and self.buf.maybe_extract_lines() is not None:
                self._interim += 1
            head = bytes(self.buf)
            if (
                self._interim > MAX_INTERIM_RESPONSES
                or (len(head) >= STATUS_LINE_SIZE and not STATUS_LINE.match(head))
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
