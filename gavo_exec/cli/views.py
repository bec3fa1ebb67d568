"""What there is to show, computed from the RDs and the recorded state; pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice

import msgspec

from gavo_exec.catalog import Catalog
from gavo_exec.errors import Severity
from gavo_exec.model import Execute, HeldBack, Job, JobStatus, QueuedMail, Rejection, ResourceDescriptor, Run
from gavo_exec.ports import Store
from gavo_exec.schedule import At, Every, Loaded, Schedule, parse_at, parse_every

_NEVER = datetime.max.replace(tzinfo=UTC)


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What the store knows of all jobs, read once."""

    last_starts: Mapping[str, datetime] = msgspec.field(default_factory=dict)
    last_runs: Mapping[str, Run] = msgspec.field(default_factory=dict)
    running: Mapping[str, Run] = msgspec.field(default_factory=dict)
    rejections: Mapping[str, tuple[Rejection, tuple[HeldBack, ...]]] = msgspec.field(default_factory=dict)

    @classmethod
    def of(cls, store: Store) -> "State":
        """The store's present state."""
        return cls(
            last_starts=store.last_starts(),
            last_runs=store.last_runs(),
            running=store.running(),
            rejections=store.rejections(),
        )


class PlannedJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job that is on the timetable, from its RD or, where that is broken, from its last good version."""

    key: str
    title: str
    schedule: Schedule
    held_back: bool = False


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """One coming due instant of a job."""

    key: str
    title: str
    due: datetime


def planned_jobs(catalog: Catalog, state: State) -> list[PlannedJob]:
    """All jobs, by key: those of the good RDs, and those that run on although their RD is broken."""
    good = [execute for rd in catalog.accepted.values() for execute in rd.executes]
    planned = [PlannedJob(key=execute.key, title=execute.title, schedule=execute.schedule) for execute in good]
    for rd_id in catalog.rejected.keys() & state.rejections.keys():
        planned.extend(
            PlannedJob(key=job.key, title=job.title, schedule=_schedule_of(job), held_back=True)
            for job in state.rejections[rd_id][1]
        )
    return sorted(planned, key=lambda job: job.key)


def _schedule_of(job: HeldBack) -> Schedule:
    """The schedule as a value again."""
    if job.on is not None:
        return Loaded()
    return parse_at(",".join(job.at)) if job.every is None else parse_every(str(job.every))


def statuses(jobs: Iterable[PlannedJob], state: State, now: datetime) -> list[JobStatus]:
    """The jobs with their state, the next due first."""
    found = []
    for job in jobs:
        running = state.running.get(job.key)
        found.append(
            JobStatus(
                key=job.key,
                title=job.title,
                schedule=job.schedule.describe(),
                due=next(due_instants(job.schedule, last_start=state.last_starts.get(job.key), start=now), None),
                last_run=state.last_runs.get(job.key),
                running_since=running.started_at if running else None,
                held_back=job.held_back,
            )
        )
    return sorted(found, key=lambda status: (status.due or _NEVER, status.key))


def coming_dues(jobs: Iterable[PlannedJob], state: State, *, start: datetime, count: int) -> list[Due]:
    """The first so many due instants of each job from ``start`` on, in order of time."""
    dues = [
        Due(key=job.key, title=job.title, due=due)
        for job in jobs
        for due in islice(
            due_instants(job.schedule, last_start=state.last_starts.get(job.key), start=start),
            count,
        )
    ]
    return sorted(dues, key=lambda item: (item.due, item.key))


def due_instants(schedule: Schedule, *, last_start: datetime | None, start: datetime) -> Iterator[datetime]:
    """The due instants of a daemon that starts at ``start``, each served on time.

    What was due before, or is due when it is loaded, is served at once.  Ends where the calendar does.
    """
    try:
        due = start if isinstance(schedule, Loaded) else schedule.next_due(start, last_start)
        while due is not None:
            due = max(due, start)
            yield due
            due = schedule.next_due(due, due)
    except (OverflowError, ValueError):
        return


def outcome_words(run: Run) -> str:
    """``succeeded``, ``timed out``; ``running`` where it has not ended."""
    return "running" if run.outcome is None else run.outcome.value.replace("_", " ")


def run_fields(run: Run, *, with_output: bool) -> dict[str, object]:
    """The run for JSON, with how long it took."""
    fields: dict[str, object] = {**msgspec.structs.asdict(run), "duration_seconds": run.duration_seconds}
    if not with_output:
        del fields["output"]
    return fields


def status_fields(status: JobStatus) -> dict[str, object]:
    """The job for JSON."""
    last_run = run_fields(status.last_run, with_output=False) if status.last_run else None
    return {**msgspec.structs.asdict(status), "last_run": last_run}


def execute_fields(
    rd: ResourceDescriptor, execute: Execute, *, status: JobStatus, runs: Iterable[Run]
) -> dict[str, object]:
    """The execute for JSON: what its RD says, what its state is, and its last runs."""
    return {
        **status_fields(status),
        "rd_id": rd.rd_id,
        "id": execute.id,
        "at": execute.schedule.items if isinstance(execute.schedule, At) else (),
        "every": execute.schedule.raw if isinstance(execute.schedule, Every) else None,
        "debug": execute.debug,
        "properties": execute.properties,
        "schema": rd.schema,
        "resdir": rd.resdir,
        "source": execute.job.source,
        "setup_source": execute.job.setup_source,
        "path": execute.position.path or rd.path,
        "line": execute.position.line,
        "sources": rd.sources,
        "runs": [run_fields(run, with_output=False) for run in runs],
    }


def latest_runs(store: Store, key: str | None, *, limit: int, failed: bool) -> list[Run]:
    """The latest runs, newest first; only those that went wrong where ``failed``."""
    if not failed:
        return store.runs(key, limit=limit)
    asked = limit
    while True:
        # Failures are rare: look further back until there are enough of them, or nothing is left to look at.
        runs = store.runs(key, limit=asked)
        found = [run for run in runs if run.outcome is not None and run.outcome.is_bad]
        if len(found) >= limit or len(runs) < asked:
            return found[:limit]
        asked *= 8


def broken_rds(catalog: Catalog) -> list[str]:
    """For each broken RD its first fault, as ``path:line:column: CODE message``, and how many others it has."""
    lines = []
    for _, rejection in sorted(catalog.rejected.items()):
        errors = [found for found in rejection.diagnostics if found.severity is Severity.ERROR]
        others = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        lines.append(f"{errors[0] if errors else rejection.path}{others}")
    return lines


def job_state(status: JobStatus) -> str:
    """What is out of the ordinary about a job, in words."""
    words = {"running": status.running_since is not None, "paused": status.paused, "held back": status.held_back}
    return ", ".join(word for word, is_so in words.items() if is_so)


def mail_state(mail: QueuedMail) -> str:
    """``delivered``, ``given up``, ``waiting``, ``retrying``."""
    if mail.delivered_at is not None:
        return "delivered"
    if mail.failed_at is not None:
        return "given up"
    return "retrying" if mail.attempts else "waiting"


def numbered_source(job: Job) -> Iterator[tuple[int, str]]:
    """The lines of the job's code with the lines of the file where they stand."""
    for index, line in enumerate(job.source.removesuffix("\n").split("\n")):
        yield (job.lines[index] if index < len(job.lines) else job.first_line + index), line
