"""Every protocol of the house: what is asked of outside things; ``Control``, which knows JSON, has a room of its own.

Real things are made in ``daemon.assemble``; doubles are in ``gavo_exec.testing``.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Protocol

import msgspec

from gavo_exec.events import Event
from gavo_exec.model import Outcome, Run, RunRequest
from gavo_exec.ports.store import Store
from gavo_exec.rdfiles import Signature

__all__ = [
    "FREE",
    "RUN_VARIABLE",
    "WITHIN_VARIABLE",
    "Clock",
    "Completed",
    "Engine",
    "JobRunner",
    "Listener",
    "Mailer",
    "Performer",
    "Runner",
    "Store",
    "Terms",
    "Watcher",
]

RUN_VARIABLE = "GAVO_EXEC_RUN"
"""The variable in the environment of a run's children that has the run's id."""

WITHIN_VARIABLE = "GAVO_EXEC_WITHIN"
"""The variable by which a run's processes are found: the marks of all that they are part of, the outermost first."""


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The present instant, aware and UTC."""
        ...


class Completed(msgspec.Struct, frozen=True, kw_only=True):
    """A child process that has ended.

    ``returncode`` is negative where a signal ended it (as subprocess has it); ``output`` is standard output and error
    joined, the middle left out (and said so) past the runner's limit; ``timed_out`` that the time limit ended it.
    ``called_at`` is where job code has started it (``path, line 3``), as far as that is known.
    """

    argv: tuple[str, ...]
    cwd: str
    returncode: int
    output: bytes = b""
    timed_out: bool = False
    called_at: str = ""


class Runner(Protocol):
    """Runs programs, for many threads."""

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
        """Run a program to its end in a process group of its own.

        ``env`` is added to our environment; ``input`` is all that the program finds on its standard input; ``tee`` is
        given the output as it comes.  Raises SpawnFailed where the program cannot be started.
        """
        ...

    def stop(self) -> None:
        """End all children that are running, with all their process groups; start no more."""
        ...


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """On what terms a child runs.

    ``run_id`` is that of the run it belongs to and is ended with; ``is_run`` tells that it is the whole of that run,
    which is asked to end by SIGTERM.  ``niceness`` is its own and that of all its children, unless the system refuses
    it; ``memory_bytes`` is how much address space each of them may have.
    """

    run_id: str = ""
    is_run: bool = False
    niceness: int | None = None
    memory_bytes: int | None = None


FREE = Terms()


class JobRunner(Runner, Protocol):
    """Runs programs for jobs, and finds all that runs have started again, to end it."""

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: str,
        env: Mapping[str, str] | None = None,
        input: bytes = b"",
        timeout: timedelta | None = None,
        tee: Callable[[bytes], object] | None = None,
        terms: Terms = FREE,
        keep: Sequence[int] = (),
    ) -> Completed:
        """The same on these terms; ``keep`` are descriptors that the program is to have, too."""
        ...

    def ask(self, run_ids: Collection[str]) -> None:
        """Send SIGTERM to the processes that are the whole of one of these runs, and to nothing else of it."""
        ...

    def end(self, run_ids: Collection[str]) -> None:
        """End all processes of these runs, wherever they have gone; start no more of them.

        From any thread, without waiting: they are sent SIGTERM, and what is left after a grace, SIGKILL.
        """
        ...

    def clear(self, run_ids: Collection[str], *, grace: timedelta = timedelta(0)) -> None:
        """Kill what is left of these runs, and wait until it is gone; with a grace, after SIGTERM and that time."""
        ...

    def sweep(self) -> None:
        """End what runs that this runner knew have left in the background."""
        ...

    def hasten(self) -> None:
        """Let what is being stopped have no long grace any more; from any thread or signal handler."""
        ...


class Mailer(Protocol):
    """Hands a mail to the world."""

    def send(self, message: EmailMessage) -> str:
        """Deliver, and answer in words who has taken it; or raise DeliveryError."""
        ...


class Performer(Protocol):
    """Carries out one run on the calling thread; never raises."""

    def perform(self, request: RunRequest) -> Run:
        """Run to the end and answer the record of it."""
        ...

    def refuse(self, request: RunRequest, cause: str, outcome: Outcome = Outcome.FAILED) -> Run:
        """Answer the record of a run that cannot be carried out."""
        ...

    def cancel(self, run_id: str, cause: str) -> None:
        """End a run that goes on as far as that can be done: its children at once, its code when it asks.

        From any thread, without waiting; the run's outcome is CANCELLED.  One that does not go on is passed over.
        """
        ...


class Engine(Protocol):
    """Carries out runs; promises one call of its ``finished`` for each request."""

    @property
    def slots(self) -> int:
        """How many runs it carries out at the same time."""
        ...

    def start(self, performer: Performer, finished: Callable[[Run], object]) -> None:
        """Begin to take requests; ``finished`` may be called from any thread."""
        ...

    def submit(self, requests: Sequence[RunRequest]) -> None:
        """Have these carried out; does not wait."""
        ...

    def cancel(self, run_id: str, cause: str) -> None:
        """End a run as far as that can be done, whether it has begun or not; from any thread, without waiting."""
        ...

    def stop(self, grace: timedelta) -> list[RunRequest]:
        """Take no more, wait for what is running for at most ``grace``; answers what had not ended by then."""
        ...

    def hasten(self) -> None:
        """Let a stop that waits wait no longer; from any thread or signal handler."""
        ...


class Watcher(Protocol):
    """Tells which files changed."""

    def __iter__(self) -> Iterator[frozenset[str]]:
        """Sets of absolute paths that changed and stand still again, the gone ones among them, until stopped."""
        ...

    def look(self) -> None:
        """Look for changes now; from any thread or signal handler."""
        ...

    def watch_also(self, files: Mapping[str, Signature | None]) -> None:
        """Watch these files as well, in place of those of the call before; from any thread.

        Each is known by its signature, None where there is no file; what differs from that is a change.
        """
        ...

    def stop(self) -> None:
        """Let the iteration end soon; from any thread."""
        ...


Listener = Callable[[Event], object]
"""Is told of each event, on the bus's thread; what it raises harms nobody else.

One with an attribute ``hears``, a set of types of events, is told of these only.
"""
