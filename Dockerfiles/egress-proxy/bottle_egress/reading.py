"""How much a connection reads at once: the fewer connections are open, the more."""

from __future__ import annotations

import asyncio

READ_SIZE = 64 * 1024
WIDE_READ_SIZE = 216 * 1024
"""A piece costs Python the same whatever its size. From 128 KiB on malloc would ask the kernel for each piece, which
costs more than it saves; the entrypoint raises that threshold."""
MAX_WIDE = 4
"""Up to so many connections, each may read widely: a body then takes less processor time, but more memory."""
MANY = 64
CROWDED_READ_SIZE = 16 * 1024
"""With more connections than that, each reads small pieces: buffers in four places keep the size of the largest."""

open_connections: dict[object, None] = {}
"""The client connections that are open, oldest first: `connections.py` keeps it."""


def is_quiet() -> bool:
    """Whether so few connections are open that each may use more memory."""
    return len(open_connections) <= MAX_WIDE


class PacedReader:
    """A stream reader whose reads are as large as the number of connections permits.

    Stock code always asks for 64 KiB, and its transport takes up to 256 KiB at once. A piece that arrives while
    nothing waits is passed on without a copy.
    """

    def __init__(self, reader: asyncio.StreamReader, transport: asyncio.Transport) -> None:
        self._reader = reader
        self._transport = transport
        self._piece = b""
        self._feed = reader.feed_data
        reader.feed_data = self._receive

    async def read(self, _size: int) -> bytes:
        """The next bytes; empty at the end of the stream."""
        size = CROWDED_READ_SIZE
        if len(open_connections) <= MANY:
            size = WIDE_READ_SIZE if is_quiet() else READ_SIZE
        self._transport.max_size = size
        if not self._piece and (copied := await self._reader.read(size)):
            return copied
        piece, self._piece = self._piece, b""
        return piece

    def _receive(self, data: bytes) -> None:
        """Keep what the transport has read. With a second piece, both move to the stock reader, which can pause it."""
        if not (self._piece or self._reader._buffer):
            self._piece = data
            self._reader._wakeup_waiter()
            return
        if self._piece:
            self._feed(self._piece)
            self._piece = b""
        self._feed(data)
