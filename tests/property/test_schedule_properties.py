"""Laws of schedules, against a brute force that only looks at each minute and asks whether it is the one."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gavo_exec.schedule import At, AtTime, Every, Schedule, ScheduleSyntaxError, parse_at, parse_every, parse_time
from gavo_exec.schedule.every import MAX_SECONDS, in_words

MINUTE = timedelta(minutes=1)

EDGES = [
    datetime.fromisoformat(text).replace(tzinfo=UTC)
    for text in (
        "1970-01-01T00:00",
        "1999-12-31T23:59:59.999999",
        "2001-01-01T00:00",
        "2026-02-28T23:59",
        "2026-12-31T23:59:59",
        "2028-02-28T00:00",
        "2028-02-29T23:59:30",
        "2100-02-28T12:00",
    )
]
near_edges = st.builds(
    lambda edge, offset: edge + offset,
    st.sampled_from(EDGES),
    st.timedeltas(min_value=timedelta(hours=-2), max_value=timedelta(hours=2)),
)
anywhere = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001 -- hypothesis wants bounds without zones
    max_value=datetime(2400, 1, 1),  # noqa: DTZ001 -- same
    timezones=st.just(UTC),
)
instants = near_edges | anywhere
hours, minutes = st.integers(0, 23), st.integers(0, 59)
daily = st.builds(AtTime, hour=hours, minute=minutes)
weekly = st.builds(AtTime, hour=hours, minute=minutes, day_of_week=st.integers(1, 7))
monthly = st.builds(AtTime, hour=hours, minute=minutes, day_of_month=st.integers(1, 28))
times = daily | weekly | monthly
schedules = st.lists(times, min_size=1, max_size=5).map(lambda chosen: At(times=tuple(chosen)))


def due_after(schedule: Schedule, now: datetime, last_start: datetime | None = None) -> datetime:
    due = schedule.next_due(now, last_start)
    assert due is not None
    return due


def matches(time: AtTime, minute: datetime) -> bool:
    return (
        (minute.hour, minute.minute) == (time.hour, time.minute)
        and time.day_of_week in (None, minute.isoweekday())
        and time.day_of_month in (None, minute.day)
    )


def walked(chosen: tuple[AtTime, ...], after: datetime) -> datetime:
    """The first whole minute after an instant that is one of these times, found by looking at every one of them."""
    minute = after.replace(second=0, microsecond=0)
    while True:
        minute += MINUTE
        if any(matches(time, minute) for time in chosen):
            return minute


@given(time=daily | weekly, after=instants)
def test_days_and_weeks_agree_with_a_walk_through_the_minutes(time: AtTime, after: datetime) -> None:
    assert time.next_after(after) == walked((time,), after)


@settings(max_examples=40)
@given(time=monthly, after=instants)
@example(time=AtTime(hour=0, minute=0, day_of_month=28), after=EDGES[3])
def test_months_agree_with_a_walk_through_the_minutes(time: AtTime, after: datetime) -> None:
    assert time.next_after(after) == walked((time,), after)


@settings(max_examples=40)
@given(schedule=schedules, now=instants)
def test_several_times_agree_with_a_walk_through_the_minutes(schedule: At, now: datetime) -> None:
    assert schedule.next_due(now, None) == walked(schedule.times, now)


@given(schedule=schedules, now=instants)
def test_due_is_strictly_later_exact_and_in_utc(schedule: At, now: datetime) -> None:
    due = due_after(schedule, now)
    assert due > now
    assert (due.second, due.microsecond, due.utcoffset()) == (0, 0, timedelta(0))


@given(schedule=schedules, now=instants, part=st.floats(0, 1, exclude_max=True))
def test_nothing_lies_between_now_and_due(schedule: At, now: datetime, part: float) -> None:
    due = due_after(schedule, now)
    between = min(now + (due - now) * part, due - timedelta.resolution)
    assert schedule.next_due(between, None) == due


@given(schedule=schedules, one=instants, other=instants)
def test_whoever_asks_later_gets_no_earlier_answer(schedule: At, one: datetime, other: datetime) -> None:
    earlier, later = sorted((one, other))
    assert due_after(schedule, earlier) <= due_after(schedule, later)


@given(
    hour=hours,
    minute=minutes,
    day_of_week=st.none() | st.integers(1, 7),
    day_of_month=st.none() | st.integers(1, 28),
    blanks=st.text(" \t\n", min_size=1, max_size=3),
)
def test_what_is_written_by_the_grammar_is_read_back(
    hour: int, minute: int, day_of_week: int | None, day_of_month: int | None, blanks: str
) -> None:
    if day_of_week is not None:
        day_of_month = None
    prefix = f"w{day_of_week}{blanks}" if day_of_week is not None else ""
    prefix += f"m{day_of_month}{blanks}" if day_of_month is not None else ""
    expected = AtTime(hour=hour, minute=minute, day_of_week=day_of_week, day_of_month=day_of_month)
    assert parse_time(f"{prefix}{hour}:{minute:02}") == expected


def fault_of(parse: Callable[[str], object], text: str) -> ScheduleSyntaxError | None:
    try:
        parse(text)
    except ScheduleSyntaxError as fault:
        return fault
    return None


@given(text=st.text() | st.text("wm0123456789: ,\n\t", max_size=30))
def test_any_text_is_an_at_or_has_a_span_at_fault_and_a_hint(text: str) -> None:
    if fault := fault_of(parse_at, text):
        assert 0 <= fault.start <= fault.end <= len(text)
        assert fault.start < fault.end or not text
        assert str(fault).isprintable()
        assert len(str(fault)) < 1000
        assert fault.hint
    else:
        at = parse_at(text)
        assert [parse_time(item) for item in at.items] == list(at.times)


@given(text=st.text() | st.text("+-_0123456789smhd \n", max_size=20) | st.integers().map(str))
def test_any_text_is_an_every_or_is_refused_with_a_hint(text: str) -> None:
    if fault := fault_of(parse_every, text):
        assert (fault.start, fault.end) == (0, len(text))
        assert str(fault).isprintable()
        assert fault.hint
    else:
        every = parse_every(text)
        assert every.raw == int(text)
        assert 0 < every.seconds <= MAX_SECONDS


@given(
    seconds=st.integers(1, 10_000_000),
    immediately=st.booleans(),
    first=anywhere,
    delays=st.lists(st.floats(0, 1e6), max_size=20),
)
def test_an_interval_served_late_counts_from_when_it_was_served(
    seconds: int,
    immediately: bool,
    first: datetime,
    delays: list[float],
) -> None:
    every = Every(seconds=seconds, immediately=immediately)
    start = due_after(every, first)
    assert first <= start <= first + timedelta(seconds=seconds)
    for delay in delays:
        due = due_after(every, start + timedelta(seconds=delay), start)
        assert due - start == timedelta(seconds=seconds)
        start = due + timedelta(seconds=delay)


@given(seconds=st.integers(1, MAX_SECONDS))
def test_words_for_seconds_add_up(seconds: int) -> None:
    sizes = {"d": 86_400, "h": 3600, "min": 60, "s": 1}
    words = in_words(seconds).split()
    assert sum(int(count) * sizes[unit] for count, unit in zip(words[::2], words[1::2], strict=True)) == seconds
