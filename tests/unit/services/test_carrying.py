"""Deliveries on this machine: to a sendmail command, to the operators' command, into a Maildir; and smaller mails."""

import mailbox
import shutil
import stat
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage, MIMEPart
from email.policy import SMTP as SMTP_POLICY
from email.policy import default as default_policy
from pathlib import Path

import pytest

from gavo_exec.errors import DeliveryError, SpawnFailed
from gavo_exec.model import Channel, QueuedMail
from gavo_exec.ports import Completed
from gavo_exec.services.postman import (
    CommandCarrier,
    MaildirMailer,
    SendmailMailer,
    ServiceUnavailable,
    TooLarge,
    by_mail,
)
from gavo_exec.testing import ListMailer

NOW = datetime(2024, 5, 1, 3, 0, 0, tzinfo=UTC)


def a_mail(subject: str = "hello") -> EmailMessage:
    message = EmailMessage(policy=SMTP_POLICY)
    message["From"] = "gavo@example.org"
    message["To"] = "jo@example.org"
    message["Subject"] = subject
    message["Message-ID"] = f"<{subject}@example.org>"
    message.set_content("From here:\n.\n..two dots\nGrüße\n")
    return message


def queued(content: bytes, channel: Channel = Channel.MAIL) -> QueuedMail:
    return QueuedMail(mail_id=1, subject="", content=content, queued_at=NOW, channel=channel)


# sendmail


class CommandRunner:
    """Answers one thing; remembers what it was asked."""

    def __init__(self, answer: Completed | SpawnFailed) -> None:
        self.answer = answer
        self.asked: list[tuple[tuple[str, ...], bytes, timedelta | None]] = []

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: str,
        env: Mapping[str, str] | None = None,
        input: bytes = b"",
        timeout: timedelta | None = None,
        tee: Callable[[bytes], object] | None = None,
    ) -> Completed:
        self.asked.append((tuple(argv), input, timeout))
        if isinstance(self.answer, SpawnFailed):
            raise self.answer
        return self.answer

    def stop(self) -> None:
        pass


SENDMAIL = ("/usr/sbin/sendmail", "-t", "-i")


def completed(returncode: int, output: bytes = b"", *, timed_out: bool = False) -> Completed:
    return Completed(argv=SENDMAIL, cwd="/", returncode=returncode, output=output, timed_out=timed_out)


def test_sendmail_is_fed_the_message() -> None:
    runner = CommandRunner(completed(0))
    assert SendmailMailer(SENDMAIL, runner).send(a_mail()) == "/usr/sbin/sendmail took it"
    [(argv, fed, timeout)] = runner.asked
    assert argv == SENDMAIL
    assert timeout == timedelta(minutes=2)
    assert fed.startswith(b"From: gavo@example.org\nTo: jo@example.org\nSubject: hello\n")
    assert b"\r" not in fed


def test_what_sendmail_says_is_passed_on() -> None:
    runner = CommandRunner(completed(0, b"queued as\n\x1b[1m4F2A\n"))
    assert SendmailMailer(SENDMAIL, runner).send(a_mail()) == r"/usr/sbin/sendmail took it: queued as \x1b[1m4F2A"


def test_a_command_is_fed_what_it_is_to_be_told() -> None:
    runner = CommandRunner(completed(0))
    carry = CommandCarrier(("/bin/notify", "-v"), runner, timeout=timedelta(seconds=9))
    assert carry(queued(b'{"a": "\r\n"}', Channel.COMMAND)) == "/bin/notify took it"
    assert runner.asked == [(("/bin/notify", "-v"), b'{"a": "\r\n"}', timedelta(seconds=9))]


EXITS: list[tuple[Completed | SpawnFailed, type[DeliveryError], bool, str]] = [
    (completed(75, b"queue\n is full\n"), ServiceUnavailable, False, "ended with 75: queue is full"),
    (completed(64, b"usage"), ServiceUnavailable, False, "ended with 64: usage"),
    (completed(1), ServiceUnavailable, False, "ended with 1"),
    (completed(-9), ServiceUnavailable, False, "ended with -9"),
    (completed(67, b"no such user"), DeliveryError, True, "ended with 67: no such user"),
    (completed(68), DeliveryError, True, "ended with 68"),
    (completed(65), DeliveryError, True, "ended with 65"),
    (
        completed(1, b"x" * 900 + b"\xff end"),
        ServiceUnavailable,
        False,
        "ended with 1: " + "x" * 495 + "\ufffd end",
    ),
    (completed(-15, timed_out=True), ServiceUnavailable, False, "did not end within 120 s"),
    (SpawnFailed("no such file"), ServiceUnavailable, False, "cannot be started: no such file"),
]


@pytest.mark.parametrize(("answer", "kind", "permanent", "text"), EXITS)
@pytest.mark.parametrize(
    "deliver",
    [
        lambda runner: SendmailMailer(SENDMAIL, runner).send(a_mail()),
        lambda runner: CommandCarrier(SENDMAIL, runner)(queued(b"{}", Channel.COMMAND)),
    ],
)
def test_a_commands_exit_tells_whether_to_try_again(
    answer: Completed | SpawnFailed,
    kind: type[DeliveryError],
    permanent: bool,
    text: str,
    *,
    deliver: Callable[[CommandRunner], str],
) -> None:
    with pytest.raises(DeliveryError) as caught:
        deliver(CommandRunner(answer))
    fault = caught.value
    assert (type(fault), fault.permanent, str(fault)) == (kind, permanent, f"/usr/sbin/sendmail {text}")


# Maildir


def test_mails_lie_in_a_private_maildir_that_mail_programs_can_read(tmp_path: Path) -> None:
    path = tmp_path / "state" / "mail"
    mailer = MaildirMailer(path)
    assert mailer.send(a_mail("first")) == f"it is in the Maildir {path}"
    mailer.send(a_mail("second"))
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in (path, *path.iterdir())} == {0o700}
    assert [len(list((path / name).iterdir())) for name in ("tmp", "new", "cur")] == [0, 2, 0]
    read = mailbox.Maildir(path, create=False)
    assert sorted(str(message["Subject"]) for message in read) == ["first", "second"]
    assert all(b"\r" not in file.read_bytes() for file in (path / "new").iterdir())


def test_a_maildir_that_went_or_is_not_complete_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "mail"
    mailer = MaildirMailer(path)
    mailer.send(a_mail())
    shutil.rmtree(path)
    mailer.send(a_mail())
    shutil.rmtree(path / "tmp")
    mailer.send(a_mail())
    assert len(list((path / "new").iterdir())) == 2


def test_a_maildir_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "mail"
    path.write_text("a file in the way")
    with pytest.raises(ServiceUnavailable) as caught:
        MaildirMailer(path).send(a_mail())
    assert str(caught.value).startswith(f"the Maildir {path} cannot be written: [Errno ")
    assert not caught.value.permanent


# Mails that are made smaller


class NarrowMailer(ListMailer):
    """Takes mails without attachments only; keeps how large all were that it saw."""

    def __init__(self, *, takes_any: bool = True) -> None:
        super().__init__()
        self.takes_any = takes_any
        self.tries = 0

    def send(self, message: EmailMessage) -> str:
        self.tries += 1
        if not self.takes_any or list(message.iter_attachments()):
            raise TooLarge("552 too large")
        return super().send(message)


SENTENCE = "The output is not attached, since the mail server refuses mails of that size."


def a_report(*, has_html: bool = True, has_output: bool = True) -> EmailMessage:
    message = a_mail()
    message["References"] = "<incident@example.org>"
    if has_html:
        message.add_alternative("<html><body><p>Grüße &amp; 1 &lt; 2</p></BODY></html>", subtype="html")
    if has_output:
        message.add_attachment(b"\x1f\x8b" * 1000, maintype="application", subtype="gzip", filename="output.gz")
        message.add_attachment("<p>a page that was output</p>", subtype="html", filename="page.html")
    return message


def parsed(message: EmailMessage) -> EmailMessage:
    """The mail as it would arrive, without defects."""
    arrived = message_from_bytes(message.as_bytes(policy=SMTP_POLICY), policy=default_policy)
    assert not [part.defects for part in arrived.walk() if part.defects]
    return arrived


def text_in(part: MIMEPart | None) -> str:
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


@pytest.mark.parametrize("has_html", [True, False])
def test_a_mail_that_is_too_large_is_sent_again_without_what_is_attached(has_html: bool) -> None:
    mailer = NarrowMailer()
    report = a_report(has_html=has_html)
    said = by_mail(mailer)(queued(report.as_bytes(policy=report.policy.clone(linesep="\n"))))
    assert said == "taken; what was attached was left out: 552 too large"
    assert mailer.tries == 2
    [sent] = mailer.sent
    arrived = parsed(sent)
    assert not list(arrived.iter_attachments())
    kept = ("From", "To", "Subject", "Message-ID", "References", "MIME-Version")
    assert {name: arrived.get_all(name) for name in kept} == {name: report.get_all(name) for name in kept}
    assert text_in(arrived.get_body(("plain",))) == f"From here:\n.\n..two dots\nGrüße\n\n{SENTENCE}\n"
    if has_html:
        assert text_in(arrived.get_body(("html",))) == (
            f"<html><body><p>Grüße &amp; 1 &lt; 2</p><p>{SENTENCE}</p>\n</BODY></html>\n"
        )
    assert [part["MIME-Version"] for part in arrived.walk()][1:] == [None] * (3 if has_html else 1)


def test_a_page_without_an_end_has_the_words_at_its_end() -> None:
    report = a_mail()
    report.set_content("<p>hello", subtype="html")
    report.add_attachment(b"x", maintype="application", subtype="gzip")
    mailer = NarrowMailer()
    by_mail(mailer)(queued(report.as_bytes()))
    assert text_in(parsed(mailer.sent[0]).get_body()) == f"<p>hello\n<p>{SENTENCE}</p>\n"


@pytest.mark.parametrize("encoding", ["7bit", "8bit", "quoted-printable", "base64"])
def test_a_text_keeps_its_encoding(encoding: str) -> None:
    report = a_mail()
    report.set_content("hello\n" if encoding == "7bit" else "Grüße\n", cte=encoding)
    report.add_attachment(b"x", maintype="application", subtype="gzip")
    mailer = NarrowMailer()
    by_mail(mailer)(queued(report.as_bytes()))
    body = parsed(mailer.sent[0]).get_body()
    assert body is not None
    assert body["Content-Transfer-Encoding"] == encoding
    assert text_in(body).endswith(f"\n\n{SENTENCE}\n")


@pytest.mark.parametrize(
    ("report", "tries", "text"),
    [
        (a_report(), 2, "552 too large, even without what was attached"),
        (a_report(has_output=False), 1, "552 too large; nothing is attached that could be left out"),
        (a_mail(), 1, "552 too large; nothing is attached that could be left out"),
    ],
    ids=["whole", "no output", "plain"],
)
def test_a_mail_that_cannot_be_made_small_enough_is_refused_for_good(
    report: EmailMessage, tries: int, text: str
) -> None:
    mailer = NarrowMailer(takes_any=False)
    with pytest.raises(TooLarge) as caught:
        by_mail(mailer)(queued(report.as_bytes()))
    assert (str(caught.value), caught.value.permanent, mailer.tries) == (text, True, tries)


def test_a_mail_that_is_attachments_throughout_is_not_emptied() -> None:
    report = EmailMessage()
    report["To"] = "jo@example.org"
    report.make_mixed()
    report.add_attachment(b"x", maintype="application", subtype="gzip")
    mailer = NarrowMailer()
    with pytest.raises(TooLarge, match="nothing is attached that could be left out"):
        by_mail(mailer)(queued(report.as_bytes()))
    assert mailer.tries == 1


def test_a_mail_that_passes_is_sent_once_as_it_is() -> None:
    mailer = ListMailer()
    report = a_report()
    content = report.as_bytes(policy=report.policy.clone(linesep="\n"))
    assert by_mail(mailer)(queued(content)) == "taken"
    assert mailer.sent[0].as_bytes(policy=mailer.sent[0].policy.clone(linesep="\n")) == content
