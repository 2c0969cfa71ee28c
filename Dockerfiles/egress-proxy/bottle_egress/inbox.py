"""A buffer for the bytes of a connection that are not parsed yet."""

from __future__ import annotations

from h11._receivebuffer import ReceiveBuffer


class Inbox(ReceiveBuffer):
    """h11's buffer with fewer copies: a body passes with at most one, where h11 makes three of each piece.

    Bytes that arrive while the buffer is empty are kept as they are and handed out in slices; a slice of the whole is
    the same object. Heads, and bytes that arrive while others wait, go through h11's code.
    """

    def __init__(self) -> None:
        super().__init__()
        self._piece = b""
        self._taken = 0

    def __iadd__(self, more: bytes | bytearray) -> Inbox:
        if self:
            self._settle()
            return super().__iadd__(more)
        self._piece = bytes(more)  # bytes are not copied; a bytearray is, since it may change
        return self

    def __len__(self) -> int:
        return len(self._piece) - self._taken or len(self._data)

    def __bytes__(self) -> bytes:
        return self._piece[self._taken :] or super().__bytes__()

    def maybe_extract_at_most(self, count: int) -> bytes | bytearray | None:
        """The next bytes; None when there are none."""
        return self._take(self._taken + count) or None if self._piece else super().maybe_extract_at_most(count)

    def maybe_extract_next_line(self) -> bytes | bytearray | None:
        """The next line with its end; None while it is incomplete."""
        if end := self._piece.find(b"\r\n", self._taken) + 1:
            return self._take(end + 1)
        self._settle()
        return super().maybe_extract_next_line()

    def maybe_extract_lines(self) -> list[bytearray] | None:
        """All lines before the first empty one; None while there is no such line."""
        self._settle()
        return super().maybe_extract_lines()

    def _take(self, end: int) -> bytes:
        taken = self._piece[self._taken : end]
        self._taken = end
        if end >= len(self._piece):
            self._piece, self._taken = b"", 0
        return taken

    def _settle(self) -> None:
        if self._piece:
            self._data += memoryview(self._piece)[self._taken :]
            self._piece, self._taken = b"", 0
