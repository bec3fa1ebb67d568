"""The postman against the real store and a fake clock; the mailers against a real SMTP server and a real Maildir."""

import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path

import pytest

from gavo_exec.errors import DeliveryError, StoreError
from gavo_exec.model import Channel, QueuedMail
from gavo_exec.ports import Mailer
from gavo_exec.services.postman import (
    Carry,
    Postman,
    Postmen,
    ServiceUnavailable,
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
