"""The linter: for each code a table of what is told and of what is not."""

import ast
from pathlib import Path

import pytest

from gavo_exec.errors import CODES, NOWHERE, Diagnostic, Position, Severity
from gavo_exec.lint import lint
from gavo_exec.model import Code, Execute, Job, ResourceDescriptor
from gavo_exec.schedule import Every

NAMES = frozenset({"base", "utils", "datetime", "os", "re", "sys", "time", "urllib", "loadPythonModule"})


class Tree:
    """A resource directory with an RD whose job code is given."""

    def __init__(self, folder: Path) -> None:
        self.inputs_dir = folder
        self.resdir = folder / "res"
        (self.resdir / "bin").mkdir(parents=True)
        for name in ("bin/run", "bin/data.txt", "bin/mod.py", "local"):
            (self.resdir / name).write_text("")
        (self.resdir / "bin/run").chmod(0o755)
        (self.resdir / "local").chmod(0o755)

    def lint(self, code: str, *, setup: str = "", has_dachs: bool = False, indent: str = "      ") -> list[Diagnostic]:
        """What is said about a job with this code, which stands in an RD from line 4 on, setup after it."""
        source = f"{code}\n"
        setup_source = f"{setup}\n" if setup else ""
        ast.parse(source)
        ast.parse(setup_source)
        lines = ["", "", "", *(f"{indent}{line}" for line in (source + setup_source).splitlines())]
        path = str(self.resdir / "q.rd")
        place = Position(path=path)
        after = 4 + source.count("\n")
        parts = (Code(source=setup_source, first_line=after, position=place),) if setup else ()
        job = Job(source=source, first_line=4, position=place, setup=parts)
        return list(lint(self.rd(job), names=NAMES, has_dachs=has_dachs, lines=lambda _: lines))

    def rd(self, *jobs: Job) -> ResourceDescriptor:
        executes = tuple(
            Execute(key=f"res/q#{number}", title="T", schedule=Every(seconds=60), job=job)
            for number, job in enumerate(jobs)
        )
        return ResourceDescriptor(
            rd_id="res/q",
            path=str(self.resdir / "q.rd"),
            inputs_dir=str(self.inputs_dir),
            resdir=str(self.resdir),
            executes=executes,
        )


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    programs = tmp_path / "path"
    programs.mkdir()
    (programs / "there").write_text("")
    (programs / "there").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    return Tree(tmp_path / "inputs")


TOLD: dict[str, list[tuple[str, str]]] = {
    "W601": [
        ('execDef.spawn(["gone", "x"])', '"gone"'),
        ('execDef.spawn(("gone",))', '"gone"'),
        ('execDef.spawn("gone x")', '"gone x"'),
        ('parent.spawn(["gone"])', '"gone"'),
        ('execDef.spawn(["bin/gone"])', '"bin/gone"'),
        ('execDef.spawn(["/none/gone"])', '"/none/gone"'),
        ('execDef.spawn(["bin/data.txt"])', '"bin/data.txt"'),
        ('execDef.spawn(["local"])', '"local"'),
    ],
    "W602": [
        ('execDef.spawnPython("bin/gone.py")', '"bin/gone.py"'),
        ('execDef.spawnPython(rd.getAbsPath("bin/mod"))', 'rd.getAbsPath("bin/mod")'),
        ('execDef.spawnPython("/none/gone.py", 1)', '"/none/gone.py"'),
    ],
    "W603": [
        ('utils.loadPythonModule(rd.getAbsPath("bin/gone"))', 'rd.getAbsPath("bin/gone")'),
        ('loadPythonModule(os.path.join(rd.resdir, "bin", "gone.py"))', 'os.path.join(rd.resdir, "bin", "gone.py")'),
        ('utils.loadPythonModule("bin/mod")', '"bin/mod"'),
    ],
    "W604": [
        ("time.sleep(10)", "time.sleep(10)"),
        ("time.sleep(5*60)", "time.sleep(5*60)"),
        ("from time import sleep as wait\nwait(60.)", "wait(60.)"),
        ("while True:\n  import time as t\n  t.sleep(3600)", "t.sleep(3600)"),
    ],
    "W605": [
        ("os.chdir(rd.resdir)", "os.chdir"),
        ('os.environ["A"] = "b"', 'os.environ["A"]'),
        ('del os.environ["A"]', 'os.environ["A"]'),
        ('os.environ["A"] += "b"', 'os.environ["A"]'),
        ("os.environ.update(A='b')", "os.environ.update"),
        ("os.putenv('A', 'b')", "os.putenv"),
        ("import locale\nlocale.setlocale(locale.LC_ALL, '')", "locale.setlocale"),
        ("sys.stdout = None", "sys.stdout"),
        ("import contextlib as c\nwith c.redirect_stdout(None):\n  pass", "c.redirect_stdout"),
    ],
    "W606": [("os.fork()", "os.fork"), ("os._exit(1)", "os._exit"), ("os.execv('/x', [])", "os.execv")],
    "W607": [
        ("import signal\nsignal.signal(signal.SIGTERM, None)", "signal.signal"),
        ("from signal import alarm\nalarm(3)", "alarm"),
    ],
    "W608": [
        ("sys.exit()", "sys.exit()"),
        ("sys.exit(0)", "sys.exit(0)"),
        ("sys.exit(1)", "sys.exit(1)"),
        ("x = 1\nsys.exit(x)", "sys.exit(x)"),
        ("exit()", "exit()"),
        ("if 1:\n  quit('bad')", "quit('bad')"),
        ("raise SystemExit(2)", "raise SystemExit(2)"),
        ("raise SystemExit", "raise SystemExit"),
    ],
    "W609": [
        ("os.system('x')", "os.system"),
        ("import subprocess\nsubprocess.run(['x'], check=True)", "subprocess.run"),
        ("import subprocess as sp\nsp.Popen('x')", "sp.Popen"),
        ("from subprocess import check_call\ncheck_call(['x'])", "check_call"),
    ],
    "W610": [
        ("try:\n  x = 1\nexcept:\n  print('x')", "except"),
        ("try:\n  x = 1\nexcept BaseException as ex:\n  print(ex)", "BaseException"),
        ("try:\n  x = 1\nexcept (ValueError, BaseException):\n  print('x')", "(ValueError, BaseException)"),
    ],
    "W611": [
        ("try:\n  x = 1\nexcept Exception:\n  pass", "Exception"),
        ("for i in []:\n  try:\n    x = 1\n  except (OSError, Exception):\n    continue", "(OSError, Exception)"),
        ("try:\n  x = 1\nexcept Exception:\n  'never mind'\n  ...", "Exception"),
    ],
    "W612": [
        ("urllib.request.urlopen('http://x')", "urllib.request.urlopen"),
        ("from urllib.request import urlopen\nurlopen('http://x', None)", "urlopen"),
        ("import requests\nrequests.get('http://x')", "requests.get"),
        ("import socket\nsocket.create_connection(('x', 80))", "socket.create_connection"),
    ],
    "W613": [
        ('open("x.txt")', '"x.txt"'),
        ("with open('res/x', 'w') as f:\n  f.write('x')", "'res/x'"),
        ("import glob\nglob.glob('data/*.fits')", "'data/*.fits'"),
        ("os.listdir('.')", "'.'"),
    ],
    "W614": [
        ("with base.getTableConn() as conn:\n  conn.query('x')", "base.getTableConn"),
        ("stc.parse('x')", "stc"),
        ("from gavo import api", "from gavo import api"),
        ("import gavo.base", "import gavo.base"),
    ],
    "W615": [
        ("x = datetme.datetime", "datetme"),
        ("print(numbr)", "numbr"),
        ("def f():\n  return json.dumps(1)\nf()", "json"),
    ],
    "W616": [
        ("import threading\nthreading.Thread(target=print).start()", "threading.Thread"),
        ("from threading import Thread\nt = Thread(target=print)\nt.start()\nprint(', '.join([]))", "Thread"),
    ],
}

QUIET: dict[str, list[str]] = {
    "W601": [
        'execDef.spawn(["there", "x"])',
        'execDef.spawn("there x")',
        'execDef.spawn(["bin/run"])',
        'execDef.spawn(["./local"])',
        'name = "gone"\nexecDef.spawn([name])',
        'execDef.spawn([f"gone{rd}"])',
        "execDef.spawn([])",
        "execDef.spawn()",
        "execDef.spawn('\"')",
        'class x:\n  def spawn(self, *args): return 1\nexecDef = x()\nexecDef.spawn(["gone"])',
        'other = []\nother.spawn(["gone"])',
    ],
    "W602": ['execDef.spawnPython("bin/mod.py")', "p = 'x'\nexecDef.spawnPython(p)", "execDef.spawnPython()"],
    "W603": [
        'utils.loadPythonModule(rd.getAbsPath("bin/mod"))',
        'utils.loadPythonModule(rd.getAbsPath("bin/mod.py"))',
        'utils.loadPythonModule("res/bin/mod")',
        'p = "x"\nutils.loadPythonModule(rd.getAbsPath(p))',
        'utils.loadPythonModule(str("x"))',
    ],
    "W604": ["time.sleep(9)", "n = 100\ntime.sleep(n)", "time.sleep(True)", "time.sleep()"],
    "W605": [
        "x = os.environ['A']",
        "e = dict(os.environ, A='b')\ne['A'] = 'c'",
        "os.environ.get('A')",
        "x = os.getcwd()",
        "def f(os):\n  os.chdir('/')",
        "print('x', file=sys.stderr)",
    ],
    "W606": ["os.getpid()", "x = os.fork"],
    "W607": ["import signal\nsignal.strsignal(3)"],
    "W608": [
        "return",
        "x = sys.exc_info()",
        "raise base.ReportableError('x')",
        "try:\n  x = 1\nexcept SystemExit: return",
    ],
    "W609": [
        "execDef.spawn(['there'])",
        "import subprocess\nsubprocess.check_output(['x'])",
        "import subprocess\nsubprocess.run(['x'], capture_output=True, check=True)",
        "import subprocess\nsubprocess.run(['x'], input=b'x')",
        "import subprocess\nkw = {}\nsubprocess.run(['x'], **kw)",
    ],
    "W610": [
        "try:\n  x = 1\nexcept Exception as ex:\n  print(ex)",
        "try:\n  x = 1\nexcept:\n  print('x')\n  raise",
        "try:\n  x = 1\nexcept BaseException as ex:\n  raise ValueError('x') from ex",
    ],
    "W611": [
        "try:\n  x = 1\nexcept OSError:\n  pass",
        "try:\n  x = 1\nexcept Exception:\n  base.ui.notifyWarning('x')",
        "try:\n  x = 1\nexcept Exception:\n  x = None",
    ],
    "W612": [
        "urllib.request.urlopen('http://x', timeout=60)",
        "urllib.request.urlopen('http://x', None, 60)",
        "urllib.request.urlopen('file:///x')",
        "args = []\nurllib.request.urlopen(*args)",
        "import requests\nkw = {}\nrequests.get('http://x', **kw)",
        "import socket\nsocket.setdefaulttimeout(60)\nurllib.request.urlopen('http://x')",
        "def urlopen(x): return x\nurlopen('http://x')",
    ],
    "W613": [
        'open("/etc/x")',
        'open(rd.getAbsPath("x"))',
        "name = 'x'\nopen(name)",
        "open(3)",
        "def open(x): return x\nopen('x')",
        "os.chdir(rd.resdir)\nopen('x')",
        "os.path.join('a', 'b')",
    ],
    "W614": [
        "try:\n  from gavo import api\nexcept ImportError:\n  api = None",
        "import gavotools",
        "base.ui.notifyInfo('x')",
        "stc = 1\nprint(stc)",
    ],
    "W615": [
        "import json\njson.dumps(1)",
        "def f(a, *b, c=1, **d):\n  global g\n  g = a, b, c, d\nf(1)\nprint(g)",
        "try:\n  x = 1\nexcept OSError as ex:\n  print(ex)",
        "print([i for i in [1]], (lambda j: j)(1), __name__)",
        "class A:\n  def f(self): return __class__\nA()",
        "match rd:\n  case [a, *b]: print(a, b)\n  case {'x': c, **d}: print(c, d)\n  case e: print(e)",
        "exec('x = 1')\nprint(x)",
        "if (n := 1): print(n)",
        "print(rd, execDef, parent)",
    ],
    "W616": [
        "import threading\nt = threading.Thread(target=print)\nt.start()\nt.join()",
        "import threading\ne = threading.Event()\nthreading.Thread(target=e.set).start()\ne.wait(5)",
        "import threading\nthreading.current_thread()",
    ],
}


TOLD_CASES = [(code, source, text) for code, cases in TOLD.items() for source, text in cases]
QUIET_CASES = [(code, source) for code, cases in QUIET.items() for source in cases]


def test_every_code_of_the_linter_has_both_tables() -> None:
    assert {code for code in CODES if code.startswith("W6")} == TOLD.keys() == QUIET.keys()


@pytest.mark.parametrize(("code", "source", "text"), TOLD_CASES)
def test_a_mistake_is_told_and_marked(tree: Tree, code: str, source: str, text: str) -> None:
    [found] = [each for each in tree.lint(source) if each.code == code]
    start = found.position.column - 1
    assert found.excerpt[start : start + found.length] == text
    assert found.severity is Severity.WARNING
    assert found.message
    assert found.hint


@pytest.mark.parametrize(("code", "source"), QUIET_CASES)
def test_what_is_no_mistake_is_not_told(tree: Tree, code: str, source: str) -> None:
    assert [each for each in tree.lint(source) if each.code == code] == []


@pytest.mark.parametrize(
    ("source", "code", "message", "hint"),
    [
        ("execDef.spawn(['gone'])", "W601", "gone is not on PATH", "install it, or write its whole path"),
        ("execDef.spawn(['local'])", "W601", "local is not on PATH", "for that in the resdir, write ./local"),
        ("utils.loadPythonModule('bin/mod')", "W603", "there is no module ", "write rd.getAbsPath('bin/mod')"),
        ("time.sleep(60*60)", "W604", "the job waits for 3600 seconds", "let the schedule wait"),
        ("sys.exit('x')", "W608", "this makes the run a failed one", "raise base.ReportableError("),
        ("sys.exit()", "W608", "this ends the run as a good one", "write return"),
        ("print(json)", "W615", "the name json is not defined", "import json in the code"),
        ("print(datetme)", "W615", "the name datetme is not defined", "did you mean datetime?"),
        ("station = 1\nprint(sation)", "W615", "the name sation is not defined", "did you mean station?"),
        ("print(xyzzy)", "W615", "the name xyzzy is not defined", "assign or import it"),
    ],
)
def test_what_is_said(tree: Tree, source: str, code: str, message: str, hint: str) -> None:
    [found] = tree.lint(source)
    assert found.code == code
    assert found.message.startswith(message)
    assert found.hint.startswith(hint)


@pytest.mark.parametrize(
    ("source", "fix"),
    [
        ("execDef.spawn(['local', 'x'])", "'./local'"),
        ("execDef.spawn('local')", "'./local'"),
        ("execDef.spawn('local x')", None),
        ('utils.loadPythonModule("bin/mod")', 'rd.getAbsPath("bin/mod")'),
        ("sys.exit()", "return"),
        ("if 1:\n  sys.exit(0)", "return"),
        ("sys.exit(1)", None),
        ("def f():\n  sys.exit()\nf()", None),
        ("try:\n  x = 1\nexcept:\n  print(x)", "except Exception"),
        ("try:\n  x = 1\nexcept BaseException:\n  print(x)", "Exception"),
        ("try:\n  x = 1\nexcept (OSError, BaseException):\n  print(x)", None),
        ("open('x')", "rd.getAbsPath('x')"),
        ('open("""x\ny""")', None),
    ],
)
def test_mechanical_mends_are_given(tree: Tree, source: str, fix: str | None) -> None:
    [found] = tree.lint(source)
    assert found.fix == fix


# Setup


def test_setup_is_looked_at_and_lends_its_names(tree: Tree) -> None:
    assert tree.lint("greet(json.dumps(1))\nprint(LIMIT)", setup="import json\nLIMIT = 3\ndef greet(x): print(x)") == []


def test_imports_of_the_setup_are_followed_in_the_job(tree: Tree) -> None:
    [found] = tree.lint("doze(60)", setup="from time import sleep as doze")
    assert found.code == "W604"


def test_setup_has_a_place_of_its_own_and_no_exec_def(tree: Tree) -> None:
    found = tree.lint("pass", setup="print(parent)\nprint(execDef)\ntime.sleep(99)")
    assert [(each.code, each.position.line, each.position.column) for each in found] == [
        ("W615", 6, 13),
        ("W604", 7, 7),
    ]
    assert found[0].hint == "use parent"


def test_functions_that_are_given_exec_def_are_followed(tree: Tree) -> None:
    found = tree.lint("f(rd, execDef)", setup='def f(rd, execDef):\n  execDef.spawnPython("gone.py")')
    assert [each.code for each in found] == ["W602"]


def test_sys_exit_in_setup_is_not_mended_by_return(tree: Tree) -> None:
    [found] = tree.lint("pass", setup="sys.exit()")
    assert (found.code, found.fix) == ("W608", None)


# DaCHS


def test_where_dachs_is_its_names_are_no_mistake(tree: Tree) -> None:
    code = "from gavo import api\nwith base.getTableConn() as conn:\n  print(stc, conn)"
    assert tree.lint(code, has_dachs=True) == []


# Places


def at(found: Diagnostic) -> tuple[int, int, int]:
    return found.position.line, found.position.column, found.length


@pytest.mark.parametrize(
    ("source", "lines", "expected"),
    [
        ("time.sleep(60)", ["  <code>time.sleep(60)</code>"], (1, 9, 14)),
        ("x = 'ä'; time.sleep(60)", ["\tx = 'ä'; time.sleep(60)"], (1, 11, 14)),
        ("a = 1; time.sleep(60); time.sleep(60)", ["a = 1; time.sleep(60); time.sleep(60)"], (1, 8, 14)),
        ("x = 1 < 2; time.sleep(60)", ["  x = 1 &lt; 2; time.sleep(60)"], (1, 17, 14)),
        ("open('a<b')", ["  open('a&lt;b')"], (1, 8, 8)),
        ("time.sleep(60)", [r"  time.sleep(\pause)"], (1, 3, 0)),
        ("time.sleep(60)", [], (1, 1, 0)),
        ("time.sleep(60)", [""], (1, 1, 0)),
    ],
)
def test_the_text_is_sought_in_its_line(tree: Tree, source: str, lines: list[str], expected: tuple[int, ...]) -> None:
    job = Job(source=source + "\n", position=Position(path="/x/q.rd"))
    found = lint(tree.rd(job), names=NAMES, has_dachs=False, lines=lambda _: lines)
    assert at(found[0]) == expected
    assert found[0].fix is None


def test_lines_that_do_not_count_on_are_looked_up(tree: Tree) -> None:
    job = Job(source="x = 1\ntime.sleep(60)\n", lines=(3, 9), position=Position(path="/x/q.rd"))
    [found] = lint(tree.rd(job), names=NAMES, has_dachs=False)
    assert (found.position.path, found.position.line, found.position.column) == ("/x/q.rd", 9, 1)


def test_each_piece_of_setup_is_in_a_file_of_its_own(tree: Tree) -> None:
    there = Position(path="/there.rd", via=(Position(path="/here.rd"),))
    job = Job(setup=(Code(source="time.sleep(60)\n", first_line=2, position=there),))
    lines = {"/there.rd": ["", "time.sleep(60)"]}
    [found] = lint(tree.rd(job), names=NAMES, has_dachs=False, lines=lambda path: lines.get(path, []))
    assert found.position == Position(path="/there.rd", line=2, column=1, via=there.via)
    assert found.excerpt == "time.sleep(60)"


def test_executes_made_from_one_text_are_told_once(tree: Tree) -> None:
    job = Job(source="time.sleep(60)\n", position=Position(path="/x/q.rd"))
    assert len(lint(tree.rd(job, job), names=NAMES, has_dachs=False)) == 1


def test_findings_are_in_document_order(tree: Tree) -> None:
    found = tree.lint("time.sleep(60)\nopen('x')\nprint(nothing)\nos.fork()")
    assert [each.code for each in found] == ["W604", "W613", "W615", "W606"]


# What keeps it quiet


@pytest.mark.parametrize(
    ("comment", "codes"),
    [
        ("# noqa: W604", []),
        ("#noqa:W613,W604 it has to", []),
        ("# noqa: W605", ["W604"]),
        ("# noqa", ["W604"]),
    ],
)
def test_a_comment_silences_its_line_for_its_codes(tree: Tree, comment: str, codes: list[str]) -> None:
    assert [each.code for each in tree.lint(f"time.sleep(60)  {comment}")] == codes


def test_where_there_is_no_resdir_nothing_is_missed_in_it(tree: Tree) -> None:
    job = Job(source="execDef.spawn(['bin/x'])\nexecDef.spawnPython('x')\nloadPythonModule('x')\n")
    rd = tree.rd(job)
    gone = ResourceDescriptor(
        rd_id="x", path=rd.path, inputs_dir=rd.inputs_dir, resdir=f"{rd.resdir}/gone", executes=rd.executes
    )
    assert lint(gone, names=NAMES, has_dachs=False) == ()


@pytest.mark.parametrize("source", ["", "if:\n", "x = (" + "(" * 500, "\0"])
def test_what_is_no_code_is_for_the_reader_to_tell(tree: Tree, source: str) -> None:
    assert lint(tree.rd(Job(source=source, position=NOWHERE)), names=NAMES, has_dachs=False) == ()


# What hostile code cannot do


@pytest.mark.parametrize(
    "source",
    [
        f"time.sleep({'*'.join(['1'] * 2000)})\n",
        f"os{'.a' * 2000}.system('x')\n",
        f"x = {'-' * 80}1\n",
        f"{'x.' * 1500}y()\n",
    ],
)
def test_what_is_nested_deeply_ends_nothing(tree: Tree, source: str) -> None:
    assert len(lint(tree.rd(Job(source=source), Job(source="time.sleep(60)\n")), names=NAMES, has_dachs=False)) >= 1


def test_many_mistakes_end_soon(tree: Tree) -> None:
    source = "".join(f"open('{number}'); sys.exit()\n" for number in range(5_000))
    assert len(lint(tree.rd(Job(source=source)), names=NAMES, has_dachs=False)) == 1000


def test_very_long_lines_are_not_shown(tree: Tree) -> None:
    line = f"time.sleep(60); x = '{'y' * 20_000}'"
    [found] = lint(tree.rd(Job(source=f"{line}\n")), names=NAMES, has_dachs=False, lines=lambda _: [line])
    assert (found.excerpt, found.position.column, found.length) == ("", 1, 0)
