"""Real children: what becomes of their output, their ends, and everything they leave behind."""

import errno
import os
import pty
import resource
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from gavo_exec.errors import SpawnFailed
from gavo_exec.ports import FREE, Completed, Terms
from gavo_exec.runtime.process import ProcessRunner, children_kept_off_the_terminal, is_alive, process_holder
from gavo_exec.runtime.process.child import reason_of

NO_PROGRAM = "it is neither a program for this machine nor a script whose first line begins with #!"
TOO_LONG = "its arguments and its environment are longer than the system allows"
HELD_OPEN = b"[output is still held open by a background process]\n"


def no_pidfd(_pid: int) -> int:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


@pytest.fixture(name="runner")
def _runner() -> ProcessRunner:
    return ProcessRunner(output_limit_bytes=10_000_000, grace_seconds=20)


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    """No test may leave a descriptor open or a child behind, not even a zombie."""
    before = open_descriptors(), psutil.Process().children()
    yield
    assert (open_descriptors(), psutil.Process().children()) == before


def open_descriptors() -> set[str]:
    # The one by which the directory is read is closed again by the time it is looked at.
    return {path.name for path in list(Path("/proc/self/fd").iterdir()) if path.is_symlink()}


class Watched:
    """A tee that takes hold of the process whose id is the first thing written, and can wait for its end."""

    def __init__(self) -> None:
        self.pidfd = -1
        self.seen = threading.Event()

    def __call__(self, data: bytes) -> None:
        if self.pidfd < 0:
            self.pidfd = os.pidfd_open(int(data.split()[0]))
            self.seen.set()

    def end(self) -> None:
        """Kill it."""
        signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)

    def has_ended(self) -> bool:
        """Whether it ends within ten seconds."""
        poll = select.poll()
        poll.register(self.pidfd, select.POLLIN)
        return bool(poll.poll(10_000))


@pytest.fixture(name="watched")
def _watched() -> Iterator[Watched]:
    watched = Watched()
    yield watched
    if watched.pidfd >= 0:
        os.close(watched.pidfd)


def python(code: str, *args: str) -> list[str]:
    return [sys.executable, "-S", "-E", "-c", code, *args]


def sh(code: str, *args: str) -> list[str]:
    return ["/bin/sh", "-c", code, "sh", *args]


@pytest.mark.parametrize("pidfd_open", [os.pidfd_open, None, no_pidfd])
@pytest.mark.parametrize(
    ("argv", "returncode", "output"),
    [
        pytest.param(["true"], 0, b"", id="success"),
        pytest.param(sh("echo a; echo b >&2; echo c; exit 3"), 3, b"a\nb\nc\n", id="both streams in order"),
        pytest.param(sh("kill -9 $$"), -9, b"", id="a signal"),
        pytest.param(sh("printf '\\377'"), 0, b"\xff", id="undecodable output"),
        pytest.param(["printf", "%s", "\udcff ä"], 0, b"\xff \xc3\xa4", id="undecodable argument"),
        pytest.param(["cat"], 0, b"", id="no input"),
        pytest.param(sh("exec >&- 2>&-; exit 4"), 4, b"", id="output closed before the end"),
        pytest.param(sh("pwd"), 0, b"/\n", id="working directory"),
        pytest.param(python("import os; print(os.getpid() == os.getpgid(0) != os.getsid(0))"), 0, b"True\n", id="own"),
        pytest.param(sh("echo a; sleep 60 >/dev/null 2>&1 & kill $!"), 0, b"a\n", id="a child of its own"),
        pytest.param(sh("trap - PIPE; (kill -PIPE $$)"), -13, b"", id="signals as ever"),
    ],
)  # fmt: skip
def test_a_program_is_run_to_its_end(
    argv: list[str], returncode: int, output: bytes, pidfd_open: Callable[[int], int] | None
) -> None:
    runner = ProcessRunner(output_limit_bytes=1000, pidfd_open=pidfd_open)
    completed = runner.run(argv, cwd="/")
    assert completed == Completed(argv=tuple(argv), cwd="/", returncode=returncode, output=output, timed_out=False)


def test_the_environment_is_added_to_ours(runner: ProcessRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURS", "1")
    monkeypatch.setenv("BOTH", "2")
    completed = runner.run(sh('echo "$OURS $BOTH $NEW"'), cwd="/", env={"BOTH": "3", "NEW": "\udcff"})
    assert completed.output == b"1 3 \xff\n"


@pytest.mark.parametrize("pidfd_open", [os.pidfd_open, None])
def test_more_input_than_a_pipe_holds_while_as_much_comes_out(pidfd_open: Callable[[int], int] | None) -> None:
    data = os.urandom(5_000_000)
    runner = ProcessRunner(output_limit_bytes=10_000_000, pidfd_open=pidfd_open)
    assert runner.run(["cat"], cwd="/", input=data).output == data


AT_A_TERMINAL = """
import fcntl, termios
from datetime import timedelta
from gavo_exec.runtime.process import ProcessRunner, children_kept_off_the_terminal, children_kept_off_the_terminal

fcntl.ioctl(0, termios.TIOCSCTTY, 0)
with children_kept_off_the_terminal():
    runner = ProcessRunner(output_limit_bytes=1000, grace_seconds=0.1)
    done = runner.run(["sh", "-c", "read word </dev/tty; echo $?"], cwd="/", timeout=timedelta(seconds=30))
print(done.output.splitlines()[-1:], done.timed_out)
"""


def test_a_child_that_reads_the_terminal_fails_at_once() -> None:
    """One in the background that asks for a password, say, would be stopped, and its job jammed."""
    controller, terminal = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-c", AT_A_TERMINAL],
            stdin=terminal,
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
        )
    finally:
        os.close(controller)
        os.close(terminal)
    assert (done.stdout, done.stderr) == ("[b'1'] False\n", "")


def test_the_terminals_signals_are_as_before_afterwards() -> None:
    before = signal.getsignal(signal.SIGTTIN), signal.getsignal(signal.SIGTTOU)
    with children_kept_off_the_terminal():
        assert {signal.getsignal(signal.SIGTTIN), signal.getsignal(signal.SIGTTOU)} == {signal.SIG_IGN}
    assert (signal.getsignal(signal.SIGTTIN), signal.getsignal(signal.SIGTTOU)) == before


@pytest.mark.parametrize("argv", [["true"], sh("exec <&-; echo done")])
def test_input_that_is_not_read_is_no_error(runner: ProcessRunner, argv: list[str]) -> None:
    assert runner.run(argv, cwd="/", input=b"x" * 5_000_000).returncode == 0


def test_output_is_bounded_and_all_of_it_teed() -> None:
    teed = bytearray()
    runner = ProcessRunner(output_limit_bytes=100)
    completed = runner.run(sh("yes | head -c 10000000"), cwd="/", tee=teed.extend)
    assert completed.output == b"y\n" * 25 + b"[... 9,999,900 bytes left out ...]\n" + b"y\n" * 25
    assert teed == b"y\n" * 5_000_000


def test_the_tee_is_given_the_output_as_it_comes(runner: ProcessRunner, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    # The child goes on only when what it said has arrived here.
    teed: list[bytes] = []

    def tee(data: bytes) -> None:
        teed.append(data)
        if len(teed) == 1:
            fifo.write_text("heard\n")

    assert runner.run(sh('echo first; read x < "$1"; echo $x', str(fifo)), cwd="/", tee=tee).returncode == 0
    assert teed == [b"first\n", b"heard\n"]


@pytest.mark.parametrize("pidfd_open", [os.pidfd_open, None])
@pytest.mark.parametrize("said", [b"\n", b" and more"])
def test_a_background_process_that_holds_the_output_is_not_waited_for(
    watched: Watched, said: bytes, pidfd_open: Callable[[int], int] | None
) -> None:
    runner = ProcessRunner(output_limit_bytes=1000, drain_seconds=0.05, pidfd_open=pidfd_open)
    completed = runner.run(sh('sleep 60 & printf "$!$1"; exit 5', said.decode()), cwd="/", tee=watched)
    assert completed.returncode == 5
    assert completed.output.endswith(said.rstrip(b"\n") + b"\n" + HELD_OPEN)
    watched.end()  # it ran on
    assert watched.has_ended()


def test_output_that_comes_after_the_end_is_waited_for(runner: ProcessRunner, tmp_path: Path) -> None:
    # The process in the background says something only when the child has been reaped: by itself, as its parent is new.
    code = "import os\nparent = os.getpid()\nif not os.fork():\n while os.getppid() == parent: pass\n print('late')"
    assert runner.run(python(code), cwd="/").output == b"late\n"


def test_at_the_time_limit_the_program_is_asked_to_end(runner: ProcessRunner) -> None:
    code = "trap 'echo bye; exit 7' TERM; sleep 60 & wait"
    completed = runner.run(sh(code), cwd="/", timeout=timedelta(seconds=0.5))
    assert (completed.returncode, completed.output, completed.timed_out) == (7, b"bye\n", True)


@pytest.mark.parametrize("pidfd_open", [os.pidfd_open, None])
def test_who_does_not_listen_is_killed_after_the_grace_with_all_children(
    watched: Watched, pidfd_open: Callable[[int], int] | None
) -> None:
    runner = ProcessRunner(output_limit_bytes=1000, grace_seconds=0.1, pidfd_open=pidfd_open)
    code = "trap '' TERM; sleep 60 & echo $!; wait; sleep 60"
    completed = runner.run(sh(code), cwd="/", timeout=timedelta(seconds=0.5), tee=watched)
    assert (completed.returncode, completed.timed_out) == (-signal.SIGKILL, True)
    assert watched.has_ended()


def test_after_the_time_limit_nothing_of_the_group_is_left(watched: Watched) -> None:
    runner = ProcessRunner(output_limit_bytes=1000, drain_seconds=0.05)
    # The child ends when it is asked to, its own child does not.
    code = "(trap '' TERM; sleep 60) & echo $!; wait"
    completed = runner.run(sh(code), cwd="/", timeout=timedelta(seconds=0.5), tee=watched)
    assert (completed.returncode, completed.timed_out) == (-signal.SIGTERM, True)
    assert watched.has_ended()


def test_endless_output_does_not_hide_the_time_limit() -> None:
    runner = ProcessRunner(output_limit_bytes=1000)
    completed = runner.run(["yes"], cwd="/", timeout=timedelta(seconds=0.1))
    assert (completed.returncode, completed.timed_out) == (-signal.SIGTERM, True)
    assert b" bytes left out ...]" in completed.output


def test_a_program_that_ends_in_time_is_not_timed_out(runner: ProcessRunner) -> None:
    assert not runner.run(["true"], cwd="/", timeout=timedelta(days=1)).timed_out


def test_a_tee_that_raises_ends_the_program(runner: ProcessRunner, watched: Watched) -> None:
    def tee(data: bytes) -> None:
        watched(data)
        raise BrokenPipeError("nobody reads this")

    with pytest.raises(BrokenPipeError, match="nobody reads this"):
        runner.run(sh("echo $$; exec sleep 60"), cwd="/", tee=tee)
    assert watched.has_ended()


def test_a_return_code_that_job_code_took_is_said_to_be_lost(runner: ProcessRunner) -> None:
    completed = runner.run(["echo", "x"], cwd="/", tee=lambda data: data == b"x\n" and os.wait())
    assert completed.returncode == 255
    assert completed.output == b"x\n[the return code is lost: something else in this process waited for the child]\n"


@pytest.fixture(name="among_things_that_are_no_programs")
def _among_things_that_are_no_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    for name, content, mode in (
        ("plain", b"#!/bin/sh\n", 0o644),
        ("odd", b"#!/no/such/interpreter\n", 0o755),
        ("bytes", b"\x7fELF, or so it says", 0o755),
    ):
        (tmp_path / name).write_bytes(content)
        (tmp_path / name).chmod(mode)


@pytest.mark.parametrize(
    ("argv", "cwd", "message"),
    [
        ([], ".", "cannot start a program: the command is empty"),
        ([""], ".", "cannot start a program: the command is empty"),
        (["dachs-x"], ".", "cannot start 'dachs-x': no such program on the path"),
        (["./nothing"], ".", "cannot start './nothing': there is no such file"),
        (["plain/below"], ".", "cannot start 'plain/below': Not a directory"),
        (["true"], "gone", "cannot start 'true': its working directory 'gone' does not exist"),
        (["true"], "plain", "cannot start 'true': its working directory 'plain' is not a directory"),
        (["true"], "", "cannot start 'true': its working directory '' does not exist"),
        (["./plain"], ".", "cannot start './plain': it is not executable"),
        (["./folder"], ".", "cannot start './folder': it is not executable"),
        (["./odd"], ".", "cannot start './odd': the interpreter that its first line names does not exist"),
        (["./bytes"], ".", f"cannot start './bytes': {NO_PROGRAM}"),
        (["true", "x" * 200_000], ".", f"cannot start 'true': {TOO_LONG}"),
        (["true", "a\0b"], ".", "cannot start 'true': its arguments or environment contain a NUL"),
        (["tr\0ue"], ".", "cannot start 'tr\\x00ue': its arguments or environment contain a NUL"),
        (["x\n" * 50], ".", "cannot start '" + "x\\n" * 30 + "'...: no such program on the path"),
        (["n" * 300], ".", f"cannot start '{'n' * 60}'...: File name too long"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("terms", [FREE, Terms(memory_bytes=2**30), Terms(niceness=3)])
@pytest.mark.usefixtures("among_things_that_are_no_programs")
def test_what_cannot_be_started_is_told_in_one_line(
    runner: ProcessRunner, argv: list[str], cwd: str, message: str, terms: Terms
) -> None:
    with pytest.raises(SpawnFailed) as caught:
        runner.run(argv, cwd=cwd, input=b"x", terms=terms)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (OSError(errno.EAGAIN, "x"), "the system has no room for another process now"),
        (OSError(errno.ENOMEM, "x"), "there is not enough memory"),
        (OSError(errno.EIO, os.strerror(errno.EIO)), "Input/output error"),
        (TypeError("expected str, not int"), "expected str, not int"),
        (ValueError("illegal environment variable name"), "illegal environment variable name"),
    ],
)  # fmt: skip
def test_rare_faults_are_told_too(fault: Exception, message: str) -> None:
    assert reason_of(fault, name="x", cwd="/") == message


def test_an_environment_that_cannot_be_is_refused(runner: ProcessRunner) -> None:
    with pytest.raises(SpawnFailed, match=r"^cannot start 'true': illegal environment variable name$"):
        runner.run(["true"], cwd="/", env={"A=B": "c"})


def test_when_descriptors_run_out_runs_fail_cleanly_or_do_without(runner: ProcessRunner) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    outcomes: list[str] = []
    fillers = [os.open(os.devnull, os.O_RDONLY) for _ in range(64)]  # so that there is no gap below the limit
    try:
        for spare in range(12):
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(fillers) + 1 + spare, before[1]))
            try:
                outcomes.append(str(runner.run(["cat"], cwd="/", input=b"x").output))
            except SpawnFailed as fault:
                outcomes.append(str(fault))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
        for filler in fillers:
            os.close(filler)
    assert sorted(set(outcomes)) == ["b'x'", "cannot start 'cat': too many files are open"]
    assert outcomes == sorted(outcomes, reverse=True)


def test_many_threads_start_programs_at_once(runner: ProcessRunner) -> None:
    together = threading.Barrier(32)
    outputs: list[bytes] = []

    def work() -> None:
        together.wait()
        outputs.extend(runner.run(sh("cat; ls /proc/self/fd"), cwd="/", input=b"in\n").output for _ in range(3))

    threads = [threading.Thread(target=work) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Nobody has the pipes of a sibling: besides the three streams there is the directory that is being listed.
    assert outputs == [b"in\n0\n1\n2\n3\n"] * 96


class Going:
    """A program that runs in a thread."""

    def __init__(self, runner: ProcessRunner, argv: list[str], watched: Watched) -> None:
        self.completed: Completed | None = None

        def run() -> None:
            self.completed = runner.run(argv, cwd="/", tee=watched)

        self.thread = threading.Thread(target=run)
        self.thread.start()
        assert watched.seen.wait(10)


@pytest.mark.parametrize(
    ("code", "returncode", "grace_seconds"),
    [
        pytest.param("sleep 60 & echo $!; wait", -signal.SIGTERM, 20, id="listens"),
        pytest.param("trap '' TERM; sleep 60 & echo $!; wait", -signal.SIGKILL, 0.1, id="does not listen"),
        pytest.param("(trap '' TERM; exec sleep 60) & echo $!; wait", -signal.SIGTERM, 20, id="leaves one behind"),
    ],
)
def test_stopping_ends_what_runs_and_starts_no_more(
    watched: Watched, code: str, returncode: int, grace_seconds: float
) -> None:
    runner = ProcessRunner(output_limit_bytes=1000, drain_seconds=0.05, grace_seconds=grace_seconds)
    going = Going(runner, sh(code), watched)
    runner.stop()
    going.thread.join(10)
    assert going.completed is not None
    assert (going.completed.returncode, going.completed.timed_out) == (returncode, False)
    assert watched.has_ended()
    with pytest.raises(SpawnFailed, match=r"^the daemon is stopping$"):
        runner.run(["true"], cwd="/")


def test_stopping_with_nothing_to_stop_is_quick_and_can_be_repeated(runner: ProcessRunner) -> None:
    runner.stop()
    runner.stop()


def test_a_program_that_was_just_being_started_when_the_stop_came_is_ended() -> None:
    runner = ProcessRunner(output_limit_bytes=1000)

    class Environment(Mapping[str, str]):
        """Is read after the look whether there is a stop, and before the start."""

        def __iter__(self) -> Iterator[str]:
            runner.stop()
            return iter(["NAME"])

        def __getitem__(self, name: str) -> str:
            return "value"

        def __len__(self) -> int:
            return 1

    with pytest.raises(SpawnFailed, match=r"^the daemon is stopping$"):
        runner.run(["sleep", "60"], cwd="/", env=Environment())


def test_this_process_is_alive_and_its_name_stays() -> None:
    holder = process_holder()
    assert holder == process_holder()
    assert holder.split()[:2] == [os.uname().nodename, str(os.getpid())]
    assert is_alive(holder)


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_process_of_another_number_start_or_boot_is_not_alive(at: int) -> None:
    parts = process_holder().split()
    parts[at] = "4000000000"
    assert not is_alive(" ".join(parts))


@pytest.mark.parametrize(
    "holder", ["", "x", "a b c d", "host 1", "host -1 2 3", "host ../self 1 2", "h " + "9" * 5000 + " 1 2"]
)
def test_names_that_are_none_are_not_alive(holder: str) -> None:
    boot = process_holder().split()[-1]
    assert not is_alive(holder)
    assert not is_alive(f"{holder.rpartition(' ')[0]} {boot}")


def test_a_process_that_ended_is_not_alive_even_before_it_is_reaped() -> None:
    code = "from gavo_exec.runtime.process import process_holder; print(process_holder(), flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        holder = process.stdout.readline().strip()
        assert is_alive(holder)
        process.stdin.write("\n")
        process.stdin.close()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert not is_alive(holder)
        process.wait()
        assert not is_alive(holder)
