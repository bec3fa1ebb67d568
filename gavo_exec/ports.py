"""Every protocol of the house on one page: what is asked of outside things.

Real things are made in ``daemon.assemble``; doubles are in ``gavo_exec.testing``.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Protocol

import msgspec

from gavo_exec.events import Event
from gavo_exec.incidents import Incident, Name, Pace
from gavo_exec.model import (
    Channel,
    HeldBack,
    LastStart,
    NewFile,
    Outcome,
    QueuedMail,
    Rejection,
    Retry,
    Run,
    RunRequest,
)
from gavo_exec.rdfiles import Signature

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


class Store(Protocol):
    """What is remembered over restarts.

    ``record`` and all that begin with ``put_`` or ``clear_`` are kept until ``flush`` writes them in one transaction,
    so that a run and the mail about it cannot be parted.  All others act at once.  Every method may raise StoreError,
    and may be called from any thread.
    """

    def last_starts(self) -> dict[str, LastStart]:
        """For each key the instant its last start counts from."""
        ...

    def note_starts(self, starts: Mapping[str, LastStart]) -> None:
        """Remember these as the instants that the keys' last starts count from."""
        ...

    def retries(self) -> dict[str, Retry]:
        """For each key the attempt that is to follow what failed."""
        ...

    def claim(
        self,
        requests: Sequence[RunRequest],
        *,
        now: datetime,
        begun: Mapping[str, LastStart] | None = None,
        left_out: Sequence[tuple[RunRequest, Run]] = (),
        accounted: Mapping[str, datetime] | None = None,
    ) -> dict[str, str]:
        """Note that these runs begin, before they do; no retry waits for their keys any more.

        Before them, in the same transaction, what has ``begun`` is noted as by note_starts, those that are ``left_out``
        are recorded, and by key instants are noted of which there is to be no record.  Answers the run ids that were
        not granted, since another process runs that key, each with who that is.
        """
        ...

    def cut_off(self, *, now: datetime) -> list[Run]:
        """All unfinished runs whose process is gone, as INTERRUPTED now; they stay unfinished until recorded so."""
        ...

    def record(self, run: Run) -> None:
        """Note how a run ended; one that was due and left out accounts for its instant."""
        ...

    def put_retry(self, key: str, retry: Retry) -> None:
        """Remember what is to follow a run that failed."""
        ...

    def put_seen(self, key: str, files: Sequence[NewFile]) -> None:
        """Remember that a key's run has succeeded with these files."""
        ...

    def seen(self, key: str) -> frozenset[NewFile]:
        """The files that a key's runs have succeeded with, as far as they were not forgotten."""
        ...

    def forget_seen(self, key: str, paths: Iterable[str]) -> None:
        """Forget these files of a key, of which there are none any more."""
        ...

    def put_mail(self, message: EmailMessage, *, now: datetime, about: str = "") -> None:
        """Put a mail into the outbox; ``about`` is the key or RD."""
        ...

    def put_call(
        self, channel: Channel, subject: str, content: bytes, *, now: datetime, about: str = "", target: str = ""
    ) -> None:
        """Put what goes by another channel into the outbox; a ping replaces those about the same that wait."""
        ...

    def put_incident(self, incident: Incident) -> None:
        """Remember how an incident stands."""
        ...

    def clear_incident(self, name: Name) -> None:
        """Forget an incident."""
        ...

    def put_pace(self, recipients: tuple[str, ...], pace: Pace) -> None:
        """Remember how fast mails go to these."""
        ...

    def put_rejection(self, rejection: Rejection, held_back: Sequence[HeldBack]) -> None:
        """Remember that an RD is broken, in place of what was remembered of it."""
        ...

    def clear_rejection(self, rd_id: str) -> None:
        """Forget that an RD was broken."""
        ...

    def flush(self) -> frozenset[Channel]:
        """Write what was put, in one transaction; answers for which channels something was among it."""
        ...

    def rejections(self) -> dict[str, tuple[Rejection, tuple[HeldBack, ...]]]:
        """The broken RDs by id, with their jobs that run on."""
        ...

    def run(self, run_id: str) -> Run | None:
        """One run with its output; a beginning of the id that fits just one will do."""
        ...

    def runs(self, key: str | None = None, *, limit: int = 100) -> list[Run]:
        """The latest runs, newest first, without their output."""
        ...

    def last_runs(self) -> dict[str, Run]:
        """For each key its latest run that has ended, without its output."""
        ...

    def running(self) -> dict[str, Run]:
        """For each key its run that goes on; started_at is when it was claimed."""
        ...

    def mails(self, *, limit: int = 100) -> list[QueuedMail]:
        """The latest mails, newest first, delivered ones among them."""
        ...

    def mail(self, mail_id: int) -> QueuedMail | None:
        """One mail."""
        ...

    def due_mail(self, now: datetime, channel: Channel = Channel.MAIL) -> QueuedMail | None:
        """What to try next by a channel, if anything is due."""
        ...

    def next_mail_at(self, channel: Channel = Channel.MAIL) -> datetime | None:
        """When the next mail is to be tried by a channel; None where none waits."""
        ...

    def undelivered(self) -> dict[Channel, tuple[int, int]]:
        """By channel how many wait to be delivered, and how many were given up."""
        ...

    def hasten_mails(self, *, now: datetime) -> None:
        """Let all mails that wait for their next try be due."""
        ...

    def hasten_mail(self, mail_id: int, *, now: datetime) -> None:
        """Let a mail be due that waits or was given up."""
        ...

    def incidents(self) -> list[Incident]:
        """What goes wrong at present, in the order in which it began."""
        ...

    def paces(self) -> dict[tuple[str, ...], Pace]:
        """How fast mails go, by recipients."""
        ...

    def last_success_at(self, key: str) -> datetime | None:
        """When a key's last run that succeeded did so."""
        ...

    def changed_elsewhere(self) -> bool:
        """Whether another process has written to the state since this was asked last."""
        ...

    def mail_delivered(self, mail_id: int, *, now: datetime) -> None:
        """Note that a mail was taken."""
        ...

    def mail_failed(self, mail_id: int, *, error: str, retry_at: datetime | None, now: datetime) -> None:
        """Note that a mail was not taken, and when to try again (None: never)."""
        ...

    def close(self) -> None:
        """Flush and let go of the file."""
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
