"""The store alone: COUNT runs, claimed before they start and recorded afterwards.  Usage: keeping.py CONTENDER COUNT.

Prints the microseconds of CPU for each run, with a commit for each hundred.
"""

import sqlite3
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from benchmarks import stage
from gavo_exec.model import Outcome, Run, RunRequest
from gavo_exec.services.store import SQLiteStore

BATCH = 100


def gavo(folder: Path, count: int) -> float:
    """Claims, last starts, history: what the scheduler and the bus ask of the store."""
    store = SQLiteStore(folder / "state.sqlite", holder="bench", is_alive=lambda _: True)
    executes = [stage.make_execute(number, "pass") for number in range(BATCH)]
    rds = [stage.make_rd([execute]) for execute in executes]
    now = stage.instant(time.time())
    spent = 0.0
    for batch in range(count // BATCH):
        due = now + timedelta(seconds=batch)
        requests = [
            RunRequest(run_id=f"r{batch}-{number}", rd=rds[number], execute=execute, due=due, counts_from=due)
            for number, execute in enumerate(executes)
        ]
        runs = [
            Run(
                run_id=request.run_id,
                key=request.execute.key,
                title=request.execute.title,
                due=due,
                started_at=due,
                finished_at=due,
                outcome=Outcome.SUCCEEDED,
                host="bench",
            )
            for request in requests
        ]
        begin = time.process_time()
        store.claim(requests, now=due)
        for run in runs:
            store.record(run)
        store.flush()
        spent += time.process_time() - begin
    store.close()
    return spent


def floor(folder: Path, count: int) -> float:
    """SQLite: a row written before the start, and completed afterwards."""
    db = sqlite3.connect(folder / "state.sqlite", isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute("CREATE TABLE runs (id INTEGER PRIMARY KEY, key TEXT, due INTEGER, ended INTEGER)")
    spent = 0.0
    for batch in range(count // BATCH):
        numbers = range(batch * BATCH, (batch + 1) * BATCH)
        begin = time.process_time()
        db.execute("BEGIN")
        db.executemany(
            "INSERT INTO runs VALUES (?, ?, ?, NULL)", [(number, f"k{number}", number) for number in numbers]
        )
        db.execute("COMMIT")
        db.execute("BEGIN")
        db.executemany("UPDATE runs SET ended = ? WHERE id = ?", [(number, number) for number in numbers])
        db.execute("COMMIT")
        spent += time.process_time() - begin
    db.close()
    return spent


if __name__ == "__main__":
    contender, count = sys.argv[1], int(sys.argv[2])
    with tempfile.TemporaryDirectory() as name:
        print({"gavo-exec": gavo, "floor": floor}[contender](Path(name), count) * 1e6 / count)
