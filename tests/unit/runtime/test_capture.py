"""What runs print and log is captured run by run, though all share one process."""

import contextlib
import io
import logging
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import TextIO

import pytest

from gavo_exec.runtime import capture
from gavo_exec.runtime.output import BoundedOutput


@contextlib.contextmanager
def installed() -> Iterator[io.TextIOWrapper]:
    """Capture, and the process's own standard output outside of it."""
    # No fixture: between the phases of a test, pytest puts streams of its own in place.
    stream = io.TextIOWrapper(io.BytesIO(), "latin-1", "replace", newline="\n", write_through=True)
    with no_log_handlers(), contextlib.redirect_stdout(stream), capture.install():
        yield stream


@contextlib.contextmanager
def no_log_handlers() -> Iterator[None]:
    """A root logger without the handlers of pytest."""
    root = logging.getLogger()
    handlers = root.handlers[:]
    root.handlers.clear()
    try:
        yield
    finally:
        root.handlers[:] = handlers


def said(stream: io.TextIOWrapper) -> str:
    """What was written to a stream that stands in for the process's own."""
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode("latin-1")


def output_of(job: Callable[[], object], tee: Callable[[bytes], object] | None = None) -> str:
    """What a run of this job puts out."""
    output = BoundedOutput(100_000)
    capture.begin(output, tee)
    try:
        job()
    finally:
        capture.end()
    return output.text()


def in_thread(job: Callable[[], object]) -> None:
    thread = threading.Thread(target=job)
    thread.start()
    thread.join()


def test_print_goes_to_the_run_and_outside_of_it_to_the_real_stream() -> None:
    with installed() as outside:
        print("before", flush=True)
        assert output_of(lambda: print("within ä€", flush=True)) == "within ä€\n"
        print("after ä€")
        assert said(outside) == "before\nafter ä?\n"


@pytest.mark.parametrize(
    ("job", "output"),
    [
        pytest.param(lambda: print("oh", file=sys.stderr), "oh\n", id="standard error"),
        pytest.param(lambda: sys.stdout.writelines(["a", "b\n"]), "ab\n", id="writelines"),
        pytest.param(lambda: sys.stdout.buffer.write(b"\xff\n"), "\\xff\n", id="bytes"),
        pytest.param(lambda: sys.stderr.buffer.write(memoryview(b"abc")[1:]), "bc", id="part of bytes"),
        pytest.param(lambda: print(sys.stdout.buffer.flush()), "None\n", id="flush of the bytes"),
        pytest.param(lambda: print("\udc80 \ud83d"), "\\udc80 \\ud83d\n", id="lone surrogates"),
        pytest.param(lambda: print(sys.stdout.encoding, sys.stdout.errors), "utf-8 backslashreplace\n", id="encoding"),
        pytest.param(lambda: print(sys.stdout.isatty(), sys.stdout.closed), "False False\n", id="no terminal"),
        pytest.param(lambda: print(sys.stdout.writable(), sys.stdout.buffer.writable()), "True True\n", id="writable"),
        pytest.param(lambda: print(sys.stdout.write("äö")), "äö2\n", id="counts characters"),
        pytest.param(lambda: sys.stdout.reconfigure(encoding="ascii"), "", id="reconfigure"),  # type: ignore[union-attr]
        pytest.param(lambda: logging.getLogger("a.b").info("%d times", 3), "INFO a.b: 3 times\n", id="logging"),
        pytest.param(lambda: logging.getLogger("a").debug("x"), "", id="debug messages are left out"),
        pytest.param(lambda: logging.getLogger("a").error("\udc80"), "ERROR a: \\udc80\n", id="logged surrogates"),
    ],
)  # fmt: skip
def test_all_ways_to_write_are_captured(job: Callable[[], object], output: str) -> None:
    with installed():
        assert output_of(job) == output


def test_a_logged_exception_comes_with_its_traceback() -> None:
    with installed():

        def job() -> None:
            try:
                int("boo")
            except ValueError:
                logging.getLogger("x").exception("it failed")

        output = output_of(job)
        assert output.startswith("ERROR x: it failed\nTraceback (most recent call last):\n")
        assert output.endswith("ValueError: invalid literal for int() with base 10: 'boo'\n")


def test_a_log_call_that_is_wrong_shows_in_its_own_run() -> None:
    with installed():
        output = output_of(lambda: logging.getLogger("x").info("%d", "no number"))
        assert "--- Logging error ---" in output
        assert "%d format: a real number is required, not str" in output


def test_the_tee_is_given_the_bytes_as_they_come() -> None:
    with installed():
        live: list[bytes] = []

        def job() -> None:
            print("a", end="")
            assert live == [b"a"]
            logging.getLogger("x").info("b")

        assert output_of(job, live.append) == "aINFO x: b\n"
        assert live == [b"a", b"INFO x: b\n"]


def test_runs_at_the_same_time_do_not_mix() -> None:
    with installed() as outside:
        outputs: dict[int, str] = {}
        together = threading.Barrier(8)

        def job(number: int) -> None:
            for _ in range(50):
                together.wait()
                print(number)
                logging.getLogger("x").info(number)

        def worker(number: int) -> None:
            outputs[number] = output_of(lambda: job(number))

        threads = [threading.Thread(target=worker, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert outputs == {number: f"{number}\nINFO x: {number}\n" * 50 for number in range(8)}
        assert said(outside) == ""


def test_threads_that_job_code_starts_are_in_no_run() -> None:
    with installed() as outside:
        assert output_of(lambda: in_thread(lambda: print("aside"))) == ""
        assert said(outside) == "aside\n"


def test_a_run_that_replaces_the_streams_does_so_for_itself_alone() -> None:
    with installed() as outside:
        own = io.StringIO()
        others: list[str] = []

        def job() -> None:
            print("1")
            with contextlib.redirect_stdout(own):
                print("2", flush=True)
                sys.stdout.write("3\n")
                in_thread(lambda: others.append(output_of(lambda: print("other"))))
                in_thread(lambda: print("outside"))
            print("4")
            sys.stdout = own  # and never put back

        assert output_of(job) == "1\n4\n"
        assert own.getvalue() == "2\n3\n"
        assert others == ["other\n"]
        assert output_of(lambda: print("next")) == "next\n"
        assert said(outside) == "outside\n"
        assert sys.stdout is outside


def test_what_replaces_a_stream_may_write_to_it_in_turn() -> None:
    with installed():

        class Stamped(io.StringIO):
            def __init__(self, stream: io.TextIOBase) -> None:
                super().__init__()
                self.stream = stream

            def write(self, text: str, /) -> int:
                return self.stream.write(f"<{text}>" if text else "")

            def flush(self) -> None:
                self.stream.flush()

        def job() -> None:
            assert isinstance(sys.stdout, io.TextIOBase)
            sys.stdout = Stamped(sys.stdout)
            print("a", end="", flush=True)
            sys.stdout.write("b")

        assert output_of(job) == "<a><b>"


def test_none_for_a_stream_silences_that_run_only() -> None:
    with installed():

        def job() -> None:
            sys.stdout = None
            print("nothing", flush=True)

        assert output_of(job) == ""
        assert output_of(lambda: print("something")) == "something\n"


def test_no_run_can_close_the_streams() -> None:
    with installed() as outside:

        def job() -> None:
            sys.stdout.buffer.close()
            sys.stdout.close()
            with pytest.raises(io.UnsupportedOperation):
                sys.stdout.detach()  # type: ignore[union-attr]

        output_of(job)
        assert output_of(lambda: print("still here")) == "still here\n"
        assert not outside.closed


def test_writing_what_is_no_text_is_refused_as_ever() -> None:
    with installed():

        def job() -> None:
            sys.stdout.write(b"x")  # type: ignore[arg-type]

        with pytest.raises(TypeError, match=r"write\(\) argument must be str, not bytes"):
            output_of(job)


def test_a_stream_kept_from_a_run_writes_outside_of_it() -> None:
    with installed() as outside:
        kept: list[object] = []
        output_of(lambda: kept.append(sys.stdout))
        [stream] = kept
        assert isinstance(stream, io.TextIOBase)
        print("late", file=stream, flush=True)
        stream.buffer.write(b"\xe4\n")  # type: ignore[attr-defined]
        stream.buffer.flush()  # type: ignore[attr-defined]
        stream.reconfigure(errors="ignore")  # type: ignore[attr-defined]
        print("ä€", file=stream)
        assert said(outside) == "late\nä\nä\n"
        assert (stream.encoding, stream.errors, stream.isatty()) == ("latin-1", "ignore", False)
        assert output_of(lambda: print("taken", file=stream)) == "taken\n"


def test_a_stream_kept_from_a_run_and_put_in_place_outside_does_no_harm() -> None:
    with installed() as outside:
        kept: list[TextIO] = []
        output_of(lambda: kept.append(sys.stdout))
        sys.stdout = kept[0]
        print("here")
        assert said(outside) == "here\n"


def test_the_descriptor_is_that_of_the_real_stream(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("capture") / "out"
    numbers: list[int] = []
    with path.open("w", encoding="utf-8") as file, contextlib.redirect_stdout(file), capture.install():
        output_of(lambda: numbers.extend((sys.stdout.fileno(), sys.stdout.buffer.fileno())))
        assert numbers == [file.fileno()] * 2


def test_a_process_without_standard_output_is_fine() -> None:
    with installed() as outside:
        with contextlib.redirect_stdout(None):
            print("lost", flush=True)
            kept: list[io.TextIOBase] = []
            output_of(lambda: kept.append(sys.stdout))  # type: ignore[arg-type]
            kept[0].buffer.write(b"lost too")  # type: ignore[attr-defined]
            assert output_of(lambda: print("kept")) == "kept\n"
        assert said(outside) == ""


def test_log_records_outside_of_runs_are_left_to_others() -> None:
    with installed() as outside:
        other: list[str] = []
        handler = logging.Handler()
        handler.emit = lambda record: other.append(record.getMessage())  # type: ignore[method-assign]
        logging.getLogger().addHandler(handler)
        try:
            logging.getLogger("x").warning("outside")
        finally:
            logging.getLogger().removeHandler(handler)
        assert other == ["outside"]
        assert said(outside) == ""


def test_warnings_outside_of_runs_reach_the_last_resort_if_nobody_else_listens() -> None:
    stream = io.StringIO()
    with no_log_handlers(), contextlib.redirect_stderr(stream), capture.install():
        logging.getLogger("x").info("not this")
        logging.getLogger("x").warning("this")
    assert stream.getvalue() == "this\n"


def test_the_log_level_can_be_given() -> None:
    level = logging.getLogger().level
    with capture.install(logging.DEBUG):
        assert output_of(lambda: logging.getLogger("x").debug("fine")) == "DEBUG x: fine\n"
    with capture.install(logging.ERROR):
        assert output_of(lambda: logging.getLogger("x").warning("coarse")) == ""
    assert logging.getLogger().level == level


def test_installing_twice_is_once_and_leaving_undoes_it() -> None:
    streams, handlers, kind = (sys.stdout, sys.stderr), logging.getLogger().handlers[:], type(sys)
    with capture.install():
        inside = logging.getLogger().handlers[:]
        with capture.install():
            assert logging.getLogger().handlers == inside
        assert output_of(lambda: print("still captured")) == "still captured\n"
        assert (sys.stdout, sys.stderr) == streams
    assert (sys.stdout, sys.stderr) == streams
    assert vars(sys)["stdout"] is streams[0]
    assert (logging.getLogger().handlers, type(sys)) == (handlers, kind)
    assert kind is ModuleType


def test_capture_goes_on_after_an_exception_in_the_run() -> None:
    with installed() as outside:

        def job() -> None:
            try:
                int("gone")
            except ValueError:
                traceback.print_exc()
                raise

        output = BoundedOutput(1000)
        capture.begin(output)
        try:
            with pytest.raises(ValueError, match="gone"):
                job()
        finally:
            capture.end()
        assert output.text().endswith("base 10: 'gone'\n")
        assert said(outside) == ""
