"""Keeping the state file in bounds: what is old is forgotten, in small steps that hold nobody up."""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import datetime
from itertools import islice
from typing import Any, Final

import msgspec

from gavo_exec.errors import StoreError
from gavo_exec.model import Outcome
from gavo_exec.ports import Clock
from gavo_exec.services.store import codec
from gavo_exec.services.store.file import QUERIES, StateFile
from gavo_exec.services.store.retention import OldRun, Retention, excess_of, to_forget

_log = logging.getLogger("gavo_exec")

_FIRST_SECONDS: Final = 600.0
_EVERY_SECONDS: Final = 3600.0
_STEP: Final = 200
"""How many rows go in one transaction: a few milliseconds, in which nobody else can write."""

_BREATH_SECONDS: Final = 0.01
_MOST_PATIENCE_SECONDS: Final = 1.0
_VERSIONS_DAYS: Final = 1
_BAD: Final = frozenset(outcome.value for outcome in Outcome if outcome.is_bad)


class Forgotten(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows went."""

    runs: int = 0
    others: int = 0


class Upkeep:
    """The thread that looks into the state file now and then; while the daemon ``is_busy``, it waits, but not for ever.

    It has a connection of its own, so that a look at many rows keeps nobody from writing.
    """

    def __init__(
        self,
        path: str,
        *,
        retention: Retention,
        clock: Clock,
        is_busy: Callable[[], bool] = lambda: False,
    ) -> None:
        self._path = path
        self._retention = retention
        self._clock = clock
        self._is_busy = is_busy
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="upkeep", daemon=True)

    def start(self) -> None:
        """Begin to look, in a while."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more; a step that goes on is waited for."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(5)

    def _work(self) -> None:
        pause = _FIRST_SECONDS
        while not self._stopping.wait(pause):
            pause = _EVERY_SECONDS
            try:
                self.look()
            except StoreError as fault:
                _log.warning("what is old could not be taken out of the state file: %s", fault)
            except Exception:
                _log.exception("the upkeep of the state file goes on after an error of its own")

    def look(self) -> Forgotten:
        """Forget what is to be forgotten now; raises StoreError."""
        with closing(StateFile(self._path)) as file:
            runs = self._drop(file, "drop_run", self._old_runs(file))
            now = self._clock.now()
            good, bad = now - self._retention.good_for, now - self._retention.bad_for
            others = self._drop_while(file, "drop_mails", codec.microseconds(good), codec.microseconds(bad))
            others += self._drop_while(file, "drop_deeds", codec.microseconds(bad))
            if runs:
                yesterday = codec.microseconds(now) - _VERSIONS_DAYS * 86_400_000_000
                others += self._drop_while(file, "drop_versions", yesterday)
            if runs + others:
                while file.give_back(_STEP) and self._goes_on():
                    pass
                file.carry_over(1 << 30)
            return Forgotten(runs=runs, others=others)

    def _old_runs(self, file: StateFile) -> Iterator[int]:
        [(count,)] = file.read("count_runs")
        excess = excess_of(self._retention, runs=count, file_bytes=file.used_bytes)
        return to_forget(
            _runs_of(file),
            retention=self._retention,
            now=self._clock.now(),
            keep=_kept(file),
            excess=excess,
        )

    def _drop(self, file: StateFile, query: str, rows: Iterable[int]) -> int:
        """Delete these rows, some at a time."""
        dropped, left = 0, iter(rows)
        while batch := [(row,) for row in islice(left, _STEP)]:
            with file.writing() as db:
                db.executemany(QUERIES[query], batch)
            dropped += len(batch)
            if not self._goes_on():
                break
        return dropped

    def _drop_while(self, file: StateFile, query: str, *parameters: Any) -> int:
        """Delete what a query says, some at a time, until there is no more."""
        dropped = 0
        while True:
            with file.writing() as db:
                found = db.execute(QUERIES[query], (*parameters, _STEP)).rowcount
            dropped += found
            if found < _STEP or not self._goes_on():
                return dropped

    def _goes_on(self) -> bool:
        """Let others have their turn; answers whether there is time to go on."""
        waited = 0.0
        while not self._stopping.wait(_BREATH_SECONDS):
            waited += _BREATH_SECONDS
            if not self._is_busy() or waited >= _MOST_PATIENCE_SECONDS:
                return True
        return False


def _kept(file: StateFile) -> set[int]:
    """The rows that stay in any case: of each key the last run, and the last that succeeded."""
    kept = set()
    for row, key, outcome in file.read("last_rows"):
        kept.add(row)
        if outcome != Outcome.SUCCEEDED.value:
            kept.update(each for (each,) in file.read("last_success_row", (key,)))
    return kept


def _runs_of(file: StateFile) -> Iterator[OldRun]:
    """All runs, in the order in which they were recorded."""
    after = -1
    while rows := file.read("runs_by_age", (after,)):
        after = rows[-1][0]
        for row, ended_at, outcome in rows:
            yield OldRun(row=row, ended_at=_instant(ended_at), is_bad=outcome in _BAD)


def _instant(microseconds: int | None) -> datetime:
    return codec.instant(microseconds or 0)
