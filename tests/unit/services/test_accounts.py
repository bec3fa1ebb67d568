"""What the store keeps so that each due instant is accounted for once: last starts, rows left out, retries, files."""

import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from msgspec import structs

from gavo_exec.events import RunFinished
from gavo_exec.model import LastStart, NewFile, Outcome, Policy, Reason, Retry, retry_of
from gavo_exec.runtime.turns import left_out_run
from gavo_exec.services.history import HistoryListener
from gavo_exec.services.store import SQLiteStore
from gavo_exec.testing import EPOCH, FakeClock, make_execute, make_request, make_run, starts_of

KEY = "test/q#job"
HOUR = timedelta(hours=1)
RETRYING = make_execute(policy=Policy(retries=3))
FILES = (NewFile(path="/data/a.fits", size=7, mtime_ns=10**18 + 1), NewFile(path="/data/b\udcff\n", size=0, mtime_ns=0))


@pytest.fixture
def store() -> Iterator[SQLiteStore]:
    store = SQLiteStore(":memory:", holder="us", is_alive=lambda _: True)
    yield store
    store.close()


def reopened(path: Path) -> SQLiteStore:
    return SQLiteStore(path, holder="us", is_alive=lambda _: True)


def test_last_starts_have_the_words_of_their_schedules_and_claims_move_them_alone(store: SQLiteStore) -> None:
    store.note_starts({KEY: LastStart(at=EPOCH, schedule="at 7:30 UTC")})
    store.claim([make_request(due=EPOCH + HOUR)], now=EPOCH)
    assert store.last_starts() == {KEY: LastStart(at=EPOCH + HOUR, schedule="at 7:30 UTC")}


def test_what_is_left_out_is_recorded_and_accounted_for_with_the_claim_at_once(store: SQLiteStore) -> None:
    store.note_starts({KEY: LastStart(at=EPOCH)})
    requests = [make_request(run_id=f"m{hour}", due=EPOCH + hour * HOUR) for hour in (1, 2)]
    missed = [(request, left_out_run(request, Outcome.MISSED, cause="x", now=EPOCH)) for request in requests]
    assert store.claim([], now=EPOCH, left_out=missed) == {}
    assert [run.run_id for run in store.runs()] == ["m2", "m1"]
    assert starts_of(store) == {KEY: EPOCH + 2 * HOUR}


def test_what_is_accounted_for_never_goes_back(store: SQLiteStore) -> None:
    store.note_starts({KEY: LastStart(at=EPOCH + 5 * HOUR)})
    late = left_out_run(make_request(due=EPOCH + HOUR), Outcome.SKIPPED, cause="x", now=EPOCH)
    store.record(late)
    store.flush()
    store.claim([], now=EPOCH, accounted={KEY: EPOCH + 2 * HOUR})
    assert starts_of(store) == {KEY: EPOCH + 5 * HOUR}
    store.claim([], now=EPOCH, accounted={KEY: EPOCH + 6 * HOUR})
    assert starts_of(store) == {KEY: EPOCH + 6 * HOUR}


@pytest.mark.parametrize(
    ("outcome", "reason", "moves"),
    [
        (Outcome.SKIPPED, Reason.SCHEDULED, True),
        (Outcome.MISSED, Reason.CATCH_UP, True),
        (Outcome.SKIPPED, Reason.TRIGGERED, False),
        (Outcome.FAILED, Reason.SCHEDULED, False),
    ],
)
def test_a_record_of_what_was_due_and_left_out_accounts_for_its_instant(
    store: SQLiteStore, outcome: Outcome, reason: Reason, *, moves: bool
) -> None:
    store.note_starts({KEY: LastStart(at=EPOCH)})
    store.record(structs.replace(make_run(make_request(due=EPOCH + HOUR), outcome), reason=reason))
    store.flush()
    assert starts_of(store) == {KEY: EPOCH + HOUR if moves else EPOCH}


def test_what_begins_is_noted_before_what_is_left_out_of_it(store: SQLiteStore) -> None:
    request = make_request(due=EPOCH + HOUR)
    missed = left_out_run(request, Outcome.MISSED, cause="x", now=EPOCH)
    store.claim([], now=EPOCH, begun={KEY: LastStart(at=EPOCH, schedule="every 1 h")}, left_out=[(request, missed)])
    assert store.last_starts() == {KEY: LastStart(at=EPOCH + HOUR, schedule="every 1 h")}


def test_how_many_instants_a_row_stands_for_is_kept(store: SQLiteStore) -> None:
    store.record(left_out_run(make_request(), Outcome.MISSED, cause="x", now=EPOCH, instants=999))
    store.flush()
    [run] = store.runs()
    assert run.instants == 999


def test_a_retry_is_remembered_until_its_key_runs_again(tmp_path: Path) -> None:
    request = structs.replace(make_request(RETRYING), run_id="r1")
    run = make_run(request, Outcome.FAILED)
    retry = retry_of(request, run)
    assert retry is not None
    store = reopened(tmp_path / "state")
    store.claim([request], now=EPOCH)
    HistoryListener(store, FakeClock())(RunFinished(run=run, request=request))
    store.close()
    store = reopened(tmp_path / "state")
    assert store.retries() == {KEY: retry}
    store.claim([make_request(RETRYING, run_id="r2")], now=EPOCH)
    assert store.retries() == {}
    store.close()


def test_a_retry_that_a_later_run_has_overtaken_is_not_remembered(store: SQLiteStore) -> None:
    request = make_request(RETRYING, run_id="r1")
    store.claim([request], now=EPOCH)
    HistoryListener(store, FakeClock())(RunFinished(run=make_run(request, Outcome.FAILED), request=request))
    store.claim([make_request(RETRYING, run_id="r2", due=EPOCH + HOUR)], now=EPOCH)
    store.flush()
    assert store.retries() == {}


def test_a_refused_claim_leaves_the_retry() -> None:
    theirs = SQLiteStore(":memory:", holder="them", is_alive=lambda _: True)
    theirs.claim([make_request(RETRYING, run_id="r1")], now=EPOCH)
    theirs._holder = "us"
    theirs.put_retry("other", Retry(due=EPOCH, attempt=2, at=EPOCH))
    theirs.flush()
    theirs._retried.add(KEY)
    assert list(theirs.claim([make_request(RETRYING, run_id="r2")], now=EPOCH)) == ["r2"]
    assert list(theirs.retries()) == ["other"]
    theirs.close()


@pytest.mark.parametrize("outcome", [Outcome.SUCCEEDED, Outcome.FAILED])
def test_files_are_seen_once_a_run_has_succeeded_with_them(store: SQLiteStore, outcome: Outcome) -> None:
    request = structs.replace(make_request(), files=FILES)
    HistoryListener(store, FakeClock())(RunFinished(run=make_run(request, outcome), request=request))
    store.flush()
    assert store.seen(KEY) == (frozenset(FILES) if outcome is Outcome.SUCCEEDED else frozenset())


def test_a_file_that_changed_is_seen_as_it_is_now_and_gone_ones_can_be_forgotten(store: SQLiteStore) -> None:
    store.put_seen(KEY, FILES)
    store.put_seen("other/q#job", FILES)
    larger = structs.replace(FILES[0], size=8)
    store.put_seen(KEY, [larger])
    store.flush()
    assert store.seen(KEY) == {larger, FILES[1]}
    store.forget_seen(KEY, [FILES[1].path, "/never/seen"])
    assert store.seen(KEY) == {larger}
    assert store.seen("other/q#job") == frozenset(FILES)


FIRST = Path(__file__).parents[3] / "gavo_exec/services/store/schema.sql"


def test_a_file_of_the_first_version_is_brought_up_to_date_with_all_that_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "state"
    old = sqlite3.connect(path)
    old.executescript(FIRST.read_text(encoding="utf-8"))
    old.execute("PRAGMA user_version = 1")
    at = 1_700_000_000_000_000
    row = (7, "r1", "a#b", "t", at, "scheduled", 1, at, at, "failed", 3, "h", "d", "why", "output")
    old.execute(f"INSERT INTO runs VALUES ({', '.join('?' * len(row))})", row)
    old.execute("INSERT INTO last_starts VALUES ('a#b', ?)", (at,))
    old.commit()
    old.close()
    store = reopened(path)
    run = store.run("r1")
    assert run is not None
    assert (run.instants, run.error, run.output, run.returncode) == (1, "why", "output", 3)
    assert store.last_starts() == {"a#b": LastStart(at=datetime.fromisoformat("2023-11-14T22:13:20+00:00"))}
    store.close()
