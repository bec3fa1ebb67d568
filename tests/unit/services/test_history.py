from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from gavo_exec.events import DescriptorAccepted, DescriptorRejected, DescriptorRemoved, JobsReconciled, RunFinished
from gavo_exec.model import HeldBack, Outcome, Rejection, Run
from gavo_exec.services.history import HistoryListener
from gavo_exec.services.store import SQLiteStore
from gavo_exec.testing import FakeClock

NOW = datetime(2024, 5, 1, tzinfo=UTC)
RUN = Run(run_id="r1", key="weather/q#a", title="A", due=NOW, finished_at=NOW, outcome=Outcome.SKIPPED)


def rejected(rd_id: str) -> DescriptorRejected:
    rejection = Rejection(rd_id=rd_id, path=f"/{rd_id}.rd", digest="d", rejected_at=NOW, diagnostics=())
    return DescriptorRejected(rejection=rejection, held_back=(HeldBack(key=f"{rd_id}#a", title="A"),))


def recovered(rd_id: str) -> DescriptorAccepted:
    return DescriptorAccepted(rd_id=rd_id, path=f"/{rd_id}.rd", executes=1, recovered=True)


@pytest.fixture
def store() -> Iterator[SQLiteStore]:
    store = SQLiteStore(":memory:", holder="here 1 1", is_alive=lambda _: False)
    yield store
    store.close()


def test_finished_runs_become_rows(store: SQLiteStore) -> None:
    HistoryListener(store, FakeClock())(RunFinished(run=RUN))
    store.flush()
    assert store.runs() == [RUN]


def test_rejections_are_remembered_until_the_rd_is_good_or_gone(store: SQLiteStore) -> None:
    listener = HistoryListener(store, FakeClock())
    for rd_id in ("a", "b", "c"):
        listener(rejected(rd_id))
    store.flush()
    event = rejected("a")
    assert store.rejections()["a"] == (event.rejection, event.held_back)
    listener(recovered("a"))
    listener(DescriptorRemoved(rd_id="b"))
    store.flush()
    assert list(store.rejections()) == ["c"]


def test_other_events_leave_no_trace(store: SQLiteStore) -> None:
    HistoryListener(store, FakeClock())(JobsReconciled(added=("a",)))
    store.flush()
    assert store.runs() == []
    assert store.rejections() == {}
