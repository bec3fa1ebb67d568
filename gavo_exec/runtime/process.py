"""Children: the only room that starts processes and signals them; and names that tell processes apart for good."""

import contextlib
import errno
import fcntl
import os
import re
import select
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from math import ceil, inf
from pathlib import Path
from time import monotonic
from typing import Final

from gavo_exec.errors import SpawnFailed, shortened
from gavo_exec.ports import Completed
from gavo_exec.runtime.output import BoundedOutput

_PIECE_BYTES: Final = 64 * 1024
_PIPE_BYTES: Final = 1024 * 1024  # a large one saves a busy machine half of the time; where it is refused, no matter
_LOOK_SECONDS: Final = 0.05  # how often to look whether a child has ended, where the system does not tell
_HELD_OPEN: Final = b"[output is still held open by a background process]\n"
_CODE_LOST: Final = b"[the return code is lost: something else in this process waited for the child]\n"

_PIDFD_OPEN: Final[Callable[[int], int] | None] = getattr(os, "pidfd_open", None)

_REASONS: Final = {
    errno.E2BIG: "its arguments and its environment are longer than the system allows",
    errno.EACCES: "it is not executable",
    errno.EAGAIN: "the system has no room for another process now",
    errno.EMFILE: "too many files are open",
    errno.ENFILE: "too many files are open",
    errno.ENOEXEC: "it is neither a program for this machine nor a script whose first line begins with #!",
    errno.ENOMEM: "there is not enough memory",
}


class _Child:
    """A running child and our ends of its pipes; its group can be signalled until it is reaped."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", *, output_fd: int, input_fd: int, input: bytes, pidfd: int
    ) -> None:
        self._process = process
        self._output_fd = output_fd
        self._input_fd = input_fd  # -1: there is none, or no more
        self._input = memoryview(input)
        self._pidfd = pidfd  # -1: the system has none for us
        self._poll = select.poll()
        self._poll.register(output_fd, select.POLLIN)
        if pidfd >= 0:
            self._poll.register(pidfd, select.POLLIN)
        if input_fd >= 0:
            self._poll.register(input_fd, select.POLLOUT)
        self._last = b"\n"
        self.is_writing = True  # somebody has its output open
        self.has_exited = False
        self.timed_out = False

    def signal(self, number: signal.Signals) -> None:
        """Signal the whole group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # gone, or become another user's
            os.killpg(self._process.pid, number)

    def serve(self, output: BoundedOutput, deadline: float) -> None:
        """Wait until something happens, or for the deadline, and do what it asks for."""
        look = self._pidfd < 0 and not self.has_exited
        until = min(deadline, monotonic() + _LOOK_SECONDS) if look else deadline
        for fd, _ in self._poll.poll(_milliseconds_until(until)):
            if fd == self._output_fd:
                self._read(output)
            elif fd == self._input_fd:
                self._feed()
            else:
                self._poll.unregister(fd)
                self.has_exited = True
        if look:
            self.has_exited = self._look()

    def _read(self, output: BoundedOutput) -> None:
        if data := os.read(self._output_fd, _PIECE_BYTES):
            self._last = data[-1:]
            output.append(data)
        else:
            self.is_writing = False
            self._poll.unregister(self._output_fd)

    def _feed(self) -> None:
        try:
            self._input = self._input[os.write(self._input_fd, self._input) :]
        except BlockingIOError:
            return
        except BrokenPipeError:  # it does not want to read on, which is its own affair
            self._input = memoryview(b"")
        if not self._input:
            self._poll.unregister(self._input_fd)
            os.close(self._input_fd)
            self._input_fd = -1

    def _look(self) -> bool:
        """Whether the child itself has ended; it is not reaped by this."""
        try:
            return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            return True

    def note(self, output: BoundedOutput, text: bytes) -> None:
        """Append a line of our own to the output."""
        output.append(text if self._last == b"\n" else b"\n" + text)
        self._last = b"\n"

    def reap(self, output: BoundedOutput) -> None:
        """Wait for the child's end."""
        try:
            os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        except ChildProcessError:  # job code that forks may wait for any child there is
            self._process.returncode = 255
            self.note(output, _CODE_LOST)
        self._process.wait()

    @property
    def returncode(self) -> int:
        """How it ended, once it is reaped."""
        return self._process.returncode

    def close(self) -> None:
        """Let go of all descriptors."""
        for fd in (self._output_fd, self._input_fd, self._pidfd):
            if fd >= 0:
                os.close(fd)


class ProcessRunner:
    """Runs programs, each in a process group of its own, and ends them: the port Runner, for many threads.

    Once a child has ended, the end of its output is waited for at most ``drain_seconds``: a process that it left in the
    background may hold it open for ever.  What that one writes later is lost, and may end it (SIGPIPE).
    ``grace_seconds`` lie between SIGTERM and SIGKILL.  ``pidfd_open`` is the system's; None where it has none.
    """

    def __init__(
        self,
        *,
        output_limit_bytes: int,
        drain_seconds: float = 2.0,
        grace_seconds: float = 5.0,
        pidfd_open: Callable[[int], int] | None = _PIDFD_OPEN,
    ) -> None:
        self._output_limit_bytes = output_limit_bytes
        self._drain_seconds = drain_seconds
        self._grace_seconds = grace_seconds
        self._pidfd_open = pidfd_open
        self._changed = threading.Condition()
        self._children: set[_Child] = set()
        self._stopping = False

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: str,
        env: Mapping[str, str] | None = None,
        input: bytes = b"",
        timeout: timedelta | None = None,
        tee: Callable[[bytes], object] | None = None,
    ) -> Completed:
        """Run a program to its end, as the port says.

        At the time limit its group is sent SIGTERM, and SIGKILL after the grace.  Where ``tee`` raises, the group is
        killed.  Raises SpawnFailed where the program cannot be started, and after ``stop``.
        """
        argv = tuple(argv)
        output = BoundedOutput(self._output_limit_bytes, tee)
        self._refuse_if_stopping()
        child = _start(argv, cwd=cwd, env=env, input=input, pidfd_open=self._pidfd_open)
        with contextlib.closing(child):
            try:
                with self._changed:
                    self._refuse_if_stopping()
                    self._children.add(child)
                self._attend(child, output, timeout)
            finally:
                self._end(child, output)
        return Completed(
            argv=argv,
            cwd=cwd,
            returncode=child.returncode,
            output=output.content(),
            timed_out=child.timed_out,
        )

    def stop(self) -> None:
        """End all running children with their groups, by SIGTERM and after the grace by SIGKILL; start no more."""
        with self._changed:
            self._stopping = True
            for number in (signal.SIGTERM, signal.SIGKILL):
                for child in self._children:
                    child.signal(number)
                self._changed.wait_for(lambda: not self._children, self._grace_seconds)

    def _refuse_if_stopping(self) -> None:
        if self._stopping:
            raise SpawnFailed("the daemon is stopping")

    def _attend(self, child: _Child, output: BoundedOutput, timeout: timedelta | None) -> None:
        """Serve a child until it has ended and nobody holds its output open, or somebody has for long enough."""
        deadline = inf if timeout is None else monotonic() + timeout.total_seconds()
        while child.is_writing or not child.has_exited:
            had_exited = child.has_exited
            child.serve(output, deadline)
            if child.has_exited and not had_exited:
                deadline = monotonic() + self._drain_seconds
            elif monotonic() < deadline:
                continue
            elif child.has_exited:
                child.note(output, _HELD_OPEN)
                return
            else:
                child.signal(signal.SIGKILL if child.timed_out else signal.SIGTERM)
                deadline = inf if child.timed_out else monotonic() + self._grace_seconds
                child.timed_out = True

    def _end(self, child: _Child, output: BoundedOutput) -> None:
        """Reap the child; kill what is left of its group where it was to be ended, or can be served no more."""
        with self._changed:
            self._children.discard(child)
            self._changed.notify_all()
            if child.timed_out or self._stopping or not child.has_exited:
                child.signal(signal.SIGKILL)
        child.reap(output)


def _milliseconds_until(deadline: float) -> int | None:
    """How long to poll; None is for ever."""
    return None if deadline == inf else max(0, min(ceil((deadline - monotonic()) * 1000), 3_600_000))


def _start(
    argv: tuple[str, ...],
    *,
    cwd: str,
    env: Mapping[str, str] | None,
    input: bytes,
    pidfd_open: Callable[[int], int] | None,
) -> _Child:
    """Start a program on new pipes; raises SpawnFailed, and leaves nothing open then."""
    if not argv or not argv[0]:
        raise SpawnFailed("cannot start a program: the command is empty")
    with ExitStack() as ours, ExitStack() as theirs:
        try:
            output_fd, child_output_fd = os.pipe()
            ours.callback(os.close, output_fd)
            theirs.callback(os.close, child_output_fd)
            child_input_fd, input_fd = subprocess.DEVNULL, -1
            if input:
                child_input_fd, input_fd = os.pipe()
                ours.callback(os.close, input_fd)
                theirs.callback(os.close, child_input_fd)
                os.set_blocking(input_fd, False)
            with contextlib.suppress(OSError, AttributeError):  # the user has too many of them, or no Linux
                fcntl.fcntl(output_fd, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
            process = subprocess.Popen(
                argv,
                stdin=child_input_fd,
                stdout=child_output_fd,
                stderr=child_output_fd,
                cwd=cwd,
                env={**os.environ, **env} if env else None,
                process_group=0,
            )
        except (OSError, ValueError, TypeError) as fault:
            raise SpawnFailed(
                f"cannot start {shortened(str(argv[0]))}: {_reason(fault, name=argv[0], cwd=cwd)}"
            ) from fault
        ours.pop_all()
    pidfd = -1
    if pidfd_open is not None:
        with contextlib.suppress(OSError):  # too many files are open, say
            pidfd = pidfd_open(process.pid)
    return _Child(process, output_fd=output_fd, input_fd=input_fd, input=input, pidfd=pidfd)


def _reason(fault: Exception, *, name: str, cwd: str) -> str:
    """Why the program could not be started, in words that say what to mend."""
    if isinstance(fault, ValueError):
        return "its arguments or environment contain a NUL" if "null" in str(fault) else str(fault)
    if not isinstance(fault, OSError):
        return str(fault)
    if fault.filename == cwd and (what := _fault_of_directory(cwd)):
        return f"its working directory {shortened(cwd, 200)} {what}"
    if isinstance(fault, FileNotFoundError):
        is_there = os.access(Path(cwd, name), os.F_OK) if "/" in name else shutil.which(name) is not None
        if is_there:
            return "the interpreter that its first line names does not exist"
        return "there is no such file" if "/" in name else "no such program on the path"
    return _REASONS.get(fault.errno or 0) or str(fault.strerror)


def _fault_of_directory(path: str) -> str:
    """Why a process cannot work there; empty where it can."""
    if os.access(f"{path}/.", os.F_OK) and path:
        return ""
    if not os.access(path, os.F_OK):
        return "does not exist"
    return "may not be entered" if Path(path).is_dir() else "is not a directory"


@contextmanager
def children_kept_off_the_terminal() -> Iterator[None]:
    """Let children that read the terminal fail at once; else these would be stopped, as groups in the background are.

    They inherit it.  For the main thread alone, as all that sets signals.
    """
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGTTIN, signal.SIGTTOU)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)


def process_holder() -> str:
    """This process for the store's claims: ``host pid start boot``, which no other process will ever be called."""
    pid = str(os.getpid())
    return f"{os.uname().nodename} {pid} {_start_of(pid)} {_boot()}"


def is_alive(holder: str) -> bool:
    """Whether the process of that name still runs.

    A name from another machine is that of a process gone, since the state is on a local disk: it was moved here, or
    restored.  Names are told apart by the boot, so that a machine may be renamed while it runs.
    """
    pid, start, boot = holder.split(" ")[-3:] if holder.count(" ") >= 3 else ("", "", "")
    return boot == _boot() and start == _start_of(pid) != ""


def _start_of(pid: str) -> str:
    """When a process started, in the kernel's own count; empty where there is none, or only its unreaped rest."""
    if not re.fullmatch("[0-9]{1,10}", pid):
        return ""
    if Path("/proc/self/stat").exists():
        try:
            # After the name, which may contain anything, come the state and, 19 fields on, the ticks since the boot.
            fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        except OSError:
            return ""
        return "" if fields[0] in {b"Z", b"X"} else fields[19].decode()
    import psutil  # slow to import, and not needed on Linux

    try:
        process = psutil.Process(int(pid))
        return "" if process.status() == psutil.STATUS_ZOMBIE else str(process.create_time())
    except (psutil.Error, OverflowError):
        return ""


def _boot() -> str:
    """What tells this boot of this machine from all others."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        import psutil  # as above

        return str(psutil.boot_time())
