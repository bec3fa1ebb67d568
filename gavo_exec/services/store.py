"""What outlives the process: runs, last starts, the outbox and broken RDs, in one SQLite file.

The file is in WAL mode with synchronous=NORMAL: a killed process loses nothing that was committed; a power failure may
lose the last commits, never the file.  SQL stands in ``schema.sql`` and ``queries.sql``.
"""

import json
import os
import re
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import msgspec

from gavo_exec.errors import Diagnostic, StoreError
from gavo_exec.model import HeldBack, Outcome, QueuedMail, Reason, Rejection, Run, RunRequest

_BUSY_SECONDS: Final = 10.0
"""How long to wait for another process that writes."""

_MOST_PENDING: Final = 10_000
_MOST_PENDING_SIZE: Final = 64 << 20
"""How many notes, and how many characters of them, are kept while the file cannot be written."""

_FOLDER: Final = Path(__file__).parent
_MIGRATIONS: Final = ("schema.sql",)
"""What brings a file from version n to n + 1; scripts that were once released never change."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_REASONS: Final = {reason.value: reason for reason in Reason}
_OUTCOMES: Final[dict[str | None, Outcome | None]] = {None: None, **{outcome.value: outcome for outcome in Outcome}}

Row = tuple[Any, ...]


def _named_queries(text: str) -> dict[str, str]:
    """The queries of a file in which each stands below a line ``-- name: NAME``."""
    sections = (section.partition("\n") for section in text.split("-- name: ")[1:])
    return {name.strip(): query.strip() for name, _, query in sections}


_QUERIES: Final = _named_queries((_FOLDER / "queries.sql").read_text(encoding="utf-8"))


class SQLiteStore:
    """The store in a file, which other processes may have open too; ``path`` may be ``:memory:``.

    ``holder`` names our process as ``host pid anything``; ``is_alive`` tells of such a name whether its process runs.
    """

    def __init__(self, path: str | os.PathLike[str], *, holder: str, is_alive: Callable[[str], bool]) -> None:
        self._path = os.fspath(path)
        [self._holder] = _stored(holder)
        self._is_alive = is_alive
        self._lock = threading.RLock()
        self._pending: deque[tuple[str, Row]] = deque()
        if self._path != ":memory:":
            _create_private(self._path)
        with self._explained():
            self._db = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            with self._explained():
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.execute("PRAGMA synchronous = NORMAL")
            self._migrate()
        except BaseException:
            self._db.close()
            raise

    # Runs

    def last_starts(self) -> dict[str, datetime]:
        """For each key the instant its last start counts from."""
        return {_loaded(key): _instant(at) for key, at in self._read("last_starts")}

    def note_starts(self, starts: Mapping[str, datetime]) -> None:
        """Remember these as the instants that the keys' last starts count from."""
        with self._writing() as db:
            rows = [(*_stored(key), _microseconds(at)) for key, at in starts.items()]
            db.executemany(_QUERIES["note_start"], rows)

    def claim(self, requests: Sequence[RunRequest], *, now: datetime) -> dict[str, str]:
        """Note that these runs begin, all in one transaction; answers who holds those that may not."""
        claimed_at = _microseconds(now)
        with self._writing() as db:
            refused = self._refused(requests)
            rows, starts = [], []
            for request in requests:
                if request.run_id in refused:
                    continue
                run_id, key, title, digest = _stored(
                    request.run_id, request.execute.key, request.execute.title, request.rd.digest
                )
                due, reason = _microseconds(request.due), request.reason.value
                rows.append((self._holder, run_id, key, title, due, reason, request.attempt, claimed_at, digest))
                if request.counts_from is not None:
                    starts.append((key, _microseconds(request.counts_from)))
            db.executemany(_QUERIES["claim_run"], rows)
            db.executemany(_QUERIES["note_start"], starts)
        return refused

    def _refused(self, requests: Sequence[RunRequest]) -> dict[str, str]:
        """Which of the requests ask for a key that another living process runs, and which process that is."""
        claims = self._read("claims_of_others", {"holder": self._holder})
        if not claims:
            return {}
        alive = self._living(claims)
        held = {
            _loaded(row[2]): f"{_process(row[0])} since {_instant(row[7]):%Y-%m-%d %H:%M:%S} UTC"
            for row in claims
            if row[0] in alive
        }
        return {request.run_id: held[request.execute.key] for request in requests if request.execute.key in held}

    def interrupt(self, *, now: datetime) -> list[Run]:
        """End, as INTERRUPTED, all unfinished runs whose process is gone; answers them."""
        with self._writing() as db:
            claims = self._read("claims_of_others", {"holder": self._holder})
            alive = self._living(claims)
            gone = [row for row in claims if row[0] not in alive]
            runs = [
                msgspec.structs.replace(
                    _claimed_run(row),
                    finished_at=now,
                    outcome=Outcome.INTERRUPTED,
                    error=f"{_process(row[0])} ended before the run did",
                )
                for row in gone
            ]
            db.executemany(_QUERIES["drop_claim"], [row[:2] for row in gone])
            db.executemany(_QUERIES["record_run"], [_row_of(run) for run in runs])
        return runs

    def _living(self, claims: list[Row]) -> set[str]:
        """The holders of the claims, as stored, whose processes run."""
        holders = {row[0] for row in claims}
        return {holder for holder in holders if holder == self._holder or self._is_alive(_loaded(holder))}

    def record(self, run: Run) -> None:
        """Note, with the next flush, how a run ended, whether it was claimed or not."""
        self._pending.append(("record_run", _row_of(run)))

    def run(self, run_id: str) -> Run | None:
        """One run with its output; a beginning of the id that fits just one will do."""
        [beginning] = _stored(run_id)
        ended = self._read("runs_beginning", (beginning, beginning + "\U0010ffff"))
        found = {run.run_id: run for run in map(_run, ended)}
        if run_id not in found:
            claimed = (_claimed_run(row) for row in self._read("claims") if row[1].startswith(beginning))
            found.update((run.run_id, run) for run in claimed)
        return found.get(run_id) or (next(iter(found.values())) if len(found) == 1 else None)

    def runs(self, key: str | None = None, *, limit: int = 100) -> list[Run]:
        """The latest runs without their output: those that go on, then those that ended, the last one first."""
        runs = [run for run in map(_claimed_run, reversed(self._read("claims"))) if key in (None, run.key)][:limit]
        left = limit - len(runs)
        rows = self._read("runs", (left,)) if key is None else self._read("runs_of_key", (*_stored(key), left))
        return runs + [_run(row) for row in rows]

    def last_runs(self) -> dict[str, Run]:
        """For each key the run that ended last, without its output."""
        runs = map(_run, self._read("last_runs"))
        return {run.key: run for run in runs}

    def running(self) -> dict[str, Run]:
        """For each key its run that goes on; those whose process is gone do not."""
        claims = self._read("claims")
        alive = self._living(claims)
        runs = (_claimed_run(row) for row in claims if row[0] in alive)
        return {run.key: run for run in runs}

    # Mail

    def put_mail(self, message: EmailMessage, *, now: datetime) -> None:
        """Put a mail, as it is now, into the outbox with the next flush."""
        content = message.as_bytes(policy=message.policy.clone(linesep="\n"))
        at = _microseconds(now)
        self._pending.append(("put_mail", (*_stored(str(message.get("Subject", ""))), content, at, at)))

    def mails(self, *, limit: int = 100) -> list[QueuedMail]:
        """The latest mails, newest first, delivered ones among them."""
        return [_mail(row) for row in self._read("mails", (limit,))]

    def mail(self, mail_id: int) -> QueuedMail | None:
        """One mail."""
        return next((_mail(row) for row in self._read("mail", (mail_id,))), None)

    def due_mail(self, now: datetime) -> QueuedMail | None:
        """The mail that has waited longest for its next try, if one is due."""
        return next((_mail(row) for row in self._read("due_mail", (_microseconds(now),))), None)

    def next_mail_at(self) -> datetime | None:
        """When the next mail is to be tried; None where none waits."""
        [(at,)] = self._read("next_mail_at")
        return _instant_or_none(at)

    def hasten_mails(self, *, now: datetime) -> None:
        """Let all mails that wait for their next try be due."""
        with self._writing() as db:
            db.execute(_QUERIES["hasten_mails"], (_microseconds(now),))

    def mail_delivered(self, mail_id: int, *, now: datetime) -> None:
        """Note that a mail was taken."""
        with self._writing() as db:
            db.execute(_QUERIES["mail_delivered"], (_microseconds(now), mail_id))

    def mail_failed(self, mail_id: int, *, error: str, retry_at: datetime | None, now: datetime) -> None:
        """Note that a mail was not taken, and when to try again (None: never)."""
        failed_at = _microseconds(now) if retry_at is None else None
        with self._writing() as db:
            row = (_microseconds_or_none(retry_at), failed_at, *_stored(error), mail_id)
            db.execute(_QUERIES["mail_failed"], row)

    # Broken RDs

    def put_rejection(self, rejection: Rejection, held_back: Sequence[HeldBack]) -> None:
        """Remember, with the next flush, that an RD is broken."""
        row = (
            *_stored(rejection.rd_id, rejection.path, rejection.digest),
            _microseconds(rejection.rejected_at),
            _as_json(rejection.diagnostics),
            _as_json(tuple(held_back)),
        )
        self._pending.append(("put_rejection", row))

    def clear_rejection(self, rd_id: str) -> None:
        """Forget, with the next flush, that an RD was broken."""
        self._pending.append(("clear_rejection", _stored(rd_id)))

    def rejections(self) -> dict[str, tuple[Rejection, tuple[HeldBack, ...]]]:
        """The broken RDs by id, with their jobs that run on."""
        found = {}
        for rd_id, path, digest, rejected_at, diagnostics, held_back in self._read("rejections"):
            rejection = Rejection(
                rd_id=_loaded(rd_id),
                path=_loaded(path),
                digest=_loaded(digest),
                rejected_at=_instant(rejected_at),
                diagnostics=msgspec.convert(json.loads(diagnostics), tuple[Diagnostic, ...]),
            )
            found[rejection.rd_id] = rejection, msgspec.convert(json.loads(held_back), tuple[HeldBack, ...])
        return found

    # The file

    def flush(self) -> None:
        """Write what was put, in the order it was put, in one transaction.

        Raises StoreError where that fails; then what was put is kept for the next flush.  Of more than 10,000 notes or
        64 million characters the oldest are dropped, and the error says how many.
        """
        with self._lock:
            count = len(self._pending)  # others may append meanwhile, nobody else takes away
            if not count:
                return
            batch = [self._pending[place] for place in range(count)]
            try:
                with self._writing() as db:
                    for query, notes in groupby(batch, key=itemgetter(0)):
                        rows = [row for _, row in notes]
                        if query == "record_run":
                            db.executemany(_QUERIES["drop_claim"], [(self._holder, row[0]) for row in rows])
                        db.executemany(_QUERIES[query], rows)
            except StoreError as exc:
                dropped = self._drop_excess()
                fate = f"; {len(self._pending)} notes wait for the next attempt"
                raise StoreError(f"{exc}{fate}{f', the oldest {dropped} were dropped' if dropped else ''}") from exc
            for _ in range(count):
                self._pending.popleft()

    def _drop_excess(self) -> int:
        """Drop the oldest of what is pending, down to the bounds; answers how many that were."""
        kept = size = 0
        for _, row in reversed(self._pending.copy()):
            size += sum(len(value) for value in row if isinstance(value, (str, bytes)))
            if kept == _MOST_PENDING or size > _MOST_PENDING_SIZE:
                break
            kept += 1
        dropped = max(0, len(self._pending) - kept)
        for _ in range(dropped):
            self._pending.popleft()
        return dropped

    def close(self) -> None:
        """Flush and let go of the file, of which the latter happens in any case."""
        with self._lock:
            try:
                self.flush()
            finally:
                self._db.close()

    def _read(self, query: str, parameters: Row | dict[str, object] = ()) -> list[Row]:
        """All rows of a query."""
        with self._explained(), self._lock:
            return self._db.execute(_QUERIES[query], parameters).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that sees no other writer from its first moment on; undone where anything is raised."""
        with self._explained(), self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # some errors have rolled back already
                    self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Make StoreErrors of SQLite's."""
        try:
            yield
        except sqlite3.Error as exc:
            code = getattr(exc, "sqlite_errorcode", 0) & 0xFF
            if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                advice = "is damaged; stop the daemon, move the file aside and start again"
                raise StoreError(f"The state file {self._path} {advice} ({exc})") from exc
            raise StoreError(f"The state file {self._path} cannot be used: {exc}") from exc

    def _migrate(self) -> None:
        """Bring the file to this program's version, step by step, each step whole or not at all."""
        while (version := self._version()) < len(_MIGRATIONS):
            with self._writing() as db:
                if self._version() == version:  # another process may have been quicker
                    for statement in _statements((_FOLDER / _MIGRATIONS[version]).read_text(encoding="utf-8")):
                        db.execute(statement)
                    db.execute(f"PRAGMA user_version = {version + 1}")
        if version > len(_MIGRATIONS):
            raise StoreError(
                f"The state file {self._path} has version {version}, but this program knows versions up to "
                f"{len(_MIGRATIONS)} only; use a newer gavo-exec, or another state directory"
            )

    def _version(self) -> int:
        """The file's version; 0 for a new one."""
        with self._explained(), self._lock:
            [(version,)] = self._db.execute("PRAGMA user_version").fetchall()
            return int(version)


def _create_private(path: str) -> None:
    """See to it that the file is there; a new one is its owner's alone (and so are SQLite's files beside it)."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as exc:
        raise StoreError(f"The state file {path} cannot be opened: {exc.strerror}") from exc


def _statements(script: str) -> Iterator[str]:
    """The statements of a script, one by one (``executescript`` would end the transaction it is called in)."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


# SQLite takes neither lone surrogates nor, gladly, NULs; but paths may have the former and output the latter.
_ESCAPE: Final = "\x10"
_TO_ESCAPE: Final = re.compile("[\x00\x10\ud800-\udfff]")
_ESCAPED: Final = re.compile("\x10([0-9a-f]{4})")


def _stored(*texts: str) -> tuple[str, ...]:
    """Texts as the file has them: NULs, lone surrogates and the escape itself as DLE and four hexadecimal digits."""
    joined = "".join(texts)
    if joined.isascii() and "\0" not in joined and _ESCAPE not in joined:
        return texts
    return tuple(_TO_ESCAPE.sub(lambda match: f"{_ESCAPE}{ord(match[0]):04x}", text) for text in texts)


def _loaded(text: str) -> str:
    """A text as it was before ``_stored``."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if _ESCAPE in text else text


def _as_json(values: tuple[msgspec.Struct, ...]) -> str:
    """The values as JSON in ASCII, which may name lone surrogates as UTF-8 may not."""
    return json.dumps(msgspec.to_builtins(values))


def _microseconds(instant: datetime) -> int:
    """The instant as the file has it."""
    since = instant - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _microseconds_or_none(instant: datetime | None) -> int | None:
    """The instant as the file has it, if there is one."""
    return None if instant is None else _microseconds(instant)


def _instant(microseconds: int) -> datetime:
    """The instant as it was before ``_microseconds``."""
    return _EPOCH + timedelta(microseconds=microseconds)


def _instant_or_none(microseconds: int | None) -> datetime | None:
    """The instant as it was before ``_microseconds``, if there was one."""
    return None if microseconds is None else _instant(microseconds)


def _process(holder: str) -> str:
    """A holder, as stored, for people."""
    host, _, rest = _loaded(holder).partition(" ")
    pid = rest.partition(" ")[0]
    return f"process {pid} on {host}" if pid.isdecimal() else f"process {_loaded(holder)}"


def _row_of(run: Run) -> Row:
    """A run as a row of runs."""
    run_id, key, title, host, digest, error, output = _stored(
        run.run_id, run.key, run.title, run.host, run.digest, run.error, run.output
    )
    return (
        run_id,
        key,
        title,
        _microseconds(run.due),
        run.reason.value,
        run.attempt,
        _microseconds_or_none(run.started_at),
        _microseconds_or_none(run.finished_at),
        None if run.outcome is None else run.outcome.value,
        run.returncode,
        host,
        digest,
        error,
        output,
    )


def _run(row: Row) -> Run:
    """A row of runs as a run."""
    return Run(
        run_id=_loaded(row[0]),
        key=_loaded(row[1]),
        title=_loaded(row[2]),
        due=_instant(row[3]),
        reason=_REASONS[row[4]],
        attempt=row[5],
        started_at=_instant_or_none(row[6]),
        finished_at=_instant_or_none(row[7]),
        outcome=_OUTCOMES[row[8]],
        returncode=row[9],
        host=_loaded(row[10]),
        digest=_loaded(row[11]),
        error=_loaded(row[12]),
        output=_loaded(row[13]),
    )


def _claimed_run(row: Row) -> Run:
    """A row of claims as a run that goes on."""
    return Run(
        run_id=_loaded(row[1]),
        key=_loaded(row[2]),
        title=_loaded(row[3]),
        due=_instant(row[4]),
        reason=_REASONS[row[5]],
        attempt=row[6],
        started_at=_instant(row[7]),
        host=_loaded(row[0]).partition(" ")[0],
        digest=_loaded(row[8]),
    )


def _mail(row: Row) -> QueuedMail:
    """A row of outbox as a mail."""
    return QueuedMail(
        mail_id=row[0],
        subject=_loaded(row[1]),
        content=row[2],
        queued_at=_instant(row[3]),
        attempts=row[4],
        next_attempt_at=_instant_or_none(row[5]),
        delivered_at=_instant_or_none(row[6]),
        failed_at=_instant_or_none(row[7]),
        error=_loaded(row[8]),
    )
