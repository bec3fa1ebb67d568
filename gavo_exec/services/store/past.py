"""What was: runs that ended, the code that they ran, and who did what."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from gavo_exec.model import Outcome, Run, rd_id_of
from gavo_exec.past import DayOfRuns, Deed, PastExecute, unpacked_version
from gavo_exec.services.store import codec
from gavo_exec.services.store.notes import Notes

_SLACK: Final = timedelta(days=1)
"""How far the order in which runs were recorded and their instants may be apart: clocks are set."""

_GREATEST_ID: Final = 2**63 - 1


class Past(Notes):
    """The part of the store that looks back."""

    # Runs

    def run(self, run_id: str) -> Run | None:
        """One run with its output; a beginning of the id that fits just one will do."""
        [beginning] = codec.stored(run_id)
        ended = self._read("runs_beginning", (beginning, beginning + "\U0010ffff"))
        found = {run.run_id: run for run in map(codec.run_of, ended)}
        if run_id not in found:
            claimed = (codec.claimed_run_of(row) for row in self._read("claims") if row[1].startswith(beginning))
            found.update((run.run_id, run) for run in claimed)
        return found.get(run_id) or (next(iter(found.values())) if len(found) == 1 else None)

    def runs(
        self,
        key: str | None = None,
        *,
        limit: int = 100,
        failed: bool = False,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[Run]:
        """The latest runs without their output: those that go on, then those that ended, the last one first."""
        going = [] if failed else map(codec.claimed_run_of, reversed(self._read("claims")))
        runs = [run for run in going if key in (None, run.key) and _is_between(run, since, until)][:limit]
        first, last = self._ids(since, until)
        query = f"{'failed_' if failed else ''}runs{'' if key is None else '_of_key'}"
        bounds: dict[str, Any] = {
            "first": first,
            "last": last,
            "since": codec.microseconds_or_none(since),
            "until": codec.microseconds_or_none(until),
            "limit": limit - len(runs),
        }
        if key is not None:
            [bounds["key"]] = codec.stored(key)
        return runs + [codec.run_of(row) for row in self._read(query, bounds)]

    def runs_onward(
        self, key: str | None = None, *, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[Run]:
        """All runs that have ended with their output, the first one first, a few at a time."""
        after, last = self._ids(since, until)
        after -= 1
        [stored] = codec.stored(key) if key is not None else [None]
        while rows := self._read("runs_onward", {"after": after, "last": last, "key": stored}):
            after = rows[-1][0]
            for row in rows:
                if _is_between(run := codec.run_of(row[1:]), since, until):
                    yield run

    def last_runs(self) -> dict[str, Run]:
        """For each key the run that ended last, without its output."""
        runs = map(codec.run_of, self._read("last_runs"))
        return {run.key: run for run in runs}

    def days(self, keys: Iterable[str], *, until: datetime, count: int) -> dict[str, tuple[DayOfRuns | None, ...]]:
        """How the last days went for each key, the last one first; None for a day without runs.

        A day ends as late in the day as ``until``; what was recorded after that counts as of the last day.
        """
        [(last,)] = self._read("last_id")
        bounds = [self._first_after(until - timedelta(days=back), last or 0) for back in range(1, count + 1)]
        days = json.dumps([[first, end] for first, end in zip(bounds, [_GREATEST_ID, *bounds], strict=False)])
        found = {}
        for key in keys:
            [stored] = codec.stored(key)
            rows = self._read("days", {"key": stored, "days": days})
            found[key] = tuple(
                DayOfRuns(outcome=Outcome(outcome), bad=bad) if outcome is not None else None for outcome, bad in rows
            )
        return found

    def took(self, key: str, *, limit: int) -> list[float]:
        """How many seconds the last runs of a key took that did well, newest first."""
        [stored] = codec.stored(key)
        return [microseconds / 1_000_000 for (microseconds,) in self._read("took", {"key": stored, "limit": limit})]

    def version_of_others(self) -> int:
        """A number that is another one whenever another process has written to the state meanwhile."""
        return self._file.version_of_others()

    def last_success_at(self, key: str) -> datetime | None:
        """When a key's last run that succeeded did so."""
        rows = self._read("last_success", codec.stored(key))
        return codec.instant_or_none(rows[0][0]) if rows else None

    def _ids(self, since: datetime | None, until: datetime | None) -> tuple[int, int]:
        """Between which ids runs of a stretch of time are: they are recorded about in the order in which they end.

        Long runs end long after they have begun: only the lower bound holds for those.
        """
        del until  # what began before it may end at any time
        if since is None:
            return 0, _GREATEST_ID
        [(last,)] = self._read("last_id")
        return self._first_after(since - _SLACK, last or 0), _GREATEST_ID

    def _first_after(self, instant: datetime, last: int) -> int:
        """The first id of runs that were recorded from an instant on."""
        sought = codec.microseconds(instant)
        low, high = 0, last
        while low < high:
            middle = (low + high) // 2
            [(found, ended_at)] = self._read("ended_at", (middle,))
            if (ended_at or 0) < sought:
                low = found + 1
            else:
                high = middle
        return low

    # The code that ran

    def put_version(self, rd_id: str, digest: str, content: bytes, *, now: datetime) -> None:
        """Remember, with the next flush, the code of a version of an RD, unless it is known."""
        self._pending.append(("put_version", (*codec.stored(rd_id, digest), codec.microseconds(now), content)))

    def code_of(self, run: Run) -> PastExecute | None:
        """The execute of a run as it was in the version that ran, as far as that is known."""
        rows = self._read("version", codec.stored(rd_id_of(run.key), run.digest))
        return unpacked_version(rows[0][0]).get(run.key) if rows else None

    # Who did what

    def put_deed(self, deed: Deed) -> None:
        """Remember, with the next flush, what somebody did."""
        texts = codec.stored(deed.who, deed.what, deed.about, deed.detail)
        self._pending.append(("put_deed", (codec.microseconds(deed.at), *texts)))

    def put_acceptance(self, rd_id: str, digest: str, *, who: str, detail: str, now: datetime) -> None:
        """Remember, with the next flush, which version of an RD was accepted: another one than before is an edit."""
        rd_id, digest, who, detail = codec.stored(rd_id, digest, who, detail)
        self._pending.append(("note_edit", (codec.microseconds(now), who, rd_id, digest, detail)))
        self._pending.append(("put_digest", (rd_id, digest)))

    def put_removal(self, rd_id: str, *, now: datetime) -> None:
        """Remember, with the next flush, that an RD is gone."""
        [rd_id] = codec.stored(rd_id)
        self._pending.append(("note_removal", (codec.microseconds(now), rd_id)))
        self._pending.append(("drop_digest", (rd_id,)))

    def deeds(self, about: str | None = None, *, since: datetime | None = None, limit: int = 100) -> list[Deed]:
        """What was done last, the latest first; of an execute what was done to its RD, too."""
        [stored, rd_id] = [None, None] if about is None else codec.stored(about, rd_id_of(about))
        rows = self._read(
            "deeds",
            {"about": stored, "rd_id": rd_id, "since": codec.microseconds_or_none(since), "limit": limit},
        )
        return [
            Deed(at=codec.instant(at), who=who, what=what, about=about, detail=detail)
            for at, who, what, about, detail in ((row[0], *map(codec.loaded, row[1:])) for row in rows)
        ]


def _is_between(run: Run, since: datetime | None, until: datetime | None) -> bool:
    at = run.started_at or run.due
    return (since is None or at >= since) and (until is None or at < until)
