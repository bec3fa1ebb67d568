"""The main job with the real command: real files, real signals, SQLite on disk, mail on a real socket."""

import os
import re
import signal
import socket
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from tests.acceptance.conftest import text_of

RD = """<resource schema="weather" resdir=".">
  <execute id="fetch" title="Fetch" {when}>
    <job><code>
      {code}
    </code></job>
  </execute>
</resource>
"""


def rd(code: str, when: str = 'every="-3600"') -> str:
    return RD.format(code=code, when=when)


class TestTheMainJob:
    def test_a_due_job_runs_and_a_failing_one_is_mailed_into_the_maildir(self, site: Any) -> None:
        site.save("weather/q.rd", rd("print('it is raining')"))
        site.save("weather/bad.rd", rd("execDef.spawn(['sh', '-c', 'echo no net; exit 3'])"))
        daemon = site.serve()
        daemon.wait_for("weather/q#fetch succeeded")
        daemon.wait_for("weather/bad#fetch FAILED.*exit 3")
        (mail,) = site.eventually(site.mails)
        assert mail["Subject"] == "[vo] FAILED weather/bad#fetch: exit 3: no net"
        assert "no net" in text_of(mail)
        assert daemon.end() == 0
        runs = site.json("history")
        assert sorted((run["key"], run["outcome"]) for run in runs) == [
            ("weather/bad#fetch", "failed"),
            ("weather/q#fetch", "succeeded"),
        ]
        (good,) = [run for run in runs if run["outcome"] == "succeeded"]
        assert site.json("show", good["run_id"])["output"] == "it is raining\n"

    def test_an_rd_that_is_dropped_in_is_taken_up_within_a_second(self, site: Any) -> None:
        daemon = site.serve()
        begin = monotonic()
        site.save("weather/q.rd", rd("print('hello')"))
        daemon.wait_for("weather/q#fetch succeeded", within=5)
        # One second from standing still, and the time a loaded machine takes to run it.
        assert monotonic() - begin < 3
        assert daemon.end() == 0

    def test_edits_breakage_and_removal_are_taken_up_while_others_run_on(self, site: Any) -> None:
        site.save("other/q.rd", rd("print('other')", 'every="1"'))
        path = site.save("weather/q.rd", rd("print('first')"))
        daemon = site.serve()
        daemon.wait_for("weather/q#fetch succeeded")
        site.save("weather/q.rd", rd("print('second')", 'every="soon"'))
        daemon.wait_for(r"weather/q.rd:2:44: E302 every is not a whole number: 'soon'")
        mail = site.eventually(site.mails)[0]
        assert mail["Subject"].startswith("[vo] BROKEN RD weather/q")
        (held,) = [job for job in site.json("list") if job["key"] == "weather/q#fetch"]
        assert held["held_back"] is True
        assert "q.rd:2:44: E302" in site.run("check", code=1)
        site.save("weather/q.rd", rd("print('third')", 'every="-1800"'))
        daemon.wait_for("weather/q is good again")
        path.unlink()
        daemon.wait_for("weather/q.*removed")
        assert [job["key"] for job in site.json("list")] == ["other/q#fetch"]
        daemon.wait_for("other/q#fetch succeeded", count=2)
        assert daemon.end() == 0
        # That would have been told a minute after the mail before; a daemon that ends tells it at once.
        assert [mail["Subject"].split(":")[0] for mail in site.mails()] == [
            "[vo] BROKEN RD weather/q",
            "[vo] RECOVERED weather/q",
        ]

    def test_a_hangup_reads_everything_anew(self, site: Any) -> None:
        site.save("weather/q.rd", rd("print('hello')"))
        daemon = site.serve()
        daemon.wait_for("weather/q#fetch succeeded")
        daemon.process.send_signal(signal.SIGHUP)
        site.save("weather/r.rd", rd("print('hello')"))
        daemon.wait_for("weather/r#fetch succeeded")
        assert daemon.end(signal.SIGINT) == 0
        assert len(site.json("history", "weather/q#fetch")) == 1


STRING = 'execDef.spawn("dachs imp \\rdId")'
LIST = 'execDef.spawn(["dachs", "imp", "\\rdId"])'


class TestTheFourShapesOfOperatorsRDs:
    """Whole RDs of 100 lines and more, with tables and services round executes without ids, all with one title."""

    @pytest.mark.parametrize(
        ("rd_id", "code"),
        [
            ("neutrons/q", f"# {STRING}\n        {LIST}"),  # every="3600", the string commented out for a list
            ("solar/q", STRING),
            ("magnetometer/q", STRING),  # at="1:00"
            ("asteroids/q", f"{LIST}\n    # {STRING}"),
        ],
    )
    def test_they_load_and_run_with_their_own_spellings(self, site: Any, rd_id: str, code: str) -> None:
        site.program("dachs", 'echo "imported $2 in $(pwd)"')
        data = Path(__file__).parent.parent / "data" / "good"
        pattern = re.compile(r"(?:# *)?execDef\.spawn\([^\n]*(?:\n *execDef\.spawn\([^\n]*)?")
        for name, source in {"neutrons/q": "neutrons/q", "solar/q": "neutrons/q", rd_id: rd_id}.items():
            path = data / f"{source}.rd"
            text = (path if path.exists() else data / "magnetometer" / "q.rd").read_text()
            assert len(text.splitlines()) >= 100
            site.save(f"{name}.rd", pattern.sub(lambda _: code, text, count=1))
        site.run("check")
        jobs = [job for job in site.json("list") if job["title"] == "Ingest new files"]
        assert len(jobs) >= 2
        resdir = site.json("show", f"{rd_id}#ingest-new-files")["resdir"]
        Path(resdir).mkdir(exist_ok=True)
        assert f"imported {rd_id} in {resdir}\n" in site.run("execute", f"{rd_id}#ingest-new-files")
        (run,) = site.json("history")
        assert (run["key"], run["outcome"]) == (f"{rd_id}#ingest-new-files", "succeeded")


class TestStopping:
    def test_sigterm_waits_for_what_is_running_and_starts_nothing_more(self, site: Any) -> None:
        fifo = site.folder / "go"
        os.mkfifo(fifo)
        site.save("weather/q.rd", rd(f"print('begun', flush=True); open({str(fifo)!r}).read(); print('done')"))
        daemon = site.serve()
        daemon.wait_for("weather/q#fetch started")
        daemon.process.send_signal(signal.SIGTERM)
        daemon.wait_for("stopping")
        fifo.write_text("")
        assert daemon.process.wait(20) == 0
        (run,) = site.json("history")
        assert run["outcome"] == "succeeded"

    def test_what_does_not_end_in_its_grace_is_interrupted_with_its_children_and_said(self, site: Any) -> None:
        pid_file = site.folder / "pid"
        site.save(
            "weather/q.rd", rd(f"execDef.spawn(['sh', '-c', 'echo $$ > {pid_file}; echo half; exec sleep 1000'])")
        )
        daemon = site.serve("--stop-grace-seconds", "0")
        site.eventually(lambda: pid_file.exists() and pid_file.read_text().strip())
        assert daemon.end() == 0
        pid = int(pid_file.read_text())
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        (run,) = site.json("history")
        assert run["outcome"] == "interrupted"
        assert run["error"].partition("\n")[0] == "the daemon was stopped before the run had ended"
        assert site.json("show", run["run_id"])["output"] == "half\n"
        (mail,) = site.mails()
        assert "INTERRUPTED weather/q#fetch" in mail["Subject"]

    def test_a_killed_daemon_leaves_a_record_of_what_it_cut_off(self, site: Any) -> None:
        site.save("weather/q.rd", rd("execDef.spawn(['sleep', '1000'])"))
        daemon = site.serve()
        daemon.wait_for("weather/q#fetch started")
        daemon.end(signal.SIGKILL)
        again = site.serve()
        again.wait_for("weather/q#fetch.*(?i:interrupted)")
        mail = site.eventually(site.mails)[0]
        assert "INTERRUPTED weather/q#fetch" in mail["Subject"]
        again.end(signal.SIGKILL)

    def test_a_second_daemon_on_the_same_state_is_refused(self, site: Any) -> None:
        daemon = site.serve()
        second = site.serve(ready=False)
        assert second.process.wait(20) == 1
        second.wait_for("another daemon uses this state directory")
        assert "Traceback" not in second.said
        assert daemon.end() == 0


class TestExecute:
    def test_it_runs_here_and_now_with_live_output_and_the_outcome_as_its_code(self, site: Any) -> None:
        site.save("weather/q.rd", rd("print('hello')", 'at="3:00"'))
        site.save("weather/bad.rd", rd("print('half'); 1/0", 'at="3:00"'))
        assert "hello" in site.run("execute", "weather/q#fetch")
        failed = site.run("execute", "weather/bad#fetch", code=1)
        assert "half" in failed
        assert "ZeroDivisionError" in failed
        assert "did you mean" in site.run("execute", "weather/q#fetsh", code=2)

    def test_it_respects_the_guard_of_the_daemon(self, site: Any) -> None:
        fifo = site.folder / "go"
        os.mkfifo(fifo)
        site.save("weather/q.rd", rd(f"open({str(fifo)!r}).read()"))
        daemon = site.serve()
        daemon.wait_for("weather/q#fetch started")
        refused = site.run("execute", "weather/q#fetch", code=1)
        assert "is running already" in refused
        assert str(daemon.process.pid) in refused
        fifo.write_text("")
        daemon.wait_for("weather/q#fetch succeeded")
        assert daemon.end() == 0


class Inbox:
    """An SMTP server's handler that keeps what it takes."""

    def __init__(self) -> None:
        self.mails: list[Message] = []
        self.refusing = 0

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:  # noqa: N802 -- aiosmtpd's
        if self.refusing:
            self.refusing -= 1
            return "451 try again later"
        self.mails.append(message_from_bytes(envelope.content))
        return "250 taken"


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
    return number


class TestMailOnASocket:
    def settings(self, site: Any, port: int) -> None:
        site.env |= {
            "GAVO_EXEC_MAIL_TO": "ops@example.org",
            "GAVO_EXEC_SMTP_HOST": "127.0.0.1",
            "GAVO_EXEC_SMTP_PORT": str(port),
            "GAVO_EXEC_SMTP_SECURITY": "none",
        }

    def test_a_failure_reaches_the_server(self, site: Any, port: int) -> None:
        self.settings(site, port)
        inbox = Inbox()
        controller = Controller(inbox, hostname="127.0.0.1", port=port)
        controller.start()
        try:
            site.save("weather/q.rd", rd("raise ValueError('no data äöü')"))
            daemon = site.serve()
            mail = site.eventually(lambda: inbox.mails)[0]
            assert mail["To"] == "ops@example.org"
            assert daemon.end() == 0
        finally:
            controller.stop()
        (sent,) = site.json("mail", "list")
        assert sent["delivered_at"] is not None

    def test_an_outage_and_a_restart_lose_no_mail(self, site: Any, port: int) -> None:
        self.settings(site, port)
        site.save("weather/q.rd", rd("raise ValueError('no data')"))
        daemon = site.serve()
        daemon.wait_for("weather/q#fetch FAILED")
        site.eventually(lambda: [mail for mail in site.json("mail", "list") if mail["attempts"]])
        daemon.end(signal.SIGKILL)
        inbox = Inbox()
        controller = Controller(inbox, hostname="127.0.0.1", port=port)
        controller.start()
        try:
            site.save("weather/q.rd", rd("print('mended')"))
            again = site.serve()
            # Somebody started the daemon again, who may have mended what was wrong: no waiting for the next try.
            mail = site.eventually(lambda: inbox.mails)[0]
            assert "FAILED weather/q#fetch: ValueError: no data" in mail["Subject"]
            assert again.end() == 0
        finally:
            controller.stop()
        waiting = [mail for mail in site.json("mail", "list") if mail["delivered_at"] is None]
        assert waiting == []
