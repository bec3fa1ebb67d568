"""What a simulation came to: sums for each job, what was out of the ordinary, and the first runs one by one.

However many runs there are, only so much is kept of them.
"""

from bisect import insort
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import Enum
from heapq import heappush, heappushpop

import msgspec

from gavo_exec.model import Outcome, Reason, Run

_NO_TIME = timedelta(0)
_MINUTE = timedelta(minutes=1)
_BUSIEST = 5


class Kind(Enum):
    """What may be out of the ordinary about runs."""

    SKIPPED = "skipped"  # left out, since the run before still went on
    MISSED = "missed"  # left out, since the instant passed unserved
    CAUGHT_UP = "caught_up"  # begun to make up for what passed unserved
    WAITED = "waited"  # begun later than it was due, since something was in the way
    WAITING = "waiting"  # not begun when the simulation ended
    REPLACED = "replaced"  # ended by the next one
    TIMED_OUT = "timed_out"  # ended by its time limit
    INTERRUPTED = "interrupted"  # ended with the daemon


_OF_OUTCOME = {
    Outcome.SKIPPED: Kind.SKIPPED,
    Outcome.MISSED: Kind.MISSED,
    Outcome.CANCELLED: Kind.REPLACED,
    Outcome.TIMED_OUT: Kind.TIMED_OUT,
    Outcome.INTERRUPTED: Kind.INTERRUPTED,
}


class SimulatedRun(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A run, or the record of one that was left out, and what it ``waited_for``, the last if there was more."""

    run: Run
    waited: timedelta = _NO_TIME
    waited_for: str = ""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What is out of the ordinary about a job: so many due instants, the first and the last of them.

    ``cause`` is that of the first, or what they waited for; ``longest`` is how long one waited at most, and that one
    was due at ``longest_due``.
    """

    key: str
    kind: Kind
    count: int
    first: datetime
    last: datetime
    cause: str
    longest: timedelta = _NO_TIME
    longest_due: datetime | None = None


class JobSum(msgspec.Struct, frozen=True, kw_only=True):
    """What a job came to: how many runs began, the first and the last of them, and how they ended.

    ``skipped`` and ``missed`` are instants; ``busy`` is for how long it ran in all.
    """

    key: str
    runs: int = 0
    first: datetime | None = None
    last: datetime | None = None
    failed: int = 0
    retries: int = 0
    skipped: int = 0
    missed: int = 0
    waited: int = 0
    longest_wait: timedelta = _NO_TIME
    busy: timedelta = _NO_TIME


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a simulation came to.

    ``peak`` is how many runs went on at most, the first time at ``peak_at``; ``busiest`` has the minutes in which most
    runs began, with how many did; ``told`` are the first runs, of ``records`` in all.
    """

    jobs: tuple[JobSum, ...]
    findings: tuple[Finding, ...]
    runs: int
    peak: int
    peak_at: datetime | None
    busiest: tuple[tuple[datetime, int], ...]
    records: int
    told: tuple[SimulatedRun, ...]


class _Sum:
    """A job's sums while they grow."""

    __slots__ = ("busy", "failed", "first", "last", "longest_wait", "missed", "retries", "runs", "skipped", "waited")

    def __init__(self) -> None:
        self.runs = self.failed = self.retries = self.skipped = self.missed = self.waited = 0
        self.first: datetime | None = None
        self.last: datetime | None = None
        self.longest_wait = self.busy = _NO_TIME

    def made(self, key: str) -> JobSum:
        """As a value."""
        return JobSum(key=key, **{name: getattr(self, name) for name in self.__slots__})


class Tally:
    """Hears of runs as they begin and end; ``most`` of them are kept one by one."""

    def __init__(self, keys: Iterable[str], *, most: int) -> None:
        self._sums = {key: _Sum() for key in keys}
        self._most = most
        self._told: list[tuple[datetime, int, SimulatedRun]] = []
        self._records = self._runs = self._peak = 0
        self._peak_at: datetime | None = None
        self._findings: dict[tuple[str, Kind, str], Finding] = {}
        # Runs begin in order of time, so that one minute is counted at a time.
        self._minute: datetime | None = None
        self._in_minute = 0
        self._busiest: list[tuple[int, float, datetime]] = []  # a heap, the least busy first

    def begun(self, now: datetime, going: int) -> None:
        """A run begins, so that as many go on now."""
        self._runs += 1
        if going > self._peak:
            self._peak, self._peak_at = going, now
        if self._minute is None or now - self._minute >= _MINUTE:
            self._close_minute()
            self._minute = now.replace(second=0, microsecond=0)
        self._in_minute += 1

    def _close_minute(self) -> None:
        if self._minute is None:
            return
        item = (self._in_minute, -self._minute.timestamp(), self._minute)
        (heappush if len(self._busiest) < _BUSIEST else heappushpop)(self._busiest, item)
        self._in_minute = 0

    def ended(self, run: Run, *, waited: timedelta = _NO_TIME, waited_for: str = "") -> None:
        """A run has ended or goes on to the end, or an instant is left out."""
        self._records += 1
        job = self._sums[run.key]
        began, ended, outcome = run.started_at, run.finished_at, run.outcome
        if began is not None:
            job.runs += 1
            if job.first is None or began < job.first:
                job.first = began
            if job.last is None or began > job.last:
                job.last = began
            if ended is not None:
                job.busy += ended - began
        if outcome is not Outcome.SUCCEEDED or run.reason is not Reason.SCHEDULED:
            self._note(job, run)
        if run.reason is Reason.CATCH_UP and began is not None and began - run.due > waited:
            self._find(run.key, Kind.CAUGHT_UP, run.due, cause="")
        if waited:
            job.waited += 1
            job.longest_wait = max(job.longest_wait, waited)
            self._find(run.key, Kind.WAITED, run.due, cause=waited_for, waited=waited)
        at = began or run.due
        if len(self._told) < self._most or (self._told and at < self._told[-1][0]):
            insort(self._told, (at, self._records, SimulatedRun(run=run, waited=waited, waited_for=waited_for)))
            del self._told[self._most :]

    def _note(self, job: _Sum, run: Run) -> None:
        """Count what is out of the ordinary."""
        if run.outcome is Outcome.SKIPPED:
            job.skipped += run.instants
        elif run.outcome is Outcome.MISSED:
            job.missed += run.instants
        elif run.outcome is Outcome.FAILED or run.outcome is Outcome.TIMED_OUT:
            job.failed += 1
        if run.reason is Reason.RETRY:
            job.retries += 1
        if run.outcome is not None and (kind := _OF_OUTCOME.get(run.outcome)) is not None:
            self._find(run.key, kind, run.due, cause=run.error, count=run.instants)

    def waits(self, key: str, due: datetime, *, now: datetime) -> None:
        """What was due then has not begun when the simulation ends, which is now."""
        self._find(key, Kind.WAITING, due, cause="", waited=now - due)

    def _find(
        self, key: str, kind: Kind, due: datetime, *, cause: str, count: int = 1, waited: timedelta = _NO_TIME
    ) -> None:
        """Add to what is out of the ordinary; those who wait are told apart by what they wait for."""
        place = (key, kind, cause if kind is Kind.WAITED else "")
        known = self._findings.get(place)
        is_longest = waited > (known.longest if known is not None else _NO_TIME)
        if known is None:
            known = Finding(key=key, kind=kind, count=0, first=due, last=due, cause=cause)
        self._findings[place] = msgspec.structs.replace(
            known,
            count=known.count + count,
            last=due,
            longest=waited if is_longest else known.longest,
            longest_due=due if is_longest else known.longest_due,
        )

    def report(self) -> Report:
        """What it came to."""
        self._close_minute()
        self._minute = None
        kinds = list(Kind)
        return Report(
            jobs=tuple(job.made(key) for key, job in sorted(self._sums.items())),
            findings=tuple(
                sorted(
                    self._findings.values(),
                    key=lambda found: (kinds.index(found.kind), found.first, found.key, found.cause),
                )
            ),
            runs=self._runs,
            peak=self._peak,
            peak_at=self._peak_at,
            busiest=tuple((minute, count) for count, _, minute in sorted(self._busiest, reverse=True)),
            records=self._records,
            told=tuple(told for _, _, told in self._told),
        )
