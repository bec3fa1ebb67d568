"""Events reach every listener, in order, whatever one of them does."""

import logging
import threading

import pytest
from msgspec import structs

from gavo_exec.events import DescriptorRemoved, Event, RunFinished, Trouble
from gavo_exec.runtime.bus import BATCH, MOST_WAITING, Bus
from gavo_exec.testing import EPOCH, make_request, make_run


def event(number: int) -> DescriptorRemoved:
    return DescriptorRemoved(rd_id=str(number))


def test_every_listener_hears_every_event_in_order() -> None:
    first: list[Event] = []
    second: list[Event] = []
    bus = Bus([first.append, second.append])
    bus.start()
    told = [event(number) for number in range(3 * BATCH)]
    for one in told:
        bus.publish(one)
    bus.stop()
    assert first == second == told


def test_a_failing_listener_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Event] = []

    def fail(_: Event) -> None:
        raise ZeroDivisionError("listener's own")

    bus = Bus([fail, heard.append])
    bus.publish(event(1))
    bus.publish(event(2))
    with caplog.at_level(logging.ERROR, "gavo_exec"):
        bus.drain()
    assert heard == [event(1), event(2)]
    assert "listener's own" in caplog.text


def test_what_listeners_leave_is_written_once_per_batch_and_after_it() -> None:
    heard: list[Event] = []
    flushed: list[int] = []
    bus = Bus([heard.append], flush=lambda: flushed.append(len(heard)))
    for number in range(BATCH + 1):
        bus.publish(event(number))
    bus.drain()
    assert flushed == [BATCH, BATCH + 1]


def test_a_failing_flush_does_not_end_the_bus(caplog: pytest.LogCaptureFixture) -> None:
    heard = threading.Event()

    def flush() -> None:
        raise OSError("disk full")

    bus = Bus([lambda _: heard.set()], flush=flush)
    with caplog.at_level(logging.ERROR, "gavo_exec"):
        bus.start()
        bus.publish(event(1))
        assert heard.wait(10)
        heard.clear()
        bus.publish(event(2))
        assert heard.wait(10)
        bus.stop()
    assert "disk full" in caplog.text


def test_a_failed_flush_is_tried_again_though_nothing_more_happens() -> None:
    is_written = threading.Event()
    faults = [OSError("disk full"), OSError("still full")]

    def flush() -> None:
        if faults:
            raise faults.pop()
        is_written.set()

    bus = Bus(flush=flush, retry_seconds=0.001)
    bus.start()
    bus.publish(event(1))
    assert is_written.wait(10)
    bus.stop()


def test_all_that_was_published_is_written_once_the_bus_has_caught_up() -> None:
    heard: list[Event] = []
    written: list[Event] = []
    bus = Bus([heard.append], flush=lambda: written.extend(heard[len(written) :]))
    bus.start()
    told = [event(number) for number in range(3 * BATCH)]
    for one in told:
        bus.publish(one)
    assert bus.caught_up(10)
    assert written == told
    bus.stop()


def test_the_bus_has_not_caught_up_while_nothing_can_be_written() -> None:
    is_full = threading.Event()
    is_full.set()

    def flush() -> None:
        if is_full.is_set():
            raise OSError("disk full")

    bus = Bus(flush=flush, retry_seconds=0.001)
    bus.start()
    bus.publish(event(1))
    assert not bus.caught_up(0.01)
    is_full.clear()
    assert bus.caught_up(10)
    bus.stop()


def test_a_bus_that_nobody_started_is_not_waited_for() -> None:
    bus = Bus()
    bus.publish(event(1))
    assert bus.caught_up(10)


def test_stop_tells_what_was_published_before_it() -> None:
    heard: list[Event] = []
    bus = Bus([heard.append])
    bus.publish(event(1))
    bus.stop()
    assert heard == [event(1)]


def test_a_listener_that_says_what_it_hears_is_told_of_nothing_else() -> None:
    class OfSome:
        def __init__(self, *kinds: type[Event]) -> None:
            self.hears = frozenset(kinds)
            self.heard: list[Event] = []

        def __call__(self, event: Event) -> None:
            self.heard.append(event)

    some, everything = OfSome(DescriptorRemoved), OfSome(DescriptorRemoved, Trouble)
    bus = Bus([some, everything])
    told: list[Event] = [event(1), Trouble(message="x", at=EPOCH), event(2)]
    for one in told:
        bus.publish(one)
    bus.drain()
    assert some.heard == [event(1), event(2)]
    assert everything.heard == told


def test_it_is_behind_when_much_waits_to_be_told_and_sooner_where_runs_print_much() -> None:
    bus = Bus([])
    for number in range(MOST_WAITING // 512):
        bus.publish(event(number))
    assert not bus.is_behind()
    bus.publish(event(0))
    assert bus.is_behind()
    bus.drain()
    assert not bus.is_behind()
    run = structs.replace(make_run(make_request()), output="x" * 1_000_000)
    bus.publish(RunFinished(run=run))
    bus.drain()
    for number in range(17):
        bus.publish(event(number))
    assert bus.is_behind()
    bus.drain()
    assert not bus.is_behind()
