"""A year of executes, simulated.  Usage: simulation.py CONTENDER COUNT DAYS.

Of twenty executes sixteen are due once a day, one every hour, two once a week and one once a month; a run takes five
minutes, and 32 may go on at once.  Prints the seconds it took, the microseconds for each run, and how many megabytes of
memory came with it.  The floor only keeps a heap of what is due and of what ends.
"""

import resource
import sys
import time
from datetime import timedelta
from heapq import heapify, heappop, heappush

from gavo_exec.catalog import Catalog
from gavo_exec.schedule import Every, Schedule, parse_at
from gavo_exec.simulation import Plan, simulate
from gavo_exec.testing import EPOCH, make_execute, make_rd

SLOTS = 32
TAKES = timedelta(minutes=5)


def schedule(number: int) -> Schedule:
    """A mix as sites have it, spread over the day."""
    clock = f"{number % 24}:{number * 7 % 60:02}"
    match number % 20:
        case 0:
            return Every(seconds=3600)
        case 1 | 11:
            return parse_at(f"w{number // 10 % 7 + 1} {clock}")
        case 2:
            return parse_at(f"m{number // 20 % 28 + 1} {clock}")
        case _:
            return parse_at(clock)


def make_catalog(count: int) -> Catalog:
    """RDs of ten executes each."""
    rds = []
    for first in range(0, count, 10):
        numbers = range(first, min(first + 10, count))
        executes = [make_execute(f"r{first}/q#j{number}", schedule=schedule(number)) for number in numbers]
        rds.append(make_rd(*executes, rd_id=f"r{first}/q"))
    return Catalog().accept(*rds)


def floor(catalog: Catalog, days: int) -> int:
    """The least there is to do; answers how many runs there were."""
    end = EPOCH + timedelta(days=days)
    schedules = [execute.schedule for _, execute in catalog.executes()]
    heap = [(due, place) for place, each in enumerate(schedules) if (due := each.next_due(EPOCH, None)) is not None]
    heapify(heap)
    runs = 0
    while heap and heap[0][0] < end:
        due, place = heappop(heap)
        if place < 0:
            continue
        runs += 1
        heappush(heap, (due + TAKES, -1))
        if (following := schedules[place].next_due(due, due)) is not None:
            heappush(heap, (following, place))
    return runs


def main() -> None:
    """Simulate, and tell how it went."""
    contender, count, days = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    catalog = make_catalog(count)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin = time.perf_counter()
    if contender == "floor":
        runs = floor(catalog, days)
    else:
        plan = Plan(catalog=catalog, start=EPOCH, end=EPOCH + timedelta(days=days), slots=SLOTS, usual=TAKES)
        runs = simulate(plan, tell=1000).runs
    seconds = time.perf_counter() - begin
    more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(seconds, seconds * 1e6 / runs, more / 1024)


if __name__ == "__main__":
    main()
