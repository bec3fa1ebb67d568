"""``history``, ``show`` and ``execute``: runs that were, and one that is now."""

import contextlib
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import BinaryIO

import click

from gavo_exec.cli.exits import CTRL_C, DONE, FAILED
from gavo_exec.cli.keys import UnknownError, normal_key, unknown_key
from gavo_exec.cli.options import examples, json_option, limit_option, settings_options
from gavo_exec.cli.output import clean, clean_block, instant, length, show_fields, show_json, show_table
from gavo_exec.model import Execute, Outcome, Run
from gavo_exec.ports import Store
from gavo_exec.settings import Settings

_LAST_RUNS = 5
_DAEMON_ONLY = ("workers", "stop_grace_seconds", "rescan_seconds", "log_format")


@click.command(
    "history", epilog=examples("gavo-exec history --failed", "gavo-exec history weather/q#fetch --limit 5 --json")
)
@click.argument("key", metavar="[KEY]", required=False)
@click.option("--failed", is_flag=True, help="Only runs that went wrong: failed, timed out or interrupted.")
@limit_option
@settings_options("inputs_dir", "state_dir", required=())
@json_option
def history_command(*, key: str | None, failed: bool, limit: int, settings: Settings, as_json: bool) -> int:
    """List the latest runs, newest first; those of one execute where KEY is given."""
    from gavo_exec.cli.state import opened_store
    from gavo_exec.cli.views import latest_runs, run_fields

    key = normal_key(key) if key is not None else None
    with opened_store(settings) as store:
        runs = latest_runs(store, key, limit=limit, failed=failed)
        if key is not None and not runs and not store.runs(key, limit=1):
            _must_be_known(key, settings, store)
    if as_json:
        show_json([run_fields(run, with_output=False) for run in runs])
    else:
        _show_runs(runs)
    return DONE


def _must_be_known(key: str, settings: Settings, store: Store) -> None:
    """Raise UnknownError for a key that neither an RD nor the state has."""
    from gavo_exec.cli.tree import inputs_dir_of, read_tree
    from gavo_exec.cli.views import State, planned_jobs

    state = State.of(store)
    known = {job.key for job in planned_jobs(read_tree(inputs_dir_of(settings)), state)}
    if key not in known:
        raise unknown_key(key, known | state.last_runs.keys())


def _took(run: Run) -> str:
    """How long the run took, in words."""
    return "-" if run.duration_seconds is None else length(timedelta(seconds=run.duration_seconds))


def _show_runs(runs: list[Run]) -> None:
    """Print runs as a table."""
    from gavo_exec.cli.views import outcome_words

    show_table(
        ("run", "key", "started (UTC)", "took", "outcome", "reason", "cause"),
        [
            (
                run.run_id,
                run.key,
                instant(run.started_at or run.due),
                _took(run),
                outcome_words(run),
                run.reason.value.replace("_", " "),
                run.error.strip().partition("\n")[0],
            )
            for run in runs
        ],
    )


@click.command(
    "show", epilog=examples("gavo-exec show weather/q#fetch", "gavo-exec show 01jd3 --json", "gavo-exec history")
)
@click.argument("what", metavar="RUN|KEY")
@settings_options("inputs_dir", "state_dir", required=())
@json_option
def show_command(*, what: str, settings: Settings, as_json: bool) -> int:
    """Show all about one run, or about one execute.

    RUN is a run's id or a beginning of it that no other has; KEY is the key of an execute.
    """
    from gavo_exec.cli.state import opened_store
    from gavo_exec.cli.views import run_fields

    if "#" in what:
        return _show_execute(normal_key(what), settings, as_json=as_json)
    with opened_store(settings) as store:
        run = store.run(what)
    if run is None:
        raise UnknownError(
            f"no run, or more than one, has an id that begins with {clean(what)!r} (gavo-exec history has the ids)"
        )
    if as_json:
        show_json(run_fields(run, with_output=True))
    else:
        _show_run(run)
    return DONE


def _show_run(run: Run) -> None:
    """Print all about a run."""
    from gavo_exec.cli.views import outcome_words

    show_fields(
        [
            ("Run", run.run_id),
            ("Key", run.key),
            ("Title", run.title),
            ("Outcome", outcome_words(run)),
            ("Return code", "" if run.returncode is None else str(run.returncode)),
            ("Reason", f"{run.reason.value.replace('_', ' ')}, attempt {run.attempt}"),
            ("Due", f"{instant(run.due)} UTC"),
            ("Started", f"{instant(run.started_at)} UTC" if run.started_at else "never"),
            ("Finished", f"{instant(run.finished_at)} UTC" if run.finished_at else "not yet"),
            ("Took", _took(run)),
            ("Host", run.host),
            ("RD version", run.digest),
        ]
    )
    for heading, text in (("Error", run.error), ("Output", run.output)):
        if text.strip():
            print(f"\n{heading}:\n{_indented(clean_block(text).rstrip())}")


def _indented(text: str) -> str:
    """The lines, moved in: headings of ours cannot be forged by what follows them."""
    return "\n".join(f"  {line}".rstrip() for line in text.split("\n"))


def _show_execute(key: str, settings: Settings, *, as_json: bool) -> int:
    """Show all about an execute."""
    from gavo_exec.cli.state import opened_store
    from gavo_exec.cli.tree import find_execute, inputs_dir_of
    from gavo_exec.cli.views import PlannedJob, State, execute_fields, statuses
    from gavo_exec.runtime.clock import SystemClock

    rd, execute = find_execute(inputs_dir_of(settings), key)
    with opened_store(settings) as store:
        state = State.of(store)
        runs = store.runs(key, limit=_LAST_RUNS)
    job = PlannedJob(key=key, title=execute.title, schedule=execute.schedule)
    [status] = statuses([job], state, SystemClock().now())
    if as_json:
        show_json(execute_fields(rd, execute, status=status, runs=runs))
        return DONE
    show_fields(
        [
            ("Key", key),
            ("Title", execute.title),
            ("Schedule", status.schedule),
            ("Next due", f"{instant(status.due)} UTC"),
            ("Running since", f"{instant(status.running_since)} UTC" if status.running_since else ""),
            ("File", f"{execute.position.path or rd.path}:{execute.position.line}"),
            ("Resource directory", rd.resdir),
            ("Debug", "yes" if execute.debug else ""),
            *((f"Property {clean(name)}", value or "(none)") for name, value in sorted(execute.properties.items())),
        ]
    )
    _show_source(execute)
    if runs:
        print("\nLast runs:")
        _show_runs(runs)
    return DONE


def _show_source(execute: Execute) -> None:
    """Print the job's code with the lines of the file where it stands."""
    from gavo_exec.cli.views import numbered_source

    if execute.job.setup_source.strip():
        print(f"\nSetup code:\n{_indented(clean_block(execute.job.setup_source).rstrip())}")
    print("\nCode:")
    lines = list(numbered_source(execute.job))
    width = len(str(max(number for number, _ in lines)))
    for number, line in lines:
        print(f"  {number:>{width}} | {clean_block(line)}".rstrip())


@click.command("execute", epilog=examples("gavo-exec execute weather/q#fetch"))
@click.argument("key", metavar="KEY")
@settings_options(without=_DAEMON_ONLY)
def execute_command(*, key: str, settings: Settings) -> int:
    """Run an execute now, here, and show its output as it comes.

    What the RD runs when it is loaded runs before it.  All of this is recorded like any other run; the schedule is not
    touched.  The exit code is 0 where the execute succeeds.
    """
    from gavo_exec.cli.tree import find_execute
    from gavo_exec.daemon import execute_here

    rd, execute = find_execute(settings.inputs_dir, normal_key(key))
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
        f"gavo-exec: {clean(run.key)} {outcome_words(run)} after {_took(run)} (run {clean(run.run_id)})",
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
