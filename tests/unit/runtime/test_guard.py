"""What stands round a run: nothing gets past it, everything is accounted for."""

import threading
from collections.abc import Callable

import pytest

from gavo_exec.errors import ReportableError
from gavo_exec.events import Event, RunFinished, RunStarted
from gavo_exec.model import Outcome, Run
from gavo_exec.ports import Completed
from gavo_exec.runtime import capture
from gavo_exec.runtime.active import ActiveRun
from gavo_exec.runtime.guard import MAX_ERROR_CHARACTERS, Guard
from gavo_exec.testing import EPOCH, FakeClock, make_request


class Scope:
    """What a run leaves behind."""

    def __init__(self) -> None:
        self.failures: list[Completed] = []
        self.accum: list[str | bytes] = []

    def accumulated(self) -> list[str | bytes]:
        return self.accum


def guard_of(job: Callable[[Scope], object], events: list[Event] | None = None) -> Guard:
    def prepare(_: ActiveRun) -> tuple[Callable[[], object], Scope]:
        scope = Scope()
        return lambda: job(scope), scope

    clock = FakeClock()

    def publish(event: Event) -> None:
        clock.move(1)
        if events is not None:
            events.append(event)

    return Guard(prepare, clock=clock, publish=publish, host="vo", output_limit_bytes=10_000)


def perform(job: Callable[[Scope], object]) -> Run:
    return guard_of(job).perform(make_request())


def raiser(fault: BaseException) -> Callable[[Scope], object]:
    def job(_: Scope) -> None:
        raise fault

    return job


def fail(returncode: int, *, timed_out: bool = False) -> Callable[[Scope], object]:
    def job(scope: Scope) -> None:
        scope.failures.append(
            Completed(argv=("fetch", "a b"), cwd="/inputs/test", returncode=returncode, timed_out=timed_out)
        )

    return job


def test_a_good_run_is_recorded_with_all_that_is_known_of_it() -> None:
    events: list[Event] = []
    request = make_request()
    run = guard_of(lambda _: None, events).perform(request)
    assert run == Run(
        run_id="run-1",
        key="test/q#job",
        title="a job",
        due=EPOCH,
        started_at=EPOCH,
        finished_at=run.finished_at,
        outcome=Outcome.SUCCEEDED,
        host="vo",
        digest="digest of test/q",
    )
    assert run.duration_seconds == 1
    assert events == [RunStarted(request=request, started_at=EPOCH), RunFinished(run=run, request=request)]


@pytest.mark.parametrize(
    ("fault", "outcome", "cause"),
    [
        (ValueError("bad input"), Outcome.FAILED, "ValueError: bad input"),
        (ReportableError("no disk", hint="buy one"), Outcome.FAILED, "gavo_exec.errors.ReportableError: no disk"),
        (SystemExit(3), Outcome.FAILED, "sys.exit(3) in job code"),
        (SystemExit("gone"), Outcome.FAILED, "sys.exit('gone') in job code"),
        (SystemExit(0), Outcome.SUCCEEDED, ""),
        (SystemExit(), Outcome.SUCCEEDED, ""),
        (KeyboardInterrupt(), Outcome.CANCELLED, "KeyboardInterrupt"),
        (GeneratorExit(), Outcome.FAILED, "GeneratorExit"),
        (MemoryError(), Outcome.FAILED, "MemoryError"),
    ],
)
def test_whatever_is_raised_has_an_outcome_and_its_cause_first(
    fault: BaseException, outcome: Outcome, cause: str
) -> None:
    run = perform(raiser(fault))
    assert (run.outcome, run.error.partition("\n")[0]) == (outcome, cause)


def test_a_hint_is_said_with_the_cause() -> None:
    assert "\nhint: buy one\n" in perform(raiser(ReportableError("no disk", hint="buy one"))).error


def test_an_exception_that_cannot_be_shown_is_still_a_failed_run() -> None:
    class NastyError(Exception):
        def __str__(self) -> str:
            raise ValueError("never")

    run = perform(raiser(NastyError()))
    assert run.outcome is Outcome.FAILED
    assert "NastyError" in run.error


def test_a_very_long_message_is_kept_in_bounds() -> None:
    run = perform(raiser(ValueError("x" * 10_000_000)))
    assert len(run.error) < MAX_ERROR_CHARACTERS + 100
    assert "characters left out" in run.error


def test_deep_recursion_is_a_failed_run() -> None:
    def deep() -> None:
        deep()

    run = perform(lambda _: deep())
    assert run.error.startswith("RecursionError")


@pytest.mark.parametrize(
    ("returncode", "outcome", "cause"),
    [
        (3, Outcome.FAILED, "exit 3: fetch 'a b'"),
        (-9, Outcome.FAILED, "ended by SIGKILL: fetch 'a b'"),
        (-99, Outcome.FAILED, "ended by signal 99: fetch 'a b'"),
    ],
)
def test_a_failed_child_makes_a_failed_run_though_the_job_went_on(
    returncode: int, outcome: Outcome, cause: str
) -> None:
    run = perform(fail(returncode))
    assert (run.outcome, run.returncode, run.error.splitlines()) == (
        outcome,
        returncode,
        [cause, "command:     fetch 'a b'", "directory:   /inputs/test", f"return code: {returncode}"],
    )


def test_the_last_thing_that_a_failed_child_said_is_the_cause() -> None:
    def job(scope: Scope) -> None:
        output = b"trying\nno route to host \xff\n\n"
        scope.failures.append(Completed(argv=("fetch",), cwd="/", returncode=2, output=output))

    assert perform(job).error.splitlines()[:2] == ["exit 2: no route to host \\xff", "command:     fetch"]


def test_a_child_that_took_too_long_makes_a_run_that_timed_out() -> None:
    run = perform(fail(-15, timed_out=True))
    assert (run.outcome, run.error.partition("\n")[0]) == (Outcome.TIMED_OUT, "timed out: fetch 'a b'")


def test_the_exception_is_the_cause_where_there_is_a_failed_child_as_well() -> None:
    def job(scope: Scope) -> None:
        fail(3)(scope)
        raise ValueError("no result")

    run = perform(job)
    assert run.error.startswith("ValueError: no result\n")
    assert "\nexit 3: fetch" in run.error
    assert run.returncode == 3


def test_a_job_that_cannot_even_be_made_is_a_failed_run() -> None:
    events: list[Event] = []

    def prepare(_: ActiveRun) -> tuple[Callable[[], object], Scope]:
        raise SyntaxError("'break' outside loop")

    guard = Guard(prepare, clock=FakeClock(), publish=events.append, host="vo", output_limit_bytes=100)
    run = guard.perform(make_request())
    assert (run.outcome, run.error.partition("\n")[0]) == (Outcome.FAILED, "SyntaxError: 'break' outside loop")
    assert events[-1] == RunFinished(run=run, request=make_request())


def test_what_the_job_prints_and_accumulates_is_the_runs_output() -> None:
    def job(scope: Scope) -> None:
        print("said")
        scope.accum.extend(["text äöü", b"bytes \xff\n"])

    with capture.install():
        run = perform(job)
    assert run.output == "said\ntext äöü\nbytes \\xff\n"


def test_a_run_that_nobody_waits_for_is_accounted_for_once_with_its_output_so_far() -> None:
    events: list[Event] = []
    begun, go_on = threading.Event(), threading.Event()

    def job(_: Scope) -> None:
        print("half way")
        begun.set()
        assert go_on.wait(10)
        raise ValueError("too late to be told")

    guard = guard_of(job, events)
    request = make_request()
    with capture.install():
        thread = threading.Thread(target=guard.perform, args=(request,))
        thread.start()
        assert begun.wait(10)
        guard.interrupt([request], "stopped")
        go_on.set()
        thread.join()
    ended = [event.run for event in events if isinstance(event, RunFinished)]
    assert [(run.outcome, run.error, run.output) for run in ended] == [(Outcome.INTERRUPTED, "stopped", "half way\n")]


def test_a_run_that_has_just_ended_is_not_interrupted_as_well() -> None:
    events: list[Event] = []
    guard = guard_of(lambda _: None, events)
    request = make_request()
    guard.perform(request)
    guard.interrupt([request], "stopped")
    assert [event.run.outcome for event in events if isinstance(event, RunFinished)] == [Outcome.SUCCEEDED]


def test_a_refused_request_is_accounted_for() -> None:
    events: list[Event] = []
    run = guard_of(lambda _: None, events).refuse(make_request(), "no thread")
    assert (run.outcome, run.error, run.started_at) == (Outcome.FAILED, "no thread", None)
    assert events == [RunFinished(run=run, request=make_request())]
