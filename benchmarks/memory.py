"""Bytes of memory for each of COUNT executes that are scheduled.  Usage: memory.py CONTENDER COUNT.

Prints what a timetable takes for each.  ``gavo-exec`` is the agenda alone; ``whole`` counts the RDs as well, read from
files, less the text of the code in them.
"""

import sys
import tempfile
import threading
import time
from pathlib import Path

from benchmarks import stage
from gavo_exec import descriptor
from gavo_exec.catalog import Catalog
from gavo_exec.runtime.agenda import Agenda
from gavo_exec.testing import run_ids

PER_RD = 20


def gavo(count: int) -> float:
    """The agenda of a catalog that is there already."""
    catalog = stage.catalog_of([stage.make_execute(number, "pass") for number in range(count)])
    return stage.bytes_of(lambda: scheduled(catalog))


def scheduled(catalog: Catalog) -> Agenda:
    """An agenda with all of a catalog."""
    agenda = Agenda(run_ids=run_ids())
    agenda.reconcile(catalog, stage.instant(time.time()))
    return agenda


def whole(count: int) -> float:
    """RDs from files, and their agenda."""
    with tempfile.TemporaryDirectory() as name:
        paths = write_tree(Path(name), count, per_rd=PER_RD)
        descriptor.read(str(paths[0]), inputs_dir=name)  # what is made once for all
        texts = 0

        def make() -> tuple[Catalog, Agenda]:
            nonlocal texts
            rds = [descriptor.read(str(path), inputs_dir=name) for path in paths]
            texts = sum(sys.getsizeof(execute.job.source) for rd in rds for execute in rd.executes)
            catalog = Catalog().accept(*rds)
            return catalog, scheduled(catalog)

        return stage.bytes_of(make) - texts


def write_tree(inputs: Path, count: int, *, per_rd: int) -> list[Path]:
    """RDs with so many executes each, due once a month."""
    paths = []
    for number in range(-(-count // per_rd)):
        path = inputs / f"r{number}" / "q.rd"
        path.parent.mkdir(parents=True)
        executes = "".join(
            f'<execute id="e{index}" title="Job {index} of {number}" at="m{index % 28 + 1} 1:00">'
            "<job><code>pass</code></job></execute>\n"
            for index in range(min(count - number * per_rd, per_rd))
        )
        path.write_text(f'<resource schema="x" resdir=".">\n{executes}</resource>\n')
        paths.append(path)
    return paths


def apscheduler(count: int) -> float:
    """Jobs of APScheduler 3 for one function."""
    scheduler = stage.apscheduler(paused=True)
    due = stage.instant(time.time() + 86_400)

    def make() -> None:
        for number in range(count):
            scheduler.add_job(
                stage.nothing, "interval", days=1, next_run_time=due, id=f"bench/{number}", name=f"job {number}"
            )

    taken = stage.bytes_of(make)
    scheduler.shutdown(wait=False)
    return taken


def floor(count: int) -> float:
    """A heap, a dictionary, a lock for each."""

    def make() -> object:
        dues = [stage.instant(time.time() + number) for number in range(count)]
        jobs = {f"bench/{number}": [due, threading.Lock()] for number, due in enumerate(dues)}
        return jobs, [(due.timestamp(), number, due) for number, due in enumerate(dues)]

    return stage.bytes_of(make)


if __name__ == "__main__":
    contender, count = sys.argv[1], int(sys.argv[2])
    contenders = {"gavo-exec": gavo, "whole": whole, "apscheduler": apscheduler, "floor": floor}
    print(contenders[contender](count) / count)
