"""Pieces of what mails say, which several kinds of them have."""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote

from msgspec.structs import replace

from gavo_exec.incidents import Incident, Kind, State, reminder_at
from gavo_exec.model import Run
from gavo_exec.services.mail.content import Block, Commands, Headline, Lines, Link, Words
from gavo_exec.services.mail.envelope import MailPolicy
from gavo_exec.services.mail.items import Item
from gavo_exec.services.mail.texts import (
    block,
    command,
    duration,
    instant,
    listing,
    moment,
    one_line,
    ordinal,
    plural,
)

TAIL_LINES, TAIL_CHARACTERS = 60, 16_384
"""How much of a run's output a mail shows: its end."""


def identity_of(items: Sequence[Item]) -> tuple[str, ...]:
    """What makes the mail about these incidents, as they stand now, unlike any other."""
    return tuple(f"{item.incident.identity} {item.incident.told}" for item in items)


def headline_of(item: Item, *, now: datetime) -> tuple[Headline, str]:
    """How an incident stands, in a word and the cause; and what the subject says of it beside that."""
    incident = item.incident
    state, cause = incident.shown_state, one_line(incident.cause)
    if state is State.RECOVERED and incident.over_at is not None:
        lasted = duration((incident.over_at - incident.since).total_seconds())
        what = f"{plural(item.executes, 'job')} in force" if incident.kind is Kind.RD else _times(incident)
        return Headline(state.words, f"after {lasted}, {what}", tone="good"), ""
    note = ""
    if incident.count > 1 and incident.kind is Kind.JOB:
        note = f" ({ordinal(incident.count)} time since {moment(incident.since, now)})"
    if incident.over_at is not None:
        is_rd = incident.kind is Kind.RD
        gone = "its file is gone since" if is_rd else "its execute is gone since"
        note = f" ({gone if incident.gone else f'good again since {moment(incident.over_at, now)}'})"
    return Headline(state.words, cause), note


def _times(incident: Incident) -> str:
    """How often it has happened."""
    return plural(incident.count, "failure") if incident.count else "1 failure"


def excerpt_of(incident: Incident) -> Lines:
    """The lines of the RD around the one that failed."""
    circumstances = incident.circumstances
    numbers = [number for number, _ in circumstances.excerpt]
    if not numbers:
        return Lines("", [])
    width = len(str(max(numbers)))
    marked = next((place for place, number in enumerate(numbers) if number == circumstances.marked), None)
    lines = [f"{number:>{width}} | {listing(text)}".rstrip() for number, text in circumstances.excerpt]
    name = f"{one_line(circumstances.excerpt_path, limit=300)}, line {circumstances.marked}"
    return Lines(name, lines, marked, gutter=width + len(" | "))


def what_comes_next(incident: Incident, *, now: datetime) -> list[Block]:
    """When the next mail about an incident comes."""
    if incident.over_at is not None or incident.kind not in (Kind.JOB, Kind.RD):
        return []
    good = "when it has succeeded" if incident.kind is Kind.JOB else "when it is mended"
    planned = reminder_at(_as_told(incident, now))
    if planned is None:
        return [Words([f"The next mail about it comes {good}."])]
    return [Words([f"The next mail about it comes {good}, or else on {instant(planned)}."])]


def _as_told(incident: Incident, now: datetime) -> Incident:
    return replace(incident, told=incident.told + 1, told_at=now)


def word_of(incident: Incident) -> str:
    """What the line is called that says since when."""
    return {Kind.MISSED: "Missed", Kind.RD: "Broken"}.get(incident.kind, "Failed")


def since_of(incident: Incident) -> str:
    """How often it has happened since when; '' for the first time."""
    if incident.count <= 1 and incident.over_at is None:
        return ""
    times = plural(max(incident.count, 1), "time")
    return f"{times} since {instant(incident.since)}" if incident.count > 1 else f"once, {instant(incident.since)}"


def over_of(incident: Incident) -> str:
    """Since when it is over, where nobody knows of it yet."""
    if incident.over_at is None:
        return ""
    return f"{'gone' if incident.gone else 'good again'} since {instant(incident.over_at)}"


def last_success_of(incident: Incident) -> str:
    """When a job has succeeded last."""
    if incident.kind is not Kind.JOB or incident.over_at is not None:
        return ""
    return instant(incident.last_success_at) if incident.last_success_at else "none is on record"


def facts_of_run(run: Run, *, policy: MailPolicy) -> list[tuple[str, str]]:
    """What, where and when."""
    return [
        ("Job", one_line(run.key, limit=500)),
        ("Title", one_line(run.title, limit=500)),
        ("Host", one_line(run.host or policy.host)),
        *facts_of_times(run),
        ("Run", one_line(run.run_id)),
    ]


def facts_of_times(run: Run) -> list[tuple[str, str]]:
    """When a run was due, when it ran, and what it returned."""
    attempt = f", attempt {run.attempt}" if run.attempt > 1 else ""
    due = ("Due", f"{instant(run.due)} ({run.reason.value.replace('_', ' ')}{attempt})")
    if run.started_at is None:
        return [due, ("Started", "not at all")]
    return [
        due,
        ("Started", instant(run.started_at)),
        ("Ended", _ended(run)),
        ("Returned", "" if run.returncode is None else str(run.returncode)),
    ]


def _ended(run: Run) -> str:
    """When a run ended, and after how long."""
    if run.finished_at is None or run.duration_seconds is None:
        return "" if run.finished_at is None else instant(run.finished_at)
    return f"{instant(run.finished_at)}, after {duration(run.duration_seconds)}"


def attempt_of(run: Run) -> str:
    """An earlier attempt in one line."""
    outcome = "" if run.outcome is None else run.outcome.value.replace("_", " ")
    cause = one_line(run.error.partition("\n")[0])
    return f"{run.attempt}: {instant(run.started_at or run.due)} {outcome}: {cause}  (run {one_line(run.run_id)})"


def output_of(run: Run) -> Block:
    """The end of a run's output."""
    if not run.output:
        return Words(["There was no output."])
    return Lines("Output", block(run.output, lines=TAIL_LINES, characters=TAIL_CHARACTERS))


def is_cut(shown: Sequence[str]) -> bool:
    """Whether a block does not have all of its text."""
    return bool(shown) and (
        (shown[0].startswith("[") and shown[0].endswith(" before this left out]"))
        or any(line.endswith(" characters more]") for line in shown)
    )


def commands_for(run_id: str, key: str) -> Commands:
    """How to look at a run, and how to run its job again."""
    looks = [("To see all of it", command("show", run_id))] if run_id else []
    return Commands([*looks, ("To run it again", command("execute", key))])


def link_of(policy: MailPolicy, page: str = "", about: str = "") -> list[Block]:
    """Where the dashboard is, if there is one: its page about this, unless the address is more than where it begins."""
    address = policy.dashboard_url
    if address and page and not set("?#") & set(address):
        address = f"{address.rstrip('/')}/{page}{quote(about, safe='', errors='replace')}"
    return [Link("Dashboard", address)] if address else []
