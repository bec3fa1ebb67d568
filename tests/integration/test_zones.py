"""Every zone that the machine knows, at every change of its clocks from 1970 to 2037.

What is expected is reckoned from nothing but the instants of the changes and the offsets before and after them.
"""

import zoneinfo
from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from itertools import islice, pairwise
from pathlib import Path

import pytest
from cronsim import CronSim

from gavo_exec.schedule import At, AtTime, Window

DAY, MINUTE, TICK, NONE = timedelta(days=1), timedelta(minutes=1), timedelta.resolution, timedelta(0)
FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2038, 1, 1, tzinfo=UTC)
CHUNKS = 16


class Change:
    """One change of the clocks: the instant, what they show then by the offset before it, and by that after it."""

    def __init__(self, at: datetime, before: timedelta, after: timedelta) -> None:
        self.at, self.before, self.after = at, before, after
        self.old, self.new = at + before, at + after

    def shape(self) -> tuple[object, ...]:
        """Changes of like shape differ by their days only."""
        return self.before, self.after, self.old.time()

    def walls(self) -> list[datetime]:
        """Whole minutes that clocks skip or show twice, with the first and last of them, and those next to them."""
        low, high = sorted((self.old, self.new))
        middle = low + (high - low) / 2
        walls = (low - MINUTE, low, low + MINUTE, middle, high - MINUTE, high, high + MINUTE)
        return sorted({wall.replace(second=0, microsecond=0) for wall in walls})

    def instants(self) -> list[datetime]:
        """Instants before, at and after the change, and while clocks show what they have shown before."""
        length = abs(self.new - self.old)
        around = (-DAY, -length, -TICK, NONE, length / 2, length - TICK, length, DAY)
        return [self.at + offset for offset in around]


class Zone:
    """A zone by its changes."""

    def __init__(self, name: str) -> None:
        self.name, self.info = name, zoneinfo.ZoneInfo(name)
        self.changes: list[Change] = []
        days = int((LAST - FIRST).days)
        stamps = [FIRST.timestamp() + 86_400 * number for number in range(-10, days + 1)]
        offsets = [self.offset(stamp) for stamp in stamps]
        for number in range(days + 10):
            if offsets[number] != offsets[number + 1]:
                low, high = int(stamps[number]), int(stamps[number + 1])
                while high - low > 1:
                    middle = (low + high) // 2
                    if self.offset(middle) == offsets[number]:
                        low = middle
                    else:
                        high = middle
                at = datetime.fromtimestamp(high, UTC)
                self.changes.append(Change(at, offsets[number], offsets[number + 1]))
        # Pieces of time with one offset each.
        starts = [change.at for change in self.changes]
        self.starts = [FIRST - 1000 * DAY, *starts]
        self.ends = [*starts, LAST + 1000 * DAY]
        self.offsets = [offsets[0], *(change.after for change in self.changes)]

    def offset(self, stamp: float) -> timedelta:
        offset = datetime.fromtimestamp(stamp, self.info).utcoffset()
        assert offset is not None
        return offset

    def first_shown(self, wall: datetime) -> datetime:
        """The first full minute at which clocks show this time or a later one."""
        number = max(0, bisect_right(self.starts, wall - 2 * DAY) - 1)
        while (at := max(self.starts[number], wall - self.offsets[number])) >= self.ends[number]:
            number += 1
        return at + timedelta(seconds=-(at + self.offsets[number]).second % 60)

    def shown(self, wall: datetime) -> list[tuple[datetime, datetime]]:
        """When clocks show this minute: from, to."""
        spans = []
        for number in range(max(0, bisect_right(self.starts, wall - 2 * DAY) - 1), len(self.starts)):
            start, end = self.starts[number], self.ends[number]
            begin = wall - self.offsets[number]
            if begin + 3 * DAY < start:
                break
            if begin < end and begin + MINUTE > start:
                spans.append((max(start, begin), min(end, begin + MINUTE)))
        return spans


def rules(name: str) -> bytes:
    """The file that makes a zone what it is."""
    for folder in zoneinfo.TZPATH:
        if (path := Path(folder, name)).is_file():
            return path.read_bytes()
    return files("tzdata").joinpath("zoneinfo", name).read_bytes()


@cache
def different_zones() -> list[str]:
    """One name of each zone that differs from all others."""
    return sorted({rules(name): name for name in sorted(zoneinfo.available_timezones())}.values())


@cache
def zone_of(name: str) -> Zone:
    return Zone(name)


def changes(chunk: int) -> list[tuple[Zone, Change]]:
    zones = [zone_of(name) for name in different_zones()[chunk::CHUNKS]]
    return [(zone, change) for zone in zones for change in zone.changes]


def at(zone: Zone, *walls: datetime, day_of_week: int | None = None, day_of_month: int | None = None) -> At:
    times = [
        AtTime(hour=wall.hour, minute=wall.minute, day_of_week=day_of_week, day_of_month=day_of_month) for wall in walls
    ]
    return At(times=tuple(times), zone=zone.name)


def test_all_zones_are_walked() -> None:
    found = different_zones()
    assert len(found) > 250
    assert {rules(name) for name in zoneinfo.available_timezones()} == {rules(name) for name in found}
    assert sum(len(zone_of(name).changes) for name in ("Europe/Berlin", "America/New_York", "Pacific/Apia")) > 200


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_no_clocks_change_twice_within_six_days(chunk: int) -> None:
    """What the search for a change relies on."""
    for name in different_zones()[chunk::CHUNKS]:
        found = zone_of(name).changes
        assert all(later.at - earlier.at > 6 * DAY for earlier, later in pairwise(found)), name


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_times_are_due_once_a_day_the_first_time_clocks_show_them_or_after_the_skip(chunk: int) -> None:
    for zone, change in changes(chunk):
        walls = change.walls()
        expected: dict[datetime, list[datetime]] = {
            wall: sorted({zone.first_shown(wall + number * DAY) for number in range(-3, 4)}) for wall in walls
        }
        # One time each, walked over the change.
        for wall in walls[1::2]:
            schedule, due = at(zone, wall), expected[wall][0]
            for following in expected[wall][1:]:
                found = schedule.next_due(due, None)
                assert found == following, (zone.name, wall, due)
                due = following
        # Others together, some of which may meet, from instants round the change.
        schedule, together = at(zone, *walls[::2]), sorted(set().union(*map(expected.__getitem__, walls[::2])))
        for instant in change.instants():
            found = schedule.next_due(instant, None)
            assert found == together[bisect_right(together, instant)], (zone.name, instant)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_days_of_week_and_month_are_those_that_clocks_show(chunk: int) -> None:
    for zone, change in changes(chunk):
        wall = change.walls()[2]
        weeks = [zone.first_shown(wall + number * 7 * DAY) for number in (-1, 0, 1)]
        weekly = at(zone, wall, day_of_week=wall.isoweekday())
        assert [weekly.next_due(due - TICK, None) for due in weeks] == weeks, (zone.name, wall)
        assert weekly.next_due(weeks[0], None) == weeks[1], (zone.name, wall)
        if wall.day <= 28:
            monthly, due = at(zone, wall, day_of_month=wall.day), zone.first_shown(wall)
            assert monthly.next_due(due - 8 * DAY, None) == due, (zone.name, wall)
            assert monthly.next_due(due - TICK, None) == due, (zone.name, wall)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_windows_open_whenever_clocks_show_their_minutes(chunk: int) -> None:
    for zone, change in changes(chunk):
        walls = change.walls()[1::3]
        window = Window(only=tuple(f"{wall.minute} {wall.hour} * * *" for wall in walls), zone=zone.name)
        spans = sorted(span for wall in walls for number in range(-3, 4) for span in zone.shown(wall + number * DAY))
        for instant in change.instants():
            start, end = next(span for span in spans if span[1] > instant)
            assert window.next_allowed(instant) == max(start, instant), (zone.name, instant)
            assert window.allows(instant) is (start <= instant < end), (zone.name, instant)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_time_in_a_window_counts_where_it_falls(chunk: int) -> None:
    """A window for the hour after a skip has the skipped time, and one for the hour of it has not."""
    for zone, change in changes(chunk):
        if change.new <= change.old:
            continue
        skipped = change.walls()[2]
        fallen = zone.first_shown(skipped)
        schedule = at(zone, skipped)
        shown = fallen + change.after
        of_day = Window(only=(f"{shown.minute} {shown.hour} {shown.day} * *",), zone=zone.name)
        found = At(times=schedule.times, zone=zone.name, window=of_day).next_due(fallen - 2 * DAY, None)
        assert found == fallen, (zone.name, fallen)
        shut = Window(excluded=of_day.only, zone=zone.name)
        found = At(times=schedule.times, zone=zone.name, window=shut).next_due(fallen - TICK, None)
        assert found == schedule.next_due(fallen, None), (zone.name, fallen)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_cronsim_agrees(chunk: int) -> None:
    """For one change of each shape; see below for where it does not."""
    seen: set[tuple[object, ...]] = set()
    for zone, change in changes(chunk):
        if (shape := (zone.name, *change.shape())) in seen:
            continue
        seen.add(shape)
        begin = (change.at - 2 * DAY).replace(second=0)
        for wall in change.walls()[1::2]:
            theirs = CronSim(f"{wall.minute} {wall.hour} * * *", begin.astimezone(zone.info))
            schedule, due = at(zone, wall), begin
            for expected in islice(theirs, 4):
                found = schedule.next_due(due, None)
                assert found == expected.astimezone(UTC), (zone.name, wall, due)
                due = found


def test_cronsim_differs_while_an_hour_is_there_the_second_time() -> None:
    """Asked then, it answers with the first time, which has passed."""
    berlin = zoneinfo.ZoneInfo("Europe/Berlin")
    asked = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)  # 2:30 for the second time
    assert next(CronSim("45 2 * * *", asked.astimezone(berlin))).astimezone(UTC) < asked
    schedule = At(times=(AtTime(hour=2, minute=45),), zone="Europe/Berlin")
    assert schedule.next_due(asked, None) == datetime(2026, 10, 26, 1, 45, tzinfo=UTC)
