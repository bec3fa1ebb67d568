"""What --json prints follows the published schemas: real commands on real files and a real state file."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from gavo_exec.catalog import Catalog
from gavo_exec.cli import main
from gavo_exec.cli.json_reference import PRINTED, reference, schema
from gavo_exec.cli.output import show_json
from gavo_exec.cli.show import show_execute, show_executes
from gavo_exec.cli.views import State, listed_jobs, planned_jobs, statuses
from gavo_exec.errors import Diagnostic, Position, Severity
from gavo_exec.json_views import DiagnosticView, ExecuteView, ExportedRun, JobView, ListedJob, RunView, RunWithOutput
from gavo_exec.model import Code, HeldBack, Job, LastStart, Outcome, Rejection, Run
from gavo_exec.schedule import Every, Loaded, Schedule, Window, narrowed, parse_at
from gavo_exec.testing import make_execute, make_rd
from tests.unit.cli.sites import Site

ROOT = Path(__file__).parents[3]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WEATHER = r"""<resource schema="weather" resdir=".">
  <macDef name="archive">rain</macDef>
  <execute id="fetch" title="Fetch &#x9b; it" every="-3600">
    <property name="station">Hd</property>
    <job><code>
      print("\archive")
      execDef.spawn(["echo", "Größe"])
    </code></job>
  </execute>
  <execute title="Plot it" at="7:30, w1 8:00, m28 0:15" debug="True">
    <job><code>pass</code></job>
  </execute>
</resource>
"""
BROKEN = """<resource schema="broken">
  <execute titel="x" title="Broken" every="never"><job><code>pass</code></job></execute>
</resource>
"""
STABLE = {
    "rd_id",
    "id",
    "key",
    "title",
    "at",
    "parsed_at",
    "every",
    "on",
    "debug",
    "properties",
    "policy",
    "zone",
    "only",
    "excluded",
    "delay_seconds",
    "schema",
    "resdir",
    "setup_source",
    "function_source",
    "path",
    "line",
    "sources",
}
ORDINARY: dict[str, object] = {
    "missed": "once",
    "grace_seconds": None,
    "files": "",
    "settle_seconds": 60,
    "timeout_seconds": None,
    "overlap": "skip",
    "retries": 0,
    "retry_delay_seconds": 60,
    "isolate": "thread",
    "limit": None,
    "priority": 0,
    "env": {},
    "niceness": None,
    "memory_bytes": None,
    "mail_to": [],
    "mail_after": 1,
    "remind_seconds": [3600, 86_400, 604_800],
    "locals": False,
    "ping": "",
}
"""A policy of which nobody has said anything, but for the working directory."""
STATE = {"schedule", "due", "last_run", "running_since", "paused", "held_back"}

Printed = Callable[..., Any]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    made = Site(tmp_path, monkeypatch)
    made.put("weather/q", WEATHER)
    return made


FORMATS = jsonschema.FormatChecker(formats=())


@FORMATS.checks("date-time", raises=ValueError)
def is_instant(value: object) -> bool:
    """Whether it is an instant as the reference has it."""
    return not isinstance(value, str) or (value.endswith("Z") and datetime.fromisoformat(value).tzinfo is UTC)


@cache
def validator(command: str) -> jsonschema.Draft202012Validator:
    """What checks values against a published schema, formats included."""
    text = (ROOT / "schemas" / "json" / f"{command}.schema.json").read_text(encoding="utf-8")
    return jsonschema.Draft202012Validator(json.loads(text), format_checker=FORMATS)


def strange(value: Any, command: str) -> list[str]:
    """Where a value does not follow the schema."""
    return [f"{error.json_path}: {error.message}" for error in validator(command).iter_errors(value)]


@pytest.fixture
def printed(site: Site, capsys: pytest.CaptureFixture[str]) -> Printed:
    """What a command prints as JSON; it follows its schema."""

    def call(*arguments: str, code: int = 0) -> Any:
        assert main([*arguments, "--json"]) == code
        value = json.loads(capsys.readouterr().out)
        assert strange(value, arguments[0]) == []
        return value

    return call


def run(run_id: str = "r1", outcome: Outcome | None = Outcome.FAILED) -> Run:
    return Run(
        run_id=run_id,
        key="weather/q#fetch",
        title="Fetch",
        due=NOON,
        started_at=NOON,
        finished_at=None if outcome is None else NOON + timedelta(seconds=90),
        outcome=outcome,
        returncode=3,
        output="line 1\n",
        error="exit 3\nmore",
        host="there",
        digest="abc",
    )


# The schemas


@pytest.mark.parametrize("command", PRINTED)
def test_schemas_are_schemas(command: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema(command))
    assert validator(command).schema == schema(command)


def test_what_strays_from_a_schema_is_noticed() -> None:
    assert strange([], "list") == strange([], "next") == []
    assert strange([{"key": "a#b", "title": "t", "reason": "retry"}], "next") == ["$[0]: 'due' is a required property"]
    assert strange([{"key": "a#b", "title": None, "reason": "retry", "due": "2026-01-01T00:00:00Z"}], "next") != []
    assert strange([{"key": "a#b", "title": "t", "reason": "retry", "due": "2026-01-01T00:00:00+00:00"}], "next") != []
    assert strange([{"key": "a#b", "title": "t", "reason": "retry", "due": "noon"}], "next") != []
    assert strange({}, "show") != []


def test_every_field_has_a_meaning() -> None:
    for command in PRINTED:
        for name, component in schema(command)["$defs"].items():
            for field, spec in component.get("properties", {}).items():
                assert spec.get("description", "")[-1:] == ".", (name, field)


def test_a_run_is_told_whole() -> None:
    assert set(Run.__struct_fields__) | {"duration_seconds"} == set(ExportedRun.__struct_fields__)
    assert set(RunWithOutput.__struct_fields__) - {"schedule", "code"} == set(ExportedRun.__struct_fields__)
    assert set(ExportedRun.__struct_fields__) - {"output"} == set(RunView.__struct_fields__)


def test_the_fields_that_are_promised_are_there_and_no_others() -> None:
    assert set(ExecuteView.__struct_fields__) == STABLE
    assert set(JobView.__struct_fields__) == STABLE | STATE | {"runs"}
    assert set(ListedJob.__struct_fields__) == STABLE - {"setup_source", "function_source"} | STATE


def test_the_reference_tells_types_in_words() -> None:
    page = reference()
    assert "| `due` | instant | When it is due; of what passed unserved and is made up for, when that is. |" in page
    assert "| `on` | `loaded` or null |" in page
    assert "| `last_run` | [a run](#a-run) or null |" in page
    assert "| `properties` | object with string or null for each name, or null |" in page
    assert r"| `parsed_at` | list of \[integer or null, integer or null, integer, integer\] |" in page


# show


def test_show_of_all_is_a_list_from_the_files_alone(printed: Printed, site: Site) -> None:
    path = str(site.inputs_dir / "weather/q.rd")
    fetch, plot = printed("show", "--all")
    assert fetch == {
        "rd_id": "weather/q",
        "id": "fetch",
        "key": "weather/q#fetch",
        "title": "Fetch \x9b it",
        "at": [],
        "parsed_at": [],
        "every": -3600,
        "on": None,
        "zone": "UTC",
        "only": [],
        "excluded": [],
        "delay_seconds": 0,
        "debug": False,
        "properties": {"station": "Hd"},
        "policy": ORDINARY | {"workdir": str(site.inputs_dir / "weather")},
        "schema": "weather",
        "resdir": str(site.inputs_dir / "weather"),
        "setup_source": "",
        "function_source": 'print("rain")\nexecDef.spawn(["echo", "Größe"])\n',
        "path": path,
        "line": 3,
        "sources": [path],
    }
    assert plot["id"] is None
    assert plot["at"] == ["7:30", "w1 8:00", "m28 0:15"]
    assert plot["parsed_at"] == [[None, None, 7, 30], [None, 1, 8, 0], [28, None, 0, 15]]
    assert plot["every"] is None
    assert plot["debug"] is True
    assert not site.state_dir.exists()


def test_show_of_all_tells_broken_rds_and_fails(
    site: Site, printed: Printed, capsys: pytest.CaptureFixture[str]
) -> None:
    path = site.put("broken/q", BROKEN)
    assert [each["key"] for each in printed("show", "--all", code=1)] == ["weather/q#fetch", "weather/q#plot-it"]
    assert main(["show", "--all"]) == 1
    out, err = capsys.readouterr()
    assert err == f"{path}:2:12: E202 the execute has no attribute titel (and 1 more)\n"
    assert out.count("\nCode:\n") == 2


def test_show_of_several_is_a_list_in_their_order(printed: Printed) -> None:
    found = printed("show", "weather/q#plot-it", "weather/q.rd#fetch", "weather/q#plot-it")
    assert [(each["key"], set(each)) for each in found] == [("weather/q#plot-it", STABLE), ("weather/q#fetch", STABLE)]


def test_show_of_one_has_its_state_as_well(printed: Printed, site: Site) -> None:
    assert set(printed("show", "weather/q#fetch")) == STABLE | STATE | {"runs"}
    assert printed("show", "weather/q#fetch")["last_run"] is None
    with site.store() as store:
        store.record(run())
    found = printed("show", "weather/q#fetch")
    assert found["schedule"] == "every 1 h, at once when first loaded"
    assert found["last_run"] == found["runs"][0]
    assert found["runs"][0]["duration_seconds"] == 90


def test_show_of_one_does_without_a_state_that_cannot_be_read(
    printed: Printed, site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.state_dir.mkdir()
    (site.state_dir / "state.sqlite").write_text("no database, but long enough to look like one" * 100)
    assert set(printed("show", "weather/q#fetch")) == STABLE
    assert main(["show", "weather/q#fetch"]) == 0
    out, err = capsys.readouterr()
    assert "Schedule:           every 1 h, at once when first loaded\n" in out
    assert err.startswith("gavo-exec: shown without its state: The state file ")
    assert len(printed("show", "--all")) == 2


def test_show_of_a_run_has_its_output(printed: Printed, site: Site) -> None:
    with site.store() as store:
        store.record(run())
    assert printed("show", "r1")["output"] == "line 1\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show"], "give the id of a run, keys or --all (see gavo-exec show --help)"),
        (["show", "--all", "a#b"], "give keys or --all, not both (see gavo-exec show --help)"),
        (
            ["show", "weather/q#plot-it", "weather/q#fech"],
            "no execute has the key 'weather/q#fech'; did you mean 'weather/q#fetch'?",
        ),
        (
            ["show", "weather/q#plot-it", "r1"],
            "'r1' is no key; keys look like weather/q#fetch (gavo-exec list has them)",
        ),
    ],
)
def test_wrong_use_is_told_in_a_line(
    site: Site, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(arguments) == 2
    assert tuple(capsys.readouterr()) == ("", f"gavo-exec: {message}\n")


# list, next, check, history


def test_list_has_the_same_fields_without_code_and_the_state(printed: Printed, site: Site) -> None:
    with site.store() as store:
        store.record(run())
    found = {job["key"]: job for job in printed("list")}
    fetch = found["weather/q#fetch"]
    shown = printed("show", "weather/q#fetch")
    assert set(fetch) == set(ListedJob.__struct_fields__)
    for name in fetch.keys() - {"due"}:
        assert fetch[name] == shown[name], name
    assert found["weather/q#plot-it"]["last_run"] is None


def test_of_what_is_held_back_list_has_what_was_recorded(printed: Printed, site: Site) -> None:
    path = str(site.put("broken/q", BROKEN))
    rejection = Rejection(rd_id="broken/q", path=path, digest="", rejected_at=NOON, diagnostics=())
    held = [HeldBack(key="broken/q#x", title="X", at=("w1 7:30",)), HeldBack(key="broken/q#y", title="Y", on="loaded")]
    with site.store() as store:
        store.put_rejection(rejection, held)
    jobs = {job["key"]: job for job in printed("list")}
    x, y = jobs["broken/q#x"], jobs["broken/q#y"]
    assert (x["rd_id"], x["id"], x["path"], x["held_back"]) == ("broken/q", None, path, True)
    assert (x["at"], x["parsed_at"], x["on"]) == (["w1 7:30"], [[None, 1, 7, 30]], None)
    assert (y["on"], y["due"], y["schedule"]) == ("loaded", None, "when loaded")
    for name in ("debug", "properties", "policy", "schema", "resdir", "line", "sources"):
        assert x[name] is None, name


def test_for_people_what_runs_when_loaded_has_no_instant_but_that_of_the_start(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(site.put("broken/q", BROKEN))
    rejection = Rejection(rd_id="broken/q", path=path, digest="", rejected_at=NOON, diagnostics=())
    with site.store() as store:
        store.put_rejection(rejection, [HeldBack(key="broken/q#y", title="Y", on="loaded")])
    assert main(["list"]) == 0
    [line] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("broken/q#y")]
    assert re.split(r"\s{2,}", line) == ["broken/q#y", "Y", "when loaded", "-", "-", "-", "-", "held back"]
    assert main(["next", "broken/q#y", "--from", "2026-03-01T12:00", "--count", "3"]) == 0
    assert [line.split()[:2] for line in capsys.readouterr().out.splitlines()[1:]] == [["2026-03-01", "12:00:00"]]


def test_next_is_a_list_of_instants(printed: Printed) -> None:
    found = printed("next", "--all", "--from", "2026-03-01T12:00", "--count", "2")
    assert [(item["key"], item["due"]) for item in found] == [
        ("weather/q#fetch", "2026-03-01T12:00:00Z"),
        ("weather/q#fetch", "2026-03-01T13:00:00Z"),
        ("weather/q#plot-it", "2026-03-02T07:30:00Z"),
        ("weather/q#plot-it", "2026-03-02T08:00:00Z"),
    ]


def test_next_and_list_tell_what_is_made_up_for(printed: Printed, site: Site) -> None:
    site.put(
        "late/q",
        """<resource schema="late">
  <execute title="Once" at="0:00, 12:00"><job/></execute>
  <execute title="Skipped" at="0:00, 12:00"><property name="when.missed">skip</property><job/></execute>
  <execute title="Edited" at="0:00, 12:00"><job/></execute>
</resource>
""",
    )
    mark = LastStart(at=NOON, schedule="at 0:00, 12:00 UTC")
    with site.store() as store:
        store.note_starts(
            {"late/q#once": mark, "late/q#skipped": mark, "late/q#edited": LastStart(at=NOON, schedule="at 0:00 UTC")}
        )
    keys = ("late/q#once", "late/q#skipped", "late/q#edited")
    found = printed("next", *keys, "--from", "2026-03-02T09:00", "--count", "2")
    assert [(item["key"], item["due"][:16], item["reason"]) for item in found] == [
        ("late/q#once", "2026-03-02T09:00", "catch_up"),
        ("late/q#edited", "2026-03-02T12:00", "scheduled"),
        ("late/q#once", "2026-03-02T12:00", "scheduled"),
        ("late/q#skipped", "2026-03-02T12:00", "scheduled"),
        ("late/q#edited", "2026-03-03T00:00", "scheduled"),
        ("late/q#skipped", "2026-03-03T00:00", "scheduled"),
    ]
    before = datetime.now(UTC)
    listed = {job["key"]: datetime.fromisoformat(job["due"]) for job in printed("list") if job["key"] in keys}
    assert before <= listed["late/q#once"] <= datetime.now(UTC)
    assert listed["late/q#skipped"] == listed["late/q#edited"] > before


def test_fresh_knows_nothing_of_the_state(printed: Printed, site: Site) -> None:
    with site.store() as store:
        store.note_starts({"weather/q#fetch": LastStart(at=NOON)})
    arguments = ("next", "weather/q#fetch", "--from", "2026-03-01T12:30")
    assert [item["due"] for item in printed(*arguments)] == ["2026-03-01T13:00:00Z"]
    assert [item["due"] for item in printed(*arguments, "--fresh")] == ["2026-03-01T12:30:00Z"]
    (site.state_dir / "state.sqlite").write_text("no database, but long enough to look like one" * 100)
    assert [item["due"] for item in printed(*arguments, "--fresh")] == ["2026-03-01T12:30:00Z"]


def test_next_tells_of_broken_rds(site: Site, printed: Printed, capsys: pytest.CaptureFixture[str]) -> None:
    path = site.put("broken/q", BROKEN)
    fault = f"{path}:2:12: E202 the execute has no attribute titel"
    assert main(["next", "--json"]) == 0
    assert capsys.readouterr().err == f"{fault} (and 1 more)\n"
    assert main(["next", "weather/q#fetch"]) == 0
    assert capsys.readouterr().err == ""
    assert main(["next", "broken/q#x"]) == 1
    assert capsys.readouterr().err == f"gavo-exec: {fault} (and 1 more: gavo-exec check {path})\n"


def test_check_prints_diagnostics(printed: Printed, site: Site) -> None:
    path = str(site.put("broken/q", BROKEN))
    found = printed("check", path, code=1)
    assert [each["code"] for each in found] == ["E202", "E302"]
    assert printed("check", str(site.inputs_dir / "weather")) == []


def test_a_diagnostic_has_the_places_on_the_way() -> None:
    position = Position(path="/a.rd", line=2, column=3, via=(Position(path="/b.rd", line=4),))
    view = DiagnosticView.of(Diagnostic(code="W201", message="m", position=position, severity=Severity.WARNING))
    value = json.loads(msgspec.json.encode(view))
    assert strange([value], "check") == []
    assert value["via"] == [{"path": "/b.rd", "line": 4, "column": 1}]


def test_history_is_a_list_of_runs(printed: Printed, site: Site) -> None:
    with site.store() as store:
        store.record(run())
    [found] = printed("history")
    assert set(found) == set(RunView.__struct_fields__)
    assert (found["due"], found["outcome"], found["reason"]) == ("2026-03-01T12:00:00Z", "failed", "scheduled")


# Executes that run when their RD is loaded, and setup code


@pytest.mark.parametrize(
    ("schedule", "at", "parsed_at", "every", "on"),
    [
        (Every(seconds=60), (), (), 60, None),
        (Every(seconds=60, immediately=True), (), (), -60, None),
        (parse_at("0:00,m1 23:59"), ("0:00", "m1 23:59"), ((None, None, 0, 0), (1, None, 23, 59)), None, None),
        (Loaded(), (), (), None, "loaded"),
    ],
)
def test_schedules_are_told_as_written_and_as_understood(
    schedule: Schedule, at: tuple[str, ...], parsed_at: tuple[object, ...], every: int | None, on: str | None
) -> None:
    execute = make_execute(schedule=schedule)
    view = ExecuteView.of(make_rd(execute), execute)
    assert (view.at, view.parsed_at, view.every, view.on) == (at, parsed_at, every, on)


def test_what_narrows_a_schedule_is_told_beside_it() -> None:
    window = Window(only=("* 9 * * *",), excluded=("* * 1 1 *",), zone="Asia/Tokyo")
    for schedule in (parse_at("9:30"), Every(seconds=60)):
        execute = make_execute(schedule=narrowed(schedule, zone="Asia/Tokyo", window=window, delay_seconds=7))
        view = ExecuteView.of(make_rd(execute), execute)
        found = (view.zone, view.only, view.excluded, view.delay_seconds)
        assert found == ("Asia/Tokyo", ("* 9 * * *",), ("* * 1 1 *",), 7)
    plain = make_execute(schedule=Loaded())
    view = ExecuteView.of(make_rd(plain), plain)
    assert (view.zone, view.only, view.excluded, view.delay_seconds) == ("UTC", (), (), 0)


def test_what_is_held_back_keeps_what_narrows_its_schedule(printed: Printed, site: Site) -> None:
    path = str(site.put("broken/q", BROKEN))
    rejection = Rejection(rd_id="broken/q", path=path, digest="", rejected_at=NOON, diagnostics=())
    window = Window(only=("* 9 * * *",), zone="Asia/Tokyo")
    schedules = {
        "broken/q#a": narrowed(parse_at("9:30, w1 9:40"), zone="Asia/Tokyo", window=window, delay_seconds=7),
        "broken/q#b": narrowed(Every(seconds=60, immediately=True), window=window),
        "broken/q#c": Loaded(),
    }
    held = [HeldBack.of(make_execute(key, schedule=schedule)) for key, schedule in schedules.items()]
    assert [each.schedule for each in held] == list(schedules.values())
    with site.store() as store:
        store.put_rejection(rejection, held)
    jobs = {job["key"]: job for job in printed("list")}
    a, b = jobs["broken/q#a"], jobs["broken/q#b"]
    assert (a["zone"], a["only"], a["delay_seconds"]) == ("Asia/Tokyo", ["* 9 * * *"], 7)
    assert (b["zone"], b["only"], b["every"]) == ("Asia/Tokyo", ["* 9 * * *"], -60)


def test_the_policy_is_told_with_its_types(printed: Printed, site: Site) -> None:
    plain = printed("show", "weather/q#fetch")["policy"]
    assert plain == ORDINARY | {"workdir": str(site.inputs_dir / "weather")}
    said = {"run.timeout": "90", "run.limit": "archive 2", "run.env.A": "1", "run.workdir": "x", "when.missed": "skip"}
    said |= {"mail.to": "a@x.org, b@x.org", "mail.after": "2", "mail.remind": "never", "mail.ping": "https://x.org/1"}
    given = "".join(f'<property name="{name}">{text}</property>' for name, text in said.items())
    site.put("weather/q", WEATHER.replace('<property name="station">Hd</property>', given))
    found = printed("show", "weather/q#fetch")["policy"]
    assert {name: value for name, value in found.items() if value != plain[name]} == {
        "missed": "skip",
        "grace_seconds": 60,
        "timeout_seconds": 90,
        "limit": {"name": "archive", "at_most": 2},
        "workdir": str(site.inputs_dir / "weather" / "x"),
        "env": {"A": "1"},
        "mail_to": ["a@x.org", "b@x.org"],
        "mail_after": 2,
        "remind_seconds": [],
        "ping": "https://x.org/1",
    }


def test_what_runs_when_loaded_is_shown_without_an_instant(capsys: pytest.CaptureFixture[str]) -> None:
    execute = make_execute(schedule=Loaded())
    rd = make_rd(execute)
    jobs = planned_jobs(Catalog().accept(rd), State())
    [status] = statuses(jobs, State(), NOON)
    show_execute(rd, execute, status=status)
    out = capsys.readouterr().out
    assert "Schedule:           when loaded\n" in out
    assert "Next due" not in out
    show_json(listed_jobs(jobs, State(), NOON))
    value = json.loads(capsys.readouterr().out)
    assert strange(value, "list") == []
    assert (value[0]["on"], value[0]["due"], value[0]["schedule"]) == ("loaded", None, "when loaded")
    show_json(JobView.with_state(rd, execute, status=status, runs=[run(outcome=None)]))
    assert strange(json.loads(capsys.readouterr().out), "show") == []


def test_setup_code_is_shown_with_its_lines_and_its_file(capsys: pytest.CaptureFixture[str]) -> None:
    execute = make_execute(path="/inputs/test/q.rd", line=9)
    setup = (
        Code(source="limit = 3\n", first_line=4, position=Position(path="/inputs/other/p.rd")),
        Code(source="\nunit = 'd'\n", first_line=7, position=Position(path="/inputs/test/q.rd")),
        Code(),
    )
    job = Job(source="print(limit)\n", first_line=10, setup=setup, position=Position(path="/inputs/test/q.rd"))
    execute = msgspec.structs.replace(execute, job=job)
    show_executes([(make_rd(execute), execute)], as_json=False)
    out = capsys.readouterr().out
    assert out.endswith(
        "\nSetup code (in /inputs/other/p.rd):\n  4 | limit = 3\n"
        "\nSetup code:\n  7 |\n  8 | unit = 'd'\n"
        "\nCode:\n  10 | print(limit)\n"
    )
    show_executes([(make_rd(execute), execute)], as_json=True)
    [value] = json.loads(capsys.readouterr().out)
    assert strange([value], "show") == []
    assert value["setup_source"] == "limit = 3\n\nunit = 'd'\n"
    assert value["function_source"] == "print(limit)\n"
