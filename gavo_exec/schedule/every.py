"""Intervals: every so many seconds, the first time soon after loading or at once."""

import re
from datetime import datetime, timedelta
from functools import lru_cache

import msgspec

from gavo_exec.errors import shortened
from gavo_exec.schedule.calendar import Window
from gavo_exec.schedule.syntax import ScheduleSyntaxError

MAX_SECONDS = 100 * 366 * 86_400
"""A century: longer intervals are mistakes, and would run past the end of the calendar."""


_span = lru_cache(maxsize=4096)(timedelta)


class Every(msgspec.Struct, frozen=True, kw_only=True):
    """Every ``seconds`` seconds after the last start.

    Where nothing has been started yet, the first instant is a tenth of the interval after now, or now itself if
    ``immediately`` (in RDs: a negative interval); only this one is put off by ``delay_seconds``.  An interval that ends
    outside ``window`` is over when that opens.
    """

    seconds: int
    immediately: bool = False
    window: Window | None = None
    delay_seconds: int = 0

    def next_due(self, now: datetime, last_start: datetime | None) -> datetime | None:
        """The last start plus the interval, even where that has passed; see the class for the first instant.

        None where the window never opens again, and after the end of the calendar.
        """
        try:
            if last_start is not None:
                due = last_start + _span(0, self.seconds)
            else:
                due = now + timedelta(seconds=self.delay_seconds + (0 if self.immediately else self.seconds / 10))
        except OverflowError:
            return None
        return due if self.window is None else self.window.next_allowed(due)

    def describe(self) -> str:
        """``every 1 h 30 min``, with the window, and with how it begins where that is at once or put off."""
        return (
            f"every {in_words(self.seconds)}"
            + (f", {self.window.describe()} in {self.window.zone}" if self.window else "")
            + (", at once when first loaded" if self.immediately else "")
            + (f", first put off by {in_words(self.delay_seconds)}" if self.delay_seconds else "")
        )

    @property
    def raw(self) -> int:
        """The number as RDs write it: negative where the first run is immediate."""
        return -self.seconds if self.immediately else self.seconds


def in_words(seconds: int) -> str:
    """``5400`` as ``1 h 30 min``."""
    parts = []
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts) or "0 s"


def parse_every(text: str) -> Every:
    """The interval that the text of an ``every`` means: a whole number of seconds, as Python's int() takes it.

    Raises ScheduleSyntaxError for anything else, for zero, and for more than a century.
    """
    end = len(text)
    try:
        seconds = int(text)
    except ValueError:
        hint = "write the number of seconds, for instance 3600 for an hour"
        fix = None
        if found := re.fullmatch(r"\s*(-?\d{1,9})\s*(s|sec|m|min|h|d)\s*", text):
            factor = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}[found[2]]
            fix = str(int(found[1]) * factor)
            hint = f"write the number of seconds: {fix}"
        message = f"every is not a whole number: {shortened(text)}"
        raise ScheduleSyntaxError(message, end=end, hint=hint, fix=fix) from None
    if seconds == 0:
        raise ScheduleSyntaxError(
            "every is 0, which would run the job without end", end=end, hint="write the number of seconds between runs"
        )
    if abs(seconds) > MAX_SECONDS:
        raise ScheduleSyntaxError(
            f"every is more than a century: {shortened(text)}", end=end, hint="every counts seconds"
        )
    return Every(seconds=abs(seconds), immediately=seconds < 0)
