from datetime import UTC, datetime

import pytest

from gavo_exec.schedule import At, AtTime, ScheduleSyntaxError, parse_at, parse_time


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# Reading


@pytest.mark.parametrize(
    ("text", "hour", "minute", "day_of_week", "day_of_month"),
    [
        ("7:30", 7, 30, None, None),
        ("07:05", 7, 5, None, None),
        ("7:5", 7, 5, None, None),
        ("0:00", 0, 0, None, None),
        ("23:59", 23, 59, None, None),
        ("007:0030", 7, 30, None, None),
        ("000000007:30", 7, 30, None, None),
        ("w1 7:30", 7, 30, 1, None),
        ("w7 0:00", 0, 0, 7, None),
        ("w1  \t 7:30", 7, 30, 1, None),
        ("m1 7:30", 7, 30, None, 1),
        ("m01 7:30", 7, 30, None, 1),
        ("m28\n23:59", 23, 59, None, 28),
        ("\u0667:\u0663\u0660", 7, 30, None, None),  # Arabic digits: numbers are what int() takes
    ],
)
def test_a_time_is_read(text: str, hour: int, minute: int, day_of_week: int | None, day_of_month: int | None) -> None:
    expected = AtTime(hour=hour, minute=minute, day_of_week=day_of_week, day_of_month=day_of_month)
    assert parse_time(text) == expected


SHAPE = "times look like 7:30, w1 7:30 (Mondays) or m28 7:30 (day 28 of the month), in UTC"
OF_WEEK = "the day of the week is 1 to 7"
OF_MONTH = "the day of the month is 1 to 28"
NO_SUCH_DAY = f"{OF_MONTH}; the property when.only can choose days that not every month has"
BOTH = "DaCHS ignores the day of month here; keep one of the two"


@pytest.mark.parametrize(
    ("text", "fault", "message", "hint"),
    [
        ("7:30pm", "pm", "'pm' follows the time '7:30'", SHAPE),
        ("7:30:15", ":15", "':15' follows the time '7:30'", SHAPE),
        ("7:30 9:30", " 9:30", "' 9:30' follows the time '7:30'", SHAPE),
        ("7:30+02:00", "+02:00", "'+02:00' follows the time '7:30'", SHAPE),
        ("w3 7:30x", "x", "'x' follows the time 'w3 7:30'", SHAPE),
        ("0000000007:30", "0000000007", "the hour 0000000007 is out of range", "the hour is 0 to 23"),
        ("24:00", "24", "the hour 24 is out of range", "the hour is 0 to 23"),
        ("7:60", "60", "the minute 60 is out of range", "the minute is 0 to 59"),
        ("w0 7:30", "0", "the day of the week 0 is out of range", OF_WEEK),
        ("w8 7:30", "8", "the day of the week 8 is out of range", OF_WEEK),
        ("m0 7:30", "0", "the day of the month 0 is out of range", OF_MONTH),
        ("m29 7:30", "29", "the day of the month 29 is out of range", NO_SUCH_DAY),
        ("m31 7:30", "31", "the day of the month 31 is out of range", NO_SUCH_DAY),
        ("m32 7:30", "32", "the day of the month 32 is out of range", OF_MONTH),
        ("w1 m1 7:30", "w1 m1 ", "day of week and day of month together", BOTH),
        ("m1 w1 7:30", "m1 w1 7:30", "not a time: 'm1 w1 7:30'", SHAPE),
        ("w10 7:30", "w10 7:30", "not a time: 'w10 7:30'", SHAPE),
        ("m100 7:30", "m100 7:30", "not a time: 'm100 7:30'", SHAPE),
        ("W1 7:30", "W1 7:30", "not a time: 'W1 7:30'", SHAPE),
        ("Mon 7:30", "Mon 7:30", "not a time: 'Mon 7:30'", SHAPE),
        ("w17:30", "w17:30", "not a time: 'w17:30'", SHAPE),
        ("7.30", "7.30", "not a time: '7.30'", SHAPE),
        ("-7:30", "-7:30", "not a time: '-7:30'", SHAPE),
        ("0 3 * * *", "0 3 * * *", "not a time: '0 3 * * *'", SHAPE),
        ("w1", "w1", "not a time: 'w1'", SHAPE),
        ("7:", "7:", "not a time: '7:'", SHAPE),
        ("\u00b2:00", "\u00b2:00", "not a time: '\u00b2:00'", SHAPE),
        ("at seven\x1b[2J", "at seven\x1b[2J", "not a time: 'at seven\\x1b[2J'", SHAPE),
    ],
)
def test_what_is_no_time_is_refused_with_its_span(text: str, fault: str, message: str, hint: str) -> None:
    with pytest.raises(ScheduleSyntaxError) as caught:
        parse_time(text)
    assert text[caught.value.start : caught.value.end] == fault
    assert (str(caught.value), caught.value.hint) == (message, hint)


MEGABYTE = 1_000_000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1" * MEGABYTE + ":00", "the hour 11111111111111111111 is out of range"),
        ("1:" + "0" * MEGABYTE, "the minute 00000000000000000000 is out of range"),
        ("1" * MEGABYTE, f"not a time: '{'1' * 60}'..."),
        ("w1" + " " * MEGABYTE + "x", f"not a time: 'w1{' ' * 58}'..."),
        ("7:30" + "x" * MEGABYTE, f"'{'x' * 60}'... follows the time '7:30'"),
        ("w1" + " " * MEGABYTE + "7:30x", f"'x' follows the time 'w1{' ' * 58}'..."),
    ],
    ids=["hour", "minute", "digits", "blanks", "rest", "blanks and rest"],
)
def test_a_megabyte_of_nonsense_is_refused_in_a_line(text: str, message: str) -> None:
    with pytest.raises(ScheduleSyntaxError) as caught:
        parse_time(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("7:30", ("7:30",)),
        (" 7:30 ", ("7:30",)),
        ("7:30,19:30", ("7:30", "19:30")),
        ("w1 7:30 , m1 8:00", ("w1 7:30", "m1 8:00")),
        (",7:30,,8:00,", ("7:30", "8:00")),
        ("8:00,7:30,8:00", ("8:00", "7:30", "8:00")),
        ("\n  7:30,\n  8:00\n", ("7:30", "8:00")),
    ],
)
def test_times_are_separated_by_commas_and_keep_their_text_and_order(text: str, items: tuple[str, ...]) -> None:
    assert parse_at(text) == At(times=tuple(parse_time(item) for item in items), items=items)


@pytest.mark.parametrize("text", ["", " ", ",", " , ,\n"])
def test_no_time_at_all_is_refused(text: str) -> None:
    with pytest.raises(ScheduleSyntaxError) as caught:
        parse_at(text)
    assert (str(caught.value), caught.value.hint) == ("at names no time", SHAPE)
    assert (caught.value.start, caught.value.end) == (0, len(text))


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("7:30, 8:00x", 10, 11),
        ("7:30,  w9 8:00 ,9:00", 8, 9),
        ("x, x", 0, 1),
        ("1:00,\tw1 m1 2:00", 6, 12),
        ("8:00, 8:00, 88:00", 12, 14),
        (",,7", 2, 3),
    ],
)
def test_the_span_of_the_first_faulty_item_counts_from_the_start_of_the_whole_text(
    text: str, start: int, end: int
) -> None:
    with pytest.raises(ScheduleSyntaxError) as caught:
        parse_at(text)
    assert (caught.value.start, caught.value.end) == (start, end)


# When


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        # every day
        ("7:30", "2026-03-01T07:29:59.999999", "2026-03-01T07:30"),
        ("7:30", "2026-03-01T07:30", "2026-03-02T07:30"),
        ("7:30", "2026-03-01T07:30:00.000001", "2026-03-02T07:30"),
        ("0:00", "2026-12-31T23:59:59", "2027-01-01T00:00"),
        ("23:59", "2028-02-28T23:59", "2028-02-29T23:59"),
        ("23:59", "2026-02-28T23:59", "2026-03-01T23:59"),
        # the second of the minute at which one asks never leaks in
        ("7:30", "2026-03-01T03:04:47.123456", "2026-03-01T07:30"),
        # days of the week; 2026-03-02 is a Monday
        ("w1 7:30", "2026-03-01T12:00", "2026-03-02T07:30"),
        ("w1 7:30", "2026-03-02T07:30", "2026-03-09T07:30"),
        ("w7 23:59", "2026-03-02T00:00", "2026-03-08T23:59"),
        ("w4 0:00", "2026-12-31T00:00", "2027-01-07T00:00"),
        ("w2 0:00", "2028-02-28T12:00", "2028-02-29T00:00"),
        # days of the month
        ("m1 7:30", "2026-01-01T07:30", "2026-02-01T07:30"),
        ("m1 7:30", "2026-01-31T08:00", "2026-02-01T07:30"),
        ("m28 7:30", "2026-02-28T07:30", "2026-03-28T07:30"),
        ("m28 7:30", "2026-02-28T07:29:59", "2026-02-28T07:30"),
        ("m28 23:59", "2026-12-31T00:00", "2027-01-28T23:59"),
        ("m1 0:00", "2026-12-31T23:59:59.999999", "2027-01-01T00:00"),
        ("m15 12:00", "2028-02-29T00:00", "2028-03-15T12:00"),
        # before the anchor, and in years that are no leap years although four divides them
        ("7:30", "1999-12-31T23:59", "2000-01-01T07:30"),
        ("w3 1:00", "1970-01-01T00:00", "1970-01-07T01:00"),
        ("23:00", "2100-02-28T23:00", "2100-03-01T23:00"),
    ],
)
def test_the_next_time_is_exact_and_strictly_later(text: str, after: str, expected: str) -> None:
    assert parse_time(text).next_after(utc(after)) == utc(expected)


@pytest.mark.parametrize(
    ("text", "now", "expected"),
    [
        ("7:30", "2026-03-01T07:00", "2026-03-01T07:30"),
        ("7:30, 19:30", "2026-03-01T08:00", "2026-03-01T19:30"),
        ("19:30, 7:30", "2026-03-01T20:00", "2026-03-02T07:30"),
        ("m28 7:30, w1 7:30, 23:00", "2026-03-01T23:00", "2026-03-02T07:30"),
        ("7:30, 7:30", "2026-03-01T07:30", "2026-03-02T07:30"),
    ],
)
def test_the_earliest_of_the_times_counts(text: str, now: str, expected: str) -> None:
    assert parse_at(text).next_due(utc(now), None) == utc(expected)


def test_the_last_start_has_no_say() -> None:
    schedule, now = parse_at("7:30"), utc("2026-03-01T07:00")
    assert schedule.next_due(now, utc("2020-01-01T00:00")) == schedule.next_due(now, None)


# In words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("7:30", "at 7:30 UTC"),
        ("07:05,w1 8:00", "at 7:05, Mondays 8:00 UTC"),
        ("w7 0:00", "at Sundays 0:00 UTC"),
        ("m28 23:59", "at day 28 of the month 23:59 UTC"),
    ],
)
def test_it_says_in_words_when(text: str, words: str) -> None:
    assert parse_at(text).describe() == words
