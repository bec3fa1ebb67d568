"""The next runs of a job: what is due, and what passed unserved and is made up for."""

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from gavo_exec.model import DEFAULT_POLICY, LastStart, Missed, Policy, Reason, Retry
from gavo_exec.schedule import At, Every, Loaded, Schedule, Window, narrowed, parse_at
from gavo_exec.simulation import coming_runs
from gavo_exec.testing import make_execute, make_rd

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
HOURLY = Every(seconds=3600)
EACH_HOUR = parse_at(",".join(f"{hour}:00" for hour in range(24)))
NEVER = narrowed(parse_at("7:30"), window=Window(only=("* * * 1 *",), excluded=("* * * 1 *",)))


def coming(
    schedule: Schedule,
    *,
    last: float | None = None,
    words: str | None = None,
    policy: Policy = DEFAULT_POLICY,
    retry: Retry | None = None,
    start: datetime = NOON,
    count: int = 3,
) -> list[tuple[float, Reason]]:
    """The hours after noon at which it runs, where ``last`` is the hour up to which all is accounted for."""
    execute = make_execute(schedule=schedule, policy=policy)
    mark = None
    if last is not None:
        mark = LastStart(at=NOON + last * HOUR, schedule=schedule.describe() if words is None else words)
    runs = coming_runs(make_rd(execute), execute, start=start, last_start=mark, retry=retry)
    return [((run.at - NOON) / HOUR, run.reason) for run in islice(runs, count)]


def scheduled(*hours: float) -> list[tuple[float, Reason]]:
    return [(hour, Reason.SCHEDULED) for hour in hours]


@pytest.mark.parametrize(
    ("schedule", "last", "expected"),
    [
        (HOURLY, None, scheduled(0.1, 1.1, 2.1)),
        (Every(seconds=3600, immediately=True), None, scheduled(0, 1, 2)),
        (HOURLY, -0.5, scheduled(0.5, 1.5, 2.5)),
        (HOURLY, -5, [(0, Reason.CATCH_UP), *scheduled(1, 2)]),
        (parse_at("12:00,13:00"), None, scheduled(1, 24, 25)),
        (parse_at("12:00"), 0, scheduled(24, 48, 72)),
        (parse_at("11:00"), -25, [(0, Reason.CATCH_UP), *scheduled(23, 47)]),
        (parse_at("11:00"), -1, scheduled(23, 47, 71)),
        (parse_at("12:00"), -24, scheduled(0, 24, 48)),
        (Loaded(), None, [(0, Reason.STARTUP)]),
        (NEVER, None, []),
    ],
)
def test_runs_come_on_and_on(schedule: Schedule, last: float | None, expected: list[tuple[float, Reason]]) -> None:
    found = coming(schedule, last=last)
    assert [reason for _, reason in found] == [reason for _, reason in expected]
    assert [hour for hour, _ in found] == pytest.approx([hour for hour, _ in expected])


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (Policy(), [(0, Reason.CATCH_UP), *scheduled(1)]),
        (Policy(missed=Missed.SKIP), scheduled(1, 2)),
        (Policy(grace=timedelta(minutes=20)), scheduled(1, 2)),
        (Policy(grace=timedelta(minutes=40)), [(0, Reason.CATCH_UP), *scheduled(1)]),
        (Policy(missed=Missed.ALL), [(0, Reason.CATCH_UP), (0, Reason.CATCH_UP)]),
        (Policy(missed=Missed.ALL, grace=HOUR), [(0, Reason.CATCH_UP), *scheduled(1)]),
        (Policy(files="/in/*"), [(0, Reason.CATCH_UP), *scheduled(1)]),
    ],
)
def test_what_passed_is_made_up_for_as_the_policy_says(policy: Policy, expected: list[tuple[float, Reason]]) -> None:
    """It is half past now, and two hours have passed."""
    found = coming(EACH_HOUR, last=-2, policy=policy, start=NOON + HOUR / 2, count=2)
    assert [(max(hour - 0.5, 0) if reason is Reason.CATCH_UP else hour, reason) for hour, reason in found] == expected


@pytest.mark.parametrize("schedule", [parse_at("11:00"), HOURLY])
def test_what_passed_of_another_schedule_was_not_missed(schedule: Schedule) -> None:
    [(hour, reason)] = coming(schedule, last=-49, words="at 10:00 UTC", count=1)
    assert (hour, reason) == ((23 if isinstance(schedule, At) else 0), Reason.SCHEDULED)


def test_a_retry_that_is_recorded_comes_before_what_is_due() -> None:
    retry = Retry(due=NOON - HOUR, attempt=2, at=NOON + HOUR / 4)
    policy = Policy(retries=3)
    assert coming(HOURLY, last=-0.5, policy=policy, retry=retry, count=2) == [(0.25, Reason.RETRY), *scheduled(0.5)]
    assert coming(HOURLY, last=-0.5, retry=retry, count=1) == scheduled(0.5)


def test_where_the_clock_is_far_behind_what_is_recorded_all_begins_anew() -> None:
    assert coming(parse_at("13:00"), last=49, count=1) == scheduled(1)
    assert coming(parse_at("13:00"), last=1, count=1) == scheduled(25)


@pytest.mark.parametrize("schedule", [Every(seconds=86_400), parse_at("12:00"), parse_at("m1 1:00")])
def test_runs_end_where_the_calendar_does(schedule: At | Every) -> None:
    end = datetime(9999, 12, 30, 13, tzinfo=UTC)
    assert len(coming(schedule, start=end, count=9)) <= 2
