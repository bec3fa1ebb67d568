"""Hands mails to an SMTP server, and says in plain words what came of it."""

import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import getaddresses
from typing import Final, Literal

from gavo_exec.errors import DeliveryError
from gavo_exec.services.postman.mails import TooLarge
from gavo_exec.services.postman.postman import ServiceUnavailable

_SERVICE_WRONG: Final = frozenset({421, 454, 530, 534, 535, 538})
"""Answers that speak of the service or the login rather than of the mail."""
_SIZE_WRONG: Final = frozenset({523, 552})
_SIZE_WRONG_ENHANCED: Final = ("5.3.4", "5.2.3")

_MOST_TIMEOUTS: Final = 10
"""How many times the time of an answer all of them together may take: a server could drip them letter by letter."""


class SMTPMailer:
    """Hands mails to an SMTP server.

    With ``starttls`` and ``tls`` the server's certificate must be one the system trusts (or ``context`` does);
    ``timeout`` is how long it may take to answer.
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
        self._where = f"{host}:{port}"
        self._waiting: dict[str, list[str]] = {}
        """For mails that some recipients have, by Message-ID: who is still to get them."""

    def send(self, message: EmailMessage) -> str:
        """Deliver a mail to all its recipients, and answer what the server said; or raise DeliveryError."""
        identity = str(message.get("Message-ID", ""))
        recipients = self._waiting.get(identity) or _recipients_of(message)
        if not recipients:
            raise DeliveryError("the mail has no recipient", permanent=True)
        content = message.as_bytes(policy=SMTP_POLICY.clone(refold_source="none"))
        with self._connected() as smtp:
            refused, answer = self._transmit(smtp, content, sender=_sender_of(message), recipients=recipients)
            how = f"encrypted by {smtp.sock.version()}" if isinstance(smtp.sock, ssl.SSLSocket) else "not encrypted"
        self._waiting.pop(identity, None)
        if refused:
            raise self._refusal(identity, recipients, refused)
        how += f", logged in as {self._user}" if self._user else ""
        return f"{self._where} took it for {', '.join(recipients)}: {answer} ({how})"

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        """A connection that is ready for mails, and is closed whatever happens, also where all takes too long."""
        sockets: list[socket.socket] = []
        abort = threading.Timer(self._timeout * _MOST_TIMEOUTS, _shut_down, (sockets,))
        abort.daemon = True
        abort.start()
        try:
            with closing(self._connect(sockets)) as smtp:
                yield smtp
                with suppress(smtplib.SMTPException, OSError):  # it has been taken, whatever comes of saying good-bye
                    smtp.quit()
        finally:
            abort.cancel()

    def _connect(self, sockets: list[socket.socket]) -> smtplib.SMTP:
        """A connection, encrypted and logged in as it is to be; its socket is put among these."""
        where = f"the mail server {self._where}"
        smtp: smtplib.SMTP | None = None
        try:
            context = self._context or (ssl.create_default_context() if self._security != "none" else None)
            if self._security == "tls":
                smtp = _WatchedTLS(sockets, self._host, self._port, timeout=self._timeout, context=context)
            else:
                smtp = _Watched(sockets, self._host, self._port, timeout=self._timeout)
            if self._security == "starttls":
                smtp.starttls(context=context)
                sockets[:] = [smtp.sock] if smtp.sock is not None else []  # the one before is part of this one now
            if self._user:
                smtp.login(self._user, self._password)
            smtp.ehlo_or_helo_if_needed()
        except smtplib.SMTPAuthenticationError as exc:
            fault = f"{where} does not accept user {self._user!r} and the password: {_answer(exc)}; mend the settings"
        except smtplib.SMTPResponseException as exc:
            fault = f"{where} answers {_answer(exc)}"
        except smtplib.SMTPNotSupportedError as exc:
            fault = f"{where} cannot do what smtp_security or smtp_user asks for: {exc}"
        except (smtplib.SMTPException, OSError) as exc:
            fault = _in_words(where, exc, timeout=self._timeout)
        else:
            return smtp
        if smtp is not None:
            smtp.close()
        raise ServiceUnavailable(fault)

    def _transmit(
        self, smtp: smtplib.SMTP, content: bytes, *, sender: str, recipients: Sequence[str]
    ) -> tuple[Mapping[str, tuple[int, bytes]], str]:
        """Hand over a mail: who was refused, and what the server said in the end; all refused is an error, too."""
        limit = smtp.esmtp_features.get("size", "")
        if limit.isdecimal() and 0 < int(limit) < len(content):
            raise TooLarge(f"the mail server {self._where} takes mails up to {int(limit):,} bytes")
        refused: dict[str, tuple[int, bytes]] = {}
        try:
            options = [f"SIZE={len(content)}"] if smtp.has_extn("size") else []
            code, text = smtp.mail(sender, options)
            if code != 250 and code not in _SIZE_WRONG:  # all mails have this sender
                fault = f"the mail server {self._where} refuses the sender {sender}: {code} {_text(text)}"
                raise ServiceUnavailable(f"{fault}; see mail_from, and smtp_user")
            self._must_be_good((code, text), "the mail")
            for recipient in recipients:
                code, text = smtp.rcpt(recipient)
                if code == 421:
                    raise ServiceUnavailable(f"the mail server {self._where} answers 421 {_text(text)}")
                if code not in (250, 251):
                    refused[recipient] = (code, text)
            if len(refused) == len(recipients):
                return refused, ""
            answer = smtp.data(content)
            self._must_be_good(answer, "the mail")
        except smtplib.SMTPResponseException as exc:  # of DATA itself
            self._must_be_good((exc.smtp_code, exc.smtp_error), "the mail")
            raise ServiceUnavailable(f"the mail server {self._where} answers {_answer(exc)}") from exc
        except (smtplib.SMTPException, OSError) as exc:
            raise ServiceUnavailable(_in_words(f"the mail server {self._where}", exc, timeout=self._timeout)) from exc
        return refused, f"{answer[0]} {_text(answer[1])}".rstrip()

    def _must_be_good(self, answer: tuple[int, bytes | str], what: str) -> None:
        """Raise DeliveryError unless the server took something."""
        code, text = answer[0], _text(answer[1])
        if code == 250:
            return
        fault = f"the mail server {self._where} refuses {what}: {code} {text}".rstrip()
        if code in _SIZE_WRONG or text.startswith(_SIZE_WRONG_ENHANCED):
            raise TooLarge(fault)
        if code in _SERVICE_WRONG:
            raise ServiceUnavailable(fault)
        raise DeliveryError(fault, permanent=code >= 500)

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
        return DeliveryError(f"the mail server {self._where} refuses {reasons}{others}", permanent=not later)


class _Watched(smtplib.SMTP):
    """A client whose socket somebody else can shut down, from when there is one."""

    def __init__(self, sockets: list[socket.socket], host: str, port: int, *, timeout: float) -> None:
        self._sockets = sockets
        super().__init__(host, port, timeout=timeout)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        found: socket.socket = super()._get_socket(host, port, timeout)  # type: ignore[misc] # typeshed leaves it out
        self._sockets.append(found)
        return found


class _WatchedTLS(smtplib.SMTP_SSL):
    """The same with TLS from the first byte."""

    def __init__(
        self, sockets: list[socket.socket], host: str, port: int, *, timeout: float, context: ssl.SSLContext | None
    ) -> None:
        self._sockets = sockets
        super().__init__(host, port, timeout=timeout, context=context)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        found: socket.socket = super()._get_socket(host, port, timeout)  # type: ignore[misc] # typeshed leaves it out
        self._sockets.append(found)
        return found


def _shut_down(sockets: list[socket.socket]) -> None:
    """Let whoever waits for these wait no longer."""
    for each in sockets:
        with suppress(OSError):
            socket.socket.shutdown(each, socket.SHUT_RDWR)  # past TLS, whose state is the other thread's


def _in_words(where: str, exc: BaseException, *, timeout: float) -> str:
    """Why a server cannot be used, and what to do about it, as far as there is a usual cause."""
    if isinstance(exc, smtplib.SMTPServerDisconnected) and "timed out" in str(exc):
        exc = TimeoutError()
    match exc:
        case ssl.SSLCertVerificationError():
            fault = f"has a certificate that is not trusted: {exc.verify_message}"
            advice = "name the server as its certificate does, or have the system trust who has signed it"
        case ssl.SSLError():
            fault = f"does not speak TLS as expected: {exc.reason or exc}"
            advice = "see smtp_security and smtp_port"
        case socket.gaierror():
            fault = f"is not known by that name: {exc.strerror}"
            advice = "see smtp_host, and the name servers"
        case ConnectionRefusedError():
            fault, advice = "cannot be reached: connection refused", "see that it runs, and smtp_port"
        case TimeoutError():
            fault, advice = f"did not answer within {timeout:g} s", "see that it can be reached, and smtp_port"
        case smtplib.SMTPServerDisconnected():
            fault, advice = "closed the connection", "its log may say why"
        case _:
            fault, advice = f"cannot be used: {exc}", "see the settings that begin with smtp_"
    return f"{where} {fault}; {advice}"


def _answer(exc: smtplib.SMTPResponseException) -> str:
    """What a server said."""
    return f"{exc.smtp_code} {_text(exc.smtp_error)}".rstrip()


def _text(answer: bytes | str) -> str:
    """A server's words on one line."""
    words = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return " ".join(words.split())[:500]


def _sender_of(message: EmailMessage) -> str:
    """Whose address bounces go to."""
    [(_, address)] = getaddresses([str(message.get("From", ""))]) or [("", "")]
    return address


def _recipients_of(message: EmailMessage) -> list[str]:
    """Whom a mail is for."""
    fields = [str(value) for name in ("To", "Cc", "Bcc") for value in message.get_all(name, [])]
    return [address for _, address in getaddresses(fields) if address]
