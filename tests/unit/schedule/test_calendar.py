from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from gavo_exec.schedule import ScheduleSyntaxError, Window, parse_expressions, parse_zone
from gavo_exec.schedule.calendar import instant_of, zone_named


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# Zones


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5", "US/Eastern"])
def test_a_zone_is_known_by_its_name(name: str) -> None:
    assert parse_zone(f"  {name}\n") == name
    assert zone_named(name) == (UTC if name == "UTC" else ZoneInfo(name))


NAMES = "zones are those of IANA, with names such as Europe/Berlin"


@pytest.mark.parametrize(
    ("text", "fault", "message", "hint", "fix"),
    [
        ("europe/berlin", "europe/berlin", "no zone is called 'europe/berlin'", "it is spelled Europe/Berlin", True),
        (" utc ", "utc", "no zone is called 'utc'", "it is spelled UTC", True),
        ("Europe/Berln", "Europe/Berln", "no zone is called 'Europe/Berln'", "did you mean Europe/Berlin?", False),
        ("Berlin", "Berlin", "no zone is called 'Berlin'", "did you mean Europe/Berlin?", False),
        ("new york", "new york", "no zone is called 'new york'", "did you mean America/New_York?", False),
        ("Amerika/Lima", "Amerika/Lima", "no zone is called 'Amerika/Lima'", "did you mean America/Lima?", False),
        ("Europe", "Europe", "no zone is called 'Europe'", NAMES, False),
        ("CEST", "CEST", "no zone is called 'CEST'", NAMES, False),
        ("GMT+2", "GMT+2", "no zone is called 'GMT+2'", NAMES, False),
        ("+02:00", "+02:00", "no zone is called '+02:00'", NAMES, False),
        ("localtime", "localtime", "no zone is called 'localtime'", NAMES, False),
        ("posix/UTC", "posix/UTC", "no zone is called 'posix/UTC'", NAMES, False),
        ("../UTC", "../UTC", "no zone is called '../UTC'", NAMES, False),
        ("/etc/passwd", "/etc/passwd", "no zone is called '/etc/passwd'", NAMES, False),
        ("UTC\0", "UTC\0", "no zone is called 'UTC\\x00'", NAMES, False),
        ("", "", "there is no name of a zone", NAMES, False),
        (" \n", " \n", "there is no name of a zone", NAMES, False),
        ("x" * 1_000_000, "x" * 1_000_000, f"no zone is called '{'x' * 60}'...", NAMES, False),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_no_zone_is_refused_with_what_may_be_meant(
    text: str, fault: str, message: str, hint: str, fix: bool
) -> None:
    with pytest.raises(ScheduleSyntaxError) as caught:
        parse_zone(text)
    assert text[caught.value.start : caught.value.end] == fault
    assert (str(caught.value), caught.value.hint) == (message, hint)
    assert caught.value.fix == (hint.removeprefix("it is spelled ") if fix else None)


@pytest.mark.parametrize(
    ("zone", "wall", "instant"),
    [
        ("UTC", "2026-03-29T02:30", "2026-03-29T02:30"),
        ("Europe/Berlin", "2026-03-28T02:30", "2026-03-28T01:30"),
        # skipped
        ("Europe/Berlin", "2026-03-29T01:59", "2026-03-29T00:59"),
        ("Europe/Berlin", "2026-03-29T02:00", "2026-03-29T01:00"),
        ("Europe/Berlin", "2026-03-29T02:59", "2026-03-29T01:00"),
        ("Europe/Berlin", "2026-03-29T03:00", "2026-03-29T01:00"),
        ("Europe/Berlin", "2026-03-29T03:01", "2026-03-29T01:01"),
        # there twice
        ("Europe/Berlin", "2026-10-25T02:00", "2026-10-25T00:00"),
        ("Europe/Berlin", "2026-10-25T02:59", "2026-10-25T00:59"),
        ("Europe/Berlin", "2026-10-25T03:00", "2026-10-25T02:00"),
        # by half an hour, at midnight, by a whole day
        ("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:30"),
        ("America/Havana", "2026-03-08T00:30", "2026-03-08T05:00"),
        ("Pacific/Apia", "2011-12-30T07:30", "2011-12-30T10:00"),
        ("Pacific/Apia", "2011-12-31T00:00", "2011-12-30T10:00"),
        # where the clocks went on in the middle of a minute, at 0:44:30, the first full one is 0:45
        ("Africa/Monrovia", "1972-01-06T23:59", "1972-01-07T00:43:30"),
        ("Africa/Monrovia", "1972-01-07T00:00", "1972-01-07T00:45"),
        ("Africa/Monrovia", "1972-01-07T00:44", "1972-01-07T00:45"),
        # by rule, beyond all that is listed
        ("Europe/Berlin", "2100-03-28T02:30", "2100-03-28T01:00"),
    ],
)
def test_what_clocks_show_is_an_instant(zone: str, wall: str, instant: str) -> None:
    assert instant_of(utc(wall), zone_named(zone)) == utc(instant)


# Expressions


@pytest.mark.parametrize(
    ("text", "expressions"),
    [
        ("* 9-17 * * 1-5", ("* 9-17 * * 1-5",)),
        ("\n  * 9-17\t* *   mon-fri ", ("* 9-17 * * MON-FRI",)),
        ("0 1,2 * * *;* * L * *", ("0 1,2 * * *", "* * L * *")),
        (";* * * * 1#1;;* * lw jan-mar/2 5L;", ("* * * * 1#1", "* * LW JAN-MAR/2 5L")),
        ("*/5 0-23/2 */2 12 0,7", ("*/5 0-23/2 */2 12 0,7",)),
        ("* * 29 2 *", ("* * 29 2 *",)),
    ],
)
def test_expressions_are_read_in_one_spelling(text: str, expressions: tuple[str, ...]) -> None:
    assert parse_expressions(text) == expressions
    assert parse_expressions("; ".join(expressions)) == expressions


SHAPE = (
    "write the minutes that count as five fields, minute hour day-of-month month day-of-week, such as "
    "* 9-17 * * 1-5 (from 9:00 to 17:59, Mondays to Fridays); semicolons separate several"
)
LISTS = "; * stands for all, 1,2 is a list, 1-5 a range, and */2 every second"
MINUTE = f"the minute is 0 to 59{LISTS}"
HOUR = f"the hour is 0 to 23{LISTS}"
DAY = f"the day-of-month is 1 to 31, L for the last or LW for the last from Monday to Friday{LISTS}"
MONTH = f"the month is 1 to 12 or JAN to DEC{LISTS}"
WEEKDAY = (
    "the day-of-week is 0 to 7 (0 and 7 are Sunday) or SUN to SAT, with #1 for the first of the month or L for the last"
    + LISTS
)
LAST = "L is the last day of any month"


@pytest.mark.parametrize(
    ("text", "fault", "message", "hint"),
    [
        ("", "", "there is no calendar expression", SHAPE),
        (" ;\n", " ;\n", "there is no calendar expression", SHAPE),
        ("9-17 * * 1-5", "9-17 * * 1-5", "4 fields where there are to be five: '9-17 * * 1-5'", SHAPE),
        ("0 0 9 * * *", "0 0 9 * * *", "six fields, but there are no seconds here: '0 0 9 * * *'", SHAPE),
        ("@daily", "@daily", "not a calendar expression: '@daily'", SHAPE),
        ("0 1 * * *, 0 2 * * *", "0 1 * * *, 0 2 * * *", "10 fields where there are to be five: " + "%r", SHAPE),
        ("60 * * * *", "60", "no such minute: '60'", MINUTE),
        ("-1 * * * *", "-1", "no such minute: '-1'", MINUTE),
        ("*/0 * * * *", "*/0", "no such minute: '*/0'", MINUTE),
        ("1, 2 * * *", "1,", "no such minute: '1,'", MINUTE),
        ("* 24 * * *", "24", "no such hour: '24'", HOUR),
        ("* 17-9 * * *", "17-9", "no such hour: '17-9'", HOUR),
        ("* \u0667 * * *", "\u0667", "no such hour: '\u0667'", HOUR),
        ("* * 0 * *", "0", "no such day-of-month: '0'", DAY),
        ("* * L-3 * *", "L-3", "no such day-of-month: 'L-3'", DAY),
        ("* * * 13 *", "13", "no such month: '13'", MONTH),
        ("* * * January *", "January", "no such month: 'January'", MONTH),
        ("* * * * 8", "8", "no such day-of-week: '8'", WEEKDAY),
        ("* * * * 1#6", "1#6", "no such day-of-week: '1#6'", WEEKDAY),
        ("* * * * fri-mon", "fri-mon", "no such day-of-week: 'fri-mon'", WEEKDAY),
        ("* * * * *;  61 * * * *", "61", "no such minute: '61'", MINUTE),
        ("0 9 * * *; * * 30 2 *", "30 2", "no day of the month '30' in the months '2'", LAST),
        ("* * 31 4,jun *", "31 4,jun", "no day of the month '31' in the months '4,jun'", LAST),
        ("* * * * \x1b[2J", "\x1b[2J", "no such day-of-week: '\\x1b[2J'", WEEKDAY),
    ],
)
def test_what_is_no_expression_is_refused_with_its_span(text: str, fault: str, message: str, hint: str) -> None:
    with pytest.raises(ScheduleSyntaxError) as caught:
        parse_expressions(text)
    assert text[caught.value.start : caught.value.end] == fault
    assert (str(caught.value), caught.value.hint) == (message.replace("%r", repr(text)), hint)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1" * 1_000_000 + " * * * *", f"a calendar expression of 1000008 characters: '{'1' * 60}'..."),
        ("* " * 1_000_000, f"1000000 fields where there are to be five: '{'* ' * 30}'..."),
        ("* * * * *;" * 100_000, "more than 50 calendar expressions"),
    ],
    ids=["digits", "fields", "expressions"],
)
def test_a_megabyte_of_expressions_is_refused_in_a_line(text: str, message: str) -> None:
    with pytest.raises(ScheduleSyntaxError) as caught:
        parse_expressions(text)
    assert str(caught.value) == message
    assert caught.value.hint


# Windows


def window(only: str = "", excluded: str = "", zone: str = "UTC") -> Window:
    return Window(
        only=parse_expressions(only) if only else (),
        excluded=parse_expressions(excluded) if excluded else (),
        zone=zone,
    )


WORK = "* 9-17 * * 1-5"


@pytest.mark.parametrize(
    ("of", "instant", "allowed"),
    [
        (window(), "2026-03-01T12:00", True),
        # 2026-03-02 is a Monday
        (window(WORK), "2026-03-02T08:59:59.999999", False),
        (window(WORK), "2026-03-02T09:00", True),
        (window(WORK), "2026-03-02T17:59:59.999999", True),
        (window(WORK), "2026-03-02T18:00", False),
        (window(WORK), "2026-03-01T12:00", False),
        (window(excluded=WORK), "2026-03-02T09:00", False),
        (window(excluded=WORK), "2026-03-01T09:00", True),
        (window(WORK, "* 12 * * *"), "2026-03-02T12:30", False),
        (window(WORK, "* 12 * * *"), "2026-03-02T13:00", True),
        (window(f"{WORK}; * 12 * * 0"), "2026-03-01T12:00", True),
        (window("* * * * MON#1"), "2026-03-02T00:00", True),
        (window("* * * * MON#1"), "2026-03-09T00:00", False),
        (window("* * L * *"), "2028-02-29T00:00", True),
        (window("* * L * *"), "2028-02-28T00:00", False),
        (window("* * LW * *"), "2026-05-29T00:00", True),
        (window("* * * * 5L"), "2026-03-27T00:00", True),
        (window("* * 1 */2 *"), "2026-02-01T00:00", False),
        (window("* * 1 */2 *"), "2026-03-01T00:00", True),
        # as in cron: day of month or day of week, where neither begins with a star
        (window("* * 13 * 5"), "2026-03-06T00:00", True),
        (window("* * 13 * 5"), "2026-04-13T00:00", True),
        (window("* * */13 * 5"), "2026-03-06T00:00", False),
        # by clocks in the zone
        (window(WORK, zone="Europe/Berlin"), "2026-03-02T07:59", False),
        (window(WORK, zone="Europe/Berlin"), "2026-03-02T08:00", True),
        (window(WORK, zone="Europe/Berlin"), "2026-06-01T07:00", True),
        (window("* * 31 * *", zone="Pacific/Auckland"), "2026-03-30T12:00", True),
        # a repeated hour counts twice
        (window("* 2 * * *", zone="Europe/Berlin"), "2026-10-25T00:30", True),
        (window("* 2 * * *", zone="Europe/Berlin"), "2026-10-25T01:30", True),
        (window("* 2 * * *", zone="Europe/Berlin"), "2026-10-25T02:00", False),
        # beyond the end of the calendar
        (window(zone="Europe/Berlin"), "9999-12-31T23:30", False),
    ],
)
def test_a_window_allows_some_minutes(of: Window, instant: str, allowed: bool) -> None:
    assert of.allows(utc(instant)) is allowed


@pytest.mark.parametrize(
    ("of", "instant", "expected"),
    [
        (window(), "2026-03-01T12:00:07.5", "2026-03-01T12:00:07.5"),
        (window(WORK), "2026-03-02T17:59:59", "2026-03-02T17:59:59"),
        (window(WORK), "2026-03-02T18:00", "2026-03-03T09:00"),
        (window(WORK), "2026-03-06T18:00", "2026-03-09T09:00"),
        (window("30 * * * *"), "2026-03-06T18:30:59.999999", "2026-03-06T18:30:59.999999"),
        (window("30 * * * *"), "2026-03-06T18:31:00.000001", "2026-03-06T19:30"),
        (window("0 4 1 */2 *"), "2026-03-01T04:01", "2026-05-01T04:00"),
        (window("* * 29 2 *"), "2026-01-01T00:00", "2028-02-29T00:00"),
        (window("* * * 2 MON#5"), "2072-03-01T00:00", "2112-02-29T00:00"),
        (window(excluded="* * * * 1-5"), "2026-03-02T00:00", "2026-03-07T00:00"),
        (window(excluded="* 0-11 1 1 *"), "2026-12-31T23:59:59", "2026-12-31T23:59:59"),
        (window(excluded="* 0-11 1 1 *"), "2027-01-01T00:00", "2027-01-01T12:00"),
        # never
        (window(excluded="* * * * *"), "2026-03-02T00:00", None),
        (window("* * * 1-6 *", "* * 1-30 * *; * * L * *"), "2026-03-02T00:00", None),
        (window("30 2 * 3 0L", zone="Europe/Berlin"), "2026-01-01T00:00", None),  # clocks skip it
        # over a change of clocks
        (window("0 3 * * *", zone="Europe/Berlin"), "2026-03-28T12:00", "2026-03-29T01:00"),
        (window("* 2-3 * * *", zone="Europe/Berlin"), "2026-03-29T00:59", "2026-03-29T01:00"),
        (window("30 2 * * *", zone="Europe/Berlin"), "2026-03-28T12:00", "2026-03-30T00:30"),
        (window("30 2 * * *", zone="Europe/Berlin"), "2026-10-24T12:00", "2026-10-25T00:30"),
        (window("30 2 * * *", zone="Europe/Berlin"), "2026-10-25T00:31", "2026-10-25T01:30"),
        (window("30 2 * * *", zone="Europe/Berlin"), "2026-10-25T01:31", "2026-10-26T01:30"),
        (window("* * 30 * *", zone="Pacific/Apia"), "2011-12-15T00:00", "2012-01-29T10:00"),
        (window("* * 31 * *", zone="Pacific/Apia"), "2011-12-30T09:59:59", "2011-12-30T10:00"),
        # a day that comes back after midnight has struck
        (window("* 23 * * *", zone="America/Havana"), "2026-11-01T04:00", "2026-11-02T04:00"),
        (window("30 23 7 11 *", zone="America/Asuncion"), "2023-03-26T02:30", "2023-11-08T02:30"),
        (window("30 23 25 3 *", zone="America/Asuncion"), "2023-03-26T02:31", "2023-03-26T03:30"),
        # the end of the calendar
        (window("* * * * *"), "9999-12-31T23:59:59.999999", "9999-12-31T23:59:59.999999"),
        (window("0 0 * * *"), "9999-12-31T00:01", None),
        (window("0 0 * * *", zone="Europe/Berlin"), "9999-12-31T00:01", None),
        (window("0 0 * * *", zone="America/Lima"), "9999-12-31T05:01", None),
    ],
)
def test_a_window_tells_when_it_opens(of: Window, instant: str, expected: str | None) -> None:
    assert of.next_allowed(utc(instant)) == (utc(expected) if expected else None)


def openings(of: Window, start: str) -> Iterator[str]:
    instant: datetime | None = utc(start)
    while instant is not None and (instant := of.next_allowed(instant)):
        yield instant.isoformat(timespec="minutes").removesuffix("+00:00")
        instant = instant.replace(minute=59)


def test_a_window_opens_by_clocks_in_its_zone_all_the_year() -> None:
    of = window("0 7 * * MON#1", zone="Europe/Berlin")
    assert list(islice(openings(of, "2026-03-01T00:00"), 3)) == [
        "2026-03-02T06:00",
        "2026-04-06T05:00",
        "2026-05-04T05:00",
    ]


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (window(WORK), "only * 9-17 * * 1-5"),
        (window(f"{WORK}; * * L * *"), "only * 9-17 * * 1-5; * * L * *"),
        (window(excluded=WORK, zone="Europe/Berlin"), "not * 9-17 * * 1-5"),
        (window(WORK, "0 12 * * *"), "only * 9-17 * * 1-5, not 0 12 * * *"),
    ],
)
def test_a_window_says_in_words_what_it_allows(of: Window, words: str) -> None:
    assert of.describe() == words
