"""The web's parts that need no server: words, drawings, the calendar's lines, what is kept, who comes too often."""

import itertools
import re
import threading
from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gavo_exec.control import JobStatus, Pause
from gavo_exec.control_views import JobLine
from gavo_exec.json_views import DueView
from gavo_exec.model import Outcome, Reason
from gavo_exec.past import DayOfRuns
from gavo_exec.testing import EPOCH, make_request, make_run
from gavo_exec.web import charts, ics, words
from gavo_exec.web.doorkeeper import Counter
from gavo_exec.web.snapshot import Kept
from gavo_exec.web.walls import name_of

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def a_line(**changes: object) -> JobLine:
    run = make_run(make_request(), finished_at=EPOCH)
    status = JobStatus(key="a/q#x", title="X", schedule="every 1 h", due=EPOCH + HOUR, last_run=run)
    fields = {name: getattr(status, name) for name in status.__struct_fields__}
    return JobLine.of(JobStatus(**{**fields, **changes}))


def failed() -> object:
    return make_run(make_request(), Outcome.FAILED, finished_at=EPOCH)


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, words.State.GOOD),
        ({"last_run": None}, words.State.NEW),
        ({"last_run": failed()}, words.State.FAILING),
        ({"last_run": failed(), "running_since": EPOCH}, words.State.FAILING),
        ({"running_since": EPOCH}, words.State.RUNNING),
        ({"pause": Pause(key="", since=EPOCH)}, words.State.PAUSED),
        ({"pause": Pause(key="", since=EPOCH), "due": EPOCH - HOUR}, words.State.PAUSED),
        ({"due": EPOCH - 2 * MINUTE}, words.State.OVERDUE),
        ({"due": EPOCH - MINUTE / 2}, words.State.GOOD),
        ({"held_back": True, "running_since": EPOCH}, words.State.BROKEN),
    ],
)
def test_how_a_job_stands(changes: dict[str, object], state: words.State) -> None:
    assert words.state_of(a_line(**changes), EPOCH) is state


@given(st.text(alphabet=st.characters(), max_size=300))
def test_no_text_has_power(text: str) -> None:
    """Nothing is left that turns the direction of writing, ends a page, or cannot be written."""
    for shown in (words.block(text), words.line(text)):
        shown.encode()
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)
    assert "\n" not in words.line(text)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(None, words.NOTHING), (0, "0 s"), (0.0123, "0.012 s"), (9.96, "10 s"), (61, "1 min 1 s"), (90_061, "1 d 1 h")],
)
def test_durations_in_words(seconds: float | None, said: str) -> None:
    assert words.seconds(seconds) == said


def test_instants_in_words() -> None:
    assert words.until(EPOCH + HOUR, EPOCH) == "in 1 h"
    assert words.until(EPOCH - HOUR, EPOCH) == "1 h ago"
    assert words.until(EPOCH, EPOCH) == "now"
    assert words.until(None, EPOCH) == words.NOTHING


DAY = DayOfRuns(outcome=Outcome.SUCCEEDED, bad=0)
BAD = DayOfRuns(outcome=Outcome.SUCCEEDED, bad=2)


@given(
    st.lists(st.floats(min_value=0, max_value=1e6), max_size=60),
    st.lists(st.sampled_from([None, DAY, BAD, DayOfRuns(outcome=Outcome.MISSED, bad=0)]), min_size=1, max_size=40),
)
def test_drawings_are_sound_and_styled_by_classes_alone(took: list[float], days: list[DayOfRuns | None]) -> None:
    dots = [
        charts.Dot(seconds=each, outcome=Outcome.FAILED if each > 9 else None, href="/run?id=a%20b") for each in took
    ]
    dues = [EPOCH + timedelta(seconds=each) for each in took]
    drawings = [
        charts.coming_day(dues, EPOCH),
        charts.mark(dues[0] if dues else None, EPOCH),
        charts.strip(days),
        charts.durations(dots, p50=1.0, p95=None),
        charts.favicon("bad"),
    ]
    for drawing in filter(None, map(str, drawings)):
        ET.fromstring(drawing)
        assert "style" not in drawing


def test_the_strip_says_in_words_what_it_shows() -> None:
    assert 'aria-label="3 days: 1 with failures, 1 good, 1 without runs"' in charts.strip([DAY, None, BAD])


def test_the_coming_day_has_all_that_is_due_in_it_and_nothing_else() -> None:
    dues = [EPOCH - MINUTE, EPOCH + MINUTE, EPOCH + 23 * HOUR, EPOCH + 25 * HOUR]
    assert "3 of the jobs are due in the coming 24 hours, most at once 2 " in charts.coming_day(dues, EPOCH)
    assert "0 of the jobs are due in the coming 24 hours" in charts.coming_day([], EPOCH)


@given(st.text(max_size=200), st.text(max_size=50))
def test_lines_of_calendars_are_short_and_whole(title: str, key: str) -> None:
    due = DueView(key=key, title=title, due=EPOCH, reason=Reason.SCHEDULED)
    content = ics.feed([due], host="vo", now=EPOCH, address="http://vo/job?key=")
    content.decode()
    assert content.endswith(b"END:VCALENDAR\r\n")
    for line in content.split(b"\r\n"):
        assert len(line) <= 75
        assert b"\n" not in line
    assert content.count(b"BEGIN:VEVENT") == content.replace(b"\r\n ", b"").count(b"\r\nEND:VEVENT") == 1


def test_an_answer_is_kept_for_all_who_ask_meanwhile() -> None:
    asked = itertools.count(1)
    kept = Kept(lambda: next(asked), least_seconds=3600)
    threads = [threading.Thread(target=kept) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kept() == 1
    kept.forget()
    assert kept() == 2


def test_a_fault_is_kept_as_long_as_it_took_to_find_out() -> None:
    asked, found = threading.Event(), threading.Event()
    numbers = itertools.count()

    def ask() -> object:
        if next(numbers):
            return "yes"
        asked.set()
        found.wait(10)
        raise ValueError("no")

    kept = Kept(ask, least_seconds=0.0)
    answers: list[object] = []

    def note() -> None:
        try:
            answers.append(kept())
        except ValueError as fault:
            answers.append(str(fault))

    threads = [threading.Thread(target=note) for _ in range(4)]
    threads[0].start()
    asked.wait(10)
    for thread in threads[1:]:
        thread.start()
    threading.Event().wait(0.2)  # which is how long it takes to find out
    found.set()
    for thread in threads:
        thread.join()
    assert answers == ["no"] * 4
    kept.forget()
    assert kept() == "yes"


def test_a_fault_that_shows_at_once_is_not_kept() -> None:
    answers: list[object] = [ValueError("no"), "yes"]

    def ask() -> object:
        if isinstance(answer := answers.pop(0), Exception):
            raise answer
        return answer

    kept = Kept(ask, least_seconds=3600)
    with pytest.raises(ValueError, match="no"):
        kept()
    assert kept() == "yes"


def test_who_comes_too_often_is_known_for_a_minute_and_not_more_than_so_many_are() -> None:
    counter = Counter(2)
    for _ in range(2):
        assert not counter.is_full("a", EPOCH)
        counter.add("a", EPOCH)
    assert counter.is_full("a", EPOCH + MINUTE / 2)
    assert not counter.is_full("b", EPOCH)
    assert not counter.is_full("a", EPOCH + MINUTE)
    assert not counter.is_full("a", EPOCH - MINUTE)  # the clock was set back
    for number in range(10_000):
        counter.add(str(number), EPOCH)
    assert not counter.is_full("a", EPOCH)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("vo", "vo"),
        ("VO:80", "vo"),
        ("[::1]:80", "::1"),
        ("[::1]", "::1"),
        ("[::1", ""),
        ("[::1]x", ""),
        ("vo:x", ""),
        ("vo:80:80", ""),
        ("", ""),
    ],
)
def test_names_in_hosts(host: str, name: str) -> None:
    assert name_of(host) == name
