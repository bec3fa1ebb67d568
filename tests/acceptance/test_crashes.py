"""The daemon killed with SIGKILL at random moments, under load, again and again: what is left has to add up.

``GAVO_EXEC_CRASH_ROUNDS`` says how often (``make crash``: 200 times), ``GAVO_EXEC_CRASH_SEED`` which moments these are.
"""

import itertools
import os
import random
import signal
import sqlite3
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

import pytest

from gavo_exec.model import Outcome, Reason, Run
from gavo_exec.services.store import SQLiteStore

ROUNDS = int(os.environ.get("GAVO_EXEC_CRASH_ROUNDS", "12"))
SEED = int(os.environ.get("GAVO_EXEC_CRASH_SEED", "0")) or random.SystemRandom().randrange(1, 1_000_000)
LONGEST_LIFE_SECONDS = 2.0
"""A daemon is killed after at most so long, which often is before it is ready."""

LONGEST_OUTAGE_SECONDS = 4.0
CHILD_SECONDS = 1000
"""How long the longest children take."""

LEFT_OUT = frozenset({Outcome.SKIPPED, Outcome.MISSED})
NOT_OF_THE_SCHEDULE = frozenset({Reason.STARTUP, Reason.TRIGGERED})
MINUTE = timedelta(minutes=1)


# The law


def instants_of(run: Run, step: timedelta) -> list[datetime]:
    """The due instants that a row stands for."""
    return [run.due - back * step for back in reversed(range(run.instants))]


def accounts_of(runs: Iterable[Run], step: timedelta) -> list[tuple[datetime, Run]]:
    """The instants of one key's rows in order, each with its row; retries are of an instant that is there already."""
    firsts = (run for run in runs if run.attempt == 1 and run.reason not in NOT_OF_THE_SCHEDULE)
    return sorted(((instant, run) for run in firsts for instant in instants_of(run, step)), key=lambda pair: pair[0])


def faults_of_accounts(runs: Iterable[Run], step: timedelta, *, is_fixed: bool) -> list[str]:
    """Where the rows of one key are not exactly its due instants, from the first of them to the last, each once.

    Intervals count anew from when a run makes up for what was missed, which is before the instant after the next; where
    they are ``is_fixed``, as times of the day are, they do not.
    """
    found = []
    accounts = accounts_of(runs, step)
    for (before, run), (after, _) in itertools.pairwise(accounts):
        gap = after - before
        decided_at = run.started_at or run.finished_at or run.due
        begins_anew = run.reason is Reason.CATCH_UP or run.outcome in LEFT_OUT
        if gap == timedelta(0):
            found.append(f"{run.key}: {before} is accounted for twice")
        elif gap != step and (is_fixed or not begins_anew or not step <= gap < 2 * step or after - step > decided_at):
            found.append(f"{run.key}: {gap.total_seconds()} s lie between {before} ({run.outcome}) and {after}")
    return found


def times_of(runs: Iterable[Run]) -> list[tuple[Run, datetime, datetime]]:
    """The runs of one key that began, in order, each with the time that it may have taken.

    The record of one that was cut off ends when it was found; so much is known that it had ended when the next began.
    """
    began = sorted(
        ((run.started_at, run.finished_at, run) for run in runs if run.started_at and run.finished_at),
        key=itemgetter(0),
    )
    nexts = [started_at for started_at, _, _ in began[1:]]
    return [
        (run, started_at, min(finished_at, after) if run.outcome is Outcome.INTERRUPTED and after else finished_at)
        for (started_at, finished_at, run), after in itertools.zip_longest(began, nexts)
    ]


def faults_of_beginnings(runs: Iterable[Run], beginnings: Sequence[datetime]) -> list[str]:
    """Where job code did not begin as often as the rows of its key say: once, or not at all.

    Runs of a key do not overlap, so each beginning lies in the time of the one run that it is of.
    """
    found, left = [], sorted(beginnings)
    for run, started_at, finished_at in times_of(runs):
        within = [moment for moment in left if started_at <= moment <= finished_at]
        left = [moment for moment in left if moment not in within]
        # One that was cut off may have been so before its code began.
        if len(within) > 1 or (not within and run.outcome is not Outcome.INTERRUPTED):
            found.append(f"{run.key}: the run due {run.due} ({run.outcome}) began {len(within)} times")
    return [*found, *(f"began at {moment} without a record" for moment in left)]


def faults_of_runs_at_once(runs: Iterable[Run]) -> list[str]:
    """Where two runs of one key went on at the same time."""
    return [
        f"{run.key}: the runs due {run.due} and {after.due} overlap"
        for (run, _, finished_at), (after, started_at, _) in itertools.pairwise(times_of(runs))
        if finished_at > started_at
    ]


# A check that cannot fail is none


START = datetime(2026, 11, 25, tzinfo=UTC)


def row(at: float, *, took: float | None = 0.5, **fields: Any) -> Run:
    """A run due so many seconds after START, which began then and took so long; None where it did not begin."""
    due = START + timedelta(seconds=at)
    fields = {"outcome": Outcome.SUCCEEDED if took is not None else Outcome.MISSED} | fields
    return Run(
        run_id=f"r{at}",
        key="a#b",
        title="",
        due=due,
        started_at=None if took is None else fields.pop("began", due),
        finished_at=due + timedelta(seconds=took or 0),
        **fields,
    )


def later(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("runs", "is_fixed", "is_sound"),
    [
        pytest.param([row(0), row(1), row(2)], True, True, id="one after the other"),
        pytest.param([row(0), row(2)], True, False, id="one is lost"),
        pytest.param([row(0), row(1), row(1)], True, False, id="one is there twice"),
        pytest.param([row(0), row(4, took=None, instants=4), row(5)], True, True, id="a row for several"),
        pytest.param([row(0), row(4, took=None, instants=3), row(5)], True, False, id="a row for too few"),
        pytest.param([row(0), row(4, took=None, instants=5), row(5)], True, False, id="a row for too many"),
        pytest.param([row(0), row(1), row(1, attempt=2, reason=Reason.RETRY), row(2)], True, True, id="a retry"),
        pytest.param([row(0), row(0.3, reason=Reason.STARTUP), row(1)], True, True, id="a start of the daemon"),
        pytest.param(
            [row(0), row(1, reason=Reason.CATCH_UP, began=later(1.4)), row(2.4)], False, True, id="it counts anew"
        ),
        pytest.param(
            [row(0), row(1, reason=Reason.CATCH_UP, began=later(1.4)), row(2.4)], True, False, id="it must not"
        ),
        pytest.param([row(0), row(1), row(2.4)], False, False, id="it counts anew without a reason"),
        pytest.param(
            [row(0), row(1, reason=Reason.CATCH_UP, began=later(1.4)), row(2.5)],
            False,
            False,
            id="it counts from after the run that makes up for it",
        ),
    ],
)
def test_what_is_lost_or_there_twice_is_noticed(runs: list[Run], is_fixed: bool, is_sound: bool) -> None:
    assert (faults_of_accounts(runs, timedelta(seconds=1), is_fixed=is_fixed) == []) is is_sound


@pytest.mark.parametrize(
    ("runs", "beginnings", "is_sound"),
    [
        pytest.param([row(0), row(1)], [0.1, 1.1], True, id="each once"),
        pytest.param([row(0), row(1)], [0.1, 0.2, 1.1], False, id="one twice"),
        pytest.param([row(0), row(1)], [0.1], False, id="one not at all"),
        pytest.param([row(0), row(1)], [0.1, 0.8, 1.1], False, id="one without a record"),
        pytest.param([row(0), row(1, took=None)], [0.1], True, id="one was missed"),
        pytest.param([row(0, outcome=Outcome.INTERRUPTED)], [], True, id="cut off before"),
        pytest.param([row(0, outcome=Outcome.INTERRUPTED)], [0.1], True, id="cut off afterwards"),
        pytest.param([row(0, outcome=Outcome.INTERRUPTED)], [0.1, 0.2], False, id="cut off and twice"),
        pytest.param(
            [row(0, outcome=Outcome.INTERRUPTED, took=9), row(1, outcome=Outcome.INTERRUPTED, took=8)],
            [0.1, 1.1],
            True,
            id="both had ended, and that was lost",
        ),
        pytest.param(
            [row(0, outcome=Outcome.INTERRUPTED, took=9), row(1, outcome=Outcome.INTERRUPTED, took=8)],
            [0.1, 0.2],
            False,
            id="one twice, and its end was lost",
        ),
    ],
)
def test_what_began_twice_or_not_at_all_is_noticed(runs: list[Run], beginnings: list[float], is_sound: bool) -> None:
    assert (faults_of_beginnings(runs, [later(seconds) for seconds in beginnings]) == []) is is_sound


def test_runs_at_once_are_noticed() -> None:
    assert faults_of_runs_at_once([row(0), row(1)]) == []
    assert faults_of_runs_at_once([row(0, took=9, outcome=Outcome.INTERRUPTED), row(1)]) == []
    assert len(faults_of_runs_at_once([row(0, took=1.5), row(1)])) == 1


# The load


class Load(NamedTuple):
    """A job: its code after it has said that it begins, and what says when it is due."""

    code: str
    when: str = 'every="1"'
    properties: Mapping[str, str] = {}


JOBS = {
    "quick": Load("pass"),
    "quiet": Load("pass", 'every="2"'),
    "failing": Load("raise ValueError('no data')"),
    "child": Load("execDef.spawn(['true'])"),
    "bad-child": Load("execDef.spawn(['sh', '-c', 'echo no net; exit 3'])", 'every="2"'),
    "long-child": Load(f"execDef.spawn(['sh', '-c', 'sleep {CHILD_SECONDS} & sleep {CHILD_SECONDS}'])", 'every="2"'),
    "timed-out": Load(f"execDef.spawn(['sleep', '{CHILD_SECONDS}'])", 'every="3"', properties={"run.timeout": "1s"}),
    "isolated": Load("print('apart')", 'every="2"', properties={"run.isolate": "process"}),
    "slow": Load("import time; time.sleep(1.3)"),
    "queued": Load("import time; time.sleep(1.2)", properties={"run.overlap": "queue"}),
    "noisy": Load("print('line after line\\n' * 10_000)", 'every="2"'),
    "made-up-for": Load("pass", properties={"when.missed": "all"}),
    "let-go": Load("pass", properties={"when.missed": "skip"}),
    "tried-again": Load("raise OSError('busy')", 'every="5"', properties={"run.retries": "2", "run.retryDelay": "1s"}),
    "each-minute": Load(
        "pass", f'at="{", ".join(f"{hour}:{minute:02}" for hour in range(24) for minute in range(60))}"'
    ),
    "each-start": Load("pass", 'on="loaded"'),
}
STEPS = {name: timedelta(seconds=int(job.when[7:-1])) for name, job in JOBS.items() if job.when.startswith("every")}
STEPS["each-minute"] = MINUTE
FIXED = {"each-minute", "made-up-for"}


# What is run on loading is run in each process that a run has of its own, too; those are no runs.
APART = "import os\nif 'GAVO_EXEC_RUN' in os.environ:\n    return\n"


def rd_of_load(log: Path) -> str:
    """An RD with all of the jobs, each of which appends a line to the log when it begins."""
    begin = (
        "import os, time\n"
        f"log = os.open({str(log)!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT)\n"
        "os.write(log, f'{execDef.id} {time.time_ns()}\\n'.encode())\n"
        "os.close(log)\n"
    )
    executes = "".join(
        f'<execute id="{name}" title="{name}" {job.when}>'
        + "".join(f'<property key="{key}">{value}</property>' for key, value in job.properties.items())
        + f"<job><code><![CDATA[\n{APART * (name == 'each-start')}{begin}{job.code}\n]]></code></job></execute>\n"
        for name, job in JOBS.items()
    )
    return f'<resource schema="load" resdir=".">\n{executes}</resource>\n'


def beginnings_in(log: Path) -> dict[str, list[datetime]]:
    """When each job began, by its id; exact, as float seconds are not."""
    found = defaultdict(list)
    for line in log.read_text().splitlines():
        name, nanoseconds = line.split()
        found[name].append(datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(nanoseconds) // 1000))
    return found


def processes_marked(mark: str) -> dict[int, str]:
    """The processes, other than zombies, whose environment has this mark: their command lines and runs."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            variables = (folder / "environ").read_bytes().decode(errors="replace").split("\0")
            command = (folder / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
        except OSError:  # it has just ended, or is another user's
            continue
        if mark in variables:
            run = next((variable for variable in variables if variable.startswith("GAVO_EXEC_RUN=")), "")
            found[int(folder.name)] = f"{command}({run})"
    return found


@pytest.fixture
def mark(site: Any) -> Iterator[str]:
    """What the environment of everything has that is started here; whatever has it ends with the test."""
    name, value = "CRASH_TEST", str(site.folder)
    site.env[name] = value
    yield f"{name}={value}"
    for pid in processes_marked(f"{name}={value}"):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.timeout(60 + 6 * ROUNDS)
def test_after_every_crash_each_instant_is_accounted_for_and_none_ran_twice(site: Any, mark: str) -> None:
    print(f"GAVO_EXEC_CRASH_SEED={SEED}")
    chance = random.Random(SEED)
    log = site.folder / "log"
    log.touch()
    site.save("load/q.rd", rd_of_load(log))
    for number in range(ROUNDS):
        daemon = site.serve(ready=False)
        with suppress(subprocess.TimeoutExpired):
            code = daemon.process.wait(chance.uniform(0, LONGEST_LIFE_SECONDS))
            pytest.fail(f"seed {SEED}: it ended by itself, with {code}:\n{daemon.said}")
        if number % 3 == 0:  # an edit that only the next daemon may see
            site.save("load/q.rd", rd_of_load(log).replace("no data", f"no data {number}"))
        daemon.end(signal.SIGKILL)
        assert "Traceback" not in daemon.said, daemon.said
        if number % 4 == 0:  # instants pass while there is no daemon
            Event().wait(chance.uniform(0, LONGEST_OUTAGE_SECONDS))
    daemon = site.serve("--stop-grace-seconds", "1")
    daemon.wait_for("load/q#quick succeeded", count=3)
    assert daemon.end() == 0
    with suppress(AssertionError):
        site.eventually(lambda: not processes_marked(mark))
    assert processes_marked(mark) == {}, f"seed {SEED}"
    check(site, beginnings_in(log))


def check(site: Any, beginnings: Mapping[str, Sequence[datetime]]) -> None:
    """Everything that must hold of what is left."""
    file = site.state / "state.sqlite"
    with sqlite3.connect(file) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("SELECT count(*) FROM claims").fetchall() == [(0,)]
    db.close()
    store = SQLiteStore(file, holder="test", is_alive=lambda _: False)
    runs = store.runs(limit=1_000_000)
    last_starts = store.last_starts()
    store.close()
    faults = []
    assert {run.key for run in runs} >= {f"load/q#{name}" for name in JOBS if name != "each-minute"}
    for name in JOBS:
        mine = [run for run in runs if run.key == f"load/q#{name}"]
        if name in STEPS and mine:
            faults += faults_of_accounts(mine, STEPS[name], is_fixed=name in FIXED)
            assert last_starts[f"load/q#{name}"].at >= max(run.due for run in mine if run.attempt == 1)
        faults += [f"{name}: {fault}" for fault in faults_of_beginnings(mine, beginnings.get(name, []))]
        faults += faults_of_runs_at_once(mine)
    outcomes = {run.outcome for run in runs}
    assert outcomes >= {Outcome.SUCCEEDED, Outcome.FAILED, Outcome.INTERRUPTED, Outcome.SKIPPED, Outcome.MISSED}
    assert not faults, f"seed {SEED}: {len(faults)} faults in {len(runs)} rows:\n" + "\n".join(faults[:30])
