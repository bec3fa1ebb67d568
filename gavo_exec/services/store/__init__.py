"""What outlives the process: runs, last starts, the outbox and broken RDs, in one SQLite file.

SQL stands in ``schema.sql`` and its followers, and in ``queries.sql``.
"""

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from gavo_exec.control import Pause
from gavo_exec.errors import DamagedStateError, Diagnostic
from gavo_exec.model import (
    HeldBack,
    LastStart,
    NewFile,
    Outcome,
    Reason,
    Rejection,
    Retry,
    Run,
    RunRequest,
)
from gavo_exec.services.store import codec
from gavo_exec.services.store.file import QUERIES
from gavo_exec.services.store.outbox import Outbox
from gavo_exec.services.store.past import Past

_LEFT_OUT: Final = frozenset({Outcome.SKIPPED, Outcome.MISSED})


class SQLiteStore(Outbox, Past):
    """The store in a file, which other processes may have open too; ``path`` may be ``:memory:``.

    ``holder`` names our process as ``host pid anything``; ``is_alive`` tells of such a name whether its process runs.
    """

    def __init__(self, path: str | os.PathLike[str], *, holder: str, is_alive: Callable[[str], bool]) -> None:
        super().__init__(path, holder=holder)
        self._is_alive = is_alive
        self._retried: set[str] = set()  # the keys that have retries, as far as we know

    # Runs

    def last_starts(self) -> dict[str, LastStart]:
        """For each key the instant its last start counts from."""
        return {
            codec.loaded(key): LastStart(at=codec.instant(at), schedule=codec.loaded(schedule))
            for key, at, schedule in self._read("last_starts")
        }

    def note_starts(self, starts: Mapping[str, LastStart]) -> None:
        """Remember these as the instants that the keys' last starts count from."""
        with self._writing() as db:
            db.executemany(QUERIES["note_start"], [codec.row_of_start(key, start) for key, start in starts.items()])

    def retries(self) -> dict[str, Retry]:
        """For each key the attempt that is to follow what failed."""
        found = {
            codec.loaded(key): Retry(due=codec.instant(due), attempt=attempt, at=codec.instant(at))
            for key, due, attempt, at in self._read("retries")
        }
        self._retried.update(found)
        return found

    def put_retry(self, key: str, retry: Retry) -> None:
        """Remember, with the next flush, what is to follow a run that failed."""
        row = (*codec.stored(key), codec.microseconds(retry.due), retry.attempt, codec.microseconds(retry.at))
        self._pending.append(("put_retry", row))
        self._retried.add(key)

    def claim(
        self,
        requests: Sequence[RunRequest],
        *,
        now: datetime,
        begun: Mapping[str, LastStart] | None = None,
        left_out: Sequence[tuple[RunRequest, Run]] = (),
        accounted: Mapping[str, datetime] | None = None,
    ) -> dict[str, str]:
        """Note that these runs begin, all in one transaction; answers who holds those that may not."""
        file = self._file
        try:
            return self._claim(requests, now=now, begun=begun, left_out=left_out, accounted=accounted)
        except DamagedStateError as damage:
            self._mended(damage, file)
            return self._claim(requests, now=now, begun=begun, left_out=left_out, accounted=accounted)

    def _claim(
        self,
        requests: Sequence[RunRequest],
        *,
        now: datetime,
        begun: Mapping[str, LastStart] | None,
        left_out: Sequence[tuple[RunRequest, Run]],
        accounted: Mapping[str, datetime] | None,
    ) -> dict[str, str]:
        claimed_at = codec.microseconds(now)
        with self._writing() as db:
            if begun:
                db.executemany(QUERIES["note_start"], [codec.row_of_start(key, start) for key, start in begun.items()])
            if left_out:
                db.executemany(QUERIES["record_run"], [codec.row_of_run(run) for _, run in left_out])
                instants = [
                    (codec.microseconds(request.counts_from), *codec.stored(run.key))
                    for request, run in left_out
                    if request.counts_from is not None
                ]
                db.executemany(QUERIES["account_for"], instants)
            if accounted:
                instants = [(codec.microseconds(at), *codec.stored(key)) for key, at in accounted.items()]
                db.executemany(QUERIES["account_for"], instants)
            refused = self._refused(requests)
            rows, starts, retried = [], [], []
            for request in requests:
                if request.run_id in refused:
                    continue
                run_id, key, title, digest = codec.stored(
                    request.run_id, request.execute.key, request.execute.title, request.rd.digest
                )
                due, reason = codec.microseconds(request.due), request.reason.value
                rows.append((self._holder, run_id, key, title, due, reason, request.attempt, claimed_at, digest))
                if request.counts_from is not None:
                    starts.append((key, codec.microseconds(request.counts_from)))
                if request.execute.key in self._retried:
                    self._retried.discard(request.execute.key)
                    retried.append((key,))
            db.executemany(QUERIES["claim_run"], rows)
            db.executemany(QUERIES["move_start"], starts)
            db.executemany(QUERIES["drop_retry"], retried)
        return refused

    def _refused(self, requests: Sequence[RunRequest]) -> dict[str, str]:
        """Which of the requests ask for a key that another living process runs, and which process that is."""
        claims = self._read("claims_of_others", {"holder": self._holder})
        if not claims:
            return {}
        alive = self._living(claims)
        held = {
            codec.loaded(row[2]): f"{codec.process_of(row[0])} since {codec.instant(row[7]):%Y-%m-%d %H:%M:%S} UTC"
            for row in claims
            if row[0] in alive
        }
        return {request.run_id: held[request.execute.key] for request in requests if request.execute.key in held}

    def cut_off(self, *, now: datetime) -> list[Run]:
        """All unfinished runs whose process is gone, as INTERRUPTED now; they stay unfinished until recorded so."""
        claims = self._read("claims_of_others", {"holder": self._holder})
        alive = self._living(claims)
        return [
            msgspec.structs.replace(
                codec.claimed_run_of(row),
                finished_at=now,
                outcome=Outcome.INTERRUPTED,
                error=f"{codec.process_of(row[0])} ended before the run did",
            )
            for row in claims
            if row[0] not in alive
        ]

    def _living(self, claims: list[codec.Row]) -> set[str]:
        """The holders of the claims, as stored, whose processes run."""
        holders = {row[0] for row in claims}
        return {holder for holder in holders if holder == self._holder or self._is_alive(codec.loaded(holder))}

    def record(self, run: Run) -> None:
        """Note, with the next flush, how a run ended, whether it was claimed or not."""
        row = codec.row_of_run(run)
        self._pending.append(("record_run", row))
        if run.outcome is Outcome.INTERRUPTED:  # it may have been claimed by a process that is gone
            self._pending.append(("drop_claim_of_any", (row[0],)))
        if run.outcome in _LEFT_OUT and run.reason is not Reason.TRIGGERED:
            self._pending.append(("account_for", (row[3], row[1])))

    def running(self) -> dict[str, Run]:
        """For each key its run that goes on; those whose process is gone do not."""
        claims = self._read("claims")
        alive = self._living(claims)
        runs = (codec.claimed_run_of(row) for row in claims if row[0] in alive)
        return {run.key: run for run in runs}

    # Files

    def put_seen(self, key: str, files: Sequence[NewFile]) -> None:
        """Remember, with the next flush, that a key's run has succeeded with these files."""
        for file in files:
            self._pending.append(("put_seen", (*codec.stored(key, file.path), file.size, file.mtime_ns)))

    def seen(self, key: str) -> frozenset[NewFile]:
        """The files that a key's runs have succeeded with, as far as they were not forgotten."""
        return frozenset(
            NewFile(path=codec.loaded(path), size=size, mtime_ns=mtime_ns)
            for path, size, mtime_ns in self._read("seen", codec.stored(key))
        )

    def forget_seen(self, key: str, paths: Iterable[str]) -> None:
        """Forget these files of a key, of which there are none any more."""
        with self._writing() as db:
            db.executemany(QUERIES["forget_seen"], [codec.stored(key, path) for path in paths])

    # Broken RDs

    def put_rejection(self, rejection: Rejection, held_back: Sequence[HeldBack]) -> None:
        """Remember, with the next flush, that an RD is broken."""
        row = (
            *codec.stored(rejection.rd_id, rejection.path, rejection.digest),
            codec.microseconds(rejection.rejected_at),
            codec.as_json(rejection.diagnostics),
            codec.as_json(tuple(held_back)),
        )
        self._pending.append(("put_rejection", row))

    def clear_rejection(self, rd_id: str) -> None:
        """Forget, with the next flush, that an RD was broken."""
        self._pending.append(("clear_rejection", codec.stored(rd_id)))

    def rejections(self) -> dict[str, tuple[Rejection, tuple[HeldBack, ...]]]:
        """The broken RDs by id, with their jobs that run on."""
        found = {}
        for rd_id, path, digest, rejected_at, diagnostics, held_back in self._read("rejections"):
            rejection = Rejection(
                rd_id=codec.loaded(rd_id),
                path=codec.loaded(path),
                digest=codec.loaded(digest),
                rejected_at=codec.instant(rejected_at),
                diagnostics=msgspec.convert(json.loads(diagnostics), tuple[Diagnostic, ...]),
            )
            found[rejection.rd_id] = rejection, msgspec.convert(json.loads(held_back), tuple[HeldBack, ...])
        return found

    # Pauses

    def pauses(self) -> list[Pause]:
        """The pauses that hold, unless their time is over."""
        return [codec.pause_of(row) for row in self._read("pauses")]

    def put_pause(self, pause: Pause) -> None:
        """Remember, with the next flush, a pause, in place of one of the same key."""
        self._pending.append(("put_pause", codec.row_of_pause(pause)))

    def clear_pause(self, pause: Pause) -> None:
        """Forget, with the next flush, a pause, unless another has taken its place."""
        key, since, *_ = codec.row_of_pause(pause)
        self._pending.append(("clear_pause", (key, since)))
