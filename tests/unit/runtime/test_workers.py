"""The local engine: every request ends exactly once, whatever happens to threads."""

import signal
import threading
from datetime import timedelta
from time import monotonic

from gavo_exec.model import Outcome, Run, RunRequest
from gavo_exec.runtime.workers import LocalEngine
from gavo_exec.testing import EPOCH, make_execute, make_request


def request(number: int) -> RunRequest:
    return make_request(make_execute(f"test/q#{number}"), run_id=f"run-{number}")


def record(request: RunRequest, outcome: Outcome, cause: str = "") -> Run:
    return Run(run_id=request.run_id, key=request.execute.key, title="", due=EPOCH, outcome=outcome, error=cause)


class Performer:
    """Ends runs well, unless told to hold or to fail."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.go_on.set()
        self.begun = threading.Semaphore(0)
        self.raising = False
        self.cancelled: list[tuple[str, str]] = []

    def perform(self, request: RunRequest) -> Run:
        self.begun.release()
        assert self.go_on.wait(20)
        if self.raising:
            raise MemoryError("in the guard itself")
        return record(request, Outcome.SUCCEEDED)

    def refuse(self, request: RunRequest, cause: str, outcome: Outcome = Outcome.FAILED) -> Run:
        return record(request, outcome, cause)

    def cancel(self, run_id: str, cause: str) -> None:
        self.cancelled.append((run_id, cause))


class Ends:
    """Collects ended runs, and waits for them."""

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self._ended = threading.Semaphore(0)

    def __call__(self, run: Run) -> None:
        self.runs.append(run)
        self._ended.release()

    def wait(self, count: int) -> list[Run]:
        for _ in range(count):
            assert self._ended.acquire(timeout=20)
        return self.runs


def engine_of(workers: int) -> tuple[LocalEngine, Performer, Ends]:
    engine, performer, ends = LocalEngine(workers=workers), Performer(), Ends()
    engine.start(performer, ends)
    return engine, performer, ends


def worker_threads() -> int:
    return sum(thread.name.startswith("worker-") for thread in threading.enumerate())


def test_each_request_ends_once() -> None:
    engine, _, ends = engine_of(4)
    engine.submit([request(number) for number in range(500)])
    assert sorted(run.run_id for run in ends.wait(500)) == sorted(f"run-{number}" for number in range(500))
    assert engine.stop(timedelta(seconds=10)) == []
    assert len(ends.runs) == 500


def test_threads_are_made_as_needed_and_not_beyond_the_limit() -> None:
    engine, performer, ends = engine_of(3)
    assert worker_threads() == 0
    performer.go_on.clear()
    engine.submit([request(1)])
    assert performer.begun.acquire(timeout=10)
    assert worker_threads() == 1
    engine.submit([request(number) for number in range(2, 10)])
    for _ in range(2):
        assert performer.begun.acquire(timeout=10)
    assert worker_threads() == 3
    performer.go_on.set()
    ends.wait(9)
    assert engine.stop(timedelta(seconds=10)) == []
    assert worker_threads() == 0


def test_a_long_run_never_keeps_a_later_one_from_a_free_seat() -> None:
    engine, performer, ends = engine_of(2)
    engine.submit([request(1)])
    ends.wait(1)
    performer.go_on.clear()
    for number in (2, 3):
        engine.submit([request(number)])
    for _ in range(3):
        assert performer.begun.acquire(timeout=10)
    performer.go_on.set()
    ends.wait(2)
    engine.stop(timedelta(seconds=10))


def test_a_guard_that_fails_itself_costs_a_run_and_no_worker() -> None:
    engine, performer, ends = engine_of(1)
    performer.raising = True
    engine.submit([request(1)])
    (run,) = ends.wait(1)
    assert (run.outcome, run.error) == (Outcome.FAILED, "the guard failed: MemoryError('in the guard itself')")
    performer.raising = False
    engine.submit([request(2)])
    assert ends.wait(1)[-1].outcome is Outcome.SUCCEEDED
    engine.stop(timedelta(seconds=10))


def test_stopping_waits_its_grace_then_names_what_goes_on_and_accounts_for_what_never_began() -> None:
    engine, performer, ends = engine_of(1)
    performer.go_on.clear()
    engine.submit([request(1), request(2)])
    assert performer.begun.acquire(timeout=10)
    left = engine.stop(timedelta(0))
    assert [one.run_id for one in left] == ["run-1"]
    (run,) = ends.wait(1)
    assert (run.run_id, run.outcome, run.error) == (
        "run-2",
        Outcome.INTERRUPTED,
        "the daemon stopped before it could begin",
    )
    performer.go_on.set()
    ends.wait(1)


def test_where_no_thread_can_be_made_the_run_has_failed() -> None:
    engine, _, ends = engine_of(0)
    engine.submit([request(1)])
    (run,) = ends.wait(1)
    assert (run.outcome, run.error) == (Outcome.FAILED, "no thread could be made to run it")
    assert engine.stop(timedelta(0)) == []


def test_cancelling_is_the_guards_whether_a_run_has_begun_or_not() -> None:
    engine, performer, ends = engine_of(1)
    performer.go_on.clear()
    engine.submit([request(1), request(2)])
    engine.cancel("run-2", "replaced")
    engine.cancel("run-1", "replaced")
    assert performer.cancelled == [("run-2", "replaced"), ("run-1", "replaced")]
    performer.go_on.set()
    ends.wait(2)
    engine.stop(timedelta(seconds=10))


def test_stopping_can_be_hastened_by_a_signal_handler_while_it_waits() -> None:
    engine, performer, ends = engine_of(2)
    performer.go_on.clear()
    engine.submit([request(1)])
    assert performer.begun.acquire(timeout=10)
    before = signal.signal(signal.SIGALRM, lambda *_: engine.hasten())
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    begun = monotonic()
    try:
        left = engine.stop(timedelta(seconds=1000))
    finally:
        signal.signal(signal.SIGALRM, before)
    assert monotonic() - begun < 20
    assert [one.run_id for one in left] == ["run-1"]
    performer.go_on.set()
    ends.wait(1)
    assert engine.stop(timedelta(seconds=20)) == []
    assert worker_threads() == 0


def test_a_stop_that_is_hastened_before_it_waits_does_not_wait() -> None:
    engine, performer, ends = engine_of(1)
    performer.go_on.clear()
    engine.submit([request(1)])
    assert performer.begun.acquire(timeout=10)
    engine.hasten()
    assert [one.run_id for one in engine.stop(timedelta(seconds=1000))] == ["run-1"]
    assert [one.run_id for one in engine.stop(timedelta(seconds=0.01))] == ["run-1"]
    performer.go_on.set()
    ends.wait(1)
    assert engine.stop(timedelta(seconds=20)) == []


def test_each_request_ends_once_though_the_stop_comes_at_any_moment() -> None:
    for _ in range(20):
        engine, performer, ends = engine_of(4)
        engine.submit([request(number) for number in range(200)])
        assert performer.begun.acquire(timeout=10)
        assert engine.stop(timedelta(seconds=20)) == []
        assert sorted(run.run_id for run in ends.runs) == sorted(f"run-{number}" for number in range(200))
