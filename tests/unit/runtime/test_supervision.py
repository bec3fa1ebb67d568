"""When the scheduler hangs, and when it is not to be blamed."""

import threading

import pytest

from gavo_exec.runtime.supervision import Supervision, stack_of

Look = tuple[float, float, float]
"""Now, when the scheduler meant to be awake again, and when this look was meant to be taken."""


@pytest.mark.parametrize(
    ("looks", "late"),
    [
        ([(100, 130, 100)], False),  # it sleeps
        ([(130, 130, 130)], False),
        ([(190, 130, 190)], False),
        ([(191, 130, 191)], True),
        ([(191, 130, 185)], False),  # the look came late itself: a stall, or a process that was stopped
        ([(1000, 130, 400)], False),
        ([(1000, 130, 400), (1005, 130, 1005), (1060, 130, 1060)], False),
        ([(1000, 130, 400), (1005, 130, 1005), (1061, 130, 1061)], True),  # it did not come round with us
        ([(1000, 130, 400), (1005, 1030, 1005), (1061, 1060, 1061)], False),
        ([(1000, 130, 400), (1061, 130, 1050)], False),  # held up once more
        ([(150, 130, 155)], False),  # a message woke us early
    ],
)
def test_the_scheduler_is_late_when_nothing_else_is(looks: list[Look], late: bool) -> None:
    supervision = Supervision()
    answers = [supervision.is_late(now, due_back_at=due, awaited_at=awaited) for now, due, awaited in looks]
    assert answers[-1] is late
    assert not any(answers[:-1])


def test_what_a_thread_is_doing_can_be_seen() -> None:
    go_on = threading.Event()

    def hang() -> None:
        go_on.wait()

    thread = threading.Thread(target=hang)
    assert stack_of(thread) == ""
    thread.start()
    assert "in hang" in stack_of(thread)
    go_on.set()
    thread.join()
    assert stack_of(thread) == ""
