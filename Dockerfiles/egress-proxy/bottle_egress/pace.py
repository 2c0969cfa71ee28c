"""How long a client connection may take over each thing it does, and how much it may send ahead meanwhile."""

from __future__ import annotations

from enum import Enum
from time import monotonic

MAX_AHEAD = 256 * 1024


class Phase(Enum):
    """What a client connection is at."""

    SILENT = "has sent nothing yet"
    HEAD = "sends the head of a request"
    GREETING = "has a tunnel and has to greet with TLS"
    IDLE = "is kept for its next request"
    REFUSED = "may still send the body of a request that was refused"
    CONNECTING = "waits for a socket to the firewall or the server"
    SECURING = "waits for the firewall's word and the server's TLS"
    BUSY = "has a request under way"


SECONDS = {
    Phase.SILENT: 30.0,
    Phase.HEAD: 15.0,
    Phase.GREETING: 15.0,
    Phase.IDLE: 300.0,
    Phase.REFUSED: 5.0,
    Phase.CONNECTING: 5.0,
    Phase.SECURING: 20.0,
    Phase.BUSY: 900.0,
}
"""How long each phase may last; a request under way, how long no byte may move in either direction."""

REACHING = frozenset({Phase.CONNECTING, Phase.SECURING})
_LIVE = REACHING | {Phase.BUSY}


class Pace:
    """The phase of one connection. Stands in for mitmproxy's watchdog, which knows one limit for everything."""

    __slots__ = ("ahead", "moved", "phase", "since", "timed_out")

    def __init__(self) -> None:
        self.timed_out = False
        self.enter(Phase.SILENT)

    def enter(self, phase: Phase) -> None:
        """Begin a phase."""
        self.phase = phase
        self.since = self.moved = monotonic()
        self.ahead = 0

    def overdue(self, now: float) -> bool:
        """Whether the phase has lasted too long."""
        return now - (self.moved if self.phase is Phase.BUSY else self.since) > SECONDS[self.phase]

    @property
    def is_live(self) -> bool:
        """Whether a request is under way; without one the connection may make room for another."""
        return self.phase in _LIVE

    @property
    def is_too_far_ahead(self) -> bool:
        """Whether so much body waits for a server that isn't there yet that no more may be read."""
        return self.ahead > MAX_AHEAD and self.phase in REACHING

    def register_activity(self) -> None:
        """A byte moved, or something else happened on the connection."""
        self.moved = monotonic()

    async def watch(self) -> None:
        """Nothing to do: all connections are looked at together."""
