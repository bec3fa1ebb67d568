"""What settings that are properties may be: what reads their texts, and what is wrong with those it cannot read.

What a reader cannot read it refuses by ValueError, or by PropertyFault where there is more to say than what it expects.
"""

import difflib
import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit

from gavo_exec.addresses import parse_address
from gavo_exec.errors import GavoExecError, shortened

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
_WHOLE = re.compile(r"[+-]?\d{1,9}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_URL = re.compile(r"https?://[!-~]{1,2000}", re.ASCII)
_MOST_REMINDERS = 20
_AN_ADDRESS = "write jo@example.org, or Jo Doe <jo@example.org>"


def duration(least: timedelta) -> Callable[[str], timedelta]:
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


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """What reads whole numbers between these."""

    def parse(text: str) -> int:
        if not _WHOLE.fullmatch(text) or not low <= int(text) <= high:
            raise ValueError
        return int(text)

    return parse


def one_of(*words: str) -> Callable[[str], str]:
    """What reads one of these words."""

    def parse(text: str) -> str:
        if text in words:
            return text
        near = difflib.get_close_matches(text.lower(), words, n=1)
        fault = f"must be {alternatives(words)}, not {shortened(text)}"
        raise PropertyFault(fault, hint=f"did you mean {near[0]}?" if near else "", fix=near[0] if near else None)

    return parse


def size(text: str) -> int:
    """A number of bytes; units are powers of 1024."""
    found = _SIZE.fullmatch(text)
    size = int(float(found[1]) * _FACTORS[found[2].upper()]) if found else 0
    if not _LEAST_SIZE <= size <= _MOST_SIZE:
        raise ValueError
    return size


def limit(text: str) -> tuple[str, int]:
    """A name and how many at most."""
    found = _LIMIT.fullmatch(text)
    if found is None or not 1 <= (number := int(found[2] or 1)) <= 1000:
        raise ValueError
    return found[1], number


def path_on_a_line(text: str) -> str:
    """A path on one line."""
    if not text or _CONTROL.search(text):
        raise ValueError
    return text


def pattern_of_files(text: str) -> str:
    """A pattern of files."""
    if text.endswith("/"):
        raise PropertyFault(f"must name files, not a folder: {shortened(text)}", hint=f"write {shortened(text + '*')}")
    return path_on_a_line(text)


def variable_value(text: str) -> str:
    """Text as a variable of the environment can have it."""
    if "\0" in text:
        raise ValueError
    return text


def any_text(text: str) -> str:
    """Any text."""
    return text


def addresses(text: str) -> tuple[str, ...]:
    """Mail addresses."""
    found = tuple(address.strip() for address in re.split(r"[,;]", text) if address.strip())
    if not found:
        raise ValueError
    for address in found:
        if parse_address(address) is None:
            raise PropertyFault(f"has an address that cannot be used: {shortened(address)}", hint=_AN_ADDRESS)
    return found


def reminders(text: str) -> tuple[timedelta, ...]:
    """Durations; none for ``never``."""
    if text == "never":
        return ()
    if text.lower() in {"none", "no", "off", "never"}:
        raise PropertyFault(
            f"must be durations or never, not {shortened(text)}", hint="did you mean never?", fix="never"
        )
    items = text.split(",")
    if len(items) > _MOST_REMINDERS:
        raise ValueError
    return tuple(duration(timedelta(minutes=1))(item.strip()) for item in items)


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


def alternatives(words: tuple[str, ...]) -> str:
    """``a, b or c``."""
    return f"{', '.join(words[:-1])} or {words[-1]}"
