"""What a run prints, bounded: the beginning and the end are kept, the middle is counted."""

import codecs
from collections.abc import Callable
from threading import Lock

import msgspec


class BoundedOutput(msgspec.Struct, eq=False):
    """Keeps at most ``limit_bytes`` of all that is appended: the first half from the start, the rest from the end.

    Several threads may append.  ``tee`` is given all bytes as they come, on the thread that appends them; so are those
    who follow.
    """

    # A struct, and nothing allocated before the first append: every run makes one, and few print.
    limit_bytes: int
    tee: Callable[[bytes], object] | None = None
    total_bytes: int = 0  # all that was ever appended
    _followers: tuple[Callable[[bytes], object], ...] = ()
    # The head, then a ring that later bytes go round in: where the next one goes follows from total_bytes.
    _kept: bytearray | None = None
    _lock: Lock = msgspec.field(default_factory=Lock)

    def append(self, data: bytes) -> None:
        """Take these bytes; the cost is that of copying them at most once."""
        with self._lock:
            kept = self._kept
            if kept is None:
                kept = self._kept = bytearray()
            room = self.limit_bytes - len(kept)
            self.total_bytes += len(data)
            followers = self._followers
            if len(data) <= room:
                kept += data
            elif self.limit_bytes > 0:
                rest = memoryview(data)
                if room:
                    kept += rest[:room]
                self._go_round(kept, rest[room:])
        if self.tee is not None and data:
            self.tee(data)
        for follower in followers:
            follower(data)

    def follow(self, follower: Callable[[bytes], object]) -> None:
        """Give a follower what was kept until now, and from then on all that comes, each byte once."""
        with self._lock:
            if self.total_bytes:
                follower(self._content())
            self._followers = (*self._followers, follower)

    def unfollow(self, follower: Callable[[bytes], object]) -> None:
        """Give this follower nothing more."""
        with self._lock:
            self._followers = tuple(each for each in self._followers if each is not follower)

    def _go_round(self, kept: bytearray, rest: memoryview) -> None:
        """Put what was just appended last over the oldest bytes of the ring."""
        rest = rest[-self._ring_bytes :]
        at = self._end_of(self.total_bytes - len(rest))
        before_the_seam = min(len(rest), self.limit_bytes - at)
        kept[at : at + before_the_seam] = rest[:before_the_seam]
        kept[self._head_bytes : self._head_bytes + len(rest) - before_the_seam] = rest[before_the_seam:]

    @property
    def _head_bytes(self) -> int:
        return self.limit_bytes // 2

    @property
    def _ring_bytes(self) -> int:
        return self.limit_bytes - self._head_bytes

    def _end_of(self, total_bytes: int) -> int:
        """Where in ``_kept`` the byte goes that comes after so many."""
        return self._head_bytes + (total_bytes - self._head_bytes) % self._ring_bytes

    def content(self) -> bytes:
        """What was kept, with one line in the middle that says how much was left out, where something was.

        Characters of UTF-8 that the gap cut in two are left out with it.
        """
        with self._lock:
            return self._content()

    def _content(self) -> bytes:
        kept, total_bytes = self._kept or b"", self.total_bytes
        if total_bytes == len(kept):
            return bytes(kept)
        if not kept:
            return _note(total_bytes)
        # Views, so that all this is copied but once.
        view, seam = memoryview(kept), self._end_of(total_bytes)
        head, older, newer = view[: self._head_bytes], view[seam:], view[self._head_bytes : seam]
        head = head[: len(head) - _begun_character(bytes(head[-3:]))]
        rest = _continued_character(bytes(older[:3]) + bytes(newer[:3]))
        older, newer = older[rest:], newer[max(0, rest - len(older)) :]
        line_end = b"" if bytes(head[-1:]) in {b"", b"\n"} else b"\n"
        note = _note(total_bytes - len(head) - len(older) - len(newer))
        return b"".join((head, line_end, note, older, newer))

    def text(self) -> str:
        r"""The content as text; bytes that are no UTF-8 stay visible as ``\xNN``."""
        return self.content().decode("utf-8", "backslashreplace")


def _note(left_out: int) -> bytes:
    return f"[... {left_out:,} bytes left out ...]\n".encode()


def _begun_character(end: bytes) -> int:
    """How many of the last bytes begin a character and do not end it."""
    return len(end) - codecs.utf_8_decode(end, "ignore", False)[1]


def _continued_character(start: bytes) -> int:
    """How many of the first bytes, at most three, go on with a character that began before."""
    return next((count for count, byte in enumerate(start[:3]) if byte & 0xC0 != 0x80), min(3, len(start)))
