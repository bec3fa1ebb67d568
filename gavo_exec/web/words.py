"""How things are said on pages; nothing that comes from elsewhere has any power over a page."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Final

from gavo_exec.control_views import JobLine
from gavo_exec.model import Outcome
from gavo_exec.schedule.every import in_words

_ESCAPES: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-_])")
# Also what turns the direction of writing round, and halves of characters, which UTF-8 does not have.
_CONTROLS: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
NOTHING: Final = "\N{EN DASH}"
_OVERDUE: Final = timedelta(minutes=1)


class State(Enum):
    """How a job stands, the worst first: what to look at comes before what runs, and that before the rest."""

    BROKEN = "broken RD"
    FAILING = "failing"
    OVERDUE = "overdue"
    RUNNING = "running"
    PAUSED = "paused"
    GOOD = "good"
    NEW = "no run yet"

    @property
    def kind(self) -> str:
        """One of bad, warn, busy, still, good, none: how it is coloured."""
        return _KINDS[self]


_KINDS: Final = {
    State.BROKEN: "bad",
    State.FAILING: "bad",
    State.OVERDUE: "warn",
    State.RUNNING: "busy",
    State.PAUSED: "still",
    State.GOOD: "good",
    State.NEW: "none",
}

ORDER: Final = tuple(State)


def state_of(job: JobLine, now: datetime) -> State:
    """How a job stands."""
    if job.held_back:
        return State.BROKEN
    if job.last_run is not None and job.last_run.outcome is not None and job.last_run.outcome.is_bad:
        return State.FAILING
    if job.running_since is not None:
        return State.RUNNING
    if job.pause is not None:
        return State.PAUSED
    if job.due is not None and now - job.due > _OVERDUE:
        return State.OVERDUE
    return State.NEW if job.last_run is None else State.GOOD


def outcome_kind(outcome: Outcome | None) -> str:
    """How an outcome is coloured."""
    if outcome is None:
        return "busy"
    if outcome.is_bad:
        return "bad"
    return "good" if outcome is Outcome.SUCCEEDED else "warn"


def outcome_words(outcome: Outcome | None) -> str:
    """``succeeded``, ``timed out``; ``running`` where it has not ended."""
    return "running" if outcome is None else outcome.value.replace("_", " ")


def block(text: str) -> str:
    """The text with its lines, but without anything that has power over what shows it."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", _ESCAPES.sub("", re.sub(r"\r+\n?", "\n", text)))


def line(text: str) -> str:
    """The same on one line, of a thousand characters at most."""
    text = " ".join(block(text[:4000]).split())
    return text if len(text) <= 1000 else f"{text[:999]}…"


def instant(moment: datetime | None) -> str:
    """``2026-01-31 07:30:00``, in UTC."""
    return NOTHING if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def seconds(value: float | None) -> str:
    """``1 h 30 min``; below ten seconds with fractions."""
    if value is None:
        return NOTHING
    if value < 10:
        return f"{max(value, 0.0):.2g} s" if value >= 0.001 else "0 s"
    whole = round(value)
    for size, unit in ((86_400, 3600), (3600, 60)):
        if whole >= size:
            return in_words(whole - whole % unit)
    return in_words(whole)


def until(moment: datetime | None, now: datetime) -> str:
    """``in 2 h``, ``3 min ago``."""
    if moment is None:
        return NOTHING
    away = (moment - now).total_seconds()
    return f"in {seconds(away)}" if away > 0 else f"{seconds(-away)} ago" if away < -1 else "now"


def bounded(text: str, limit: int, mask: Callable[[str], str]) -> tuple[str, int]:
    """The beginning and the end of a text, masked, and how many characters are left out between them."""
    text = mask(text)
    if len(text) <= limit:
        return block(text), 0
    half = limit // 2
    left_out = len(text) - 2 * half
    return block(f"{text[:half]}\n[... {left_out:,} characters left out ...]\n{text[-half:]}"), left_out
