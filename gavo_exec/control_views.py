"""What the control socket takes and answers, as types: the server and the client speak these, its OpenAPI derives."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from gavo_exec.control import DaemonStatus, Happening, JobStatus, Pause, Printed, RunBegan
from gavo_exec.json_views import CodeLinesView, DiagnosticView, ExecuteView, RunView
from gavo_exec.model import Outcome, Run


def _says(description: str) -> Meta:
    """What a field means."""
    return Meta(description=description)


_Instant = Annotated[datetime, Meta(tz=True)]
_Key = Annotated[str, _says("The key of the execute.")]


class PauseView(msgspec.Struct, frozen=True, kw_only=True):
    """That a job, or all, do not start by themselves."""

    key: Annotated[str, _says("The key of the execute; empty for all jobs.")]
    since: Annotated[_Instant, _says("Since when.")]
    until: Annotated[_Instant | None, _says("When it ends by itself; null where it does not.")]
    note: Annotated[str, _says("What whoever paused it had to say.")]
    who: Annotated[str, _says("Who that was.")]

    @classmethod
    def of(cls, pause: Pause) -> "PauseView":
        """The view of a pause."""
        return cls(key=pause.key, since=pause.since, until=pause.until, note=pause.note, who=pause.who)

    def value(self) -> Pause:
        """The pause that it is the view of."""
        return Pause(key=self.key, since=self.since, until=self.until, note=self.note, who=self.who)


class StatusView(msgspec.Struct, frozen=True, kw_only=True):
    """The daemon in one look."""

    version: Annotated[str, _says("Its version.")]
    pid: Annotated[int, _says("The id of its process.")]
    host: Annotated[str, _says("What its machine is called.")]
    inputs_dir: Annotated[str, _says("Its resource directory.")]
    state_dir: Annotated[str, _says("Its state directory.")]
    started_at: Annotated[_Instant, _says("Since when it serves.")]
    now: Annotated[_Instant, _says("What its clock says.")]
    jobs: Annotated[int, _says("How many jobs it has.")]
    running: Annotated[int, _says("How many runs go on.")]
    waiting: Annotated[int, _says("How many are due and have not begun.")]
    workers: Annotated[int, _says("How many runs can go on at the same time.")]
    next_due: Annotated[_Instant | None, _says("When the next job is due that is not paused; null where none is.")]
    broken_rds: Annotated[tuple[str, ...], _says("The first fault of each RD that is refused at present.")]
    incidents: Annotated[int, _says("How much goes wrong at present: jobs that fail, RDs that are broken.")]
    pauses: Annotated[tuple[PauseView, ...], _says("What is paused.")]
    mails_waiting: Annotated[int, _says("How many mails, and what goes by other channels, wait to be delivered.")]
    mails_given_up: Annotated[int, _says("How many could not be delivered, and are given up.")]
    is_stopping: Annotated[bool, _says("Whether it is to end.")]
    lag_seconds: Annotated[float, _says("How long the scheduler has been overdue to look at the time; mostly 0.")] = 0.0

    @classmethod
    def of(cls, status: DaemonStatus) -> "StatusView":
        """The view of a status."""
        fields = msgspec.structs.asdict(status)
        return cls(**{**fields, "pauses": tuple(map(PauseView.of, status.pauses))})


class LastRunView(msgspec.Struct, frozen=True, kw_only=True):
    """The latest run of a job, in a few words."""

    run_id: Annotated[str, _says("The id of the run.")]
    at: Annotated[_Instant, _says("When it began; of one that never did, when it was due.")]
    outcome: Annotated[Outcome | None, _says("How it ended.")]

    @classmethod
    def of(cls, run: Run) -> "LastRunView":
        """The view of a run."""
        return cls(run_id=run.run_id, at=run.started_at or run.due, outcome=run.outcome)


class JobLine(msgspec.Struct, frozen=True, kw_only=True):
    """A job in one line."""

    key: _Key
    title: Annotated[str, _says("Its title.")]
    schedule: Annotated[str, _says("When it runs, in words.")]
    due: Annotated[_Instant | None, _says("When it is due next; null where no instant is.")]
    last_run: Annotated[LastRunView | None, _says("Its latest run that has ended.")]
    running_since: Annotated[_Instant | None, _says("Since when it is running; null where it is not.")]
    run_id: Annotated[str, _says("The id of the run that goes on; empty where none does.")]
    pause: Annotated[PauseView | None, _says("Why it does not start by itself; null where it does.")]
    held_back: Annotated[bool, _says("Whether its RD is broken at present, so that its last good version runs.")]

    @classmethod
    def of(cls, status: JobStatus) -> "JobLine":
        """The view of a job."""
        return cls(
            key=status.key,
            title=status.title,
            schedule=status.schedule,
            due=status.due,
            last_run=LastRunView.of(status.last_run) if status.last_run is not None else None,
            running_since=status.running_since,
            run_id=status.run_id,
            pause=PauseView.of(status.pause) if status.pause is not None else None,
            held_back=status.held_back,
        )


class JobDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A job with all there is to know of it but its past."""

    line: Annotated[JobLine, _says("How it stands.")]
    declared: Annotated[ExecuteView, _says("What its RD says.")]
    code: Annotated[tuple[CodeLinesView, ...], _says("Its code with the lines of the files, setup code first.")]
    settings: Annotated[
        tuple[tuple[str, str], ...],
        _says("What is out of the ordinary about how it is run: names of properties, with values in words."),
    ]
    coming: Annotated[tuple[_Instant, ...], _says("The next instants at which it is due, ten at most.")]


class Broken(msgspec.Struct, frozen=True, kw_only=True):
    """An RD that is refused at present."""

    rd_id: Annotated[str, _says("Its id.")]
    path: Annotated[str, _says("Its file.")]
    rejected_at: Annotated[_Instant, _says("Since when this version is refused.")]
    diagnostics: Annotated[tuple[DiagnosticView, ...], _says("All that is to be said about it.")]
    held_back: Annotated[tuple[str, ...], _says("The keys of its jobs that run on in the last good version.")]


class RDLine(msgspec.Struct, frozen=True, kw_only=True):
    """An RD that has jobs, or is refused."""

    rd_id: Annotated[str, _says("Its id.")]
    jobs: Annotated[int, _says("How many jobs it has.")]
    is_good: Annotated[bool, _says("Whether its present version is in force.")]


class Trigger(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which execute is to run now."""

    key: _Key
    parameters: Annotated[
        dict[str, str], _says("What its code finds in the place of the properties of these names, in this run.")
    ] = msgspec.field(default_factory=dict)


class Triggered(msgspec.Struct, frozen=True, kw_only=True):
    """The run that was asked for."""

    run_id: Annotated[str, _says("Its id; it begins as soon as there is a free slot.")]


class Cancel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be ended."""

    run: Annotated[str, _says("The id of a run, or a key: all runs of it.")]


class Cancelled(msgspec.Struct, frozen=True, kw_only=True):
    """What is being ended."""

    runs: Annotated[str, _says("The ids of these runs.")]


class PauseOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is not to start by itself any more."""

    key: Annotated[str, _says("The key of an execute; empty for all jobs, those that come later among them.")]
    until: Annotated[_Instant | None, _says("When that ends by itself.")] = None
    note: Annotated[str, _says("Why."), Meta(max_length=500)] = ""


class ResumeOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may start by itself again."""

    key: Annotated[str, _says("The key of an execute; empty for the pause of all jobs.")]


class StopOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the daemon is to end."""

    at_once: Annotated[bool, _says("Whether it is not to wait for the runs that go on.")] = False


class ReloadedView(msgspec.Struct, frozen=True, kw_only=True):
    """What reading everything anew has come to."""

    rds: Annotated[int, _says("How many RDs are good.")]
    jobs: Annotated[int, _says("How many jobs these have.")]
    broken: Annotated[tuple[str, ...], _says("The first fault of each RD that is refused.")]


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """That it was done."""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why something is not done."""

    error: Annotated[str, _says("What stands against it.")]
    known: Annotated[tuple[str, ...], _says("Names like the one that there is nothing of.")] = ()


class LiveLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of what is followed; one without anything says that nothing happens."""

    began: Annotated[RunView | None, _says("A run that has begun, or goes on.")] = None
    run_id: Annotated[str, _says("The run that has printed something.")] = ""
    output: Annotated[str, _says("What it has printed.")] = ""
    ended: Annotated[RunView | None, _says("A run that has ended.")] = None

    @classmethod
    def of(cls, happening: Happening | None, text: str) -> "LiveLine":
        """The line for something; ``text`` is the output as text."""
        if happening is None:
            return cls()
        if isinstance(happening, Printed):
            return cls(run_id=happening.run_id, output=text)
        view = RunView.of(happening.run)
        return cls(began=view) if isinstance(happening, RunBegan) else cls(ended=view)
