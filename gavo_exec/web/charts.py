"""Drawings, as SVG made here: the coming day, the past days of a job, how long its runs took.

Colours and sizes are classes of the style sheet's, since pages allow no styles of their own.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from markupsafe import Markup

from gavo_exec.model import Outcome
from gavo_exec.past import DayOfRuns
from gavo_exec.web.words import outcome_kind, outcome_words, seconds

_QUARTERS: Final = 96
_CELL: Final = 6


def coming_day(dues: Iterable[datetime], now: datetime) -> Markup:
    """How many jobs are due next in each quarter of an hour of the coming day."""
    counts = [0] * _QUARTERS
    for due in dues:
        quarter = int((due - now) / timedelta(minutes=15))
        if 0 <= quarter < _QUARTERS:
            counts[quarter] += 1
        elif due < now:
            counts[0] += 1
    most = max(counts) or 1
    bars = []
    for n, count in enumerate(counts):
        if count:
            height = max(3, round(40 * count / most))
            bars.append(f"M{n * 10 + 1} {44 - height}h8v{height}h-8z")
    ticks = []
    first = (now + timedelta(hours=1)).replace(minute=0, second=0, microsecond=0)
    for hour in range(24):
        at = first + timedelta(hours=hour)
        if at.hour % 3 == 0:
            x = (at - now) / timedelta(days=1) * 960
            # Neither the first nor the last label is cut off.
            if 20 < x < 940:
                ticks.append(f'<line class="tick" x1="{x:.0f}" x2="{x:.0f}" y1="0" y2="44"/>')
                ticks.append(f'<text x="{x:.0f}" y="58">{at:%H:%M}</text>')
    total = sum(counts)
    label = f"{total} of the jobs are due in the coming 24 hours" + (
        f", most at once {most} in a quarter of an hour" if total else ""
    )
    return Markup(  # noqa: S704 -- made of numbers alone
        f'<svg class="day" viewBox="0 0 960 62" role="img" aria-label="{label}">{"".join(ticks)}'
        f'<path class="busy" d="{"".join(bars)}"/><line class="axis" x1="0" x2="960" y1="44.5" y2="44.5"/></svg>'
    )


def mark(due: datetime | None, now: datetime) -> Markup:
    """Where in the coming day one job is due; an empty line where it is not."""
    x = None if due is None else (due - now) / timedelta(days=1) * 96
    dot = f'<circle class="busy" cx="{max(3.0, min(x, 93.0)):.1f}" cy="6" r="3"/>' if x is not None and x <= 96 else ""
    return Markup(  # noqa: S704 -- made of numbers alone
        f'<svg class="mark" viewBox="0 0 96 12" aria-hidden="true"><line class="axis" x1="0" x2="96" y1="6" y2="6"/>'
        f"{dot}</svg>"
    )


def strip(days: Sequence[DayOfRuns | None]) -> Markup:
    """The past days of a job, the last one at the right; what went wrong is taller, so that colour is not all."""
    shapes: dict[str, list[str]] = {}
    counted: dict[str, int] = {}
    for n, day in enumerate(reversed(days)):
        kind = "none" if day is None else "bad" if day.bad else outcome_kind(day.outcome)
        counted[kind] = counted.get(kind, 0) + 1
        top, height = {"bad": (0, 18), "warn": (4, 10), "none": (8, 2)}.get(kind, (6, 6))
        shapes.setdefault(kind, []).append(f"M{n * _CELL} {top}h{_CELL - 1}v{height}h-{_CELL - 1}z")
    paths = "".join(f'<path class="{kind}" d="{"".join(parts)}"/>' for kind, parts in shapes.items())
    words = {"bad": "with failures", "warn": "left out", "good": "good", "none": "without runs"}
    label = f"{len(days)} days: " + ", ".join(f"{counted[kind]} {words[kind]}" for kind in words if kind in counted)
    return Markup(  # noqa: S704 -- made of numbers and our words
        f'<svg class="strip" viewBox="0 0 {len(days) * _CELL} 18" role="img" aria-label="{label}">{paths}</svg>'
    )


class Dot:
    """A run in the plot of durations."""

    def __init__(self, *, seconds: float, outcome: Outcome | None, href: str) -> None:
        self.seconds = seconds
        self.outcome = outcome
        self.href = href


def durations(dots: Sequence[Dot], *, p50: float | None, p95: float | None) -> Markup:
    """How long the last runs took, the latest at the right, each a link to its page."""
    if not dots:
        return Markup("")
    most = max(*(dot.seconds for dot in dots), p95 or 0.0, 0.001)
    parts = []
    for name, value in (("p50", p50), ("p95", p95)):
        if value is not None:
            y = 104 - 96 * value / most
            parts.append(f'<line class="level" x1="0" x2="960" y1="{y:.1f}" y2="{y:.1f}"/>')
            parts.append(f'<text class="level" x="956" y="{max(y - 3, 10):.1f}">{name} {seconds(value)}</text>')
    step = 880 / max(len(dots), 20)
    for n, dot in enumerate(reversed(dots)):
        x, y = 8 + step * n + (max(len(dots), 20) - len(dots)) * step, 104 - 96 * dot.seconds / most
        kind, words = outcome_kind(dot.outcome), f"{outcome_words(dot.outcome)} in {seconds(dot.seconds)}"
        shape = (
            f'<path class="bad" d="M{x - 5:.1f} {y + 4:.1f}h10l-5 -10z"/>'
            if kind == "bad"
            else f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>'
        )
        parts.append(f'<a href="{dot.href}" aria-label="{words}">{shape}</a>')
    label = f"How long the last {len(dots)} runs took: the longest {seconds(max(dot.seconds for dot in dots))}"
    return Markup(  # noqa: S704 -- numbers, our words, and addresses that are quoted
        f'<svg class="durations" viewBox="0 0 960 112" role="group" aria-label="{label}">'
        f'<line class="axis" x1="0" x2="960" y1="108.5" y2="108.5"/>{"".join(parts)}</svg>'
    )


def favicon(kind: str) -> str:
    """The icon of the page, as one sees it in a row of tabs: shapes differ as colours do."""
    shape, colour = {
        "bad": ('<path d="M9 9l14 14M23 9L9 23" stroke="#fff" stroke-width="4"/>', "#b3261e"),
        "warn": ('<path d="M16 7v11M16 21v4" stroke="#fff" stroke-width="4"/>', "#9a6700"),
    }.get(kind, ('<path d="M8 17l5 6 11-13" stroke="#fff" stroke-width="4" fill="none"/>', "#1b6e3c"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
        f'<circle cx="16" cy="16" r="16" fill="{colour}"/>{shape}</svg>'
    )
