"""Clocks that are years off, as of a machine without a battery: nothing is lost, and nothing runs in floods."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gavo_exec.daemon import assemble
from gavo_exec.events import Event, RunFinished, Trouble
from gavo_exec.life import Daemon
from gavo_exec.model import Outcome, Reason, Run
from gavo_exec.services.store import SQLiteStore
from gavo_exec.settings import Settings
from gavo_exec.testing import FakeClock, InlineEngine, ListMailer, ScriptedRunner, ScriptedWatcher

RIGHT = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
JOBS = (
    '<resource schema="a">'
    '<execute id="daily" title="D" at="7:30"><job><code>pass</code></job></execute>'
    '<execute id="often" title="O" every="60"><job><code>pass</code></job></execute>'
    "</resource>"
)


class House:
    """A daemon whose clock is moved by hand, over restarts."""

    def __init__(self, folder: Path, at: datetime) -> None:
        self.path = folder / "a" / "q.rd"
        self.path.parent.mkdir()
        self.path.write_text(JOBS)
        self.settings = Settings(inputs_dir=str(folder), state_dir=str(folder / "state"), host="vo")
        self.clock = FakeClock(at)
        self.store = SQLiteStore(":memory:", holder="us", is_alive=lambda _: True)
        self.events: list[Event] = []
        self.daemon = self.start()

    def start(self) -> Daemon:
        """A daemon that starts now."""
        daemon = assemble(
            self.settings,
            clock=self.clock,
            runner=ScriptedRunner(),
            mailer=ListMailer(),
            store=self.store,
            engine=InlineEngine(),
            watcher=ScriptedWatcher(),
            listeners=[self.events.append],
        )
        daemon.take_up(frozenset([str(self.path)]))
        self.daemon = daemon
        self.at(self.clock.at)
        return daemon

    def at(self, instant: datetime) -> list[Run]:
        """What ran when it became this late."""
        self.events.clear()
        self.clock.at = instant
        self.daemon.scheduler.compare_clocks(instant, 0)
        self.daemon.step()
        return [event.run for event in self.events if isinstance(event, RunFinished)]

    def due(self, key: str) -> datetime | None:
        return next(status.due for status in self.daemon.scheduler.statuses() if status.key == key)


def ran(runs: list[Run]) -> list[tuple[str, Reason]]:
    return sorted((run.key, run.reason) for run in runs if run.outcome is Outcome.SUCCEEDED)


@pytest.fixture(params=[1970, 1999, 2020])
def behind(request: pytest.FixtureRequest, tmp_path: Path) -> House:
    return House(tmp_path, datetime(request.param, 1, 1, tzinfo=UTC))


def test_a_clock_that_was_years_behind_and_is_set_right_makes_one_run_of_each(behind: House) -> None:
    runs = behind.at(RIGHT)
    assert ran(runs) == [("a/q#daily", Reason.CATCH_UP), ("a/q#often", Reason.CATCH_UP)]
    assert len(runs) < 250  # what was missed is summed up
    assert behind.due("a/q#daily") == RIGHT.replace(hour=7, minute=30) + timedelta(days=1)
    assert behind.due("a/q#often") == RIGHT + timedelta(seconds=60)


@pytest.fixture(params=[2027, 2099])
def ahead(request: pytest.FixtureRequest, tmp_path: Path) -> House:
    house = House(tmp_path, datetime(request.param, 12, 31, tzinfo=UTC))
    house.at(house.clock.at + timedelta(seconds=60))
    return house


def test_a_clock_that_was_years_ahead_and_is_set_right_lets_nothing_wait_for_years(ahead: House) -> None:
    assert ran(ahead.at(RIGHT)) == []
    due = ahead.due("a/q#often")
    assert due is not None
    assert due - RIGHT <= timedelta(seconds=60)
    assert ahead.due("a/q#daily") == RIGHT.replace(hour=7, minute=30) + timedelta(days=1)
    assert ran(ahead.at(due)) == [("a/q#often", Reason.SCHEDULED)]


def test_the_same_where_it_is_set_right_between_two_daemons_and_then_it_is_said(ahead: House) -> None:
    ahead.clock.at = RIGHT
    daemon = ahead.start()
    due = ahead.due("a/q#often")
    assert due is not None
    assert due - RIGHT <= timedelta(seconds=60)
    ahead.events.clear()
    daemon._tell_of_clock()
    daemon.bus.drain()
    [trouble] = [event for event in ahead.events if isinstance(event, Trouble)]
    assert trouble.message.startswith("the clock says 2026-11-25 12:00:00 UTC, but a run is recorded that ended 2")


def test_a_clock_that_may_be_right_is_not_spoken_of(tmp_path: Path) -> None:
    house = House(tmp_path, RIGHT)
    house.at(RIGHT + timedelta(seconds=60))
    house.events.clear()
    house.daemon._tell_of_clock()
    house.daemon.bus.drain()
    assert not [event for event in house.events if isinstance(event, Trouble)]
