"""``simulate``: what would happen between two instants, by the daemon's own timetable."""

import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from statistics import median

import click
import msgspec

from gavo_exec.cli.exits import DONE
from gavo_exec.cli.json_forecasts import SimulatedJobView, SimulationView, TakesFrom
from gavo_exec.cli.keys import normal_key, unknown_key
from gavo_exec.cli.options import examples, json_option, moment, parsed_moment, settings_options
from gavo_exec.cli.output import clean, counted, instant, length, show_json, show_table
from gavo_exec.cli.state import opened_store
from gavo_exec.cli.tree import read_tree
from gavo_exec.cli.views import State, broken_rds, outcome_words, planned_catalog, planned_jobs, reason_words
from gavo_exec.elements.portable import find_portable
from gavo_exec.model import Outcome, Run
from gavo_exec.ports import Store
from gavo_exec.runtime.clock import SystemClock
from gavo_exec.settings import Settings
from gavo_exec.simulation import USUAL, Finding, Kind, Plan, Report, SimulatedRun, simulate

_FEW = 40
"""So many runs are told one by one without being asked for."""

_LOOKED_BACK = 20
"""How many runs of a job are looked at for how long it takes."""

_WORDS = {
    Kind.CAUGHT_UP: "made up for",
    Kind.WAITING: "not begun by the end",
    Kind.REPLACED: "ended by the next",
    Kind.TIMED_OUT: "took too long",
    Kind.INTERRUPTED: "ended with the daemon",
}


def _duration(text: str) -> timedelta:
    """A duration as settings have it; raises BadParameter for what is none."""
    try:
        duration: timedelta = find_portable("run.timeout").parse(text.strip())  # type: ignore[assignment] # its kind
    except ValueError:
        raise click.BadParameter(f"{text!r} is no duration; write 90s, 10m or 1h 30m, say") from None
    return duration


def _durations(_ctx: click.Context, _parameter: click.Parameter, texts: tuple[str, ...]) -> Mapping[str, timedelta]:
    """Durations by key; that of all others by ''."""
    found = {}
    for text in texts:
        key, _, duration = text.rpartition("=")
        found[normal_key(key)] = _duration(duration)
    return found


def _downs(
    _ctx: click.Context, _parameter: click.Parameter, texts: tuple[str, ...]
) -> tuple[tuple[datetime, datetime], ...]:
    """When the daemon is down."""
    found = []
    for text in texts:
        begin, mark, end = text.partition("/")
        if not mark:
            raise click.BadParameter(f"{text!r} is not two instants; write 2026-01-31T07:30/2026-02-01, say")
        down = parsed_moment(begin), parsed_moment(end)
        if down[0] >= down[1]:
            raise click.BadParameter(f"{text!r} ends before it begins")
        found.append(down)
    return tuple(found)


@click.command(
    "simulate",
    epilog=examples(
        "gavo-exec simulate",
        "gavo-exec simulate --from 2026-01-01 --to 2027-01-01 --duration 5m",
        "gavo-exec simulate --duration weather/q#fetch=1h30m --workers 4",
        "gavo-exec simulate --down 2026-01-31T06:00/2026-01-31T09:00 --from 2026-01-31 --runs 1000 --json",
    ),
)
@click.option(
    "--from",
    "start",
    metavar="INSTANT",
    callback=moment,
    help="Begin then: ISO 8601, in UTC where it has no zone (default: now).",
)
@click.option("--to", "end", metavar="INSTANT", callback=moment, help="End then (default: a day after the beginning).")
@click.option(
    "--duration",
    "durations",
    metavar="[KEY=]DURATION",
    multiple=True,
    callback=_durations,
    help="How long runs of KEY take, or of all of which nothing else is known: 90s, 10m, 1h 30m.",
)
@click.option("--failing", metavar="KEY", multiple=True, help="Let all runs of KEY fail, to see its retries.")
@click.option(
    "--down",
    "downs",
    metavar="FROM/TO",
    multiple=True,
    callback=_downs,
    help="Let the daemon be down between two instants, to see what is missed and made up for.",
)
@click.option("--fresh", is_flag=True, help="Begin like a daemon that starts for the first time.")
@click.option(
    "--runs",
    "tell",
    metavar="N",
    type=click.IntRange(min=0),
    help=f"Tell the first so many runs one by one (default: all, if there are no more than {_FEW}).",
)
@settings_options("inputs_dir", "state_dir", "workers")
@json_option
def simulate_command(
    *,
    start: datetime | None,
    end: datetime | None,
    durations: Mapping[str, timedelta],
    failing: tuple[str, ...],
    downs: tuple[tuple[datetime, datetime], ...],
    fresh: bool,
    tell: int | None,
    settings: Settings,
    as_json: bool,
) -> int:
    """Show what would happen between two instants: what runs when, what overlaps, is missed, or has to wait.

    The timetable is the daemon's own, with a clock that jumps, so that a year takes seconds.  A daemon is taken to
    start at the beginning and to find what is recorded by now.  Runs succeed, and take as long as --duration says; else
    the median of the job's last good runs; else --duration without a KEY, or a second.  What waits for files finds new
    ones each time.  Nothing is run or recorded.
    """
    start = start or SystemClock().now()
    end = end or start + timedelta(days=1)
    if end <= start:
        raise click.UsageError("the end (--to) is not after the beginning (--from)")
    catalog = read_tree(settings)
    for line in broken_rds(catalog):
        print(clean(line), file=sys.stderr)
    with opened_store(settings) as store:
        state = State.of(store)
        jobs = planned_jobs(catalog, state)
        keys = {job.key for job in jobs}
        failing = tuple(map(normal_key, failing))
        for key in (*failing, *durations):
            if key and key not in keys:
                raise unknown_key(key, keys)
        takes = _takes(keys, durations, medians(store, keys & state.last_runs.keys()))
    plan = Plan(
        catalog=planned_catalog(jobs),
        start=start,
        end=end,
        slots=settings.workers,
        last_starts={} if fresh else state.last_starts,
        retries={} if fresh else state.retries,
        durations={key: duration for key, (duration, _) in takes.items()},
        failing=frozenset(failing),
        downs=downs,
    )
    report = simulate(plan, tell=_FEW if tell is None else tell)
    if tell is None and report.records > _FEW:
        report = msgspec.structs.replace(report, told=())
    views = [
        SimulatedJobView.of(job, came_to, takes=takes[job.key][0], takes_from=takes[job.key][1])
        for job, came_to in zip(jobs, report.jobs, strict=True)
    ]
    if as_json:
        show_json(SimulationView.of(plan, report, views))
    else:
        _show(plan, report, views)
    return DONE


def medians(store: Store, keys: Iterable[str]) -> dict[str, timedelta]:
    """For each key how long its last good runs took, in the middle; nothing where there are none."""
    found = {}
    for key in keys:
        good = [run for run in store.runs(key, limit=_LOOKED_BACK) if run.outcome is Outcome.SUCCEEDED]
        seconds = [run.duration_seconds for run in good if run.duration_seconds is not None]
        if seconds:
            found[key] = timedelta(seconds=max(median(seconds), 0.0))
    return found


def _takes(
    keys: Iterable[str], given: Mapping[str, timedelta], usual: Mapping[str, timedelta]
) -> dict[str, tuple[timedelta, TakesFrom]]:
    """For each key how long its runs take, and where that is known from."""
    others = (given[""], TakesFrom.GIVEN) if "" in given else (USUAL, TakesFrom.ASSUMED)
    return {
        key: (given[key], TakesFrom.GIVEN)
        if key in given
        else (usual[key], TakesFrom.HISTORY)
        if key in usual
        else others
        for key in keys
    }


# For people


def _show(plan: Plan, report: Report, jobs: Collection[SimulatedJobView]) -> None:
    """Print what a plan came to."""
    if report.told:
        _show_runs(report.told)
        if report.records > len(report.told):
            print(f"... and {report.records - len(report.told):,} more")
        print()
    _show_jobs(jobs)
    if report.findings:
        print("\nOut of the ordinary:")
        _show_findings(report.findings)
    print()
    for line in _summary(plan, report, jobs):
        print(line)


def _show_runs(told: Iterable[SimulatedRun]) -> None:
    """Print runs one by one."""
    show_table(
        ("due (UTC)", "begins (UTC)", "takes", "key", "outcome", "reason", "cause"),
        [
            (
                instant(each.run.due),
                instant(each.run.started_at),
                _took(each.run),
                each.run.key,
                outcome_words(each.run),
                reason_words(each.run.reason),
                _cause(each.run.error) or (f"waited for {each.waited_for}" if each.waited else ""),
            )
            for each in told
        ],
    )


def _took(run: Run) -> str:
    """How long a run takes; ``-`` where it is left out, or goes on."""
    return "-" if run.duration_seconds is None else length(timedelta(seconds=run.duration_seconds))


def _cause(error: str) -> str:
    """A cause without ids that mean something within the simulation only."""
    return re.sub(r" \(run \d+\)", "", error)


def _show_jobs(jobs: Iterable[SimulatedJobView]) -> None:
    """Print the jobs and what each came to."""
    show_table(
        (
            "key",
            "schedule",
            "takes",
            "runs",
            "first (UTC)",
            "last (UTC)",
            "failed",
            "skipped",
            "missed",
            "longest wait",
        ),
        [
            (
                job.key,
                job.schedule,
                length(timedelta(seconds=job.takes_seconds)) + ("?" if job.takes_from is TakesFrom.ASSUMED else ""),
                f"{job.runs:,}",
                instant(job.first_at),
                instant(job.last_at),
                _number(job.failed),
                _number(job.skipped),
                _number(job.missed),
                length(timedelta(seconds=job.longest_wait_seconds)) if job.waited else "-",
            )
            for job in jobs
        ],
    )


def _number(number: int) -> str:
    """``1,234``; ``-`` for none."""
    return f"{number:,}" if number else "-"


def _show_findings(findings: Iterable[Finding]) -> None:
    """Print what is out of the ordinary."""
    show_table(
        ("what", "key", "times", "first due (UTC)", "last due (UTC)", "longest wait", "cause"),
        [
            (
                _WORDS.get(each.kind, each.kind.value),
                each.key,
                f"{each.count:,}",
                instant(each.first),
                instant(each.last) if each.count > 1 else "",
                length(each.longest) if each.longest else "-",
                f"waited for {each.cause}" if each.kind is Kind.WAITED else _cause(each.cause),
            )
            for each in findings
        ],
    )


def _summary(plan: Plan, report: Report, jobs: Collection[SimulatedJobView]) -> Iterator[str]:
    """What it came to in all, and what was taken for granted."""
    span = f"from {instant(plan.start)} to {instant(plan.end)} UTC"
    yield f"{report.runs:,} run{'' if report.runs == 1 else 's'} of {counted(len(jobs), 'job')}, {span}"
    if report.peak_at is not None:
        yield f"at most {report.peak:,} at once, of {plan.slots:,}: first at {instant(report.peak_at)}"
    if report.busiest and report.busiest[0][1] > 1:
        minutes = ", ".join(f"{minute:%Y-%m-%d %H:%M} ({runs:,})" for minute, runs in report.busiest if runs > 1)
        yield f"most begin at {minutes}"
    if held_back := sum(job.held_back for job in jobs):
        yield f"{counted(held_back, 'job')} of broken RDs without their settings"
    if files := sum(bool(execute.policy.files) for _, execute in plan.catalog.executes()):
        yield f"{counted(files, 'job')} for files, of which there are new ones each time"
    if assumed := sum(job.takes_from is TakesFrom.ASSUMED for job in jobs):
        yield f"{counted(assumed, 'job')} of which nothing is known: {length(USUAL)} is assumed (?), see --duration"
