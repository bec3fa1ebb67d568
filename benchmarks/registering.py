"""Timetables of COUNT executes.  Usage: registering.py CONTENDER COUNT [PER_RD].

Prints the microseconds that entering one takes, and replacing one of them by an edited one.  RDs have PER_RD executes
each, of which all are looked at where one was edited.
"""

import heapq
import itertools
import statistics
import sys
import time
from collections import deque
from collections.abc import Callable

import msgspec

from benchmarks import stage
from gavo_exec.runtime.agenda import Agenda
from gavo_exec.testing import run_ids

EDITS = 101


def gavo(count: int, per_rd: int) -> None:
    """The agenda, made to agree with catalogs that are there already."""
    executes = [stage.make_execute(number, "pass", per_rd=per_rd) for number in range(count)]
    catalog = stage.catalog_of(executes, per_rd=per_rd)
    agenda = Agenda(run_ids=run_ids())
    now = stage.instant(time.time())
    entering = microseconds(lambda: agenda.reconcile(catalog, now))
    replacing = []
    for number in range(EDITS):
        rd = catalog.accepted[executes[number * 7919 % count].key.partition("#")[0]]
        edited = msgspec.structs.replace(rd.executes[0], title=f"Edited {number}")
        catalog = catalog.accept(msgspec.structs.replace(rd, executes=(edited, *rd.executes[1:])))
        replacing.append(microseconds(lambda catalog=catalog: agenda.reconcile(catalog, now)))  # type: ignore[misc]
    print(entering / count, statistics.median(replacing))


def apscheduler(count: int) -> None:
    """APScheduler 3 with its store in memory."""
    from apscheduler.triggers.interval import IntervalTrigger

    scheduler = stage.apscheduler(paused=True)
    due = stage.instant(time.time() + 86_400)

    trigger = IntervalTrigger(days=1, timezone="UTC")  # one for all, as cheap as can be

    def enter(number: int) -> None:
        names = {"id": f"bench/{number}", "name": f"job {number}"}
        scheduler.add_job(stage.nothing, trigger, next_run_time=due, replace_existing=True, **names)

    entering = microseconds(lambda: deque(map(enter, range(count)), maxlen=0))
    replacing = [microseconds(lambda number=number: enter(number * 7919 % count)) for number in range(EDITS)]  # type: ignore[misc]
    print(entering / count, statistics.median(replacing))
    scheduler.shutdown(wait=False)


def floor(count: int) -> None:
    """A dictionary and a heap."""
    entries: dict[str, list[object]] = {}
    heap: list[tuple[float, int, list[object]]] = []
    now, order = stage.instant(time.time()), itertools.count()

    def enter(number: int) -> None:
        due = now + stage.DAY
        if (old := entries.get(f"bench/{number}")) is not None:
            old[0] = None
        entry: list[object] = [due, number]
        entries[f"bench/{number}"] = entry
        heapq.heappush(heap, (due.timestamp(), next(order), entry))

    entering = microseconds(lambda: deque(map(enter, range(count)), maxlen=0))
    replacing = [microseconds(lambda number=number: enter(number * 7919 % count)) for number in range(EDITS)]  # type: ignore[misc]
    print(entering / count, statistics.median(replacing))


def microseconds(call: Callable[[], object]) -> float:
    """How long this takes."""
    begin = time.perf_counter()
    call()
    return (time.perf_counter() - begin) * 1e6


if __name__ == "__main__":
    contender, count = sys.argv[1], int(sys.argv[2])
    if contender == "gavo-exec":
        gavo(count, int(sys.argv[3]))
    else:
        {"apscheduler": apscheduler, "floor": floor}[contender](count)
