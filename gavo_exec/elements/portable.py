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

import msgspec

from gavo_exec.elements.values import (
    PropertyFault,
    addresses,
    alternatives,
    any_text,
    duration,
    limit,
    one_of,
    parse_url,
    path_on_a_line,
    pattern_of_files,
    reminders,
    size,
    variable_value,
    whole_number,
)
from gavo_exec.errors import shortened
from gavo_exec.schedule import ScheduleSyntaxError, parse_expressions, parse_zone

PREFIXES = ("when.", "run.", "mail.")
"""Names that begin like this are kept for settings."""
ENV = "run.env."
"""Names that begin like this set a variable of the environment."""
NAMED = "NAME"
"""What stands in the table for the name of that variable."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
_NOTHING = frozenset({"none", "no", "never", "off", "unlimited", "infinity"})
"""What people write who want a setting not to be there."""


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
        expects=alternatives(_MISSED),
        default="once",
        applies_to=_BY_THE_CALENDAR,
        description=(
            "What to do about instants that passed unserved, as while no daemon ran or the machine slept: one run for "
            "all of them, none, or one run for each, one after the other."
        ),
        parse=one_of(*_MISSED),
        example="skip",
    ),
    Portable(
        name="when.grace",
        expects=f"{_A_DURATION}, from a second to a year",
        default="60 s with `when.missed` = skip, else no limit",
        applies_to=_BY_THE_CALENDAR,
        description="How late a run may still begin; what is later counts as missed for good.",
        parse=duration(_SECOND),
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
        parse=duration(_NO_TIME),
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
        parse=pattern_of_files,
        example="incoming/*.fits",
    ),
    Portable(
        name="when.settle",
        expects=f"{_A_DURATION}, at most a year",
        default="60 s",
        applies_to="executes with `when.files`",
        description="How long a file must have kept its size and time before it counts as complete.",
        parse=duration(_NO_TIME),
        example="10m",
    ),
    Portable(
        name="run.timeout",
        expects=f"{_A_DURATION}, more than 0 and at most a year",
        description=(
            "How long a run may take. Then its programs are ended, with all that they have started, and so is an "
            "isolated run; other job code is asked to end (`execDef.cancelled`)."
        ),
        parse=duration(_MOMENT),
        example="1h 30m",
    ),
    Portable(
        name="run.overlap",
        expects=alternatives(_OVERLAPS),
        default="skip",
        description=(
            "What to do where a job is due while its run before still goes on: leave it out, run it afterwards (one "
            "waits at most), end the run before and run it then, or run both at once."
        ),
        parse=one_of(*_OVERLAPS),
        example="queue",
    ),
    Portable(
        name="run.retries",
        expects="a whole number from 0 to 100",
        default="0",
        description="How often to try again what failed or took too long.",
        parse=whole_number(0, 100),
        example="3",
    ),
    Portable(
        name="run.retryDelay",
        expects=f"{_A_DURATION}, at most a year",
        default="60 s",
        applies_to="executes with `run.retries`",
        description="How long to wait before the first of these; each later one waits twice as long, up to an hour.",
        parse=duration(_NO_TIME),
        example="5m",
    ),
    Portable(
        name="run.isolate",
        expects=alternatives(_ISOLATIONS),
        default="thread",
        description=(
            "Where job code runs: on a thread of the daemon, or in a process of its own, which can be ended and "
            "limited."
        ),
        parse=one_of(*_ISOLATIONS),
        example="process",
    ),
    Portable(
        name="run.limit",
        expects="a name and, if it is not 1, a number up to 1000, such as archive 2",
        description="At most so many runs with a limit of this name, in whatever RDs, go on at the same time.",
        parse=limit,
        example="archive 2",
    ),
    Portable(
        name="run.priority",
        expects="a whole number from -1000 to 1000",
        default="0",
        description="Who comes first where several are due and not all can run at once: the higher number.",
        parse=whole_number(-1000, 1000),
        example="10",
    ),
    Portable(
        name="run.workdir",
        expects="a path, relative to the resdir",
        default="the resdir",
        applies_to=_CHILDREN,
        description="The working directory.",
        parse=path_on_a_line,
        example="work",
    ),
    Portable(
        name=f"{ENV}{NAMED}",
        expects="text",
        applies_to=_CHILDREN,
        description="Sets the variable `NAME` of the environment, beside those that the daemon has.",
        parse=variable_value,
        example="4",
    ),
    Portable(
        name="run.niceness",
        expects="a whole number from 0 to 19",
        default="that of the daemon",
        applies_to=_CHILDREN,
        description="How far they step back for others when the processors are busy: 19 is furthest.",
        parse=whole_number(0, 19),
        example="10",
    ),
    Portable(
        name="run.memory",
        expects="a size such as 500M or 2G (powers of 1024), from 16M to 1024T",
        applies_to=_CHILDREN,
        description="How much memory each of these processes may have; one that wants more fails.",
        parse=size,
        example="2G",
    ),
    Portable(name="run.where", expects="text", description="For later versions.", parse=any_text, is_for_later=True),
    Portable(
        name="mail.to",
        expects="mail addresses, such as jo@example.org or Jo <jo@example.org>, separated by commas",
        default="the setting `mail_to`",
        description="Who is told when something goes wrong, in place of those whom the settings name.",
        parse=addresses,
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
        parse=whole_number(1, 1000),
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
        parse=reminders,
        example="12h, 3d",
    ),
    Portable(
        name="mail.locals",
        expects=alternatives(_ANSWERS),
        default="no",
        applies_to="executes whose job code raises exceptions",
        description=(
            "Whether tracebacks show the values of local variables. These may be private: they are kept with the runs, "
            "and mailed."
        ),
        parse=one_of(*_ANSWERS),
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
    hint = f"did you mean {meant}?" if meant else f"names that begin with {alternatives(PREFIXES)} are for gavo-exec"
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
