"""The uses of grants: what is on disk at each moment, what survives, and what a broken file closes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from bottle_egress import grant_uses
from bottle_egress.grant_uses import EXPIRED, MAX_ABSENT, UNCOUNTED, USED_UP, GrantUses
from bottle_egress.table import Grant

ONCE = Grant("dev/0001", None, 1)
TWICE = Grant("dev/0002", None, 2)
UNTIL = Grant("dev/0003", 1000, None)


class Clock:
    """A clock that stands still."""

    def __init__(self, now: float = 0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def file(tmp_path) -> Path:
    return tmp_path / "grants.json"


def opened(file: Path, *grants: Grant, clock: Clock | None = None) -> GrantUses:
    """The uses as they are after a start with a table that names these grants."""
    made = GrantUses(file, clock or Clock())
    made.name(grants)
    return made


def test_a_grant_is_used_so_often_and_no_more(file):
    book = opened(file, ONCE, TWICE)
    assert [book.use(TWICE) for _ in range(4)] == [None, None, USED_UP, USED_UP]
    assert book.use(ONCE) is None
    assert book.obstacle(ONCE) == USED_UP


def test_a_count_outlives_the_process(file):
    assert opened(file, TWICE).use(TWICE) is None
    assert opened(file, TWICE).use(TWICE) is None
    assert opened(file, TWICE).use(TWICE) == USED_UP


def test_a_use_is_on_the_disk_before_it_is_told(file, monkeypatch):
    """After each step the file is read as the next start would read it, as if the process had crashed there."""
    book = opened(file, ONCE)
    steps = []

    def spy(name):
        real = getattr(os, name)

        def call(*arguments, **options):
            result = real(*arguments, **options)
            steps.append((name, opened(file, ONCE).obstacle(ONCE)))
            return result

        monkeypatch.setattr(os, name, call)

    spy("fsync")
    spy("replace")
    assert book.use(ONCE) is None
    assert steps == [("fsync", None), ("replace", USED_UP), ("fsync", USED_UP)]


def test_what_is_limited_in_time_only_needs_no_file(file):
    book = opened(file, UNTIL)
    assert [book.use(UNTIL) for _ in range(3)] == [None] * 3
    assert not file.exists()


def test_a_grant_ends_at_its_second(file):
    clock = Clock(999.999)
    book = opened(file, UNTIL, clock=clock)
    assert book.use(UNTIL) is None
    assert book.seconds_to_end() == pytest.approx(0.001)
    assert not book.note_ended()
    clock.now = 1000
    assert book.use(UNTIL) == EXPIRED
    assert book.seconds_to_end() is None


def test_an_end_stays_an_end_when_the_clock_is_set_back_also_after_a_start(file):
    clock = Clock(1000)
    book = opened(file, UNTIL, clock=clock)
    clock.now = 10
    assert book.use(UNTIL) == EXPIRED
    assert opened(file, UNTIL, clock=clock).use(UNTIL) == EXPIRED


def test_an_end_is_told_once_whichever_call_sees_it_first(file):
    clock = Clock()
    book = opened(file, UNTIL, TWICE, clock=clock)
    clock.now = 2000
    assert book.obstacle(UNTIL) == EXPIRED
    assert book.use(TWICE) is None  # this also writes the end
    assert book.note_ended()
    assert not book.note_ended()


def test_a_grant_of_both_limits_ends_by_either(file):
    both = Grant("dev/0004", 1000, 1)
    clock = Clock()
    book = opened(file, both, clock=clock)
    assert book.use(both) is None
    assert book.obstacle(both) == USED_UP
    clock.now = 1000
    assert book.obstacle(both) == EXPIRED


def test_a_grant_that_the_table_drops_for_a_while_is_still_used_up(file):
    book = opened(file, ONCE)
    assert book.use(ONCE) is None
    book.name([])
    book.name([TWICE])
    assert book.use(TWICE) is None
    assert opened(file, ONCE).use(ONCE) == USED_UP


def test_the_number_of_absent_grants_on_record_is_bounded_and_the_oldest_go_first(file):
    grants = [Grant(f"dev/{number:04}", None, 1) for number in range(MAX_ABSENT + 10)]
    book = opened(file, *grants)
    book._uses = {grant.id: 1 for grant in grants}
    book.name([grants[0]])
    assert book.use(Grant("dev/99999", None, 1)) is None
    kept = json.loads(file.read_bytes())["uses"]
    assert len(kept) == MAX_ABSENT + 1
    assert {"dev/0000", "dev/99999", grants[-1].id} <= kept.keys()
    assert grants[1].id not in kept


BROKEN = [
    b"",
    b"{}",
    b"[]",
    b"null",
    b"\xff",
    b"[" * 9000,
    b'{"version":1,"uses":{"dev/0001":1},"ended":{}',
    b'{"version":2,"uses":{},"ended":{}}',
    b'{"version":1,"uses":{"dev/0001":-1},"ended":{}}',
    b'{"version":1,"uses":{"dev/0001":true},"ended":{}}',
    b'{"version":1,"uses":{"dev/0001":1.0},"ended":{}}',
    b'{"version":1,"uses":{"dev":1},"ended":{}}',
    b'{"version":1,"uses":{"dev/0001":1,"dev/0001":0},"ended":{}}',
    b'{"version":1,"uses":[],"ended":{}}',
    b'{"version":1,"uses":{},"ended":null}',
    b'{"version":1,"uses":{},"ended":{},"more":1}',
    b" " * (5 << 20),
]


@pytest.mark.parametrize("content", BROKEN, ids=lambda content: repr(content[:50]))
def test_a_file_that_is_not_what_was_written_closes_every_grant_and_stays_as_it_is(file, content):
    file.write_bytes(content)
    book = opened(file, ONCE, UNTIL)
    assert [book.use(ONCE), book.use(UNTIL)] == [UNCOUNTED] * 2
    book.note_ended()
    assert file.read_bytes() == content


def test_a_file_that_cannot_be_read_closes_every_grant_until_a_load_can_read_it(file):
    assert opened(file, ONCE, TWICE).use(TWICE) is None
    file.chmod(0)
    book = opened(file, ONCE, TWICE)
    assert book.use(ONCE) == UNCOUNTED
    file.chmod(0o600)
    assert book.use(ONCE) == UNCOUNTED
    book.name([ONCE, TWICE])
    assert [book.use(TWICE), book.use(TWICE), book.use(ONCE)] == [None, USED_UP, None]


@pytest.mark.parametrize("make", ["symlink", "folder", "pipe"])
def test_what_is_no_file_closes_every_grant(file, make):
    if make == "symlink":
        file.symlink_to("/dev/null")
    elif make == "folder":
        file.mkdir()
    else:
        os.mkfifo(file)
    assert opened(file, ONCE).use(ONCE) == UNCOUNTED


def test_a_use_that_cannot_be_written_is_refused_and_not_lost(file, tmp_path):
    book = opened(file, ONCE, UNTIL)
    tmp_path.chmod(0o500)
    assert [book.use(ONCE), book.use(ONCE)] == [UNCOUNTED] * 2
    assert book.use(UNTIL) is None
    tmp_path.chmod(0o700)
    assert [book.use(ONCE), book.use(ONCE)] == [None, USED_UP]


def test_a_use_that_may_be_on_the_disk_stays_counted(file, monkeypatch):
    book = opened(file, ONCE)
    real, calls = os.fsync, []

    def failing(descriptor):
        calls.append(descriptor)
        if len(calls) == 2:  # the one of the folder
            raise OSError(5, "Input/output error")
        real(descriptor)

    monkeypatch.setattr(grant_uses.os, "fsync", failing)
    assert [book.use(ONCE), book.use(ONCE)] == [UNCOUNTED, USED_UP]


def test_what_a_crash_left_beside_the_file_does_no_harm(file, tmp_path):
    (tmp_path / "grants.json.new").write_text("left by a crash")
    assert opened(file, ONCE).use(ONCE) is None
    assert [entry.name for entry in tmp_path.iterdir()] == ["grants.json"]
    assert file.stat().st_mode & 0o777 == 0o600


def test_an_end_that_cannot_be_written_is_written_later(file, tmp_path):
    clock = Clock(1000)
    tmp_path.chmod(0o500)
    book = opened(file, UNTIL, clock=clock)
    clock.now = 0
    assert book.use(UNTIL) == EXPIRED
    tmp_path.chmod(0o700)
    book.note_ended()
    assert opened(file, UNTIL, clock=clock).use(UNTIL) == EXPIRED
