from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest

from gavo_exec.control import JobStatus
from gavo_exec.errors import Position
from gavo_exec.model import (
    Code,
    Execute,
    Job,
    Outcome,
    QueuedMail,
    Reason,
    Rejection,
    ResourceDescriptor,
    Run,
    RunRequest,
    rd_id_of,
)
from gavo_exec.rdfiles import rd_id_for
from gavo_exec.schedule import Every, parse_at

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CET = timezone(timedelta(hours=1))


def run(**fields: Any) -> Run:
    return Run(**{"run_id": "r1", "key": "ex/q#a", "title": "A", "due": NOON, **fields})


def rejection(**fields: Any) -> Rejection:
    return Rejection(
        **{"rd_id": "ex/q", "path": "/rds/ex/q.rd", "digest": "d", "rejected_at": NOON, "diagnostics": (), **fields}
    )


# Instants


@pytest.mark.parametrize(
    ("make", "name"),
    [(run, "due"), (run, "started_at"), (run, "finished_at"), (rejection, "rejected_at")],
)
@pytest.mark.parametrize("instant", [NOON.replace(tzinfo=None), NOON.astimezone(CET)], ids=["naive", "not UTC"])
def test_instants_that_are_not_utc_are_refused_by_name(
    make: Callable[..., object], name: str, instant: datetime
) -> None:
    with pytest.raises(ValueError, match=rf"^{name} must be an aware UTC instant, not datetime\.datetime\(2026"):
        make(**{name: instant})


def test_instants_read_from_json_are_held_to_the_same() -> None:
    text = msgspec.json.encode(run()).replace(b"2026-03-01T12:00:00Z", b"2026-03-01T12:00:00+01:00")
    with pytest.raises(msgspec.ValidationError, match="due must be an aware UTC instant"):
        msgspec.json.decode(text, type=Run)


@pytest.mark.parametrize(
    ("started_at", "finished_at", "seconds"),
    [
        (None, None, None),
        (NOON, None, None),
        (None, NOON, None),
        (NOON, NOON, 0),
        (NOON, NOON + timedelta(minutes=1, milliseconds=500), 60.5),
    ],
)
def test_a_run_lasts_from_its_start_to_its_end(
    started_at: datetime | None, finished_at: datetime | None, seconds: float | None
) -> None:
    assert run(started_at=started_at, finished_at=finished_at).duration_seconds == seconds


def test_a_run_survives_json() -> None:
    it = run(started_at=NOON, finished_at=NOON, outcome=Outcome.TIMED_OUT, reason=Reason.CATCH_UP, output="\x00ü")
    assert msgspec.json.decode(msgspec.json.encode(it), type=Run) == it


def test_what_is_not_said_of_a_run_is_the_usual() -> None:
    rd = ResourceDescriptor(rd_id="ex/q", path="/rds/ex/q.rd", inputs_dir="/rds", resdir="/rds/ex")
    request = RunRequest(run_id="r1", rd=rd, execute=execute(), due=NOON)
    status = JobStatus(key="ex/q#a", title="A", schedule="at 7:30 UTC", due=None)
    mail = QueuedMail(mail_id=1, subject="x", content=b"", queued_at=NOON)
    assert (request.attempt, request.reason) == (run().attempt, run().reason) == (1, Reason.SCHEDULED)
    assert (run().outcome, run().returncode, mail.attempts) == (None, None, 0)
    assert (status.paused, status.held_back, execute().debug) == (False, False, False)


# What is the same


def execute(**fields: Any) -> Execute:
    job = Job(source="print(1)", first_line=3, position=Position(path="/rds/ex/q.rd", line=3))
    return Execute(**{"key": "ex/q#a", "title": "A", "schedule": Every(seconds=60), "job": job, **fields})


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"position": Position(path="/rds/ex/q.rd", line=99)},
        {"job": Job(source="print(1)", first_line=99, position=Position(path="/elsewhere.rd", line=99))},
        {"job": Job(source="print(1)", lines=(9, 10, 17))},
        {"schedule": Every(seconds=60), "properties": {}},
    ],
)
def test_an_execute_that_only_moved_is_the_same(fields: dict[str, Any]) -> None:
    assert execute().is_same(execute(**fields))
    assert execute(**fields).is_same(execute())


@pytest.mark.parametrize(
    "fields",
    [
        {"key": "ex/q#b"},
        {"id": "a"},
        {"title": "B"},
        {"schedule": Every(seconds=61)},
        {"schedule": Every(seconds=60, immediately=True)},
        {"schedule": parse_at("0:01")},
        {"job": Job(source="print(2)")},
        {"job": Job(source="print(1)", setup=(Code(source="import os"),))},
        {"properties": {"when.missed": "run"}},
        {"properties": {"a": None}},
        {"debug": True},
    ],
)
def test_an_execute_with_any_other_difference_is_another(fields: dict[str, Any]) -> None:
    assert not execute().is_same(execute(**fields))
    assert not execute(**fields).is_same(execute())


def test_a_value_cannot_be_changed() -> None:
    with pytest.raises(AttributeError, match="immutable"):
        execute().title = "B"  # type: ignore[misc]  # that is the point


# How runs end


@pytest.mark.parametrize(
    ("outcome", "is_bad"),
    [
        (Outcome.SUCCEEDED, False),
        (Outcome.FAILED, True),
        (Outcome.TIMED_OUT, True),
        (Outcome.CANCELLED, False),
        (Outcome.SKIPPED, False),
        (Outcome.MISSED, False),
        (Outcome.INTERRUPTED, True),
    ],
)
def test_somebody_is_told_of_the_ends_nobody_wanted(outcome: Outcome, is_bad: bool) -> None:
    assert outcome.is_bad is is_bad


def test_outcomes_and_reasons_are_written_in_small_letters() -> None:
    assert {outcome.value for outcome in Outcome} == {outcome.name.lower() for outcome in Outcome}
    assert {reason.value for reason in Reason} == {reason.name.lower() for reason in Reason}


# Names


@pytest.mark.parametrize(
    ("path", "rd_id"),
    [
        ("/rds/q.rd", "q"),
        ("/rds/ex/q.rd", "ex/q"),
        ("/rds/ex/../ex/./q.rd", "ex/q"),
        ("/rds/a.b/q.v2.rd", "a.b/q.v2"),
        ("/rds/ex/q.rd.rd", "ex/q.rd"),
        ("/rds/ex/q", "ex/q"),
        ("/rds/a b/ü.rd", "a b/ü"),
    ],
)
@pytest.mark.parametrize("inputs_dir", ["/rds", "/rds/", "/rds/ex/.."])
def test_an_rd_is_called_by_its_path_below_the_resource_directory(path: str, rd_id: str, inputs_dir: str) -> None:
    assert rd_id_for(path, inputs_dir) == rd_id


@pytest.mark.parametrize(("key", "rd_id"), [("ex/q#a", "ex/q"), ("q#a.b", "q"), ("q", "q"), ("q#a#b", "q")])
def test_a_key_begins_with_the_rd_id(key: str, rd_id: str) -> None:
    assert rd_id_of(key) == rd_id
