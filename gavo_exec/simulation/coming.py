"""The next runs of one job: what a daemon that starts now will do, as long as nothing is in the way."""

from collections.abc import Iterator
from datetime import datetime
from itertools import count

import msgspec

from gavo_exec.catalog import Catalog
from gavo_exec.model import Execute, LastStart, Outcome, Reason, ResourceDescriptor, Retry, Run, RunRequest
from gavo_exec.runtime.agenda import Agenda
from gavo_exec.simulation.life import ANY_FILE


class Coming(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A run that will begin ``at`` an instant, for the instant ``due``, which may have passed by then."""

    at: datetime
    due: datetime
    reason: Reason


def coming_runs(
    rd: ResourceDescriptor,
    execute: Execute,
    *,
    start: datetime,
    last_start: LastStart | None = None,
    retry: Retry | None = None,
) -> Iterator[Coming]:
    """The runs of one execute, by the agenda of a daemon that starts at ``start`` and finds this recorded.

    Each run ends as soon as it has begun, and new files are always found.  Ends where nothing is due any more.
    """
    agenda = agenda_of_one(rd, execute, start=start, last_start=last_start, retry=retry)
    now: datetime | None = start
    while now is not None:
        decisions = agenda.tick(now)
        for request in decisions.lookups:
            agenda.found(request, ANY_FILE, now)
        for request in decisions.requests:
            yield Coming(at=now, due=request.due, reason=request.reason)
            agenda.finish(_done(request, now))
        if not decisions.lookups and not decisions.requests:
            now = agenda.next_due()


def agenda_of_one(
    rd: ResourceDescriptor,
    execute: Execute,
    *,
    start: datetime,
    last_start: LastStart | None = None,
    retry: Retry | None = None,
) -> Agenda:
    """The timetable of a daemon that starts at ``start``, has this execute only, and finds this recorded."""
    agenda = Agenda(
        run_ids=map(str, count(1)),
        last_starts={} if last_start is None else {execute.key: last_start},
        retries={} if retry is None else {execute.key: retry},
    )
    alone = msgspec.structs.replace(rd, executes=(execute,))
    agenda.reconcile(Catalog(accepted={rd.rd_id: alone}), start)
    return agenda


def _done(request: RunRequest, now: datetime) -> Run:
    """The record of a run that took no time."""
    return Run(
        run_id=request.run_id,
        key=request.execute.key,
        title=request.execute.title,
        due=request.due,
        started_at=now,
        finished_at=now,
        outcome=Outcome.SUCCEEDED,
    )
