"""What is told together, and when: the desk against the real store, with instants given."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gavo_exec.incidents import Incident, Kind, State, ended, joined
from gavo_exec.services.mail.desk import MOST_TOGETHER, Batch, Desk
from gavo_exec.services.store import SQLiteStore

NOW = datetime(2024, 5, 1, 3, 0, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@pytest.fixture
def store() -> Iterator[SQLiteStore]:
    store = SQLiteStore(":memory:", holder="here 1 1", is_alive=lambda _: False)
    yield store
    store.close()


def an_incident(about: str, seconds: float = 0, *, to: tuple[str, ...] = ()) -> Incident:
    at = after(seconds)
    return joined(None, Incident(kind=Kind.JOB, about=about, state=State.FAILED, since=at, at=at, to=to))


def keep(desk: Desk, *incidents: Incident) -> None:
    for incident in incidents:
        desk.keep(incident.name, incident)


def told(desk: Desk, seconds: float, *, at_once: bool = False) -> list[list[str]]:
    """What is told now, mail by mail."""
    now, mails = after(seconds), []
    for batch in desk.batches(now, at_once=at_once):
        mails.append([incident.about for incident in batch.incidents])
        desk.note(batch, message_id=f"<{len(mails)}@here>", now=now)
    return mails


def test_the_first_is_told_when_nothing_more_has_happened_for_a_moment(store: SQLiteStore) -> None:
    desk = Desk(store, per_hour=20)
    keep(desk, an_incident("a"))
    assert desk.next_at(NOW) == after(0.25)
    assert told(desk, 0.2) == []
    assert told(desk, 0.25) == [["a"]]
    assert told(desk, 10) == []


def test_what_happens_together_is_told_together(store: SQLiteStore) -> None:
    desk = Desk(store, per_hour=20)
    keep(desk, *(an_incident(str(number), number / 10) for number in range(5)))
    assert told(desk, 0.6) == []
    assert told(desk, 0.65) == [["0", "1", "2", "3", "4"]]


def test_what_goes_on_and_on_is_not_put_off_for_ever(store: SQLiteStore) -> None:
    desk = Desk(store, per_hour=20)
    keep(desk, *(an_incident(str(number), number / 10) for number in range(21)))
    assert told(desk, 2.0)[0][0] == "0"


def test_what_happens_within_a_minute_of_a_mail_waits_for_its_end(store: SQLiteStore) -> None:
    desk = Desk(store, per_hour=20)
    keep(desk, an_incident("a"))
    assert told(desk, 1) == [["a"]]
    keep(desk, an_incident("b", 20), an_incident("c", 40))
    assert desk.next_at(after(41)) == after(61)
    assert told(desk, 60.9) == []
    assert told(desk, 61) == [["b", "c"]]


def test_each_group_of_recipients_has_its_own_mails(store: SQLiteStore) -> None:
    desk = Desk(store, per_hour=20)
    keep(desk, an_incident("a"), an_incident("b", to=("jo@x.org",)), an_incident("c", to=("jo@x.org",)))
    assert told(desk, 1) == [["a"], ["b", "c"]]
    keep(desk, an_incident("d", 10, to=("al@x.org",)))
    assert told(desk, 11) == [["d"]]


def test_more_than_one_mail_may_tell_is_told_in_several_at_once(store: SQLiteStore) -> None:
    desk = Desk(store, per_hour=20)
    keep(desk, *(an_incident(f"{number:04}") for number in range(MOST_TOGETHER + 2)))
    assert [len(mail) for mail in told(desk, 1)] == [MOST_TOGETHER, 2]


def test_over_the_ceiling_all_waits_for_the_next_hour_and_is_told_in_one(store: SQLiteStore) -> None:
    desk = Desk(store, per_hour=3)
    for number in range(6):
        keep(desk, an_incident(f"a{number}", number * 100))
        assert told(desk, number * 100 + 1) == ([[f"a{number}"]] if number < 3 else [])
    assert desk.next_at(after(600)) == after(3601)
    assert told(desk, 3600) == []
    [batch] = list(desk.batches(after(3601)))
    assert [incident.about for incident in batch.incidents] == ["a0", "a3", "a4", "a5"]  # and a0 is reminded of
    assert batch.held_back_since == after(1)


def test_the_ceiling_of_an_hour_that_is_past_holds_nothing_back(store: SQLiteStore) -> None:
    desk = Desk(store, per_hour=1)
    keep(desk, an_incident("a"))
    told(desk, 1)
    for name in ("a",):
        desk.keep((Kind.JOB, name, ""), None)
    keep(desk, an_incident("b", 3700))
    [batch] = list(desk.batches(after(3701)))
    assert batch == Batch((), [an_incident("b", 3700)], None)


def test_at_the_end_what_waits_is_told_at_once(store: SQLiteStore) -> None:
    desk = Desk(store, per_hour=2)
    keep(desk, an_incident("a"))
    assert told(desk, 0, at_once=True) == [["a"]]
    keep(desk, an_incident("b", 1))
    assert told(desk, 1) == []
    assert told(desk, 1, at_once=True) == [["b"]]
    keep(desk, an_incident("c", 2))
    assert told(desk, 3, at_once=True) == []  # the hour is full; the next daemon tells it


def test_a_reminder_comes_with_what_else_is_due(store: SQLiteStore) -> None:
    desk = Desk(store, per_hour=20)
    keep(desk, an_incident("a"))
    told(desk, 1)
    assert desk.next_at(after(2)) == after(3601.25)
    keep(desk, an_incident("b", 3601))
    assert told(desk, 3602) == [["a", "b"]]


def test_a_restart_neither_repeats_nor_forgets(store: SQLiteStore) -> None:
    desk = Desk(store, per_hour=20)
    keep(desk, an_incident("a"))
    told(desk, 1)
    keep(desk, an_incident("b", 10))
    store.flush()
    again = Desk(store, per_hour=20)
    assert told(again, 60) == []
    assert told(again, 61) == [["b"]]
    store.flush()
    assert told(Desk(store, per_hour=20), 3600) == []


def test_the_ceiling_holds_over_a_restart(store: SQLiteStore) -> None:
    desk = Desk(store, per_hour=1)
    keep(desk, an_incident("a"))
    told(desk, 1)
    keep(desk, an_incident("b", 100))
    store.flush()
    assert told(Desk(store, per_hour=1), 200) == []


def test_a_guest_tells_only_of_its_own(store: SQLiteStore) -> None:
    home = Desk(store, per_hour=20)
    keep(home, an_incident("a"))
    store.flush()
    guest = Desk(store, per_hour=20, is_guest=True)
    keep(guest, an_incident("b"))
    assert told(guest, 1, at_once=True) == [["b"]]


def test_what_another_process_has_noted_is_taken_up(tmp_path: Path) -> None:
    stores = [SQLiteStore(tmp_path / "s", holder=f"here {number} 1", is_alive=lambda _: True) for number in (1, 2)]
    home, guest = Desk(stores[0], per_hour=20), Desk(stores[1], per_hour=20, is_guest=True)
    known = an_incident("a")
    keep(home, known)
    told(home, 1)
    stores[0].flush()
    guest.look(after(2))
    there = guest.known(known.name)
    assert there is not None
    guest.keep(known.name, ended(there, at=after(3)))
    assert told(guest, 3, at_once=True) == [["a"]]
    stores[1].flush()
    home.look(after(4))
    assert home.known(known.name) is None
    for store in stores:
        store.close()


def test_a_clock_that_is_set_back_holds_nothing_up(store: SQLiteStore) -> None:
    desk = Desk(store, per_hour=1)
    keep(desk, an_incident("a", 1e6))
    told(desk, 1e6 + 1)
    keep(desk, an_incident("b", 1e6 + 2), an_incident("c"))
    assert told(desk, 1) == []
    assert told(desk, 1.25) == [["b", "c"]]
