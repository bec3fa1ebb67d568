"""Lateness in milliseconds (p50 p99 max) of COUNT jobs over SECONDS.  Usage: lateness.py CONTENDER COUNT SECONDS."""

import builtins
import sys
import time
from functools import partial

from benchmarks import stage
from gavo_exec.daemon import tune_interpreter

late: list[float] = []


def record(due: float) -> None:
    """Note how late this job began."""
    late.append(time.time() - due)


def dues_over(count: int, seconds: float) -> list[float]:
    """Instants evenly spread, beginning soon."""
    begin = time.time() + 0.5 + count * 0.0002
    return [begin + seconds * number / count for number in range(count)]


def gavo(count: int, seconds: float) -> None:
    """Everything on: claims, history, events."""
    builtins.bench_record = record  # type: ignore[attr-defined]
    tune_interpreter()
    dues = dues_over(count, seconds)
    executes = [
        stage.make_execute(number, "bench_record(float(execDef.getProperty('due')))", due=repr(due))
        for number, due in enumerate(dues)
    ]
    by_key = {execute.key: stage.instant(due) for execute, due in zip(executes, dues, strict=True)}
    with stage.heart(executes, by_key, durable=True):
        wait(count, dues[-1])


def apscheduler(count: int, seconds: float) -> None:
    """APScheduler 3, which keeps nothing."""
    from apscheduler.executors.pool import ThreadPoolExecutor
    from apscheduler.schedulers.background import BackgroundScheduler

    scheduler = BackgroundScheduler(
        timezone="UTC",
        executors={"default": ThreadPoolExecutor(stage.WORKERS)},
        job_defaults={"misfire_grace_time": None},
    )
    scheduler.start()
    dues = dues_over(count, seconds)
    for due in dues:
        scheduler.add_job(record, "interval", days=1, next_run_time=stage.instant(due), args=(due,))
    wait(count, dues[-1])
    scheduler.shutdown(wait=False)


def floor(count: int, seconds: float) -> None:
    """Heap, condition, queue, workers, locks."""
    dues = dues_over(count, seconds)
    stage.Floor((due, partial(record, due)) for due in dues)
    wait(count, dues[-1])


def wait(count: int, last: float) -> None:
    """Until all have run."""
    time.sleep(max(0.0, last - time.time()))
    deadline = time.time() + 60
    while len(late) < count and time.time() < deadline:
        time.sleep(0.05)
    if len(late) < count:
        raise TimeoutError(f"only {len(late)} of {count} ran")


if __name__ == "__main__":
    {"durable": gavo, "apscheduler": apscheduler, "floor": floor}[sys.argv[1]](int(sys.argv[2]), float(sys.argv[3]))
    late.sort()
    print(*(1000 * late[min(len(late) - 1, int(len(late) * share))] for share in (0.5, 0.99, 1)))
