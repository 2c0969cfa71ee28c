"""Connections within bounds: how many there are, how long they last, and how they end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import socket
from typing import ClassVar

from mitmproxy.proxy import commands, events, mode_servers
from mitmproxy.proxy.layers import http as http_layer

from bottle_egress import reading
from bottle_egress.admission import Admission
from bottle_egress.pace import REACHING, Pace, Phase

logger = logging.getLogger(__name__)

MAX_CONNECTIONS = 512
MAX_SERVERS = 4
COLLECT_AFTER = 128
FLUSH_SECONDS = 5.0
STALLED_SECONDS = 5.0

_GONE = frozenset({7, 8})  # TCP_CLOSE and TCP_CLOSE_WAIT of linux/tcp.h


class BoundedHttpLayer(http_layer.HttpLayer):
    """All requests of one client connection. Stock code keeps a record of every server connection it ever had."""

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


class _CloseOnCrash:
    """A top layer that closes the connection when a layer raises; stock code leaves the connection hanging."""

    def __init__(self, layer, client) -> None:
        self._layer = layer
        self._client = client

    def handle_event(self, event):
        try:
            yield from self._layer.handle_event(event)
        except Exception as error:
            yield commands.CloseConnection(self._client)
            logger.error("a layer crashed", exc_info=error)


class BoundedHandler(mode_servers.ProxyConnectionHandler):
    """One client connection: counted, timed, closed on a crash. Only an admitted request opens a socket to a server."""

    admission: ClassVar[Admission]
    all: ClassVar[dict[BoundedHandler, None]] = reading.open_connections
    _heard: ClassVar[dict[str, bool]] = {}
    _ended: ClassVar[int] = 0

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.pace = self.client.pace = self.timeout_watchdog = Pace()

    @classmethod
    def sweep(cls, now: float) -> None:
        """End the connections that have taken too long."""
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
            self.admission.note_bytes("too many connections")
            self.transports.pop(self.client).writer.close()
            return
        self.all[self] = None
        try:
            self.layer = _CloseOnCrash(self.layer, self.client)
            await super().handle_client()
        finally:
            self.all.pop(self, None)
            self.admission.disconnected(self.client.id)
            self._collect()

    @classmethod
    def _collect(cls) -> None:
        """Free what closed connections held: mitmproxy's layers and their buffers are in reference cycles."""
        cls._ended += 1
        if cls._ended >= COLLECT_AFTER:
            cls._ended = 0
            gc.collect()

    async def handle_connection(self, connection) -> None:
        ends = self.transports[connection]
        writer = ends.writer
        ends.reader = reading.PacedReader(ends.reader, writer.transport)
        try:
            await super().handle_connection(connection)
        finally:
            await self._settle(writer, FLUSH_SECONDS if connection is self.client else 0)

    async def drain_writers(self) -> None:
        """Wait until what was read is sent. The client's reader waits for all writers, a server's for the client's.

        In stock code each reader waits for all writers. Then a server that must send before it reads is never read
        again.
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
        if not (address and self.admission.may_connect(self.client.id, tuple(address[:2]))):
            command.connection.error = "refused"
            logger.error("a connection was asked for that no request needs")
            await self.server_event(events.OpenConnectionCompleted(command, "refused"))
            return
        servers = [each for each in self.transports if each not in (self.client, command.connection)]
        for idle in servers[: len(servers) + 1 - MAX_SERVERS]:
            self.close_connection(idle)
        await super().open_connection(command)

    async def handle_hook(self, hook) -> None:
        """Run a hook if an addon has it. Stock code walks all addons twice for each hook."""
        addons = self.master.addons
        if hook.name not in self._heard:
            self._heard[hook.name] = any(getattr(addon, hook.name, None) for addon in addons.chain)
        if self._heard[hook.name]:
            await addons.trigger_event(hook)

    def abort(self) -> None:
        """Close the client and all its servers at once; unsent data is lost."""
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
            self.admission.note_bytes("a request head or a TLS greeting was not whole in time")
        self.abort()

    def _is_deserted(self) -> bool:
        """Whether the client has closed. While an upload waits for its server, nothing is read that would show it."""
        transport = self.transports.get(self.client)
        peer = transport and transport.writer.get_extra_info("socket")
        if peer is None or peer.fileno() < 0:
            return False
        return peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] in _GONE

    def _make_room(self) -> bool:
        """Close the connection that has been without a request for longest; False when all have one."""
        waiting = [handler for handler in self.all if not handler.pace.is_live]
        if not waiting:
            return False
        oldest = min(waiting, key=lambda handler: handler.pace.since)
        del self.all[oldest]
        oldest.abort()
        return True

    @staticmethod
    async def _settle(writer: asyncio.StreamWriter, seconds: float) -> None:
        """Keep a closing connection until its peer has taken the rest, or abort it when the time is over.

        Stock code does neither. It also leaves a connection open that is cancelled a second time while it closes.
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
