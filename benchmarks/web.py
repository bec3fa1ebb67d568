"""The daemon as it shows itself.  Usage: web.py page COUNT RUNS | lateness COUNT SECONDS [idle|load].

``page``: a daemon with COUNT executes and a history of RUNS runs.  Prints the seconds of the first page after the
start, of the same asked again when nothing is kept any more, its kilobytes, and the seconds of the metrics.

``lateness``: a daemon with COUNT jobs, each every two seconds, for SECONDS.  Prints how late their runs began, in
milliseconds: p50, p99 and the worst; and how many requests a second were answered meanwhile.  With ``load`` as many
pages are asked for as sixteen connections can have: by wrk, where it is installed.
"""

import http.client
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

from benchmarks.daemons import READY, running
from benchmarks.listing import command, runs, seconds
from benchmarks.memory import write_tree
from gavo_exec.model import Reason
from gavo_exec.services.control.client import Client
from gavo_exec.services.store import SQLiteStore

CONNECTIONS = 16
EXECUTE = '<execute id="j{}" title="Job {}" every="2"><job><code>pass</code></job></execute>\n'


def free_port() -> int:
    """A port that nobody has."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        found: int = free.getsockname()[1]
    return found


def fetched(port: int, path: str) -> bytes:
    """What is answered."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as response:
        content: bytes = response.read()
    return content


@contextmanager
def shown(folder: Path) -> Iterator[int]:
    """A daemon on a folder that shows itself; the port."""
    port = free_port()
    with running([*command(folder), "--web", "--web-port", str(port)], ready=READY["gavo-exec"]):
        until = time.monotonic() + 30
        while True:
            try:
                fetched(port, "/readyz")
            except OSError:
                if time.monotonic() > until:
                    raise
                threading.Event().wait(0.1)
            else:
                break
        yield port


def page(folder: Path, count: int, most: int) -> list[float]:
    """Make a state, show it, and look."""
    state = folder / "state"
    write_tree(folder / "inputs", count, per_rd=100)
    with running(command(folder), ready=READY["gavo-exec"]):
        keys = [job.key for job in Client(str(state)).jobs()]
    with closing(SQLiteStore(state / "state.sqlite", holder="a b c d", is_alive=lambda _: False)) as store:
        for number, past in enumerate(runs(keys, most)):
            store.record(past)
            if number % 5000 == 4999:
                store.flush()
    with shown(folder) as port:
        begin = time.perf_counter()
        content = fetched(port, "/")
        first = time.perf_counter() - begin
        pause = threading.Event()

        def again(path: str) -> float:
            pause.wait(8 if count > 1000 else 1.5)  # until what the daemon has answered is not kept any more
            return seconds(lambda: fetched(port, path), times=1)

        return [first, again("/"), len(content) / 1000, again("/metrics")]


def lateness(folder: Path, count: int, length: float, *, load: bool) -> list[float]:
    """Let jobs run, and look how late they were."""
    inputs = folder / "inputs"
    inputs.mkdir()
    executes = "".join(EXECUTE.format(number, number) for number in range(count))
    spread = '<property name="when.jitter">2s</property>\n'
    (inputs / "q.rd").write_text(f'<resource schema="a">\n{spread}{executes}</resource>\n')
    with shown(folder) as port:
        threading.Event().wait(4)  # the first runs have code to compile
        begin = time.time()
        answered = hammer(port, length) if load else 0.0
        if not load:
            threading.Event().wait(length)
        end = time.time()
    with closing(SQLiteStore(folder / "state" / "state.sqlite", holder="a b c d", is_alive=lambda _: False)) as store:
        late = sorted(
            (run.started_at - run.due) / timedelta(milliseconds=1)
            for run in store.runs(limit=1_000_000)
            if run.started_at and run.reason is Reason.SCHEDULED and begin <= run.due.timestamp() <= end
        )
    return [*(late[min(len(late) - 1, int(len(late) * share))] for share in (0.5, 0.99, 1)), answered]


def hammer(port: int, length: float) -> float:
    """Ask for pages for so many seconds; answers how many came a second."""
    if (wrk := shutil.which("wrk")) is not None:
        argv = [wrk, "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(length))}s", f"http://127.0.0.1:{port}/"]
    else:
        argv = [sys.executable, "-m", "benchmarks.web", "hammer", str(port), str(length)]
    said = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True).stdout
    found = re.search(r"Requests/sec:\s*([\d.]+)", said)
    return float(found[1]) if found is not None else 0.0


def ask_on(port: int, length: float) -> None:
    """The same without wrk; to be run as a process of its own."""
    answered: list[int] = []
    end = time.monotonic() + length

    def ask() -> None:
        while time.monotonic() < end:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("GET", "/")
            answered.append(len(connection.getresponse().read()))
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"Requests/sec: {len(answered) / length:.1f}")


if __name__ == "__main__":
    what, *words = sys.argv[1:]
    if what == "hammer":
        ask_on(int(words[0]), float(words[1]))
    else:
        with tempfile.TemporaryDirectory() as name:
            if what == "page":
                print(*page(Path(name), int(words[0]), int(words[1])))
            else:
                print(*lateness(Path(name), int(words[0]), float(words[1]), load=words[2:] == ["load"]))
