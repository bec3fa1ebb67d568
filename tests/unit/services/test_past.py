"""The store, looking back: runs by time and failure, the code that ran, who did what, pauses."""

from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from msgspec import structs

from gavo_exec.control import Pause
from gavo_exec.events import (
    DaemonStarted,
    DaemonStopping,
    DescriptorAccepted,
    DescriptorRemoved,
    Event,
    OperatorActed,
    PauseBegan,
    PauseEnded,
    RunFinished,
)
from gavo_exec.model import Outcome, Run
from gavo_exec.past import DayOfRuns, Lines, PastExecute, packed_version, unpacked_version
from gavo_exec.services.history import HistoryListener
from gavo_exec.services.store import SQLiteStore
from gavo_exec.testing import EPOCH, FakeClock, make_execute, make_rd, make_request, make_run

MINUTE = timedelta(minutes=1)


@pytest.fixture
def store() -> Iterator[SQLiteStore]:
    store = SQLiteStore(":memory:", holder="us", is_alive=lambda _: True)
    yield store
    store.close()


def a_run(number: int, *, key: str = "a/q#x", outcome: Outcome = Outcome.SUCCEEDED, minutes: float = 0.5) -> Run:
    begun = EPOCH + number * MINUTE
    return Run(
        run_id=f"r{number:03}",
        key=key,
        title="X",
        due=begun,
        started_at=begun,
        finished_at=begun + minutes * MINUTE,
        outcome=outcome,
        output=f"output {number}",
    )


def ids(runs: list[Run]) -> list[str]:
    return [run.run_id for run in runs]


# Runs


def test_runs_are_found_by_failure_key_and_time(store: SQLiteStore) -> None:
    for number in range(200):
        outcome = Outcome.FAILED if number in {3, 150} else Outcome.SUCCEEDED
        store.record(a_run(number, key="b/q#y" if number % 2 else "a/q#x", outcome=outcome))
    store.flush()
    assert ids(store.runs(limit=2)) == ["r199", "r198"]
    assert ids(store.runs(failed=True)) == ["r150", "r003"]
    assert ids(store.runs("b/q#y", failed=True)) == ["r003"]
    assert ids(store.runs(failed=True, limit=1)) == ["r150"]
    assert ids(store.runs(since=EPOCH + 197 * MINUTE)) == ["r199", "r198", "r197"]
    assert ids(store.runs(until=EPOCH + 3 * MINUTE)) == ["r002", "r001", "r000"]
    assert ids(store.runs("a/q#x", since=EPOCH + 10 * MINUTE, until=EPOCH + 14 * MINUTE)) == ["r012", "r010"]
    assert store.runs("c/q#z", failed=True) == []


def test_a_long_run_is_found_by_when_it_began(store: SQLiteStore) -> None:
    store.record(a_run(5))
    store.record(a_run(0, minutes=7 * 24 * 60))
    store.flush()
    assert ids(store.runs(until=EPOCH + MINUTE)) == ["r000"]
    assert ids(store.runs(since=EPOCH + MINUTE)) == ["r005"]


def test_of_a_long_history_only_the_end_is_looked_at(store: SQLiteStore) -> None:
    for day in range(60):
        store.record(structs.replace(a_run(day), run_id=f"d{day}", **at(day)))
    store.flush()
    looked_at: list[str] = []
    store._file._db.set_trace_callback(looked_at.append)
    assert ids(store.runs(since=EPOCH + timedelta(days=58))) == ["d59", "d58"]
    store._file._db.set_trace_callback(None)
    assert len(looked_at) <= 10
    assert "BETWEEN 58 AND" in looked_at[-1]


def at(day: int) -> dict[str, object]:
    begun = EPOCH + timedelta(days=day)
    return {"due": begun, "started_at": begun, "finished_at": begun + MINUTE}


def test_what_goes_on_is_among_the_runs_but_not_among_the_failed(store: SQLiteStore) -> None:
    store.claim([make_request(run_id="r9")], now=EPOCH)
    assert ids(store.runs()) == ids(store.runs(since=EPOCH)) == ["r9"]
    assert store.runs(failed=True) == store.runs(since=EPOCH + MINUTE) == []


def test_all_runs_are_told_onward_with_their_output(store: SQLiteStore) -> None:
    for number in range(450):
        store.record(a_run(number, key="b/q#y" if number % 2 else "a/q#x"))
    store.flush()
    told = list(store.runs_onward())
    assert [run.run_id for run in told] == [f"r{number:03}" for number in range(450)]
    assert told[7].output == "output 7"
    some = store.runs_onward("a/q#x", since=EPOCH + 10 * MINUTE, until=EPOCH + 14 * MINUTE)
    assert [run.run_id for run in some] == ["r010", "r012"]


# The code that ran

RD = make_rd(make_execute(code="one()\ntwo()", line=12))


def test_the_code_of_each_version_that_ran_is_known_afterwards(store: SQLiteStore) -> None:
    listener = HistoryListener(store, FakeClock())
    request = make_request()
    new = make_request(make_execute(code="three()", line=20), run_id="run-2")
    new = structs.replace(new, rd=structs.replace(new.rd, digest="another"))
    for each in (request, structs.replace(request, run_id="run-1b"), new):
        run = structs.replace(make_run(each), digest=each.rd.digest)
        listener(RunFinished(run=run, request=each))
    store.flush()
    first, second = store.run("run-1"), store.run("run-2")
    assert first is not None
    assert second is not None
    then = store.code_of(first)
    assert then == PastExecute(
        title="a job",
        schedule="every 1 h",
        code=(Lines(path="/inputs/test/q.rd", lines=((1, "pass"),)),),
    )
    now = store.code_of(second)
    assert now is not None
    assert now.code == (Lines(path="/inputs/test/q.rd", lines=((20, "three()"),)),)
    assert store.code_of(structs.replace(first, digest="unknown")) is None
    assert store.code_of(structs.replace(first, key="test/q#gone")) is None


def test_any_text_can_be_code() -> None:
    rd = make_rd(make_execute(code="x = '\udcff\0'", line=3))
    version = unpacked_version(packed_version(rd))
    assert version["test/q#job"].code[0].lines == ((3, "x = '\\udcff\0'"),)


@pytest.mark.parametrize("damaged", [b"", b"nonsense", packed_version(RD)[:-5]])
def test_damaged_code_is_no_code(damaged: bytes) -> None:
    assert unpacked_version(damaged) == {}


# Who did what


def told(store: SQLiteStore, *events: Event, clock: FakeClock | None = None) -> list[tuple[str, str, str, str]]:
    listener = HistoryListener(store, clock or FakeClock())
    for event in events:
        listener(event)
    store.flush()
    return [(deed.who, deed.what, deed.about, deed.detail) for deed in reversed(store.deeds())]


def test_what_operators_do_is_noted(store: SQLiteStore) -> None:
    pause = Pause(key="a/q#x", since=EPOCH, until=EPOCH + MINUTE, note="the disk moves", who="jo")
    assert told(
        store,
        DaemonStarted(inputs_dir="/in", state_dir="/st", executes=3, at=EPOCH),
        OperatorActed(who="jo", what="triggered", about="a/q#x", detail="run r1", at=EPOCH),
        PauseBegan(pause=pause),
        PauseEnded(pause=pause, at=EPOCH + MINUTE),
        PauseEnded(pause=pause, at=EPOCH + MINUTE, who="al"),
        DaemonStopping(reason="SIGTERM", running=0, at=EPOCH),
    ) == [
        ("", "started", "", "3 jobs from /in"),
        ("jo", "triggered", "a/q#x", "run r1"),
        ("jo", "paused", "a/q#x", "until 2026-01-01 00:01:00 UTC: the disk moves"),
        ("", "resumed", "a/q#x", "its time was over"),
        ("al", "resumed", "a/q#x", ""),
        ("", "stopped", "", "SIGTERM"),
    ]


def accepted(digest: str, path: str = "/nowhere/a/q.rd") -> DescriptorAccepted:
    return DescriptorAccepted(rd_id="a/q", path=path, executes=1, digest=digest)


def test_an_edit_is_another_version_than_the_last_also_over_restarts(store: SQLiteStore, tmp_path: Path) -> None:
    path = tmp_path / "q.rd"
    path.write_text("x")
    assert [deed[1] for deed in told(store, accepted("1"), accepted("1"))] == ["added"]
    assert [deed[1] for deed in told(store, accepted("1"))] == ["added"]  # a restart
    (_, (who, what, about, detail)) = told(store, accepted("2", str(path)))
    assert (who, what, about) == (path.owner(), "edited", "a/q")
    assert detail.startswith("the file is of 20")
    removed = DescriptorRemoved(rd_id="a/q")
    assert [deed[1] for deed in told(store, removed, removed, accepted("2"))] == ["added", "edited", "removed", "added"]


def test_deeds_are_found_by_what_they_are_about_and_by_time(store: SQLiteStore) -> None:
    for minute, about in enumerate(["a/q", "a/q#x", "a/q#y", "b/q#x", ""]):
        told(store, OperatorActed(who="jo", what="did", about=about, at=EPOCH + minute * MINUTE))
    assert [deed.about for deed in store.deeds("a/q#x")] == ["a/q#x", "a/q"]
    assert [deed.about for deed in store.deeds("a/q")] == ["a/q"]
    assert [deed.about for deed in store.deeds(since=EPOCH + 3 * MINUTE)] == ["", "b/q#x"]
    assert [deed.about for deed in store.deeds(limit=1)] == [""]


# Pauses


def test_pauses_are_kept_until_they_are_over(store: SQLiteStore) -> None:
    one = Pause(key="a/q#x", since=EPOCH, until=EPOCH + MINUTE, note="Grüße \udcff", who="jo")
    both = Pause(key="", since=EPOCH, who="al")
    told(store, PauseBegan(pause=one), PauseBegan(pause=both))
    assert store.pauses() == [both, one]
    later = structs.replace(one, since=EPOCH + MINUTE)
    told(store, PauseBegan(pause=later), PauseEnded(pause=one, at=EPOCH + MINUTE))
    assert store.pauses() == [both, later]  # what has taken its place stays
    told(store, PauseEnded(pause=later, at=EPOCH), PauseEnded(pause=both, at=EPOCH))
    assert store.pauses() == []


# For those who look: days, durations, what waits


def test_days_tell_how_the_last_run_ended_and_what_went_wrong(store: SQLiteStore) -> None:
    day = timedelta(days=1)
    until = EPOCH + 30 * day
    for number, (ago, outcome) in enumerate(
        [(5.5, Outcome.FAILED), (2.4, Outcome.FAILED), (2.3, Outcome.SUCCEEDED), (0.5, Outcome.MISSED)]
    ):
        at = until - ago * day
        store.record(
            Run(run_id=f"r{number}", key="a/q#x", title="X", due=at, started_at=at, finished_at=at, outcome=outcome)
        )
    store.flush()
    days = store.days(["a/q#x", "never/was#x"], until=until, count=4)
    assert days["never/was#x"] == (None,) * 4
    assert days["a/q#x"] == (
        DayOfRuns(outcome=Outcome.MISSED, bad=0),
        None,
        DayOfRuns(outcome=Outcome.SUCCEEDED, bad=1),
        None,
    )


def test_days_of_nothing(store: SQLiteStore) -> None:
    assert store.days(["a/q#x"], until=EPOCH, count=30) == {"a/q#x": (None,) * 30}


def test_what_ended_after_the_last_day_is_of_the_last_day(store: SQLiteStore) -> None:
    store.record(a_run(10))
    store.flush()
    assert store.days(["a/q#x"], until=EPOCH, count=1) == {"a/q#x": (DayOfRuns(outcome=Outcome.SUCCEEDED, bad=0),)}


def test_how_long_runs_took_is_of_those_that_did_well(store: SQLiteStore) -> None:
    store.record(a_run(1, minutes=1))
    store.record(a_run(2, minutes=2, outcome=Outcome.FAILED))
    store.record(a_run(3, minutes=3))
    store.record(a_run(4, key="a/q#y"))
    store.flush()
    assert store.took("a/q#x", limit=10) == [180.0, 60.0]
    assert store.took("a/q#x", limit=1) == [180.0]


def test_since_when_mail_waits(store: SQLiteStore) -> None:
    assert store.oldest_undelivered_at() is None
    for minute in (2, 1):
        store.put_mail(EmailMessage(), now=EPOCH + minute * MINUTE)
    store.flush()
    assert store.oldest_undelivered_at() == EPOCH + MINUTE
    first, second = store.mails()
    store.mail_delivered(first.mail_id, now=EPOCH)
    store.mail_failed(second.mail_id, error="no", retry_at=None, now=EPOCH)
    assert store.oldest_undelivered_at() is None
