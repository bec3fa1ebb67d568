from datetime import UTC, datetime, timedelta

import pytest

from gavo_exec.schedule import Every, ScheduleSyntaxError, Window, parse_every
from gavo_exec.schedule.every import MAX_SECONDS, in_words

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds", "immediately"),
    [
        ("3600", 3600, False),
        ("-3600", 3600, True),
        ("1", 1, False),
        ("+60", 60, False),
        (" 60\n", 60, False),
        ("86_400", 86_400, False),
        ("0060", 60, False),
        ("\u0666\u0660", 60, False),  # Arabic digits: numbers are what int() takes
        (str(MAX_SECONDS), MAX_SECONDS, False),
        (str(-MAX_SECONDS), MAX_SECONDS, True),
    ],
)
def test_an_interval_is_read(text: str, seconds: int, immediately: bool) -> None:
    every = parse_every(text)
    assert every == Every(seconds=seconds, immediately=immediately)
    assert every.raw == int(text)


SECONDS = "write the number of seconds, for instance 3600 for an hour"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "every is not a whole number: ''", SECONDS),
        ("hourly", "every is not a whole number: 'hourly'", SECONDS),
        ("1e3", "every is not a whole number: '1e3'", SECONDS),
        ("60.0", "every is not a whole number: '60.0'", SECONDS),
        ("None", "every is not a whole number: 'None'", SECONDS),
        ("- 60", "every is not a whole number: '- 60'", SECONDS),
        ("60\x00", "every is not a whole number: '60\\x00'", SECONDS),
        ("90s", "every is not a whole number: '90s'", "write the number of seconds: 90"),
        ("90 sec", "every is not a whole number: '90 sec'", "write the number of seconds: 90"),
        ("5m", "every is not a whole number: '5m'", "write the number of seconds: 300"),
        ("5 min", "every is not a whole number: '5 min'", "write the number of seconds: 300"),
        ("1h", "every is not a whole number: '1h'", "write the number of seconds: 3600"),
        (" -2 d ", "every is not a whole number: ' -2 d '", "write the number of seconds: -172800"),
        ("9" * 5000 + "s", f"every is not a whole number: '{'9' * 60}'...", SECONDS),
        ("x" * 1_000_000, f"every is not a whole number: '{'x' * 60}'...", SECONDS),
        ("0", "every is 0, which would run the job without end", "write the number of seconds between runs"),
        ("-0", "every is 0, which would run the job without end", "write the number of seconds between runs"),
        (str(MAX_SECONDS + 1), "every is more than a century: '3162240001'", "every counts seconds"),
        ("-3162240001", "every is more than a century: '-3162240001'", "every counts seconds"),
        ("9" * 4000, f"every is more than a century: '{'9' * 60}'...", "every counts seconds"),
    ],
    ids=lambda value: value[:30],
)
def test_what_is_no_interval_is_refused_as_a_whole(text: str, message: str, hint: str) -> None:
    with pytest.raises(ScheduleSyntaxError) as caught:
        parse_every(text)
    assert (str(caught.value), caught.value.hint) == (message, hint)
    assert (caught.value.start, caught.value.end) == (0, len(text))


@pytest.mark.parametrize(
    ("every", "wait"),
    [
        (Every(seconds=3600), timedelta(minutes=6)),
        (Every(seconds=1), timedelta(milliseconds=100)),
        (Every(seconds=3600, immediately=True), timedelta(0)),
    ],
)
def test_the_first_time_comes_after_a_tenth_or_at_once(every: Every, wait: timedelta) -> None:
    assert every.next_due(NOW, None) == NOW + wait


@pytest.mark.parametrize("immediately", [False, True])
@pytest.mark.parametrize("ago", [0, 1, 3599, 3600, 10_000_000])
def test_the_interval_counts_from_the_last_start_whatever_time_it_is(
    ago: int,
    immediately: bool,
) -> None:
    last_start = NOW - timedelta(seconds=ago, microseconds=7)
    every = Every(seconds=3600, immediately=immediately)
    assert every.next_due(NOW, last_start) == last_start + timedelta(hours=1)


def test_a_last_start_in_the_future_is_believed() -> None:
    """A clock that was set back postpones; what is right to do then is for those who know both clocks."""
    ahead = NOW + timedelta(days=1)
    assert Every(seconds=60).next_due(NOW, ahead) == ahead + timedelta(minutes=1)


WORK = Window(only=("* 9-17 * * 1-5",), zone="Europe/Berlin")
NEVER = Window(excluded=("* * * * *",))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("every", "last_start", "expected"),
    [
        (Every(seconds=3600, window=WORK), "2026-03-02T12:00:07", "2026-03-02T13:00:07"),
        (Every(seconds=3600, window=WORK), "2026-03-02T16:00:07", "2026-03-03T08:00:00"),
        (Every(seconds=3600, window=WORK), "2026-03-06T16:30:00", "2026-03-09T08:00:00"),
        (Every(seconds=86_400, window=Window(only=("0 4 1 */2 *",))), "2026-03-01T04:00:00", "2026-05-01T04:00:00"),
        (Every(seconds=60, window=NEVER), "2026-03-01T04:00:00", None),
        # what is long over counts no less: the window is asked about when it was over
        (Every(seconds=3600, window=WORK), "2025-03-01T12:00:07", "2025-03-03T08:00:00"),
        # the delay is for the first time only
        (Every(seconds=3600, delay_seconds=42), "2026-03-02T12:00:07", "2026-03-02T13:00:07"),
    ],
)
def test_an_interval_that_ends_outside_of_the_window_is_over_when_that_opens(
    every: Every, last_start: str, expected: str | None
) -> None:
    assert every.next_due(NOW, utc(last_start)) == (utc(expected) if expected else None)


def test_an_interval_counts_elapsed_time_so_twice_in_an_hour_that_is_there_twice() -> None:
    every = Every(seconds=1800, window=Window(only=("* 2 * * *",), zone="Europe/Berlin"))
    starts = [utc("2026-10-24T23:30:00")]
    while (due := every.next_due(NOW, starts[-1])) and due < utc("2026-10-26T00:00"):
        starts.append(due)
    assert [f"{start:%H:%M}" for start in starts[1:]] == ["00:00", "00:30", "01:00", "01:30"]


@pytest.mark.parametrize(
    ("every", "expected"),
    [
        # NOW is a Sunday
        (Every(seconds=3600, window=WORK), "2026-03-02T08:00:00"),
        (Every(seconds=3600, immediately=True, window=WORK), "2026-03-02T08:00:00"),
        (Every(seconds=3600, delay_seconds=42), "2026-03-01T12:06:42"),
        (Every(seconds=3600, delay_seconds=42, immediately=True), "2026-03-01T12:00:42"),
        (Every(seconds=3600, delay_seconds=42, window=Window(only=("7-59 * * * *",))), "2026-03-01T12:07:00"),
    ],
)
def test_the_first_time_is_put_off_and_then_waits_for_the_window(every: Every, expected: str) -> None:
    due = every.next_due(NOW, None)
    assert due == utc(expected)
    assert due is not None
    # Who remembers this beginning as a start one interval before finds the same instant again.
    assert every.next_due(NOW, due - timedelta(seconds=every.seconds)) == due


def test_the_end_of_the_calendar_is_the_end() -> None:
    late = datetime.max.replace(tzinfo=UTC)
    assert Every(seconds=60).next_due(late, late) is None
    assert Every(seconds=60).next_due(late, None) is None
    assert Every(seconds=60, immediately=True).next_due(late, None) == late


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (1, "1 s"),
        (60, "1 min"),
        (5400, "1 h 30 min"),
        (86_400, "1 d"),
        (90_061, "1 d 1 h 1 min 1 s"),
        (MAX_SECONDS, "36600 d"),
    ],
)
def test_seconds_are_said_in_words(seconds: int, words: str) -> None:
    assert in_words(seconds) == words


def test_it_says_in_words_when_and_how_it_begins() -> None:
    assert Every(seconds=5400).describe() == "every 1 h 30 min"
    assert Every(seconds=5400, immediately=True).describe() == "every 1 h 30 min, at once when first loaded"
    assert Every(seconds=60, window=WORK).describe() == "every 1 min, only * 9-17 * * 1-5 in Europe/Berlin"
    assert (
        Every(seconds=60, window=Window(excluded=("0 0 * * *",)), immediately=True, delay_seconds=90).describe()
        == "every 1 min, not 0 0 * * * in UTC, at once when first loaded, first put off by 1 min 30 s"
    )
