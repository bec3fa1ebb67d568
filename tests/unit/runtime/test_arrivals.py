"""Requests that wait for files are each answered once, whatever file systems do."""

import logging
import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from gavo_exec.errors import StoreError
from gavo_exec.model import NewFile, Policy, RunRequest
from gavo_exec.runtime.arrivals import Arrivals
from gavo_exec.runtime.clock import SystemClock
from gavo_exec.runtime.mounts import Mounts
from gavo_exec.schedule import Every
from gavo_exec.services.store import SQLiteStore
from gavo_exec.testing import make_execute, make_request

PATIENCE = 20.0


def mounts(*points: str, kind: str = "ext4") -> Mounts:
    return Mounts("\n".join(f"1 0 0:1 / {point} rw - {kind} x rw" for point in ("/", *points)))


class HangingStore:
    """A store whose answers for some keys do not come until they are let go, as if their file system hung."""

    def __init__(self, *keys: str) -> None:
        self.hanging = {key: threading.Event() for key in keys}
        self.asked: SimpleQueue[str] = SimpleQueue()

    def seen(self, key: str) -> frozenset[NewFile]:
        self.asked.put(key)
        if key in self.hanging:
            assert self.hanging[key].wait(PATIENCE)
        return frozenset()

    def forget_seen(self, key: str, paths: Any) -> None:
        raise AssertionError("nothing is known, so nothing is gone")


class Desk:
    """Arrivals, and what they answer, in order."""

    def __init__(self, folder: Path, store: Any, **more: Any) -> None:
        self.folder = folder
        self._answers: SimpleQueue[tuple[RunRequest, Any]] = SimpleQueue()
        self.arrivals = Arrivals(
            store,
            clock=more.pop("clock", SystemClock()),
            found=lambda request, files: self._answers.put((request, files)),
            not_found=lambda request, cause: self._answers.put((request, cause)),
            mounts=more.pop("mounts", mounts),
            **more,
        )

    def request(self, run_id: str = "r1", *, key: str = "test/q#job", settle: float = 0, **more: Any) -> RunRequest:
        files = more.pop("files", f"{self.folder}/*.fits")
        schedule = more.pop("schedule", Every(seconds=3600))
        policy = Policy(files=files, settle=timedelta(seconds=settle), **more)
        now = datetime.now(UTC)
        return make_request(make_execute(key, policy=policy, schedule=schedule), run_id=run_id, due=now)

    def ask(self, request: RunRequest, **more: Any) -> RunRequest:
        self.arrivals.look(request, **more)
        return request

    def answer(self) -> tuple[RunRequest, Any]:
        """The next answer: names of files, or a cause."""
        request, said = self._answers.get(timeout=PATIENCE)
        return request, said if isinstance(said, str) else [os.path.basename(file.path) for file in said]  # noqa: PTH119

    @property
    def is_silent(self) -> bool:
        return self._answers.empty()


@pytest.fixture
def store() -> Iterator[SQLiteStore]:
    store = SQLiteStore(":memory:", holder="here 1 1", is_alive=lambda _: False)
    yield store
    store.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a.fits").touch()
    (folder / "b.fits").touch()
    return folder


@pytest.fixture
def desk(folder: Path, store: SQLiteStore) -> Iterator[Desk]:
    desk = Desk(folder, store)
    yield desk
    desk.arrivals.stop()


def test_a_request_is_answered_with_what_is_new(desk: Desk, store: SQLiteStore) -> None:
    first = desk.ask(desk.request("r1"))
    assert desk.answer() == (first, ["a.fits", "b.fits"])
    status = (desk.folder / "a.fits").stat()
    done = NewFile(path=f"{desk.folder}/a.fits", size=status.st_size, mtime_ns=status.st_mtime_ns)
    store.put_seen(first.execute.key, [done])
    store.flush()
    second = desk.ask(desk.request("r2"))
    assert desk.answer() == (second, ["b.fits"])


def test_where_nothing_is_new_the_answer_is_no_files(desk: Desk) -> None:
    request = desk.ask(desk.request(files=f"{desk.folder}/*.txt"))
    assert desk.answer() == (request, [])


def test_files_that_other_runs_have_are_left_out(desk: Desk) -> None:
    status = (desk.folder / "a.fits").stat()
    taken = NewFile(path=f"{desk.folder}/a.fits", size=status.st_size, mtime_ns=status.st_mtime_ns)
    request = desk.ask(desk.request(), taken=[taken])
    assert desk.answer() == (request, ["b.fits"])


def test_many_requests_are_each_answered_once(desk: Desk) -> None:
    requests = [desk.request(f"r{number}", key=f"test/q#{number}") for number in range(200)]
    for request in requests:
        desk.ask(request)
    answers = [desk.answer() for _ in requests]
    assert {request.run_id for request, _ in answers} == {request.run_id for request in requests}
    assert all(names == ["a.fits", "b.fits"] for _, names in answers)
    assert desk.is_silent


def test_a_missing_folder_is_said_once_and_again_when_it_was_there(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    missing = desk.folder / "sub"
    said = f"test/q#job waits for files in {missing}, which does not exist"
    with caplog.at_level(logging.WARNING, "gavo_exec"):
        for number in range(3):
            desk.ask(desk.request(f"r{number}", files=f"{missing}/*.fits"))
            assert desk.answer()[1] == []
        assert caplog.messages == [said]
        missing.mkdir()
        desk.ask(desk.request(files=f"{missing}/*.fits"))
        assert desk.answer()[1] == []
        missing.rmdir()
        desk.ask(desk.request(files=f"{missing}/*.fits"))
        assert desk.answer()[1] == []
    assert caplog.messages == [said, said]


def test_what_is_left_for_later_runs_is_said(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(10_001):
        (desk.folder / f"{number}.fits").touch()
    with caplog.at_level(logging.INFO, "gavo_exec"):
        desk.ask(desk.request())
        assert len(desk.answer()[1]) == 10_000
    assert caplog.messages == ["test/q#job: 3 more new files are left for the runs to come"]


# What goes wrong


def test_what_cannot_be_looked_at_is_the_cause_of_the_failure(desk: Desk) -> None:
    name = "x" * 300
    request = desk.ask(desk.request(files=f"{desk.folder}/{name}\n/*.fits"))
    assert desk.answer() == (request, f"{desk.folder}/{name}\\n: File name too long")


class BrokenStore:
    def seen(self, key: str) -> frozenset[NewFile]:
        if key == "test/q#odd":
            raise ZeroDivisionError("oh")
        raise StoreError("The state file x cannot be used: disk I/O error")


@pytest.mark.parametrize(
    ("key", "cause"),
    [
        ("test/q#job", "The state file x cannot be used: disk I/O error"),
        ("test/q#odd", "looking for them failed: ZeroDivisionError('oh')"),
    ],
)
def test_a_store_that_cannot_be_read_is_a_cause_too(folder: Path, key: str, cause: str) -> None:
    desk = Desk(folder, BrokenStore())
    request = desk.ask(desk.request(key=key))
    assert desk.answer() == (request, cause)
    desk.arrivals.stop()


def test_files_are_not_looked_for_while_it_is_not_noted_which_were_processed(folder: Path) -> None:
    waited: list[float] = []
    desk = Desk(folder, BrokenStore(), caught_up=waited.append)  # which answers nothing
    request = desk.ask(desk.request())
    assert desk.answer() == (request, "which ones have been processed is not noted in the state yet")
    assert waited == [60.0]
    desk.arrivals.stop()


class OddSchedule:
    def next_due(self, now: datetime, last_start: datetime | None) -> datetime | None:
        raise OverflowError("no such year")

    def describe(self) -> str:
        return "never"


def test_a_fault_of_our_own_fails_its_run_only(folder: Path, store: SQLiteStore) -> None:
    desk = Desk(folder, store, mounts=lambda: mounts(kind="nfs"))
    odd = desk.ask(desk.request("r1", key="test/q#odd", settle=60, schedule=OddSchedule()))
    assert desk.answer() == (odd, "looking for them failed: OverflowError('no such year')")
    request = desk.ask(desk.request("r2"))
    assert desk.answer() == (request, ["a.fits", "b.fits"])
    desk.arrivals.stop()


# What hangs


def test_a_file_system_that_hangs_holds_up_its_own_requests_only(folder: Path) -> None:
    store = HangingStore("test/q#dead")
    desk = Desk(folder, store, patience_seconds=0.5)
    dead = desk.ask(desk.request("r1", key="test/q#dead"))
    alive = desk.ask(desk.request("r2", key="test/q#alive"))
    assert desk.answer() == (alive, ["a.fits", "b.fits"])
    request, cause = desk.answer()
    assert request == dead
    assert cause.startswith(f"{folder} does not answer: a look that began at 20")
    # What is asked meanwhile fails at once, without another thread.
    again = desk.ask(desk.request("r3", key="test/q#dead"))
    assert desk.answer() == (again, cause)
    assert store.asked.qsize() == 2
    store.hanging["test/q#dead"].set()
    desk.arrivals.stop()
    assert desk.is_silent


def test_when_a_file_system_answers_again_so_do_we(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = HangingStore("test/q#dead")
    desk = Desk(folder, store, patience_seconds=0.05)
    with caplog.at_level(logging.WARNING, "gavo_exec"):
        desk.ask(desk.request("r1", key="test/q#dead"))
        assert "does not answer" in desk.answer()[1]
        store.hanging["test/q#dead"].set()
        answer: Any = ""
        while isinstance(answer, str):
            request = desk.ask(desk.request("r2", key="test/q#dead"))
            asked, answer = desk.answer()
            assert asked == request
    assert answer == ["a.fits", "b.fits"]
    [line] = caplog.messages
    assert line.startswith("test/q#dead: the look for its files that had hung since 20")
    desk.arrivals.stop()


def test_looks_that_hang_leave_other_mounts_alone(tmp_path: Path) -> None:
    for name in ("dead", "alive"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.fits").touch()
    keys = [f"test/q#dead{number}" for number in range(6)]
    store = HangingStore(*keys)
    table = mounts(f"{tmp_path}/dead", f"{tmp_path}/alive")
    desk = Desk(tmp_path, store, mounts=lambda: table, patience_seconds=1.0)
    before = threading.active_count()
    for key in keys:
        desk.ask(desk.request(key, key=key, files=f"{tmp_path}/dead/*.fits"))
    alive = desk.ask(desk.request("alive", key="test/q#alive", files=f"{tmp_path}/alive/*.fits"))
    assert desk.answer() == (alive, ["a.fits"])
    assert threading.active_count() <= before + 1 + 4 + 1
    # Those that no thread was free for are told so.
    causes = sorted(desk.answer()[1].partition(" 20")[0] for _ in keys)
    hung, waited = (
        f"{tmp_path}/dead does not answer: a look that began at",
        f"others look at the file system of {tmp_path}/dead since",
    )
    assert causes == sorted([hung] * 4 + [waited] * 2)
    for event in store.hanging.values():
        event.set()
    desk.arrivals.stop()


def test_what_is_asked_anew_takes_the_place_of_what_was_asked_before(folder: Path) -> None:
    store = HangingStore("test/q#job")
    desk = Desk(folder, store)
    first = desk.ask(desk.request("r1", files=f"{folder}/a.*"))
    assert store.asked.get(timeout=PATIENCE) == "test/q#job"
    second = desk.ask(desk.request("r2", files=f"{folder}/b.*"))
    assert desk.answer() == (first, [])
    store.hanging["test/q#job"].set()
    assert desk.answer() == (second, ["b.fits"])
    assert desk.is_silent
    desk.arrivals.stop()


def test_an_execute_that_is_gone_is_forgotten_with_what_was_asked(folder: Path) -> None:
    store = HangingStore("test/q#job")
    desk = Desk(folder, store)
    first = desk.ask(desk.request("r1"))
    assert store.asked.get(timeout=PATIENCE) == "test/q#job"
    desk.arrivals.forget(["test/q#job", "test/q#unknown"])
    assert desk.answer() == (first, [])
    store.hanging["test/q#job"].set()
    second = desk.ask(desk.request("r2"))
    assert desk.answer() == (second, ["a.fits", "b.fits"])
    assert desk.is_silent
    desk.arrivals.stop()


def test_after_stop_nothing_is_answered(folder: Path) -> None:
    store = HangingStore("test/q#job")
    desk = Desk(folder, store)
    desk.ask(desk.request())
    assert store.asked.get(timeout=PATIENCE) == "test/q#job"
    desk.arrivals.stop()
    store.hanging["test/q#job"].set()
    desk.ask(desk.request())
    desk.arrivals.forget(["test/q#job"])
    desk.arrivals.stop()
    assert desk.is_silent


def test_what_was_never_asked_needs_no_thread(folder: Path, store: SQLiteStore) -> None:
    before = threading.active_count()
    desk = Desk(folder, store)
    desk.arrivals.forget(["test/q#job"])
    desk.arrivals.stop()
    assert threading.active_count() == before


# Where no clock can be believed


def test_on_a_server_files_are_looked_at_again_after_they_had_time_to_settle(folder: Path, store: SQLiteStore) -> None:
    desk = Desk(folder, store, mounts=lambda: mounts(kind="nfs"))
    request = desk.ask(desk.request(settle=0.05))
    assert desk.answer() == (request, ["a.fits", "b.fits"])
    desk.arrivals.stop()


@pytest.mark.parametrize(
    "reason",
    [{"schedule": Every(seconds=30)}, {"grace": timedelta(seconds=30)}],
    ids=["the next look comes sooner", "the run may not be so late"],
)
def test_a_second_look_is_not_waited_for_where_there_is_no_time_for_it(
    folder: Path, store: SQLiteStore, reason: dict[str, Any]
) -> None:
    desk = Desk(folder, store, mounts=lambda: mounts(kind="nfs"))
    request = desk.ask(desk.request(settle=60, **reason))
    assert desk.answer() == (request, [])
    desk.arrivals.stop()


def test_what_is_asked_while_a_second_look_is_waited_for_is_looked_for_at_once(
    folder: Path, store: SQLiteStore
) -> None:
    desk = Desk(folder, store, mounts=lambda: mounts(kind="nfs"))
    first = desk.ask(desk.request("r1", settle=60))
    second = desk.ask(desk.request("r2", settle=60, schedule=Every(seconds=30)))
    assert [desk.answer(), desk.answer()] == [(first, []), (second, [])]
    desk.arrivals.stop()
