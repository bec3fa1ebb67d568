"""``check`` with the linter: formats, explanations, exit codes, and mends that are written."""

import json
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from gavo_exec.cli import main
from gavo_exec.cli.check import Check, check_command, mend_files
from gavo_exec.cli.tree import Checking
from gavo_exec.errors import CODES, Diagnostic, Position, Severity
from gavo_exec.settings import Settings

Command = Callable[..., tuple[int, str, str]]

SLEEPY = """<resource schema="weather" resdir=".">
  <execute id="fetch" title="Fetch" every="3600">
    <job><code>
      time.sleep(60)
      with open("last.txt") as file:
        print(file.read())
      sys.exit()
    </code></job>
  </execute>
</resource>
"""
MENDED = SLEEPY.replace('"last.txt"', 'rd.getAbsPath("last.txt")').replace("sys.exit()", "return")
BROKEN = """<resource schema="broken" resdir=".">
  <execute titel="a,b" title="Broken" every="never"><job><code>pass</code></job></execute>
</resource>
"""
GOOD = (
    '<resource schema="good" resdir="."><execute title="T" every="60"><job><code>pass</code></job></execute></resource>'
)


@pytest.fixture
def inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GAVO_EXEC_INPUTS_DIR", str(tmp_path / "inputs"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "inputs"


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    def called(*arguments: str) -> tuple[int, str, str]:
        code = main(("check", *arguments))
        out, err = capsys.readouterr()
        assert "\x1b" not in out + err
        return code, out, err

    return called


def put(inputs: Path, name: str, text: str) -> Path:
    path = inputs / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


# The linter


def test_mistakes_in_good_rds_are_told_as_warnings(inputs: Path, command: Command) -> None:
    path = put(inputs, "weather/q.rd", SLEEPY)
    code, out, err = command()
    assert (code, err) == (0, "")
    assert f"{path}:4:7: W604 the job waits for 60 seconds, and keeps a worker from other jobs\n" in out
    assert '      with open("last.txt") as file:\n                    ^^^^^^^^^^\n' in out
    assert out.endswith("1 RD, 1 execute: 0 errors, 3 warnings\n")


def test_what_the_reader_says_comes_in_between(inputs: Path, command: Command) -> None:
    put(inputs, "weather/q.rd", SLEEPY.replace("</resource>", '  <excute title="x"/>\n</resource>'))
    put(inputs, "a/q.rd", SLEEPY.replace(' every="3600"', ' every="60" every2=""'))
    found = json.loads(command("--json")[1])
    assert [each["code"] for each in found] == ["E202", "W604", "W613", "W608", "W205"]


def test_names_of_job_code_are_known(inputs: Path, command: Command) -> None:
    put(inputs, "weather/q.rd", GOOD.replace("pass", "print(os, base.ui, rd, execDef, parent, dattime)"))
    found = json.loads(command("--json")[1])
    assert [(each["code"], each["hint"]) for each in found] == [("W615", "did you mean datetime?")]


def test_the_encoding_of_the_file_does_not_matter_to_columns(inputs: Path, command: Command) -> None:
    text = '<?xml version="1.0" encoding="iso-8859-1"?>\n' + GOOD.replace("pass", "x = 'ä'; time.sleep(60)")
    path = put(inputs, "weather/q.rd", "")
    path.write_bytes(text.encode("iso-8859-1"))
    [found] = json.loads(command("--json")[1])
    assert text.splitlines()[found["line"] - 1][found["column"] - 1 :].startswith("time.sleep(60)")


# Exit codes


@pytest.mark.parametrize(
    ("text", "options", "code"),
    [
        (GOOD, ["--strict"], 0),
        (SLEEPY, [], 0),
        (SLEEPY, ["--strict"], 1),
        (SLEEPY, ["--strict", "--json"], 1),
        (BROKEN, [], 1),
        (BROKEN, ["--format", "sarif"], 1),
        (GOOD, ["--format", "xml"], 2),
        (GOOD, ["--json", "--format", "sarif"], 2),
        (GOOD, ["--json", "--format", "json"], 0),
        (GOOD, ["--explain", "W999"], 2),
    ],
)
def test_exit_codes(inputs: Path, command: Command, text: str, options: list[str], code: int) -> None:
    put(inputs, "x/q.rd", text)
    assert command(*options)[0] == code


# Formats


def test_github_is_told_in_commands(inputs: Path, command: Command) -> None:
    put(inputs, "broken/q,1%.rd", BROKEN)
    code, out, _ = command("--format", "github")
    assert code == 1
    titel, never, summary = out.splitlines()
    place = "::error file=inputs/broken/q%2C1%25.rd,line=2"
    assert titel == f"{place},col=12,endColumn=17,title=E202::the execute has no attribute titel (did you mean title?)"
    assert never.startswith(f"{place},col=46,endColumn=51,title=E302::every is not a whole number: 'never' (write")
    assert summary == "1 RD, 0 executes: 2 errors, 0 warnings"


def test_no_text_of_an_rd_becomes_a_command_of_github(inputs: Path, command: Command) -> None:
    put(inputs, "broken/q.rd", BROKEN.replace("never", "&#10;::error::\x7f%0A"))
    out = command("--format", "github")[1]
    assert all(line.startswith(("::error file=inputs/", "1 RD")) for line in out.splitlines())


def test_paths_elsewhere_are_whole(inputs: Path, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(inputs, "x y/q.rd", SLEEPY)
    (inputs.parent / "here").mkdir()
    monkeypatch.chdir(inputs.parent / "here")
    assert command("--format", "github")[1].startswith(f"::warning file={path},")
    results = json.loads(command("--format", "sarif")[1])["runs"][0]["results"]
    uri = results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == f"file://{path}".replace(" ", "%20")


def test_sarif_has_rules_results_and_fixes(inputs: Path, command: Command) -> None:
    put(inputs, "a b/ä.rd", SLEEPY)
    log = json.loads(command("--format", "sarif")[1])
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-schema-2.1.0.json")
    [run] = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "gavo-exec"
    assert [rule["id"] for rule in driver["rules"]] == list(CODES)
    for rule in driver["rules"]:
        assert rule["shortDescription"]["text"] == CODES[rule["id"]]
        assert rule["help"]["text"]
        assert rule["defaultConfiguration"]["level"] == {"E": "error", "W": "warning", "N": "note"}[rule["id"][0]]
    sleep, opening, _ = run["results"]
    assert driver["rules"][sleep["ruleIndex"]]["id"] == sleep["ruleId"] == "W604"
    assert sleep["level"] == "warning"
    assert sleep["message"]["text"].startswith("the job waits for 60 seconds")
    assert "fixes" not in sleep
    [location] = opening["locations"]
    uri = {"uri": "inputs/a%20b/%C3%A4.rd"}
    region = {"startLine": 5, "startColumn": 17, "endLine": 5, "endColumn": 27}
    snippet = {"text": '      with open("last.txt") as file:'}
    assert location["physicalLocation"] == {"artifactLocation": uri, "region": {**region, "snippet": snippet}}
    [fix] = opening["fixes"]
    replacement = {"deletedRegion": region, "insertedContent": {"text": 'rd.getAbsPath("last.txt")'}}
    assert fix["artifactChanges"] == [{"artifactLocation": uri, "replacements": [replacement]}]


def test_sarif_of_nothing_wrong_is_a_run_without_results(inputs: Path, command: Command) -> None:
    put(inputs, "x/q.rd", GOOD)
    assert json.loads(command("--format", "sarif")[1])["runs"][0]["results"] == []


# Explanations


@pytest.mark.parametrize("code", ["W613", "w613"])
def test_a_code_is_explained(inputs: Path, command: Command, code: str) -> None:
    answer, out, err = command("--explain", code)
    assert (answer, err) == (0, "")
    assert out.startswith(f"W613: {CODES['W613']}\n\nChildren run in the resdir")
    assert '\n\nWrong:\n\n    with open("last.txt") as file:\n' in out
    assert '\n\nInstead:\n\n    with open(rd.getAbsPath("last.txt")) as file:\n' in out


@pytest.mark.parametrize("code", CODES)
def test_every_code_can_be_explained(command: Command, code: str) -> None:
    answer, out, _ = command("--explain", code)
    assert answer == 0
    assert out.startswith(f"{code}: ")
    assert "`" not in out.partition("Wrong:")[0]


def test_an_unknown_code_is_told(command: Command) -> None:
    assert command("--explain", "W61\x1b[2J4")[1] == ""
    code, _, err = command("--explain", "W699")
    assert code == 2
    assert err.startswith("gavo-exec: there is no code 'W699'; did you mean 'W6")


# Mends


def test_fix_writes_mends_and_tells_what_is_left(inputs: Path, command: Command) -> None:
    path = put(inputs, "weather/q.rd", SLEEPY)
    path.chmod(0o640)
    code, out, err = command("--fix")
    assert (code, err) == (0, "")
    assert path.read_text() == MENDED
    assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(path.parent.iterdir()) == [path]
    assert f"--- {path}\n+++ {path}\n" in out
    assert '-      with open("last.txt") as file:\n+      with open(rd.getAbsPath("last.txt")) as file:\n' in out
    assert "2 mends in 1 file\n" in out
    assert "W604" in out
    assert "W613" not in out
    assert out.endswith("1 RD, 1 execute: 0 errors, 1 warning\n")
    assert command("--fix")[1].startswith("0 mends in 0 files\n")


@pytest.mark.parametrize("options", [("--diff",), ("--fix", "--diff")])
def test_diff_writes_nothing(inputs: Path, command: Command, options: tuple[str, ...]) -> None:
    path = put(inputs, "weather/q.rd", SLEEPY)
    out = command(*options)[1]
    assert path.read_text() == SLEEPY
    assert '+      with open(rd.getAbsPath("last.txt")) as file:\n' in out
    assert "2 mends in 1 file, not written\n" in out
    assert "W613" in out


def test_without_fix_nothing_is_written(inputs: Path, command: Command) -> None:
    path = put(inputs, "weather/q.rd", SLEEPY)
    command()
    assert path.read_text() == SLEEPY


def test_with_formats_for_programs_diffs_go_elsewhere(inputs: Path, command: Command) -> None:
    put(inputs, "weather/q.rd", SLEEPY)
    _, out, err = command("--fix", "--json")
    assert [each["code"] for each in json.loads(out)] == ["W604"]
    assert "2 mends in 1 file" in err


def test_only_files_that_are_checked_are_mended(inputs: Path, command: Command) -> None:
    first, second = put(inputs, "a/q.rd", SLEEPY), put(inputs, "b/q.rd", SLEEPY)
    command("--fix", str(first))
    assert (first.read_text(), second.read_text()) == (MENDED, SLEEPY)


def test_code_in_an_attribute_is_mended_there(inputs: Path, command: Command) -> None:
    text = """<resource schema="x" resdir=".">
<execute title="T" every="60"><job code="sys.exit()"/></execute>
</resource>"""
    path = put(inputs, "x/q.rd", text)
    assert command("--fix")[0] == 0
    assert path.read_text() == text.replace("sys.exit()", "return")


def test_a_file_that_would_read_worse_is_left_alone(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = put(inputs, "x/q.rd", GOOD)
    place = Position(path=str(path), line=1, column=GOOD.index("pass") + 1)
    bad = Diagnostic(
        code="W608",
        message="m",
        severity=Severity.WARNING,
        position=place,
        length=4,
        fix="a < b",
        excerpt=GOOD,
    )
    told: list[str] = []
    checks = {str(path): Check(1, (bad,))}
    checking = Checking(Settings(inputs_dir=str(inputs), state_dir=""))
    assert mend_files({str(path): str(inputs)}, checks, checked=checking.check, write=True, tell=told.append) == []
    assert told == ["0 mends in 0 files"]
    assert path.read_text() == GOOD
    assert capsys.readouterr().err == f"gavo-exec: {path}: left alone, as with its mends it reads worse\n"


def test_the_command_names_all_formats() -> None:
    [form] = [each for each in check_command.params if each.name == "form"]
    assert isinstance(form.type, click.Choice)
    assert tuple(form.type.choices) == ("text", "json", "github", "sarif")


TWICE = GOOD.replace('title="T"', 'titel="x" title="T"')


def test_an_attribute_that_is_there_already_is_not_mended_into_a_second(command: Command, inputs: Path) -> None:
    path = put(inputs, "twice/q.rd", TWICE)
    code, said, _ = command("--fix")
    assert code == 1
    assert "0 mends in 0 files" in said
    assert path.read_text() == TWICE


def test_no_mend_is_written_that_leaves_no_xml_whatever_it_mends(
    inputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = put(inputs, "twice/q.rd", TWICE)
    checking = Checking(Settings(inputs_dir=str(inputs), state_dir="/state"))
    line = TWICE.splitlines()[0]
    wrong = Diagnostic(
        code="E202",
        message="the execute has no attribute titel",
        position=Position(path=str(path), line=1, column=line.index("titel") + 1),
        excerpt=line,
        length=5,
        fix="title",
    )
    told: list[str] = []
    checks = {str(path): Check(0, (wrong,))}
    assert mend_files({str(path): str(inputs)}, checks, checked=checking.check, write=True, tell=told.append) == []
    assert "left alone, as with its mends it reads worse" in capsys.readouterr().err
    assert path.read_text() == TWICE


# What is otherwise than in DaCHS


def test_a_site_is_told_what_is_otherwise_than_in_dachs(command: Command, inputs: Path, tmp_path: Path) -> None:
    put(inputs, "weather/q.rd", SLEEPY)
    put(inputs, "broken/q.rd", BROKEN)
    (tmp_path / "gavo.rc").write_text("[general]\nrootDir: .\n[web]\npreloadRDs: other/q\n")
    code, said, _ = command("--dachs", str(tmp_path))
    assert code == 0
    assert said.startswith("1 execute in 1 RD; 1 RD refused here\n")
    assert f"{inputs}/weather/q.rd:1:1: N701 " in said
    code, told, _ = command("--dachs", str(tmp_path), "--json")
    found = json.loads(told)
    assert (code, found["executes"], found["refused"]) == (0, 1, 1)
    assert "N701" in {note["code"] for note in found["notes"]}


@pytest.mark.parametrize("option", ["--fix", "--diff", "--strict", "--format=sarif", "--format=github"])
def test_what_is_otherwise_in_dachs_cannot_be_mended(command: Command, inputs: Path, option: str) -> None:
    put(inputs, "weather/q.rd", SLEEPY)
    code, _, err = command("--dachs", option)
    assert code == 2
    assert "--dachs goes with --json" in err
