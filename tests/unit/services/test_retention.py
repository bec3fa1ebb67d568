"""What is forgotten, and what never is: the decision, and the state file that it is about."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from gavo_exec.model import Outcome, Run
from gavo_exec.past import Deed, packed_version
from gavo_exec.services.store import SQLiteStore
from gavo_exec.services.store.retention import OldRun, Retention, excess_of, to_forget
from gavo_exec.services.store.upkeep import Forgotten, Upkeep
from gavo_exec.testing import EPOCH, FakeClock, make_rd

DAY = timedelta(days=1)
ROOM = Retention(good_for=90 * DAY, bad_for=365 * DAY, most_runs=1_000_000, most_bytes=1 << 30)


def old(row: int, days: float, *, bad: bool = False) -> OldRun:
    return OldRun(row=row, ended_at=EPOCH - days * DAY, is_bad=bad)


@pytest.mark.parametrize(
    ("runs", "keep", "excess", "gone"),
    [
        pytest.param([old(1, 91), old(2, 89)], (), 0, [1], id="what is old goes"),
        pytest.param([old(1, 91, bad=True), old(2, 366, bad=True)], (), 0, [2], id="failures stay longer"),
        pytest.param([old(1, 91), old(2, 400, bad=True)], {1, 2}, 0, [], id="what is to be kept stays"),
        pytest.param([old(1, 3), old(2, 2), old(3, 1)], (), 2, [1, 2], id="what is too many goes, the oldest first"),
        pytest.param([old(1, 3, bad=True), old(2, 2), old(3, 1)], (), 2, [2, 3], id="but not failures"),
        pytest.param([old(1, 91), old(2, 2), old(3, 1)], (), 2, [1, 2], id="what is old counts"),
        pytest.param([old(1, 3), old(2, 2)], {1}, 1, [2], id="what is kept does not"),
        pytest.param([], (), 5, [], id="nothing"),
    ],
)
def test_what_goes(runs: list[OldRun], keep: set[int], excess: int, gone: list[int]) -> None:
    assert list(to_forget(runs, retention=ROOM, now=EPOCH, keep=keep, excess=excess)) == gone


def test_nothing_younger_is_looked_at() -> None:
    def runs() -> Iterator[OldRun]:
        yield old(1, 400)
        yield old(2, 10)
        raise AssertionError("who looks so far?")

    assert list(to_forget(runs(), retention=ROOM, now=EPOCH, keep=())) == [1]


@given(
    st.lists(st.tuples(st.floats(0, 800), st.booleans())),
    st.sets(st.integers(0, 30)),
    st.integers(0, 20),
    st.tuples(st.floats(0, 400), st.floats(0, 400)),
)
def test_the_laws_of_forgetting(
    made: list[tuple[float, bool]], keep: set[int], excess: int, days: tuple[float, float]
) -> None:
    runs = [old(row, age, bad=bad) for row, (age, bad) in enumerate(sorted(made, reverse=True))]
    limits = structs.replace(ROOM, good_for=days[0] * DAY, bad_for=days[1] * DAY)
    gone = list(to_forget(runs, retention=limits, now=EPOCH, keep=keep, excess=excess))
    assert gone == sorted(set(gone))
    assert not keep & set(gone)
    is_old = {run.row for run in runs if EPOCH - run.ended_at > (limits.bad_for if run.is_bad else limits.good_for)}
    assert is_old - keep <= set(gone)
    young = set(gone) - is_old
    assert not any(runs[row].is_bad for row in young)
    assert len(young) <= excess


@pytest.mark.parametrize(
    ("runs", "file_bytes", "excess"),
    [(10, 1, 0), (1_000_001, 1, 1), (1000, 2 << 30, 500), (1000, 1 << 30, 0), (0, 9 << 30, 0), (0, 0, 0)],
)
def test_how_many_are_too_many(runs: int, file_bytes: int, excess: int) -> None:
    assert excess_of(ROOM, runs=runs, file_bytes=file_bytes) == excess


# The file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[SQLiteStore]:
    store = SQLiteStore(path, holder="us", is_alive=lambda _: True)
    yield store
    store.close()


def a_run(
    run_id: str, days: float, *, key: str = "a/q#x", outcome: Outcome = Outcome.SUCCEEDED, digest: str = "d"
) -> Run:
    ended = EPOCH - days * DAY
    return Run(
        run_id=run_id,
        key=key,
        title="",
        due=ended,
        finished_at=ended,
        outcome=outcome,
        digest=digest,
        output="x" * 5000,
    )


def upkeep(path: Path, **limits: object) -> Upkeep:
    retention = structs.replace(ROOM, **limits)
    return Upkeep(str(path), retention=retention, clock=FakeClock())


def left(store: SQLiteStore) -> set[str]:
    return {run.run_id for run in store.runs(limit=100_000)}


def test_the_last_run_and_the_last_success_of_each_key_stay(store: SQLiteStore, path: Path) -> None:
    store.record(a_run("success", 800))
    store.record(a_run("failed early", 790, outcome=Outcome.FAILED))
    store.record(a_run("old failure", 300, outcome=Outcome.FAILED))
    store.record(a_run("last", 200, outcome=Outcome.TIMED_OUT))
    store.record(a_run("other", 500, key="b/q#x"))
    store.record(a_run("skipped", 400, key="c/q#x", outcome=Outcome.SKIPPED))
    store.flush()
    assert upkeep(path).look() == Forgotten(runs=1)
    assert left(store) == {"success", "old failure", "last", "other", "skipped"}
    assert store.last_success_at("a/q#x") == EPOCH - 800 * DAY


def test_a_file_in_bounds_is_left_alone(store: SQLiteStore, path: Path) -> None:
    store.record(a_run("r1", 1))
    store.flush()
    assert upkeep(path).look() == Forgotten()


def test_what_is_too_many_goes_and_the_file_shrinks(store: SQLiteStore, path: Path) -> None:
    for number in range(3000):
        store.record(
            a_run(f"r{number}", 50 - number / 100, outcome=Outcome.FAILED if number == 7 else Outcome.SUCCEEDED)
        )
    store.flush()
    store._file.carry_over(1 << 30)
    before = path.stat().st_size
    assert upkeep(path, most_runs=500).look().runs == 2500
    assert len(left(store)) == 500
    assert "r7" in left(store)
    store._file.carry_over(1 << 30)
    assert path.stat().st_size < before / 3


def test_a_file_that_is_too_large_becomes_smaller(store: SQLiteStore, path: Path) -> None:
    for number in range(2000):
        store.record(a_run(f"r{number}", 50 - number / 100))
    store.flush()
    gone = upkeep(path, most_bytes=5 << 20).look().runs
    assert 800 < gone < 1800
    assert store._file.used_bytes < 6 << 20


def test_what_was_delivered_given_up_and_done_goes_in_its_time(store: SQLiteStore, path: Path) -> None:
    message = EmailMessage()
    message["Subject"] = "x"
    for _ in range(5):
        store.put_mail(message, now=EPOCH - 500 * DAY)
    for days in (400, 300):
        store.put_deed(Deed(at=EPOCH - days * DAY, who="jo", what="did"))
    store.flush()
    store.mail_delivered(1, now=EPOCH - 91 * DAY)
    store.mail_delivered(2, now=EPOCH - 89 * DAY)
    store.mail_failed(3, error="no", retry_at=None, now=EPOCH - 366 * DAY)
    store.mail_failed(4, error="no", retry_at=None, now=EPOCH - 364 * DAY)
    assert upkeep(path).look() == Forgotten(others=3)
    assert [mail.mail_id for mail in store.mails()] == [5, 4, 2]
    assert len(store.deeds()) == 1


def test_code_goes_with_the_last_run_of_its_version(store: SQLiteStore, path: Path) -> None:
    content = packed_version(make_rd())
    for digest, days in (("gone", 400), ("kept", 300), ("new", 0)):
        store.put_version("a/q", digest, content, now=EPOCH - days * DAY)
    store.put_version("a/qq", "kept", content, now=EPOCH - 400 * DAY)  # the runs of a/q are not of this one
    store.record(a_run("r1", 400, digest="gone"))
    store.record(a_run("r2", 10, digest="kept"))
    store.flush()
    assert upkeep(path).look() == Forgotten(runs=1, others=2)
    rows = store._file._db.execute("SELECT rd_id, digest FROM versions ORDER BY digest").fetchall()
    assert rows == [("a/q", "kept"), ("a/q", "new")]


def test_it_gives_way_while_the_daemon_is_busy_but_not_for_ever(store: SQLiteStore, path: Path) -> None:
    for number in range(10):
        store.record(a_run(f"r{number}", 400))
    store.flush()
    asked: list[bool] = []

    def is_busy() -> bool:
        asked.append(True)
        return True

    busy = Upkeep(str(path), retention=ROOM, clock=FakeClock(), is_busy=is_busy)
    assert busy.look().runs == 9
    assert len(asked) >= 50


def test_others_write_while_it_is_at_work(store: SQLiteStore, path: Path) -> None:
    for number in range(1000):
        store.record(a_run(f"r{number}", 400))
    store.flush()
    written: list[datetime] = []

    def is_busy() -> bool:
        store.put_deed(Deed(at=EPOCH, who="jo", what="did"))
        store.flush()
        written.append(EPOCH)
        return False

    Upkeep(str(path), retention=ROOM, clock=FakeClock(), is_busy=is_busy).look()
    assert len(store.deeds(limit=1000)) == len(written) >= 5


def test_it_stops_between_two_steps(path: Path, store: SQLiteStore) -> None:
    for number in range(1000):
        store.record(a_run(f"r{number}", 400))
    store.flush()
    made = upkeep(path)
    made.stop()
    assert made.look().runs == 200
