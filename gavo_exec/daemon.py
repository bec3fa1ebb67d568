"""Puts the rooms together: the one place where real things are made."""

import logging
import os
from collections.abc import Iterable, Mapping
from functools import partial

from gavo_exec.events import (
    DeliveryAsked,
    Event,
    JobsReconciled,
    TellingDue,
    Trouble,
)
from gavo_exec.isolated import isolation
from gavo_exec.life import Daemon
from gavo_exec.model import Channel, Execute
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
    make_traces,
    make_upkeep,
    open_own_store,
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
from gavo_exec.runtime.lastruns import LastRuns
from gavo_exec.runtime.live import Live
from gavo_exec.runtime.process import ProcessRunner
from gavo_exec.runtime.scheduler import LOOKAHEAD, Scheduler
from gavo_exec.runtime.workers import LocalEngine
from gavo_exec.services.history import HistoryListener
from gavo_exec.services.log import LogListener
from gavo_exec.services.mail import MailListener
from gavo_exec.services.metrics import MetricsListener
from gavo_exec.services.pings import PingListener
from gavo_exec.services.postman import Carry, Postmen
from gavo_exec.services.store import SQLiteStore
from gavo_exec.services.watch import TreeWatcher
from gavo_exec.settings import LiveSite, Settings, find_site

__all__ = ["Daemon", "assemble"]

_log = logging.getLogger(__name__)


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
    was_cut_off: bool = False,
) -> Daemon:
    """Make a daemon; what is not given is the real thing.  ``listeners`` hear events beside the usual ones.

    Where the daemon before ``was_cut_off``, the state is looked at as a whole.

    Raises GavoExecError for what cannot be used: the state, or the configuration of the site.
    """
    clock = clock or SystemClock()
    deadlines = Deadlines()
    # What delivers mails works on when the jobs' programs have been stopped.
    sender = runner or ProcessRunner(output_limit_bytes=CHILD_OUTPUT_BYTES)
    runner = runner or ProcessRunner(output_limit_bytes=CHILD_OUTPUT_BYTES, deadlines=deadlines)
    watcher = watcher or TreeWatcher(settings.inputs_dir, rescan_seconds=settings.rescan_seconds)
    said = ""
    if store is None:
        store, said = open_own_store(settings, clock, was_cut_off=was_cut_off)
    site = find_site(settings, os.environ)
    for warning in site.warnings:
        _log.warning("%s", warning)
    daemon = _connect(
        settings,
        site=LiveSite(site),
        clock=clock,
        deadlines=deadlines,
        runner=runner,
        carriers=make_carriers(settings, sender, mailer=mailer or make_mailer(settings, sender), clock=clock),
        store=store,
        engine=engine or LocalEngine(workers=settings.workers),
        watcher=watcher,
        listeners=listeners,
    )

    def tell(message: str) -> None:
        daemon.bus.publish(Trouble(message=message, at=clock.now(), place="the state file"))

    if isinstance(store, SQLiteStore):
        store.on_mended = tell
    if isinstance(watcher, TreeWatcher):
        watcher.tell = lambda message: daemon.bus.publish(Trouble(message=message, at=clock.now(), place="the RDs"))
    if said:
        tell(said)
    return daemon


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
        may_leave_resdir=settings.outside_resdir == "allow",
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
    last_runs = LastRuns(store)
    live = Live(lambda run_id: guard.active(run_id))  # noqa: PLW0108 -- there is no guard yet
    metrics = MetricsListener() if settings.web else None
    known_listeners: list[Listener] = [
        LogListener(),
        HistoryListener(store, clock),
        mail,
        pings,
        see_to,
        live,
        last_runs,
    ]
    known_listeners += [each for each in (metrics, make_traces(settings)) if each is not None]
    bus = Bus([*known_listeners, *listeners], flush=flush)
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
        last_runs=last_runs,
        upkeep=make_upkeep(settings, clock=clock, is_busy=lambda: scheduler.running > 0),
        heartbeat=make_heartbeat(settings, is_well=scheduler.is_well),
        metrics=metrics,
    )
