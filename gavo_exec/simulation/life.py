"""A daemon's life with a clock that jumps: the real agenda, and an engine in which runs only take their time."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count

import msgspec

from gavo_exec.catalog import Catalog
from gavo_exec.model import LastStart, NewFile, Outcome, Reason, Retry, Run, RunRequest, retry_of
from gavo_exec.runtime.agenda import Agenda
from gavo_exec.runtime.turns import Decisions
from gavo_exec.schedule import Loaded
from gavo_exec.simulation.tally import Tally

USUAL = timedelta(seconds=1)
"""How long a run takes of which nothing is known."""

ANY_FILE = (NewFile(path="*", size=0, mtime_ns=0),)
"""What an execute that waits for files is said to find: there is always something new."""

_NO_TIME = timedelta(0)

Stretch = tuple[datetime, datetime]
"""From one instant to another."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be simulated: a daemon that serves ``catalog`` from ``start`` to ``end``, but for when it is down.

    ``last_starts`` and ``retries`` are what it finds recorded; so many ``slots`` are how many runs may go on at once.
    Runs take what ``durations`` has for their key, else ``usual``; those of keys that are ``failing`` fail.
    """

    catalog: Catalog
    start: datetime
    end: datetime
    slots: int
    last_starts: Mapping[str, LastStart] = msgspec.field(default_factory=dict)
    retries: Mapping[str, Retry] = msgspec.field(default_factory=dict)
    durations: Mapping[str, timedelta] = msgspec.field(default_factory=dict)
    usual: timedelta = USUAL
    failing: frozenset[str] = frozenset()
    downs: tuple[Stretch, ...] = ()

    def ups(self) -> list[Stretch]:
        """When the daemon runs, in order."""
        found: list[Stretch] = []
        begin = self.start
        for down, up in sorted(self.downs):
            if begin < down:
                found.append((begin, min(down, self.end)))
            begin = max(begin, up)
            if begin >= self.end:
                break
        else:
            found.append((begin, self.end))
        return [(begin, end) for begin, end in found if begin < end]


class _Going(msgspec.Struct, gc=False):
    """A run that goes on: since when, and what is to become of it."""

    request: RunRequest
    since: datetime
    outcome: Outcome
    error: str
    waited: timedelta
    waited_for: str


class Life:
    """Lives through a plan, and has a tally hear what happens."""

    def __init__(self, plan: Plan, tally: Tally) -> None:
        self._plan = plan
        self._tally = tally
        self._run_ids: Iterator[str] = map(str, count(1))
        self._ends: list[tuple[datetime, int, str]] = []  # when runs end, by order of start; with their ids
        self._begun = 0
        self._going: dict[str, _Going] = {}
        self._limited: dict[str, int] = {}  # how many runs go on under each limit
        # What is recorded, as the store would have it.
        self._last_starts = dict(plan.last_starts)
        self._retries = dict(plan.retries)
        self._agenda = Agenda(run_ids=self._run_ids)
        self._up_since = plan.start
        # What stood in the way until a moment ago, so that what begins now may have waited for it.
        self._freed: set[str] = set()
        self._full: set[str] = set()
        self._was_full = False

    def live(self) -> None:
        """Live through all of it."""
        for begin, end in self._plan.ups():
            self._up_since = begin
            self._agenda = Agenda(
                run_ids=self._run_ids,
                last_starts=self._last_starts,
                retries=self._retries,
                slots=self._plan.slots,
            )
            self._agenda.reconcile(self._plan.catalog, begin)
            self._serve(begin, end)
            if end < self._plan.end:
                self._go_down(end)
            else:
                self._break_off()

    def _serve(self, now: datetime, end: datetime) -> None:
        """Go from one instant at which something happens to the next, to the end of the stretch."""
        agenda, ends = self._agenda, self._ends
        while True:
            self._step(now)
            due = agenda.next_due()
            if ends and (due is None or ends[0][0] <= due):
                due = ends[0][0]
            if due is None or due >= end:
                return
            now = due
            self._was_full = agenda.running >= self._plan.slots
            if self._freed or self._full:
                self._freed, self._full = set(), set()
            while ends and ends[0][0] <= now:
                going = self._going.get(heappop(ends)[2])
                if going is not None:
                    self._finish(going, now)

    def _step(self, now: datetime) -> None:
        """Let the agenda decide, and do what it decides."""
        while True:
            decisions = self._agenda.tick(now)
            if self._plan.downs:
                self._note(decisions)
            for request in decisions.requests:
                self._begin(request, now)
            for _, run in decisions.left_out:
                self._tally.ended(run)
            for request in decisions.lookups:
                self._agenda.found(request, ANY_FILE, now)
            for run_id, cause in decisions.cancels:
                going = self._going[run_id]
                going.outcome, going.error = Outcome.CANCELLED, cause
                self._finish(going, now)
            if not decisions.lookups and not decisions.cancels:
                return

    def _note(self, decisions: Decisions) -> None:
        """Remember what the store would be told."""
        self._last_starts.update(self._agenda.take_begun())
        for request, run in decisions.left_out:
            self._account_for(run.key, request.counts_from)
        for key, at in decisions.accounted.items():
            self._account_for(key, at)

    def _account_for(self, key: str, at: datetime | None) -> None:
        """An instant is accounted for; what is accounted for never goes back."""
        mark = self._last_starts.get(key)
        if at is not None and mark is not None and mark.at < at:
            self._last_starts[key] = LastStart(at=at, schedule=mark.schedule)

    # Runs

    def _begin(self, request: RunRequest, now: datetime) -> None:
        """Begin a run; it is known when it will end."""
        plan, execute = self._plan, request.execute
        key, policy = execute.key, execute.policy
        waited, waited_for = _NO_TIME, ""
        if request.due != now:
            due = self._retries[key].at if request.reason is Reason.RETRY and key in self._retries else request.due
            waited = now - max(due, self._up_since)
            if waited:
                waited_for = self._waited_for(request)
        if plan.downs:
            self._account_for(key, request.counts_from)
        self._retries.pop(key, None)
        lasts = plan.durations.get(key, plan.usual)
        outcome, error = Outcome.SUCCEEDED, ""
        if key in plan.failing:
            outcome, error = Outcome.FAILED, "it is to fail here"
        if policy.timeout is not None and lasts > policy.timeout:
            lasts = policy.timeout
            outcome, error = Outcome.TIMED_OUT, "it takes longer than it may (run.timeout)"
        if policy.limit is not None:
            self._limited[policy.limit.name] = self._limited.get(policy.limit.name, 0) + 1
        going = _Going(request, now, outcome, error, waited, waited_for)
        self._going[request.run_id] = going
        self._begun += 1
        heappush(self._ends, (now + lasts, self._begun, request.run_id))
        self._tally.begun(now, len(self._going))

    def _waited_for(self, request: RunRequest) -> str:
        """What a run that begins now has waited for."""
        execute = request.execute
        limit = execute.policy.limit
        if execute.key in self._freed:
            return "its run before"
        if limit is not None and limit.name in self._full:
            return f"the limit {limit.name}"
        if self._was_full:
            return "a free slot"
        is_held_up = any(isinstance(each.schedule, Loaded) for each in request.rd.executes)
        return "what runs when its RD is loaded" if is_held_up else "others"

    def _finish(self, going: _Going, now: datetime) -> None:
        """End a run, and let the agenda know."""
        request = going.request
        execute = request.execute
        limit = execute.policy.limit
        if limit is not None:
            if self._limited[limit.name] >= limit.at_most:
                self._full.add(limit.name)
            self._limited[limit.name] -= 1
        del self._going[request.run_id]
        self._freed.add(execute.key)
        run = self._run_of(going, now)
        if execute.policy.retries and (retry := retry_of(request, run)) is not None:
            self._retries[execute.key] = retry
        self._agenda.finish(run)
        self._tally.ended(run, waited=going.waited, waited_for=going.waited_for)

    def _run_of(self, going: _Going, ended_at: datetime | None) -> Run:
        """The record of a run that ended then, or goes on (None)."""
        request = going.request
        return Run(
            run_id=request.run_id,
            key=request.execute.key,
            title=request.execute.title,
            due=request.due,
            reason=request.reason,
            attempt=request.attempt,
            started_at=going.since,
            finished_at=ended_at,
            outcome=going.outcome if ended_at is not None else None,
            error=going.error if ended_at is not None else "",
        )

    def _go_down(self, now: datetime) -> None:
        """The daemon ends, and so does all that runs."""
        for going in self._going.values():
            going.outcome, going.error = Outcome.INTERRUPTED, "the daemon ended before the run did"
            self._tally.ended(self._run_of(going, now), waited=going.waited, waited_for=going.waited_for)
        self._going.clear()
        self._ends.clear()
        self._limited.clear()

    def _break_off(self) -> None:
        """Nothing more is looked at; some runs go on, and some wait."""
        for going in self._going.values():
            self._tally.ended(self._run_of(going, None), waited=going.waited, waited_for=going.waited_for)
        for key, due in self._agenda.waiting():
            self._tally.waits(key, due, now=self._plan.end)
