"""The contract of the Store port, through which any implementation is run, and what is SQLite's own."""

import os
import re
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as default_policy
from pathlib import Path

import msgspec
import pytest

from gavo_exec.errors import Diagnostic, Position, Severity, StoreError
from gavo_exec.model import (
    Execute,
    HeldBack,
    Job,
    LastStart,
    Outcome,
    Reason,
    Rejection,
    ResourceDescriptor,
    Run,
    RunRequest,
)
from gavo_exec.ports import Store
from gavo_exec.schedule import Every
from gavo_exec.services.store import SQLiteStore
from gavo_exec.services.store.file import _MIGRATIONS, QUERIES
from gavo_exec.testing import end_cut_off, starts_of

NOW = datetime(2024, 5, 1, 3, 0, 0, 123456, tzinfo=UTC)
SECOND = timedelta(seconds=1)
OURS, THEIRS = "here 1 17.5", "there 4711 3.25"
RD = ResourceDescriptor(
    rd_id="weather/q", path="/inputs/weather/q.rd", inputs_dir="/inputs", resdir="/inputs", digest="d1"
)

Opener = Callable[..., Store]


def a_request(run_id: str, *, key: str = "weather/q#fetch", counts_from: datetime | None = NOW) -> RunRequest:
    execute = Execute(key=key, title="Fetch", schedule=Every(seconds=60), job=Job(source="pass"))
    return RunRequest(run_id=run_id, rd=RD, execute=execute, due=NOW, counts_from=counts_from)


def a_run(run_id: str, *, key: str = "weather/q#fetch", outcome: Outcome | None = Outcome.SUCCEEDED) -> Run:
    return Run(
        run_id=run_id,
        key=key,
        title="Fetch",
        due=NOW,
        started_at=NOW + SECOND,
        finished_at=NOW + 2 * SECOND,
        outcome=outcome,
        returncode=3,
        output="some output",
        error="exit 3\nand more",
        host="here",
        digest="d1",
    )


def a_mail(subject: str = "hello") -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = subject
    message["To"] = "jo@example.org"
    message.set_content("Grüße\n")
    return message


def a_rejection(rd_id: str = "weather/q", *, digest: str = "bad") -> Rejection:
    via = (Position(path="/inputs/other.rd", line=2),)
    found = Diagnostic(
        code="E301",
        message="'7:61' is no time",
        position=Position(path="/inputs/weather/q.rd", line=7, column=3, via=via),
        severity=Severity.WARNING,
        hint="minutes go to 59",
        excerpt='<at t="7:61"/>',
        length=4,
    )
    return Rejection(rd_id=rd_id, path="/inputs/weather/q.rd", digest=digest, rejected_at=NOW, diagnostics=(found,))


def without_output(run: Run) -> Run:
    return msgspec.structs.replace(run, output="")


class StoreContract:
    """What every store does.  Subclasses give the fixture ``store``: a fresh store, held by OURS."""

    def test_a_fresh_store_knows_nothing(self, store: Store) -> None:
        assert starts_of(store) == {}
        assert store.runs() == []
        assert store.last_runs() == {}
        assert store.running() == {}
        assert store.rejections() == {}
        assert store.mails() == []
        assert store.next_mail_at() is None
        assert store.due_mail(NOW) is None
        assert store.run("x") is None
        assert store.run("") is None
        assert store.mail(1) is None
        assert store.cut_off(now=NOW) == []
        assert store.incidents() == []
        assert store.paces() == {}
        assert store.undelivered() == {}
        assert store.last_success_at("x") is None
        assert store.flush() == frozenset()

    def test_a_claimed_run_goes_on_until_it_is_recorded(self, store: Store) -> None:
        assert store.claim([a_request("r1")], now=NOW + SECOND) == {}
        going_on = Run(
            run_id="r1",
            key="weather/q#fetch",
            title="Fetch",
            due=NOW,
            started_at=NOW + SECOND,
            host="here",
            digest="d1",
        )
        assert store.running() == {"weather/q#fetch": going_on}
        assert store.runs() == [going_on]
        assert store.run("r1") == going_on
        assert store.last_runs() == {}
        ended = a_run("r1", outcome=Outcome.FAILED)
        store.record(ended)
        store.flush()
        assert store.running() == {}
        assert store.run("r1") == ended
        assert store.runs() == [without_output(ended)]
        assert store.last_runs() == {"weather/q#fetch": without_output(ended)}

    @pytest.mark.parametrize("outcome", list(Outcome))
    @pytest.mark.parametrize("reason", list(Reason))
    def test_a_run_comes_back_as_it_was_recorded(self, store: Store, outcome: Outcome, reason: Reason) -> None:
        run = msgspec.structs.replace(a_run("r1", outcome=outcome), reason=reason, attempt=3, returncode=-9)
        store.record(run)
        store.flush()
        assert store.run("r1") == run

    def test_a_run_that_was_never_claimed_is_recorded(self, store: Store) -> None:
        skipped = Run(run_id="r2", key="k", title="t", due=NOW, finished_at=NOW, outcome=Outcome.SKIPPED)
        store.record(skipped)
        store.flush()
        assert store.runs() == [skipped]
        assert starts_of(store) == {}

    def test_what_is_recorded_last_of_a_run_counts(self, store: Store) -> None:
        store.record(a_run("r1", outcome=Outcome.INTERRUPTED))
        store.flush()
        late = msgspec.structs.replace(a_run("r1"), output="the end", error="")
        store.record(late)
        store.flush()
        assert store.run("r1") == late
        assert store.runs() == [without_output(late)]

    def test_our_own_unfinished_run_is_no_obstacle(self, store: Store) -> None:
        assert store.claim([a_request("r1")], now=NOW) == {}
        assert store.claim([a_request("r2")], now=NOW) == {}

    def test_an_empty_claim_is_granted(self, store: Store) -> None:
        assert store.claim([], now=NOW) == {}

    def test_the_schedule_counts_from_the_instant_that_the_request_says(self, store: Store) -> None:
        store.claim([a_request("r1", counts_from=NOW)], now=NOW + 2 * SECOND)
        assert starts_of(store) == {"weather/q#fetch": NOW}
        store.claim([a_request("r2", counts_from=NOW + SECOND)], now=NOW + 3 * SECOND)
        assert starts_of(store) == {"weather/q#fetch": NOW + SECOND}

    def test_a_run_that_does_not_move_the_schedule_leaves_it_alone(self, store: Store) -> None:
        store.claim([a_request("r1", counts_from=None)], now=NOW)
        assert starts_of(store) == {}
        store.claim([a_request("r2")], now=NOW)
        store.claim([a_request("r3", counts_from=None)], now=NOW + SECOND)
        assert starts_of(store) == {"weather/q#fetch": NOW}

    def test_starts_can_be_noted_without_a_run(self, store: Store) -> None:
        store.claim([a_request("r1", key="a")], now=NOW)
        store.note_starts({"a": LastStart(at=NOW + SECOND), "caf\udce9": LastStart(at=NOW)})
        store.note_starts({})
        assert starts_of(store) == {"a": NOW + SECOND, "caf\udce9": NOW}
        assert store.last_runs() == {}

    def test_the_last_run_of_a_key_is_the_one_that_ended_last(self, store: Store) -> None:
        store.claim([a_request("r1", key="a"), a_request("r2", key="b")], now=NOW)
        skipped = a_run("r3", key="a", outcome=Outcome.SKIPPED)
        ended = a_run("r1", key="a", outcome=Outcome.FAILED)
        for run in (skipped, ended, a_run("r0", key="c")):
            store.record(run)
        store.flush()
        last = store.last_runs()
        assert last == {"a": without_output(ended), "c": without_output(a_run("r0", key="c"))}

    def test_runs_are_listed_newest_first(self, store: Store) -> None:
        for number in range(5):
            store.record(a_run(f"r{number}", key="ab"[number % 2]))
        store.flush()
        store.claim([a_request("s1", key="a")], now=NOW)
        store.claim([a_request("s2", key="b")], now=NOW + SECOND)
        assert [run.run_id for run in store.runs()] == ["s2", "s1", "r4", "r3", "r2", "r1", "r0"]
        assert [run.run_id for run in store.runs(limit=3)] == ["s2", "s1", "r4"]
        assert [run.run_id for run in store.runs(limit=1)] == ["s2"]
        assert [run.run_id for run in store.runs("a")] == ["s1", "r4", "r2", "r0"]
        assert [run.run_id for run in store.runs("a", limit=2)] == ["s1", "r4"]
        assert store.runs("nobody") == []

    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            ("abc", "abc"),
            ("abcd", "abcd"),
            ("abd", "abd1"),
            ("ab", None),
            ("z", None),
            ("", None),
            ("c", "c_"),
            ("c%", None),
            ("q", "q1"),
            ("a", None),
        ],
    )
    def test_a_beginning_of_an_id_will_do_if_it_fits_just_one(
        self, store: Store, asked: str, found: str | None
    ) -> None:
        for run_id in ("abc", "abcd", "abd1", "c_"):
            store.record(a_run(run_id))
        store.flush()
        store.claim([a_request("q1")], now=NOW)
        run = store.run(asked)
        assert (run and run.run_id) == found

    def test_what_is_put_waits_for_the_flush(self, store: Store) -> None:
        store.record(a_run("r1"))
        store.put_mail(a_mail(), now=NOW)
        store.put_rejection(a_rejection(), [])
        assert store.runs() == []
        assert store.mails() == []
        assert store.rejections() == {}
        store.flush()
        assert len(store.runs()) == len(store.mails()) == len(store.rejections()) == 1
        store.flush()
        assert len(store.mails()) == 1

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "plain",
            "Grüße 🚀",
            "\0",
            "a\0b",
            "\x10",
            "\x100041",
            "\ud800",
            "caf\udce9",
            "\udce9\x10\0",
            "x" * (1 << 20),
        ],
    )
    def test_any_text_comes_back_as_it_was(self, store: Store, text: str) -> None:
        run = msgspec.structs.replace(a_run("r1"), key=f"{text[:50]}#x", title=text, output=text, error=text, host=text)
        store.claim([a_request("r1", key=run.key)], now=NOW)
        assert list(store.running()) == list(starts_of(store)) == [run.key]
        store.record(run)
        store.put_rejection(msgspec.structs.replace(a_rejection(text), path=text), [HeldBack(key=text, title=text)])
        store.flush()
        assert store.run("r1") == run
        assert store.runs(run.key) == [without_output(run)]
        assert list(store.rejections()) == [text]
        store.clear_rejection(text)
        store.flush()
        assert store.rejections() == {}

    def test_rejections_come_back_whole_and_replace_each_other(self, store: Store) -> None:
        held_back = (
            HeldBack(key="weather/q#a", title="A", at=("7:30",)),
            HeldBack(key="weather/q#b", title="B", every=5),
        )
        store.put_rejection(a_rejection(digest="first"), [])
        store.put_rejection(a_rejection(), held_back)
        store.put_rejection(a_rejection("other/q"), [])
        store.flush()
        assert store.rejections() == {
            "weather/q": (a_rejection(), held_back),
            "other/q": (a_rejection("other/q"), ()),
        }
        store.clear_rejection("weather/q")
        store.put_rejection(a_rejection("other/q", digest="second"), [])
        store.clear_rejection("unknown")
        store.flush()
        assert store.rejections() == {"other/q": (a_rejection("other/q", digest="second"), ())}

    def test_a_rejection_that_was_cleared_and_came_back_stays(self, store: Store) -> None:
        store.put_rejection(a_rejection(), [])
        store.clear_rejection("weather/q")
        store.put_rejection(a_rejection(digest="again"), [])
        store.flush()
        assert store.rejections()["weather/q"][0].digest == "again"

    def test_a_mail_waits_until_it_is_delivered(self, store: Store) -> None:
        store.put_mail(a_mail("first"), now=NOW)
        store.put_mail(a_mail("second"), now=NOW)
        store.flush()
        assert store.next_mail_at() == NOW
        assert store.due_mail(NOW - SECOND) is None
        mail = store.due_mail(NOW)
        assert mail is not None
        assert (mail.subject, mail.queued_at, mail.attempts, mail.next_attempt_at) == ("first", NOW, 0, NOW)
        parsed = message_from_bytes(mail.content, policy=default_policy)
        assert parsed.get_content() == "Grüße\n"
        store.mail_delivered(mail.mail_id, now=NOW + SECOND)
        delivered = store.mail(mail.mail_id)
        assert delivered is not None
        assert (delivered.delivered_at, delivered.attempts, delivered.next_attempt_at) == (NOW + SECOND, 1, None)
        following = store.due_mail(NOW)
        assert following is not None
        assert following.subject == "second"
        assert [mail.subject for mail in store.mails()] == ["second", "first"]
        assert [mail.subject for mail in store.mails(limit=1)] == ["second"]

    def test_a_mail_that_failed_waits_for_its_next_try_behind_the_others(self, store: Store) -> None:
        store.put_mail(a_mail("first"), now=NOW)
        store.put_mail(a_mail("second"), now=NOW)
        store.flush()
        first = store.due_mail(NOW)
        assert first is not None
        store.mail_failed(first.mail_id, error="450 later", retry_at=NOW + 60 * SECOND, now=NOW)
        second = store.due_mail(NOW + 60 * SECOND)
        assert second is not None
        assert second.subject == "second"
        store.mail_failed(second.mail_id, error="550 never", retry_at=None, now=NOW + SECOND)
        assert store.due_mail(NOW + 59 * SECOND) is None
        assert store.next_mail_at() == NOW + 60 * SECOND
        again = store.due_mail(NOW + 60 * SECOND)
        assert again is not None
        assert (again.subject, again.attempts, again.error) == ("first", 1, "450 later")
        failed = store.mail(second.mail_id)
        assert failed is not None
        assert (failed.failed_at, failed.error, failed.next_attempt_at) == (NOW + SECOND, "550 never", None)

    def test_a_mail_is_stored_as_it_was_when_put(self, store: Store) -> None:
        message = a_mail("before")
        store.put_mail(message, now=NOW)
        message.replace_header("Subject", "after")
        store.flush()
        assert [mail.subject for mail in store.mails()] == ["before"]

    def test_threads_may_share_it(self, store: Store) -> None:
        def work(number: int) -> None:
            for turn in range(20):
                run_id, key = f"{number}-{turn}", f"k{number}"
                assert store.claim([a_request(run_id, key=key)], now=NOW) == {}
                store.record(a_run(run_id, key=key))
                store.put_mail(a_mail(), now=NOW)
                store.flush()

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(store.runs(limit=1000)) == len(store.mails(limit=1000)) == 80
        assert store.running() == {}


class SharedStoreContract:
    """What stores of several processes do.  Subclasses give ``open_store(holder)`` and the set ``alive`` of holders."""

    def test_what_another_living_process_runs_is_refused(self, open_store: Opener, alive: set[str]) -> None:
        alive.add(THEIRS)
        ours, theirs = open_store(OURS), open_store(THEIRS)
        theirs.claim([a_request("t1", key="a")], now=NOW)
        refused = ours.claim([a_request("r1", key="a"), a_request("r2", key="b")], now=NOW + SECOND)
        assert refused == {"r1": "process 4711 on there since 2024-05-01 03:00:00 UTC"}
        assert ours.run("r1") is None
        assert sorted(run.run_id for run in ours.runs()) == ["r2", "t1"]
        assert starts_of(ours) == {"a": NOW, "b": NOW}
        theirs.record(a_run("t1", key="a"))
        theirs.flush()
        assert ours.claim([a_request("r3", key="a")], now=NOW) == {}

    def test_a_refused_run_does_not_move_the_schedule(self, open_store: Opener, alive: set[str]) -> None:
        alive.add(THEIRS)
        ours, theirs = open_store(OURS), open_store(THEIRS)
        theirs.claim([a_request("t1", counts_from=None)], now=NOW)
        ours.claim([a_request("r1")], now=NOW)
        assert starts_of(ours) == {}

    def test_the_unfinished_run_of_a_dead_process_is_no_obstacle(self, open_store: Opener) -> None:
        open_store(THEIRS).claim([a_request("t1")], now=NOW)
        ours = open_store(OURS)
        assert ours.claim([a_request("r1")], now=NOW) == {}
        assert [run.run_id for run in ours.running().values()] == ["r1"]

    def test_a_holder_of_another_form_is_named_as_it_is(self, open_store: Opener, alive: set[str]) -> None:
        alive.add("somebody")
        open_store("somebody").claim([a_request("t1")], now=NOW)
        refused = open_store(OURS).claim([a_request("r1")], now=NOW)
        assert refused == {"r1": "process somebody since 2024-05-01 03:00:00 UTC"}

    def test_runs_of_dead_processes_are_interrupted_and_no_others(self, open_store: Opener, alive: set[str]) -> None:
        alive.add("near 5 1")
        ours = open_store(OURS)
        open_store(THEIRS).claim([a_request("t1", key="a"), a_request("t2", key="b")], now=NOW)
        open_store("near 5 1").claim([a_request("n1", key="c")], now=NOW)
        ours.claim([a_request("r1", key="d")], now=NOW)
        interrupted = ours.cut_off(now=NOW + 9 * SECOND)
        assert [run.run_id for run in interrupted] == ["t1", "t2"]
        # They stay what they are until they are recorded, so that nobody forgets to tell of them.
        assert ours.cut_off(now=NOW + 9 * SECOND) == interrupted
        ours.record(interrupted[0])
        ours.flush()
        assert ours.cut_off(now=NOW + 9 * SECOND) == interrupted[1:]
        assert end_cut_off(ours, now=NOW + 9 * SECOND) == interrupted[1:]
        assert interrupted[0] == Run(
            run_id="t1",
            key="a",
            title="Fetch",
            due=NOW,
            started_at=NOW,
            finished_at=NOW + 9 * SECOND,
            outcome=Outcome.INTERRUPTED,
            error="process 4711 on there ended before the run did",
            host="there",
            digest="d1",
        )
        assert ours.run("t1") == interrupted[0]
        assert ours.last_runs() == {"a": interrupted[0], "b": interrupted[1]}
        assert sorted(ours.running()) == ["c", "d"]
        assert ours.cut_off(now=NOW) == []

    def test_a_run_that_was_interrupted_by_error_is_recorded_all_the_same(self, open_store: Opener) -> None:
        theirs, ours = open_store(THEIRS), open_store(OURS)
        theirs.claim([a_request("t1")], now=NOW)
        end_cut_off(ours, now=NOW)
        theirs.record(a_run("t1"))
        theirs.flush()
        assert ours.run("t1") == a_run("t1")

    def test_what_was_written_is_there_for_the_next_process(self, open_store: Opener) -> None:
        first = open_store(THEIRS)
        first.claim([a_request("t1")], now=NOW)
        first.record(a_run("t1"))
        first.put_mail(a_mail(), now=NOW)
        first.close()
        second = open_store(OURS)
        assert second.run("t1") == a_run("t1")
        assert starts_of(second) == {"weather/q#fetch": NOW}
        assert second.due_mail(NOW) is not None


class TestSQLiteStoreInMemory(StoreContract):
    @pytest.fixture
    def store(self) -> Iterator[Store]:
        store = SQLiteStore(":memory:", holder=OURS, is_alive=lambda _: False)
        yield store
        store.close()


class TestSQLiteStoreInFile(StoreContract, SharedStoreContract):
    @pytest.fixture
    def alive(self) -> set[str]:
        return set()

    @pytest.fixture
    def open_store(self, tmp_path: Path, alive: set[str]) -> Iterator[Opener]:
        opened: list[SQLiteStore] = []

        def open_store(holder: str) -> SQLiteStore:
            opened.append(SQLiteStore(tmp_path / "state.db", holder=holder, is_alive=alive.__contains__))
            return opened[-1]

        yield open_store
        for store in opened:
            store.close()

    @pytest.fixture
    def store(self, open_store: Opener) -> Store:
        return open_store(OURS)


# What is SQLite's own


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def opened(path: Path, *, holder: str = OURS) -> SQLiteStore:
    return SQLiteStore(path, holder=holder, is_alive=lambda _: False)


def message_of_opening(path: Path) -> str:
    with pytest.raises(StoreError) as caught:
        opened(path)
    return str(caught.value)


def test_the_file_and_its_companions_are_their_owners_alone(path: Path) -> None:
    store = opened(path)
    store.claim([a_request("r1")], now=NOW)
    files = sorted(path.parent.iterdir())
    assert [file.name for file in files] == ["state.db", "state.db-shm", "state.db-wal"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    store.close()


def test_a_file_of_a_newer_program_is_refused(path: Path) -> None:
    opened(path).close()
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 99")
    database.close()
    assert message_of_opening(path) == (
        f"The state file {path} has version 99, but this program knows versions up to {len(_MIGRATIONS)} only; "
        "use a newer gavo-exec, or another state directory"
    )


def test_a_migration_that_breaks_off_leaves_nothing_behind(path: Path) -> None:
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE rejections (other TEXT)")  # the last of the tables: all others are made before
    database.close()
    assert message_of_opening(path) == f"The state file {path} cannot be used: table rejections already exists"
    database = sqlite3.connect(path)
    assert database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall() == [("rejections",)]
    assert database.execute("PRAGMA user_version").fetchall() == [(0,)]
    database.close()


def test_something_else_than_a_state_file_is_refused(path: Path) -> None:
    path.write_text("This is no database at all.\n" * 1000)
    assert message_of_opening(path) == (
        f"The state file {path} is damaged; stop the daemon, move the file aside and start again "
        "(file is not a database)"
    )
    assert path.read_text().startswith("This is no database")


def test_a_damaged_file_is_said_to_be_damaged(path: Path) -> None:
    store = opened(path)
    for number in range(300):
        store.record(a_run(f"r{number}"))
    store.close()
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(bytes(content))
    store = opened(path)
    with pytest.raises(
        StoreError, match=r"^The state file .*state\.db is damaged; stop the daemon, move the file aside"
    ):
        store.runs()
    store.close()


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "state.db"
    assert message_of_opening(path) == f"The state file {path} cannot be opened: No such file or directory"


def test_a_closed_store_says_so(path: Path) -> None:
    store = opened(path)
    store.close()
    with pytest.raises(StoreError, match="cannot be used: Cannot operate on a closed database"):
        store.runs()


def test_closing_flushes(path: Path) -> None:
    store = opened(path)
    store.record(a_run("r1"))
    store.close()
    store = opened(path)
    assert store.run("r1") == a_run("r1")
    store.close()


def fill_the_disk(store: SQLiteStore) -> None:
    [(pages,)] = store._file._db.execute("PRAGMA page_count").fetchall()
    store._file._db.execute(f"PRAGMA max_page_count = {pages}")


def free_the_disk(store: SQLiteStore) -> None:
    store._file._db.execute("PRAGMA max_page_count = 1000000")


def test_what_cannot_be_written_waits_for_the_next_flush(path: Path) -> None:
    store = opened(path)
    fill_the_disk(store)
    for number in range(5):
        store.record(msgspec.structs.replace(a_run(f"r{number}"), output="x" * 50_000))
    store.put_mail(a_mail(), now=NOW)
    with pytest.raises(StoreError) as caught:
        store.flush()
    assert str(caught.value) == (
        f"The state file {path} cannot be used: database or disk is full; 6 notes wait for the next attempt"
    )
    assert store.runs() == []
    free_the_disk(store)
    store.record(a_run("r5"))
    store.flush()
    assert [run.run_id for run in store.runs()] == ["r5", "r4", "r3", "r2", "r1", "r0"]
    assert len(store.mails()) == 1
    store.close()


def test_a_claim_that_cannot_be_written_leaves_nothing(path: Path) -> None:
    store = opened(path)
    fill_the_disk(store)
    requests = [a_request(f"r{number}", key=f"{number:01000}") for number in range(50)]
    with pytest.raises(StoreError, match="database or disk is full"):
        store.claim(requests, now=NOW)
    assert store.running() == starts_of(store) == {}
    free_the_disk(store)
    assert store.claim(requests, now=NOW) == {}
    assert len(store.running()) == len(starts_of(store)) == 50
    store.close()


@pytest.mark.parametrize(
    ("count", "size", "kept", "dropped"), [(10_003, 10, 10_000, 3), (9, 10_000_000, 6, 3)], ids=["many", "large"]
)
def test_no_more_than_a_bounded_heap_waits(path: Path, count: int, size: int, kept: int, dropped: int) -> None:
    store = opened(path)
    fill_the_disk(store)
    for number in range(count):
        store.record(msgspec.structs.replace(a_run(f"r{number}"), output="x" * size))
    with pytest.raises(
        StoreError, match=rf"; {kept} notes wait for the next attempt, the oldest {dropped} were dropped$"
    ):
        store.flush()
    free_the_disk(store)
    store.flush()
    assert len(store.runs(limit=20_000)) == kept
    assert store.run("r2") is None
    assert store.run(f"r{count - 1}") is not None
    store.close()


def in_another_process(script: str, path: Path) -> subprocess.CompletedProcess[str]:
    lead = f"""
import os, signal, sys
from pathlib import Path
from datetime import datetime, timedelta, UTC
from gavo_exec.model import *
from gavo_exec.schedule import Every
from gavo_exec.services.store import SQLiteStore
NOW = datetime(2024, 5, 1, 3, tzinfo=UTC)
RD = ResourceDescriptor(rd_id="a", path="/a.rd", inputs_dir="/", resdir="/")
store = SQLiteStore({str(path)!r}, holder="other 2 2", is_alive=lambda _: True)
def request(n):
    execute = Execute(key=f"a#{{n}}", title="t", schedule=Every(seconds=60), job=Job(source="pass"))
    return RunRequest(run_id=f"c{{n}}", rd=RD, execute=execute, due=NOW)
def run(n):
    return Run(run_id=f"c{{n}}", key=f"a#{{n}}", title="t", due=NOW, finished_at=NOW, outcome=Outcome.SUCCEEDED)
"""
    return subprocess.run(
        [sys.executable, "-c", lead + script], capture_output=True, text=True, check=False, timeout=30, env=os.environ
    )


def test_a_killed_process_loses_nothing_that_was_written(path: Path) -> None:
    ended = in_another_process(
        """
store.claim([request(n) for n in range(10)], now=NOW)
for n in range(7):
    store.record(run(n))
store.flush()
store.record(run(7))
os.kill(os.getpid(), signal.SIGKILL)
""",
        path,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    store = opened(path)
    assert sorted(run.run_id for run in end_cut_off(store, now=NOW)) == ["c7", "c8", "c9"]
    outcomes = [run.outcome for run in store.runs()]
    assert outcomes.count(Outcome.SUCCEEDED) == 7
    assert outcomes.count(Outcome.INTERRUPTED) == 3
    store.close()


def test_another_process_may_read_and_write_meanwhile(path: Path) -> None:
    store = opened(path)
    done = threading.Event()
    written = 0

    def write() -> None:
        nonlocal written
        while not done.is_set():
            store.claim([a_request(f"r{written}")], now=NOW)
            store.record(a_run(f"r{written}"))
            store.flush()
            written += 1

    writer = threading.Thread(target=write)
    writer.start()
    ended = in_another_process(
        """
for n in range(50):
    assert len(store.last_runs()) <= 1 + n
    assert store.claim([request(n)], now=NOW) == {}
    store.record(run(n))
    store.flush()
store.close()
""",
        path,
    )
    done.set()
    writer.join()
    assert (ended.returncode, ended.stderr) == (0, "")
    assert written > 0
    assert len(store.runs(limit=100_000)) == written + 50
    store.close()


def begun_in_a_thread(path: Path, failures: list[Exception]) -> threading.Thread:
    """A thread that has begun to open the file, and to close it again; what goes wrong is among the failures."""

    def begin() -> None:
        try:
            opened(path).close()
        except StoreError as exc:
            failures.append(exc)

    thread = threading.Thread(target=begin)
    thread.start()
    return thread


def test_many_processes_may_begin_a_file_at_once(path: Path) -> None:
    failures: list[Exception] = []
    for thread in [begun_in_a_thread(path, failures) for _ in range(8)]:
        thread.join()
    assert failures == []


def test_a_new_file_that_another_process_writes_at_the_moment_is_waited_for(path: Path) -> None:
    """SQLite itself refuses at once to switch such a file to WAL, as happens where two processes begin together."""
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("CREATE TABLE something (x)")
    failures: list[Exception] = []
    opening = begun_in_a_thread(path, failures)
    opening.join(0.1)  # long enough to be refused
    writer.execute("ROLLBACK")
    writer.close()
    opening.join()
    assert failures == []


def test_lists_and_last_runs_do_not_read_the_whole_history(path: Path) -> None:
    store = opened(path)
    names = [
        "runs",
        "runs_of_key",
        "runs_beginning",
        "runs_onward",
        "failed_runs",
        "failed_runs_of_key",
        "ended_at",
        "last_runs",
        "deeds",
    ]
    for statement in (*names, "due_mail", "claims_of_others"):
        query = QUERIES[statement]
        parameters = dict.fromkeys(re.findall(r":(\w+)", query), 1) or ("",) * query.count("?")
        plan = " / ".join(row[3] for row in store._file._db.execute("EXPLAIN QUERY PLAN " + query, parameters))
        assert "TEMP B-TREE" not in plan, plan
        scans = [step for step in plan.split(" / ") if step.startswith("SCAN")]
        assert all(
            step
            in (
                "SCAN runs",
                "SCAN deeds",
                "SCAN last",
                "SCAN CONSTANT ROW",
                "SCAN runs USING COVERING INDEX runs_by_key",
            )
            for step in scans
        ), plan
    store.close()
