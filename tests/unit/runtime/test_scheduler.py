"""Messages in, requests and events out: driven step by step with a fake clock."""

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from gavo_exec.catalog import Catalog
from gavo_exec.errors import StoreError
from gavo_exec.events import ClockStepped, Event, JobsReconciled, RunFinished, Trouble
from gavo_exec.model import DEFAULT_POLICY, Execute, LastStart, NewFile, Outcome, Overlap, Policy, Run, RunRequest
from gavo_exec.runtime.agenda import Agenda
from gavo_exec.runtime.scheduler import _STOP, LOOKAHEAD, Scheduler
from gavo_exec.schedule import Every
from gavo_exec.services.store import SQLiteStore
from gavo_exec.testing import EPOCH, FakeClock, HeldEngine, make_execute, make_rd, run_ids, starts_of


class Performer:
    """Ends every run well."""

    def perform(self, request: RunRequest) -> Run:
        return self.refuse(request, "", Outcome.SUCCEEDED)

    def refuse(self, request: RunRequest, cause: str, outcome: Outcome = Outcome.FAILED) -> Run:
        return Run(
            run_id=request.run_id,
            key=request.execute.key,
            title=request.execute.title,
            due=request.due,
            finished_at=EPOCH,
            outcome=outcome,
            error=cause,
        )

    def cancel(self, run_id: str, cause: str) -> None:
        raise AssertionError("nobody asked for that")


class Forgiving(Performer):
    """May be asked to end runs."""

    def cancel(self, run_id: str, cause: str) -> None:
        pass


class Stage:
    """A scheduler over a store in memory, and an engine that leaves it to the test to end runs."""

    def __init__(self, *executes: Execute, store: SQLiteStore | None = None) -> None:
        self.clock = FakeClock()
        self.events: list[Event] = []
        self.engine = HeldEngine()
        self.store = store or SQLiteStore(":memory:", holder="us", is_alive=lambda _: True)
        self.scheduler = Scheduler(
            Agenda(run_ids=run_ids()),
            engine=self.engine,
            store=self.store,
            clock=self.clock,
            publish=self.events.append,
        )
        self.engine.start(Performer(), self.scheduler.finished)
        if executes:
            self.scheduler.adopt(Catalog().accept(make_rd(*executes)))

    def at(self, seconds: float) -> datetime | None:
        return self.scheduler.step(EPOCH + timedelta(seconds=seconds))


@pytest.fixture
def execute() -> Execute:
    return make_execute(schedule=Every(seconds=10, immediately=True))


def test_a_step_starts_what_is_due_and_says_when_the_next_is(execute: Execute) -> None:
    stage = Stage(execute)
    assert stage.at(0) == EPOCH + timedelta(seconds=10)
    assert [request.due for request in stage.engine.submitted] == [EPOCH]
    assert stage.events == [JobsReconciled(added=("test/q#job",))]
    stage.store.close()


def test_a_run_is_claimed_before_it_is_submitted(execute: Execute) -> None:
    stage = Stage(execute)
    stage.at(0)
    assert list(stage.store.running()) == ["test/q#job"]
    assert starts_of(stage.store) == {"test/q#job": EPOCH}
    stage.store.close()


def test_a_key_is_free_again_once_its_run_has_ended(execute: Execute) -> None:
    stage = Stage(execute)
    stage.at(0)
    stage.at(10)
    assert len(stage.engine.submitted) == 1
    (event,) = [event for event in stage.events if isinstance(event, RunFinished)]
    assert event.run.outcome is Outcome.SKIPPED
    stage.engine.perform(stage.engine.submitted[0])
    stage.at(20)
    assert [request.due for request in stage.engine.submitted] == [EPOCH + timedelta(seconds=20)]
    stage.store.close()


def test_a_key_that_another_process_runs_is_skipped_and_free_afterwards(execute: Execute) -> None:
    class Elsewhere(SQLiteStore):
        refusing = True

        def claim(self, requests: Sequence[RunRequest], **noted: Any) -> dict[str, str]:
            return {requests[0].run_id: "process 7"} if self.refusing else super().claim(requests, **noted)

    store = Elsewhere(":memory:", holder="us", is_alive=lambda _: True)
    stage = Stage(execute, store=store)
    stage.at(0)
    assert stage.engine.submitted == []
    event = stage.events[-1]
    assert isinstance(event, RunFinished)
    assert (event.run.outcome, event.run.error) == (Outcome.SKIPPED, "run elsewhere: process 7")
    store.refusing = False
    stage.at(10)
    assert len(stage.engine.submitted) == 1
    store.close()


def test_runs_start_though_the_store_fails_and_that_is_said(execute: Execute) -> None:
    class Full(SQLiteStore):
        def claim(self, requests: Sequence[RunRequest], **noted: Any) -> dict[str, str]:
            raise StoreError("disk full")

    stage = Stage(execute, store=Full(":memory:", holder="us", is_alive=lambda _: True))
    stage.at(0)
    assert len(stage.engine.submitted) == 1
    trouble = Trouble(message="runs start without being noted in the state: disk full", at=EPOCH, place="the state")
    assert trouble in stage.events
    stage.store.close()


def test_messages_are_handled_in_order_so_that_removal_and_return_do_not_swap(execute: Execute) -> None:
    stage = Stage(execute)
    stage.scheduler.adopt(Catalog())
    stage.scheduler.adopt(Catalog().accept(make_rd(execute)))
    stage.at(0)
    assert [status.key for status in stage.scheduler.statuses()] == ["test/q#job"]
    stage.store.close()


def test_the_thread_wakes_for_messages_and_starts_what_is_due() -> None:
    stage = Stage()
    submitted = threading.Event()

    class Engine(HeldEngine):
        def submit(self, requests: Sequence[RunRequest]) -> None:
            super().submit(requests)
            submitted.set()

    engine = Engine()
    engine.start(Performer(), lambda _: None)
    scheduler = Scheduler(
        Agenda(run_ids=run_ids()),
        engine=engine,
        store=stage.store,
        clock=stage.clock,
        publish=stage.events.append,
    )
    scheduler.start()
    scheduler.adopt(Catalog().accept(make_rd(make_execute(schedule=Every(seconds=10, immediately=True)))))
    assert submitted.wait(10)
    assert [status.key for status in scheduler.statuses()] == ["test/q#job"]
    scheduler.stop()
    assert scheduler.died is None
    stage.store.close()


def test_the_death_of_the_scheduler_is_noticed(caplog: pytest.LogCaptureFixture) -> None:
    class BadClock:
        def now(self) -> datetime:
            raise ZeroDivisionError("no time")

    stage = Stage()
    scheduler = Scheduler(
        Agenda(run_ids=run_ids()), engine=stage.engine, store=stage.store, clock=BadClock(), publish=stage.events.append
    )
    scheduler.start()
    scheduler.stop()
    assert isinstance(scheduler.died, ZeroDivisionError)
    assert "the scheduler died" in caplog.text
    stage.store.close()


def test_what_is_left_out_is_in_the_store_before_anybody_is_told() -> None:
    seen: list[list[Run]] = []
    stage = Stage(make_execute(schedule=Every(seconds=10, immediately=True)))

    def look(event: Event) -> None:
        if isinstance(event, RunFinished):
            seen.append(stage.store.runs(event.run.key))

    stage.scheduler._publish = look
    stage.at(0)
    stage.at(10)
    [runs] = seen
    assert [run.outcome for run in runs] == [None, Outcome.SKIPPED]
    assert starts_of(stage.store) == {"test/q#job": EPOCH + timedelta(seconds=10)}
    stage.store.close()


WAITING = make_execute(schedule=Every(seconds=10, immediately=True), policy=Policy(files="/data/*"))
NEW = NewFile(path="/data/a", size=1, mtime_ns=1)


def looking(stage: Stage) -> list[RunRequest]:
    asked: list[RunRequest] = []
    stage.scheduler._look = lambda request, _: asked.append(request)
    return asked


def test_files_are_asked_for_and_what_was_found_starts_the_run() -> None:
    stage = Stage(WAITING)
    asked = looking(stage)
    stage.at(0)
    assert stage.engine.submitted == []
    stage.scheduler.found(asked[0], (NEW,))
    stage.at(1)
    assert [request.files for request in stage.engine.submitted] == [(NEW,)]
    stage.store.close()


def test_where_nothing_is_new_nothing_is_recorded_and_the_instant_is_not_missed_after_a_restart() -> None:
    stage = Stage(WAITING)
    asked = looking(stage)
    stage.at(0)
    stage.scheduler.found(asked[0], ())
    stage.at(1)
    assert stage.store.runs() == []
    assert starts_of(stage.store) == {"test/q#job": EPOCH}
    stage.store.close()


def test_files_that_cannot_be_looked_up_make_a_failed_run_that_is_told() -> None:
    stage = Stage(WAITING)
    asked = looking(stage)
    stage.at(0)
    stage.scheduler.not_found(asked[0], "/data: Permission denied")
    stage.at(1)
    event = stage.events[-1]
    assert isinstance(event, RunFinished)
    assert event.run.outcome is Outcome.FAILED
    assert event.run.error == "its files could not be looked up: /data: Permission denied"
    stage.at(10)
    assert len(asked) == 2
    stage.store.close()


def test_runs_that_are_replaced_are_cancelled_in_the_engine() -> None:
    stage = Stage(make_execute(schedule=Every(seconds=10, immediately=True), policy=Policy(overlap=Overlap.REPLACE)))
    stage.engine.start(Forgiving(), stage.scheduler.finished)
    stage.at(0)
    stage.at(10)
    assert [run_id for run_id, _ in stage.engine.cancelled] == ["run-1"]
    stage.store.close()


@pytest.mark.parametrize(
    ("wall", "monotonic", "told"),
    [(30, 30, None), (34, 30, None), (28, 32.5, None), (3630, 30, 3600), (-3570, 30, -3600), (0, 6, -6)],
)
def test_a_clock_that_goes_another_way_than_the_monotonic_one_is_told(
    wall: float, monotonic: float, told: float | None
) -> None:
    stage = Stage()
    stage.scheduler.compare_clocks(EPOCH, 100.0)
    at = EPOCH + timedelta(seconds=wall)
    stage.scheduler.compare_clocks(at, 100.0 + monotonic)
    assert stage.events == ([] if told is None else [ClockStepped(seconds=told, at=at)])
    stage.store.close()


def test_a_clock_that_was_years_ahead_makes_nothing_wait_for_years() -> None:
    stage = Stage()
    stage.scheduler.adopt(Catalog().accept(make_rd(make_execute(schedule=Every(seconds=3600)))))
    ahead = EPOCH + timedelta(days=1000)
    stage.scheduler.compare_clocks(ahead, 100.0)
    due = stage.scheduler.step(ahead)
    assert due is not None
    assert due > ahead
    stage.scheduler.compare_clocks(EPOCH, 101.0)
    due = stage.scheduler.step(EPOCH)
    assert due is not None
    assert due <= EPOCH + timedelta(hours=1)
    stage.store.close()


def test_short_runs_let_more_wait_in_the_engine_than_it_has_slots() -> None:
    daily = Every(seconds=86_400, immediately=True)
    stage = Stage(*(make_execute(f"test/q#{number}", schedule=daily) for number in range(99)))
    stage.scheduler._agenda._slots = 10
    stage.at(0)
    assert len(stage.engine.submitted) == 10
    for seconds, ended, submitted in ((1, 5, 10), (1.002, 4, 10 + 20), (1.002, 0, 10 + 20), (2, 30, 10)):
        for request in stage.engine.submitted[:ended]:
            stage.engine.perform(request)
        stage.at(seconds)
        assert len(stage.engine.submitted) == submitted
    stage.store.close()


class AheadStage(Stage):
    """A scheduler that looks ahead, of which each step is at a millisecond."""

    def __init__(self, *executes: Execute) -> None:
        super().__init__(*executes)
        self.scheduler._lookahead = LOOKAHEAD

    def at_ms(self, milliseconds: float) -> float | None:
        due = self.scheduler.step(EPOCH + timedelta(milliseconds=milliseconds))
        return None if due is None else (due - EPOCH) / timedelta(milliseconds=1)

    def claimed(self) -> list[str]:
        return sorted(key.partition("#")[2] for key in self.store.running())

    def begun(self) -> list[str]:
        return [request.execute.key.partition("#")[2] for request in self.engine.submitted]


def due_at(name: str, milliseconds: int, *, policy: Policy = DEFAULT_POLICY) -> Execute:
    """An execute that has begun so long ago that its next instant is due at this millisecond."""
    return make_execute(f"test/q#{name}", schedule=Every(seconds=3600), policy=policy, title=str(milliseconds))


def ahead(*executes: Execute) -> AheadStage:
    stage = AheadStage()
    starts = {
        execute.key: LastStart(
            at=EPOCH + timedelta(milliseconds=int(execute.title)) - timedelta(hours=1),
            schedule=execute.schedule.describe(),
        )
        for execute in executes
    }
    stage.scheduler._agenda = Agenda(run_ids=run_ids(), last_starts=starts)
    stage.scheduler.adopt(Catalog().accept(make_rd(*executes)))
    return stage


def test_what_is_due_soon_is_claimed_before_it_is_due_and_begins_when_it_is() -> None:
    stage = ahead(due_at("a", 100), due_at("b", 104), due_at("c", 119), due_at("d", 400))
    assert stage.at_ms(0) == 95
    assert stage.claimed() == []
    assert stage.at_ms(95) == 100
    assert (stage.claimed(), stage.begun()) == (["a", "b", "c"], [])
    assert stage.at_ms(100) == 104
    assert stage.begun() == ["a"]
    assert stage.at_ms(104) == 119
    assert stage.at_ms(119.5) == 395
    assert stage.begun() == ["a", "b", "c"]
    assert [request.due.microsecond for request in stage.engine.submitted] == [100_000, 104_000, 119_000]
    stage.store.close()


def test_what_may_stand_in_somebodys_way_is_decided_when_it_is_due() -> None:
    stage = ahead(due_at("a", 100), due_at("own", 102, policy=Policy(overlap=Overlap.QUEUE)), due_at("c", 104))
    assert stage.at_ms(96) == 97
    assert stage.claimed() == ["a"]
    assert stage.at_ms(100) == 102
    assert stage.at_ms(102) == 104
    assert stage.begun() == ["a", "own"]
    assert stage.at_ms(104) is not None
    assert stage.begun() == ["a", "own", "c"]
    stage.store.close()


def test_what_was_claimed_ahead_is_handed_over_when_the_scheduler_stops() -> None:
    stage = ahead(due_at("a", 100))
    stage.at_ms(96)
    stage.scheduler._handle(_STOP, EPOCH)
    assert stage.begun() == ["a"]
    stage.store.close()


def test_what_was_claimed_ahead_begins_at_once_where_the_clock_is_set() -> None:
    stage = ahead(due_at("a", 100))
    stage.scheduler.compare_clocks(EPOCH, 0.0)
    stage.at_ms(96)
    stage.scheduler.compare_clocks(EPOCH - timedelta(hours=1), 0.1)
    assert stage.begun() == ["a"]
    stage.store.close()


def test_nothing_is_begun_while_those_that_hear_of_runs_are_behind() -> None:
    stage = Stage(make_execute(schedule=Every(seconds=10, immediately=True)))
    behind = True
    stage.scheduler._is_behind = lambda: behind
    assert stage.at(0) == EPOCH + timedelta(milliseconds=50)
    assert stage.engine.submitted == []
    behind = False
    stage.at(0.05)
    assert [request.due for request in stage.engine.submitted] == [EPOCH]
    stage.store.close()
