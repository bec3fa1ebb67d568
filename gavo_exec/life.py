"""The assembled program: its start, its days, its end."""

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from datetime import timedelta
from queue import Empty, SimpleQueue
from time import monotonic

import msgspec

from gavo_exec.catalog import Catalog
from gavo_exec.control import RefusedError
from gavo_exec.errors import plain
from gavo_exec.events import (
    DaemonStarted,
    DaemonStopping,
    RunFinished,
    TellingDue,
    Trouble,
)
from gavo_exec.model import Run
from gavo_exec.ports import Clock, Engine, JobRunner, Store, Watcher
from gavo_exec.reload import Reloader
from gavo_exec.runtime.arrivals import Arrivals
from gavo_exec.runtime.bus import Bus
from gavo_exec.runtime.deadlines import Deadlines
from gavo_exec.runtime.guard import Guard
from gavo_exec.runtime.lastruns import LastRuns
from gavo_exec.runtime.live import Live
from gavo_exec.runtime.scheduler import Scheduler
from gavo_exec.runtime.supervision import Supervision, stack_of
from gavo_exec.services.metrics import MetricsListener
from gavo_exec.services.postman import Heartbeat, Postmen
from gavo_exec.services.store.upkeep import Upkeep
from gavo_exec.settings import Settings

_HEALTH_SECONDS = 30.0
_RELOAD_SECONDS = 600.0
_LAST_WORDS = timedelta(seconds=1)
"""How long runs whose children were ended may take to end themselves, when the daemon stops."""

_ORPHANS_GRACE = timedelta(seconds=2)
"""How long the children of a daemon that is gone have between SIGTERM and SIGKILL, while the next one starts."""

_NAMED_AT_MOST = 10
_MOST_BEHIND = timedelta(minutes=5)

_log = logging.getLogger(__name__)


class _Reload(msgspec.Struct, frozen=True):
    """Read everything anew, and tell what it comes to."""

    answer: "Future[Catalog]"


class _Stop(msgspec.Struct, frozen=True):
    """End, for this reason."""

    reason: str


class Daemon:
    """The assembled program; its parts can be stepped by hand where its threads are not started."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock,
        store: Store,
        deadlines: Deadlines,
        runner: JobRunner,
        guard: Guard,
        engine: Engine,
        bus: Bus,
        scheduler: Scheduler,
        reloader: Reloader,
        postmen: Postmen,
        watcher: Watcher,
        arrivals: Arrivals,
        live: Live,
        last_runs: LastRuns,
        upkeep: Upkeep,
        heartbeat: Heartbeat | None = None,
        metrics: MetricsListener | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.store = store
        self.deadlines = deadlines
        self.runner = runner
        self.guard = guard
        self.engine = engine
        self.bus = bus
        self.scheduler = scheduler
        self.reloader = reloader
        self.postmen = postmen
        self.watcher = watcher
        self.arrivals = arrivals
        self.live = live
        self.last_runs = last_runs
        self.upkeep = upkeep
        self.heartbeat = heartbeat
        self.metrics = metrics
        self._inbox: SimpleQueue[frozenset[str] | _Reload | _Stop] = SimpleQueue()
        self._stopping = ExitStack()
        self._is_to_stop = False
        self.around_reloads: Callable[[], AbstractContextManager[object]] = nullcontext
        """Entered while everything is read anew."""
        self.before_stop: Callable[[], object] = lambda: None

    def end_what_was_cut_off(self) -> list[Run]:
        """End what a process before this one left running; answers its runs."""
        if cut_off := self.store.cut_off(now=self.clock.now()):
            self.runner.clear({run.run_id for run in cut_off}, grace=_ORPHANS_GRACE)
        return cut_off

    def take_up(self, paths: frozenset[str]) -> None:
        """Read these files and go by what they say now."""
        catalog = self.reloader.catalog
        if (renewed := self.reloader.update(paths)) is not catalog:
            self.scheduler.adopt(renewed)
        self.watcher.watch_also(self.reloader.beside)

    def reread_all(self) -> None:
        """Read everything again and go by what it says now."""
        self.scheduler.adopt(self.reloader.reread_all())
        self.watcher.watch_also(self.reloader.beside)

    def step(self) -> None:
        """Let everything that is due now happen, on this thread; for use where no threads were started."""
        self.scheduler.step(self.clock.now())
        self.bus.drain()
        self.bus.publish(TellingDue(at=self.clock.now()))
        self.bus.drain()
        self.postmen.deliver_due()

    def start(self, *, before_ready: Callable[[], object] = lambda: None) -> None:
        """Start all threads; the RDs that are there are taken up before anything is started from them.

        ``before_ready`` is called when all is there, before that is told.
        """
        undo = self._stopping
        undo.callback(self.store.close)
        self.postmen.start()
        undo.callback(self.postmen.stop)
        undo.callback(self.deadlines.stop)
        self.bus.start()
        undo.callback(self.bus.stop)
        undo.callback(lambda: self.bus.publish(TellingDue(at=self.clock.now(), is_last=True)))
        undo.callback(self._stop_runs)
        undo.callback(self.arrivals.stop)
        cut_off = self.end_what_was_cut_off()
        changes = iter(self.watcher)
        self.take_up(next(changes, frozenset()))
        # They are recorded with what is said of them: should we be killed before, the next one finds them still.
        for run in cut_off:
            self.bus.publish(RunFinished(run=run))
        self._tell_what_is_missing()
        self._tell_of_clock()
        watching = threading.Thread(target=self._watch, args=(changes,), name="watcher", daemon=True)
        watching.start()
        undo.callback(watching.join, 2)
        undo.callback(self.watcher.stop)
        self.scheduler.on_death = lambda: self._inbox.put(_Stop("the scheduler died"))
        self.scheduler.start()
        undo.callback(self.scheduler.stop)
        before_ready()
        self.bus.publish(
            DaemonStarted(
                inputs_dir=self.settings.inputs_dir,
                state_dir=self.settings.state_dir,
                executes=sum(1 for _ in self.reloader.catalog.executes()),
                at=self.clock.now(),
            )
        )
        self.upkeep.start()
        undo.callback(self.upkeep.stop)
        if self.heartbeat is not None:
            self.heartbeat.start()
            undo.callback(self.heartbeat.stop)

    def run(self) -> int:
        """Serve until told to stop, or until the scheduler dies or hangs; answers the exit code."""
        supervision = Supervision()
        scheduler, message = self.scheduler, None
        while not isinstance(message, _Stop):
            awaited_at = monotonic() + _HEALTH_SECONDS
            message = None
            with suppress(Empty):
                message = self._inbox.get(timeout=_HEALTH_SECONDS)
            if isinstance(message, _Reload):
                with self.around_reloads():
                    self.watcher.look()
                    self.reread_all()
                message.answer.set_result(self.reloader.catalog)
            elif isinstance(message, frozenset):
                self.take_up(message)
            elif supervision.is_late(monotonic(), due_back_at=scheduler.due_back_at, awaited_at=awaited_at):
                _log.critical("the scheduler hangs, so the daemon ends; it was here:\n%s", stack_of(scheduler.thread))
                self.stop("the scheduler hangs")
                return 1
        self._is_to_stop = True
        self.before_stop()
        self._give_up_reloads()
        self.stop(message.reason)
        return 0 if scheduler.died is None else 1

    def stop(self, reason: str) -> None:
        """Start nothing any more, wait for what is running, account for all of it, and let go of everything."""
        self.bus.publish(DaemonStopping(reason=reason, running=self.scheduler.running, at=self.clock.now()))
        self._stopping.close()

    def ask_to_stop(self, reason: str) -> None:
        """Let ``run`` end, at once when asked again; from any thread or signal handler."""
        if self._is_to_stop:
            self.engine.hasten()
            self.runner.hasten()
        self._is_to_stop = True
        self._inbox.put(_Stop(reason))

    def ask_to_reload(self) -> None:
        """Let everything be read anew; from any thread or signal handler."""
        self._inbox.put(_Reload(Future()))

    def reload(self) -> Catalog:
        """Let everything be read anew, and wait for that; from any thread but that which runs.

        Raises RefusedError where it takes too long, or the daemon stops meanwhile.
        """
        message = _Reload(Future())
        self._inbox.put(message)
        try:
            return message.answer.result(_RELOAD_SECONDS)
        except (TimeoutError, CancelledError):
            raise RefusedError("the daemon did not come to it: see its log") from None

    @property
    def is_stopping(self) -> bool:
        """Whether it is to end."""
        return self._is_to_stop

    def _give_up_reloads(self) -> None:
        """Let nobody wait for what will not happen any more."""
        with suppress(Empty):
            while True:
                if isinstance(message := self._inbox.get_nowait(), _Reload):
                    message.answer.cancel()

    def _tell_of_clock(self) -> None:
        """Say where the clock cannot be right: what is due is reckoned by it."""
        now, latest = self.clock.now(), self.store.runs(limit=1)
        last = latest[0].finished_at if latest else None
        if last is not None and last - now > _MOST_BEHIND:
            message = (
                f"the clock says {now:%Y-%m-%d %H:%M:%S} UTC, but a run is recorded that ended "
                f"{last:%Y-%m-%d %H:%M:%S} UTC: one of them is wrong; jobs are due by what it says now"
            )
            self.bus.publish(Trouble(message=message, at=now, place="the clock"))

    def _tell_what_is_missing(self) -> None:
        """Say which of the RDs that are to be loaded do not exist."""
        known = {*self.reloader.catalog.accepted, *self.reloader.catalog.rejected}
        missing = [rd_id for rd_id in self.settings.preload_rds if rd_id not in known]
        if missing:
            names = ", ".join(map(plain, missing[:_NAMED_AT_MOST]))
            more = ", ..." if len(missing) > _NAMED_AT_MOST else ""
            verb = "does" if len(missing) == 1 else "do"
            _log.warning("%d of the RDs in preload_rds %s not exist: %s%s", len(missing), verb, names, more)

    def _watch(self, changes: Iterator[frozenset[str]]) -> None:
        for paths in changes:
            self._inbox.put(paths)

    def _stop_runs(self) -> None:
        """Ask all runs to end, and end those that do not in time: first their children, then the wait for them."""
        cause = "the daemon was stopped before the run had ended"
        self.guard.ask("the daemon stopped before it could begin")
        left = self.engine.stop(timedelta(seconds=self.settings.stop_grace_seconds))
        self.guard.end(left, cause)
        self.runner.stop()
        if left:
            self.guard.interrupt(self.engine.stop(_LAST_WORDS), cause)
        self.runner.sweep()
