"""Which lines of an RD a failure is about."""

from datetime import timedelta
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gavo_exec.errors import Position
from gavo_exec.events import RunFinished
from gavo_exec.incidents import Circumstances
from gavo_exec.model import Code, Job, Outcome, Policy
from gavo_exec.schedule import At, Loaded, parse_at
from gavo_exec.services.mail.scenes import circumstances_of
from tests.unit.services.mail.cases import DUE, EXECUTE, OVERDUE, RD, REQUEST, RUN, STALLED

PATH, LIB = "/inputs/weather/q.rd", "/inputs/lib/jobs.rd"
TEN = "".join(f"line_{number}()\n" for number in range(1, 11))


def frame(line: object, path: str = PATH) -> str:
    return f'  File "{path}", line {line}, in job_fetch\n    whatever()\n'


def call(line: int, path: str = PATH) -> str:
    return f"command:     bin/fetch\ndirectory:   /inputs\nreturn code: 3\ncalled at:   {path}, line {line}"


def code_at(first: int, path: str = PATH, source: str = TEN, **more: Any) -> dict[str, Any]:
    return {"source": source, "first_line": first, "position": Position(path=path, line=first), **more}


def scene(error: str, job: Job | None = None) -> Circumstances:
    job = job or Job(**code_at(11))
    request = replace(REQUEST, execute=replace(EXECUTE, job=job))
    return circumstances_of(RunFinished(run=replace(RUN, error=f"ValueError: x\n\n{error}"), request=request))


ELSEWHERE = '  File "/usr/lib/python3/json/__init__.py", line 15, in load\n    pass\n'
SETUP = (Code(**code_at(30)), Code(**code_at(15, LIB)))
SCATTERED = Job(**code_at(11, lines=(11, 11, 14, 20, 20, 20, 21, 22, 23, 24)))


@pytest.mark.parametrize(
    ("error", "job", "path", "numbers", "marked"),
    [
        # a frame in the middle, at the beginning and at the end
        (frame(15), None, PATH, [12, 13, 14, 15, 16, 17, 18], (15, "line_5()")),
        (frame(11), None, PATH, [11, 12, 13, 14], (11, "line_1()")),
        (frame(20), None, PATH, [17, 18, 19, 20], (20, "line_10()")),
        # the innermost that is in the RD counts, whatever it has called
        (frame(12) + frame(18), None, PATH, [15, 16, 17, 18, 19, 20], (18, "line_8()")),
        (frame(12) + ELSEWHERE, None, PATH, [11, 12, 13, 14, 15], (12, "line_2()")),
        # of one exception in the course of another, the last
        (frame(12) + "\nDuring handling ...\n\n" + frame(19), None, PATH, [16, 17, 18, 19, 20], (19, "line_9()")),
        # in a group of exceptions
        ("  | Traceback (most recent call last):\n  |" + frame(15), None, PATH, [*range(12, 19)], (15, "line_5()")),
        # where a child was started
        (call(15), None, PATH, [12, 13, 14, 15, 16, 17, 18], (15, "line_5()")),
        (frame(12) + "\n" + call(15), None, PATH, [12, 13, 14, 15, 16, 17, 18], (15, "line_5()")),
        # setup code, which may stand in another file
        (frame(31), Job(**code_at(11), setup=SETUP), PATH, [30, 31, 32, 33, 34], (31, "line_2()")),
        (frame(17, LIB), Job(**code_at(11), setup=SETUP), LIB, [15, 16, 17, 18, 19, 20], (17, "line_3()")),
        # lines that do not simply count on
        (frame(14), SCATTERED, PATH, [11, 11, 14, 20, 20, 20], (14, "line_3()")),
        # nothing to show
        (ELSEWHERE, None, "", [], (0, "")),
        (frame(21), None, "", [], (0, "")),
        (frame(0), None, "", [], (0, "")),
        (frame("1" * 4000), None, "", [], (0, "")),
        (frame("x"), None, "", [], (0, "")),
        (frame(15, "/elsewhere.rd"), None, "", [], (0, "")),
        (call(15, "/elsewhere.rd"), None, "", [], (0, "")),
        (call(15) + " and more", None, "", [], (0, "")),
        ("nothing", None, "", [], (0, "")),
        ("", None, "", [], (0, "")),
    ],
)
def test_the_lines_around_the_one_that_failed_are_found(
    error: str, job: Job | None, path: str, numbers: list[int], marked: tuple[int, str]
) -> None:
    found = scene(error, job)
    assert found.excerpt_path == path
    assert [number for number, _ in found.excerpt] == numbers
    assert (found.marked, dict(found.excerpt).get(found.marked, "")) == marked


def test_lines_are_as_they_ran_and_bounded() -> None:
    found = scene(frame(11), Job(**code_at(11, source=f"\tif x:\n{'y' * 100_000}\n")))
    assert found.excerpt == ((11, "\tif x:"), (12, "y" * 1000))


def test_a_failure_is_told_with_its_place_and_what_comes_next() -> None:
    found = circumstances_of(RunFinished(run=RUN, request=REQUEST))
    assert (found.title, found.path) == ("Fetch the weather", PATH)
    assert found.place == "/inputs/weather/q.rd, line 12"
    assert found.next_due == DUE + timedelta(hours=1)


def test_an_execute_that_is_written_nowhere_is_placed_in_its_rd() -> None:
    request = replace(REQUEST, execute=replace(EXECUTE, position=Position(path="")))
    assert circumstances_of(RunFinished(run=RUN, request=request)).place == RD.path


def test_of_what_only_a_record_is_left_of_the_title_is_known() -> None:
    assert circumstances_of(RunFinished(run=RUN)) == Circumstances(title="Fetch the weather")


def test_what_was_missed_has_failed_in_no_line() -> None:
    run = replace(RUN, outcome=Outcome.MISSED, error=frame(15))
    assert circumstances_of(RunFinished(run=run, request=REQUEST)).excerpt == ()


@pytest.mark.parametrize("schedule", [Loaded(), parse_at("3:00"), At(times=(), items=())])
def test_what_is_due_at_no_instant_is_told_all_the_same(schedule: Any) -> None:
    late = replace(REQUEST, execute=replace(EXECUTE, schedule=schedule))
    run = replace(RUN, finished_at=RUN.due.replace(year=9999, month=12, day=31, hour=23))
    assert circumstances_of(RunFinished(run=run, request=late)).next_due is None


def test_an_overdue_run_is_told_with_its_limit() -> None:
    found = circumstances_of(OVERDUE)
    assert (found.limit_seconds, found.started_at) == (3600.0, OVERDUE.started_at)
    assert (found.title, found.place) == ("Fetch the weather", "/inputs/weather/q.rd, line 12")
    unlimited = replace(OVERDUE.request, execute=replace(EXECUTE, policy=Policy()))
    assert circumstances_of(replace(OVERDUE, request=unlimited)).limit_seconds is None


def test_a_stall_is_told_with_what_all_threads_were_doing() -> None:
    found = circumstances_of(STALLED)
    assert (found.seconds, found.where, found.trace) == (12.34, "/inputs/weather/q.rd:14", STALLED.trace)


PIECES = st.sampled_from(
    [*(frame(number) for number in (0, 11, 20, 21)), call(15), 'File "', '", line ', "called at:", "\n", "  ", PATH]
)


@given(st.lists(PIECES | st.text(max_size=10), max_size=12).map("".join), st.text(max_size=50))
def test_no_error_and_no_source_brings_it_down(error: str, source: str) -> None:
    for job in (Job(**code_at(11)), Job(**code_at(11, source=source)), Job(source=source)):
        found = scene(error, job)
        assert len(found.excerpt) <= 7
        assert bool(found.excerpt) == bool(found.marked) == any(n == found.marked for n, _ in found.excerpt)


def test_an_enormous_error_takes_no_time() -> None:
    for error in (frame(999) * 1400, 'File "' * 11_000, "\n" * 64_000, "called at:   " * 5_000):
        begun = perf_counter()
        scene(error)
        assert perf_counter() - begun < 1.0
