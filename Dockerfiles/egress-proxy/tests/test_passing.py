"""Where the proxy saves copies, no byte is lost, doubled or out of order."""

from __future__ import annotations

import asyncio

from h11._receivebuffer import ReceiveBuffer
from hypothesis import given
from hypothesis import strategies as st

from bottle_egress.inbox import Inbox
from bottle_egress.pace import MAX_AHEAD, Pace, Phase
from bottle_egress.reading import WIDE_READ_SIZE, PacedReader

STEPS = st.one_of(
    st.tuples(
        st.just("add"),
        st.builds(
            lambda kind, text: kind(text.encode()),
            st.sampled_from([bytes, bytearray]),  # a tunnel passes a bytearray to the layer inside
            st.text("\r\n5x", min_size=1, max_size=12),
        ),
    ),
    st.tuples(st.just("most"), st.integers(0, 9)),
    st.tuples(st.sampled_from(["line", "lines"]), st.none()),
)


def taken(buffer, step: str, argument):
    """What one step returns, in bytes."""
    if step == "add":
        buffer += argument
        return None
    found = {
        "most": lambda: buffer.maybe_extract_at_most(argument),
        "line": buffer.maybe_extract_next_line,
        "lines": buffer.maybe_extract_lines,
    }[step]()
    if found is None:
        return None
    return [bytes(line) for line in found] if isinstance(found, list) else bytes(found)


@given(st.lists(STEPS, max_size=30))
def test_an_inbox_says_what_the_buffer_it_stands_in_for_says(steps):
    inbox, buffer = Inbox(), ReceiveBuffer()
    for step, argument in steps:
        assert taken(inbox, step, argument) == taken(buffer, step, argument)
        assert (len(inbox), bool(inbox), bytes(inbox)) == (len(buffer), bool(buffer), bytes(buffer))


def test_a_piece_of_a_body_is_handed_on_as_it_came():
    inbox, piece = Inbox(), b"x" * 1000
    inbox += piece
    assert inbox.maybe_extract_at_most(5000) is piece
    assert not inbox


class Transport:
    """A transport that delivers nothing by itself."""

    def __init__(self) -> None:
        self.is_paused = False

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False


def reading(test):
    """Runs a coroutine with a connection's reader, the stock reader inside it, and its transport."""

    async def run():
        stock, transport = asyncio.StreamReader(), Transport()
        stock.set_transport(transport)
        await test(PacedReader(stock, transport), stock, transport)

    asyncio.run(run())


@given(st.lists(st.one_of(st.binary(min_size=1, max_size=5), st.just("turn"), st.just("read")), max_size=20))
def test_a_connection_is_read_in_order_whenever_its_pieces_come(steps):
    async def test(reader, stock, _transport):
        sent, got, waiting = b"", [], None
        for step in steps:
            if step == "read":
                waiting = waiting or asyncio.create_task(reader.read(1))
            elif step != "turn":
                sent += step
                stock.feed_data(step)
            if step != "read":
                await asyncio.sleep(0)
            if waiting and waiting.done():
                got.append(await waiting)
                waiting = None
        stock.feed_eof()
        if waiting:
            got.append(await waiting)
        while piece := await reader.read(1):
            got.append(piece)
        assert b"".join(got) == sent

    reading(test)


def test_a_piece_that_finds_nothing_waiting_is_the_very_bytes_that_came():
    async def test(reader, stock, _transport):
        piece = b"x" * WIDE_READ_SIZE
        stock.feed_data(piece)
        assert await reader.read(1) is piece

    reading(test)


def test_what_came_before_the_first_read_is_read_first():
    async def run():
        stock = asyncio.StreamReader()
        stock.feed_data(b"first ")
        reader = PacedReader(stock, Transport())
        stock.feed_data(b"second")
        assert await reader.read(1) == b"first second"

    asyncio.run(run())


def test_a_transport_whose_pieces_are_not_read_is_stopped_until_they_are():
    async def test(reader, stock, transport):
        stock.feed_data(b"x" * WIDE_READ_SIZE)
        assert not transport.is_paused
        stock.feed_data(b"y" * WIDE_READ_SIZE)
        assert transport.is_paused
        read = await reader.read(1) + await reader.read(1)
        assert read == b"x" * WIDE_READ_SIZE + b"y" * WIDE_READ_SIZE
        assert not transport.is_paused

    reading(test)


def test_a_body_that_waits_for_its_server_goes_on_with_the_turn_in_which_the_server_is_there():
    async def run():
        pace = Pace()
        pace.enter(Phase.SECURING)
        pace.ahead = MAX_AHEAD + 1
        waiting = asyncio.create_task(pace.catch_up())
        for _ in range(3):
            await asyncio.sleep(0)
        assert not waiting.done()
        pace.enter(Phase.BUSY)
        for _ in range(3):
            await asyncio.sleep(0)
        assert waiting.done()

    asyncio.run(run())
