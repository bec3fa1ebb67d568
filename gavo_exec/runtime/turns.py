"""Whose turn it is: what waits to begin, what runs, and what one has to do with the other; pure, and the agenda's own.

What is due waits here, one ``Pending`` for each execute, until its run before has ended (or need not end), its files
are looked up, a slot is free and its limit lets it through.
"""

from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import msgspec

from gavo_exec.control import RefusedError
from gavo_exec.model import DEFAULT_POLICY, Missed, NewFile, Outcome, Overlap, Policy, Reason, Run, RunRequest
from gavo_exec.runtime.backlog import Backlog, Entry, Pending
from gavo_exec.runtime.missed import MOST_KEPT_APART
from gavo_exec.schedule.every import in_words

Due = tuple[datetime, datetime | None]
"""An instant that is due, and what the schedule counts from once it is served."""

_OF_SCHEDULE = frozenset({Reason.SCHEDULED, Reason.CATCH_UP})


class Holder(msgspec.Struct, gc=False):
    """A run that holds its key; ``other`` is one that holds it beside this one."""

    request: RunRequest
    since: datetime
    other: "Holder | None" = None
    is_cancelled: bool = False


class Decisions(msgspec.Struct, kw_only=True):
    """What a tick came to.

    ``requests`` are to be started, ``lookups`` to be given the files that are new for them, ``cancels`` (run ids, each
    with the cause) to be ended.  ``left_out`` are the records of what is not run; ``accounted`` has by key the instants
    of which there is to be no record.
    """

    requests: list[RunRequest] = msgspec.field(default_factory=list)
    left_out: list[tuple[RunRequest, Run]] = msgspec.field(default_factory=list)
    lookups: list[RunRequest] = msgspec.field(default_factory=list)
    cancels: list[tuple[str, str]] = msgspec.field(default_factory=list)
    accounted: dict[str, datetime] = msgspec.field(default_factory=dict)


class Turns:
    """Waiting and running; ``most`` is how many runs may go on at the same time.

    What is due of a key that ``is_paused`` does not begin, unless somebody asked for it.
    """

    def __init__(
        self, *, run_ids: Iterator[str], most: int, is_paused: Callable[[str], bool] = lambda _: False
    ) -> None:
        self._run_ids = run_ids
        self.most = most
        self._is_paused = is_paused
        self._paused: dict[str, Pending] = {}  # what was due before its key was paused, and had not begun
        # By key and not in the entry: an execute may be deleted and come back while its run goes on.
        self.running: dict[str, Holder] = {}
        self.count = 0
        """How many runs go on."""
        self._backlog = Backlog()
        self._asking: dict[str, Pending] = {}  # by the request's run id, what waits for files to be looked up
        self._has_priorities = False  # whether there ever was an execute with one
        self._decisions = Decisions()

    def decided(self) -> Decisions:
        """What has been decided since this was asked last."""
        decisions, self._decisions = self._decisions, Decisions()
        return decisions

    def note_policy(self, policy: Policy) -> None:
        """Take note of the policy of an execute that was entered."""
        self._has_priorities = self._has_priorities or policy.priority != 0

    # What is due

    def offer(self, entry: Entry, dues: list[Due], *, reason: Reason, now: datetime) -> None:
        """Let instants wait for their turn, or leave them out, as what runs and waits already demands."""
        policy = entry.execute.policy
        holder = self.running.get(entry.execute.key)
        pending = entry.pending
        if pending is not None and pending.reason is Reason.TRIGGERED:
            self._skip(entry, dues, cause=f"run {pending.run_id}, which somebody asked for, waits to begin", now=now)
            return
        is_in_turn = policy.missed is Missed.ALL and reason is Reason.CATCH_UP
        if holder is not None and pending is None and reason is not Reason.STARTUP and not is_in_turn:
            if policy.overlap is Overlap.SKIP:
                cause = f"still running since {_shown(holder.since)} (run {holder.request.run_id})"
                self._skip(entry, dues, cause=cause, now=now)
                return
            if policy.overlap is Overlap.REPLACE:
                self._cancel(holder, dues[-1][0])
        entry.retry = None  # it gives way to what is due
        if pending is None or (pending.reason not in _OF_SCHEDULE and pending.looking is None):
            entry.pending = Pending(entry, deque(dues), reason=reason)
            self._enlist_if_free(entry.pending)
        elif (policy.missed is Missed.ALL or policy.overlap is Overlap.ALLOW) and not policy.files:
            pending.dues.extend(dues)
            while len(pending.dues) > MOST_KEPT_APART:
                self.leave_out(
                    entry, pending.dues.popleft(), Outcome.MISSED, cause="too many of its instants wait", now=now
                )
        else:
            # In its place, so that the turn is not lost.
            self._give_way(entry, pending, now)
            pending.dues, pending.reason, pending.attempt = deque(dues), reason, 1

    def try_again(self, entry: Entry) -> None:
        """Let a retry wait for its turn; it is none where an edit took it away, or something waits already."""
        retry, entry.retry = entry.retry, None
        if retry is not None and entry.pending is None and retry.attempt <= entry.execute.policy.retries + 1:
            dues: deque[Due] = deque([(retry.due, None)])
            entry.pending = Pending(entry, dues, reason=Reason.RETRY, attempt=retry.attempt)
            self._enlist_if_free(entry.pending)

    def trigger(self, entry: Entry, parameters: tuple[tuple[str, str], ...], now: datetime) -> str:
        """Let a run that somebody asks for wait for its turn, and answer its id.

        Raises RefusedError where the key is held, and says by what.
        """
        key = entry.execute.key
        if (holder := self.running.get(key)) is not None and entry.execute.policy.overlap is not Overlap.ALLOW:
            raise RefusedError(
                f"{key} is running since {_shown(holder.since)} (run {holder.request.run_id}, "
                f"{holder.request.reason.value.replace('_', ' ')}); wait for its end, or cancel it"
            )
        if (waiting := entry.pending) is not None:
            which = f"run {waiting.run_id}" if waiting.run_id else f"the run due {_shown(waiting.dues[0][0])}"
            raise RefusedError(f"{which} of {key} waits to begin already: for a free slot, its limit or its files")
        entry.retry = None
        pending = entry.pending = Pending(entry, deque([(now, None)]), reason=Reason.TRIGGERED)
        pending.run_id = run_id = next(self._run_ids)
        pending.parameters = parameters
        self._enlist_if_free(pending)
        return run_id

    def holding(self, name: str) -> Iterator[Holder]:
        """The runs of a key, or the run of this id, that go on."""
        for key, holder in self.running.items():
            each: Holder | None = holder
            while each is not None:
                if name in (key, each.request.run_id):
                    yield each
                each = each.other

    def cancel(self, name: str, cause: str) -> list[tuple[str, str]]:
        """Have a run ended that goes on, or all of a key; answers the ids of these, each with its key."""
        found = []
        for holder in self.holding(name):
            holder.is_cancelled = True
            found.append((holder.request.run_id, holder.request.execute.key))
        self._decisions.cancels += [(run_id, cause) for run_id, _ in found]
        return found

    def drop(self, entry: Entry, cause: str, now: datetime) -> None:
        """Leave out the run of an entry that somebody asked for and that has not begun."""
        pending, entry.pending = entry.pending, None
        if pending is not None and pending.run_id:
            request = self._request(pending)
            run = left_out_run(request, Outcome.CANCELLED, cause=cause, now=now)
            self._decisions.left_out.append((request, run))

    def resume(self) -> None:
        """Let what is not paused any more go on."""
        for key, pending in list(self._paused.items()):
            if not self._is_paused(key):
                del self._paused[key]
                if pending.entry.pending is pending:
                    self._enlist_if_free(pending)

    def _skip(self, entry: Entry, dues: list[Due], *, cause: str, now: datetime) -> None:
        """Leave instants out since another run goes on, or is to."""
        if entry.execute.policy.files:  # what has come meanwhile is found the next time
            self._account_silently(entry, dues[-1])
            return
        for due in dues:
            self.leave_out(entry, due, Outcome.SKIPPED, cause=cause, now=now)

    def _account_silently(self, entry: Entry, due: Due) -> None:
        """Account for an instant without a record."""
        counts_from = due[1]
        if counts_from is not None:
            entry.last_start = counts_from
            self._decisions.accounted[entry.execute.key] = counts_from

    def _give_way(self, entry: Entry, pending: Pending, now: datetime) -> None:
        """Leave out what waits, as a later instant takes its place."""
        if entry.execute.policy.files:  # they are looked for once for both
            return
        is_running = entry.execute.key in self.running
        outcome = Outcome.SKIPPED if is_running else Outcome.MISSED
        waited = "for its run before to end" if is_running else "for a free slot"
        cause = f"it waited {waited} until the next was due, which takes its place"
        for due in pending.dues:
            self.leave_out(entry, due, outcome, cause=cause, now=now)

    def give_up(self, entry: Entry, cause: str, now: datetime) -> None:
        """Leave out what waits."""
        if entry.pending is not None and entry.pending.reason is Reason.TRIGGERED:
            self.drop(entry, cause, now)
        pending, entry.pending = entry.pending, None
        if pending is not None and pending.reason in _OF_SCHEDULE and not entry.execute.policy.files:
            for due in pending.dues:
                self.leave_out(entry, due, Outcome.MISSED, cause=cause, now=now)

    def leave_out(
        self, entry: Entry, due: Due, outcome: Outcome, *, cause: str, now: datetime, instants: int = 1
    ) -> None:
        """Account for an instant (the last of so many) that is not served."""
        at, counts_from = due
        if counts_from is not None and (entry.last_start is None or entry.last_start < counts_from):
            entry.last_start = counts_from
        request = RunRequest(
            run_id=next(self._run_ids), rd=entry.rd, execute=entry.execute, due=at, counts_from=counts_from
        )
        run = left_out_run(request, outcome, cause=cause, now=now, instants=instants)
        self._decisions.left_out.append((request, run))

    def _cancel(self, holder: Holder, due: datetime) -> None:
        """Have the runs that hold a key ended, once."""
        each: Holder | None = holder
        while each is not None:
            if not each.is_cancelled:
                each.is_cancelled = True
                cause = f"replaced by the run due {_shown(due)} (run.overlap=replace)"
                self._decisions.cancels.append((each.request.run_id, cause))
            each = each.other

    # Files

    def found(self, request: RunRequest, files: tuple[NewFile, ...], now: datetime) -> None:
        """These files are new for a request; where there are none, nothing is run, and of the schedule's own nothing
        is recorded.
        """
        if (pending := self._looked_up(request)) is None:
            return
        if files or not pending.entry.execute.policy.files:  # it may have been edited meanwhile
            pending.files = files
            pending.dues = deque([pending.dues[-1]])
            self._backlog.add(pending)
            return
        self._account_silently(pending.entry, pending.dues[-1])
        pending.entry.pending = None
        if pending.reason is Reason.TRIGGERED:  # somebody waits for what becomes of it
            run = left_out_run(request, Outcome.SKIPPED, cause="there are no new files for it", now=now)
            self._decisions.left_out.append((request, run))

    def files_in_use(self, key: str) -> tuple[NewFile, ...]:
        """The files that the runs of a key that go on are for."""
        found: tuple[NewFile, ...] = ()
        holder = self.running.get(key)
        while holder is not None:
            found += holder.request.files
            holder = holder.other
        return found

    def not_found(self, request: RunRequest, cause: str, now: datetime) -> tuple[RunRequest, Run] | None:
        """The files of a request could not be looked up: a run that failed; answers its record."""
        if (pending := self._looked_up(request)) is None:
            return None
        pending.dues = deque([pending.dues[-1]])
        request = self._request(pending)
        pending.entry.pending = None
        if request.counts_from is not None:
            pending.entry.last_start = request.counts_from
        run = left_out_run(request, Outcome.FAILED, cause=f"its files could not be looked up: {cause}", now=now)
        self._decisions.left_out.append((request, run))
        return request, run

    def _looked_up(self, request: RunRequest) -> Pending | None:
        """What waits for the files of a request; None where it does not any more."""
        pending = self._asking.pop(request.run_id, None)
        if pending is None or pending.entry.pending is not pending:
            return None
        pending.looking = None
        return pending

    # The line

    def _enlist_if_free(self, pending: Pending) -> None:
        """Put what is due into the line, unless it has to wait for the run before it."""
        execute = pending.entry.execute
        if execute.key not in self.running or execute.policy.overlap is Overlap.ALLOW:
            self._enlist(pending)

    def _enlist(self, pending: Pending) -> None:
        """Put what is due into the line, or, where it is for files, have these looked up first."""
        execute = pending.entry.execute
        if not execute.policy.files or pending.reason is Reason.STARTUP:
            self._backlog.add(pending)
        elif pending.looking is None:
            pending.looking = self._request(pending)
            self._asking[pending.looking.run_id] = pending
            self._decisions.lookups.append(pending.looking)

    def _request(self, pending: Pending) -> RunRequest:
        """The request for the first of the instants that wait."""
        due, counts_from = pending.dues[0]
        entry = pending.entry
        return RunRequest(
            run_id=pending.run_id or next(self._run_ids),
            rd=entry.rd,
            execute=entry.execute,
            due=due,
            counts_from=counts_from,
            attempt=pending.attempt,
            reason=pending.reason,
            files=pending.files if entry.execute.policy.files else (),
            parameters=pending.parameters,
        )

    @property
    def has_room(self) -> bool:
        """Whether there may be one more run."""
        return self.count < self.most

    @property
    def first_waiting(self) -> datetime | None:
        """When what is first in line was due; None where nothing is."""
        return self._backlog.first_due

    def hand_out(self, now: datetime) -> None:
        """Ask for the run that is next in line."""
        if (pending := self._backlog.take()) is None:
            return
        entry = pending.entry
        policy = entry.execute.policy
        # It may have been edited meanwhile.
        if entry.execute.key in self.running and policy.overlap is not Overlap.ALLOW:
            return
        if pending.reason is not Reason.TRIGGERED and self._is_paused(entry.execute.key):
            self._paused[entry.execute.key] = pending
            return
        if policy.files and not pending.files and pending.reason is not Reason.STARTUP:
            self._enlist(pending)
            return
        due = pending.dues[0]
        grace = policy.grace
        late_by = now - due[0]
        if grace is not None and pending.reason in _OF_SCHEDULE and late_by > grace:
            late = f"it waited for a free slot for {length(late_by)}, and may be {length(grace)} late"
            self.leave_out(entry, due, Outcome.MISSED, cause=late, now=now)
        else:
            self._begin(self._request(pending), entry, now)
        pending.dues.popleft()
        pending.files = ()
        if pending.dues:
            self._enlist_if_free(pending)
        else:
            entry.pending = None

    def is_only_to_wait(self, entry: Entry) -> bool:
        """Whether nothing has to be decided about what is due but when there is a slot for it."""
        return (
            self.count >= self.most
            and entry.execute.policy is DEFAULT_POLICY
            and not self._has_priorities
            and entry.pending is None
            and entry.execute.key not in self.running
        )

    def begin_at_once(self, entry: Entry, due: datetime, now: datetime, *, is_first: bool = False) -> bool:
        """Ask for a run that is due on time and has no policy of its own, if nothing stands in its way.

        The short way for what nearly all runs are; False sends it the long way.  ``is_first`` says that nothing that
        waits comes before it.
        """
        execute = entry.execute
        if self._has_priorities or self.count >= self.most or entry.pending is not None:
            return False
        if not is_first and (first := self._backlog.first_due) is not None and first <= due:
            return False
        key = execute.key
        if key in self.running:
            return False
        request = RunRequest(run_id=next(self._run_ids), rd=entry.rd, execute=execute, due=due, counts_from=due)
        self.running[key] = Holder(request, now)
        self.count += 1
        entry.last_start = due
        entry.retry = None
        self._decisions.requests.append(request)
        return True

    def _begin(self, request: RunRequest, entry: Entry, now: datetime) -> None:
        """Ask for a run."""
        key = request.execute.key
        self.running[key] = Holder(request, now, self.running.get(key))
        self.count += 1
        limit = request.execute.policy.limit
        if limit is not None:
            self._backlog.occupy(limit.name)
        if request.counts_from is not None:
            entry.last_start = request.counts_from
        self._decisions.requests.append(request)

    def finish(self, run: Run, entry: Entry | None) -> RunRequest | None:
        """Take note that a run has ended; answers its request, or None where it does not hold its key."""
        holder = self.running.get(run.key)
        before: Holder | None = None
        while holder is not None and holder.request.run_id != run.run_id:
            before, holder = holder, holder.other
        if holder is None:
            return None
        if before is not None:
            before.other = holder.other
        elif holder.other is not None:
            self.running[run.key] = holder.other
        else:
            del self.running[run.key]
        self.count -= 1
        limit = holder.request.execute.policy.limit
        if limit is not None:
            self._backlog.release(limit.name)
        if entry is not None and entry.pending is not None:
            self._enlist_if_free(entry.pending)
        return holder.request


def left_out_run(request: RunRequest, outcome: Outcome, *, cause: str, now: datetime, instants: int = 1) -> Run:
    """The record of a run that was due and is left out."""
    return Run(
        run_id=request.run_id,
        key=request.execute.key,
        title=request.execute.title,
        due=request.due,
        reason=request.reason,
        attempt=request.attempt,
        finished_at=now,
        outcome=outcome,
        error=cause,
        digest=request.rd.digest,
        instants=instants,
    )


def length(duration: timedelta) -> str:
    """A duration for people, to the second."""
    return in_words(round(duration.total_seconds()))


def _shown(instant: datetime) -> str:
    """An instant for people, to the second."""
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"
