"""TIMES children that run ``/bin/true``, from a process of MEGABYTES.  Usage: spawning.py CONTENDER TIMES MEGABYTES.

Prints the microseconds for each, from asking for it to knowing how it ended; the median.
"""

import asyncio
import builtins
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from benchmarks import stage
from gavo_exec.model import RunRequest
from gavo_exec.runtime.process import ProcessRunner

ARGV = ("/bin/true",)


def posix_spawn(times: int) -> list[float]:
    """The least that can be done: neither pipes nor a directory, and nobody who could end it."""

    def call() -> None:
        pid = os.posix_spawn(ARGV[0], ARGV, os.environ)
        assert os.waitpid(pid, 0)[1] == 0

    return timed(call, times)


def run(times: int, *, capture: bool = False) -> list[float]:
    """subprocess.run."""
    return timed(lambda: subprocess.run(ARGV, capture_output=capture, check=True), times)


def asyncio_exec(times: int) -> list[float]:
    """Asyncio's children, which is how yacron and cronstable start theirs."""

    async def call() -> float:
        begin = time.perf_counter()
        child = await asyncio.create_subprocess_exec(*ARGV, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        await child.communicate()
        return (time.perf_counter() - begin) * 1e6

    async def calls() -> list[float]:
        return [await call() for _ in range(times)]

    return asyncio.run(calls())


def runner(times: int) -> list[float]:
    """ProcessRunner.run, as the daemon has it: a group of its own, output in bounds, an end that can be enforced."""
    process_runner = ProcessRunner(output_limit_bytes=64 * 1024)
    return timed(lambda: process_runner.run(ARGV, cwd="/"), times)


def spawn(times: int) -> list[float]:
    """execDef.spawn in job code, within a run."""
    found: list[float] = []
    builtins.bench_timed = lambda call: found.extend(timed(call, times))  # type: ignore[attr-defined]
    execute = stage.make_execute(0, f"bench_timed(lambda: execDef.spawn({list(ARGV)!r}))")
    rd = stage.make_rd([execute])
    builtins.bench_timed, measure = (lambda _: None), builtins.bench_timed  # type: ignore[attr-defined]
    with stage.heart([execute], {execute.key: stage.FAR}, keeps="null") as heart:
        builtins.bench_timed = measure  # type: ignore[attr-defined]
        ended = heart.daemon.guard.perform(RunRequest(run_id="measured", rd=rd, execute=execute, due=stage.instant(0)))
        assert not ended.error, ended.error
    return found


def timed(call: Callable[[], object], times: int) -> list[float]:
    """How many microseconds each call takes, once it has been made a few times."""
    for _ in range(min(times, 5)):
        call()
    found = []
    for _ in range(times):
        begin = time.perf_counter()
        call()
        found.append((time.perf_counter() - begin) * 1e6)
    return found


CONTENDERS: dict[str, Callable[[int], list[float]]] = {
    "posix_spawn": posix_spawn,
    "subprocess.run": run,
    "capture_output": lambda times: run(times, capture=True),
    "asyncio": asyncio_exec,
    "runner": runner,
    "spawn": spawn,
}

if __name__ == "__main__":
    contender, times, megabytes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    ballast = b"x" * (megabytes << 20)
    print(statistics.median(CONTENDERS[contender](times)))
