"""The timetable: what a tick decides, and what edits do to it."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec import structs

from gavo_exec.catalog import Catalog
from gavo_exec.errors import NOWHERE, Position
from gavo_exec.model import Execute, LastStart, Outcome, Reason, Rejection
from gavo_exec.runtime.agenda import Agenda
from gavo_exec.schedule import Every, Loaded, Schedule, parse_at
from gavo_exec.testing import EPOCH, make_execute, make_rd, make_run, run_ids


def later(seconds: float) -> datetime:
    return EPOCH + timedelta(seconds=seconds)


def agenda_of(*executes: Execute, last_starts: dict[str, LastStart] | None = None) -> Agenda:
    agenda = Agenda(run_ids=run_ids(), last_starts=last_starts)
    agenda.reconcile(Catalog().accept(make_rd(*executes)), EPOCH)
    return agenda


def edit(agenda: Agenda, *executes: Execute, at: datetime) -> None:
    agenda.reconcile(Catalog().accept(make_rd(*executes)), at)


@pytest.mark.parametrize(
    ("schedule", "first_due"),
    [
        (Every(seconds=3600), later(360)),
        (Every(seconds=3600, immediately=True), EPOCH),
        (parse_at("7:30"), later(7.5 * 3600)),
        (parse_at("0:00"), later(86_400)),
        (parse_at("23:00, 7:30"), later(7.5 * 3600)),
    ],
)
def test_a_new_execute_is_due_as_its_schedule_says(schedule: Schedule, first_due: datetime) -> None:
    assert agenda_of(make_execute(schedule=schedule)).next_due() == first_due


def test_an_interval_counts_on_from_the_last_start_before_the_restart() -> None:
    agenda = agenda_of(
        make_execute(schedule=Every(seconds=3600)),
        last_starts={"test/q#job": LastStart(at=later(-600), schedule="every 1 h")},
    )
    assert agenda.next_due() == later(3000)


def test_an_interval_that_ended_during_the_downtime_is_due_at_once_and_once() -> None:
    agenda = agenda_of(
        make_execute(schedule=Every(seconds=3600)),
        last_starts={"test/q#job": LastStart(at=later(-36_000), schedule="every 1 h")},
    )
    assert agenda.next_due() == later(-32_400)
    (request,) = agenda.tick(later(1)).requests
    assert (request.due, request.counts_from, request.reason) == (EPOCH, later(1), Reason.CATCH_UP)
    assert agenda.next_due() == later(3601)


def test_the_first_run_of_an_interval_is_not_put_off_by_restarts() -> None:
    execute = make_execute(schedule=Every(seconds=86_400))
    agenda = agenda_of(execute)
    assert agenda.next_due() == later(8640)
    begun = agenda.take_begun()
    assert agenda.take_begun() == {}
    again = Agenda(run_ids=run_ids(), last_starts=begun)
    again.reconcile(Catalog().accept(make_rd(execute)), later(8000))
    assert again.next_due() == later(8640)
    assert again.take_begun() == {}


@pytest.mark.parametrize(
    ("schedule", "at"),
    [
        (Every(seconds=60, immediately=True), later(-60)),
        (Every(seconds=100), later(-90)),
        (parse_at("7:30"), EPOCH),
    ],
)
def test_what_a_new_execute_counts_from_is_remembered_with_its_schedule(schedule: Schedule, at: datetime) -> None:
    begun = agenda_of(make_execute(schedule=schedule)).take_begun()
    assert begun == {"test/q#job": LastStart(at=at, schedule=schedule.describe())}


def test_nothing_starts_before_it_is_due_and_everything_when_it_is() -> None:
    agenda = agenda_of(
        make_execute("test/q#a", schedule=Every(seconds=100)), make_execute("test/q#b", schedule=Every(seconds=50))
    )
    assert agenda.tick(later(4.9)).requests == []
    assert [request.execute.key for request in agenda.tick(later(10)).requests] == ["test/q#b", "test/q#a"]


def test_a_request_carries_the_due_instant_not_the_moment_it_was_noticed() -> None:
    (request,) = agenda_of(make_execute(schedule=parse_at("7:30"))).tick(later(27_000.8)).requests
    assert (request.due, request.counts_from, request.reason, request.run_id) == (
        datetime(2026, 1, 1, 7, 30, tzinfo=UTC),
        datetime(2026, 1, 1, 7, 30, tzinfo=UTC),
        Reason.SCHEDULED,
        "run-1",
    )


def test_intervals_do_not_drift_when_they_are_served_late() -> None:
    agenda = agenda_of(make_execute(schedule=Every(seconds=10, immediately=True)))
    dues = []
    for step in range(5):
        (request,) = agenda.tick(later(10 * step + 0.7)).requests
        dues.append(request.due)
        agenda.finish(make_run(request))
    assert dues == [later(10 * step) for step in range(5)]


def test_an_interval_that_fell_behind_begins_anew_and_does_not_run_in_bursts() -> None:
    agenda = agenda_of(make_execute(schedule=Every(seconds=10, immediately=True)))
    agenda.finish(make_run(agenda.tick(EPOCH).requests[0]))
    (request,) = agenda.tick(later(1003)).requests
    assert (request.due, request.counts_from) == (later(1000), later(1003))
    assert agenda.next_due() == later(1013)


def test_what_is_due_while_still_running_is_skipped_and_said() -> None:
    agenda = agenda_of(make_execute(schedule=Every(seconds=10, immediately=True)))
    (request,) = agenda.tick(EPOCH).requests
    decisions = agenda.tick(later(10))
    assert decisions.requests == []
    ((skipped, run),) = decisions.left_out
    assert (run.outcome, run.due, run.run_id) == (Outcome.SKIPPED, later(10), skipped.run_id)
    assert run.error == "still running since 2026-01-01 00:00:00 UTC (run run-1)"
    agenda.finish(make_run(request))
    assert len(agenda.tick(later(20)).requests) == 1


def test_only_the_run_that_holds_a_key_can_let_go_of_it() -> None:
    agenda = agenda_of(make_execute(schedule=Every(seconds=10, immediately=True)))
    (request,) = agenda.tick(EPOCH).requests
    agenda.finish(make_run(structs.replace(request, run_id="some other run")))
    assert agenda.tick(later(10)).requests == []


def test_an_edit_that_leaves_the_schedule_alone_leaves_the_due_instant_alone() -> None:
    agenda = agenda_of(make_execute(schedule=Every(seconds=100), code="old()"))
    edit(agenda, make_execute(schedule=Every(seconds=100), code="new()", title="another", line=99), at=later(9))
    assert agenda.next_due() == later(10)
    (request,) = agenda.tick(later(10)).requests
    assert request.execute.job.source == "new()"


def test_a_shorter_interval_begins_at_once_where_it_would_be_over_by_now() -> None:
    agenda = agenda_of(make_execute(schedule=Every(seconds=86_400)))
    edit(agenda, make_execute(schedule=Every(seconds=60)), at=later(10))
    assert agenda.next_due() == later(10)


def test_a_changed_interval_counts_from_the_last_start() -> None:
    agenda = agenda_of(make_execute(schedule=Every(seconds=100)))
    agenda.tick(later(10))
    edit(agenda, make_execute(schedule=Every(seconds=30)), at=later(20))
    assert agenda.next_due() == later(40)


def test_a_removed_execute_never_runs_again() -> None:
    agenda = agenda_of(make_execute())
    edit(agenda, at=later(1))
    assert agenda.next_due() is None
    assert agenda.tick(later(1_000_000)).requests == []


def test_a_key_keeps_its_guard_and_its_phase_while_its_execute_is_away() -> None:
    agenda = agenda_of(make_execute(schedule=Every(seconds=100, immediately=True)))
    (request,) = agenda.tick(EPOCH).requests
    edit(agenda, at=later(1))
    edit(agenda, make_execute(schedule=Every(seconds=100, immediately=True)), at=later(2))
    assert agenda.next_due() == later(100)
    assert agenda.tick(later(100)).requests == []
    agenda.finish(make_run(request))
    assert len(agenda.tick(later(200)).requests) == 1


def test_an_execute_that_comes_back_runs_once_per_due_instant() -> None:
    execute = make_execute(schedule=parse_at("7:30"))
    agenda = agenda_of(execute)
    for step in range(5):
        edit(agenda, at=later(step))
        edit(agenda, execute, at=later(step + 0.5))
    assert len(agenda.tick(later(27_000)).requests) == 1
    assert agenda.next_due() == later(27_000 + 86_400)


def test_a_broken_rd_keeps_its_jobs_and_they_are_shown_as_held_back() -> None:
    agenda = Agenda(run_ids=run_ids())
    catalog = Catalog().accept(make_rd(make_execute()))
    agenda.reconcile(catalog, EPOCH)
    broken = Rejection(rd_id="test/q", path="/inputs/test/q.rd", digest="x", rejected_at=EPOCH, diagnostics=())
    assert not agenda.reconcile(catalog.reject(broken), EPOCH)
    (status,) = agenda.statuses()
    assert (status.key, status.held_back, status.due, status.schedule) == ("test/q#job", True, later(360), "every 1 h")


def test_statuses_say_what_is_running_since_when() -> None:
    agenda = agenda_of(make_execute(schedule=Every(seconds=10, immediately=True)))
    assert agenda.statuses()[0].running_since is None
    agenda.tick(later(3))
    assert agenda.statuses()[0].running_since == later(3)
    assert agenda.running == 1


def test_a_move_within_the_file_is_no_change() -> None:
    execute = make_execute()
    agenda = agenda_of(execute)
    change = agenda.reconcile(Catalog().accept(make_rd(make_execute(line=40))), EPOCH)
    assert not change
    (request,) = agenda.tick(later(360)).requests
    assert request.execute.position != NOWHERE
    assert request.execute.position == Position(path="/inputs/test/q.rd", line=40)


def test_many_edits_leave_no_garbage_in_the_heap() -> None:
    agenda = agenda_of(make_execute(schedule=Every(seconds=100)))
    for step in range(1000):
        edit(agenda, make_execute(schedule=Every(seconds=100 + step)), at=later(0))
    assert len(agenda._heap) <= 2 * 1 + 64 + 1
    assert agenda.next_due() is not None


def loading(key: str = "test/q#load") -> Execute:
    return make_execute(key=key, schedule=Loaded())


def keys_of(agenda: Agenda, at: datetime) -> list[str]:
    return [request.execute.key for request in agenda.tick(at).requests]


def test_what_runs_when_loaded_runs_once_for_each_version_and_moves_no_schedule() -> None:
    agenda = agenda_of(loading())
    (request,) = agenda.tick(EPOCH).requests
    assert (request.due, request.reason, request.counts_from) == (EPOCH, Reason.STARTUP, None)
    agenda.finish(make_run(request))
    assert agenda.next_due() is None
    assert agenda.statuses()[0].due is None
    edit(agenda, loading(), at=later(60))
    (request,) = agenda.tick(later(60)).requests
    assert request.due == later(60)


def test_the_other_jobs_of_an_rd_wait_for_what_runs_when_it_is_loaded() -> None:
    agenda = agenda_of(
        make_execute(key="test/q#now", schedule=Every(seconds=60, immediately=True)),
        loading(),
        loading("test/q#too"),
    )
    first, second = agenda.tick(EPOCH).requests
    assert {first.execute.key, second.execute.key} == {"test/q#load", "test/q#too"}
    agenda.finish(make_run(first))
    assert keys_of(agenda, later(1)) == []
    agenda.finish(make_run(second))
    (request,) = agenda.tick(later(2)).requests
    assert (request.execute.key, request.due) == ("test/q#now", EPOCH)


def test_an_rd_loaded_anew_during_the_run_is_loaded_once_more_after_it() -> None:
    agenda = agenda_of(loading())
    (request,) = agenda.tick(EPOCH).requests
    edit(agenda, loading(), make_execute(schedule=Every(seconds=60, immediately=True)), at=later(1))
    assert keys_of(agenda, later(1)) == []
    agenda.finish(make_run(request))
    (request,) = agenda.tick(later(2)).requests
    assert (request.execute.key, request.due) == ("test/q#load", later(1))
    agenda.finish(make_run(request))
    assert keys_of(agenda, later(3)) == ["test/q#job"]
    assert agenda.next_due() == later(61)


def test_nobody_waits_for_what_is_no_longer_run_when_loaded() -> None:
    job = make_execute(schedule=Every(seconds=60, immediately=True))
    agenda = agenda_of(loading(), job)
    assert keys_of(agenda, EPOCH) == ["test/q#load"]
    edit(agenda, job, at=later(1))
    assert keys_of(agenda, later(1)) == ["test/q#job"]
    edit(agenda, job, loading(), at=later(2))
    edit(agenda, job, make_execute(key="test/q#load", schedule=Every(seconds=600)), at=later(3))
    assert agenda.next_due() == later(60)
    assert keys_of(agenda, later(60)) == []  # its run before goes on


def test_another_rd_waits_for_nothing() -> None:
    agenda = Agenda(run_ids=run_ids())
    other = make_execute(key="other/q#job", schedule=Every(seconds=60, immediately=True))
    agenda.reconcile(Catalog().accept(make_rd(loading()), make_rd(other, rd_id="other/q")), EPOCH)
    assert sorted(keys_of(agenda, EPOCH)) == ["other/q#job", "test/q#load"]
