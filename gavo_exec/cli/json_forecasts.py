"""What ``simulate`` and ``explain`` print with ``--json``, as types; as stable as those of json_views."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import Enum
from typing import Annotated

import msgspec
from msgspec import Meta

from gavo_exec.cli.views import PlannedJob
from gavo_exec.json_views import RunView
from gavo_exec.model import Outcome, Reason
from gavo_exec.schedule import Loaded
from gavo_exec.simulation import Case, Explanation, Finding, JobSum, Kind, Plan, Report, SimulatedRun, Verdict


def _says(description: str) -> Meta:
    """What a field means."""
    return Meta(description=description)


_Instant = Annotated[datetime, Meta(tz=True)]
_KEY = _says("The key of the execute.")
_TITLE = _says("Its title.")


class TakesFrom(Enum):
    """Where it is known from how long a job takes."""

    GIVEN = "given"  # it was said with the command
    HISTORY = "history"  # the median of its last good runs
    ASSUMED = "assumed"  # nothing is known of it


class SimulatedJobView(msgspec.Struct, frozen=True, kw_only=True):
    """A job in a simulation, and what it came to."""

    key: Annotated[str, _KEY]
    title: Annotated[str, _TITLE]
    schedule: Annotated[str, _says("When it runs, in words; the wording may change.")]
    held_back: Annotated[bool, _says("Whether its RD is broken at present; then it is simulated without its settings.")]
    takes_seconds: Annotated[float, _says("How long each of its runs is taken to take.")]
    takes_from: Annotated[TakesFrom, _says("Where that is from.")]
    runs: Annotated[int, _says("How many of its runs begin, retries among them.")]
    first_at: Annotated[_Instant | None, _says("When the first of them begins; null where none does.")]
    last_at: Annotated[_Instant | None, _says("When the last of them begins; null where none does.")]
    failed: Annotated[int, _says("How many of them fail or are ended by their time limit.")]
    retries: Annotated[int, _says("How many of them are retries.")]
    skipped: Annotated[int, _says("How many due instants are left out since its run before goes on.")]
    missed: Annotated[int, _says("How many due instants pass unserved and are not made up for by themselves.")]
    waited: Annotated[int, _says("How many of its runs begin later than they could, since something is in the way.")]
    longest_wait_seconds: Annotated[float, _says("How long one of them waits at most.")]
    busy_seconds: Annotated[float, _says("How long its runs take in all, as far as they end.")]

    @classmethod
    def of(cls, job: PlannedJob, came_to: JobSum, *, takes: timedelta, takes_from: TakesFrom) -> "SimulatedJobView":
        """The view of a job and of what it came to."""
        return cls(
            key=job.key,
            title=job.title,
            schedule=job.schedule.describe(),
            held_back=job.held_back,
            takes_seconds=takes.total_seconds(),
            takes_from=takes_from,
            runs=came_to.runs,
            first_at=came_to.first,
            last_at=came_to.last,
            failed=came_to.failed,
            retries=came_to.retries,
            skipped=came_to.skipped,
            missed=came_to.missed,
            waited=came_to.waited,
            longest_wait_seconds=came_to.longest_wait.total_seconds(),
            busy_seconds=came_to.busy.total_seconds(),
        )


class FindingView(msgspec.Struct, frozen=True, kw_only=True):
    """What is out of the ordinary about a job in a simulation."""

    key: Annotated[str, _KEY]
    kind: Annotated[Kind, _says("What it is.")]
    count: Annotated[int, _says("How many due instants it is about.")]
    first_due: Annotated[_Instant, _says("The first of these.")]
    last_due: Annotated[_Instant, _says("The last of these.")]
    cause: Annotated[
        str, _says("Why, of the first of them; of `waited`, for what; may be empty. The wording may change.")
    ]
    longest_wait_seconds: Annotated[float, _says("How long one of them waits at most; 0 where none does.")]
    longest_wait_due: Annotated[_Instant | None, _says("When that one is due; null where none waits.")]

    @classmethod
    def of(cls, finding: Finding) -> "FindingView":
        """The view of a finding."""
        return cls(
            key=finding.key,
            kind=finding.kind,
            count=finding.count,
            first_due=finding.first,
            last_due=finding.last,
            cause=finding.cause,
            longest_wait_seconds=finding.longest.total_seconds(),
            longest_wait_due=finding.longest_due,
        )


class SimulatedRunView(msgspec.Struct, frozen=True, kw_only=True):
    """A run in a simulation, or the record of one that is left out."""

    run_id: Annotated[str, _says("Its id in this simulation.")]
    key: Annotated[str, _KEY]
    due: Annotated[_Instant, _says("When it is due.")]
    reason: Annotated[Reason, _says("Why it is started.")]
    attempt: Annotated[int, _says("Which attempt it is, from 1.")]
    started_at: Annotated[_Instant | None, _says("When it begins; null where it is left out.")]
    finished_at: Annotated[
        _Instant | None, _says("When it ends, or is left out; null where it goes on when the simulation ends.")
    ]
    outcome: Annotated[Outcome | None, _says("How it ends; null where it goes on when the simulation ends.")]
    error: Annotated[str, _says("What goes wrong; empty where nothing does.")]
    instants: Annotated[int, _says("How many due instants it stands for, `due` being the last.")]
    waited_seconds: Annotated[float, _says("How much later it begins than it could, since something is in the way.")]
    waited_for: Annotated[str, _says("What is in the way, at last; empty where nothing is. The wording may change.")]

    @classmethod
    def of(cls, told: SimulatedRun) -> "SimulatedRunView":
        """The view of a simulated run."""
        run = told.run
        return cls(
            run_id=run.run_id,
            key=run.key,
            due=run.due,
            reason=run.reason,
            attempt=run.attempt,
            started_at=run.started_at,
            finished_at=run.finished_at,
            outcome=run.outcome,
            error=run.error,
            instants=run.instants,
            waited_seconds=told.waited.total_seconds(),
            waited_for=told.waited_for,
        )


class BusyMinuteView(msgspec.Struct, frozen=True, kw_only=True):
    """A minute in which many runs begin."""

    minute: Annotated[_Instant, _says("When it begins.")]
    runs: Annotated[int, _says("How many runs begin in it.")]


class SimulationView(msgspec.Struct, frozen=True, kw_only=True):
    """What a simulation came to."""

    start: Annotated[_Instant, _says("The first instant that is simulated.")]
    end: Annotated[_Instant, _says("The instant before which it ends.")]
    slots: Annotated[int, _says("How many runs may go on at the same time.")]
    runs: Annotated[int, _says("How many runs begin.")]
    records: Annotated[int, _says("How many records there are: runs, and those that are left out.")]
    peak: Annotated[int, _says("How many runs go on at the same time at most.")]
    peak_at: Annotated[_Instant | None, _says("When they do for the first time; null where nothing runs.")]
    busiest: Annotated[
        tuple[BusyMinuteView, ...], _says("The minutes in which most runs begin, at most five, the busiest first.")
    ]
    jobs: Annotated[tuple[SimulatedJobView, ...], _says("All jobs, by key.")]
    findings: Annotated[
        tuple[FindingView, ...],
        _says("What is out of the ordinary, by kind; one for each job and kind, and of `waited` for each cause."),
    ]
    told: Annotated[
        tuple[SimulatedRunView, ...],
        _says("The first of the records, by when they begin or, left out, are due: as many as were asked for."),
    ]

    @classmethod
    def of(cls, plan: Plan, report: Report, jobs: Iterable[SimulatedJobView]) -> "SimulationView":
        """The view of what a plan came to."""
        return cls(
            start=plan.start,
            end=plan.end,
            slots=plan.slots,
            runs=report.runs,
            records=report.records,
            peak=report.peak,
            peak_at=report.peak_at,
            busiest=tuple(BusyMinuteView(minute=minute, runs=runs) for minute, runs in report.busiest),
            jobs=tuple(jobs),
            findings=tuple(map(FindingView.of, report.findings)),
            told=tuple(map(SimulatedRunView.of, report.told)),
        )


class ExplanationView(msgspec.Struct, frozen=True, kw_only=True):
    """Why a job did or did not run."""

    key: Annotated[str, _KEY]
    at: Annotated[_Instant | None, _says("The instant that was asked about; null where none was.")]
    verdict: Annotated[Verdict, _says("The answer, in a word.")]
    answer: Annotated[str, _says("The answer, in a sentence; the wording may change.")]
    evidence: Annotated[
        tuple[str, ...], _says("What speaks for it, and what else there is to know; the wording may change.")
    ]
    schedule: Annotated[str | None, _says("When it runs, in words; null where that is not known.")]
    due_before: Annotated[_Instant | None, _says("When it was due last before `at`; null where that is not known.")]
    due: Annotated[
        _Instant | None, _says("When it was or is due in the minute of `at`, or the second; null where it is not.")
    ]
    due_after: Annotated[_Instant | None, _says("When it is due next after `at`; null where that is not known.")]
    next_at: Annotated[_Instant | None, _says("When it runs next; null where it does not.")]
    held_back: Annotated[bool, _says("Whether its RD is broken at present, so that its last good version runs.")]
    fault: Annotated[str, _says("What is wrong with its RD at present; empty where nothing is.")]
    daemon: Annotated[bool, _says("Whether a daemon runs.")]
    runs: Annotated[tuple[RunView, ...], _says("The records that the answer rests on.")]

    @classmethod
    def of(cls, key: str, at: datetime | None, *, case: Case, found: Explanation) -> "ExplanationView":
        """The view of an explanation of a case."""
        schedule, coming = case.schedule, case.next
        return cls(
            key=key,
            at=at,
            verdict=found.verdict,
            answer=found.answer,
            evidence=found.evidence,
            schedule=schedule.describe() if schedule is not None else None,
            due_before=found.around.before,
            due=found.around.within,
            due_after=found.around.after,
            next_at=coming.at if coming is not None and not isinstance(schedule, Loaded) else None,
            held_back=case.held_back,
            fault=case.fault,
            daemon=case.daemon,
            runs=tuple(map(RunView.of, found.runs)),
        )
