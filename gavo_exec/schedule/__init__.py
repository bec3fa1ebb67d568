"""When: schedules are values with one pure question, "when is the next instant?"."""

from datetime import MAXYEAR, UTC, datetime
from typing import Protocol

import msgspec

from gavo_exec.schedule.at import At, AtTime, parse_at, parse_time
from gavo_exec.schedule.calendar import Window, parse_expressions, parse_zone
from gavo_exec.schedule.every import Every, parse_every
from gavo_exec.schedule.loaded import Loaded
from gavo_exec.schedule.syntax import ScheduleSyntaxError

__all__ = [
    "At",
    "AtTime",
    "Every",
    "Loaded",
    "Rarity",
    "Schedule",
    "ScheduleSyntaxError",
    "Window",
    "delay_for",
    "narrowed",
    "parse_at",
    "parse_every",
    "parse_expressions",
    "parse_time",
    "parse_zone",
    "rarity",
]


class Schedule(Protocol):
    """When something is due, as a value."""

    def next_due(self, now: datetime, last_start: datetime | None) -> datetime | None:
        """The next instant to start at, given the present instant and that of the last start (None: never).

        Both are aware and UTC, and so is the answer.  It may lie in the past, which means: at once; None means that
        time has no say in it, or none any more.
        """
        ...

    def describe(self) -> str:
        """The schedule in words, for people; different schedules have different words."""
        ...


def narrowed(
    schedule: Schedule, *, zone: str = "UTC", window: Window | None = None, delay_seconds: int = 0
) -> Schedule:
    """The same schedule by clocks in a zone, in a window only, and put off.

    An interval has no zone but that of its window; what is due when loaded stays as it is.
    """
    if window is not None and not window.only and not window.excluded:
        window = None
    if isinstance(schedule, At):
        return msgspec.structs.replace(schedule, zone=zone, window=window, delay_seconds=delay_seconds)
    if isinstance(schedule, Every):
        return msgspec.structs.replace(schedule, window=window, delay_seconds=delay_seconds)
    return schedule


def delay_for(key: str, most_seconds: int) -> int:
    """A delay of 0 to ``most_seconds`` seconds, evenly spread over keys, and for each key always the same."""
    from hashlib import sha256  # for those who ask for delays only

    digest = sha256(key.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") % (most_seconds + 1)


class Rarity(msgspec.Struct, frozen=True, kw_only=True):
    """What a window leaves of a schedule is little: it is due next at ``due`` (None: never at all)."""

    due: datetime | None


def rarity(schedule: Schedule, now: datetime) -> Rarity | None:
    """Whether a window has a schedule never be due, or leaves out one of the next twelve years.

    None where that is not so, and for schedules without windows: what those say is meant.
    """
    if not isinstance(schedule, At | Every) or schedule.window is None:
        return None
    # An interval is over at the latest when the window opens, so what counts is the window.
    next_due = schedule.window.next_allowed if isinstance(schedule, Every) else lambda at: schedule.next_due(at, None)
    first = next_due(now)
    if first is None:
        return Rarity(due=None)
    for year in range(now.year + 1, min(now.year + 13, MAXYEAR)):
        due = next_due(datetime(year, 1, 1, tzinfo=UTC))
        if due is None or due.year > year:
            return Rarity(due=first)
    return None
