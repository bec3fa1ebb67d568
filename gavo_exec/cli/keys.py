"""Keys as people type them, and what they may have meant."""

import os
from collections.abc import Iterable
from difflib import get_close_matches

import click

from gavo_exec.cli.exits import WRONG_USE
from gavo_exec.cli.output import clean


class UnknownError(click.ClickException):
    """There is nothing of the name that was given."""

    exit_code = WRONG_USE


def normal_key(text: str) -> str:
    """The key that is meant: ``weather/q.rd#fetch``, as files are called, is ``weather/q#fetch``."""
    rd_id, mark, name = text.partition("#")
    return rd_id.removeprefix("./").removesuffix(".rd") + mark + name


def meant(text: str, known: Iterable[str]) -> str:
    """``; did you mean 'check'?`` where something known is like the text, else nothing."""
    like = get_close_matches(text, list(known), n=1)
    return f"; did you mean {like[0]!r}?" if like else ""


def complete_key(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The keys that begin like this, as the recorded state has them; nothing goes wrong visibly while one types."""
    from gavo_exec.cli.state import opened_store
    from gavo_exec.settings import load

    try:
        settings = load(flags={}, environ=os.environ, required=())
        with opened_store(settings) as store:
            keys = sorted(store.last_starts())
    except Exception:
        return []
    return [key for key in keys if key.startswith(incomplete)]


def unknown_key(key: str, known: Iterable[str]) -> UnknownError:
    """What to raise for a key that nothing has."""
    if "#" not in key:
        return UnknownError(f"{clean(key)!r} is no key; keys look like weather/q#fetch (gavo-exec list has them)")
    hint = meant(key, known) or " (gavo-exec list has all keys)"
    return UnknownError(f"no execute has the key {clean(key)!r}{hint}")
