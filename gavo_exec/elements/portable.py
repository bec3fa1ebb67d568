"""The table of portable properties: settings of executes that DaCHS takes for properties like any other.

What an execute, a resource or the settings file can say beside the elements and attributes; the checks, the reference
and the schema of settings derive from this table.  All texts are read here, and what comes of them is plain: durations,
numbers, texts and names.
"""

import difflib
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import msgspec

from gavo_exec.addresses import parse_address
from gavo_exec.errors import GavoExecError, shortened
from gavo_exec.schedule import ScheduleSyntaxError, parse_expressions, parse_zone

PREFIXES = ("when.", "run.", "mail.")
"""Names that begin like this are kept for settings."""
ENV = "run.env."
"""Names that begin like this set a variable of the environment."""
NAMED = "NAME"
"""What stands in the table for the name of that variable."""

YEAR = timedelta(days=366)


class PropertyFault(GavoExecError):  # noqa: N818 -- as with macros, what is wrong is a fault
    """A property's text is not understood; its own text is the sentence about that.

    ``start`` and ``end`` are the span in the text that was given; ``fix`` is what to write there instead, if that is
    plain.
    """

    def __init__(
        self, message: str, *, start: int = 0, end: int | None = None, hint: str = "", fix: str | None = None
    ) -> None:
        self.start = start
        self.end = end
        self.hint = hint
        self.fix = fix
        super().__init__(message)


class Portable(msgspec.Struct, frozen=True, kw_only=True):
    """A portable property; all but ``name`` and ``parse`` are words for people.

    ``expects`` is what its value must be, ``applies_to`` which executes or runs it has a bearing on.  ``parse`` makes a
    value of a text without blanks around it, or raises ValueError, PropertyFault or ScheduleSyntaxError.  One that
    ``is_for_later`` is a known name without effect.
    """

    name: str
    expects: str
    description: str
    parse: Callable[[str], object]
    default: str = "none"
    applies_to: str = "all"
    example: str = ""
    is_for_later: bool = False


# Values

_UNITS = {
    "w": (604_800, r"w|wk|weeks?"),
    "d": (86_400, r"d|days?"),
    "h": (3600, r"h|hr|hours?"),
    "m": (60, r"m|min|minutes?"),
    "s": (1, r"s|sec|seconds?"),
}
_NUMBER = r"\d{1,12}(?:\.\d{1,9})?"
_DURATION = re.compile(
    r"\s*".join(rf"(?:(?P<{unit}>{_NUMBER})\s*(?:{names})(?![a-z]))?" for unit, (_, names) in _UNITS.items()), re.ASCII
)
_SECONDS = re.compile(_NUMBER, re.ASCII)
_SIZE = re.compile(rf"({_NUMBER})\s*([KMGT]?)(?:i?B)?", re.ASCII | re.IGNORECASE)
_FACTORS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_LEAST_SIZE, _MOST_SIZE = 16 << 20, 1 << 50
_LIMIT = re.compile(r"([\w.-]+)(?:\s+(\d{1,9}))?", re.ASCII)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
_WHOLE = re.compile(r"[+-]?\d{1,9}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_URL = re.compile(r"https?://[!-~]{1,2000}", re.ASCII)
_MOST_REMINDERS = 20
_AN_ADDRESS = "write jo@example.org, or Jo Doe <jo@example.org>"
_NOTHING = frozenset({"none", "no", "never", "off", "unlimited", "infinity"})
"""What people write who want a setting not to be there."""


def _duration(least: timedelta) -> Callable[[str], timedelta]:
    """What reads durations of at least this and at most a year."""

    def parse(text: str) -> timedelta:
        found = _DURATION.fullmatch(text) if text else None
        if found is not None:
            seconds = sum(float(found[unit]) * size for unit, (size, _) in _UNITS.items() if found[unit])
        elif _SECONDS.fullmatch(text):
            seconds = float(text)
        else:
            raise ValueError
        if not least.total_seconds() <= seconds <= YEAR.total_seconds():
            raise ValueError
        return timedelta(seconds=seconds)

    return parse


def _whole(low: int, high: int) -> Callable[[str], int]:
    """What reads whole numbers between these."""

    def parse(text: str) -> int:
        if not _WHOLE.fullmatch(text) or not low <= int(text) <= high:
            raise ValueError
        return int(text)

    return parse


def _word(*words: str) -> Callable[[str], str]:
    """What reads one of these words."""

    def parse(text: str) -> str:
        if text in words:
            return text
        near = difflib.get_close_matches(text.lower(), words, n=1)
        fault = f"must be {_alternatives(words)}, not {shortened(text)}"
        raise PropertyFault(fault, hint=f"did you mean {near[0]}?" if near else "", fix=near[0] if near else None)

    return parse


def _size(text: str) -> int:
    """A number of bytes; units are powers of 1024."""
    found = _SIZE.fullmatch(text)
    size = int(float(found[1]) * _FACTORS[found[2].upper()]) if found else 0
    if not _LEAST_SIZE <= size <= _MOST_SIZE:
        raise ValueError
    return size


def _limit(text: str) -> tuple[str, int]:
    """A name and how many at most."""
    found = _LIMIT.fullmatch(text)
    if found is None or not 1 <= (number := int(found[2] or 1)) <= 1000:
        raise ValueError
    return found[1], number


def _path(text: str) -> str:
    """A path on one line."""
    if not text or _CONTROL.search(text):
        raise ValueError
    return text


def _pattern(text: str) -> str:
    """A pattern of files."""
    if text.endswith("/"):
        raise PropertyFault(f"must name files, not a folder: {shortened(text)}", hint=f"write {shortened(text + '*')}")
    return _path(text)


def _value(text: str) -> str:
    """Text as a variable of the environment can have it."""
    if "\0" in text:
        raise ValueError
    return text


def _text(text: str) -> str:
    """Any text."""
    return text


def _addresses(text: str) -> tuple[str, ...]:
    """Mail addresses."""
    found = tuple(address.strip() for address in re.split(r"[,;]", text) if address.strip())
    if not found:
        raise ValueError
    for address in found:
        if parse_address(address) is None:
            raise PropertyFault(f"{shortened(address)} is no mail address that can be used", hint=_AN_ADDRESS)
    return found


def _reminders(text: str) -> tuple[timedelta, ...]:
    """Durations; none for ``never``."""
    if text == "never":
        return ()
    items = text.split(",")
    if len(items) > _MOST_REMINDERS:
        raise ValueError
    return tuple(_duration(timedelta(minutes=1))(item.strip()) for item in items)


def parse_url(text: str) -> str:
    """An address that can be called: ``http://`` or ``https://``, and a host; raises ValueError for others."""
    # Python's own reader takes nearly everything, and drops line ends without a word.
    if not _URL.fullmatch(text):
        raise ValueError
    try:
        parts = urlsplit(text)
        is_good = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good:
        raise ValueError
    return text


def _alternatives(words: tuple[str, ...]) -> str:
    """``a, b or c``."""
    return f"{', '.join(words[:-1])} or {words[-1]}"


# The table

_MISSED = ("once", "skip", "all")
_OVERLAPS = ("skip", "queue", "replace", "allow")
_ISOLATIONS = ("thread", "process")
_ANSWERS = ("no", "yes")
_SECOND = timedelta(seconds=1)
_NO_TIME = timedelta()
_MOMENT = timedelta(milliseconds=1)
_A_DURATION = "a duration such as 90s, 10m or 1h 30m"
_BY_THE_CALENDAR = "`at` and `every`"
_CHILDREN = "programs that job code spawns, and isolated runs"
_EXPRESSIONS = (
    "calendar expressions of five fields, as in a crontab, such as * 9-17 * * 1-5; a semicolon separates several"
)

PORTABLES: tuple[Portable, ...] = (
    Portable(
        name="when.zone",
        expects="a time zone of IANA such as Europe/Berlin",
        default="UTC",
        applies_to="`at`; with `when.only` or `when.not` also `every`",
        description=(
            "The zone whose clocks `at`, `when.only` and `when.not` go by. Where these are put forward, what they skip "
            "is due at the first full minute after; where they are put back, what is there twice is due once."
        ),
        parse=parse_zone,
        example="Europe/Berlin",
    ),
    Portable(
        name="when.only",
        expects=_EXPRESSIONS,
        default="always",
        applies_to=_BY_THE_CALENDAR,
        description=(
            "The minutes at which the execute may be due: times of `at` at others are left out; an interval that ends "
            "at others goes on until the next of these."
        ),
        parse=parse_expressions,
        example="* * * * MON#1",
    ),
    Portable(
        name="when.not",
        expects=_EXPRESSIONS,
        default="never",
        applies_to=_BY_THE_CALENDAR,
        description="The minutes at which the execute may not be due, even if `when.only` has them.",
        parse=parse_expressions,
        example="* 12-13 * * *; * * 24-26 12 *",
    ),
    Portable(
        name="when.missed",
        expects=_alternatives(_MISSED),
        default="once",
        applies_to=_BY_THE_CALENDAR,
        description=(
            "What to do about instants that passed unserved, as while no daemon ran or the machine slept: one run for "
            "all of them, none, or one run for each, one after the other."
        ),
        parse=_word(*_MISSED),
        example="skip",
    ),
    Portable(
        name="when.grace",
        expects=f"{_A_DURATION}, from a second to a year",
        default="60 s with `when.missed` = skip, else no limit",
        applies_to=_BY_THE_CALENDAR,
        description="How late a run may still begin; what is later counts as missed for good.",
        parse=_duration(_SECOND),
        example="2h",
    ),
    Portable(
        name="when.jitter",
        expects=f"{_A_DURATION}, at most a year",
        applies_to=_BY_THE_CALENDAR,
        description=(
            "Puts times of `at`, and the first instant of an interval, off by a delay of at most this. It follows from "
            "the execute's key and is always the same, so that jobs with like times do not all start at once."
        ),
        parse=_duration(_NO_TIME),
        example="15m",
    ),
    Portable(
        name="when.files",
        expects="a pattern of paths such as data/*.fits, relative to the resdir; ** stands for any folders",
        applies_to=_BY_THE_CALENDAR,
        description=(
            "Runs only when there are files that fit and that no successful run has had; job code finds their paths in "
            "`execDef.newFiles`."
        ),
        parse=_pattern,
        example="incoming/*.fits",
    ),
    Portable(
        name="when.settle",
        expects=f"{_A_DURATION}, at most a year",
        default="60 s",
        applies_to="executes with `when.files`",
        description="How long a file must have kept its size and time before it counts as complete.",
        parse=_duration(_NO_TIME),
        example="10m",
    ),
    Portable(
        name="run.timeout",
        expects=f"{_A_DURATION}, more than 0 and at most a year",
        description=(
            "How long a run may take. Then its programs are ended, with all that they have started, and so is an "
            "isolated run; other job code is asked to end (`execDef.cancelled`)."
        ),
        parse=_duration(_MOMENT),
        example="1h 30m",
    ),
    Portable(
        name="run.overlap",
        expects=_alternatives(_OVERLAPS),
        default="skip",
        description=(
            "What to do where a job is due while its run before still goes on: leave it out, run it afterwards (one "
            "waits at most), end the run before and run it then, or run both at once."
        ),
        parse=_word(*_OVERLAPS),
        example="queue",
    ),
    Portable(
        name="run.retries",
        expects="a whole number from 0 to 100",
        default="0",
        description="How often to try again what failed or took too long.",
        parse=_whole(0, 100),
        example="3",
    ),
    Portable(
        name="run.retryDelay",
        expects=f"{_A_DURATION}, at most a year",
        default="60 s",
        applies_to="executes with `run.retries`",
        description="How long to wait before the first of these; each later one waits twice as long, up to an hour.",
        parse=_duration(_NO_TIME),
        example="5m",
    ),
    Portable(
        name="run.isolate",
        expects=_alternatives(_ISOLATIONS),
        default="thread",
        description=(
            "Where job code runs: on a thread of the daemon, or in a process of its own, which can be ended and "
            "limited."
        ),
        parse=_word(*_ISOLATIONS),
        example="process",
    ),
    Portable(
        name="run.limit",
        expects="a name and, if it is not 1, a number up to 1000, such as archive 2",
        description="At most so many runs with a limit of this name, in whatever RDs, go on at the same time.",
        parse=_limit,
        example="archive 2",
    ),
    Portable(
        name="run.priority",
        expects="a whole number from -1000 to 1000",
        default="0",
        description="Who comes first where several are due and not all can run at once: the higher number.",
        parse=_whole(-1000, 1000),
        example="10",
    ),
    Portable(
        name="run.workdir",
        expects="a path, relative to the resdir",
        default="the resdir",
        applies_to=_CHILDREN,
        description="The working directory.",
        parse=_path,
        example="work",
    ),
    Portable(
        name=f"{ENV}{NAMED}",
        expects="text",
        applies_to=_CHILDREN,
        description="Sets the variable `NAME` of the environment, beside those that the daemon has.",
        parse=_value,
        example="4",
    ),
    Portable(
        name="run.niceness",
        expects="a whole number from 0 to 19",
        default="that of the daemon",
        applies_to=_CHILDREN,
        description="How far they step back for others when the processors are busy: 19 is furthest.",
        parse=_whole(0, 19),
        example="10",
    ),
    Portable(
        name="run.memory",
        expects="a size such as 500M or 2G (powers of 1024), from 16M to 1024T",
        applies_to=_CHILDREN,
        description="How much memory each of these processes may have; one that wants more fails.",
        parse=_size,
        example="2G",
    ),
    Portable(name="run.where", expects="text", description="For later versions.", parse=_text, is_for_later=True),
    Portable(
        name="mail.to",
        expects="mail addresses, such as jo@example.org or Jo <jo@example.org>, separated by commas",
        default="the setting `mail_to`",
        description="Who is told when something goes wrong, in place of those whom the settings name.",
        parse=_addresses,
        example="jo@example.org, ops@example.org",
    ),
    Portable(
        name="mail.after",
        expects="a whole number from 1 to 1000",
        default="1",
        description=(
            "How many runs in a row must have failed before anybody is told. A run that is tried again (`run.retries`) "
            "counts as failed when its last attempt has."
        ),
        parse=_whole(1, 1000),
        example="3",
    ),
    Portable(
        name="mail.remind",
        expects="durations of a minute or more, separated by commas, such as 1h, 1d, 7d, or never",
        default="1h, 1d, 7d",
        description=(
            "How long after a mail the next one reminds of what goes wrong still; the last of them is kept to from "
            "then on."
        ),
        parse=_reminders,
        example="12h, 3d",
    ),
    Portable(
        name="mail.locals",
        expects=_alternatives(_ANSWERS),
        default="no",
        applies_to="executes whose job code raises exceptions",
        description=(
            "Whether tracebacks show the values of local variables. These may be private: they are kept with the runs, "
            "and mailed."
        ),
        parse=_word(*_ANSWERS),
        example="yes",
    ),
    Portable(
        name="mail.ping",
        expects="the address of a check, beginning with https:// or http://",
        description=(
            "An address that is called when a run begins (with `/start` at its end), has succeeded, or has failed "
            "(with `/fail`), in the way of Healthchecks. Who watches it learns also of runs that never begin."
        ),
        parse=parse_url,
        example="https://hc-ping.example.org/6f6e0f5b-2a56-4d5c-9d2e-0a1b2c3d4e5f",
    ),
)
"""All portable properties, in the order of the reference."""

_BY_NAME: Mapping[str, Portable] = MappingProxyType({portable.name: portable for portable in PORTABLES})


def find_portable(name: str) -> Portable:
    """The portable property of this name; raises PropertyFault where there is none, with the span in the name."""
    variable = name.removeprefix(ENV) if name.startswith(ENV) else None
    if variable is not None:
        if not _VARIABLE.fullmatch(variable):
            hint = "a variable's name has ASCII letters, digits and underscores, and no digit first"
            fault = f"not a name for a variable of the environment: {shortened(variable)}"
            raise PropertyFault(fault, start=len(ENV), hint=hint)
        return _BY_NAME[f"{ENV}{NAMED}"]
    if name in _BY_NAME and not name.endswith(NAMED):
        return _BY_NAME[name]
    known = {each.lower(): each for each in _BY_NAME}
    near = difflib.get_close_matches(name.lower(), known, n=1)
    meant = known[near[0]] if near else ""
    hint = f"did you mean {meant}?" if meant else f"names that begin with {_alternatives(PREFIXES)} are for gavo-exec"
    # What is only somewhat like it is for people to look at.
    is_plain = bool(difflib.get_close_matches(name.lower(), near, cutoff=0.85)) and not meant.endswith(NAMED)
    raise PropertyFault(f"there is no setting {shortened(name)[1:-1]}", hint=hint, fix=meant if is_plain else None)


@lru_cache(maxsize=1000)
def parse_property(name: str, text: str) -> Any:
    """What a property's text means, blanks around it left out; raises PropertyFault for texts and names in error.

    Durations become ``timedelta``, sizes and other numbers ``int``, a limit a name and a number, all else ``str``.
    """
    portable = find_portable(name)
    bare = text.strip()
    start = text.index(bare)
    end = start + len(bare) if bare else len(text)
    try:
        return portable.parse(bare)
    except PropertyFault as fault:
        span = (start + fault.start, end if fault.end is None else start + fault.end)
        raise PropertyFault(f"{name} {fault}", start=span[0], end=span[1], hint=fault.hint, fix=fault.fix) from None
    except ScheduleSyntaxError as fault:
        span = (start + fault.start, start + fault.end)
        raise PropertyFault(f"{name}: {fault}", start=span[0], end=span[1], hint=fault.hint, fix=fault.fix) from None
    except ValueError:
        message = f"{name} must be {portable.expects}, not {shortened(bare)}"
        hint = "leave it out, or write __NULL__ to unset a default" if bare.lower() in _NOTHING else ""
        raise PropertyFault(message, start=start, end=end, hint=hint) from None
