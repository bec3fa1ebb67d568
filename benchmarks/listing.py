"""What an operator waits for.  Usage: listing.py list COUNT RUNS | ready RDS.

``list``: a daemon with COUNT executes and a history of RUNS runs.  Prints the seconds until it has answered what
``list`` asks, until ``gavo-exec list`` has ended, and until ``gavo-exec history --failed`` has.

``ready``: a daemon with RDS RDs of an execute each.  Prints the seconds until it is ready, and its resident memory in
megabytes when it has nothing to do.
"""

import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks import stage
from benchmarks.daemons import READY, running
from benchmarks.memory import write_tree
from gavo_exec.model import Outcome, Run
from gavo_exec.services.control.client import Client
from gavo_exec.services.store import SQLiteStore

GAVO = [sys.executable, "-m", "gavo_exec"]


def command(folder: Path) -> list[str]:
    """A daemon on the tree in a folder."""
    state = ["--state-dir", str(folder / "state"), "--dachs-config", "none"]
    return [*GAVO, "serve", str(folder / "inputs"), *state]


def seconds(act: Callable[[], object], times: int = 5) -> float:
    """How long it takes, the median of so many times."""
    found = []
    for _ in range(times):
        begin = time.perf_counter()
        act()
        found.append(time.perf_counter() - begin)
    return statistics.median(found)


def runs(keys: list[str], count: int) -> Iterator[Run]:
    """So many runs of these keys until now, of which one in a hundred failed."""
    begin = datetime.now(UTC) - timedelta(seconds=count)
    for number in range(count):
        at = begin + timedelta(seconds=number)
        yield Run(
            run_id=f"past-{number}",
            key=keys[number % len(keys)],
            title="a job",
            due=at,
            started_at=at,
            finished_at=at,
            outcome=Outcome.FAILED if number % 100 == 7 else Outcome.SUCCEEDED,
            output="a line\n" * 5,
            host="vo",
            digest="d" * 64,
        )


def listing(folder: Path, count: int, most: int) -> list[float]:
    """Make a state, serve it, and ask."""
    inputs, state = folder / "inputs", folder / "state"
    write_tree(inputs, count, per_rd=100)
    with running(command(folder), ready=READY["gavo-exec"]):
        keys = [job.key for job in Client(str(state)).jobs()]
    store = SQLiteStore(state / "state.sqlite", holder="a b c d", is_alive=lambda _: False)
    for number, past in enumerate(runs(keys, most)):
        store.record(past)
        if number % 5000 == 4999:
            store.flush()
    store.close()
    with running(command(folder), ready=READY["gavo-exec"]):
        client = Client(str(state))
        at = ["--state-dir", str(state)]

        def call(*words: str) -> None:
            subprocess.run([*GAVO, *words, *at], stdout=subprocess.DEVNULL, check=True)

        return [seconds(client.jobs), seconds(lambda: call("list")), seconds(lambda: call("history", "--failed"))]


def ready(folder: Path, count: int) -> list[float]:
    """Start it, and let it settle."""
    write_tree(folder / "inputs", count, per_rd=1)
    begin = time.perf_counter()
    with running(command(folder), ready=READY["gavo-exec"]) as (daemon, _):
        took = time.perf_counter() - begin
        threading.Event().wait(2)
        return [took, stage.memory_kilobytes(daemon.pid, field="VmRSS") / 1024]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        if sys.argv[1] == "list":
            print(*listing(Path(name), int(sys.argv[2]), int(sys.argv[3])))
        else:
            print(*ready(Path(name), int(sys.argv[2])))
