"""The daemon as operators have it in hand: what they ask, carried out by the parts whose business it is."""

import os
from collections.abc import Callable, Iterator
from datetime import datetime
from fnmatch import fnmatch
from itertools import islice, takewhile
from time import monotonic
from typing import Final, TypeVar

from msgspec import structs

from gavo_exec import __version__
from gavo_exec.control import (
    DaemonStatus,
    Happening,
    JobStatus,
    Pause,
    Printed,
    RefusedError,
    Reloaded,
    RunBegan,
    RunEnded,
    UnknownNameError,
)
from gavo_exec.control_views import Broken, JobDetail, JobLine, RDLine
from gavo_exec.daemon import Daemon
from gavo_exec.errors import Severity
from gavo_exec.events import DeliveryAsked, Event, OperatorActed, PauseBegan, PauseEnded
from gavo_exec.json_views import CodeLinesView, DiagnosticView, DueView, ExecuteView, ListedJob
from gavo_exec.measures import Measures
from gavo_exec.model import Reason, Rejection, rd_id_of
from gavo_exec.past import PastExecute
from gavo_exec.policywords import policy_words
from gavo_exec.schedule import Schedule

_WRITTEN_SECONDS: Final = 10.0
"""How long to wait until what was done is noted in the state."""

_SIGN_OF_LIFE_SECONDS: Final = 5.0
"""How long nothing may happen until whoever follows is told just that."""

_COMING: Final = 10
"""How many coming instants of a job are told."""

_T = TypeVar("_T")


class Controls:
    """Carries out what operators ask of a daemon; from any thread but the daemon's own."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._started_at = daemon.clock.now()

    # What there is

    def status(self) -> DaemonStatus:
        """The daemon in one look."""
        daemon = self._daemon
        due_back_at = daemon.scheduler.due_back_at
        lag_seconds = max(0.0, monotonic() - due_back_at) if due_back_at else 0.0
        standings, pauses, waiting = daemon.scheduler.ask(
            lambda agenda, _: (agenda.standings(), agenda.pauses, len(agenda.waiting()))
        )
        dues = [each.due for each in standings if each.due is not None and each.pause is None]
        undelivered = daemon.store.undelivered().values()
        return DaemonStatus(
            version=__version__,
            pid=os.getpid(),
            host=daemon.settings.host,
            inputs_dir=daemon.settings.inputs_dir,
            state_dir=daemon.settings.state_dir,
            started_at=self._started_at,
            now=daemon.clock.now(),
            jobs=len(standings),
            running=daemon.scheduler.running,
            waiting=waiting,
            workers=daemon.engine.slots,
            next_due=min(dues, default=None),
            broken_rds=tuple(self._broken()),
            incidents=len(daemon.store.incidents()),
            pauses=pauses,
            mails_waiting=sum(waiting for waiting, _ in undelivered),
            mails_given_up=sum(given_up for _, given_up in undelivered),
            is_stopping=daemon.is_stopping,
            lag_seconds=lag_seconds,
        )

    def jobs(self) -> list[JobStatus]:
        """All jobs as they stand, by key."""
        last_runs = self._daemon.last_runs.all()
        return [
            structs.replace(status, last_run=last_runs.get(status.key)) for status in self._daemon.scheduler.statuses()
        ]

    def listed(self) -> list[ListedJob]:
        """The same with all that their RDs say of them but for the code."""
        catalog = self._daemon.reloader.catalog
        return [
            ListedJob.of(*declared, status=status)
            for status in self.jobs()
            if (declared := catalog.find(status.key)) is not None
        ]

    def job(self, key: str) -> JobDetail:
        """A job with all there is to know of it but its past."""
        daemon = self._daemon
        [standing] = self._known(key, lambda: daemon.scheduler.ask(lambda agenda, _: [agenda.standing(key)]))
        status, execute = standing.status(), standing.execute
        if (found := daemon.reloader.catalog.find(key)) is None:
            raise UnknownNameError(f"no execute has the key {key!r} any more")
        last_run = daemon.last_runs.of(key)
        return JobDetail(
            line=JobLine.of(structs.replace(status, last_run=last_run)),
            declared=ExecuteView.of(*found),
            code=tuple(CodeLinesView(path=part.path, lines=part.lines) for part in PastExecute.of(execute).code),
            settings=tuple(policy_words(execute.policy)),
            coming=tuple(islice(_dues(execute.schedule, status.due), _COMING)),
        )

    def coming(self, *, until: datetime, each: int) -> list[DueView]:
        """What is due until then, so many instants of each job at most, in order of time; paused jobs left out."""
        standings = self._daemon.scheduler.ask(lambda agenda, _: agenda.standings())
        dues = [
            DueView(key=standing.execute.key, title=standing.execute.title, due=due, reason=Reason.SCHEDULED)
            for standing in standings
            if standing.pause is None
            for due in takewhile(lambda due: due < until, islice(_dues(standing.execute.schedule, standing.due), each))
        ]
        return sorted(dues, key=lambda due: (due.due, due.key))

    def broken(self) -> list[Broken]:
        """The RDs that are refused at present."""
        catalog = self._daemon.reloader.catalog
        return [
            Broken(
                rd_id=rd_id,
                path=rejection.path,
                rejected_at=rejection.rejected_at,
                diagnostics=tuple(map(DiagnosticView.of, rejection.diagnostics)),
                held_back=tuple(each.key for each in rd.executes) if (rd := catalog.accepted.get(rd_id)) else (),
            )
            for rd_id, rejection in sorted(catalog.rejected.items())
        ]

    def rds(self) -> list[RDLine]:
        """The RDs that have jobs, or are refused."""
        catalog = self._daemon.reloader.catalog
        jobs = {rd_id: len(rd.executes) for rd_id, rd in catalog.accepted.items() if rd.executes}
        return [
            RDLine(rd_id=rd_id, jobs=jobs.get(rd_id, 0), is_good=rd_id not in catalog.rejected)
            for rd_id in sorted({*jobs, *catalog.rejected})
        ]

    def measures(self) -> Measures:
        """What was counted of runs since the daemon started."""
        if (metrics := self._daemon.metrics) is None:
            raise RefusedError("nothing is counted where the daemon does not show itself (--web)")
        return metrics.measures()

    def _broken(self) -> Iterator[str]:
        """Of each RD that is refused the first fault."""
        for _, rejection in sorted(self._daemon.reloader.catalog.rejected.items()):
            yield _first_fault(rejection)

    # What is to be done

    def trigger(self, key: str, *, parameters: tuple[tuple[str, str], ...] = (), who: str) -> str:
        """Let an execute run now, with these in the place of properties; answers the run's id."""
        self._must_go_on()
        run_id = self._known(key, lambda: self._daemon.scheduler.ask(lambda a, now: a.trigger(key, parameters, now)))
        detail = ", ".join([f"run {run_id}", *(f"{name}={self._shown(name, value)}" for name, value in parameters)])
        self._tell(OperatorActed(who=who, what="triggered", about=key, detail=detail, at=self._now()))
        return run_id

    def cancel(self, run_id: str, *, who: str) -> str:
        """End a run, or all runs of a key, as far as that can be done; answers which."""
        cause = f"cancelled by {who}"
        ended = self._known(run_id, lambda: self._daemon.scheduler.ask(lambda a, now: a.cancel(run_id, cause, now)))
        detail = ", ".join(each for each, _ in ended)
        self._tell(OperatorActed(who=who, what="cancelled", about=ended[0][1], detail=f"run {detail}", at=self._now()))
        return detail

    def pause(self, key: str, *, until: datetime | None = None, note: str = "", who: str) -> Pause:
        """Let an execute, or all where the key is '', not start by itself."""
        now = self._now()
        if until is not None and until <= now:
            raise RefusedError(f"{until:%Y-%m-%d %H:%M:%S} UTC has passed; pauses end later than now")
        pause = Pause(key=key, since=now, until=until, note=note, who=who)
        self._known(key, lambda: self._daemon.scheduler.ask(lambda agenda, _: agenda.pause(pause)))
        self._tell(PauseBegan(pause=pause))
        return pause

    def resume(self, key: str, *, who: str) -> Pause:
        """Let a pause be over; answers what it was."""
        pause = self._daemon.scheduler.ask(lambda agenda, now: agenda.resume(key, now))
        self._tell(PauseEnded(pause=pause, at=self._now(), who=who))
        return pause

    def reload(self, *, who: str) -> Reloaded:
        """Read everything anew, and wait until that is done."""
        self._tell(OperatorActed(who=who, what="reloaded", at=self._now()))
        catalog = self._daemon.reload()
        jobs = sum(1 for _ in catalog.executes())
        return Reloaded(rds=len(catalog.accepted), jobs=jobs, broken=tuple(self._broken()))

    def deliver(self, *, who: str) -> None:
        """Try now to deliver all that waits in the outbox, without waiting for it."""
        self._tell(DeliveryAsked(who=who, at=self._now()))

    def stop(self, *, at_once: bool = False, who: str) -> None:
        """Let the daemon end, without waiting for it; ``at_once`` lets it wait for no run."""
        self._tell(OperatorActed(who=who, what="stopped", detail="at once" if at_once else "", at=self._now()))
        self._daemon.ask_to_stop(f"asked by {who}")
        if at_once:
            self._daemon.ask_to_stop(f"asked by {who}")

    def _shown(self, name: str, value: str) -> str:
        """A parameter's value, unless its name is that of a secret."""
        secret = self._daemon.settings.secret_names
        return "..." if any(fnmatch(name.upper(), pattern.upper()) for pattern in secret) else value

    def _tell(self, event: Event) -> None:
        """Let listeners know, and wait until it is written down: what was answered is to outlive a crash."""
        self._daemon.bus.publish(event)
        self._daemon.bus.caught_up(_WRITTEN_SECONDS)

    def _now(self) -> datetime:
        return self._daemon.clock.now()

    def _must_go_on(self) -> None:
        if self._daemon.is_stopping:
            raise RefusedError("the daemon is stopping, and starts nothing any more")

    def _known(self, key: str, ask: Callable[[], _T]) -> _T:
        """What a question about a key comes to; of a key in a broken RD, UnknownNameError says so."""
        try:
            return ask()
        except UnknownNameError as error:
            if (rejection := self._daemon.reloader.catalog.rejected.get(rd_id_of(key))) is None:
                raise
            raise UnknownNameError(f"{error}; its RD is broken: {_first_fault(rejection)}", known=error.known) from None

    # What happens

    def follow(self, *, key: str = "", run_id: str = "") -> Iterator[Happening | None]:
        """What a run does until it has ended, or what all runs of a key do; None while nothing happens."""
        daemon = self._daemon
        with daemon.live.following(key=key, run_id=run_id) as follower:
            going = self._known(key, lambda: daemon.scheduler.ask(lambda agenda, _: agenda.going(key or run_id)))
            if run_id and not going:
                yield from self._ended(run_id)
                return
            yield None
            for each in going:
                if (active := daemon.guard.active(each)) is not None:
                    follower.begin(active)
            happening: Happening | None = None
            while not (run_id and isinstance(happening, RunEnded)):
                happening = follower.next(_SIGN_OF_LIFE_SECONDS)
                if happening is None and run_id and (run := daemon.store.run(run_id)) is not None and run.outcome:
                    happening = RunEnded(run=run)  # it was over just before we followed
                yield happening

    def _ended(self, run_id: str) -> Iterator[Happening]:
        """What a run did that has ended."""
        self._daemon.bus.caught_up(_WRITTEN_SECONDS)
        run = self._daemon.store.run(run_id)
        if run is None:
            raise UnknownNameError(f"there is no run {run_id}")
        yield RunBegan(run=run)
        yield Printed(run_id=run.run_id, output=run.output.encode("utf-8", "backslashreplace"))
        yield RunEnded(run=run)


def _dues(schedule: Schedule, due: datetime | None) -> Iterator[datetime]:
    """The instants of a schedule, of which the next is known."""
    while due is not None:
        yield due
        following = schedule.next_due(due, due)
        due = following if following is not None and following > due else None


def _first_fault(rejection: Rejection) -> str:
    """The first error of an RD, as ``path:line:column: CODE message``."""
    errors = [found for found in rejection.diagnostics if found.severity is Severity.ERROR]
    return str(errors[0]) if errors else rejection.path
