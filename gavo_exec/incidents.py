"""What goes wrong with whom, and when somebody is to be told of it: values, and what becomes of them; pure.

An incident begins when something goes wrong and is over when that is good again.  It is told when it begins (or, with
``mail.after``, when that has happened often enough), then at growing distance, then once more when it is over.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum

import msgspec

from gavo_exec.model import REMINDERS, Outcome

GATHERING = timedelta(seconds=0.25)
"""How long nothing more must have happened until what has happened is told."""
LONGEST_GATHERING = timedelta(seconds=2)
"""How long more can put that off."""
BETWEEN_MAILS = timedelta(minutes=1)
"""What happens so soon after a mail waits, and is told with all else that does, in one."""
CEILING_PERIOD = timedelta(hours=1)
"""The time for which there is a ceiling of mails."""

STALL_MEMORY = timedelta(days=1)
"""How long after it was told a stall at the same place, or the same trouble, is not told again."""
_ESCALATION = timedelta(hours=1)
"""How long after a mail a run that does not end is told although its job is known to fail."""
_MOST_DIGESTS = 100


class Kind(Enum):
    """What goes wrong, as far as it begins and ends by itself."""

    JOB = "job"  # runs fail, are cut off or do not end, until one succeeds
    MISSED = "missed"  # instants pass unserved, until one is served
    STALL = "stall"  # job code keeps everything else from running; told once a day for each place
    RD = "rd"  # an RD is broken, until it is mended
    TROUBLE = "trouble"  # something of the daemon's own went wrong; told once a day for each part of it


_ENDLESS = frozenset({Kind.STALL, Kind.TROUBLE})
"""What has no end of its own, and is told anew after a day."""


class State(Enum):
    """How things stand in an incident: what subjects say."""

    FAILED = "failed"
    TIMED_OUT = "timed_out"
    INTERRUPTED = "interrupted"
    OVERDUE = "overdue"
    MISSED = "missed"
    STALLED = "stalled"
    BROKEN_RD = "broken_rd"
    TROUBLE = "trouble"
    RECOVERED = "recovered"

    @property
    def words(self) -> str:
        """``TIMED OUT``."""
        return self.value.replace("_", " ").upper()


STATES: Mapping[Outcome, State] = {
    Outcome.FAILED: State.FAILED,
    Outcome.TIMED_OUT: State.TIMED_OUT,
    Outcome.INTERRUPTED: State.INTERRUPTED,
    Outcome.MISSED: State.MISSED,
}
"""The states that outcomes make."""


class Circumstances(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be told of an incident's latest occurrence beside its run; what is not known or fitting is empty.

    ``place`` is where the execute stands (``path, line 3``).  ``excerpt`` has numbers and texts of lines of the file
    ``excerpt_path`` around the one that is ``marked``.  ``seconds`` is how long a stall lasted, ``where`` at which
    places it may have been, ``trace`` what all threads were doing.
    """

    title: str = ""
    path: str = ""
    place: str = ""
    excerpt_path: str = ""
    excerpt: tuple[tuple[int, str], ...] = ()
    marked: int = 0
    next_due: datetime | None = None
    started_at: datetime | None = None
    limit_seconds: float | None = None
    seconds: float | None = None
    where: str = ""
    trace: str = ""


Name = tuple[Kind, str, str]
"""What tells incidents apart: the kind, the key or RD, and for stalls the place, for trouble the part of the daemon."""


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """Something that goes wrong, from ``since`` on, lastly ``at``, so many times (``count``).

    ``about`` is the key, the RD's id, or '' for the daemon.  ``told`` is how many mails have told of it, the last one
    ``told_at``, when ``told_count`` occurrences were known; ``tell_at`` is when the next one may (None: when there is
    something new).  It is over since ``over_at``, with its job or RD ``gone`` rather than good again.  ``thread`` has
    the Message-IDs of the first mail about it and of the last.  ``digests`` are the versions of an RD that were
    broken.
    """

    kind: Kind
    about: str
    state: State
    since: datetime
    at: datetime
    cause: str = ""
    place: str = ""
    count: int = 1
    told: int = 0
    told_count: int = 0
    told_at: datetime | None = None
    tell_at: datetime | None = None
    over_at: datetime | None = None
    gone: bool = False
    thread: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    after: int = 1
    reminders: tuple[timedelta, ...] = REMINDERS
    run_id: str = ""
    last_success_at: datetime | None = None
    digests: tuple[str, ...] = ()
    circumstances: Circumstances = Circumstances()

    @property
    def name(self) -> Name:
        """What tells it from all others."""
        return self.kind, self.about, self.place

    @property
    def identity(self) -> str:
        """The same for all of its mails, and for no other incident's."""
        return " ".join((*self.name[1:], self.kind.value, self.since.isoformat()))

    @property
    def shown_state(self) -> State:
        """What its next mail says: that it is good again, but where nobody knows yet that it was not."""
        is_good_news = self.kind in (Kind.JOB, Kind.RD) and self.told and not self.gone
        return State.RECOVERED if self.over_at is not None and is_good_news else self.state


def joined(known: Incident | None, fresh: Incident) -> Incident:
    """What an incident comes to with another occurrence, which ``fresh`` has as if it were the first."""
    if known is None or (known.kind in _ENDLESS and is_forgotten(known, fresh.at)):
        is_news = fresh.kind is not Kind.JOB or fresh.state is State.OVERDUE or fresh.count >= fresh.after
        return msgspec.structs.replace(fresh, tell_at=fresh.at if is_news else None)
    count = known.count + fresh.count
    more = msgspec.structs.replace(
        fresh,
        since=known.since,
        count=count,
        told=known.told,
        told_count=known.told_count,
        told_at=known.told_at,
        thread=known.thread,
        to=fresh.to or known.to,
        last_success_at=known.last_success_at,
        digests=tuple(dict.fromkeys((*known.digests, *fresh.digests)))[-_MOST_DIGESTS:],
    )
    return msgspec.structs.replace(more, tell_at=_tell_at(known, more))


def _tell_at(known: Incident, more: Incident) -> datetime | None:
    """When to tell of an incident that had another occurrence."""
    is_overdue = more.state is State.OVERDUE
    if known.told_at is None:
        is_news = is_overdue or more.count >= more.after
        return known.tell_at or (more.at if is_news else None)
    planned = reminder_at(known)
    planned = planned and max(planned, more.at)
    if more.kind in _ENDLESS:
        return None
    if more.kind is Kind.RD:
        # Each broken version is told, but none twice.
        return more.at if more.digests != known.digests or known.over_at is not None else known.tell_at
    if is_overdue and known.state is not State.OVERDUE:
        soon = max(more.at, known.told_at + _ESCALATION)
        return soon if planned is None else min(soon, planned)
    return planned if more.kind is Kind.MISSED or known.over_at is not None else known.tell_at


def ended(incident: Incident, *, at: datetime) -> Incident | None:
    """What an incident comes to when that goes well again; None where nobody needs to hear of it any more."""
    if incident.over_at is not None:
        return incident
    if not incident.told:
        return None if incident.tell_at is None else msgspec.structs.replace(incident, over_at=at)
    match incident.kind:
        case Kind.JOB | Kind.RD:
            return msgspec.structs.replace(incident, over_at=at, tell_at=at)
        case Kind.MISSED if incident.count > incident.told_count:
            return msgspec.structs.replace(incident, over_at=at, tell_at=at)
        case _:
            return None


def removed(incident: Incident, *, at: datetime) -> Incident | None:
    """What an incident comes to when its job or RD is gone; None where nobody needs to hear of it any more."""
    if incident.over_at is not None:
        return incident
    is_untold = not incident.told and incident.tell_at is not None
    return msgspec.structs.replace(incident, over_at=at, gone=True) if is_untold else None


def told(incident: Incident, *, at: datetime, message_id: str) -> Incident | None:
    """What an incident comes to with a mail about it; None where that was the last one."""
    if incident.over_at is not None:
        return None
    known = msgspec.structs.replace(
        incident,
        told=incident.told + 1,
        told_count=incident.count,
        told_at=at,
        thread=(incident.thread[0] if incident.thread else message_id, message_id),
    )
    is_reminded_of = known.kind in (Kind.JOB, Kind.RD)
    return msgspec.structs.replace(known, tell_at=reminder_at(known) if is_reminded_of else None)


def reminder_at(incident: Incident) -> datetime | None:
    """When to remind of an incident that was told; None where that is not wanted."""
    if incident.told_at is None or not incident.reminders:
        return None
    return incident.told_at + incident.reminders[min(incident.told, len(incident.reminders)) - 1]


def is_forgotten(incident: Incident, now: datetime) -> bool:
    """Whether an incident that has no end of its own is so long ago that it counts no more."""
    return incident.kind in _ENDLESS and incident.told_at is not None and now - incident.told_at >= STALL_MEMORY


def as_of(incident: Incident, now: datetime) -> Incident:
    """The incident where the clock may have been set back since: nothing of it waits for what lies far ahead."""
    if incident.told_at is not None and incident.told_at > now:
        incident = msgspec.structs.replace(incident, told_at=now)
        planned = now if incident.over_at is not None else reminder_at(incident)
        return msgspec.structs.replace(incident, tell_at=incident.tell_at and planned)
    if not incident.told and incident.tell_at is not None and incident.tell_at > now:
        return msgspec.structs.replace(incident, tell_at=now)
    return incident


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How fast mails go to the same people: the last one, and how many since the hour began that is counted."""

    told_at: datetime | None = None
    hour_at: datetime | None = None
    sent: int = 0

    def ready_at(self, first: datetime, latest: datetime, *, per_hour: int) -> datetime:
        """When what is to be told, from ``first`` to ``latest``, may be: together, and with no more mails than that."""
        at = min(latest + GATHERING, first + LONGEST_GATHERING)
        if self.told_at is not None:
            at = max(at, self.told_at + BETWEEN_MAILS)
        if self.hour_at is not None and self.held_back_since(first, per_hour=per_hour) is not None:
            at = max(at, self.hour_at + CEILING_PERIOD)
        return at

    def held_back_since(self, first: datetime, *, per_hour: int) -> datetime | None:
        """When the hour began that has had all its mails, where what is to be told from ``first`` on falls in it."""
        is_full = self.hour_at is not None and self.sent >= per_hour and first < self.hour_at + CEILING_PERIOD
        return self.hour_at if is_full else None

    def after(self, now: datetime) -> "Pace":
        """The pace with a mail now."""
        if self.hour_at is None or now - self.hour_at >= CEILING_PERIOD:
            return Pace(told_at=now, hour_at=now, sent=1)
        return Pace(told_at=now, hour_at=self.hour_at, sent=self.sent + 1)

    def as_of(self, now: datetime) -> "Pace":
        """The same where the clock may have been set back since."""
        return Pace() if self.told_at is not None and self.told_at > now else self
