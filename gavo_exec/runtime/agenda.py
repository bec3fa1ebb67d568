"""The timetable as those who stand outside see it: what they ask for, and what they are told."""

from collections.abc import Iterable
from datetime import datetime
from itertools import chain

import msgspec

from gavo_exec.control import JobStatus, Pause, RefusedError, UnknownNameError
from gavo_exec.model import Execute
from gavo_exec.runtime.backlog import Entry
from gavo_exec.runtime.timetable import Timetable, is_current
from gavo_exec.runtime.turns import Holder


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How an execute stands, taken down as fast as can be; ``status`` puts it into words, on another thread."""

    execute: Execute
    due: datetime | None
    holder: Holder | None
    pause: Pause | None
    is_held_back: bool

    def status(self) -> JobStatus:
        """The same for operators."""
        execute, holder = self.execute, self.holder
        return JobStatus(
            key=execute.key,
            title=execute.title,
            schedule=execute.schedule.describe(),
            due=self.due,
            running_since=holder.since if holder is not None else None,
            run_id=holder.request.run_id if holder is not None else "",
            pause=self.pause,
            held_back=self.is_held_back,
        )


class Agenda(Timetable):
    """The timetable, with what operators ask of it."""

    def trigger(self, key: str, parameters: tuple[tuple[str, str], ...], now: datetime) -> str:
        """Let an execute run now, whether it is paused or not; answers the run's id.

        Raises RefusedError where the key is held, and UnknownNameError where there is none.
        """
        entry = self._entry(key)
        loading = self._loading.get(entry.rd.rd_id, set()) - {key}
        if loading:
            raise RefusedError(f"{key} waits for what its RD runs when it is loaded: {', '.join(sorted(loading))}")
        return self._turns.trigger(entry, parameters, now)

    def cancel(self, name: str, cause: str, now: datetime) -> list[tuple[str, str]]:
        """Have a run ended, or all runs of a key; what somebody asked for and has not begun does not begin.

        Answers the ids of these runs, each with its key; raises UnknownNameError where there are none.
        """
        ended = self._turns.cancel(name, cause)
        for entry in self._asked_for(name):
            assert entry.pending is not None  # noqa: S101 -- that is what was asked for
            ended.append((entry.pending.run_id, entry.execute.key))
            self._turns.drop(entry, cause, now)
        if not ended:
            if "#" in name:
                self._entry(name)
            raise UnknownNameError(f"{name} is not running" if "#" in name else f"no run {name} goes on")
        return ended

    def going(self, name: str) -> list[str]:
        """The ids of the runs of a key, or that of a run, that go on or are to begin since somebody asked for them.

        Raises UnknownNameError where there is no such key.
        """
        if "#" in name:
            self._entry(name)
        waiting = [entry.pending.run_id for entry in self._asked_for(name) if entry.pending is not None]
        return [*(holder.request.run_id for holder in self._turns.holding(name)), *waiting]

    def _asked_for(self, name: str) -> list[Entry]:
        """The executes of which such a run was asked for, and has not begun."""
        return [
            entry
            for key, entry in self._entries.items()
            if entry.pending is not None and entry.pending.run_id and name in (key, entry.pending.run_id)
        ]

    def pause(self, pause: Pause) -> None:
        """Let nothing of a key, or of all where it is '', start by itself; raises UnknownNameError."""
        if pause.key:
            self._entry(pause.key)
        self._pauses.add(pause)

    def _entry(self, key: str) -> Entry:
        if (entry := self._entries.get(key)) is None:
            raise UnknownNameError(f"no execute has the key {key!r}", known=tuple(self._entries))
        return entry

    @property
    def pauses(self) -> tuple[Pause, ...]:
        """The pauses that hold."""
        return self._pauses.all()

    def standings(self) -> list[Standing]:
        """Every job as it stands, in no order."""
        return self._standings(self._entries.items())

    def standing(self, key: str) -> Standing:
        """One job as it stands; raises UnknownNameError where there is none of this key."""
        [found] = self._standings([(key, self._entry(key))])
        return found

    def _standings(self, entries: Iterable[tuple[str, Entry]]) -> list[Standing]:
        running, rejected, pauses = self._turns.running, self._catalog.rejected, self._pauses
        return [
            Standing(
                execute=entry.execute,
                due=entry.due,
                holder=running.get(key),
                pause=pauses.of(key) if pauses else None,
                is_held_back=bool(rejected) and entry.rd.rd_id in rejected,
            )
            for key, entry in entries
        ]

    def statuses(self) -> tuple[JobStatus, ...]:
        """Every job as it stands, by key."""
        return statuses_of(self.standings())

    def waiting(self) -> list[tuple[str, datetime]]:
        """What was due and has not begun: keys, each with the first instant that waits."""
        waiting = [(key, each.pending.dues[0][0]) for key, each in self._entries.items() if each.pending is not None]
        others = chain(self._parked, *self._held_up.values())
        return sorted(waiting + [(each.execute.key, at) for at, each in others if is_current(each, at)])

    @property
    def running(self) -> int:
        """How many runs go on."""
        return self._turns.count


def statuses_of(standings: Iterable[Standing]) -> tuple[JobStatus, ...]:
    """Jobs as they stand, by key."""
    return tuple(sorted((standing.status() for standing in standings), key=lambda status: status.key))
