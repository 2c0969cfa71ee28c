"""TLS with the agent and with servers: a bounded greeting, failures in our words, and records that pass whole."""

from __future__ import annotations

import functools
import logging
from typing import ClassVar

from mitmproxy.connection import ConnectionState
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.layers import tls
from OpenSSL import SSL

from bottle_egress import obstacle, reading
from bottle_egress.admission import Admission
from bottle_egress.authority import closed_context
from bottle_egress.judge import Refused
from bottle_egress.pace import Phase

MAX_GREETING = 32 * 1024

_SPOKEN = frozenset({b"http/1.1", b"http/1.0"})
_NO_APPLICATION_PROTOCOL = bytes.fromhex("15 0303 0002 02 78")
_WIDE_PIECE = reading.WIDE_READ_SIZE + 17 * 1024  # a read may complete the record that was waiting for it
_STOCK_PIECE = 65535
_RECORD = 16 * 1024
_room = SSL._ffi.new_allocator(should_clear_after_alloc=False)


def with_closed_contexts(make):
    """Wrap a function that makes TLS contexts: stock code allows resumption and renegotiation, these contexts don't."""
    return functools.lru_cache(maxsize=8)(lambda **how: closed_context(make(**how)))


class _WholeRecords:
    """A TLS layer that passes a large read on in one piece and copies less; stock code cuts it at 64 KiB."""

    def receive_data(self, data):
        """As in stock code, which allocates room for four records to read one, and copies each three times more."""
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
        """The decrypted bytes that wait, up to a size. pyOpenSSL allocates, checks and copies for each record."""
        room, count = _room("char[]", size), 0
        while count < size and (more := SSL._lib.SSL_read(self.tls._ssl, room + count, size - count)) > 0:
            count += more
        return SSL._ffi.buffer(room, count)[:]

    def tls_interact(self):
        size = _WIDE_PIECE if reading.is_quiet() else _STOCK_PIECE
        records = None
        while records is None or len(records) == size:
            try:
                records = self.tls.bio_read(size)
            except SSL.WantReadError:
                return
            yield commands.SendData(self.conn, records)


class BoundedGreeting(_WholeRecords, tls.ClientTLSLayer):
    """TLS with the agent: a greeting (ClientHello) of bounded size, whose ALPN, if any, offers HTTP/1."""

    admission: ClassVar[Admission]

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
        self.admission.note(Refused(400, rule, reason, host, "", "", port=port))


class VerifiedTLS(_WholeRecords, tls.ServerTLSLayer):
    """TLS with a server; a failure is reported in our words."""

    def start_handshake(self):
        self.context.client.pace.enter(Phase.SECURING)
        yield from super().start_handshake()

    def receive_handshake_data(self, data):
        done, failure = yield from super().receive_handshake_data(data)
        return done, obstacle.UNTRUSTED if failure else None
