"""What stands round a run: nothing gets past it, everything is accounted for."""

import threading
from collections.abc import Callable
from datetime import timedelta
from time import monotonic

import pytest

from gavo_exec.errors import ReportableError
from gavo_exec.events import Event, RunFinished, RunOverdue, RunStarted
from gavo_exec.model import Outcome, Policy, Run, RunRequest
from gavo_exec.ports import Completed
from gavo_exec.runtime import capture
from gavo_exec.runtime.active import ActiveRun, Verdict
from gavo_exec.runtime.deadlines import Deadline, Deadlines
from gavo_exec.runtime.faults import MAX_ERROR_CHARACTERS
from gavo_exec.runtime.guard import Ending, Guard, too_long
from gavo_exec.testing import EPOCH, FakeClock, ScriptedRunner, make_execute, make_request


class Scope:
    """What a run leaves behind."""

    def __init__(self) -> None:
        self.failures: list[Completed] = []
        self.accum: list[str | bytes] = []

    def accumulated(self) -> list[str | bytes]:
        return self.accum


def guard_of(
    job: Callable[[Scope], object], events: list[Event] | None = None, deadlines: Deadlines | None = None
) -> Guard:
    def prepare(_: ActiveRun) -> tuple[Callable[[], object], Scope]:
        scope = Scope()
        return lambda: job(scope), scope

    clock = FakeClock()

    def publish(event: Event) -> None:
        clock.move(1)
        if events is not None:
            events.append(event)

    return Guard(prepare, clock=clock, publish=publish, host="vo", output_limit_bytes=10_000, deadlines=deadlines)


def perform(job: Callable[[Scope], object]) -> Run:
    return guard_of(job).perform(make_request())


def raiser(fault: BaseException) -> Callable[[Scope], object]:
    def job(_: Scope) -> None:
        raise fault

    return job


def test_where_job_code_started_a_child_that_failed_is_said() -> None:
    def job(scope: Scope) -> None:
        scope.failures.append(Completed(argv=("fetch",), cwd="/", returncode=3, called_at="/inputs/test/q.rd, line 14"))

    assert perform(job).error == (
        "exit 3: fetch\ncommand:     fetch\ndirectory:   /\nreturn code: 3\ncalled at:   /inputs/test/q.rd, line 14"
    )


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
        (ReportableError("no disk", hint="buy one"), Outcome.FAILED, "no disk"),
        (ReportableError(), Outcome.FAILED, "gavo_exec.errors.ReportableError"),
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


def test_local_variables_are_shown_where_the_execute_wants_that_and_nowhere_else() -> None:
    def job(_: Scope) -> None:
        def inner(rows: list[int], execDef: str) -> None:  # noqa: N803 -- job code's name
            long = "x" * 1000
            raise ValueError(len(rows) + len(long) + len(execDef))

        try:
            inner([1, 2], "")
        except ValueError as fault:
            raise KeyError("missing") from fault

    def error_of(policy: Policy) -> str:
        return guard_of(job).perform(make_request(make_execute(policy=policy))).error

    told = error_of(Policy(shows_locals=True))
    assert "    rows = [1, 2]\n" in told
    assert f"    long = '{'x' * 299}...\n" in told
    assert "    execDef = " not in told
    assert "rows = [1, 2]" not in error_of(Policy())


def test_a_local_variable_that_cannot_be_shown_harms_nothing() -> None:
    class Nasty:
        def __repr__(self) -> str:
            raise ValueError("never")

    def job(_: Scope) -> None:
        nasty = Nasty()
        raise ValueError(nasty is None)

    run = guard_of(job).perform(make_request(make_execute(policy=Policy(shows_locals=True))))
    assert run.error.startswith("ValueError: False\n")
    assert "    raise ValueError(nasty is None)\n" in run.error


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


# Runs that are to end

PATIENCE_SECONDS = 20.0


class Going:
    """Requests that are performed in threads; their job goes by what is said to ``active``, and by ``go_on``."""

    def __init__(self, *, overdue_seconds: float = 1000.0, has_children: bool = False) -> None:
        self.events: list[Event] = []
        self.happened = threading.Condition()
        self.runner = ScriptedRunner()
        self.active: dict[str, ActiveRun] = {}
        self.go_on = threading.Event()
        self.failures: list[Completed] = []
        self._has_children = has_children
        self._threads: list[threading.Thread] = []
        self.guard = Guard(
            self._prepare,
            clock=FakeClock(),
            publish=self._publish,
            host="vo",
            output_limit_bytes=1000,
            overdue_seconds=overdue_seconds,
        )

    def _publish(self, event: Event) -> None:
        with self.happened:
            self.events.append(event)
            self.happened.notify_all()

    def _prepare(self, active: ActiveRun) -> tuple[Callable[[], object], Scope]:
        scope = Scope()
        scope.failures = self.failures

        def job() -> None:
            if self._has_children:
                active.begin_child(self.runner)
            print("begun")
            with self.happened:
                self.active[active.request.run_id] = active
                self.happened.notify_all()
            assert self.go_on.wait(PATIENCE_SECONDS)

        return job, scope

    def begin(self, *requests: RunRequest) -> None:
        """Perform these, and wait until their jobs have begun."""
        for request in requests:
            self._threads.append(threading.Thread(target=self.guard.perform, args=(request,)))
            self._threads[-1].start()
        with self.happened:
            assert self.happened.wait_for(
                lambda: {request.run_id for request in requests} <= self.active.keys(), PATIENCE_SECONDS
            )

    def end(self) -> list[Run]:
        """Let the jobs go on to their end; answers the records."""
        self.go_on.set()
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)
        return [event.run for event in self.events if isinstance(event, RunFinished)]

    def wait_for(self, kind: type[Event]) -> None:
        """Until such an event was published."""
        with self.happened:
            assert self.happened.wait_for(
                lambda: any(isinstance(event, kind) for event in self.events), PATIENCE_SECONDS
            )


def limited(seconds: float, run_id: str = "run-1") -> RunRequest:
    return make_request(make_execute(policy=Policy(timeout=timedelta(seconds=seconds))), run_id=run_id)


def test_a_run_that_ends_in_time_is_as_any() -> None:
    going = Going(has_children=True)
    going.begin(limited(3600))
    (run,) = going.end()
    assert (run.outcome, run.error) == (Outcome.SUCCEEDED, "")
    assert (going.runner.ended, going.runner.cleared) == ([], [])


def test_one_that_takes_too_long_is_ended_with_its_children_and_told_to_be_overdue_once() -> None:
    going = Going(overdue_seconds=0.05, has_children=True)
    request = limited(0.05)
    with capture.install():
        going.begin(request)
        going.wait_for(RunOverdue)
        assert going.active["run-1"].is_cancelled
        assert going.runner.ended == ["run-1"]
        assert going.runner.cleared == []
        (run,) = going.end()
    assert (run.outcome, run.error, run.output) == (
        Outcome.TIMED_OUT,
        "timed out after 0.05 s (run.timeout)",
        "begun\n",
    )
    assert going.runner.cleared == ["run-1"]
    assert [type(event) for event in going.events] == [RunStarted, RunOverdue, RunFinished]
    assert going.events[1] == RunOverdue(request=request, started_at=EPOCH, at=EPOCH)


def test_one_that_ends_when_it_is_told_to_is_not_overdue() -> None:
    events: list[Event] = []
    ended = threading.Event()

    def prepare(active: ActiveRun) -> tuple[Callable[[], object], Scope]:
        return lambda: active.wait(PATIENCE_SECONDS), Scope()

    guard = Guard(
        prepare, clock=FakeClock(), publish=events.append, host="", output_limit_bytes=10, overdue_seconds=0.01
    )
    run = guard.perform(limited(0.05))
    guard._deadlines.after(0.02, ended.set)
    assert ended.wait(PATIENCE_SECONDS)
    assert run.outcome is Outcome.TIMED_OUT
    assert not [event for event in events if isinstance(event, RunOverdue)]


def test_what_its_children_came_to_is_detail() -> None:
    going = Going()
    going.begin(limited(0.01))
    while not going.active["run-1"].wait(1):
        pass
    going.failures.append(Completed(argv=("fetch",), cwd="/inputs", returncode=-15, output=b"half way\n"))
    (run,) = going.end()
    assert run.outcome is Outcome.TIMED_OUT
    assert run.error == (
        "timed out after 0.01 s (run.timeout)\n\nended by SIGTERM: half way\n"
        "command:     fetch\ndirectory:   /inputs\nreturn code: -15"
    )
    assert run.returncode == -15


@pytest.mark.parametrize(
    ("seconds", "words"), [(3600, "1 h"), (5400, "1 h 30 min"), (1.6, "2 s"), (0.25, "0.25 s"), (86_400, "1 d")]
)
def test_the_limit_is_said_in_words(seconds: float, words: str) -> None:
    verdict = too_long(timedelta(seconds=seconds))
    assert verdict == Verdict(Outcome.TIMED_OUT, f"timed out after {words} (run.timeout)")


class Late(Deadlines):
    """Nothing ever comes in time."""

    def after(self, seconds: float, call: Callable[[], object]) -> Deadline:
        return Deadline(call)


def test_a_limit_that_was_passed_unnoticed_was_passed() -> None:
    """While job code holds the interpreter's lock, say, nothing else can notice anything."""

    def job(_: Scope) -> None:
        until = monotonic() + 0.02
        while monotonic() < until:
            pass

    run = guard_of(job, deadlines=Late()).perform(limited(0.01))
    assert (run.outcome, run.error) == (Outcome.TIMED_OUT, "timed out after 0.01 s (run.timeout)")


def test_a_cancelled_run_ends_so_whatever_its_code_makes_of_it() -> None:
    going = Going(has_children=True)
    going.begin(make_request(), make_request(make_execute("test/q#other"), run_id="run-2"))
    going.guard.cancel("run-1", "replaced by the next one")
    assert going.active["run-1"].is_cancelled
    assert not going.active["run-2"].is_cancelled
    runs = {run.run_id: (run.outcome, run.error) for run in going.end()}
    assert runs == {
        "run-1": (Outcome.CANCELLED, "replaced by the next one"),
        "run-2": (Outcome.SUCCEEDED, ""),
    }
    assert going.runner.ended == going.runner.cleared == ["run-1"]


def test_a_run_that_is_cancelled_before_it_begins_does_not_begin() -> None:
    events: list[Event] = []
    guard = guard_of(raiser(AssertionError("it has begun")), events)
    guard.cancel("run-1", "replaced")
    run = guard.perform(make_request())
    assert (run.outcome, run.error, run.started_at) == (Outcome.CANCELLED, "replaced", None)
    assert events == [RunFinished(run=run, request=make_request())]
    assert guard.perform(make_request(run_id="run-2")).error.startswith("AssertionError: it has begun")


def test_ends_that_are_cancelled_too_late_are_not_remembered_for_ever() -> None:
    guard = guard_of(lambda _: None)
    for number in range(5000):
        guard.cancel(f"run-{number}", "replaced")
    assert len(guard._early) <= 1000
    assert guard.perform(make_request(run_id="run-4999")).outcome is Outcome.CANCELLED
    assert guard.perform(make_request(run_id="run-1")).outcome is Outcome.SUCCEEDED


def test_asking_tells_all_runs_and_lets_no_other_begin() -> None:
    going = Going(has_children=True)
    isolated = make_execute("test/q#isolated", policy=Policy(is_isolated=True))
    going.begin(make_request(), make_request(isolated, run_id="run-2"))
    going.guard.ask("the daemon is stopping")
    assert all(active.is_cancelled for active in going.active.values())
    assert (going.runner.asked, going.runner.ended) == (["run-2"], [])
    refused = going.guard.perform(make_request(run_id="run-3"))
    assert (refused.outcome, refused.error, refused.started_at) == (
        Outcome.INTERRUPTED,
        "the daemon is stopping",
        None,
    )
    assert {run.run_id: run.outcome for run in going.end()} == {
        "run-1": Outcome.SUCCEEDED,
        "run-2": Outcome.SUCCEEDED,
        "run-3": Outcome.INTERRUPTED,
    }


def test_runs_that_are_ended_are_interrupted_when_they_end() -> None:
    going = Going(has_children=True)
    requests = [make_request(make_execute(f"test/q#{number}"), run_id=f"run-{number}") for number in range(3)]
    going.begin(*requests)
    gone = make_request(run_id="gone")
    going.guard.end([*requests[:2], gone], "stopped")
    assert going.runner.ended == ["run-0", "run-1"]
    assert {run.run_id: (run.outcome, run.error) for run in going.end()} == {
        "run-0": (Outcome.INTERRUPTED, "stopped"),
        "run-1": (Outcome.INTERRUPTED, "stopped"),
        "run-2": (Outcome.SUCCEEDED, ""),
    }


def test_a_run_that_had_timed_out_and_goes_on_when_nobody_waits_any_longer_has_timed_out() -> None:
    going = Going()
    request = limited(0.01)
    going.begin(request)
    while not going.active["run-1"].wait(1):
        pass
    going.guard.interrupt([request], "stopped")
    (run,) = going.end()
    assert (run.outcome, run.error) == (Outcome.TIMED_OUT, "timed out after 0.01 s (run.timeout)")


def test_what_a_run_that_somebody_broke_off_has_left_is_cleared() -> None:
    runner = ScriptedRunner()

    def prepare(active: ActiveRun) -> tuple[Callable[[], object], Scope]:
        def job() -> None:
            active.begin_child(runner)
            raise KeyboardInterrupt

        return job, Scope()

    guard = Guard(prepare, clock=FakeClock(), publish=lambda _: None, host="", output_limit_bytes=10)
    assert guard.perform(make_request()).outcome is Outcome.CANCELLED
    assert runner.cleared == ["run-1"]


def test_an_ending_from_elsewhere_is_the_runs_own() -> None:
    ending = Ending(outcome=Outcome.FAILED, error="ValueError: there", returncode=3)
    run = perform(lambda _: ending)
    assert (run.outcome, run.error, run.returncode) == (Outcome.FAILED, "ValueError: there", 3)
