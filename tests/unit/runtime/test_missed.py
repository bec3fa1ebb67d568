"""Instants that passed unserved: how they are found, made up for, and accounted for."""

from datetime import UTC, datetime, timedelta

import pytest

from gavo_exec.catalog import Catalog
from gavo_exec.model import DEFAULT_POLICY, Execute, LastStart, Missed, Outcome, Overlap, Policy, Reason
from gavo_exec.runtime.agenda import Agenda
from gavo_exec.runtime.missed import passed
from gavo_exec.schedule import Every, Schedule, parse_at
from gavo_exec.testing import EPOCH, make_execute, make_rd, make_run, run_ids

HOUR = 3600


def later(seconds: float) -> datetime:
    return EPOCH + timedelta(seconds=seconds)


def hours(dues: list[datetime]) -> list[float]:
    return [(due - EPOCH).total_seconds() / HOUR for due in dues]


def resumed(execute: Execute, *, last: float, now: float, schedule: str | None = None) -> Agenda:
    """An agenda that starts at ``now``, having served all up to ``last``, both in seconds since the epoch."""
    words = execute.schedule.describe() if schedule is None else schedule
    agenda = Agenda(run_ids=run_ids(), last_starts={execute.key: LastStart(at=later(last), schedule=words)})
    agenda.reconcile(Catalog().accept(make_rd(execute)), later(now))
    return agenda


def hourly(policy: Policy) -> Execute:
    return make_execute(schedule=Every(seconds=HOUR), policy=policy)


@pytest.mark.parametrize(
    ("policy", "served", "missed"),
    [
        (Policy(), [4], [1, 2, 3]),
        (Policy(missed=Missed.SKIP), [], [1, 2, 3, 4]),
        (Policy(missed=Missed.ALL), [1, 2, 3, 4], []),
        (Policy(grace=timedelta(minutes=40)), [4], [1, 2, 3]),
        (Policy(grace=timedelta(minutes=20)), [], [1, 2, 3, 4]),
        (Policy(missed=Missed.ALL, grace=timedelta(minutes=100)), [3, 4], [1, 2]),
        (Policy(missed=Missed.SKIP, grace=timedelta(minutes=40)), [4], [1, 2, 3]),
    ],
)
def test_after_a_downtime_instants_are_made_up_for_as_the_policy_says(
    policy: Policy, served: list[int], missed: list[int]
) -> None:
    agenda = resumed(hourly(policy), last=0, now=4.5 * HOUR)
    dues: list[datetime] = []
    left_out: list[datetime] = []
    for _ in range(8):
        decisions = agenda.tick(later(4.5 * HOUR))
        for _, run in decisions.left_out:
            assert run.outcome is Outcome.MISSED
            left_out.append(run.due)
        for request in decisions.requests:
            assert request.reason is Reason.CATCH_UP
            dues.append(request.due)
            agenda.finish(make_run(request))
    assert (hours(dues), hours(left_out)) == (served, missed)


def test_instants_that_are_all_made_up_for_come_one_after_the_other_and_keep_the_phase() -> None:
    agenda = resumed(hourly(Policy(missed=Missed.ALL)), last=0, now=2.5 * HOUR)
    (first,) = agenda.tick(later(2.5 * HOUR)).requests
    assert agenda.tick(later(2.6 * HOUR)).requests == []
    agenda.finish(make_run(first))
    (second,) = agenda.tick(later(2.7 * HOUR)).requests
    assert [first.counts_from, second.counts_from] == [later(HOUR), later(2 * HOUR)]
    assert agenda.next_due() == later(3 * HOUR)


def test_what_comes_on_time_waits_behind_what_is_made_up_for() -> None:
    agenda = resumed(hourly(Policy(missed=Missed.ALL)), last=0, now=2.9 * HOUR)
    (first,) = agenda.tick(later(2.9 * HOUR)).requests
    decisions = agenda.tick(later(3 * HOUR))
    assert (decisions.requests, decisions.left_out) == ([], [])
    agenda.finish(make_run(first))
    (second,) = agenda.tick(later(3.1 * HOUR)).requests
    agenda.finish(make_run(second))
    (third,) = agenda.tick(later(3.2 * HOUR)).requests
    assert hours([first.due, second.due, third.due]) == [1, 2, 3]


def test_one_instant_that_passed_runs_late_and_a_short_delay_is_none() -> None:
    agenda = resumed(hourly(Policy()), last=0, now=HOUR + 59)
    (request,) = agenda.tick(later(HOUR + 59)).requests
    assert (request.due, request.reason, request.counts_from) == (later(HOUR), Reason.SCHEDULED, later(HOUR))
    agenda = resumed(hourly(Policy()), last=0, now=HOUR + 61)
    (request,) = agenda.tick(later(HOUR + 61)).requests
    assert (request.due, request.reason, request.counts_from) == (later(HOUR), Reason.CATCH_UP, later(HOUR + 61))


def test_times_of_the_day_are_made_up_for_as_well() -> None:
    execute = make_execute(schedule=parse_at("7:30"))
    agenda = resumed(execute, last=0, now=2.5 * 86_400)
    decisions = agenda.tick(later(2.5 * 86_400))
    (request,) = decisions.requests
    assert (request.due, request.counts_from) == (later(2 * 86_400 + 7.5 * HOUR),) * 2
    assert [run.due for _, run in decisions.left_out] == [later(7.5 * HOUR), later(86_400 + 7.5 * HOUR)]
    assert agenda.next_due() == later(3 * 86_400 + 7.5 * HOUR)


@pytest.mark.parametrize("schedule", [parse_at("7:30"), Every(seconds=HOUR)])
def test_instants_of_a_schedule_that_is_another_now_have_not_been_missed(schedule: Schedule) -> None:
    agenda = resumed(make_execute(schedule=schedule), last=-86_400, now=0, schedule="at 6:00 UTC")
    decisions = agenda.tick(EPOCH)
    assert decisions.left_out == []
    assert [request.due for request in decisions.requests] == ([EPOCH] if isinstance(schedule, Every) else [])


def test_what_is_not_there_for_a_while_misses_nothing() -> None:
    execute = make_execute(schedule=parse_at("7:30"))
    agenda = Agenda(run_ids=run_ids())
    agenda.reconcile(Catalog().accept(make_rd(execute)), EPOCH)
    agenda.take_begun()
    agenda.reconcile(Catalog(), later(1))
    assert agenda.take_begun() == {execute.key: LastStart(at=EPOCH)}
    agenda.reconcile(Catalog().accept(make_rd(execute)), later(3 * 86_400))
    assert agenda.next_due() == later(3 * 86_400 + 7.5 * HOUR)


def test_missed_instants_say_why_and_what_becomes_of_them() -> None:
    (_, run), *_ = resumed(hourly(Policy()), last=0, now=3 * HOUR).tick(later(3 * HOUR)).left_out
    assert run.error == "no daemon ran then; a later run makes up for it"
    agenda = Agenda(run_ids=run_ids())
    agenda.reconcile(Catalog().accept(make_rd(hourly(Policy(missed=Missed.SKIP)))), EPOCH)
    ((_, run),) = agenda.tick(later(1000)).left_out
    assert run.error == (
        "no slot was free, or the daemon did not come to it in time; it is 10 min 40 s late, and may be 1 min"
    )


def test_very_many_missed_instants_are_summed_up() -> None:
    execute = make_execute(schedule=Every(seconds=1), policy=Policy(missed=Missed.ALL))
    agenda = resumed(execute, last=0, now=1_000_000)
    decisions = agenda.tick(later(1_000_000))
    ((_, run),) = decisions.left_out
    assert (run.instants, run.due) == (999_900, later(999_900))
    assert run.error == "999900 instants up to this one passed: no daemon ran then; at most 100 are made up for"
    assert decisions.requests[0].due == later(999_901)


@pytest.mark.parametrize("seconds", [1, 7, 60, 3600])
@pytest.mark.parametrize("until", [0, 59, 3600, 100_003])
def test_passed_instants_are_those_that_one_finds_step_by_step(seconds: int, until: int) -> None:
    schedule = Every(seconds=seconds)
    found = passed(schedule, EPOCH, later(until))
    expected = [later(step) for step in range(0, until + 1, seconds)]
    assert found.instants == expected[-100:]
    assert found.earlier == max(0, len(expected) - 100)
    assert found.before == (expected[-101] if len(expected) > 100 else None)
    assert found.following == expected[-1] + timedelta(seconds=seconds)


def test_a_clock_that_was_set_back_a_little_runs_nothing_twice() -> None:
    execute = make_execute(schedule=parse_at("7:30"))
    agenda = resumed(execute, last=7.5 * HOUR, now=6 * HOUR)
    assert agenda.next_due() == later(86_400 + 7.5 * HOUR)


def test_a_clock_that_was_far_ahead_makes_nothing_wait_for_years() -> None:
    for schedule in (parse_at("7:30"), Every(seconds=HOUR)):
        agenda = resumed(make_execute(schedule=schedule), last=400 * 86_400, now=0)
        due = agenda.next_due()
        assert due is not None
        assert due < later(86_400)
        agenda = Agenda(run_ids=run_ids())
        agenda.reconcile(Catalog().accept(make_rd(make_execute(schedule=schedule))), later(400 * 86_400))
        agenda.set_back(EPOCH)
        due = agenda.next_due()
        assert due is not None
        assert due < later(86_400)


def test_what_waits_for_a_slot_until_the_next_is_due_gives_way_to_it() -> None:
    agenda = Agenda(run_ids=run_ids(), slots=1)
    busy = make_execute("test/q#a", schedule=Every(seconds=86_400, immediately=True))
    waiting = make_execute("test/q#b", schedule=Every(seconds=100, immediately=True))
    agenda.reconcile(Catalog().accept(make_rd(busy, waiting)), EPOCH)
    (request,) = agenda.tick(EPOCH).requests
    assert request.execute.key == "test/q#a"
    assert agenda.tick(later(100)).left_out == []
    agenda.finish(make_run(request))
    decisions = agenda.tick(later(120))
    ((_, run),) = decisions.left_out
    assert (run.key, run.outcome, run.due) == ("test/q#b", Outcome.MISSED, EPOCH)
    assert run.error == "no slot was free, or the daemon did not come to it in time; a later run makes up for it"
    (request,) = decisions.requests
    assert (request.execute.key, request.due) == ("test/q#b", later(100))


def test_what_waits_for_a_slot_with_a_policy_of_its_own_gives_way_to_the_next() -> None:
    agenda = Agenda(run_ids=run_ids(), slots=1)
    busy = make_execute("test/q#a", schedule=Every(seconds=86_400, immediately=True))
    policy = Policy(retries=1)
    waiting = make_execute("test/q#b", schedule=Every(seconds=100, immediately=True), policy=policy)
    agenda.reconcile(Catalog().accept(make_rd(busy, waiting)), EPOCH)
    (request,) = agenda.tick(EPOCH).requests
    ((_, run),) = agenda.tick(later(100)).left_out
    assert (run.key, run.outcome, run.due) == ("test/q#b", Outcome.MISSED, EPOCH)
    assert run.error == "it waited for a free slot until the next was due, which takes its place"
    agenda.finish(make_run(request))
    (request,) = agenda.tick(later(120)).requests
    assert (request.execute.key, request.due) == ("test/q#b", later(100))


def test_what_waits_for_a_slot_comes_in_the_order_it_was_due_whatever_its_policy() -> None:
    agenda = Agenda(run_ids=run_ids(), slots=0)
    executes = [
        make_execute(
            f"test/q#{number}",
            schedule=parse_at(f"0:0{number}"),
            policy=Policy(retries=1) if number % 2 else Policy() if number % 4 else DEFAULT_POLICY,
        )
        for number in range(1, 9)
    ]
    agenda.reconcile(Catalog().accept(make_rd(*executes)), EPOCH)
    for minute in range(1, 10):
        assert agenda.tick(later(60 * minute)).requests == []
    agenda._slots = 100
    assert [request.execute.id for request in agenda.tick(later(560)).requests] == list("12345678")


def test_what_waits_for_a_slot_past_its_grace_is_missed() -> None:
    agenda = Agenda(run_ids=run_ids(), slots=1)
    busy = make_execute("test/q#a", schedule=Every(seconds=86_400, immediately=True))
    policy = Policy(grace=timedelta(seconds=30))
    waiting = make_execute("test/q#b", schedule=Every(seconds=1000, immediately=True), policy=policy)
    agenda.reconcile(Catalog().accept(make_rd(busy, waiting)), EPOCH)
    (request,) = agenda.tick(EPOCH).requests
    agenda.finish(make_run(request))
    decisions = agenda.tick(later(31))
    assert decisions.requests == []
    ((_, run),) = decisions.left_out
    assert run.error == "it waited for a free slot for 31 s, and may be 30 s late"


def test_what_waits_and_is_taken_out_of_its_rd_is_missed() -> None:
    agenda = Agenda(run_ids=run_ids(), slots=0)
    agenda.reconcile(Catalog().accept(make_rd(make_execute(schedule=Every(seconds=9, immediately=True)))), EPOCH)
    assert agenda.tick(EPOCH).requests == []
    agenda.reconcile(Catalog(), later(1))
    ((_, run),) = agenda.tick(later(1)).left_out
    assert (run.outcome, run.error) == (
        Outcome.MISSED,
        "its execute was taken out of the RD before it could begin",
    )


def test_catching_up_while_running_obeys_the_overlap() -> None:
    execute = make_execute(schedule=Every(seconds=100, immediately=True), policy=Policy(overlap=Overlap.SKIP))
    agenda = Agenda(run_ids=run_ids())
    agenda.reconcile(Catalog().accept(make_rd(execute)), EPOCH)
    agenda.tick(EPOCH)
    outcomes = [(run.due, run.outcome) for _, run in agenda.tick(later(350)).left_out]
    assert outcomes == [
        (later(100), Outcome.MISSED),
        (later(200), Outcome.MISSED),
        (later(300), Outcome.SKIPPED),
    ]


def test_the_end_of_the_year_is_no_end() -> None:
    execute = make_execute(schedule=parse_at("m28 0:00"))
    agenda = resumed(execute, last=0, now=400 * 86_400)
    (request,) = agenda.tick(later(400 * 86_400)).requests
    assert request.due == datetime(2027, 1, 28, tzinfo=UTC)
