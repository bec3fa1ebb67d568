"""``trigger`` and ``tail``: a run now, by the daemon, and what runs print, as they print it."""

import sys
from collections.abc import Iterable

import click

from gavo_exec.cli.exits import CTRL_C, DONE, FAILED
from gavo_exec.cli.keys import complete_key, normal_key
from gavo_exec.cli.options import examples, json_option, settings_options
from gavo_exec.cli.output import clean, clean_block, instant, show_json
from gavo_exec.control_views import LiveLine
from gavo_exec.elements.portable import PREFIXES
from gavo_exec.json_views import RunView
from gavo_exec.model import Outcome
from gavo_exec.settings import Settings


def _parameters(_ctx: click.Context, _parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """``NAME=VALUE`` pairs; raises BadParameter for what is none, and for settings, which are the RD's business."""
    found = {}
    for text in given:
        name, mark, value = text.partition("=")
        if not mark or not name.strip():
            raise click.BadParameter(f"{text!r} is not of the form NAME=VALUE")
        if name.startswith(PREFIXES):
            raise click.BadParameter(f"{name} is a setting, which the RD says; --set is for what its code looks at")
        found[name.strip()] = value
    return found


@click.command(
    "trigger",
    epilog=examples(
        "gavo-exec trigger weather/q#fetch", "gavo-exec trigger weather/q#fetch --wait --set night=2026-11-24"
    ),
)
@click.argument("key", metavar="KEY", shell_complete=complete_key)
@click.option("--wait", is_flag=True, help="Show its output as it comes, and end as it ends.")
@click.option(
    "--set",
    "parameters",
    metavar="NAME=VALUE",
    multiple=True,
    callback=_parameters,
    help="What its code finds as the property of that name (execDef.getProperty), in this run.",
)
@settings_options("state_dir", required=())
@json_option
def trigger_command(*, key: str, wait: bool, parameters: dict[str, str], settings: Settings, as_json: bool) -> int:
    """Let the daemon run an execute now, in its turn, whether it is paused or not.

    It is not run where it is running already: then the exit code is 1, and the message says which run that is.  With
    --wait the exit code is 0 where the run succeeds and 1 where it does not; Ctrl-C ends the waiting, not the run.
    Where no daemon runs, gavo-exec execute runs it here.
    """
    from gavo_exec.cli.asking import client_of

    client = client_of(settings)
    run_id = client.trigger(normal_key(key), parameters=parameters)
    if not wait:
        if as_json:
            show_json({"run_id": run_id})
        else:
            print(clean(f"{run_id}: asked for"))
        return DONE
    try:
        run = _shown(client.follow(run_id=run_id), as_json=as_json)
    except KeyboardInterrupt:
        print(f"gavo-exec: run {clean(run_id)} goes on; gavo-exec cancel {clean(run_id)} ends it", file=sys.stderr)
        return CTRL_C
    return DONE if run is not None and run.outcome is Outcome.SUCCEEDED else FAILED


@click.command("tail", epilog=examples("gavo-exec tail weather/q#fetch", "gavo-exec tail 261125104500-3f1-7"))
@click.argument("what", metavar="KEY|RUN", shell_complete=complete_key)
@settings_options("state_dir", required=())
@json_option
def tail_command(*, what: str, settings: Settings, as_json: bool) -> int:
    """Show what a job's runs print, as they print it, until Ctrl-C; or what one RUN prints, until it has ended.

    A run that goes on is shown from its beginning.  With --json each thing that happens is an object on a line.
    """
    from gavo_exec.cli.asking import client_of

    client = client_of(settings)
    is_key = "#" in what
    lines = client.follow(key=normal_key(what)) if is_key else client.follow(run_id=what)
    try:
        _shown(lines, as_json=as_json)
    except KeyboardInterrupt:
        return DONE if is_key else CTRL_C
    return DONE


def _shown(lines: Iterable[LiveLine], *, as_json: bool) -> RunView | None:
    """Show what happens until there is no more; answers the run that ended last."""
    ended: RunView | None = None
    for line in lines:
        if line.ended is not None:
            ended = line.ended
        if as_json:
            _show_line(line)
        elif line.began is not None:
            began = line.began
            print(f"gavo-exec: {clean(began.key)} {_since(began)} (run {clean(began.run_id)})", file=sys.stderr)
        elif line.output:
            # On a terminal nothing is obeyed that a run prints; into files and pipes it goes as it is.
            print(clean_block(line.output) if sys.stdout.isatty() else line.output, end="", flush=True)
        elif line.ended is not None:
            _tell_end(line.ended)
    return ended


def _since(run: RunView) -> str:
    return f"started {instant(run.started_at)} UTC" if run.started_at is not None else "did not start"


def _show_line(line: LiveLine) -> None:
    """Print what happens as JSON, on a line; that nothing happens, not at all."""
    import msgspec

    if line != LiveLine():
        print(msgspec.json.encode(line).decode(), flush=True)


def _tell_end(run: RunView) -> None:
    """Say how a run ended, and why it went wrong."""
    outcome = run.outcome or Outcome.INTERRUPTED
    if outcome is not Outcome.SUCCEEDED and run.error.strip():
        print(clean_block(run.error).rstrip(), file=sys.stderr)
    took = "" if run.duration_seconds is None else f" after {run.duration_seconds:.1f} s"
    words = outcome.value.replace("_", " ")
    print(f"gavo-exec: {clean(run.key)} {words}{took} (run {clean(run.run_id)})", file=sys.stderr)
