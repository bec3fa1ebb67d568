"""What all parts of the store have in common: notes that wait for the next flush, and the file they go to."""

import os
from collections import deque
from collections.abc import Callable
from itertools import groupby
from operator import itemgetter
from typing import Final

from gavo_exec.errors import DamagedStateError, StoreError
from gavo_exec.model import Channel
from gavo_exec.services.store import codec
from gavo_exec.services.store.file import QUERIES, StateFile

_MOST_PENDING: Final = 10_000
_MOST_PENDING_SIZE: Final = 64 << 20
"""How many notes, and how many characters of them, are kept while the file cannot be written."""

_ROW_BYTES: Final = 2048
"""What a small row comes to in the write-ahead log, about."""


class Notes:
    """An open state file; ``holder`` names our process."""

    def __init__(self, path: str | os.PathLike[str], *, holder: str) -> None:
        [self._holder] = codec.stored(holder)
        self._pending: deque[tuple[str, codec.Row]] = deque()
        self.on_damage: Callable[[str], str] | None = None
        """Called with the path where the file turns out to be damaged, to put a fresh one in its place; answers what to
        say of that.  Without it, damage is an error like others.
        """
        self.on_mended: Callable[[str], object] = lambda _: None
        """Called with that."""
        self._open(path)

    def _open(self, path: str | os.PathLike[str]) -> None:
        self._file = StateFile(path)
        self._read = self._file.read
        self._writing = self._file.writing

    def check(self) -> None:
        """Look whether the file is whole; raises DamagedStateError."""
        self._file.check()

    def _mended(self, damage: DamagedStateError, file: StateFile) -> None:
        """Go on with a fresh file in place of the damaged one, unless that was done meanwhile; or raise the damage."""
        with file.lock:
            if self._file is not file:
                return
            if self.on_damage is None:
                raise damage
            path = file.path
            file.close()
            said = self.on_damage(path)
            self._open(path)
        self.on_mended(said)

    def changed_elsewhere(self) -> bool:
        """Whether another process has written to the state since this was asked last."""
        return self._file.changed_elsewhere()

    def flush(self) -> frozenset[Channel]:
        """Write what was put, in the order it was put, in one transaction; answers for which channels something was.

        Raises StoreError where that fails; then what was put is kept for the next flush.  Of more than 10,000 notes or
        64 million characters the oldest are dropped, and the error says how many.
        """
        file = self._file
        try:
            return self._flush()
        except DamagedStateError as damage:
            self._mended(damage, file)
            return self._flush()

    def _flush(self) -> frozenset[Channel]:
        with self._file.lock:
            count = len(self._pending)  # others may append meanwhile, nobody else takes away
            if not count:
                return frozenset()
            batch = [self._pending[place] for place in range(count)]
            try:
                with self._writing() as db:
                    for query, notes in groupby(batch, key=itemgetter(0)):
                        rows = [row for _, row in notes]
                        if query == "record_run":
                            db.executemany(QUERIES["drop_claim"], [(self._holder, row[0]) for row in rows])
                        db.executemany(QUERIES[query], rows)
            except DamagedStateError:
                raise
            except StoreError as exc:
                dropped = self._drop_excess()
                fate = f"; {len(self._pending)} notes wait for the next attempt"
                raise StoreError(f"{exc}{fate}{f', the oldest {dropped} were dropped' if dropped else ''}") from exc
            for _ in range(count):
                self._pending.popleft()
        self._file.carry_over(sum(_ROW_BYTES + _size_of(row) for _, row in batch))
        return frozenset(Channel(row[0]) for query, row in batch if query == "put_mail")

    def _drop_excess(self) -> int:
        """Drop the oldest of what is pending, down to the bounds; answers how many that were."""
        kept = size = 0
        for _, row in reversed(self._pending.copy()):
            size += _size_of(row)
            if kept == _MOST_PENDING or size > _MOST_PENDING_SIZE:
                break
            kept += 1
        dropped = max(0, len(self._pending) - kept)
        for _ in range(dropped):
            self._pending.popleft()
        return dropped

    def close(self) -> None:
        """Flush and let go of the file, of which the latter happens in any case."""
        with self._file.lock:
            try:
                self.flush()
            finally:
                self._file.close()


def _size_of(row: codec.Row) -> int:
    """How many characters or bytes the texts of a row have."""
    return sum(len(value) for value in row if isinstance(value, (str, bytes)))
