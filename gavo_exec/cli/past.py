"""``audit`` and ``export``: who did what, and the whole history for other programs."""

import csv
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import IO

import click
import msgspec

from gavo_exec.cli.exits import DONE
from gavo_exec.cli.keys import complete_key, normal_key
from gavo_exec.cli.options import examples, json_option, limit_option, settings_options, since_option, until_option
from gavo_exec.cli.output import instant, show_json, show_table
from gavo_exec.errors import GavoExecError, spelt_out
from gavo_exec.json_views import DeedView, ExportedRun
from gavo_exec.settings import Settings


@click.command("audit", epilog=examples("gavo-exec audit --since 7d", "gavo-exec audit weather/q#fetch --json"))
@click.argument("about", metavar="[KEY|RD]", required=False, shell_complete=complete_key)
@since_option
@limit_option
@settings_options("state_dir", required=())
@json_option
def audit_command(*, about: str | None, since: datetime | None, limit: int, settings: Settings, as_json: bool) -> int:
    """List who did what, the latest first: triggered, paused, cancelled, reloaded; and which RDs were edited.

    Of a KEY what was done to its RD is listed, too.  An edit is noted when the daemon takes it up; whose it was is told
    by the owner of the file.
    """
    from gavo_exec.cli.state import opened_store

    with opened_store(settings) as store:
        deeds = store.deeds(normal_key(about) if about else None, since=since, limit=limit)
    if as_json:
        show_json([DeedView.of(deed) for deed in deeds])
    else:
        show_table(
            ("at (UTC)", "who", "what", "about", "detail"),
            [(instant(deed.at), deed.who or "-", deed.what, deed.about or "-", deed.detail) for deed in deeds],
        )
    return DONE


@click.command(
    "export",
    epilog=examples(
        "gavo-exec export --format csv --since 2026-01-01 > runs.csv", "gavo-exec export weather/q#fetch -o fetch.jsonl"
    ),
)
@click.argument("key", metavar="[KEY]", required=False, shell_complete=complete_key)
@click.option("--format", "how", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True)
@since_option
@until_option
@click.option("--output", "-o", "path", metavar="FILE", type=click.Path(), help="Into this file, whole or not at all.")
@settings_options("state_dir", required=())
def export_command(
    *,
    key: str | None,
    how: str,
    since: datetime | None,
    before: datetime | None,
    path: str | None,
    settings: Settings,
) -> int:
    """Write all runs that have ended, with their output, the first one first: a JSON object a line, or CSV.

    The fields are those of gavo-exec show RUN --json, without the code.  In CSV instants are ISO 8601 in UTC, what is
    not there is empty, and texts that a spreadsheet would take for a formula have an apostrophe before them.
    """
    from gavo_exec.cli.state import opened_store

    with opened_store(settings) as store, _opened(path) as file:
        runs = store.runs_onward(normal_key(key) if key else None, since=since, until=before)
        write = _write_csv if how == "csv" else _write_lines
        write(file, map(ExportedRun.of, runs))
    return DONE


@contextmanager
def _opened(path: str | None) -> Iterator[IO[str]]:
    """The file to write to, which takes its place when all is written; standard output where none is named."""
    if path is None:
        yield sys.stdout
        return
    aside = f"{path}.part"
    try:
        with open(aside, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123 -- a path as it was typed
            yield file
        os.replace(aside, path)  # noqa: PTH105 -- the same
    except OSError as fault:
        raise GavoExecError(f"{path}: cannot be written: {fault.strerror}") from None


def _write_lines(file: IO[str], runs: Iterator[ExportedRun]) -> None:
    for run in runs:
        try:
            line = msgspec.json.encode(run)
        except UnicodeEncodeError:
            line = msgspec.json.encode(spelt_out(msgspec.to_builtins(run)))
        file.write(line.decode() + "\n")


def _write_csv(file: IO[str], runs: Iterator[ExportedRun]) -> None:
    writer = csv.writer(file)
    writer.writerow(ExportedRun.__struct_fields__)
    for run in runs:
        writer.writerow([_cell(value) for value in msgspec.structs.astuple(run)])


def _cell(value: object) -> object:
    """A value for CSV."""
    match value:
        case None:
            return ""
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case str():
            text = value.encode("utf-8", "backslashreplace").decode()
            return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text
        case int() | float():
            return value
        case _:
            return getattr(value, "value", value)
