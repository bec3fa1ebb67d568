"""Laws of incidents, over whatever happens: nothing is told twice, nothing is forgotten, a restart changes nothing."""

from datetime import timedelta
from itertools import pairwise
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gavo_exec.incidents import Incident, Kind, State, ended, joined, removed, told
from gavo_exec.services.mail.desk import Desk
from gavo_exec.services.store import SQLiteStore
from gavo_exec.services.store.codec import incident_of, row_of_incident
from tests.incident_stories import NOW, Teller

BAD = {
    Kind.JOB: (State.FAILED, State.TIMED_OUT, State.INTERRUPTED, State.OVERDUE),
    Kind.MISSED: (State.MISSED,),
    Kind.STALL: (State.STALLED,),
    Kind.TROUBLE: (State.TROUBLE,),
    Kind.RD: (State.BROKEN_RD,),
}
MINUTE = timedelta(minutes=1)


class Happening(NamedTuple):
    """Something happens so long after the last: a state, or an end, or all is gone."""

    pause: timedelta
    what: State | str


def happenings(kind: Kind) -> st.SearchStrategy[list[Happening]]:
    pauses = st.one_of(
        st.just(timedelta(0)),
        st.timedeltas(timedelta(0), timedelta(hours=3)),
        st.timedeltas(timedelta(0), timedelta(9)),
    )
    return st.lists(
        st.builds(Happening, pauses, st.sampled_from((*BAD[kind], *BAD[kind], "ended", "removed"))), max_size=12
    )


POLICIES = st.tuples(
    st.integers(1, 4), st.lists(st.sampled_from([timedelta(minutes=10), timedelta(hours=1), timedelta(2)]), max_size=3)
)


def lives(kind: Kind, events: list[Happening], policy: tuple[int, list[timedelta]]) -> Teller:
    """What is told of all this, each telling as soon as it may be."""
    after, reminders = policy
    teller = Teller()
    instant = NOW
    for number, (pause, what) in enumerate(events):
        instant += pause
        teller.tell_until(instant, including=True)
        if isinstance(what, State):
            incident = Incident(
                kind=kind,
                about="q#a",
                state=what,
                since=instant,
                at=instant,
                after=after,
                reminders=tuple(reminders),
                digests=(f"d{number % 3}",) if kind is Kind.RD else (),
            )
            teller.happen(incident)
        else:
            teller.end(instant, gone=what == "removed")
    teller.tell_until(instant + timedelta(days=30), including=True)
    return teller


KINDS = st.sampled_from(Kind)
STORIES = KINDS.flatmap(lambda kind: st.tuples(st.just(kind), happenings(kind), POLICIES))


@given(STORIES)
def test_nothing_is_told_before_it_happens_and_only_what_has(
    story: tuple[Kind, list[Happening], tuple[int, list[timedelta]]],
) -> None:
    kind, events, policy = story
    for instant, incident in lives(kind, events, policy).tellings:
        assert incident.since <= incident.at <= instant
        assert incident.tell_at is not None
        assert incident.over_at is None or incident.at <= incident.over_at <= instant
        assert incident.count <= sum(isinstance(event.what, State) for event in events)


@given(STORIES)
def test_an_incident_is_told_once_for_each_number_and_its_end_once(
    story: tuple[Kind, list[Happening], tuple[int, list[timedelta]]],
) -> None:
    kind, events, policy = story
    tellings = [incident for _, incident in lives(kind, events, policy).tellings]
    numbered = [(incident.identity, incident.told) for incident in tellings]
    if kind not in (Kind.STALL, Kind.TROUBLE):  # where nothing has an end, the same instant may begin another
        for before, after in pairwise(numbered):
            assert after == (before[0], before[1] + 1) or after[1] == 0
    for last, following in pairwise(tellings):
        if last.over_at is not None:
            assert following.told == 0


@given(st.tuples(st.just(Kind.JOB), happenings(Kind.JOB), POLICIES))
def test_between_two_mails_about_a_failing_job_lies_what_its_reminders_say(
    story: tuple[Kind, list[Happening], tuple[int, list[timedelta]]],
) -> None:
    kind, events, policy = story
    reminders = policy[1]
    had_overdue = any(event.what is State.OVERDUE for event in events)
    tellings = lives(kind, events, policy).tellings
    for (before_at, before), (after_at, after) in pairwise(tellings):
        if after.told and after.over_at is None:
            usual = reminders[min(after.told, len(reminders)) - 1] if reminders else timedelta(99)
            least = min(usual, timedelta(hours=1)) if had_overdue else usual
            assert after_at - before_at >= least
            assert before.over_at is None


@given(st.tuples(st.just(Kind.JOB), happenings(Kind.JOB), POLICIES))
def test_whatever_failed_often_enough_is_told(
    story: tuple[Kind, list[Happening], tuple[int, list[timedelta]]],
) -> None:
    kind, events, policy = story
    row, longest = 0, 0
    for event in events:
        # A run that does not end is told at once.
        row = row + (policy[0] if event.what is State.OVERDUE else 1) if isinstance(event.what, State) else 0
        longest = max(longest, row)
    assert bool(lives(kind, events, policy).tellings) == (longest >= policy[0])


@given(STORIES)
def test_when_it_is_over_and_told_nothing_is_left(
    story: tuple[Kind, list[Happening], tuple[int, list[timedelta]]],
) -> None:
    kind, events, policy = story
    for end in ("ended", "removed"):
        left = lives(kind, [*events, Happening(MINUTE, end)], policy).incident
        # A stall has no end; one that nobody has been told of yet has not either.
        assert left is None or kind in (Kind.STALL, Kind.TROUBLE)


@given(STORIES)
def test_a_restart_at_any_moment_changes_nothing(
    story: tuple[Kind, list[Happening], tuple[int, list[timedelta]]],
) -> None:
    kind, events, policy = story

    class Restarting(Teller):
        def __setattr__(self, name: str, value: object) -> None:
            if isinstance(value, Incident):
                value = incident_of(row_of_incident(value)[-1:])
            super().__setattr__(name, value)

    usual = lives(kind, events, policy)
    again = Restarting()
    again.incident = usual.incident
    assert again.incident == usual.incident
    for _, incident in usual.tellings:
        assert incident_of(row_of_incident(incident)[-1:]) == incident


# With the desk and its store


class Step(NamedTuple):
    """Something happens with one of a few jobs, or the daemon starts anew, or is killed."""

    pause: float
    what: str
    key: str


STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from([0.0, 0.1, 1.0, 30.0, 61.0, 3601.0, 90_000.0]),
        st.sampled_from(["fail", "fail", "succeed", "restart", "kill", "tell", "last"]),
        st.sampled_from("abc"),
    ),
    max_size=25,
)


class Daemons:
    """One daemon after the other, as far as the desk goes; what is not committed is lost where one is killed."""

    def __init__(self, per_hour: int) -> None:
        self.store = SQLiteStore(":memory:", holder="here 1 1", is_alive=lambda _: False)
        self.per_hour = per_hour
        self.desk = Desk(self.store, per_hour=per_hour)
        self.now = NOW
        self.mails: list[tuple[float, list[Incident]]] = []
        self.began: set[tuple[str, str]] = set()

    def take(self, step: Step) -> None:
        self.now += timedelta(seconds=step.pause)
        name = (Kind.JOB, step.key, "")
        known = self.desk.known(name)
        match step.what:
            case "fail":
                fresh = Incident(kind=Kind.JOB, about=step.key, state=State.FAILED, since=self.now, at=self.now)
                incident = joined(known, fresh)
                self.desk.keep(name, incident)
                self.began.add((step.key, incident.since.isoformat()))
            case "succeed" if known is not None:
                self.desk.keep(name, ended(known, at=self.now))
            case "restart":
                self.tell(at_once=True)
                self.desk = Desk(self.store, per_hour=self.per_hour)
            case "kill":
                for batch in self.desk.batches(self.now):
                    self.desk.note(batch, message_id="<lost@x>", now=self.now)
                self.store._pending.clear()
                self.desk = Desk(self.store, per_hour=self.per_hour)
            case "tell" | "last":
                self.tell(at_once=step.what == "last")
        self.store.flush()

    def tell(self, *, at_once: bool = False) -> None:
        for batch in self.desk.batches(self.now, at_once=at_once):
            self.mails.append(((self.now - NOW).total_seconds(), batch.incidents))
            self.desk.note(batch, message_id=f"<{len(self.mails)}@x>", now=self.now)
        self.store.flush()


@settings(max_examples=150)
@given(STEPS, st.integers(1, 5))
def test_every_incident_is_told_over_restarts_and_kills_none_twice_and_never_too_often(
    steps: list[Step], per_hour: int
) -> None:
    daemons = Daemons(per_hour)
    for step in (*steps, *[Step(3700, "tell", "")] * 20):
        daemons.take(step)
    told_of = {(incident.about, incident.since.isoformat()) for _, incidents in daemons.mails for incident in incidents}
    assert told_of == daemons.began
    numbers = [(incident.identity, incident.told) for _, incidents in daemons.mails for incident in incidents]
    assert len(set(numbers)) == len(numbers)
    times = [seconds for seconds, _ in daemons.mails]
    for place, seconds in enumerate(times):
        # The hour that is counted begins with a mail, so that two of them may meet.
        assert sum(seconds <= other < seconds + 3600 for other in times[place:]) <= 2 * per_hour
    daemons.store.close()


@given(st.integers(1, 6), st.booleans())
def test_what_is_told_and_gone_is_told_in_the_same_words(count: int, gone: bool) -> None:
    incident = joined(None, Incident(kind=Kind.JOB, about="a", state=State.FAILED, since=NOW, at=NOW, count=count))
    over = (removed if gone else ended)(incident, at=NOW + MINUTE)
    assert over is not None
    assert over.shown_state is State.FAILED
    assert told(over, at=NOW + MINUTE, message_id="<x@y>") is None
    assert replace(over, over_at=None, gone=False) == incident
