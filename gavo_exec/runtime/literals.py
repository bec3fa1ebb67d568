"""Values from texts and back, in the spelling of the seed: what job code needs to read and write data.

Parsers answer None for None and for text of nothing but white space, hand through what is of their type already, and
raise ValueError for what they do not understand.  Times are naive and in UTC; angles are in degrees.
"""

import datetime  # noqa: ICN001 -- as job code calls it
import math
from typing import Any

__all__ = (
    "DEG",
    "DEG_ARCSEC",
    "DEG_MAS",
    "NaN",
    "dateTimeToJYear",
    "dateTimeToJdn",
    "dateTimeToMJD",
    "degToDms",
    "degToHms",
    "dmsToDeg",
    "formatISODT",
    "hmsToDeg",
    "jdnToDateTime",
    "mjdToDateTime",
    "parseBooleanLiteral",
    "parseDate",
    "parseFloat",
    "parseISODT",
    "parseInt",
    "parseTime",
    "parseTimestamp",
    "parseUnicode",
    "roundToSeconds",
)

DEG = math.pi / 180
DEG_ARCSEC = 1 / 3600
DEG_MAS = DEG_ARCSEC / 1000
NaN = math.nan

_TRUE = frozenset({"true", "yes", "t", "on", "enabled", "1"})
_FALSE = frozenset({"false", "no", "f", "off", "disabled", "0"})
_MJD_0 = datetime.datetime(1858, 11, 17)  # noqa: DTZ001 -- as all times here
_JDN_OF_MJD_0 = 2_400_000.5
_JDN_OF_J2000 = 2_451_545.0
_DAY = datetime.timedelta(1)


def _isEmpty(literal: object) -> bool:
    return literal is None or (isinstance(literal, str) and not literal.strip())


_TIME_FORMAT = "%H:%M:%S"
_TIMESTAMP_FORMAT = "%Y-%m-%dT%H:%M:%S"
_ANY_DAY = datetime.datetime(1900, 1, 1)  # noqa: DTZ001 -- as all times here


def parseBooleanLiteral(literal: Any) -> bool | None:
    """A truth value from true, yes, t, on, enabled, 1 or false, no, f, off, disabled, 0, in any capitalisation."""
    if isinstance(literal, bool):
        return literal
    if _isEmpty(literal):
        return None
    word = str(literal).strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError(f"not a truth value: {literal!r}")
    return word in _TRUE


def parseInt(literal: Any) -> int | None:
    """A whole number."""
    return None if _isEmpty(literal) else int(literal)


def parseFloat(literal: Any) -> float | None:
    """A number."""
    return None if _isEmpty(literal) else float(literal)


def parseUnicode(literal: Any) -> str | None:
    """The text; None for None."""
    return None if literal is None else str(literal)


def parseDate(literal: Any, format: str = "%Y-%m-%d") -> datetime.datetime | None:
    """The beginning of a day; the format is that of strptime."""
    if isinstance(literal, datetime.date) and not isinstance(literal, datetime.datetime):
        return datetime.datetime.combine(literal, datetime.time())
    return _parsed(literal, format)


def parseTime(literal: Any, format: str = _TIME_FORMAT) -> datetime.timedelta | None:
    """A time of day, as what has passed of it; the format is that of strptime, and seconds may have fractions."""
    if isinstance(literal, datetime.timedelta):
        return literal
    if isinstance(literal, datetime.time):
        return datetime.datetime.combine(_ANY_DAY, literal) - _ANY_DAY
    has_fraction = format == _TIME_FORMAT and isinstance(literal, str) and "." in literal
    found = _parsed(literal, f"{format}.%f" if has_fraction else format)
    return None if found is None else found - datetime.datetime.combine(found.date(), datetime.time())


def parseTimestamp(literal: Any, format: str = _TIMESTAMP_FORMAT) -> datetime.datetime | None:
    """A date with a time; the format is that of strptime.

    Without one, a blank is as good as the T, seconds may have fractions, and the time may be missing.
    """
    if format == _TIMESTAMP_FORMAT and isinstance(literal, str):
        return parseISODT(literal)
    return _parsed(literal, format)


def _parsed(literal: Any, format: str) -> datetime.datetime | None:
    if isinstance(literal, datetime.datetime):
        return literal
    if _isEmpty(literal):
        return None
    return _naive(datetime.datetime.strptime(literal, format))  # noqa: DTZ007 -- as all times here


def parseISODT(literal: Any) -> datetime.datetime | None:
    """A date with a time in any spelling of ISO 8601; one with an offset is converted to UTC."""
    if isinstance(literal, datetime.datetime):
        return literal
    if _isEmpty(literal):
        return None
    return _naive(datetime.datetime.fromisoformat(literal.strip()))


def _naive(instant: datetime.datetime) -> datetime.datetime:
    return instant if instant.tzinfo is None else instant.astimezone(datetime.UTC).replace(tzinfo=None)


def formatISODT(dt: datetime.datetime | None) -> str | None:
    """The instant as 2026-01-31T12:00:00Z, rounded to seconds; None for None."""
    return None if dt is None else f"{roundToSeconds(_naive(dt)).isoformat()}Z"


def roundToSeconds(dt: datetime.datetime) -> datetime.datetime:
    """The instant, rounded to whole seconds."""
    return (dt + datetime.timedelta(0, 0, 500_000)).replace(microsecond=0)


def hmsToDeg(hms: str, sepChar: str | None = None) -> float:
    """Degrees from hours, minutes and seconds, which ``sepChar`` (None: white space) separates."""
    return 15 * _fromSexagesimal(hms, sepChar)


def dmsToDeg(dmsAngle: str, sepChar: str | None = None) -> float:
    """Degrees from degrees, minutes and seconds, which ``sepChar`` (None: white space) separates."""
    return _fromSexagesimal(dmsAngle, sepChar)


def _fromSexagesimal(text: str, sepChar: str | None) -> float:
    parts = text.strip().split(sepChar)
    if len(parts) not in (2, 3):
        separator = "white space" if sepChar is None else repr(sepChar)
        raise ValueError(f"not two or three numbers separated by {separator}: {text!r}")
    whole, minutes, seconds = (float(part) for part in (*parts, "0")[:3])
    if minutes < 0 or seconds < 0:
        raise ValueError(f"the sign stands before the first number alone: {text!r}")
    # By the sign that is written: -0 is less than nothing, too.
    return math.copysign(abs(whole) + minutes / 60 + seconds / 3600, whole)


def degToHms(deg: float, sepChar: str = " ", secondFracs: int = 3) -> str:
    """Hours, minutes and seconds, with this many digits after the point; a sign only where it is negative."""
    sign, whole, rest = _toSexagesimal(deg / 15, secondFracs)
    return sepChar.join([f"{sign.replace('+', '')}{whole:02d}", *rest])


def degToDms(deg: float, sepChar: str = " ", secondFracs: int = 2) -> str:
    """Degrees, minutes and seconds, with this many digits after the point, and always a sign."""
    sign, whole, rest = _toSexagesimal(deg, secondFracs)
    return sepChar.join([f"{sign}{whole}", *rest])


def _toSexagesimal(value: float, secondFracs: int) -> tuple[str, int, list[str]]:
    """Sign, whole part, and minutes and seconds as texts; rounded first, so that there are never 60 seconds."""
    digits = max(0, secondFracs)
    units = round(abs(value) * 3600 * 10**digits)
    minutes, seconds = divmod(units, 60 * 10**digits)
    whole, minutes = divmod(minutes, 60)
    width = digits + 3 if digits else 2
    return "-" if value < 0 else "+", whole, [f"{minutes:02d}", f"{seconds / 10**digits:0{width}.{digits}f}"]


def dateTimeToMJD(dt: datetime.date) -> float:
    """The modified Julian date of an instant, or of the beginning of a day."""
    if not isinstance(dt, datetime.datetime):
        dt = datetime.datetime(dt.year, dt.month, dt.day)  # noqa: DTZ001 -- as all times here
    return (_naive(dt) - _MJD_0) / _DAY


def mjdToDateTime(mjd: float) -> datetime.datetime:
    """The instant of a modified Julian date."""
    return _MJD_0 + mjd * _DAY


def dateTimeToJdn(dt: datetime.date) -> float:
    """The Julian date of an instant, or of the beginning of a day."""
    return dateTimeToMJD(dt) + _JDN_OF_MJD_0


def jdnToDateTime(jd: float) -> datetime.datetime:
    """The instant of a Julian date."""
    return mjdToDateTime(jd - _JDN_OF_MJD_0)


def dateTimeToJYear(dt: datetime.date) -> float:
    """The Julian year of an instant, or of the beginning of a day: 2000.0 for J2000."""
    return 2000 + (dateTimeToJdn(dt) - _JDN_OF_J2000) / 365.25
