"""One run now, in this process: what ``gavo-exec execute`` does, without a daemon."""

import os
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache, partial
from pathlib import Path

from gavo_exec.daemon import (
    CHILD_OUTPUT_BYTES,
    is_running,
    mail_policy,
    make_guard,
    make_mailer,
    make_run_ids,
    open_store,
)
from gavo_exec.errors import GavoExecError
from gavo_exec.model import Execute, Reason, ResourceDescriptor, Run, RunRequest
from gavo_exec.reading import RDReader, read_whole
from gavo_exec.runtime import capture
from gavo_exec.runtime.bus import Bus
from gavo_exec.runtime.clock import SystemClock
from gavo_exec.runtime.executing import JobLoader
from gavo_exec.runtime.process import ProcessRunner, children_kept_off_the_terminal
from gavo_exec.schedule import Loaded
from gavo_exec.services.history import HistoryListener
from gavo_exec.services.mail import MailListener
from gavo_exec.services.postman import Postman
from gavo_exec.settings import LiveSite, Settings, find_site


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
    with ExitStack() as undo:
        undo.enter_context(capture.install())
        undo.enter_context(children_kept_off_the_terminal())
        runner = ProcessRunner(output_limit_bytes=CHILD_OUTPUT_BYTES)
        undo.callback(runner.stop)
        store = open_store(settings)
        undo.callback(store.close)
        mail = MailListener(store, clock=clock, policy=mail_policy(settings))
        bus = Bus([HistoryListener(store), mail], flush=store.flush)
        site = LiveSite(find_site(settings, os.environ))
        find = _found_in_tree(settings, rd, RDReader(settings, site, clock=clock))
        known = site.now()
        whole = partial(read_whole, site=known, clock=clock)
        loader = JobLoader(runner, find=find, whole=whole, site=known, clock=clock, choice=settings.job_namespace)
        guard = make_guard(settings, loader, clock=clock, bus=bus)
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
        if not is_running(settings.state_dir):
            Postman(store, mailer=make_mailer(settings, runner), clock=clock).deliver_due()
        return run


def _found_in_tree(
    settings: Settings, rd: ResourceDescriptor, read: RDReader
) -> Callable[[str], ResourceDescriptor | None]:
    """What finds other RDs for the jobs of this one, where no catalog has them: in their files, each read once."""

    @cache
    def find(rd_id: str) -> ResourceDescriptor | None:
        path = Path(settings.inputs_dir, f"{rd_id}.rd")
        if rd_id == rd.rd_id or not path.is_file():
            return rd if rd_id == rd.rd_id else None
        return read(str(path), inputs_dir=settings.inputs_dir)

    return find
