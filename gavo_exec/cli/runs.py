"""``history`` and ``execute``: runs that were, and one that is now."""

import contextlib
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import BinaryIO

import click

from gavo_exec.cli.exits import CTRL_C, DONE, FAILED
from gavo_exec.cli.keys import complete_key, normal_key, unknown_key
from gavo_exec.cli.options import (
    DAEMON_ONLY,
    examples,
    json_option,
    limit_option,
    settings_options,
    since_option,
    until_option,
)
from gavo_exec.cli.output import clean, clean_block, instant, length, show_json, show_table
from gavo_exec.model import Outcome, Run
from gavo_exec.ports import Store
from gavo_exec.settings import Settings

_LAST_RUNS = 5


@click.command(
    "history",
    epilog=examples("gavo-exec history --failed --since 3d", "gavo-exec history weather/q#fetch --limit 5 --json"),
)
@click.argument("key", metavar="[KEY]", required=False, shell_complete=complete_key)
@click.option("--failed", is_flag=True, help="Only runs that went wrong: failed, timed out or interrupted.")
@since_option
@until_option
@limit_option
@settings_options("inputs_dir", "state_dir", required=())
@json_option
def history_command(
    *,
    key: str | None,
    failed: bool,
    since: datetime | None,
    before: datetime | None,
    limit: int,
    settings: Settings,
    as_json: bool,
) -> int:
    """List the latest runs, newest first; those of one execute where KEY is given."""
    from gavo_exec.cli.state import opened_store
    from gavo_exec.json_views import RunView

    key = normal_key(key) if key is not None else None
    with opened_store(settings) as store:
        runs = store.runs(key, limit=limit, failed=failed, since=since, until=before)
        if key is not None and not runs and not store.runs(key, limit=1):
            _must_be_known(key, settings, store)
    if as_json:
        show_json([RunView.of(run) for run in runs])
    else:
        show_runs(runs)
    return DONE


def _must_be_known(key: str, settings: Settings, store: Store) -> None:
    """Raise UnknownError for a key that neither an RD nor the state has."""
    from gavo_exec.cli.tree import read_tree, with_inputs_dir
    from gavo_exec.cli.views import State, planned_jobs

    state = State.of(store)
    known = {job.key for job in planned_jobs(read_tree(with_inputs_dir(settings)), state)}
    if key not in known:
        raise unknown_key(key, known | state.last_runs.keys())


def took(run: Run) -> str:
    """How long the run took, in words."""
    return "-" if run.duration_seconds is None else length(timedelta(seconds=run.duration_seconds))


def show_runs(runs: list[Run]) -> None:
    """Print runs as a table."""
    from gavo_exec.cli.views import outcome_words

    show_table(
        ("run", "key", "started (UTC)", "took", "outcome", "reason", "cause"),
        [
            (
                run.run_id,
                run.key,
                instant(run.started_at or run.due),
                took(run),
                outcome_words(run),
                run.reason.value.replace("_", " "),
                run.error.strip().partition("\n")[0],
            )
            for run in runs
        ],
    )


@click.command("execute", epilog=examples("gavo-exec execute weather/q#fetch"))
@click.argument("key", metavar="KEY", shell_complete=complete_key)
@settings_options(without=DAEMON_ONLY)
def execute_command(*, key: str, settings: Settings) -> int:
    """Run an execute now, here, and show its output as it comes.

    What the RD runs when it is loaded runs before it.  All of this is recorded like any other run; the schedule is not
    touched.  The exit code is 0 where the execute succeeds.
    """
    from gavo_exec.cli.tree import find_execute
    from gavo_exec.once import execute_here

    rd, execute = find_execute(settings, normal_key(key))
    # This very stream, since while the job runs, sys.stdout is where its own output is caught.
    run = execute_here(settings, rd, execute, tee=_passed_on(sys.stdout.buffer), before=_tell_end)
    _tell_end(run)
    if run.outcome is Outcome.CANCELLED:
        return CTRL_C  # nobody else can have cancelled it
    return DONE if run.outcome is Outcome.SUCCEEDED else FAILED


def _tell_end(run: Run) -> None:
    """Say how a run ended, and why it failed."""
    from gavo_exec.cli.views import outcome_words

    if run.outcome is not None and run.outcome.is_bad and run.error.strip():
        print(clean_block(run.error).rstrip(), file=sys.stderr)
    print(
        f"gavo-exec: {clean(run.key)} {outcome_words(run)} after {took(run)} (run {clean(run.run_id)})",
        file=sys.stderr,
    )


def _passed_on(stream: BinaryIO) -> Callable[[bytes], None]:
    """What hands output through as it is; that nobody reads it any more is no reason to end the job."""

    def tee(output: bytes) -> None:
        """Write, and at once."""
        with contextlib.suppress(BrokenPipeError):
            stream.write(output)
            stream.flush()

    return tee
