"""Hands mails to an SMTP server, and says in plain words what came of it."""

import re
import smtplib
import socket
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from copy import copy
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import getaddresses
from typing import Literal

from gavo_exec.errors import DeliveryError
from gavo_exec.services.postman.answers import Answer, not_smtp, reason_for, refusal_of_mail, refusal_of_sender
from gavo_exec.services.postman.faults import ServiceUnavailable, TooLarge, one_line
from gavo_exec.services.postman.timelimit import OF_TIMEOUTS, TimeLimit

_CHUNK_BYTES = 64 * 1024
"""How much is written at once: the timeout is for each such piece, so that slow lines can take large mails."""

_AS_IT_IS = SMTP_POLICY.clone(refold_source="none")
_LINE_END = re.compile(rb"\r\n|\r|\n")
_LEADING_DOT = re.compile(rb"(?m)^\.")
_NOT_TLS = {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL", "HTTP_REQUEST"}


class SMTPMailer:
    """Hands mails to an SMTP server.

    With ``starttls`` and ``tls`` the server's certificate must be one the system trusts (or ``context`` does), and
    nothing is sent in the clear.  ``timeout`` is how long each answer may take, ``longest`` how long all that a mail
    needs (ten times as long if it is not given).
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
        longest: timedelta | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._host, self._port, self._security = host, port, security
        self._user, self._password = user, password
        self._timeout = timeout.total_seconds()
        self._longest = longest or OF_TIMEOUTS * timeout
        self._context = context
        self._name = f"the mail server {host}:{port}"
        self._waiting: dict[str, list[str]] = {}
        """For mails that some recipients have, by Message-ID: who is still to get them."""

    def send(self, message: EmailMessage) -> str:
        """Deliver a mail to all its recipients, and answer what the server said; or raise DeliveryError."""
        identity = str(message.get("Message-ID", ""))
        recipients = self._waiting.get(identity) or _recipients_of(message)
        if not recipients:
            raise DeliveryError("the mail has no recipient", permanent=True)
        smtp = smtplib.SMTP(timeout=self._timeout)
        with TimeLimit(self._longest) as limit:
            try:
                self._connect(smtp, limit)
                protection = self._greet(smtp)
                refused, answer = self._transmit(smtp, message, recipients)
            except ServiceUnavailable as exc:
                raise (self._broken(exc, limit) if limit.is_over else exc) from exc.__cause__
            except (smtplib.SMTPException, OSError) as exc:
                raise self._broken(exc, limit) from exc
            finally:
                _part(smtp)
        self._waiting.pop(identity, None)
        if refused:
            raise self._refusal(identity, recipients, refused)
        return f"{self._host}:{self._port} took it for {', '.join(recipients)}: {answer} ({protection})"

    def greet(self) -> str:
        """Go as far as a mail would, login and all, and send none; answers who is there, or raises DeliveryError."""
        smtp = smtplib.SMTP(timeout=self._timeout)
        with TimeLimit(self._longest) as limit:
            try:
                self._connect(smtp, limit)
                protection = self._greet(smtp)
            except ServiceUnavailable as exc:
                raise (self._broken(exc, limit) if limit.is_over else exc) from exc.__cause__
            except (smtplib.SMTPException, OSError) as exc:
                raise self._broken(exc, limit) from exc
            finally:
                _part(smtp)
        return f"{self._host}:{self._port} answers ({protection})"

    # To be ready for mails

    def _connect(self, smtp: smtplib.SMTP, limit: TimeLimit) -> None:
        """Reach the server; whatever comes of that, the connection is one of ``smtp``."""
        try:
            smtp.sock = limit.connect((self._host, self._port), self._timeout)
        except (socket.gaierror, UnicodeError) as exc:
            fault = "there is no host of that name; look at smtp_host, and whether names can be looked up"
            raise ServiceUnavailable(f"{self._name} cannot be reached: {fault}") from exc
        except TimeoutError as exc:
            fault = f"no answer within {self._timeout:g} s; look at smtp_host and smtp_port, or for a firewall"
            raise ServiceUnavailable(f"{self._name} cannot be reached: {fault}") from exc
        except ConnectionRefusedError as exc:
            fault = "connection refused; look whether it runs, and at smtp_port"
            raise ServiceUnavailable(f"{self._name} cannot be reached: {fault}") from exc
        except OSError as exc:
            raise ServiceUnavailable(f"{self._name} cannot be reached: {exc.strerror or exc}") from exc
        if self._security == "tls":
            self._encrypt(smtp)

    def _greet(self, smtp: smtplib.SMTP) -> str:
        """Say who we are, as safely as the settings ask; answers how in words."""
        self._expect(220, smtp.getreply())
        self._introduce(smtp)
        if self._security == "starttls":
            self._start_tls(smtp)
            self._introduce(smtp)
        if self._user:
            self._log_in(smtp)
        version = smtp.sock.version() if isinstance(smtp.sock, ssl.SSLSocket) else None
        protection = f"encrypted by {version}" if version else "not encrypted"
        return f"{protection}, logged in as {self._user}" if self._user else protection

    def _introduce(self, smtp: smtplib.SMTP) -> None:
        """Say hello and learn what the server can do."""
        try:
            smtp.ehlo_or_helo_if_needed()
        except smtplib.SMTPHeloError as exc:
            raise self._out_of_service(Answer.of(exc.smtp_code, exc.smtp_error)) from exc

    def _start_tls(self, smtp: smtplib.SMTP) -> None:
        """Go on encrypted, or not at all."""
        if not smtp.has_extn("starttls"):
            fault = "does not offer STARTTLS, and nothing is sent in the clear"
            hint = "look at smtp_port (587 is usual), or choose another smtp_security"
            raise ServiceUnavailable(f"{self._name} {fault}; {hint}")
        self._expect(220, smtp.docmd("STARTTLS"))
        self._encrypt(smtp)
        # What was said before may have come from anybody.
        smtp.helo_resp = smtp.ehlo_resp = None
        smtp.esmtp_features = {}
        smtp.does_esmtp = False

    def _encrypt(self, smtp: smtplib.SMTP) -> None:
        """Shake hands over TLS."""
        assert smtp.sock is not None  # noqa: S101 -- it has just been connected
        context = self._context or ssl.create_default_context()
        wrapped = context.wrap_socket(smtp.sock, server_hostname=self._host, do_handshake_on_connect=False)
        smtp.sock, smtp.file = wrapped, None
        try:
            wrapped.do_handshake()
        except ssl.SSLCertVerificationError as exc:
            fault = f"has a certificate that is not trusted: {exc.verify_message.rstrip('.')}"
            hint = "give the name that it is made out to as smtp_host, or let this machine trust who signed it"
            raise ServiceUnavailable(f"{self._name} {fault}; {hint}") from exc
        except ssl.SSLError as exc:
            reason = exc.reason or "broken off"
            hint = "smtp_security = starttls may be right" if reason in _NOT_TLS else "look at smtp_security"
            raise ServiceUnavailable(f"{self._name} does not speak TLS with us: {reason}; {hint}") from exc

    def _log_in(self, smtp: smtplib.SMTP) -> None:
        """Log in as the user in the settings."""
        try:
            smtp.login(self._user, self._password)
        except smtplib.SMTPAuthenticationError as exc:
            said = Answer.of(exc.smtp_code, exc.smtp_error)
            if said.code < 500:
                raise self._out_of_service(said) from exc
            fault = f"does not accept user {self._user!r} and the password: {said}"
            raise ServiceUnavailable(f"{self._name} {fault}; mend smtp_user or smtp_password") from exc
        except smtplib.SMTPNotSupportedError as exc:
            hint = "leave out smtp_user, or look at smtp_port and smtp_security"
            raise ServiceUnavailable(f"{self._name} does not offer a login; {hint}") from exc
        except smtplib.SMTPServerDisconnected:
            raise
        except smtplib.SMTPResponseException as exc:
            raise self._out_of_service(Answer.of(exc.smtp_code, exc.smtp_error)) from exc
        except smtplib.SMTPException as exc:
            known = "CRAM-MD5, PLAIN or LOGIN"
            raise ServiceUnavailable(f"{self._name} offers no way to log in that is known here ({known})") from exc
        except UnicodeError:  # it has the password, which is not to be shown
            fault = "smtp_user and smtp_password may have ASCII characters only"
            raise ServiceUnavailable(f"{self._name} cannot be logged in to: {fault}") from None

    def _expect(self, code: int, reply: tuple[int, bytes]) -> None:
        """Refuse another reply than this."""
        answer = Answer.of(*reply)
        if answer.code != code:
            raise self._out_of_service(answer)

    def _out_of_service(self, answer: Answer) -> ServiceUnavailable:
        """The fault of a server that does not let us in."""
        if not answer.is_of_smtp:
            return not_smtp(self._name)
        return ServiceUnavailable(f"{self._name} takes no mails from here: {answer}")

    # A mail

    def _transmit(
        self, smtp: smtplib.SMTP, message: EmailMessage, recipients: Sequence[str]
    ) -> tuple[dict[str, Answer], Answer | None]:
        """Hand over a mail; answers who is refused, and what was said in the end."""
        sender = _sender_of(message)
        content, options = self._flattened(smtp, message, [sender, *recipients])
        answer = Answer.of(*smtp.mail(sender, options))
        if not answer.is_good:
            raise refusal_of_sender(self._name, sender, answer)
        refused: dict[str, Answer] = {}
        for recipient in recipients:
            answer = Answer.of(*smtp.rcpt(recipient))
            if answer.code == 421 or not answer.is_of_smtp:  # it says no more
                raise refusal_of_mail(self._name, answer)
            if not answer.is_good:
                refused[recipient] = answer
        if len(refused) == len(recipients):
            if all(answer.is_about_service for answer in refused.values()):
                raise refusal_of_mail(self._name, answer)
            return refused, None
        answer = Answer.of(*smtp.docmd("DATA"))
        if answer.code != 354:
            raise refusal_of_mail(self._name, answer)
        for start in range(0, len(content), _CHUNK_BYTES):
            smtp.send(content[start : start + _CHUNK_BYTES])
        answer = Answer.of(*smtp.getreply())
        if not answer.is_good:
            raise refusal_of_mail(self._name, answer)
        return refused, answer

    def _flattened(
        self, smtp: smtplib.SMTP, message: EmailMessage, addresses: Sequence[str]
    ) -> tuple[bytes, list[str]]:
        """A mail as it goes to this server, the end marked, with the options that go with it."""
        takes_utf8 = not all(address.isascii() for address in addresses)
        if takes_utf8 and not smtp.has_extn("smtputf8"):
            fault = "takes addresses in ASCII only, and this mail has others"
            raise DeliveryError(f"{self._name} {fault}", permanent=True)
        takes_8bit = smtp.has_extn("8bitmime")
        policy = _AS_IT_IS.clone(cte_type="8bit" if takes_8bit else "7bit", utf8=takes_utf8)
        content = _LINE_END.sub(b"\r\n", _without_bcc(message).as_bytes(policy=policy))
        if not content.endswith(b"\r\n"):
            content += b"\r\n"
        options = ["SMTPUTF8"] if takes_utf8 else []
        if takes_8bit and not content.isascii():
            options.append("BODY=8BITMIME")
        if smtp.has_extn("size"):
            options.append(f"SIZE={len(content)}")
            if 0 < (at_most := _number(smtp.esmtp_features["size"])) < len(content):
                sizes = f"mails of at most {at_most:,} bytes, and this one has {len(content):,}"
                raise TooLarge(f"{self._name} takes {sizes}")
        return _LEADING_DOT.sub(b"..", content) + b".\r\n", options

    def _refusal(self, identity: str, recipients: Sequence[str], refused: Mapping[str, Answer]) -> DeliveryError:
        """The error for a mail that some recipients do not have; the next try is for those who may get it yet."""
        later = [recipient for recipient, answer in refused.items() if not answer.is_final]
        large = [recipient for recipient, answer in refused.items() if answer.is_about_size]
        if (later or large) and identity:
            self._waiting[identity] = [*later, *large]
            while len(self._waiting) > self._MOST_REMEMBERED:
                del self._waiting[next(iter(self._waiting))]
        reasons = "; ".join(reason_for(recipient, answer) for recipient, answer in refused.items())
        taken = [recipient for recipient in recipients if recipient not in refused]
        others = f" (delivered to {', '.join(taken)})" if taken else ""
        text = f"{self._name} refuses {reasons}{others}"
        if large and not later:
            return TooLarge(text)
        return DeliveryError(text, permanent=not later)

    def _broken(self, exc: Exception, limit: TimeLimit) -> ServiceUnavailable:
        """The fault where the conversation came to no end."""
        if limit.is_over:
            return ServiceUnavailable(f"{self._name} was too slow: no end within {limit.limit.total_seconds():g} s")
        if isinstance(exc, TimeoutError) or isinstance(exc.__context__, TimeoutError):
            hint = "; port 465 wants smtp_security = tls" if (self._port, self._security) == (465, "starttls") else ""
            return ServiceUnavailable(f"{self._name} did not answer within {self._timeout:g} s{hint}")
        return ServiceUnavailable(f"the connection to {self._name} broke: {one_line(str(exc))}")


def _part(smtp: smtplib.SMTP) -> None:
    """Say good-bye where there is still somebody, and let go; what was taken has been taken, whatever comes of it."""
    try:
        if smtp.sock is not None:
            with suppress(smtplib.SMTPException, OSError):
                smtp.quit()
    finally:
        smtp.close()


def _sender_of(message: EmailMessage) -> str:
    """Who sends a mail."""
    fields = [str(message[name]) for name in ("Sender", "From") if name in message]
    return next((address for _, address in getaddresses(fields) if address), "")


def _recipients_of(message: EmailMessage) -> list[str]:
    """Whom a mail is for."""
    fields = [str(value) for name in ("To", "Cc", "Bcc") for value in message.get_all(name, [])]
    return [address for _, address in getaddresses(fields) if address]


def _without_bcc(message: EmailMessage) -> EmailMessage:
    """The mail as its recipients are to see it."""
    if "Bcc" not in message:
        return message
    shown = copy(message)
    del shown["Bcc"]
    return shown


def _number(text: str) -> int:
    """The number that a server gave; 0 where it is none."""
    digits = text.strip()[:20]
    return int(digits) if digits.isdecimal() else 0
