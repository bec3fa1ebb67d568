"""``status``, ``pause``, ``resume``, ``cancel``, ``reload`` and ``stop``: the daemon in hand."""

import sys
from datetime import datetime

import click

from gavo_exec.cli.exits import DONE, FAILED
from gavo_exec.cli.keys import complete_key, normal_key
from gavo_exec.cli.options import examples, json_option, settings_options
from gavo_exec.cli.output import clean, counted, instant, left, length, show_fields, show_json
from gavo_exec.control_views import PauseView, StatusView
from gavo_exec.settings import Settings


@click.command("status", epilog=examples("gavo-exec status", "gavo-exec status --json"))
@settings_options("state_dir", required=())
@json_option
def status_command(*, settings: Settings, as_json: bool) -> int:
    """Show the daemon in one look.

    The exit code is 0 where one runs and 3 where none does.
    """
    from gavo_exec.cli.asking import client_of

    status = client_of(settings).status()
    if as_json:
        show_json(status)
    else:
        show_status(status)
    return DONE


def show_status(status: StatusView) -> None:
    """Print the daemon in one look: first what needs somebody."""
    from gavo_exec.cli.views import pause_words

    up = length(status.now - status.started_at)
    pace = f", next {instant(status.next_due)} UTC (in {left(status.next_due, status.now)})" if status.next_due else ""
    waiting = f", {status.waiting} waiting" if status.waiting else ""
    wrong = counted(status.incidents, "incident") if status.incidents else ""
    undelivered = [
        f"{number} {word}"
        for number, word in ((status.mails_given_up, "given up"), (status.mails_waiting, "waiting"))
        if number
    ]
    show_fields(
        [
            ("Daemon", f"{'stopping' if status.is_stopping else 'running'}, process {status.pid} on {status.host}"),
            ("Up", f"{up}, since {instant(status.started_at)} UTC"),
            ("Version", status.version),
            ("Jobs", f"{status.jobs}, {status.running} running (of {status.workers} at most){waiting}{pace}"),
            ("Wrong", f"{wrong} (gavo-exec history --failed)" if wrong else ""),
            ("Broken RDs", str(len(status.broken_rds)) if status.broken_rds else ""),
            ("Mail", f"{', '.join(undelivered)} (gavo-exec mail list)" if undelivered else ""),
            ("Resource directory", status.inputs_dir),
            ("State directory", status.state_dir),
        ]
    )
    for line in status.broken_rds:
        print(f"  {clean(line)}")
    for pause in status.pauses:
        print(f"  {clean(pause_words(pause.value()))}")


def _until(context: click.Context, parameter: click.Parameter, text: str | None) -> datetime | None:
    from gavo_exec.cli.asking import until

    return until(context, parameter, text)


@click.command(
    "pause",
    epilog=examples(
        'gavo-exec pause weather/q#fetch --until 2h --note "the server moves"',
        "gavo-exec pause --all --until 2026-12-24",
    ),
)
@click.argument("keys", metavar="[KEY]...", nargs=-1, shell_complete=complete_key)
@click.option("--all", "is_all", is_flag=True, help="All jobs, those that come later among them.")
@click.option(
    "--until",
    metavar="INSTANT",
    callback=_until,
    help="Until then: ISO 8601, in UTC where it has no zone, or how long from now on (2h, 3d).",
)
@click.option("--note", metavar="TEXT", default="", help="Why, for those who come across it.")
@settings_options("state_dir", required=())
@json_option
def pause_command(
    *, keys: tuple[str, ...], is_all: bool, until: datetime | None, note: str, settings: Settings, as_json: bool
) -> int:
    """Let jobs not start by themselves.

    What runs goes on, and what is triggered runs.  Pauses are remembered over restarts.  Afterwards what was due
    meanwhile is made up for as after a time without a daemon: mostly by one run (see when.missed).
    """
    from gavo_exec.cli.asking import client_of, keys_or_all
    from gavo_exec.cli.views import pause_words

    client = client_of(settings)
    pauses = [client.pause(key, until=until, note=note) for key in keys_or_all(keys, is_all=is_all)]
    _tell_pauses(pauses, [pause_words(pause.value()) for pause in pauses], as_json=as_json)
    return DONE


@click.command("resume", epilog=examples("gavo-exec resume weather/q#fetch", "gavo-exec resume --all"))
@click.argument("keys", metavar="[KEY]...", nargs=-1, shell_complete=complete_key)
@click.option("--all", "is_all", is_flag=True, help="End the pause of all jobs; those of single jobs stay.")
@settings_options("state_dir", required=())
@json_option
def resume_command(*, keys: tuple[str, ...], is_all: bool, settings: Settings, as_json: bool) -> int:
    """Let jobs that are paused start by themselves again."""
    from gavo_exec.cli.asking import client_of, keys_or_all

    client = client_of(settings)
    pauses = [client.resume(key) for key in keys_or_all(keys, is_all=is_all)]
    words = [f"{pause.key or 'everything'} goes on" for pause in pauses]
    _tell_pauses(pauses, words, as_json=as_json)
    return DONE


def _tell_pauses(pauses: list[PauseView], words: list[str], *, as_json: bool) -> None:
    if as_json:
        show_json(pauses)
        return
    for line in words:
        print(clean(line))


@click.command("cancel", epilog=examples("gavo-exec cancel 261125104500-3f1-7", "gavo-exec cancel weather/q#fetch"))
@click.argument("runs", metavar="RUN|KEY...", nargs=-1, required=True, shell_complete=complete_key)
@settings_options("state_dir", required=())
def cancel_command(*, runs: tuple[str, ...], settings: Settings) -> int:
    """End runs, or all runs of a KEY.

    Programs that a run has started are ended; its code is asked to end, and is waited for.
    """
    from gavo_exec.cli.asking import client_of

    client = client_of(settings)
    for name in runs:
        ended = client.cancel(normal_key(name) if "#" in name else name)
        print(clean(f"{ended}: being ended"))
    return DONE


@click.command("reload", epilog=examples("gavo-exec reload"))
@settings_options("state_dir", required=())
@json_option
def reload_command(*, settings: Settings, as_json: bool) -> int:
    """Let the daemon read everything anew, and show what that comes to.

    The exit code is 1 where RDs are broken.
    """
    from gavo_exec.cli.asking import client_of

    reloaded = client_of(settings).reload()
    if as_json:
        show_json(reloaded)
    else:
        broken = len(reloaded.broken)
        print(f"{counted(reloaded.jobs, 'job')} in {counted(reloaded.rds, 'RD')}; {counted(broken, 'broken RD')}")
        for line in reloaded.broken:
            print(f"  {clean(line)}", file=sys.stderr)
    return FAILED if reloaded.broken else DONE


@click.command("stop", epilog=examples("gavo-exec stop", "gavo-exec stop --now"))
@click.option("--now", "at_once", is_flag=True, help="End what is running, too, without waiting for it.")
@click.option("--no-wait", is_flag=True, help="Do not wait until the daemon has ended.")
@settings_options("state_dir", required=())
def stop_command(*, at_once: bool, no_wait: bool, settings: Settings) -> int:
    """Let the daemon end, as SIGTERM does, and wait for it.

    Where a service manager runs it, that one is to be told instead: systemctl stop gavo-exec.
    """
    from gavo_exec.cli.asking import client_of
    from gavo_exec.runtime.process import wait_until_gone

    client = client_of(settings)
    status = client.status()
    client.stop(at_once=at_once)
    if no_wait:
        print("the daemon is stopping")
        return DONE
    if status.running and not at_once:
        print(f"waiting for {counted(status.running, 'run')}", file=sys.stderr)
    wait_until_gone(status.pid)
    print(f"the daemon (process {status.pid}) has ended")
    return DONE
