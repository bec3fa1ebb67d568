"""The incidents that go on, as they are remembered, and which of them are to be told together now."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import NamedTuple

from gavo_exec.errors import StoreError
from gavo_exec.incidents import CEILING_PERIOD, Incident, Name, Pace, as_of, is_forgotten, told
from gavo_exec.ports import Store

MOST_TOGETHER = 1000
"""How many incidents one mail tells of at most."""

_BETWEEN_LOOKS = timedelta(seconds=1)
"""How long what another process has noted may be overlooked, so that looking costs nothing."""


class Batch(NamedTuple):
    """Incidents to be told in one mail, all to the same recipients (none: those of the settings).

    ``held_back_since`` is since when more mails than an hour may have would have gone to them, if that was so.
    """

    to: tuple[str, ...]
    incidents: list[Incident]
    held_back_since: datetime | None


class Desk:
    """What goes wrong at present, for one thread; each change is put into the store, to be written with its next flush.

    Other processes may note things there, too.  One that ``is_guest`` tells only of what it has noted itself, and
    leaves all other incidents, reminders among them, to the process that is at home.
    """

    def __init__(self, store: Store, *, per_hour: int, is_guest: bool = False) -> None:
        self._store = store
        self._per_hour = per_hour
        self._own: set[Name] | None = set() if is_guest else None
        self._looked_at: datetime | None = None
        self._is_stale = False  # whether what another process has noted is still to be taken up
        self._incidents: dict[Name, Incident] = {}
        self._paces: dict[tuple[str, ...], Pace] = {}
        store.changed_elsewhere()
        self._load()

    @property
    def is_busy(self) -> bool:
        """Whether any incident goes on."""
        return bool(self._incidents)

    def look(self, now: datetime) -> None:
        """Take up what another process has noted, looking once a second at most."""
        if self._looked_at is not None and timedelta(0) <= now - self._looked_at < _BETWEEN_LOOKS:
            return
        self._looked_at = now
        with suppress(StoreError):  # the bus tells of it when it cannot write
            self._is_stale = self._store.changed_elsewhere() or self._is_stale
            if self._is_stale:
                self._store.flush()
                self._load()
                self._is_stale = False

    def _load(self) -> None:
        self._incidents = {incident.name: incident for incident in self._store.incidents()}
        self._paces = self._store.paces()

    def known(self, name: Name) -> Incident | None:
        """The incident of this name, if one goes on."""
        return self._incidents.get(name)

    def keep(self, name: Name, incident: Incident | None) -> None:
        """Note how an incident of this name stands now; None that there is none any more."""
        if incident is not None:
            self._incidents[name] = incident
            self._store.put_incident(incident)
            if self._own is not None:
                self._own.add(name)
        elif self._incidents.pop(name, None) is not None:
            self._store.clear_incident(name)

    def ready_at(self, incident: Incident) -> datetime | None:
        """When an incident can be told, as things stand."""
        if (at := incident.tell_at) is None:
            return None
        return self._paces.get(incident.to, _FRESH).ready_at(at, at, per_hour=self._per_hour)

    def next_at(self, now: datetime) -> datetime | None:
        """When there will be something to tell."""
        instants = [self._ready_at(to, incidents, now) for to, incidents in self._waiting().items()]
        return min(instants, default=None)

    def batches(self, now: datetime, *, at_once: bool = False) -> Iterator[Batch]:
        """What is to be told now; ``at_once`` without waiting for more that may happen, unless the hour is full.

        Each batch is to be given to ``note`` before the next is asked for.
        """
        self._put_right(now)
        for to, incidents in self._waiting().items():
            due = [incident for incident in incidents if incident.tell_at is not None and incident.tell_at <= now]
            is_rest = False
            while due:
                pace = self._paces.get(to, _FRESH)
                first = min(incident.tell_at or now for incident in due)
                held_back_since = pace.held_back_since(first, per_hour=self._per_hour)
                hurries = (at_once or is_rest) and held_back_since is None
                if not hurries and self._ready_at(to, due, now) > now:
                    break
                told_now, due = due[:MOST_TOGETHER], due[MOST_TOGETHER:]
                is_rest = True
                yield Batch(to, told_now, held_back_since)

    def note(self, batch: Batch, *, message_id: str, now: datetime) -> None:
        """Note that these incidents are told by this mail."""
        for incident in batch.incidents:
            self.keep(incident.name, told(incident, at=now, message_id=message_id))
        pace = self._paces[batch.to] = self._paces.get(batch.to, _FRESH).after(now)
        self._store.put_pace(batch.to, pace)

    def _waiting(self) -> dict[tuple[str, ...], list[Incident]]:
        """The incidents that are to be told at some time, by whom."""
        waiting: dict[tuple[str, ...], list[Incident]] = {}
        for name, incident in self._incidents.items():
            if incident.tell_at is not None and (self._own is None or name in self._own):
                waiting.setdefault(incident.to, []).append(incident)
        return waiting

    def _ready_at(self, to: tuple[str, ...], incidents: list[Incident], now: datetime) -> datetime:
        """When these can be told, of which those that are not due yet count only where none is."""
        instants = [incident.tell_at for incident in incidents if incident.tell_at is not None]
        due = [at for at in instants if at <= now] or [min(instants)]
        return self._paces.get(to, _FRESH).ready_at(min(due), max(due), per_hour=self._per_hour)

    def _put_right(self, now: datetime) -> None:
        """Forget what is too long ago, and what has come to lie in the future since the clock was set back."""
        for name, incident in list(self._incidents.items()):
            if is_forgotten(incident, now):
                self.keep(name, None)
            elif (righted := as_of(incident, now)) is not incident:
                self.keep(name, righted)
        self._paces = {to: pace.as_of(now) for to, pace in self._paces.items() if not _is_past(pace, now)}


_FRESH = Pace()


def _is_past(pace: Pace, now: datetime) -> bool:
    """Whether a pace says nothing any more about what may be sent now."""
    return pace.hour_at is not None and now - pace.hour_at >= 2 * CEILING_PERIOD
