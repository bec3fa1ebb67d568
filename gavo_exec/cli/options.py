"""Options that several commands share; those for settings are derived from the table of settings."""

import os
import re
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import ParamSpec, TypeVar

import click

from gavo_exec.settings import SETTINGS, Setting, load

_P = ParamSpec("_P")
_R = TypeVar("_R")

DAEMON_ONLY = (
    "workers",
    "user",
    "stop_grace_seconds",
    "rescan_seconds",
    "log_format",
    "preload_rds",
    "heartbeat_seconds",
    "history_days",
    "history_failed_days",
    "history_runs",
    "history_bytes",
    "web",
    "web_host",
    "web_port",
    "web_names",
    "web_reading",
    "otlp_endpoint",
)
"""The settings that nothing but the daemon goes by."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
limit_option = click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(min=1, max=1_000_000),
    default=20,
    show_default=True,
    help="At most so many.",
)


def examples(*lines: str) -> str:
    """The end of a command's help: how it is called."""
    return "\n".join(("\b", "Example:" if len(lines) == 1 else "Examples:", *(f"  {line}" for line in lines)))


def parsed_moment(text: str) -> datetime:
    """The instant that an ISO 8601 text means; without a zone, in UTC.  Raises BadParameter for anything else."""
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise click.BadParameter(f"{text!r} is no instant; write 2026-01-31T07:30, say") from None


def moment(_ctx: click.Context, _parameter: click.Parameter, text: str | None) -> datetime | None:
    """An option's instant, if there is one; see parsed_moment."""
    return None if text is None else parsed_moment(text)


def past_moment(_ctx: click.Context, _parameter: click.Parameter, text: str | None) -> datetime | None:
    """An option's instant that has passed: ISO 8601, or how long ago (2h, 3d)."""
    if text is None:
        return None
    if re.match(r"\s*\d{4}-", text):
        return parsed_moment(text)
    from gavo_exec.elements.values import duration
    from gavo_exec.runtime.clock import SystemClock

    try:
        return SystemClock().now() - duration(timedelta(seconds=1))(text)
    except (ValueError, OverflowError):
        raise click.BadParameter(f"{text!r} is neither an instant nor a time; write 2026-01-31, or 2h, say") from None


since_option = click.option(
    "--since",
    metavar="INSTANT",
    callback=past_moment,
    help="From then on: ISO 8601, in UTC where it has no zone, or how long ago (2h, 3d).",
)
until_option = click.option(
    "--until", "before", metavar="INSTANT", callback=past_moment, help="Before then, said in the same ways."
)


def settings_options(
    *names: str,
    without: Collection[str] = (),
    required: Collection[str] = ("inputs_dir",),
    takes_directory: bool = False,
) -> Callable[[Callable[_P, _R]], Callable[..., _R]]:
    """Give a command ``--settings`` and the flags of these settings (of all but those ``without``, if none is named).

    The command is called with ``settings``, in which all that is ``required`` is set.  With ``takes_directory`` the
    resource directory can be said as an argument, too.
    """
    chosen = names or [setting.name for setting in SETTINGS if setting.name not in without]
    wanted = [setting for setting in SETTINGS if setting.flag and setting.name in chosen]

    def decorate(command: Callable[_P, _R]) -> Callable[..., _R]:
        @wraps(command)
        def with_settings(
            *args: object, settings_file: str | None, directory: str | None = None, **given: object
        ) -> _R:
            flags = {setting.name: given.pop(setting.name) for setting in wanted}
            if directory is not None:
                if flags["inputs_dir"] is not None:
                    raise click.UsageError("give DIR or --inputs-dir, not both")
                flags["inputs_dir"] = directory
            settings = load(flags=flags, environ=os.environ, path=settings_file, required=required)
            return command(*args, settings=settings, **given)  # type: ignore[arg-type] # click calls by keywords

        decorated: Callable[..., _R] = with_settings
        for setting in reversed(wanted):
            decorated = _option(setting)(decorated)
        decorated = click.option(
            "--settings",
            "settings_file",
            metavar="FILE",
            type=click.Path(),
            help="The settings file (default: see the reference of settings).",
        )(decorated)
        if takes_directory:
            decorated = click.argument("directory", metavar="[DIR]", required=False)(decorated)
        return decorated

    return decorate


def _option(setting: Setting) -> Callable[[Callable[..., _R]], Callable[..., _R]]:
    """The flag of a setting; its value is checked with all others, wherever they were given."""
    if setting.type == "switch":
        return click.option(
            f"{setting.flag}/--no-{setting.flag[2:]}", setting.name, default=None, help=setting.description
        )
    default = f"  [default: {setting.default}]" if setting.default not in {"", "none"} else ""
    return click.option(
        setting.flag,
        setting.name,
        metavar=setting.metavar,
        type=click.Path() if setting.type == "path" else str,
        multiple=setting.type in {"list", "table"},
        help=f"{setting.description}{default}".replace("`", ""),
    )
