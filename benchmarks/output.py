"""A child that writes MEGABYTES of lines.  Usage: output.py CONTENDER MEGABYTES.

Prints the milliseconds from its start to its end, and by how many megabytes our memory rose meanwhile at most.  All of
the output has to be where it belongs.
"""

import asyncio
import builtins
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

from benchmarks import stage
from gavo_exec.model import RunRequest
from gavo_exec.runtime.process import ProcessRunner

LINE = "a line of output, as programs write many of them while they work on something\n"
LEAST_KEPT = 64 * 1024

figures: list[float] = []


def argv_for(size: int) -> list[str]:
    """A command that writes so many bytes, as quickly as it can."""
    return ["sh", "-c", f"yes '{LINE.strip()}' | head -c {size}"]


def to_a_file(size: int) -> None:
    """The least that can be done: the kernel has it, and we nothing."""
    with tempfile.TemporaryFile() as file:
        measured(lambda: subprocess.run(argv_for(size), stdout=file, check=True))
        assert file.tell() == size


def capture(size: int) -> None:
    """subprocess.run, which keeps all of it."""
    done: list[subprocess.CompletedProcess[bytes]] = []
    measured(lambda: done.append(subprocess.run(argv_for(size), capture_output=True, check=True)))
    assert len(done[0].stdout) == size


def asyncio_lines(size: int) -> None:
    """asyncio, line by line, as yacron and cronstable read it."""

    async def call() -> None:
        child = await asyncio.create_subprocess_exec(*argv_for(size), stdout=subprocess.PIPE)
        assert child.stdout is not None
        read = 0
        async for line in child.stdout:
            read += len(line)
        assert read == size
        await child.wait()

    measured(lambda: asyncio.run(call()))


def runner(size: int) -> None:
    """ProcessRunner.run with the bound that the daemon has for each child."""
    seen = 0

    def count(data: bytes) -> None:
        nonlocal seen
        seen += len(data)

    process_runner = ProcessRunner(output_limit_bytes=LEAST_KEPT)
    measured(lambda: process_runner.run(argv_for(size), cwd="/", tee=count))
    assert seen == size


def spawn(size: int) -> None:
    """execDef.spawn in a run, the output of which is kept in the bounds that the settings have."""
    execute = stage.make_execute(0, "bench_measured(lambda: execDef.spawn(bench_argv))")
    rd = stage.make_rd([execute])
    builtins.bench_measured, builtins.bench_argv = (lambda _: None), argv_for(size)  # type: ignore[attr-defined]
    with stage.heart([execute], {execute.key: stage.FAR}, keeps="null") as heart:
        builtins.bench_measured = measured  # type: ignore[attr-defined]
        run = heart.daemon.guard.perform(RunRequest(run_id="measured", rd=rd, execute=execute, due=stage.instant(0)))
        assert not run.error, run.error
    limit = heart.daemon.settings.output_limit_bytes
    assert (len(run.output) == size) if size <= limit else (len(run.output) > 0.99 * limit), len(run.output)


def measured(call: Callable[[], object]) -> None:
    """Take down how long this takes, and how much memory."""
    stage.forget_peak()
    memory = stage.memory_kilobytes()
    begin = time.perf_counter()
    call()
    figures.append((time.perf_counter() - begin) * 1000)
    # The kernel counts memory by processor, and adds up roughly.
    figures.append(max(0, stage.memory_kilobytes(field="VmHWM") - memory) / 1024)


if __name__ == "__main__":
    contenders = {
        "file": to_a_file,
        "capture_output": capture,
        "asyncio": asyncio_lines,
        "runner": runner,
        "spawn": spawn,
    }
    contenders[sys.argv[1]](int(float(sys.argv[2]) * (1 << 20)))
    print(*figures)  # here, since what is printed within a run is the run's
