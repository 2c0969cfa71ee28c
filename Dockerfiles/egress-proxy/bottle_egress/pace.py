"""How long each phase of a client connection may last, and how much body it may send before its server is there."""

from __future__ import annotations

import asyncio
from enum import Enum
from time import monotonic

MAX_AHEAD = 256 * 1024


class Phase(Enum):
    """What a client connection is doing."""

    SILENT = "has sent nothing yet"
    HEAD = "sends the head of a request"
    GREETING = "has a tunnel and has to greet with TLS, or is in the middle of the handshake"
    HELLO = "sends the first message of TLS"
    IDLE = "is kept for its next request"
    REFUSED = "may still send the body of a request that was refused"
    CONNECTING = "waits for a socket to the firewall or the server"
    SECURING = "waits for the firewall's word and the server's TLS"
    BUSY = "has a request under way"


SECONDS = {
    Phase.SILENT: 30.0,
    Phase.HEAD: 15.0,
    Phase.GREETING: 15.0,
    Phase.HELLO: 15.0,
    Phase.IDLE: 300.0,
    Phase.REFUSED: 5.0,
    Phase.CONNECTING: 5.0,
    Phase.SECURING: 20.0,
    Phase.BUSY: 900.0,
}
"""How many seconds each phase may last; for BUSY, how long no byte may move in either direction."""

PAUSES = {Phase.HEAD: 1.0, Phase.HELLO: 1.0}
"""Phases that a client sends in one write: how many seconds it may pause within them."""

REACHING = frozenset({Phase.CONNECTING, Phase.SECURING})
_LIVE = REACHING | {Phase.BUSY}


class Pace:
    """The phase of one connection. Replaces mitmproxy's watchdog, which has one limit for everything."""

    __slots__ = ("_doubted", "_entered", "ahead", "moved", "phase", "since", "timed_out")

    def __init__(self) -> None:
        self.timed_out = False
        self._doubted = None
        self._entered = asyncio.Event()
        self.enter(Phase.SILENT)

    def enter(self, phase: Phase) -> None:
        """Begin a phase."""
        self.phase = phase
        self.since = self.moved = monotonic()
        self.ahead = 0
        self._entered.set()

    def turn(self, phase: Phase) -> None:
        """Go on with another phase of the same wait, whose time is not reset."""
        self.phase = phase
        self.moved = monotonic()

    def resume(self, phase: Phase, since: float) -> None:
        """Go back to a phase that was not over after all."""
        self.phase, self.since = phase, since

    def overdue(self, now: float) -> bool:
        """Whether the phase has lasted too long.

        A pause counts only when two calls in a row see it: bytes that have arrived are read between the calls, even
        when the calls are late.
        """
        still = now - self.moved
        if (still if self.phase is Phase.BUSY else now - self.since) > SECONDS[self.phase]:
            return True
        if still <= PAUSES.get(self.phase, still):
            return False
        before, self._doubted = self._doubted, self.moved
        return before == self.moved

    @property
    def is_live(self) -> bool:
        """Whether a request is under way; without one the connection may be closed to make room."""
        return self.phase in _LIVE

    @property
    def is_too_far_ahead(self) -> bool:
        """Whether too much body waits for a server that is not connected yet, so that no more may be read."""
        return self.ahead > MAX_AHEAD and self.phase in REACHING

    async def catch_up(self) -> None:
        """Wait until more may be read, which is as soon as the next phase begins: a server often connects at once."""
        while self.is_too_far_ahead:
            self._entered.clear()
            await self._entered.wait()

    def register_activity(self) -> None:
        """A byte moved, or something else happened on the connection."""
        self.moved = monotonic()

    async def watch(self) -> None:
        """Do nothing: `BoundedHandler.sweep` looks at all connections."""
