"""Whole daemons.  Usage: daemons.py gavo-exec|cronstable idle|busy COUNT SECONDS.

``idle``: COUNT jobs that are due once a month.  Prints the seconds until it is ready, its resident memory in megabytes
(now, and at most), and what it uses in SECONDS: milliseconds of CPU, and how often its threads wake up.

``busy``: COUNT jobs that run ``/bin/true`` each second.  Prints how many runs it gets done a second, and the
milliseconds of CPU that it takes itself for each.
"""

import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import stage
from benchmarks.memory import write_tree

READY = {"gavo-exec": "ready:", "cronstable": "Job set id"}
DONE = {"gavo-exec": r" succeeded in ", "cronstable": r"exit code 0;"}


def gavo(folder: Path, count: int, *, is_idle: bool) -> list[str]:
    """Write RDs of a hundred executes each; answers the command."""
    inputs = folder / "inputs"
    paths = write_tree(inputs, count, per_rd=100)
    if not is_idle:
        for path in paths:
            text = path.read_text().replace("<code>pass</code>", '<code>execDef.spawn(["/bin/true"])</code>')
            path.write_text(re.sub(r'at="[^"]*"', 'every="1"', text))
    state = ["--state-dir", str(folder / "state"), "--dachs-config", "none", "--workers", "8"]
    return [sys.executable, "-m", "gavo_exec", "serve", str(inputs), *state]


def cronstable(folder: Path, count: int, *, is_idle: bool) -> list[str]:
    """Write a file of jobs; answers the command."""
    when = '"0 1 {day} * *"' if is_idle else '"* * * * * * *"'
    jobs = "".join(
        f"  - name: job{number}\n    command:\n      - /bin/true\n    captureStdout: true\n    captureStderr: true\n"
        f"    schedule: {when.format(day=number % 28 + 1)}\n"
        for number in range(count)
    )
    path = folder / "jobs.yaml"
    path.write_text(f"jobs:\n{jobs}")
    return [sys.executable, "-m", "cronstable", "-c", str(path)]


@contextmanager
def running(command: list[str], *, ready: str) -> Iterator[tuple["subprocess.Popen[str]", list[str]]]:
    """The daemon, once it says that it is ready, and the lines it says from then on."""
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as daemon:
        assert daemon.stderr is not None
        early = []
        for line in daemon.stderr:
            early.append(line)
            if ready in line:
                break
        else:
            sys.exit(f"{' '.join(command)} did not start:\n{''.join(early)}")
        lines: list[str] = []
        reader = threading.Thread(target=lines.extend, args=(daemon.stderr,))
        reader.start()
        try:
            yield daemon, lines
        finally:
            daemon.terminate()
            daemon.wait(60)
            reader.join()


def main() -> None:
    """Start it, let it settle, and look."""
    name, mode, count, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    with tempfile.TemporaryDirectory() as folder:
        contender = {"gavo-exec": gavo, "cronstable": cronstable}[name]
        command = contender(Path(folder), count, is_idle=mode == "idle")
        begin = time.perf_counter()
        with running(command, ready=READY[name]) as (daemon, lines):
            ready = time.perf_counter() - begin
            time.sleep(min(3.0, seconds))
            said, before = len(lines), stage.Threads(daemon.pid)
            time.sleep(seconds)
            after = stage.Threads(daemon.pid)
            spent = (after.cpu_ns - before.cpu_ns) / 1e6
            runs = sum(re.search(DONE[name], line) is not None for line in lines[said:])
            memory = [stage.memory_kilobytes(daemon.pid, field=field) / 1024 for field in ("VmRSS", "VmHWM")]
        if mode == "idle":
            print(ready, *memory, spent, after.wakeups - before.wakeups)
        else:
            print(runs / seconds, spent / max(1, runs))


if __name__ == "__main__":
    main()
