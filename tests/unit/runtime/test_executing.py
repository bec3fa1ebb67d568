"""What job code sees: rd, execDef, and the names in scope."""

import builtins
import logging
import sys
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gavo_exec.errors import ReportableError, RunError, SpawnFailed
from gavo_exec.model import Code, NewFile, Outcome, Overlap, Policy, ResourceDescriptor, RunRequest
from gavo_exec.model import Execute as ExecuteModel
from gavo_exec.ports import JobRunner, Terms
from gavo_exec.runtime.active import ActiveRun, Verdict
from gavo_exec.runtime.executing import Execute, GuardedFunctionFactory, JobLoader, NotFoundError
from gavo_exec.runtime.output import BoundedOutput
from gavo_exec.runtime.process import ProcessRunner
from gavo_exec.runtime.resource import StructureError
from gavo_exec.schedule import Every, parse_at
from gavo_exec.testing import EPOCH, ScriptedRunner, make_execute, make_rd, make_request


class Stage:
    """Runs job code against a scripted runner."""

    def __init__(self, *executes: ExecuteModel, resdir: str = "/inputs/test", runner: JobRunner | None = None) -> None:
        self.runner = ScriptedRunner()
        self.loader = JobLoader(runner or self.runner)
        self.rd = make_rd(*executes, resdir=resdir)
        self.output = BoundedOutput(100_000)

    def run(self, execute: ExecuteModel, rd: ResourceDescriptor | None = None) -> tuple[Any, Execute]:
        self.output = BoundedOutput(100_000)
        request = RunRequest(run_id="run-1", rd=rd or self.rd, execute=execute, due=EPOCH)
        call, exec_def = self.loader.prepare(ActiveRun(request, self.output))
        assert isinstance(exec_def, Execute)
        return call(), exec_def


def run(code: str, **kwargs: Any) -> tuple[Any, Execute]:
    execute = make_execute(code=code, **kwargs)
    return Stage(execute).run(execute)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("execDef.id", "job"),
        ("execDef.title", "a job"),
        ("execDef.getFullId()", "test/q#job"),
        ("execDef.jobName", "a job in test/q"),
        ("execDef.debug", False),
        ("execDef.every", 3600),
        ("execDef.at", None),
        ("execDef.name_", "execute"),
        ("execDef.job.name_", "job"),
        ("execDef.job.formalArgs", "rd, execDef"),
        ("execDef.rd is rd and execDef.parent is rd", True),
        ("parent is execDef", True),
        ("execDef.outputAccum", []),
        ("execDef.getSourcePosition()", "/inputs/test/q.rd:1:1"),
        ("rd.sourceId", "test/q"),
        ("rd.schema", "test"),
        ("rd.resdir", "/inputs/test"),
        ("rd.srcPath", "/inputs/test/q.rd"),
        ("rd.getAbsPath('bin/x.py')", "/inputs/test/bin/x.py"),
        ("rd.getAbsPath('/inputs/test/x')", "/inputs/test/x"),
        ("rd.getAbsPath('a/../b')", "/inputs/test/a/../b"),
        ("rd.getRelResdir()", "test"),
        ("rd.getMeta('title')", None),
        ("rd.getMeta('title', default='none')", "none"),
        ("os.path.basename(re.sub('x', 'y', 'a/x'))", "y"),
        ("datetime.date(2026, 1, 1).isoformat()", "2026-01-01"),
        ("time.strftime is not None and math.pi > 3 and urllib.parse.quote(' ')", "%20"),
        ("sys.version_info[0] + len(base64.b64encode(b'')) + len(pprint.pformat(''))", 5),
    ],
)
def test_job_code_finds_what_it_may_ask_for(expression: str, value: object) -> None:
    assert run(f"return {expression}")[0] == value


@pytest.mark.parametrize(
    ("schedule", "at", "every"),
    [(parse_at("7:30, w1 8:00"), ["7:30", "w1 8:00"], None), (Every(seconds=60, immediately=True), None, -60)],
)
def test_the_schedule_is_seen_as_the_rd_writes_it(schedule: Any, at: list[str] | None, every: int | None) -> None:
    assert run("return execDef.at, execDef.every", schedule=schedule)[0] == (at, every)


@pytest.mark.parametrize(
    "code", ["rd.getAbsPath('/etc/x')", "rd.openRes('../other/x')", "execDef.spawnPython('../testing/x.py')"]
)
def test_paths_that_lead_out_of_the_resdir_are_refused(code: str) -> None:
    with pytest.raises(ReportableError, match=r"^[./\w]+ leads out of the resource directory /inputs/test$") as caught:
        run(code)
    assert "set outside_resdir = allow" in caught.value.hint


def test_they_may_be_allowed() -> None:
    runner = ScriptedRunner()
    loader = JobLoader(runner, may_leave_resdir=True)
    request = make_request(make_execute(code="execDef.spawnPython('/opt/x.py', rd.getAbsPath('../a'))"))
    call, _ = loader.prepare(ActiveRun(request, BoundedOutput(1000)))
    call()
    assert runner.calls[0][1:] == ("/opt/x.py", "/inputs/test/../a")


def test_parameters_of_a_run_go_before_properties_and_are_of_that_run_alone() -> None:
    runner = ScriptedRunner()
    loader = JobLoader(runner)
    execute = make_execute(code="return execDef.getProperty('night', None)", properties={"night": "1"})
    answers = []
    for parameters in ((), (("night", "2"),), ()):
        request = msgspec.structs.replace(make_request(execute), parameters=parameters)
        call, _ = loader.prepare(ActiveRun(request, BoundedOutput(1000)))
        answers.append(call())
    assert answers == ["1", "2", "1"]


def test_properties_are_read_set_and_cleared() -> None:
    result, _ = run(
        """
assert execDef.hasProperty("a") and not execDef.hasProperty("b")
execDef.setProperty("b", "2")
execDef.clearProperty("a")
execDef.clearProperty("never there")
return execDef.properties, execDef.getProperty("b"), execDef.getProperty("a", "default")
""",
        properties={"a": "1"},
    )
    assert result == ({"b": "2"}, "2", "default")


def test_a_missing_property_without_default_is_not_found() -> None:
    with pytest.raises(NotFoundError, match=r"there is no property 'x' here; there are: \['a'\]"):
        run("execDef.getProperty('x')", properties={"a": "1"})


def test_meta_is_text_and_answers_as_an_element_would() -> None:
    execute = make_execute(code="m = rd.getMeta('title'); return m, m.getContent(), list(rd.iterMeta('title'))")
    stage = Stage(execute)
    rd = msgspec.structs.replace(stage.rd, meta={"title": ("one", "two")})
    assert stage.run(execute, rd)[0] == ("one", "one", ["one", "two"])


def test_one_rd_is_shared_by_the_jobs_and_runs_of_a_version() -> None:
    first = make_execute("test/q#a", code="rd.count = getattr(rd, 'count', 0) + 1\nreturn rd.count")
    second = make_execute("test/q#b", code="rd.count = getattr(rd, 'count', 0) + 1\nreturn rd.count")
    stage = Stage(first, second)
    assert [stage.run(execute)[0] for execute in (first, second, first)] == [1, 2, 3]
    again = make_execute("test/q#a", code=first.job.source)
    assert stage.run(again, make_rd(again))[0] == 1


def test_globals_are_made_once_per_version_and_execdef_for_each_run() -> None:
    execute = make_execute(code="global n\nn = globals().get('n', 0) + 1\nexecDef.outputAccum.append('x')\nreturn n")
    stage = Stage(execute)
    assert stage.run(execute)[0] == 1
    result, exec_def = stage.run(execute)
    assert (result, exec_def.outputAccum) == (2, ["x"])


def test_a_set_property_lasts_until_the_rd_is_loaded_anew() -> None:
    code = "n = int(execDef.getProperty('n', '0')) + 1\nexecDef.setProperty('n', str(n))\nreturn n"
    execute = make_execute(code=code)
    stage = Stage(execute)
    assert [stage.run(execute)[0] for _ in range(2)] == [1, 2]
    again = make_execute(code=code)
    assert stage.run(again, make_rd(again))[0] == 1


@pytest.mark.parametrize(
    ("argument", "argv"),
    [
        ("['dachs', 'imp', rd.sourceId]", ("dachs", "imp", "test/q")),
        ("'dachs imp test/q'", ("dachs", "imp", "test/q")),
        ("'sh -c \"a b\"'", ("sh", "-c", "a b")),
        ("['sleep', 3, os.path.join('a', 'b')]", ("sleep", "3", "a/b")),
    ],
)
def test_spawn_takes_a_list_or_a_string(argument: str, argv: tuple[str, ...]) -> None:
    execute = make_execute(code=f"return execDef.spawn({argument})")
    stage = Stage(execute)
    assert stage.run(execute)[0] == 0
    assert stage.runner.calls == [argv]


def test_spawn_answers_the_code_keeps_the_output_and_does_not_raise() -> None:
    execute = make_execute(code="return execDef.spawn('fetch it'), execDef.spawn('plot it')")
    stage = Stage(execute)
    stage.runner.script = {"fetch": (3, b"no net\xff\n"), "plot": b"done\n"}
    result, exec_def = stage.run(execute)
    assert result == (3, 0)
    assert stage.output.text() == "no net\\xff\ndone\n"
    assert [failure.argv for failure in exec_def.failures] == [("fetch", "it")]
    assert exec_def.outputAccum == []


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("x = 1\nexecDef.spawn('fetch')", 13),
        ("execDef.spawnPython('fetch.py')", 12),
        ("def call():\n    execDef.spawn(['fetch'])\n\ncall()", 13),
        ("list(map(execDef.spawn, ['fetch']))", 12),
    ],
)
def test_a_child_that_fails_is_known_by_the_line_that_started_it(code: str, line: int) -> None:
    execute = make_execute(code=code, line=12)
    stage = Stage(execute)
    stage.runner.script = {"fetch": 3, sys.executable.rpartition("/")[2]: 3}
    [failure] = stage.run(execute)[1].failures
    assert failure.called_at == f"/inputs/test/q.rd, line {line}"


def test_debug_accumulates_the_output_of_good_children_without_doubling_the_runs_output() -> None:
    execute = make_execute(code="execDef.spawn('plot it')\nexecDef.outputAccum.append('mine')", debug=True)
    stage = Stage(execute)
    stage.runner.script = {"plot": b"done\n"}
    _, exec_def = stage.run(execute)
    assert exec_def.outputAccum == [b"Output of plot it:\n\ndone\n", "mine"]
    assert exec_def.accumulated() == ["mine"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("execDef.spawn('absent x')", "cannot start 'absent': no such program on the path\n"),
        ("execDef.spawn('unbalanced \"quote')", "No closing quotation\n"),
    ],
)
def test_a_program_that_cannot_be_started_is_a_failed_spawn(call: str, message: str) -> None:
    execute = make_execute(code=f"return {call}")
    stage = Stage(execute)
    stage.runner.script = {"absent": SpawnFailed("cannot start 'absent': no such program on the path")}
    result, exec_def = stage.run(execute)
    assert result == 127
    assert [failure.returncode for failure in exec_def.failures] == [127]
    assert stage.output.text() == message


def test_spawn_python_runs_our_interpreter_on_a_file_of_the_resdir_and_answers_the_code() -> None:
    execute = make_execute(code="return execDef.spawnPython('bin/fetch.py', 'm31', 5)")
    stage = Stage(execute)
    stage.runner.script = {Path(sys.executable).name: 4}
    assert stage.run(execute)[0] == 4
    assert stage.runner.calls == [(sys.executable, "/inputs/test/bin/fetch.py", "m31", "5")]


@pytest.mark.parametrize("preset", [None, "1"])
def test_what_python_programs_say_keeps_its_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, preset: str | None
) -> None:
    """What they print comes first even where they go on to say what is wrong, on the other stream."""
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    if preset is not None:
        monkeypatch.setenv("PYTHONUNBUFFERED", preset)
    (tmp_path / "fetch.py").write_text(
        "import sys\nprint('looking')\nprint('no net', file=sys.stderr)\nprint('left')\n"
    )
    execute = make_execute(code="return execDef.spawnPython('fetch.py')")
    stage = Stage(execute, resdir=str(tmp_path), runner=ProcessRunner(output_limit_bytes=1000))
    assert stage.run(execute)[0] == 0
    assert stage.output.text() == "looking\nno net\nleft\n"


def test_what_the_operator_says_of_buffering_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", "")
    (tmp_path / "fetch.py").write_text("import os\nprint(repr(os.environ['PYTHONUNBUFFERED']))\n")
    execute = make_execute(code="return execDef.spawnPython('fetch.py')")
    stage = Stage(execute, resdir=str(tmp_path), runner=ProcessRunner(output_limit_bytes=1000))
    stage.run(execute)
    assert stage.output.text() == "''\n"


def test_modules_of_the_resource_are_loaded_by_path(tmp_path: Path) -> None:
    (tmp_path / "plot.py").write_text("def makePlot():\n    return 'plotted'\n")
    execute = make_execute(
        code="mod, _ = utils.loadPythonModule(rd.getAbsPath('plot'))\n"
        "same, _ = loadPythonModule(rd.getAbsPath('plot.py'))\nreturn mod.makePlot(), same.makePlot()"
    )
    assert Stage(execute, resdir=str(tmp_path)).run(execute)[0] == ("plotted", "plotted")


def test_files_of_the_resource_are_opened(tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_text("seen")
    execute = make_execute(code="with rd.openRes('data.txt', 'r') as f:\n  return f.read()")
    assert Stage(execute, resdir=str(tmp_path)).run(execute)[0] == "seen"


def test_messages_to_the_user_interface_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        run("base.ui.notifyInfo('i')\nbase.ui.notifyWarning('w')\nbase.ui.notifyError('e')")
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("INFO", "i"),
        ("WARNING", "w"),
        ("ERROR", "e"),
    ]


def test_jobs_that_are_no_more_are_let_go() -> None:
    execute = make_execute(code="global n\nn = globals().get('n', 0) + 1\nreturn n")
    stage = Stage(execute)
    stage.run(execute)
    stage.loader.forget([execute.key, "never/there#x"])
    assert stage.run(execute)[0] == 1


# Runs that are to end, and what holds for their children


def prepared(stage: Stage, execute: ExecuteModel, **kwargs: Any) -> tuple[ActiveRun, Any, Any]:
    """A run that is about to begin, what begins it, and its execDef."""
    active = ActiveRun(RunRequest(run_id="run-1", rd=stage.rd, execute=execute, due=EPOCH, **kwargs), stage.output)
    return active, *stage.loader.prepare(active)


def test_job_code_knows_when_it_should_end_and_can_wait_for_that() -> None:
    execute = make_execute(
        code="before = execDef.cancelled, execDef.wait(0)\nend()\nreturn before, execDef.cancelled, execDef.wait(1000)"
    )
    stage = Stage(execute)
    active, call, exec_def = prepared(stage, execute)
    exec_def.callable.__globals__["end"] = active.ask
    assert call() == ((False, False), True, True)


def test_an_execute_without_a_run_neither_waits_nor_is_cancelled() -> None:
    execute = make_execute(code="job, = rd.jobs\nassert (job.cancelled, job.newFiles) == (False, [])\njob.wait(1)")
    with pytest.raises(StructureError, match=r"^test/q#job is not being run, so it cannot wait; use execDef.wait$"):
        Stage(execute).run(execute)


def test_job_code_is_told_which_files_its_run_is_for() -> None:
    execute = make_execute(code="return execDef.newFiles")
    stage = Stage(execute)
    files = (NewFile(path="/data/a b.fits", size=1, mtime_ns=2), NewFile(path="/data/c.fits", size=1, mtime_ns=2))
    assert prepared(stage, execute, files=files)[1]() == ["/data/a b.fits", "/data/c.fits"]
    assert stage.run(execute)[0] == []


@pytest.mark.parametrize(
    ("policy", "cwd", "env", "terms"),
    [
        (Policy(), "/inputs/test", {}, Terms(run_id="run-1")),
        (Policy(workdir="/var/tmp"), "/var/tmp", {}, Terms(run_id="run-1")),
        (Policy(env=(("A", "1"), ("B", ""))), "/inputs/test", {"A": "1", "B": ""}, Terms(run_id="run-1")),
        (
            Policy(niceness=5, memory_bytes=1000),
            "/inputs/test",
            {},
            Terms(run_id="run-1", niceness=5, memory_bytes=1000),
        ),
    ],
)
def test_children_run_on_the_terms_of_their_run(policy: Policy, cwd: str, env: dict[str, str], terms: Terms) -> None:
    execute = make_execute(code="execDef.spawn('fetch')", policy=policy)
    stage = Stage(execute)
    stage.runner.script = {"fetch": 1}
    _, exec_def = stage.run(execute)
    assert stage.runner.folders == [cwd]
    assert stage.runner.environments == [{"PYTHONUNBUFFERED": "1", **env}]
    assert stage.runner.terms == [terms]
    assert exec_def.failures[0].cwd == cwd


def test_what_the_rd_says_of_buffering_holds() -> None:
    execute = make_execute(code="execDef.spawn('fetch')", policy=Policy(env=(("PYTHONUNBUFFERED", ""),)))
    stage = Stage(execute)
    stage.run(execute)
    assert stage.runner.environments == [{"PYTHONUNBUFFERED": ""}]


def test_a_run_that_was_ended_spawns_nothing_any_more() -> None:
    execute = make_execute(code="execDef.spawn('first')\nend()\nexecDef.spawn('second')")
    stage = Stage(execute)
    active, call, exec_def = prepared(stage, execute)
    exec_def.callable.__globals__["end"] = lambda: active.end(Verdict(Outcome.TIMED_OUT, "timed out"))
    with pytest.raises(RunError, match=r"^this run is to end: timed out$"):
        call()
    assert (stage.runner.calls, stage.runner.ended) == ([("first",)], ["run-1"])


def test_one_that_is_only_asked_goes_on_spawning() -> None:
    execute = make_execute(code="end()\nexecDef.spawn('second')")
    stage = Stage(execute)
    active, call, exec_def = prepared(stage, execute)
    exec_def.callable.__globals__["end"] = active.ask
    call()
    assert stage.runner.calls == [("second",)]


def test_what_is_set_on_an_execute_is_seen_by_its_runs_and_not_the_other_way_round() -> None:
    execute = make_execute(code="execDef.mine = 1\nexecDef.title = 'other'\nreturn rd.jobs[0], execDef.theirs")
    stage = Stage(execute)
    _, call, exec_def = prepared(stage, execute)
    exec_def.rd.jobs[0].theirs = 2
    job, theirs = call()
    assert theirs == 2
    assert (job.title, hasattr(job, "mine"), type(job) is type(exec_def)) == ("a job", False, True)
    assert {"title", "theirs", "spawn"} <= set(dir(exec_def))
    with pytest.raises(AttributeError, match=r"^an execute has no nothing$"):
        exec_def.nothing  # noqa: B018 -- the access is what is tested


@pytest.mark.parametrize(("code", "setup"), [("return parent", ""), ("return who()", "def who():\n  return parent\n")])
def test_the_globals_do_not_keep_a_run_that_has_ended(code: str, setup: str) -> None:
    execute = make_execute(code=code)
    execute = msgspec.structs.replace(
        execute, job=msgspec.structs.replace(execute.job, setup=(Code(source=setup),) if setup else ())
    )
    stage = Stage(execute)
    parent, exec_def = stage.run(execute)
    assert parent is exec_def
    assert exec_def.callable is not None
    assert exec_def.callable.__globals__["parent"] is exec_def.rd.jobs[0]


def test_runs_beside_one_another_have_each_its_own_parent_and_their_setup_done() -> None:
    execute = make_execute(code="meet()\nreturn who()", policy=Policy(overlap=Overlap.ALLOW))
    setup = (Code(source="import builtins\nmeet = builtins.meet\ndef who():\n  return parent\n"),)
    execute = msgspec.structs.replace(execute, job=msgspec.structs.replace(execute.job, setup=setup))
    stage = Stage(execute)
    together = threading.Barrier(3)
    builtins.meet = lambda: together.wait(20)  # type: ignore[attr-defined]
    answers: list[tuple[Any, Any]] = []
    threads = []
    for _ in range(3):
        _, call, exec_def = prepared(stage, execute)
        threads.append(threading.Thread(target=lambda call=call, own=exec_def: answers.append((call(), own))))
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    finally:
        del builtins.meet  # type: ignore[attr-defined]
    assert len(answers) == 3
    assert all(found is own for found, own in answers)


def exec_def_of(code: str = "pass") -> Execute:
    return run(code)[1]


class TestGuardedFunctionFactory:
    """The guard in the seed's shape."""

    def test_it_never_runs_twice_at_once_and_warns(self, caplog: pytest.LogCaptureFixture) -> None:
        begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()
        runs = []

        def job(rd: object, exec_def: object) -> None:
            runs.append((rd, exec_def))
            begun.set()
            assert go_on.wait(10)
            ended.set()

        exec_def = exec_def_of()
        guarded = GuardedFunctionFactory().makeGuardedThreaded(job, exec_def)
        guarded()
        assert begun.wait(10)
        with caplog.at_level(logging.WARNING, "gavo_exec"):
            guarded()
        assert "test/q#job is still running; it is not started a second time" in caplog.text
        go_on.set()
        assert ended.wait(10)
        assert runs == [(exec_def.rd, exec_def)]

    def test_two_functions_of_one_execute_share_the_guard(self, caplog: pytest.LogCaptureFixture) -> None:
        factory = GuardedFunctionFactory()
        begun, go_on = threading.Event(), threading.Event()
        exec_def = exec_def_of()

        def job(rd: object, exec_def: object) -> None:
            begun.set()
            assert go_on.wait(10)

        factory.makeGuardedThreaded(job, exec_def)()
        assert begun.wait(10)
        second_ran = threading.Event()
        with caplog.at_level(logging.WARNING, "gavo_exec"):
            factory.makeGuardedThreaded(lambda rd, exec_def: second_ran.set(), exec_def)()
        go_on.set()
        assert not second_ran.is_set()
        assert "is still running" in caplog.text

    def test_exceptions_are_caught_and_reported_and_the_guard_is_free_again(self) -> None:
        reported: list[str] = []
        heard = threading.Event()

        def report(_: Execute, error: str) -> None:
            reported.append(error.partition("\n")[0])
            heard.set()

        def job(rd: object, exec_def: object) -> None:
            raise ValueError("bad")

        guarded = GuardedFunctionFactory(report).makeGuardedThreaded(job, exec_def_of())
        for _ in range(2):
            heard.clear()
            guarded()
            assert heard.wait(10)
        assert reported == ["ValueError: bad", "ValueError: bad"]
