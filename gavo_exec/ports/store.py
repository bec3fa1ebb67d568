"""What is asked of whatever remembers."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from email.message import EmailMessage
from typing import Protocol

from gavo_exec.control import Pause
from gavo_exec.incidents import Incident, Name, Pace
from gavo_exec.model import (
    Channel,
    HeldBack,
    LastStart,
    NewFile,
    QueuedMail,
    Rejection,
    Retry,
    Run,
    RunRequest,
)
from gavo_exec.past import DayOfRuns, Deed, PastExecute


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

    def pauses(self) -> list[Pause]:
        """The pauses that hold, unless their time is over."""
        ...

    def put_pause(self, pause: Pause) -> None:
        """Remember a pause, in place of one of the same key."""
        ...

    def clear_pause(self, pause: Pause) -> None:
        """Forget a pause, unless another has taken its place."""
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

    def runs(
        self,
        key: str | None = None,
        *,
        limit: int = 100,
        failed: bool = False,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[Run]:
        """The latest runs, newest first, without their output; of those that went wrong, where ``failed``.

        ``since`` and ``until`` are about when they began, or were due where they never did.
        """
        ...

    def runs_onward(
        self, key: str | None = None, *, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[Run]:
        """All runs that have ended with their output, the first one first, without having all in memory."""
        ...

    def put_version(self, rd_id: str, digest: str, content: bytes, *, now: datetime) -> None:
        """Remember the code of a version of an RD, unless it is known."""
        ...

    def code_of(self, run: Run) -> PastExecute | None:
        """The execute of a run as it was in the version that ran, as far as that is known."""
        ...

    def put_deed(self, deed: Deed) -> None:
        """Remember what somebody did."""
        ...

    def put_acceptance(self, rd_id: str, digest: str, *, who: str, detail: str, now: datetime) -> None:
        """Remember which version of an RD was accepted: another one than before is an edit."""
        ...

    def put_removal(self, rd_id: str, *, now: datetime) -> None:
        """Remember that an RD is gone."""
        ...

    def deeds(self, about: str | None = None, *, since: datetime | None = None, limit: int = 100) -> list[Deed]:
        """What was done last, the latest first; of an execute what was done to its RD, too."""
        ...

    def last_runs(self) -> dict[str, Run]:
        """For each key its latest run that has ended, without its output."""
        ...

    def days(self, keys: Iterable[str], *, until: datetime, count: int) -> dict[str, tuple[DayOfRuns | None, ...]]:
        """How the last days went for each key, the last one first; None for a day without runs.

        A day ends as late in the day as ``until``; what was recorded after that counts as of the last day.
        """
        ...

    def took(self, key: str, *, limit: int) -> list[float]:
        """How many seconds the last runs of a key took that did well, newest first."""
        ...

    def version_of_others(self) -> int:
        """A number that is another one whenever another process has written to the state meanwhile."""
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

    def oldest_undelivered_at(self) -> datetime | None:
        """Since when what waits longest to be delivered does; None where nothing waits."""
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
