"""The due instants round the one that somebody asks about, and what keeps others from being due."""

from datetime import UTC, datetime, timedelta

import pytest

from gavo_exec.schedule import At, Every, Schedule, Window, narrowed, parse_at
from gavo_exec.simulation.instants import Around, Span, around, counted_on, reasons_against

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)  # a Wednesday
HOUR = timedelta(hours=1)
OFFICE = Window(only=("* 9-17 * * 1-5",))


def at(day: int, hour: int, minute: int = 0, second: int = 0, *, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, minute, second, tzinfo=UTC)


def test_a_minute_is_meant_where_no_seconds_are_said() -> None:
    assert Span.of(NOON) == Span(begin=NOON, end=NOON + timedelta(minutes=1))
    second = NOON + timedelta(seconds=1)
    assert Span.of(second) == Span(begin=second, end=second + timedelta(seconds=1))
    assert NOON in Span.of(NOON)
    assert NOON + timedelta(seconds=60) not in Span.of(NOON)
    assert None not in Span.of(NOON)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (parse_at("12:00"), Around(before=at(3, 12), within=NOON, after=at(5, 12))),
        (parse_at("7:30, 15:00"), Around(before=at(4, 7, 30), after=at(4, 15))),
        (parse_at("w1 7:30"), Around(before=at(2, 7, 30), after=at(9, 7, 30))),
        (parse_at("m4 12:00"), Around(before=at(4, 12, month=2), within=NOON, after=at(4, 12, month=4))),
        (
            narrowed(parse_at("12:00"), window=Window(only=("* * 29 2 *",))),
            Around(before=datetime(2024, 2, 29, 12, tzinfo=UTC), after=datetime(2028, 2, 29, 12, tzinfo=UTC)),
        ),
        (narrowed(parse_at("12:00"), window=Window(only=("* * * 1 *",), excluded=("* * * 1 *",))), Around()),
    ],
)
def test_times_are_found_on_both_sides(schedule: At, expected: Around) -> None:
    assert around(schedule, Span.of(NOON)) == expected


def test_the_calendar_begins_somewhere() -> None:
    first = datetime(1, 1, 1, 0, 30, tzinfo=UTC)
    assert around(parse_at("0:30"), Span.of(first)) == Around(within=first, after=first + 24 * HOUR)


@pytest.mark.parametrize(
    ("schedule", "first", "expected"),
    [
        (Every(seconds=3600), NOON - 10 * HOUR, Around(before=at(4, 11), within=NOON, after=at(4, 13))),
        (Every(seconds=3600), NOON - 100_000.5 * HOUR, Around(before=at(4, 11, 30), after=at(4, 12, 30))),
        (Every(seconds=3600), NOON, Around(within=NOON, after=at(4, 13))),
        (Every(seconds=3600), NOON + HOUR, Around(after=at(4, 13))),
        (Every(seconds=20), NOON, Around(within=NOON, after=at(4, 12, 1))),
        (
            narrowed(Every(seconds=7200), window=Window(excluded=("* 12 * * *",))),
            NOON - 2 * HOUR,
            Around(before=at(4, 10), after=at(4, 13)),
        ),
    ],
)
def test_intervals_are_counted_on(schedule: Schedule, first: datetime, expected: Around) -> None:
    assert counted_on(schedule, first, Span.of(NOON)) == expected


def reasons(schedule: Schedule, instant: datetime, *, before: datetime | None = None) -> list[str]:
    return list(reasons_against(schedule, Span.of(instant), before=before))


def test_a_window_may_leave_a_time_out() -> None:
    evening = narrowed(parse_at("18:00"), window=OFFICE)
    assert reasons(evening, at(4, 18)) == [
        "a time of it falls on 2026-03-04 18:00:00 UTC, which its window leaves out: only * 9-17 * * 1-5"
    ]
    assert reasons(evening, at(4, 17)) == []


def test_a_delay_may_put_a_time_off() -> None:
    late = narrowed(parse_at("7:30"), delay_seconds=207)
    said = "its jitter (when.jitter) puts 2026-03-04 07:30:00 UTC off by 3 min 27 s"
    assert reasons(late, at(4, 7, 30)) == [said]
    assert reasons(late, at(4, 7, 33)) == []
    both = narrowed(parse_at("7:30"), delay_seconds=207, window=OFFICE)
    said = "a time of it falls on 2026-03-04 07:30:00 UTC, which its window leaves out: only * 9-17 * * 1-5"
    assert reasons(both, at(4, 7, 30)) == [said]
    assert reasons(both, at(4, 7, 33)) == [said]


def test_a_zone_may_be_meant_where_utc_is_said() -> None:
    berlin = narrowed(parse_at("7:30"), zone="Europe/Berlin")
    assert reasons(berlin, at(4, 7, 30)) == ["its times are by clocks in Europe/Berlin, not in UTC"]
    assert reasons(berlin, at(4, 7, 31)) == []


def test_an_interval_may_go_on_until_its_window_opens() -> None:
    hourly = narrowed(Every(seconds=3600), window=OFFICE)
    assert reasons(hourly, at(4, 18, 30), before=at(4, 17, 30)) == [
        (
            "its interval is over at 2026-03-04 18:30:00 UTC, outside of its window, so it goes on until "
            "2026-03-05 09:00:00 UTC, when that opens"
        )
    ]
    assert reasons(hourly, at(4, 17, 45), before=at(4, 17, 30)) == []
    assert reasons(hourly, at(4, 18, 30)) == []
    assert reasons(Every(seconds=3600), at(4, 18, 30), before=at(4, 17, 30)) == []
    closed = narrowed(Every(seconds=3600), window=Window(only=("* * * 1 *",), excluded=("* * * 1 *",)))
    assert reasons(closed, at(4, 18, 30), before=at(4, 17, 30))[0].endswith("so it goes on for good")
