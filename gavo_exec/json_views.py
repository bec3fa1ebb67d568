"""What ``--json`` prints, as types: commands print these, and the published schemas and the reference derive from them.

They are stable, as the reference says, and so stand apart from the domain's types, which may change with the program.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self

import msgspec
from msgspec import Meta

from gavo_exec.control import JobStatus
from gavo_exec.errors import Diagnostic, Severity
from gavo_exec.model import (
    Execute,
    Missed,
    Outcome,
    Overlap,
    Policy,
    Reason,
    ResourceDescriptor,
    Run,
    rd_id_of,
)
from gavo_exec.past import Deed, PastExecute
from gavo_exec.schedule import At, Every, Loaded, Schedule


def _says(description: str) -> Meta:
    """What a field means."""
    return Meta(description=description)


_Instant = Annotated[datetime, Meta(tz=True)]
_ParsedTime = tuple[
    Annotated[int, Meta(ge=1, le=28)] | None,
    Annotated[int, Meta(ge=1, le=7)] | None,
    Annotated[int, Meta(ge=0, le=23)],
    Annotated[int, Meta(ge=0, le=59)],
]
_DEBUG = _says("Whether the output of good runs is mailed, too.")
_PROPERTIES = _says("Its own properties, macros expanded; settings among them.")
_POLICY = _says("How it is run: what all settings come to.")
_SCHEMA = _says("The schema of its RD; null where it has none.")
_RESDIR = _says("The directory of its data, in which its programs run unless its policy has another; absolute.")
_LINE = _says("The line in it where the execute begins, from 1.")
_SOURCES = _says("All files that the RD was read from, itself among them.")

_Schedule = Annotated[str, _says("When it runs, in words; the wording may change.")]
_Due = Annotated[
    _Instant | None,
    _says("When it is due next; null where no instant is, as where loading its RD starts it."),
]
_RunningSince = Annotated[_Instant | None, _says("Since when it is running; null where it is not.")]
_Paused = Annotated[bool, _says("Whether it is paused.")]
_HeldBack = Annotated[bool, _says("Whether its RD is broken at present, so that its last good version runs.")]


class RunView(msgspec.Struct, frozen=True, kw_only=True):
    """A run, without its output."""

    run_id: Annotated[str, _says("The id of the run.")]
    key: Annotated[str, _says("The key of the execute that ran.")]
    title: Annotated[str, _says("Its title at that time.")]
    due: Annotated[_Instant, _says("When the run was due.")]
    reason: Annotated[Reason, _says("Why it was started.")]
    attempt: Annotated[int, _says("Which attempt it is, from 1.")]
    started_at: Annotated[_Instant | None, _says("When it began; null where it never did.")]
    finished_at: Annotated[_Instant | None, _says("When it ended, or was left out; null while it goes on.")]
    duration_seconds: Annotated[float | None, _says("How long it took; null where it never began, or goes on.")]
    outcome: Annotated[Outcome | None, _says("How it ended; null while it goes on.")]
    returncode: Annotated[
        int | None, _says("The return code of the child that failed last (negative: a signal); null where none did.")
    ]
    error: Annotated[str, _says("What went wrong, the cause on the first line; empty where nothing did.")]
    host: Annotated[str, _says("The machine that it ran on.")]
    digest: Annotated[str, _says("What tells the version of the RD that ran from other versions.")]
    instants: Annotated[
        int, _says("How many due instants it stands for, `due` being the last: more than one where many were missed.")
    ]

    @classmethod
    def of(cls, run: Run) -> Self:
        """The view of a run."""
        return cls(**{name: getattr(run, name) for name in cls.__struct_fields__})


class CodeLinesView(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of code, as it stood in a file."""

    path: Annotated[str, _says("The file.")]
    lines: Annotated[tuple[tuple[int, str], ...], _says("Its lines, each with its number.")]


class RunWithOutput(RunView, frozen=True, kw_only=True):
    """A run, with what it printed, and the code as it was."""

    output: Annotated[str, _says("What it printed; the middle is left out where that was too much.")]
    schedule: Annotated[str, _says("The schedule of the version that ran, in words; empty where it is not known.")]
    code: Annotated[
        tuple[CodeLinesView, ...],
        _says("The code of that version, setup code first, macros expanded; empty where it is not known."),
    ]

    @classmethod
    def with_code(cls, run: Run, then: PastExecute | None) -> Self:
        """The view of a run, and of its execute as it was then."""
        code = () if then is None else tuple(CodeLinesView(path=part.path, lines=part.lines) for part in then.code)
        fields = {name: getattr(run, name) for name in RunView.__struct_fields__}
        return cls(**fields, output=run.output, schedule="" if then is None else then.schedule, code=code)


class ExportedRun(RunView, frozen=True, kw_only=True):
    """A run that has ended, with what it printed."""

    output: Annotated[str, _says("What it printed; the middle is left out where that was too much.")]


class DeedView(msgspec.Struct, frozen=True, kw_only=True):
    """That somebody did something."""

    at: Annotated[_Instant, _says("When; of an edit, when the daemon took it up.")]
    who: Annotated[str, _says("Who; empty where that is not known. Of an edit, the owner of the file.")]
    what: Annotated[
        str,
        _says(
            "`added`, `edited`, `removed` (an RD), `triggered`, `cancelled`, `paused`, `resumed` (an execute, or all), "
            "`reloaded`, `started`, `stopped` (the daemon)."
        ),
    ]
    about: Annotated[str, _says("The RD or the key; empty for the daemon, and for all jobs.")]
    detail: Annotated[str, _says("What there is to add; the wording may change.")]

    @classmethod
    def of(cls, deed: Deed) -> "DeedView":
        """The view of a deed."""
        return cls(at=deed.at, who=deed.who, what=deed.what, about=deed.about, detail=deed.detail)


class LimitView(msgspec.Struct, frozen=True, kw_only=True):
    """How many runs go on at the same time."""

    name: Annotated[str, _says("What all runs that are limited together have.")]
    at_most: Annotated[int, _says("How many of them go on at the same time when such a run starts.")]


class PolicyView(msgspec.Struct, frozen=True, kw_only=True):
    """How an execute is run, be it said by its own properties, its resource's, the settings, or by default."""

    missed: Annotated[Missed, _says("What to do about instants that passed unserved.")]
    grace_seconds: Annotated[float | None, _says("How late a run may still begin; null where there is no limit.")]
    files: Annotated[
        str, _says("The pattern of the files that it waits for, absolute; empty where it does not wait for any.")
    ]
    settle_seconds: Annotated[float, _says("How long these must stand still.")]
    timeout_seconds: Annotated[float | None, _says("How long a run may take; null where there is no limit.")]
    overlap: Annotated[Overlap, _says("What to do where it is due while its run before still goes on.")]
    retries: Annotated[int, _says("How often what failed is tried again.")]
    retry_delay_seconds: Annotated[float, _says("How long the first retry waits.")]
    isolate: Annotated[Literal["thread", "process"], _says("Where its code runs.")]
    limit: Annotated[LimitView | None, _says("The limit that it shares with others; null where there is none.")]
    priority: Annotated[int, _says("Who comes first where not all can run at once: the higher number.")]
    workdir: Annotated[str, _says("The working directory of its programs; absolute.")]
    env: Annotated[Mapping[str, str], _says("What their environment has beside the daemon's.")]
    niceness: Annotated[int | None, _says("Their niceness; null where it is the daemon's.")]
    memory_bytes: Annotated[int | None, _says("How much memory each may have; null where there is no limit.")]
    mail_to: Annotated[tuple[str, ...], _says("Who is told when it goes wrong; empty where the settings say that.")]
    mail_after: Annotated[int, _says("How many runs in a row must have failed before anybody is told.")]
    remind_seconds: Annotated[
        tuple[float, ...], _says("How long after each mail the next one reminds; the last is kept to; empty for never.")
    ]
    locals: Annotated[bool, _says("Whether tracebacks have the values of local variables.")]
    ping: Annotated[str, _says("The address of the check that is told of its runs; empty where there is none.")]

    @classmethod
    def of(cls, policy: Policy, *, resdir: str) -> "PolicyView":
        """The view of a policy of an execute whose RD has this resdir."""
        limit = policy.limit
        return cls(
            missed=policy.missed,
            grace_seconds=_seconds(policy.grace),
            files=policy.files,
            settle_seconds=policy.settle.total_seconds(),
            timeout_seconds=_seconds(policy.timeout),
            overlap=policy.overlap,
            retries=policy.retries,
            retry_delay_seconds=policy.retry_delay.total_seconds(),
            isolate="process" if policy.is_isolated else "thread",
            limit=None if limit is None else LimitView(name=limit.name, at_most=limit.at_most),
            priority=policy.priority,
            workdir=policy.workdir or resdir,
            env=dict(policy.env),
            niceness=policy.niceness,
            memory_bytes=policy.memory_bytes,
            mail_to=policy.mail_to,
            mail_after=policy.mail_after,
            remind_seconds=tuple(reminder.total_seconds() for reminder in policy.reminders),
            locals=policy.shows_locals,
            ping=policy.ping,
        )


def _seconds(duration: timedelta | None) -> float | None:
    """A duration that there may not be."""
    return None if duration is None else duration.total_seconds()


class TimedView(msgspec.Struct, frozen=True, kw_only=True):
    """Whose a job is and when it runs: one of ``at``, ``every`` and ``on`` says so."""

    rd_id: Annotated[str, _says("The id of its RD: the path below the resource directory, without `.rd`.")]
    id: Annotated[str | None, _says("The `id` of the execute; null where it has none.")]
    key: Annotated[str, _says("Its key: `rd_id`, `#`, and the `id` or what becomes of the title.")]
    title: Annotated[str, _says("Its title, as it is written.")]
    at: Annotated[tuple[str, ...], _says("The items of `at`, as they are written; empty where there is no `at`.")]
    parsed_at: Annotated[
        tuple[_ParsedTime, ...],
        _says(
            "What these mean, in the same order: `[day_of_month, day_of_week, hour, minute]` in `zone`, null for any "
            "day; day 1 of the week is Monday."
        ),
    ]
    every: Annotated[
        int | None, _says("The seconds in `every`, negative where that is; null where there is no `every`.")
    ]
    on: Annotated[Literal["loaded"] | None, _says("`loaded` where it runs when its RD is loaded, else null.")]
    zone: Annotated[str, _says("The time zone of `at`, `only` and `excluded`, as IANA calls it; mostly `UTC`.")]
    only: Annotated[tuple[str, ...], _says("The calendar expressions of `when.only`; empty where there are none.")]
    excluded: Annotated[tuple[str, ...], _says("The calendar expressions of `when.not`; empty where there are none.")]
    delay_seconds: Annotated[
        int,
        _says("By how much times, and the first instant of an interval, are put off: what `when.jitter` comes to."),
    ]


class ExecuteView(TimedView, frozen=True, kw_only=True):
    """An execute as its RD says it."""

    debug: Annotated[bool, _DEBUG]
    properties: Annotated[Mapping[str, str | None], _PROPERTIES]
    policy: Annotated[PolicyView, _POLICY]
    schema: Annotated[str | None, _SCHEMA]
    resdir: Annotated[str, _RESDIR]
    setup_source: Annotated[
        str, _says("The code that is run once for each load, as it is compiled: bindings and macros are in place.")
    ]
    function_source: Annotated[
        str, _says("The body of the function of `rd` and `execDef` that a run calls, as it is compiled.")
    ]
    path: Annotated[str, _says("The file that the execute stands in, which may be another than the RD's.")]
    line: Annotated[int, _LINE]
    sources: Annotated[tuple[str, ...], _SOURCES]

    @classmethod
    def of(cls, rd: ResourceDescriptor, execute: Execute) -> "ExecuteView":
        """The view of an execute."""
        return cls(**_declared(rd, execute), **_code(execute))


class JobView(ExecuteView, frozen=True, kw_only=True):
    """An execute with its recorded state."""

    schedule: _Schedule
    due: _Due
    last_run: Annotated[RunView | None, _says("Its latest run that has ended; null where there is none.")]
    running_since: _RunningSince
    paused: _Paused
    held_back: _HeldBack
    runs: Annotated[tuple[RunView, ...], _says("Its latest runs, newest first.")]

    @classmethod
    def with_state(
        cls, rd: ResourceDescriptor, execute: Execute, *, status: JobStatus, runs: Iterable[Run]
    ) -> "JobView":
        """The view of an execute with its state and its latest runs."""
        views = tuple(RunView.of(run) for run in runs)
        return cls(**_declared(rd, execute), **_code(execute), **_state(status), runs=views)


class ListedJob(TimedView, frozen=True, kw_only=True):
    """A job with its recorded state; of one that is held back, what only its RD can tell is null."""

    debug: Annotated[bool | None, _DEBUG]
    properties: Annotated[Mapping[str, str | None] | None, _PROPERTIES]
    policy: Annotated[PolicyView | None, _POLICY]
    schema: Annotated[str | None, _SCHEMA]
    resdir: Annotated[str | None, _RESDIR]
    path: Annotated[str, _says("The file that the execute stands in; of one that is held back, the broken RD.")]
    line: Annotated[int | None, _LINE]
    sources: Annotated[tuple[str, ...] | None, _SOURCES]
    schedule: _Schedule
    due: _Due
    last_run: Annotated[RunView | None, _says("Its latest run that has ended; null where there is none.")]
    running_since: _RunningSince
    paused: _Paused
    held_back: _HeldBack

    @classmethod
    def of(cls, rd: ResourceDescriptor, execute: Execute, *, status: JobStatus) -> "ListedJob":
        """The view of a job whose RD is good."""
        return cls(**_declared(rd, execute), **_state(status))

    @classmethod
    def of_held_back(cls, schedule: Schedule, *, path: str, status: JobStatus) -> "ListedJob":
        """The view of a job whose RD, at this path, is broken."""
        unknown: dict[str, Any] = dict.fromkeys(
            ("debug", "properties", "policy", "schema", "resdir", "line", "sources")
        )
        timed = _timed(status.key, status.title, schedule)
        return cls(**timed, id=None, **unknown, path=path, **_state(status))


class DueView(msgspec.Struct, frozen=True, kw_only=True):
    """One coming due instant of a job."""

    key: Annotated[str, _says("The key of the execute.")]
    title: Annotated[str, _says("Its title.")]
    due: Annotated[_Instant, _says("When it is due; of what passed unserved and is made up for, when that is.")]
    reason: Annotated[Reason, _says("Why it is run then.")]


class PlaceView(msgspec.Struct, frozen=True, kw_only=True):
    """A place in a file."""

    path: Annotated[str, _says("The file.")]
    line: Annotated[int, _says("The line, from 1.")]
    column: Annotated[int, _says("The column, in characters from 1.")]


class DiagnosticView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is to be said about a file."""

    code: Annotated[str, _says("Its code: see the page of diagnostics.")]
    severity: Annotated[Severity, _says("How bad it is.")]
    message: Annotated[str, _says("What is wrong in this case; the wording may change.")]
    path: Annotated[str, _says("The file.")]
    line: Annotated[int, _says("The line, from 1.")]
    column: Annotated[int, _says("The column, in characters from 1.")]
    via: Annotated[
        tuple[PlaceView, ...],
        _says("The places through which that one was reached (a FEED of a stream, say), outermost last."),
    ]
    hint: Annotated[str, _says("What to do about it; may be empty.")]

    @classmethod
    def of(cls, diagnostic: Diagnostic) -> "DiagnosticView":
        """The view of a diagnostic."""
        position = diagnostic.position
        return cls(
            code=diagnostic.code,
            severity=diagnostic.severity,
            message=diagnostic.message,
            path=position.path,
            line=position.line,
            column=position.column,
            via=tuple(PlaceView(path=place.path, line=place.line, column=place.column) for place in position.via),
            hint=diagnostic.hint,
        )


class DifferenceView(msgspec.Struct, frozen=True, kw_only=True):
    """A general difference between DaCHS and this program."""

    topic: Annotated[str, _says("What it is about, in a word.")]
    count: Annotated[int, _says("How many of the site's executes or RDs have to do with it.")]
    what: Annotated[str, _says("What is counted: `execute` or `RD`.")]
    text: Annotated[str, _says("The difference; the wording may change.")]
    advice: Annotated[str, _says("What to do about it; may be empty.")]


class MigrationView(msgspec.Struct, frozen=True, kw_only=True):
    """What would be otherwise here than in DaCHS."""

    rds: Annotated[int, _says("How many good RDs have executes.")]
    executes: Annotated[int, _says("How many executes these have.")]
    refused: Annotated[int, _says("How many RDs are refused here.")]
    general: Annotated[tuple[DifferenceView, ...], _says("What is otherwise in general.")]
    notes: Annotated[tuple[DiagnosticView, ...], _says("What is otherwise in particular, by file and line.")]


def _timed(key: str, title: str, schedule: Schedule) -> dict[str, Any]:
    """Whose a job is and when it runs."""
    times = schedule.times if isinstance(schedule, At) else ()
    window = schedule.window if isinstance(schedule, At | Every) else None
    return {
        "rd_id": rd_id_of(key),
        "key": key,
        "title": title,
        "at": schedule.items if isinstance(schedule, At) else (),
        "parsed_at": tuple((time.day_of_month, time.day_of_week, time.hour, time.minute) for time in times),
        "every": schedule.raw if isinstance(schedule, Every) else None,
        "on": "loaded" if isinstance(schedule, Loaded) else None,
        "zone": schedule.zone if isinstance(schedule, At) else window.zone if window is not None else "UTC",
        "only": window.only if window is not None else (),
        "excluded": window.excluded if window is not None else (),
        "delay_seconds": schedule.delay_seconds if isinstance(schedule, At | Every) else 0,
    }


def _declared(rd: ResourceDescriptor, execute: Execute) -> dict[str, Any]:
    """What an RD says of an execute, but for its code."""
    return {
        **_timed(execute.key, execute.title, execute.schedule),
        "id": execute.id,
        "debug": execute.debug,
        "properties": execute.properties,
        "policy": PolicyView.of(execute.policy, resdir=rd.resdir),
        "schema": rd.schema,
        "resdir": rd.resdir,
        "path": execute.position.path or rd.path,
        "line": execute.position.line,
        "sources": rd.sources,
    }


def _code(execute: Execute) -> dict[str, Any]:
    """An execute's code."""
    return {"setup_source": execute.job.setup_source, "function_source": execute.job.source}


def _state(status: JobStatus) -> dict[str, Any]:
    """What is recorded of a job."""
    return {
        "schedule": status.schedule,
        "due": status.due,
        "last_run": RunView.of(status.last_run) if status.last_run is not None else None,
        "running_since": status.running_since,
        "paused": status.paused,
        "held_back": status.held_back,
    }
