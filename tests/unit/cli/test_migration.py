"""What is told to those who come from DaCHS."""

from datetime import UTC, datetime

import jsonschema
import msgspec
import pytest

from gavo_exec.catalog import Catalog
from gavo_exec.cli.migration import MigrationReport, report
from gavo_exec.cli.migration_code import notes_on_code
from gavo_exec.errors import CODES, Diagnostic, Position, Severity
from gavo_exec.json_views import MigrationView
from gavo_exec.model import Code, Execute, Job, Rejection, Site
from gavo_exec.schedule import Every, Loaded, Schedule, parse_at
from gavo_exec.testing import make_execute, make_rd

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def site(**web: str) -> Site:
    return Site(config={"web": {name.lower(): value for name, value in web.items()}}, files=("/etc/gavo.rc",))


def of(*executes: Execute, rd_id: str = "test/q", known: Site | None = None) -> MigrationReport:
    return report(Catalog().accept(make_rd(*executes, rd_id=rd_id)), known or site(preloadRDs=rd_id))


def codes(found: MigrationReport) -> list[str]:
    return [note.code for note in found.notes]


def counts(found: MigrationReport) -> dict[str, int]:
    return {difference.topic: difference.count for difference in found.general}


def rejected(code: str, message: str = "it is bad") -> Rejection:
    position = Position(path="/inputs/bad/q.rd", line=7, column=3)
    faults = (
        Diagnostic(code="W201", message="a warning", position=position, severity=Severity.WARNING),
        Diagnostic(code=code, message=message, position=position, hint="write it well"),
    )
    return Rejection(rd_id="bad/q", path="/inputs/bad/q.rd", digest="", rejected_at=NOON, diagnostics=faults)


# The code of jobs


OTHERWISE = [
    ("N711", 'execDef.spawn("make all")'),
    ("N711", 'execDef.spawn(f"make {rd}")'),
    ("N711", 'execDef.spawn("make %s" % rd)'),
    ("N711", 'execDef.spawn("make " + rd.schema + " x")'),
    ("N711", 'execDef.spawn(" ".join(["make", "x"]))'),
    ("N712", 'execDef.spawn(["bin/fetch", "x"])'),
    ("N712", 'execDef.spawn(["python3", "bin/fetch.py"])'),
    ("N713", 'execDef.spawnPython("bin/x.py")'),
    ("N713", 'if 1:\n  execDef.spawnPython("bin/x.py")'),
    ("N714", 'if execDef.spawnPython("bin/x.py"):\n  pass'),
    ("N714", 'execDef.spawnPython("bin/x.py", 3)'),
    ("N715", "sys.exit(3)"),
    ("N715", 'exit("bad")'),
    ("N715", "raise SystemExit(2)"),
    ("N716", "conn = base.getTableConn()"),
    ("N716", "with base.getWritableAdminConn() as conn:\n  pass"),
    ("N716", "x = stc.parseQSTCS('')"),
    ("N716", "from gavo import api"),
    ("N716", "import gavo.base"),
    ("N717", "rd.limit = 3"),
    ("N717", "def f(rd):\n  rd.table: int = 1"),
    ("N718", 'utils.loadPythonModule("/x/mod.py")'),
    ("N718", 'loadPythonModule("x/mod")'),
]
ALIKE = [
    'execDef.spawn(["make", "all"])',
    'execDef.spawn([rd.getAbsPath("bin/x"), "--to=a/b", "-o/x", "http://x/y", "/etc/x"])',
    "execDef.spawn(command)",
    "execDef.spawn()",
    "other.spawn('make all')",
    "sys.exit()",
    "sys.exit(0)",
    "raise SystemExit",
    "stc = 1\nprint(stc)",
    "import coords\ncoords.x()",
    "base.ui.notifyInfo('x')",
    "from . import gavo",
    "import gavotools",
    "print(rd.limit)",
    "self.limit = 3",
    'utils.loadPythonModule(rd.getAbsPath("bin/mod"))',
    'utils.loadPythonModule("/x/mod")',
    "",
    "if:",
    "\0",
]


def test_each_difference_in_code_has_a_case() -> None:
    assert {code for code, _ in OTHERWISE} == {code for code in CODES if code.startswith("N71")}


@pytest.mark.parametrize(("code", "source"), OTHERWISE)
def test_what_comes_out_otherwise_is_told(code: str, source: str) -> None:
    found = [note for note in notes_on_code(make_execute(code=source)) if note.code == code]
    assert len(found) == 1
    assert found[0].severity is Severity.NOTE
    assert found[0].message
    assert found[0].hint


@pytest.mark.parametrize("source", ALIKE)
def test_what_comes_out_alike_is_not_told(source: str) -> None:
    assert list(notes_on_code(make_execute(code=source))) == []


def test_setup_is_looked_at_and_each_note_is_where_its_code_is() -> None:
    setup = (
        Code(source="stc = None\nrd.x = 1\n", first_line=4, position=Position(path="/other.rd")),
        Code(source="\nrd.y = 2\n", lines=(9, 12), position=Position(path="/q.rd")),
    )
    job = Job(source="print(stc)\nrd.z = rd.w = 1\n", first_line=20, setup=setup, position=Position(path="/q.rd"))
    execute = msgspec.structs.replace(make_execute(), job=job)
    found = [(str(note.position), note.code) for note in notes_on_code(execute)]
    assert found == [("/other.rd:5:1", "N717"), ("/q.rd:12:1", "N717"), ("/q.rd:21:1", "N717")]


# RDs and executes


def test_what_dachs_does_not_load_is_told_where_that_is_known() -> None:
    job = make_execute()
    assert codes(of(job, known=site(preloadRDs="other/q, ./test/q.rd"))) == []
    assert codes(of(job, known=site(preloadRDs="other/q"))) == ["N701"]
    assert codes(of(job, known=site())) == ["N701"]
    assert codes(of(job, known=Site())) == []
    assert codes(of(job, rd_id="__system__/x", known=site(preloadRDs="//x"))) == []


@pytest.mark.parametrize(("value", "is_said"), [("True", True), ("on", True), ("False", False), ("", False)])
def test_what_is_published_may_be_loaded(value: str, is_said: bool) -> None:
    [note] = of(make_execute(), known=site(preloadPublishedRDs=value)).notes
    assert ("unless it is published" in note.message) is is_said


def test_rds_without_executes_are_of_no_concern() -> None:
    found = of(known=site())
    assert (found.rds, found.executes, found.general, found.notes) == (0, 0, (), ())


def test_a_missing_schema_is_told() -> None:
    rd = msgspec.structs.replace(make_rd(make_execute()), schema=None)
    assert codes(report(Catalog().accept(rd), site(preloadRDs="test/q"))) == ["N702"]


def test_what_runs_when_loaded_is_told() -> None:
    assert codes(of(make_execute(schedule=Loaded()))) == ["N703"]


def test_of_like_titles_all_but_the_last_are_told() -> None:
    executes = [make_execute(f"test/q#{n}", title=title, line=n) for n, title in enumerate("xyx", 1)]
    [note] = of(*executes).notes
    assert (note.code, note.position.line) == ("N704", 1)
    assert "line 3 has an execute with the same title" in note.message


def test_debug_is_told() -> None:
    assert codes(of(make_execute(debug=True))) == ["N705"]


def test_executes_made_from_one_text_are_told_once_and_notes_go_by_line() -> None:
    made = [make_execute(f"test/q#{n}", title=f"job {n}", code="rd.x = 1", line=5) for n in range(3)]
    other = make_execute("test/q#early", title="early", debug=True, line=2)
    assert [(note.position.line, note.code) for note in of(*made, other).notes] == [(2, "N705"), (5, "N717")]


# What is refused here


@pytest.mark.parametrize(("code", "part"), [("E301", "follows a time"), ("E206", "runs both"), ("E402", "nothing")])
def test_what_dachs_makes_of_a_fault_is_told(code: str, part: str) -> None:
    found = report(Catalog().reject(rejected(code)), site())
    [note] = found.notes
    assert found.refused == 1
    assert (note.code, str(note.position), note.hint) == ("N731", "/inputs/bad/q.rd:7:3", "write it well")
    assert note.message.startswith(f"{code} refuses the RD here (it is bad); DaCHS ")
    assert part in note.message


def test_of_what_dachs_refuses_as_well_nothing_is_told() -> None:
    assert report(Catalog().reject(rejected("E102")), site()).notes == ()


# In general


@pytest.mark.parametrize(
    ("schedules", "expected"),
    [
        ([parse_at("7:30,7:30"), parse_at("w1 7:30")], {"seconds": 2, "crowds": 2}),
        ([parse_at("7:30,8:30")], {"seconds": 1}),
        ([Every(seconds=60), Every(seconds=5, immediately=True)], {"phases": 2, "negative": 1, "quick": 1}),
        ([Loaded()], {}),
    ],
)
def test_differences_of_time_count_what_they_concern(schedules: list[Schedule], expected: dict[str, int]) -> None:
    executes = [make_execute(f"test/q#{n}", title=str(n), schedule=each) for n, each in enumerate(schedules)]
    found = counts(of(*executes))
    assert {
        topic: found[topic] for topic in ("seconds", "crowds", "phases", "negative", "quick") if topic in found
    } == (expected)


def test_jobs_of_what_dachs_loads_run_twice() -> None:
    catalog = Catalog().accept(make_rd(make_execute(), make_execute("test/q#2", title="2")))
    catalog = catalog.accept(make_rd(make_execute("other/q#x"), rd_id="other/q"))
    assert counts(report(catalog, site(preloadRDs="test/q")))["twice"] == 2
    assert counts(report(catalog, site(preloadRDs="test/q")))["loading"] == 1
    assert counts(report(catalog, Site()))["twice"] == 3
    assert counts(report(catalog, Site()))["loading"] == 2
    assert "loading" not in counts(report(catalog, site(preloadRDs="test/q,other/q")))


def test_programs_are_counted_by_execute() -> None:
    plain, spawning = make_execute("test/q#a"), make_execute("test/q#b", title="b", code="execDef.spawn(['x'])")
    assert counts(of(plain, spawning))["children"] == 1
    assert "children" not in counts(of(plain))


def test_titles_that_silence_each_other_are_counted() -> None:
    catalog = Catalog().accept(make_rd(make_execute()), make_rd(make_execute("other/q#x"), rd_id="other/q"))
    [mail] = [difference for difference in report(catalog, site()).general if difference.topic == "mail"]
    assert mail.advice.startswith("Of these, 2 share their title")


# How it is shown


def test_for_people_it_is_lines() -> None:
    catalog = Catalog().accept(make_rd(make_execute(debug=True, line=4))).reject(rejected("E301", "bad\x1b[2J time"))
    lines = list(report(catalog, site(preloadRDs="test/q")).lines())
    assert lines[0] == "1 execute in 1 RD; 1 RD refused here"
    assert lines[1:3] == ["", "What is otherwise than in DaCHS:"]
    assert lines[3].startswith("- 1 execute: DaCHS runs them as well")
    assert "In particular:" in lines
    assert any(line.startswith("/inputs/test/q.rd:4:1: N705 with debug, ") for line in lines)
    assert "  hint: write it well" in lines
    assert not any("\x1b" in line for line in lines)


def test_where_there_is_nothing_it_is_one_line() -> None:
    assert list(report(Catalog(), Site()).lines()) == ["0 executes in 0 RDs"]


def test_for_programs_it_is_json() -> None:
    found = of(make_execute(debug=True))
    value = msgspec.json.decode(msgspec.json.encode(found.view()))
    jsonschema.validate(value, msgspec.json.schema(MigrationView))
    assert (value["executes"], value["notes"][0]["code"], value["notes"][0]["severity"]) == (1, "N705", "note")
    assert value["general"][0]["topic"] == "twice"
