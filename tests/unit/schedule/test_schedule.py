"""What holds for all kinds of schedules: zones, windows and delays given to them, and how rarely they are due."""

import subprocess
import sys
from datetime import UTC, datetime

import pytest

from gavo_exec.schedule import (
    Every,
    Loaded,
    Rarity,
    Schedule,
    Window,
    delay_for,
    narrowed,
    parse_at,
    parse_every,
    parse_expressions,
    rarity,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WORK = Window(only=("* 9-17 * * 1-5",), zone="Europe/Berlin")


def test_times_are_narrowed_by_zone_window_and_delay() -> None:
    at = parse_at("7:30")
    assert narrowed(at) == at
    schedule = narrowed(at, zone="Europe/Berlin", window=WORK, delay_seconds=42)
    assert schedule.describe() == "at 7:30 Europe/Berlin, only * 9-17 * * 1-5, put off by 42 s"


def test_intervals_are_narrowed_by_window_and_delay() -> None:
    every = parse_every("-60")
    assert narrowed(every, zone="Europe/Berlin") == every
    assert narrowed(every, window=WORK, delay_seconds=42) == Every(
        seconds=60, immediately=True, window=WORK, delay_seconds=42
    )


def test_what_runs_when_loaded_is_not_narrowed() -> None:
    assert narrowed(Loaded(), zone="Europe/Berlin", window=WORK, delay_seconds=42) == Loaded()


@pytest.mark.parametrize("schedule", [parse_at("7:30"), parse_every("60")])
def test_a_window_without_expressions_is_none(schedule: Schedule) -> None:
    assert narrowed(schedule, window=Window(zone="Europe/Berlin")) == schedule


def test_different_schedules_have_different_words() -> None:
    bare: list[Schedule] = [
        Loaded(),
        *(Every(seconds=seconds, immediately=at_once) for seconds in (1, 60, 61) for at_once in (False, True)),
    ]
    times = ["1:00", "1:01", "w1 1:00", "w1 1:00, 1:00", "m1 1:00"]
    expressions = [(), ("* 9 * * *",), ("* * L * *",), ("* 9 * * *", "* * L * *")]
    schedules = {
        narrowed(
            schedule,
            zone=zone,
            window=Window(only=only, excluded=excluded, zone=window_zone),
            delay_seconds=delay_seconds,
        )
        for schedule in (*bare, *map(parse_at, times))
        for zone in ("UTC", "Europe/Berlin")
        for only in expressions
        for excluded in expressions
        for window_zone in ("UTC", "Europe/Berlin", "Asia/Tokyo")
        for delay_seconds in (0, 1, 60)
    }
    assert len(schedules) > 2000
    assert len({schedule.describe() for schedule in schedules}) == len(schedules)


@pytest.mark.parametrize(
    ("key", "most_seconds", "delay"),
    [
        ("demo/failing#fetch", 600, 562),
        ("demo/failing#fetch", 3600, 2771),
        ("demo/failing#fetch", 0, 0),
        ("\u00fcbung/q#\u00e4", 600, 564),
        ("q#\udcff", 600, 227),
    ],
)
def test_the_delay_of_a_key_is_the_same_for_ever(key: str, most_seconds: int, delay: int) -> None:
    assert delay_for(key, most_seconds) == delay


def test_delays_are_spread_over_all_that_is_allowed() -> None:
    counts = [0] * 10
    for number in range(10_000):
        counts[delay_for(f"site/q{number // 10}#job-{number}", 9)] += 1
    assert min(counts) > 900
    assert max(counts) < 1100


@pytest.mark.parametrize(
    ("at", "only", "excluded"),
    [
        ("7:30", "* 9-17 * * *", ""),
        ("9:30", "0 9-17 * * *", ""),
        ("7:30", "", "* 0-11 * * *"),
        ("w1 7:30", "* * * * 2-6", ""),
        ("m28 7:30", "* * L 1,3-12 *", ""),
        ("7:30, 8:30", "* * * 6 *; * 8 * 5 *", "* * * 5,6 *"),
        ("2:30", "30 2 * 3 0L", ""),  # skipped each year, and 3:00 is not in the window
    ],
)
def test_a_schedule_that_its_window_never_lets_be_due_is_told(at: str, only: str, excluded: str) -> None:
    window = Window(
        only=parse_expressions(only) if only else (),
        excluded=parse_expressions(excluded) if excluded else (),
        zone="Europe/Berlin",
    )
    schedule = narrowed(parse_at(at), zone="Europe/Berlin", window=window)
    assert schedule.next_due(NOW, None) is None
    assert rarity(schedule, NOW) == Rarity(due=None)


def test_an_interval_whose_window_never_opens_is_told() -> None:
    schedule = narrowed(parse_every("60"), window=Window(only=("* 9 * * *",), excluded=("* * * * *",)))
    assert schedule.next_due(NOW, None) is None
    assert rarity(schedule, NOW) == Rarity(due=None)


@pytest.mark.parametrize(
    ("at", "only", "due"),
    [
        ("7:30", "* * 29 2 *", "2028-02-29T07:30"),
        ("7:30,7:31", "* 7 29 2 *", "2028-02-29T07:30"),
        ("m13 7:30", "* * * 3 5", "2026-03-13T07:30"),  # is due soon, and then pauses for years
        ("7:30", "* * * 2 1#5", "2044-02-29T07:30"),
    ],
)
def test_a_schedule_that_is_due_less_than_once_a_year_is_told(at: str, only: str, due: str) -> None:
    window = Window(only=parse_expressions(only))
    expected = Rarity(due=datetime.fromisoformat(due).replace(tzinfo=UTC))
    assert rarity(narrowed(parse_at(at), window=window), NOW) == expected


def test_an_interval_whose_window_opens_less_than_once_a_year_is_told() -> None:
    schedule = narrowed(parse_every("60"), window=Window(only=("* * 29 2 *",)))
    assert rarity(schedule, NOW) == Rarity(due=datetime(2028, 2, 29, tzinfo=UTC))


@pytest.mark.parametrize(
    "schedule",
    [
        Loaded(),
        parse_at("m28 7:30"),
        parse_every("1000000000"),
        narrowed(parse_at("7:30"), zone="Europe/Berlin", delay_seconds=600),
        narrowed(parse_at("10:30"), window=WORK),
        narrowed(parse_at("7:30"), window=Window(only=("* * * 1 MON#1",))),
        narrowed(parse_at("m13 7:30"), window=Window(only=("* * * * 5",))),
        narrowed(parse_at("2:30"), zone="Europe/Berlin", window=Window(only=("* 3 * * *",), zone="Europe/Berlin")),
        narrowed(parse_every("1000000000"), window=WORK),
    ],
    ids=Schedule.describe,
)
def test_a_schedule_that_is_due_each_year_or_says_itself_when_is_not_rare(schedule: Schedule) -> None:
    assert rarity(schedule, NOW) is None


def test_rarity_at_the_end_of_the_calendar_is_no_fault() -> None:
    schedule = narrowed(parse_at("10:30"), window=WORK)
    assert rarity(schedule, datetime(9998, 1, 1, tzinfo=UTC)) is None


def test_who_stays_in_utc_does_not_load_what_knows_zones_and_calendars() -> None:
    code = (
        "import sys; from datetime import *; from gavo_exec.schedule import *\n"
        "parse_at('7:30').next_due(datetime.now(UTC), None); parse_every('60'); parse_zone('UTC')\n"
        "sys.exit(bool({'zoneinfo', 'cronsim', 'hashlib', 'difflib'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
