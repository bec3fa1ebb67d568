"""The timetable: what is due when, what is running, what comes next.

It is pure: instants come in as arguments; there is no thread, no clock and no lock.  Its one owner is the scheduler.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush, heapreplace

import msgspec

from gavo_exec.catalog import Catalog, CatalogChange
from gavo_exec.model import (
    Execute,
    JobStatus,
    LastStart,
    Outcome,
    Reason,
    ResourceDescriptor,
    Run,
    RunRequest,
    rd_id_of,
)
from gavo_exec.schedule import Every, Loaded


class Entry:
    """What the agenda knows of one execute; only the agenda touches it."""

    __slots__ = ("due", "execute", "last_start", "rd")

    def __init__(self, rd: ResourceDescriptor, execute: Execute, last_start: datetime | None) -> None:
        self.rd = rd
        self.execute = execute
        self.last_start = last_start
        self.due: datetime | None = None  # None when the execute is gone, or waits for its RD to be loaded anew


class Decisions(msgspec.Struct, frozen=True, kw_only=True):
    """What a tick came to: runs to start, and runs that are left out, each with its request."""

    requests: list[RunRequest]
    skipped: list[tuple[RunRequest, Run]]


class Agenda:
    """The timetable of all executes.

    ``run_ids`` yields an id for each run; ``last_starts`` has, by key, the instants that intervals count from.
    """

    def __init__(self, *, run_ids: Iterator[str], last_starts: Mapping[str, LastStart] | None = None) -> None:
        self._run_ids = run_ids
        self._last_starts = {key: start.at for key, start in (last_starts or {}).items()}
        self._catalog = Catalog()
        self._entries: dict[str, Entry] = {}
        # By key and not in the entry: an execute may be deleted and come back while its run goes on.
        self._running: dict[str, tuple[str, datetime]] = {}  # the run's id, and since when
        # By the due instant as a number, which compares fastest, then by order of entry.
        self._heap: list[tuple[float, int, datetime, Entry]] = []
        self._pushed = 0
        self._begun: dict[str, datetime] = {}
        # What runs when its RD is loaded comes before the RD's other jobs: by RD id, the keys of those that are still
        # to run or running, and what is held up by them.
        self._loading: dict[str, set[str]] = {}
        self._held_up: dict[str, list[tuple[datetime, Entry]]] = {}

    def reconcile(self, catalog: Catalog, now: datetime) -> CatalogChange:
        """Make the timetable agree with the catalog; unchanged schedules keep their due instants."""
        change = CatalogChange.between(self._catalog, catalog)
        for key in change.removed:
            entry = self._entries.pop(key)
            entry.due = None
            if entry.last_start is not None:
                self._last_starts[key] = entry.last_start
            self._end_loading(key)
        renewed, _ = catalog.differences(self._catalog)
        for rd in map(catalog.accepted.__getitem__, renewed):
            for execute in rd.executes:
                self._take(rd, execute, now)
        self._catalog = catalog
        if len(self._heap) > 2 * len(self._entries) + 64:
            self._heap = [item for item in self._heap if item[3].due is item[2]]
            heapify(self._heap)
        return change

    def _take(self, rd: ResourceDescriptor, execute: Execute, now: datetime) -> None:
        """Enter or renew one execute."""
        entry = self._entries.get(execute.key)
        if entry is None:
            entry = Entry(rd, execute, self._last_starts.pop(execute.key, None))
            self._entries[execute.key] = entry
        else:
            unchanged = entry.execute.schedule == execute.schedule
            entry.rd, entry.execute = rd, execute
            if unchanged and not isinstance(execute.schedule, Loaded):
                return
        if isinstance(execute.schedule, Loaded):
            self._loading.setdefault(rd.rd_id, set()).add(execute.key)
            self._schedule(entry, now)
            return
        self._end_loading(execute.key)
        due = execute.schedule.next_due(now, entry.last_start)
        if due is None:
            return
        if entry.last_start is None and isinstance(execute.schedule, Every) and due > now:
            # Remembered as if it had run one interval before: else each restart would put the first run off again.
            entry.last_start = self._begun[execute.key] = due - timedelta(0, execute.schedule.seconds)
        self._schedule(entry, max(now, due))

    def _end_loading(self, key: str) -> None:
        """Let what waited for this key go on, unless there are others to wait for; a key that loads nothing is fine."""
        rd_id = rd_id_of(key)
        keys = self._loading.get(rd_id)
        if keys is None:
            return
        keys.discard(key)
        if not keys:
            del self._loading[rd_id]
            for due, entry in self._held_up.pop(rd_id, ()):
                if entry.due is due:
                    self._schedule(entry, due)

    def take_begun(self) -> dict[str, LastStart]:
        """What is to be remembered as last starts of intervals that have just begun; each is told once."""
        begun, self._begun = self._begun, {}
        return {key: LastStart(at=at) for key, at in begun.items()}

    def _schedule(self, entry: Entry, due: datetime) -> None:
        """Put an entry on the heap; what stands there for it already is dropped when it comes up."""
        entry.due = due
        self._pushed += 1
        heappush(self._heap, (due.timestamp(), self._pushed, due, entry))

    def tick(self, now: datetime) -> Decisions:
        """Decide about everything due by now, in the order it is due, and move on to the next instants."""
        requests: list[RunRequest] = []
        skipped: list[tuple[RunRequest, Run]] = []
        heap, running, run_ids = self._heap, self._running, self._run_ids
        until = now.timestamp()
        while heap and heap[0][0] <= until:
            _, _, due, entry = heap[0]
            if entry.due is not due:  # left over from before an edit
                heappop(heap)
                continue
            execute = entry.execute
            key, schedule = execute.key, execute.schedule
            if self._loading and entry.rd.rd_id in self._loading:
                heappop(heap)
                if isinstance(schedule, Loaded):
                    requests += self._load(entry, now)
                else:
                    self._held_up.setdefault(entry.rd.rd_id, []).append((due, entry))
                continue
            # Intervals count from the due instant, so that they do not drift; having fallen behind by a whole one,
            # they begin anew from now.
            start, following = due, schedule.next_due(now, due)
            if following is not None and following <= now:
                start, following = now, schedule.next_due(now, now)
            assert following is not None  # noqa: S101 -- all that is due by the calendar is so again
            request = RunRequest(run_id=next(run_ids), rd=entry.rd, execute=execute, due=due, counts_from=start)
            if (holder := running.get(key)) is not None:
                skipped.append((request, skipped_run(request, now, f"still running since {_shown(holder[1])}")))
            else:
                entry.last_start = start
                running[key] = (request.run_id, now)
                requests.append(request)
            entry.due = following
            self._pushed += 1
            heapreplace(heap, (following.timestamp(), self._pushed, following, entry))
        return Decisions(requests=requests, skipped=skipped)

    def _load(self, entry: Entry, now: datetime) -> list[RunRequest]:
        """The run of something that runs when its RD is loaded; none as long as that of an earlier version goes on."""
        key = entry.execute.key
        if key in self._running:
            return []
        due, entry.due = entry.due or now, None
        request = RunRequest(
            run_id=next(self._run_ids), rd=entry.rd, execute=entry.execute, due=due, reason=Reason.STARTUP
        )
        self._running[key] = (request.run_id, now)
        return [request]

    def finish(self, key: str, run_id: str) -> None:
        """Let go of a key, if this run holds it."""
        holder = self._running.get(key)
        if holder is None or holder[0] != run_id:
            return
        del self._running[key]
        if key in self._loading.get(rd_id_of(key), ()):
            entry = self._entries[key]
            if entry.due is None:
                self._end_loading(key)
            else:  # its RD was loaded once more meanwhile
                self._schedule(entry, entry.due)

    def next_due(self) -> datetime | None:
        """The first instant at which something is due; None where there is nothing."""
        heap = self._heap
        while heap and heap[0][3].due is not heap[0][2]:
            heappop(heap)
        return heap[0][2] if heap else None

    def statuses(self) -> tuple[JobStatus, ...]:
        """Every job as it stands, by key."""
        return tuple(
            JobStatus(
                key=key,
                title=entry.execute.title,
                schedule=entry.execute.schedule.describe(),
                due=entry.due,
                running_since=self._running[key][1] if key in self._running else None,
                held_back=entry.rd.rd_id in self._catalog.rejected,
            )
            for key, entry in sorted(self._entries.items())
        )

    @property
    def running(self) -> int:
        """How many keys are running."""
        return len(self._running)


def skipped_run(request: RunRequest, now: datetime, cause: str) -> Run:
    """The record of a run that was due and is left out."""
    return Run(
        run_id=request.run_id,
        key=request.execute.key,
        title=request.execute.title,
        due=request.due,
        reason=request.reason,
        attempt=request.attempt,
        finished_at=now,
        outcome=Outcome.SKIPPED,
        error=cause,
        digest=request.rd.digest,
    )


def _shown(instant: datetime) -> str:
    """An instant for people, to the second."""
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"
