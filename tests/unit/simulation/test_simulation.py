"""A daemon's life with a clock that jumps: what runs when, what waits, what is left out."""

from datetime import datetime, timedelta

import pytest

from gavo_exec.catalog import Catalog
from gavo_exec.model import DEFAULT_POLICY, Execute, LastStart, Limit, Missed, Outcome, Overlap, Policy, Reason, Retry
from gavo_exec.schedule import Every, Loaded, Schedule, parse_at
from gavo_exec.simulation import Finding, Kind, Plan, Report, simulate
from gavo_exec.testing import EPOCH, make_execute, make_rd

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
HOURLY = Every(seconds=3600, immediately=True)
EACH_HOUR = parse_at(",".join(f"{hour}:00" for hour in range(24)))


def job(name: str, schedule: Schedule = HOURLY, policy: Policy = DEFAULT_POLICY) -> Execute:
    return make_execute(f"test/q#{name}", schedule=schedule, policy=policy)


def lived(
    *executes: Execute,
    hours: float = 3,
    slots: int = 10,
    minutes: dict[str, float] | None = None,
    failing: tuple[str, ...] = (),
    downs: tuple[tuple[float, float], ...] = (),
    last_starts: dict[str, LastStart] | None = None,
    retries: dict[str, Retry] | None = None,
    tell: int = 100,
) -> Report:
    """What comes of some hours; of jobs that take so many minutes, or ten."""
    plan = Plan(
        catalog=Catalog().accept(make_rd(*executes)),
        start=EPOCH,
        end=EPOCH + hours * HOUR,
        slots=slots,
        last_starts={f"test/q#{name}": mark for name, mark in (last_starts or {}).items()},
        retries={f"test/q#{name}": retry for name, retry in (retries or {}).items()},
        durations={f"test/q#{name}": each * MINUTE for name, each in (minutes or {}).items()},
        usual=10 * MINUTE,
        failing=frozenset(f"test/q#{name}" for name in failing),
        downs=tuple((EPOCH + down * HOUR, EPOCH + up * HOUR) for down, up in downs),
    )
    return simulate(plan, tell=tell)


def at(instant: datetime | None) -> float | None:
    """The minutes since the beginning."""
    return None if instant is None else (instant - EPOCH) / MINUTE


def runs(report: Report) -> list[tuple[str, float | None, float | None]]:
    """Of each run that is told its name, and the minutes at which it began and ended."""
    return [(told.run.key[7:], at(told.run.started_at), at(told.run.finished_at)) for told in report.told]


def found(report: Report) -> list[tuple[str, Kind, int, float | None]]:
    """What is out of the ordinary, with how often, and the minute of the first."""
    return [(each.key[7:], each.kind, each.count, at(each.first)) for each in report.findings]


def test_runs_begin_when_they_are_due_and_take_their_time() -> None:
    report = lived(job("a"), job("b", parse_at("1:30")), minutes={"b": 1})
    assert runs(report) == [("a", 0, 10), ("a", 60, 70), ("b", 90, 91), ("a", 120, 130)]
    assert found(report) == []
    assert [(each.key[7:], each.runs, at(each.first), at(each.last), each.busy) for each in report.jobs] == [
        ("a", 3, 0, 120, 30 * MINUTE),
        ("b", 1, 90, 90, MINUTE),
    ]
    assert (report.runs, report.records, report.peak, at(report.peak_at)) == (4, 4, 1, 0)


def test_the_end_does_not_belong_to_it_and_what_goes_on_then_has_no_end() -> None:
    report = lived(job("a"), hours=2, minutes={"a": 70})
    assert runs(report) == [("a", 0, 70), ("a", None, 60)]
    assert runs(lived(job("a"), hours=0.1)) == [("a", 0, None)]
    assert lived(job("a"), hours=0.1).jobs[0].runs == 1


def test_a_job_that_is_never_due_is_told_all_the_same() -> None:
    [told] = lived(job("a", parse_at("w1 5:00"))).jobs
    assert (told.key, told.runs, told.first, told.last) == ("test/q#a", 0, None, None)


def test_what_overlaps_is_skipped() -> None:
    report = lived(job("a"), minutes={"a": 90}, hours=4)
    assert found(report) == [("a", Kind.SKIPPED, 2, 60)]
    [finding] = report.findings
    assert finding.cause.startswith("still running since 2026-01-01 00:00:00 UTC")
    assert (at(finding.last), report.jobs[0].skipped) == (180, 2)


def test_what_overlaps_may_wait_for_its_run_before() -> None:
    report = lived(job("a", policy=Policy(overlap=Overlap.QUEUE)), minutes={"a": 70})
    assert runs(report) == [("a", 0, 70), ("a", 70, 140), ("a", 140, None)]
    assert found(report) == [("a", Kind.WAITED, 2, 60)]
    [finding] = report.findings
    assert (finding.cause, finding.longest, at(finding.longest_due)) == ("its run before", 20 * MINUTE, 120)
    assert (report.jobs[0].waited, report.jobs[0].longest_wait) == (2, 20 * MINUTE)


def test_what_overlaps_may_end_its_run_before() -> None:
    report = lived(job("a", policy=Policy(overlap=Overlap.REPLACE)), minutes={"a": 70}, hours=2)
    assert runs(report) == [("a", 0, 60), ("a", 60, None)]
    assert found(report) == [("a", Kind.REPLACED, 1, 0)]
    assert "replaced by the run due 2026-01-01 01:00:00 UTC" in report.findings[0].cause


def test_what_overlaps_may_run_beside_it() -> None:
    report = lived(job("a", policy=Policy(overlap=Overlap.ALLOW)), minutes={"a": 150})
    assert runs(report) == [("a", 0, 150), ("a", 60, None), ("a", 120, None)]
    assert (report.peak, at(report.peak_at), found(report)) == (3, 120, [])


def test_where_there_are_few_slots_runs_wait_for_them() -> None:
    report = lived(job("a"), job("b"), job("c"), slots=2, hours=1)
    assert runs(report) == [("a", 0, 10), ("b", 0, 10), ("c", 10, 20)]
    [finding] = report.findings
    assert finding == Finding(
        key="test/q#c",
        kind=Kind.WAITED,
        count=1,
        first=EPOCH,
        last=EPOCH,
        cause="a free slot",
        longest=10 * MINUTE,
        longest_due=EPOCH,
    )
    assert report.peak == 2


def test_runs_wait_for_the_limits_that_they_share() -> None:
    limit = Policy(limit=Limit(name="archive", at_most=2))
    report = lived(job("a", policy=limit), job("b", policy=limit), job("c", policy=limit), job("d"), hours=1)
    assert sorted(runs(report)) == [("a", 0, 10), ("b", 0, 10), ("c", 10, 20), ("d", 0, 10)]
    assert [(each.key, each.cause) for each in report.findings] == [("test/q#c", "the limit archive")]


def test_runs_wait_for_what_runs_when_their_rd_is_loaded() -> None:
    report = lived(job("a"), job("first", Loaded()), hours=1)
    assert runs(report) == [("first", 0, 10), ("a", 10, 20)]
    assert [(each.key, each.cause) for each in report.findings] == [("test/q#a", "what runs when its RD is loaded")]


def test_of_several_things_that_stood_in_the_way_the_last_is_told() -> None:
    queue = Policy(overlap=Overlap.QUEUE)
    report = lived(job("a", policy=queue), job("b", parse_at("0:59")), minutes={"a": 65}, slots=1, hours=1.5)
    assert runs(report) == [("a", 0, 65), ("b", 65, 75), ("a", 75, None)]
    assert {(each.key[7:], each.cause) for each in report.findings} == {("a", "a free slot"), ("b", "a free slot")}


def test_what_waits_at_the_end_is_told() -> None:
    report = lived(job("a"), job("b"), job("first", Loaded()), slots=1, hours=0.5, minutes={"first": 45})
    assert runs(report) == [("first", 0, None)]
    assert found(report) == [("a", Kind.WAITING, 1, 0), ("b", Kind.WAITING, 1, 0)]
    assert report.findings[0].longest == 30 * MINUTE
    queue = lived(job("a", policy=Policy(overlap=Overlap.QUEUE)), minutes={"a": 300}, hours=1.5)
    assert found(queue) == [("a", Kind.WAITING, 1, 60)]
    assert found(lived(job("a"), job("b"), slots=1, hours=0.1)) == [("b", Kind.WAITING, 1, 0)]


def test_what_takes_longer_than_it_may_is_ended() -> None:
    report = lived(job("a", policy=Policy(timeout=5 * MINUTE)), hours=1)
    assert runs(report) == [("a", 0, 5)]
    assert found(report) == [("a", Kind.TIMED_OUT, 1, 0)]
    assert report.jobs[0].failed == 1


def test_what_fails_is_tried_again() -> None:
    policy = Policy(retries=2, retry_delay=10 * MINUTE)
    report = lived(job("a", parse_at("0:30"), policy), failing=("a",), hours=2)
    told = [told.run for told in report.told]
    assert [(run.outcome, run.reason, run.attempt, run.due == told[0].due) for run in told] == [
        (Outcome.FAILED, Reason.SCHEDULED, 1, True),
        (Outcome.FAILED, Reason.RETRY, 2, True),
        (Outcome.FAILED, Reason.RETRY, 3, True),
    ]
    assert [int(at(run.started_at) or 0) for run in told] == [30, 50, 80]
    assert (report.jobs[0].failed, report.jobs[0].retries, report.findings) == (3, 2, ())


def test_a_retry_that_waits_has_waited_since_it_was_to_begin() -> None:
    retry = Retry(due=EPOCH - 5 * HOUR, attempt=2, at=EPOCH + 5 * MINUTE)
    report = lived(
        job("a", parse_at("12:00"), Policy(retries=1)),
        job("b"),
        slots=1,
        retries={"a": retry},
        hours=0.5,
        minutes={"b": 20},
    )
    assert runs(report) == [("b", 0, 20), ("a", 20, None)]
    assert report.findings[0].longest == 15 * MINUTE


def test_executes_that_wait_for_files_find_some_each_time() -> None:
    assert runs(lived(job("a", policy=Policy(files="/in/*")), hours=2)) == [("a", 0, 10), ("a", 60, 70)]


# Downtimes


@pytest.mark.parametrize(
    ("downs", "ups"),
    [
        ((), [(0, 10)]),
        (((2, 4),), [(0, 2), (4, 10)]),
        (((6, 7), (2, 4), (3, 5)), [(0, 2), (5, 6), (7, 10)]),
        (((0, 4),), [(4, 10)]),
        (((-2, 4),), [(4, 10)]),
        (((-2, -1),), [(0, 10)]),
        (((8, 10),), [(0, 8)]),
        (((8, 20), (30, 40)), [(0, 8)]),
        (((20, 30),), [(0, 10)]),
        (((-1, 20),), []),
    ],
)
def test_a_daemon_runs_when_it_is_not_down(downs: tuple[tuple[int, int], ...], ups: list[tuple[int, int]]) -> None:
    plan = Plan(
        catalog=Catalog(),
        start=EPOCH,
        end=EPOCH + 10 * HOUR,
        slots=1,
        downs=tuple((EPOCH + down * HOUR, EPOCH + up * HOUR) for down, up in downs),
    )
    assert [((begin - EPOCH) / HOUR, (end - EPOCH) / HOUR) for begin, end in plan.ups()] == ups


def test_what_runs_when_the_daemon_ends_is_interrupted() -> None:
    report = lived(job("a"), downs=((1.1, 1.5),))
    assert runs(report) == [("a", 0, 10), ("a", 60, 66), ("a", 120, 130)]
    assert found(report) == [("a", Kind.INTERRUPTED, 1, 60)]


@pytest.mark.parametrize(
    ("missed", "caught_up", "left_out"),
    [
        (Missed.ONCE, [210], 2),
        (Missed.SKIP, [], 3),
        (Missed.ALL, [210, 220, 230], 0),
    ],
)
def test_what_passed_meanwhile_is_made_up_for_as_its_policy_says(
    missed: Missed, caught_up: list[float], left_out: int
) -> None:
    report = lived(job("a", EACH_HOUR, Policy(missed=missed)), downs=((0.5, 3.5),), hours=3.9)
    made_up = [told.run for told in report.told if told.run.reason is Reason.CATCH_UP and told.run.started_at]
    assert [at(run.started_at) for run in made_up] == caught_up
    assert report.jobs[0].missed == left_out
    kinds = {each.kind: each.count for each in report.findings}
    assert kinds.get(Kind.CAUGHT_UP, 0) == len(caught_up)
    assert kinds.get(Kind.MISSED, 0) == left_out
    assert all("no daemon ran then" in each.cause for each in report.findings if each.kind is Kind.MISSED)


def test_one_who_makes_up_at_once_has_waited_for_nothing() -> None:
    report = lived(job("a", EACH_HOUR, Policy(missed=Missed.ALL)), downs=((0.5, 2.5),), hours=2.9)
    assert [(told.waited / MINUTE, told.waited_for) for told in report.told] == [(0, ""), (10, "its run before")]


def test_a_retry_outlives_the_daemon_unless_another_run_began() -> None:
    policy = Policy(retries=1, retry_delay=40 * MINUTE)
    report = lived(job("a", parse_at("0:05"), policy), failing=("a",), downs=((0.5, 2),), hours=4)
    assert [(told.run.attempt, at(told.run.started_at)) for told in report.told] == [(1, 5), (2, 120)]
    again = lived(job("a", parse_at("0:05,0:30"), policy), failing=("a",), downs=((0.6, 0.8),), hours=1.5)
    assert [(told.run.attempt, at(told.run.started_at)) for told in again.told] == [(1, 5), (1, 30)]


def test_a_daemon_that_is_down_at_the_end_has_nothing_waiting() -> None:
    report = lived(job("a"), job("b"), slots=1, downs=((0.1, 9),))
    assert found(report) == [("a", Kind.INTERRUPTED, 1, 0)]


def test_a_daemon_that_is_always_down_does_nothing() -> None:
    report = lived(job("a"), downs=((-1, 9),))
    assert (report.runs, report.records, report.peak, report.peak_at, report.busiest) == (0, 0, 0, None, ())


# Sums


def test_what_is_recorded_is_gone_by() -> None:
    mark = LastStart(at=EPOCH - 30 * MINUTE, schedule="every 1 h, at once when first loaded")
    assert runs(lived(job("a"), last_starts={"a": mark}, hours=1)) == [("a", 30, 40)]
    long_ago = LastStart(at=EPOCH - 9.5 * HOUR, schedule=mark.schedule)
    assert found(lived(job("a"), last_starts={"a": long_ago}, hours=1))[-1][1] is Kind.CAUGHT_UP
    by_another = LastStart(at=EPOCH - 9 * HOUR, schedule="every 2 h")
    assert found(lived(job("a"), last_starts={"a": by_another}, hours=1)) == []


def test_only_so_many_runs_are_told_those_that_began_first() -> None:
    report = lived(job("a"), job("b", parse_at("0:01")), minutes={"a": 50}, tell=2)
    assert runs(report) == [("a", 0, 50), ("b", 1, 11)]
    assert report.records == 4
    assert lived(job("a"), tell=0).told == ()


def test_the_minutes_in_which_most_begin_are_told() -> None:
    times = "0:01,0:02,0:03,0:04,0:05,0:06"
    others = job("b", parse_at("0:06,0:05")), job("c", parse_at("0:05"))
    report = lived(job("a", parse_at(times)), *others, minutes={"a": 0.1, "b": 0.1})
    assert [(at(minute), count) for minute, count in report.busiest] == [(5, 3), (6, 2), (1, 1), (2, 1), (3, 1)]
