"""Hands mails to this machine: to a command such as sendmail, or into a Maildir; and what is mailed to a command."""

import mailbox
from collections.abc import Sequence
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

from gavo_exec.errors import DeliveryError, SpawnFailed
from gavo_exec.model import QueuedMail
from gavo_exec.ports import Runner
from gavo_exec.services.postman.postman import ServiceUnavailable

_EX_DATAERR, _EX_NOUSER, _EX_NOHOST = 65, 67, 68  # of sysexits.h; all others may pass, or the settings be mended


class SendmailMailer:
    """Feeds mails to a command such as ``sendmail -t -i``, which is to find the recipients in the mail itself."""

    def __init__(self, argv: Sequence[str], runner: Runner, *, timeout: timedelta = timedelta(minutes=2)) -> None:
        self._argv = tuple(argv)
        self._runner = runner
        self._timeout = timeout

    def send(self, message: EmailMessage) -> str:
        """Run the command for a mail, and say so, or raise DeliveryError."""
        content = message.as_bytes(policy=message.policy.clone(linesep="\n"))
        feed(self._argv, content, runner=self._runner, timeout=self._timeout)
        return f"{self._argv[0]} has taken it"


class CommandCarrier:
    """Feeds what other channels are told to a command, which is to end with 0 when it has done its work."""

    def __init__(self, argv: Sequence[str], runner: Runner, *, timeout: timedelta = timedelta(minutes=2)) -> None:
        self._argv = tuple(argv)
        self._runner = runner
        self._timeout = timeout

    def __call__(self, mail: QueuedMail) -> str:
        """Run the command, and say so, or raise DeliveryError."""
        feed(self._argv, mail.content, runner=self._runner, timeout=self._timeout)
        return f"{self._argv[0]} has taken it"


def feed(argv: Sequence[str], content: bytes, *, runner: Runner, timeout: timedelta) -> None:
    """Run a command with this on its standard input; raises DeliveryError, permanent by the codes of sysexits.h."""
    program, limit = argv[0], timeout.total_seconds()
    try:
        completed = runner.run(argv, cwd="/", input=content, timeout=timeout)
    except SpawnFailed as exc:
        raise ServiceUnavailable(f"{program} cannot be started: {exc}") from exc
    if completed.timed_out:
        raise ServiceUnavailable(f"{program} did not end within {limit:.0f} s")
    if completed.returncode == 0:
        return
    said = " ".join(completed.output[-500:].decode("utf-8", "replace").split())
    fault = f"{program} ended with {completed.returncode}" + (f": {said}" if said else "")
    if completed.returncode in (_EX_DATAERR, _EX_NOUSER, _EX_NOHOST):
        raise DeliveryError(fault, permanent=True)
    raise ServiceUnavailable(fault)


class MaildirMailer:
    """Puts mails into a Maildir, which any mail program can read."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)

    def send(self, message: EmailMessage) -> str:
        """Put a mail into the folder, which is made where it is missing, and say so, or raise DeliveryError."""
        content = message.as_bytes(policy=message.policy.clone(linesep="\n"))
        try:
            for name in ("tmp", "new", "cur"):
                (self._path / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                (self._path / name).mkdir(mode=0o700, exist_ok=True)
            mailbox.Maildir(self._path).add(content)
        except (OSError, mailbox.Error) as exc:
            raise ServiceUnavailable(f"the Maildir {self._path} cannot be written: {exc}") from exc
        return f"it is in the Maildir {self._path}"
