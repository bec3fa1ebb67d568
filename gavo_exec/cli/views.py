"""What there is to show, computed from the RDs and the recorded state; pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from operator import itemgetter

import msgspec

from gavo_exec.catalog import Catalog
from gavo_exec.control import JobStatus, Pause, holds_until
from gavo_exec.errors import Severity
from gavo_exec.json_views import DueView, ListedJob
from gavo_exec.model import (
    Channel,
    Execute,
    HeldBack,
    Job,
    LastStart,
    QueuedMail,
    Reason,
    Rejection,
    ResourceDescriptor,
    Retry,
    Run,
    rd_id_of,
)
from gavo_exec.ports import Store
from gavo_exec.schedule import Loaded, Schedule
from gavo_exec.simulation import Coming, coming_runs

_NEVER = datetime.max.replace(tzinfo=UTC)


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What the store knows of all jobs, read once."""

    last_starts: Mapping[str, LastStart] = msgspec.field(default_factory=dict)
    retries: Mapping[str, Retry] = msgspec.field(default_factory=dict)
    last_runs: Mapping[str, Run] = msgspec.field(default_factory=dict)
    running: Mapping[str, Run] = msgspec.field(default_factory=dict)
    rejections: Mapping[str, tuple[Rejection, tuple[HeldBack, ...]]] = msgspec.field(default_factory=dict)
    undelivered: Mapping[Channel, tuple[int, int]] = msgspec.field(default_factory=dict)
    pauses: Mapping[str, Pause] = msgspec.field(default_factory=dict)

    def pause_of(self, key: str, now: datetime) -> Pause | None:
        """The pause that keeps a job from starting."""
        pauses = (self.pauses.get(key), self.pauses.get(""))
        return next((pause for pause in pauses if pause is not None and holds_until(pause, now)), None)

    @classmethod
    def of(cls, store: Store) -> "State":
        """The store's present state."""
        return cls(
            last_starts=store.last_starts(),
            retries=store.retries(),
            last_runs=store.last_runs(),
            running=store.running(),
            rejections=store.rejections(),
            undelivered=store.undelivered(),
            pauses={pause.key: pause for pause in store.pauses()},
        )


class PlannedJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job that is on the timetable.

    ``declared`` is its RD and execute; None where the RD, at ``path``, is broken, so that the last good version runs.
    """

    key: str
    title: str
    schedule: Schedule
    path: str
    declared: tuple[ResourceDescriptor, Execute] | None = None

    @classmethod
    def of(cls, rd: ResourceDescriptor, execute: Execute) -> "PlannedJob":
        """The job of a good RD's execute."""
        return cls(
            key=execute.key, title=execute.title, schedule=execute.schedule, path=rd.path, declared=(rd, execute)
        )

    @property
    def held_back(self) -> bool:
        """Whether its RD is broken."""
        return self.declared is None

    def entered(self) -> tuple[ResourceDescriptor, Execute]:
        """What a daemon has on its timetable; of what is held back, only what is known of it, without its settings."""
        if self.declared is not None:
            return self.declared
        execute = Execute(key=self.key, title=self.title, schedule=self.schedule, job=Job())
        rd = ResourceDescriptor(rd_id=rd_id_of(self.key), path=self.path, inputs_dir="", resdir="", executes=(execute,))
        return rd, execute


def planned_jobs(catalog: Catalog, state: State) -> list[PlannedJob]:
    """All jobs, by key: those of the good RDs, and those that run on although their RD is broken."""
    planned = [PlannedJob.of(rd, execute) for rd, execute in catalog.executes()]
    for rd_id in catalog.rejected.keys() & state.rejections.keys():
        path = catalog.rejected[rd_id].path
        planned.extend(
            PlannedJob(key=job.key, title=job.title, schedule=job.schedule, path=path)
            for job in state.rejections[rd_id][1]
        )
    return sorted(planned, key=lambda job: job.key)


def planned_catalog(jobs: Iterable[PlannedJob]) -> Catalog:
    """The RDs of a daemon that has these jobs on its timetable."""
    rds: dict[str, ResourceDescriptor] = {}
    for job in jobs:
        rd, execute = job.entered()
        if job.held_back and (known := rds.get(rd.rd_id)) is not None:
            rd = msgspec.structs.replace(known, executes=(*known.executes, execute))
        rds[rd.rd_id] = rd
    return Catalog(accepted=rds)


def statuses(jobs: Iterable[PlannedJob], state: State, now: datetime) -> list[JobStatus]:
    """The jobs with their state, the next due first; no instant is due of those that run when their RD is loaded."""
    found = []
    for job in jobs:
        running = state.running.get(job.key)
        is_timed = not isinstance(job.schedule, Loaded)
        coming = next(coming_of(job, state, start=now), None) if is_timed else None
        found.append(
            JobStatus(
                key=job.key,
                title=job.title,
                schedule=job.schedule.describe(),
                due=coming.at if coming is not None else None,
                last_run=state.last_runs.get(job.key),
                running_since=running.started_at if running else None,
                run_id=running.run_id if running else "",
                pause=state.pause_of(job.key, now),
                held_back=job.held_back,
            )
        )
    return sorted(found, key=lambda status: (status.due or _NEVER, status.key))


def listed_jobs(jobs: Iterable[PlannedJob], state: State, now: datetime) -> list[ListedJob]:
    """The same for JSON."""
    planned = {job.key: job for job in jobs}
    return [_listed(planned[status.key], status) for status in statuses(planned.values(), state, now)]


def _listed(job: PlannedJob, status: JobStatus) -> ListedJob:
    if job.declared is None:
        return ListedJob.of_held_back(job.schedule, path=job.path, status=status)
    return ListedJob.of(*job.declared, status=status)


def declared_executes(catalog: Catalog) -> list[tuple[ResourceDescriptor, Execute]]:
    """All executes of the good RDs, by RD and in the order of the file."""
    return sorted(catalog.executes(), key=lambda declared: declared[0].rd_id)


def coming_dues(jobs: Iterable[PlannedJob], state: State, *, start: datetime, count: int) -> list[DueView]:
    """The first so many runs of each job from ``start`` on, in order of time.

    At like instants come first those that are due since their RD is loaded: the others of the RD wait for them.
    """
    dues = [
        (coming.at, not isinstance(job.schedule, Loaded), job.key, number, job.title, coming.reason)
        for job in jobs
        for number, coming in enumerate(islice(coming_of(job, state, start=start), count))
    ]
    dues.sort(key=itemgetter(0, 1, 2, 3))
    return [DueView(key=key, title=title, due=due, reason=reason) for due, _, key, _, title, reason in dues]


def coming_of(job: PlannedJob, state: State, *, start: datetime) -> Iterator[Coming]:
    """The runs of a job by the timetable of a daemon that starts at ``start`` and finds this state."""
    rd, execute = job.entered()
    last_start, retry = state.last_starts.get(job.key), state.retries.get(job.key)
    return coming_runs(rd, execute, start=start, last_start=last_start, retry=retry)


def outcome_words(run: Run) -> str:
    """``succeeded``, ``timed out``; ``running`` where it has not ended."""
    return "running" if run.outcome is None else run.outcome.value.replace("_", " ")


def reason_words(reason: Reason) -> str:
    """``scheduled``, ``catch up``."""
    return reason.value.replace("_", " ")


def broken_rds(catalog: Catalog) -> list[str]:
    """For each broken RD its first fault, as ``path:line:column: CODE message``, and how many others it has."""
    lines = []
    for _, rejection in sorted(catalog.rejected.items()):
        errors = [found for found in rejection.diagnostics if found.severity is Severity.ERROR]
        others = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        lines.append(f"{errors[0] if errors else rejection.path}{others}")
    return lines


def pause_words(pause: Pause) -> str:
    """``weather/q#fetch is paused until ... (jo: the disk moves)``."""
    ends = f" until {pause.until:%Y-%m-%d %H:%M:%S} UTC" if pause.until is not None else ""
    note = f": {pause.note}" if pause.note else ""
    return f"{pause.key or 'everything'} is paused{ends} since {pause.since:%Y-%m-%d %H:%M:%S} UTC ({pause.who}{note})"


def undelivered_words(state: State) -> list[str]:
    """For each channel by which something could not be delivered, how much."""
    return [
        f"{given_up} {channel.value if given_up == 1 else f'{channel.value}s'} could not be delivered, and "
        f"{'is' if given_up == 1 else 'are'} given up: gavo-exec mail list"
        for channel, (_, given_up) in state.undelivered.items()
        if given_up
    ]


def mail_state(mail: QueuedMail) -> str:
    """``delivered``, ``given up``, ``waiting``, ``retrying``."""
    if mail.delivered_at is not None:
        return "delivered"
    if mail.failed_at is not None:
        return "given up"
    return "retrying" if mail.attempts else "waiting"
