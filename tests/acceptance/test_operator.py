"""A daemon in an operator's hands: the real commands against the real daemon."""

import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import msgspec
import pytest

from tests.acceptance.conftest import PATIENCE_SECONDS, Site

KEY = "weather/q#fetch"


def rd(code: str = "print('fetched')", *, every: int = 86_400, more: str = "") -> str:
    return (
        f'<resource schema="weather"><execute id="fetch" title="Fetch" every="{every}"><job><code>\n{code}\n'
        f"</code></job></execute>{more}</resource>\n"
    )


WAITING = """
import os, time
print("night", execDef.getProperty("night", "none"))
while not os.path.exists(rd.getAbsPath("go")):
    if execDef.cancelled:
        raise Exception("told to end")
    time.sleep(0.01)
print("done")
"""


Begin = Callable[..., "Command"]


@pytest.fixture
def begin(site: Site) -> Iterator[Begin]:
    """What begins commands that go on; they end with the test."""
    begun: list[Command] = []

    def start(*arguments: str) -> Command:
        begun.append(Command(site, *arguments))
        return begun[-1]

    yield start
    for command in begun:
        with command.process as process:
            if process.poll() is None:
                process.kill()


class Command:
    """A command that goes on, its output line by line."""

    def __init__(self, site: Site, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gavo_exec", *arguments],
            env=site.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def line(self) -> str:
        """The next line of standard output."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def end(self, code: int) -> str:
        """Wait for the end; answers what it said on standard error."""
        _, said = self.process.communicate(timeout=PATIENCE_SECONDS)
        assert self.process.returncode == code, said
        return said


def test_status_tells_of_the_daemon_in_one_look(site: Site) -> None:
    site.save("weather/q.rd", rd())
    site.save("weather/broken.rd", "<resource><execute/></resource>")
    daemon = site.serve()
    shown = site.run("status")
    assert f"process {daemon.process.pid} on vo" in shown
    assert "Jobs:               1, 0 running (of 32 at most), next " in shown
    assert "Broken RDs:         1" in shown
    assert f"  {site.inputs}/weather/broken.rd:1:12: E" in shown
    status = site.json("status")
    assert (status["pid"], status["jobs"], status["incidents"]) == (daemon.process.pid, 1, 1)
    assert site.run("stop") == f"the daemon (process {daemon.process.pid}) has ended\n"
    assert daemon.process.wait(PATIENCE_SECONDS) == 0
    assert "no daemon runs on" in site.run("status", code=3)


def test_a_run_is_triggered_and_watched(site: Site, begin: Begin) -> None:
    site.save("weather/q.rd", rd(WAITING))
    site.serve()
    waiting = begin("trigger", KEY, "--wait", "--set", "night=2026-11-24")
    assert waiting.line() == "night 2026-11-24"
    (job,) = site.json("list", "--state", "running")
    assert job["running_since"] is not None
    refusal = site.run("trigger", "weather/q.rd#fetch", code=1)
    assert "weather/q#fetch is running since " in refusal
    assert "triggered); wait for its end, or cancel it" in refusal
    tail = begin("tail", KEY)
    assert tail.line() == "night 2026-11-24"
    (site.inputs / "weather/go").touch()
    assert waiting.line() == tail.line() == "done"
    said = waiting.end(0)
    assert "weather/q#fetch succeeded after " in said
    run_id = site.json("history", KEY)[0]["run_id"]
    assert site.run("tail", run_id) == "night 2026-11-24\ndone\n"
    assert site.run("trigger", KEY, "--wait") == "night none\ndone\n"
    assert tail.line() == "night none"
    tail.process.send_signal(signal.SIGINT)
    tail.end(0)


def test_a_run_that_fails_makes_the_command_fail_and_says_where(site: Site) -> None:
    site.save("weather/q.rd", rd("print('a')\nraise ValueError('no server')"))
    site.serve()
    shown = site.run("trigger", KEY, "--wait", code=1)
    assert shown.startswith("a\n")
    assert "ValueError: no server" in shown
    assert "weather/q.rd" in shown
    assert "line 3, in job" in shown
    assert "weather/q#fetch failed after " in shown


def test_a_run_that_was_asked_for_is_ended(site: Site, begin: Begin) -> None:
    site.save("weather/q.rd", rd(WAITING))
    daemon = site.serve()
    waiting = begin("trigger", KEY, "--wait")
    assert waiting.line() == "night none"
    ended = site.run("cancel", KEY)
    assert ended.endswith(": being ended\n")
    assert "weather/q#fetch cancelled after" in waiting.end(1)
    (run,) = site.json("history", KEY)
    assert (run["outcome"], run["error"].partition("\n")[0]) == ("cancelled", f"cancelled by {me()}")
    daemon.wait_for("weather/q#fetch cancelled by")
    assert "no run nothing-1 goes on" in site.run("cancel", "nothing-1", code=2)


def me() -> str:
    import pwd

    name = pwd.getpwuid(os.getuid()).pw_name
    sudo = os.environ.get("SUDO_USER", "")
    return f"{sudo} as {name}" if sudo and sudo != name else name


def test_who_waits_may_leave_and_the_run_goes_on(site: Site, begin: Begin) -> None:
    site.save("weather/q.rd", rd(WAITING))
    site.serve()
    waiting = begin("trigger", KEY, "--wait")
    assert waiting.line() == "night none"
    waiting.process.send_signal(signal.SIGINT)
    assert "goes on; gavo-exec cancel" in waiting.end(130)
    (site.inputs / "weather/go").touch()
    assert site.eventually(lambda: [run["outcome"] for run in site.json("history", KEY)] == ["succeeded"])


def test_pauses_are_shown_and_outlive_the_daemon_even_where_it_is_killed(site: Site) -> None:
    site.save("weather/q.rd", rd(every=-1))
    daemon = site.serve()
    daemon.wait_for("fetch succeeded", count=1)
    shown = site.run("pause", KEY, "--until", "2h", "--note", "the server moves")
    assert shown.startswith("weather/q#fetch is paused until ")
    assert shown.endswith(": the server moves)\n")
    daemon.process.send_signal(signal.SIGKILL)
    daemon.process.wait(PATIENCE_SECONDS)
    assert "paused until" in site.run("list")
    site.serve()
    (job,) = site.json("list", "--state", "paused")
    assert job["paused"] is True
    before = len(site.json("history", "--limit", "1000"))
    assert "1 paused" in site.run("list")
    for command in (["status"], ["explain", KEY], ["show", KEY]):
        assert "the server moves" in site.run(*command)
    assert site.run("trigger", KEY, "--wait") == "fetched\n"
    assert len(site.json("history", "--limit", "1000")) == before + 1
    assert site.run("resume", KEY) == "weather/q#fetch goes on\n"
    assert site.eventually(lambda: len(site.json("history", "--limit", "1000")) > before + 1)
    assert "weather/q#fetch is not paused" in site.run("resume", KEY, code=1)


def test_a_pause_of_all_ends_by_itself(site: Site) -> None:
    site.save("weather/q.rd", rd(every=-1))
    daemon = site.serve()
    until = datetime.now(UTC) + timedelta(seconds=2)
    assert site.json("pause", "--all", "--until", until.isoformat())[0]["key"] == ""
    daemon.wait_for("everything goes on: its pause is over")
    assert site.json("status")["pauses"] == []
    daemon.wait_for("fetch succeeded", count=2)


def test_a_reload_says_what_it_came_to(site: Site) -> None:
    site.save("weather/q.rd", rd())
    site.serve("--rescan-seconds", "3600")
    assert site.run("reload") == "1 job in 1 RD; 0 broken RDs\n"
    site.save("weather/q.rd", rd("1 +"))
    shown = site.run("reload", code=1)
    assert "1 broken RD" in shown
    assert "weather/q.rd:2:4: E401" in shown


def test_a_stop_waits_for_runs_unless_told_otherwise(site: Site, begin: Begin) -> None:
    site.save("weather/q.rd", rd(WAITING.replace("if execDef.cancelled", "if False")))
    daemon = site.serve("--stop-grace-seconds", "600")
    waiting = begin("trigger", KEY, "--wait")
    assert waiting.line() == "night none"
    assert site.run("stop", "--no-wait") == "the daemon is stopping\n"
    daemon.wait_for("waiting for 1 run")
    assert site.json("status")["is_stopping"] is True
    assert "the daemon is stopping, and starts nothing any more" in site.run("trigger", KEY, code=1)
    site.run("stop", "--now")
    assert daemon.process.wait(PATIENCE_SECONDS) == 0
    waiting.end(1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("trigger", KEY), "no daemon runs on"),
        (("tail", KEY), "no daemon runs on"),
        (("pause", KEY), "no daemon runs on"),
        (("resume", "--all"), "no daemon runs on"),
        (("cancel", "r1"), "no daemon runs on"),
        (("reload",), "no daemon runs on"),
        (("stop",), "no daemon runs on"),
    ],
)
def test_without_a_daemon_that_is_said(site: Site, arguments: tuple[str, ...], message: str) -> None:
    shown = site.run(*arguments, code=3)
    assert message in shown
    assert str(site.state) in shown
    assert not site.state.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("trigger", "weather/q#fecth"), "no execute has the key 'weather/q#fecth'; did you mean 'weather/q#fetch'?"),
        (("trigger", KEY, "--set", "night"), "'night' is not of the form NAME=VALUE"),
        (("trigger", KEY, "--set", "run.timeout=5"), "run.timeout is a setting"),
        (("pause",), "give keys, or --all"),
        (("pause", KEY, "--all"), "give keys, or --all"),
        (("pause", KEY, "--until", "soon"), "'soon' is neither an instant nor a time"),
        (("tail", "r1"), "there is no run r1"),
        (("list", "--watch"), "--watch is for terminals"),
    ],
)
def test_wrong_use_is_said(site: Site, arguments: tuple[str, ...], message: str) -> None:
    site.save("weather/q.rd", rd())
    site.serve()
    assert message in site.run(*arguments, code=2)


def test_a_key_in_a_broken_rd_is_said_to_be_there(site: Site) -> None:
    site.save("weather/q.rd", "<resource><execute/></resource>")
    site.serve()
    shown = site.run("trigger", KEY, code=2)
    assert "its RD is broken:" in shown
    assert "weather/q.rd:1:12" in shown


def test_list_chooses_and_orders(site: Site) -> None:
    failing = '<execute id="bad" title="Wetter holen" every="7200"><job><code>raise ValueError()</code></job></execute>'
    site.save("weather/q.rd", rd(more=failing))
    site.save("other/q.rd", rd())
    site.serve()
    site.run("trigger", "weather/q#bad", "--wait", code=1)

    def keys(*arguments: str) -> list[str]:
        return [job["key"] for job in site.json("list", *arguments)]

    assert keys("--sort", "key") == ["other/q#fetch", "weather/q#bad", "weather/q#fetch"]
    assert keys("--sort", "key", "--reverse") == ["weather/q#fetch", "weather/q#bad", "other/q#fetch"]
    assert keys("--failed") == ["weather/q#bad"]
    assert keys("--state", "running") == []
    assert keys("WETTER") == ["weather/q#bad"]
    assert keys("other/*") == ["other/q#fetch"]
    assert keys("weather/q.rd#fetch") == ["weather/q#fetch"]
    assert keys()[0] == "weather/q#bad"
    assert keys("--sort", "last")[-1] == "weather/q#bad"
    shown = site.run("list", "bad")
    assert "Wetter holen" in shown
    assert "failed" in shown
    assert f"1 job, 0 running, 0 broken RDs; a daemon runs on {site.state}" in shown


def test_what_is_listed_is_the_same_with_and_without_a_daemon(site: Site) -> None:
    site.save("weather/q.rd", rd(more='<execute id="x" title="X" at="7:30"><job><code>pass</code></job></execute>'))
    daemon = site.serve()
    site.run("trigger", KEY, "--wait")
    with_daemon = site.json("list")
    daemon.end()
    without = site.json("list")
    assert with_daemon == without


def test_list_can_be_watched(site: Site) -> None:
    site.save("weather/q.rd", rd())
    site.serve()
    with terminal(site, "list", "--watch", "0.2") as watched:
        watched.wait_for("fetch")
        site.run("pause", KEY)
        watched.wait_for("paused")
        watched.process.send_signal(signal.SIGINT)
        assert watched.process.wait(PATIENCE_SECONDS) == 0


class terminal:  # noqa: N801 -- used as a context
    """A command on a terminal of its own."""

    def __init__(self, site: Site, *arguments: str) -> None:
        self._end, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gavo_exec", *arguments],
            env={**site.env, "COLUMNS": "200", "TERM": "xterm"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self.shown = b""

    def __enter__(self) -> Self:
        return self

    def wait_for(self, word: str) -> None:
        while word.encode() not in self.shown:
            ready, _, _ = select.select([self._end], [], [], PATIENCE_SECONDS)
            assert ready, self.shown.decode("utf-8", "replace")
            self.shown += os.read(self._end, 65_536)

    def __exit__(self, *_: object) -> None:
        os.close(self._end)
        self.process.wait(PATIENCE_SECONDS)


def test_mails_are_delivered_at_once_where_the_daemon_is_told_to(site: Site) -> None:
    """Its next look would be up to half a minute later."""
    program = site.folder / "sent"
    site.program("deliver", f"test -e {site.folder}/up || exit 75; cat >> {program}; exit 0")
    site.env["GAVO_EXEC_SENDMAIL"] = f"{site.bin}/deliver"
    site.save("weather/q.rd", rd("raise ValueError('no')"))
    site.serve()
    site.run("trigger", KEY, "--wait", code=1)
    assert site.eventually(lambda: any(mail["attempts"] for mail in site.json("mail", "list")))
    (site.folder / "up").touch()
    assert "delivered" in site.run("mail", "flush")
    assert b"ValueError: no" in Path(program).read_bytes()


def test_what_tail_says_as_json_is_an_object_a_line(site: Site) -> None:
    site.save("weather/q.rd", rd())
    site.serve()
    run_id = msgspec.json.decode(site.run("trigger", KEY, "--json"))["run_id"]
    lines = [msgspec.json.decode(line) for line in site.run("tail", run_id, "--json").splitlines()]
    assert lines[0]["began"]["run_id"] == run_id
    assert "".join(line.get("output", "") for line in lines) == "fetched\n"
    assert lines[-1]["ended"]["outcome"] == "succeeded"
