"""The three trips of the house, through all its rooms, with doubles outside: no thread, no real time, no server."""

from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from msgspec import structs

from gavo_exec.daemon import Daemon, assemble
from gavo_exec.errors import DeliveryError
from gavo_exec.events import DescriptorAccepted, DescriptorRejected, DescriptorRemoved, Event, RunFinished
from gavo_exec.model import Outcome, Run
from gavo_exec.rdfiles import Signature
from gavo_exec.runtime import capture
from gavo_exec.services.store import SQLiteStore
from gavo_exec.settings import Settings
from gavo_exec.testing import FakeClock, InlineEngine, ListMailer, ScriptedRunner, ScriptedWatcher, starts_of


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

    def mails(self) -> list[EmailMessage]:
        """All mails until now, with those about what has just happened: for these more may come, for a moment."""
        self.move(0.3)
        return self.mailer.sent

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

    def test_its_jobs_can_ask_for_rds_without_executes(self, house: House) -> None:
        house.save("data/q", '<resource schema="data" resdir="store"><meta name="title">Data</meta></resource>')
        house.save("weather/q", rd("found = base.caches.getRD('data/q'); print(found.resdir, found.getMeta('title'))"))
        house.move(6)
        [run] = house.runs()
        assert run.output == f"{house.inputs}/store Data\n"

    def test_it_runs_when_it_is_due_and_is_remembered(self, house: House) -> None:
        house.save("weather/q", rd("print('hello from \\rdId')"))
        house.move(6)
        (run,) = house.runs()
        assert (run.outcome, run.output, run.key) == (Outcome.SUCCEEDED, "hello from weather/q\n", "weather/q#fetch")
        assert house.store.run(run.run_id) == run
        assert starts_of(house.store) == {"weather/q#fetch": house.clock.now()}
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
        (mail,) = house.mails()
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
        (mail,) = house.mails()
        path = house.inputs / "weather" / "q.rd"
        line = path.read_text().partition("json.loads")[0].count("\n") + 1
        assert mail["Subject"].startswith("[vo] FAILED weather/q#fetch: json.decoder.JSONDecodeError: ")
        assert f'File "{path}", line {line}, in <module>' in body(mail)
        assert "never" not in house.runs()[0].output

    def test_a_failed_child_is_mailed_once_with_its_output_and_the_job_goes_on(self, house: House) -> None:
        house.runner.script = {"fetch.sh": (3, b"no route to host\n")}
        house.save("weather/q", rd("execDef.spawn('fetch.sh now')\n      print('went on')"))
        house.move(6)
        (mail,) = house.mails()
        assert mail["Subject"] == "[vo] FAILED weather/q#fetch: exit 3: no route to host"
        assert "    no route to host\n    went on\n" in body(mail)

    def test_a_mail_that_is_not_taken_is_kept_and_tried_again(self, house: House) -> None:
        house.mailer.failures = [DeliveryError("the server is down")]
        house.save("weather/q", rd("1/0", when='at="0:01"'))
        house.move(60)
        assert house.mails() == []
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
        (mail,) = house.mails()
        assert "DEBUG" in mail["Subject"]
        assert "12 files" in body(mail)

    def test_a_title_cannot_write_headers(self, house: House) -> None:
        house.save("weather/q", rd("1/0", title="x&#10;Bcc: evil@example.org"))
        house.move(6)
        (mail,) = house.mails()
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
        for run in house.daemon.end_what_was_cut_off():
            house.daemon.bus.publish(RunFinished(run=run))
        house.daemon.step()
        (run,) = house.store.runs()
        assert run.outcome is Outcome.INTERRUPTED
        assert house.runner.cleared == [run.run_id]  # its children, which outlive a daemon that is killed
        (mail,) = house.mails()
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
        [mail] = house.mails()
        assert mail["Subject"] == ("[vo] BROKEN RD weather/q: line 3: E302 every is not a whole number: 'hourly'")
        assert "q.rd:3:44: E302" in body(mail)
        assert [status.held_back for status in house.daemon.scheduler.statuses()] == [True]
        house.move(6)
        assert [run.output for run in house.runs()] == ["good\n"]

    def test_the_next_good_version_is_taken_up_with_an_all_clear_and_without_losing_the_phase(
        self, house: House
    ) -> None:
        house.save("weather/q", rd("print('good')"))
        house.move(3)
        house.save("weather/q", "<resource")
        assert len(house.mails()) == 1
        house.save("weather/q", rd("print('mended')"))
        house.move(2.7)
        assert [run.output for run in house.runs()] == ["mended\n"]
        assert [event.recovered for event in house.events if isinstance(event, DescriptorAccepted)] == [False, True]
        house.move(60)
        assert [mail["Subject"].split(":")[0] for mail in house.mailer.sent] == [
            "[vo] BROKEN RD weather/q",
            "[vo] RECOVERED weather/q",
        ]

    def test_what_is_mended_before_anybody_was_told_is_told_in_one(self, house: House) -> None:
        house.save("weather/q", rd("print('good')"))
        house.save("weather/q", "<resource")
        house.save("weather/q", rd("print('mended')"))
        [mail] = house.mails()
        assert mail["Subject"].startswith("[vo] BROKEN RD weather/q: line 1: E102 ")
        assert mail["Subject"].endswith(" (good again since 00:00)")
        house.move(3600)
        assert len(house.mailer.sent) == 1

    def test_a_restart_mails_the_same_broken_content_no_second_time(self, house: House) -> None:
        house.save("weather/q", "<resource")
        house.move(1)
        house.daemon = house.assemble()
        house.changed("weather/q")
        house.move(100)
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


SITE_RD = """<resource schema="weather">
  <STREAM id="made"><execute id="\\name" title="\\name" every="60"><job><code>pass</code></job></execute></STREAM>
  <execute id="fetch" title="Fetch" every="60">
    <property name="by">\\metaString{publisher}{nobody} at \\getConfig{web}{sitename}</property>
    <job><code>pass</code></job>
  </execute>%s
</resource>
"""
LOOP = (
    '<LOOP source="made"><codeItems>'
    'for name in ["one", "two"]: yield {"name": utils.getFileStem(name)}'
    "</codeItems></LOOP>"
)


class TestASiteOfDachs:
    @pytest.fixture
    def site(self, tmp_path: Path) -> Iterator[House]:
        (tmp_path / "gavo.rc").write_text(
            "[web]\nsitename=VO\n[general]\nsendmail=cat > mails\nmaintainerAddress=a@b\n"
        )
        (tmp_path / "etc").mkdir()
        house = House(tmp_path)
        yield house
        house.store.close()

    def by(self, house: House) -> str | None:
        return house.daemon.reloader.catalog.accepted["weather/q"].executes[0].properties["by"]

    def watched(self, house: House) -> dict[str, Signature | None]:
        assert isinstance(house.daemon.watcher, ScriptedWatcher)
        return house.daemon.watcher.also

    def test_macros_know_it_and_its_metadata_is_taken_up_when_it_changes(self, site: House, tmp_path: Path) -> None:
        site.save("weather/q", SITE_RD % "")
        assert self.by(site) == "nobody at VO"
        meta = tmp_path / "etc" / "defaultmeta.txt"
        assert self.watched(site) == {str(meta): None}
        meta.write_text("publisher: The observatory\n")
        site.daemon.take_up(frozenset([str(meta)]))
        assert self.by(site) == "The observatory at VO"
        meta.unlink()
        site.daemon.reread_all()
        assert self.by(site) == "nobody at VO"

    def test_what_cannot_be_used_of_it_is_logged(self, site: House, caplog: pytest.LogCaptureFixture) -> None:
        site.assemble()
        place, mend = f"{site.inputs.parent}/gavo.rc:4: sendmail", "set sendmail in gavo-exec's own settings"
        assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
            f"{place} needs a shell, and is not used: 'cat > mails'; {mend}"
        ]

    def test_files_beside_the_tree_are_watched_for_the_rds_built_from_them(self, site: House, tmp_path: Path) -> None:
        config = tmp_path / "etc" / "userconfig.rd"
        site.save("weather/q", SITE_RD % '<execute id="x" title="X" every="60"><job procDef="%#own"/></execute>')
        assert site.keys() == []
        assert self.watched(site)[str(config)] is None
        config.write_text('<resource schema="x"><procDef id="own"><code>pass</code></procDef></resource>')
        site.daemon.take_up(frozenset([str(config)]))
        site.daemon.step()
        assert site.keys() == ["weather/q#fetch", "weather/q#x"]

    def test_code_runs_while_rds_are_read_only_where_that_is_wanted(self, site: House) -> None:
        site.save("weather/q", SITE_RD % LOOP)
        assert site.keys() == []
        site.settings = structs.replace(site.settings, code_items="run")
        site.daemon = site.assemble()
        site.changed("weather/q")
        assert site.keys() == ["weather/q#fetch", "weather/q#one", "weather/q#two"]

    def test_only_rds_that_are_named_are_loaded_and_it_is_said_which_are_not_there(
        self, site: House, caplog: pytest.LogCaptureFixture
    ) -> None:
        site.settings = structs.replace(site.settings, preload_rds=("weather/q.rd", "none", "x/\x1b"))
        site.save("other/q", SITE_RD % "")
        site.save("weather/q", SITE_RD % "")
        paths = frozenset(str(path) for path in site.inputs.rglob("*.rd"))
        site.daemon = assemble(
            site.settings,
            clock=site.clock,
            runner=site.runner,
            mailer=site.mailer,
            store=SQLiteStore(":memory:", holder="us", is_alive=lambda _: True),
            engine=InlineEngine(),
            watcher=ScriptedWatcher(paths),
        )
        site.daemon.start()
        try:
            assert site.daemon.reloader.catalog.accepted.keys() == {"weather/q"}
            assert "2 of the RDs in preload_rds do not exist: none, x/\\x1b" in caplog.text
        finally:
            site.daemon.stop("the test is over")


RETRYING = """<resource schema="weather">
  <execute id="fetch" title="Fetch" every="-3600">
    <property name="run.retries">2</property>
    <property name="run.retryDelay">60</property>
    <job><code>execDef.spawn(["fetch"])</code></job>
  </execute>
</resource>"""


def test_what_is_tried_again_is_mailed_when_the_last_attempt_failed(house: House) -> None:
    house.runner.script["fetch"] = 3
    house.save("weather/q", RETRYING)
    assert house.mailer.sent == []
    assert list(house.store.retries()) == ["weather/q#fetch"]
    house.move(70)
    assert house.mailer.sent == []
    house.move(140)
    [mail] = house.mails()
    assert "attempt 3" in body(mail)
    assert "Earlier attempts:\n    1: 2026-01-01 00:00:00 UTC failed: exit 3: fetch" in body(mail)
    assert [(run.attempt, run.outcome) for run in house.runs()] == [(n, Outcome.FAILED) for n in (1, 2, 3)]
    assert house.store.retries() == {}


def test_a_retry_outlives_a_restart_and_its_success_is_the_end_of_it(house: House) -> None:
    house.runner.script["fetch"] = 3
    house.save("weather/q", RETRYING)
    house.daemon = house.assemble()
    del house.runner.script["fetch"]
    house.changed("weather/q")
    house.move(70)
    assert [(run.attempt, run.outcome) for run in house.runs()] == [(1, Outcome.FAILED), (2, Outcome.SUCCEEDED)]
    assert house.mailer.sent == []
