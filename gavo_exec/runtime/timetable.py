"""The timetable: what is due when, what is running, what comes next.

It is pure: instants come in as arguments; there is no thread, no clock and no lock.  Its one owner is the scheduler.

Each due instant is accounted for once: by a run, or by the record of one that was left out.  Of each key they are
accounted for in order, so that one instant, the last start, says how far that has come; what is due and has not begun
is not accounted for, and so is found again after a crash.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush, heapreplace

from gavo_exec.catalog import Catalog, CatalogChange
from gavo_exec.control import Pause, RefusedError
from gavo_exec.model import (
    DEFAULT_POLICY,
    LATE,
    Execute,
    LastStart,
    Missed,
    NewFile,
    Outcome,
    Reason,
    ResourceDescriptor,
    Retry,
    Run,
    RunRequest,
    rd_id_of,
    retry_of,
)
from gavo_exec.runtime.backlog import Entry
from gavo_exec.runtime.missed import MOST_KEPT_APART, made_up_for, passed
from gavo_exec.runtime.pauses import Pauses
from gavo_exec.runtime.turns import Decisions, Due, Turns, length
from gavo_exec.schedule import Every, Loaded

MOST_SET_BACK = timedelta(days=1)
"""How far the clock may be set back and dues still be waited for; beyond that it was wrong before."""

_MOST_LATE_RETRY = timedelta(days=1)
"""How long ago a retry that was due while no daemon ran may have been."""


class Timetable:
    """The timetable of all executes.

    ``run_ids`` yields an id for each run; ``last_starts`` has, by key, the instants up to which all is accounted for;
    ``retries`` what is to follow runs that failed before; ``slots`` is how many runs may go on at the same time;
    ``pauses`` are those that hold.
    """

    def __init__(
        self,
        *,
        run_ids: Iterator[str],
        last_starts: Mapping[str, LastStart] | None = None,
        retries: Mapping[str, Retry] | None = None,
        slots: int = 1_000_000_000,
        pauses: Iterable[Pause] = (),
    ) -> None:
        self._last_starts = dict(last_starts or {})
        self._retries = dict(retries or {})
        self._slots = slots
        self._pauses = Pauses(pauses)
        self._expired: list[Pause] = []
        self._turns = Turns(run_ids=run_ids, most=slots, is_paused=lambda key: self._pauses.of(key) is not None)
        self._catalog = Catalog()
        self._entries: dict[str, Entry] = {}
        # By the instant as a number, which compares fastest, then by order of entry; due instants and retries.
        self._heap: list[tuple[float, int, datetime, Entry]] = []
        self._pushed = 0
        # What is due and only waits for a slot, in order: kept out of the turns, which are for what has more to it.
        self._parked: deque[tuple[datetime, Entry]] = deque()
        self._began_at: datetime | None = None
        self._begun: dict[str, LastStart] = {}
        # What runs when its RD is loaded comes before the RD's other jobs: by RD id, the keys of those that are still
        # to run or running, and what is held up by them.
        self._loading: dict[str, set[str]] = {}
        self._held_up: dict[str, list[tuple[datetime, Entry]]] = {}

    # What is on the timetable

    def reconcile(self, catalog: Catalog, now: datetime) -> CatalogChange:
        """Make the timetable agree with the catalog; unchanged schedules keep their due instants."""
        if self._began_at is None:
            self._began_at = now
        renewed, gone = catalog.differences(self._catalog)
        change = CatalogChange.of(self._catalog, catalog, renewed=renewed, gone=gone)
        for key in change.removed:
            self._remove(key, now)
        for rd in map(catalog.accepted.__getitem__, renewed):
            for execute in rd.executes:
                self._take(rd, execute, now)
        self._catalog = catalog
        if len(self._heap) > 2 * len(self._entries) + 64:
            self._heap = [item for item in self._heap if is_current(item[3], item[2])]
            heapify(self._heap)
        return change

    def _remove(self, key: str, now: datetime) -> None:
        """Forget an execute; what was due of it and has not begun is left out."""
        entry = self._entries.pop(key)
        self._turns.give_up(entry, "its execute was taken out of the RD before it could begin", now)
        self._drop_parked(entry, "its execute was taken out of the RD", now)
        entry.due = entry.retry = None
        self._pauses.forget(key)
        if entry.last_start is not None:
            # By no schedule: while it is away, nothing of it can be missed.
            self._last_starts[key] = self._begun[key] = LastStart(at=entry.last_start)
        self._end_loading(key)

    def _take(self, rd: ResourceDescriptor, execute: Execute, now: datetime) -> None:
        """Enter or renew one execute."""
        key, schedule = execute.key, execute.schedule
        if execute.policy is not DEFAULT_POLICY:
            self._turns.note_policy(execute.policy)
        entry = self._entries.get(key)
        mark: LastStart | None = None
        if entry is None:
            mark = self._last_starts.pop(key, None)
            entry = self._entries[key] = Entry(rd, execute, mark.at if mark is not None else None)
            self._resume_retry(entry, now)
        else:
            unchanged = entry.execute.schedule == schedule
            if unchanged and not isinstance(schedule, Loaded):
                entry.rd, entry.execute = rd, execute
                return
            if not unchanged:
                self._turns.give_up(entry, "its schedule was edited before it could begin", now)
                self._drop_parked(entry, "its schedule was edited", now)
            entry.rd, entry.execute = rd, execute
        if isinstance(schedule, Loaded):
            self._loading.setdefault(rd.rd_id, set()).add(key)
            self._schedule(entry, now)
            return
        self._end_loading(key)
        due = self._first_due(entry, mark, now)
        if due is None:
            entry.due = None
        else:
            self._schedule(entry, due)

    def _first_due(self, entry: Entry, mark: LastStart | None, now: datetime) -> datetime | None:
        """The next instant that is not accounted for.

        It may have passed, but only where it was this schedule's before: instants of what was edited, or not there,
        have not been missed.  Where the clock is far behind what is remembered, it was wrong before: all begins anew.
        """
        key, schedule = entry.execute.key, entry.execute.schedule
        if entry.last_start is not None and entry.last_start - now > MOST_SET_BACK:
            entry.last_start = mark = None
        words = schedule.describe()
        if mark is not None and mark.schedule == words:
            return schedule.next_due(mark.at, mark.at)
        if isinstance(schedule, Every):
            due = schedule.next_due(now, entry.last_start)
            if due is None:
                return None
            # Remembered as if it had run one interval before: else each restart would put the first run off again.
            due = max(due, now)
            entry.last_start = due - timedelta(0, schedule.seconds)
        else:
            entry.last_start = max(now, entry.last_start or now)  # the clock may have been set back
            due = schedule.next_due(entry.last_start, entry.last_start)
        self._begun[key] = LastStart(at=entry.last_start, schedule=words)
        return due

    def _resume_retry(self, entry: Entry, now: datetime) -> None:
        """Let what was to follow a failed run before the restart follow it still."""
        retry = self._retries.pop(entry.execute.key, None)
        most = entry.execute.policy.retries + 1
        if retry is not None and retry.attempt <= most and now - retry.at < _MOST_LATE_RETRY:
            entry.retry = retry
            self._push(retry.at, entry)

    def take_begun(self) -> dict[str, LastStart]:
        """What is to be remembered as last starts of what has just begun or ended; each is told once."""
        begun, self._begun = self._begun, {}
        return begun

    def set_back(self, now: datetime) -> None:
        """The clock went back by more than MOST_SET_BACK, so it was wrong before: let everything be due from now on."""
        for entry in self._entries.values():
            if entry.due is not None and not isinstance(entry.execute.schedule, Loaded):
                entry.last_start = None
                entry.due = self._first_due(entry, None, now)
                if entry.due is not None:
                    self._schedule(entry, entry.due)

    def _schedule(self, entry: Entry, due: datetime) -> None:
        """Put an entry on the heap; what stands there for it already is dropped when it comes up."""
        entry.due = due
        self._push(due, entry)

    def _push(self, instant: datetime, entry: Entry) -> None:
        self._pushed += 1
        heappush(self._heap, (instant.timestamp(), self._pushed, instant, entry))

    # What is due

    def tick(self, now: datetime, *, ahead: int = 0) -> Decisions:
        """Decide about everything due by now, in the order it is due, and move on to the next instants.

        So many runs ``ahead`` may be asked for beyond the slots there are.
        """
        heap, turns, pauses = self._heap, self._turns, self._pauses
        turns.most = self._slots + ahead
        until = now.timestamp()
        if pauses:
            self._expired += [self.resume(key, now) for key in pauses.expired(now)]
        while heap and heap[0][0] <= until:
            _, _, instant, entry = heap[0]
            if pauses and pauses.of(entry.execute.key) is not None:
                heappop(heap)
                self._keep_paused(instant, entry)
            elif self._loading and entry.rd.rd_id in self._loading and not isinstance(entry.execute.schedule, Loaded):
                heappop(heap)
                self._held_up.setdefault(entry.rd.rd_id, []).append((instant, entry))
            elif entry.due is not instant:  # a retry, or left over from before an edit
                heappop(heap)
                if entry.retry is not None and entry.retry.at is instant:
                    turns.try_again(entry)
            elif turns.is_only_to_wait(entry):
                heappop(heap)
                self._parked.append((instant, entry))
            else:
                entry.due = following = self._arrive(entry, instant, now)
                if following is None:
                    heappop(heap)
                else:
                    self._pushed += 1
                    heapreplace(heap, (following.timestamp(), self._pushed, following, entry))
        self._fill(now)
        return turns.decided()

    def _fill(self, now: datetime) -> None:
        """Ask for runs of what waits, in the order it was due, as far as there are slots."""
        parked, turns = self._parked, self._turns
        while turns.has_room:
            first = turns.first_waiting
            if parked and (first is None or parked[0][0] <= first):
                instant, entry = parked.popleft()
                if entry.due is not instant:
                    continue
                if self._pauses and self._pauses.of(entry.execute.key) is not None:
                    self._keep_paused(instant, entry)
                    continue
                if self._loading and entry.rd.rd_id in self._loading:
                    self._held_up.setdefault(entry.rd.rd_id, []).append((instant, entry))
                    continue
                entry.due = following = self._arrive(entry, instant, now, is_first=True)
                if following is not None:
                    self._push(following, entry)
            elif first is not None:
                turns.hand_out(now)
            else:
                return

    def _drop_parked(self, entry: Entry, why: str, now: datetime) -> None:
        """Leave out an instant that is due and only waits for a slot."""
        due = entry.due
        is_recorded = not isinstance(entry.execute.schedule, Loaded) and not entry.execute.policy.files
        if due is not None and due <= now and is_recorded:
            self._turns.leave_out(entry, (due, due), Outcome.MISSED, cause=f"{why} before it could begin", now=now)

    def coming(self, now: datetime, until: datetime) -> list[RunRequest]:
        """Ask ahead for the runs of instants that come until then, as far as they stand in nobody's way.

        For noting them in the store before they are due, many at a time.  Stops at the first instant of which is only
        known when it is there whether it may be served.
        """
        heap, turns = self._heap, self._turns
        turns.most = self._slots
        last = until.timestamp()
        while heap and heap[0][0] <= last and not self._loading:
            _, _, instant, entry = heap[0]
            execute = entry.execute
            if entry.due is not instant:
                if is_current(entry, instant):
                    break
                heappop(heap)
                continue
            if self._pauses and self._pauses.of(execute.key) is not None:
                break
            following = execute.schedule.next_due(instant, instant)
            is_plain = execute.policy is DEFAULT_POLICY and (following is None or following > until)
            if instant <= now or not is_plain or not turns.begin_at_once(entry, instant, instant):
                break
            entry.due = following
            if following is None:
                heappop(heap)
            else:
                self._pushed += 1
                heapreplace(heap, (following.timestamp(), self._pushed, following, entry))
        return turns.decided().requests

    def _arrive(self, entry: Entry, due: datetime, now: datetime, *, is_first: bool = False) -> datetime | None:
        """Take up all instants of an entry that have come, from ``due`` on; answers the one that follows."""
        schedule, policy = entry.execute.schedule, entry.execute.policy
        if isinstance(schedule, Loaded):
            self._turns.offer(entry, [(due, None)], reason=Reason.STARTUP, now=now)
            return None
        following = schedule.next_due(due, due)
        late = now - due
        if (following is None or following > now) and late <= LATE and (policy.grace is None or late <= policy.grace):
            if policy is not DEFAULT_POLICY or not self._turns.begin_at_once(entry, due, now, is_first=is_first):
                self._turns.offer(entry, [(due, due)], reason=Reason.SCHEDULED, now=now)
            return following
        return self._catch_up(entry, due, now)

    def _catch_up(self, entry: Entry, due: datetime, now: datetime) -> datetime | None:
        """Take up instants that passed unserved, of which ``due`` is the first; answers the one that follows."""
        schedule, policy = entry.execute.schedule, entry.execute.policy
        stretch = passed(schedule, due, now)
        served = made_up_for(stretch.instants, policy, now)
        missed = [(instant, 1) for instant in stretch.instants if instant not in served]
        if stretch.before is not None:
            missed.insert(0, (stretch.before, stretch.earlier))
        if policy.files:
            missed = []  # files are looked for once for all of them
        if missed and entry.pending is not None:
            self._turns.give_up(entry, "it waited for a free slot until later ones were missed, too", now)
        for instant, instants in missed:
            self._miss(entry, instant, instants, now)
        if not served:
            entry.last_start = stretch.instants[-1]
            return stretch.following
        if isinstance(schedule, Every) and policy.missed is not Missed.ALL:
            # What fell behind counts on from when it is made up for.
            self._turns.offer(entry, [(served[-1], now)], reason=Reason.CATCH_UP, now=now)
            return schedule.next_due(now, now)
        dues: list[Due] = [(instant, instant) for instant in served]
        self._turns.offer(entry, dues, reason=Reason.CATCH_UP, now=now)
        return stretch.following

    def _miss(self, entry: Entry, last: datetime, instants: int, now: datetime) -> None:
        """Account for instants, of which this is the last, that are not made up for."""
        policy = entry.execute.policy
        is_before_us = self._began_at is not None and last < self._began_at
        why = "no daemon ran then" if is_before_us else "no slot was free, or the daemon did not come to it in time"
        if self._pauses.had(entry.execute.key, last):
            why = "it was paused then"
        grace = policy.grace
        if grace is not None and now - last > grace:
            fate = f"it is {length(now - last)} late, and may be {length(grace)}"
        elif policy.missed is Missed.ALL:
            fate = f"at most {MOST_KEPT_APART} are made up for"
        else:
            fate = "a later run makes up for it"
        many = f"{instants} instants up to this one passed: " if instants > 1 else ""
        cause = f"{many}{why}; {fate}"
        self._turns.leave_out(entry, (last, last), Outcome.MISSED, cause=cause, now=now, instants=instants)

    # What comes of it

    def found(self, request: RunRequest, files: tuple[NewFile, ...], now: datetime) -> None:
        """These files are new for a request that was looked up; where there are none, nothing is run or recorded."""
        self._turns.found(request, files, now)

    def files_in_use(self, key: str) -> tuple[NewFile, ...]:
        """The files that the runs of a key that go on are for."""
        return self._turns.files_in_use(key)

    def not_found(self, request: RunRequest, cause: str, now: datetime) -> None:
        """The files of a request could not be looked up."""
        if (ended := self._turns.not_found(request, cause, now)) is not None:
            self._retry_later(*ended)

    def finish(self, run: Run) -> None:
        """Let go of a key, if this run holds it, and see to what follows."""
        key = run.key
        entry = self._entries.get(key)
        request = self._turns.finish(run, entry)
        if request is None:
            return
        if request.execute.policy.retries:
            self._retry_later(request, run)
        is_loading = self._loading and key in self._loading.get(rd_id_of(key), ()) and key not in self._turns.running
        if is_loading and entry is not None and entry.due is None and entry.pending is None:
            self._end_loading(key)

    def _retry_later(self, request: RunRequest, run: Run) -> None:
        """Enter the attempt that is to follow, unless something is due already."""
        entry = self._entries.get(run.key)
        retry = retry_of(request, run)
        if entry is not None and retry is not None and entry.pending is None:
            entry.retry = retry
            self._push(retry.at, entry)

    def _end_loading(self, key: str) -> None:
        """Let what waited for this key go on, unless there are others to wait for; a key that loads nothing is fine."""
        rd_id = rd_id_of(key)
        keys = self._loading.get(rd_id)
        if keys is None:
            return
        keys.discard(key)
        if not keys:
            del self._loading[rd_id]
            for instant, entry in self._held_up.pop(rd_id, ()):
                if is_current(entry, instant):
                    self._push(instant, entry)

    def next_due(self) -> datetime | None:
        """The first instant at which something is due; None where there is nothing."""
        heap = self._heap
        while heap and not is_current(heap[0][3], heap[0][2]):
            heappop(heap)
        due = heap[0][2] if heap else None
        end = self._pauses.next_end if self._pauses else None
        return due if end is None else min(end, due or end)

    # Pauses

    def resume(self, key: str, now: datetime) -> Pause:
        """Let a pause be over; raises RefusedError where there is none.  What was due meanwhile is taken up."""
        pause, held = self._pauses.lift(key, now)
        if pause is None:
            raise RefusedError(f"{key} is not paused" if key else "there is no pause of all jobs")
        for instant, entry in held:
            if is_current(entry, instant):
                self._push(instant, entry)
        self._turns.resume()
        return pause

    def take_expired(self) -> list[Pause]:
        """The pauses that ended by themselves; each is told once."""
        expired, self._expired = self._expired, []
        return expired

    def _keep_paused(self, instant: datetime, entry: Entry) -> None:
        """Keep what has come up of a paused key; what its RD runs when it is loaded holds up nothing meanwhile."""
        if is_current(entry, instant):
            self._pauses.keep(instant, entry)
        if isinstance(entry.execute.schedule, Loaded):
            self._end_loading(entry.execute.key)


def is_current(entry: Entry, instant: datetime) -> bool:
    """Whether an item of the heap is not left over from before an edit."""
    return entry.due is instant or (entry.retry is not None and entry.retry.at is instant)
