"""What operators ask of an assembled daemon: no thread, no real time."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from gavo_exec.control import Printed, RefusedError, RunBegan, RunEnded, UnknownNameError
from gavo_exec.controls import Controls
from gavo_exec.daemon import assemble
from gavo_exec.model import Outcome, Reason
from gavo_exec.runtime import capture
from gavo_exec.services.store import SQLiteStore
from gavo_exec.settings import Settings
from gavo_exec.testing import EPOCH, FakeClock, HeldEngine, ListMailer, ScriptedRunner, ScriptedWatcher

RD = (
    '<resource schema="a"><execute id="x" title="X" every="3600"><job><code>\n'
    "print('for', execDef.getProperty('who', 'all'))\n</code></job></execute></resource>"
)
KEY = "a/q#x"


class House:
    """An assembled daemon with one RD, whose runs end when the test says so."""

    def __init__(self, folder: Path, *, web: bool = False) -> None:
        self.path = folder / "a" / "q.rd"
        self.path.parent.mkdir()
        self.path.write_text(RD)
        self.clock = FakeClock()
        self.engine = HeldEngine()
        self.store = SQLiteStore(":memory:", holder="us", is_alive=lambda _: True)
        self.daemon = assemble(
            Settings(inputs_dir=str(folder), state_dir=str(folder / "state"), host="vo", web=web),
            clock=self.clock,
            runner=ScriptedRunner(),
            mailer=ListMailer(),
            store=self.store,
            engine=self.engine,
            watcher=ScriptedWatcher(),
        )
        self.take_up()
        self.controls = Controls(self.daemon)

    def take_up(self) -> None:
        self.daemon.take_up(frozenset([str(self.path)]))
        self.step()

    def step(self) -> None:
        self.daemon.step()

    def run_all(self) -> None:
        """Carry out all that was asked for."""
        self.step()
        with capture.install():
            for request in list(self.engine.submitted):
                self.engine.perform(request)
        self.step()

    def deeds(self) -> list[tuple[str, str, str, str]]:
        self.step()
        return [(deed.who, deed.what, deed.about, deed.detail) for deed in reversed(self.store.deeds())]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.store.close()


def test_the_status_counts_what_there_is(house: House) -> None:
    status = house.controls.status()
    assert (status.jobs, status.running, status.waiting, status.broken_rds) == (1, 0, 0, ())
    assert status.next_due == EPOCH + timedelta(seconds=360)
    house.controls.trigger(KEY, who="jo")
    house.step()
    assert house.controls.status().running == 1
    house.path.write_text("<resource><execute/></resource>")
    house.take_up()
    status = house.controls.status()
    assert (len(status.broken_rds), status.incidents) == (1, 1)
    assert status.broken_rds[0].startswith(f"{house.path}:1:12: E")
    [job] = house.controls.jobs()
    assert (job.held_back, job.running_since) == (True, EPOCH)


def test_a_triggered_run_is_recorded_with_who_asked(house: House) -> None:
    run_id = house.controls.trigger(KEY, parameters=(("who", "jo"),), who="jo")
    house.run_all()
    run = house.store.run(run_id)
    assert run is not None
    assert (run.output, run.reason, run.outcome) == ("for jo\n", Reason.TRIGGERED, Outcome.SUCCEEDED)
    assert [deed for deed in house.deeds() if deed[1] == "triggered"] == [
        ("jo", "triggered", KEY, f"run {run_id}, who=jo")
    ]
    [job] = house.controls.jobs()
    assert job.last_run is not None
    assert job.last_run.run_id == run_id


def test_parameters_with_names_of_secrets_are_not_told(house: House) -> None:
    house.controls.trigger(KEY, parameters=(("api_token", "hush"),), who="jo")
    [told] = [deed for deed in house.deeds() if deed[1] == "triggered"]
    assert told[3].endswith(", api_token=...")


def test_a_run_is_cancelled_with_who_asked(house: House) -> None:
    run_id = house.controls.trigger(KEY, who="jo")
    house.step()
    assert house.controls.cancel(run_id, who="al") == run_id
    house.run_all()
    run = house.store.run(run_id)
    assert run is not None
    assert (run.outcome, run.error) == (Outcome.CANCELLED, "cancelled by al")
    assert ("al", "cancelled", KEY, f"run {run_id}") in house.deeds()


def test_a_pause_is_kept_in_the_state_and_lifted(house: House) -> None:
    pause = house.controls.pause(KEY, until=EPOCH + timedelta(hours=2), note="why", who="jo")
    house.step()
    assert house.store.pauses() == [pause]
    assert house.controls.status().next_due is None
    house.clock.move(3600)
    house.step()
    assert house.engine.submitted == []
    assert house.controls.resume(KEY, who="al") == pause
    house.step()
    assert house.store.pauses() == []
    assert [request.reason for request in house.engine.submitted] == [Reason.CATCH_UP]


def test_a_pause_cannot_have_ended_already(house: House) -> None:
    with pytest.raises(RefusedError, match="2026-01-01 00:00:00 UTC has passed; pauses end later than now"):
        house.controls.pause(KEY, until=EPOCH, who="jo")


def test_a_key_of_a_broken_rd_is_said_to_be_of_one(house: House) -> None:
    house.path.write_text("<resource><execute/></resource>")
    house.take_up()
    with pytest.raises(UnknownNameError, match=r"no execute has the key 'a/q#new'; its RD is broken: .*E"):
        house.controls.trigger("a/q#new", who="jo")


def test_a_daemon_that_stops_starts_nothing(house: House) -> None:
    house.controls.stop(who="jo")
    with pytest.raises(RefusedError, match="the daemon is stopping"):
        house.controls.trigger(KEY, who="jo")
    assert house.controls.status().is_stopping


def test_a_run_that_has_ended_is_told_from_its_record(house: House) -> None:
    run_id = house.controls.trigger(KEY, who="jo")
    house.run_all()
    began, printed, ended = house.controls.follow(run_id=run_id)
    assert isinstance(began, RunBegan)
    assert printed == Printed(run_id=run_id, output=b"for all\n")
    assert isinstance(ended, RunEnded)
    assert ended.run.outcome is Outcome.SUCCEEDED


def test_a_run_that_goes_on_is_told_as_it_goes(house: House) -> None:
    run_id = house.controls.trigger(KEY, who="jo")
    house.step()
    following = house.controls.follow(run_id=run_id)
    assert next(following) is None
    house.run_all()
    assert [type(happening) for happening in following] == [RunBegan, Printed, RunEnded]


@pytest.mark.parametrize("name", [{"run_id": "nothing"}, {"key": "a/q#nothing"}])
def test_what_is_not_there_cannot_be_followed(house: House, name: dict[str, str]) -> None:
    with pytest.raises(UnknownNameError):
        next(house.controls.follow(**name))


def test_all_of_the_jobs_are_listed_with_what_their_rds_say(house: House) -> None:
    [job] = house.controls.listed()
    assert (job.key, job.every, job.path) == (KEY, 3600, str(house.path))


def test_deliveries_are_asked_for(house: House) -> None:
    house.controls.deliver(who="jo")
    house.step()


# For those who look


def test_a_job_is_told_with_its_code_and_its_next_instants(house: House) -> None:
    detail = house.controls.job(KEY)
    assert (detail.line.key, detail.line.last_run) == (KEY, None)
    assert detail.declared.path == str(house.path)
    assert detail.code[0].lines[0] == (2, "print('for', execDef.getProperty('who', 'all'))")
    first = EPOCH + timedelta(seconds=360)
    assert detail.coming == tuple(first + number * timedelta(hours=1) for number in range(10))
    assert detail.settings == ()
    house.controls.trigger(KEY, who="jo")
    house.run_all()
    last_run = house.controls.job(KEY).line.last_run
    assert last_run is not None
    assert last_run.outcome is Outcome.SUCCEEDED
    with pytest.raises(UnknownNameError, match="no execute has the key"):
        house.controls.job("a/q#y")


def test_what_is_coming_has_bounds_and_leaves_out_what_is_paused(house: House) -> None:
    until = EPOCH + timedelta(hours=3)
    dues = house.controls.coming(until=until, each=100)
    assert [due.due - EPOCH for due in dues] == [timedelta(seconds=360 + 3600 * number) for number in range(3)]
    assert len(house.controls.coming(until=until, each=2)) == 2
    house.controls.pause(KEY, who="jo")
    assert house.controls.coming(until=until, each=100) == []


def test_rds_are_told_and_what_is_wrong_with_those_that_are_broken(house: House) -> None:
    assert [(rd.rd_id, rd.jobs, rd.is_good) for rd in house.controls.rds()] == [("a/q", 1, True)]
    assert house.controls.broken() == []
    house.path.write_text(RD.replace("every", "evry"))
    house.take_up()
    assert [(rd.rd_id, rd.jobs, rd.is_good) for rd in house.controls.rds()] == [("a/q", 1, False)]
    [broken] = house.controls.broken()
    assert (broken.rd_id, broken.held_back, broken.rejected_at) == ("a/q", (KEY,), EPOCH)
    assert [fault.code for fault in broken.diagnostics] == ["E202"]
    assert house.controls.job(KEY).line.held_back


def test_runs_are_counted_where_the_daemon_shows_itself_and_only_there(house: House, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="--web"):
        house.controls.measures()
    (tmp_path / "shown").mkdir()
    shown = House(tmp_path / "shown", web=True)
    shown.controls.trigger(KEY, who="jo")
    shown.run_all()
    [count] = shown.controls.measures().runs
    assert (count.key, count.outcome, count.runs) == (KEY, Outcome.SUCCEEDED, 1)
    shown.store.close()
