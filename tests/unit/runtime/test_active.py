"""A run that goes on: asked to end, ended with a verdict, and waking who waits."""

import signal
import threading
from time import monotonic

import pytest

from gavo_exec.errors import RunError
from gavo_exec.model import Outcome
from gavo_exec.runtime.active import ActiveRun, Verdict
from gavo_exec.runtime.output import BoundedOutput
from gavo_exec.testing import ScriptedRunner, make_request

TOO_LONG = Verdict(Outcome.TIMED_OUT, "timed out")
REPLACED = Verdict(Outcome.CANCELLED, "replaced")
PATIENCE_SECONDS = 20.0


def active_run() -> ActiveRun:
    return ActiveRun(make_request(), BoundedOutput(100))


def test_one_that_is_asked_knows_it_and_has_no_verdict() -> None:
    active = active_run()
    assert not active.is_cancelled
    active.ask()
    active.ask()
    assert (active.is_cancelled, active.verdict) == (True, None)


def test_the_first_verdict_holds() -> None:
    active = active_run()
    active.end(TOO_LONG)
    active.end(REPLACED)
    assert (active.is_cancelled, active.verdict) == (True, TOO_LONG)


def test_its_children_are_ended_once_and_only_if_it_has_some() -> None:
    without, runner = active_run(), ScriptedRunner()
    without.end(TOO_LONG)
    without.clear()
    with_children = active_run()
    with_children.begin_child(runner)
    with_children.end(TOO_LONG)
    with_children.end(REPLACED)
    assert runner.ended == ["run-1"]
    with_children.clear()
    assert runner.cleared == ["run-1"]


def test_one_that_is_ended_begins_no_child_and_what_it_might_have_begun_is_cleared() -> None:
    active, runner = active_run(), ScriptedRunner()
    active.end(TOO_LONG)
    with pytest.raises(RunError, match=r"^this run is to end: timed out$"):
        active.begin_child(runner)
    active.clear()
    assert runner.cleared == ["run-1"]


def test_waiting_lasts_as_long_as_it_is_to() -> None:
    active = active_run()
    begun = monotonic()
    assert active.wait(0.05) is False
    assert monotonic() - begun >= 0.05
    assert active.wait(0) is False
    assert active.wait(-1) is False


def test_who_waits_is_woken_however_many() -> None:
    active = active_run()
    ready = threading.Barrier(4)
    answers: list[bool] = []

    def wait() -> None:
        ready.wait()
        answers.append(active.wait(1e300))

    threads = [threading.Thread(target=wait) for _ in range(3)]
    for thread in threads:
        thread.start()
    ready.wait()
    active.ask()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert answers == [True, True, True]
    assert active.wait(1000)


def test_a_signal_handler_can_wake_who_waits() -> None:
    active = active_run()
    active.wait(0)  # so that there is something that the handler could find locked
    before = signal.signal(signal.SIGALRM, lambda *_: active.ask())
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        assert active.wait(PATIENCE_SECONDS) is True
    finally:
        signal.signal(signal.SIGALRM, before)
