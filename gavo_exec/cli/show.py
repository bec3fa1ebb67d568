"""``show``: all about a run, or about executes."""

import sys
from collections.abc import Iterable

import click

from gavo_exec.cli.exits import DONE, FAILED
from gavo_exec.cli.keys import UnknownError, complete_key, normal_key
from gavo_exec.cli.options import examples, json_option, settings_options
from gavo_exec.cli.output import clean, clean_block, instant, show_fields, show_json
from gavo_exec.cli.runs import show_runs, took
from gavo_exec.cli.views import (
    PlannedJob,
    State,
    broken_rds,
    declared_executes,
    outcome_words,
    pause_words,
    statuses,
)
from gavo_exec.control import JobStatus
from gavo_exec.elements.portable import PREFIXES
from gavo_exec.errors import StoreError
from gavo_exec.json_views import ExecuteView, JobView, RunWithOutput
from gavo_exec.model import Code, Execute, ResourceDescriptor, Run
from gavo_exec.past import PastExecute
from gavo_exec.policywords import policy_words
from gavo_exec.settings import Settings

_LAST_RUNS = 5


@click.command(
    "show",
    epilog=examples(
        "gavo-exec show weather/q#fetch",
        "gavo-exec show 01jd3 --json",
        "gavo-exec show --all --json --inputs-dir inputs",
    ),
)
@click.argument("what", metavar="[RUN|KEY]...", nargs=-1, shell_complete=complete_key)
@click.option("--all", "all_executes", is_flag=True, help="Show all executes of the resource directory.")
@settings_options("inputs_dir", "state_dir", required=())
@json_option
def show_command(*, what: tuple[str, ...], all_executes: bool, settings: Settings, as_json: bool) -> int:
    """Show all about one run, or about executes: when they run, and their code as it is compiled.

    RUN is a run's id or a beginning of it that no other has; KEY is the key of an execute.  With a single KEY the state
    and the last runs are shown, too; several KEYs and --all need nothing but the files.  With --all the RDs that are
    broken are told on standard error, and the exit code is 1 where there are any.
    """
    if all_executes:
        if what:
            raise click.UsageError("give keys or --all, not both")
        return _show_all(settings, as_json=as_json)
    if not what:
        raise click.UsageError("give the id of a run, keys or --all")
    if len(what) > 1:
        return _show_several(what, settings, as_json=as_json)
    show_one = _show_one if "#" in what[0] else _show_recorded_run
    return show_one(what[0], settings, as_json=as_json)


# Runs


def _show_recorded_run(beginning: str, settings: Settings, *, as_json: bool) -> int:
    """Show all about the run whose id begins like this."""
    from gavo_exec.cli.state import opened_store

    with opened_store(settings) as store:
        run = store.run(beginning)
        then = store.code_of(run) if run is not None else None
    if run is None:
        raise UnknownError(
            f"no run, or more than one, has an id that begins with {clean(beginning)!r} (gavo-exec history has the ids)"
        )
    if as_json:
        show_json(RunWithOutput.with_code(run, then))
    else:
        _show_run(run, then)
    return DONE


def _show_run(run: Run, then: PastExecute | None) -> None:
    """Print all about a run, with its execute as it was then."""
    show_fields(
        [
            ("Run", run.run_id),
            ("Key", run.key),
            ("Title", run.title),
            ("Outcome", outcome_words(run)),
            ("Return code", "" if run.returncode is None else str(run.returncode)),
            ("Reason", f"{run.reason.value.replace('_', ' ')}, attempt {run.attempt}"),
            ("Schedule", then.schedule if then is not None else ""),
            ("Due", f"{instant(run.due)} UTC"),
            ("Started", f"{instant(run.started_at)} UTC" if run.started_at else "never"),
            ("Finished", f"{instant(run.finished_at)} UTC" if run.finished_at else "not yet"),
            ("Took", took(run)),
            ("Host", run.host),
            ("RD version", run.digest),
        ]
    )
    for heading, text in (("Error", run.error), ("Output", run.output)):
        if text.strip():
            print(f"\n{heading}:\n{_indented(clean_block(text).rstrip())}")
    for part in then.code if then is not None else ():
        print(f"\nThe code that ran, in {clean(part.path)}:")
        _show_lines(part.lines)


def _indented(text: str) -> str:
    """The lines, moved in: headings of ours cannot be forged by what follows them."""
    return "\n".join(f"  {line}".rstrip() for line in text.split("\n"))


# Executes


def _show_one(what: str, settings: Settings, *, as_json: bool) -> int:
    """Show all about one execute, with its state where that can be read."""
    from gavo_exec.cli.tree import find_execute, with_inputs_dir
    from gavo_exec.runtime.clock import SystemClock

    rd, execute = find_execute(with_inputs_dir(settings), normal_key(what))
    recorded = _recorded(execute.key, settings)
    if recorded is None:
        if as_json:
            show_json(ExecuteView.of(rd, execute))
        else:
            show_execute(rd, execute)
        return DONE
    state, runs = recorded
    [status] = statuses([PlannedJob.of(rd, execute)], state, SystemClock().now())
    if as_json:
        show_json(JobView.with_state(rd, execute, status=status, runs=runs))
        return DONE
    show_execute(rd, execute, status=status)
    if runs:
        print("\nLast runs:")
        show_runs(runs)
    return DONE


def _recorded(key: str, settings: Settings) -> tuple[State, list[Run]] | None:
    """The state, and an execute's last runs; None, with a word about it, where they cannot be read."""
    from gavo_exec.cli.state import opened_store

    try:
        with opened_store(settings) as store:
            return State.of(store), store.runs(key, limit=_LAST_RUNS)
    except (StoreError, OSError) as fault:
        print(f"gavo-exec: shown without its state: {clean(str(fault))}", file=sys.stderr)
        return None


def _show_several(what: Iterable[str], settings: Settings, *, as_json: bool) -> int:
    """Show executes by their keys."""
    from gavo_exec.cli.tree import find_execute, with_inputs_dir

    settings = with_inputs_dir(settings)
    keys = dict.fromkeys(normal_key(each) for each in what)
    show_executes([find_execute(settings, key) for key in keys], as_json=as_json)
    return DONE


def _show_all(settings: Settings, *, as_json: bool) -> int:
    """Show all executes of the resource directory."""
    from gavo_exec.cli.tree import read_tree, with_inputs_dir

    catalog = read_tree(with_inputs_dir(settings))
    for line in broken_rds(catalog):
        print(clean(line), file=sys.stderr)
    show_executes(declared_executes(catalog), as_json=as_json)
    return FAILED if catalog.rejected else DONE


def show_executes(declared: Iterable[tuple[ResourceDescriptor, Execute]], *, as_json: bool) -> None:
    """Print executes, each with its RD, one after the other."""
    if as_json:
        show_json([ExecuteView.of(rd, execute) for rd, execute in declared])
        return
    for number, (rd, execute) in enumerate(declared):
        if number:
            print("\n")
        show_execute(rd, execute)


def show_execute(rd: ResourceDescriptor, execute: Execute, *, status: JobStatus | None = None) -> None:
    """Print all about an execute, and its state where that is given."""
    due = status.due if status is not None else None
    running_since = status.running_since if status is not None else None
    show_fields(
        [
            ("Key", execute.key),
            ("Title", execute.title),
            ("Schedule", execute.schedule.describe()),
            ("Next due", f"{instant(due)} UTC" if due else ""),
            ("Running since", f"{instant(running_since)} UTC" if running_since else ""),
            ("Paused", pause_words(status.pause) if status is not None and status.pause is not None else ""),
            ("File", f"{execute.position.path or rd.path}:{execute.position.line}"),
            ("Resource directory", rd.resdir),
            ("Debug", "yes" if execute.debug else ""),
            *((f"Setting {name}", value) for name, value in policy_words(execute.policy)),
            *((f"Property {clean(name)}", value or "(none)") for name, value in _of_job_code(execute)),
        ]
    )
    for code in execute.job.setup:
        if code.source.strip():
            _show_code("Setup code", code, path=execute.job.position.path)
    _show_code("Code", execute.job, path=execute.job.position.path)


def _of_job_code(execute: Execute) -> list[tuple[str, str | None]]:
    """The properties that are no settings."""
    return sorted(item for item in execute.properties.items() if not item[0].startswith(PREFIXES))


def _show_code(heading: str, code: Code, *, path: str) -> None:
    """Print code with the lines of the file where it stands, and which file that is unless it is ``path``."""
    elsewhere = f" (in {clean(code.position.path)})" if code.position.path not in {"", path} else ""
    print(f"\n{heading}{elsewhere}:")
    _show_lines(tuple(code.numbered()))


def _show_lines(lines: tuple[tuple[int, str], ...]) -> None:
    """Print lines with their numbers."""
    width = len(str(max((number for number, _ in lines), default=0)))
    for number, line in lines:
        print(_indented(f"{number:>{width}} | {clean_block(line)}"))
