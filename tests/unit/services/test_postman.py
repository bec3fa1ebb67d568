"""The postman against the real store and a fake clock; the mailers against a real SMTP server and a real Maildir."""

import asyncio
import itertools
import logging
import mailbox
import shutil
import socket
import ssl
import stat
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from gavo_exec.errors import DeliveryError, SpawnFailed, StoreError
from gavo_exec.model import Channel, QueuedMail
from gavo_exec.ports import Completed, Mailer
from gavo_exec.services.postman import (
    Carry,
    MaildirMailer,
    Postman,
    Postmen,
    SendmailMailer,
    ServiceUnavailable,
    SMTPMailer,
    TooLarge,
    by_mail,
    delay_after,
)
from gavo_exec.services.store import SQLiteStore
from gavo_exec.testing import FakeClock, ListMailer

NOW = datetime(2024, 5, 1, 3, 0, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def a_mail(subject: str = "hello", *, to: str = "jo@example.org") -> EmailMessage:
    message = EmailMessage(policy=SMTP_POLICY)
    message["From"] = "gavo@example.org"
    message["To"] = to
    message["Subject"] = subject
    message["Message-ID"] = f"<{subject.replace(' ', '-')}@example.org>"
    message.set_content("From here:\n.\n..two dots\nGrüße\n")
    return message


def wait_until(condition: Callable[[], object], *, seconds: float = 10) -> None:
    """Wait for something that another thread does."""
    deadline = time.monotonic() + seconds
    turn = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        turn.wait(0.005)


# The postman


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def store() -> Iterator[SQLiteStore]:
    store = SQLiteStore(":memory:", holder="here 1 1", is_alive=lambda _: False)
    yield store
    store.close()


def put(store: SQLiteStore, *subjects: str, now: datetime = NOW) -> None:
    for subject in subjects:
        store.put_mail(a_mail(subject), now=now)
    store.flush()


def mail_about(store: SQLiteStore, subject: str) -> QueuedMail:
    [mail] = [mail for mail in store.mails() if mail.subject == subject]
    return mail


class FussyMailer(ListMailer):
    """Refuses by subject, for as long as ``faults`` says; remembers each try."""

    def __init__(self, faults: dict[str, Exception] | None = None) -> None:
        super().__init__()
        self.faults = faults or {}
        self.tries: list[str] = []

    def send(self, message: EmailMessage) -> str:
        subject = str(message["Subject"])
        self.tries.append(subject)
        if (fault := self.faults.get(subject, self.faults.get("*"))) is not None:
            raise fault
        return super().send(message)

    @property
    def subjects(self) -> list[str]:
        return [str(message["Subject"]) for message in self.sent]


def test_what_is_due_is_delivered_in_order_and_once(store: SQLiteStore, clock: FakeClock) -> None:
    mailer = FussyMailer()
    postman = Postman(store, carry=by_mail(mailer), clock=clock)
    put(store, "a", "b", "c")
    assert postman.deliver_due() == 3
    assert mailer.subjects == ["a", "b", "c"]
    assert mailer.sent[0].get_content() == "From here:\n.\n..two dots\nGrüße\n"
    assert postman.deliver_due() == 0
    delivered = mail_about(store, "a")
    assert (delivered.delivered_at, delivered.attempts, delivered.error) == (NOW, 1, "")
    assert store.next_mail_at() is None


@pytest.mark.parametrize(
    ("attempts", "minutes"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 32), (7, 60), (8, 60), (100_000, 60)]
)
def test_delays_grow_up_to_an_hour_and_a_tenth_at_most_longer(attempts: int, minutes: int) -> None:
    delays = {delay_after(attempts, mail_id) for mail_id in range(50)}
    assert minutes * MINUTE <= min(delays)
    assert max(delays) <= minutes * MINUTE * 1.1
    assert len(delays) == 50


def test_a_mail_that_is_refused_for_now_is_tried_again_and_holds_up_nobody(
    store: SQLiteStore, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    mailer = FussyMailer({"b": DeliveryError("450 try later")})
    postman = Postman(store, carry=by_mail(mailer), clock=clock)
    put(store, "a", "b", "c")
    with caplog.at_level(logging.WARNING):
        assert postman.deliver_due() == 2
    assert mailer.subjects == ["a", "c"]
    waiting = mail_about(store, "b")
    assert (waiting.attempts, waiting.error, waiting.next_attempt_at) == (1, "450 try later", NOW + delay_after(1, 2))
    assert caplog.messages == ["mail 2 (b) was not taken: 450 try later; next try at 2024-05-01 03:01:00 UTC"]
    clock.move(59)
    assert postman.deliver_due() == 0
    assert mailer.tries.count("b") == 1
    clock.move(7)
    postman.deliver_due()
    assert mail_about(store, "b").next_attempt_at == clock.now() + delay_after(2, 2)
    mailer.faults.clear()
    clock.move(132)
    assert postman.deliver_due() == 1
    assert mailer.subjects == ["a", "c", "b"]


def test_a_mail_that_is_refused_for_good_is_not_tried_again_and_holds_up_nobody(
    store: SQLiteStore, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    mailer = FussyMailer({"a": DeliveryError("550 no such user", permanent=True)})
    postman = Postman(store, carry=by_mail(mailer), clock=clock)
    put(store, "a", "b")
    with caplog.at_level(logging.WARNING):
        assert postman.deliver_due() == 1
    failed = mail_about(store, "a")
    assert (failed.failed_at, failed.next_attempt_at, failed.error) == (NOW, None, "550 no such user")
    assert caplog.messages == ["mail 1 (a) was not taken: 550 no such user; it is given up"]
    clock.move(10 * 86_400)
    postman.deliver_due()
    assert mailer.tries == ["a", "b"]


def test_a_mail_is_given_up_after_five_days_of_trying(store: SQLiteStore, clock: FakeClock) -> None:
    mailer = FussyMailer({"a": DeliveryError("450 try later")})
    postman = Postman(store, carry=by_mail(mailer), clock=clock)
    put(store, "a")
    while (next_at := store.next_mail_at()) is not None:
        clock.at = next_at
        postman.deliver_due()
    assert timedelta(days=5) <= clock.now() - NOW < timedelta(days=5, hours=1.1)
    failed = mail_about(store, "a")
    assert (failed.failed_at, failed.error) == (clock.now(), "450 try later")
    assert 115 <= len(mailer.tries) <= 126


def test_a_mail_that_waited_while_no_daemon_ran_is_not_given_up_at_its_first_try(
    store: SQLiteStore, clock: FakeClock
) -> None:
    mailer = FussyMailer({"a": DeliveryError("450 try later")})
    put(store, "a")
    clock.move(30 * 86_400)
    Postman(store, carry=by_mail(mailer), clock=clock).deliver_due()
    assert mail_about(store, "a").next_attempt_at == clock.now() + delay_after(1, 1)


def test_a_server_that_is_down_is_asked_once_a_round_and_at_growing_distance(
    store: SQLiteStore, clock: FakeClock
) -> None:
    mailer = FussyMailer({"*": ServiceUnavailable("connection refused")})
    postman = Postman(store, carry=by_mail(mailer), clock=clock)
    put(store, *(f"m{number}" for number in range(50)))
    tried_at = []
    for _ in range(240):
        before = len(mailer.tries)
        assert postman.deliver_due() == 0
        assert len(mailer.tries) - before <= 1
        if len(mailer.tries) > before:
            tried_at.append((clock.now() - NOW) // MINUTE)
        clock.move(60)
    pauses = [after - before for before, after in itertools.pairwise(tried_at)]  # as seen each minute
    assert len(pauses) == 8
    for pause, planned in zip(pauses, (1, 2, 4, 8, 16, 32, 60, 60), strict=True):
        assert planned <= pause <= planned * 1.1 + 1
    assert mailer.tries == [f"m{number}" for number in range(9)]  # no mail stands in the others' way
    assert mail_about(store, "m3").error == "connection refused"
    mailer.faults.clear()
    clock.move(3600)
    assert postman.deliver_due() == 50
    assert sorted(mailer.subjects) == sorted(f"m{number}" for number in range(50))


def test_a_postman_tries_again_at_once_when_somebody_asks_for_it(store: SQLiteStore, clock: FakeClock) -> None:
    mailer = FussyMailer({"*": ServiceUnavailable("connection refused")})
    postman = Postman(store, carry=by_mail(mailer), clock=clock)
    put(store, "a", "b")
    postman.deliver_due()
    clock.move(10)
    assert postman.deliver_due() == 0
    store.hasten_mails(now=clock.now())  # as another process does
    assert timedelta(0) == postman._pause()
    mailer.faults.clear()
    assert postman.deliver_due() == 2


def test_each_channel_has_a_postman_and_troubles_of_its_own(store: SQLiteStore, clock: FakeClock) -> None:
    mailer, told = FussyMailer({"*": ServiceUnavailable("down")}), []

    def call(mail: QueuedMail) -> str:
        told.append((mail.channel, mail.content))
        return "heard"

    carriers: dict[Channel, Carry] = {Channel.MAIL: by_mail(mailer), Channel.WEBHOOK: call, Channel.PING: call}
    postmen = Postmen(store, carriers=carriers, clock=clock)
    put(store, "a")
    store.put_call(Channel.WEBHOOK, "a", b"{}", now=NOW)
    store.put_call(Channel.PING, "success k", b"", now=NOW, about="k", target="https://x.org/1")
    store.put_call(Channel.COMMAND, "a", b"{}", now=NOW)
    store.flush()
    assert postmen.deliver_due() == 2
    assert told == [(Channel.WEBHOOK, b"{}"), (Channel.PING, b"")]
    assert store.undelivered() == {Channel.MAIL: (1, 0), Channel.COMMAND: (1, 0)}


def test_the_postman_of_pings_begins_to_work_with_the_first_of_them(store: SQLiteStore, clock: FakeClock) -> None:
    heard = threading.Event()

    def call(_: QueuedMail) -> str:
        heard.set()
        return "heard"

    def names() -> set[str]:
        return {thread.name for thread in threading.enumerate() if thread.name.startswith("postman")}

    postmen = Postmen(store, carriers={Channel.MAIL: by_mail(FussyMailer()), Channel.PING: call}, clock=clock)
    postmen.start()
    assert names() == {"postman"}
    store.put_call(Channel.PING, "success k", b"", now=NOW, about="k", target="https://x.org/1")
    postmen.wake(store.flush())
    assert heard.wait(10)
    assert names() == {"postman", "postman-ping"}
    postmen.stop()
    assert names() == set()


# Mails out of the outbox


def a_mail_with_output(size: int) -> EmailMessage:
    message = a_mail("big")
    message.add_alternative("<html><body><p>From here:</p></body></html>", subtype="html")
    message.add_attachment("x" * size, filename="output.txt")
    return message


class SmallMailer(ListMailer):
    """Takes mails up to a size."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit

    def send(self, message: EmailMessage) -> str:
        if len(message.as_bytes()) > self.limit:
            raise TooLarge("552 too large")
        return super().send(message)


def queued(message: EmailMessage) -> QueuedMail:
    return QueuedMail(mail_id=1, subject="big", content=message.as_bytes(), queued_at=NOW)


def test_a_mail_that_is_too_large_is_sent_without_what_is_attached() -> None:
    mailer = SmallMailer(3000)
    original = a_mail_with_output(5000)
    assert by_mail(mailer)(queued(original)) == "taken (without attachments, as it was too large)"
    [sent] = mailer.sent
    assert sent["Message-ID"] == original["Message-ID"]
    assert list(sent.iter_attachments()) == []
    again = message_from_bytes(sent.as_bytes(), policy=SMTP_POLICY)
    for kind in ("plain", "html"):
        body = again.get_body((kind,))
        assert body is not None
        assert "From here:" in body.get_content()
        assert "The output is not attached, since the mail server takes no mails of that size." in body.get_content()
    assert not any(part.defects for part in again.walk())


@pytest.mark.parametrize("message", [a_mail(), a_mail_with_output(10)])
def test_a_mail_that_is_too_large_all_the_same_is_given_up(message: EmailMessage) -> None:
    with pytest.raises(TooLarge, match="552 too large"):
        by_mail(SmallMailer(10))(queued(message))


def test_a_mail_that_is_not_too_large_keeps_what_is_attached() -> None:
    mailer = SmallMailer(30_000)
    by_mail(mailer)(queued(a_mail_with_output(5000)))
    assert [part.get_filename() for part in mailer.sent[0].iter_attachments()] == ["output.txt"]


def test_new_mail_does_not_make_the_postman_ask_a_server_that_is_down(store: SQLiteStore, clock: FakeClock) -> None:
    mailer = FussyMailer({"*": ServiceUnavailable("connection refused")})
    postman = Postman(store, carry=by_mail(mailer), clock=clock)
    put(store, "a")
    postman.deliver_due()
    put(store, "b")
    postman.deliver_due()
    assert mailer.tries == ["a"]


def test_after_the_server_has_been_up_again_delays_begin_anew(store: SQLiteStore, clock: FakeClock) -> None:
    mailer = FussyMailer({"*": ServiceUnavailable("connection refused")})
    postman = Postman(store, carry=by_mail(mailer), clock=clock)
    put(store, "a")
    for _ in range(5):
        postman.deliver_due()
        clock.move(4000)
    mailer.faults.clear()
    assert postman.deliver_due() == 1
    mailer.faults["*"] = ServiceUnavailable("connection refused")
    put(store, "b", now=clock.now())
    postman.deliver_due()
    assert mail_about(store, "b").next_attempt_at == clock.now() + delay_after(1, 2)


def test_a_mail_that_breaks_every_connection_does_not_starve_the_others(store: SQLiteStore, clock: FakeClock) -> None:
    mailer = FussyMailer({"poison": ServiceUnavailable("the connection broke")})
    postman = Postman(store, carry=by_mail(mailer), clock=clock)
    put(store, "poison", "b", "c")
    for _ in range(3):
        postman.deliver_due()
        clock.move(67)
    assert mailer.subjects == ["b", "c"]


@pytest.mark.parametrize("days", [1, 400])
def test_a_clock_that_was_set_back_does_not_hold_mail_up(store: SQLiteStore, clock: FakeClock, days: int) -> None:
    mailer = FussyMailer({"*": ServiceUnavailable("connection refused")})
    postman = Postman(store, carry=by_mail(mailer), clock=clock)
    put(store, "a", "b")
    postman.deliver_due()
    mailer.faults.clear()
    clock.move(-days * 86_400)
    assert postman.deliver_due() == 2


def test_a_mailer_that_fails_oddly_costs_just_that_mail_a_try(
    store: SQLiteStore, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    mailer = FussyMailer({"a": UnicodeError("odd")})
    put(store, "a", "b")
    with caplog.at_level(logging.ERROR):
        assert Postman(store, carry=by_mail(mailer), clock=clock).deliver_due() == 1
    assert mail_about(store, "a").error == "UnicodeError: odd"
    assert caplog.messages == ["mail 1 (a) could not be handed over"]


class ForgetfulStore(SQLiteStore):
    """Cannot note anything while ``is_full``."""

    is_full = False

    def mail_delivered(self, mail_id: int, *, now: datetime) -> None:
        if self.is_full:
            raise StoreError("the disk is full")
        super().mail_delivered(mail_id, now=now)

    def mail_failed(self, mail_id: int, *, error: str, retry_at: datetime | None, now: datetime) -> None:
        if self.is_full:
            raise StoreError("the disk is full")
        super().mail_failed(mail_id, error=error, retry_at=retry_at, now=now)


@pytest.fixture
def forgetful() -> Iterator[ForgetfulStore]:
    store = ForgetfulStore(":memory:", holder="here 1 1", is_alive=lambda _: False)
    yield store
    store.close()


@pytest.mark.parametrize("fault", [None, DeliveryError("450 later"), ServiceUnavailable("down")])
def test_what_came_of_a_mail_is_noted_before_any_other_is_tried(
    forgetful: ForgetfulStore, clock: FakeClock, fault: Exception | None
) -> None:
    mailer = FussyMailer({"a": fault} if fault else {})
    postman = Postman(forgetful, carry=by_mail(mailer), clock=clock)
    put(forgetful, "a", "b")
    forgetful.is_full = True
    for _ in range(3):
        with pytest.raises(StoreError, match="the disk is full"):
            postman.deliver_due()
    assert mailer.tries == ["a"]
    forgetful.is_full = False
    mailer.faults.clear()
    clock.move(3600)
    postman.deliver_due()
    assert sorted(mailer.subjects) == ["a", "b"]
    assert mailer.tries.count("a") == (1 if fault is None else 2)


def test_no_mail_is_lost_over_a_restart(tmp_path: Path, clock: FakeClock) -> None:
    def opened() -> SQLiteStore:
        return SQLiteStore(tmp_path / "state.db", holder="here 1 1", is_alive=lambda _: False)

    store = opened()
    put(store, "a", "b", "c")
    Postman(store, carry=by_mail(FussyMailer({"*": ServiceUnavailable("down")})), clock=clock).deliver_due()
    store.close()
    clock.move(67)
    store = opened()
    mailer = FussyMailer()
    assert Postman(store, carry=by_mail(mailer), clock=clock).deliver_due() == 3
    assert sorted(mailer.subjects) == ["a", "b", "c"]
    store.close()


# Its thread


@contextmanager
def at_work(store: SQLiteStore, mailer: Mailer, clock: FakeClock) -> Iterator[Postman]:
    postman = Postman(store, carry=by_mail(mailer), clock=clock)
    postman.start()
    try:
        yield postman
    finally:
        postman.stop()
        assert not [thread for thread in threading.enumerate() if thread.name == "postman"]


def test_the_thread_delivers_what_is_there_and_what_comes(store: SQLiteStore, clock: FakeClock) -> None:
    mailer = FussyMailer()
    put(store, "a")
    with at_work(store, mailer, clock) as postman:
        wait_until(lambda: mailer.subjects == ["a"])
        put(store, "b")
        postman.wake()
        wait_until(lambda: mailer.subjects == ["a", "b"])


def test_stopping_delivers_what_is_due_once_more(store: SQLiteStore, clock: FakeClock) -> None:
    mailer = FussyMailer()
    with at_work(store, mailer, clock):
        put(store, "last words")
    assert mailer.subjects == ["last words"]


def test_a_postman_that_never_started_can_be_stopped(store: SQLiteStore, clock: FakeClock) -> None:
    Postman(store, carry=by_mail(FussyMailer()), clock=clock).stop()


def test_stopping_does_not_wait_for_a_mailer_that_hangs(store: SQLiteStore, clock: FakeClock) -> None:
    entered, released = threading.Event(), threading.Event()

    class HangingMailer:
        def send(self, message: EmailMessage) -> str:
            entered.set()
            released.wait(30)
            return "at last"

    put(store, "a", "b")
    postman = Postman(store, carry=by_mail(HangingMailer()), clock=clock)
    postman.start()
    assert entered.wait(10)
    postman.stop(timedelta(seconds=0.01))
    released.set()
    wait_until(lambda: not [thread for thread in threading.enumerate() if thread.name == "postman"])
    assert [mail.delivered_at for mail in store.mails()] == [None, NOW]


def test_the_thread_outlives_a_store_that_fails(
    forgetful: ForgetfulStore, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    mailer = FussyMailer()
    forgetful.is_full = True
    put(forgetful, "a", "b")
    with caplog.at_level(logging.WARNING), at_work(forgetful, mailer, clock) as postman:
        wait_until(lambda: caplog.messages == ["the postman cannot use the outbox: the disk is full"])
        forgetful.is_full = False
        postman.wake()
        wait_until(lambda: mailer.subjects == ["a", "b"])
        wait_until(lambda: forgetful.next_mail_at() is None)


def test_an_idle_thread_looks_into_the_outbox_once_in_half_a_minute(clock: FakeClock) -> None:
    class CountingStore(SQLiteStore):
        looks = 0

        def next_mail_at(self, channel: Channel = Channel.MAIL) -> datetime | None:
            CountingStore.looks += 1
            return super().next_mail_at(channel)

    store = CountingStore(":memory:", holder="here 1 1", is_alive=lambda _: False)
    mailer = FussyMailer({"*": ServiceUnavailable("down")})
    put(store, "a", "b")
    with at_work(store, mailer, clock) as postman:
        wait_until(lambda: mailer.tries == ["a"])
        assert not threading.Event().wait(0.2)
        assert CountingStore.looks <= 3
        assert timedelta(seconds=29) < postman._pause() <= timedelta(seconds=30)
    store.close()


# SMTP

CERTIFICATE = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgs7Essc9XMPKAMgG+
9sU6EY0iB7DhmxO3Klu2qSMdOdChRANCAATxEd33HSHEbgbSRrX3JjU9byPEwMY7
R/Evuxp3rWefCBgaxaOBsx03+/pkcbVkA3PdS7Zsduv5A9wVGR4VYabK
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBeDCCAR6gAwIBAgICEAAwCgYIKoZIzj0EAwIwFDESMBAGA1UEAwwJbG9jYWxo
b3N0MCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjAUMRIwEAYDVQQD
DAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATxEd33HSHEbgbS
RrX3JjU9byPEwMY7R/Evuxp3rWefCBgaxaOBsx03+/pkcbVkA3PdS7Zsduv5A9wV
GR4VYabKo14wXDAdBgNVHQ4EFgQUrAfTOhhF8xMzk2uCm40n2pUoiI8wDwYDVR0T
AQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAoQwGgYDVR0RBBMwEYIJbG9jYWxob3N0
hwR/AAABMAoGCCqGSM49BAMCA0gAMEUCIB9ERxUy2iq+qrDNF4FY7kZBe6PZe2VI
/9P4GGiVVw6xAiEA9cchMWyuaGl20V0UbN9fQEROP1LPQVJTwnHBHfNJDfI=
-----END CERTIFICATE-----
"""
"""A certificate for localhost that nobody trusts, good until 2120, and its key."""

Answer = str | Mapping[str, str]


class ScriptedServer:
    """What an SMTP server says: ``answers`` by command; for RCPT it may be by recipient."""

    def __init__(self, answers: Mapping[str, Answer] | None = None) -> None:
        self.answers = dict(answers or {})
        self.taken: list[Envelope] = []
        self.connections = 0
        self.quits = 0
        self.logins: list[bool] = []

    async def handle_MAIL(  # noqa: N802 -- the library's spelling
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return str(self.answers.get("MAIL", "250 OK"))

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.answers.get("RCPT", {})
        answer = answer if isinstance(answer, str) else answer.get(address, "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = str(self.answers.get("DATA", "250 OK"))
        if answer == "drop":
            hang_up(server)
        elif answer.startswith("250"):
            self.taken.append(envelope)
        return answer

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.quits += 1
        return str(self.answers.get("QUIT", "221 Bye"))

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login, data.password) == (b"gavo", b"secret"))
        return AuthResult(success=self.logins[-1], handled=False)


def hang_up(server: SMTP) -> None:
    assert isinstance(server.transport, asyncio.WriteTransport)
    server.transport.abort()


class DroppingSMTP(SMTP):
    """Hangs up in the middle of the message."""

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        await self.push("354 go ahead")
        await self._reader.readline()
        hang_up(self)


@contextmanager
def serving(
    server: ScriptedServer,
    *,
    security: str = "none",
    login: bool = False,
    protocol: type[SMTP] = SMTP,
    context: ssl.SSLContext | None = None,
    data_size_limit: int | None = None,
) -> Iterator[int]:
    """Run the server on a loopback socket; the value is its port."""

    def connected() -> SMTP:
        server.connections += 1
        return protocol(
            server,
            hostname="mail.example.org",
            tls_context=context if security == "starttls" else None,
            authenticator=server.authenticate if login else None,
            auth_require_tls=False,
            data_size_limit=data_size_limit,
            loop=loop,
        )

    loop = asyncio.new_event_loop()
    listening = loop.run_until_complete(
        loop.create_server(connected, "127.0.0.1", 0, ssl=context if security == "tls" else None)
    )
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:

        async def close() -> None:
            listening.close()
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.sleep(0)

        asyncio.run_coroutine_threadsafe(close(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    path = tmp_path / "certificate.pem"
    path.write_text(CERTIFICATE)
    return path


@pytest.fixture
def server_context(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


def fault_of(port: int, message: EmailMessage | None = None, **settings: Any) -> DeliveryError:
    """What sending a mail comes to, the port left out of the text."""
    with pytest.raises(DeliveryError) as caught:
        SMTPMailer("127.0.0.1", port=port, **settings).send(message or a_mail())
    caught.value.args = (str(caught.value).replace(f":{port}", ":PORT"),)
    return caught.value


def test_a_mail_reaches_the_server_as_it_is() -> None:
    server = ScriptedServer()
    with serving(server) as port:
        answer = SMTPMailer("127.0.0.1", port=port).send(a_mail(to="Jo <jo@example.org>, ops@example.org"))
    assert answer == f"127.0.0.1:{port} took it for jo@example.org, ops@example.org: 250 OK (not encrypted)"
    [envelope] = server.taken
    assert (envelope.mail_from, envelope.rcpt_tos) == ("gavo@example.org", ["jo@example.org", "ops@example.org"])
    assert isinstance(envelope.content, bytes)
    assert b"\r\nSubject: hello\r\n" in envelope.content
    assert b"\r\n.\r\n..two dots\r\n" in envelope.content
    assert server.quits == 1


SERVER = "the mail server 127.0.0.1:PORT"
SENDER = f"{SERVER} refuses the sender gavo@example.org:"
ADVICE = "; see mail_from, and smtp_user"


@pytest.mark.parametrize(
    ("answers", "kind", "permanent", "text"),
    [
        ({"MAIL": "451 greylisted"}, ServiceUnavailable, False, f"{SENDER} 451 greylisted{ADVICE}"),
        ({"MAIL": "550 who are you"}, ServiceUnavailable, False, f"{SENDER} 550 who are you{ADVICE}"),
        ({"MAIL": "552 too large"}, TooLarge, True, f"{SERVER} refuses the mail: 552 too large"),
        ({"MAIL": "530 log in first"}, ServiceUnavailable, False, f"{SENDER} 530 log in first{ADVICE}"),
        ({"RCPT": "450 later"}, DeliveryError, False, f"{SERVER} refuses jo@example.org: 450 later"),
        ({"RCPT": "550 nobody"}, DeliveryError, True, f"{SERVER} refuses jo@example.org: 550 nobody"),
        ({"DATA": "451 disk full"}, DeliveryError, False, f"{SERVER} refuses the mail: 451 disk full"),
        ({"DATA": "554 spam"}, DeliveryError, True, f"{SERVER} refuses the mail: 554 spam"),
        ({"DATA": "554 5.3.4 too big"}, TooLarge, True, f"{SERVER} refuses the mail: 554 5.3.4 too big"),
        ({"RCPT": "421 busy"}, ServiceUnavailable, False, f"{SERVER} answers 421 busy"),
        ({"DATA": "421 going down"}, ServiceUnavailable, False, f"{SERVER} refuses the mail: 421 going down"),
        (
            {"DATA": "drop"},
            ServiceUnavailable,
            False,
            f"{SERVER} closed the connection; its log may say why",
        ),
    ],
)
def test_answers_tell_whether_to_try_again(
    answers: dict[str, Answer], kind: type[DeliveryError], permanent: bool, text: str
) -> None:
    with serving(ScriptedServer(answers)) as port:
        fault = fault_of(port)
    assert (type(fault), fault.permanent, str(fault)) == (kind, permanent, text)


def test_a_server_that_hangs_up_in_mid_data_is_tried_again() -> None:
    server = ScriptedServer()
    with serving(server, protocol=DroppingSMTP) as port:
        fault = fault_of(port)
    assert isinstance(fault, ServiceUnavailable)
    assert not fault.permanent
    assert str(fault).startswith(SERVER)
    assert server.taken == []


def test_what_the_server_says_to_good_bye_does_not_count() -> None:
    server = ScriptedServer({"QUIT": "451 stay a while"})
    with serving(server) as port:
        SMTPMailer("127.0.0.1", port=port).send(a_mail())
    assert len(server.taken) == 1


def test_recipients_refused_for_now_are_tried_again_and_nobody_gets_it_twice() -> None:
    server = ScriptedServer({"RCPT": {"b@x.org": "450 later", "c@x.org": "550 nobody"}})
    message = a_mail(to="a@x.org, b@x.org, c@x.org")
    with serving(server) as port:
        mailer = SMTPMailer("127.0.0.1", port=port)
        with pytest.raises(DeliveryError) as caught:
            mailer.send(message)
        assert not caught.value.permanent
        assert str(caught.value) == (
            f"the mail server 127.0.0.1:{port} refuses b@x.org: 450 later; c@x.org: 550 nobody (delivered to a@x.org)"
        )
        server.answers.clear()
        mailer.send(message)
        mailer.send(a_mail("another", to="a@x.org, c@x.org"))
    assert [envelope.rcpt_tos for envelope in server.taken] == [["a@x.org"], ["b@x.org"], ["a@x.org", "c@x.org"]]


def test_recipients_refused_for_good_are_named_with_those_who_got_it() -> None:
    server = ScriptedServer({"RCPT": {"b@x.org": "550 nobody"}})
    with serving(server) as port:
        fault = fault_of(port, a_mail(to="a@x.org, b@x.org"))
    assert fault.permanent
    assert str(fault) == f"{SERVER} refuses b@x.org: 550 nobody (delivered to a@x.org)"


def test_a_mail_for_nobody_is_not_tried_again() -> None:
    message = a_mail()
    del message["To"]
    with serving(ScriptedServer()) as port:
        fault = fault_of(port, message)
    assert (fault.permanent, str(fault)) == (True, "the mail has no recipient")


def test_a_server_that_is_not_there_is_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    fault = fault_of(port)
    assert isinstance(fault, ServiceUnavailable)
    assert str(fault) == f"{SERVER} cannot be reached: connection refused; see that it runs, and smtp_port"


def test_a_server_that_says_nothing_is_not_waited_for_longer_than_the_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        fault = fault_of(silent.getsockname()[1], timeout=timedelta(seconds=0.05))
    assert isinstance(fault, ServiceUnavailable)
    assert str(fault) == f"{SERVER} did not answer within 0.05 s; see that it can be reached, and smtp_port"


def test_a_server_that_says_how_much_it_takes_is_not_sent_more() -> None:
    server = ScriptedServer()
    with serving(server, data_size_limit=500) as port:
        fault = fault_of(port, a_mail_with_output(5000))
        SMTPMailer("127.0.0.1", port=port).send(a_mail())
    assert (type(fault), str(fault)) == (TooLarge, f"{SERVER} takes mails up to 500 bytes")
    assert len(server.taken) == 1


def test_a_server_that_drips_its_answers_is_not_listened_to_for_ever() -> None:
    ended = threading.Event()

    def drip(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection, suppress(OSError):
            while not ended.wait(0.005):
                connection.sendall(b"220-\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=drip, args=(listening,))
        thread.start()
        fault = fault_of(listening.getsockname()[1], timeout=timedelta(seconds=0.02))
        ended.set()
        thread.join(10)
    assert isinstance(fault, ServiceUnavailable)


def test_a_login_opens_the_server() -> None:
    server = ScriptedServer()
    with serving(server, login=True) as port:
        answer = SMTPMailer("127.0.0.1", port=port, user="gavo", password="secret").send(a_mail())
    assert answer.endswith(": 250 OK (not encrypted, logged in as gavo)")
    assert len(server.taken) == 1
    assert server.logins == [True]


def test_a_refused_login_is_tried_again_since_settings_can_be_mended() -> None:
    with serving(ScriptedServer(), login=True) as port:
        fault = fault_of(port, user="gavo", password="wrong")
    assert isinstance(fault, ServiceUnavailable)
    assert str(fault) == (
        "the mail server 127.0.0.1:PORT does not accept user 'gavo' and the password: "
        "535 5.7.8 Authentication credentials invalid; mend the settings"
    )
    assert "wrong" not in str(fault)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_nobody_trusts_is_refused(security: str, server_context: ssl.SSLContext) -> None:
    server = ScriptedServer()
    with serving(server, security=security, context=server_context) as port:
        fault = fault_of(port, security=security)
    assert isinstance(fault, ServiceUnavailable)
    assert str(fault) == (
        f"{SERVER} has a certificate that is not trusted: self-signed certificate; name the server as its certificate "
        "does, or have the system trust who has signed it"
    )
    assert server.taken == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_is_trusted_opens_the_way(
    security: Any, certificate: Path, server_context: ssl.SSLContext
) -> None:
    server = ScriptedServer()
    context = ssl.create_default_context(cafile=str(certificate))
    with serving(server, security=security, context=server_context) as port:
        answer = SMTPMailer("localhost", port=port, security=security, context=context).send(a_mail())
    assert answer == f"localhost:{port} took it for jo@example.org: 250 OK (encrypted by TLSv1.3)"
    assert len(server.taken) == 1


def test_no_mail_goes_in_the_clear_where_the_server_has_no_starttls() -> None:
    server = ScriptedServer()
    with serving(server) as port:
        fault = fault_of(port, security="starttls")
    assert isinstance(fault, ServiceUnavailable)
    assert str(fault) == (
        f"{SERVER} cannot do what smtp_security or smtp_user asks for: STARTTLS extension not supported by server."
    )
    assert server.taken == []


def test_an_outage_of_the_server_loses_no_mail(store: SQLiteStore, clock: FakeClock) -> None:
    server = ScriptedServer({"DATA": "drop"})
    put(store, *(f"m{number}" for number in range(5)))
    with serving(server) as port:
        postman = Postman(store, carry=by_mail(SMTPMailer("127.0.0.1", port=port)), clock=clock)
        assert postman.deliver_due() == 0
        assert server.connections == 1
        server.answers["DATA"] = "451 later"
        clock.move(4000)
        assert postman.deliver_due() == 0
        server.answers.clear()
        clock.move(4000)
        assert postman.deliver_due() == 5
        assert postman.deliver_due() == 0
    assert len(server.taken) == 5


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
    SendmailMailer(SENDMAIL, runner).send(a_mail())
    [(argv, fed, timeout)] = runner.asked
    assert argv == SENDMAIL
    assert timeout == timedelta(minutes=2)
    assert fed.startswith(b"From: gavo@example.org\nTo: jo@example.org\nSubject: hello\n")
    assert b"\r" not in fed


@pytest.mark.parametrize(
    ("answer", "kind", "permanent", "text"),
    [
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
    ],
)
def test_sendmails_exit_tells_whether_to_try_again(
    answer: Completed | SpawnFailed, kind: type[DeliveryError], permanent: bool, text: str
) -> None:
    with pytest.raises(DeliveryError) as caught:
        SendmailMailer(SENDMAIL, CommandRunner(answer)).send(a_mail())
    fault = caught.value
    assert (type(fault), fault.permanent, str(fault)) == (kind, permanent, f"/usr/sbin/sendmail {text}")


# Maildir


def test_mails_lie_in_a_private_maildir_that_mail_programs_can_read(tmp_path: Path) -> None:
    path = tmp_path / "state" / "mail"
    mailer = MaildirMailer(path)
    mailer.send(a_mail("first"))
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
