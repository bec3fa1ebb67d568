"""Delivers the outbox: the postman, and the ways a mail may go (SMTP, a sendmail command, a Maildir)."""

import logging
import mailbox
import smtplib
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as default_policy
from email.utils import getaddresses
from pathlib import Path
from typing import Literal

from gavo_exec.errors import DeliveryError, SpawnFailed, StoreError
from gavo_exec.model import QueuedMail
from gavo_exec.ports import Clock, Mailer, Runner, Store

_LOG = logging.getLogger(__name__)

_AS_IT_IS = default_policy.clone(refold_source="none")

FIRST_DELAY = timedelta(minutes=1)
LONGEST_DELAY = timedelta(hours=1)
GIVE_UP_AFTER = timedelta(days=5)
FEWEST_ATTEMPTS = 10
"""A mail is not given up for its age alone: it may be old because no daemon ran."""

_LONGEST_SLEEP = timedelta(seconds=30)  # so that a stepped clock is noticed
_STOP_GRACE = timedelta(seconds=10)


class ServiceUnavailable(DeliveryError):  # noqa: N818 -- the state's name says more than a suffix
    """No mail can be delivered at present, whichever it is: the server is down, a setting wrong, the disk full."""


class Postman:
    """The thread that delivers what is due in the outbox.

    A mail that is not taken waits for its next try without holding up the others.  When no mail can be delivered at
    all, one mail at a time finds out, at growing distance, whether that has passed.
    """

    def __init__(self, store: Store, *, mailer: Mailer, clock: Clock) -> None:
        self._store = store
        self._mailer = mailer
        self._clock = clock
        self._refusals = 0  # tries in a row for which the service was unavailable
        self._away_until = datetime.min.replace(tzinfo=UTC)
        self._unnoted: Callable[[], None] | None = None
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._abandoned = threading.Event()
        self._thread = threading.Thread(target=self._work, name="postman", daemon=True)

    def start(self) -> None:
        """Begin to deliver, first what waits for its next try: whoever starts us may have mended what was wrong."""
        self._store.hasten_mails(now=self._clock.now())
        self._thread.start()

    def wake(self) -> None:
        """Look into the outbox soon, as something was put there."""
        self._woken.set()

    def stop(self, grace: timedelta = _STOP_GRACE) -> None:
        """Deliver once more what is due, for at most ``grace``; what is left stays in the outbox."""
        self._stopping.set()
        self._woken.set()
        if self._thread.ident is not None:
            self._thread.join(grace.total_seconds())
        self._abandoned.set()

    def deliver_due(self) -> int:
        """Try all mails that are due; answers how many were taken.

        Raises StoreError; a mail that was taken and could not be noted as such is noted first next time, not sent
        again.
        """
        delivered = 0
        while not self._abandoned.is_set():
            self._note()
            now = self._clock.now()
            if self._is_away(now):
                break
            mail = self._store.due_mail(self._horizon(now))
            if mail is None:
                break
            delivered += self._deliver(mail)
        return delivered

    def _horizon(self, now: datetime) -> datetime:
        """Up to when mails count as due: no retry is planned further ahead than a clock that was set back makes it."""
        next_at = self._store.next_mail_at()
        return next_at if next_at is not None and next_at > now + LONGEST_DELAY else now

    def _is_away(self, now: datetime) -> bool:
        """Whether the service was unavailable a short while ago."""
        return now < self._away_until <= now + LONGEST_DELAY

    def _deliver(self, mail: QueuedMail) -> bool:
        """Try one mail, and note what came of it."""
        try:
            self._send(mail)
        except ServiceUnavailable as exc:
            self._refusals += 1
            self._away_until = self._clock.now() + delay_after(self._refusals)
            self._note_failure(mail, exc, self._away_until)
            return False
        except DeliveryError as exc:
            self._note_failure(mail, exc, self._clock.now() + delay_after(mail.attempts + 1))
            taken = False
        else:
            now = self._clock.now()
            self._unnoted = lambda: self._store.mail_delivered(mail.mail_id, now=now)
            taken = True
        self._refusals = 0
        self._note()
        return taken

    def _send(self, mail: QueuedMail) -> None:
        """Hand a mail to the mailer; whatever goes wrong is a DeliveryError."""
        try:
            message = message_from_bytes(mail.content, policy=_AS_IT_IS)
            self._mailer.send(message)
        except DeliveryError:
            raise
        except Exception as exc:
            _LOG.exception("mail %d (%s) could not be handed over", mail.mail_id, mail.subject)
            raise DeliveryError(f"{type(exc).__name__}: {exc}") from exc

    def _note_failure(self, mail: QueuedMail, exc: DeliveryError, retry_at: datetime) -> None:
        """Note that a mail was not taken."""
        now, error = self._clock.now(), str(exc)
        is_old = now - mail.queued_at >= GIVE_UP_AFTER and mail.attempts + 1 >= FEWEST_ATTEMPTS
        again = None if exc.permanent or is_old else retry_at
        fate = "it is given up" if again is None else f"next try at {again:%Y-%m-%d %H:%M:%S} UTC"
        _LOG.warning("mail %d (%s) was not taken: %s; %s", mail.mail_id, mail.subject, error, fate)
        self._unnoted = lambda: self._store.mail_failed(mail.mail_id, error=error, retry_at=again, now=now)
        self._note()

    def _note(self) -> None:
        """Tell the store what came of the last try, if it does not know yet."""
        if self._unnoted is not None:
            self._unnoted()
            self._unnoted = None

    def _work(self) -> None:
        """Deliver and sleep until stopped."""
        while True:
            is_last = self._stopping.is_set()
            self._woken.clear()
            try:
                self.deliver_due()
                pause = self._pause()
            except StoreError as exc:
                _LOG.warning("the postman cannot use the outbox: %s", exc)
                pause = _LONGEST_SLEEP
            except Exception:
                _LOG.exception("the postman goes on after an error of its own")
                pause = _LONGEST_SLEEP
            if is_last or self._abandoned.is_set():
                return
            self._woken.wait(pause.total_seconds())

    def _pause(self) -> timedelta:
        """How long to sleep."""
        now = self._clock.now()
        next_at = self._store.next_mail_at()
        if next_at is None:
            return _LONGEST_SLEEP
        if self._is_away(now):
            next_at = max(next_at, self._away_until)
        return min(max(next_at - now, timedelta(0)), _LONGEST_SLEEP)


def delay_after(attempts: int) -> timedelta:
    """How long to wait after so many tries that failed: a minute, doubled each time, up to an hour."""
    return min(FIRST_DELAY * (1 << min(attempts - 1, 10)), LONGEST_DELAY)


class SMTPMailer:
    """Hands mails to an SMTP server.

    With ``starttls`` and ``tls`` the server's certificate must be one the system trusts (or ``context`` does).
    """

    _MOST_REMEMBERED = 1000

    def __init__(
        self,
        host: str,
        *,
        port: int = 25,
        security: Literal["none", "starttls", "tls"] = "none",
        user: str = "",
        password: str = "",
        timeout: timedelta = timedelta(seconds=30),
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._host, self._port, self._security = host, port, security
        self._user, self._password = user, password
        self._timeout = timeout.total_seconds()
        self._context = context
        self._waiting: dict[str, list[str]] = {}
        """For mails that some recipients have, by Message-ID: who is still to get them."""

    def send(self, message: EmailMessage) -> None:
        """Deliver a mail to all its recipients, or raise DeliveryError."""
        smtp = self._connect()
        try:
            self._transmit(smtp, message)
            with suppress(smtplib.SMTPException, OSError):  # it has been taken, whatever comes of saying good-bye
                smtp.quit()
        finally:
            smtp.close()

    def _connect(self) -> smtplib.SMTP:
        """A connection that is ready for mails."""
        where = f"the mail server {self._host}:{self._port}"
        smtp: smtplib.SMTP | None = None
        try:
            if self._security == "tls":
                context = self._context or ssl.create_default_context()
                smtp = smtplib.SMTP_SSL(self._host, self._port, timeout=self._timeout, context=context)
            else:
                smtp = smtplib.SMTP(self._host, self._port, timeout=self._timeout)
            if self._security == "starttls":
                smtp.starttls(context=self._context or ssl.create_default_context())
            if self._user:
                smtp.login(self._user, self._password)
        except smtplib.SMTPAuthenticationError as exc:
            fault = f"{where} does not accept user {self._user!r} and the password: {_answer(exc)}; mend the settings"
        except smtplib.SMTPResponseException as exc:
            fault = f"{where} answers {_answer(exc)}"
        except ssl.SSLCertVerificationError as exc:
            fault = f"{where} has a certificate that is not trusted: {exc.verify_message}"
        except (smtplib.SMTPException, OSError) as exc:
            fault = f"{where} cannot be used: {exc}"
        else:
            return smtp
        if smtp is not None:
            smtp.close()
        raise ServiceUnavailable(fault)

    def _transmit(self, smtp: smtplib.SMTP, message: EmailMessage) -> None:
        """Hand over a mail."""
        identity = str(message.get("Message-ID", ""))
        recipients = self._waiting.get(identity) or _recipients_of(message)
        if not recipients:
            raise DeliveryError("the mail has no recipient", permanent=True)
        try:
            refused: Mapping[str, tuple[int, bytes]] = smtp.send_message(message, to_addrs=recipients)
        except smtplib.SMTPRecipientsRefused as exc:
            refused = exc.recipients
        except smtplib.SMTPResponseException as exc:
            raise _fault(exc) from exc
        except smtplib.SMTPNotSupportedError as exc:
            raise DeliveryError(f"the mail server cannot take this mail: {exc}", permanent=True) from exc
        except (smtplib.SMTPException, OSError) as exc:
            raise ServiceUnavailable(f"the connection to the mail server broke: {exc}") from exc
        self._waiting.pop(identity, None)
        if refused:
            raise self._refusal(identity, recipients, refused)

    def _refusal(
        self, identity: str, recipients: Sequence[str], refused: Mapping[str, tuple[int, bytes]]
    ) -> DeliveryError:
        """The error for a mail that some recipients do not have; the next try is for those who may get it yet."""
        later = [recipient for recipient, (code, _) in refused.items() if code < 500]
        if later and identity:
            self._waiting[identity] = later
            while len(self._waiting) > self._MOST_REMEMBERED:
                del self._waiting[next(iter(self._waiting))]
        reasons = "; ".join(f"{recipient}: {code} {_text(text)}" for recipient, (code, text) in refused.items())
        taken = [recipient for recipient in recipients if recipient not in refused]
        others = f" (delivered to {', '.join(taken)})" if taken else ""
        return DeliveryError(f"the mail server refuses {reasons}{others}", permanent=not later)


_SETTINGS_WRONG = frozenset({421, 454, 530, 534, 535, 538})
"""Answers that speak of the service or the login rather than of the mail."""


def _fault(exc: smtplib.SMTPResponseException) -> DeliveryError:
    """What a server's refusal means for a mail."""
    text = f"the mail server answers {_answer(exc)}"
    if exc.smtp_code in _SETTINGS_WRONG:
        return ServiceUnavailable(text)
    return DeliveryError(text, permanent=exc.smtp_code >= 500)


def _answer(exc: smtplib.SMTPResponseException) -> str:
    """What a server said."""
    return f"{exc.smtp_code} {_text(exc.smtp_error)}".rstrip()


def _text(answer: bytes | str) -> str:
    """A server's words on one line."""
    words = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return " ".join(words.split())[:500]


def _recipients_of(message: EmailMessage) -> list[str]:
    """Whom a mail is for."""
    fields = [str(value) for name in ("To", "Cc", "Bcc") for value in message.get_all(name, [])]
    return [address for _, address in getaddresses(fields) if address]


_EX_DATAERR, _EX_NOUSER, _EX_NOHOST = 65, 67, 68  # of sysexits.h; all others may pass, or the settings be mended


class SendmailMailer:
    """Feeds mails to a command such as ``sendmail -t -i``, which is to find the recipients in the mail itself."""

    def __init__(self, argv: Sequence[str], runner: Runner, *, timeout: timedelta = timedelta(minutes=2)) -> None:
        self._argv = tuple(argv)
        self._runner = runner
        self._timeout = timeout

    def send(self, message: EmailMessage) -> None:
        """Run the command for a mail, or raise DeliveryError."""
        content = message.as_bytes(policy=message.policy.clone(linesep="\n"))
        try:
            completed = self._runner.run(self._argv, cwd="/", input=content, timeout=self._timeout)
        except SpawnFailed as exc:
            raise ServiceUnavailable(f"{self._argv[0]} cannot be started: {exc}") from exc
        if completed.timed_out:
            raise ServiceUnavailable(f"{self._argv[0]} did not end within {self._timeout.total_seconds():.0f} s")
        if completed.returncode == 0:
            return
        said = _text(completed.output[-500:])
        fault = f"{self._argv[0]} ended with {completed.returncode}" + (f": {said}" if said else "")
        if completed.returncode in (_EX_DATAERR, _EX_NOUSER, _EX_NOHOST):
            raise DeliveryError(fault, permanent=True)
        raise ServiceUnavailable(fault)


class MaildirMailer:
    """Puts mails into a Maildir, which any mail program can read."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)

    def send(self, message: EmailMessage) -> None:
        """Put a mail into the folder, which is made where it is missing, or raise DeliveryError."""
        content = message.as_bytes(policy=message.policy.clone(linesep="\n"))
        try:
            for name in ("tmp", "new", "cur"):
                (self._path / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                (self._path / name).mkdir(mode=0o700, exist_ok=True)
            mailbox.Maildir(self._path).add(content)
        except (OSError, mailbox.Error) as exc:
            raise ServiceUnavailable(f"the Maildir {self._path} cannot be written: {exc}") from exc
