"""``gavo-exec mail``: mails, tried and sent, with real servers."""

import json
import re
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.acceptance.conftest import Site
from tests.acceptance.mail_servers import MoodyServer

FAILING = """<resource schema="weather" resdir=".">
  <execute id="fetch" title="Fetch" every="-86400">
    <property name="run.env.DB_PASSWORD">swordfish</property>
    <job><code>
      print("the password is swordfish")
      raise ValueError("no data")
    </code></job>
  </execute>
</resource>
"""


@pytest.fixture
def server() -> Iterator[MoodyServer]:
    server = MoodyServer()
    yield server
    server.close()


@pytest.fixture
def smtp(site: Site, server: MoodyServer) -> Site:
    """A site that mails by a server."""
    site.env |= {
        "GAVO_EXEC_SMTP_HOST": "127.0.0.1",
        "GAVO_EXEC_SMTP_PORT": str(server.port),
        "GAVO_EXEC_MAIL_TO": "ops@example.org",
    }
    return site


class Hook:
    """An HTTP server that remembers what it was told."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self._said = threading.Condition()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["Content-Length"]))
                with hook._said:
                    hook.heard.append((self.path.partition("?")[0], content))
                    hook._said.notify_all()
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Nobody reads it."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self._thread.start()

    def wait_for(self, path: str) -> bytes:
        """What was sent to a path first."""
        with self._said:
            assert self._said.wait_for(lambda: any(each == path for each, _ in self.heard), 20), self.heard
            return next(content for each, content in self.heard if each == path)

    def close(self) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


@pytest.fixture
def hook() -> Iterator[Hook]:
    hook = Hook()
    yield hook
    hook.close()


# test


def test_a_test_says_what_the_server_answered(smtp: Site, server: MoodyServer) -> None:
    server.be("up")
    said = smtp.run("mail", "test")
    assert said == f"mail: 127.0.0.1:{server.port} took it for ops@example.org: 250 2.0.0 queued (not encrypted)\n"
    [mail] = server.mails
    assert mail["Subject"] == "[vo] TEST: this mail has arrived"
    smtp.run("mail", "test", "--to", "jo@example.org", "--to", "al@example.org")
    assert server.mails[1]["To"] == "jo@example.org, al@example.org"


@pytest.mark.parametrize(
    ("mood", "said"),
    [
        ("down", "SERVER cannot be reached: connection refused; look whether it runs, and at smtp_port"),
        ("refusing", "SERVER takes no mails at present: 421 4.3.2 not today"),
        ("closing", "the connection to SERVER broke: .*"),
        ("greylisting", "SERVER does not take the mail for now: 451 4.7.1 come back later"),
    ],
)
def test_a_test_that_fails_says_why_in_a_line(smtp: Site, server: MoodyServer, mood: str, said: str) -> None:
    server.be(mood)
    said = said.replace("SERVER", f"the mail server 127.0.0.1:{server.port}")
    assert re.fullmatch(f"gavo-exec: mail: {said}\n", smtp.run("mail", "test", code=1))


def test_a_test_goes_into_a_maildir_where_there_is_nothing_else(site: Site) -> None:
    assert site.run("mail", "test") == f"mail: it is in the Maildir {site.state}/Maildir\n"
    assert [mail["Subject"] for mail in site.mails()] == ["[vo] TEST: this mail has arrived"]


def test_a_test_tries_all_channels(site: Site, hook: Hook) -> None:
    site.program("tell", f"cat > {site.folder}/told")
    site.env |= {
        "GAVO_EXEC_WEBHOOK_URL": f"{hook.url}/hook",
        "GAVO_EXEC_HEARTBEAT_URL": f"{hook.url}/heart",
        "GAVO_EXEC_NOTIFY_COMMAND": "tell it",
    }
    said = site.run("mail", "test").splitlines()
    host = hook.url.removeprefix("http://")
    assert said[1:] == [
        f"webhook: {host} answered 200 OK",
        "command: tell took it",
        f"heartbeat: {host} answered 200 OK",
    ]
    told = json.loads((site.folder / "told").read_text())
    assert told["subject"] == "[vo] TEST: this mail has arrived"
    assert json.loads(hook.wait_for("/hook")) == told


# flush


def test_flush_delivers_what_waits_and_says_what_became_of_it(smtp: Site, server: MoodyServer) -> None:
    smtp.save("weather/q.rd", FAILING)
    server.be("greylisting")
    smtp.run("execute", "weather/q#fetch", code=1)
    [waiting] = smtp.json("mail", "list")
    assert waiting["error"].endswith("451 4.7.1 come back later")
    server.be("refusing")
    said = smtp.run("mail", "flush", code=1)
    assert said.startswith(f"gavo-exec: 1: retrying: the mail server 127.0.0.1:{server.port} takes no mails ")
    server.be("up")
    assert smtp.run("mail", "flush") == "1: delivered\n"
    assert smtp.run("mail", "flush") == "nothing waits to be delivered\n"
    assert len(server.taken) == 1


def test_flush_tries_once_more_what_was_given_up(site: Site) -> None:
    site.save("weather/q.rd", FAILING)
    site.program("give-up", "exit 67")
    site.env["GAVO_EXEC_SENDMAIL"] = "give-up -t"
    site.run("execute", "weather/q#fetch", code=1)
    assert site.json("mail", "list")[0]["failed_at"] is not None
    assert "\n1 mail could not be delivered, and is given up: gavo-exec mail list\n" in site.run("list")
    assert site.run("mail", "flush") == "nothing waits to be delivered\n"
    assert site.run("mail", "flush", "1", code=1) == "gavo-exec: 1: given up: give-up ended with 67\n"
    site.program("give-up", "cat > /dev/null")
    assert site.run("mail", "flush", "1") == "1: delivered\n"
    assert site.run("mail", "flush", "7", code=2) == ("gavo-exec: there is no mail 7 (gavo-exec mail list has them)\n")


# preview


def test_a_preview_is_the_mail_of_the_last_failure(site: Site) -> None:
    site.save("weather/q.rd", FAILING)
    site.run("execute", "weather/q#fetch", code=1)
    text = site.run("mail", "preview", "weather/q#fetch")
    assert "Subject: [vo] FAILED weather/q#fetch: ValueError: no data\n" in text
    assert '  > 6 |     raise ValueError("no data")\n'.replace("    raise", "raise") in text
    assert "the password is [secret]\n" in text
    assert "swordfish" not in text
    html = site.run("mail", "preview", "weather/q#fetch", "--html")
    assert html.startswith("<!DOCTYPE html>\n")
    assert re.search(r"<mark>.*6 \| raise ValueError", html)


def test_a_preview_of_a_job_that_never_failed_is_invented(site: Site) -> None:
    site.save("weather/q.rd", FAILING)
    text = site.run("mail", "preview", "weather/q#fetch")
    assert "Subject: [vo] FAILED weather/q#fetch: RuntimeError: this run was invented for a preview\n" in text
    assert site.run("mail", "preview", "weather/q#fech", code=2).startswith("gavo-exec: no execute has the key")
    assert not (site.state / "state.sqlite").exists()


# All of it


def test_a_failing_job_is_told_by_all_channels_and_its_check_is_called(site: Site, hook: Hook) -> None:
    site.program("tell", f"cat >> {site.folder}/told")
    site.env |= {
        "GAVO_EXEC_WEBHOOK_URL": f"{hook.url}/hook",
        "GAVO_EXEC_WEBHOOK_SECRET": "geheim",
        "GAVO_EXEC_HEARTBEAT_URL": f"{hook.url}/heart",
        "GAVO_EXEC_NOTIFY_COMMAND": "tell it",
        "GAVO_EXEC_DEFAULTS": f"mail.ping={hook.url}/check",
    }
    site.save("weather/q.rd", FAILING)
    daemon = site.serve()
    told = json.loads(hook.wait_for("/hook"))
    assert [each["about"] for each in told["incidents"]] == ["weather/q#fetch"]
    assert told["incidents"][0]["output_tail"] == "the password is [secret]"
    assert b"ValueError: no data" in hook.wait_for("/check/fail")
    hook.wait_for("/heart")
    site.eventually(lambda: (site.folder / "told").exists() and (site.folder / "told").stat().st_size)
    site.eventually(site.mails)
    assert daemon.end(signal.SIGTERM) == 0
    assert "swordfish" not in (site.folder / "told").read_text()
    assert "swordfish" not in str(site.mails()[0])


def test_a_daemon_that_ends_tells_what_it_cut_off_before_it_is_gone(site: Site) -> None:
    site.env["GAVO_EXEC_STOP_GRACE_SECONDS"] = "0"
    site.program("sendmail", f"cat > {site.folder}/mail")
    site.env["GAVO_EXEC_SENDMAIL"] = "sendmail -t"
    site.save("weather/q.rd", FAILING.replace('raise ValueError("no data")', "execDef.spawn(['sleep', '1000'])"))
    daemon = site.serve()
    daemon.wait_for("weather/q#fetch started")
    assert daemon.end() == 0
    assert "INTERRUPTED weather/q#fetch: the daemon was stopped" in (site.folder / "mail").read_text()
