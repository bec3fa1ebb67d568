"""How runs begin, overlap, are ended and end, with the real command, real processes and real time."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import text_of

RD = """<resource schema="weather" resdir=".">
  <execute id="fetch" title="Fetch" every="{every}">
    {properties}
    <job><code>
{code}
    </code></job>
  </execute>
</resource>
"""


def rd(code: str, *, every: int = -3600, **properties: str) -> str:
    given = "".join(
        f'<property name="{name.replace("_", ".", 1)}">{text}</property>' for name, text in properties.items()
    )
    lines = "\n".join(f"      {line}" for line in code.splitlines())
    return RD.format(every=every, properties=given, code=lines)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] not in {b"Z", b"X"}
    except FileNotFoundError:
        return False


def pid_in(path: Path) -> int:
    return int(text) if (text := path.read_text() if path.exists() else "") else 0


STUBBORN = "execDef.spawn(['stubborn'])"


def make_stubborn(site: Any) -> None:
    """A program with a child that leaves its group, as daemons do, and that does not want to go."""
    site.program("stubborn", "setsid remains; exit 0")
    site.program("remains", "trap '' TERM; echo $$ > pid; while :; do sleep 1; done")


def test_a_run_past_its_time_is_ended_with_all_its_processes_and_told_as_such(site: Any) -> None:
    make_stubborn(site)
    site.save("weather/q.rd", rd(STUBBORN, run_timeout="1s"))
    daemon = site.serve()
    pid = site.eventually(lambda: pid_in(site.inputs / "weather/pid"))
    daemon.wait_for(r"weather/q#fetch TIMED OUT in .*: timed out after 1 s \(run\.timeout\)")
    site.eventually(lambda: not is_alive(pid))
    (mail,) = site.eventually(site.mails)
    assert mail["Subject"] == "[vo] TIMED OUT weather/q#fetch: timed out after 1 s (run.timeout)"
    assert daemon.end() == 0


def test_code_that_holds_the_lock_for_ever_can_be_ended_in_a_process_of_its_own(site: Any) -> None:
    code = "import ctypes\nprint('into it', flush=True)\nctypes.PyDLL(None).sleep(1000)"
    site.save("weather/q.rd", rd(code, run_isolate="process", run_timeout="2s"))
    site.save("weather/other.rd", rd("print('other')", every=1))
    daemon = site.serve()
    daemon.wait_for("weather/q#fetch TIMED OUT", within=40)
    daemon.wait_for("weather/other#fetch succeeded", count=3)
    assert daemon.end() == 0
    (run,) = site.json("history", "weather/q#fetch")
    assert "into it" in site.json("show", run["run_id"])["output"]


def test_a_second_sigterm_does_not_wait_and_nothing_is_left_running(site: Any) -> None:
    make_stubborn(site)
    site.save("weather/q.rd", rd(STUBBORN))
    daemon = site.serve("--stop-grace-seconds", "1000")
    pid = site.eventually(lambda: pid_in(site.inputs / "weather/pid"))
    daemon.process.send_signal(signal.SIGTERM)
    daemon.wait_for("stopping")
    assert daemon.end() == 0
    assert not is_alive(pid)
    assert "weather/q#fetch INTERRUPTED" in daemon.said
    (run,) = site.json("history")
    assert run["outcome"] == "interrupted"


def test_a_job_that_is_asked_to_stop_may_end_in_peace(site: Any) -> None:
    code = "while not execDef.wait(60):\n    pass\nprint('tidied up')"
    site.save("weather/q.rd", rd(code))
    daemon = site.serve("--stop-grace-seconds", "1000")
    daemon.wait_for("weather/q#fetch started")
    assert daemon.end() == 0
    (run,) = site.json("history")
    assert run["outcome"] == "succeeded"
    assert site.json("show", run["run_id"])["output"] == "tidied up\n"


def test_new_files_are_handed_over_once_and_again_where_the_run_failed(site: Any) -> None:
    code = "print(sorted(base.os.path.basename(path) for path in execDef.newFiles))\nexecDef.spawn(['check'])"
    code = code.replace("base.os", "os")
    site.program("check", f"test ! -e {site.folder}/bad")
    properties = {"when_files": "data/*.fits", "when_settle": "0s"}
    (site.folder / "bad").touch()
    site.save("weather/data/a.fits", "a")
    site.save("weather/q.rd", rd(code, every=1, **properties))
    daemon = site.serve()
    daemon.wait_for("weather/q#fetch FAILED", count=2)
    (site.folder / "bad").unlink()
    daemon.wait_for("weather/q#fetch succeeded")
    site.save("weather/data/b.fits", "b")
    daemon.wait_for("weather/q#fetch succeeded", count=2)
    assert daemon.end() == 0
    runs = site.json("history", "--limit", "1000")
    outputs = [site.json("show", run["run_id"])["output"].splitlines()[0] for run in reversed(runs)]
    assert outputs[0] == "['a.fits']"
    assert outputs[-1] == "['b.fits']"
    assert [run["outcome"] for run in runs].count("succeeded") == 2


def test_a_stall_is_told_with_the_job_and_the_line_in_the_log_and_in_a_mail(site: Any) -> None:
    code = "import ctypes\nctypes.PyDLL(None).sleep(13)"
    path = site.save("weather/q.rd", rd(code))
    daemon = site.serve()
    daemon.wait_for(rf"STALLED: .* weather/q#fetch held .* at {path}:6", within=50)
    (mail,) = site.eventually(site.mails)
    assert "STALLED" in mail["Subject"]
    assert f"{path}:6" in text_of(mail)
    assert daemon.end() == 0


@pytest.mark.parametrize("overlap", ["skip", "queue", "replace", "allow"])
def test_what_is_due_while_it_runs_is_left_out_or_waits_or_replaces_or_runs_beside(site: Any, overlap: str) -> None:
    code = "print('begun')\nexecDef.spawn(['sleep', '3.5'])"
    site.save("weather/q.rd", rd(code, every=2, run_overlap=overlap))
    daemon = site.serve()
    match overlap:
        case "skip":
            daemon.wait_for(r"weather/q#fetch skipped: still running since .* \(run ")
            daemon.wait_for("weather/q#fetch succeeded")
        case "queue":
            daemon.wait_for("weather/q#fetch succeeded", count=2)
            assert "skipped: still running" not in daemon.said
        case "replace":
            daemon.wait_for("weather/q#fetch cancelled in .*: replaced by the run due", count=2)
        case _:
            daemon.wait_for("weather/q#fetch started", count=3)
            daemon.wait_for("weather/q#fetch succeeded")
    daemon.process.send_signal(signal.SIGTERM)
    assert daemon.end() == 0


def test_instants_that_passed_while_no_daemon_ran_are_made_up_for_once_and_recorded(site: Any) -> None:
    site.save("weather/q.rd", rd("print('here')", every=1))
    daemon = site.serve()
    daemon.wait_for("weather/q#fetch succeeded")
    os.kill(daemon.process.pid, signal.SIGKILL)
    daemon.process.wait()
    begin = site.json("history")[0]["due"]
    again = site.serve()
    again.wait_for("weather/q#fetch succeeded", count=2)
    assert again.end() == 0
    runs = [run for run in site.json("history", "--limit", "100") if run["due"] > begin]
    dues = [run["due"] for run in runs]
    assert len(set(dues)) == len(dues)
