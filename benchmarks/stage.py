"""What the contenders share: a gavo-exec daemon's heart on its real threads, and the bare floor beside it."""

import gc
import heapq
import os
import tempfile
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple

from gavo_exec.catalog import Catalog
from gavo_exec.daemon import Daemon, assemble
from gavo_exec.errors import Position
from gavo_exec.model import (
    DEFAULT_POLICY,
    Channel,
    Execute,
    Job,
    LastStart,
    Policy,
    ResourceDescriptor,
    Run,
    RunRequest,
)
from gavo_exec.ports import Mailer
from gavo_exec.runtime import capture
from gavo_exec.schedule import Every
from gavo_exec.services.log import lines as log
from gavo_exec.services.store import SQLiteStore
from gavo_exec.serving import tune_interpreter
from gavo_exec.settings import Settings
from gavo_exec.testing import ListMailer, ScriptedWatcher

DAY = timedelta(days=1)
WORKERS = 8
LEAD = timedelta(seconds=1)
FAR = 20 * 3600.0
"""Seconds after zero at which nothing is measured any more."""


class NullStore(SQLiteStore):
    """Keeps nothing of what runs: what is measured is the rest."""

    def __init__(self) -> None:
        super().__init__(":memory:", holder="bench", is_alive=lambda _: True)

    def claim(self, requests: Sequence[RunRequest], **noted: Any) -> dict[str, str]:
        """Grant everything."""
        return {}

    def record(self, run: Run) -> None:
        """Forget it."""

    def flush(self) -> frozenset[Channel]:
        """There is nothing to write."""
        return frozenset()


def make_execute(
    number: int,
    code: str,
    *,
    policy: Policy = DEFAULT_POLICY,
    per_rd: int = 10,
    properties: Mapping[str, str] | None = None,
) -> Execute:
    """A daily execute."""
    return Execute(
        key=f"bench/{number // per_rd}#{number}",
        id=str(number),
        title=f"job {number}",
        schedule=Every(seconds=86_400),
        job=Job(source=code, position=Position(path=f"/bench/{number // per_rd}.rd")),
        policy=policy,
        properties=properties or {},
    )


def catalog_of(executes: Sequence[Execute], *, per_rd: int = 10) -> Catalog:
    """These executes in RDs of a few each."""
    rds = (make_rd(executes[start : start + per_rd]) for start in range(0, len(executes), per_rd))
    return Catalog().accept(*rds)


def make_rd(executes: Sequence[Execute]) -> ResourceDescriptor:
    """The RD of these executes."""
    rd_id = executes[0].key.partition("#")[0]
    return ResourceDescriptor(rd_id=rd_id, path=f"/{rd_id}.rd", inputs_dir="/", resdir="/", executes=tuple(executes))


class ShiftedClock:
    """The time, and some more: so that jobs which take a while to be made ready are due when they are."""

    shift = timedelta(0)

    def now(self) -> datetime:
        """The present instant of this clock."""
        return datetime.now(UTC) + self.shift


class Heart(NamedTuple):
    """A daemon at work; ``zero`` is the moment, in seconds since 1970, that due instants are given from."""

    daemon: Daemon
    zero: float


@contextmanager
def heart(
    executes: Sequence[Execute], dues: Mapping[str, float], *, keeps: str, mailer: Mailer | None = None
) -> Iterator[Heart]:
    """The daemon without files to watch, on its threads; each execute is due once, so many seconds after zero.

    ``keeps``: ``null`` nothing, ``durable`` claims, history and mail in an SQLite file, ``logged`` a log as well.
    All jobs have been run once before anything is due, as those of a daemon that has been up for a while.
    """
    with tempfile.TemporaryDirectory() as folder, capture.install(), Path(folder, "log").open("w") as stream:
        settings = Settings(
            inputs_dir=folder,
            state_dir=folder,
            workers=WORKERS,
            host="bench",
            dachs_config="none",
            stop_grace_seconds=5,
        )
        file = Path(folder, "state.sqlite")
        store = NullStore() if keeps == "null" else SQLiteStore(file, holder="bench", is_alive=lambda _: True)
        log.configure(stream=stream, level=20 if keeps == "logged" else 30)
        tune_interpreter()
        clock = ShiftedClock()
        zero = clock.now() + DAY
        starts = {
            execute.key: LastStart(
                at=zero + timedelta(seconds=dues[execute.key]) - DAY, schedule=execute.schedule.describe()
            )
            for execute in executes
        }
        store.note_starts(starts)
        daemon = assemble(settings, clock=clock, store=store, watcher=ScriptedWatcher(), mailer=mailer or ListMailer())
        catalog = catalog_of(executes)
        for number, (rd, execute) in enumerate(catalog.executes()):
            daemon.guard.perform(RunRequest(run_id=f"warm-{number}", rd=rd, execute=execute, due=instant(0)))
            if number % 100 == 0:
                daemon.bus.drain()
        daemon.scheduler.adopt(catalog)
        daemon.step()
        gc.collect()
        clock.shift = zero - LEAD - datetime.now(UTC)
        daemon.start()
        try:
            yield Heart(daemon=daemon, zero=(zero - clock.shift).timestamp())
        finally:
            daemon.stop("the benchmark is over")


class Floor:
    """The least that pure Python can do: a heap and a condition, a queue and workers, a lock for each job."""

    def __init__(self, jobs: Iterable[tuple[float, Callable[[], object]]]) -> None:
        self._heap = [(due, number, job, threading.Lock()) for number, (due, job) in enumerate(jobs)]
        heapq.heapify(self._heap)
        self._queue: SimpleQueue[Any] = SimpleQueue()
        self._condition = threading.Condition()
        for _ in range(WORKERS):
            threading.Thread(target=self._work, daemon=True).start()
        threading.Thread(target=self._run, daemon=True).start()

    def _work(self) -> None:
        while True:
            job, lock = self._queue.get()
            if lock.acquire(blocking=False):
                try:
                    job()
                finally:
                    lock.release()

    def _run(self) -> None:
        with self._condition:
            while self._heap:
                now = time.time()
                if self._heap[0][0] > now:
                    self._condition.wait(self._heap[0][0] - now)
                else:
                    _, _, job, lock = heapq.heappop(self._heap)
                    self._queue.put((job, lock))


def apscheduler(*, paused: bool = False) -> Any:
    """APScheduler 3 with as many threads, started; whatever was missed, it runs, as gavo-exec does."""
    from apscheduler.executors.pool import ThreadPoolExecutor
    from apscheduler.schedulers.background import BackgroundScheduler

    scheduler = BackgroundScheduler(
        timezone="UTC",
        executors={"default": ThreadPoolExecutor(WORKERS)},
        job_defaults={"misfire_grace_time": None, "max_instances": 1},
    )
    scheduler.start(paused=paused)
    return scheduler


def nothing() -> None:
    """A job, in Python so that APScheduler takes no time to find out what it can be called with."""


class Countdown:
    """Counts calls; can be waited for."""

    def __init__(self, count: int) -> None:
        self._left = iter(range(count - 1, -1, -1))
        self._done = threading.Event()
        self.ended_at = 0.0

    def __call__(self, *_: object) -> None:
        """Count one; several threads may."""
        if next(self._left) == 0:
            self.ended_at = time.time()
            self._done.set()

    def wait(self) -> float:
        """The moment of the last call."""
        if not self._done.wait(300):
            raise TimeoutError("not all jobs ran")
        return self.ended_at


def instant(seconds: float) -> datetime:
    """Seconds since the epoch as an instant."""
    return datetime.fromtimestamp(seconds, UTC)


def sleep_until(moment: float) -> None:
    """Wait for a moment, in seconds since the epoch."""
    time.sleep(max(0.0, moment - time.time()))


def bytes_of(make: Callable[[], object]) -> int:
    """How many bytes of memory what this makes takes."""
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    made = make()
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    del made
    return after - before


class Threads:
    """What the threads of a process have used and how often they woke; made anew for each look.

    The kernel counts both by thread, the time in nanoseconds; threads that have ended are not counted any more.
    """

    def __init__(self, pid: int, *, without: int = 0) -> None:
        self.cpu_ns = self.wakeups = 0
        for task in Path(f"/proc/{pid}/task").iterdir():
            if int(task.name) == without:
                continue
            self.cpu_ns += int((task / "schedstat").read_text().split()[0])
            status = (task / "status").read_text()
            self.wakeups += int(status.partition("\nvoluntary_ctxt_switches:")[2].split()[0])


def memory_kilobytes(pid: int | None = None, *, field: str = "VmRSS") -> int:
    """Resident memory of a process in kilobytes: now, or with ``VmHWM`` at most."""
    status = Path(f"/proc/{pid or os.getpid()}/status").read_text()
    return int(status.partition(f"\n{field}:")[2].split()[0])


def forget_peak() -> None:
    """Let ``VmHWM`` of this process begin anew."""
    Path("/proc/self/clear_refs").write_text("5")
