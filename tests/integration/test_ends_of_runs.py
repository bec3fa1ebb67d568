"""All processes of a run end with it, wherever they have gone; and what limits they are under."""

import errno
import logging
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from gavo_exec.errors import SpawnFailed
from gavo_exec.ports import Completed, Terms
from gavo_exec.runtime.deadlines import Deadlines
from gavo_exec.runtime.process import ProcessRunner
from gavo_exec.runtime.process.strays import find_strays, marked

PATIENCE_SECONDS = 20.0
RUN_1 = f"{os.getpid()}-1"  # marks are looked for among all processes of the machine
RUN_2 = f"{os.getpid()}-2"
RUN_11 = f"{RUN_1}1"
DEADLINES = Deadlines()


def no_pidfd(_pid: int) -> int:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    """No test may leave a descriptor open or a child behind, not even a zombie."""
    before = {path.name for path in list(Path("/proc/self/fd").iterdir()) if path.is_symlink()}
    yield
    DEADLINES.stop()
    after = {path.name for path in list(Path("/proc/self/fd").iterdir()) if path.is_symlink()}
    assert (after, psutil.Process().children()) == (before, [])


class Going:
    """A run with a child in a thread: when it has said ``ready`` so many times, it stands as it is meant to.

    All its processes have a pipe open, so that its end tells that none of them lives.
    """

    def __init__(
        self, runner: ProcessRunner, argv: list[str], *, run_id: str = RUN_1, ready: int = 1, is_run: bool = False
    ) -> None:
        self.completed: Completed | None = None
        self.output = b""
        self._is_ready = threading.Event()
        self._ready = ready
        self._alive, alive = os.pipe()
        terms = Terms(run_id=run_id, is_run=is_run)

        def tee(data: bytes) -> None:
            self.output += data
            if self.output.count(b"ready\n") == self._ready:
                self._is_ready.set()

        def run() -> None:
            try:
                self.completed = runner.run(argv, cwd="/", tee=tee, terms=terms, keep=(alive,))
            finally:
                os.close(alive)

        self._thread = threading.Thread(target=run)
        self._thread.start()
        assert self._is_ready.wait(PATIENCE_SECONDS)

    def returncode(self) -> int:
        """How the child ended, once it has."""
        self._thread.join(PATIENCE_SECONDS)
        assert self.completed is not None
        return self.completed.returncode

    def is_going(self) -> bool:
        return self._thread.is_alive()

    def nobody_lives(self) -> bool:
        """Whether none of its processes does, before long."""
        poll = select.poll()
        poll.register(self._alive, select.POLLIN)
        return bool(poll.poll(PATIENCE_SECONDS * 1000))

    def close(self) -> None:
        os.close(self._alive)


def runner_of(**options: Any) -> ProcessRunner:
    """A runner whose deadlines end with the test."""
    return ProcessRunner(output_limit_bytes=1000, deadlines=DEADLINES, **options)


@pytest.fixture(name="begin")
def _begin() -> Iterator[Callable[..., Going]]:
    begun: list[Going] = []

    def begin(*args: object, **kwargs: object) -> Going:
        begun.append(Going(*args, **kwargs))  # type: ignore[arg-type]
        return begun[-1]

    yield begin
    ProcessRunner(output_limit_bytes=0).clear([RUN_1, RUN_2, RUN_11])
    for going in begun:
        going.close()


def sh(code: str, *args: str) -> list[str]:
    return ["/bin/sh", "-c", code, "sh", *args]


FAR_AWAY = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        {first}
        print("ready", flush=True)
        time.sleep(1000)
    os._exit(0)
os.wait()
{last}
"""


def far_away(first: str = "", last: str = "time.sleep(1000)") -> list[str]:
    """A daemon in the classic way: forked twice, in a session of its own, nobody's child any more."""
    return [sys.executable, "-S", "-E", "-c", FAR_AWAY.format(first=first, last=last)]


INNER = """
from gavo_exec.ports import Terms
from gavo_exec.runtime.process import ProcessRunner

runner = ProcessRunner(output_limit_bytes=1000)
runner.run({argv!r}, cwd="/", tee=lambda data: print(data.decode(), end="", flush=True), terms=Terms(run_id={run_id!r}))
"""
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
SHAPES = [
    pytest.param(sh("echo ready; exec sleep 1000"), 1, id="a program"),
    pytest.param(sh("echo ready; sleep 1000"), 1, id="a child of a shell"),
    pytest.param(sh("(echo ready >&2; sleep 1000) | cat | cat"), 1, id="a pipeline"),
    pytest.param(sh("(sleep 1000 & echo ready; wait) & wait"), 1, id="a child of a child"),
    pytest.param(sh("nohup sh -c 'echo ready; sleep 1000' & wait"), 1, id="not to be hung up"),
    pytest.param(sh("setsid sh -c 'echo ready; sleep 1000' & wait"), 1, id="a session of its own"),
    pytest.param(sh("setsid -w env -i sh -c 'echo ready; exec sleep 1000'"), 1, id="a session and no environment"),
    pytest.param(far_away(), 1, id="a daemon in the classic way"),
    pytest.param(sh('"$@" & "$@" & wait', *far_away()), 2, id="two of these"),
]
DEAF_SHAPES = [
    pytest.param(sh("trap '' TERM; echo ready; sleep 1000; sleep 1000"), 1, id="a program"),
    pytest.param(sh("trap '' TERM; setsid sh -c 'echo ready; sleep 1000; sleep 1000' & wait"), 1, id="in a session"),
    pytest.param(far_away(DEAF), 1, id="a daemon"),
    pytest.param(far_away(DEAF, "pass"), 1, id="a daemon alone"),
]  # fmt: skip


@pytest.mark.parametrize("pidfd_open", [os.pidfd_open, None, no_pidfd])
@pytest.mark.parametrize(("argv", "ready"), SHAPES)
def test_ending_a_run_ends_all_that_it_started_wherever_that_is(
    begin: Callable[..., Going], argv: list[str], ready: int, pidfd_open: Callable[[int], int] | None
) -> None:
    runner = runner_of(grace_seconds=60, pidfd_open=pidfd_open)
    going = begin(runner, argv, ready=ready)
    runner.end([RUN_1])
    assert going.returncode() in {-signal.SIGTERM, 128 + signal.SIGTERM}
    assert going.nobody_lives()
    runner.clear([RUN_1])


@pytest.mark.parametrize(("argv", "ready"), DEAF_SHAPES)
def test_what_does_not_listen_is_killed_after_the_grace(
    begin: Callable[..., Going], argv: list[str], ready: int
) -> None:
    runner = runner_of(grace_seconds=0.1, drain_seconds=60)
    going = begin(runner, argv, ready=ready)
    runner.end([RUN_1])
    going.returncode()
    assert going.nobody_lives()


@pytest.mark.parametrize(("argv", "ready"), DEAF_SHAPES)
def test_clearing_does_not_wait_for_any_grace(begin: Callable[..., Going], argv: list[str], ready: int) -> None:
    runner = runner_of(grace_seconds=60)
    going = begin(runner, argv, ready=ready)
    runner.clear([RUN_1])
    assert going.nobody_lives()
    going.returncode()


def test_what_left_its_group_can_end_in_peace_too(begin: Callable[..., Going]) -> None:
    runner = runner_of(grace_seconds=60, drain_seconds=60)
    going = begin(
        runner, far_away("import signal; signal.signal(signal.SIGTERM, lambda *_: print('bye') or sys.exit())")
    )
    runner.end([RUN_1])
    going.returncode()
    assert going.output == b"ready\nbye\n"
    assert going.nobody_lives()


def test_a_run_that_is_ended_starts_nothing_more_and_others_go_on(begin: Callable[..., Going]) -> None:
    runner = runner_of(grace_seconds=60)
    first = begin(runner, far_away(), run_id=RUN_1)
    second = begin(runner, far_away(), run_id=RUN_11)
    runner.end([RUN_1])
    assert first.nobody_lives()
    with pytest.raises(SpawnFailed, match=r"^its run is to end$"):
        runner.run(["true"], cwd="/", terms=Terms(run_id=RUN_1))
    first.returncode()
    runner.clear([RUN_1])
    assert runner.run(["true"], cwd="/", terms=Terms(run_id=RUN_1)).returncode == 0
    assert second.is_going()
    runner.clear([RUN_11])
    assert second.nobody_lives()
    second.returncode()


def test_a_run_that_had_ended_before_it_was_to_be_ended_is_forgotten() -> None:
    runner = runner_of(grace_seconds=0)
    runner.end([RUN_1])
    pause = threading.Event()
    while runner._ending:
        pause.wait(0.01)
    assert runner.run(["true"], cwd="/", terms=Terms(run_id=RUN_1)).returncode == 0


def test_asking_reaches_only_the_process_that_is_the_run(begin: Callable[..., Going]) -> None:
    runner = ProcessRunner(output_limit_bytes=1000)
    code = "trap 'echo asked; kill $!; exit 3' TERM; sleep 1000 & echo ready; wait"
    whole = begin(runner, sh(code), run_id=RUN_1, is_run=True)
    part = begin(runner, sh(code), run_id=RUN_1)
    other = begin(runner, sh(code), run_id=RUN_2, is_run=True)
    runner.ask([RUN_1, "run-3"])
    assert whole.returncode() == 3
    assert (whole.output, part.output, other.output) == (b"ready\nasked\n", b"ready\n", b"ready\n")
    runner.stop()
    assert (part.returncode(), other.returncode()) == (3, 3)


def test_what_runs_leave_in_the_background_stays_until_it_is_swept(
    begin: Callable[..., Going], caplog: pytest.LogCaptureFixture
) -> None:
    runner = runner_of(drain_seconds=0.05)
    another = runner_of(drain_seconds=0.05)
    left = begin(runner, far_away(last="pass"), run_id=RUN_1)
    others = begin(another, far_away(last="pass"), run_id=RUN_2)
    assert (left.returncode(), others.returncode()) == (0, 0)
    runner.stop()
    (stray,) = find_strays([RUN_1], pidfd_open=None)
    with caplog.at_level(logging.WARNING, "gavo_exec"):
        runner.sweep()
    assert left.nobody_lives()
    assert f"ended what runs had left in the background: process {stray.pid} ('" in caplog.text
    assert f"left by run {RUN_1})" in caplog.text
    (stray,) = find_strays([RUN_2], pidfd_open=None)
    assert not stray.has_ended()
    another.sweep()
    assert others.nobody_lives()
    assert find_strays([RUN_1, RUN_2], pidfd_open=None) == []


def test_a_sweep_with_nothing_to_be_swept_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    runner = ProcessRunner(output_limit_bytes=1000)
    runner.run(["true"], cwd="/", terms=Terms(run_id=RUN_1))
    runner.sweep()
    assert caplog.text == ""


def test_hastening_makes_the_grace_short(begin: Callable[..., Going]) -> None:
    runner = runner_of(grace_seconds=PATIENCE_SECONDS * 10)
    going = begin(runner, sh("trap '' TERM; echo ready; sleep 1000; sleep 1000"))
    runner.hasten()
    runner.stop()
    assert going.returncode() == -signal.SIGKILL


def test_what_a_killed_process_left_is_found_by_its_runs(begin: Callable[..., Going]) -> None:
    """As after a crash: whoever comes next has its run ids, and nothing else."""
    runner = runner_of(drain_seconds=0.05)
    left = begin(runner, far_away(last="pass"), run_id=RUN_1)
    left.returncode()
    deaf = begin(runner, far_away(DEAF, "pass"), run_id=RUN_2)
    deaf.returncode()
    ProcessRunner(output_limit_bytes=1000).clear([RUN_1, RUN_2], grace=timedelta(seconds=0.1))
    assert left.nobody_lives()
    assert deaf.nobody_lives()


def test_processes_are_found_without_the_files_of_linux(begin: Callable[..., Going]) -> None:
    runner = ProcessRunner(output_limit_bytes=1000)
    going = begin(runner, sh('"$@" & wait', *far_away()))
    strays = find_strays([RUN_1], pidfd_open=None, proc=Path("/nowhere"))
    assert [stray.pid for stray in strays] == [stray.pid for stray in find_strays([RUN_1], pidfd_open=None)]
    assert len(strays) == 3
    for stray in strays:
        stray.signal(signal.SIGKILL)
    assert going.nobody_lives()
    going.returncode()


def test_a_number_that_belongs_to_another_process_by_now_is_left_alone() -> None:
    with subprocess.Popen(["sleep", "1000"], env=marked(os.environ, "", run_id=RUN_1)) as process:
        (stray,) = find_strays([RUN_1], pidfd_open=None)
        (held,) = find_strays([RUN_1], pidfd_open=os.pidfd_open)
        assert not stray.has_ended()
        assert not held.has_ended()
        process.kill()
        process.wait()
    for gone in (stray, held):
        assert gone.has_ended()
        gone.signal(signal.SIGKILL)
        gone.close()


def test_what_a_run_within_a_run_starts_ends_with_either(begin: Callable[..., Going]) -> None:
    """Programs may be gavo-exec's own command again."""
    runner = runner_of(grace_seconds=60)
    for run_id in (RUN_1, RUN_2):
        going = begin(runner, [sys.executable, "-c", INNER.format(run_id=RUN_2, argv=far_away())], run_id=RUN_1)
        (stray, *_) = [stray for stray in find_strays([run_id], pidfd_open=None) if stray.run_id == RUN_2]
        runner.clear([run_id])
        assert stray.has_ended()
        runner.clear([RUN_1])
        assert going.nobody_lives()
        going.returncode()


def test_children_of_no_run_have_no_marks() -> None:
    completed = ProcessRunner(output_limit_bytes=10_000).run(["env"], cwd="/")
    assert b"GAVO_EXEC_" not in completed.output


# Limits

MEMORY = Terms(memory_bytes=64 * 2**20)


@pytest.mark.parametrize(
    ("terms", "code", "output"),
    [
        (Terms(), "nice; ulimit -v", b"0\nunlimited\n"),
        (Terms(niceness=7), "nice; (nice)", b"7\n7\n"),
        (MEMORY, "ulimit -v; ulimit -H -v", b"65536\n65536\n"),
        (Terms(niceness=7, memory_bytes=64 * 2**20), "nice; ulimit -v", b"7\n65536\n"),
        (MEMORY, 'echo "$0|$1|$2"', b"sh|a b|\n"),
    ],
)
def test_children_are_kept_to_their_limits(terms: Terms, code: str, output: bytes) -> None:
    completed = ProcessRunner(output_limit_bytes=1000).run(sh(code, "a b", ""), cwd="/", terms=terms)
    assert (completed.argv[0], completed.returncode, completed.output) == ("/bin/sh", 0, output)


def test_a_child_that_wants_too_much_memory_fails_by_itself() -> None:
    argv = [sys.executable, "-S", "-E", "-c", "x = bytearray(10**9)"]
    completed = ProcessRunner(output_limit_bytes=1000).run(argv, cwd="/", terms=Terms(memory_bytes=256 * 2**20))
    assert completed.returncode == 1
    assert completed.output.endswith(b"MemoryError\n")


def test_a_higher_priority_that_we_may_not_have_is_no_reason_to_fail() -> None:
    completed = ProcessRunner(output_limit_bytes=1000).run(["true"], cwd="/", terms=Terms(niceness=-20))
    assert completed.returncode == 0


def test_a_limited_program_is_looked_for_on_the_path_that_it_is_given(tmp_path: Path) -> None:
    program = tmp_path / "mine"
    program.write_text("#!/bin/sh\necho found\n")
    program.chmod(0o755)
    for terms in (Terms(), MEMORY):
        completed = ProcessRunner(output_limit_bytes=1000).run(
            ["mine"], cwd="/", terms=terms, env={"PATH": f"{tmp_path}:{os.environ['PATH']}"}
        )
        assert completed.output == b"found\n"
