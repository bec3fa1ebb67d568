"""The SQLite file itself: how it is made, brought up to date, read, written, and kept small.

It is in WAL mode with synchronous=NORMAL: a killed process loses nothing that was committed; a power failure may lose
the last commits, never the file.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any, Final
from urllib.parse import quote

from gavo_exec.errors import DamagedStateError, StoreError

_BUSY_SECONDS: Final = 10.0
"""How long to wait for another process that writes."""

_CHECKPOINT_BYTES: Final = 4 << 20
"""How much is written, about, until it is carried over from the log to the file."""

_FOLDER: Final = Path(__file__).parent
_MIGRATIONS: Final = ("schema.sql", "second.sql", "third.sql", "fourth.sql")
"""What brings a file from version n to n + 1; scripts that were once released never change."""


def _named_queries(text: str) -> dict[str, str]:
    """The queries of a file in which each stands below a line ``-- name: NAME``."""
    sections = (section.partition("\n") for section in text.split("-- name: ")[1:])
    return {name.strip(): query.strip() for name, _, query in sections}


QUERIES: Final = _named_queries((_FOLDER / "queries.sql").read_text(encoding="utf-8"))


class StateFile:
    """An open file (or ``:memory:``) of this program's version, for many threads; raises StoreError.

    ``lock`` is held while it is read or written, and may be held for more than that.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = os.fspath(path)
        self.lock = threading.RLock()
        self._data_version = -1
        self._unchecked_bytes = 0  # about how much was written since the last checkpoint
        if self._path != ":memory:":
            _create_private(self._path)
        with self._explained():
            self._db = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            with self._explained():
                self._db.execute("PRAGMA auto_vacuum = INCREMENTAL")  # for new files: give_back needs it
                self._switch_to_wal()
                self._db.execute("PRAGMA synchronous = NORMAL")
                self._db.execute("PRAGMA wal_autocheckpoint = 0")  # carry_over does that, and holds nobody up
                self._db.execute(f"PRAGMA journal_size_limit = {4 * _CHECKPOINT_BYTES}")
            self._migrate()
        except BaseException:
            self._db.close()
            raise

    def check(self) -> None:
        """Look whether the file is whole; raises DamagedStateError.  A second for some hundred megabytes."""
        with self._explained(), self.lock:
            [(found,)] = self._db.execute("PRAGMA quick_check(1)").fetchall()
        if found != "ok":
            raise DamagedStateError(f"The state file {self._path} is damaged ({found})")

    def read(self, query: str, parameters: tuple[Any, ...] | dict[str, object] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with self._explained(), self.lock:
            return self._db.execute(QUERIES[query], parameters).fetchall()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that sees no other writer from its first moment on; undone where anything is raised."""
        with self._explained(), self.lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # some errors have rolled back already
                    self._db.execute("ROLLBACK")
                raise

    def version_of_others(self) -> int:
        """A number that is another one whenever somebody else has written to the file meanwhile."""
        with self._explained(), self.lock:
            [(version,)] = self._db.execute("PRAGMA data_version").fetchall()
        return int(version)

    def changed_elsewhere(self) -> bool:
        """Whether another process has written to the file since this was asked last (True for the first time)."""
        version = self.version_of_others()
        is_changed = version != self._data_version
        self._data_version = version
        return is_changed

    def carry_over(self, written_bytes: int) -> None:
        """Carry over to the file what is in the write-ahead log, where that has grown; so much was written to it now.

        On a connection of its own, since waiting for the disk may take long, and writers need not wait for this.
        """
        self._unchecked_bytes += written_bytes
        if self._unchecked_bytes < _CHECKPOINT_BYTES or self._path == ":memory:":
            return
        self._unchecked_bytes = 0
        with suppress(sqlite3.Error), closing(sqlite3.connect(self._path, timeout=0.0, isolation_level=None)) as db:
            db.execute("PRAGMA wal_checkpoint(PASSIVE)")

    @property
    def path(self) -> str:
        """Where it is."""
        return self._path

    @property
    def used_bytes(self) -> int:
        """How large the file is, without what is free in it."""
        with self._explained(), self.lock:
            [(pages,)] = self._db.execute("PRAGMA page_count").fetchall()
            [(free,)] = self._db.execute("PRAGMA freelist_count").fetchall()
            [(size,)] = self._db.execute("PRAGMA page_size").fetchall()
        return int((pages - free) * size)

    def give_back(self, pages: int) -> bool:
        """Give so many free pages of the file back to the system, where many are free; answers whether they were."""
        with self._explained(), self.lock:
            [(all_pages,)] = self._db.execute("PRAGMA page_count").fetchall()
            [(free,)] = self._db.execute("PRAGMA freelist_count").fetchall()
            if free < pages or free * 10 < all_pages:
                return False
            # As a script, since each step frees but one page, and execute makes but one.
            self._db.executescript(f"PRAGMA incremental_vacuum({pages})")
            [(left,)] = self._db.execute("PRAGMA freelist_count").fetchall()
            return bool(left < free)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _switch_to_wal(self) -> None:
        """Put the file into WAL mode, the one thing for which SQLite does not itself wait for others that do so."""
        until = monotonic() + _BUSY_SECONDS
        while True:
            try:
                self._db.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as exc:
                if exc.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() >= until:
                    raise
                with self.writing():  # for this it does wait
                    pass
            else:
                return

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Make StoreErrors of SQLite's."""
        try:
            yield
        except sqlite3.Error as exc:
            code = getattr(exc, "sqlite_errorcode", 0) & 0xFF
            if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                advice = "is damaged; stop the daemon, move the file aside and start again"
                raise DamagedStateError(f"The state file {self._path} {advice} ({exc})") from exc
            raise StoreError(f"The state file {self._path} cannot be used: {exc}") from exc

    def _migrate(self) -> None:
        """Bring the file to this program's version, step by step, each step whole or not at all."""
        while (version := self._version()) < len(_MIGRATIONS):
            with self.writing() as db:
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
        with self._explained(), self.lock:
            [(version,)] = self._db.execute("PRAGMA user_version").fetchall()
            return int(version)


def read_leftovers(path: str, table: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """What can be read of a table in a damaged file: its columns, and rows up to the first that cannot be read."""
    rows: list[tuple[Any, ...]] = []
    try:
        with closing(sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True)) as db:
            found = db.execute(f"SELECT * FROM {table}")  # noqa: S608 -- a name of ours
            columns = [str(column[0]) for column in found.description]
            with suppress(sqlite3.Error):
                rows.extend(found)
    except sqlite3.Error:
        return [], []
    return columns, rows


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
