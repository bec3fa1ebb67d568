"""Job code becomes a function whose tracebacks point into the RD."""

import traceback
from pathlib import Path

import pytest

from gavo_exec.errors import Position, RunError
from gavo_exec.model import Code, Job
from gavo_exec.runtime.jobcode import make_function, run_items, run_setup


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


# Setup code


def part(source: str, *, line: int = 1, path: str = "/inputs/x/q.rd") -> Code:
    return Code(source=source, first_line=line, position=Position(path=path, line=line))


def test_setup_is_run_in_order_as_a_module() -> None:
    namespace: dict[str, object] = {"log": []}
    run_setup([part("import json\nlog.append(1)"), part("def f():\n  return log, json\nlog.append(2)")], namespace)
    assert namespace["log"] == [1, 2]
    assert namespace["f"]()[0] == [1, 2]  # type: ignore[operator]
    assert run("return f()[1].dumps([])", namespace) == "[]"


def test_frames_of_setup_name_the_file_of_each_part() -> None:
    parts = [part("x = 1", line=5), part("def f():\n  return 1 / 0\n\nf()", line=70, path="/inputs/procs.rd")]
    with pytest.raises(ZeroDivisionError) as caught:
        run_setup(parts, {})
    frames = traceback.extract_tb(caught.tb)[-2:]
    assert [(frame.filename, frame.lineno, frame.line, frame.name) for frame in frames] == [
        ("/inputs/procs.rd", 73, "f()", "<module>"),
        ("/inputs/procs.rd", 71, "return 1 / 0", "f"),
    ]


# Items


def items(source: str) -> Code:
    return Code(source=source, first_line=7, position=Position(path="/x.rd", line=7))


def test_items_come_from_the_body_of_a_generator_with_names() -> None:
    code = 'for n in range(context):\n  yield {"n": f"{n}{base}"}'
    assert list(run_items(items(code), {"context": 2, "base": "b"})) == [{"n": "0b"}, {"n": "1b"}]


def test_a_body_may_return_early() -> None:
    assert list(run_items(items('return\nyield {"a": "b"}'), {})) == []


@pytest.mark.parametrize(
    ("code", "error", "message"),
    [
        ("pass", TypeError, "the code does not yield anything, so there are no items"),
        ("return [{}]", TypeError, "the code does not yield anything, so there are no items"),
        ("yield 5", TypeError, "an item is not a dictionary by names: 5"),
        ("yield {5: 'a'}", TypeError, "an item is not a dictionary by names: {5: 'a'}"),
        ("while True:\n  yield {}", RunError, "the code yields more than 10,000 items"),
        ("yield {}\n1 / 0", ZeroDivisionError, "division by zero"),
        ("yield (", SyntaxError, "was never closed"),
    ],
)
def test_what_makes_no_items_raises(code: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        list(run_items(items(code), {}))


def test_ten_thousand_items_are_not_too_many() -> None:
    assert len(list(run_items(items("for n in range(10_000):\n  yield {}"), {}))) == 10_000


def test_errors_in_items_name_the_file() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        list(run_items(items("yield {}\n1 / 0"), {}))
    frame = traceback.extract_tb(caught.tb)[-1]
    assert (frame.filename, frame.lineno, frame.line) == ("/x.rd", 8, "1 / 0")
