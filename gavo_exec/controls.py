"""The daemon as operators have it in hand: what they ask, carried out by the parts whose business it is."""

import os
from collections.abc import Callable, Iterator
from datetime import datetime
from fnmatch import fnmatch
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
from gavo_exec.daemon import Daemon
from gavo_exec.errors import Severity
from gavo_exec.events import DeliveryAsked, Event, OperatorActed, PauseBegan, PauseEnded
from gavo_exec.json_views import ListedJob
from gavo_exec.model import Rejection, rd_id_of

_WRITTEN_SECONDS: Final = 10.0
"""How long to wait until what was done is noted in the state."""

_SIGN_OF_LIFE_SECONDS: Final = 5.0
"""How long nothing may happen until whoever follows is told just that."""

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


def _first_fault(rejection: Rejection) -> str:
    """The first error of an RD, as ``path:line:column: CODE message``."""
    errors = [found for found in rejection.diagnostics if found.severity is Severity.ERROR]
    return str(errors[0]) if errors else rejection.path
