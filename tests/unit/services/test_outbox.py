"""What the store keeps for those who are told: the outbox by channels, incidents, and how fast mails go."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

import gavo_exec.services.store
from gavo_exec.incidents import Circumstances, Incident, Kind, Pace, State
from gavo_exec.model import Channel, Outcome, Run
from gavo_exec.services.store import SQLiteStore
from gavo_exec.services.store.file import QUERIES

NOW = datetime(2024, 5, 1, 3, 0, 0, 123456, tzinfo=UTC)
SECOND = timedelta(seconds=1)

HOSTILE = "a\0b\ud800 \udcff\x10\u202e\r\n{}"
INCIDENT = Incident(
    kind=Kind.JOB,
    about=HOSTILE,
    state=State.TIMED_OUT,
    since=NOW,
    at=NOW + SECOND,
    cause=HOSTILE,
    place=HOSTILE,
    count=3,
    told=2,
    told_count=1,
    told_at=NOW + 2 * SECOND,
    tell_at=NOW + 3 * SECOND,
    over_at=NOW + 4 * SECOND,
    gone=True,
    thread=("<a@b>", "<c@d>"),
    to=("Jo <jo@example.org>",),
    after=2,
    reminders=(timedelta(hours=1, microseconds=7), timedelta(days=400)),
    run_id="r1",
    last_success_at=NOW - SECOND,
    digests=("d1", ""),
    circumstances=Circumstances(
        title=HOSTILE,
        path="/q.rd",
        place="/q.rd, line 3",
        excerpt_path="/q.rd",
        excerpt=((3, HOSTILE), (4, "")),
        marked=4,
        next_due=NOW,
        started_at=NOW,
        limit_seconds=0.25,
        seconds=12.5,
        where=HOSTILE,
        trace=HOSTILE,
    ),
)


def open_store(path: Path | str, holder: str = "here 1 1") -> SQLiteStore:
    return SQLiteStore(path, holder=holder, is_alive=lambda _: True)


@pytest.fixture
def store() -> Iterator[SQLiteStore]:
    store = open_store(":memory:")
    yield store
    store.close()


def a_mail(subject: str) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = subject
    message.set_content("x")
    return message


# Channels


def test_each_channel_has_a_line_of_its_own(store: SQLiteStore) -> None:
    store.put_mail(a_mail("m"), now=NOW, about="q#a")
    store.put_call(Channel.WEBHOOK, "w", b"{}", now=NOW - SECOND)
    store.put_call(Channel.PING, "p", b"log", now=NOW + SECOND, about="q#a", target="https://x.org/1")
    assert store.flush() == {Channel.MAIL, Channel.WEBHOOK, Channel.PING}
    later = NOW + 9 * SECOND
    found = {channel: store.due_mail(later, channel) for channel in Channel}
    assert {
        channel: mail and (mail.subject, mail.channel, mail.about, mail.target) for channel, mail in found.items()
    } == {
        Channel.MAIL: ("m", Channel.MAIL, "q#a", ""),
        Channel.WEBHOOK: ("w", Channel.WEBHOOK, "", ""),
        Channel.PING: ("p", Channel.PING, "q#a", "https://x.org/1"),
        Channel.COMMAND: None,
    }
    assert [store.next_mail_at(channel) for channel in Channel] == [NOW, NOW - SECOND, None, NOW + SECOND]


def test_a_ping_takes_the_place_of_those_about_the_same_that_wait(store: SQLiteStore) -> None:
    for subject, about in (("start a", "q#a"), ("start b", "q#b"), ("success a", "q#a")):
        store.put_call(Channel.PING, subject, b"", now=NOW, about=about, target="https://x.org")
        store.flush()
    store.put_mail(a_mail("about a"), now=NOW, about="q#a")
    store.put_call(Channel.PING, "start a", b"", now=NOW, about="q#a", target="https://x.org")
    store.flush()
    assert [mail.subject for mail in store.mails()] == ["start a", "about a", "start b"]


def test_of_pings_that_were_heard_nothing_is_kept(store: SQLiteStore) -> None:
    store.put_call(Channel.PING, "start", b"", now=NOW, about="q#a", target="https://x.org")
    store.put_call(Channel.WEBHOOK, "w", b"{}", now=NOW)
    store.flush()
    for mail in store.mails():
        store.mail_delivered(mail.mail_id, now=NOW)
    assert [mail.subject for mail in store.mails()] == ["w"]


def test_what_waits_and_what_was_given_up_is_counted_by_channel(store: SQLiteStore) -> None:
    for number in range(4):
        store.put_mail(a_mail(str(number)), now=NOW)
    store.put_call(Channel.WEBHOOK, "w", b"{}", now=NOW)
    store.flush()
    store.mail_delivered(1, now=NOW)
    store.mail_failed(2, error="550 no", retry_at=None, now=NOW)
    store.mail_failed(3, error="450 later", retry_at=NOW + SECOND, now=NOW)
    assert store.undelivered() == {Channel.MAIL: (2, 1), Channel.WEBHOOK: (1, 0)}


def test_one_mail_can_be_hastened_also_where_it_was_given_up(store: SQLiteStore) -> None:
    for number in range(3):
        store.put_mail(a_mail(str(number)), now=NOW)
    store.flush()
    store.mail_failed(1, error="550 no", retry_at=None, now=NOW)
    store.mail_failed(2, error="450 later", retry_at=NOW + 3600 * SECOND, now=NOW)
    store.mail_delivered(3, now=NOW)
    later = NOW + SECOND
    for mail_id in (1, 2, 3):
        store.hasten_mail(mail_id, now=later)
    first, second, third = (store.mail(mail_id) for mail_id in (1, 2, 3))
    assert first is not None
    assert second is not None
    assert third is not None
    assert (first.next_attempt_at, first.failed_at, first.error) == (later, None, "550 no")
    assert second.next_attempt_at == later
    assert third.next_attempt_at is None


# Incidents


def test_incidents_are_remembered_as_they_are_whatever_is_in_them(store: SQLiteStore) -> None:
    plain = Incident(kind=Kind.RD, about="q", state=State.BROKEN_RD, since=NOW, at=NOW)
    store.put_incident(INCIDENT)
    store.put_incident(plain)
    store.flush()
    assert store.incidents() == [INCIDENT, plain]


def test_an_incident_is_told_from_others_by_kind_and_name_and_place(store: SQLiteStore) -> None:
    first = Incident(kind=Kind.STALL, about="q#a", state=State.STALLED, since=NOW, at=NOW, place="1")
    others = [
        Incident(kind=Kind.STALL, about="q#a", state=State.STALLED, since=NOW, at=NOW, place="2"),
        Incident(kind=Kind.JOB, about="q#a", state=State.FAILED, since=NOW, at=NOW, place="1"),
        Incident(kind=Kind.STALL, about="q#b", state=State.STALLED, since=NOW, at=NOW, place="1"),
    ]
    for incident in (first, *others):
        store.put_incident(incident)
    store.clear_incident(first.name)
    store.flush()
    assert store.incidents() == others


def test_a_later_state_takes_the_place_of_an_earlier_one(store: SQLiteStore) -> None:
    from msgspec.structs import replace

    store.put_incident(INCIDENT)
    store.flush()
    later = replace(INCIDENT, count=4)
    store.put_incident(later)
    store.flush()
    assert store.incidents() == [later]


def test_paces_are_remembered_by_recipients(store: SQLiteStore) -> None:
    first, second = Pace(told_at=NOW, hour_at=NOW - SECOND, sent=3), Pace()
    store.put_pace((), second)
    store.put_pace(("jo@example.org", "al@example.org"), second)
    store.put_pace(("jo@example.org", "al@example.org"), first)
    store.flush()
    assert store.paces() == {(): second, ("jo@example.org", "al@example.org"): first}


def a_run(run_id: str, outcome: Outcome, seconds: int, key: str = "q#a") -> Run:
    at = NOW + seconds * SECOND
    return Run(run_id=run_id, key=key, title="t", due=NOW, started_at=NOW, finished_at=at, outcome=outcome)


def test_a_key_s_last_success_is_known(store: SQLiteStore) -> None:
    for run in (
        a_run("1", Outcome.SUCCEEDED, 1),
        a_run("2", Outcome.SUCCEEDED, 2),
        a_run("3", Outcome.FAILED, 3),
        a_run("4", Outcome.SUCCEEDED, 4, key="q#b"),
        a_run("5", Outcome.SKIPPED, 5),
    ):
        store.record(run)
    store.flush()
    assert store.last_success_at("q#a") == NOW + 2 * SECOND
    assert store.last_success_at("q#c") is None


def test_the_last_success_is_looked_for_backwards_and_nothing_is_sorted(store: SQLiteStore) -> None:
    with store._writing() as db:
        plan = db.execute(f"EXPLAIN QUERY PLAN {QUERIES['last_success']}", ("q#a",)).fetchall()
    assert [row[-1] for row in plan] == ["SEARCH runs USING INDEX runs_by_key (key=?)"]


def test_what_another_process_has_written_is_noticed_once(tmp_path: Path) -> None:
    ours, theirs = open_store(tmp_path / "s"), open_store(tmp_path / "s", "there 2 2")
    ours.changed_elsewhere()
    ours.put_incident(INCIDENT)
    ours.flush()
    assert not ours.changed_elsewhere()
    assert theirs.changed_elsewhere()
    theirs.clear_incident(INCIDENT.name)
    assert not ours.changed_elsewhere()
    theirs.flush()
    assert ours.changed_elsewhere()
    assert not ours.changed_elsewhere()
    ours.close()
    theirs.close()


# From the version before


def make_second_version(path: Path, subjects: list[str], *, gone: int = 0) -> None:
    """A state file of version 2 with these mails, and so many that were taken away since."""
    folder = Path(gavo_exec.services.store.__file__).parent
    with sqlite3.connect(path) as db:
        for name in ("schema.sql", "second.sql"):
            db.executescript((folder / name).read_text())
        for number, subject in enumerate([*subjects, *["gone"] * gone], start=1):
            db.execute(
                "INSERT INTO outbox (subject, content, queued_at, attempts, next_attempt_at, error) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (subject, b"Subject: x\n\nbody", number, number, number * 10, "450 later"),
            )
        db.execute("DELETE FROM outbox WHERE subject = 'gone'")
        db.execute("PRAGMA user_version = 2")
    db.close()


@pytest.mark.parametrize(("subjects", "gone", "following"), [(["a", "b"], 0, 3), (["a"], 4, 6), ([], 2, 3), ([], 0, 1)])
def test_the_outbox_of_the_version_before_is_taken_over(
    tmp_path: Path, subjects: list[str], gone: int, following: int
) -> None:
    make_second_version(tmp_path / "s", subjects, gone=gone)
    store = open_store(tmp_path / "s")
    mails = list(reversed(store.mails()))
    assert [(mail.mail_id, mail.subject, mail.attempts) for mail in mails] == [
        (number, subject, number) for number, subject in enumerate(subjects, start=1)
    ]
    assert all(mail.channel is Channel.MAIL and mail.error == "450 later" for mail in mails)
    store.put_mail(a_mail("new"), now=NOW)
    store.flush()
    assert store.mails()[0].mail_id == following
    store.close()
