"""What is foretold is what happens: beside a real scheduler and a real store, moved by hand."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from gavo_exec.catalog import Catalog
from gavo_exec.cli.views import State, coming_dues, planned_jobs
from gavo_exec.events import Event, RunFinished
from gavo_exec.model import (
    Execute,
    LastStart,
    Limit,
    Missed,
    NewFile,
    Outcome,
    Overlap,
    Policy,
    Reason,
    Retry,
    Run,
    RunRequest,
)
from gavo_exec.runtime.agenda import Agenda
from gavo_exec.runtime.scheduler import Scheduler
from gavo_exec.schedule import Every, Loaded, Schedule, parse_at
from gavo_exec.services.history import HistoryListener
from gavo_exec.services.store import SQLiteStore
from gavo_exec.simulation import Case, Plan, Verdict, explain, simulate
from gavo_exec.simulation.life import ANY_FILE
from gavo_exec.testing import EPOCH, FakeClock, HeldEngine, end_cut_off, make_execute, make_rd, make_run

NAMES = ("a", "b", "c")
MINUTE = timedelta(minutes=1)
FAR = timedelta(days=400)

schedules: st.SearchStrategy[Schedule] = st.one_of(
    st.sampled_from([600, 1800, 3600, 86_400]).map(lambda seconds: Every(seconds=seconds)),
    st.just(Every(seconds=3600, immediately=True)),
    st.just(Loaded()),
    st.sampled_from(["0:10", "0:10, 6:40, 12:00", "w4 5:00", "m2 3:00", "1:00, 1:10, 1:20"]).map(parse_at),
)
policies = st.builds(
    Policy,
    missed=st.sampled_from(Missed),
    overlap=st.sampled_from(Overlap),
    grace=st.sampled_from([None, None, timedelta(minutes=20), timedelta(hours=3)]),
    retries=st.sampled_from([0, 0, 1, 3]),
    retry_delay=st.sampled_from([timedelta(seconds=30), timedelta(minutes=50)]),
    priority=st.sampled_from([0, 0, 0, 5]),
    limit=st.sampled_from([None, None, Limit(name="x"), Limit(name="x", at_most=2)]),
    timeout=st.sampled_from([None, None, timedelta(minutes=10)]),
    files=st.sampled_from(["", "", "", "/data/*"]),
    # With both, what is to follow a failure may be forgotten when the daemon ends.
).map(lambda policy: policy if policy.overlap is not Overlap.ALLOW else msgspec.structs.replace(policy, retries=0))
spans = st.one_of(st.integers(0, 300), st.integers(0, 5000)).map(lambda minutes: minutes * MINUTE)


@st.composite
def trees(draw: st.DrawFn) -> Catalog:
    """A few RDs, of which the first may have two executes."""
    executes = [
        make_execute(f"{name}/q#job", schedule=draw(schedules), policy=draw(policies))
        for name in draw(st.sets(st.sampled_from(NAMES), min_size=1))
    ]
    catalog = Catalog()
    for execute in executes:
        rd_id = execute.key.partition("#")[0]
        others = [make_execute(f"{rd_id}#loaded", schedule=Loaded())] if draw(st.booleans()) else []
        catalog = catalog.accept(make_rd(execute, *others, rd_id=rd_id))
    return catalog


@st.composite
def marks(draw: st.DrawFn, catalog: Catalog) -> dict[str, LastStart]:
    """Up to when the executes are accounted for, by this schedule or another one."""
    found = {}
    for _, execute in catalog.executes():
        if not isinstance(execute.schedule, Loaded) and draw(st.booleans()):
            words = draw(st.sampled_from([execute.schedule.describe(), execute.schedule.describe(), "another"]))
            found[execute.key] = LastStart(at=EPOCH - draw(spans) + draw(spans), schedule=words)
    return found


@st.composite
def retries(draw: st.DrawFn, catalog: Catalog) -> dict[str, Retry]:
    """What is to follow runs that failed."""
    found = {}
    for _, execute in catalog.executes():
        if draw(st.booleans()):
            due = EPOCH - draw(spans)
            found[execute.key] = Retry(due=due, attempt=draw(st.integers(2, 4)), at=due + draw(spans))
    return found


class Daemon:
    """A real scheduler over a real store; its runs end when they are told to, or at once."""

    def __init__(self, catalog: Catalog, store: SQLiteStore, *, ids: Iterator[str], slots: int, at: datetime) -> None:
        self.clock = FakeClock(at)
        self.store = store
        self.engine = HeldEngine()
        self.history = HistoryListener(store, self.clock)
        self.scheduler = Scheduler(
            Agenda(run_ids=ids, last_starts=store.last_starts(), retries=store.retries(), slots=slots),
            engine=self.engine,
            store=store,
            clock=self.clock,
            publish=self.publish,
            look=self.look,
        )
        self.engine.cancel = self.cancel  # type: ignore[method-assign]
        self.engine.start(self, self.scheduler.finished)
        self.outcome = Outcome.SUCCEEDED
        self.begun: dict[str, datetime] = {}
        self.cancelled: list[str] = []
        self.scheduler.adopt(catalog)

    def look(self, request: RunRequest, _taken: Collection[NewFile]) -> None:
        self.scheduler.found(request, ANY_FILE)

    def publish(self, event: Event) -> None:
        self.history(event)

    def perform(self, request: RunRequest) -> Run:
        run = make_run(request, self.outcome, finished_at=self.clock.now())
        run = msgspec.structs.replace(run, started_at=self.begun[request.run_id])
        self.publish(RunFinished(run=run, request=request))
        self.store.flush()
        return run

    def refuse(self, request: RunRequest, cause: str, outcome: Outcome = Outcome.FAILED) -> Run:
        raise AssertionError("nothing is refused")

    def cancel(self, run_id: str, cause: str) -> None:
        self.cancelled.append(run_id)

    def step(self) -> tuple[datetime | None, list[RunRequest]]:
        """A step, and what it began."""
        now = self.clock.now()
        due = self.scheduler.step(now)
        due = self.scheduler.step(now)  # what was looked up has been found
        self.store.flush()
        begun = [request for request in self.engine.submitted if request.run_id not in self.begun]
        self.begun.update((request.run_id, now) for request in begun)
        return due, begun

    def end(self, request: RunRequest, outcome: Outcome) -> None:
        self.outcome = outcome
        self.engine.perform(request)


def a_store(starts: dict[str, LastStart], retried: dict[str, Retry]) -> SQLiteStore:
    lives = count()
    life = f"daemon {next(lives)}"
    store = SQLiteStore(":memory:", holder=life, is_alive=lambda holder: holder == store._holder)
    store.note_starts(starts)
    for key, retry in retried.items():
        store.put_retry(key, retry)
    store.flush()
    return store


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_next_says_what_a_daemon_that_starts_then_does(data: st.DataObject) -> None:
    catalog = data.draw(trees())
    starts, retried = data.draw(marks(catalog)), data.draw(retries(catalog))
    store = a_store(starts, retried)
    state = State.of(store)
    expected: dict[str, list[tuple[datetime, Reason]]] = {}
    for due in coming_dues(planned_jobs(catalog, state), state, start=EPOCH, count=3):
        expected.setdefault(due.key, []).append((due.due, due.reason))

    happened: dict[str, list[tuple[datetime, Reason]]] = {}
    daemon = Daemon(catalog, store, ids=map(str, count(1)), slots=1000, at=EPOCH)
    while daemon.clock.at < EPOCH + FAR and any(len(happened.get(key, ())) < len(expected[key]) for key in expected):
        due_at, begun = daemon.step()
        for request in begun:
            happened.setdefault(request.execute.key, []).append((daemon.clock.at, request.reason))
            daemon.end(request, Outcome.SUCCEEDED)
        if not begun:
            if due_at is None:
                break
            daemon.clock.at = max(due_at, daemon.clock.at)
    store.close()
    assert {key: found[: len(expected[key])] for key, found in happened.items()} == expected


Record = tuple[str, datetime, datetime | None, Outcome | None, Reason, int, int, datetime | None]


def record_of(run: Run) -> Record:
    """What is to be the same, with the end unless the daemon ended before it."""
    ended = None if run.outcome is Outcome.INTERRUPTED else run.finished_at
    return run.key, run.due, run.started_at, run.outcome, run.reason, run.attempt, run.instants, ended


def real_life(plan: Plan, store: SQLiteStore) -> list[Run]:
    """Live through a plan with real parts; answers what the history has."""
    ids = map(str, count(1))
    for life, (begin, end) in enumerate(plan.ups()):
        store._holder = f"daemon {life}"
        end_cut_off(store, now=begin)
        daemon = Daemon(plan.catalog, store, ids=ids, slots=plan.slots, at=begin)
        ends: list[tuple[datetime, int, RunRequest, Outcome]] = []
        while True:
            due, begun = daemon.step()
            now = daemon.clock.at
            for request in begun:
                heappush(
                    ends, (now + lasts(plan, request.execute), int(request.run_id), request, ending(plan, request))
                )
            if daemon.cancelled:
                for run_id in daemon.cancelled:
                    [request] = [each for each in daemon.engine.submitted if each.run_id == run_id]
                    daemon.end(request, Outcome.CANCELLED)
                daemon.cancelled.clear()
                continue
            ends = [item for item in ends if item[2] in daemon.engine.submitted]
            ends.sort()
            following = min((at for at in (due, ends[0][0] if ends else None) if at is not None), default=None)
            if following is None or following >= end:
                break
            daemon.clock.at = max(now, following)
            while ends and ends[0][0] <= daemon.clock.at:
                _, _, request, outcome = heappop(ends)
                daemon.end(request, outcome)
        if end < plan.end:
            store._holder = "nobody"
            end_cut_off(store, now=end)
    return store.runs(limit=1_000_000)


def lasts(plan: Plan, execute: Execute) -> timedelta:
    duration = plan.durations.get(execute.key, plan.usual)
    return min(duration, execute.policy.timeout or duration)


def ending(plan: Plan, request: RunRequest) -> Outcome:
    execute = request.execute
    if execute.policy.timeout is not None and plan.durations.get(execute.key, plan.usual) > execute.policy.timeout:
        return Outcome.TIMED_OUT
    return Outcome.FAILED if execute.key in plan.failing else Outcome.SUCCEEDED


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Some days of some executes, perhaps with a downtime."""
    catalog = draw(trees())
    keys = [execute.key for _, execute in catalog.executes()]
    durations = st.sampled_from([0.5, 9.5, 25, 70, 400]).map(lambda minutes: minutes * MINUTE)
    begin = EPOCH + draw(st.sampled_from([0, 300, 1000])) * MINUTE
    return Plan(
        catalog=catalog,
        start=EPOCH,
        end=EPOCH + timedelta(days=draw(st.sampled_from([1, 3]))),
        slots=draw(st.integers(1, 3)),
        last_starts=draw(marks(catalog)),
        retries=draw(retries(catalog)),
        durations=draw(st.dictionaries(st.sampled_from(keys), durations)),
        usual=5 * MINUTE,
        failing=draw(st.frozensets(st.sampled_from(keys))),
        downs=draw(st.sampled_from([(), ((begin, begin + 200 * MINUTE),), ((begin, begin + FAR),)])),
    )


@settings(max_examples=150, deadline=None)
@given(plan=plans())
def test_a_simulation_is_what_a_scheduler_does(plan: Plan) -> None:
    store = a_store(dict(plan.last_starts), dict(plan.retries))
    happened = real_life(plan, store)
    store.close()
    report = simulate(plan, tell=1_000_000)
    assert report.records == len(report.told)
    assert sorted(map(repr, map(record_of, happened))) == sorted(repr(record_of(told.run)) for told in report.told)
    assert sum(run.started_at is not None for run in happened) == report.runs


@settings(max_examples=100, deadline=None)
@given(plan=plans(), minutes=st.lists(st.integers(-3000, 6000), min_size=5, max_size=5))
def test_of_all_that_happened_there_is_an_explanation(plan: Plan, minutes: list[int]) -> None:
    store = a_store(dict(plan.last_starts), dict(plan.retries))
    real_life(plan, store)
    for rd, execute in plan.catalog.executes():
        records = tuple(store.runs(execute.key, limit=1_000_000))
        case = Case(
            now=plan.end,
            declared=(rd, execute),
            last_start=store.last_starts().get(execute.key),
            retry=store.retries().get(execute.key),
            records=records,
            daemon=plan.ups()[-1:] != [] and plan.ups()[-1][1] == plan.end,
        )
        for run in records[:20]:
            found = explain(case, run.due)
            assert found.runs[0].due == run.due
            assert (found.verdict is Verdict.SKIPPED) == (found.runs[0].outcome is Outcome.SKIPPED)
            assert (found.verdict is Verdict.MISSED) == (found.runs[0].outcome is Outcome.MISSED)
            assert found.around.within == run.due
        for minute in minutes:
            at = EPOCH + minute * MINUTE
            found = explain(case, at)
            near = found.around
            assert near.before is None or near.before < at
            assert near.within is None or at <= near.within < at + MINUTE
            assert near.after is None or near.after >= at + MINUTE
            assert (near.within is None) or found.verdict not in {Verdict.NOT_DUE, Verdict.NEVER}
        explain(case)
    store.close()
