"""A large tree: taking it up, what memory that takes, and renewing one file.  Usage: tree.py COUNT SIZE.

Prints the seconds for all, the megabytes of resident memory that came with it, and in milliseconds: reading one RD;
from one changed file to the new agenda; the same for a file with a stream that ten RDs replay.
"""

import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.reading import TAIL, make_tree
from gavo_exec import descriptor
from gavo_exec.reload import Reloader
from gavo_exec.runtime.agenda import Agenda
from gavo_exec.runtime.clock import SystemClock
from gavo_exec.testing import run_ids

STREAM = (
    '<resource schema="lib" resdir="."><STREAM id="s"><execute title="Fed {0}" every="3600"><job/></execute></STREAM>'
)
USERS = 10


def timed(reloader: Reloader, agenda: Agenda, path: Path, *, old: str, new: str) -> float:
    """Milliseconds from an edit to the agenda that knows of it."""
    path.write_text(path.read_text().replace(old, new))
    begin = time.perf_counter()
    agenda.reconcile(reloader.update([str(path)]), SystemClock().now())
    return (time.perf_counter() - begin) * 1000


def main() -> None:
    """Build the tree, take it up, edit."""
    count, size = int(sys.argv[1]), int(sys.argv[2])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lib = folder / "lib.rd"
        lib.write_text(STREAM.format(0) + "</resource>")
        feed = TAIL.replace("</resource>", '<FEED source="lib#s"/></resource>')
        users = make_tree(folder / "users", USERS, size, tail=feed)
        paths = make_tree(folder, count - USERS - 1, size)
        reloader = Reloader(name, read=descriptor.read, clock=SystemClock(), publish=lambda _event: None)
        agenda = Agenda(run_ids=run_ids())
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        begin = time.perf_counter()
        agenda.reconcile(reloader.update(map(str, (lib, *users, *paths))), SystemClock().now())
        seconds = time.perf_counter() - begin
        memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        readings = []
        for path in paths[:20]:
            begin = time.perf_counter()
            descriptor.read(str(path), inputs_dir=name)
            readings.append((time.perf_counter() - begin) * 1000)
        renewals = [timed(reloader, agenda, path, old="3600", new="7200") for path in paths[:20]]
        of_users = [timed(reloader, agenda, lib, old=f"Fed {n}", new=f"Fed {n + 1}") for n in range(5)]
        assert any(execute.title == "Fed 5" for _, execute in reloader.catalog.executes())
        print(seconds, memory, *map(statistics.median, (readings, renewals, of_users)))


if __name__ == "__main__":
    main()
