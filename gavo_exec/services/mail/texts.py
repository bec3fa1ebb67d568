"""Pieces of text for mails, clean and bounded: lines, blocks, tables, commands."""

import re
import shlex
from datetime import datetime

_LONGEST_LINE = 500
_LONGEST_LISTED = 200
_PLAIN_WORD = re.compile(r"[\w./@%+=:,-][\w./@%+=:,#-]*", re.ASCII)


def command(verb: str, text: str) -> str:
    """A command line that has the text as its one argument, whatever it is."""
    # A # within a word begins no comment in any shell, so that keys may stand as they are.
    word = one_line(text)
    word = word if _PLAIN_WORD.fullmatch(word) else shlex.quote(word)
    return f"gavo-exec {verb} -- {word}" if word.startswith(("-", "'-")) else f"gavo-exec {verb} {word}"


def instant(instant: datetime) -> str:
    """An instant as operators read it."""
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"


def duration(seconds: float) -> str:
    """A duration for people: two units at most."""
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} d {hours % 24} h"


def moment(at: datetime, now: datetime) -> str:
    """An instant for subjects: ``04:10``, with the day where that is not today's; in UTC."""
    return f"{at:%H:%M}" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M}"


def plural(count: int, word: str) -> str:
    """``1 failure``, ``2 failures``."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def ordinal(count: int) -> str:
    """``1st``, ``22nd``, ``113th``."""
    ending = "th" if count % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(count % 10, "th")
    return f"{count:,}{ending}"


def listing(line: str) -> str:
    """A line of code as printable characters, its indentation kept, its end left out where it is long."""
    shown = _printable(line[: 2 * _LONGEST_LISTED].expandtabs(4))
    return shown if len(shown) <= _LONGEST_LISTED else f"{shown[:_LONGEST_LISTED]}…"


def one_line(text: str, *, limit: int = 200, keeps_blanks: bool = False) -> str:
    """The text as a single printable line of at most ``limit`` characters.

    Control characters, line ends, lone surrogates and marks that turn the direction of writing become blanks; several
    blanks one, unless they are kept.
    """
    begun = text[: 4 * limit]
    shown = "".join(char if char.isprintable() else " " for char in begun)
    if not keeps_blanks:
        shown = " ".join(shown.split())
    if len(shown) > limit or len(begun) < len(text):
        shown = shown[: limit - 1] + "…"
    return shown


def block(text: str, *, lines: int, characters: int) -> list[str]:
    """The end of a text as printable, bounded lines; the first of them says how much was left out."""
    end = text[-characters:]
    if len(end) < len(text) and "\n" in end:
        end = end.partition("\n")[2]  # what is left of a line that was cut
    shown = end.expandtabs(8).splitlines()[-lines:]
    skipped = text.count("\n", 0, max(0, len(text) - len(end))) + max(0, len(end.splitlines()) - lines)
    printable = [_printable(line) for line in shown]
    if skipped or len(end) < len(text):
        what = f"{skipped:,} line{'s' if skipped > 1 else ''}" if skipped else f"{len(text) - len(end):,} characters"
        return [f"[{what} before this left out]", *printable]
    return printable


def _printable(line: str) -> str:
    """A line without what might confuse a terminal, and not too long."""
    shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line[:_LONGEST_LINE])
    return shown + (f" [{len(line) - _LONGEST_LINE:,} characters more]" if len(line) > _LONGEST_LINE else "")
