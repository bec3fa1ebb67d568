"""A damaged state file: kept aside, what can be read of it carried over, and said."""

import os
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from gavo_exec.errors import StoreError
from gavo_exec.services.store.file import StateFile, read_leftovers

_COMPANIONS: Final = ("", "-wal", "-shm")
_WANTED: Final = ("last_starts", "pauses", "retries", "seen_files", "incidents", "digests")
"""What is carried over, as far as it can be read: what makes runs come when they should, and mails not twice."""


def set_aside(path: str, *, now: datetime) -> str:
    """Move a damaged state file, with its companions, out of the way; answers its new path.

    Raises StoreError where that cannot be done.
    """
    aside = f"{path}.damaged-{now:%Y%m%dT%H%M%S}"
    try:
        for companion in _COMPANIONS:
            with suppress(FileNotFoundError):
                os.replace(path + companion, aside + companion)  # noqa: PTH105 -- paths are strings in this house
    except OSError as fault:
        raise StoreError(f"The damaged state file {path} cannot be moved aside: {fault.strerror}") from None
    return aside


def carry_over(aside: str, path: str) -> int:
    """Take what can be read of a damaged state file into a fresh one; answers how many rows that were."""
    taken = 0
    with closing(StateFile(path)) as fresh:
        for table in _WANTED:
            columns, rows = read_leftovers(aside, table)
            if not rows:
                continue
            places = ", ".join("?" * len(columns))
            statement = f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608
            with suppress(StoreError), fresh.writing() as db:
                db.executemany(statement, rows)
                taken += len(rows)
    return taken


def mend(path: str, *, now: datetime) -> str:
    """Keep a damaged state file aside and begin a fresh one; answers what to say of that.  Raises StoreError."""
    aside = set_aside(path, now=now)
    taken = carry_over(aside, path)
    left = "when jobs ran last, pauses and incidents were carried over" if taken else "nothing of it could be read"
    return (
        f"The state file {path} was damaged; it is kept as {Path(aside).name}, and a fresh one is begun: "
        f"{left}, the history is not in it. Look whether the disk is well"
    )
