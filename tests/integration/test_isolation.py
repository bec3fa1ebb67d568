"""Runs with a process of their own: the same as any, but that they can be killed and share nothing."""

import os
import select
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from gavo_exec.events import Event
from gavo_exec.isolated import isolation
from gavo_exec.model import Code, Execute, NewFile, Outcome, Policy, Run, RunRequest, Site
from gavo_exec.runtime import capture
from gavo_exec.runtime.executing import JobLoader
from gavo_exec.runtime.guard import Guard
from gavo_exec.runtime.process import ProcessRunner
from gavo_exec.schedule import At, Every, Loaded, parse_at
from gavo_exec.settings import Settings
from gavo_exec.testing import EPOCH, FakeClock, make_execute, make_rd

PATIENCE_SECONDS = 30.0
OTHER = (
    '<resource schema="other"><property name="p">v</property><execute title="o" every="9"><job/></execute></resource>'
)
ISOLATED = Policy(is_isolated=True)


class Place:
    """A resource directory, and a guard for runs from it, isolated ones and others."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "test").mkdir()
        self.events: list[Event] = []
        self.heard = threading.Event()
        self.teed = b""
        self.runner = ProcessRunner(output_limit_bytes=10_000, grace_seconds=0.5, drain_seconds=0.5)
        settings = Settings(
            inputs_dir=str(folder), state_dir=str(folder), job_namespace="own", smtp_password="hidden-word"
        )
        site = Site(config={"general": {"tempdir": "/var/tmp"}})
        self.apart = isolation(self.runner, settings=settings, site=site, output_limit_bytes=10_000)
        loader = JobLoader(self.runner, site=site, choice="own", isolate=self.apart.prepare)
        self.guard = Guard(
            loader.prepare,
            clock=FakeClock(),
            publish=self.events.append,
            host="vo",
            output_limit_bytes=100_000,
            overdue_seconds=0.1,
        )

    def tee(self, data: bytes) -> None:
        self.teed += data
        if b"ready\n" in self.teed:
            self.heard.set()

    def request(self, code: str, *others: Execute, policy: Policy = ISOLATED, **kwargs: Any) -> RunRequest:
        execute = make_execute(code=code, policy=policy, path=f"{self.folder}/test/q.rd", **kwargs)
        rd = make_rd(execute, *others, inputs_dir=str(self.folder))
        rd = msgspec.structs.replace(rd, properties={"of": "rd"}, meta={"title": ("T",)})
        return RunRequest(run_id=f"{os.getpid()}-9", rd=rd, execute=execute, due=EPOCH)

    def run(self, code: str, *others: Execute, **kwargs: Any) -> Run:
        return self.guard.perform(self.request(code, *others, **kwargs), tee=self.tee)

    def begin(self, request: RunRequest) -> "Going":
        """Perform a request in a thread, and wait until it has said that it is ready."""
        going = Going(self, request)
        assert self.heard.wait(PATIENCE_SECONDS)
        return going


class Going:
    """A run in a thread."""

    def __init__(self, place: Place, request: RunRequest) -> None:
        self._run: Run | None = None

        def perform() -> None:
            self._run = place.guard.perform(request, tee=place.tee)

        self._thread = threading.Thread(target=perform)
        self._thread.start()

    def end(self) -> Run:
        self._thread.join(PATIENCE_SECONDS)
        assert self._run is not None
        return self._run


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with capture.install():
        yield Place(tmp_path)
    assert psutil.Process().children() == []


EVERYTHING = """
import json
print(json.dumps([
    execDef.id, execDef.title, execDef.at, execDef.every, execDef.debug, execDef.properties, execDef.getFullId(),
    execDef.getSourcePosition(), execDef.newFiles, execDef.cancelled, execDef.jobName, execDef.rd is rd,
    rd.sourceId, rd.resdir, rd.srcPath, rd.properties, rd.getMeta("title"), [job.id for job in rd.jobs],
    base.getConfig("tempDir"), type(execDef).__name__, __name__, parent is execDef, made,
]))
"""


@pytest.mark.parametrize("schedule", [parse_at("7:30, w1 8:00"), Every(seconds=60, immediately=True)])
def test_job_code_sees_the_same_as_in_the_daemon(place: Place, schedule: At | Every) -> None:
    outputs = []
    for is_isolated in (True, False):
        request = place.request(
            EVERYTHING,
            make_execute("test/q#other"),
            schedule=schedule,
            debug=True,
            properties={"a": "b", "none": None},
            policy=Policy(is_isolated=is_isolated),
        )
        job = msgspec.structs.replace(request.execute.job, setup=(Code(source="made = parent.title\n"),))
        execute = msgspec.structs.replace(request.execute, job=job)
        request = msgspec.structs.replace(
            request,
            execute=execute,
            rd=msgspec.structs.replace(request.rd, executes=(execute, request.rd.executes[1])),
            files=(NewFile(path="/data/x", size=1, mtime_ns=2),),
        )
        run = place.guard.perform(request)
        assert (run.outcome, run.error) == (Outcome.SUCCEEDED, "")
        outputs.append(run.output)
    assert outputs[0] == outputs[1]
    assert '"/data/x"' in outputs[0]


@pytest.mark.parametrize(
    "code",
    [
        "print('said', end=''); raise ValueError('bad \\udcff')",
        "1 / 0",
        "import sys; sys.exit(3)",
        "import sys; sys.exit(0)",
        "raise base.ReportableError('no disk', hint='buy one')",
        "return 'nothing that counts'",
        "this is no Python",
        "raise KeyboardInterrupt",
        "execDef.spawn(['sh', '-c', 'echo no net; exit 3']); execDef.spawn('no-such-program')",
        "execDef.outputAccum.append('put aside'); import sys; sys.stderr.write('an error'); print('\\udcff')",
        "import logging; logging.getLogger('x').warning('careful')",
    ],
)
def test_how_a_run_ends_and_what_it_says_is_the_same_as_in_the_daemon(place: Place, code: str) -> None:
    isolated, plain = (place.run(code, policy=Policy(is_isolated=is_isolated)) for is_isolated in (True, False))
    assert (isolated.outcome, isolated.error, isolated.returncode, isolated.output) == (
        plain.outcome,
        plain.error,
        plain.returncode,
        plain.output,
    )


@pytest.mark.parametrize(
    ("code", "cause", "returncode"),
    [
        ("os._exit(0)", "its process ended with code 0 while its code was running", 0),
        ("os._exit(3)", "its process ended with code 3 while its code was running", 3),
        ("os.kill(os.getpid(), 9)", "its process was ended by SIGKILL", -9),
        ("import ctypes; ctypes.string_at(0)", "its process was ended by SIGSEGV", -11),
    ],
)
def test_a_process_that_ends_without_a_word_is_a_failed_run(
    place: Place, code: str, cause: str, returncode: int
) -> None:
    run = place.run(f"print('said', flush=True)\n{code}")
    assert (run.outcome, run.error, run.returncode, run.output) == (Outcome.FAILED, cause, returncode, "said\n")


def test_output_comes_as_it_is_said_from_whatever_part_of_the_process(place: Place) -> None:
    code = "print('one'); os.write(1, b'two\\n'); os.system('echo three'); execDef.spawn('echo four'); print('five')"
    run = place.run(code)
    assert run.output == "one\ntwo\nthree\nfour\nfive\n"
    assert place.teed == run.output.encode()


def test_nothing_is_shared_with_the_daemon_or_another_run(place: Place) -> None:
    code = "import sys; print(hasattr(rd, 'x'), hasattr(sys, 'x'), os.getpid()); rd.x = sys.x = 1; os.chdir('/')"
    before = Path.cwd()
    outputs = [place.run(code).output.split() for _ in range(2)]
    assert [output[:2] for output in outputs] == [["False", "False"]] * 2
    assert len({os.getpid(), *(int(output[2]) for output in outputs)}) == 3
    assert Path.cwd() == before


def test_what_runs_on_loading_is_run_before_it_with_the_same_rd(place: Place) -> None:
    loading = [
        make_execute("test/q#a", schedule=Loaded(), code="rd.said = ['a']; print('loading')"),
        make_execute("test/q#b", schedule=Loaded(), code="1 / 0"),
        make_execute("test/q#c", schedule=Loaded(), code="rd.said.append('c')"),
    ]
    run = place.run("print(rd.said)", *loading)
    assert run.outcome is Outcome.SUCCEEDED
    note = "[test/q#b, which is run on loading, went wrong here: ZeroDivisionError: division by zero]"
    assert run.output == f"loading\n{note}\n['a', 'c']\n"


def test_one_that_runs_on_loading_itself_runs_alone(place: Place) -> None:
    other = make_execute("test/q#a", schedule=Loaded(), code="print('loading')")
    assert place.run("print('here')", other, schedule=Loaded()).output == "here\n"


def test_other_rds_are_found_in_their_files(place: Place) -> None:
    (place.folder / "other").mkdir()
    (place.folder / "other" / "q.rd").write_text(OTHER)
    code = (
        "found = base.caches.getRD('other/q')\n"
        "print(found.getProperty('p'), [job.title for job in found.jobs], base.caches.getRD('other/q.rd') is found)\n"
        "print(base.caches.getRD('test/q') is rd)\n"
        "base.caches.getRD('other/none')\n"
    )
    run = place.run(code)
    assert run.output == "v ['o'] True\nTrue\n"
    assert "RDNotFound: there is no resource descriptor 'other/none'" in run.error.partition("\n")[0]


def test_the_process_has_the_limits_and_so_have_its_children(place: Place) -> None:
    workdir = place.folder / "work"
    workdir.mkdir()
    policy = Policy(
        is_isolated=True,
        workdir=str(workdir),
        env=(("MINE", "yes"),),
        niceness=9,
        memory_bytes=2**31,
    )
    code = "print(os.getcwd(), os.environ['MINE'], os.nice(0))\nexecDef.spawn(['sh', '-c', 'pwd; nice; ulimit -v'])"
    run = place.run(code, policy=policy)
    assert run.output == f"{workdir} yes 9\n{workdir}\n9\n{2**21}\n"


def test_too_much_memory_is_a_failed_run_and_nothing_worse(place: Place) -> None:
    run = place.run("x = bytearray(10**10)", policy=Policy(is_isolated=True, memory_bytes=2**30))
    assert (run.outcome, run.error.partition("\n")[0]) == (Outcome.FAILED, "MemoryError")


def test_a_working_directory_that_is_missing_is_said(place: Place) -> None:
    run = place.run("pass", policy=Policy(is_isolated=True, workdir="/no/such"))
    assert run.outcome is Outcome.FAILED
    assert run.error.startswith("its process could not be started: cannot start '")
    assert run.error.endswith("': its working directory '/no/such' does not exist")


def test_neither_secrets_nor_our_way_to_be_found_are_handed_on(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    code = "print(os.environ.get('PYTHONPATH'), os.getcwd() in sys.path or '' in sys.path)"
    assert place.run(code).output == "None False\n"
    assert b"hidden-word" not in place.apart._hand_over(place.request(code))


DEAF_CHILD = """
import subprocess
deaf = "trap '' TERM; echo ready; sleep 9999; sleep 9999"
subprocess.run(["setsid", "sh", "-c", deaf], pass_fds=[held])
"""


@pytest.mark.parametrize(
    "code",
    [
        "print('ready')\nwhile True: time.sleep(1000)",
        "print('ready')\nwhile True: pass",
        "execDef.spawn(['sh', '-c', 'echo ready; exec sleep 9999'])",
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready'); time.sleep(9999)",
        DEAF_CHILD,
    ],
)
@pytest.mark.parametrize("way", ["timeout", "cancel"])
def test_it_is_ended_with_all_that_it_started_whatever_it_does(place: Place, code: str, way: str) -> None:
    """It has a pipe open, and so has all that it starts by other means than ours: its end tells that none lives."""
    alive = place.folder / "alive"
    os.mkfifo(alive)
    reader = os.open(alive, os.O_RDONLY | os.O_NONBLOCK)
    timeout = timedelta(seconds=1000 if way == "cancel" else 1.5)
    holding = f"held = os.open({str(alive)!r}, os.O_WRONLY); os.set_inheritable(held, True)\n"
    policy = Policy(is_isolated=True, timeout=timeout)
    try:
        going = place.begin(place.request(holding + code, policy=policy))
        if way == "cancel":
            place.guard.cancel(f"{os.getpid()}-9", "replaced")
        run = going.end()
        poll = select.poll()
        poll.register(reader, select.POLLIN)
        assert poll.poll(PATIENCE_SECONDS * 1000) == [(reader, select.POLLHUP)]
    finally:
        os.close(reader)
    assert run.outcome is (Outcome.TIMED_OUT if way == "timeout" else Outcome.CANCELLED)


def test_it_is_given_the_chance_to_end_by_itself(place: Place) -> None:
    code = "print('ready')\nwhile not execDef.wait(1000): pass\nprint('bye')"
    going = place.begin(place.request(code))
    place.guard.cancel(f"{os.getpid()}-9", "replaced")
    run = going.end()
    assert (run.outcome, run.error, run.output) == (Outcome.CANCELLED, "replaced", "ready\nbye\n")


def test_it_can_be_asked_without_being_ended(place: Place) -> None:
    code = "print('ready')\nwhile not execDef.cancelled: time.sleep(0.01)\nexecDef.spawn('echo child')\nprint('done')"
    going = place.begin(place.request(code))
    place.guard.ask("the daemon is stopping")
    run = going.end()
    assert (run.outcome, run.output) == (Outcome.SUCCEEDED, "ready\nchild\ndone\n")


def test_one_that_is_asked_before_its_code_has_begun_is_interrupted(place: Place) -> None:
    """Until its own way to be asked is there, the signal ends it."""
    (place.folder / "sitecustomize.py").write_text("import time; print('ready', flush=True); time.sleep(1000)\n")
    policy = Policy(is_isolated=True, env=(("PYTHONPATH", str(place.folder)),))
    going = place.begin(place.request("print('never')", policy=policy))
    place.guard.ask("the daemon is stopping")
    run = going.end()
    assert (run.outcome, run.output) == (Outcome.INTERRUPTED, "ready\n")
    assert run.error.startswith("it was asked to end before its code had begun\n")


def test_the_path_for_modules_is_the_runs_own(place: Place) -> None:
    policy = Policy(is_isolated=True, env=(("PYTHONPATH", "/no/such"),))
    run = place.run("print(os.environ['PYTHONPATH'], '/no/such' in sys.path)", policy=policy)
    assert run.output == "/no/such True\n"
