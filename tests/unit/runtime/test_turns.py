"""Whose turn it is: overlap, slots, priorities, limits, retries and files."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from gavo_exec.catalog import Catalog
from gavo_exec.model import (
    Execute,
    LastStart,
    Limit,
    Missed,
    NewFile,
    Outcome,
    Overlap,
    Policy,
    Reason,
    Retry,
    RunRequest,
)
from gavo_exec.runtime.agenda import Agenda
from gavo_exec.runtime.turns import Decisions
from gavo_exec.schedule import Every, Loaded, parse_at
from gavo_exec.testing import EPOCH, make_execute, make_rd, make_run, run_ids


def later(seconds: float) -> datetime:
    return EPOCH + timedelta(seconds=seconds)


def agenda_of(*executes: Execute, slots: int = 1000, retries: dict[str, Retry] | None = None) -> Agenda:
    agenda = Agenda(run_ids=run_ids(), slots=slots, retries=retries)
    edit(agenda, *executes, at=0)
    return agenda


def edit(agenda: Agenda, *executes: Execute, at: float) -> None:
    agenda.reconcile(Catalog().accept(make_rd(*executes)), later(at))


def job(name: str = "job", *, every: int = 100, policy: Policy) -> Execute:
    return make_execute(f"test/q#{name}", schedule=Every(seconds=every, immediately=True), policy=policy)


def names(requests: Sequence[RunRequest]) -> list[str]:
    return [request.execute.key.partition("#")[2] for request in requests]


def dues(decisions: Decisions) -> list[float]:
    return [(request.due - EPOCH).total_seconds() for request in decisions.requests]


def left_out(decisions: Decisions) -> list[tuple[float, Outcome]]:
    return [((run.due - EPOCH).total_seconds(), run.outcome or Outcome.FAILED) for _, run in decisions.left_out]


# Overlap


def test_skip_leaves_out_what_is_due_while_it_runs() -> None:
    agenda = agenda_of(job(policy=Policy(overlap=Overlap.SKIP)))
    (request,) = agenda.tick(EPOCH).requests
    assert left_out(agenda.tick(later(100))) == [(100, Outcome.SKIPPED)]
    agenda.finish(make_run(request))
    assert dues(agenda.tick(later(200))) == [200]


def test_queue_runs_it_afterwards_and_of_several_the_latest() -> None:
    agenda = agenda_of(job(policy=Policy(overlap=Overlap.QUEUE)))
    (request,) = agenda.tick(EPOCH).requests
    first = agenda.tick(later(100))
    assert (first.requests, first.left_out) == ([], [])
    second = agenda.tick(later(200))
    assert left_out(second) == [(100, Outcome.SKIPPED)]
    assert "for its run before to end" in second.left_out[0][1].error
    agenda.finish(make_run(request))
    (request,) = agenda.tick(later(250)).requests
    assert (request.due, request.reason, request.counts_from) == (later(200), Reason.SCHEDULED, later(200))
    assert dues(agenda.tick(later(300))) == []
    agenda.finish(make_run(request))
    assert dues(agenda.tick(later(350))) == [300]


def test_replace_ends_the_run_before_once_and_runs_when_it_has_ended() -> None:
    agenda = agenda_of(job(policy=Policy(overlap=Overlap.REPLACE)))
    (request,) = agenda.tick(EPOCH).requests
    decisions = agenda.tick(later(100))
    assert decisions.requests == []
    assert decisions.cancels == [("run-1", "replaced by the run due 2026-01-01 00:01:40 UTC (run.overlap=replace)")]
    decisions = agenda.tick(later(200))
    assert decisions.cancels == []
    assert left_out(decisions) == [(100, Outcome.SKIPPED)]
    agenda.finish(make_run(request, Outcome.CANCELLED))
    assert dues(agenda.tick(later(201))) == [200]


def test_allow_runs_both_and_each_lets_go_of_its_own() -> None:
    agenda = agenda_of(job(policy=Policy(overlap=Overlap.ALLOW)))
    (first,) = agenda.tick(EPOCH).requests
    (second,) = agenda.tick(later(100)).requests
    (third,) = agenda.tick(later(200)).requests
    assert agenda.running == 3
    for request, running in ((second, 2), (second, 2), (first, 1), (third, 0)):
        agenda.finish(make_run(request))
        assert agenda.running == running


def test_an_edit_of_the_overlap_holds_from_the_next_instant_on_and_jams_nothing() -> None:
    agenda = agenda_of(job(policy=Policy(overlap=Overlap.QUEUE)))
    (request,) = agenda.tick(EPOCH).requests
    agenda.tick(later(100))
    edit(agenda, job(policy=Policy(overlap=Overlap.ALLOW)), at=150)
    agenda.finish(make_run(request))
    assert dues(agenda.tick(later(160))) == [100]
    assert dues(agenda.tick(later(200))) == [200]


def test_what_might_run_beside_and_waits_for_its_limit_may_not_any_more_after_an_edit() -> None:
    limit = Limit(name="x")
    agenda = agenda_of(job(policy=Policy(overlap=Overlap.ALLOW, limit=limit)))
    (request,) = agenda.tick(EPOCH).requests
    other = job("other", policy=Policy(limit=limit))
    edit(agenda, job(policy=Policy(overlap=Overlap.ALLOW, limit=limit)), other, at=50)
    agenda.tick(later(100))
    edit(agenda, job(policy=Policy(overlap=Overlap.SKIP)), other, at=150)
    edit(agenda, job(policy=Policy(overlap=Overlap.SKIP)), at=151)
    agenda._turns._backlog.release("x")
    assert agenda.tick(later(160)).requests == []
    agenda._turns._backlog.occupy("x")
    agenda.finish(make_run(request))
    assert dues(agenda.tick(later(170))) == [100]


# Slots, order, limits


def test_there_are_never_more_runs_than_slots_and_those_that_wait_come_in_order() -> None:
    agenda = agenda_of(*(job(f"j{number}", every=1000, policy=Policy()) for number in range(5)), slots=2)
    first = agenda.tick(EPOCH).requests
    assert names(first) == ["j0", "j1"]
    assert agenda.tick(later(1)).requests == []
    agenda.finish(make_run(first[0]))
    assert names(agenda.tick(later(2)).requests) == ["j2"]
    agenda.finish(make_run(first[1]))
    assert names(agenda.tick(later(3), ahead=1).requests) == ["j3", "j4"]


def test_a_high_priority_comes_first_then_what_was_due_first() -> None:
    policies = {"low": -5, "normal": 0, "late": 0, "urgent": 7}
    executes = [job(name, every=1000, policy=Policy(priority=value)) for name, value in policies.items()]
    agenda = agenda_of(make_execute("test/q#first", schedule=parse_at("0:00")), slots=0)
    edit(agenda, *executes, at=0)
    assert agenda.tick(later(2)).requests == []
    agenda._slots = 10
    assert names(agenda.tick(later(3)).requests) == ["urgent", "normal", "late", "low"]


def test_at_most_so_many_runs_of_one_limit_go_on_at_once() -> None:
    limit = Limit(name="archive", at_most=2)
    executes = [job(f"j{number}", every=1000, policy=Policy(limit=limit)) for number in range(4)]
    agenda = agenda_of(*executes, job("other", every=1000, policy=Policy()))
    begun = agenda.tick(EPOCH).requests
    assert sorted(names(begun)) == ["j0", "j1", "other"]
    agenda.finish(make_run(begun[-1]))
    agenda.finish(make_run(next(request for request in begun if request.execute.key == "test/q#j1")))
    assert names(agenda.tick(later(1)).requests) == ["j2"]
    agenda.finish(make_run(next(request for request in begun if request.execute.key == "test/q#j0")))
    assert names(agenda.tick(later(2)).requests) == ["j3"]


def test_a_limit_that_is_edited_keeps_nothing_back_for_ever() -> None:
    limited = [job(f"j{number}", every=1000, policy=Policy(limit=Limit(name="x"))) for number in range(2)]
    agenda = agenda_of(*limited)
    (request,) = agenda.tick(EPOCH).requests
    other = [job(f"j{number}", every=1000, policy=Policy(limit=Limit(name="y"))) for number in range(2)]
    edit(agenda, *other, at=1)
    agenda.finish(make_run(request))
    assert names(agenda.tick(later(2)).requests) == ["j1"]


# Retries


def failing(retries: int = 2, delay: float = 10) -> Execute:
    return job(every=1000, policy=Policy(retries=retries, retry_delay=timedelta(seconds=delay)))


def test_what_failed_is_tried_again_later_and_later_as_often_as_allowed() -> None:
    agenda = agenda_of(failing())
    now = EPOCH
    attempts = []
    for _ in range(3):
        (request,) = agenda.tick(now).requests
        attempts.append((request.attempt, request.reason, request.due, request.counts_from))
        agenda.finish(make_run(request, Outcome.FAILED, finished_at=now))
        due = agenda.next_due()
        assert due is not None
        now = due
    assert attempts == [
        (1, Reason.SCHEDULED, EPOCH, EPOCH),
        (2, Reason.RETRY, EPOCH, None),
        (3, Reason.RETRY, EPOCH, None),
    ]
    assert now == later(1000)


@pytest.mark.parametrize("outcome", [Outcome.SUCCEEDED, Outcome.CANCELLED, Outcome.INTERRUPTED])
def test_what_did_not_fail_is_not_tried_again(outcome: Outcome) -> None:
    agenda = agenda_of(failing())
    (request,) = agenda.tick(EPOCH).requests
    agenda.finish(make_run(request, outcome))
    assert agenda.next_due() == later(1000)


def test_pauses_between_retries_double_up_to_an_hour_and_differ_a_little() -> None:
    agenda = agenda_of(job(every=1_000_000, policy=Policy(retries=12, retry_delay=timedelta(seconds=60))))
    now, pauses = EPOCH, []
    for _ in range(9):
        (request,) = agenda.tick(now).requests
        agenda.finish(make_run(request, Outcome.TIMED_OUT, finished_at=now))
        due = agenda.next_due()
        assert due is not None
        pauses.append((due - now).total_seconds())
        now = due
    for pause, least in zip(pauses, (60, 120, 240, 480, 960, 1920, 3600, 3600, 3600), strict=True):
        assert least <= pause <= 1.1 * least
    assert len({pause % 60 for pause in pauses}) > 5


def test_a_retry_gives_way_to_the_next_instant() -> None:
    agenda = agenda_of(job(policy=Policy(retries=1, retry_delay=timedelta(seconds=500))))
    (request,) = agenda.tick(EPOCH).requests
    agenda.finish(make_run(request, Outcome.FAILED))
    (request,) = agenda.tick(later(100)).requests
    assert (request.attempt, request.reason) == (1, Reason.SCHEDULED)
    agenda.finish(make_run(request))
    for step in range(2, 10):
        (request,) = agenda.tick(later(100 * step)).requests
        assert request.reason is Reason.SCHEDULED
        agenda.finish(make_run(request))


def test_a_retry_outlives_a_restart_if_it_is_not_too_old() -> None:
    execute = failing()
    retry = Retry(due=later(-300), attempt=2, at=later(-5))
    starts = {execute.key: LastStart(at=later(-300), schedule=execute.schedule.describe())}
    agenda = Agenda(run_ids=run_ids(), retries={execute.key: retry}, last_starts=starts)
    edit(agenda, execute, at=0)
    (request,) = agenda.tick(EPOCH).requests
    assert (request.attempt, request.due, request.reason) == (2, later(-300), Reason.RETRY)
    for stale in (Retry(due=later(-300), attempt=4, at=EPOCH), Retry(due=EPOCH, attempt=2, at=later(-90_000))):
        agenda = Agenda(run_ids=run_ids(), retries={execute.key: stale}, last_starts=starts)
        edit(agenda, execute, at=0)
        assert agenda.tick(EPOCH).requests == []


def test_a_retry_of_what_is_gone_is_dropped() -> None:
    agenda = agenda_of(failing())
    (request,) = agenda.tick(EPOCH).requests
    edit(agenda, at=1)
    agenda.finish(make_run(request, Outcome.FAILED))
    assert agenda.next_due() is None


def test_what_runs_when_loaded_may_be_tried_again_and_holds_up_the_others_once() -> None:
    policy = Policy(retries=1, retry_delay=timedelta(seconds=10))
    load = make_execute("test/q#load", schedule=Loaded(), policy=policy)
    agenda = agenda_of(load, job(policy=Policy()))
    (request,) = agenda.tick(EPOCH).requests
    agenda.finish(make_run(request, Outcome.FAILED))
    assert names(agenda.tick(later(1)).requests) == ["job"]
    assert names(agenda.tick(later(12)).requests) == ["load"]


# Files

NEW = (NewFile(path="/inputs/test/data/a.fits", size=7, mtime_ns=1),)
WAITING = Policy(files="/inputs/test/data/*.fits")


def test_files_are_looked_up_before_anything_is_run() -> None:
    agenda = agenda_of(job(policy=WAITING))
    decisions = agenda.tick(EPOCH)
    assert decisions.requests == []
    (lookup,) = decisions.lookups
    agenda.found(lookup, NEW, EPOCH)
    (request,) = agenda.tick(later(1)).requests
    assert (request.files, request.due) == (NEW, EPOCH)


def test_where_nothing_is_new_nothing_is_run_or_recorded_and_the_instant_is_accounted_for() -> None:
    agenda = agenda_of(job(policy=WAITING))
    (lookup,) = agenda.tick(EPOCH).lookups
    agenda.found(lookup, (), EPOCH)
    decisions = agenda.tick(later(1))
    assert (decisions.requests, decisions.left_out, decisions.accounted) == ([], [], {"test/q#job": EPOCH})
    assert len(agenda.tick(later(100)).lookups) == 1


def test_a_lookup_that_hangs_is_waited_for_and_asked_for_once() -> None:
    agenda = agenda_of(job(policy=WAITING))
    (lookup,) = agenda.tick(EPOCH).lookups
    for step in range(1, 5):
        decisions = agenda.tick(later(100 * step))
        assert (decisions.lookups, decisions.left_out) == ([], [])
    agenda.found(lookup, NEW, EPOCH)
    (request,) = agenda.tick(later(450)).requests
    assert (request.due, request.counts_from) == (later(400), later(400))


def test_a_lookup_that_fails_is_a_failed_run_and_tried_again_as_one() -> None:
    policy = Policy(files="/data/*", retries=1, retry_delay=timedelta(seconds=10))
    agenda = agenda_of(job(policy=policy))
    (lookup,) = agenda.tick(EPOCH).lookups
    agenda.not_found(lookup, "why", EPOCH)
    assert len(agenda.tick(later(12)).lookups) == 1
    assert len(agenda.tick(later(100)).lookups) == 0  # the second goes on
    edit(agenda, at=101)


def test_what_is_due_while_it_runs_leaves_no_record_and_finds_its_files_the_next_time() -> None:
    agenda = agenda_of(job(policy=WAITING))
    (lookup,) = agenda.tick(EPOCH).lookups
    agenda.found(lookup, NEW, EPOCH)
    (request,) = agenda.tick(later(1)).requests
    decisions = agenda.tick(later(100))
    assert (decisions.left_out, decisions.lookups) == ([], [])
    agenda.finish(make_run(request))
    assert len(agenda.tick(later(200)).lookups) == 1


def test_after_a_downtime_files_are_looked_for_once_and_nothing_counts_as_missed() -> None:
    execute = job(policy=Policy(files="/data/*", missed=Missed.ALL))
    starts = {execute.key: LastStart(at=later(-1000), schedule=execute.schedule.describe())}
    agenda = Agenda(run_ids=run_ids(), last_starts=starts)
    edit(agenda, execute, at=0)
    decisions = agenda.tick(EPOCH)
    assert (len(decisions.lookups), decisions.left_out) == (1, [])


def test_an_answer_that_nobody_waits_for_any_more_is_dropped() -> None:
    agenda = agenda_of(job(policy=WAITING))
    (lookup,) = agenda.tick(EPOCH).lookups
    edit(agenda, at=1)
    agenda.found(lookup, NEW, EPOCH)
    edit(agenda, job(policy=WAITING), at=2)
    agenda.found(lookup, NEW, EPOCH)
    assert agenda.tick(later(3)).requests == []


def test_an_execute_that_begins_to_wait_for_files_looks_for_them_first() -> None:
    agenda = agenda_of(job(policy=Policy()), slots=0)
    agenda.tick(EPOCH)
    edit(agenda, job(policy=WAITING), at=1)
    decisions = agenda.tick(later(2), ahead=1)
    assert (decisions.requests, len(decisions.lookups)) == ([], 1)


# What waits


def test_what_waits_is_told_whatever_it_waits_for() -> None:
    queue = job("queue", policy=Policy(overlap=Overlap.QUEUE))
    plain = make_execute("test/q#plain", schedule=Every(seconds=1000))
    agenda = agenda_of(queue, plain, slots=1)
    (request,) = agenda.tick(EPOCH).requests
    assert agenda.waiting() == []
    agenda.tick(later(100))
    assert agenda.waiting() == [("test/q#plain", later(100)), ("test/q#queue", later(100))]
    edit(agenda, queue, at=100)
    assert agenda.waiting() == [("test/q#queue", later(100))]
    agenda.finish(make_run(request))
    agenda.tick(later(101))
    assert agenda.waiting() == []


def test_what_waits_for_its_rd_to_be_loaded_is_told() -> None:
    agenda = agenda_of(make_execute("test/q#a", schedule=Loaded()), job("b", policy=Policy()))
    (request,) = agenda.tick(EPOCH).requests
    assert agenda.waiting() == [("test/q#b", EPOCH)]
    agenda.finish(make_run(request))
    agenda.tick(EPOCH)
    assert agenda.waiting() == []
