"""What listeners hear: frozen records of what happened."""

from datetime import datetime

import msgspec

from gavo_exec.control import Pause
from gavo_exec.errors import Diagnostic
from gavo_exec.model import HeldBack, Rejection, Retry, Run, RunRequest, retry_of


class DescriptorAccepted(msgspec.Struct, frozen=True, kw_only=True):
    """An RD's new version is in force; ``recovered`` tells that the version before was broken."""

    rd_id: str
    path: str
    executes: int
    warnings: tuple[Diagnostic, ...] = ()
    recovered: bool = False
    digest: str = ""


class DescriptorRejected(msgspec.Struct, frozen=True, kw_only=True):
    """An RD's new version is broken; the jobs ``held_back`` run on in the last good one.

    ``mail_to`` are those who are told when these go wrong, as far as the RD says so itself.
    """

    rejection: Rejection
    held_back: tuple[HeldBack, ...] = ()
    mail_to: tuple[str, ...] = ()


class DescriptorRemoved(msgspec.Struct, frozen=True, kw_only=True):
    """An RD's file is gone, and its jobs with it."""

    rd_id: str


class JobsReconciled(msgspec.Struct, frozen=True, kw_only=True):
    """The timetable agrees with the RDs again; the fields are keys of executes."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


class RunStarted(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A run has begun."""

    request: RunRequest
    started_at: datetime


class RunFinished(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A run has ended, or was skipped; ``request`` is None where only its record is left of it (after a crash)."""

    run: Run
    request: RunRequest | None = None

    @property
    def next_due(self) -> datetime | None:
        """When its execute is due next; None where nothing is known of that (a run that somebody asked for, say)."""
        run, request = self.run, self.request
        if request is None or request.counts_from is None:
            return None
        return request.execute.schedule.next_due(run.finished_at or run.due, request.counts_from)

    @property
    def retry(self) -> Retry | None:
        """The attempt that is to follow, if one is."""
        return None if self.request is None else retry_of(self.request, self.run)


class RunOverdue(msgspec.Struct, frozen=True, kw_only=True):
    """A run goes on past its time limit: it has been asked to end, and its children are being ended."""

    request: RunRequest
    started_at: datetime
    at: datetime


class PauseBegan(msgspec.Struct, frozen=True, kw_only=True):
    """A job, or all, will not start by themselves from now on."""

    pause: Pause


class PauseEnded(msgspec.Struct, frozen=True, kw_only=True):
    """A pause is over: its time was, or ``who`` has ended it."""

    pause: Pause
    at: datetime
    who: str = ""


class OperatorActed(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody (``who``) has asked the daemon for something that is no pause.

    ``what`` is the verb: triggered, cancelled, reloaded, stopped; ``about`` the key, or ''; ``detail`` what there is to
    add, as the run's id.
    """

    who: str
    what: str
    at: datetime
    about: str = ""
    detail: str = ""


class DeliveryAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody wants all that waits in the outbox to be delivered now."""

    who: str
    at: datetime


class Stalled(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing in the daemon could run for so long, since job code held the interpreter's lock.

    ``key`` and ``where`` (``path:line``) name the job, and what it was doing; where that is not certain, ``key`` is ''
    and ``where`` names all that may have been it, or is ''.
    ``trace`` has what all threads were doing.
    """

    seconds: float
    key: str
    where: str
    trace: str
    at: datetime


class ClockStepped(msgspec.Struct, frozen=True, kw_only=True):
    """The clock was set, or the machine slept: it jumped by so many seconds (negative: back)."""

    seconds: float
    at: datetime


class DaemonStarted(msgspec.Struct, frozen=True, kw_only=True):
    """The daemon is ready."""

    inputs_dir: str
    state_dir: str
    executes: int
    at: datetime


class DaemonStopping(msgspec.Struct, frozen=True, kw_only=True):
    """The daemon starts nothing any more and waits for what is running."""

    reason: str
    running: int
    at: datetime


class TellingDue(msgspec.Struct, frozen=True, kw_only=True):
    """Time has come to look which incidents are to be told of; with ``is_last`` what is new is told at once."""

    at: datetime
    is_last: bool = False


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """Something of the daemon's own went wrong and it goes on; ``message`` says what and what it means.

    With a ``place``, the part of the daemon that it is about, people are mailed, once a day for each.
    """

    message: str
    at: datetime
    place: str = ""


Event = (
    DescriptorAccepted
    | DescriptorRejected
    | DescriptorRemoved
    | JobsReconciled
    | RunStarted
    | RunFinished
    | RunOverdue
    | PauseBegan
    | PauseEnded
    | OperatorActed
    | DeliveryAsked
    | Stalled
    | ClockStepped
    | DaemonStarted
    | DaemonStopping
    | TellingDue
    | Trouble
)
