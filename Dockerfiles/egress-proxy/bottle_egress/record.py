"""Log lines on a descriptor whose reader may be slow or gone: lines wait in memory, within bounds."""

from __future__ import annotations

import contextlib
import json
import os
import select
from collections import deque
from datetime import UTC, datetime

MAX_WAITING = 1024 * 1024


def timestamp(now: datetime) -> str:
    """The time of a line, in UTC with milliseconds."""
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


class Record:
    """Never blocks and never raises. Lines beyond the bound are counted, and a line with the count replaces them."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._lost = 0
        with contextlib.suppress(OSError):
            os.set_blocking(descriptor, False)

    def write(self, line: str) -> None:
        """Write a line, or keep it until `flush` finds room."""
        data = line.encode("ascii", "replace") + b"\n"
        if self._size + len(data) > MAX_WAITING:
            self._lost += 1
        else:
            self._waiting.append(data)
            self._size += len(data)
        self.flush()

    def flush(self) -> bool:
        """Write the waiting lines until the descriptor is full; True when none is left."""
        while self._waiting:
            data = self._waiting[0]
            try:
                written = os.write(self._descriptor, data)
            except BlockingIOError:
                return False
            except OSError:
                self._lost += len(self._waiting)
                self._waiting.clear()
                self._size = 0
                return True
            self._size -= written
            if written < len(data):
                self._waiting[0] = data[written:]
                return False
            self._waiting.popleft()
            if self._lost and not self._waiting:
                self._tell_loss()
        return True

    def close(self, seconds: float = 1.0) -> None:
        """Wait a moment for a slow reader, then write what it takes."""
        if not self.flush():
            waiting = select.poll()
            waiting.register(self._descriptor, select.POLLOUT)
            waiting.poll(seconds * 1000)
            self.flush()

    def _tell_loss(self) -> None:
        line = json.dumps({"time": timestamp(datetime.now(UTC)), "event": "lost", "lines": self._lost})
        self._waiting.append(line.encode() + b"\n")
        self._size += len(line) + 1
        self._lost = 0
