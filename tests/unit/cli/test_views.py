"""What there is to show, from RDs and state."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from gavo_exec.catalog import Catalog
from gavo_exec.cli.views import (
    PlannedJob,
    State,
    broken_rds,
    coming_dues,
    declared_executes,
    mail_state,
    outcome_words,
    planned_jobs,
    statuses,
)
from gavo_exec.errors import Diagnostic, Position, Severity
from gavo_exec.model import (
    DEFAULT_POLICY,
    Execute,
    HeldBack,
    Job,
    LastStart,
    Limit,
    Missed,
    Outcome,
    Overlap,
    Policy,
    QueuedMail,
    Rejection,
    ResourceDescriptor,
    Run,
)
from gavo_exec.policywords import policy_words
from gavo_exec.schedule import At, Every, Loaded, parse_at
from gavo_exec.services.store import SQLiteStore
from gavo_exec.testing import make_execute

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def execute(key: str, schedule: At | Every) -> Execute:
    return Execute(key=key, title=f"Title of {key}", schedule=schedule, job=Job(source="pass"))


def rd(rd_id: str, *executes: Execute) -> ResourceDescriptor:
    path = f"/in/{rd_id}.rd"
    return ResourceDescriptor(rd_id=rd_id, path=path, inputs_dir="/in", resdir="/in", executes=executes)


def fault(line: int, severity: Severity = Severity.ERROR) -> Diagnostic:
    position = Position(path="/in/bad.rd", line=line, column=3)
    return Diagnostic(code="E202", message="no such attribute", position=position, severity=severity)


def rejection(*faults: Diagnostic) -> Rejection:
    return Rejection(rd_id="bad", path="/in/bad.rd", digest="x", rejected_at=NOON, diagnostics=faults)


def run(number: int, outcome: Outcome | None = Outcome.SUCCEEDED, key: str = "a/q#x") -> Run:
    return Run(
        run_id=f"r{number:03}",
        key=key,
        title="T",
        due=NOON,
        started_at=NOON,
        finished_at=None if outcome is None else NOON + timedelta(seconds=number),
        outcome=outcome,
        output="much",
        error="why",
    )


@pytest.fixture
def store() -> Iterator[SQLiteStore]:
    with closing(SQLiteStore(":memory:", holder="here 1 0", is_alive=lambda _: True)) as opened:
        yield opened


def test_the_next_due_comes_first_and_ties_go_by_key() -> None:
    good = rd("a/q", execute("a/q#z", parse_at("13:00")), execute("a/q#b", parse_at("13:00")))
    catalog = Catalog().accept(good, rd("b/q", execute("b/q#x", Every(seconds=36_000))))
    state = State(last_starts={"b/q#x": LastStart(at=NOON - 9.5 * HOUR)}, last_runs={"a/q#z": run(1, key="a/q#z")})
    found = statuses(planned_jobs(catalog, state), state, NOON)
    assert [(job.key, job.due) for job in found] == [
        ("b/q#x", NOON + 0.5 * HOUR),
        ("a/q#b", NOON + HOUR),
        ("a/q#z", NOON + HOUR),
    ]
    assert [job.schedule for job in found] == ["every 10 h", "at 13:00 UTC", "at 13:00 UTC"]
    assert found[2].last_run == run(1, key="a/q#z")
    assert found[0].title == "Title of b/q#x"


def test_a_running_job_says_since_when() -> None:
    state = State(running={"a/q#x": run(1, None)})
    job = execute("a/q#x", Every(seconds=1))
    [status] = statuses([PlannedJob.of(rd("a/q", job), job)], state, NOON)
    assert status.running_since == NOON
    assert (status.running_since, status.run_id) == (NOON, "r001")


def test_jobs_of_a_broken_rd_that_run_on_are_held_back() -> None:
    held = (
        HeldBack(key="bad#at", title="A", at=("13:00", "w1 7:30")),
        HeldBack(key="bad#every", title="E", every=-3600),
    )
    state = State(rejections={"bad": (rejection(fault(1)), held)})
    jobs = planned_jobs(Catalog().reject(rejection(fault(1))), state)
    assert [(job.key, job.schedule.describe(), job.held_back) for job in jobs] == [
        ("bad#at", "at 13:00, Mondays 7:30 UTC", True),
        ("bad#every", "every 1 h, at once when first loaded", True),
    ]
    assert statuses(jobs, state, NOON)[0].held_back


def test_what_was_held_back_counts_no_more_once_the_rd_is_mended_or_gone() -> None:
    state = State(rejections={"bad": (rejection(fault(1)), (HeldBack(key="bad#x", title="", every=60),))})
    mended = Catalog().accept(rd("bad", execute("bad#y", Every(seconds=60))))
    assert [job.key for job in planned_jobs(mended, state)] == ["bad#y"]
    assert planned_jobs(Catalog(), state) == []


def test_broken_rds_are_told_by_their_first_error() -> None:
    two = Catalog().reject(rejection(fault(2, Severity.WARNING), fault(5), fault(9)))
    one = Catalog().reject(rejection(fault(5)))
    assert broken_rds(two) == ["/in/bad.rd:5:3: E202 no such attribute (and 1 more)"]
    assert broken_rds(one) == ["/in/bad.rd:5:3: E202 no such attribute"]


def test_coming_dues_of_several_jobs_are_in_order_of_time() -> None:
    jobs = [
        PlannedJob(key="b#y", title="Y", schedule=Every(seconds=7200), path=""),
        PlannedJob(key="a#x", title="X", schedule=Every(seconds=3600), path=""),
    ]
    state = State(last_starts={"a#x": LastStart(at=NOON), "b#y": LastStart(at=NOON)})
    found = coming_dues(jobs, state, start=NOON, count=2)
    assert [(item.due - NOON, item.key, item.title) for item in found] == [
        (HOUR, "a#x", "X"),
        (2 * HOUR, "a#x", "X"),
        (2 * HOUR, "b#y", "Y"),
        (4 * HOUR, "b#y", "Y"),
    ]


def test_what_runs_when_its_rd_is_loaded_is_due_at_no_instant() -> None:
    loaded = make_execute("a/q#z", schedule=Loaded())
    catalog = Catalog().accept(rd("a/q", loaded, execute("a/q#x", Every(seconds=3600))))
    found = statuses(planned_jobs(catalog, State()), State(), NOON)
    assert [(job.key, job.due is None, job.schedule) for job in found] == [
        ("a/q#x", False, "every 1 h"),
        ("a/q#z", True, "when loaded"),
    ]


def test_a_daemon_that_starts_runs_it_once_and_before_all_else() -> None:
    loaded, other = make_execute("a/q#z", schedule=Loaded()), execute("a/q#x", Every(seconds=60, immediately=True))
    jobs = planned_jobs(Catalog().accept(rd("a/q", loaded, other)), State())
    found = coming_dues(jobs, State(), start=NOON, count=2)
    assert [(item.key, item.due - NOON) for item in found] == [
        ("a/q#z", timedelta()),
        ("a/q#x", timedelta()),
        ("a/q#x", timedelta(minutes=1)),
    ]


def test_what_is_held_back_may_run_when_loaded() -> None:
    state = State(rejections={"bad": (rejection(fault(1)), (HeldBack(key="bad#x", title="", on="loaded"),))})
    [job] = planned_jobs(Catalog().reject(rejection(fault(1))), state)
    assert (job.schedule, job.held_back, job.path) == (Loaded(), True, "/in/bad.rd")


def test_executes_are_told_by_rd_and_in_the_order_of_the_file() -> None:
    a = rd("a/q", execute("a/q#z", Every(seconds=1)), execute("a/q#b", Every(seconds=1)))
    catalog = Catalog().accept(rd("b/q", execute("b/q#x", Every(seconds=1))), a)
    assert [execute.key for _, execute in declared_executes(catalog)] == ["a/q#z", "a/q#b", "b/q#x"]


def test_the_state_is_read_from_the_store(store: SQLiteStore) -> None:
    store.record(run(1))
    store.put_rejection(rejection(fault(1)), [])
    store.flush()
    state = State.of(store)
    assert state.last_runs["a/q#x"].run_id == "r001"
    assert state.rejections == {"bad": (rejection(fault(1)), ())}
    assert (state.running, state.last_starts) == ({}, {})


def test_outcomes_are_words() -> None:
    assert [outcome_words(run(1, outcome)) for outcome in (None, Outcome.TIMED_OUT)] == ["running", "timed out"]


@pytest.mark.parametrize(
    ("mail", "word"),
    [
        (QueuedMail(mail_id=1, subject="", content=b"", queued_at=NOON), "waiting"),
        (QueuedMail(mail_id=1, subject="", content=b"", queued_at=NOON, attempts=1), "retrying"),
        (QueuedMail(mail_id=1, subject="", content=b"", queued_at=NOON, failed_at=NOON), "given up"),
        (QueuedMail(mail_id=1, subject="", content=b"", queued_at=NOON, attempts=1, delivered_at=NOON), "delivered"),
    ],
)
def test_what_became_of_a_mail(mail: QueuedMail, word: str) -> None:
    assert mail_state(mail) == word


def test_code_has_the_line_numbers_of_its_file() -> None:
    assert list(Job(source="a\nb\n", first_line=7).numbered()) == [(7, "a"), (8, "b")]
    assert list(Job(source="a\nb\nc", first_line=7, lines=(3, 9)).numbered()) == [(3, "a"), (9, "b"), (9, "c")]


def test_of_a_policy_is_shown_what_is_out_of_the_ordinary() -> None:
    assert policy_words(DEFAULT_POLICY) == []
    assert policy_words(Policy(reminders=())) == [("mail.remind", "never")]
    policy = Policy(
        missed=Missed.SKIP,
        grace=timedelta(seconds=60),
        files="/in/*",
        settle=timedelta(0),
        timeout=timedelta(minutes=90),
        overlap=Overlap.QUEUE,
        retries=3,
        retry_delay=timedelta(seconds=0.5),
        is_isolated=True,
        limit=Limit(name="archive", at_most=2),
        priority=-5,
        workdir="/in/work",
        env=(("A", "1"), ("B", "2")),
        niceness=0,
        memory_bytes=500 << 20,
        mail_to=("a@x.org", "b@x.org"),
        mail_after=3,
        reminders=(HOUR, 24 * HOUR),
        ping="https://jo:secret@hc.org/secret",
        shows_locals=True,
    )
    assert policy_words(policy) == [
        ("when.missed", "skip"),
        ("when.grace", "1 min"),
        ("when.files", "/in/*"),
        ("when.settle", "0 s"),
        ("run.timeout", "1 h 30 min"),
        ("run.overlap", "queue"),
        ("run.retries", "3"),
        ("run.retryDelay", "0.5 s"),
        ("run.isolate", "process"),
        ("run.limit", "archive 2"),
        ("run.priority", "-5"),
        ("run.workdir", "/in/work"),
        ("run.env.A", "1"),
        ("run.env.B", "2"),
        ("run.niceness", "0"),
        ("run.memory", "500M"),
        ("mail.to", "a@x.org, b@x.org"),
        ("mail.after", "3"),
        ("mail.remind", "1 h, 1 d"),
        ("mail.locals", "yes"),
        ("mail.ping", "https://hc.org/..."),
    ]


@pytest.mark.parametrize(
    ("size", "words"), [(1 << 30, "1G"), (1 << 50, "1024T"), (20_000_000, "20000000"), (1536, "1536")]
)
def test_sizes_are_shown_in_the_largest_unit_that_fits(size: int, words: str) -> None:
    assert policy_words(Policy(memory_bytes=size)) == [("run.memory", words)]
