"""Which runs are forgotten: a pure decision, over rows in the order in which they were recorded."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta

import msgspec


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """How long and how much is kept: ``good_for`` what did not go wrong, ``bad_for`` what did.

    ``most_runs`` and ``most_bytes`` (of the whole file) are kept to, about.
    """

    good_for: timedelta
    bad_for: timedelta
    most_runs: int
    most_bytes: int


class OldRun(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the decision goes by: the row, when the run ended, and whether it went wrong."""

    row: int
    ended_at: datetime
    is_bad: bool


def to_forget(
    runs: Iterable[OldRun], *, retention: Retention, now: datetime, keep: Collection[int], excess: int = 0
) -> Iterator[int]:
    """The rows that go, oldest first: what is old, and ``excess`` more of what did not go wrong.

    Never those to ``keep``.  Ends at the first run with which nothing has to go any more.
    """
    good_until, bad_until = now - retention.good_for, now - retention.bad_for
    for run in runs:
        if run.ended_at >= max(good_until, bad_until) and excess <= 0:
            return
        is_old = run.ended_at < (bad_until if run.is_bad else good_until)
        if run.row not in keep and (is_old or (excess > 0 and not run.is_bad)):
            excess -= 1
            yield run.row


def excess_of(retention: Retention, *, runs: int, file_bytes: int) -> int:
    """How many runs there are too many, if all of them take about as much."""
    too_large = runs * max(0, file_bytes - retention.most_bytes) // max(1, file_bytes)
    return max(0, runs - retention.most_runs, too_large)
