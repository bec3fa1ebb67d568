"""One child: how it is started, served and ended."""

import contextlib
import errno
import fcntl
import os
import resource
import select
import shutil
import signal
import stat
import subprocess
from collections.abc import Callable, Mapping, Sequence
from math import ceil, inf
from pathlib import Path
from time import monotonic
from typing import Final

from gavo_exec.errors import SpawnFailed, shortened
from gavo_exec.ports import Terms
from gavo_exec.runtime.output import BoundedOutput

_PIECE_BYTES: Final = 64 * 1024
_PIPE_BYTES: Final = 1024 * 1024  # for those who say much, a large one saves a busy machine half of the time
_LOOK_SECONDS: Final = 0.05  # how often to look whether a child has ended, where the system does not tell
HELD_OPEN: Final = b"[output is still held open by a background process]\n"
_CODE_LOST: Final = b"[the return code is lost: something else in this process waited for the child]\n"

PIDFD_OPEN: Final[Callable[[int], int] | None] = getattr(os, "pidfd_open", None)

_REASONS: Final = {
    errno.E2BIG: "its arguments and its environment are longer than the system allows",
    errno.EACCES: "it is not executable",
    errno.EAGAIN: "the system has no room for another process now",
    errno.EMFILE: "too many files are open",
    errno.ENFILE: "too many files are open",
    errno.ENOEXEC: "it is neither a program for this machine nor a script whose first line begins with #!",
    errno.ENOMEM: "there is not enough memory",
}


class Child:
    """A running child and our ends of its pipes; its group can be signalled until it is reaped."""

    def __init__(
        self,
        process: "subprocess.Popen[bytes]",
        *,
        output_fd: int,
        input_fd: int,
        input: bytes,
        pidfd_open: Callable[[int], int] | None,
        terms: Terms,
    ) -> None:
        self.terms = terms
        self.pid = process.pid
        self._process = process
        self._output_fd = output_fd
        self._input_fd = input_fd  # -1: there is none, or no more
        self._input = memoryview(input)
        self._pidfd_open = pidfd_open
        self._pidfd = -1  # -1: the system has none for us, or we have not asked yet
        self._poll = select.poll()
        self._poll.register(output_fd, select.POLLIN)
        if input_fd >= 0:
            self._poll.register(input_fd, select.POLLOUT)
        self._last = b"\n"
        self._is_wide = False
        self.is_writing = True  # somebody has its output open
        self.has_exited = False
        self.timed_out = False

    def signal(self, number: signal.Signals) -> None:
        """Signal the whole group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # gone, or become another user's
            os.killpg(self.pid, number)

    def ask(self) -> None:
        """Send SIGTERM to the child alone."""
        os.kill(self.pid, signal.SIGTERM)

    def serve(self, output: BoundedOutput, deadline: float) -> None:
        """Wait until something happens, or for the deadline, and do what it asks for."""
        if deadline == inf and not self.is_writing and self._input_fd < 0:
            self.has_exited = self._look(0)
            return
        is_watched = self.has_exited or self._pidfd >= 0
        until = deadline if is_watched else min(deadline, monotonic() + _LOOK_SECONDS)
        for fd, _ in self._poll.poll(_milliseconds_until(until)):
            if fd == self._output_fd:
                self._read(output)
            elif fd == self._input_fd:
                self._feed()
            else:
                self._poll.unregister(fd)
                self.has_exited = True
        # Not before: most children are over as soon as their output is, and there is nothing to watch.
        if not is_watched and (self.is_writing or deadline < inf):
            self.has_exited = not self._watch() and self._look(os.WNOHANG)

    def _watch(self) -> bool:
        """Let the system tell of the child's end, where it can."""
        if self._pidfd_open is None:
            return False
        try:
            self._pidfd = self._pidfd_open(self.pid)
        except OSError:  # too many files are open, say
            return False
        self._poll.register(self._pidfd, select.POLLIN)
        return True

    def _read(self, output: BoundedOutput) -> None:
        if data := os.read(self._output_fd, _PIECE_BYTES):
            self._last = data[-1:]
            if len(data) == _PIECE_BYTES and not self._is_wide:
                self._is_wide = True
                with contextlib.suppress(OSError, AttributeError):  # the user has too many of them, or no Linux
                    fcntl.fcntl(self._output_fd, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
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

    def _look(self, flags: int) -> bool:
        """Whether the child itself has ended; it is not reaped by this.  Without WNOHANG it is waited for."""
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | flags) is not None
        except ChildProcessError:
            return True

    def note(self, output: BoundedOutput, text: bytes) -> None:
        """Append a line of our own to the output."""
        output.append(text if self._last == b"\n" else b"\n" + text)
        self._last = b"\n"

    def reap(self, output: BoundedOutput) -> None:
        """Wait for the child's end."""
        try:
            self._process.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        except ChildProcessError:  # job code that forks may wait for any child there is
            self._process.returncode = 255
            self.note(output, _CODE_LOST)

    @property
    def returncode(self) -> int:
        """How it ended, once it is reaped."""
        return self._process.returncode

    def close(self) -> None:
        """Let go of all descriptors."""
        _close(self._output_fd, self._input_fd, self._pidfd)


def _milliseconds_until(deadline: float) -> int | None:
    """How long to poll; None is for ever."""
    return None if deadline == inf else max(0, min(ceil((deadline - monotonic()) * 1000), 3_600_000))


def start(
    argv: tuple[str, ...],
    *,
    cwd: str,
    env: Mapping[str, str] | None,
    input: bytes,
    pidfd_open: Callable[[int], int] | None,
    terms: Terms,
    keep: Sequence[int],
) -> Child:
    """Start a program on new pipes; raises SpawnFailed, and leaves nothing open then."""
    if not argv or not argv[0]:
        raise SpawnFailed("cannot start a program: the command is empty")
    path = env.get("PATH") if env else None
    output_fd = child_output_fd = child_input_fd = input_fd = -1
    try:
        words = argv if terms.niceness is terms.memory_bytes is None else _limited(argv, terms, cwd=cwd, path=path)
        output_fd, child_output_fd = os.pipe()
        if input:
            child_input_fd, input_fd = os.pipe()
            os.set_blocking(input_fd, False)
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL if child_input_fd < 0 else child_input_fd,
            stdout=child_output_fd,
            stderr=child_output_fd,
            cwd=cwd,
            env=_whole_environment(env) if env else None,
            process_group=0,
            pass_fds=keep,
        )
    except (OSError, ValueError, TypeError) as fault:
        _close(output_fd, input_fd)
        reason = reason_of(fault, name=argv[0], cwd=cwd, path=path)
        raise SpawnFailed(f"cannot start {shortened(str(argv[0]))}: {reason}") from fault
    finally:
        _close(child_output_fd, child_input_fd)
    return Child(process, output_fd=output_fd, input_fd=input_fd, input=input, pidfd_open=pidfd_open, terms=terms)


def _whole_environment(env: Mapping[str, str]) -> dict[bytes, bytes]:
    """Our environment with this added to it."""
    # As bytes, which it is kept in: the way to text and back takes a tenth of the time in which a program starts.
    ours: Mapping[bytes, bytes] = getattr(os.environb, "_data", os.environb)
    return {**ours, **{os.fsencode(name): os.fsencode(value) for name, value in env.items()}}


def _close(*fds: int) -> None:
    for fd in fds:
        if fd >= 0:
            os.close(fd)


def _limited(argv: tuple[str, ...], terms: Terms, *, cwd: str, path: str | None) -> tuple[str, ...]:
    """The command by which a shell sets the limits and becomes the program.

    Setting them from here would come too late for what the program does, and starts, at once.  The shell tells in its
    own way what it cannot start, so it is looked at before; raises what starting it would.
    """
    name = argv[0]
    if _fault_of_directory(cwd):
        raise FileNotFoundError(errno.ENOENT, "no such directory", cwd)
    found = name if "/" in name else shutil.which(name, path=path)
    if found is None:
        Path(cwd, name).stat()  # raises for names that cannot be
        raise FileNotFoundError(errno.ENOENT, "no such program", name)
    program = Path(cwd, found)
    if not stat.S_ISREG(program.stat().st_mode) or not os.access(program, os.X_OK):
        raise PermissionError(errno.EACCES, "not executable", name)
    with contextlib.suppress(PermissionError), program.open("rb") as file:  # some may be run and not be read
        head = file.readline(256)
        if head.startswith(b"#!"):
            Path(cwd, os.fsdecode((head[2:].split() or [b"/"])[0])).stat()
        elif head[:5] not in {b"\x7fELF\1", b"\x7fELF\2"}:
            raise OSError(errno.ENOEXEC, "no program", name)
    words = ['exec "$@"']
    more = (terms.niceness or 0) - os.getpriority(os.PRIO_PROCESS, 0)
    if terms.niceness is not None and more > 0:
        nice = shutil.which("nice", path=os.defpath) or "nice"  # the program's own path may be a short one
        words = [f'exec {nice} -n {more} "$@"']
    if terms.memory_bytes is not None:
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        limit = terms.memory_bytes if hard == resource.RLIM_INFINITY else min(terms.memory_bytes, hard)
        words.insert(0, f"ulimit -v {max(limit // 1024, 1)}")
    return ("/bin/sh", "-c", " && ".join(words), "sh", *argv)


def reason_of(fault: Exception, *, name: str, cwd: str, path: str | None = None) -> str:
    """Why the program could not be started, in words that say what to mend."""
    if isinstance(fault, ValueError):
        return "its arguments or environment contain a NUL" if "null" in str(fault) else str(fault)
    if not isinstance(fault, OSError):
        return str(fault)
    if fault.filename == cwd and (what := _fault_of_directory(cwd)):
        return f"its working directory {shortened(cwd, 200)} {what}"
    if isinstance(fault, FileNotFoundError):
        is_there = os.access(Path(cwd, name), os.F_OK) if "/" in name else shutil.which(name, path=path) is not None
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
