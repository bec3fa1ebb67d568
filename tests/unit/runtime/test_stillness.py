"""When files stand still, and when the clock can be believed."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gavo_exec.runtime.stillness import Agreement, Look, Stillness

A, B = (1, 10, 10), (2, 10, 20)


@pytest.mark.parametrize(
    ("looks", "settled"),
    [
        ([(0, A)], [False]),
        ([(0, A), (59, A)], [False, False]),
        ([(0, A), (60, A)], [False, True]),
        ([(0, A), (30, A), (60, A), (90, A)], [False, False, True, True]),
        ([(0, A), (60, B), (90, B), (120, B)], [False, False, False, True]),
        ([(0, A), (30, B), (60, A), (120, A)], [False, False, False, True]),
        ([(0, A), (30, None), (60, A), (120, A)], [False, False, False, True]),  # gone meanwhile
    ],
)
def test_a_file_stands_still_when_looks_far_enough_apart_agree(
    looks: list[tuple[float, Look | None]], settled: list[bool]
) -> None:
    still = Stillness()
    assert settled == [
        bool(still.look({} if look is None else {"x": look}, begun=at, ended=at, settle_seconds=60))
        for at, look in looks
    ]


def test_what_counts_is_the_end_of_the_first_look_and_the_beginning_of_the_second() -> None:
    still = Stillness()
    still.look({"x": A}, begun=0, ended=30, settle_seconds=60)
    assert still.look({"x": A}, begun=89, ended=100, settle_seconds=60) == set()
    assert still.look({"x": A}, begun=90, ended=100, settle_seconds=60) == {"x"}


@pytest.mark.parametrize("change", [(2, 10, 10), (1, 11, 10), (1, 10, 11)], ids=["size", "mtime", "ctime"])
def test_any_change_begins_anew(change: Look) -> None:
    still = Stillness()
    still.look({"x": A}, begun=0, ended=0, settle_seconds=60)
    assert still.look({"x": change}, begun=60, ended=60, settle_seconds=60) == set()
    assert still.look({"x": change}, begun=120, ended=120, settle_seconds=60) == {"x"}


def test_without_a_time_to_settle_everything_has_settled() -> None:
    assert Stillness().look({"x": A, "y": B}, begun=0, ended=1, settle_seconds=0) == {"x", "y"}


def test_nothing_is_kept_of_files_that_are_gone() -> None:
    still = Stillness()
    still.look({"x": A, "y": B}, begun=0, ended=0, settle_seconds=60)
    still.look({"y": B}, begun=0, ended=0, settle_seconds=60)
    assert len(still) == 1


@given(
    st.lists(st.tuples(st.integers(0, 100), st.sampled_from([A, B, None])), max_size=30),
    st.integers(1, 100),
)
def test_settled_is_what_has_not_changed_for_so_long_in_any_look(
    steps: list[tuple[int, Look | None]], settle: int
) -> None:
    still = Stillness()
    now = 0
    history: list[tuple[int, Look | None]] = []
    for pause, look in steps:
        now += pause
        answer = still.look({"x": look} if look else {}, begun=now, ended=now, settle_seconds=settle)
        since = now
        for at, before in reversed(history):
            if before != look:
                break
            since = at
        history.append((now, look))
        assert answer == ({"x"} if look is not None and now - since >= settle else set())


@pytest.mark.parametrize(
    ("readings", "seconds"),
    [
        ([(1000, 0)], inf),
        ([(1000, 0), (1060, 60)], inf),
        ([(1000, 0), (1060.9, 60)], inf),  # slewed
        ([(1000, 0), (4600 + 3.5, 3600)], inf),
        ([(1000, 0), (1062, 60)], 0),  # set forward
        ([(1000, 0), (1058, 60)], 0),  # set back
        ([(1000, 0), (30000, 60)], 0),  # slept
        ([(1000, 0), (30000, 60), (30030, 90)], 30),
        ([(1000, 0), (30000, 60), (30030, 90), (1120, 120)], 0),
    ],
)
def test_for_how_long_both_clocks_have_agreed(readings: list[tuple[float, float]], seconds: float) -> None:
    agreement = Agreement()
    assert [agreement.seconds(clock, monotonic) for clock, monotonic in readings][-1] == seconds
