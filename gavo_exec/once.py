"""One run now, in this process: what ``gavo-exec execute`` does, without a daemon."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from types import FrameType

from gavo_exec.catalog import Catalog
from gavo_exec.errors import GavoExecError
from gavo_exec.events import TellingDue
from gavo_exec.isolated import isolation
from gavo_exec.model import Execute, Reason, ResourceDescriptor, Run, RunRequest
from gavo_exec.parts import (
    CHILD_OUTPUT_BYTES,
    find_execute,
    is_running,
    mail_policy,
    make_carriers,
    make_guard,
    make_mailer,
    make_masker,
    make_run_ids,
    open_store,
    other_channels,
)
from gavo_exec.reading import RDReader, find_in_tree, read_whole
from gavo_exec.runtime import capture
from gavo_exec.runtime.bus import Bus
from gavo_exec.runtime.clock import SystemClock
from gavo_exec.runtime.deadlines import Deadlines
from gavo_exec.runtime.executing import JobLoader
from gavo_exec.runtime.process import ProcessRunner, children_kept_off_the_terminal
from gavo_exec.schedule import Loaded
from gavo_exec.services.history import HistoryListener
from gavo_exec.services.mail import MailListener
from gavo_exec.services.pings import PingListener
from gavo_exec.services.postman import Postmen
from gavo_exec.settings import LiveSite, Settings, find_site, hide_secrets


def execute_here(
    settings: Settings,
    rd: ResourceDescriptor,
    execute: Execute,
    *,
    tee: Callable[[bytes], object] | None = None,
    before: Callable[[Run], object] = lambda _: None,
) -> Run:
    """Run one execute now, in this process; ``tee`` is given its output as it comes.

    What runs when the RD is loaded is run before it, with the same ``rd``, unless the execute is of that kind itself;
    ``before`` is told of these runs.  All are recorded, and mailed where they fail, as any run is.

    Raises GavoExecError where another process is running one of them, or the site's configuration has faults.
    """
    clock = SystemClock()
    settings = settings.with_secrets_read()
    hide_secrets(os.environ)
    with ExitStack() as undo:
        undo.enter_context(capture.install())
        undo.enter_context(children_kept_off_the_terminal())
        undo.enter_context(_ended_as_by_ctrl_c())
        deadlines = Deadlines()
        undo.callback(deadlines.stop)
        runner = ProcessRunner(output_limit_bytes=CHILD_OUTPUT_BYTES, deadlines=deadlines)
        undo.callback(runner.stop)
        store = open_store(settings)
        undo.callback(store.close)
        mask = make_masker(settings, os.environ)
        find_here = partial(find_execute, Catalog().accept(rd))
        mail = MailListener(
            store,
            clock=clock,
            policy=mail_policy(settings),
            find=find_here,
            mask=mask,
            channels=other_channels(settings),
            is_guest=True,
        )
        pings = PingListener(store, clock=clock, find=find_here, mask=mask)
        bus = Bus([HistoryListener(store, clock), mail, pings], flush=store.flush)
        site = LiveSite(find_site(settings, os.environ))
        read = RDReader(settings, site, clock=clock)
        find = cache(lambda rd_id: rd if rd_id == rd.rd_id else find_in_tree(read, rd_id, inputs_dir=rd.inputs_dir))
        known = site.now()
        whole = partial(read_whole, site=known, clock=clock)
        apart = isolation(runner, settings=settings, site=known, output_limit_bytes=CHILD_OUTPUT_BYTES)
        loader = JobLoader(
            runner,
            find=find,
            whole=whole,
            site=known,
            clock=clock,
            choice=settings.job_namespace,
            may_leave_resdir=settings.outside_resdir == "allow",
            isolate=apart.prepare,
        )
        guard = make_guard(settings, loader, clock=clock, bus=bus, deadlines=deadlines)
        run_ids = make_run_ids(clock)

        def perform(execute: Execute, reason: Reason) -> Run:
            now = clock.now()
            request = RunRequest(run_id=next(run_ids), rd=rd, execute=execute, due=now, reason=reason)
            if refused := store.claim([request], now=now):
                raise GavoExecError(f"{execute.key} is running already: {refused[request.run_id]}")
            run = guard.perform(request, tee=tee)
            bus.drain()
            return run

        if not isinstance(execute.schedule, Loaded):
            for each in rd.executes:
                if isinstance(each.schedule, Loaded):
                    before(perform(each, Reason.STARTUP))
        run = perform(execute, Reason.TRIGGERED)
        bus.publish(TellingDue(at=clock.now(), is_last=True))
        bus.drain()
        if not is_running(settings.state_dir):
            carriers = make_carriers(settings, runner, mailer=make_mailer(settings, runner), clock=clock)
            Postmen(store, carriers=carriers, clock=clock).deliver_due()
        return run


@contextmanager
def _ended_as_by_ctrl_c() -> Iterator[None]:
    """Let SIGTERM do what SIGINT does: end the run with all its children, and record that."""

    def on_term(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt("SIGTERM")

    before = signal.signal(signal.SIGTERM, on_term)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)
