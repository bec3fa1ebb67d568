"""Job code becomes a function whose tracebacks point into the RD."""

import traceback
from pathlib import Path

import pytest

from gavo_exec.errors import Position
from gavo_exec.model import Job
from gavo_exec.runtime.jobcode import make_function


def job(source: str, *, line: int = 1, lines: tuple[int, ...] = (), path: str = "/inputs/x/q.rd") -> Job:
    return Job(source=source, first_line=line, lines=lines, position=Position(path=path, line=line))


def run(source: str, namespace: dict[str, object] | None = None) -> object:
    return make_function(job(source), name="job_x", namespace=namespace if namespace is not None else {})("rd", "def")


def test_the_function_has_rd_and_execdef_and_may_return() -> None:
    assert run("return rd, execDef") == ("rd", "def")


@pytest.mark.parametrize("source", ["", "# nothing but a comment", "\n\n"])
def test_code_that_does_nothing_does_nothing(source: str) -> None:
    assert run(source) is None


def test_strings_of_several_lines_stay_as_they_are() -> None:
    assert run('text = """a\n  b\nc"""\nreturn text') == "a\n  b\nc"


def test_globals_are_those_given_and_are_shared() -> None:
    namespace: dict[str, object] = {"count": 1}
    run("global count\ncount += 1", namespace)
    assert namespace["count"] == 2
    assert "job_x" not in namespace


def frames_of(function_job: Job) -> list[traceback.FrameSummary]:
    with pytest.raises(ZeroDivisionError) as caught:
        make_function(function_job, name="job_x", namespace={})(None, None)
    return [frame for frame in traceback.extract_tb(caught.tb) if frame.filename == function_job.position.path]


def test_frames_name_the_file_and_its_line_and_show_it() -> None:
    (frame,) = frames_of(job("x = 1\ny = x / 0", line=41))
    assert (frame.lineno, frame.line, frame.name) == (42, "y = x / 0", "job_x")


def test_lines_that_do_not_simply_count_on_are_mapped_each() -> None:
    (frame,) = frames_of(job("x = 1\ny = x / 0\nz = 2", line=10, lines=(10, 25, 26)))
    assert (frame.lineno, frame.line) == (25, "y = x / 0")


def test_tracebacks_show_what_was_loaded_even_if_the_file_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "q.rd"
    path.write_text("something else\n" * 50)
    (frame,) = frames_of(job("1 / 0", line=3, path=str(path)))
    assert (frame.lineno, frame.line) == (3, "1 / 0")


def test_two_jobs_of_one_file_both_show_their_lines(tmp_path: Path) -> None:
    path = str(tmp_path / "two.rd")
    first = job("1 / 0 # first", line=5, path=path)
    second = job("2 / 0 # second", line=50, path=path)
    make_function(first, name="job_x", namespace={})
    assert frames_of(second)[0].line == "2 / 0 # second"
    assert frames_of(first)[0].line == "1 / 0 # first"


def test_code_that_does_not_compile_raises_with_the_line_in_the_rd() -> None:
    with pytest.raises(SyntaxError) as caught:
        make_function(job("pass\nbreak", line=7), name="job_x", namespace={})
    assert (caught.value.filename, caught.value.lineno) == ("/inputs/x/q.rd", 8)
