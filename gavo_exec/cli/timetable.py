"""``next``: what will run, and when."""

import sys
from datetime import datetime

import click

from gavo_exec.cli.exits import DONE
from gavo_exec.cli.keys import complete_key, normal_key, unknown_key
from gavo_exec.cli.options import examples, json_option, moment, settings_options
from gavo_exec.cli.output import clean, instant, left, show_json, show_table
from gavo_exec.errors import DescriptorError
from gavo_exec.model import rd_id_of
from gavo_exec.settings import Settings


@click.command(
    "next",
    epilog=examples("gavo-exec next weather/q#fetch --count 10", "gavo-exec next --from 2026-01-31 --fresh"),
)
@click.argument("keys", metavar="[KEY]...", nargs=-1, shell_complete=complete_key)
@click.option("--all", "all_jobs", is_flag=True, help="All jobs, which is also meant where no KEY is given.")
@click.option("--count", type=click.IntRange(min=1), default=1, show_default=True, help="So many instants of each job.")
@click.option(
    "--from",
    "start",
    metavar="INSTANT",
    callback=moment,
    help="Count from then: ISO 8601, in UTC where it has no zone (default: now).",
)
@click.option("--fresh", is_flag=True, help="Count as a daemon that starts for the first time, whatever is recorded.")
@settings_options("inputs_dir", "state_dir")
@json_option
def next_command(
    *,
    keys: tuple[str, ...],
    all_jobs: bool,
    count: int,
    start: datetime | None,
    fresh: bool,
    settings: Settings,
    as_json: bool,
) -> int:
    """Show when jobs are due next, in order of time.

    The instants are those of a daemon that starts now (or at --from), finds what is recorded, and serves each of them
    on time.  What has passed by then unserved is due at once where it is to be made up for.  Where nothing is recorded,
    and with --fresh, schedules begin anew.
    """
    from gavo_exec.cli.state import recorded_state
    from gavo_exec.cli.tree import read_tree
    from gavo_exec.cli.views import State, broken_rds, coming_dues, pause_words, planned_jobs, reason_words
    from gavo_exec.runtime.clock import SystemClock

    if keys and all_jobs:
        raise click.UsageError("give keys or --all, not both")
    state = State() if fresh else recorded_state(settings)
    catalog = read_tree(settings)
    jobs = {job.key: job for job in planned_jobs(catalog, state)}
    wanted = list(dict.fromkeys(normal_key(key) for key in keys))
    for key in wanted:
        if key not in jobs:
            if (rejection := catalog.rejected.get(rd_id_of(key))) is not None:
                raise DescriptorError(rejection.diagnostics)
            raise unknown_key(key, jobs)
    if not wanted:
        wanted = list(jobs)
        for line in broken_rds(catalog):
            print(clean(line), file=sys.stderr)
    now = SystemClock().now()
    for pause in (state.pauses[each] for each in ("", *wanted) if each in state.pauses):
        print(clean(pause_words(pause)), file=sys.stderr)
    dues = coming_dues((jobs[key] for key in wanted), state, start=start or now, count=count)
    if as_json:
        show_json(dues)
    else:
        show_table(
            ("due (UTC)", "left", "key", "reason", "title"),
            [
                (instant(item.due), left(item.due, now), item.key, reason_words(item.reason), item.title)
                for item in dues
            ],
        )
    return DONE
