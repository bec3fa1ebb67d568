"""The three trips of the house, through all its rooms, with doubles outside: no thread, no real time, no server."""

from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from gavo_exec.daemon import Daemon, assemble
from gavo_exec.errors import DeliveryError
from gavo_exec.events import DescriptorAccepted, DescriptorRejected, DescriptorRemoved, Event, RunFinished
from gavo_exec.model import Outcome, Run
from gavo_exec.runtime import capture
from gavo_exec.services.store import SQLiteStore
from gavo_exec.settings import Settings
from gavo_exec.testing import FakeClock, InlineEngine, ListMailer, ScriptedRunner, ScriptedWatcher


class House:
    """An assembled daemon on a resource tree in a folder."""

    def __init__(self, folder: Path) -> None:
        self.inputs = folder / "inputs"
        self.inputs.mkdir()
        self.settings = Settings(
            inputs_dir=str(self.inputs), state_dir=str(folder / "state"), host="vo", mail_to=("ops@example.org",)
        )
        self.clock = FakeClock()
        self.runner = ScriptedRunner()
        self.mailer = ListMailer()
        self.store = SQLiteStore(":memory:", holder="us", is_alive=lambda _: True)
        self.engine = InlineEngine()
        self.events: list[Event] = []
        self.daemon = self.assemble()

    def assemble(self) -> Daemon:
        return assemble(
            self.settings,
            clock=self.clock,
            runner=self.runner,
            mailer=self.mailer,
            store=self.store,
            engine=self.engine,
            watcher=ScriptedWatcher(),
            listeners=[self.events.append],
        )

    def save(self, rd_id: str, text: str) -> None:
        path = self.inputs / f"{rd_id}.rd"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        self.changed(rd_id)

    def remove(self, rd_id: str) -> None:
        (self.inputs / f"{rd_id}.rd").unlink()
        self.changed(rd_id)

    def changed(self, rd_id: str) -> None:
        self.daemon.take_up(frozenset([str(self.inputs / f"{rd_id}.rd")]))
        self.daemon.step()

    def move(self, seconds: float) -> None:
        self.clock.move(seconds)
        self.daemon.step()

    def runs(self) -> list[Run]:
        return [event.run for event in self.events if isinstance(event, RunFinished)]

    def keys(self) -> list[str]:
        return [status.key for status in self.daemon.scheduler.statuses()]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    with capture.install():
        yield house
    house.store.close()


def rd(code: str = "print('hello')", *, when: str = 'every="60"', title: str = "Fetch", more: str = "") -> str:
    return (
        f'<resource schema="weather" resdir=".">\n'
        f'  <table id="t"><column name="unread"/></table>\n'
        f'  <execute id="fetch" title="{title}" {when}>\n'
        f"    <job><code>\n"
        f"      {code}\n"
        f"    </code></job>\n"
        f"  </execute>{more}\n"
        f"</resource>\n"
    )


def body(mail: EmailMessage) -> str:
    content = mail.get_body(("plain",))
    assert content is not None
    return str(content.get_content())


class TestAFileIsDroppedIn:
    def test_nothing_of_it_runs_before_it_is_due(self, house: House) -> None:
        house.save("weather/q", rd())
        assert house.keys() == ["weather/q#fetch"]
        assert house.runs() == []
        house.move(5.9)
        assert house.runs() == []

    def test_it_runs_when_it_is_due_and_is_remembered(self, house: House) -> None:
        house.save("weather/q", rd("print('hello from \\rdId')"))
        house.move(6)
        (run,) = house.runs()
        assert (run.outcome, run.output, run.key) == (Outcome.SUCCEEDED, "hello from weather/q\n", "weather/q#fetch")
        assert house.store.run(run.run_id) == run
        assert house.store.last_starts() == {"weather/q#fetch": house.clock.now()}
        assert house.mailer.sent == []

    def test_its_phase_survives_a_restart(self, house: House) -> None:
        house.save("weather/q", rd())
        house.move(6)
        house.move(30)
        house.daemon = house.assemble()
        house.changed("weather/q")
        house.move(29.9)
        assert len(house.runs()) == 1
        house.move(0.1)
        assert len(house.runs()) == 2

    def test_two_rds_with_like_titles_do_not_meet(self, house: House) -> None:
        house.save("weather/q", rd(title="Ingest new files"))
        house.save("radio/q", rd(title="Ingest new files"))
        house.move(6)
        assert sorted(run.key for run in house.runs()) == ["radio/q#fetch", "weather/q#fetch"]

    def test_it_finds_other_rds_as_they_were_accepted(self, house: House) -> None:
        house.save("radio/q", rd(when='at="0:01"'))
        house.save("weather/q", rd("print(base.resolveCrossId('radio/q#fetch').at, base.caches.getRD('radio/q'))"))
        house.move(6)
        (run,) = house.runs()
        assert run.output == "['0:01'] <resource descriptor radio/q>\n"

    def test_what_runs_on_loading_comes_first_and_shares_what_it_makes(self, house: House) -> None:
        loading = (
            "<execute id='b' title='B' on='loaded'><job><setup><code>import math</code></setup><code>"
            "rd.area = lambda radius: math.pi * radius ** 2</code></job></execute>"
        )
        house.save("weather/q", rd("print(round(rd.area(10)))", when='every="-60"', more=loading))
        house.move(1)
        assert [(run.key, run.outcome, run.output) for run in house.runs()] == [
            ("weather/q#b", Outcome.SUCCEEDED, ""),
            ("weather/q#fetch", Outcome.SUCCEEDED, "314\n"),
        ]


class TestAJobFailsAndAMailGoesOut:
    def test_an_exception_is_mailed_with_the_line_of_the_rd(self, house: House) -> None:
        house.save("weather/q", rd("x = 1\n      raise ValueError('bad input')"))
        house.move(6)
        (mail,) = house.mailer.sent
        assert mail["Subject"] == "[vo] FAILED weather/q#fetch: ValueError: bad input"
        assert mail["To"] == "ops@example.org"
        text = body(mail)
        path = house.inputs / "weather" / "q.rd"
        assert f'File "{path}", line 6' in text
        assert "raise ValueError('bad input')" in text
        assert "gavo-exec execute weather/q#fetch" in text

    def test_setup_that_fails_is_mailed_with_its_line_of_the_rd(self, house: House) -> None:
        setup = "<setup>\n<code>\n  import json\n  json.loads('{')\n</code></setup>"
        house.save("weather/q", rd("print('never')").replace("<job>", f"<job>{setup}"))
        house.move(6)
        (mail,) = house.mailer.sent
        path = house.inputs / "weather" / "q.rd"
        line = path.read_text().partition("json.loads")[0].count("\n") + 1
        assert mail["Subject"].startswith("[vo] FAILED weather/q#fetch: json.decoder.JSONDecodeError: ")
        assert f'File "{path}", line {line}, in <module>' in body(mail)
        assert "never" not in house.runs()[0].output

    def test_a_failed_child_is_mailed_once_with_its_output_and_the_job_goes_on(self, house: House) -> None:
        house.runner.script = {"fetch.sh": (3, b"no route to host\n")}
        house.save("weather/q", rd("execDef.spawn('fetch.sh now')\n      print('went on')"))
        house.move(6)
        (mail,) = house.mailer.sent
        assert mail["Subject"] == "[vo] FAILED weather/q#fetch: exit 3: no route to host"
        assert "    no route to host\n    went on\n" in body(mail)

    def test_a_mail_that_is_not_taken_is_kept_and_tried_again(self, house: House) -> None:
        house.mailer.failures = [DeliveryError("the server is down")]
        house.save("weather/q", rd("1/0", when='at="0:01"'))
        house.move(60)
        assert house.mailer.sent == []
        (waiting,) = house.store.mails()
        assert waiting.error == "the server is down"
        assert waiting.next_attempt_at is not None
        house.daemon = house.assemble()  # a restart in between
        house.clock.at = waiting.next_attempt_at
        house.daemon.step()
        assert len(house.mailer.sent) == 1

    def test_what_a_debugged_job_accumulates_is_mailed_though_it_went_well(self, house: House) -> None:
        house.runner.script = {"fetch.sh": b"12 files\n"}
        house.save("weather/q", rd("execDef.spawn('fetch.sh')", when='every="60" debug="True"'))
        house.move(6)
        (mail,) = house.mailer.sent
        assert "DEBUG" in mail["Subject"]
        assert "12 files" in body(mail)

    def test_a_title_cannot_write_headers(self, house: House) -> None:
        house.save("weather/q", rd("1/0", title="x&#10;Bcc: evil@example.org"))
        house.move(6)
        (mail,) = house.mailer.sent
        assert mail["Bcc"] is None

    def test_a_run_cut_off_by_a_crash_is_recorded_and_mailed_at_the_next_start(self, house: House) -> None:
        house.store.close()
        alive = {"us"}
        path = Path(house.settings.state_dir)
        path.mkdir()
        first = SQLiteStore(path / "state.sqlite", holder="us", is_alive=alive.__contains__)
        house.store = first
        house.daemon = house.assemble()
        house.save("weather/q", rd())
        house.clock.move(6)

        class Crash(BaseException):
            pass

        house.engine.submit = lambda requests: (_ for _ in ()).throw(Crash())  # type: ignore[method-assign]
        with pytest.raises(Crash):
            house.daemon.step()
        first.close()
        alive.clear()
        house.store = SQLiteStore(path / "state.sqlite", holder="us again", is_alive=alive.__contains__)
        house.engine = InlineEngine()
        house.daemon = house.assemble()
        house.daemon.account_for_the_past()
        house.daemon.step()
        assert [run.outcome for run in house.store.runs()] == [Outcome.INTERRUPTED]
        (mail,) = house.mailer.sent
        assert "INTERRUPTED weather/q#fetch" in mail["Subject"]


class TestAnEditBreaksTheRDAndBack:
    def test_the_last_good_version_runs_on_and_it_is_said_once(self, house: House) -> None:
        house.save("weather/q", rd("print('good')"))
        house.save("weather/q", rd("print('bad')", when='every="hourly"'))
        rejected = [event for event in house.events if isinstance(event, DescriptorRejected)]
        assert [str(diagnostic) for diagnostic in rejected[0].rejection.diagnostics] == [
            f"{house.inputs}/weather/q.rd:3:44: E302 every is not a whole number: 'hourly'"
        ]
        assert [held.key for held in rejected[0].held_back] == ["weather/q#fetch"]
        house.changed("weather/q")
        house.changed("weather/q")
        assert [mail["Subject"] for mail in house.mailer.sent] == [house.mailer.sent[0]["Subject"]]
        assert "BROKEN RD weather/q" in house.mailer.sent[0]["Subject"]
        assert "q.rd:3:44: E302" in body(house.mailer.sent[0])
        assert [status.held_back for status in house.daemon.scheduler.statuses()] == [True]
        house.move(6)
        assert [run.output for run in house.runs()] == ["good\n"]

    def test_the_next_good_version_is_taken_up_with_an_all_clear_and_without_losing_the_phase(
        self, house: House
    ) -> None:
        house.save("weather/q", rd("print('good')"))
        house.move(3)
        house.save("weather/q", "<resource")
        house.save("weather/q", rd("print('mended')"))
        house.move(3)
        assert [run.output for run in house.runs()] == ["mended\n"]
        assert [event.recovered for event in house.events if isinstance(event, DescriptorAccepted)] == [False, True]
        assert len(house.mailer.sent) == 2

    def test_a_restart_mails_the_same_broken_content_no_second_time(self, house: House) -> None:
        house.save("weather/q", "<resource")
        house.daemon = house.assemble()
        house.changed("weather/q")
        assert len(house.mailer.sent) == 1

    def test_others_are_not_touched(self, house: House) -> None:
        house.save("weather/q", rd())
        house.save("radio/q", rd())
        house.move(3)
        house.save("radio/q", "<resource")
        house.move(3)
        assert sorted(run.key for run in house.runs()) == ["radio/q#fetch", "weather/q#fetch"]

    def test_a_removed_rd_takes_its_jobs_along(self, house: House) -> None:
        house.save("weather/q", rd())
        house.remove("weather/q")
        assert house.keys() == []
        assert [event.rd_id for event in house.events if isinstance(event, DescriptorRemoved)] == ["weather/q"]
        house.move(100_000)
        assert house.runs() == []

    def test_a_removed_execute_never_runs_again_and_an_added_one_does(self, house: House) -> None:
        house.save("weather/q", rd())
        house.save("weather/q", rd().replace('id="fetch"', 'id="other"'))
        assert house.keys() == ["weather/q#other"]
        house.move(6)
        assert [run.key for run in house.runs()] == ["weather/q#other"]
