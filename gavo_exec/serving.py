"""The daemon as a process: its state locked, its streams and signals in hand, from start to end."""

import gc
import logging
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from gavo_exec.catalog import Catalog
from gavo_exec.controls import Controls
from gavo_exec.daemon import Daemon, assemble
from gavo_exec.display import Display, check_that_it_can_be_shown
from gavo_exec.errors import GavoExecError
from gavo_exec.events import Trouble
from gavo_exec.parts import CHILD_OUTPUT_BYTES, lock
from gavo_exec.privileges import become
from gavo_exec.runtime import capture
from gavo_exec.runtime.process import ProcessRunner, children_kept_off_the_terminal
from gavo_exec.runtime.scheduler import MAX_SLEEP_SECONDS
from gavo_exec.runtime.signals import signals_told
from gavo_exec.runtime.stalls import StallWatch
from gavo_exec.runtime.workers import LocalEngine
from gavo_exec.services.control.server import ControlServer
from gavo_exec.services.log import lines
from gavo_exec.services.notify import ServiceManager, status_line
from gavo_exec.settings import Settings, hide_secrets

_LAST_STEPS_SECONDS = 30.0
"""How long the daemon may take to end when its runs have ended."""

_log = logging.getLogger("gavo_exec")

STALL_FILE = "stall.txt"
SWITCH_INTERVAL_SECONDS = 0.0005
"""How long a thread may compute while others wait: the other jobs' lateness beside a computing one falls with it."""

GC_THRESHOLDS = (20_000, 20, 20)
"""How many new objects call for the garbage collector, which stops all threads: a run leaves hardly any cycles."""


def serve(settings: Settings) -> int:
    """Run the daemon until a signal ends it; answers the exit code.

    Raises GavoExecError where it cannot start: no such directory, another daemon on the same state, a bad state file.
    """
    settings = settings.with_secrets_read()
    hide_secrets(os.environ)
    if settings.user:
        become(settings.user, state_dir=settings.state_dir)
    if not Path(settings.inputs_dir).is_dir():
        raise GavoExecError(f"{settings.inputs_dir}: there is no such resource directory; create it, or name another")
    if settings.web:
        check_that_it_can_be_shown()
    tune_interpreter()
    manager = ServiceManager.of(os.environ, pid=os.getpid())
    to_journal = lines.is_journal(sys.stderr, os.environ)
    lines.configure(settings.log_format, sys.stderr, to_journal=to_journal, apart=True)
    with lock(settings.state_dir) as was_cut_off, capture.install(), children_kept_off_the_terminal():
        engine = LocalEngine(workers=settings.workers)
        daemon = assemble(settings, engine=engine, was_cut_off=was_cut_off)
        stalls = StallWatch(
            str(Path(settings.state_dir, STALL_FILE)),
            stations=engine.stations,
            publish=daemon.bus.publish,
            clock=daemon.clock,
        )
        engine.attend = stalls.attend

        calls: dict[signal.Signals, Callable[[], object]] = {
            signal.SIGTERM: partial(daemon.ask_to_stop, "SIGTERM"),
            signal.SIGINT: partial(daemon.ask_to_stop, "SIGINT"),
            signal.SIGHUP: daemon.ask_to_reload,
        }
        control = ControlServer(settings.state_dir, Controls(daemon))
        display = _make_display(settings, daemon) if settings.web else None
        _keep_informed(manager, daemon)
        with signals_told(calls):
            stalls.start()
            daemon.start(before_ready=partial(_take_orders, control))
            if display is not None:
                display.start()
            manager.ready()
            try:
                return daemon.run()
            finally:
                if display is not None:
                    display.stop()
                control.stop()
                stalls.stop()


def _keep_informed(manager: ServiceManager, daemon: Daemon) -> None:
    """Let the service manager know how the daemon is."""
    counted: tuple[Catalog | None, int] = None, 0

    def status() -> str:
        nonlocal counted
        catalog, scheduler = daemon.reloader.catalog, daemon.scheduler
        if catalog is not counted[0]:
            counted = catalog, sum(1 for _ in catalog.executes())
        due = scheduler.next_due
        next_due = f"{due:%Y-%m-%d %H:%M:%S}" if due is not None else ""
        broken = len(catalog.rejected)
        return status_line(jobs=counted[1], running=scheduler.running, broken=broken, next_due=next_due)

    manager.status = status
    daemon.scheduler.on_turn = manager.turn
    daemon.scheduler.most_sleep_seconds = min(MAX_SLEEP_SECONDS, manager.most_sleep_seconds)
    daemon.around_reloads = manager.reloading
    daemon.before_stop = lambda: manager.stopping(daemon.settings.stop_grace_seconds + _LAST_STEPS_SECONDS)


def _make_display(settings: Settings, daemon: Daemon) -> Display:
    """What shows the daemon over the network."""

    def tell(message: str) -> None:
        daemon.bus.publish(Trouble(message=message, at=daemon.clock.now(), place="the dashboard"))

    return Display(settings, ProcessRunner(output_limit_bytes=CHILD_OUTPUT_BYTES), tell=tell)


def _take_orders(control: ControlServer) -> None:
    """Begin to listen to operators; a daemon that nobody can talk to still does its work."""
    try:
        control.start()
    except OSError as fault:
        _log.error("the control socket cannot be made, so that commands cannot reach this daemon: %s", fault)


def tune_interpreter() -> None:
    """Set the interpreter up for many short runs on several threads."""
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    gc.set_threshold(*GC_THRESHOLDS)
