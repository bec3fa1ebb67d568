"""The daemon as a service: what systemd hears, its unit, the journal."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gavo_exec.settings import load
from tests.acceptance.conftest import PATIENCE_SECONDS, Site

ROOT = Path(__file__).parent.parent.parent
UNIT = ROOT / "examples" / "systemd" / "gavo-exec.service"
JOB = (
    '<resource schema="a"><execute id="x" title="X" every="3600"><job><code>\n'
    "import os\nprint(sorted(name for name in os.environ if 'NOTIFY' in name or 'WATCHDOG' in name))\n"
    "</code></job></execute></resource>"
)


class Manager:
    """A service manager's socket, and what came over it."""

    def __init__(self, folder: Path) -> None:
        self.path = str(folder / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(PATIENCE_SECONDS)
        self.heard: list[str] = []

    def wait_for(self, pattern: str) -> str:
        """Until something is heard that fits, from now on."""
        while True:
            self.heard.append(self.socket.recv(65_536).decode())
            if re.search(pattern, self.heard[-1]):
                return self.heard[-1]


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    made = Manager(tmp_path)
    yield made
    made.socket.close()


def test_a_service_manager_hears_all_it_wants_to(site: Site, manager: Manager) -> None:
    site.save("a/q.rd", JOB)
    site.env |= {"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "900000"}
    daemon = site.serve()
    manager.wait_for("READY=1")
    # The scheduler runs by then, and may have said more.
    if not any(each.startswith("STATUS=1 job, 0 running, next 20") for each in manager.heard):
        manager.wait_for("STATUS=1 job, 0 running, next 20")
    for _ in range(3):
        manager.wait_for("WATCHDOG=1")
    daemon.process.send_signal(signal.SIGHUP)
    manager.wait_for(r"RELOADING=1\nMONOTONIC_USEC=\d+")
    manager.wait_for("READY=1")
    assert site.run("trigger", "a/q#x", "--wait") == "[]\n"
    site.save("b/q.rd", "<resource><execute/></resource>")
    manager.wait_for("STATUS=1 job, 0 running, next .*; 1 broken RD")
    daemon.process.send_signal(signal.SIGTERM)
    manager.wait_for("STOPPING=1")
    assert daemon.process.wait(PATIENCE_SECONDS) == 0


def test_a_scheduler_that_is_held_up_gives_no_sign_of_life(site: Site, manager: Manager) -> None:
    """As systemd would see it: then it kills the daemon, and starts it again."""
    site.save("a/q.rd", JOB)
    site.env |= {"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "300000"}
    daemon = site.serve()
    manager.wait_for("WATCHDOG=1")
    daemon.process.send_signal(signal.SIGSTOP)
    manager.socket.settimeout(0.6)
    on_their_way = iter(lambda: manager.socket.recv(65_536), b"")
    with pytest.raises(TimeoutError):
        list(on_their_way)
    manager.socket.settimeout(PATIENCE_SECONDS)
    daemon.process.send_signal(signal.SIGCONT)
    manager.wait_for("WATCHDOG=1")


def test_the_unit_is_one(tmp_path: Path) -> None:
    verify = shutil.which("systemd-analyze")
    if verify is None:
        pytest.skip("there is no systemd-analyze here")
    unit = tmp_path / "gavo-exec.service"
    # What is not on this machine is put in place of what the unit names: the command, and the user.
    text = UNIT.read_text().replace("/opt/gavo-exec/bin/gavo-exec", sys.executable).replace("User=gavo", "User=root")
    unit.write_text(text)
    done = subprocess.run([verify, "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False)
    said = [line for line in done.stderr.splitlines() if "gavo-exec.service" in line]
    assert (done.returncode, said) == (0, []), done.stderr


def test_a_unit_with_a_mistake_is_noticed(tmp_path: Path) -> None:
    verify = shutil.which("systemd-analyze")
    if verify is None:
        pytest.skip("there is no systemd-analyze here")
    unit = tmp_path / "gavo-exec.service"
    unit.write_text(UNIT.read_text().replace("WatchdogSec=120", "WatchdogSec=soon").replace("User=gavo", "User=root"))
    done = subprocess.run([verify, "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False)
    assert "gavo-exec.service:17: Failed to parse sec value, ignoring: soon" in done.stderr


def test_the_unit_leaves_time_for_the_end() -> None:
    settings = dict(re.findall(r"^(\w+)=(\S+)$", UNIT.read_text(), re.MULTILINE))
    assert int(settings["TimeoutStopSec"]) >= 30 + 30 + 30  # the grace, what follows it, and a margin
    assert int(settings["WatchdogSec"]) >= 3 * 30  # the scheduler comes round each 30 s


@pytest.mark.parametrize("format", ["plain", "json"])
def test_lines_for_the_journal_have_priorities(site: Site, format: str) -> None:
    site.save("a/q.rd", JOB)
    site.save("b/q.rd", "<resource><execute/></resource>")
    read_end, write_end = os.pipe()
    status = os.fstat(write_end)
    environ = {**site.env, "JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
    process = subprocess.Popen(
        [sys.executable, "-m", "gavo_exec", "serve", "--log-format", format], env=environ, stderr=write_end
    )
    os.close(write_end)
    with os.fdopen(read_end) as lines:
        said = []
        for line in lines:
            said.append(line)
            if "ready" in line:
                process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_SECONDS) == 0
    start = r"\{" if format == "json" else "[A-Za-z/]"
    assert all(re.match(rf"<[3-7]>{start}", line) for line in said), said
    assert any(line.startswith("<3>") and "E203" in line for line in said)
    assert any(line.startswith("<6>") and "ready: 1 job" in line for line in said)


@pytest.mark.parametrize("page", ["gavo-exec.1", "gavo-exec.toml.5"])
def test_the_manual_pages_are_ones(page: str) -> None:
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("there is no groff here")
    path = ROOT / "docs" / "man" / page
    done = subprocess.run([groff, "-man", "-Tutf8", "-ww", str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "GAVO-EXEC" in done.stdout


def test_the_container_does_what_it_says() -> None:
    """No tool that builds it is at hand: what can be told from the text."""
    text = (ROOT / "examples" / "container" / "Containerfile").read_text()
    words = [line.split(None, 1)[0] for line in text.splitlines() if line and not line.startswith(("#", " "))]
    known = ["FROM", "RUN", "COPY", "ENV", "USER", "VOLUME", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"]
    assert set(words) <= set(known)
    variables = dict(re.findall(r"(GAVO_EXEC_\w+)=(\S+)", text))
    settings = load(flags={}, environ={**variables, "HOME": "/root"}, required=("inputs_dir", "state_dir"))
    assert (settings.inputs_dir, settings.state_dir, settings.log_format) == ("/inputs", "/state", "json")
    assert "USER 1000:1000" in text
