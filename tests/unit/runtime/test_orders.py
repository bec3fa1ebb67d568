"""What operators ask of the timetable: runs now, runs ended, pauses, and what is made up for after these."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from gavo_exec.catalog import Catalog
from gavo_exec.control import Pause, RefusedError, UnknownNameError
from gavo_exec.model import DEFAULT_POLICY, Execute, Limit, Missed, NewFile, Outcome, Overlap, Policy, Reason, Run
from gavo_exec.runtime.agenda import Agenda
from gavo_exec.runtime.turns import Decisions
from gavo_exec.schedule import Every, Loaded, parse_at
from gavo_exec.testing import EPOCH, make_execute, make_rd, make_run, run_ids

KEY = "test/q#job"
NONE: tuple[tuple[str, str], ...] = ()


def later(seconds: float) -> datetime:
    return EPOCH + timedelta(seconds=seconds)


def job(name: str = "job", *, every: int = 3600, policy: Policy = DEFAULT_POLICY) -> Execute:
    return make_execute(f"test/q#{name}", schedule=Every(seconds=every, immediately=True), policy=policy)


def agenda_of(*executes: Execute, slots: int = 1000, pauses: Sequence[Pause] = ()) -> Agenda:
    agenda = Agenda(run_ids=run_ids(), slots=slots, pauses=pauses)
    agenda.reconcile(Catalog().accept(make_rd(*executes)), EPOCH)
    return agenda


def paused(key: str = KEY, *, until: float | None = None) -> Pause:
    return Pause(key=key, since=EPOCH, until=None if until is None else later(until), who="jo")


def left_out(decisions: Decisions) -> list[tuple[str, Outcome | None, str]]:
    return [(run.run_id, run.outcome, run.error) for _, run in decisions.left_out]


# Runs now


def test_a_run_that_is_asked_for_begins_and_moves_no_schedule() -> None:
    agenda = agenda_of(make_execute(schedule=parse_at("7:30")))
    run_id = agenda.trigger(KEY, (("night", "3"),), later(5))
    (request,) = agenda.tick(later(5)).requests
    assert (request.run_id, request.due, request.reason) == (run_id, later(5), Reason.TRIGGERED)
    assert (request.counts_from, request.parameters) == (None, (("night", "3"),))
    assert agenda.next_due() == later(7.5 * 3600)
    assert agenda.going(KEY) == [run_id] == agenda.going(run_id)


def test_who_holds_a_key_is_said() -> None:
    agenda = agenda_of(job())
    agenda.tick(EPOCH)
    with pytest.raises(RefusedError) as caught:
        agenda.trigger(KEY, NONE, later(5))
    assert str(caught.value) == (
        "test/q#job is running since 2026-01-01 00:00:00 UTC (run run-1, scheduled); wait for its end, or cancel it"
    )


def test_where_runs_may_overlap_one_more_begins() -> None:
    agenda = agenda_of(job(policy=Policy(overlap=Overlap.ALLOW)))
    agenda.tick(EPOCH)
    run_id = agenda.trigger(KEY, NONE, later(5))
    assert [request.run_id for request in agenda.tick(later(5)).requests] == [run_id]


def test_an_unknown_key_is_said_to_be_one() -> None:
    with pytest.raises(UnknownNameError) as caught:
        agenda_of(job()).trigger("test/q#jop", NONE, EPOCH)
    assert (str(caught.value), caught.value.known) == ("no execute has the key 'test/q#jop'", (KEY,))


def test_what_waits_for_a_slot_is_not_asked_for_twice() -> None:
    agenda = agenda_of(job(), job("other"), slots=1)
    (first,) = agenda.tick(EPOCH).requests
    agenda.tick(later(1))
    run = make_run(first)
    agenda.finish(run)
    (second,) = agenda.tick(later(2)).requests
    run_id = agenda.trigger(first.execute.key, NONE, later(3))
    assert agenda.tick(later(3)).requests == []
    with pytest.raises(RefusedError, match=f"run {run_id} of .* waits to begin already"):
        agenda.trigger(first.execute.key, NONE, later(4))
    agenda.finish(make_run(second))
    assert [request.run_id for request in agenda.tick(later(5)).requests] == [run_id]


def test_what_is_due_while_an_asked_for_run_waits_is_left_out_and_says_why() -> None:
    agenda = agenda_of(job(every=100), job("other", every=10_000), slots=1)
    for request in agenda.tick(EPOCH).requests:
        agenda.finish(make_run(request))
    (other,) = agenda.tick(later(1)).requests
    assert other.execute.key == "test/q#other"
    run_id = agenda.trigger(KEY, NONE, later(2))
    decisions = agenda.tick(later(100))
    assert [(outcome, error) for _, outcome, error in left_out(decisions)] == [
        (Outcome.SKIPPED, f"run {run_id}, which somebody asked for, waits to begin")
    ]
    agenda.finish(make_run(other))
    assert [request.run_id for request in agenda.tick(later(101)).requests] == [run_id]


def test_a_run_that_was_asked_for_is_not_tried_again() -> None:
    agenda = agenda_of(job(policy=Policy(retries=3)))
    agenda.finish(make_run(agenda.tick(EPOCH).requests[0]))
    agenda.trigger(KEY, NONE, later(1))
    (request,) = agenda.tick(later(1)).requests
    agenda.finish(make_run(request, Outcome.FAILED, finished_at=later(2)))
    assert agenda.next_due() == later(3600)


def test_an_asked_for_run_keeps_to_its_limit() -> None:
    one = Policy(limit=Limit(name="x"))
    agenda = agenda_of(job(policy=one), job("other", policy=one))
    (first,) = agenda.tick(EPOCH).requests
    agenda.finish(make_run(first))
    (second,) = agenda.tick(later(1)).requests
    agenda.trigger(first.execute.key, NONE, later(2))
    assert agenda.tick(later(2)).requests == []
    agenda.finish(make_run(second))
    assert len(agenda.tick(later(3)).requests) == 1


def test_for_files_a_run_that_is_asked_for_looks_for_these_and_says_where_there_are_none() -> None:
    agenda = agenda_of(make_execute(schedule=parse_at("7:30"), policy=Policy(files="/data/*")))
    run_id = agenda.trigger(KEY, NONE, later(1))
    (lookup,) = agenda.tick(later(1)).lookups
    assert lookup.run_id == run_id
    agenda.found(lookup, (), later(2))
    assert left_out(agenda.tick(later(2))) == [(run_id, Outcome.SKIPPED, "there are no new files for it")]
    run_id = agenda.trigger(KEY, NONE, later(3))
    (lookup,) = agenda.tick(later(3)).lookups
    agenda.found(lookup, (NewFile(path="/data/x", size=1, mtime_ns=1),), later(4))
    (request,) = agenda.tick(later(4)).requests
    assert (request.run_id, len(request.files)) == (run_id, 1)


def test_nothing_is_asked_for_before_what_its_rd_runs_on_loading_has_ended() -> None:
    agenda = agenda_of(make_execute("test/q#load", schedule=Loaded()), job())
    (load,) = agenda.tick(EPOCH).requests
    with pytest.raises(RefusedError, match="test/q#job waits for what its RD runs when it is loaded: test/q#load"):
        agenda.trigger(KEY, NONE, later(1))
    agenda.finish(make_run(load))
    agenda.tick(later(2))


def test_what_was_asked_for_is_accounted_for_where_its_execute_goes() -> None:
    agenda = agenda_of(job(), slots=1)
    (first,) = agenda.tick(EPOCH).requests
    agenda.reconcile(Catalog().accept(make_rd(job(), job("other"))), later(1))
    agenda.tick(later(1))
    agenda.finish(make_run(first))
    agenda.tick(later(1))  # the other has the slot
    run_id = agenda.trigger(KEY, NONE, later(2))
    agenda.reconcile(Catalog().accept(make_rd(job("other"))), later(3))
    assert left_out(agenda.tick(later(3))) == [
        (run_id, Outcome.CANCELLED, "its execute was taken out of the RD before it could begin")
    ]


# Runs ended


def test_a_run_or_all_of_a_key_are_ended() -> None:
    agenda = agenda_of(job(), job("other"))
    one, other = agenda.tick(EPOCH).requests
    assert agenda.cancel(one.run_id, "by jo", later(1)) == [(one.run_id, one.execute.key)]
    assert agenda.cancel(other.execute.key, "by jo", later(1)) == [(other.run_id, other.execute.key)]
    assert agenda.tick(later(1)).cancels == [(one.run_id, "by jo"), (other.run_id, "by jo")]


def test_what_was_asked_for_and_waits_is_not_begun() -> None:
    agenda = agenda_of(job(), job("other"), slots=1)
    (first,) = agenda.tick(EPOCH).requests
    agenda.finish(make_run(first))
    agenda.tick(later(1))
    run_id = agenda.trigger(first.execute.key, NONE, later(2))
    assert agenda.cancel(run_id, "by jo", later(3)) == [(run_id, first.execute.key)]
    assert left_out(agenda.tick(later(3))) == [(run_id, Outcome.CANCELLED, "by jo")]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (KEY, "test/q#job is not running"),
        ("test/q#jop", "no execute has the key 'test/q#jop'"),
        ("run-7", "no run run-7 goes on"),
    ],
)
def test_what_does_not_go_on_cannot_be_ended(name: str, message: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        agenda_of(make_execute(schedule=parse_at("7:30"))).cancel(name, "by jo", EPOCH)
    assert str(caught.value) == message


# Pauses


@pytest.mark.parametrize("key", [KEY, ""])
def test_what_is_paused_does_not_start_by_itself_and_is_made_up_for_by_one_run(key: str) -> None:
    agenda = agenda_of(job())
    agenda.pause(paused(key))
    for hour in range(3):
        assert agenda.tick(later(3600 * hour)).requests == []
    assert agenda.next_due() is None
    (status,) = agenda.statuses()
    assert (status.pause, status.paused, status.due) == (paused(key), True, EPOCH)
    assert agenda.resume(key, later(9000)) == paused(key)
    decisions = agenda.tick(later(9000))
    assert [(request.reason, request.counts_from) for request in decisions.requests] == [(Reason.CATCH_UP, later(9000))]
    assert [error for *_, error in left_out(decisions)] == [
        "it was paused then; a later run makes up for it",
        "it was paused then; a later run makes up for it",
    ]
    assert agenda.next_due() == later(12_600)


def test_what_is_not_to_be_made_up_for_is_recorded_as_missed_since_it_was_paused() -> None:
    agenda = agenda_of(job(policy=Policy(missed=Missed.SKIP)))
    agenda.pause(paused())
    agenda.tick(later(3600))
    agenda.resume(KEY, later(5000))
    decisions = agenda.tick(later(5000))
    assert decisions.requests == []
    assert [(outcome, error.partition(";")[0]) for _, outcome, error in left_out(decisions)] == [
        (Outcome.MISSED, "it was paused then"),
        (Outcome.MISSED, "it was paused then"),
    ]
    assert [request.due for request in agenda.tick(later(7200)).requests] == [later(7200)]


def test_a_short_pause_makes_nothing_but_late() -> None:
    agenda = agenda_of(job())
    agenda.pause(paused())
    agenda.tick(EPOCH)
    agenda.resume(KEY, later(30))
    (request,) = agenda.tick(later(30)).requests
    assert (request.due, request.reason) == (EPOCH, Reason.SCHEDULED)


def test_a_pause_ends_by_itself_and_that_is_told_once() -> None:
    agenda = agenda_of(job())
    agenda.pause(paused(until=40))
    assert agenda.tick(EPOCH).requests == []
    assert agenda.next_due() == later(40)
    assert len(agenda.tick(later(40)).requests) == 1
    assert agenda.take_expired() == [paused(until=40)]
    assert agenda.take_expired() == []
    assert agenda.pauses == ()


def test_pauses_hold_over_restarts() -> None:
    agenda = agenda_of(job(), job("other"), pauses=[paused()])
    assert [request.execute.key for request in agenda.tick(EPOCH).requests] == ["test/q#other"]


def test_the_pause_of_a_single_job_outlasts_that_of_all() -> None:
    agenda = agenda_of(job(), job("other"))
    agenda.pause(paused())
    agenda.pause(paused(""))
    assert agenda.pauses == (paused(""), paused())
    agenda.tick(EPOCH)
    agenda.resume("", later(1))
    assert [request.execute.key for request in agenda.tick(later(1)).requests] == ["test/q#other"]
    agenda.resume(KEY, later(2))
    assert [request.execute.key for request in agenda.tick(later(2)).requests] == [KEY]


def test_what_is_paused_runs_where_somebody_asks_for_it() -> None:
    agenda = agenda_of(job())
    agenda.pause(paused())
    agenda.tick(EPOCH)
    agenda.trigger(KEY, NONE, later(1))
    assert [request.reason for request in agenda.tick(later(1)).requests] == [Reason.TRIGGERED]


def test_what_waits_for_its_run_before_waits_on_where_it_is_paused() -> None:
    agenda = agenda_of(job(every=100, policy=Policy(overlap=Overlap.QUEUE)))
    (first,) = agenda.tick(EPOCH).requests
    agenda.tick(later(100))
    agenda.pause(paused())
    agenda.finish(make_run(first))
    assert agenda.tick(later(101)).requests == []
    agenda.resume(KEY, later(150))
    assert [request.due for request in agenda.tick(later(150)).requests] == [later(100)]


def test_retries_wait_for_the_end_of_a_pause() -> None:
    agenda = agenda_of(job(policy=Policy(retries=1, retry_delay=timedelta(seconds=10))))
    (request,) = agenda.tick(EPOCH).requests
    agenda.finish(make_run(request, Outcome.FAILED))
    agenda.pause(paused())
    assert agenda.tick(later(20)).requests == []
    agenda.resume(KEY, later(30))
    assert [request.reason for request in agenda.tick(later(30)).requests] == [Reason.RETRY]


def test_what_is_run_on_loading_holds_nothing_up_while_it_is_paused() -> None:
    load = make_execute("test/q#load", schedule=Loaded())
    agenda = agenda_of(load, job(), pauses=[paused("test/q#load")])
    assert [request.execute.key for request in agenda.tick(EPOCH).requests] == [KEY]
    agenda.resume("test/q#load", later(2))
    assert [request.reason for request in agenda.tick(later(2)).requests] == [Reason.STARTUP]


def test_a_pause_outlives_its_execute() -> None:
    agenda = agenda_of(job())
    agenda.pause(paused())
    agenda.tick(EPOCH)
    agenda.reconcile(Catalog().accept(make_rd()), later(1))
    agenda.reconcile(Catalog().accept(make_rd(job())), later(2))
    assert agenda.tick(later(5000)).requests == []


def test_an_edit_while_it_is_paused_counts_from_the_edit() -> None:
    agenda = agenda_of(job())
    agenda.pause(paused())
    agenda.tick(later(7200))
    agenda.reconcile(Catalog().accept(make_rd(make_execute(schedule=parse_at("7:30")))), later(7300))
    agenda.resume(KEY, later(7400))
    decisions = agenda.tick(later(7400))
    assert (decisions.requests, agenda.next_due()) == ([], later(7.5 * 3600))


@pytest.mark.parametrize(("key", "message"), [(KEY, "test/q#job is not paused"), ("", "there is no pause of all jobs")])
def test_where_nothing_is_paused_nothing_can_be_resumed(key: str, message: str) -> None:
    with pytest.raises(RefusedError) as caught:
        agenda_of(job()).resume(key, EPOCH)
    assert str(caught.value) == message


def test_an_unknown_key_cannot_be_paused() -> None:
    with pytest.raises(UnknownNameError):
        agenda_of(job()).pause(paused("test/q#jop"))


def test_nothing_is_looked_at_ahead_that_is_paused() -> None:
    agenda = agenda_of(job())
    run: Run = make_run(agenda.tick(EPOCH).requests[0])
    agenda.finish(run)
    agenda.pause(paused())
    assert agenda.coming(later(3599), later(3600)) == []
