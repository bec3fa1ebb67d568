"""A damaged state file: what is kept aside, and what is carried over."""

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from gavo_exec.control import Pause
from gavo_exec.errors import DamagedStateError, StoreError
from gavo_exec.model import LastStart, NewFile, Retry
from gavo_exec.services.store import SQLiteStore
from gavo_exec.services.store.damage import mend
from gavo_exec.testing import EPOCH, make_request, make_run

PAUSE = Pause(key="a/q#x", since=EPOCH, note="why", who="jo")


def opened(path: Path) -> SQLiteStore:
    return SQLiteStore(path, holder="us", is_alive=lambda _: True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A state with something in each of its tables, of which the page of runs is damaged."""
    path = tmp_path / "state.sqlite"
    store = opened(path)
    store.note_starts({"a/q#x": LastStart(at=EPOCH, schedule="every 1 h")})
    store.put_pause(PAUSE)
    store.put_retry("a/q#x", Retry(due=EPOCH, attempt=2, at=EPOCH + timedelta(minutes=1)))
    store.put_seen("a/q#x", [NewFile(path="/data/x", size=1, mtime_ns=1)])
    store.record(make_run(make_request()))
    store.close()
    damage(path, "runs")
    return path


def damage(path: Path, table: str) -> None:
    db = sqlite3.connect(path)
    [(page,)] = db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchall()
    [(size,)] = db.execute("PRAGMA page_size").fetchall()
    db.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xa5" * size)


def test_damage_is_found_by_a_look_at_the_whole(path: Path) -> None:
    store = opened(path)
    with pytest.raises(DamagedStateError, match="is damaged"):
        store.check()
    store.close()


def test_a_sound_file_is_sound(tmp_path: Path) -> None:
    store = opened(tmp_path / "state.sqlite")
    store.check()
    store.close()


def test_what_makes_jobs_run_when_they_should_is_carried_over(path: Path) -> None:
    said = mend(str(path), now=EPOCH)
    assert said == (
        f"The state file {path} was damaged; it is kept as state.sqlite.damaged-20260101T000000, and a fresh one is "
        "begun: when jobs ran last, pauses and incidents were carried over, the history is not in it. "
        "Look whether the disk is well"
    )
    store = opened(path)
    assert store.last_starts() == {"a/q#x": LastStart(at=EPOCH, schedule="every 1 h")}
    assert store.pauses() == [PAUSE]
    assert store.retries().keys() == {"a/q#x"}
    assert store.seen("a/q#x")
    assert store.runs() == []
    store.check()
    store.close()
    assert Path(f"{path}.damaged-20260101T000000").exists()


def test_of_what_is_no_database_nothing_is(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    path.write_text("no database\n" * 1000)
    assert "nothing of it could be read" in mend(str(path), now=EPOCH)
    opened(path).close()


def test_a_store_that_may_goes_on_with_a_fresh_file_and_says_so(path: Path) -> None:
    store = opened(path)
    said: list[str] = []
    store.on_damage = lambda damaged: mend(damaged, now=EPOCH)
    store.on_mended = said.append
    store.record(make_run(make_request(run_id="run-2")))
    store.flush()
    assert [run.run_id for run in store.runs()] == ["run-2"]
    assert len(said) == 1
    assert store.pauses() == [PAUSE]
    store.close()


def test_claims_go_on_too(path: Path) -> None:
    damage(path, "claims")
    store = opened(path)
    store.on_damage = lambda damaged: mend(damaged, now=EPOCH)
    assert store.claim([make_request()], now=EPOCH) == {}
    assert store.running().keys() == {"test/q#job"}
    store.close()


def test_one_that_may_not_says_what_is_wrong_and_leaves_all_as_it_is(path: Path) -> None:
    store = opened(path)
    store.record(make_run(make_request(run_id="run-2")))
    with pytest.raises(StoreError, match="is damaged; stop the daemon"):
        store.flush()
    store._pending.clear()
    store.close()
    assert [each.name for each in path.parent.iterdir()] == ["state.sqlite"]
