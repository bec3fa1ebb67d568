"""The real command on a real tree."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from time import monotonic
from typing import Any

import msgspec
import pytest

PATIENCE_SECONDS = 20.0


class DaemonProcess:
    """A daemon as a process of its own; what it says is in ``lines``."""

    def __init__(self, argv: list[str], env: dict[str, str]) -> None:
        self.lines: list[str] = []
        self._said = threading.Condition()
        self.process = subprocess.Popen(
            argv, env=env, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as stream:
            for line in stream:
                with self._said:
                    self.lines.append(line)
                    self._said.notify_all()
        with self._said:
            self._said.notify_all()

    @property
    def said(self) -> str:
        """Everything up to now."""
        return "".join(self.lines)

    def wait_for(self, pattern: str, *, count: int = 1, within: float = PATIENCE_SECONDS) -> None:
        """Until the daemon has said this, so many times."""
        with self._said:
            found = self._said.wait_for(lambda: len(re.findall(pattern, self.said)) >= count, within)
        assert found, f"{pattern!r} was not said {count} times within {within} s; said was:\n{self.said}"

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, wait for the end, answer the exit code."""
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE_SECONDS)
        self._reader.join()
        return code


class Site:
    """A data centre in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.inputs = folder / "inputs"
        self.state = folder / "state"
        self.inputs.mkdir()
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.env = {
            **os.environ,
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "GAVO_EXEC_INPUTS_DIR": str(self.inputs),
            "GAVO_EXEC_STATE_DIR": str(self.state),
            "GAVO_EXEC_HOST": "vo",
            "XDG_CONFIG_HOME": str(folder),
            "PYTHONWARNINGS": "error",
        }
        self.daemons: list[DaemonProcess] = []

    def save(self, name: str, text: str) -> Path:
        """Write a file of the tree as editors do: aside, then renamed."""
        path = self.inputs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}.new")
        aside.write_text(text)
        aside.rename(path)
        return path

    def program(self, name: str, text: str) -> None:
        """Put a shell script on the path."""
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def serve(self, *arguments: str, ready: bool = True) -> DaemonProcess:
        """Start the daemon, and wait until it says that it is ready."""
        daemon = DaemonProcess([sys.executable, "-m", "gavo_exec", "serve", *arguments], self.env)
        self.daemons.append(daemon)
        if ready:
            daemon.wait_for("ready")
        return daemon

    def run(self, *arguments: str, code: int = 0) -> str:
        """Run the command to its end; answers its standard output."""
        done = subprocess.run(
            [sys.executable, "-m", "gavo_exec", *arguments],
            env=self.env,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        # A traceback may only be that of job code, which points into an RD.
        assert "gavo_exec/" not in done.stderr
        return done.stdout if code == 0 else done.stdout + done.stderr

    def json(self, *arguments: str, code: int = 0) -> Any:
        """Run the command with ``--json``; answers what it printed as a value."""
        return msgspec.json.decode(self.run(*arguments, "--json", code=code))

    def eventually(self, condition: Callable[[], Any], *, within: float = PATIENCE_SECONDS) -> Any:
        """Wait until a condition holds, and answer what it came to; for what announces itself in no other way."""
        deadline = monotonic() + within
        pause = threading.Event()
        while not (answer := condition()):
            assert monotonic() < deadline, f"it did not come true within {within} s"
            pause.wait(0.01)
        return answer

    def mails(self) -> list[EmailMessage]:
        """The mails in the Maildir, oldest first."""
        paths = sorted((self.state / "Maildir" / "new").glob("*"), key=lambda path: path.stat().st_mtime_ns)
        return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in paths]


def text_of(mail: EmailMessage) -> str:
    """What a mail says as plain text."""
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A data centre whose daemons end with the test."""
    site = Site(tmp_path)
    yield site
    for daemon in site.daemons:
        if daemon.process.poll() is None:
            daemon.end(signal.SIGKILL)
