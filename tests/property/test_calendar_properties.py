"""Laws of zones, windows and delays, against walks through all minutes, and against cronsim's own."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import islice

import msgspec
import pytest
from cronsim import CronSim, CronSimError
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from gavo_exec.schedule import (
    At,
    AtTime,
    Every,
    Rarity,
    ScheduleSyntaxError,
    Window,
    delay_for,
    narrowed,
    parse_expressions,
    parse_zone,
    rarity,
)
from gavo_exec.schedule.calendar import zone_named

MINUTE = timedelta(minutes=1)

# Changes of clocks by an hour, half an hour, at midnight, back over it, by a whole day, in the middle of a minute.
CHANGES = [
    ("UTC", "2026-12-31T23:59"),
    ("Europe/Berlin", "2026-03-29T01:00"),
    ("Europe/Berlin", "2026-10-25T01:00"),
    ("Australia/Lord_Howe", "2026-04-04T15:00"),
    ("Australia/Lord_Howe", "2026-10-03T15:30"),
    ("America/Havana", "2026-03-08T05:00"),
    ("America/Asuncion", "2023-03-26T03:00"),
    ("Pacific/Apia", "2011-12-30T10:00"),
    ("Pacific/Kwajalein", "1993-08-21T12:00"),
    ("Africa/Monrovia", "1972-01-07T00:44:30"),
]
ZONES = sorted({zone for zone, _ in CHANGES})
places = st.sampled_from(CHANGES).flatmap(
    lambda change: st.tuples(
        st.just(change[0]),
        st.timedeltas(min_value=timedelta(hours=-50), max_value=timedelta(hours=50)).map(
            lambda offset: datetime.fromisoformat(change[1]).replace(tzinfo=UTC) + offset
        ),
    )
)
"""A zone, and an instant that is no more than two days from a change of its clocks."""
instants = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001 -- hypothesis wants bounds without zones
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001 -- same
    timezones=st.just(UTC),
)


def lists_of(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(values, min_size=1, max_size=3).map(",".join)


def field(low: int, high: int, *special: str) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    ranges = st.tuples(number, number).map(lambda ends: f"{min(ends)}-{max(ends)}")
    steps = st.tuples(st.just("*") | ranges, st.integers(1, 6)).map(lambda parts: f"{parts[0]}/{parts[1]}")
    several = lists_of(number.map(str) | ranges | steps | st.sampled_from(special or ("*",)))
    return st.just("*") | several


expressions = st.tuples(
    field(0, 59),
    field(0, 23),
    field(1, 31, "L", "LW"),
    field(1, 12, "JAN", "FEB-APR"),
    field(0, 7, "MON", "TUE-FRI", "1#1", "0#5", "5L"),
).map(" ".join)


def is_known_to_cronsim(expression: str) -> bool:
    try:
        CronSim(expression, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError:
        return False
    return True


good_expressions = expressions.filter(is_known_to_cronsim)
# Wide enough for something to be left.
wide_expressions = st.sampled_from(
    ["* * * * *", "* 0-3 * * *", "*/5 * * * *", "* 9-17 * * 1-5", "* * L * *", "30 * * * *", "* * * * SUN,MON#1"]
)
some_expressions = st.lists(wide_expressions | good_expressions, max_size=2).map(tuple)
hours, minutes = st.integers(0, 23), st.sampled_from([0, 1, 15, 30, 44, 45, 59])
times = st.lists(
    st.builds(AtTime, hour=hours, minute=minutes)
    | st.builds(AtTime, hour=hours, minute=minutes, day_of_week=st.integers(1, 7))
    | st.builds(AtTime, hour=hours, minute=minutes, day_of_month=st.integers(1, 28)),
    min_size=1,
    max_size=3,
).map(tuple)
delays = st.sampled_from([0, 1, 42, 600, 90_000])


@st.composite
def cases(draw: st.DrawFn) -> tuple[At, datetime]:
    """Times narrowed in some way, and an instant near a change of clocks in their zone."""
    zone, now = draw(places)
    window = draw(
        st.none() | st.builds(Window, only=some_expressions, excluded=some_expressions, zone=st.just(zone)),
        label="window",
    )
    schedule = narrowed(At(times=draw(times)), zone=zone, window=window, delay_seconds=draw(delays))
    assert isinstance(schedule, At)
    return schedule, now


def dues(schedule: At, now: datetime) -> Iterator[datetime]:
    due = schedule.next_due(now, None)
    while due is not None:
        yield due
        due = schedule.next_due(due, None)


# Times by clocks in a zone


def walked_times(schedule: At, start: datetime, end: datetime) -> list[datetime]:
    """All instants of the times of a schedule, found by looking at what clocks show from second to second.

    A time is there when clocks show it or a later one for the first time, at the start of a minute.
    """
    zone, found = zone_named(schedule.zone), []
    # All changes of the clocks are at half minutes at most, and by two days at most; what they showed before is known.
    moment = start.replace(second=0, microsecond=0) - timedelta(days=3)
    shown = moment.astimezone(zone).replace(tzinfo=None)
    while moment <= end:
        moment += MINUTE / 2
        local = moment.astimezone(zone).replace(tzinfo=None)
        if local.second == 0 and local > shown:
            wall = shown + MINUTE
            wall -= timedelta(seconds=wall.second)
            while wall <= local:
                if any(is_at(time, wall) for time in schedule.times):
                    found.append(moment)
                wall += MINUTE
            shown = local
    return sorted({moment for moment in found if start < moment <= end})


def is_at(time: AtTime, wall: datetime) -> bool:
    return (
        (wall.hour, wall.minute) == (time.hour, time.minute)
        and time.day_of_week in (None, wall.isoweekday())
        and time.day_of_month in (None, wall.day)
    )


@settings(max_examples=60)
@given(place=places, chosen=times)
@example(place=("Pacific/Apia", datetime(2011, 12, 30, 9, 0, tzinfo=UTC)), chosen=(AtTime(hour=7, minute=30),))
@example(place=("Africa/Monrovia", datetime(1972, 1, 7, 0, 44, 40, tzinfo=UTC)), chosen=(AtTime(hour=0, minute=30),))
def test_times_in_a_zone_agree_with_a_walk_through_what_clocks_show(
    place: tuple[str, datetime], chosen: tuple[AtTime, ...]
) -> None:
    zone, now = place
    schedule, end = At(times=chosen, zone=zone), now + timedelta(days=3)
    expected = walked_times(schedule, now, end)
    found = list(islice(dues(schedule, now), len(expected) + 1))
    assert found[:-1] == expected
    assert found[-1] > end


@given(case=cases())
def test_due_is_strictly_later_and_in_utc(case: tuple[At, datetime]) -> None:
    schedule, now = case
    due = schedule.next_due(now, None)
    assert due is None or (due > now and due.utcoffset() == timedelta(0))


@given(case=cases(), part=st.floats(0, 1, exclude_max=True))
def test_nothing_lies_between_now_and_due(case: tuple[At, datetime], part: float) -> None:
    schedule, now = case
    due = schedule.next_due(now, None)
    assume(due is not None)
    assert due is not None
    between = min(now + (due - now) * part, due - timedelta.resolution)
    assert schedule.next_due(between, None) == due


@given(case=cases(), later=st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=500)))
def test_whoever_asks_later_gets_no_earlier_answer(case: tuple[At, datetime], later: timedelta) -> None:
    schedule, now = case
    due, due_later = schedule.next_due(now, None), schedule.next_due(now + later, None)
    if due is None:
        assert due_later is None
    else:
        assert due_later is None or due <= due_later


@given(case=cases(), jumps=st.lists(st.timedeltas(timedelta(0), timedelta(days=3)), max_size=10))
def test_jumping_finds_what_walking_from_one_to_the_next_does(
    case: tuple[At, datetime], jumps: list[timedelta]
) -> None:
    schedule, now = case
    assume(schedule.next_due(now, None) is not None)
    walk = list(islice(dues(schedule, now), 40))
    for jump in jumps:
        asked = now + jump
        if asked < walk[-1]:
            assert schedule.next_due(asked, None) == min(due for due in walk if due > asked)


@given(case=cases())
def test_a_delay_shifts_all_of_it_and_nothing_else(case: tuple[At, datetime]) -> None:
    schedule, now = case
    undelayed = msgspec.structs.replace(schedule, delay_seconds=0)
    delay = timedelta(seconds=schedule.delay_seconds)
    due = undelayed.next_due(now - delay, None)
    assert schedule.next_due(now, None) == (None if due is None else due + delay)


@given(case=cases())
@example(
    case=(
        At(
            times=(AtTime(hour=7, minute=30),),
            zone="Pacific/Apia",
            window=Window(only=("* 0 * * *",), zone="Pacific/Apia"),
        ),
        datetime(2011, 12, 29, tzinfo=UTC),
    )
)
def test_a_window_lets_pass_those_that_it_allows_and_no_others(case: tuple[At, datetime]) -> None:
    schedule, now = case
    window = schedule.window or Window()
    schedule = msgspec.structs.replace(schedule, delay_seconds=0)
    every = list(islice(dues(msgspec.structs.replace(schedule, window=None), now), 60))
    expected = [due for due in every if window.allows(due)]
    found = list(islice(dues(schedule, now), len(expected) + 1))
    assert found[: len(expected)] == expected
    assert all(due > every[-1] for due in found[len(expected) :])


# Calendar expressions


def matches_cron(expression: str, minute: datetime) -> bool:
    """Whether cronsim, asked just before, has this minute as the next; what clocks show, without a zone."""
    assert minute.tzinfo is None
    return next(CronSim(expression, minute - MINUTE), None) == minute


@given(expression=good_expressions, instant=instants)
def test_an_expression_allows_what_cronsim_says(expression: str, instant: datetime) -> None:
    window = Window(only=parse_expressions(expression))
    minute = instant.replace(second=0, microsecond=0)
    assert window.allows(instant) is matches_cron(expression, minute.replace(tzinfo=None))
    expected = next(CronSim(expression, minute), None)
    found = window.next_allowed(minute + MINUTE)
    # cronsim gives up after fifty years, too, but counts them otherwise.
    assert found == expected or (expected is None and found is not None and found.year >= instant.year + 50)


@given(window=st.builds(Window, only=some_expressions, excluded=some_expressions), place=places)
def test_windows_allow_by_what_clocks_show(window: Window, place: tuple[str, datetime]) -> None:
    zone, instant = place
    window = msgspec.structs.replace(window, zone=zone)
    minute = instant.astimezone(zone_named(zone)).replace(second=0, microsecond=0, tzinfo=None)
    expected = (not window.only or any(matches_cron(each, minute) for each in window.only)) and not any(
        matches_cron(each, minute) for each in window.excluded
    )
    assert window.allows(instant) is expected


@settings(max_examples=60)
@given(window=st.builds(Window, only=some_expressions, excluded=some_expressions), place=places)
@example(window=Window(only=("30 23 25 3 *",)), place=("America/Asuncion", datetime(2023, 3, 26, 2, 31, tzinfo=UTC)))
@example(window=Window(only=("44 0 7 1 *",)), place=("Africa/Monrovia", datetime(1972, 1, 7, 0, 44, tzinfo=UTC)))
def test_the_next_allowed_instant_agrees_with_a_walk(window: Window, place: tuple[str, datetime]) -> None:
    zone, instant = place
    window = msgspec.structs.replace(window, zone=zone)
    found = window.next_allowed(instant)
    moment, end = instant, instant + timedelta(days=2)
    while not window.allows(moment) and moment < end:
        moment = moment.replace(second=moment.second // 30 * 30, microsecond=0) + MINUTE / 2
    if moment < end:
        assert found == moment
    else:
        assert found is None or found >= end


@given(window=st.builds(Window, only=some_expressions, excluded=some_expressions, zone=st.sampled_from(ZONES)))
def test_who_waits_for_a_window_can_begin(window: Window) -> None:
    now = datetime(2026, 3, 1, 12, 34, 56, 789, tzinfo=UTC)
    found = window.next_allowed(now)
    if found is not None:
        assert found >= now
        assert window.allows(found)
        assert window.next_allowed(found) == found
        assert found == now or not window.allows(found - timedelta.resolution)


@given(
    every=st.builds(
        Every,
        seconds=st.integers(1, 10_000_000),
        immediately=st.booleans(),
        window=st.builds(Window, only=some_expressions, excluded=some_expressions, zone=st.sampled_from(ZONES)),
        delay_seconds=delays,
    ),
    now=instants,
    late=st.timedeltas(timedelta(0), timedelta(days=30)),
)
def test_an_interval_in_a_window_is_over_when_that_opens(every: Every, now: datetime, late: timedelta) -> None:
    interval, window = timedelta(seconds=every.seconds), every.window
    assert window is not None
    wait = timedelta(0) if every.immediately else interval / 10
    first = every.next_due(now, None)
    assert first == window.next_allowed(now + wait + timedelta(seconds=every.delay_seconds))
    if first is not None:
        assert every.next_due(now, first - interval) == first
        assert every.next_due(first + late, first) == window.next_allowed(first + interval)


# Reading


def fault_of(text: str, parse: Callable[[str], object] = parse_expressions) -> ScheduleSyntaxError | None:
    try:
        parse(text)
    except ScheduleSyntaxError as fault:
        return fault
    return None


fields = st.text("0123456789*,-/#LWMONFEB", min_size=1, max_size=6)


@given(
    text=st.text() | st.text("0123456789*,-/#LWMONFEB @;\n", max_size=40) | st.lists(fields, max_size=6).map(" ".join)
)
@example(text="9" * 480 + " * * * *")
@example(text="* * L/2 * 5L/2")
@example(text="* * * * \u00b2L")
def test_any_text_is_expressions_or_has_a_span_at_fault_and_a_hint(text: str) -> None:
    if fault := fault_of(text):
        assert 0 <= fault.start <= fault.end <= len(text)
        assert fault.start < fault.end or not text
        assert str(fault).isprintable()
        assert len(str(fault)) < 1000
        assert fault.hint
    else:
        found = parse_expressions(text)
        assert parse_expressions(";".join(found)) == found
        assert all(re.fullmatch(r"[0-9A-Z*,/#-]+( [0-9A-Z*,/#-]+){4}", each) for each in found)


@given(expression=expressions | st.lists(fields, min_size=5, max_size=5).map(" ".join))
def test_what_cronsim_takes_is_taken_and_what_it_refuses_is_refused(expression: str) -> None:
    assert (fault_of(expression) is None) is is_known_to_cronsim(expression)


@given(text=st.text() | st.text("EuropeBrlin/_+0 ", max_size=15) | st.sampled_from(ZONES).map(str.lower))
def test_any_text_is_a_zone_or_has_a_span_at_fault_and_a_hint(text: str) -> None:
    if fault := fault_of(text, parse_zone):
        assert 0 <= fault.start <= fault.end <= len(text)
        assert fault.start < fault.end or not text
        assert str(fault).isprintable()
        assert fault.hint
        assert fault.fix is None or parse_zone(fault.fix) == fault.fix
    else:
        assert isinstance(zone_named(parse_zone(text)), tzinfo)


# Delays and rarity


@given(key=st.text(), most_seconds=st.integers(0, 100_000_000))
def test_a_delay_is_within_bounds_and_always_the_same(key: str, most_seconds: int) -> None:
    delay = delay_for(key, most_seconds)
    assert 0 <= delay <= most_seconds
    assert delay_for(key, most_seconds) == delay


@given(case=cases())
def test_what_is_never_due_is_told_and_nothing_else(case: tuple[At, datetime]) -> None:
    schedule, now = case
    schedule = msgspec.structs.replace(schedule, delay_seconds=0)
    for each in (schedule, Every(seconds=60, window=schedule.window)):
        found = rarity(each, now)
        assert (found == Rarity(due=None)) is (each.next_due(now, None) is None)
        assert found is None or each.window is not None


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
@given(expressions=st.lists(good_expressions, max_size=50).map(tuple), chosen=times)
@settings(max_examples=20)
def test_any_fifty_expressions_are_judged_in_a_moment(
    zone: str, expressions: tuple[str, ...], chosen: tuple[AtTime, ...]
) -> None:
    """The limit is that of each test."""
    for window in (Window(only=expressions, zone=zone), Window(excluded=expressions, zone=zone)):
        for schedule in (At(times=chosen), Every(seconds=60)):
            found = rarity(narrowed(schedule, zone=zone, window=window), datetime(2026, 3, 1, tzinfo=UTC))
            assert found is None or isinstance(found, Rarity)
