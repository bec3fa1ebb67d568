"""Stories of incidents, played without anything round them: what happens, and what is told of it when."""

import re
from datetime import UTC, datetime, timedelta

from gavo_exec.elements.portable import parse_property
from gavo_exec.incidents import Incident, Kind, State, ended, joined, removed, told

NOW = datetime(2024, 5, 1, 0, 0, 0, tzinfo=UTC)
LAST = timedelta(days=16)

_BAD = {
    "fail": (Kind.JOB, State.FAILED),
    "timeout": (Kind.JOB, State.TIMED_OUT),
    "interrupt": (Kind.JOB, State.INTERRUPTED),
    "overdue": (Kind.JOB, State.OVERDUE),
    "miss": (Kind.MISSED, State.MISSED),
    "stall": (Kind.STALL, State.STALLED),
    "trouble": (Kind.TROUBLE, State.TROUBLE),
    "broken": (Kind.RD, State.BROKEN_RD),
}
_UNITS = {"d": 86_400, "h": 3600, "m": 60}


def at(text: str) -> datetime:
    """``1d2h3m`` after NOW."""
    return NOW + timedelta(
        seconds=sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+)([dhm])", text))
    )


def offset(instant: datetime) -> str:
    """``1d2h3m``, as instants stand in stories."""
    minutes = round((instant - NOW).total_seconds() / 60)
    days, minutes = divmod(minutes, 1440)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{number}{unit}" for number, unit in ((days, "d"), (hours, "h"), (minutes, "m")) if number]
    return "".join(parts) or "0m"


class Teller:
    """One subject's incident, told as soon as it may be, or so much later."""

    def __init__(self, late: timedelta = timedelta(0)) -> None:
        self.incident: Incident | None = None
        self.late = late
        self.tellings: list[tuple[datetime, Incident]] = []

    def tell_until(self, instant: datetime, *, including: bool) -> None:
        """Tell what is to be told by then."""
        while (incident := self.incident) is not None and incident.tell_at is not None:
            due = incident.tell_at + self.late
            if due > instant or (due == instant and not including):
                return
            self.tellings.append((due, incident))
            self.incident = told(incident, at=due, message_id=f"<{len(self.tellings)}@x>")

    def happen(self, fresh: Incident) -> None:
        self.incident = joined(self.incident, fresh)

    def end(self, instant: datetime, *, gone: bool = False) -> None:
        if self.incident is not None:
            self.incident = (removed if gone else ended)(self.incident, at=instant)


def play(story: str) -> list[str]:
    """What is told of a story: when, in which state, and how many occurrences were known."""
    settings = dict(re.findall(r"(after|remind|late)=(\S+)", story))
    story = re.sub(r"(after|remind|late)=\S+ *", "", story)
    late = at(settings["late"]) - NOW if "late" in settings else timedelta(0)
    reminders = parse_property("mail.remind", settings.get("remind", "1h, 1d, 7d"))
    teller = Teller(late)
    for line in story.split(";"):
        verb, when = line.split()
        verb, _, digest = verb.partition("=")
        instant = at(when)
        # What happens at the same instant happens before it is told.
        teller.tell_until(instant, including=False)
        if verb in _BAD:
            kind, state = _BAD[verb]
            teller.happen(
                Incident(
                    kind=kind,
                    about="q#a",
                    state=state,
                    since=instant,
                    at=instant,
                    after=int(settings.get("after", "1")),
                    reminders=reminders,
                    digests=(digest,) if digest else (),
                )
            )
        else:
            teller.end(instant, gone=verb in {"gone", "removed"})
    teller.tell_until(NOW + LAST, including=True)
    return [shown(instant, incident) for instant, incident in teller.tellings]


def shown(instant: datetime, incident: Incident) -> str:
    """A telling in words."""
    state = incident.shown_state
    over = incident.over_at is not None and state is not State.RECOVERED
    how = (" gone" if incident.gone else " over") if over else ""
    return f"{offset(instant)} {state.words} {incident.count}{how}"
