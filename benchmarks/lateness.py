"""COUNT jobs over SECONDS, evenly spread.  Usage: lateness.py CONTENDER COUNT SECONDS [computing|isolated].

Prints how late they began, in milliseconds: p50, p99 and the worst.  With ``computing`` one more job computes all the
while, in pure Python; ``isolated`` has it do so in a process of its own.  None may be left out.
"""

import builtins
import os
import sys
import time
from collections.abc import Callable
from functools import partial

from benchmarks import stage
from gavo_exec.model import Policy

COMPUTING = """
import os
from time import monotonic
end = monotonic() + float(os.environ.get("BENCH_SECONDS", 0))
while monotonic() < end:
    for number in range(1000):
        number * number
"""
RECORDING = "bench_record(float(execDef.getProperty('due')))"

late: list[float] = []
since = {"zero": 0.0}


def record(due: float) -> None:
    """Note how late this job began, which was due so many seconds after zero."""
    late.append(time.time() - since["zero"] - due)


def dues_over(count: int, seconds: float, *, begin: float) -> list[float]:
    """Instants evenly spread from a moment on."""
    return [begin + seconds * number / count for number in range(count)]


def gavo(count: int, seconds: float, *, beside: str, keeps: str) -> None:
    """Everything on: claims, history, events; a log, too, if it ``keeps`` one."""
    builtins.bench_record = record  # type: ignore[attr-defined]
    dues = dues_over(count, seconds, begin=0.5)
    executes = [stage.make_execute(number, RECORDING, properties={"due": repr(due)}) for number, due in enumerate(dues)]
    by_key = {execute.key: due for execute, due in zip(executes, dues, strict=True)}
    if beside:
        computing = stage.make_execute(count, COMPUTING, policy=Policy(is_isolated=beside == "isolated"))
        executes.append(computing)
        by_key[computing.key] = 0.0
    with stage.heart(executes, by_key, keeps=keeps) as heart:
        late.clear()
        since["zero"] = heart.zero
        os.environ["BENCH_SECONDS"] = str(seconds + 1)
        wait(count, heart.zero + dues[-1])


def apscheduler(count: int, seconds: float, *, beside: str) -> None:
    """APScheduler 3, which keeps nothing."""
    scheduler = stage.apscheduler()
    dues = dues_over(count, seconds, begin=time.time() + 0.5 + count * 0.0004)
    for due in dues:
        scheduler.add_job(record, "interval", days=1, next_run_time=stage.instant(due), args=(due,))
    if beside:
        scheduler.add_job(compute, "interval", days=1, next_run_time=stage.instant(dues[0] - 0.5), args=(seconds,))
    wait(count, dues[-1])
    scheduler.shutdown(wait=False)


def floor(count: int, seconds: float, *, beside: str) -> None:
    """Heap, condition, queue, workers, locks."""
    dues = dues_over(count, seconds, begin=time.time() + 0.5 + count * 0.0002)
    jobs: list[tuple[float, Callable[[], object]]] = [(due, partial(record, due)) for due in dues]
    if beside:
        jobs.append((dues[0] - 0.5, partial(compute, seconds)))
    stage.Floor(jobs)
    wait(count, dues[-1])


def compute(seconds: float) -> None:
    """Keep the interpreter busy."""
    os.environ["BENCH_SECONDS"] = str(seconds + 1)
    exec(COMPUTING, {})


def wait(count: int, last: float) -> None:
    """Until all have run."""
    stage.sleep_until(last)
    deadline = time.time() + 60
    while len(late) < count and time.time() < deadline:
        time.sleep(0.05)
    if len(late) != count:
        raise TimeoutError(f"{len(late)} of {count} ran")


if __name__ == "__main__":
    contender, count, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    beside = sys.argv[4] if len(sys.argv) > 4 else ""
    if contender in {"apscheduler", "floor"}:
        {"apscheduler": apscheduler, "floor": floor}[contender](count, seconds, beside=beside)
    else:
        gavo(count, seconds, beside=beside, keeps=contender)
    late.sort()
    print(*(1000 * late[min(len(late) - 1, int(len(late) * share))] for share in (0.5, 0.99, 1)))
