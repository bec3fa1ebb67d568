"""What operators hear of jobs and say about them while the daemon runs; pure values."""

from datetime import datetime

import msgspec

from gavo_exec.errors import GavoExecError
from gavo_exec.model import Run


class RefusedError(GavoExecError):
    """What an operator asks for is not done; the text says why, and what stands against it."""


class UnknownNameError(RefusedError):
    """There is no job, or no run, of the name that was given; ``known`` are names that may be meant."""

    def __init__(self, message: str, *, known: tuple[str, ...] = ()) -> None:
        self.known = known
        super().__init__(message)


class NoDaemonError(GavoExecError):
    """No daemon runs that could be asked."""


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """That a job is not to start by itself; ``key`` is '' where that holds for all jobs.

    It ends by itself ``until`` then, unless that is None.  ``who`` has paused it, and says why in ``note``.
    """

    key: str
    since: datetime
    until: datetime | None = None
    note: str = ""
    who: str = ""


class JobStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A job as operators see it in one line; ``schedule`` is in words, ``last_run`` without its output.

    ``held_back`` tells that its RD is broken at present, so that an earlier version of it runs.
    """

    key: str
    title: str
    schedule: str
    due: datetime | None
    last_run: Run | None = None
    running_since: datetime | None = None
    run_id: str = ""
    pause: Pause | None = None
    held_back: bool = False

    @property
    def paused(self) -> bool:
        """Whether it does not start by itself at present."""
        return self.pause is not None


class DaemonStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A daemon as operators see it in one look.

    ``jobs`` counts all executes, ``running`` the runs that go on, ``waiting`` what is due and has no slot yet;
    ``broken_rds`` are the RDs that are refused at present, ``pauses`` all that hold; ``mails_waiting`` and
    ``mails_given_up`` count what is in the outbox.  ``lag_seconds`` is how long the scheduler has been overdue.
    """

    version: str
    pid: int
    host: str
    inputs_dir: str
    state_dir: str
    started_at: datetime
    now: datetime
    jobs: int
    running: int
    waiting: int
    workers: int
    next_due: datetime | None
    broken_rds: tuple[str, ...]
    incidents: int
    pauses: tuple[Pause, ...]
    mails_waiting: int
    mails_given_up: int
    is_stopping: bool = False
    lag_seconds: float = 0.0


class Reloaded(msgspec.Struct, frozen=True, kw_only=True):
    """What reading everything anew has come to; ``broken`` has of each RD that is refused the first fault."""

    rds: int
    jobs: int
    broken: tuple[str, ...] = ()


def holds_until(pause: Pause, now: datetime) -> bool:
    """Whether a pause still holds."""
    return pause.until is None or pause.until > now


class RunBegan(msgspec.Struct, frozen=True, kw_only=True):
    """Of what is followed: this run has begun, or goes on."""

    run: Run


class Printed(msgspec.Struct, frozen=True, kw_only=True):
    """Of what is followed: a run has printed this."""

    run_id: str
    output: bytes


class RunEnded(msgspec.Struct, frozen=True, kw_only=True):
    """Of what is followed: this run has ended, or was left out."""

    run: Run


Happening = RunBegan | Printed | RunEnded
