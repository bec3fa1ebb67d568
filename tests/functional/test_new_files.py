"""Runs for files that came: real files through agenda, scheduler and store, at moved instants."""

import threading
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gavo_exec.catalog import Catalog
from gavo_exec.events import Event, RunFinished
from gavo_exec.model import NewFile, Outcome, Policy, Run, RunRequest
from gavo_exec.runtime.agenda import Agenda
from gavo_exec.runtime.arrivals import Arrivals
from gavo_exec.runtime.bus import Bus
from gavo_exec.runtime.mounts import Mounts
from gavo_exec.runtime.scheduler import Scheduler
from gavo_exec.schedule import Every
from gavo_exec.services.history import HistoryListener
from gavo_exec.services.store import SQLiteStore
from gavo_exec.testing import FakeClock, InlineEngine, make_execute, make_rd, make_run, run_ids

PATIENCE_SECONDS = 20.0


class Room:
    """A folder, and an execute that looks into it each hour; ``outcomes`` are those of its runs, the rest succeed."""

    def __init__(self, folder: Path, **policy: Any) -> None:
        self.folder = folder
        self.clock = FakeClock(datetime.now(UTC))
        self.store = SQLiteStore(":memory:", holder="here 1 1", is_alive=lambda _: True)
        self.events: list[Event] = []
        self.outcomes: list[Outcome] = []
        self.bus = Bus([HistoryListener(self.store, self.clock), self.events.append], flush=self.store.flush)
        self.engine = InlineEngine()
        self.scheduler = Scheduler(
            Agenda(run_ids=run_ids()),
            engine=self.engine,
            store=self.store,
            clock=self.clock,
            publish=self.bus.publish,
            look=self.look,
        )
        self.engine.start(self, self.scheduler.finished)
        self.arrivals = Arrivals(
            self.store,
            clock=self.clock,
            found=self.found,
            not_found=self.not_found,
            mounts=lambda: Mounts("1 0 0:1 / / rw - ext4 x rw"),
        )
        self.asked = 0
        self.answered = threading.Semaphore(0)
        # No time to settle, since this clock is set all the time, and so believed in nothing.
        policy = {"files": f"{folder}/*.fits", "settle": timedelta(0), **policy}
        execute = make_execute(schedule=Every(seconds=3600, immediately=True), policy=Policy(**policy))
        self.scheduler.adopt(Catalog().accept(make_rd(execute)))

    def look(self, request: RunRequest, taken: Collection[NewFile]) -> None:
        self.asked += 1
        self.arrivals.look(request, taken=taken)

    def found(self, request: RunRequest, files: tuple[NewFile, ...]) -> None:
        self.scheduler.found(request, files)
        self.answered.release()

    def not_found(self, request: RunRequest, cause: str) -> None:
        self.scheduler.not_found(request, cause)
        self.answered.release()

    def perform(self, request: RunRequest) -> Run:
        outcome = self.outcomes.pop(0) if self.outcomes else Outcome.SUCCEEDED
        run = make_run(request, outcome, finished_at=self.clock.now())
        self.bus.publish(RunFinished(run=run, request=request))
        self.bus.drain()
        return run

    def refuse(self, request: RunRequest, cause: str, outcome: Outcome = Outcome.FAILED) -> Run:
        raise AssertionError(cause)

    def cancel(self, run_id: str, cause: str) -> None:
        raise AssertionError(cause)

    def move(self, seconds: float) -> list[list[str]]:
        """Let so much time pass, and all happen that is to; answers the names that each run got."""
        self.clock.move(seconds)
        before = len(self.engine.submitted)
        self.scheduler.step(self.clock.now())
        while self.asked:
            self.asked -= 1
            assert self.answered.acquire(timeout=PATIENCE_SECONDS)
            self.scheduler.step(self.clock.now())
        self.bus.drain()
        return [[Path(file.path).name for file in request.files] for request in self.engine.submitted[before:]]

    def hour(self) -> list[list[str]]:
        return self.move(3600)

    def save(self, *names: str, text: str = "") -> None:
        for name in names:
            (self.folder / name).write_text(text)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room(tmp_path)
    yield room
    room.arrivals.stop()
    room.store.close()


def test_nothing_is_run_or_recorded_until_something_has_come(room: Room) -> None:
    room.save("a.txt")
    assert [room.hour() for _ in range(5)] == [[]] * 5
    assert room.store.runs() == []
    room.save("b.fits", "a.fits")
    assert room.hour() == [["a.fits", "b.fits"]]
    assert [room.hour() for _ in range(5)] == [[]] * 5
    room.save("a.fits", text="more")
    assert room.hour() == [["a.fits"]]
    assert [run.outcome for run in room.store.runs()] == [Outcome.SUCCEEDED] * 2


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.TIMED_OUT, Outcome.CANCELLED, Outcome.INTERRUPTED])
def test_a_run_that_went_wrong_leaves_its_files_to_the_next_one(room: Room, outcome: Outcome) -> None:
    room.save("a.fits")
    room.outcomes = [outcome, outcome]
    assert room.hour() == [["a.fits"]]
    room.save("b.fits")
    assert room.hour() == [["a.fits", "b.fits"]]
    assert room.hour() == [["a.fits", "b.fits"]]
    assert room.hour() == []


def test_a_retry_gets_the_same_files_and_those_that_came_meanwhile(tmp_path: Path) -> None:
    room = Room(tmp_path, retries=1, retry_delay=timedelta(minutes=5))
    room.save("a.fits")
    room.outcomes = [Outcome.FAILED]
    assert room.move(1) == [["a.fits"]]
    room.save("b.fits")
    assert room.move(600) == [["a.fits", "b.fits"]]
    assert room.hour() == []
    room.arrivals.stop()
    room.store.close()


def test_files_that_cannot_be_looked_up_make_a_failed_run(tmp_path: Path) -> None:
    room = Room(tmp_path, files=f"{tmp_path}/{'x' * 300}/*")
    assert room.move(1) == []
    [run] = room.store.runs()
    assert run.outcome is Outcome.FAILED
    assert run.error == f"its files could not be looked up: {tmp_path}/{'x' * 300}: File name too long"
    room.arrivals.stop()
    room.store.close()
