"""What the contenders share: a gavo-exec daemon's heart with real threads, and the bare floor beside it."""

import heapq
import itertools
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from gavo_exec.catalog import Catalog
from gavo_exec.errors import Position
from gavo_exec.model import Execute, Job, LastStart, ResourceDescriptor, RunRequest
from gavo_exec.runtime import capture
from gavo_exec.runtime.agenda import Agenda
from gavo_exec.runtime.bus import Bus
from gavo_exec.runtime.clock import SystemClock
from gavo_exec.runtime.executing import JobLoader
from gavo_exec.runtime.guard import Guard
from gavo_exec.runtime.process import ProcessRunner
from gavo_exec.runtime.scheduler import Scheduler
from gavo_exec.runtime.workers import LocalEngine
from gavo_exec.schedule import Every
from gavo_exec.services.history import HistoryListener
from gavo_exec.services.mail import MailListener, MailPolicy
from gavo_exec.services.store import SQLiteStore

DAY = 86_400
WORKERS = 8


class NullStore:
    """Remembers nothing: what is measured is the rest."""

    def claim(self, requests: Sequence[RunRequest], **noted: object) -> dict[str, str]:
        """Grant everything."""
        return {}

    def note_starts(self, starts: object) -> None:
        """Forget these."""


def catalog_of(executes: Sequence[Execute], *, per_rd: int = 10) -> Catalog:
    """These executes in RDs of a few each."""
    rds = [
        ResourceDescriptor(
            rd_id=f"bench/{start}",
            path=f"/bench/{start}.rd",
            inputs_dir="/",
            resdir="/",
            executes=tuple(executes[start : start + per_rd]),
        )
        for start in range(0, len(executes), per_rd)
    ]
    return Catalog().accept(*rds)


def make_execute(number: int, code: str, **properties: str) -> Execute:
    """A daily execute."""
    return Execute(
        key=f"bench/{number // 10 * 10}#{number}",
        id=str(number),
        title=f"job {number}",
        schedule=Every(seconds=DAY),
        job=Job(source=code, position=Position(path=f"/bench/{number}.rd")),
        properties=properties,
    )


@contextmanager
def heart(executes: Sequence[Execute], dues: dict[str, datetime], *, durable: bool) -> Iterator[Scheduler]:
    """Scheduler, workers, guard and bus on their threads, as the daemon has them; started when entered.

    Each execute is due at its instant in ``dues``.  ``durable``: claims, history and mail go to an SQLite file.
    """
    clock = SystemClock()
    with tempfile.TemporaryDirectory() as folder, capture.install():
        store: Any = NullStore()
        bus = Bus([])
        if durable:
            store = SQLiteStore(Path(folder, "state.sqlite"), holder="bench", is_alive=lambda _: True)
            policy = MailPolicy(host="bench", sender="", recipients=())
            bus = Bus([HistoryListener(store), MailListener(store, clock=clock, policy=policy)], flush=store.flush)
        guard = Guard(
            JobLoader(ProcessRunner(output_limit_bytes=1 << 20)).prepare,
            clock=clock,
            publish=bus.publish,
            host="bench",
            output_limit_bytes=1 << 20,
        )
        engine = LocalEngine(workers=WORKERS)
        last_starts = {key: LastStart(at=due - timedelta(seconds=DAY)) for key, due in dues.items()}
        agenda = Agenda(run_ids=map("r{}".format, itertools.count()), last_starts=last_starts)
        scheduler = Scheduler(agenda, engine=engine, store=store, clock=clock, publish=bus.publish)
        engine.start(guard, scheduler.finished)
        bus.start()
        scheduler.adopt(catalog_of(executes))
        scheduler.start()
        try:
            yield scheduler
        finally:
            scheduler.stop()
            engine.stop(timedelta(seconds=30))
            bus.stop()
            if durable:
                store.close()


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
