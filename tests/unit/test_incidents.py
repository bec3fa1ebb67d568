"""The states of incidents: stories of what happens, and what is told of them when."""

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from gavo_exec.incidents import (
    Incident,
    Kind,
    Pace,
    State,
    as_of,
    ended,
    is_forgotten,
    joined,
    reminder_at,
    removed,
    told,
)
from tests.incident_stories import NOW, at, play


@pytest.mark.parametrize(
    ("story", "tellings"),
    [
        # The first failure is told at once, and then at growing distance until it is over.
        ("fail 0m", "0m FAILED 1; 1h FAILED 1; 1d1h FAILED 1; 8d1h FAILED 1; 15d1h FAILED 1"),
        ("fail 0m; fail 5m; fail 30m", "0m FAILED 1; 1h FAILED 3; 1d1h FAILED 3; 8d1h FAILED 3; 15d1h FAILED 3"),
        ("fail 0m; succeed 5m", "0m FAILED 1; 5m RECOVERED 1"),
        ("fail 0m; fail 10m; succeed 3h", "0m FAILED 1; 1h FAILED 2; 3h RECOVERED 2"),
        ("fail 0m; succeed 5m; succeed 6m", "0m FAILED 1; 5m RECOVERED 1"),
        ("fail 0m; succeed 5m; fail 10m; succeed 20m", "0m FAILED 1; 5m RECOVERED 1; 10m FAILED 1; 20m RECOVERED 1"),
        ("succeed 0m", ""),
        # How it goes wrong may change; that alone is no news.
        ("fail 0m; timeout 10m; succeed 2h", "0m FAILED 1; 1h TIMED OUT 2; 2h RECOVERED 2"),
        ("interrupt 0m; succeed 5m", "0m INTERRUPTED 1; 5m RECOVERED 1"),
        # Some are told only when they failed often enough (mail.after).
        ("after=3 fail 0m; fail 1m; fail 2m; succeed 5m", "2m FAILED 3; 5m RECOVERED 3"),
        ("after=3 fail 0m; fail 1m; succeed 2m; fail 3m; fail 4m; succeed 5m", ""),
        ("after=2 fail 0m; fail 30m", "30m FAILED 2; 1h30m FAILED 2; 1d1h30m FAILED 2; 8d1h30m FAILED 2"),
        # Reminders may be other ones, or none (mail.remind).
        ("remind=10m fail 0m; succeed 35m", "0m FAILED 1; 10m FAILED 1; 20m FAILED 1; 30m FAILED 1; 35m RECOVERED 1"),
        ("remind=5m,1h fail 0m; succeed 3h", "0m FAILED 1; 5m FAILED 1; 1h5m FAILED 1; 2h5m FAILED 1; 3h RECOVERED 1"),
        ("remind=never fail 0m; fail 2d; succeed 9d", "0m FAILED 1; 9d RECOVERED 2"),
        # What is over before anybody was told is told once.
        ("late=1m fail 0m; succeed 0m", "1m FAILED 1 over"),
        ("late=1m fail 0m; succeed 0m; fail 0m", "1m FAILED 2; 1h2m FAILED 2"),
        ("late=1m fail 0m; gone 0m", "1m FAILED 1 gone"),
        # Its end is not told where it does not last until somebody is.
        ("late=1m fail 0m; succeed 5m; fail 5m; succeed 30m", "1m FAILED 1; 31m RECOVERED 2"),
        # Of what is gone nobody is reminded.
        ("fail 0m; gone 5m", "0m FAILED 1"),
        ("after=2 fail 0m; gone 5m", ""),
        ("fail 0m; gone 5m; fail 10m", "0m FAILED 1; 10m FAILED 1; 1h10m FAILED 1; 1d1h10m FAILED 1; 8d1h10m FAILED 1"),
        # A run that does not end is told whatever mail.after says, and within the hour where its job failed before.
        ("after=3 overdue 0m; succeed 5m", "0m OVERDUE 1; 5m RECOVERED 1"),
        ("fail 0m; overdue 2h; succeed 9h", "0m FAILED 1; 1h FAILED 1; 2h OVERDUE 2; 9h RECOVERED 2"),
        ("fail 0m; fail 70m; overdue 80m; succeed 9h", "0m FAILED 1; 1h FAILED 1; 2h OVERDUE 3; 9h RECOVERED 3"),
        ("remind=never fail 0m; overdue 2h; overdue 4h; succeed 9h", "0m FAILED 1; 2h OVERDUE 2; 9h RECOVERED 3"),
        # What was missed is told, more of it at the distance of reminders; its end is no news.
        ("miss 0m", "0m MISSED 1"),
        ("miss 0m; miss 10m; miss 20m", "0m MISSED 1; 1h MISSED 3"),
        ("miss 0m; miss 10m; succeed 30m", "0m MISSED 1; 30m MISSED 2 over"),
        ("miss 0m; succeed 30m; miss 40m", "0m MISSED 1; 40m MISSED 1"),
        ("remind=never miss 0m; miss 10m; miss 2d", "0m MISSED 1"),
        # A stall is told once a day at each place.
        ("stall 0m", "0m STALLED 1"),
        ("stall 0m; stall 10m; stall 23h", "0m STALLED 1"),
        ("stall 0m; stall 23h; stall 25h; stall 26h", "0m STALLED 1; 1d1h STALLED 1"),
        # Each broken version of an RD is told once, and that it is mended.
        ("broken=d1 0m; mended 5m", "0m BROKEN RD 1; 5m RECOVERED 1"),
        ("broken=d1 0m; broken=d2 5m; mended 9m", "0m BROKEN RD 1; 5m BROKEN RD 2; 9m RECOVERED 2"),
        ("broken=d1 0m; removed 5m", "0m BROKEN RD 1"),
        ("broken=d1 0m", "0m BROKEN RD 1; 1h BROKEN RD 1; 1d1h BROKEN RD 1; 8d1h BROKEN RD 1; 15d1h BROKEN RD 1"),
        ("late=1m broken=d1 0m; mended 0m", "1m BROKEN RD 1 over"),
        ("late=1m broken=d1 0m; removed 0m", "1m BROKEN RD 1 gone"),
    ],
)
def test_stories(story: str, tellings: str) -> None:
    found = play(story)
    expected = [telling.strip() for telling in tellings.split(";") if telling.strip()]
    assert found[: len(expected)] == expected
    # The rest are reminders that go on for ever, where there are any.
    assert all(telling.split()[1] == expected[-1].split()[1] for telling in found[len(expected) :] if expected)
    assert bool(found) == bool(expected)
    if "RECOVERED" in tellings or "over" in tellings or "gone" in tellings:
        assert len(found) == len(expected)


def an_incident(**more: object) -> Incident:
    return replace(Incident(kind=Kind.JOB, about="q#a", state=State.FAILED, since=NOW, at=NOW), **more)


@pytest.mark.parametrize(("told_times", "hours"), [(1, 1), (2, 24), (3, 168), (4, 168), (100, 168)])
def test_reminders_grow_to_a_week(told_times: int, hours: int) -> None:
    assert reminder_at(an_incident(told=told_times, told_at=NOW)) == NOW + timedelta(hours=hours)


def test_of_what_was_not_told_or_is_not_to_be_nobody_is_reminded() -> None:
    assert reminder_at(an_incident()) is None
    assert reminder_at(an_incident(told=1, told_at=NOW, reminders=())) is None


def test_the_thread_has_the_first_mail_and_the_last() -> None:
    incident = joined(None, an_incident())
    for number in range(3):
        after = told(incident, at=NOW, message_id=f"<{number}@x>")
        assert after is not None
        incident = after
    assert incident.thread == ("<0@x>", "<2@x>")


def test_what_is_known_of_the_latest_occurrence_takes_the_place_of_what_was_before() -> None:
    first = joined(None, an_incident(cause="first", run_id="1", to=("a@x.org",)))
    second = joined(first, an_incident(cause="second", run_id="2", at=at("5m"), since=at("5m")))
    assert (second.cause, second.run_id, second.since, second.at) == ("second", "2", NOW, at("5m"))
    assert second.to == ("a@x.org",)
    assert second.identity == first.identity


def test_incidents_of_all_kinds_have_names_of_their_own() -> None:
    incidents = [an_incident(kind=kind, about=about, place=place) for kind in Kind for about in "ab" for place in "cd"]
    assert len({incident.name for incident in incidents}) == len(incidents)
    assert len({incident.identity for incident in incidents}) == len(incidents)


def test_a_stall_counts_for_a_day() -> None:
    stall = an_incident(kind=Kind.STALL, state=State.STALLED, told=1, told_at=NOW)
    assert not is_forgotten(stall, at("23h59m"))
    assert is_forgotten(stall, at("24h"))
    assert not is_forgotten(replace(stall, told_at=None), at("99d"))
    assert not is_forgotten(replace(stall, kind=Kind.JOB), at("99d"))


@pytest.mark.parametrize(
    ("incident", "tell_at"),
    [
        (an_incident(tell_at=at("5d")), NOW),
        (an_incident(told=1, told_at=at("5d"), tell_at=at("5d1h")), at("1h")),
        (an_incident(told=1, told_at=at("5d"), tell_at=at("5d1h"), over_at=at("5d")), NOW),
        (an_incident(told=1, told_at=at("5d"), tell_at=None), None),
        (an_incident(tell_at=None), None),
        (an_incident(told=1, told_at=NOW, tell_at=at("1h")), at("1h")),
    ],
)
def test_a_clock_that_was_set_back_puts_nothing_off(incident: Incident, tell_at: datetime | None) -> None:
    assert as_of(incident, NOW).tell_at == tell_at


def test_what_is_over_or_unknown_stays_so() -> None:
    over = an_incident(told=1, told_at=NOW, over_at=NOW, tell_at=NOW)
    assert ended(over, at=at("5m")) == over
    assert removed(over, at=at("5m")) == over


# Paces


@pytest.mark.parametrize(
    ("pace", "first", "latest", "ready"),
    [
        (Pace(), 0, 0, 0.25),
        (Pace(), 0, 1.5, 1.75),
        (Pace(), 0, 100, 2),
        (Pace(told_at=NOW, hour_at=NOW, sent=1), 10, 20, 60),
        (Pace(told_at=NOW, hour_at=NOW, sent=1), 100, 100, 100.25),
        (Pace(told_at=NOW, hour_at=NOW, sent=5), 100, 200, 3600),
        (Pace(told_at=NOW, hour_at=NOW, sent=4), 100, 100, 100.25),
        (Pace(told_at=NOW, hour_at=NOW, sent=5), 3600, 3600, 3600.25),
        (Pace(told_at=NOW, hour_at=NOW, sent=5), 3599, 3700, 3601),
    ],
)
def test_when_what_happened_may_be_told(pace: Pace, first: float, latest: float, ready: float) -> None:
    instants = (NOW + timedelta(seconds=seconds) for seconds in (first, latest))
    assert pace.ready_at(*instants, per_hour=5) == NOW + timedelta(seconds=ready)


@pytest.mark.parametrize(
    ("pace", "first", "since"),
    [
        (Pace(), 0, None),
        (Pace(told_at=NOW, hour_at=NOW, sent=4), 0, None),
        (Pace(told_at=NOW, hour_at=NOW, sent=5), 0, NOW),
        (Pace(told_at=NOW, hour_at=NOW, sent=5), 3599, NOW),
        (Pace(told_at=NOW, hour_at=NOW, sent=5), 3600, None),
    ],
)
def test_whether_something_is_held_back(pace: Pace, first: int, since: datetime | None) -> None:
    assert pace.held_back_since(NOW + timedelta(seconds=first), per_hour=5) == since


def test_an_hour_is_counted_from_its_first_mail() -> None:
    pace = Pace().after(NOW)
    assert pace == Pace(told_at=NOW, hour_at=NOW, sent=1)
    pace = pace.after(at("59m"))
    assert pace == Pace(told_at=at("59m"), hour_at=NOW, sent=2)
    assert pace.after(at("1h")) == Pace(told_at=at("1h"), hour_at=at("1h"), sent=1)


def test_a_pace_of_the_future_is_none() -> None:
    assert Pace(told_at=at("1h"), hour_at=NOW, sent=9).as_of(NOW) == Pace()
    assert Pace(told_at=NOW, hour_at=NOW, sent=9).as_of(NOW).sent == 9
