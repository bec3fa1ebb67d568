"""Doubles for every port, and builders of values: for our tests and for those of others' jobs."""

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

from gavo_exec.control import DaemonStatus, Happening, JobStatus, Pause, Reloaded, UnknownNameError
from gavo_exec.control_views import Broken, JobDetail, JobLine, RDLine
from gavo_exec.errors import DeliveryError, Position, SpawnFailed
from gavo_exec.json_views import DueView, ExecuteView, ListedJob
from gavo_exec.measures import Measures
from gavo_exec.model import DEFAULT_POLICY, Execute, Job, Outcome, Policy, Reason, ResourceDescriptor, Run, RunRequest
from gavo_exec.ports import FREE, Completed, Performer, Store, Terms
from gavo_exec.rdfiles import Signature
from gavo_exec.schedule import Every, Schedule

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""Where fake clocks begin."""


class FakeClock:
    """A clock that is moved by hand."""

    def __init__(self, at: datetime = EPOCH) -> None:
        self.at = at

    def now(self) -> datetime:
        """The instant it was moved to."""
        return self.at

    def move(self, seconds: float) -> datetime:
        """Move on (or back) by this much; answers the new instant."""
        self.at += timedelta(seconds=seconds)
        return self.at


class ScriptedRunner:
    """Runs nothing: answers by script, and remembers what it was asked in ``calls`` and the lists beside it.

    ``script`` maps the last part of a program's path to a return code, to output, to both, or to an exception;
    what is not there succeeds silently.
    """

    def __init__(self, script: Mapping[str, int | bytes | tuple[int, bytes] | Exception] | None = None) -> None:
        self.script = dict(script or {})
        self.calls: list[tuple[str, ...]] = []
        self.inputs: list[bytes] = []
        self.environments: list[dict[str, str]] = []
        self.folders: list[str] = []
        self.terms: list[Terms] = []
        self.asked: list[str] = []
        self.ended: list[str] = []
        self.cleared: list[str] = []
        self.stopped = False

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: str,
        env: Mapping[str, str] | None = None,
        input: bytes = b"",
        timeout: timedelta | None = None,  # noqa: ARG002 -- the protocol's
        tee: Callable[[bytes], object] | None = None,
        terms: Terms = FREE,
        keep: Sequence[int] = (),  # noqa: ARG002 -- the protocol's
    ) -> Completed:
        """Answer what the script has for this program."""
        if self.stopped:
            raise SpawnFailed("the daemon is stopping")
        self.calls.append(tuple(argv))
        self.inputs.append(input)
        self.environments.append(dict(env or {}))
        self.folders.append(cwd)
        self.terms.append(terms)
        answer = self.script.get(argv[0].rpartition("/")[2], 0)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, int):
            answer = (answer, b"")
        elif isinstance(answer, bytes):
            answer = (0, answer)
        if tee is not None and answer[1]:
            tee(answer[1])
        return Completed(argv=tuple(argv), cwd=cwd, returncode=answer[0], output=answer[1])

    def ask(self, run_ids: Collection[str]) -> None:
        """Remember these."""
        self.asked += run_ids

    def end(self, run_ids: Collection[str]) -> None:
        """Remember these."""
        self.ended += run_ids

    def clear(self, run_ids: Collection[str], *, grace: timedelta = timedelta(0)) -> None:  # noqa: ARG002
        """Remember these."""
        self.cleared += run_ids

    def stop(self) -> None:
        """Refuse from now on."""
        self.stopped = True

    def sweep(self) -> None:
        """There is nothing in the background."""

    def hasten(self) -> None:
        """Nothing is ever waited for here."""


class ScriptedWatcher:
    """Tells of the given sets of paths, one after the other, and ends; ``also`` is what it was told to watch also."""

    def __init__(self, *changes: Iterable[str]) -> None:
        self._changes = [frozenset(paths) for paths in changes]
        self.also: dict[str, Signature | None] = {}

    def __iter__(self) -> Iterator[frozenset[str]]:
        """The sets."""
        return iter(self._changes)

    def look(self) -> None:
        """There is nothing more to be seen."""

    def watch_also(self, files: Mapping[str, Signature | None]) -> None:
        """Remember which."""
        self.also = dict(files)

    def stop(self) -> None:
        """It ends by itself."""


class ListMailer:
    """Keeps mails in ``sent``; ``failures`` are raised first, one for each call."""

    def __init__(self, failures: Sequence[DeliveryError] = ()) -> None:
        self.sent: list[EmailMessage] = []
        self.failures = list(failures)

    def send(self, message: EmailMessage) -> str:
        """Take the mail, or fail as told."""
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(message)
        return "taken"


class InlineEngine:
    """Carries out each request at once, on the thread that submits it."""

    slots = 1_000_000

    def __init__(self) -> None:
        self.submitted: list[RunRequest] = []
        self.cancelled: list[tuple[str, str]] = []

    def start(self, performer: Performer, finished: Callable[[Run], object]) -> None:
        """Begin to take requests."""
        self._performer = performer
        self._finished = finished

    def submit(self, requests: Sequence[RunRequest]) -> None:
        """Carry these out, one after the other."""
        for request in requests:
            self.submitted.append(request)
            self._finished(self._performer.perform(request))

    def cancel(self, run_id: str, cause: str) -> None:
        """Remember what was asked, and pass it on."""
        self.cancelled.append((run_id, cause))
        self._performer.cancel(run_id, cause)

    def stop(self, grace: timedelta) -> list[RunRequest]:  # noqa: ARG002 -- the protocol's
        """Nothing ever goes on here."""
        return []

    def hasten(self) -> None:
        """Nothing is ever waited for here."""


class HeldEngine(InlineEngine):
    """Keeps requests until the test carries them out, in any order, with ``perform``."""

    def submit(self, requests: Sequence[RunRequest]) -> None:
        """Keep these."""
        self.submitted.extend(requests)

    def perform(self, request: RunRequest) -> Run:
        """Carry out one of those kept."""
        self.submitted.remove(request)
        run = self._performer.perform(request)
        self._finished(run)
        return run

    def stop(self, grace: timedelta) -> list[RunRequest]:  # noqa: ARG002 -- the protocol's
        """Answer all that was kept."""
        return self.submitted


def make_execute(
    key: str = "test/q#job",
    *,
    title: str = "a job",
    schedule: Schedule | None = None,
    code: str = "pass",
    debug: bool = False,
    properties: Mapping[str, str | None] | None = None,
    policy: Policy = DEFAULT_POLICY,
    path: str = "/inputs/test/q.rd",
    line: int = 1,
) -> Execute:
    """An execute with this key, hourly unless told otherwise."""
    position = Position(path=path, line=line)
    return Execute(
        key=key,
        id=key.partition("#")[2],
        title=title,
        schedule=schedule or Every(seconds=3600),
        job=Job(source=code, first_line=line, position=position),
        properties=properties or {},
        policy=policy,
        debug=debug,
        position=position,
    )


def make_rd(
    *executes: Execute, rd_id: str = "test/q", inputs_dir: str = "/inputs", resdir: str | None = None
) -> ResourceDescriptor:
    """An RD with these executes."""
    path = f"{inputs_dir}/{rd_id}.rd"
    return ResourceDescriptor(
        rd_id=rd_id,
        path=path,
        inputs_dir=inputs_dir,
        resdir=resdir or f"{inputs_dir}/{rd_id.partition('/')[0]}",
        schema=rd_id.partition("/")[0],
        executes=executes,
        sources=(path,),
        digest=f"digest of {rd_id}",
    )


def make_request(execute: Execute | None = None, *, run_id: str = "run-1", due: datetime = EPOCH) -> RunRequest:
    """A request for a run of this execute."""
    execute = execute or make_execute()
    return RunRequest(run_id=run_id, rd=make_rd(execute), execute=execute, due=due, counts_from=due)


def make_run(request: RunRequest, outcome: Outcome = Outcome.SUCCEEDED, *, finished_at: datetime | None = None) -> Run:
    """The record of a request that was carried out."""
    return Run(
        run_id=request.run_id,
        key=request.execute.key,
        title=request.execute.title,
        due=request.due,
        reason=request.reason,
        attempt=request.attempt,
        started_at=request.due,
        finished_at=finished_at or request.due,
        outcome=outcome,
    )


def end_cut_off(store: Store, *, now: datetime) -> list[Run]:
    """Record what was cut off, as a daemon does that starts now; answers these runs."""
    cut_off = store.cut_off(now=now)
    for run in cut_off:
        store.record(run)
    store.flush()
    return cut_off


def starts_of(store: Store) -> dict[str, datetime]:
    """For each key the instant its last start counts from, as the store has it."""
    return {key: start.at for key, start in store.last_starts().items()}


def run_ids(prefix: str = "run") -> Iterator[str]:
    """Ids for runs: run-1, run-2, ..."""
    return map(f"{prefix}-{{}}".format, itertools.count(1))


class FakeControl:
    """A daemon for whoever asks one: it remembers in ``asked`` what was asked, and raises ``refusal`` if it has one.

    ``happenings`` is what ``follow`` tells, ``statuses`` what ``jobs`` answers.
    """

    def __init__(
        self, *, statuses: Sequence[JobStatus] = (), happenings: Sequence[Happening | None] = (), at: datetime = EPOCH
    ) -> None:
        self.asked: list[tuple[object, ...]] = []
        self.refusal: Exception | None = None
        self.statuses = list(statuses)
        self.broken_rds: list[Broken] = []
        self.measured = Measures(runs=(), successes=(), durations={}, lateness={}, rejected_edits=0, stalls=0)
        self.happenings = list(happenings)
        self.at = at

    def _note(self, *asked: object) -> None:
        self.asked.append(asked)
        if self.refusal is not None:
            raise self.refusal

    def status(self) -> DaemonStatus:
        """One that has nothing to do."""
        self._note("status")
        return DaemonStatus(
            version="1",
            pid=1,
            host="vo",
            inputs_dir="/inputs",
            state_dir="/state",
            started_at=self.at,
            now=self.at,
            jobs=len(self.statuses),
            running=0,
            waiting=0,
            workers=32,
            next_due=None,
            broken_rds=(),
            incidents=0,
            pauses=(),
            mails_waiting=0,
            mails_given_up=0,
        )

    def jobs(self) -> list[JobStatus]:
        """The statuses."""
        self._note("jobs")
        return self.statuses

    def listed(self) -> list[ListedJob]:
        """None."""
        self._note("listed")
        return []

    def job(self, key: str) -> JobDetail:
        """One of the statuses, with an execute of no account."""
        self._note("job", key)
        rd = make_rd(make_execute(key))
        found = next((status for status in self.statuses if status.key == key), None)
        if found is None:
            raise UnknownNameError(f"no execute has the key {key!r}", known=tuple(each.key for each in self.statuses))
        declared = ExecuteView.of(rd, rd.executes[0])
        return JobDetail(line=JobLine.of(found), declared=declared, code=(), settings=(), coming=())

    def coming(self, *, until: datetime, each: int) -> list[DueView]:
        """The next due instants of the statuses."""
        self._note("coming", until, each)
        return [
            DueView(key=status.key, title=status.title, due=status.due, reason=Reason.SCHEDULED)
            for status in self.statuses
            if status.due is not None
        ]

    def broken(self) -> list[Broken]:
        """Those in ``broken_rds``."""
        self._note("broken")
        return self.broken_rds

    def rds(self) -> list[RDLine]:
        """The RDs of the statuses, which are good."""
        self._note("rds")
        ids = sorted({status.key.partition("#")[0] for status in self.statuses})
        return [RDLine(rd_id=rd_id, jobs=1, is_good=True) for rd_id in ids]

    def measures(self) -> Measures:
        """What is in ``measured``."""
        self._note("measures")
        return self.measured

    def trigger(self, key: str, *, parameters: tuple[tuple[str, str], ...] = (), who: str) -> str:
        """A run."""
        self._note("trigger", key, parameters, who)
        return "run-1"

    def cancel(self, run_id: str, *, who: str) -> str:
        """That run."""
        self._note("cancel", run_id, who)
        return run_id

    def pause(self, key: str, *, until: datetime | None = None, note: str = "", who: str) -> Pause:
        """A pause."""
        self._note("pause", key, until, note, who)
        return Pause(key=key, since=self.at, until=until, note=note, who=who)

    def resume(self, key: str, *, who: str) -> Pause:
        """A pause that was."""
        self._note("resume", key, who)
        return Pause(key=key, since=self.at, who=who)

    def reload(self, *, who: str) -> Reloaded:
        """One RD."""
        self._note("reload", who)
        return Reloaded(rds=1, jobs=len(self.statuses))

    def deliver(self, *, who: str) -> None:
        """Remember it."""
        self._note("deliver", who)

    def stop(self, *, at_once: bool = False, who: str) -> None:
        """Remember it."""
        self._note("stop", at_once, who)

    def follow(self, *, key: str = "", run_id: str = "") -> Iterator[Happening | None]:
        """What happens, by script."""
        self._note("follow", key, run_id)
        yield from self.happenings
