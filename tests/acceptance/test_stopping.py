"""The end of the daemon: runs are asked, then ended, and nothing of them is left."""

import re
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from gavo_exec.runtime.process.strays import find_strays

RD = """<resource schema="test" resdir=".">
  <execute id="job" title="Job" every="-3600">
    <job><code><![CDATA[
{code}
    ]]></code></job>
  </execute>
</resource>
"""
DEAF = "trap '' TERM; echo begun; while :; do sleep 1000; done"
FAR_AWAY = """
import subprocess, sys
child = '''
import os, signal, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        {first}
        print("begun", flush=True)
        time.sleep(1000)
    os._exit(0)
os.wait()
'''
execDef.spawn([sys.executable, "-S", "-c", child])
"""
DEAF_SIGNAL = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"


def rd(code: str) -> str:
    return RD.format(code="\n".join(f"      {line}" for line in code.strip().splitlines()))


def begun(site: Any, count: int = 1) -> None:
    """Wait until so many runs have made their file."""
    site.eventually(lambda: len(list(site.folder.glob("*.begun"))) >= count)


def touching(site: Any, code: str, name: str = "x") -> str:
    """The code, once it has made the file that tells that it has begun."""
    return f"open({str(site.folder / f'{name}.begun')!r}, 'w').close()\n{code}"


def runs_of(site: Any) -> list[dict[str, Any]]:
    """All runs, with their output; no process of any of them lives."""
    runs = [site.json("show", run["run_id"]) for run in site.json("history")]
    strays = find_strays([run["run_id"] for run in runs], pidfd_open=None)
    assert [str(stray) for stray in strays] == []
    return runs


def test_a_run_that_looks_whether_it_should_end_ends_at_once_and_well(site: Any) -> None:
    site.save("test/q.rd", rd(touching(site, "while not execDef.wait(1000): pass\nprint('tidied up')")))
    daemon = site.serve("--stop-grace-seconds", "1000")
    begun(site)
    assert daemon.end() == 0
    (run,) = runs_of(site)
    assert (run["outcome"], run["output"]) == ("succeeded", "tidied up\n")


def test_children_that_do_not_end_in_the_grace_may_say_good_bye_and_what_is_deaf_is_killed(site: Any) -> None:
    polite = "trap 'echo bye; exit 1' TERM; touch {}; sleep 1000 & wait"
    site.save("test/a.rd", rd(f"execDef.spawn(['sh', '-c', {polite.format(site.folder / 'a.begun')!r}])"))
    site.save("test/b.rd", rd(touching(site, f"execDef.spawn(['setsid', '-w', 'sh', '-c', {DEAF!r}])", "b")))
    daemon = site.serve("--stop-grace-seconds", "0.2")
    begun(site, 2)
    assert daemon.end() == 0
    runs = {run["key"]: run for run in runs_of(site)}
    for run in runs.values():
        assert run["outcome"] == "interrupted"
        assert run["error"].partition("\n")[0] == "the daemon was stopped before the run had ended"
    assert runs["test/a#job"]["output"] == "bye\n"
    assert "exit 1: bye" in runs["test/a#job"]["error"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_hastens(site: Any, number: signal.Signals) -> None:
    site.save("test/a.rd", rd(touching(site, f"execDef.spawn(['setsid', '-w', 'sh', '-c', {DEAF!r}])", "a")))
    site.save("test/b.rd", rd(touching(site, "while True: time.sleep(1000)", "b")))
    daemon = site.serve("--stop-grace-seconds", "1000")
    begun(site, 2)
    daemon.process.send_signal(signal.SIGTERM)
    daemon.wait_for("stopping")
    begin = monotonic()
    assert daemon.end(number) == 0
    assert monotonic() - begin < 15
    assert {run["outcome"] for run in runs_of(site)} == {"interrupted"}


@pytest.mark.parametrize("first", ["pass", DEAF_SIGNAL])
def test_what_runs_left_in_the_background_ends_with_the_daemon_and_is_named(site: Any, first: str) -> None:
    site.save("test/q.rd", rd(FAR_AWAY.format(first=first)))
    daemon = site.serve()
    daemon.wait_for("test/q#job succeeded")
    (run,) = site.json("history")
    (stray,) = find_strays([run["run_id"]], pidfd_open=None)
    assert daemon.end() == 0
    assert f"ended what runs had left in the background: process {stray.pid} (" in daemon.said
    assert runs_of(site)[0]["output"] == "begun\n[output is still held open by a background process]\n"


THREAD = "import threading\nthreading.Thread(target=time.sleep, args=(1000,), daemon=False, name='mine').start()"
POOL = "import concurrent.futures as cf\ncf.ThreadPoolExecutor(thread_name_prefix='mine').submit(time.sleep, 1000)"


@pytest.mark.parametrize("code", [THREAD, POOL])
def test_threads_that_never_end_do_not_keep_the_daemon(site: Any, code: str) -> None:
    site.save("test/q.rd", rd(touching(site, f"{code}\ntime.sleep(1000)")))
    daemon = site.serve("--stop-grace-seconds", "0")
    begun(site)
    begin = monotonic()
    assert daemon.end() == 0
    assert monotonic() - begin < 15
    assert re.search("leaving without what jobs have left running: threads .*mine", daemon.said)
    (run,) = runs_of(site)
    assert (run["outcome"], run["error"]) == ("interrupted", "the daemon was stopped before the run had ended")


def test_runs_that_wait_for_a_worker_do_not_begin_any_more(site: Any) -> None:
    for name in "abc":
        site.save(f"test/{name}.rd", rd(touching(site, "while not execDef.wait(1000): pass", name)))
    daemon = site.serve("--workers", "1")
    begun(site)
    assert daemon.end() == 0
    assert len(list(site.folder.glob("*.begun"))) == 1
    outcomes = sorted(run["outcome"] for run in runs_of(site))
    assert outcomes[-1] == "succeeded"
    assert set(outcomes[:-1]) <= {"interrupted"}


def test_what_a_daemon_that_was_killed_left_is_ended_by_the_next_one(site: Any) -> None:
    deaf = f"trap '' TERM; touch {site.folder / 'x.begun'}; while :; do sleep 1000; done"
    site.save("test/q.rd", rd(f"execDef.spawn(['setsid', '-w', 'sh', '-c', {deaf!r}])"))
    daemon = site.serve()
    begun(site)
    daemon.end(signal.SIGKILL)
    (run,) = site.json("history")
    left = find_strays([run["run_id"]], pidfd_open=None)
    assert left
    Path(site.inputs / "test" / "q.rd").unlink()
    again = site.serve()
    assert all(stray.has_ended() for stray in left)
    assert again.end() == 0
    assert [run["outcome"] for run in runs_of(site)] == ["interrupted"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_execute_that_is_told_to_end_leaves_nothing(site: Any, number: signal.Signals) -> None:
    code = f"execDef.spawn(['setsid', '-w', 'sh', '-c', {f'touch {site.folder}/x.begun; {DEAF}'!r}])"
    site.save("test/q.rd", rd(code))
    with subprocess.Popen([sys.executable, "-m", "gavo_exec", "execute", "test/q#job"], env=site.env) as command:
        begun(site)
        command.send_signal(number)
        assert command.wait(20) == 130
    assert [run["outcome"] for run in runs_of(site)] == ["cancelled"]
