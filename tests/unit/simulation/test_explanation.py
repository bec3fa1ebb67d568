"""Why a job did or did not run: the answers, with what speaks for them."""

from datetime import UTC, datetime, timedelta

import pytest

from gavo_exec.model import DEFAULT_POLICY, LastStart, Limit, Missed, Outcome, Overlap, Policy, Reason, Retry, Run
from gavo_exec.schedule import Every, Loaded, Schedule, Window, narrowed, parse_at
from gavo_exec.simulation import Case, Explanation, Verdict, explain
from gavo_exec.testing import make_execute, make_rd

NOW = datetime(2026, 3, 4, 15, 20, tzinfo=UTC)  # a Wednesday
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
HOURLY = Every(seconds=3600)
THREE_TIMES = parse_at("6:00, 12:00, 18:00")


def at(hour: int, minute: int = 0, second: int = 0, *, day: int = 4) -> datetime:
    return datetime(2026, 3, day, hour, minute, second, tzinfo=UTC)


def run(
    due: datetime,
    outcome: Outcome | None = Outcome.SUCCEEDED,
    *,
    name: str = "r1",
    late: timedelta | None = timedelta(0),
    took: timedelta = 12 * MINUTE,
    reason: Reason = Reason.SCHEDULED,
    attempt: int = 1,
    error: str = "",
    instants: int = 1,
) -> Run:
    """A record; ``late`` is how late it began, None where it never did."""
    began = None if late is None else due + late
    ended = None if outcome is None else (began or due) + (took if began else timedelta(0))
    return Run(
        run_id=name,
        key="test/q#job",
        title="a job",
        due=due,
        reason=reason,
        attempt=attempt,
        started_at=began,
        finished_at=ended,
        outcome=outcome,
        error=error,
        instants=instants,
    )


def case(
    schedule: Schedule | None = THREE_TIMES,
    *records: Run,
    policy: Policy = DEFAULT_POLICY,
    mark: datetime | None = at(12),  # noqa: B008 -- an instant never changes
    words: str | None = None,
    retry: Retry | None = None,
    is_all: bool = True,
    fault: str = "",
    held_back: bool = False,
    daemon: bool = True,
    others: tuple[Schedule, ...] = (),
) -> Case:
    """What is known of a job; by its ``mark`` and the ``words`` of the schedule that goes with it, if it is another."""
    declared = None
    if schedule is not None:
        execute = make_execute(schedule=schedule, policy=policy)
        declared = make_rd(execute, *(make_execute("test/q#other", schedule=each) for each in others)), execute
    spoken = words if words is not None else schedule.describe() if schedule is not None else ""
    return Case(
        now=NOW,
        declared=declared,
        last_start=LastStart(at=mark, schedule=spoken) if mark is not None else None,
        retry=retry,
        records=records,
        is_all=is_all,
        fault=fault,
        broken_since=at(9) if fault else None,
        held_back=held_back,
        daemon=daemon,
        state_dir="/state",
    )


def says(found: Explanation, verdict: Verdict, answer: str, *evidence: str) -> bool:
    """Whether it says this, the evidence in this order and perhaps more of it."""
    assert (found.verdict, found.answer) == (verdict, answer)
    said = iter(found.evidence)
    assert all(line in said for line in evidence), found.evidence
    return True


# Of what is on record


@pytest.mark.parametrize(
    ("record", "verdict", "answer"),
    [
        (
            run(at(12)),
            Verdict.RAN,
            "It ran at 2026-03-04 12:00:00 UTC and succeeded after 12 min (run r1).",
        ),
        (
            run(at(12), Outcome.FAILED, took=timedelta(seconds=0.06), error="exit 3: no archive\nmuch more"),
            Verdict.RAN,
            "It ran at 2026-03-04 12:00:00 UTC and failed after 0.06 s: exit 3: no archive (run r1).",
        ),
        (
            run(at(12), Outcome.TIMED_OUT, took=2 * HOUR, error="it may take 2 h"),
            Verdict.RAN,
            ("It ran at 2026-03-04 12:00:00 UTC and was ended by its time limit after 2 h: it may take 2 h (run r1)."),
        ),
        (
            run(at(12), Outcome.CANCELLED, error="replaced by the run due 12:05"),
            Verdict.RAN,
            "It ran at 2026-03-04 12:00:00 UTC and was ended after 12 min: replaced by the run due 12:05 (run r1).",
        ),
        (
            run(at(12), Outcome.INTERRUPTED, error="process 7 ended"),
            Verdict.RAN,
            ("It ran at 2026-03-04 12:00:00 UTC and was interrupted after 12 min: process 7 ended (run r1)."),
        ),
        (run(at(12), None), Verdict.RUNNING, "It began at 2026-03-04 12:00:00 UTC and goes on (run r1)."),
        (
            run(at(12), Outcome.SKIPPED, late=None, error="still running since 06:00 (run r0)"),
            Verdict.SKIPPED,
            "It was due at 2026-03-04 12:00:00 UTC and was left out: still running since 06:00 (run r0) (run r1).",
        ),
        (
            run(at(12), Outcome.MISSED, late=None, error="no daemon ran then; a later run makes up for it"),
            Verdict.MISSED,
            (
                "It was due at 2026-03-04 12:00:00 UTC and was missed: no daemon ran then; a later run makes up for it "
                "(run r1)."
            ),
        ),
        (
            run(at(12), Outcome.FAILED, late=None, error="no such folder"),
            Verdict.FAILED_TO_BEGIN,
            ("It was due at 2026-03-04 12:00:00 UTC and did not begin: no such folder (run r1)."),
        ),
        (
            run(at(12, 0, 30), reason=Reason.TRIGGERED),
            Verdict.RAN,
            "It ran at 2026-03-04 12:00:30 UTC, since somebody asked for it, and succeeded after 12 min (run r1).",
        ),
    ],
)
def test_what_is_on_record_is_told(record: Run, verdict: Verdict, answer: str) -> None:
    found = explain(case(THREE_TIMES, record), at(12))
    assert says(found, verdict, answer, "its schedule: at 6:00, 12:00, 18:00 UTC")
    assert found.runs == (record,)
    assert (found.around.before, found.around.within, found.around.after) == (at(6), record.due, at(18))


def test_it_is_told_when_it_is_due_next() -> None:
    found = explain(case(THREE_TIMES, run(at(12))), at(12))
    assert found.evidence[-1] == "it is due next at 2026-03-04 18:00:00 UTC, in 2 h 40 min"


def test_what_a_run_waited_for_is_told() -> None:
    policy = Policy(limit=Limit(name="archive"), overlap=Overlap.QUEUE)
    found = explain(case(THREE_TIMES, run(at(12), late=5 * MINUTE), policy=policy, others=(Loaded(),)), at(12))
    assert says(
        found,
        Verdict.RAN,
        "It ran at 2026-03-04 12:05:00 UTC and succeeded after 12 min (run r1).",
        "it was due at 2026-03-04 12:00:00 UTC, and waited 5 min for a free slot or its limit archive or its run "
        "before or what runs when its RD is loaded",
    )


def test_a_run_that_began_then_is_told_though_it_was_due_before() -> None:
    late = run(at(6), late=6 * HOUR + 3 * MINUTE, reason=Reason.CATCH_UP)
    found = explain(case(HOURLY, late), at(12, 3))
    assert says(
        found,
        Verdict.RAN,
        "It ran at 2026-03-04 12:03:00 UTC and succeeded after 12 min (run r1).",
        "it was due at 2026-03-04 06:00:00 UTC, and made up 6 h 3 min later for what had passed unserved",
    )


def test_the_attempts_that_followed_are_told() -> None:
    records = (
        run(at(12), Outcome.FAILED, late=9 * MINUTE, took=MINUTE, attempt=2, reason=Reason.RETRY, name="r2", error="b"),
        run(at(12), Outcome.FAILED, took=MINUTE, error="a"),
    )
    retry = Retry(due=at(12), attempt=3, at=at(15, 30))
    found = explain(case(THREE_TIMES, *records, retry=retry, policy=Policy(retries=2)), at(12))
    assert says(
        found,
        Verdict.RAN,
        "It ran at 2026-03-04 12:00:00 UTC and failed after 1 min: a (run r1).",
        "attempt 2: it ran at 2026-03-04 12:09:00 UTC and failed after 1 min: b (run r2)",
        "attempt 3 is to begin at 2026-03-04 15:30:00 UTC",
        "it is due next at 2026-03-04 15:30:00 UTC, in 10 min, to try again",
    )
    assert [run.run_id for run in found.runs] == ["r1", "r2"]


def test_what_stood_in_the_way_is_told() -> None:
    records = (
        run(at(11), Outcome.SKIPPED, late=None, name="r2", error="still running since 10:00"),
        run(at(10), took=90 * MINUTE),
    )
    found = explain(case(HOURLY, *records, mark=at(11)), at(11))
    assert says(
        found,
        Verdict.SKIPPED,
        "It was due at 2026-03-04 11:00:00 UTC and was left out: still running since 10:00 (run r2).",
        "its run before: it ran at 2026-03-04 10:00:00 UTC and succeeded after 1 h 30 min (run r1)",
        "run.overlap can let it wait (queue), take the other's place (replace), or run beside it (allow)",
    )


def test_what_made_up_for_it_is_told() -> None:
    records = (
        run(at(12), late=80 * MINUTE, reason=Reason.CATCH_UP, name="r2"),
        run(at(6), Outcome.MISSED, late=None, error="no daemon ran then; a later run makes up for it"),
    )
    found = explain(case(THREE_TIMES, *records), at(6))
    assert says(
        found,
        Verdict.MISSED,
        "It was due at 2026-03-04 06:00:00 UTC and was missed: no daemon ran then; a later run makes up for it "
        "(run r1).",
        "a later run made up for it: it ran at 2026-03-04 13:20:00 UTC and succeeded after 12 min (run r2)",
    )
    skipping = explain(case(THREE_TIMES, records[1], policy=Policy(missed=Missed.SKIP)), at(6))
    assert "what passes unserved is not made up for (when.missed is skip)" in skipping.evidence


@pytest.mark.parametrize(
    ("schedule", "asked", "due"),
    [
        (parse_at("12:00"), at(12, day=1), at(12, day=1)),
        (Every(seconds=86_400), at(12, day=1), at(12, day=1)),
    ],
)
def test_one_record_may_stand_for_many_instants(schedule: Schedule, asked: datetime, due: datetime) -> None:
    summed = run(at(12, day=3), Outcome.MISSED, late=None, error="50 instants up to this one passed", instants=50)
    found = explain(case(schedule, summed, mark=at(12)), asked)
    assert says(
        found,
        Verdict.MISSED,
        f"It was due at {due:%Y-%m-%d} 12:00:00 UTC and was missed, as one of many: 50 instants up to this one passed.",
    )
    assert found.runs == (summed,)
    other = explain(case(schedule, summed, mark=at(12)), at(11, day=1))
    assert other.verdict is Verdict.NOT_DUE
    alone = explain(case(schedule, run(at(12, day=3), Outcome.MISSED, late=None), mark=at(12)), asked)
    assert alone.verdict is not Verdict.MISSED


def test_of_several_in_a_minute_the_one_that_was_asked_for_is_told() -> None:
    records = [run(at(12, 0, second), name=f"r{second}", took=timedelta(seconds=1)) for second in (40, 20, 0)]
    found = explain(case(Every(seconds=20), *records), at(12))
    assert found.answer.endswith("(run r0).")
    assert "2 more instants were due within the same minute" in found.evidence
    found = explain(case(Every(seconds=20), *records), at(12, 0, 20))
    assert found.answer.endswith("(run r20).")


# Of what is not


def test_an_instant_that_the_schedule_does_not_have_was_not_due() -> None:
    found = explain(case(THREE_TIMES, run(at(12)), run(at(6), name="r0")), at(9))
    assert says(
        found,
        Verdict.NOT_DUE,
        "It was not due at 2026-03-04 09:00:00 UTC: before that it was due at 2026-03-04 06:00:00 UTC, and after that "
        "it was due at 2026-03-04 12:00:00 UTC.",
        "the record before: it ran at 2026-03-04 06:00:00 UTC and succeeded after 12 min (run r0)",
        "the record after: it ran at 2026-03-04 12:00:00 UTC and succeeded after 12 min (run r1)",
    )
    assert (found.around.before, found.around.within, found.around.after) == (at(6), None, at(12))


def test_intervals_are_looked_for_among_the_records_and_after_them() -> None:
    records = (run(at(14, 10), name="r2"), run(at(13, 10)))
    found = explain(case(HOURLY, *records, mark=at(14, 10)), at(13, 40))
    assert (found.verdict, found.around.before, found.around.after) == (Verdict.NOT_DUE, at(13, 10), at(14, 10))
    found = explain(case(HOURLY, *records, mark=at(14, 10)), at(14, 40))
    assert (found.verdict, found.around.before, found.around.after) == (Verdict.NOT_DUE, at(14, 10), at(15, 10))


def test_a_run_that_went_on_then_is_told() -> None:
    found = explain(case(THREE_TIMES, run(at(6), took=5 * HOUR)), at(9))
    assert "a run went on then: it ran at 2026-03-04 06:00:00 UTC and succeeded after 5 h (run r1)" in found.evidence


def test_why_it_was_not_due_is_told_where_it_is_not_plain() -> None:
    schedule = narrowed(parse_at("12:00"), window=Window(excluded=("* * * * 3",)))
    found = explain(case(schedule), at(12))
    assert found.verdict is Verdict.NOT_DUE
    assert found.evidence[0].startswith("a time of it falls on 2026-03-04 12:00:00 UTC, which its window leaves out")


def test_instants_are_shown_by_the_clocks_that_the_schedule_goes_by() -> None:
    schedule = narrowed(parse_at("7:30"), zone="Europe/Berlin")
    found = explain(case(schedule), at(7, 30))
    assert found.answer == (
        "It was not due at 2026-03-04 07:30:00 UTC (2026-03-04 08:30:00 in Europe/Berlin): before that it was due at "
        "2026-03-04 06:30:00 UTC (2026-03-04 07:30:00 in Europe/Berlin), and after that it is due at "
        "2026-03-05 06:30:00 UTC (2026-03-05 07:30:00 in Europe/Berlin)."
    )
    assert found.evidence[0] == "its times are by clocks in Europe/Berlin, not in UTC"


@pytest.mark.parametrize(
    ("known", "verdict", "why"),
    [
        (
            case(mark=None),
            Verdict.UNKNOWN,
            "nothing at all is recorded of this job: no daemon has had it on its timetable",
        ),
        (case(mark=at(14)), Verdict.UNKNOWN, "nothing is recorded of this job from before 2026-03-04 14:00:00 UTC"),
        (
            case(THREE_TIMES, run(at(6)), words="at 6:00 UTC", mark=at(6)),
            Verdict.UNKNOWN,
            "no daemon has taken up this schedule: what is recorded is by another (at 6:00 UTC)",
        ),
        (
            case(THREE_TIMES, run(at(13)), run(at(6)), mark=at(13)),
            Verdict.UNKNOWN,
            "nothing is recorded of that: it had another schedule then, or its RD was broken or not there",
        ),
        (
            case(THREE_TIMES, run(at(6)), mark=at(13), policy=Policy(files="/in/*")),
            Verdict.NOTHING_NEW,
            "nothing was new in /in/*, which leaves no record",
        ),
        (case(mark=at(6), daemon=False), Verdict.UNSERVED, "no daemon has come to it"),
    ],
)
def test_an_instant_that_was_due_and_is_not_on_record(known: Case, verdict: Verdict, why: str) -> None:
    found = explain(known, at(12))
    begin = "By its schedule of now it was" if verdict is Verdict.UNKNOWN else "It was"
    assert (found.verdict, found.answer) == (verdict, f"{begin} due at 2026-03-04 12:00:00 UTC, but {why}.")
    assert found.around.within == at(12)


@pytest.mark.parametrize(
    ("policy", "fate"),
    [
        (Policy(), "runs it at once"),
        (Policy(files="/in/*"), "runs it at once"),
        (Policy(missed=Missed.SKIP), "leaves it out: no daemon ran then; it is 3 h 20 min late, and may be 1 min"),
        (Policy(grace=HOUR), "leaves it out: no daemon ran then; it is 3 h 20 min late, and may be 1 h"),
    ],
)
def test_it_is_told_what_a_daemon_would_make_of_it(policy: Policy, fate: str) -> None:
    found = explain(case(mark=at(6), daemon=False, policy=policy), at(12))
    assert found.evidence[0] == f"a daemon that starts now {fate}"
    assert "no daemon runs on /state" in found.evidence
    earlier = explain(case(mark=at(18, day=3), daemon=False), at(6))
    assert (
        earlier.evidence[0] == "a daemon that starts now leaves it out: no daemon ran then; a later run makes up for it"
    )


def test_what_waits_is_told_where_a_daemon_runs() -> None:
    found = explain(case(mark=at(6)), at(12))
    assert says(
        found,
        Verdict.WAITING,
        "It was due at 2026-03-04 12:00:00 UTC and has not begun: it waits for a free slot, or the daemon is just "
        "about to come to it.",
    )
    going = run(at(6), None)
    found = explain(case(THREE_TIMES, going, mark=at(6), policy=Policy(overlap=Overlap.QUEUE)), at(12))
    assert says(
        found,
        Verdict.WAITING,
        "It was due at 2026-03-04 12:00:00 UTC and has not begun: it waits for its run before, which goes on since "
        "2026-03-04 06:00:00 UTC.",
    )


def test_an_interval_without_new_files_leaves_no_record() -> None:
    found = explain(case(HOURLY, run(at(6)), mark=at(15), policy=Policy(files="/in/*")), at(12))
    assert says(
        found,
        Verdict.NOTHING_NEW,
        "It did not run at 2026-03-04 12:00:00 UTC: if it was due, nothing was new in /in/*, which leaves no record.",
        "the record before: it ran at 2026-03-04 06:00:00 UTC and succeeded after 12 min (run r1)",
    )


def test_a_new_interval_was_not_due_before_anything_was_known_of_it() -> None:
    found = explain(case(HOURLY, mark=None), at(12))
    assert says(
        found,
        Verdict.NOT_DUE,
        "It was not due at 2026-03-04 12:00:00 UTC.",
        "nothing at all is recorded of this job: no daemon has had it on its timetable",
    )


def test_what_is_loaded_is_not_due_at_instants() -> None:
    loads = run(at(9), reason=Reason.STARTUP)
    found = explain(case(Loaded(), loads, mark=None), at(12))
    assert says(
        found, Verdict.NOT_DUE, "It was not started at 2026-03-04 12:00:00 UTC: it runs whenever its RD is loaded."
    )
    assert explain(case(Loaded(), loads, mark=None), at(9)).verdict is Verdict.RAN
    found = explain(case(Loaded(), mark=None), at(18))
    assert says(found, Verdict.NEVER, "It is due at no instant: it runs whenever its RD is loaded.")


# Of what is to come


def test_an_instant_to_come_is_told_with_what_may_be_in_the_way() -> None:
    found = explain(case(policy=Policy(files="/in/*")), at(18))
    assert says(
        found,
        Verdict.COMING,
        "It will be due at 2026-03-04 18:00:00 UTC, in 2 h 40 min.",
        "it is left out if its run before still goes on then (run.overlap is skip)",
        "it runs only if something is new in /in/*",
    )
    assert found.around.within == at(18)


@pytest.mark.parametrize(
    ("overlap", "words"),
    [
        (Overlap.QUEUE, "it waits if its run before still goes on then (run.overlap is queue)"),
        (Overlap.REPLACE, "its run before is ended if that still goes on then (run.overlap is replace)"),
        (Overlap.ALLOW, "its schedule: at 6:00, 12:00, 18:00 UTC"),
    ],
)
def test_what_becomes_of_two_at_once_is_told(overlap: Overlap, words: str) -> None:
    assert explain(case(policy=Policy(overlap=overlap)), at(18)).evidence[0] == words


def test_an_instant_to_come_that_the_schedule_does_not_have() -> None:
    found = explain(case(), at(17))
    assert found.answer == (
        "It will not be due at 2026-03-04 17:00:00 UTC: before that it was due at 2026-03-04 12:00:00 UTC, and after "
        "that it is due at 2026-03-04 18:00:00 UTC."
    )


def test_intervals_to_come_are_counted_from_the_next_run() -> None:
    found = explain(case(HOURLY, mark=at(15, 10)), at(16, 10, day=20))
    assert found.answer == "It will be due at 2026-03-20 16:10:00 UTC, in 16 d 50 min."
    found = explain(case(HOURLY, mark=at(6), daemon=False), at(16))
    assert (found.around.before, found.around.after) == (NOW, NOW + HOUR)
    assert "no daemon runs on /state" in found.evidence
    assert "no daemon runs on /state" not in explain(case(HOURLY, mark=at(6)), at(16)).evidence


def test_a_retry_to_come_is_told() -> None:
    retry = Retry(due=at(12), attempt=2, at=at(15, 30, 20))
    found = explain(case(retry=retry, policy=Policy(retries=1)), at(15, 30))
    assert found.answer == "It will be due at 2026-03-04 15:30:20 UTC, in 10 min 20 s."


def test_the_minute_that_it_is_may_hold_what_is_still_to_come() -> None:
    schedule = narrowed(parse_at("15:20"), delay_seconds=30)
    assert explain(case(schedule), NOW).answer == "It will be due at 2026-03-04 15:20:30 UTC, in 30 s."


# Of now


@pytest.mark.parametrize(
    ("known", "verdict", "answer"),
    [
        (case(), Verdict.COMING, "It is due next at 2026-03-04 18:00:00 UTC, in 2 h 40 min."),
        (
            case(retry=Retry(due=at(12), attempt=2, at=at(15, 30)), policy=Policy(retries=1)),
            Verdict.COMING,
            "It is due next at 2026-03-04 15:30:00 UTC, in 10 min, to try again.",
        ),
        (case(THREE_TIMES, run(at(12), None)), Verdict.RUNNING, "It is running since 2026-03-04 12:00:00 UTC."),
        (
            case(Loaded()),
            Verdict.NEVER,
            "It runs whenever its RD is loaded: when a daemon starts, and when the RD has changed.",
        ),
        (
            case(mark=at(6), daemon=False),
            Verdict.UNSERVED,
            "It was due at 2026-03-04 12:00:00 UTC, but no daemon has come to it.",
        ),
        (
            case(Every(seconds=60, immediately=True), mark=None, daemon=False),
            Verdict.UNSERVED,
            "It is due at once, but no daemon has come to it.",
        ),
        (
            case(narrowed(parse_at("1:00"), window=Window(only=("* * * 1 *",), excluded=("* * * 1 *",)))),
            Verdict.NEVER,
            "It is not due any more: its schedule has no instant to come.",
        ),
        (
            case(None, fault="q.rd:1:2: E302 no"),
            Verdict.NEVER,
            "It does not run: its RD is broken, and there is no good version of it.",
        ),
        (case(None), Verdict.NEVER, "It does not run: there is no such execute any more."),
    ],
)
def test_where_no_instant_is_given_it_is_told_when_it_runs_next(known: Case, verdict: Verdict, answer: str) -> None:
    found = explain(known)
    assert (found.verdict, found.answer) == (verdict, answer)


def test_the_last_run_is_told_or_that_there_is_none() -> None:
    found = explain(case(THREE_TIMES, run(at(12)), run(at(6), name="r0"), daemon=False))
    assert found.evidence == (
        "its last run: it ran at 2026-03-04 12:00:00 UTC and succeeded after 12 min (run r1)",
        "its schedule: at 6:00, 12:00, 18:00 UTC",
        "no daemon runs on /state",
    )
    assert explain(case()).evidence[0] == "it has no run on record"


@pytest.mark.parametrize("asked", [None, at(12), at(18)])
def test_a_broken_rd_is_told_in_any_case(asked: datetime | None) -> None:
    found = explain(case(fault="q.rd:1:2: E302 no", held_back=True), asked)
    said = "its RD is broken since 2026-03-04 09:00:00 UTC; its last good version runs on: q.rd:1:2: E302 no"
    assert said in found.evidence
    found = explain(case(None, fault="q.rd:1:2: E302 no"), asked)
    assert "its RD is broken since 2026-03-04 09:00:00 UTC: q.rd:1:2: E302 no" in found.evidence


def test_of_what_is_not_there_any_more_the_records_are_told() -> None:
    found = explain(case(None, run(at(6))), at(12))
    assert says(
        found,
        Verdict.UNKNOWN,
        "Nothing is recorded of it at 2026-03-04 12:00:00 UTC.",
        "the record before: it ran at 2026-03-04 06:00:00 UTC and succeeded after 12 min (run r1)",
    )
    assert explain(case(None, run(at(6))), at(6)).verdict is Verdict.RAN
