"""What outlives the process: runs, last starts, the outbox and broken RDs, in one SQLite file.

SQL stands in ``schema.sql`` and its followers, and in ``queries.sql``.
"""

import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from email.message import EmailMessage
from itertools import groupby
from operator import itemgetter
from typing import Final

import msgspec

from gavo_exec.control import Pause
from gavo_exec.errors import Diagnostic, StoreError
from gavo_exec.incidents import Incident, Name, Pace
from gavo_exec.model import (
    Channel,
    HeldBack,
    LastStart,
    NewFile,
    Outcome,
    QueuedMail,
    Reason,
    Rejection,
    Retry,
    Run,
    RunRequest,
)
from gavo_exec.services.store import codec
from gavo_exec.services.store.file import QUERIES, StateFile

_MOST_PENDING: Final = 10_000
_MOST_PENDING_SIZE: Final = 64 << 20
"""How many notes, and how many characters of them, are kept while the file cannot be written."""

_ROW_BYTES: Final = 2048
"""What a small row comes to in the write-ahead log, about."""

_LEFT_OUT: Final = frozenset({Outcome.SKIPPED, Outcome.MISSED})


class SQLiteStore:
    """The store in a file, which other processes may have open too; ``path`` may be ``:memory:``.

    ``holder`` names our process as ``host pid anything``; ``is_alive`` tells of such a name whether its process runs.
    """

    def __init__(self, path: str | os.PathLike[str], *, holder: str, is_alive: Callable[[str], bool]) -> None:
        [self._holder] = codec.stored(holder)
        self._is_alive = is_alive
        self._pending: deque[tuple[str, codec.Row]] = deque()
        self._retried: set[str] = set()  # the keys that have retries, as far as we know
        self._file = StateFile(path)
        self._read = self._file.read
        self._writing = self._file.writing

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

    def run(self, run_id: str) -> Run | None:
        """One run with its output; a beginning of the id that fits just one will do."""
        [beginning] = codec.stored(run_id)
        ended = self._read("runs_beginning", (beginning, beginning + "\U0010ffff"))
        found = {run.run_id: run for run in map(codec.run_of, ended)}
        if run_id not in found:
            claimed = (codec.claimed_run_of(row) for row in self._read("claims") if row[1].startswith(beginning))
            found.update((run.run_id, run) for run in claimed)
        return found.get(run_id) or (next(iter(found.values())) if len(found) == 1 else None)

    def runs(self, key: str | None = None, *, limit: int = 100) -> list[Run]:
        """The latest runs without their output: those that go on, then those that ended, the last one first."""
        runs = [run for run in map(codec.claimed_run_of, reversed(self._read("claims"))) if key in (None, run.key)][
            :limit
        ]
        left = limit - len(runs)
        rows = self._read("runs", (left,)) if key is None else self._read("runs_of_key", (*codec.stored(key), left))
        return runs + [codec.run_of(row) for row in rows]

    def last_runs(self) -> dict[str, Run]:
        """For each key the run that ended last, without its output."""
        runs = map(codec.run_of, self._read("last_runs"))
        return {run.key: run for run in runs}

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

    # Mail

    def put_mail(self, message: EmailMessage, *, now: datetime, about: str = "") -> None:
        """Put a mail, as it is now, into the outbox with the next flush."""
        content = message.as_bytes(policy=message.policy.clone(linesep="\n"))
        self._put(Channel.MAIL, str(message.get("Subject", "")), content, about=about, target="", now=now)

    def put_call(
        self, channel: Channel, subject: str, content: bytes, *, now: datetime, about: str = "", target: str = ""
    ) -> None:
        """Put what goes by another channel into the outbox with the next flush; a ping replaces those that wait."""
        if channel is Channel.PING:
            self._pending.append(("drop_pings", codec.stored(about)))
        self._put(channel, subject, content, about=about, target=target, now=now)

    def _put(self, channel: Channel, subject: str, content: bytes, *, about: str, target: str, now: datetime) -> None:
        at = codec.microseconds(now)
        self._pending.append(("put_mail", (channel.value, *codec.stored(about, target, subject), content, at, at)))

    def mails(self, *, limit: int = 100) -> list[QueuedMail]:
        """The latest mails, newest first, delivered ones among them."""
        return [codec.mail_of(row) for row in self._read("mails", (limit,))]

    def mail(self, mail_id: int) -> QueuedMail | None:
        """One mail."""
        return next((codec.mail_of(row) for row in self._read("mail", (mail_id,))), None)

    def due_mail(self, now: datetime, channel: Channel = Channel.MAIL) -> QueuedMail | None:
        """What has waited longest for its next try by a channel, if anything is due."""
        rows = self._read("due_mail", (channel.value, codec.microseconds(now)))
        return next((codec.mail_of(row) for row in rows), None)

    def next_mail_at(self, channel: Channel = Channel.MAIL) -> datetime | None:
        """When the next mail is to be tried by a channel; None where none waits."""
        [(at,)] = self._read("next_mail_at", (channel.value,))
        return codec.instant_or_none(at)

    def undelivered(self) -> dict[Channel, tuple[int, int]]:
        """By channel how many wait to be delivered, and how many were given up."""
        return {Channel(channel): (waiting, given_up) for channel, waiting, given_up in self._read("undelivered")}

    def hasten_mails(self, *, now: datetime) -> None:
        """Let all mails that wait for their next try be due."""
        with self._writing() as db:
            db.execute(QUERIES["hasten_mails"], (codec.microseconds(now),))

    def hasten_mail(self, mail_id: int, *, now: datetime) -> None:
        """Let a mail be due that waits or was given up."""
        with self._writing() as db:
            db.execute(QUERIES["hasten_mail"], (codec.microseconds(now), mail_id))

    def mail_delivered(self, mail_id: int, *, now: datetime) -> None:
        """Note that a mail was taken; of pings nothing is kept."""
        with self._writing() as db:
            db.execute(QUERIES["mail_delivered"], (codec.microseconds(now), mail_id))
            db.execute(QUERIES["drop_delivered_ping"], (mail_id,))

    def mail_failed(self, mail_id: int, *, error: str, retry_at: datetime | None, now: datetime) -> None:
        """Note that a mail was not taken, and when to try again (None: never)."""
        failed_at = codec.microseconds(now) if retry_at is None else None
        with self._writing() as db:
            row = (codec.microseconds_or_none(retry_at), failed_at, *codec.stored(error), mail_id)
            db.execute(QUERIES["mail_failed"], row)

    # Incidents

    def incidents(self) -> list[Incident]:
        """What goes wrong at present, in the order in which it began."""
        return [codec.incident_of(row) for row in self._read("incidents")]

    def put_incident(self, incident: Incident) -> None:
        """Remember, with the next flush, how an incident stands."""
        self._pending.append(("put_incident", codec.row_of_incident(incident)))

    def clear_incident(self, name: Name) -> None:
        """Forget, with the next flush, an incident."""
        self._pending.append(("clear_incident", codec.row_of_name(name)))

    def paces(self) -> dict[tuple[str, ...], Pace]:
        """How fast mails go, by recipients."""
        return dict(map(codec.pace_of, self._read("paces")))

    def put_pace(self, recipients: tuple[str, ...], pace: Pace) -> None:
        """Remember, with the next flush, how fast mails go to these."""
        self._pending.append(("put_pace", codec.row_of_pace(recipients, pace)))

    def last_success_at(self, key: str) -> datetime | None:
        """When a key's last run that succeeded did so."""
        rows = self._read("last_success", codec.stored(key))
        return codec.instant_or_none(rows[0][0]) if rows else None

    def changed_elsewhere(self) -> bool:
        """Whether another process has written to the state since this was asked last."""
        return self._file.changed_elsewhere()

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

    # The file

    def flush(self) -> frozenset[Channel]:
        """Write what was put, in the order it was put, in one transaction; answers for which channels something was.

        Raises StoreError where that fails; then what was put is kept for the next flush.  Of more than 10,000 notes or
        64 million characters the oldest are dropped, and the error says how many.
        """
        with self._file.lock:
            count = len(self._pending)  # others may append meanwhile, nobody else takes away
            if not count:
                return frozenset()
            batch = [self._pending[place] for place in range(count)]
            try:
                with self._writing() as db:
                    for query, notes in groupby(batch, key=itemgetter(0)):
                        rows = [row for _, row in notes]
                        if query == "record_run":
                            db.executemany(QUERIES["drop_claim"], [(self._holder, row[0]) for row in rows])
                        db.executemany(QUERIES[query], rows)
            except StoreError as exc:
                dropped = self._drop_excess()
                fate = f"; {len(self._pending)} notes wait for the next attempt"
                raise StoreError(f"{exc}{fate}{f', the oldest {dropped} were dropped' if dropped else ''}") from exc
            for _ in range(count):
                self._pending.popleft()
        self._file.carry_over(sum(_ROW_BYTES + _size_of(row) for _, row in batch))
        return frozenset(Channel(row[0]) for query, row in batch if query == "put_mail")

    def _drop_excess(self) -> int:
        """Drop the oldest of what is pending, down to the bounds; answers how many that were."""
        kept = size = 0
        for _, row in reversed(self._pending.copy()):
            size += _size_of(row)
            if kept == _MOST_PENDING or size > _MOST_PENDING_SIZE:
                break
            kept += 1
        dropped = max(0, len(self._pending) - kept)
        for _ in range(dropped):
            self._pending.popleft()
        return dropped

    def close(self) -> None:
        """Flush and let go of the file, of which the latter happens in any case."""
        with self._file.lock:
            try:
                self.flush()
            finally:
                self._file.close()


def _size_of(row: codec.Row) -> int:
    """How many characters or bytes the texts of a row have."""
    return sum(len(value) for value in row if isinstance(value, (str, bytes)))
