"""The scheduler, its agenda and its store through random lives: edits, slow and failing jobs, clock steps, crashes.

All is real but for the clock, the threads and what jobs do.  Hypothesis says which seed and which steps break a law.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gavo_exec.catalog import Catalog
from gavo_exec.control import Pause, RefusedError, UnknownNameError
from gavo_exec.events import Event, PauseBegan, PauseEnded, RunFinished
from gavo_exec.model import Execute, Limit, Missed, NewFile, Outcome, Overlap, Policy, Reason, Run, RunRequest, rd_id_of
from gavo_exec.ports import Performer
from gavo_exec.runtime.agenda import Agenda
from gavo_exec.runtime.scheduler import Scheduler
from gavo_exec.schedule import At, Every, Schedule, parse_at
from gavo_exec.services.history import HistoryListener
from gavo_exec.services.store import SQLiteStore
from gavo_exec.testing import EPOCH, FakeClock, make_execute, make_rd, make_run

NAMES = ("a", "b", "c", "d")
SLOTS = 3
HOUR = 3600.0
BAD = [Outcome.FAILED, Outcome.TIMED_OUT]

schedules: st.SearchStrategy[Schedule] = st.one_of(
    st.sampled_from([600, 1800, 3600, 7200, 86_400]).map(lambda seconds: Every(seconds=seconds)),
    st.just(Every(seconds=3600, immediately=True)),
    st.sampled_from(["0:10", "0:10, 6:40, 12:00", "w4 5:00", "23:59, 0:00"]).map(parse_at),
)
policies = st.builds(
    Policy,
    missed=st.sampled_from(Missed),
    overlap=st.sampled_from(Overlap),
    grace=st.sampled_from([None, None, timedelta(minutes=20), timedelta(hours=3)]),
    retries=st.sampled_from([0, 0, 1, 3]),
    retry_delay=st.sampled_from([timedelta(seconds=30), timedelta(minutes=50)]),
    priority=st.sampled_from([0, 0, 0, 5, -5]),
    limit=st.sampled_from([None, None, Limit(name="x"), Limit(name="x", at_most=2)]),
    files=st.sampled_from(["", "", "", "/data/*"]),
)


class Engine:
    """Takes requests, and checks what must hold of each; they end when the test ends them."""

    slots = SLOTS

    def __init__(
        self,
        served: Counter[tuple[str, datetime]],
        current: Callable[[str], Execute | None],
        *,
        counts_from: dict[str, datetime],
    ) -> None:
        self.going: dict[str, RunRequest] = {}
        self.counts_from = counts_from
        self.cancelled: set[str] = set()
        self.is_paused: Callable[[str], bool] = lambda _: False
        self.is_calm = True  # runs do not end so fast that more may be asked for than there are slots
        self._served = served
        self._current = current

    def start(self, performer: Performer, finished: Callable[[Run], object]) -> None:
        """Nobody calls this."""

    def submit(self, requests: Sequence[RunRequest]) -> None:
        for request in requests:
            execute = request.execute
            assert execute is self._current(execute.key), "an old version runs"
            others = [each for each in self.going.values() if each.execute.key == execute.key]
            assert not others or execute.policy.overlap is Overlap.ALLOW, "two runs of a key at once"
            assert bool(execute.policy.files) == bool(request.files)
            is_asked_for = request.reason is Reason.TRIGGERED
            assert is_asked_for or not self.is_paused(execute.key), "a run begins while it is paused"
            if is_asked_for:
                assert (request.counts_from, request.parameters) == (None, (("name", "value"),))
            elif request.attempt == 1:
                assert request.counts_from is not None
                self.counts_from[request.run_id] = request.counts_from
                self._served[execute.key, request.due] += 1
                assert self._served[execute.key, request.due] == 1, f"{request.due} is served twice"
            else:
                assert request.attempt <= 4
            self.going[request.run_id] = request
            limit = execute.policy.limit
            if limit is not None:
                of_limit = [each for each in self.going.values() if each.execute.policy.limit is not None]
                assert len(of_limit) <= 2, "more runs than a limit allows"
        assert len(self.going) <= SLOTS or not self.is_calm, "more runs than slots"

    def cancel(self, run_id: str, cause: str) -> None:
        assert "replaced" in cause or "by jo" in cause
        assert run_id in self.going
        assert run_id not in self.cancelled or "by jo" in cause
        self.cancelled.add(run_id)

    def stop(self, grace: timedelta) -> list[RunRequest]:
        return list(self.going.values())

    def hasten(self) -> None:
        """Nothing is waited for."""


class CrashingStore(SQLiteStore):
    """The real store, whose process may be killed: what was not flushed is lost, and its claims are nobody's."""

    def __init__(self) -> None:
        self._lives = 0
        super().__init__(":memory:", holder="daemon 0 x y", is_alive=lambda holder: holder == self._name())

    def _name(self) -> str:
        return f"daemon {self._lives} x y"

    def crash(self) -> None:
        self._lives += 1
        self._holder = self._name()
        self._pending.clear()
        self._retried.clear()


class Life(RuleBasedStateMachine):
    """A daemon's life."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.monotonic = 0.0
        self.store = CrashingStore()
        self.served: Counter[tuple[str, datetime]] = Counter()
        self.counts_from: dict[str, datetime] = {}  # by run
        self.catalog = Catalog()
        self.unflushed = 0
        self.run_number = 0
        # Of each key since when its schedule is as it is, for the law of accounts.
        self.eras: dict[str, datetime] = {}
        self.latest = EPOCH  # the latest instant that was ever looked at
        self.lookups: list[RunRequest] = []
        self.stepped_at = EPOCH
        self.is_broken = False  # a law was broken already
        self.asked: set[str] = set()  # the runs that somebody asked for
        self.pauses: dict[str, datetime | None] = {}  # until when
        self.begin()

    def begin(self) -> None:
        """A daemon starts."""
        self.engine = Engine(self.served, self.current, counts_from=self.counts_from)
        self.scheduler = Scheduler(
            Agenda(
                run_ids=self.run_ids(),
                last_starts=self.store.last_starts(),
                retries=self.store.retries(),
                slots=SLOTS,
                pauses=self.store.pauses(),
            ),
            engine=self.engine,
            store=self.store,
            clock=self.clock,
            publish=self.publish,
            look=lambda request, _: self.lookups.append(request),
        )
        self.engine.is_paused = self.is_paused
        self.lookups.clear()
        self.history = HistoryListener(self.store, self.clock)
        for run in self.store.cut_off(now=self.clock.now()):
            self.publish(RunFinished(run=run))
        self.store.flush()

    def run_ids(self) -> Iterator[str]:
        while True:
            self.run_number += 1
            yield f"run-{self.run_number}"

    def publish(self, event: Event) -> None:
        self.history(event)
        if isinstance(event, RunFinished) and event.request is not None and event.request.counts_from is not None:
            self.counts_from[event.run.run_id] = event.request.counts_from

    def is_paused(self, key: str) -> bool:
        """By what was asked for and no more."""
        now = self.clock.now()
        found = [self.pauses[each] for each in (key, "") if each in self.pauses]
        return any(until is None or until > now for until in found)

    def current(self, key: str) -> Execute | None:
        found = self.catalog.find(key)
        return found[1] if found is not None else None

    def step(self) -> None:
        now = self.clock.now()
        # What is over is over, should the clock be set back.
        self.pauses = {key: until for key, until in self.pauses.items() if until is None or until > now}
        self.is_broken = True
        self.engine.is_calm = not timedelta(0) < now - self.stepped_at < timedelta(seconds=1)
        self.stepped_at = now
        self.scheduler.compare_clocks(now, self.monotonic)
        self.scheduler.step(now)
        self.is_broken = False
        self.latest = max(self.latest, now)

    def adopt(self) -> None:
        self.scheduler.adopt(self.catalog)
        self.step()

    def end(self, request: RunRequest, outcome: Outcome) -> None:
        del self.engine.going[request.run_id]
        run = make_run(request, outcome, finished_at=self.clock.now())
        self.publish(RunFinished(run=run, request=request))
        self.scheduler.finished(run)

    @initialize(schedule=schedules, policy=policies)
    def begin_with_one(self, schedule: Schedule, policy: Policy) -> None:
        self.save("a", schedule, policy)

    @rule(name=st.sampled_from(NAMES), schedule=schedules, policy=policies)
    def save(self, name: str, schedule: Schedule, policy: Policy) -> None:
        key = f"{name}/q#job"
        before = self.current(key)
        execute = make_execute(key, schedule=schedule, policy=policy, code=f"run({self.run_number})")
        self.catalog = self.catalog.accept(make_rd(execute, rd_id=f"{name}/q"))
        if before is None or before.schedule != schedule or bool(before.policy.files) != bool(policy.files):
            self.eras[key] = max(self.clock.now(), self.latest)
        self.adopt()

    @rule(name=st.sampled_from(NAMES))
    def remove(self, name: str) -> None:
        self.catalog = self.catalog.drop(f"{name}/q")
        self.eras.pop(f"{name}/q#job", None)
        self.adopt()

    @rule(seconds=st.one_of(st.floats(0, 90), st.floats(0, 2 * HOUR), st.sampled_from([600.0, HOUR, 30.0])))
    def wait(self, seconds: float) -> None:
        self.clock.move(seconds)
        self.monotonic += seconds
        self.step()

    @rule(seconds=st.floats(-20 * HOUR, 30 * HOUR))
    def set_clock(self, seconds: float) -> None:
        """Or the machine sleeps.  Never back by a day in all, beyond which a clock was wrong before."""
        self.clock.at = max(self.clock.at + timedelta(seconds=seconds), self.latest - timedelta(hours=23))
        self.step()

    @precondition(lambda self: self.engine.going)
    @rule(data=st.data(), outcome=st.sampled_from([Outcome.SUCCEEDED, Outcome.SUCCEEDED, *BAD]))
    def end_one(self, data: st.DataObject, outcome: Outcome) -> None:
        request = self.engine.going[data.draw(st.sampled_from(sorted(self.engine.going)))]
        self.end(request, Outcome.CANCELLED if request.run_id in self.engine.cancelled else outcome)

    @precondition(lambda self: self.lookups)
    @rule(how=st.sampled_from(["new", "new", "nothing", "failed"]))
    def answer(self, how: str) -> None:
        request = self.lookups.pop(0)
        if how == "failed":
            self.scheduler.not_found(request, "the folder cannot be read")
        else:
            files = (NewFile(path="/data/x", size=1, mtime_ns=1),) if how == "new" else ()
            self.scheduler.found(request, files)
        self.step()

    @rule(name=st.sampled_from(NAMES))
    def trigger(self, name: str) -> None:
        self.step()
        key = f"{name}/q#job"
        holders = [each.execute for each in self.engine.going.values() if each.execute.key == key]
        try:
            run_id = self.scheduler.ask(lambda agenda, now: agenda.trigger(key, (("name", "value"),), now))
        except UnknownNameError:
            assert self.current(key) is None
        except RefusedError as refusal:
            if "is running since" in str(refusal) and not holders:
                raise
        else:
            current = self.current(key)
            assert current is not None
            assert not holders or current.policy.overlap is Overlap.ALLOW
            self.asked.add(run_id)
        self.step()

    @rule(name=st.sampled_from(NAMES), data=st.data())
    def cancel(self, name: str, data: st.DataObject) -> None:
        self.step()
        names = [f"{name}/q#job", *sorted(self.engine.going), *sorted(self.asked)]
        with suppress(RefusedError):
            self.scheduler.ask(lambda agenda, now: agenda.cancel(data.draw(st.sampled_from(names)), "by jo", now))
        self.step()

    @rule(name=st.sampled_from([*NAMES, ""]), seconds=st.one_of(st.none(), st.floats(1, 20 * HOUR)))
    def pause(self, name: str, seconds: float | None) -> None:
        key = f"{name}/q#job" if name else ""
        until = None if seconds is None else self.clock.now() + timedelta(seconds=seconds)
        pause = Pause(key=key, since=self.clock.now(), until=until)
        try:
            self.scheduler.ask(lambda agenda, _: agenda.pause(pause))
        except UnknownNameError:
            assert self.current(key) is None
            return
        self.pauses[key] = until
        self.publish(PauseBegan(pause=pause))
        self.store.flush()
        self.step()

    @rule(name=st.sampled_from([*NAMES, ""]))
    def resume(self, name: str) -> None:
        key = f"{name}/q#job" if name else ""
        with suppress(RefusedError):
            pause = self.scheduler.ask(lambda agenda, now: agenda.resume(key, now))
            self.publish(PauseEnded(pause=pause, at=self.clock.now()))
        self.pauses.pop(key, None)
        self.store.flush()
        self.step()

    @rule()
    def flush(self) -> None:
        self.store.flush()

    @rule(seconds=st.one_of(st.just(0.0), st.floats(0, 3 * HOUR), st.floats(0, 100 * HOUR)))
    def crash(self, seconds: float) -> None:
        self.store.crash()
        self.asked &= {run_id for run_id in self.asked if self.store.run(run_id) is not None}  # the others never began
        self.clock.move(seconds)
        self.begin()
        self.adopt()

    @invariant()
    def everything_that_runs_is_claimed(self) -> None:
        claimed = {run.run_id for run in map(self.store.run, self.engine.going) if run is not None}
        assert claimed == set(self.engine.going)

    def teardown(self) -> None:
        if self.is_broken:
            return
        self.settle()
        for run_id in self.asked:
            run = self.store.run(run_id)
            assert run is not None, "nothing is known of a run that somebody asked for"
            assert (run.reason, run.outcome is not None) == (Reason.TRIGGERED, True)
        for key in self.eras:
            self.check_accounts(key)
        self.check_that_nothing_is_blocked()
        self.store.close()

    def settle(self) -> None:
        """Let all that goes on or waits come to its end."""
        self.clock.at = max(self.clock.at, self.latest)
        for key in list(self.pauses):
            self.resume(key.partition("/")[0])
        for _ in range(1000):
            while self.lookups:
                self.scheduler.found(self.lookups.pop(0), ())
            for request in list(self.engine.going.values()):
                self.end(request, Outcome.SUCCEEDED)
            self.step()
            if not self.engine.going and not self.lookups:
                break
        else:
            raise AssertionError("it never comes to rest")
        self.store.flush()

    def check_accounts(self, key: str) -> None:
        """Each due instant since the schedule is as it is has one record, or a part in one."""
        execute = self.current(key)
        assert execute is not None
        begin = self.eras[key]
        rows = [run for run in self.store.runs(key, limit=1_000_000) if run.attempt == 1 and run.due > begin]
        rows = [run for run in rows if run.reason is not Reason.TRIGGERED]
        dues = sorted(run.due for run in rows)
        assert len(set(dues)) == len(dues), "an instant is accounted for twice"
        if execute.policy.files:
            return  # silent where nothing was new
        if isinstance(execute.schedule, Every):
            self.check_interval(rows, timedelta(seconds=execute.schedule.seconds))
            return
        assert isinstance(execute.schedule, At)
        expected, due = [], execute.schedule.next_due(begin, begin)
        while due is not None and due <= self.latest:
            expected.append(due)
            due = execute.schedule.next_due(due, due)
        summed = sum(run.instants for run in rows)
        assert summed == len(expected), (summed, len(expected), dues, expected[:5])
        assert set(dues) <= set(expected)

    def check_interval(self, rows: list[Run], interval: timedelta) -> None:
        """Each instant is an interval after what counted before it: with none between, there is no gap."""
        before: datetime | None = None
        for run in sorted(rows, key=lambda run: run.due):
            first = run.due - (run.instants - 1) * interval
            assert before is None or first == before + interval, (before, first)
            before = self.counts_from.get(run.run_id, run.due)
        if before is not None:
            assert before + interval > self.latest, "an instant is not accounted for"

    def check_that_nothing_is_blocked(self) -> None:
        """Left alone, each execute is served soon."""
        waited = set(self.eras)
        for _ in range(300):
            due = self.scheduler.step(self.clock.now())
            while self.lookups:
                self.scheduler.found(self.lookups.pop(0), (NewFile(path="/data/x", size=1, mtime_ns=1),))
                self.scheduler.step(self.clock.now())
            going = list(self.engine.going.values())
            for request in going:
                waited.discard(request.execute.key)
                self.end(request, Outcome.SUCCEEDED)
                self.catalog = self.catalog.drop(rd_id_of(request.execute.key))
                self.scheduler.adopt(self.catalog)
            if not waited:
                return
            if not going and due is not None:
                self.clock.at = max(self.clock.at, due)
        raise AssertionError(f"{waited} never ran")


class TestLife(Life.TestCase):  # type: ignore[misc, valid-type]
    """Many lives."""

    settings = settings(
        max_examples=int(os.environ.get("GAVO_SIMULATED_LIVES", "60")),
        stateful_step_count=50,
        deadline=None,
        report_multiple_bugs=False,
        phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
