"""COUNT executes that are due tomorrow, for SECONDS.  Usage: idle.py CONTENDER COUNT SECONDS.

Prints the milliseconds of CPU that waiting took, and how often any thread woke up.  No files are watched.
"""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks import stage


@contextmanager
def gavo(count: int) -> Iterator[None]:
    """Scheduler, workers, bus and postman."""
    executes = [stage.make_execute(number, "pass") for number in range(count)]
    with stage.heart(executes, {execute.key: stage.FAR for execute in executes}, keeps="durable"):
        yield


@contextmanager
def apscheduler(count: int) -> Iterator[None]:
    """APScheduler 3."""
    scheduler = stage.apscheduler(paused=True)
    due = stage.instant(time.time() + stage.FAR)
    for _ in range(count):
        scheduler.add_job(stage.nothing, "interval", days=1, next_run_time=due)
    scheduler.resume()
    yield
    scheduler.shutdown(wait=False)


@contextmanager
def floor(count: int) -> Iterator[None]:
    """A heap and a condition, workers that wait."""
    stage.Floor((time.time() + stage.FAR, print) for _ in range(count))
    yield


if __name__ == "__main__":
    contender, count, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    with {"gavo-exec": gavo, "apscheduler": apscheduler, "floor": floor}[contender](count):
        time.sleep(min(2.0, seconds))
        own = threading.get_native_id()
        before = stage.Threads(os.getpid(), without=own)
        time.sleep(seconds)
        after = stage.Threads(os.getpid(), without=own)
        print((after.cpu_ns - before.cpu_ns) / 1e6, after.wakeups - before.wakeups)
