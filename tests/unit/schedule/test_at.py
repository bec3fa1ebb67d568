from datetime import UTC, datetime

import msgspec
import pytest

from gavo_exec.schedule import At, AtTime, ScheduleSyntaxError, Window, parse_at, parse_time


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
NO_SUCH_DAY = (
    f"{OF_MONTH}; for other days write the time alone and a property when.only, such as * * L * * or * * 31 * *"
)
ZONED = f"{SHAPE}, or in the zone that the property when.zone names"
BOTH = "DaCHS ignores the day of month here; keep one of the two"


@pytest.mark.parametrize(
    ("text", "fault", "message", "hint"),
    [
        ("7:30pm", "pm", "'pm' follows the time '7:30'", SHAPE),
        ("7:30:15", ":15", "':15' follows the time '7:30'", SHAPE),
        ("7:30 9:30", " 9:30", "' 9:30' follows the time '7:30'", SHAPE),
        ("7:30+02:00", "+02:00", "'+02:00' follows the time '7:30'", ZONED),
        ("7:30 CEST", " CEST", "' CEST' follows the time '7:30'", ZONED),
        ("7:30 Europe/Berlin", " Europe/Berlin", "' Europe/Berlin' follows the time '7:30'", ZONED),
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


# By clocks in a zone


@pytest.mark.parametrize(
    ("text", "zone", "after", "expected"),
    [
        ("7:30", "Europe/Berlin", "2026-03-01T12:00", "2026-03-02T06:30"),
        ("7:30", "Europe/Berlin", "2026-03-02T06:30", "2026-03-03T06:30"),
        ("7:30", "Europe/Berlin", "2026-06-01T12:00", "2026-06-02T05:30"),
        # a day begins earlier than in UTC, or later
        ("0:00", "Pacific/Auckland", "2026-06-01T11:59", "2026-06-01T12:00"),
        ("23:59", "Pacific/Auckland", "2026-06-01T12:00", "2026-06-02T11:59"),
        ("20:00", "America/Los_Angeles", "2026-06-01T03:00", "2026-06-02T03:00"),
        # weekdays and days of the month are those of the zone; 2026-03-02 is a Monday
        ("w1 7:30", "Pacific/Auckland", "2026-03-01T12:00", "2026-03-01T18:30"),
        ("w1 20:00", "America/Los_Angeles", "2026-03-01T12:00", "2026-03-03T04:00"),
        ("m1 7:30", "Pacific/Auckland", "2026-02-01T00:00", "2026-02-28T18:30"),
        ("m28 20:00", "America/Los_Angeles", "2026-02-28T12:00", "2026-03-01T04:00"),
        ("m1 0:00", "Europe/Berlin", "2026-12-31T22:59:59", "2026-12-31T23:00"),
        # skipped: on the first minute after, once
        ("2:30", "Europe/Berlin", "2026-03-28T12:00", "2026-03-29T01:00"),
        ("2:30", "Europe/Berlin", "2026-03-29T01:00", "2026-03-30T00:30"),
        ("2:00, 2:30, 2:59, 3:00", "Europe/Berlin", "2026-03-28T12:00", "2026-03-29T01:00"),
        ("2:00, 2:30, 2:59, 3:00", "Europe/Berlin", "2026-03-29T01:00", "2026-03-30T00:00"),
        ("w7 2:30", "Europe/Berlin", "2026-03-23T00:00", "2026-03-29T01:00"),
        ("m28 0:30", "Europe/Berlin", "2027-03-27T00:00", "2027-03-27T23:30"),
        ("0:30", "America/Havana", "2026-03-08T04:59:59", "2026-03-08T05:00"),
        # there twice: the first time
        ("2:30", "Europe/Berlin", "2026-10-24T12:00", "2026-10-25T00:30"),
        ("2:30", "Europe/Berlin", "2026-10-25T00:30", "2026-10-26T01:30"),
        ("2:30", "Europe/Berlin", "2026-10-25T01:15", "2026-10-26T01:30"),
        ("23:30", "America/Asuncion", "2023-03-26T02:30", "2023-03-27T03:30"),
        # a whole day skipped
        ("7:30", "Pacific/Apia", "2011-12-29T17:30", "2011-12-30T10:00"),
        ("7:30", "Pacific/Apia", "2011-12-30T10:00", "2011-12-30T17:30"),
        ("w5 7:30", "Pacific/Apia", "2011-12-28T00:00", "2011-12-30T10:00"),
        # halves of minutes
        ("0:30", "Africa/Monrovia", "1972-01-07T00:44:40", "1972-01-07T00:45"),
        ("7:30", "Africa/Monrovia", "1972-01-06T00:00", "1972-01-06T08:14:30"),
    ],
)
def test_a_time_in_a_zone_is_what_clocks_show_there(text: str, zone: str, after: str, expected: str) -> None:
    schedule = msgspec.structs.replace(parse_at(text), zone=zone)
    assert schedule.next_due(utc(after), None) == utc(expected)


# In a window, and put off


@pytest.mark.parametrize(
    ("text", "window", "after", "expected"),
    [
        ("7:30", Window(only=("* * L * *",)), "2026-02-01T00:00", "2026-02-28T07:30"),
        ("7:30", Window(only=("* * 31 * *",)), "2026-04-01T00:00", "2026-05-31T07:30"),
        ("7:30", Window(only=("* * * * MON#1",)), "2026-03-02T07:30", "2026-04-06T07:30"),
        ("7:30, 19:30", Window(excluded=("* 7 * * *",)), "2026-03-02T00:00", "2026-03-02T19:30"),
        ("w1 7:30, 8:00", Window(only=("30 * * * *",)), "2026-03-03T00:00", "2026-03-09T07:30"),
        ("7:30", Window(only=("* 9-17 * * *",)), "2026-03-03T00:00", None),
        # in another zone than that of the times
        ("7:30", Window(only=("* 8 * * 1-5",), zone="Europe/Berlin"), "2026-03-27T07:30", "2026-10-26T07:30"),
        ("7:30", Window(only=("* 9 * * *",), zone="Europe/Berlin"), "2026-03-27T07:30", "2026-03-29T07:30"),
    ],
)
def test_times_count_that_are_in_the_window(text: str, window: Window, after: str, expected: str | None) -> None:
    schedule = msgspec.structs.replace(parse_at(text), window=window)
    assert schedule.next_due(utc(after), None) == (utc(expected) if expected else None)


@pytest.mark.parametrize(
    ("window", "after", "expected"),
    [
        (Window(excluded=("* 3 * * *",)), "2026-03-28T12:00", "2026-03-30T00:30"),
        (Window(only=("* 3 * * *",)), "2026-03-30T12:00", "2027-03-28T01:00"),
    ],
)
def test_a_skipped_time_is_judged_where_it_falls(window: Window, after: str, expected: str) -> None:
    window = msgspec.structs.replace(window, zone="Europe/Berlin")
    schedule = At(times=parse_at("2:30").times, zone="Europe/Berlin", window=window)
    assert schedule.next_due(utc(after), None) == utc(expected)


@pytest.mark.parametrize(
    ("zone", "window", "after", "expected"),
    [
        ("UTC", None, "2026-03-01T07:30", "2026-03-01T07:30:42"),
        ("UTC", None, "2026-03-01T07:30:42", "2026-03-02T07:30:42"),
        ("Europe/Berlin", None, "2026-03-01T06:30", "2026-03-01T06:30:42"),
        ("UTC", Window(only=("30 7 * * 1-5",)), "2026-03-01T00:00", "2026-03-02T07:30:42"),
    ],
)
def test_the_delay_puts_off_what_the_window_has_judged(
    zone: str, window: Window | None, after: str, expected: str
) -> None:
    schedule = At(times=parse_at("7:30").times, zone=zone, window=window, delay_seconds=42)
    assert schedule.next_due(utc(after), None) == utc(expected)


@pytest.mark.parametrize(
    ("text", "zone", "after", "expected"),
    [
        ("7:30", "UTC", "9999-12-31T07:30", None),
        ("m1 7:30", "UTC", "9999-12-01T07:30", None),
        ("m1 7:30, 8:00", "UTC", "9999-12-30T08:00", "9999-12-31T08:00"),
        ("w1 7:30, 8:00", "UTC", "9999-12-31T08:00", None),
        ("7:30", "Europe/Berlin", "9999-12-31T06:30", None),
        ("7:30", "America/Lima", "9999-12-31T12:30", None),
        ("23:30", "Europe/Berlin", "9999-12-31T23:15", None),
    ],
)
def test_the_end_of_the_calendar_is_the_end(text: str, zone: str, after: str, expected: str | None) -> None:
    for window in (None, Window(only=("* * * * *",), zone=zone)):
        schedule = msgspec.structs.replace(parse_at(text), zone=zone, window=window)
        assert schedule.next_due(utc(after), None) == (utc(expected) if expected else None)


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


WORK = Window(only=("* 9-17 * * 1-5",), zone="Europe/Berlin")


@pytest.mark.parametrize(
    ("zone", "window", "delay_seconds", "words"),
    [
        ("Europe/Berlin", None, 0, "at 7:30, Mondays 8:00 Europe/Berlin"),
        ("UTC", None, 42, "at 7:30, Mondays 8:00 UTC, put off by 42 s"),
        ("Europe/Berlin", WORK, 0, "at 7:30, Mondays 8:00 Europe/Berlin, only * 9-17 * * 1-5"),
        ("UTC", WORK, 60, "at 7:30, Mondays 8:00 UTC, only * 9-17 * * 1-5 in Europe/Berlin, put off by 1 min"),
    ],
)
def test_it_says_in_words_what_narrows_it(zone: str, window: Window | None, delay_seconds: int, words: str) -> None:
    times = parse_at("7:30, w1 8:00").times
    assert At(times=times, zone=zone, window=window, delay_seconds=delay_seconds).describe() == words
