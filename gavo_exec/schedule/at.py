"""Times of the day, of the week and of the month: the grammar of ``at`` and its arithmetic.

The grammar is that of RDs: ``[w<1-7> ][m<1-28> ]H:MM``, weekday 1 being Monday (ISO 8601), all of it UTC or what
clocks show in another zone.
"""

import re
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache

import msgspec

from gavo_exec.errors import shortened
from gavo_exec.schedule.calendar import Window, days_from, instant_of, zone_named
from gavo_exec.schedule.every import in_words
from gavo_exec.schedule.syntax import ScheduleSyntaxError

_A_MONDAY = datetime(2001, 1, 1, tzinfo=UTC)
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@cache
def _anchor(day_of_week: int | None, hour: int, minute: int) -> datetime:
    """Some instant at which it was this time; there are few, so they are kept."""
    return _A_MONDAY + timedelta(days=(day_of_week or 1) - 1, hours=hour, minutes=minute)


_days = lru_cache(maxsize=4096)(timedelta)
"""Kept, for making one takes as long as all the rest of the reckoning."""


class AtTime(msgspec.Struct, frozen=True, kw_only=True):
    """One time of the day, every day, or on one day of the week (1 to 7) or of the month (1 to 28)."""

    hour: int
    minute: int
    day_of_week: int | None = None
    day_of_month: int | None = None

    def next_after(self, instant: datetime) -> datetime:
        """The first instant after this one at which it is this time in UTC; seconds are zero.

        Raises OverflowError or ValueError where the calendar has no such instant any more.
        """
        hour, minute = self.hour, self.minute
        if (day := self.day_of_month) is not None:
            year, month = instant.year, instant.month
            if (instant.day, instant.hour, instant.minute) >= (day, hour, minute):
                year, month = (year, month + 1) if month < 12 else (year + 1, 1)
            return datetime(year, month, day, hour, minute, tzinfo=UTC)
        # Days and weeks have one length in UTC, so these are plain periods, counted from any instant of theirs.
        anchor = _anchor(self.day_of_week, hour, minute)
        passed = (instant - anchor).days
        return anchor + _days(passed + 1 if self.day_of_week is None else passed // 7 * 7 + 7)

    def is_on(self, day: date) -> bool:
        """Whether it comes on this day."""
        if self.day_of_month is not None:
            return self.day_of_month == day.day
        return self.day_of_week is None or self.day_of_week == day.isoweekday()

    def describe(self) -> str:
        """``Mondays 7:30``, ``day 1 of the month 7:30`` or ``7:30``."""
        clock = f"{self.hour}:{self.minute:02}"
        if self.day_of_week is not None:
            return f"{_WEEKDAYS[self.day_of_week - 1]}s {clock}"
        if self.day_of_month is not None:
            return f"day {self.day_of_month} of the month {clock}"
        return clock


class At(msgspec.Struct, frozen=True, kw_only=True):
    """At each of ``times``, by clocks in ``zone``; ``items`` are the texts they come from, as ``execDef.at`` has them.

    A time that clocks show twice counts the first time.  One that they skip falls on the first minute after, where it
    may meet others.  Instants outside of ``window`` do not count; those that do are put off by ``delay_seconds``.
    """

    times: tuple[AtTime, ...]
    items: tuple[str, ...] = ()
    zone: str = "UTC"
    window: Window | None = None
    delay_seconds: int = 0

    def next_due(self, now: datetime, last_start: datetime | None) -> datetime | None:  # noqa: ARG002 -- the protocol's
        """The first of the times after now; None where the window never opens for one, and at the calendar's end."""
        if self.window is not None or self.zone != "UTC" or self.delay_seconds:
            return self._next_narrowed(now)
        try:
            if len(self.times) == 1:
                return self.times[0].next_after(now)
            return min(time.next_after(now) for time in self.times)
        except (OverflowError, ValueError):
            return self._next_narrowed(now)  # for one of several times the calendar may not be at its end

    def _next_narrowed(self, now: datetime) -> datetime | None:
        """The same day by day, for any zone and window."""
        zone, window, delay = zone_named(self.zone), self.window, timedelta(0, self.delay_seconds)
        try:
            instant = now - delay
            today = instant.astimezone(zone).date()
            if window is not None and window.zone == self.zone:
                days = window.days(today, sum({1 << (60 * time.hour + time.minute) for time in self.times}))
            else:
                days = days_from(today)
            for day in days:
                walls = [
                    datetime(day.year, day.month, day.day, time.hour, time.minute, tzinfo=UTC)
                    for time in self.times
                    if time.is_on(day)
                ]
                found = [at for wall in walls if (at := instant_of(wall, zone)) > instant]
                if allowed := [at for at in found if window is None or window.allows(at)]:
                    return min(allowed) + delay
        except OverflowError:
            pass
        return None

    def describe(self) -> str:
        """``at 7:30, Mondays 8:00 UTC``, with the window and the delay, where there are."""
        words = f"at {', '.join(time.describe() for time in self.times)} {self.zone}"
        if self.window is not None:
            words += f", {self.window.describe()}" + (f" in {self.window.zone}" * (self.window.zone != self.zone))
        if self.delay_seconds:
            words += f", put off by {in_words(self.delay_seconds)}"
        return words


_TIME = re.compile(r"(?:w(?P<week>\d)\s+)?(?:m(?P<month>\d{1,2})\s+)?(?P<hour>\d+):(?P<minute>\d+)")
_SUPERFLUOUS = re.compile(r":00|\s*(?:Z|UTC|GMT|[+-]00:?00)", re.IGNORECASE)
"""What says nothing that is not so anyway."""
_ZONE = re.compile(r"\s*(?:[+-]\d\d:?(?:\d\d)?|[A-Z]{3,5}|[A-Z]\w+/\w+)")
_SHAPE = "times look like 7:30, w1 7:30 (Mondays) or m28 7:30 (day 28 of the month), in UTC"


def parse_time(text: str) -> AtTime:
    """The time that one item of an ``at`` means.

    Raises ScheduleSyntaxError with the offending span where the item does not follow the grammar to its end, where a
    number is out of range, and where day of week and day of month come together.
    """
    found = _TIME.match(text)
    if found is None:
        raise ScheduleSyntaxError(f"not a time: {shortened(text)}", end=len(text), hint=_SHAPE)
    if found.end() < len(text):
        rest = text[found.end() :]
        message = f"{shortened(rest)} follows the time {shortened(found[0])}"
        fix = "" if _SUPERFLUOUS.fullmatch(rest) else None
        hint = _SHAPE + (", or in the zone that the property when.zone names" * bool(_ZONE.fullmatch(rest)))
        raise ScheduleSyntaxError(message, start=found.end(), end=len(text), hint=hint, fix=fix)

    def number(name: str, low: int, high: int, *, what: str) -> int | None:
        """The named group's number; None where the group took no part."""
        digits = found[name]
        if digits is None:
            return None
        # Long runs of digits are compared as text first: int() of a megabyte of digits is no work for a reader.
        value = int(digits) if len(digits) <= 9 else high + 1
        if not low <= value <= high:
            hint = f"the {what} is {low} to {high}"
            if name == "month" and 29 <= value <= 31:
                hint += (
                    "; for other days write the time alone and a property when.only, such as * * L * * or * * 31 * *"
                )
            raise ScheduleSyntaxError(
                f"the {what} {digits[:20]} is out of range", start=found.start(name), end=found.end(name), hint=hint
            )
        return value

    hour = number("hour", 0, 23, what="hour")
    minute = number("minute", 0, 59, what="minute")
    day_of_week = number("week", 1, 7, what="day of the week")
    day_of_month = number("month", 1, 28, what="day of the month")
    if day_of_week is not None and day_of_month is not None:
        raise ScheduleSyntaxError(
            "day of week and day of month together",
            end=found.start("hour"),
            hint="DaCHS ignores the day of month here; keep one of the two",
        )
    assert hour is not None and minute is not None  # noqa: PT018, S101 -- the pattern has them always
    return AtTime(hour=hour, minute=minute, day_of_week=day_of_week, day_of_month=day_of_month)


def parse_at(text: str) -> At:
    """The schedule that the text of an ``at`` means: times separated by commas.

    Raises ScheduleSyntaxError with the span of the first faulty item in ``text``, and where there is no time at all.
    """
    times: list[AtTime] = []
    items: list[str] = []
    offset = 0
    for piece in text.split(","):
        item = piece.strip()
        if item:
            try:
                times.append(parse_time(item))
            except ScheduleSyntaxError as fault:
                start = offset + piece.index(item)
                raise ScheduleSyntaxError(
                    str(fault), start=start + fault.start, end=start + fault.end, hint=fault.hint, fix=fault.fix
                ) from None
            items.append(item)
        offset += len(piece) + 1
    if not times:
        raise ScheduleSyntaxError("at names no time", end=len(text), hint=_SHAPE)
    return At(times=tuple(times), items=tuple(items))
