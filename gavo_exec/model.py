"""The frozen types of the domain; every instant in them is aware and UTC, every path absolute.

Those that are made for each run are not tracked by the garbage collector: frozen, they cannot be part of a cycle.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from zlib import crc32

import msgspec

from gavo_exec.errors import NOWHERE, Diagnostic, Position
from gavo_exec.schedule import At, Every, Loaded, Schedule, Window, narrowed, parse_at, parse_every

_UTC_OFFSET = timedelta(0)


def _must_be_utc(**instants: datetime | None) -> None:
    """Refuse instants that are naive or not UTC, by name."""
    for name, instant in instants.items():
        if instant is not None and instant.utcoffset() != _UTC_OFFSET:
            raise ValueError(f"{name} must be an aware UTC instant, not {instant!r}")


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """Python code from a file, dedented, its macros expanded.

    Its first line stands at ``first_line`` of the file in ``position``; ``lines`` has the line in the file for each
    line of the source where they do not simply count on from there.
    """

    source: str = ""
    first_line: int = 1
    lines: tuple[int, ...] = ()
    position: Position = NOWHERE

    def numbered(self) -> Iterator[tuple[int, str]]:
        """The lines of the code with those of the file where they stand."""
        for index, line in enumerate(self.source.removesuffix("\n").split("\n")):
            yield (self.lines[index] if index < len(self.lines) else self.first_line + index), line


class Job(Code, frozen=True, kw_only=True):
    """The code of an execute: ``source`` is the body of a function of ``rd`` and ``execDef``.

    It begins with the late parameters.  ``setup`` is what makes the names that the function can use: it is to be run
    once per load, in this order; its parts may come from several files.  ``name`` and ``doc`` are for people.
    """

    setup: tuple[Code, ...] = ()
    name: str = ""
    doc: str = ""

    @property
    def setup_source(self) -> str:
        """The code of all of the setup."""
        return "".join(code.source for code in self.setup)


class Missed(Enum):
    """What to do about instants that passed unserved: while no daemon ran, say, or the machine slept."""

    ONCE = "once"  # one run makes up for all of them
    SKIP = "skip"  # none does
    ALL = "all"  # each has a run of its own, one after the other


class Overlap(Enum):
    """What to do where a job is due while its run before still goes on."""

    SKIP = "skip"  # leave it out
    QUEUE = "queue"  # run it afterwards; one waits at most, the latest
    REPLACE = "replace"  # end the run before, and run it then
    ALLOW = "allow"  # run both at once


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """At most so many runs of all those with a limit of this name go on at once when such a run starts."""

    name: str
    at_most: int = 1


LATE = timedelta(seconds=60)
"""From when on a run counts as one that catches up."""


REMINDERS = (timedelta(hours=1), timedelta(days=1), timedelta(days=7))


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How an execute is run, beside when: what its portable properties (``when.*``, ``run.*``, ``mail.*``) come to.

    ``grace`` is how late a run may still begin (None: however late; LATE where what is missed is skipped and nothing
    else is said).  ``files`` is a pattern of absolute paths; where there is one, runs are for files that came and have
    stood still for ``settle``.  ``retry_delay`` is the pause before the first retry; each later one is twice as long,
    up to a bound.  ``workdir`` is absolute ('': the resdir).  ``mail_to`` are addresses (none: those of the settings),
    ``mail_after`` is how many runs in a row must have failed before anybody is told, ``reminders`` how long after each
    mail about it the next one comes, of which the last is kept to.  ``ping`` is a check's address ('': none).
    """

    missed: Missed = Missed.ONCE
    grace: timedelta | None = None
    files: str = ""
    settle: timedelta = timedelta(seconds=60)
    timeout: timedelta | None = None
    overlap: Overlap = Overlap.SKIP
    retries: int = 0
    retry_delay: timedelta = timedelta(seconds=60)
    is_isolated: bool = False
    limit: Limit | None = None
    priority: int = 0
    workdir: str = ""
    env: tuple[tuple[str, str], ...] = ()
    niceness: int | None = None
    memory_bytes: int | None = None
    mail_to: tuple[str, ...] = ()
    mail_after: int = 1
    reminders: tuple[timedelta, ...] = REMINDERS
    ping: str = ""
    shows_locals: bool = False

    def __post_init__(self) -> None:
        """Fill in how late a run may begin where what was missed is skipped."""
        if self.missed is Missed.SKIP and self.grace is None:
            msgspec.structs.force_setattr(self, "grace", LATE)


DEFAULT_POLICY = Policy()


class Execute(msgspec.Struct, frozen=True, kw_only=True):
    """The declared pair of when and what; ``key`` is ``rd_id#id`` and carries all that outlives an edit."""

    key: str
    title: str
    schedule: Schedule
    job: Job
    id: str | None = None
    policy: Policy = DEFAULT_POLICY
    properties: Mapping[str, str | None] = msgspec.field(default_factory=dict)
    debug: bool = False
    position: Position = NOWHERE

    def is_same(self, other: "Execute") -> bool:
        """Whether nothing but positions differs: moving an execute down a line is no change."""
        return self is other or _unplaced(self) == _unplaced(other)


def _unplaced(execute: Execute) -> Execute:
    """The execute without its positions."""
    job = execute.job
    setup = tuple(Code(source=code.source) for code in job.setup)
    job = msgspec.structs.replace(job, first_line=1, lines=(), position=NOWHERE, setup=setup)
    return msgspec.structs.replace(execute, job=job, position=NOWHERE)


class ResourceDescriptor(msgspec.Struct, frozen=True, kw_only=True):
    """One RD as far as jobs are concerned.

    ``rd_id`` is its path below the resource directory ``inputs_dir`` without ``.rd``; ``sources`` are all files it was
    read from, itself among them, ``absent`` those that were looked for in vain; ``digest`` tells its versions apart;
    ``warnings`` are what the reader had to say.
    """

    rd_id: str
    path: str
    inputs_dir: str
    resdir: str
    schema: str | None = None
    executes: tuple[Execute, ...] = ()
    macros: Mapping[str, str] = msgspec.field(default_factory=dict)
    meta: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    properties: Mapping[str, str | None] = msgspec.field(default_factory=dict)
    sources: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    digest: str = ""
    warnings: tuple[Diagnostic, ...] = ()


class Site(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What is known of the data centre: what DaCHS has in its configuration (``gavo.rc``).

    ``config`` is by section and item, both in small letters; ``meta`` has the metadata of ``defaultmeta.txt``;
    ``config_dir`` is where ``userconfig.rd`` is, ``system_dir`` where the RDs are that come with DaCHS ('' where there
    are none); ``files`` are those that all this was read from; ``warnings`` say what could not be used.  Each is equal
    to itself only.
    """

    config: Mapping[str, Mapping[str, str]] = msgspec.field(default_factory=dict)
    meta: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    config_dir: str = ""
    system_dir: str = ""
    files: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def get(self, section: str, item: str) -> str | None:
        """A configured value, names in any capitalisation; None where there is none."""
        return self.config.get(section.lower(), {}).get(item.lower())


class Rejection(msgspec.Struct, frozen=True, kw_only=True):
    """A version of an RD that was refused; ``digest`` is that of its content ('' where it cannot be read)."""

    rd_id: str
    path: str
    digest: str
    rejected_at: datetime
    diagnostics: tuple[Diagnostic, ...]

    def __post_init__(self) -> None:
        """Refuse instants that are not UTC."""
        _must_be_utc(rejected_at=self.rejected_at)


class HeldBack(msgspec.Struct, frozen=True, kw_only=True):
    """A job that runs on in its last good version while its RD is broken; its schedule as the RD writes it."""

    key: str
    title: str
    at: tuple[str, ...] = ()
    every: int | None = None
    on: str | None = None
    zone: str = "UTC"
    only: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    delay_seconds: int = 0

    @classmethod
    def of(cls, execute: Execute) -> "HeldBack":
        """What operators know of an execute from its RD."""
        key, title, schedule = execute.key, execute.title, execute.schedule
        if not isinstance(schedule, At | Every):
            return cls(key=key, title=title, on="loaded")
        window = schedule.window or Window()
        return cls(
            key=key,
            title=title,
            at=schedule.items if isinstance(schedule, At) else (),
            every=schedule.raw if isinstance(schedule, Every) else None,
            zone=schedule.zone if isinstance(schedule, At) else window.zone,
            only=window.only,
            excluded=window.excluded,
            delay_seconds=schedule.delay_seconds,
        )

    @property
    def schedule(self) -> Schedule:
        """The schedule as a value again."""
        if self.on is not None:
            return Loaded()
        plain = parse_at(",".join(self.at)) if self.every is None else parse_every(str(self.every))
        window = Window(only=self.only, excluded=self.excluded, zone=self.zone)
        return narrowed(plain, zone=self.zone, window=window, delay_seconds=self.delay_seconds)


class Outcome(Enum):
    """How a run ended."""

    SUCCEEDED = "succeeded"  # nothing went wrong
    FAILED = "failed"  # an exception, or a child that failed
    TIMED_OUT = "timed_out"  # it took longer than it may
    CANCELLED = "cancelled"  # somebody ended it
    SKIPPED = "skipped"  # it was due while the run before still went on
    MISSED = "missed"  # its instant passed unserved
    INTERRUPTED = "interrupted"  # the daemon ended before it did

    @property
    def is_bad(self) -> bool:
        """Whether somebody has to be told."""
        return self in _BAD


_BAD = frozenset({Outcome.FAILED, Outcome.TIMED_OUT, Outcome.INTERRUPTED})
_RETRIED = frozenset({Outcome.FAILED, Outcome.TIMED_OUT})


class Reason(Enum):
    """Why a run was started."""

    SCHEDULED = "scheduled"  # it was due
    STARTUP = "startup"  # it runs whenever its RD is loaded
    CATCH_UP = "catch_up"  # its instant had passed unserved
    RETRY = "retry"  # the attempt before failed
    TRIGGERED = "triggered"  # somebody asked for it


class NewFile(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A file that a run is for, as it was when it had settled; another size or time makes it a new one."""

    path: str
    size: int
    mtime_ns: int


class LastStart(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Up to which instant a key's due instants are accounted for, and from which the next interval counts.

    ``schedule`` is the schedule they were due by, in words: instants of another one have not been missed.
    """

    at: datetime
    schedule: str = ""


class Retry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The next attempt at what failed: of the instant ``due``, to begin at ``at``."""

    due: datetime
    attempt: int
    at: datetime


class RunRequest(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the scheduler asks of an engine: one attempt at one execute.

    ``counts_from`` is the instant that the following interval counts from, and that is remembered as the last start;
    None where this run does not move the schedule (one that was asked for, say).  ``files`` are those that it is for,
    where its execute waits for files.  ``parameters`` go before the properties that its code sees.
    """

    run_id: str
    rd: ResourceDescriptor
    execute: Execute
    due: datetime
    counts_from: datetime | None = None
    attempt: int = 1
    reason: Reason = Reason.SCHEDULED
    files: tuple[NewFile, ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()


class Run(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One execution and how it ended; ``outcome`` and ``finished_at`` are None while it goes on.

    ``returncode`` is that of the child that failed last, if one did.  The first line of ``error`` is the cause, the
    rest is detail (failed commands, a traceback).  ``digest`` is that of the RD's version that ran.  ``instants`` is
    how many due instants it stands for, of which ``due`` is the last (more than one: a long row of missed ones).
    """

    run_id: str
    key: str
    title: str
    due: datetime
    reason: Reason = Reason.SCHEDULED
    attempt: int = 1
    started_at: datetime | None = None
    finished_at: datetime | None = None
    outcome: Outcome | None = None
    returncode: int | None = None
    output: str = ""
    error: str = ""
    host: str = ""
    digest: str = ""
    instants: int = 1

    def __post_init__(self) -> None:
        """Refuse instants that are not UTC."""
        started_at, finished_at = self.started_at, self.finished_at
        # There are many runs, and nearly all instants have this very time zone.
        if not (
            self.due.tzinfo is UTC
            and (started_at is None or started_at.tzinfo is UTC)
            and (finished_at is None or finished_at.tzinfo is UTC)
        ):
            _must_be_utc(due=self.due, started_at=started_at, finished_at=finished_at)

    @property
    def duration_seconds(self) -> float | None:
        """How long it took; None where it did not start or goes on."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()


class Channel(Enum):
    """Which way something in the outbox goes: webhooks and the command get JSON, pings are calls of checks."""

    MAIL = "mail"
    WEBHOOK = "webhook"
    COMMAND = "command"
    PING = "ping"


class QueuedMail(msgspec.Struct, frozen=True, kw_only=True):
    """A mail in the outbox, or what goes by another channel; ``error`` is what the last try came to.

    ``content`` is the whole message (RFC 5322), or what is to be handed over; ``about`` is the key or RD ('' for
    several), ``target`` the address to call, for pings.
    """

    mail_id: int
    subject: str
    content: bytes
    queued_at: datetime
    channel: Channel = Channel.MAIL
    about: str = ""
    target: str = ""
    attempts: int = 0
    next_attempt_at: datetime | None = None
    delivered_at: datetime | None = None
    failed_at: datetime | None = None
    error: str = ""


_MOST_RETRY_DELAY = timedelta(hours=1)
"""How long the pauses between retries grow, unless the first one is longer already."""


def retry_of(request: RunRequest, run: Run) -> Retry | None:
    """The attempt that is to follow a run, if one is: none does where somebody asked for it, who sees how it ends.

    Pauses double, and are up to a tenth longer than that, so that what failed together is not tried again together.
    """
    policy = request.execute.policy
    is_to_be = run.outcome in _RETRIED and request.attempt <= policy.retries and request.reason is not Reason.TRIGGERED
    if not is_to_be or run.finished_at is None:
        return None
    longest = max(policy.retry_delay, _MOST_RETRY_DELAY)
    pause = min(policy.retry_delay * 2 ** min(request.attempt - 1, 20), longest)
    jitter = crc32(run.run_id.encode("utf-8", "backslashreplace")) / 2**32 / 10
    return Retry(due=request.due, attempt=request.attempt + 1, at=run.finished_at + pause * (1 + jitter))


def rd_id_of(key: str) -> str:
    """The RD id in an execute's key."""
    return key.partition("#")[0]
