"""COUNT no-op jobs that are due at one instant.  Usage: dispatch.py CONTENDER COUNT.

Prints how many start a second, how many are done with a second (their history written, where it is), and the
microseconds of CPU for each.
"""

import builtins
import sys
import time

from benchmarks import stage


def gavo(count: int, *, keeps: str) -> None:
    """The whole of it: agenda, claim, queue, guard, capture, events; compiled jobs, as after their first run."""
    builtins.bench_job = str  # type: ignore[attr-defined]
    executes = [stage.make_execute(number, "bench_job()") for number in range(count)]
    with stage.heart(executes, {execute.key: 0.0 for execute in executes}, keeps=keeps) as heart:
        countdown = stage.Countdown(count)
        builtins.bench_job = countdown  # type: ignore[attr-defined]
        stage.sleep_until(heart.zero - 0.05)
        cpu = time.process_time()
        last = countdown.wait()
        heart.daemon.bus.stop()  # all of it is told and written by then
        report(count, due=heart.zero, last=last, written=time.time(), cpu=time.process_time() - cpu)


def apscheduler(count: int) -> None:
    """APScheduler 3, which keeps nothing."""
    due = time.time() + 1 + count * 0.0001
    countdown = stage.Countdown(count)
    scheduler = stage.apscheduler(paused=True)
    for _ in range(count):
        scheduler.add_job(countdown, "interval", days=1, next_run_time=stage.instant(due))
    if time.time() > due - 0.5:
        due = time.time() + 1
        for job in scheduler.get_jobs():
            job.modify(next_run_time=stage.instant(due))
    scheduler.resume()
    stage.sleep_until(due - 0.05)
    cpu = time.process_time()
    last = countdown.wait()
    report(count, due=due, last=last, written=last, cpu=time.process_time() - cpu)
    scheduler.shutdown(wait=False)


def floor(count: int) -> None:
    """Heap, condition, queue, workers, locks."""
    countdown = stage.Countdown(count)
    due = time.time() + count * 0.00001 + 0.3
    stage.Floor((due, countdown) for _ in range(count))
    stage.sleep_until(due - 0.05)
    cpu = time.process_time()
    last = countdown.wait()
    report(count, due=due, last=last, written=last, cpu=time.process_time() - cpu)


def report(count: int, *, due: float, last: float, written: float, cpu: float) -> None:
    """Print the figures."""
    print(count / (last - due), count / (written - due), cpu * 1e6 / count)


if __name__ == "__main__":
    contender, count = sys.argv[1], int(sys.argv[2])
    if contender == "apscheduler":
        apscheduler(count)
    elif contender == "floor":
        floor(count)
    else:
        gavo(count, keeps=contender)
