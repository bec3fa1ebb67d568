"""The store against a model of a few dictionaries, in any order of steps; and its texts and instants there and back."""

from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gavo_exec.model import Execute, Job, Outcome, Reason, ResourceDescriptor, Run, RunRequest
from gavo_exec.schedule import Every
from gavo_exec.services.store import SQLiteStore
from gavo_exec.services.store.codec import instant, loaded, microseconds, stored
from gavo_exec.testing import end_cut_off, starts_of

START = datetime(2024, 5, 1, tzinfo=UTC)
TEXTS = st.text(st.characters(codec=None) | st.sampled_from("\0\x10\ud800\udfff0fx"))
KEYS = st.sampled_from(["a#1", "a#2", "b/q#caf\udce9"])
RD = ResourceDescriptor(rd_id="a", path="/a.rd", inputs_dir="/", resdir="/", digest="d")


@given(TEXTS)
def test_any_text_is_stored_as_clean_utf_8_and_loaded_as_it_was(text: str) -> None:
    [kept] = stored(text)
    assert b"\0" not in kept.encode("utf-8")
    assert loaded(kept) == text


@given(TEXTS, TEXTS)
def test_different_texts_are_stored_differently(one: str, other: str) -> None:
    assert (stored(one) == stored(other)) == (one == other)


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_instants_are_stored_exactly_and_in_order(one: datetime, other: datetime) -> None:
    assert instant(microseconds(one)) == one
    assert (microseconds(one) < microseconds(other)) == (one < other)


class StoreAgainstModel(RuleBasedStateMachine):
    """Claims, records, crashes and flushes; only what was flushed or claimed is known."""

    def __init__(self) -> None:
        super().__init__()
        self.alive = {"us 1 1"}
        self.store = SQLiteStore(":memory:", holder="us 1 1", is_alive=self.alive.__contains__)
        self.now = START
        self.count = 0
        self.claimed: dict[str, tuple[str, Run]] = {}  # by run id: holder and run
        self.ended: dict[str, Run] = {}  # by run id, in the order in which they ended first
        self.last: dict[str, str] = {}
        self.starts: dict[str, datetime] = {}
        self.pending: list[Run] = []
        self.mails: dict[int, bool] = {}

    def request(self, key: str, reason: Reason) -> RunRequest:
        self.count += 1
        self.now += timedelta(seconds=1)
        execute = Execute(key=key, title="t", schedule=Every(seconds=60), job=Job(source="pass"))
        return RunRequest(
            run_id=f"run{self.count:06}",
            rd=RD,
            execute=execute,
            due=self.now - timedelta(hours=1),
            counts_from=None if reason is Reason.TRIGGERED else self.now - timedelta(minutes=1),
            reason=reason,
        )

    @rule(asked=st.lists(st.tuples(KEYS, st.sampled_from(Reason)), max_size=4), us=st.booleans())
    def claim(self, asked: list[tuple[str, Reason]], *, us: bool) -> None:
        requests = [self.request(key, reason) for key, reason in asked]
        holder = self.store._holder = "us 1 1" if us else "them 2 2"
        refused = self.store.claim(requests, now=self.now)
        self.store._holder = "us 1 1"
        held = {run.key for other, run in self.claimed.values() if other != holder and other in self.alive}
        assert set(refused) == {request.run_id for request in requests if request.execute.key in held}
        for request in requests:
            if request.run_id in refused:
                continue
            run = Run(
                run_id=request.run_id,
                key=request.execute.key,
                title="t",
                due=request.due,
                reason=request.reason,
                started_at=self.now,
                host=holder.partition(" ")[0],
                digest="d",
            )
            self.claimed[run.run_id] = holder, run
            if request.counts_from is not None:
                self.starts[run.key] = request.counts_from

    @rule(data=st.data(), outcome=st.sampled_from(Outcome), output=TEXTS)
    def record(self, data: st.DataObject, outcome: Outcome, output: str) -> None:
        ours = [run for holder, run in self.claimed.values() if holder == "us 1 1"]
        if ours:
            run = data.draw(st.sampled_from(ours))
            run = msgspec.structs.replace(run, finished_at=self.now, outcome=outcome, output=output)
            self.store.record(run)
            self.pending.append(run)

    @rule(key=KEYS)
    def skip(self, key: str) -> None:
        request = self.request(key, Reason.SCHEDULED)
        run = Run(run_id=request.run_id, key=key, title="t", due=request.due, outcome=Outcome.SKIPPED)
        self.store.record(run)
        self.pending.append(run)

    @rule()
    def flush(self) -> None:
        self.store.flush()
        for run in self.pending:
            self.claimed.pop(run.run_id, None)
            self.end(run)
        self.pending.clear()

    def end(self, run: Run) -> None:
        self.ended[run.run_id] = run
        self.last[run.key] = max(
            (known.run_id for known in self.ended.values() if known.key == run.key), key=self.place
        )

    def place(self, run_id: str) -> int:
        return list(self.ended).index(run_id)

    @rule(alive=st.booleans())
    def the_others_come_or_go(self, *, alive: bool) -> None:
        self.alive.add("them 2 2") if alive else self.alive.discard("them 2 2")

    @rule()
    def interrupt(self) -> None:
        self.flush()  # which recording does, too
        gone = {run_id for run_id, (holder, _) in self.claimed.items() if holder not in self.alive}
        interrupted = end_cut_off(self.store, now=self.now)
        assert {run.run_id for run in interrupted} == gone
        for run in interrupted:
            assert (run.outcome, run.finished_at) == (Outcome.INTERRUPTED, self.now)
            del self.claimed[run.run_id]
            self.end(run)

    @invariant()
    def all_views_agree_with_the_model(self) -> None:
        assert starts_of(self.store) == self.starts
        going_on = [run for holder, run in self.claimed.values() if holder in self.alive]
        assert self.store.running() == {run.key: run for run in going_on}
        assert self.store.last_runs() == {
            key: msgspec.structs.replace(self.ended[run_id], output="") for key, run_id in self.last.items()
        }
        ids = [*reversed(self.claimed), *reversed(self.ended)]
        assert [run.run_id for run in self.store.runs(limit=10_000)] == ids
        for run in self.ended.values():
            assert self.store.run(run.run_id) == run

    def teardown(self) -> None:
        self.store.close()


TestStoreAgainstModel = StoreAgainstModel.TestCase
TestStoreAgainstModel.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
