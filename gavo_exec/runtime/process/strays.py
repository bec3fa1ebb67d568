"""Processes of a run wherever they have gone: found by a mark in their environment, or below one that is known.

A process inherits its environment from the one that started it, so those that left their process group, or whose
parents are gone, have the mark still.
"""

import contextlib
import os
import select
import signal
import threading
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Final

import msgspec

from gavo_exec.errors import shortened
from gavo_exec.ports import RUN_VARIABLE, WITHIN_VARIABLE
from gavo_exec.runtime.process.holders import start_of

_PROC: Final = Path("/proc")
_LOOK_SECONDS: Final = 0.01


def marked(env: Mapping[str, str], within: str, *, run_id: str) -> dict[str, str]:
    """This environment with what the children of a run are found by; ``within`` are the marks of what the run is in."""
    return {**env, RUN_VARIABLE: run_id, WITHIN_VARIABLE: f"{within} {run_id}"}


class _Seen(msgspec.Struct, frozen=True):
    """A process at a glance; ``start`` tells it from a later one with its number."""

    parent: int
    start: str
    environ: Mapping[str, str]

    def is_within(self, marks: Collection[str]) -> bool:
        """Whether it was started for what has one of these marks, by however many others."""
        return any(mark in marks for mark in self.environ.get(WITHIN_VARIABLE, "").split())


class Stray(msgspec.Struct, frozen=True, eq=False):
    """A process that was found; ``run_id`` is that of its run, and ``pidfd`` -1 where the system has none for us."""

    pid: int
    pidfd: int
    start: str
    run_id: str
    command: str

    @property
    def identity(self) -> tuple[int, str]:
        """What tells it from all others, whatever program it becomes."""
        return self.pid, self.start

    def signal(self, number: signal.Signals) -> None:
        """Signal it, and never another one that has its number now."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if self.pidfd >= 0:
                signal.pidfd_send_signal(self.pidfd, number)
            elif not self.has_ended():
                os.kill(self.pid, number)

    def has_ended(self) -> bool:
        """Whether it is no more, but for its unreaped rest."""
        if self.pidfd < 0:
            return start_of(str(self.pid)) != self.start
        poll = select.poll()
        poll.register(self.pidfd, select.POLLIN)
        return bool(poll.poll(0))

    def close(self) -> None:
        """Let go of it."""
        if self.pidfd >= 0:
            os.close(self.pidfd)

    def __str__(self) -> str:
        return f"{self.pid} ({self.command}, left by run {self.run_id or 'unknown'})"


def find_strays(
    marks: Collection[str],
    *,
    below: Collection[int] = (),
    beside: Collection[int] = (),
    pidfd_open: Callable[[int], int] | None,
    proc: Path = _PROC,
) -> list[Stray]:
    """All processes with one of these marks, and all below them or the processes ``below``; each is to be closed.

    Ourselves and what is in the process groups ``beside`` are left out.  ``pidfd_open`` is the system's; None where it
    has none.
    """
    seen = _seen_in(proc) if proc.joinpath("self/environ").exists() else _seen_by_psutil()
    seen.pop(os.getpid(), None)
    children: dict[int, list[int]] = {}
    for pid, process in seen.items():
        children.setdefault(process.parent, []).append(pid)
    family = [*below, *(pid for pid, process in seen.items() if process.is_within(marks))]
    for pid in family:  # it grows
        family += children.pop(pid, ())
    known = [(pid, seen[pid]) for pid in dict.fromkeys(family) if pid in seen]
    found = (_take(pid, process, beside=beside, pidfd_open=pidfd_open) for pid, process in known)
    return [stray for stray in found if stray is not None]


def _take(
    pid: int, process: _Seen, *, beside: Collection[int], pidfd_open: Callable[[int], int] | None
) -> Stray | None:
    """Get hold of a process; None where it is one of those left out, or no more."""
    try:
        if os.getpgid(pid) in beside:
            return None
    except ProcessLookupError:
        return None
    pidfd = -1
    if pidfd_open is not None:
        with contextlib.suppress(OSError):  # too many files are open, say; or it is no more, which shows below
            pidfd = pidfd_open(pid)
    run_id = process.environ.get(RUN_VARIABLE, "")
    stray = Stray(pid, pidfd, process.start, run_id, _command_of(pid))
    if start_of(str(pid)) != process.start:  # by now we hold the one that has the number
        stray.close()
        return None
    return stray


def _seen_in(proc: Path) -> dict[int, _Seen]:
    """All processes that are not unreaped rests, by their numbers."""
    seen: dict[int, _Seen] = {}
    for path in proc.iterdir():
        if path.name.isdecimal():
            with contextlib.suppress(OSError):
                # After the name, which may contain anything: the state, the parent and, 19 fields on, the start.
                fields = path.joinpath("stat").read_bytes().rpartition(b")")[2].split()
                if fields[0] not in {b"Z", b"X"}:
                    seen[int(path.name)] = _Seen(int(fields[1]), fields[19].decode(), _environ_in(path))
    return seen


def _seen_by_psutil() -> dict[int, _Seen]:
    """The same, where the system has no such files."""
    import psutil  # slow to import, and not needed on Linux

    return {
        process.pid: _Seen(process.info["ppid"], start, process.info["environ"] or {})
        for process in psutil.process_iter(["ppid", "environ"])
        if (start := start_of(str(process.pid)))
    }


def _environ_in(path: Path) -> dict[str, str]:
    """What the environment that a process was started with says about runs; nothing where it may not be read."""
    try:
        environ = path.joinpath("environ").read_bytes()
    except OSError:
        return {}
    entries = (entry for entry in environ.split(b"\0") if entry.startswith(b"GAVO_EXEC_"))
    return dict(entry.decode("utf-8", "replace").partition("=")[::2] for entry in entries)


def wait_for_ends(strays: Collection[Stray], is_over: Callable[[], bool]) -> None:
    """Wait until all of these are no more, or the time for that is over."""
    pause = threading.Event()
    while not all(stray.has_ended() for stray in strays) and not is_over():
        pause.wait(_LOOK_SECONDS)


def _command_of(pid: int) -> str:
    """The words that a process was started with, for people."""
    try:
        words = _PROC.joinpath(str(pid), "cmdline").read_bytes()
    except OSError:
        return "unknown"
    return shortened(words.rstrip(b"\0").replace(b"\0", b" ").decode("utf-8", "backslashreplace"), 80)
