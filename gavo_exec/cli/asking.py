"""What commands that ask the daemon have in common: the client, and how they say what came of it."""

import re
from datetime import datetime, timedelta

import click

from gavo_exec.cli.keys import normal_key
from gavo_exec.cli.options import parsed_moment
from gavo_exec.elements.values import duration
from gavo_exec.runtime.clock import SystemClock
from gavo_exec.services.control.client import Client, asking_user
from gavo_exec.settings import Settings

_read_duration = duration(timedelta(seconds=1))


def client_of(settings: Settings) -> Client:
    """The client of the daemon on these settings' state directory."""
    return Client(settings.state_dir, on_behalf_of=asking_user())


def until(_ctx: click.Context, _parameter: click.Parameter, text: str | None) -> datetime | None:
    """An option's instant: ISO 8601, or how long from now on (2h, 3d)."""
    if text is None:
        return None
    if re.match(r"\s*\d{4}-", text):
        return parsed_moment(text)
    try:
        return SystemClock().now() + _read_duration(text)
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"{text!r} is neither an instant nor a time; write 2026-01-31T07:30, or 2h, say"
        ) from None


def keys_or_all(keys: tuple[str, ...], *, is_all: bool) -> list[str]:
    """The keys that are meant, '' for all jobs; raises UsageError where that is not clear."""
    if bool(keys) == is_all:
        raise click.UsageError("give keys, or --all")
    return [normal_key(key) for key in keys] or [""]
