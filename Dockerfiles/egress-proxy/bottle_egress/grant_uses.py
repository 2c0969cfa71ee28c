"""The uses of grants, and which grants have ended, in a file that outlives the process and its container.

The file is replaced atomically. A use is on disk before its request passes, so a crash in between loses a use and
never gives one back. If the file can't be read or written, requests that need a grant are refused, and no others.
"""

from __future__ import annotations

import json
import logging
import os
import re
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from bottle_egress.table import GRANT_ID, Grant

logger = logging.getLogger(__name__)

EXPIRED, USED_UP, UNCOUNTED = "grant-expired", "grant-used-up", "grant-uncounted"
MAX_ABSENT = 4096
"""How many grants stay on record that no table names: a grant that a conflict or rollback restores is still used up."""
_MAX_BYTES = 4 << 20
_MAX_NUMBER = 1 << 53
_NUMBER = re.compile(r"/([0-9]+)\Z")


class GrantUses:
    """Says whether a grant holds, and counts its uses. `clock` returns seconds since 1970."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._uses: dict[str, int] = {}
        self._ended: dict[str, int] = {}
        self._named: dict[str, Grant] = {}
        self._is_read = False
        self._is_behind = False
        self._has_news = False
        self._is_failing = False

    def name(self, grants: Iterable[Grant]) -> None:
        """Set which grants the table names now, and read the file if that has not been done. Never raises."""
        if not self._is_read:
            self._read()
        self._named = {grant.id: grant for grant in grants}
        self.note_ended()

    def obstacle(self, grant: Grant) -> str | None:
        """The rule by which a request that needs this grant is refused; None when the grant may be used."""
        if not self._is_read:
            return UNCOUNTED
        if self.has_ended(grant):
            return EXPIRED
        if grant.max_uses is not None and self._uses.get(grant.id, 0) >= grant.max_uses:
            return USED_UP
        return None

    def has_ended(self, grant: Grant) -> bool:
        """Whether the grant has expired. It stays expired when the clock is set back."""
        if grant.not_after is None:
            return False
        if self._ended.get(grant.id, grant.not_after - 1) >= grant.not_after:
            return True
        if self._clock() < grant.not_after:
            return False
        self._ended[grant.id] = grant.not_after
        self._is_behind = self._has_news = True
        return True

    def use(self, grant: Grant) -> str | None:
        """Count a use. Returns None once it is on disk, or the rule by which the request is refused."""
        if rule := self.obstacle(grant):
            return rule
        if grant.max_uses is None:
            return None
        before = self._uses.get(grant.id, 0)
        self._uses[grant.id] = before + 1
        try:
            prepared = self._prepared()
        except OSError as error:
            self._uses[grant.id] = before
            self._fail(error)
            return UNCOUNTED
        try:
            self._put(prepared)
        except OSError as error:
            # The use may be on disk, so it stays counted.
            self._fail(error)
            return UNCOUNTED
        return None

    def seconds_to_end(self) -> float | None:
        """The seconds until the next of the named grants expires; None when none will."""
        ends = [
            grant.not_after
            for grant in self._named.values()
            if grant.not_after is not None and not self.has_ended(grant)
        ]
        return min(ends) - self._clock() if ends else None

    def note_ended(self) -> bool:
        """Record which grants have expired; True when one has since the last call. Never raises.

        What can't be written now is written at the next call.
        """
        for grant in self._named.values():
            self.has_ended(grant)
        if self._is_behind and self._is_read:
            try:
                self._put(self._prepared())
            except OSError as error:
                self._fail(error)
        news, self._has_news = self._has_news, False
        return news

    def _fail(self, error: OSError) -> None:
        """Log a failed write, once until a write succeeds."""
        if not self._is_failing:
            logger.error("%s can't be written, so nothing that is counted passes: %s", self._path, error.strerror)
        self._is_failing = True

    def _read(self) -> None:
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(descriptor, "rb") as file:
                content = file.read(_MAX_BYTES + 1)
            self._uses, ended = _parsed(content)
            self._ended = ended | self._ended
        except FileNotFoundError:
            pass
        except OSError as error:
            logger.error("%s can't be read, so nothing limited passes: %s", self._path, error.strerror)
            return
        except ValueError:
            logger.error("%s is not what was written, so nothing limited passes", self._path)
            return
        self._is_read = True

    def _prepared(self) -> Path:
        """Write everything to a new file beside the old one, and sync it. Raises OSError."""
        self._forget()
        document = {"version": 1, "uses": self._uses, "ended": self._ended}
        temporary = self._path.with_name(self._path.name + ".new")
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(json.dumps(document, separators=(",", ":")).encode("ascii") + b"\n")
            file.flush()
            os.fsync(file.fileno())
        return temporary

    def _put(self, prepared: Path) -> None:
        """Replace the file and sync the folder. Raises OSError; then either file may be in place."""
        prepared.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        self._is_behind = self._is_failing = False

    def _forget(self) -> None:
        """Drop the oldest grants that no table names, beyond MAX_ABSENT, which no bottle reaches."""
        absent = (self._uses.keys() | self._ended.keys()) - self._named.keys()
        for old in sorted(absent, key=_number)[: max(0, len(absent) - MAX_ABSENT)]:
            self._uses.pop(old, None)
            self._ended.pop(old, None)


def _number(grant: str) -> int:
    found = _NUMBER.search(grant)
    return int(found[1]) if found else 0


def _parsed(content: bytes) -> tuple[dict[str, int], dict[str, int]]:
    """The uses and the ends. Raises ValueError for anything that `_prepared` doesn't write."""
    if len(content) > _MAX_BYTES:
        raise ValueError("too large")
    try:
        document = json.loads(content.decode("ascii"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError as error:
        raise ValueError("nested") from error
    if not isinstance(document, dict) or list(document) != ["version", "uses", "ended"] or document["version"] != 1:
        raise ValueError("another form")
    uses, ended = document["uses"], document["ended"]
    for numbers, least in ((uses, 0), (ended, -_MAX_NUMBER)):
        if not isinstance(numbers, dict):
            raise ValueError("another form")
        for key, value in numbers.items():
            if not GRANT_ID.fullmatch(key) or type(value) is not int or not least <= value <= _MAX_NUMBER:
                raise ValueError("another form")
    return uses, ended


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key twice")
    return result


def _no_constant(name: str) -> object:
    raise ValueError(name)
