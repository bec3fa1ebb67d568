"""The names in scope of job code, its rd, its setup, and what its jobs share."""

import gc
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gavo_exec.errors import Position
from gavo_exec.model import Code, Execute, Outcome, ResourceDescriptor, RunRequest, Site
from gavo_exec.runtime import capture
from gavo_exec.runtime.active import ActiveRun
from gavo_exec.runtime.executing import JobLoader
from gavo_exec.runtime.guard import Guard
from gavo_exec.runtime.names import JobNamespace, own_names
from gavo_exec.runtime.output import BoundedOutput
from gavo_exec.schedule import Loaded, parse_at
from gavo_exec.testing import EPOCH, FakeClock, ScriptedRunner, make_execute, make_rd, make_request

SITE = Site(
    config={
        "general": {"tempdir": "/var/tmp/vo"},
        "web": {"serverurl": "https://vo.example.org/", "nevowroot": "/data"},
    },
    meta={"publisher": ("The Centre",), "title": ("not this",)},
    files=("/etc/gavo.rc",),
)


class Centre:
    """Jobs of some accepted RDs."""

    def __init__(self, *rds: ResourceDescriptor, site: Site = SITE, choice: JobNamespace = "own") -> None:
        self.rds = {rd.rd_id: rd for rd in rds}
        self.clock = FakeClock()
        self.loader = JobLoader(ScriptedRunner(), find=self.rds.get, site=site, clock=self.clock, choice=choice)

    def run(self, key: str, rd: ResourceDescriptor | None = None) -> Any:
        rd = rd or self.rds[key.partition("#")[0]]
        [execute] = [execute for execute in rd.executes if execute.key == key]
        request = RunRequest(run_id="run-1", rd=rd, execute=execute, due=EPOCH)
        call, _ = self.loader.prepare(ActiveRun(request, BoundedOutput(100_000)))
        return call()


def evaluate(expression: str, **kwargs: Any) -> Any:
    """What an expression is in the code of test/q#job, beside an RD other/q with an execute."""
    rd = make_rd(make_execute(code=f"return {expression}"), make_execute("test/q#b.c", title="second"))
    rd = msgspec.structs.replace(rd, meta={"title": ("The\ntitle",), "creator": ("A", "B")}, macros={"own": "value"})
    other = make_rd(make_execute("other/q#x", schedule=parse_at("7:30")), rd_id="other/q")
    return Centre(rd, other, **kwargs).run("test/q#job")


def with_setup(execute: Execute, *sources: str) -> Execute:
    setup = tuple(Code(source=source, position=Position(path="/inputs/test/q.rd")) for source in sources)
    return msgspec.structs.replace(execute, job=msgspec.structs.replace(execute.job, setup=setup))


# Names


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("base.getConfig('tempDir')", "/var/tmp/vo"),
        ("base.getConfig('web', 'serverURL')", "https://vo.example.org/"),
        ("base.getConfig('inputsDir')", "/inputs"),
        ("base.getMetaText(rd, 'creator')", "A"),
        ("base.getMetaText(rd, 'nothing')", None),
        ("base.getMetaText(rd, 'nothing', 'x')", "x"),
        ("base.NotGiven, bool(base.NotGiven)", None),
        ("base.resolveCrossId('other/q#x').at", ["7:30"]),
        ("base.resolveCrossId('other/q').sourceId", "other/q"),
        ("base.resolveCrossId('test/q#b.c', type(execDef)).title", "second"),
        ("base.resolveCrossId('other/q', type(rd)).schema", "other"),
        ("base.resolveCrossId('test/q') is rd", True),
        ("base.caches.getRD('other/q') is base.caches.getRD('/inputs/other/./q.rd')", True),
        ("base.caches.getRD('x/../other/q.rd').sourceId", "other/q"),
        ("base.utils is utils", True),
        ("base.parseInt('5') + utils.parseInt('6') + parseInt('7')", 18),
        ("makeSitePath('/a/b')", "/data/a/b"),
        ("makeSitePath('a/b')", "/data/a/b"),
        ("makeAbsoluteURL('/a/b')", "https://vo.example.org/data/a/b"),
        ("makeAbsoluteURL('http://elsewhere/a')", "http://elsewhere/a"),
        ("getInputsRelativePath('/inputs/test/data/x y.fits')", "test/data/x y.fits"),
        ("getRelativePath('/a/b/c', '/a')", "b/c"),
        ("getRelativePath('/a/b/c', '/a', liberalChars=False)", "b/c"),
        ("[getFileStem(p) for p in ('/a/b.fits', 'b.fits.gz', 'b', 'b.c.fits', 'b.gz')]", ["b", "b", "b", "b.c", "b"]),
        ("[issubclass(e, Exception) for e in (SkipThis, IgnoreThisRow)]", [True, True]),
        ("str(base.ValidationError('bad', 'ra'))", "ra: bad"),
        ("str(base.NotFoundError('x', 'column', 'table y'))", "there is no column 'x' in table y"),
        ("__name__", "job"),
    ],
)
def test_job_code_finds_what_it_may_ask_for(expression: str, value: object) -> None:
    found = evaluate(expression)
    if expression.startswith("base.NotGiven"):
        assert (repr(found[0]), found[1]) == ("NotGiven", False)
    else:
        assert found == value


@pytest.mark.parametrize(
    ("expression", "error", "message"),
    [
        ("base.getConfig('adminGroup')", "NotFoundError", "[general] adminGroup is not configured"),
        ("base.getConfig('ivoa', 'authority')", "NotFoundError", "[ivoa] authority is not configured"),
        ("base.getConfig()", "TypeError", "getConfig takes an item, or a section and an item, not 0 names"),
        ("base.caches.getRD('no/q')", "RDNotFound", "there is no resource descriptor 'no/q' that was accepted"),
        ("base.caches.getRD('//users')", "RDNotFound", "there is no resource descriptor '__system__/users' that"),
        ("base.resolveCrossId('other/q#y')", "NotFoundError", "there is no execute with the id 'y' in other/q"),
        ("base.resolveCrossId('other/q#x', str)", "StructureError", "other/q#x is an execute, not a str"),
        ("base.resolveCrossId('other/q', str)", "StructureError", "other/q is a resource descriptor, not a str"),
        ("base.getTableConn", "AttributeError", "there is no getTableConn in base: gavo-exec has none, and"),
        ("utils.sandbox", "AttributeError", "there is no sandbox in utils"),
        ("base.caches.getTAPSchema", "AttributeError", "there is no getTAPSchema in base.caches"),
        ("getRelativePath('/a/b', '/c')", "ValueError", "/a/b is not below /c"),
        ("getRelativePath('/a/b c', '/a', False)", "ValueError", "'b c' has characters that cannot stand in URLs"),
        ("rd.getById('main')", "NotFoundError", "there is no execute with the id 'main' in test/q"),
        ("rd.expand(r'\\nothing')", "MacroError", "there is no macro \\nothing"),
        ("rd.expand(r'\\metaString{creator}')", "MacroError", "cannot give creator: there are several values"),
        ("rd.expand(r'\\getConfig{x}')", "MacroError", "has no value for [general] x: /etc/gavo.rc has none"),
        ("rd.getById('b.c').spawn(['ls'])", "StructureError", "test/q#b.c is not being run, so it cannot spawn"),
    ],
)
def test_what_is_not_there_is_missed_in_plain_words(expression: str, error: str, message: str) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011 -- the type is a column
        evaluate(expression)
    assert type(caught.value).__name__ == error
    assert message in str(caught.value)


def test_what_is_not_configured_is_said_with_the_file_to_mend() -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011 -- its hint is what counts
        evaluate("makeAbsoluteURL('x')", site=Site())
    assert str(caught.value) == "[web] serverURL is not configured"
    assert getattr(caught.value, "hint", "") == "set it in gavo.rc"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("[job.title for job in rd.jobs]", ["a job", "second"]),
        ("rd.getById('b.c').getFullId()", "test/q#b.c"),
        ("rd.getById('job').properties is execDef.properties", True),
        ("rd.getById('job').job is execDef.job", True),
        ("rd.tables + rd.dds + rd.services", []),
        ("rd.rd is rd and rd.parent is None", True),
        ("str(rd.getMeta('publisher')), str(rd.getMeta('title')), rd.getMeta('x')", ("The Centre", "The\ntitle", None)),
        ("[*map(str, rd.iterMeta('creator'))]", ["A", "B"]),
        (r"rd.expand(r'\rdId \rdIdDotted \schema \resdir \own \upper{x}')", "test/q test.q test test value X"),
        (r"rd.expand(r'\metaString{title}, \metaSeq{creator}{}{;}, \metaString{x}{y}')", "The title, A;B, y"),
        (r"rd.expand(r'\getConfig{tempDir} \getConfig{web}{nevowRoot}')", "/var/tmp/vo /data"),
        (r"execDef.expand(r'\rdId')", "test/q"),
        (r"rd.expand(r'\internallink{q/web}')", "https://vo.example.org/data/q/web"),
        (r"rd.expand(r'\today') == datetime.datetime.fromtimestamp(rd.loadedAt).date().isoformat()", True),
        ("rd.loadedAt", EPOCH.timestamp()),
        ("repr(rd)", "<resource descriptor test/q>"),
    ],
)
def test_rd_answers_as_the_seed_has_it(expression: str, value: object) -> None:
    assert evaluate(expression) == value


def test_an_rd_is_dirty_once_its_file_has_changed_or_gone(tmp_path: Path) -> None:
    path = tmp_path / "test" / "q.rd"
    path.parent.mkdir()
    path.write_text("<resource/>")
    os.utime(path, (EPOCH.timestamp() - 5,) * 2)
    centre = Centre(make_rd(make_execute(code="return rd.isDirty()"), inputs_dir=str(tmp_path)))
    assert centre.run("test/q#job") is False
    os.utime(path, (EPOCH.timestamp() + 5,) * 2)
    assert centre.run("test/q#job") is True
    path.unlink()
    assert centre.run("test/q#job") is True


def test_modules_that_take_their_time_are_there_only_where_code_mentions_them() -> None:
    script = (
        "import sys, types, json\n"
        "from gavo_exec.model import Job, Site\n"
        "from gavo_exec.runtime.names import make_namespace\n"
        "sys.modules['numpy'] = types.ModuleType('numpy')\n"
        "def has(code):\n"
        "    more = dict(site=Site(), inputs_dir='/', get_rd=None, choice='own')\n"
        "    return 'numpy' in make_namespace(Job(source=code), **more)\n"
        "print(json.dumps([has('numpy.zeros(3)'), has('numpyish = 1'), has('pass')]))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [True, False, False]


# Tools


def safe_replaced(path: Path, **kwargs: Any) -> Any:
    return vars(own_names(site=Site(), inputs_dir="/")["utils"])["safeReplaced"](str(path), **kwargs)


def test_a_file_is_replaced_once_all_is_written(tmp_path: Path) -> None:
    path = tmp_path / "data.txt"
    path.write_text("old")
    path.chmod(0o640)
    link = tmp_path / "link.txt"
    link.symlink_to(path)
    with safe_replaced(link) as file:
        file.write(b"new")
        assert path.read_text() == "old"
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o640)
    assert link.is_symlink()
    assert sorted(tmp_path.iterdir()) == [path, link]


def test_a_file_stays_as_it_was_where_writing_fails(tmp_path: Path) -> None:
    path = tmp_path / "data.txt"
    path.write_text("old")
    with pytest.raises(TypeError), safe_replaced(path) as file:
        file.writelines([b"ne", None])
    assert path.read_text() == "old"
    assert [*tmp_path.iterdir()] == [path]


def test_a_file_that_was_not_there_is_made_and_may_hold_text(tmp_path: Path) -> None:
    with safe_replaced(tmp_path / "new.txt", binary=False) as file:
        file.write("ä")
    assert (tmp_path / "new.txt").read_bytes() == "ä".encode()


@pytest.mark.parametrize(
    ("code", "governing", "fixed"),
    [
        ("  a\n    b\n  c", 0, "> a\n>   b\n> c"),
        ("a\n    b\n      c", 1, "> a\n> b\n>   c"),
        ("\n\n\tb\n\t\tc\n", 0, "> \n> \n> b\n> \tc\n> "),
        ("", 0, "> "),
    ],
)
def test_indentation_is_fixed(code: str, governing: int, fixed: str) -> None:
    names = own_names(site=Site(), inputs_dir="/")
    assert vars(names["utils"])["fixIndentation"](code, "> ", governing) == fixed


def test_lines_that_stand_too_far_left_cannot_be_fixed() -> None:
    with pytest.raises(Exception, match=r"^bad indentation, all lines must begin with '  ': 'b'$"):
        evaluate(r"utils.fixIndentation('  a\nb', '')")


def test_a_folder_is_made_where_it_is_not_there(tmp_path: Path) -> None:
    for _ in range(2):
        evaluate(f"utils.ensureDir({str(tmp_path / 'a' / 'b')!r})")
    assert (tmp_path / "a" / "b").is_dir()


# Setup


def test_setup_is_run_once_per_load_before_the_first_run() -> None:
    execute = with_setup(
        make_execute(code="return made, count()"),
        "made = [rd.sourceId, parent.title, 'execDef' in globals()]",
        "import itertools\ndef count():\n  return next(counter)\ncounter = itertools.count(1)",
    )
    centre = Centre(make_rd(execute))
    assert [centre.run("test/q#job") for _ in range(2)] == [
        (["test/q", "a job", False], 1),
        (["test/q", "a job", False], 2),
    ]
    assert centre.run("test/q#job", make_rd(msgspec.structs.replace(execute, title="new"))) == (
        ["test/q", "new", False],
        1,
    )


def test_setup_that_failed_is_tried_again_by_the_next_run_from_the_beginning() -> None:
    execute = with_setup(
        make_execute(code="return seen"),
        "seen = 'left' in globals()\nleft = 1\nrd.tries = getattr(rd, 'tries', 0) + 1\nif rd.tries < 3: 1 / 0",
    )
    centre = Centre(make_rd(execute))
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            centre.run("test/q#job")
    assert [centre.run("test/q#job") for _ in range(2)] == [False, False]


def test_setup_is_part_of_the_guarded_run_and_its_failure_names_the_line_in_the_rd() -> None:
    execute = make_execute()
    setup = (Code(source="print('setting up')\nx = 1\nx / 0\n", first_line=40, position=Position(path="/p/defs.rd")),)
    execute = msgspec.structs.replace(execute, job=msgspec.structs.replace(execute.job, setup=setup))
    loader = JobLoader(ScriptedRunner(), choice="own")
    guard = Guard(loader.prepare, clock=FakeClock(), publish=lambda _: None, host="vo", output_limit_bytes=1000)
    with capture.install():
        run = guard.perform(make_request(execute))
    assert (run.outcome, run.output) == (Outcome.FAILED, "setting up\n")
    assert [line for line in run.error.splitlines() if line.strip(" ~^") or not line] == [
        "ZeroDivisionError: division by zero",
        "",
        "Traceback (most recent call last):",
        '  File "/p/defs.rd", line 42, in <module>',
        "    x / 0",
        "ZeroDivisionError: division by zero",
    ]


def test_children_that_fail_in_setup_make_the_run_a_failed_one() -> None:
    execute = with_setup(make_execute(), "parent.spawn(['false'])")
    loader = JobLoader(ScriptedRunner({"false": 1}), choice="own")
    guard = Guard(loader.prepare, clock=FakeClock(), publish=lambda _: None, host="vo", output_limit_bytes=1000)
    run = guard.perform(make_request(execute))
    assert (run.outcome, run.returncode) == (Outcome.FAILED, 1)


# What jobs share


def version(*, code: str = "return rd.shared") -> ResourceDescriptor:
    return make_rd(
        make_execute("test/q#first", schedule=Loaded(), code="rd.shared = getattr(rd, 'shared', 0) + 1"),
        make_execute("test/q#second", code=code),
    )


def test_what_a_job_puts_on_rd_is_there_for_others_even_when_it_is_gone_itself() -> None:
    centre = Centre(version())
    centre.run("test/q#first")
    centre.loader.forget(["test/q#first"])
    assert centre.run("test/q#second") == 1


def test_what_the_setup_of_a_job_puts_on_rd_stays_even_where_it_fails() -> None:
    first = with_setup(make_execute("test/q#first"), "rd.shared = 5\n1 / 0")
    centre = Centre(make_rd(first, make_execute("test/q#second", code="return rd.shared")))
    with pytest.raises(ZeroDivisionError):
        centre.run("test/q#first")
    assert centre.run("test/q#second") == 5


def test_each_version_has_an_rd_of_its_own_and_a_late_run_of_the_old_one_does_not_disturb_the_new() -> None:
    old, new = version(), version(code="return rd.shared, 'new'")
    centre = Centre(old)
    centre.run("test/q#first")
    centre.rds["test/q"] = new
    centre.run("test/q#first", new)
    assert centre.run("test/q#second", old) == 1
    centre.loader.forget(["test/q#first"])
    assert centre.run("test/q#second", new) == (1, "new")


def test_what_a_job_puts_on_the_rd_of_another_is_there_for_that_ones_jobs() -> None:
    giver = make_rd(make_execute("a/q#x", code="base.caches.getRD('test/q').shared = 7"), rd_id="a/q")
    centre = Centre(giver, version())
    centre.run("a/q#x")
    assert centre.run("test/q#second") == 7


def test_an_rd_that_is_no_more_is_let_go() -> None:
    rd = version()
    centre = Centre(rd)
    centre.run("test/q#first")
    del centre.rds["test/q"]
    centre.loader.forget([execute.key for execute in rd.executes])
    gc.collect()  # an rd and its executes know each other
    with pytest.raises(AttributeError, match="shared"):
        centre.run("test/q#second", rd)


# DaCHS's own names


def names_under(choice: str, folder: Path, module: str | None) -> str:
    """What job code finds as ``seen``, in a process where DaCHS is this module."""
    if module is not None:
        package = folder / "gavo" / "rscdef"
        package.mkdir(parents=True)
        for path in (package.parent / "__init__.py", package / "__init__.py"):
            path.touch()
        (package / "rmkfuncs.py").write_text(module)
    script = (
        "import sys\n"
        "from gavo_exec.runtime.active import ActiveRun\n"
        "from gavo_exec.runtime.executing import JobLoader\n"
        "from gavo_exec.runtime.output import BoundedOutput\n"
        "from gavo_exec.testing import ScriptedRunner, make_execute, make_request\n"
        "code = 'names = globals(); return names.get(\"seen\"), rd.sourceId, execDef.title, '\n"
        "code += 'parent is execDef, __name__, \"os\" in names'\n"
        "loader = JobLoader(ScriptedRunner(), choice=sys.argv[1])\n"
        "try:\n"
        "    print(loader.prepare(ActiveRun(make_request(make_execute(code=code)), BoundedOutput(1000)))[0]())\n"
        "except Exception as fault:\n"
        "    print(f'{type(fault).__name__}: {fault}')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, choice],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": os.pathsep.join([str(folder), *sys.path])},
    )
    return done.stdout.strip()


DACHS = "('theirs', 'test/q', 'a job', True, 'job', False)"
OURS = "(None, 'test/q', 'a job', True, 'job', True)"
REFUSED = "RunError: DaCHS's names cannot be had, which job_namespace asks for: "
MEND = "; install DaCHS for the Python that gavo-exec runs with, or set job_namespace to auto"


@pytest.mark.parametrize(
    ("choice", "module", "found"),
    [
        ("auto", "seen = 'theirs'\nrd = parent = 5", DACHS),
        ("dachs", "seen = 'theirs'", DACHS),
        ("own", "seen = 'theirs'", OURS),
        ("auto", None, OURS),
        ("auto", "1 / 0", OURS),
        ("auto", "import sys; sys.exit('bad gavo.rc')", OURS),
        ("dachs", None, f"{REFUSED}ModuleNotFoundError: No module named 'gavo'{MEND}"),
        ("dachs", "1 / 0", f"{REFUSED}ZeroDivisionError: division by zero{MEND}"),
        ("dachs", "import sys; sys.exit('bad gavo.rc')", f"{REFUSED}SystemExit: bad gavo.rc{MEND}"),
    ],
)
def test_whose_names_job_code_gets(tmp_path: Path, choice: str, module: str | None, found: str) -> None:
    assert names_under(choice, tmp_path, module) == found
