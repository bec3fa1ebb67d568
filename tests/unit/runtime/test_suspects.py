"""Who held the interpreter's lock, by what faulthandler wrote."""

import faulthandler
import threading
from pathlib import Path

import msgspec
import pytest

from gavo_exec.errors import Position
from gavo_exec.model import Code, Job, RunRequest
from gavo_exec.runtime.jobcode import make_function
from gavo_exec.runtime.suspects import (
    Accusation,
    Frame,
    Station,
    Suspect,
    accuse,
    parse_dump,
    suspects_in,
    was_in_rd,
)
from gavo_exec.testing import EPOCH, make_execute, make_rd, make_request

DUMP = """\
Timeout (0:00:10)!
Thread 0x00007f0000000001 (most recent call first):
  File "/inputs/old.rd", line 1 in job_old

Timeout (0:00:10)!
Thread 0x00007f0000000003 [worker-2] (most recent call first):
  File "/usr/lib/python3.11/threading.py", line 324 in wait
  File "/inputs/test/q.rd", line 30 in job_waits
  File "/lib/gavo_exec/runtime/guard.py", line 80 in perform

Thread 0x00007f0000000002 (most recent call first):
  File "/usr/lib/python3.11/re.py", line 176 in match
  File "/inputs/test/q.rd", line 12 in job_matches
  File "/lib/gavo_exec/runtime/guard.py", line 80 in perform

Thread 0x00007f0000000004 (most recent call first):
  <no Python frame>

Current thread 0x00007f0000000005 (most recent call first):
  File "/lib/gavo_exec/daemon.py", line 1 in run
  ...
"""
FIRST = 0x7F0000000000


def request(key: str, *, path: str = "/inputs/test/q.rd", line: int = 1, source: str = "pass\n") -> RunRequest:
    execute = make_execute(key, path=path, line=line, code=source)
    rd = make_rd(execute, rd_id=key.partition("#")[0])
    return RunRequest(run_id=key, rd=rd, execute=execute, due=EPOCH)


def station(thread: int, key: str, *, is_running: bool = True, **more: object) -> Station:
    asked = request(key, **more)  # type: ignore[arg-type]
    return Station(thread=FIRST + thread, request=asked, is_running=is_running)


def suspects(text: str, *stations: Station) -> list[tuple[str, str]]:
    return [(suspect.key, suspect.where) for suspect in suspects_in(parse_dump(text), stations)]


def test_the_last_of_several_texts_is_read() -> None:
    threads = parse_dump(DUMP)
    assert [each.thread - FIRST for each in threads] == [3, 2, 4, 5]
    assert threads[1].frames == (
        Frame("/usr/lib/python3.11/re.py", 176),
        Frame("/inputs/test/q.rd", 12),
        Frame("/lib/gavo_exec/runtime/guard.py", 80),
    )
    assert threads[2].frames == ()


@pytest.mark.parametrize("text", ["", "Timeout (0:00:10)!\n", "no such thing", '  File "/x.rd", line 1 in f\n'])
def test_a_text_without_threads_accuses_nobody(text: str) -> None:
    assert parse_dump(text) == ()
    assert was_in_rd(()) is None


def test_a_job_is_suspected_where_its_thread_was_in_its_code_and_not_waiting() -> None:
    stations = station(2, "test/q#matches", line=11, source="a\nb\n"), station(3, "test/q#waits", line=30)
    assert suspects(DUMP, *stations) == [("test/q#matches", "/inputs/test/q.rd:12")]


def test_of_two_jobs_of_an_rd_that_a_thread_was_in_the_one_with_that_line_is_meant() -> None:
    now, before = station(2, "test/q#later", line=40), station(2, "test/q#matches", line=12)
    assert suspects(DUMP, now, before) == [("test/q#matches", "/inputs/test/q.rd:12")]
    unknown = station(2, "test/q#earlier", line=90)
    assert suspects(DUMP, now, unknown) == [("test/q#later", "/inputs/test/q.rd:12")]


def test_a_thread_that_a_job_began_stands_for_it() -> None:
    other = station(9, "test/q#matches", line=12)
    assert suspects(DUMP, other) == [("test/q#matches", "/inputs/test/q.rd:12")]


def test_what_is_none_of_the_rds_code_is_told_as_it_is() -> None:
    running = station(2, "other/q#job", path="/inputs/other/q.rd")
    assert suspects(DUMP, running) == [("other/q#job", "/usr/lib/python3.11/re.py:176")]
    ended = station(2, "other/q#job", path="/inputs/other/q.rd", is_running=False)
    assert suspects(DUMP, ended) == []


def test_the_daemons_own_threads_are_not_suspected() -> None:
    assert suspects(DUMP, station(9, "other/q#job", path="/inputs/other/q.rd")) == []


@pytest.mark.parametrize(
    "waiting",
    [
        "/usr/lib/python3.11/threading.py",
        "/usr/lib/python3.11/selectors.py",
        "/usr/lib/python3.11/subprocess.py",
        "/usr/lib/python3.11/queue.py",
        "/usr/lib/python3.11/ssl.py",
        "/x/gavo_exec/runtime/workers.py",
        "/x/gavo_exec/runtime/process.py",
        "/x/gavo_exec/runtime/process/child.py",
        "/x/gavo_exec/runtime/active.py",
    ],
)
def test_who_waits_without_the_lock_does_not_hold_it(waiting: str) -> None:
    text = DUMP.replace("/usr/lib/python3.11/re.py", waiting)
    assert suspects(text, station(2, "test/q#matches"), station(3, "test/q#waits")) == []
    assert was_in_rd(parse_dump(text)) is None


def test_without_any_knowledge_of_runs_the_place_in_an_rd_is_told() -> None:
    assert was_in_rd(parse_dump(DUMP)) == Frame("/inputs/test/q.rd", 12)


def test_setup_code_from_elsewhere_is_the_jobs_too() -> None:
    setup = Code(source="import re\n", first_line=5, position=Position(path="/inputs/lib.rd", line=5))
    execute = make_execute("test/q#job")
    job = Job(source="pass", setup=(setup,), position=execute.job.position)
    asked = make_request(msgspec.structs.replace(execute, job=job))
    text = 'Thread 0x7f0000000002 (most recent call first):\n  File "/inputs/lib.rd", line 5 in <module>\n'
    assert suspects(text, Station(thread=FIRST + 9, request=asked, is_running=True)) == [
        ("test/q#job", "/inputs/lib.rd:5")
    ]


A, B = (
    Suspect(thread=1, key="a#x", where="/a.rd:1"),
    Suspect(thread=2, key="b#y", where="/b.rd:2"),
)
BOTH = Accusation(where="a#x at /a.rd:1 or b#y at /b.rd:2")
ONLY_A, ONLY_B = Accusation(key="a#x", where="/a.rd:1"), Accusation(key="b#y", where="/b.rd:2")


@pytest.mark.parametrize(
    ("suspects", "process_seconds", "cpu_seconds", "accusation"),
    [
        ([], 9.9, {}, Accusation()),
        ([A], 0.1, {}, ONLY_A),
        ([A], 0.1, {1: 0.0}, ONLY_A),  # it waited for something, and held the lock
        ([A], 9.9, {1: 9.8}, ONLY_A),
        ([A], 9.9, {1: 0.1}, Accusation()),  # somebody else computed
        ([A], 9.9, {1: 0.1, 3: 9.8}, Accusation()),
        ([A], 9.9, {}, ONLY_A),  # nothing is known
        ([A, B], 9.9, {1: 0.1, 2: 9.8}, ONLY_B),
        ([A, B], 9.9, {1: 4.96, 2: 4.97}, BOTH),
        ([A, B], 9.9, {1: 0.1}, ONLY_B),  # in a thread that a job began, say
        ([A, B], 9.9, {1: 9.0}, ONLY_A),
        ([A, B], 0.1, {1: 0.1, 2: 0.0}, BOTH),
        ([A, B], 0.4, {1: 0.1, 2: 0.3}, ONLY_B),  # on a machine that is overloaded
        ([A, B], 0.4, {1: 0.1, 2: 0.1}, BOTH),
    ],
)
def test_who_computed_is_singled_out(
    suspects: list[Suspect], process_seconds: float, cpu_seconds: dict[int, float], accusation: Accusation
) -> None:
    assert accusation == accuse(suspects, seconds=10.0, process_seconds=process_seconds, cpu_seconds=cpu_seconds)


@pytest.mark.parametrize(
    "name",
    [
        "/inputs/ex/q.rd",
        "/inputs/a b/\x07\n\x1b/q.rd",
        "/inputs/käse/\N{SNOWMAN}\N{PILE OF POO}.rd",
        "/inputs/\udcff.rd",
        '/inputs/a", line 7 in b.rd',
        "/inputs/a\\x62.rd",
        "/inputs/" + "long/" * 200 + "q.rd",
    ],
)
def test_paths_are_known_again_as_the_interpreter_writes_them(tmp_path: Path, name: str) -> None:
    job = Job(source="\n\nwrite()\n", first_line=7, position=Position(path=name, line=7))
    dump = (tmp_path / "dump").open("wb")

    def write() -> None:
        faulthandler.dump_traceback(dump, all_threads=True)

    with dump:
        make_function(job, name="job", namespace={"write": write})(None, None)
    text = (tmp_path / "dump").read_text(encoding="ascii")
    asked = make_request(msgspec.structs.replace(make_execute("test/q#job"), job=job))
    here = Station(thread=threading.get_ident(), request=asked, is_running=True)
    assert suspects(text, here) == [("test/q#job", f"{name}:9")]
