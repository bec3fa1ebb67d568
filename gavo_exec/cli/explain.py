"""``explain``: why a job did or did not run."""

from datetime import datetime, timedelta

import click

from gavo_exec.catalog import Catalog
from gavo_exec.cli.exits import DONE
from gavo_exec.cli.json_forecasts import ExplanationView
from gavo_exec.cli.keys import complete_key, normal_key, unknown_key
from gavo_exec.cli.options import examples, json_option, moment, settings_options
from gavo_exec.cli.output import clean, show_json
from gavo_exec.cli.state import opened_store
from gavo_exec.cli.tree import read_tree
from gavo_exec.cli.views import State, broken_rds, pause_words, planned_jobs
from gavo_exec.model import Run, rd_id_of
from gavo_exec.parts import is_running
from gavo_exec.ports import Store
from gavo_exec.runtime.clock import SystemClock
from gavo_exec.settings import Settings
from gavo_exec.simulation import Case, explain

_FEW = 50
_MARGIN = timedelta(hours=1)
"""How far out of order records may be, as several are written together."""


@click.command(
    "explain",
    epilog=examples(
        "gavo-exec explain weather/q#fetch",
        "gavo-exec explain weather/q#fetch --at 2026-01-31T07:30",
    ),
)
@click.argument("key", metavar="KEY", shell_complete=complete_key)
@click.option(
    "--at",
    metavar="INSTANT",
    callback=moment,
    help="ISO 8601, in UTC where it has no zone; without seconds the whole minute is meant.",
)
@settings_options("inputs_dir", "state_dir")
@json_option
def explain_command(*, key: str, at: datetime | None, settings: Settings, as_json: bool) -> int:
    """Tell why a job did or did not run at an instant, or whether it will; without --at, when it runs next.

    The answer comes first, then what speaks for it: the schedule, the records round that instant, and whatever is in
    the way.
    """
    key = normal_key(key)
    catalog = read_tree(settings)
    with opened_store(settings) as store:
        state = State.of(store)
        records, is_all = records_of(store, key, at)
    case = _case(key, catalog, state, records=records, is_all=is_all, state_dir=settings.state_dir)
    found = explain(case, at)
    if as_json:
        show_json(ExplanationView.of(key, at, case=case, found=found))
        return DONE
    print(clean(found.answer))
    for line in found.evidence:
        print(f"  {clean(line)}")
    if (pause := state.pause_of(key, SystemClock().now())) is not None:
        print(f"  {clean(pause_words(pause))}: it does not start by itself until then")
    return DONE


def records_of(store: Store, key: str, at: datetime | None) -> tuple[list[Run], bool]:
    """The records of a key, newest first, back to an instant (or a few), and whether these are all there are."""
    asked = _FEW
    while True:
        runs = store.runs(key, limit=asked)
        is_all = len(runs) < asked
        ended = runs[-1].finished_at if runs else None
        if is_all or at is None or (ended is not None and ended < at - _MARGIN):
            return runs, is_all
        asked *= 8


def _case(key: str, catalog: Catalog, state: State, *, records: list[Run], is_all: bool, state_dir: str) -> Case:
    """All that is known of a job; raises UnknownError where nothing is."""
    rd_id = rd_id_of(key)
    job = next((job for job in planned_jobs(catalog, state) if job.key == key), None)
    rejection = catalog.rejected.get(rd_id) if job is None or job.held_back else None
    if job is None and not records and (rejection is None or "#" not in key):
        raise unknown_key(key, {job.key for job in planned_jobs(catalog, state)} | state.last_runs.keys())
    fault = ""
    if rejection is not None:
        [fault] = broken_rds(Catalog().reject(rejection))
    return Case(
        now=SystemClock().now(),
        declared=job.entered() if job is not None else None,
        last_start=state.last_starts.get(key),
        retry=state.retries.get(key),
        records=tuple(records),
        is_all=is_all,
        fault=fault,
        broken_since=state.rejections[rd_id][0].rejected_at if fault and rd_id in state.rejections else None,
        held_back=job is not None and job.held_back,
        daemon=is_running(state_dir),
        state_dir=state_dir,
    )
