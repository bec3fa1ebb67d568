"""Zones and windows: what a clock on a wall shows somewhere, and the minutes at which something may be due.

Zones are those of IANA.  Windows are made of calendar expressions, which are cronsim's: it reads them and says which
days they mean.  Both libraries are imported when they are first needed; who stays in UTC pays for neither.
"""

import calendar
import re
from bisect import bisect_left
from collections.abc import Iterator
from datetime import MAXYEAR, UTC, date, datetime, timedelta, tzinfo
from functools import cache, lru_cache
from itertools import pairwise

import msgspec

from gavo_exec.errors import shortened
from gavo_exec.schedule.syntax import ScheduleSyntaxError

HORIZON_YEARS = 50
"""What does not come within so many years never does: no kind of year, by leap day and weekdays, is missing for 41."""

# Zones


@cache
def zone_named(name: str) -> tzinfo:
    """The zone of a name that parse_zone gave."""
    if name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)


@cache
def _zone_names() -> dict[str, str]:
    """All names of zones, by their lower-case spelling."""
    from zoneinfo import available_timezones

    # "localtime" is another zone on each machine, and "Factory" none at all.
    return {name.lower(): name for name in sorted(available_timezones() - {"localtime", "Factory"})}


def parse_zone(text: str) -> str:
    """The name of a zone as IANA spells it, ``Europe/Berlin`` say; blanks around it do not matter.

    Raises ScheduleSyntaxError, with what may have been meant as a hint, for all else.
    """
    name = text.strip()
    if name == "UTC":
        return name
    names = _zone_names()
    lower = name.lower()
    if names.get(lower) == name:
        return name
    hint, fix = "zones are those of IANA, with names such as Europe/Berlin", None
    if lower in names:
        hint, fix = f"it is spelled {names[lower]}", names[lower]
    elif name and len(name) <= 60:
        from difflib import get_close_matches

        # People write the city alone, too.  Nearby abbreviations are not meant, and Etc/GMT+2 is two hours behind.
        known = {each: spelled for each, spelled in names.items() if "/" in each and not each.startswith("etc/")}
        known = {each.rpartition("/")[2]: spelled for each, spelled in known.items()} | known
        if close := get_close_matches(re.sub(r"\s+", "_", lower), known, n=1, cutoff=0.8):
            hint = f"did you mean {known[close[0]]}?"
    start = text.index(name)
    raise ScheduleSyntaxError(
        f"no zone is called {shortened(name)}" if name else "there is no name of a zone",
        start=start if name else 0,
        end=start + len(name) if name else len(text),
        hint=hint,
        fix=fix,
    )


def _offset(instant: datetime, zone: tzinfo) -> timedelta:
    offset = instant.astimezone(zone).utcoffset()
    assert offset is not None  # noqa: S101 -- zones have offsets at all times
    return offset


def _first_change(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """The instant at which the zone's offset changes between two instants; there is one, on a whole second."""
    before = before.replace(microsecond=0)
    offset = _offset(before, zone)
    seconds = range(int((after - before).total_seconds()) + 1)
    return before + timedelta(
        seconds=bisect_left(seconds, True, key=lambda count: _offset(before + timedelta(0, count), zone) != offset)
    )


def instant_of(wall: datetime, zone: tzinfo) -> datetime:
    """The instant at which clocks in a zone show ``wall`` (which is labelled as UTC), the first time they do.

    Where they skip it, the first full minute after.
    """
    local = wall.replace(tzinfo=zone)
    instant, other = local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)
    if instant <= other:
        return instant
    change = _first_change(other, instant, zone)
    # There was a zone whose offset had seconds.
    return change + timedelta(seconds=-change.astimezone(zone).second % 60)


@lru_cache(maxsize=1024)
def _days_with_skips(zone: str, year: int) -> frozenset[date]:
    """The days of a year of which clocks in a zone skip some minutes, or all."""
    if zone == "UTC":
        return frozenset()
    place = zone_named(zone)
    days: set[date] = set()
    # No zone has changed twice within six days since 1970.
    marks = [datetime(year, 1, 1, tzinfo=UTC) + timedelta(days=number) for number in range(-3, 370, 6)]
    for before, after in pairwise(marks):
        skipped = _offset(after, place) - _offset(before, place)
        if skipped > timedelta(0):
            change = _first_change(before, after, place).astimezone(place).replace(tzinfo=None)
            first, last = (change - skipped).toordinal(), (change - timedelta.resolution).toordinal()
            days.update(map(date.fromordinal, range(first, last + 1)))
    return frozenset(days)


def days_from(day: date) -> Iterator[date]:
    """This day and those after it, for HORIZON_YEARS, or to the end of the calendar."""
    first = day.toordinal()
    return map(date.fromordinal, range(first, min(first + 366 * HORIZON_YEARS, date.max.toordinal() + 1)))


# Windows

_ALL_DAY = (1 << 1440) - 1
_FIELDS = (
    ("minute", "0 to 59"),
    ("hour", "0 to 23"),
    ("day-of-month", "1 to 31, L for the last or LW for the last from Monday to Friday"),
    ("month", "1 to 12 or JAN to DEC"),
    ("day-of-week", "0 to 7 (0 and 7 are Sunday) or SUN to SAT, with #1 for the first of the month or L for the last"),
)
_SHAPE = (
    "write the minutes that count as five fields, minute hour day-of-month month day-of-week, such as "
    "* 9-17 * * 1-5 (from 9:00 to 17:59, Mondays to Fridays); semicolons separate several"
)
_MAX_LENGTH, _MAX_COUNT = 500, 50


class _Minutes:
    """The minutes that one calendar expression means."""

    def __init__(self, expression: str) -> None:
        from cronsim import CronSim

        self._days = CronSim(expression, datetime(2000, 1, 1, tzinfo=UTC))
        self._months = self._days.months
        self._of_day = sum(1 << (60 * hour + minute) for hour in self._days.hours for minute in self._days.minutes)

    def on(self, day: date) -> int:
        """Those of a day, as bits: bit 0 is 0:00."""
        return self._of_day if day.month in self._months and self._days.match_day(day) else 0


_minutes = lru_cache(maxsize=1024)(_Minutes)

# Every year has one of these calendars.
_LIKE = {(calendar.isleap(year), date(year, 1, 1).weekday()): year for year in range(2000, 2028)}


@lru_cache(maxsize=4096)
def _month(only: tuple[str, ...], excluded: tuple[str, ...], year: int, month: int) -> tuple[int, ...]:
    """The minutes that are allowed on each day of a month, as bits."""
    allowing, forbidding = [_minutes(each) for each in only], [_minutes(each) for each in excluded]
    days = []
    for number in range(1, calendar.monthrange(year, month)[1] + 1):
        day = date(year, month, number)
        minutes = 0 if allowing else _ALL_DAY
        for each in allowing:
            minutes |= each.on(day)
        for each in forbidding:
            minutes &= ~each.on(day)
        days.append(minutes)
    return tuple(days)


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """The minutes at which something may be due: in any of ``only`` (or there is none) and in none of ``excluded``.

    Both are calendar expressions as parse_expressions gives them, for clocks in ``zone``; a minute that is there twice
    counts twice.
    """

    only: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    zone: str = "UTC"

    def _days(self, year: int, month: int) -> tuple[int, ...]:
        return _month(self.only, self.excluded, _LIKE[calendar.isleap(year), calendar.weekday(year, 1, 1)], month)

    def allows(self, instant: datetime) -> bool:
        """Whether something may be due at this instant; beyond the end of the calendar nothing may."""
        try:
            local = instant.astimezone(zone_named(self.zone))
        except OverflowError:
            return False
        return bool(self._days(local.year, local.month)[local.day - 1] >> (60 * local.hour + local.minute) & 1)

    def days(self, day: date, minutes: int) -> Iterator[date]:
        """The days from this one on, for HORIZON_YEARS, at which any of these minutes (bit 0 is 0:00) is allowed.

        Also those of which clocks skip a part: a time that they skip falls on another.
        """
        year, month, passed = day.year, day.month, day.day - 1
        for _ in range(12 * HORIZON_YEARS):
            skips = _days_with_skips(self.zone, year)
            for number, allowed in enumerate(self._days(year, month)[passed:], passed + 1):
                if allowed & minutes or (skips and date(year, month, number) in skips):
                    yield date(year, month, number)
            year, month, passed = (year, month + 1, 0) if month < 12 else (year + 1, 1, 0)
            if year > MAXYEAR:
                break

    def next_allowed(self, instant: datetime) -> datetime | None:
        """The first allowed instant that is not before this one, which is itself or the start of a minute.

        None where there is none for HORIZON_YEARS.
        """
        zone, moment = zone_named(self.zone), instant
        try:
            while moment.year <= instant.year + HORIZON_YEARS:
                local = moment.astimezone(zone)
                passed = 60 * local.hour + local.minute
                rest = self._days(local.year, local.month)[local.day - 1] >> passed
                if rest & 1:
                    return moment
                ahead = (rest & -rest).bit_length() - 1 if rest else 1440 - passed
                following = moment.replace(microsecond=0) + timedelta(minutes=ahead, seconds=-local.second)
                if _offset(following, zone) != local.utcoffset():
                    following = _first_change(moment, following, zone)
                elif not rest:
                    tomorrow = local.date() + timedelta(days=1)
                    day = next(self.days(tomorrow, _ALL_DAY), None)
                    if day is None:
                        break
                    # Clocks that go back on the way have this come early, never late: days() stops where they skip.
                    following += day - tomorrow
                moment = following
        except OverflowError:
            pass
        return None

    def describe(self) -> str:
        """``only * 9-17 * * 1-5, not * 12 * * *``: the expressions, without the zone."""
        kinds = (("only", self.only), ("not", self.excluded))
        return ", ".join(f"{word} {'; '.join(expressions)}" for word, expressions in kinds if expressions)


def parse_expressions(text: str) -> tuple[str, ...]:
    """The calendar expressions that a text consists of, in one spelling; semicolons separate them.

    Raises ScheduleSyntaxError with the span of what is wrong: there are five fields (no seconds, no ``@daily``), each
    as cron has it, with cronsim's L, LW and #.  An expression for days that no month has is refused as well.
    """
    found: list[str] = []
    offset = 0
    for piece in text.split(";"):
        if fields := [(each[0], offset + each.start()) for each in re.finditer(r"\S+", piece)]:
            if len(found) == _MAX_COUNT:
                message = f"more than {_MAX_COUNT} calendar expressions"
                raise ScheduleSyntaxError(message, start=fields[0][1], end=len(text), hint="write fewer, wider ones")
            found.append(_checked(fields))
        offset += len(piece) + 1
    if not found:
        raise ScheduleSyntaxError("there is no calendar expression", end=len(text), hint=_SHAPE)
    return tuple(found)


def _checked(fields: list[tuple[str, int]]) -> str:
    """One expression from its fields and where they start; raises ScheduleSyntaxError."""
    from cronsim import CronSimError

    start, end = fields[0][1], fields[-1][1] + len(fields[-1][0])
    expression = " ".join(field for field, _ in fields)
    if len(fields) != 5:
        message = f"{len(fields)} fields where there are to be five: {shortened(expression)}"
        if expression.startswith("@"):
            message = f"not a calendar expression: {shortened(expression)}"
        elif len(fields) == 6:
            message = f"six fields, but there are no seconds here: {shortened(expression)}"
        raise ScheduleSyntaxError(message, start=start, end=end, hint=_SHAPE)
    if len(expression) > _MAX_LENGTH:
        message = f"a calendar expression of {len(expression)} characters: {shortened(expression)}"
        raise ScheduleSyntaxError(message, start=start, end=end, hint=f"{_MAX_LENGTH} characters are enough for any")
    expression = expression.upper()
    try:
        _minutes(expression)
    except CronSimError:
        pass
    else:
        return expression
    for index, ((field, place), (name, range_)) in enumerate(zip(fields, _FIELDS, strict=True)):
        alone = ["*"] * 5
        alone[index] = field.upper()
        try:
            _minutes(" ".join(alone))
        except CronSimError:
            hint = f"the {name} is {range_}; * stands for all, 1,2 is a list, 1-5 a range, and */2 every second"
            message = f"no such {name}: {shortened(field)}"
            raise ScheduleSyntaxError(message, start=place, end=place + len(field), hint=hint) from None
    (day, place), (months, _) = fields[2], fields[3]
    raise ScheduleSyntaxError(
        f"no day of the month {shortened(day)} in the months {shortened(months)}",
        start=place,
        end=fields[3][1] + len(months),
        hint="L is the last day of any month",
    )
