"""Hands over on this machine: to a sendmail command, to a command of the operators, into a Maildir."""

import mailbox
from collections.abc import Sequence
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

from gavo_exec.errors import DeliveryError, SpawnFailed
from gavo_exec.model import QueuedMail
from gavo_exec.ports import Runner
from gavo_exec.services.postman.faults import ServiceUnavailable, one_line

_EX_DATAERR, _EX_NOUSER, _EX_NOHOST = 65, 67, 68  # of sysexits.h; all others may pass, or the settings be mended

_TIMEOUT = timedelta(minutes=2)


class _Command:
    """A program that takes what it finds on its standard input."""

    def __init__(self, argv: Sequence[str], runner: Runner, timeout: timedelta) -> None:
        self._argv = tuple(argv)
        self._runner = runner
        self._timeout = timeout

    def feed(self, content: bytes) -> str:
        """Run it on this; answers that it was taken, or raises DeliveryError."""
        name = self._argv[0]
        try:
            completed = self._runner.run(self._argv, cwd="/", input=content, timeout=self._timeout)
        except SpawnFailed as exc:
            raise ServiceUnavailable(f"{name} cannot be started: {exc}") from exc
        if completed.timed_out:
            raise ServiceUnavailable(f"{name} did not end within {self._timeout.total_seconds():.0f} s")
        said = one_line(completed.output[-500:])
        words = f": {said}" if said else ""
        if completed.returncode == 0:
            return f"{name} took it{words}"
        fault = f"{name} ended with {completed.returncode}{words}"
        if completed.returncode in (_EX_DATAERR, _EX_NOUSER, _EX_NOHOST):
            raise DeliveryError(fault, permanent=True)
        raise ServiceUnavailable(fault)


class SendmailMailer:
    """Feeds mails to a command such as ``sendmail -t -i``, which is to find the recipients in the mail itself."""

    def __init__(self, argv: Sequence[str], runner: Runner, *, timeout: timedelta = _TIMEOUT) -> None:
        self._command = _Command(argv, runner, timeout)

    def send(self, message: EmailMessage) -> str:
        """Run the command for a mail, and answer that it took it; or raise DeliveryError."""
        return self._command.feed(_with_line_feeds(message))


class CommandCarrier:
    """Feeds what it is to carry to a command, as it is; exit codes mean what they do for sendmail."""

    def __init__(self, argv: Sequence[str], runner: Runner, *, timeout: timedelta = _TIMEOUT) -> None:
        self._command = _Command(argv, runner, timeout)

    def __call__(self, mail: QueuedMail) -> str:
        """Run the command for this, and answer that it took it; or raise DeliveryError."""
        return self._command.feed(mail.content)


class MaildirMailer:
    """Puts mails into a Maildir, which any mail program can read."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)

    def send(self, message: EmailMessage) -> str:
        """Put a mail into the folder, which is made where it is missing, and answer where; or raise DeliveryError."""
        content = _with_line_feeds(message)
        try:
            for name in ("tmp", "new", "cur"):
                (self._path / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                (self._path / name).mkdir(mode=0o700, exist_ok=True)
            mailbox.Maildir(self._path).add(content)
        except (OSError, mailbox.Error) as exc:
            raise ServiceUnavailable(f"the Maildir {self._path} cannot be written: {exc}") from exc
        return f"it is in the Maildir {self._path}"


def _with_line_feeds(message: EmailMessage) -> bytes:
    """The mail as files on this machine have it."""
    return message.as_bytes(policy=message.policy.clone(linesep="\n"))
