"""Texts to values and back, for job code."""

# ruff: noqa: DTZ001 -- times of job code are naive, as in DaCHS

import datetime as dt
import math
from collections.abc import Callable
from typing import Any

import pytest

from gavo_exec.runtime import literals as li

NOON = dt.datetime(2000, 1, 1, 12)
PARSERS = [getattr(li, name) for name in li.__all__ if name.startswith("parse")]


@pytest.mark.parametrize("parse", PARSERS)
@pytest.mark.parametrize("nothing", [None, ""])
def test_nothing_is_none(parse: Callable[[Any], object], nothing: str | None) -> None:
    assert parse(nothing) == (nothing if parse is li.parseUnicode else None)


@pytest.mark.parametrize("parse", [parse for parse in PARSERS if parse is not li.parseUnicode])
def test_white_space_is_nothing_unless_a_text_is_wanted(parse: Callable[[Any], object]) -> None:
    assert parse(" \n") is None
    assert li.parseUnicode(" ") == " "


@pytest.mark.parametrize(
    ("parse", "literal", "value"),
    [
        *[(li.parseBooleanLiteral, word, True) for word in ("true", "Yes", "T", "ON", "enabled", "1", " true ", True)],
        *[(li.parseBooleanLiteral, word, False) for word in ("False", "no", "f", "off", "DISABLED", "0", 0, False)],
        (li.parseInt, " 12 ", 12),
        (li.parseInt, 12, 12),
        (li.parseFloat, "1e3", 1000.0),
        (li.parseFloat, 1, 1.0),
        (li.parseUnicode, 12, "12"),
        (li.parseDate, "2026-01-31", dt.datetime(2026, 1, 31)),
        (li.parseDate, NOON, NOON),
        (li.parseDate, dt.date(2000, 1, 1), dt.datetime(2000, 1, 1)),
        (li.parseTime, "12:30:15", dt.timedelta(hours=12, minutes=30, seconds=15)),
        (li.parseTime, "00:00:01.5", dt.timedelta(seconds=1.5)),
        (li.parseTime, dt.time(1), dt.timedelta(hours=1)),
        (li.parseTime, dt.timedelta(1), dt.timedelta(1)),
        (li.parseTimestamp, "2000-01-01T12:00:00", NOON),
        (li.parseTimestamp, NOON, NOON),
        (li.parseTimestamp, "2000-01-01 12:00:00", NOON),
        (li.parseTimestamp, "2000-01-01T12:00:00.5", NOON + dt.timedelta(seconds=0.5)),
        (li.parseTimestamp, "2000-01-01", dt.datetime(2000, 1, 1)),
        (li.parseISODT, "2000-01-01T12:00:00Z", NOON),
        (li.parseISODT, "2000-01-01 12:00", NOON),
        (li.parseISODT, "2000-01-01T14:00:00+02:00", NOON),
        (li.parseISODT, "2000-01-01T12:00:00.250", NOON.replace(microsecond=250_000)),
        (li.parseISODT, NOON, NOON),
    ],
)
def test_literals_are_parsed(parse: Callable[[Any], object], literal: object, value: object) -> None:
    found = parse(literal)
    assert (found, type(found)) == (value, type(value))


def test_formats_are_those_of_strptime() -> None:
    assert li.parseDate("31.1.2026", "%d.%m.%Y") == dt.datetime(2026, 1, 31)
    assert li.parseTime("1230", format="%H%M") == dt.timedelta(hours=12, minutes=30)
    assert li.parseTimestamp("2000/1/1 12", "%Y/%m/%d %H") == NOON


@pytest.mark.parametrize(
    ("parse", "literal"),
    [
        (li.parseBooleanLiteral, "maybe"),
        (li.parseInt, "1.5"),
        (li.parseFloat, "1,5"),
        (li.parseDate, "31.1.2026"),
        (li.parseTime, "12:61:00"),
        (li.parseTimestamp, "noon"),
        (li.parseISODT, "noon"),
    ],
)
def test_what_is_not_understood_is_a_value_error(parse: Callable[[Any], object], literal: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 -- most of the texts are Python's
        parse(literal)


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (NOON, "2000-01-01T12:00:00Z"),
        (NOON.replace(microsecond=499_999), "2000-01-01T12:00:00Z"),
        (NOON.replace(second=59, microsecond=500_000), "2000-01-01T12:01:00Z"),
        (NOON.replace(tzinfo=dt.timezone(dt.timedelta(hours=2))), "2000-01-01T10:00:00Z"),
        (None, None),
    ],
)
def test_instants_are_written_in_utc_and_to_the_second(instant: dt.datetime | None, text: str | None) -> None:
    assert li.formatISODT(instant) == text


@pytest.mark.parametrize(
    ("deg", "hms", "dms"),
    [
        (0.0, "00 00 00.000", "+0 00 00.00"),
        (187.5, "12 30 00.000", "+187 30 00.00"),
        (-23.5, "-01 34 00.000", "-23 30 00.00"),
        (-0.5, "-00 02 00.000", "-0 30 00.00"),
        (14.999999999, "01 00 00.000", "+15 00 00.00"),
    ],
)
def test_angles_are_written_and_read_in_both_ways(deg: float, hms: str, dms: str) -> None:
    assert (li.degToHms(deg), li.degToDms(deg)) == (hms, dms)
    assert li.hmsToDeg(hms) == pytest.approx(deg, abs=1e-6)
    assert li.dmsToDeg(dms) == pytest.approx(deg, abs=1e-6)


def test_angles_have_the_separators_and_digits_that_are_asked_for() -> None:
    assert li.degToHms(359.2222, sepChar=":", secondFracs=4) == "23:56:53.3280"
    assert li.degToDms(1.056, secondFracs=0) == "+1 03 22"
    assert li.hmsToDeg("12:30", ":") == 187.5
    assert li.dmsToDeg("-0:30:00.0", sepChar=":") == -0.5


@pytest.mark.parametrize(
    ("text", "separator", "message"),
    [
        ("12:30:00", None, "not two or three numbers separated by white space: '12:30:00'"),
        ("1:2:3:4", ":", "not two or three numbers separated by ':': '1:2:3:4'"),
        ("1 -2 3", None, "the sign stands before the first number alone: '1 -2 3'"),
        ("1 x 3", None, "could not convert string to float: 'x'"),
    ],
)
def test_what_is_no_angle_is_a_value_error(text: str, separator: str | None, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        li.dmsToDeg(text, separator)


@pytest.mark.parametrize(
    ("instant", "mjd", "year"),
    [
        (NOON, 51544.5, 2000.0),
        (dt.datetime(1858, 11, 17), 0.0, 1858.875),
        (dt.datetime(2026, 1, 1, 6), 61041.25, 2026.0),
    ],
)
def test_instants_are_julian_dates(instant: dt.datetime, mjd: float, year: float) -> None:
    assert li.dateTimeToMJD(instant) == mjd
    assert li.mjdToDateTime(mjd) == instant
    assert li.dateTimeToJdn(instant) == mjd + 2_400_000.5
    assert li.jdnToDateTime(mjd + 2_400_000.5) == instant
    assert li.dateTimeToJYear(instant) == pytest.approx(year, abs=0.01)


def test_days_begin_at_midnight_and_zones_count() -> None:
    assert li.dateTimeToMJD(dt.date(2000, 1, 1)) == 51544.0
    assert li.dateTimeToMJD(NOON.replace(tzinfo=dt.timezone(dt.timedelta(hours=12)))) == 51544.0


def test_constants() -> None:
    assert math.degrees(li.DEG) == 1
    assert li.DEG_ARCSEC * 3600 == 1
    assert pytest.approx(1 / 3_600_000) == li.DEG_MAS
    assert math.isnan(li.NaN)
