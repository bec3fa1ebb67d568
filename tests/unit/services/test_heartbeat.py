"""The heartbeat, with calls that a test answers."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from queue import SimpleQueue

import pytest

from gavo_exec.errors import DeliveryError
from gavo_exec.services.postman import Heartbeat

OFTEN = timedelta(milliseconds=1)
URL = "https://hc.example.org/secret"


class Check:
    """Is called, and answers as it is told; each call and each look waits to be let through by the test."""

    def __init__(self) -> None:
        self.called: SimpleQueue[str] = SimpleQueue()
        self.faults: SimpleQueue[Exception | None] = SimpleQueue()
        self.looks: SimpleQueue[bool] = SimpleQueue()
        self.asked = threading.Semaphore(0)

    def __call__(self, url: str) -> str:
        self.called.put(url)
        if (fault := self.faults.get(timeout=10)) is not None:
            raise fault
        return "200 OK"

    def is_well(self) -> bool:
        self.asked.release()
        return self.looks.get(timeout=10)

    def beat(self, fault: Exception | None = None) -> None:
        """Let one call come to this."""
        self.looks.put(item=True)
        assert self.called.get(timeout=10) == URL
        self.faults.put(fault)

    def settled(self) -> None:
        """Wait until the thread has done with all it was told."""
        assert self.asked.acquire(timeout=10)


@contextmanager
def beating(check: Check, every: timedelta = OFTEN) -> Iterator[Heartbeat]:
    heartbeat = Heartbeat(URL, every=every, is_well=check.is_well, call=check)
    heartbeat.start()
    check.settled()
    try:
        yield heartbeat
    finally:
        check.looks.put(item=False)
        heartbeat.stop(timedelta(seconds=10))
        assert not [thread for thread in threading.enumerate() if thread.name == "heartbeat"]


def test_the_check_is_called_at_once_and_then_as_often_as_was_said(caplog: pytest.LogCaptureFixture) -> None:
    check = Check()
    with caplog.at_level(logging.INFO), beating(check):
        for _ in range(3):
            check.beat()
            check.settled()
        assert caplog.messages == []


def test_between_two_beats_it_rests() -> None:
    check = Check()
    with beating(check, timedelta(hours=1)):
        check.beat()
        assert not check.asked.acquire(timeout=0.1)


def test_the_first_failure_and_the_recovery_are_logged_and_no_other(caplog: pytest.LogCaptureFixture) -> None:
    check = Check()
    with caplog.at_level(logging.INFO), beating(check):
        for fault in (None, DeliveryError("no answer"), DeliveryError("500"), DeliveryError("no answer"), None, None):
            check.beat(fault)
            check.settled()
        assert caplog.messages == ["the heartbeat is not taken: no answer", "the heartbeat is sent again"]


def test_who_is_not_well_is_silent_and_says_so_once_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    check = Check()
    with caplog.at_level(logging.INFO), beating(check):
        for _ in range(3):
            check.looks.put(item=False)
            check.settled()
        assert check.called.empty()
        check.beat()
        check.settled()
        assert caplog.messages == [
            "the daemon is not well; no heartbeat is sent until it is",
            "the heartbeat is sent again",
        ]


def test_each_kind_of_trouble_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    check = Check()
    with caplog.at_level(logging.INFO), beating(check):
        check.beat(DeliveryError("no answer"))
        check.settled()
        check.looks.put(item=False)
        check.settled()
        assert caplog.messages == [
            "the heartbeat is not taken: no answer",
            "the daemon is not well; no heartbeat is sent until it is",
        ]


def test_an_error_of_its_own_does_not_end_it(caplog: pytest.LogCaptureFixture) -> None:
    check = Check()
    with caplog.at_level(logging.INFO), beating(check):
        for fault in (ValueError("odd"), ValueError("odd"), None):
            check.beat(fault)
            check.settled()
        assert caplog.messages == [
            "the heartbeat goes on after an error of its own",
            "the heartbeat failed",
            "the heartbeat is sent again",
        ]


def stops_within(heartbeat: Heartbeat, seconds: float) -> bool:
    stopping = threading.Thread(target=heartbeat.stop)
    stopping.start()
    stopping.join(seconds)
    return not stopping.is_alive()


def test_stopping_waits_for_no_beat() -> None:
    called = threading.Event()

    def call(url: str) -> str:
        called.set()
        return "heard"

    heartbeat = Heartbeat(URL, every=timedelta(hours=1), is_well=lambda: True, call=call)
    heartbeat.start()
    assert called.wait(10)
    assert stops_within(heartbeat, 10)
    assert not [thread for thread in threading.enumerate() if thread.name == "heartbeat"]


def test_stopping_does_not_wait_long_for_a_call_that_hangs() -> None:
    entered, released = threading.Event(), threading.Event()

    def call(url: str) -> str:
        entered.set()
        released.wait(30)
        return "heard at last"

    heartbeat = Heartbeat(URL, every=OFTEN, is_well=lambda: True, call=call)
    heartbeat.start()
    assert entered.wait(10)
    heartbeat.stop(timedelta(seconds=0.01))
    [thread] = [thread for thread in threading.enumerate() if thread.name == "heartbeat"]
    released.set()
    thread.join(10)
    assert not thread.is_alive()


def test_a_heartbeat_that_never_began_can_be_stopped() -> None:
    Heartbeat(URL, every=OFTEN, is_well=lambda: True).stop()
