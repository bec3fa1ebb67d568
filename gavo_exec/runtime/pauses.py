"""Which jobs are paused, and what was due of them meanwhile; pure, and the agenda's own.

A pause is to its jobs as if no daemon ran: what is due waits, and is made up for afterwards as ``when.missed`` says.
"""

from collections.abc import Iterable
from datetime import datetime

from gavo_exec.control import Pause, holds_until
from gavo_exec.runtime.backlog import Entry

_Held = tuple[datetime, Entry]

ALL = ""
"""The key of the pause of all jobs."""


class Pauses:
    """The pauses that hold, by key, and the items of the timetable that wait for their ends."""

    def __init__(self, pauses: Iterable[Pause] = ()) -> None:
        self._pauses = {pause.key: pause for pause in pauses}
        self._held: dict[str, dict[tuple[datetime, int], _Held]] = {}
        self._over: dict[str, tuple[datetime, datetime]] = {}  # from when to when the last pause of a key was

    def __bool__(self) -> bool:
        return bool(self._pauses)

    def of(self, key: str) -> Pause | None:
        """The pause that keeps a key from starting: its own, or that of all."""
        return self._pauses.get(key) or self._pauses.get(ALL)

    def all(self) -> tuple[Pause, ...]:
        """All that hold, that of all jobs first."""
        return tuple(pause for _, pause in sorted(self._pauses.items()))

    def add(self, pause: Pause) -> None:
        """Let this pause hold, in place of one of the same key."""
        self._pauses[pause.key] = pause

    def keep(self, instant: datetime, entry: Entry) -> None:
        """Keep an item of the timetable that has come up for when it is not paused any more."""
        self._held.setdefault(entry.execute.key, {})[instant, id(entry)] = (instant, entry)

    def lift(self, key: str, now: datetime) -> tuple[Pause | None, list[_Held]]:
        """Let a pause hold no longer; answers it, if there was one, and what was kept and may come up again."""
        pause = self._pauses.pop(key, None)
        if pause is None:
            return None, []
        self._over[key] = (pause.since, now)
        freed = [each for each in self._held if self.of(each) is None]
        return pause, [held for each in freed for held in self._held.pop(each).values()]

    def expired(self, now: datetime) -> list[str]:
        """The keys whose pauses are over by now."""
        return [key for key, pause in self._pauses.items() if not holds_until(pause, now)]

    @property
    def next_end(self) -> datetime | None:
        """When the next pause ends by itself."""
        return min((pause.until for pause in self._pauses.values() if pause.until is not None), default=None)

    def had(self, key: str, instant: datetime) -> bool:
        """Whether a key was paused at an instant, as far as that is not long ago."""
        over = (self._over.get(key), self._over.get(ALL))
        return any(each is not None and each[0] <= instant <= each[1] for each in over)

    def forget(self, key: str) -> None:
        """Forget what was kept of a key that is no more; its pause stays, should it come back."""
        self._held.pop(key, None)
        self._over.pop(key, None)
