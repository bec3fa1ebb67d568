"""What goes wrong around the daemon, for real: it goes on, harms nothing, and says what is the matter."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.acceptance.conftest import PATIENCE_SECONDS, DaemonProcess, Site, text_of


def rd(code: str = "print('done')", *, every: int = -1, more: str = "") -> str:
    return (
        f'<resource schema="a" resdir=".">{more}<execute id="x" title="X" every="{every}"><job><code>\n{code}\n'
        f"</code></job></execute></resource>\n"
    )


@contextmanager
def mounted(place: Path, options: str, source: str = "tmpfs") -> Iterator[Path]:
    """A file system of its own at this place; skips the test where that cannot be had."""
    place.mkdir(mode=0o700, exist_ok=True)
    kind = ["-t", source] if source == "tmpfs" else []
    done = subprocess.run(
        ["mount", *kind, "-o", options, source, str(place)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


def runs(site: Site, *arguments: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = site.json("history", "--limit", "100000", *arguments)
    return found


# The disk


def test_on_a_full_disk_jobs_run_on_and_are_recorded_once_there_is_room(site: Site) -> None:
    with mounted(site.state, "size=3m,mode=700"):
        site.save("a/q.rd", rd())
        daemon = site.serve()
        daemon.wait_for("a/q#x succeeded", count=2)
        filler = site.state / "filler"
        # Without a buffer, since what is left in one would be written when it is closed.
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(b"x" * 65_536)
        daemon.wait_for("what happened could not be noted in the state: .*(full|disk I/O)")
        before = daemon.said.count("a/q#x succeeded")
        daemon.wait_for("a/q#x succeeded", count=before + 3)
        assert daemon.said.count("could not be noted") == 1  # and not each second
        assert daemon.said.count("runs start without being noted in the state") <= 1
        filler.unlink()
        daemon.wait_for("what happened is noted in the state again")
        assert daemon.end() == 0
        succeeded = daemon.said.count("a/q#x succeeded")
        found = [run for run in runs(site, "a/q#x") if run["outcome"] == "succeeded"]
        assert len(found) == succeeded
        assert len({run["due"] for run in found}) == succeeded  # none twice


def test_on_a_disk_that_cannot_be_written_to_the_daemon_says_so_and_does_not_begin(site: Site) -> None:
    site.save("a/q.rd", rd())
    with mounted(site.state, "size=3m,mode=700"):
        subprocess.run(["mount", "-o", "remount,ro", str(site.state)], check=True)
        daemon = site.serve(ready=False)
        assert daemon.process.wait(PATIENCE_SECONDS) == 1
        daemon.wait_for("gavo-exec: ")
        [line] = daemon.lines
        assert "Read-only file system" in line
        assert str(site.state) in line


# The state file


def damaged(path: Path) -> None:
    """Overwrite all but the first page of a state file."""
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(bytes(content))


def test_a_state_file_that_is_none_is_kept_aside_and_said_loudly(site: Site) -> None:
    site.save("a/q.rd", rd())
    site.state.mkdir(mode=0o700)
    (site.state / "state.sqlite").write_text("This is no database at all.\n" * 1000)
    daemon = site.serve()
    daemon.wait_for(
        "ERROR The state file .* was damaged; it is kept as state.sqlite.damaged-.*, and a fresh one is begun"
    )
    daemon.wait_for("a/q#x succeeded")
    [aside] = site.state.glob("state.sqlite.damaged-*")
    assert aside.read_text().startswith("This is no database")
    site.eventually(lambda: any("TROUBLE" in mail["Subject"] for mail in site.mails()))
    [mail] = [mail for mail in site.mails() if "TROUBLE" in mail["Subject"]]
    assert "was damaged; it is kept as state.sqlite.damaged-" in text_of(mail)
    assert site.run("history").count("succeeded") >= 1


def test_what_can_be_read_of_a_damaged_state_is_carried_over(site: Site) -> None:
    site.save("a/q.rd", rd(every=86_400))
    daemon = site.serve()
    site.run("pause", "a/q#x", "--note", "the disk moves")
    due = site.json("list")[0]["due"]
    daemon.end(signal.SIGKILL)
    path = site.state / "state.sqlite"
    # A page in the middle is lost, as of a bad block.
    subprocess.run([sys.executable, "-c", DAMAGE, str(path)], check=True)
    daemon = site.serve()
    daemon.wait_for("when jobs ran last, pauses and incidents were carried over")
    [job] = site.json("list")
    assert (job["due"], job["paused"]) == (due, True)


DAMAGE = """
import sqlite3, sys
path = sys.argv[1]
db = sqlite3.connect(path)
db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
[(page,)] = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'runs'").fetchall()
[(size,)] = db.execute("PRAGMA page_size").fetchall()
db.close()
with open(path, "r+b") as file:
    file.seek((page - 1) * size)
    file.write(b"\\xa5" * size)
"""


def test_a_state_file_that_is_damaged_while_it_is_used_is_replaced(site: Site) -> None:
    site.save("a/q.rd", rd())
    daemon = site.serve()
    daemon.wait_for("a/q#x succeeded", count=2)
    subprocess.run([sys.executable, "-c", DAMAGE, str(site.state / "state.sqlite")], check=True)
    daemon.wait_for("ERROR The state file .* was damaged")
    before = daemon.said.count("a/q#x succeeded")
    daemon.wait_for("a/q#x succeeded", count=before + 2)
    assert site.eventually(lambda: len(runs(site)) >= 2)
    assert daemon.end() == 0


def test_no_other_command_touches_a_damaged_state(site: Site) -> None:
    site.save("a/q.rd", rd())
    site.state.mkdir(mode=0o700)
    path = site.state / "state.sqlite"
    path.write_text("This is no database at all.\n" * 1000)
    for command in ("list", "history", "mail list"):
        assert "is damaged; stop the daemon, move the file aside" in site.run(*command.split(), code=1)
    assert [each.name for each in site.state.iterdir()] == ["state.sqlite"]


# The log


def begun(site: Site, stderr: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "gavo_exec", "serve"],
        env=site.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
    )


@pytest.fixture
def beside(site: Site) -> Iterator[Callable[[subprocess.Popen[bytes]], subprocess.Popen[bytes]]]:
    """Sees to it that a daemon ends with the test."""
    processes: list[subprocess.Popen[bytes]] = []

    def keep(process: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
        processes.append(process)
        return process

    yield keep
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.wait()


Keep = Callable[[subprocess.Popen[bytes]], subprocess.Popen[bytes]]


def test_a_log_that_nobody_reads_any_more_is_no_reason_to_stop(site: Site, beside: Keep) -> None:
    site.save("a/q.rd", rd())
    read_end, write_end = os.pipe()
    daemon = beside(begun(site, write_end))
    os.close(write_end)
    os.close(read_end)
    site.eventually((site.state / "control.sock").exists)
    site.eventually(lambda: len(runs(site)) >= 3)
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(PATIENCE_SECONDS) == 0


def test_a_log_whose_reader_is_stuck_holds_nothing_up(site: Site, beside: Keep) -> None:
    more = "".join(
        f'<execute id="m{n}" title="M{n}" every="-1"><job><code>pass</code></job></execute>' for n in range(200)
    )
    site.save("a/q.rd", rd(more=more))
    read_end, write_end = os.pipe()
    daemon = beside(begun(site, write_end))  # 64 kB fit into the pipe, and nobody reads
    os.close(write_end)
    site.eventually((site.state / "control.sock").exists)
    site.eventually(lambda: len(runs(site, "a/q#x")) >= 6)
    site.run("stop")
    assert daemon.wait(PATIENCE_SECONDS) == 0
    os.close(read_end)


# What the system does not give


def test_where_descriptors_run_out_runs_fail_and_say_so_and_the_daemon_recovers(site: Site) -> None:
    site.save("hog/q.rd", rd(HOG, every=86_400).replace('schema="a"', 'schema="hog"'))
    site.save("a/q.rd", rd("execDef.spawn(['/bin/true'])"))
    daemon = limited(site, "ulimit -n 100")
    daemon.wait_for("a/q#x succeeded", count=2)
    site.run("trigger", "hog/q#x")
    daemon.wait_for("a/q#x FAILED .*too many files are open")
    (site.inputs / "hog" / "enough").touch()
    daemon.wait_for("hog/q#x succeeded")
    before = daemon.said.count("a/q#x succeeded")
    daemon.wait_for("a/q#x succeeded", count=before + 2)
    site.save("b/q.rd", rd().replace('id="x"', 'id="y"'))
    daemon.wait_for("b/q#y succeeded")
    assert site.json("status")["jobs"] == 3
    assert daemon.end() == 0


HOG = """
import os, threading
hogged = []
try:
    while True:
        hogged.append(os.open("/dev/null", os.O_RDONLY))
except OSError:
    pass
pause = threading.Event()
while True:
    try:
        os.stat(rd.getAbsPath("enough"))
        break
    except OSError:
        pause.wait(0.05)
for each in hogged:
    os.close(each)
"""


def limited(site: Site, limits: str) -> DaemonProcess:
    """A daemon for which the system has these limits, as ulimit says them."""
    script = site.bin / "limited"
    script.write_text(f"#!/bin/sh\n{limits}\nexec {sys.executable} -m gavo_exec serve\n")
    script.chmod(0o755)
    daemon = DaemonProcess([str(script)], site.env)
    site.daemons.append(daemon)
    daemon.wait_for("ready")
    return daemon


# The RDs


def keys(site: Site) -> list[str]:
    return sorted(job["key"] for job in site.json("list"))


def test_a_part_of_the_tree_that_is_unmounted_takes_no_job_away(site: Site) -> None:
    site.save("a/q.rd", rd())
    with mounted(site.inputs / "far", "size=1m,mode=755") as far:
        (far / "bin").mkdir()
        site.save("far/q.rd", rd(every=86_400).replace('id="x"', 'id="y"'))
        daemon = site.serve("--rescan-seconds", "0.5")
        assert keys(site) == ["a/q#x", "far/q#y"]
        subprocess.run(["umount", "-l", str(far)], check=True)
        daemon.wait_for(f"ERROR {far} is away .another file system is there than before.: its RDs stay as they are")
        daemon.wait_for("a/q#x succeeded", count=3)
        assert keys(site) == ["a/q#x", "far/q#y"]
        site.eventually(lambda: any("TROUBLE" in mail["Subject"] for mail in site.mails()))
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(far)], check=True)
        site.save("far/q.rd", rd(every=86_400).replace('id="x"', 'id="z"'))
        daemon.wait_for("far/q accepted", count=2)
        assert keys(site) == ["a/q#x", "far/q#z"]
    assert daemon.said.count("is away") == 1


def test_a_tree_that_is_away_keeps_its_jobs_and_people_are_mailed(site: Site) -> None:
    site.save("a/q.rd", rd())
    daemon = site.serve("--rescan-seconds", "0.5")
    aside = site.folder / "aside"
    site.inputs.rename(aside)
    daemon.wait_for(
        f"ERROR {site.inputs} is away .No such file or directory.: its RDs stay as they are until it is back"
    )
    daemon.wait_for("a/q#x succeeded", count=4)
    [mail] = site.eventually(lambda: [mail for mail in site.mails() if "TROUBLE" in mail["Subject"]])
    assert "is away" in text_of(mail)
    aside.rename(site.inputs)
    daemon.wait_for("is back")
    assert keys(site) == ["a/q#x"]


def test_thousands_of_broken_rds_are_one_mail_and_harm_no_other(site: Site) -> None:
    site.save("a/q.rd", rd(every=86_400))
    for number in range(2000):
        folder = site.inputs / f"b{number}"
        folder.mkdir()
        (folder / "q.rd").write_text("<resource><execute/></resource>")
    daemon = site.serve()
    assert site.run("trigger", "a/q#x", "--wait") == "done\n"
    status = site.json("status")
    assert (len(status["broken_rds"]), status["jobs"]) == (2000, 1)
    # A mail tells of a thousand at most.
    site.eventually(lambda: len(site.mails()) == 2)
    for number in range(2000):
        (site.inputs / f"b{number}" / "q.rd").unlink()
    daemon.wait_for("b1999/q removed", within=60)
    site.eventually(lambda: site.json("status")["broken_rds"] == [])
    assert daemon.end() == 0


# Processes


def test_where_no_process_can_be_made_the_run_fails_with_the_cause_and_the_daemon_goes_on(site: Site) -> None:
    """As the memory of a machine runs out: what a fork needs is not to be had."""
    site.save("a/q.rd", rd("execDef.spawn(['/bin/true'])", every=86_400))
    if os.geteuid() != 0:
        daemon = limited(site, "ulimit -u 1")
    else:
        # For root there is no limit of processes; a cgroup of its own has one.
        group = Path("/sys/fs/cgroup/pids") if Path("/sys/fs/cgroup/pids").is_dir() else Path("/sys/fs/cgroup")
        group /= f"gavo-exec-test-{os.getpid()}"
        try:
            group.mkdir()
            most = group / "pids.max"
            most.write_text("max")
        except OSError as fault:
            pytest.skip(f"no cgroup can be made here: {fault}")
        daemon = site.serve()
        (group / "cgroup.procs").write_text(str(daemon.process.pid))
        site.run("trigger", "a/q#x", "--wait")
        most.write_text("1")
        site.run("trigger", "a/q#x")
        daemon.wait_for("a/q#x FAILED .*cannot start '/bin/true': ")
        most.write_text("max")
    site.run("trigger", "a/q#x", "--wait")
    assert daemon.end() == 0
    group.rmdir()
