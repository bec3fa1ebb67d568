"""``list``: what there is, how it went last, and when it comes next."""

import gc
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

import click
import msgspec

from gavo_exec.cli.exits import DONE
from gavo_exec.cli.keys import normal_key
from gavo_exec.cli.options import examples, json_option, settings_options
from gavo_exec.cli.output import clean, counted, instant, left, show_json, show_table
from gavo_exec.control import NoDaemonError
from gavo_exec.control_views import JobLine
from gavo_exec.settings import Settings

_LAST = datetime.max.replace(tzinfo=UTC)
_FIRST = datetime.min.replace(tzinfo=UTC)


def _outcome(job: JobLine) -> str:
    if job.last_run is None or job.last_run.outcome is None:
        return "-"
    return job.last_run.outcome.value.replace("_", " ")


def _is_bad(job: JobLine) -> bool:
    return job.last_run is not None and job.last_run.outcome is not None and job.last_run.outcome.is_bad


_ORDERS: dict[str, Callable[[JobLine], Any]] = {
    "next": lambda job: (job.due or _LAST, job.key),
    "key": lambda job: job.key,
    "title": lambda job: (job.title.casefold(), job.key),
    "last": lambda job: (job.last_run.at if job.last_run is not None else _FIRST, job.key),
    "outcome": lambda job: (_outcome(job), job.key),
}

_STATES: dict[str, Callable[[JobLine], bool]] = {
    "running": lambda job: job.running_since is not None,
    "paused": lambda job: job.pause is not None,
    "held-back": lambda job: job.held_back,
    "failed": _is_bad,
}


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """All there is to list: ``full`` is what --json prints, in the order of ``jobs``."""

    jobs: Sequence[JobLine]
    full: Sequence[Any] = ()
    broken: Sequence[str] = ()
    undelivered: Sequence[str] = ()
    daemon: str = ""


@click.command(
    "list",
    epilog=examples("gavo-exec list", "gavo-exec list 'weather/*' --failed --sort last", "gavo-exec list --watch"),
)
@click.argument("patterns", metavar="[PATTERN]...", nargs=-1)
@click.option(
    "--state",
    "states",
    type=click.Choice(sorted(_STATES)),
    multiple=True,
    help="Only jobs in this state; of several, in one of them. failed: the last run went wrong.",
)
@click.option("--failed", is_flag=True, help="The same as --state failed.")
@click.option("--sort", "order", type=click.Choice(list(_ORDERS)), default="next", show_default=True, help="By what.")
@click.option("--reverse", is_flag=True, help="The other way round.")
@click.option(
    "--watch",
    "seconds",
    metavar="SECONDS",
    type=click.FloatRange(min=0.2, max=3600),
    is_flag=False,
    flag_value=2.0,
    default=None,
    help="Show it anew every so many seconds (without a number: 2), until Ctrl-C.",
)
@settings_options("inputs_dir", "state_dir", required=())
@json_option
def list_command(
    *,
    patterns: tuple[str, ...],
    states: tuple[str, ...],
    failed: bool,
    order: str,
    reverse: bool,
    seconds: float | None,
    settings: Settings,
    as_json: bool,
) -> int:
    """List all jobs with their next and last runs, or those whose key or title a PATTERN is in (* stands for anything).

    They are those of the daemon on the state directory; where none runs, those of the files and the recorded state.
    Below the table come the RDs that are broken at present, each with its first fault.  Jobs of a broken RD are held
    back: they run on in their last good version.  Mails that were given up are told there, too.  With --json both are
    told on standard error.
    """
    wanted = {*states, *(["failed"] if failed else [])}

    def show() -> None:
        listing = _chosen(_found(settings, as_json=as_json), patterns, wanted, order=order, reverse=reverse)
        if as_json:
            for line in (*listing.broken, *listing.undelivered):
                print(clean(line), file=sys.stderr)
            show_json(listing.full)
        else:
            show_listing(listing)

    if seconds is None:
        gc.disable()  # what ends at once needs no collector, which takes a tenth of the time here
        show()
        return DONE
    if as_json or not sys.stdout.isatty():
        raise click.UsageError("--watch is for terminals, and not for --json")
    pause = threading.Event()
    try:
        while True:
            print("\x1b[H\x1b[2J", end="")
            show()
            pause.wait(seconds)
    except KeyboardInterrupt:
        return DONE


def show_listing(listing: Listing) -> None:
    """Print the table, and what is wrong."""
    from gavo_exec.runtime.clock import SystemClock

    now = SystemClock().now()
    show_table(
        ("key", "title", "schedule", "next (UTC)", "left", "last run (UTC)", "outcome", "state"),
        [
            (
                job.key,
                job.title,
                job.schedule,
                instant(job.due),
                "-" if job.pause is not None else left(job.due, now),
                instant(job.last_run.at) if job.last_run is not None else "-",
                _outcome(job),
                _state(job),
            )
            for job in listing.jobs
        ],
    )
    print()
    if listing.broken:
        print("Broken RDs:")
        for line in listing.broken:
            print(f"  {clean(line)}")
        print()
    for line in listing.undelivered:
        print(f"{line}\n")
    running = sum(job.running_since is not None for job in listing.jobs)
    paused = sum(job.pause is not None for job in listing.jobs)
    print(
        f"{counted(len(listing.jobs), 'job')}, {running} running, {f'{paused} paused, ' if paused else ''}"
        f"{counted(len(listing.broken), 'broken RD')}; {clean(listing.daemon)}"
    )


def _state(job: JobLine) -> str:
    """What is out of the ordinary about a job, in words."""
    words = []
    if job.running_since is not None:
        words.append("running")
    if job.pause is not None:
        words.append(f"paused until {instant(job.pause.until)}" if job.pause.until is not None else "paused")
    if job.held_back:
        words.append("held back")
    return ", ".join(words)


def _chosen(listing: Listing, patterns: Sequence[str], states: set[str], *, order: str, reverse: bool) -> Listing:
    """Those jobs that are wanted, in this order."""
    wanted = [_matcher(pattern) for pattern in patterns]
    chosen = [
        index
        for index, job in enumerate(listing.jobs)
        if (not wanted or any(matches(job) for matches in wanted))
        and (not states or any(_STATES[state](job) for state in states))
    ]
    chosen.sort(key=lambda index: _ORDERS[order](listing.jobs[index]), reverse=reverse)
    full = [listing.full[index] for index in chosen] if listing.full else ()
    return msgspec.structs.replace(listing, jobs=[listing.jobs[index] for index in chosen], full=full)


def _matcher(pattern: str) -> Callable[[JobLine], bool]:
    """What tells whether a pattern is in a job's key or title, upper and lower case being the same."""
    folded = normal_key(pattern).casefold()
    pattern = folded if any(char in folded for char in "*?[") else f"*{folded}*"
    return lambda job: fnmatchcase(job.key.casefold(), pattern) or fnmatchcase(job.title.casefold(), pattern)


def _found(settings: Settings, *, as_json: bool) -> Listing:
    """All jobs: the daemon's, or where none runs those of the files."""
    from gavo_exec.cli.asking import client_of

    client = client_of(settings)
    try:
        jobs = client.jobs()
        status = client.status()
        full = client.listed() if as_json else ()
    except NoDaemonError:
        return _in_files(settings, as_json=as_json)
    if as_json:  # they were asked one after the other
        by_key = {job["key"]: job for job in full}
        jobs = [job for job in jobs if job.key in by_key]
        full = [by_key[job.key] for job in jobs]
    given_up = status.mails_given_up
    undelivered = [f"{counted(given_up, 'mail')} could not be delivered: gavo-exec mail list"] if given_up else []
    daemon = f"a daemon runs on {status.state_dir}"
    return Listing(jobs=jobs, full=full, broken=status.broken_rds, undelivered=undelivered, daemon=daemon)


def _in_files(settings: Settings, *, as_json: bool) -> Listing:
    """All jobs as the files and the recorded state have them."""
    from gavo_exec.cli.state import recorded_state
    from gavo_exec.cli.tree import read_tree, with_inputs_dir
    from gavo_exec.cli.views import broken_rds, listed_jobs, planned_jobs, statuses, undelivered_words
    from gavo_exec.parts import is_running
    from gavo_exec.runtime.clock import SystemClock

    catalog = read_tree(with_inputs_dir(settings))
    state = recorded_state(settings)
    now = SystemClock().now()
    planned = planned_jobs(catalog, state)
    return Listing(
        jobs=[JobLine.of(status) for status in statuses(planned, state, now)],
        full=listed_jobs(planned, state, now) if as_json else (),
        broken=broken_rds(catalog),
        undelivered=undelivered_words(state),
        daemon=f"{'a daemon runs' if is_running(settings.state_dir) else 'no daemon runs'} on {settings.state_dir}",
    )
