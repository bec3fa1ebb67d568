"""The last runs, kept once somebody has asked."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gavo_exec.events import RunFinished
from gavo_exec.runtime.lastruns import LastRuns
from gavo_exec.services.store import SQLiteStore
from gavo_exec.testing import make_execute, make_request, make_run


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[SQLiteStore]:
    store = SQLiteStore(path, holder="us", is_alive=lambda _: True)
    yield store
    store.close()


def ended(store: SQLiteStore, run_id: str, key: str = "test/q#job") -> RunFinished:
    """The event of a run that is recorded."""
    request = make_request(make_execute(key), run_id=run_id)
    event = RunFinished(run=make_run(request), request=request)
    store.record(event.run)
    store.flush()
    return event


def ids(last_runs: LastRuns) -> dict[str, str]:
    return {key: run.run_id for key, run in last_runs.all().items()}


def test_what_ends_is_noted_without_reading_all_again(store: SQLiteStore) -> None:
    last_runs = LastRuns(store)
    ended(store, "r1")
    assert ids(last_runs) == {"test/q#job": "r1"}
    asked: list[str] = []
    store._file._db.set_trace_callback(asked.append)
    last_runs(ended(store, "r2"))
    last_runs(ended(store, "r3", "test/q#other"))
    assert ids(last_runs) == {"test/q#job": "r2", "test/q#other": "r3"}
    store._file._db.set_trace_callback(None)
    assert not any("RECURSIVE" in statement for statement in asked)


def test_what_another_process_records_is_seen(store: SQLiteStore, path: Path) -> None:
    last_runs = LastRuns(store)
    last_runs(ended(store, "r1"))
    assert ids(last_runs) == {"test/q#job": "r1"}
    theirs = SQLiteStore(path, holder="them", is_alive=lambda _: True)
    ended(theirs, "r2")
    theirs.close()
    assert ids(last_runs) == {"test/q#job": "r2"}


def test_nothing_is_kept_before_somebody_asks(store: SQLiteStore) -> None:
    last_runs = LastRuns(store)
    last_runs(ended(store, "r1"))
    assert last_runs._known is None
