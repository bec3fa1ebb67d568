"""Puts the rooms together: the one place where real things are made; start, signals, stop."""

import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError, Future
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from datetime import timedelta
from functools import partial
from queue import Empty, SimpleQueue
from time import monotonic

import msgspec

from gavo_exec.catalog import Catalog
from gavo_exec.control import RefusedError
from gavo_exec.errors import plain
from gavo_exec.events import (
    DaemonStarted,
    DaemonStopping,
    DeliveryAsked,
    Event,
    JobsReconciled,
    RunFinished,
    TellingDue,
)
from gavo_exec.isolated import isolation
from gavo_exec.model import Channel, Execute, Run
from gavo_exec.parts import (
    CHILD_OUTPUT_BYTES,
    find_execute,
    is_there,
    mail_policy,
    make_carriers,
    make_guard,
    make_heartbeat,
    make_mailer,
    make_masker,
    make_run_ids,
    make_upkeep,
    open_store,
    other_channels,
)
from gavo_exec.ports import Clock, Engine, JobRunner, Listener, Mailer, Store, Watcher
from gavo_exec.reading import RDReader, read_whole
from gavo_exec.reload import Reloader
from gavo_exec.runtime.agenda import Agenda
from gavo_exec.runtime.arrivals import Arrivals
from gavo_exec.runtime.bus import Bus
from gavo_exec.runtime.clock import SystemClock
from gavo_exec.runtime.deadlines import Alarm, Deadlines
from gavo_exec.runtime.executing import JobLoader
from gavo_exec.runtime.guard import Guard
from gavo_exec.runtime.live import Live
from gavo_exec.runtime.process import ProcessRunner
from gavo_exec.runtime.scheduler import LOOKAHEAD, Scheduler
from gavo_exec.runtime.supervision import Supervision, stack_of
from gavo_exec.runtime.workers import LocalEngine
from gavo_exec.services.history import HistoryListener
from gavo_exec.services.log import LogListener
from gavo_exec.services.mail import MailListener
from gavo_exec.services.pings import PingListener
from gavo_exec.services.postman import Carry, Heartbeat, Postmen
from gavo_exec.services.store.upkeep import Upkeep
from gavo_exec.services.watch import TreeWatcher
from gavo_exec.settings import LiveSite, Settings, find_site

_HEALTH_SECONDS = 30.0
_RELOAD_SECONDS = 600.0
_LAST_WORDS = timedelta(seconds=1)
"""How long runs whose children were ended may take to end themselves, when the daemon stops."""

_ORPHANS_GRACE = timedelta(seconds=2)
"""How long the children of a daemon that is gone have between SIGTERM and SIGKILL, while the next one starts."""

_NAMED_AT_MOST = 10

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
        upkeep: Upkeep,
        heartbeat: Heartbeat | None = None,
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
        self.upkeep = upkeep
        self.heartbeat = heartbeat
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


def assemble(
    settings: Settings,
    *,
    clock: Clock | None = None,
    runner: JobRunner | None = None,
    mailer: Mailer | None = None,
    store: Store | None = None,
    engine: Engine | None = None,
    watcher: Watcher | None = None,
    listeners: Iterable[Listener] = (),
) -> Daemon:
    """Make a daemon; what is not given is the real thing.  ``listeners`` hear events beside the usual ones.

    Raises GavoExecError for what cannot be used: the state, or the configuration of the site.
    """
    clock = clock or SystemClock()
    deadlines = Deadlines()
    # What delivers mails works on when the jobs' programs have been stopped.
    sender = runner or ProcessRunner(output_limit_bytes=CHILD_OUTPUT_BYTES)
    runner = runner or ProcessRunner(output_limit_bytes=CHILD_OUTPUT_BYTES, deadlines=deadlines)
    site = find_site(settings, os.environ)
    for warning in site.warnings:
        _log.warning("%s", warning)
    return _connect(
        settings,
        site=LiveSite(site),
        clock=clock,
        deadlines=deadlines,
        runner=runner,
        carriers=make_carriers(settings, sender, mailer=mailer or make_mailer(settings, sender), clock=clock),
        store=store or open_store(settings),
        engine=engine or LocalEngine(workers=settings.workers),
        watcher=watcher or TreeWatcher(settings.inputs_dir, rescan_seconds=settings.rescan_seconds),
        listeners=listeners,
    )


def _connect(
    settings: Settings,
    *,
    site: LiveSite,
    clock: Clock,
    deadlines: Deadlines,
    runner: JobRunner,
    carriers: Mapping[Channel, Carry],
    store: Store,
    engine: Engine,
    watcher: Watcher,
    listeners: Iterable[Listener],
) -> Daemon:
    """Let these know each other."""
    postmen = Postmen(store, carriers=carriers, clock=clock)
    known = site.now()
    apart = isolation(runner, settings=settings, site=known, output_limit_bytes=CHILD_OUTPUT_BYTES)
    loader = JobLoader(
        runner,
        find=lambda rd_id: reloader.catalog.accepted.get(rd_id),  # noqa: PLW0108 -- there is no reloader yet
        whole=partial(read_whole, site=known, clock=clock),
        site=known,
        clock=clock,
        choice=settings.job_namespace,
        isolate=apart.prepare,
    )

    def see_to(event: Event) -> None:
        if isinstance(event, JobsReconciled):
            loader.forget(event.removed)
            arrivals.forget(event.removed)
        elif isinstance(event, DeliveryAsked):
            store.hasten_mails(now=clock.now())
            postmen.wake(frozenset(Channel))

    def flush() -> None:
        postmen.wake(store.flush())

    def find(key: str) -> Execute | None:
        return find_execute(reloader.catalog, key)

    alarm = Alarm(deadlines, lambda: bus.publish(TellingDue(at=clock.now())))
    mask = make_masker(settings, os.environ)
    mail = MailListener(
        store,
        clock=clock,
        policy=mail_policy(settings),
        alarm=alarm.set,
        find=find,
        exists=lambda incident: is_there(incident, reloader.catalog),
        mask=mask,
        channels=other_channels(settings),
    )
    pings = PingListener(store, clock=clock, find=find, mask=mask)
    live = Live(lambda run_id: guard.active(run_id))  # noqa: PLW0108 -- there is no guard yet
    bus = Bus([LogListener(), HistoryListener(store, clock), mail, pings, see_to, live, *listeners], flush=flush)
    guard = make_guard(settings, loader, clock=clock, bus=bus, deadlines=deadlines)
    agenda = Agenda(
        run_ids=make_run_ids(clock),
        last_starts=store.last_starts(),
        retries=store.retries(),
        slots=engine.slots,
        pauses=store.pauses(),
    )
    scheduler = Scheduler(
        agenda,
        engine=engine,
        store=store,
        clock=clock,
        publish=bus.publish,
        look=lambda request, taken: arrivals.look(request, taken=taken),
        lookahead=LOOKAHEAD,
        is_behind=bus.is_behind,
    )
    arrivals = Arrivals(
        store, clock=clock, found=scheduler.found, not_found=scheduler.not_found, caught_up=bus.caught_up
    )
    engine.start(guard, scheduler.finished)
    reloader = Reloader(
        settings.inputs_dir,
        read=RDReader(settings, site, clock=clock),
        clock=clock,
        publish=bus.publish,
        rejections=store.rejections(),
        only=settings.preload_rds,
        shared=[site.meta_file] if site.meta_file else (),
    )
    return Daemon(
        settings,
        clock=clock,
        store=store,
        deadlines=deadlines,
        runner=runner,
        guard=guard,
        engine=engine,
        bus=bus,
        scheduler=scheduler,
        reloader=reloader,
        postmen=postmen,
        watcher=watcher,
        arrivals=arrivals,
        live=live,
        upkeep=make_upkeep(settings, clock=clock, is_busy=lambda: scheduler.running > 0),
        heartbeat=make_heartbeat(settings, is_well=scheduler.is_well),
    )
