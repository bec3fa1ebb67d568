"""How things are shown: tables, fields, JSON, instants; nothing hostile reaches a terminal from here."""

import re
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from gavo_exec.errors import spelt_out
from gavo_exec.schedule.every import in_words

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours, cursor movements
    r"|\x1b[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"  # window titles and other strings
    r"|\x1b[ -/]*[0-~]"
)
# Controls but tab and line feed, marks that turn the direction of writing, odd line ends, halves of characters.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_CELL = 100
_MOST_ON_TERMINAL = 1000
"""Beyond so many lines tables are plain, which is a hundred times as fast."""


def clean_block(text: str) -> str:
    """The text with its lines, but without anything that a terminal would obey."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", _ESCAPES.sub("", re.sub(r"\r+\n?", "\n", text)))


def clean(text: str) -> str:
    """The text on one line, without anything that a terminal would obey."""
    if text.isascii() and text.isprintable() and "  " not in text and text[:1] != " " and text[-1:] != " ":
        return text  # as nearly all is, in tables of thousands of lines
    return " ".join(clean_block(text).split())


def clip(text: str, length: int = _CELL) -> str:
    """At most so many characters of the text."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def instant(moment: datetime | None) -> str:
    """``2026-01-31 07:30:00`` (UTC); ``-`` for None."""
    if moment is None:
        return "-"
    return (moment if moment.tzinfo is UTC else moment.astimezone(UTC)).isoformat(" ", "seconds")[:19]


def length(duration: timedelta) -> str:
    """``2 d 3 h``: a duration in its two largest units; below ten seconds with fractions."""
    seconds = max(duration.total_seconds(), 0.0)
    if seconds < 10:
        return f"{seconds:.2g} s" if seconds >= 0.001 else "0 s"
    whole = round(seconds)
    for size, unit in ((86_400, 3600), (3600, 60)):
        if whole >= size:
            return in_words(whole - whole % unit)
    return in_words(whole)


def left(due: datetime | None, now: datetime) -> str:
    """How long it is until then; ``now`` where that has passed."""
    if due is None:
        return "-"
    return "now" if due <= now else length(due - now)


def counted(number: int, noun: str) -> str:
    """``1 error``, ``2 errors``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def show_json(value: object) -> None:
    """Print a value as JSON: enums by their names in lower case, instants in ISO 8601, UTC."""
    try:
        encoded = msgspec.json.encode(value)
    except UnicodeEncodeError:
        encoded = msgspec.json.encode(spelt_out(msgspec.to_builtins(value)))
    text = msgspec.json.format(encoded, indent=2).decode()
    # JSON escapes only the oldest of the controls by itself; the others are within strings, too.
    print(_CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def show_fields(fields: Iterable[tuple[str, str]]) -> None:
    """Print names and values, one pair a line, values aligned; pairs without a value are left out."""
    pairs = [(name, clean(value)) for name, value in fields if value]
    width = max((len(name) for name, _ in pairs), default=0)
    for name, value in pairs:
        print(f"{name + ':':<{width + 1}} {value}")


def show_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table: with lines and colours kept to what helps on a terminal, aligned text elsewhere."""
    # Nearly all cells are short and plain, and there may be a hundred thousand of them.
    cells = [
        [cell if len(cell) < 60 and cell.isascii() and cell.isprintable() else clip(clean(cell)) for cell in row]
        for row in rows
    ]
    if sys.stdout.isatty() and len(cells) <= _MOST_ON_TERMINAL:
        _show_on_terminal(headings, cells)
        return
    widths = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
    line = "  ".join(f"{{:<{width}}}" for width in widths).format
    print("\n".join(line(*row).rstrip() for row in ([heading.upper() for heading in headings], *cells)))


_WHOLE = {"key", "run", "id", "outcome", "state"}
"""Columns that are not broken into lines where a terminal is narrow: what is in them gets copied, or is one word."""

_STYLES = {
    "succeeded": "green",
    "failed": "bold red",
    "timed out": "bold red",
    "interrupted": "red",
    "cancelled": "yellow",
    "skipped": "yellow",
    "missed": "yellow",
    "running": "cyan",
    "held back": "yellow",
}


def _show_on_terminal(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table as wide as the terminal, outcomes in colours."""
    # Only here, since it takes longer to import than most commands run.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading.upper(), overflow="fold", no_wrap=heading in _WHOLE)
    for row in rows:
        # Text, not str: brackets in titles are no markup.
        table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
    Console(file=sys.stdout).print(table)
