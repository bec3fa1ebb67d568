"""The walls of the house: who may touch what, how things are called, and that the papers agree with the building.

Rules that read source text are rows of tables, and each is shown a source that breaks it.
"""

import ast
import logging
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "gavo_exec"
MODULES = sorted(PACKAGE.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


class Touch(NamedTuple):
    """A source touches something: an imported module, a name's origin, or a name it defines."""

    what: str
    line: int


class _Toucher(ast.NodeVisitor):
    """Collects what a source touches.

    Names are followed to where they were imported from, so that neither ``import datetime as dt`` nor
    ``from time import time`` hides anything.
    """

    def __init__(self) -> None:
        self.imports: list[Touch] = []
        self.names: list[Touch] = []
        self.defined: list[Touch] = []
        self._origins: dict[str, str] = {}

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.imports.append(Touch(alias.name, node.lineno))
            bound = alias.asname or alias.name.partition(".")[0]
            self._origins[bound] = alias.name if alias.asname else bound

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            origin = f"{node.module}.{alias.name}"
            self.imports.append(Touch(origin, node.lineno))
            self.names.append(Touch(origin, node.lineno))
            self._origins[alias.asname or alias.name] = origin

    def visit_Call(self, node: ast.Call) -> None:
        importing = self._origin(node.func) in {"importlib.import_module", "builtins.__import__"}
        if importing and node.args and isinstance(node.args[0], ast.Constant):
            self.imports.append(Touch(str(node.args[0].value), node.lineno))
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self._see(node)
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        self._see(node)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.defined.append(Touch(node.name, node.lineno))
        self.generic_visit(node)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 -- ast's spelling

    def visit_arg(self, node: ast.arg) -> None:
        self.defined.append(Touch(node.arg, node.lineno))
        self.generic_visit(node)

    def _see(self, node: ast.Attribute | ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            if origin := self._origin(node):
                self.names.append(Touch(origin, node.lineno))
        else:
            self.defined.append(Touch(node.attr if isinstance(node, ast.Attribute) else node.id, node.lineno))

    def _origin(self, node: ast.expr) -> str:
        """Where a dotted name comes from; empty for what hangs on no plain name."""
        if isinstance(node, ast.Name):
            return self._origins.get(node.id, f"builtins.{node.id}")
        if isinstance(node, ast.Attribute) and (base := self._origin(node.value)):
            return f"{base}.{node.attr}"
        return ""


@cache
def touches(source: str) -> _Toucher:
    toucher = _Toucher()
    toucher.visit(ast.parse(source))
    return toucher


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


class Rule(NamedTuple):
    """Some modules or names, and the rooms (below gavo_exec/, a folder ending in a slash) that may touch them."""

    what: tuple[str, ...]
    rooms: tuple[str, ...]
    breach: str
    """A source that breaks the rule."""

    def breaches(self, source: str, *, names: bool) -> list[Touch]:
        """Where the source touches it; imports touch by any part of the module's path, names as a whole."""
        if names:
            return [touch for touch in touches(source).names if touch.what in self.what]
        return [
            touch
            for touch in touches(source).imports
            if any(touch.what == what or touch.what.startswith(f"{what}.") for what in self.what)
        ]

    def allows(self, room: str) -> bool:
        return any(room == allowed or (allowed.endswith("/") and room.startswith(allowed)) for allowed in self.rooms)


IMPORTS = [
    Rule(("lxml", "xml"), ("descriptor/",), "from lxml import etree"),
    Rule(("subprocess", "multiprocessing", "pty"), ("runtime/process/",), "def f():\n    import subprocess"),
    Rule(("psutil",), ("runtime/process/",), "import psutil"),
    Rule(("smtplib",), ("services/postman/smtp.py",), "from smtplib import SMTP"),
    Rule(("mailbox",), ("services/postman/local.py",), "import mailbox"),
    Rule(
        ("urllib.request", "http.client"),
        ("services/postman/calls.py", "services/control/client.py", "runtime/names.py"),  # the last for job code
        "from urllib.request import urlopen",
    ),
    Rule(("http.server", "socketserver"), ("services/control/server.py",), "import http.server"),
    Rule(("sqlite3",), ("services/store/file.py",), "import importlib\nimportlib.import_module('sqlite3')"),
    Rule(("watchfiles",), ("services/watch/",), "import watchfiles.filters"),
    Rule(("starlette", "uvicorn", "jinja2", "markupsafe", "anyio"), ("web/",), "import uvicorn"),
    Rule(("prometheus_client",), ("web/metrics.py",), "import prometheus_client"),
    Rule(("opentelemetry",), ("services/traces.py",), "from opentelemetry.trace import Status"),
    Rule(("procrastinate", "psycopg"), ("cluster/",), "import psycopg"),
    Rule(("click", "rich"), ("cli/",), "from rich.table import Table"),
    Rule(("tomllib",), ("settings/",), "import tomllib"),
    Rule(
        ("pickle",), ("isolated.py", "display.py", "dashboard.py"), "import pickle"
    ),  # what a daemon hands over to its own child
    Rule(("unittest",), (), "import unittest"),
]

NAMES = [
    Rule(
        (
            *(f"datetime.{name}" for name in ("datetime.now", "datetime.utcnow", "datetime.today", "date.today")),
            "time.time",
            "time.time_ns",
        ),
        ("runtime/clock.py",),
        "import datetime as dt\nnow = dt.datetime.now",
    ),
    Rule(("time.sleep",), (), "from time import sleep as wait\nwait(1)"),
    Rule(("os.kill", "os.killpg", "signal.pidfd_send_signal"), ("runtime/process/",), "import os\nos.killpg(1, 9)"),
    Rule(
        tuple(f"os.{name}" for name in ("system", "popen", "fork", "forkpty", "posix_spawn", "posix_spawnp", "execv")),
        ("runtime/process/",),
        "from os import system",
    ),
    Rule(tuple(f"builtins.{n}" for n in ("compile", "exec", "eval")), ("runtime/jobcode.py",), "run = exec"),
    Rule(
        ("ast.parse",),
        ("descriptor/", "lint/", "runtime/jobcode.py", "cli/migration_code.py"),
        "import ast\nast.parse('')",
    ),
    Rule(("builtins.print", "sys.exit", "os._exit"), ("cli/", "__main__.py"), "print('hello')"),
    Rule(
        ("builtins.SystemExit", "builtins.exit", "builtins.quit"), ("cli/", "runtime/guard.py"), "raise SystemExit(1)"
    ),
    Rule(  # it waits at exit for a stuck job
        ("concurrent.futures.ThreadPoolExecutor", "concurrent.futures.ProcessPoolExecutor"),
        (),
        "from concurrent import futures\nfutures.ThreadPoolExecutor()",
    ),
]

RULES = [(rule, False) for rule in IMPORTS] + [(rule, True) for rule in NAMES]
IDS = [rule.what[0] for rule, _ in RULES]


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@pytest.mark.parametrize(("rule", "names"), RULES, ids=IDS)
def test_an_outside_thing_is_touched_in_its_own_room_only(rule: Rule, names: bool) -> None:
    breaches = [
        f"{room_of(path)}:{touch.line}: {touch.what}"
        for path in MODULES
        if not rule.allows(room_of(path))
        for touch in rule.breaches(text_of(path), names=names)
    ]
    assert not breaches


@pytest.mark.parametrize(("rule", "names"), RULES, ids=IDS)
def test_each_rule_notices_a_source_that_breaks_it(rule: Rule, names: bool) -> None:
    assert rule.breaches(rule.breach, names=names)


@pytest.mark.parametrize(
    "source",
    [
        "import datetime\ndatetime.datetime.now()",
        "from datetime import datetime\ndatetime.now(tz=None)",
        "from datetime import datetime as d\nclock = d.utcnow",
        "import time as t\ndef f(now=t.time): ...",
        "from time import time",
    ],
)
def test_no_alias_hides_a_look_at_the_clock(source: str) -> None:
    assert NAMES[0].breaches(source, names=True)


@pytest.mark.parametrize("source", ["import re\nre.compile('x')", "self.exec()", "import timeit\nx.time()", "b.now()"])
def test_what_only_sounds_like_a_breach_is_none(source: str) -> None:
    assert not any(rule.breaches(source, names=names) for rule, names in RULES)


# How things are called


# The names of others' handlers, where one of ours has its own way.
OVERRIDES = {*dir(logging.Handler), "do_GET", "do_POST"}


def camel_case(source: str) -> list[Touch]:
    """The names a source defines in camelCase; classes and constants are not."""
    names = (touch for touch in touches(source).defined if touch.what not in OVERRIDES)
    return [touch for touch in names if re.match(r"_*[a-z][a-z0-9_]*[A-Z]", touch.what)]


def test_camel_case_is_spoken_only_where_job_code_and_xml_are() -> None:
    spoken = {room_of(path) for path in MODULES if camel_case(text_of(path))}
    job_facing = {f"runtime/{name}.py" for name in ("execdef", "executing", "literals", "names", "resource")}
    assert spoken <= job_facing


@pytest.mark.parametrize(
    "source",
    [
        "def getIt(): ...",
        "async def getIt(): ...",
        "def f(someArg): ...",
        "f = lambda someArg: 1",
        "someName = 1",
        "self._someName = 1",
        "for rowId in x: ...",
    ],
)
def test_camel_case_is_noticed_wherever_a_name_is_defined(source: str) -> None:
    assert camel_case(source)


def test_classes_and_constants_are_no_camel_case() -> None:
    assert not camel_case("class SomeClass: ...\nSOME_NAME = 1\nx = someOthersName.thatOne()")


FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "misc", "manager", "tools", "stuff"}


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert not [room_of(path) for path in MODULES if FORBIDDEN_NAMES & {path.stem, path.parent.name}]


# Rooms of a size, with a word on the door and nothing left undone


def test_every_module_says_what_it_is_for() -> None:
    assert not [room_of(path) for path in MODULES if not ast.get_docstring(ast.parse(text_of(path)))]


def test_no_room_is_larger_than_two() -> None:
    assert not [(room_of(path), lines) for path in MODULES if (lines := len(text_of(path).splitlines())) > 450]


def unfinished(source: str) -> list[str]:
    """The functions that promise and do nothing; those of a protocol are for others to keep."""
    found: list[str] = []

    def walk(node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef) and "Protocol" in {ast.unparse(base) for base in child.bases}:
                continue
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                last = ast.unparse(child.body[-1])
                if last in {"...", "pass"} or last.startswith("raise NotImplementedError"):
                    found.append(child.name)
            walk(child)

    walk(ast.parse(source))
    return found


def test_nothing_is_left_for_later() -> None:
    assert not [(room_of(path), names) for path in MODULES if (names := unfinished(text_of(path)))]


@pytest.mark.parametrize("body", ["...", "pass", "raise NotImplementedError", "'Doc.'; raise NotImplementedError(1)"])
def test_an_unfinished_function_is_noticed(body: str) -> None:
    assert unfinished(f"class A:\n    def f(self): {body}") == ["f"]
    assert unfinished(f"class A(Protocol):\n    def f(self): {body}") == []


# Values


def loose_values(source: str) -> list[str]:
    """The structs that can be changed, or made of fields in some order."""
    return [
        node.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ClassDef) and "msgspec.Struct" in {ast.unparse(base) for base in node.bases}
        if {"frozen=True", "kw_only=True"} - {f"{word.arg}={ast.unparse(word.value)}" for word in node.keywords}
    ]


def test_values_are_frozen_and_made_by_the_names_of_their_fields() -> None:
    floor = ("errors.py", "model.py", "catalog.py", "events.py", "ports/", "schedule/")
    values = [path for path in MODULES if room_of(path).startswith(floor)]
    assert not [(room_of(path), names) for path in values if (names := loose_values(text_of(path)))]


@pytest.mark.parametrize("words", ["", ", frozen=True", ", kw_only=True", ", frozen=False, kw_only=True"])
def test_a_loose_value_is_noticed(words: str) -> None:
    assert loose_values(f"class A(msgspec.Struct{words}): ...") == ["A"]
    assert loose_values("class A(msgspec.Struct, frozen=True, kw_only=True): ...") == []


# What tests may not do

SLEEPING = Rule(("time.sleep",), (), "import time\ntime.sleep(1)")
PATCHING = Rule(("unittest.mock", "mock", "pytest_mock"), (), "from unittest import mock")


def test_tests_neither_sleep_nor_patch_modules() -> None:
    assert not [path for path in TESTS if SLEEPING.breaches(text_of(path), names=True)]
    assert not [path for path in TESTS if PATCHING.breaches(text_of(path), names=False)]


def test_sleeping_and_patching_would_be_noticed() -> None:
    assert SLEEPING.breaches(SLEEPING.breach, names=True)
    assert PATCHING.breaches(PATCHING.breach, names=False)


# What is written anywhere in the repository


def written_files() -> Iterator[Path]:
    """All files that belong to the repository."""
    for top in (".ci", "benchmarks", "docs", "examples", "gavo_exec", "schemas", "tests"):
        for path in sorted((ROOT / top).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".png":
                yield path
    for name in ("CHANGELOG.md", "LICENSE", "Makefile", "README.md", "pyproject.toml", ".gitignore"):
        yield ROOT / name


WRITINGS = [
    ("a place on somebody's machine", rb"(?<![\w.])/(root|work|Users)/", b"see /root" + b"/rds"),
    (
        "the host of a package registry",
        rb"(pypi|pythonhosted|npmjs|anaconda|conda|crates|deb\.debian)\.(org|com|io)\b",
        b"https://pypi" + b".org/simple",
    ),
    ("work left for later", rb"\b(TO[D]O|FIX[M]E|X[X]X|HAC[K])\b", b"# TO" + b"DO: all of it"),
    ("the number of an issue", rb"(?i)\b(issue|pull request|bug) ?#\d", b"see issue" + b" #12"),
]


@pytest.mark.parametrize(("what", "pattern", "breach"), WRITINGS, ids=[what for what, _, _ in WRITINGS])
def test_nothing_is_written_that_means_nothing_elsewhere(what: str, pattern: bytes, breach: bytes) -> None:
    assert re.search(pattern, breach), what
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in written_files()
        for number, line in enumerate(path.read_bytes().splitlines(), 1)
        if re.search(pattern, line)
    ]
    assert not found


def test_every_text_ends_with_a_line_feed_and_has_no_other_line_ends() -> None:
    """Those in data/ are bad on purpose."""
    ours = (path for path in written_files() if path.suffix in {".py", ".md", ".sql", ".toml", ".rng", ".sh"})
    contents = [(path, path.read_bytes()) for path in ours if "data" not in path.parts]
    assert not [path for path, content in contents if content and (content[-1:] != b"\n" or b"\r" in content)]


# Arrows and dependencies


def test_the_import_contracts_are_kept() -> None:
    # As a command: called from here it would set up logging its own way for all tests after this one.
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout
    assert f"{len(PYPROJECT['tool']['importlinter']['contracts'])} kept, 0 broken" in said.stdout


def distributions(requirements: Iterable[str]) -> set[str]:
    """The names in requirements, spelt as modules are."""
    return {re.split(r"[^\w.-]", requirement)[0].lower().replace("-", "_") for requirement in requirements}


def foreign(paths: Iterable[Path]) -> set[str]:
    """The modules that are imported and neither ours nor the standard library's."""
    tops = {touch.what.partition(".")[0] for path in paths for touch in touches(text_of(path)).imports}
    return tops - set(sys.stdlib_module_names) - {"gavo_exec"}


NEEDED = distributions(PYPROJECT["project"]["dependencies"])
EXTRAS = {name: distributions(names) for name, names in PYPROJECT["project"]["optional-dependencies"].items()}
OPTIONAL_ROOMS = ("web/", "cluster/", "services/traces.py")
SHARED = {"opentelemetry"}  # a module that several distributions put together
DATA_ONLY = {"tzdata"}  # zoneinfo reads it where the system has no time zones
TOOLS = {
    "gavo_exec",  # with its extras
    "import_linter",
    "lxml_stubs",
    "mypy",
    "pytest_cov",
    "pytest_randomly",
    "pytest_timeout",
    "ruff",
    "types_jsonschema",
    "types_psutil",
}


def test_what_the_package_imports_is_what_it_declares() -> None:
    assert foreign(path for path in MODULES if not room_of(path).startswith(OPTIONAL_ROOMS)) == NEEDED - DATA_ONLY
    assert foreign(MODULES) - SHARED <= NEEDED | EXTRAS["web"] | EXTRAS["cluster"]


def test_what_tests_and_benchmarks_import_is_declared_for_developers() -> None:
    scripts = [*TESTS, *(ROOT / "benchmarks").rglob("*.py"), *(ROOT / "docs").rglob("*.py")]
    neighbours = {path.stem for path in scripts}
    imported = (
        foreign(scripts) - neighbours - {"benchmarks", "tests", "gavo"}
    )  # the last is DaCHS, where it is installed
    assert imported - SHARED <= NEEDED | EXTRAS["dev"] | EXTRAS["web"] | EXTRAS["fuzz"] | EXTRAS["bench"]
    assert EXTRAS["dev"] - TOOLS <= imported


# The one door


def test_every_target_says_what_it_does() -> None:
    makefile = text_of(ROOT / "Makefile")
    phony = re.findall(r"^\.PHONY: (.*)$", makefile, flags=re.MULTILINE)
    described = re.findall(r"^([a-z-]+):.*?## \S", makefile, flags=re.MULTILINE)
    assert " ".join(described).split() == " ".join(phony).split()


def test_what_stands_before_a_commit_is_what_runs_without_anybody_watching() -> None:
    checked = re.search(r"^check: (.*?)  ##", text_of(ROOT / "Makefile"), flags=re.MULTILINE)
    called = re.findall(r"^make (.*?)(?: --keep-going)? \|\|", text_of(ROOT / ".ci" / "run"), flags=re.MULTILINE)
    assert checked is not None
    assert " ".join(called) == checked[1]
