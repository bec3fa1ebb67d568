"""What is counted of runs while the daemon serves; pure values, from which metrics are made."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from gavo_exec.model import Outcome, Reason

DURATION_SECONDS: Final = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 10_800.0, 43_200.0, 86_400.0)
LATENESS_SECONDS: Final = (0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 30.0, 60.0, 300.0, 3600.0, 86_400.0)


def _says(description: str) -> Meta:
    """What a field means."""
    return Meta(description=description)


_Instant = Annotated[datetime, Meta(tz=True)]


class Exemplar(msgspec.Struct, frozen=True, kw_only=True):
    """One of those that were counted."""

    run_id: Annotated[str, _says("The id of the run.")]
    value: Annotated[float, _says("Its value, in seconds.")]
    at: Annotated[_Instant, _says("When it ended.")]


class Histogram(msgspec.Struct, frozen=True, kw_only=True):
    """How many lie below each bound, bucket by bucket; the last bucket has no bound."""

    bounds: Annotated[tuple[float, ...], _says("The upper bounds of the buckets, in seconds.")]
    counts: Annotated[tuple[int, ...], _says("How many each bucket has: one more than there are bounds.")]
    total: Annotated[float, _says("The sum of all that was counted, in seconds.")]
    exemplars: Annotated[tuple[Exemplar | None, ...], _says("The latest of each bucket.")]


class RunCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many runs of a job ended in one way."""

    key: Annotated[str, _says("The key of the execute.")]
    outcome: Annotated[Outcome, _says("How they ended.")]
    runs: Annotated[int, _says("How many; of those that were missed, how many due instants.")]
    seconds: Annotated[float, _says("How long they took together.")]


class Success(msgspec.Struct, frozen=True, kw_only=True):
    """When a job last did well."""

    key: Annotated[str, _says("The key of the execute.")]
    at: Annotated[_Instant, _says("When that run ended.")]


class Measures(msgspec.Struct, frozen=True, kw_only=True):
    """What was counted since the daemon started."""

    runs: Annotated[tuple[RunCount, ...], _says("Runs by job and outcome.")]
    successes: Annotated[tuple[Success, ...], _says("When jobs last did well, as far as that was since then.")]
    durations: Annotated[dict[Outcome, Histogram], _says("How long runs took.")]
    lateness: Annotated[dict[Reason, Histogram], _says("How much later than due runs began.")]
    rejected_edits: Annotated[int, _says("How many versions of RDs were refused.")]
    stalls: Annotated[int, _says("How often job code kept the whole daemon from running.")]


class Buckets:
    """A histogram that is being filled."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(bounds) + 1)
        self._exemplars: list[Exemplar | None] = [None] * (len(bounds) + 1)
        self._total = 0.0

    def count(self, seconds: float, *, run_id: str, at: datetime) -> None:
        """Count one."""
        bucket = bisect_left(self._bounds, seconds)
        self._counts[bucket] += 1
        self._total += seconds
        self._exemplars[bucket] = Exemplar(run_id=run_id, value=seconds, at=at)

    def taken(self) -> Histogram:
        """What it has come to."""
        return Histogram(
            bounds=self._bounds, counts=tuple(self._counts), total=self._total, exemplars=tuple(self._exemplars)
        )
