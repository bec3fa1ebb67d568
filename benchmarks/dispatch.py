"""Seconds from the due instant until COUNT no-op jobs have run.  Usage: dispatch.py CONTENDER COUNT."""

import builtins
import sys
import time
from datetime import datetime, timedelta

from benchmarks import stage
from gavo_exec.daemon import tune_interpreter


def gavo(count: int, *, durable: bool) -> float:
    """The whole of it: agenda, claim, queue, guard, capture, events; compiled jobs, as after their first run."""
    countdown = stage.Countdown(2 * count)
    warm = stage.Countdown(count)
    due = time.time() + count * 0.0004 + 0.5
    executes = [stage.make_execute(number, "bench_job()") for number in range(count)]

    def first() -> None:
        warm()
        countdown()

    builtins.bench_job = first  # type: ignore[attr-defined]
    tune_interpreter()
    with stage.heart(executes, {execute.key: stage.instant(due) for execute in executes}, durable=durable) as scheduler:
        warm.wait()
        # The same timetable once more: everything is due again, a moment from now.
        time.sleep(0.5)
        builtins.bench_job = countdown  # type: ignore[attr-defined]
        again = time.time() + 0.5 + count * 0.00003
        agenda = scheduler._agenda  # noqa: SLF001 -- the one message there is none for
        agenda._heap.clear()  # noqa: SLF001
        for entry in agenda._entries.values():  # noqa: SLF001
            agenda._schedule(entry, stage.instant(again))  # noqa: SLF001
        scheduler._inbox.put(None)  # noqa: SLF001 -- wakes it
        return countdown.wait() - again


def apscheduler(count: int) -> float:
    """APScheduler 3 with as many threads."""
    from apscheduler.executors.pool import ThreadPoolExecutor
    from apscheduler.schedulers.background import BackgroundScheduler

    countdown = stage.Countdown(count)
    scheduler = BackgroundScheduler(
        timezone="UTC",
        executors={"default": ThreadPoolExecutor(stage.WORKERS)},
        job_defaults={"misfire_grace_time": None, "max_instances": 1},
    )
    due = datetime.now().astimezone() + timedelta(seconds=count * 0.0002 + 1)
    scheduler.start()
    for _ in range(count):
        scheduler.add_job(countdown, "interval", days=1, next_run_time=due)
    elapsed = countdown.wait() - due.timestamp()
    scheduler.shutdown(wait=False)
    return elapsed


def floor(count: int) -> float:
    """Heap, condition, queue, workers, locks."""
    countdown = stage.Countdown(count)
    due = time.time() + count * 0.00001 + 0.3
    stage.Floor((due, countdown) for _ in range(count))
    return countdown.wait() - due


if __name__ == "__main__":
    contender, count = sys.argv[1], int(sys.argv[2])
    if contender == "apscheduler":
        print(apscheduler(count))
    elif contender == "floor":
        print(floor(count))
    else:
        print(gavo(count, durable=contender == "durable"))
