"""What is to happen after a while happens then, and nothing that is called off."""

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue

import pytest

from gavo_exec.runtime.deadlines import Deadlines

PATIENCE_SECONDS = 20.0


class Calls:
    """Collects calls, and waits for them."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[str] = SimpleQueue()

    def __call__(self, name: str) -> Callable[[], None]:
        return lambda: self._calls.put(name)

    def take(self, count: int) -> list[str]:
        return [self._calls.get(timeout=PATIENCE_SECONDS) for _ in range(count)]

    def none_more(self) -> bool:
        return self._calls.empty()


@pytest.fixture
def calls() -> Calls:
    return Calls()


def threads() -> int:
    return sum(thread.name == "deadlines" for thread in threading.enumerate())


def test_they_come_in_the_order_of_their_time(calls: Calls) -> None:
    deadlines = Deadlines()
    for name, seconds in (("third", 0.2), ("first", 0.0), ("never", 1000.0), ("second", 0.1)):
        deadlines.after(seconds, calls(name))
    assert calls.take(3) == ["first", "second", "third"]
    assert calls.none_more()


def test_those_of_one_time_come_in_the_order_in_which_they_were_made(calls: Calls) -> None:
    deadlines = Deadlines()
    names = [str(number) for number in range(50)]
    for name in names:
        deadlines.after(-1000, calls(name))
    assert calls.take(50) == names


def test_what_is_called_off_does_not_happen(calls: Calls) -> None:
    deadlines = Deadlines()
    deadlines.after(0.05, calls("called off")).cancel()
    happened = deadlines.after(0.06, calls("first"))
    deadlines.after(0.07, calls("second"))
    assert calls.take(2) == ["first", "second"]
    happened.cancel()


def test_a_thread_is_made_when_it_is_needed_and_only_one(calls: Calls) -> None:
    before = threads()
    deadlines = Deadlines()
    assert threads() == before
    for _ in range(10):
        deadlines.after(0, calls("x"))
    calls.take(10)
    assert threads() == before + 1


def test_one_that_fails_is_told_and_harms_no_other(calls: Calls, caplog: pytest.LogCaptureFixture) -> None:
    deadlines = Deadlines()
    deadlines.after(0, lambda: 1 / 0)
    deadlines.after(0, calls("next"))
    with caplog.at_level(logging.CRITICAL, "gavo_exec"):
        assert calls.take(1) == ["next"]
    assert "what was to happen at a deadline failed" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_a_limit_of_centuries_is_none_for_now(calls: Calls) -> None:
    deadlines = Deadlines()
    deadlines.after(1e14, calls("never"))
    deadlines.after(0, calls("now"))
    assert calls.take(1) == ["now"]


def test_what_is_called_off_does_not_pile_up() -> None:
    deadlines = Deadlines()
    going = [deadlines.after(1000, lambda: None) for _ in range(100)]
    for _ in range(10_000):
        deadlines.after(1000, lambda: None).cancel()
    assert len(deadlines._heap) < 500
    assert sum(item[2].call is not None for item in deadlines._heap) == len(going)


def test_stopping_ends_the_thread_and_what_comes_later_has_a_new_one(calls: Calls) -> None:
    before = threads()
    deadlines = Deadlines()
    deadlines.stop()
    deadlines.after(0, calls("first"))
    assert calls.take(1) == ["first"]
    deadlines.after(1000, calls("never"))
    deadlines.stop()
    assert threads() == before
    deadlines.after(0, calls("second"))
    assert calls.take(1) == ["second"]
    deadlines.stop()


def test_what_happens_at_a_deadline_may_stop_all_others() -> None:
    deadlines = Deadlines()
    stopped = threading.Event()

    def stop() -> None:
        deadlines.stop()
        stopped.set()

    deadlines.after(0, stop)
    assert stopped.wait(PATIENCE_SECONDS)
