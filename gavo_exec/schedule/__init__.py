"""When: schedules are values with one pure question, "when is the next instant?"."""

from datetime import datetime
from typing import Protocol

from gavo_exec.schedule.at import At, AtTime, parse_at, parse_time
from gavo_exec.schedule.every import Every, ScheduleSyntaxError, parse_every
from gavo_exec.schedule.loaded import Loaded

__all__ = [
    "At",
    "AtTime",
    "Every",
    "Loaded",
    "Schedule",
    "ScheduleSyntaxError",
    "parse_at",
    "parse_every",
    "parse_time",
]


class Schedule(Protocol):
    """When something is due, as a value."""

    def next_due(self, now: datetime, last_start: datetime | None) -> datetime | None:
        """The next instant to start at, given the present instant and that of the last start (None: never).

        Both are aware and UTC, and so is the answer.  It may lie in the past, which means: at once; None means that
        time has no say in it.
        """
        ...

    def describe(self) -> str:
        """The schedule in words, for people."""
        ...
