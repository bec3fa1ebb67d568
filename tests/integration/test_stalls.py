"""Stalls of real processes: job code that holds the interpreter's lock, in a daemon's threads."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import msgspec
import pytest

PATIENCE_SECONDS = 30.0

SCRIPT = """
import ctypes, sys, threading, time
import msgspec
from gavo_exec.errors import Position
from gavo_exec.events import Stalled
from gavo_exec.model import Job
from gavo_exec.runtime.clock import SystemClock
from gavo_exec.runtime.jobcode import make_function
from gavo_exec.runtime.stalls import StallWatch
from gavo_exec.runtime.suspects import Station
from gavo_exec.testing import make_execute, make_request

path, limit = sys.argv[1], float(sys.argv[2])
said = threading.Lock()
ended, go = threading.Semaphore(0), threading.Event()
stations = {}

def say(event):
    with said:
        fields = msgspec.to_builtins(event) | {"event": type(event).__name__}
        print(msgspec.json.encode(fields).decode(), flush=True)

watch = StallWatch(
    path, stations=lambda: list(stations.values()), publish=say, clock=SystemClock(), limit_seconds=limit
)
watch.start()

def run(name, source, line):
    execute = make_execute(f"test/q#{name}", code=source, line=line)
    function = make_function(execute.job, name=f"job_{name}", namespace={"ctypes": ctypes, "time": time})
    me = threading.get_ident()
    stations[me] = Station(thread=me, request=make_request(execute), is_running=True)
    watch.attend()
    function(None, None)
    stations[me] = msgspec.structs.replace(stations[me], is_running=False)
    ended.release()
    go.wait()  # as workers do

jobs = [argument.split(":", 1) for argument in sys.argv[3:]]
threads = [
    threading.Thread(target=run, args=(name, source, 10 * number), daemon=True)
    for number, (name, source) in enumerate(jobs, 1)
]
for thread in threads:
    thread.start()
for thread in threads:
    ended.acquire()
watch.stop()
say(Stalled(seconds=0.0, key="the end", where="", trace="", at=SystemClock().now()))
"""

HOLDS = "\nctypes.PyDLL(None).usleep(2_500_000)"
"""Waits for so long and keeps the lock."""
COMPUTES = "\nimport sys\nsys.set_int_max_str_digits(0)\nbig = 1 << 1_500_000\ntext = str(big)"
"""Computes for more than a second, in one step that keeps the lock."""


class Process:
    """A process with a watch and jobs; what it publishes comes line by line."""

    def __init__(self, path: Path, *jobs: str, limit: float = 0.5) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(path), str(limit), *jobs], stdout=subprocess.PIPE, text=True
        )

    def events(self) -> list[dict[str, Any]]:
        """All that it publishes until it ends."""
        said, _ = self.process.communicate(timeout=PATIENCE_SECONDS)
        assert self.process.returncode == 0
        events: list[dict[str, Any]] = [msgspec.json.decode(line) for line in said.splitlines()]
        assert events.pop()["key"] == "the end"
        return events


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "stall.txt"


@pytest.fixture
def start(path: Path) -> Iterator[Callable[..., Process]]:
    begun: list[Process] = []

    def start(*jobs: str, **more: Any) -> Process:
        begun.append(Process(path, *jobs, **more))
        return begun[-1]

    yield start
    for one in begun:
        one.process.kill()
        one.process.communicate()


def eventually(condition: Callable[[], bool]) -> None:
    deadline = monotonic() + PATIENCE_SECONDS
    pause = threading.Event()
    while not condition():
        assert monotonic() < deadline
        pause.wait(0.01)


def test_a_job_that_holds_the_lock_is_named_with_its_line(start: Callable[..., Process], path: Path) -> None:
    [event] = start(f"holds:{HOLDS}").events()
    assert event["event"] == "Stalled"
    assert (event["key"], event["where"]) == ("test/q#holds", "/inputs/test/q.rd:11")
    assert 1.5 < event["seconds"] < 10
    assert 'File "/inputs/test/q.rd", line 11 in job_holds' in event["trace"]
    assert not path.exists()


def test_of_several_jobs_that_run_the_one_that_computes_is_named(start: Callable[..., Process]) -> None:
    waits = "\ntime.sleep(1)"
    [event] = start(f"waits:{waits}", f"computes:{COMPUTES}", f"waits_too:{waits}", limit=0.2).events()
    assert event["event"] == "Stalled"
    assert (event["key"], event["where"]) == ("test/q#computes", "/inputs/test/q.rd:24")


def test_jobs_that_leave_the_lock_to_others_are_left_alone(start: Callable[..., Process]) -> None:
    loops = "\nend = time.monotonic() + 2\nwhile time.monotonic() < end: pass"
    assert start(f"loops:{loops}", f"loops_too:{loops}", "waits:time.sleep(2)", limit=1).events() == []


def test_a_process_that_was_stopped_is_no_fault_of_a_job(start: Callable[..., Process]) -> None:
    process = start("waits:import sys\nprint(flush=True)\ntime.sleep(3)", limit=0.5)
    assert process.process.stdout is not None
    assert process.process.stdout.readline() == "\n"
    process.process.send_signal(signal.SIGSTOP)
    threading.Event().wait(1.5)
    process.process.send_signal(signal.SIGCONT)
    [event] = process.events()
    assert event["event"] == "Trouble"
    assert event["message"].startswith("nothing in the daemon ran for 1.")
    assert event["message"].endswith(" s: the machine is overloaded, or stopped the process")


def test_while_a_stall_lasts_the_file_says_what_is_going_on_and_the_next_process_tells_it(
    start: Callable[..., Process], path: Path
) -> None:
    process = start("holds:\nctypes.PyDLL(None).usleep(60_000_000)", limit=0.1)
    eventually(lambda: path.exists() and "job_holds" in path.read_text())
    assert os.stat(path).st_mode & 0o777 == 0o600  # noqa: PTH116
    process.process.kill()
    process.process.wait()
    [event] = start("well:pass").events()
    kept = path.with_name("stall.txt.before")
    assert event["message"] == (
        f"the daemon before this one was stalled when it ended in /inputs/test/q.rd:11; see {kept}"
    )
    assert "job_holds" in kept.read_text()
    assert start("well:pass").events() == []
