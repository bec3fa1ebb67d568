"""The commands, in this process, on real files and a real state file."""

import errno
import io
import json
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gavo_exec.cli import main
from gavo_exec.descriptor import read
from gavo_exec.model import HeldBack, Outcome, Rejection, Run, RunRequest
from gavo_exec.runtime.process import is_alive, process_holder
from gavo_exec.services.store import SQLiteStore

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WEATHER = """<resource schema="weather">
  <execute id="fetch" title="Fetch &#x9b;31m it" every="3600">
    <property name="station">Hd</property>
    <job><code>
      print("from the job")
      execDef.spawn(["echo", "from a child"])
    </code></job>
  </execute>
  <execute id="fails" title="Fails" at="7:30">
    <job><code>raise ValueError("bad" + chr(27) + "[2J luck")</code></job>
  </execute>
</resource>
"""
BROKEN = """<resource schema="broken">
  <execute titel="x" title="Broken" every="never"><job><code>pass</code></job></execute>
</resource>
"""

Command = Callable[..., tuple[int, str, str]]


class Site:
    """A resource directory and a state directory."""

    def __init__(self, root: Path) -> None:
        self.inputs_dir = root / "inputs"
        self.state_dir = root / "state"
        self.inputs_dir.mkdir()
        self.put("weather/q", WEATHER)

    def put(self, rd_id: str, text: str) -> Path:
        path = self.inputs_dir / f"{rd_id}.rd"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def store(self) -> closing[SQLiteStore]:
        self.state_dir.mkdir(exist_ok=True)
        return closing(SQLiteStore(self.state_dir / "state.sqlite", holder=process_holder(), is_alive=is_alive))

    def record(self, *runs: Run) -> None:
        with self.store() as store:
            for run in runs:
                store.record(run)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    made = Site(tmp_path)
    monkeypatch.setenv("GAVO_EXEC_INPUTS_DIR", str(made.inputs_dir))
    monkeypatch.setenv("GAVO_EXEC_STATE_DIR", str(made.state_dir))
    monkeypatch.setenv("GAVO_EXEC_MAIL_TO", "ops@example.org")
    monkeypatch.chdir(tmp_path)
    return made


@pytest.fixture
def command(site: Site, capsys: pytest.CaptureFixture[str]) -> Command:
    def called(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        out, err = capsys.readouterr()
        assert "\x1b" not in out + err
        assert "\x9b" not in out + err
        return code, out, err

    return called


def run(run_id: str, *, key: str = "weather/q#fetch", outcome: Outcome = Outcome.SUCCEEDED) -> Run:
    return Run(
        run_id=run_id,
        key=key,
        title="Fetch",
        due=NOON,
        started_at=NOON,
        finished_at=NOON + timedelta(seconds=90),
        outcome=outcome,
        returncode=3 if outcome.is_bad else None,
        output="line 1\n\x1b[2Jline 2\n",
        error="exit 3\nmore" if outcome.is_bad else "",
        host="there",
    )


# check


def test_check_of_good_rds(command: Command, site: Site) -> None:
    site.put("other/x", "<resource schema='other'/>")
    assert command("check") == (0, "2 RDs, 2 executes: 0 errors, 0 warnings\n", "")


def test_check_tells_all_faults_and_fails(command: Command, site: Site) -> None:
    path = site.put("broken/q", BROKEN)
    code, out, err = command("check")
    assert (code, err) == (1, "")
    assert f"{path}:2:12: E202 the execute has no attribute titel\n" in out
    assert f"{path}:2:44: E302 every is not a whole number: 'never'\n" in out
    assert out.endswith("\n2 RDs, 2 executes: 2 errors, 0 warnings\n")


def test_check_as_json_is_flat(command: Command, site: Site) -> None:
    path = site.put("broken/q", BROKEN)
    code, out, _ = command("check", str(path), "--json")
    found = json.loads(out)
    assert code == 1
    assert found[0] == {
        "code": "E202",
        "severity": "error",
        "message": "the execute has no attribute titel",
        "path": str(path),
        "line": 2,
        "column": 12,
        "via": [],
        "hint": "did you mean title?",
    }
    assert [diagnostic["code"] for diagnostic in found] == ["E202", "E302"]


def test_check_of_nothing_wrong_is_an_empty_list(command: Command) -> None:
    assert command("check", "--json") == (0, "[]\n", "")


def test_warnings_do_not_fail(command: Command, site: Site) -> None:
    job = "<execute title='T' every='60'><job><code>pass</code></job></execute>"
    path = site.put("twice/q", f"<resource schema='twice'>{job}{job}</resource>")
    code, out, _ = command("check", str(path))
    assert code == 0
    assert "W202" in out
    assert out.endswith("1 RD, 2 executes: 0 errors, 1 warning\n")


@pytest.mark.parametrize(
    ("path", "resdir"),
    [
        ("inputs/weather/q.rd", "inputs/weather"),
        ("inputs/weather", "inputs/weather"),
        ("inputs/weather/../weather/q.rd", "inputs/weather"),
        ("elsewhere/weather/q.rd", "elsewhere/weather"),
        ("elsewhere", "elsewhere/weather"),
    ],
)
def test_the_resource_directory_a_checked_path_belongs_to(
    command: Command, site: Site, tmp_path: Path, path: str, resdir: str
) -> None:
    text = (
        "<resource schema='weather'><execute title='T' every='60'>"
        r"<job><code>x = '\resdir' \unknownMacro</code></job></execute></resource>"
    )
    site.put("weather/q", text)
    site.put("../elsewhere/weather/q", text)
    from gavo_exec.cli.tree import resource_directory

    inputs_dir = Path(resource_directory(path, str(site.inputs_dir)))
    assert inputs_dir / "weather" == tmp_path / resdir
    code, out, _ = command("check", path)
    assert code == 1
    assert "1 RD, 0 executes: 1 error" in out


def test_check_needs_no_settings(command: Command, site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("GAVO_EXEC_INPUTS_DIR")
    assert command("check", str(site.inputs_dir))[0] == 0
    code, _, err = command("check")
    assert (code, "inputs_dir is not set" in err) == (2, True)
    assert not (tmp_path / "state").exists()


def test_hidden_files_are_passed_over_but_checked_when_named(command: Command, site: Site) -> None:
    path = site.put("weather/.#q", BROKEN)
    assert command("check")[0] == 0
    assert command("check", str(path))[0] == 1


# list


def test_list_shows_jobs_runs_and_broken_rds(command: Command, site: Site) -> None:
    path = site.put("broken/q", BROKEN)
    site.record(run("r1"), run("r2", outcome=Outcome.FAILED))
    code, out, err = command("list")
    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert lines[0].split("  ")[0] == "KEY"
    [fetch] = [line for line in lines if line.startswith("weather/q#fetch ")]
    assert "every 1 h" in fetch
    assert "2026-03-01 12:00:00  failed" in fetch
    assert any(line.startswith("weather/q#fails ") and "at 7:30 UTC" in line for line in lines)
    assert f"  {path}:2:12: E202 the execute has no attribute titel (and 1 more)" in lines
    assert lines[-1] == f"2 jobs, 0 running, 1 broken RD; no daemon runs on {site.state_dir}"


def test_list_as_json_has_the_fields_of_a_job_status(command: Command, site: Site) -> None:
    path = site.put("broken/q", BROKEN)
    site.record(run("r1"))
    code, out, err = command("list", "--json")
    jobs = {job["key"]: job for job in json.loads(out)}
    assert code == 0
    assert err.startswith(f"{path}:2:12: E202")
    fetch = jobs["weather/q#fetch"]
    assert (fetch["schedule"], fetch["paused"], fetch["held_back"]) == ("every 1 h", False, False)
    assert fetch["last_run"]["outcome"] == "succeeded"
    assert fetch["last_run"]["duration_seconds"] == 90
    assert jobs["weather/q#fails"]["last_run"] is None


def test_list_shows_what_is_held_back_and_what_runs(command: Command, site: Site) -> None:
    path = str(site.inputs_dir / "weather/q.rd")
    rd = read(path, inputs_dir=str(site.inputs_dir))
    request = RunRequest(run_id="r9", rd=rd, execute=rd.executes[0], due=NOON, counts_from=NOON)
    site.put("broken/q", BROKEN)
    rejection = Rejection(rd_id="broken/q", path=path, digest="", rejected_at=NOON, diagnostics=())
    with site.store() as store:
        assert store.claim([request], now=NOON) == {}
        store.put_rejection(rejection, [HeldBack(key="broken/q#x", title="Held", every=60)])
    _, out, _ = command("list", "--json")
    jobs = {job["key"]: job for job in json.loads(out)}
    assert jobs["weather/q#fetch"]["running_since"] == "2026-03-01T12:00:00Z"
    assert jobs["broken/q#x"]["held_back"] is True
    assert jobs["broken/q#x"]["title"] == "Held"
    _, out, _ = command("list")
    assert "3 jobs, 1 running, 1 broken RD" in out
    assert "running\n" in out
    assert "held back\n" in out


def test_looking_leaves_no_traces(command: Command, site: Site) -> None:
    for arguments in (["list"], ["next"], ["history"], ["show", "weather/q#fetch"], ["mail", "list"]):
        assert command(*arguments)[0] == 0
    assert not site.state_dir.exists()


def test_a_resource_directory_that_is_not_there(command: Command, site: Site) -> None:
    missing = f"{site.inputs_dir}/none"
    reason = "this resource directory cannot be read: No such file or directory; name another with --inputs-dir"
    assert command("list", "--inputs-dir", missing) == (1, "", f"gavo-exec: {missing}: {reason}\n")


# next


def test_next_counts_on_from_an_instant(command: Command) -> None:
    code, out, _ = command("next", "weather/q.rd#fetch", "--from", "2026-03-01T12:00", "--count", "3", "--json")
    found = json.loads(out)
    assert code == 0
    assert [item["due"] for item in found] == [
        "2026-03-01T12:06:00Z",
        "2026-03-01T13:06:00Z",
        "2026-03-01T14:06:00Z",
    ]
    assert {(item["key"], item["title"]) for item in found} == {("weather/q#fetch", "Fetch \x9b31m it")}


@pytest.mark.parametrize("start", ["2026-03-01T12:00Z", "2026-03-01 13:00+01:00", "2026-03-01T12:00:00"])
def test_next_of_all_in_order_of_time(command: Command, start: str) -> None:
    _, out, _ = command("next", "--all", "--from", start)
    assert [line[:19] for line in out.splitlines()[1:]] == ["2026-03-01 12:06:00", "2026-03-02 07:30:00"]


def test_next_knows_the_last_start(command: Command, site: Site) -> None:
    rd = read(str(site.inputs_dir / "weather/q.rd"), inputs_dir=str(site.inputs_dir))
    request = RunRequest(run_id="r", rd=rd, execute=rd.executes[0], due=NOON, counts_from=NOON)
    with site.store() as store:
        store.claim([request], now=NOON)
    _, out, _ = command("next", "weather/q#fetch", "--from", "2026-03-01T12:30", "--json")
    assert json.loads(out)[0]["due"] == "2026-03-01T13:00:00Z"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["next", "weather/q#fech"], "no execute has the key 'weather/q#fech'; did you mean 'weather/q#fetch'?"),
        (["show", "weather/q#fech"], "no execute has the key 'weather/q#fech'; did you mean 'weather/q#fetch'?"),
        (["history", "weather/q#fech"], "no execute has the key 'weather/q#fech'; did you mean 'weather/q#fetch'?"),
        (["execute", "weather/q#fech"], "no execute has the key 'weather/q#fech'; did you mean 'weather/q#fetch'?"),
        (["execute", "../../x#y"], "no execute has the key '../../x#y' (gavo-exec list has all keys)"),
        (["next", "x\x1b[2J#y"], "no execute has the key 'x#y' (gavo-exec list has all keys)"),
        (["next", "fetch"], "'fetch' is no key; keys look like weather/q#fetch (gavo-exec list has them)"),
        (["next", "--all", "a#b"], "give keys or --all, not both (see gavo-exec next --help)"),
        (
            ["next", "--from", "noon"],
            "Invalid value for '--from': 'noon' is no instant; write 2026-01-31T07:30, say (see gavo-exec next --help)",
        ),
        (["show", "r"], "no run, or more than one, has an id that begins with 'r' (gavo-exec history has the ids)"),
        (["mail", "show", "7"], "there is no mail 7 (gavo-exec mail list has them)"),
        (["chekc"], "there is no command 'chekc'; did you mean 'check'? (see gavo-exec --help)"),
        ([], "Missing command. (see gavo-exec --help)"),
        (["serve", "a", "--inputs-dir", "b"], "give DIR or --inputs-dir, not both (see gavo-exec serve --help)"),
        (["serve", "--workers", "many"], "--workers must be a whole number from 1 to 1,000, not 'many'"),
    ],
)
def test_wrong_use_is_told_in_a_line(command: Command, arguments: list[str], message: str) -> None:
    assert command(*arguments) == (2, "", f"gavo-exec: {message}\n")


def test_several_wrong_settings_are_told_in_a_line_each(command: Command) -> None:
    code, _, err = command("serve", "--workers", "0", "--log-format", "xml")
    assert code == 2
    assert [line.startswith("gavo-exec: --") for line in err.splitlines()] == [True, True]


# history and show


def test_history_is_newest_first(command: Command, site: Site) -> None:
    site.record(run("r1"), run("r2", outcome=Outcome.FAILED), run("r3", key="weather/q#fails"))
    code, out, _ = command("history")
    lines = out.splitlines()
    assert code == 0
    assert [line.split()[0] for line in lines] == ["RUN", "r3", "r2", "r1"]
    assert "1 min 30 s  failed     scheduled  exit 3" in lines[2]


def test_history_of_a_key_of_failures_as_json(command: Command, site: Site) -> None:
    site.record(run("r1"), run("r2", outcome=Outcome.TIMED_OUT), run("r3"), run("r4", key="gone/q#x"))
    _, out, _ = command("history", "weather/q.rd#fetch", "--failed", "--json")
    [found] = json.loads(out)
    assert (found["run_id"], found["outcome"], found["duration_seconds"]) == ("r2", "timed_out", 90)
    assert "output" not in found
    assert json.loads(command("history", "gone/q#x", "--json")[1])[0]["run_id"] == "r4"
    assert command("history", "weather/q#fails", "--json") == (0, "[]\n", "")
    assert len(json.loads(command("history", "--limit", "2", "--json")[1])) == 2


def test_show_run_has_everything(command: Command, site: Site) -> None:
    site.record(run("r1", outcome=Outcome.FAILED))
    code, out, _ = command("show", "r")
    assert code == 0
    assert "Outcome:     failed\nReturn code: 3\n" in out
    assert "Took:        1 min 30 s\nHost:        there\n" in out
    assert out.endswith("\nError:\n  exit 3\n  more\n\nOutput:\n  line 1\n  line 2\n")
    found = json.loads(command("show", "r1", "--json")[1])
    assert found["output"] == "line 1\n\x1b[2Jline 2\n"
    assert found["due"] == "2026-03-01T12:00:00Z"


def test_show_execute_has_source_with_lines(command: Command, site: Site) -> None:
    site.record(run("r1"))
    code, out, _ = command("show", "weather/q.rd#fetch")
    assert code == 0
    assert f"File:               {site.inputs_dir}/weather/q.rd:2\n" in out
    assert "Property station:   Hd\n" in out
    assert '\nCode:\n  5 | print("from the job")\n  6 | execDef.spawn(["echo", "from a child"])\n' in out
    assert "\nLast runs:\nRUN  KEY" in out


def test_show_execute_has_its_settings_wherever_they_are_from(
    command: Command, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAVO_EXEC_DEFAULTS", "run.timeout=90;run.retries=2")
    path = site.inputs_dir / "weather" / "q.rd"
    own = '<property name="run.retries">3</property><property name="station">'
    path.write_text(path.read_text().replace('<property name="station">', own))
    out = command("show", "weather/q#fetch")[1]
    lines = [line for line in out.splitlines() if line.startswith(("Setting", "Property"))]
    assert [line.split(":")[0] for line in lines] == ["Setting run.timeout", "Setting run.retries", "Property station"]
    assert [line.split(":")[1].strip() for line in lines] == ["1 min 30 s", "3", "Hd"]
    monkeypatch.setenv("GAVO_EXEC_DEFAULTS", "run.timeout=soon")
    code, out, err = command("show", "weather/q#fetch")
    assert (code, out) == (2, "")
    assert err.startswith("gavo-exec: $GAVO_EXEC_DEFAULTS: run.timeout must be a duration")


def test_show_execute_as_json(command: Command, site: Site) -> None:
    site.record(run("r1"))
    found = json.loads(command("show", "weather/q#fetch", "--json")[1])
    assert (found["key"], found["rd_id"], found["id"], found["every"], found["at"]) == (
        "weather/q#fetch",
        "weather/q",
        "fetch",
        3600,
        [],
    )
    assert found["properties"] == {"station": "Hd"}
    assert found["path"] == f"{site.inputs_dir}/weather/q.rd"
    assert found["line"] == 2
    assert [item["run_id"] for item in found["runs"]] == ["r1"]
    fails = json.loads(command("show", "weather/q#fails", "--json")[1])
    assert (fails["at"], fails["every"]) == (["7:30"], None)


def test_an_execute_of_a_broken_rd_is_told_by_its_fault(command: Command, site: Site) -> None:
    path = site.put("broken/q", BROKEN)
    for name in ("show", "execute"):
        assert command(name, "broken/q#x") == (
            1,
            "",
            f"gavo-exec: {path}:2:12: E202 the execute has no attribute titel (and 1 more: gavo-exec check {path})\n",
        )


def test_commands_that_need_a_resource_directory_say_so(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GAVO_EXEC_INPUTS_DIR")
    for arguments in (["list"], ["next"], ["show", "weather/q#fetch"], ["execute", "weather/q#fetch"]):
        code, out, err = command(*arguments)
        assert (code, out) == (2, "")
        assert err.startswith("gavo-exec: inputs_dir is not set: give --inputs-dir DIR")
    assert command("history")[0] == 0


# execute


def test_execute_shows_the_output_and_records_the_run(command: Command, site: Site) -> None:
    code, out, err = command("execute", "weather/q.rd#fetch")
    assert (code, out) == (0, "from the job\nfrom a child\n")
    assert err.startswith("gavo-exec: weather/q#fetch succeeded after ")
    [found] = json.loads(command("history", "--json")[1])
    assert (found["outcome"], found["reason"]) == ("succeeded", "triggered")
    assert f"(run {found['run_id']})" in err
    assert found["run_id"] in command("show", found["run_id"])[1]
    assert site.state_dir.exists()


def test_execute_of_what_fails_fails(command: Command) -> None:
    code, out, err = command("execute", "weather/q#fails")
    assert (code, out) == (1, "")
    assert err.startswith("ValueError: bad luck\n")
    assert "\ngavo-exec: weather/q#fails failed after " in err


def test_ctrl_c_cancels_the_run(command: Command, site: Site) -> None:
    code = "<execute title='Slow' id='s' every='60'><job><code>raise KeyboardInterrupt</code></job></execute>"
    site.put("slow/q", f"<resource schema='slow'>{code}</resource>")
    exit_code, out, err = command("execute", "slow/q#s")
    assert (exit_code, out) == (130, "")
    assert err.startswith("gavo-exec: slow/q#s cancelled after ")
    assert err.count("\n") == 1


def test_execute_goes_on_where_nobody_reads(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pipe = Pipe(BrokenPipeError())
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", io.TextIOWrapper(io.BufferedWriter(pipe), write_through=True))
        assert main(["execute", "weather/q#fetch"]) == 141
        pipe.fault = None  # for what is left in the buffers
    assert "weather/q#fetch succeeded" in capsys.readouterr().err
    with site.store() as store:
        assert store.last_runs()["weather/q#fetch"].outcome is Outcome.SUCCEEDED


class Pipe(io.RawIOBase):
    """A pipe that nobody reads, or whatever else fails."""

    def __init__(self, fault: OSError) -> None:
        self.fault: OSError | None = fault

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        if self.fault is not None:
            raise self.fault
        return len(data)


class Interrupted(io.StringIO):
    """A stream during whose writing Ctrl-C is pressed."""

    def write(self, _text: str) -> int:
        raise KeyboardInterrupt


class Unread(io.StringIO):
    """A stream that nobody reads."""

    def write(self, _text: str) -> int:
        raise BrokenPipeError


@pytest.mark.parametrize(("stream", "code"), [(Interrupted, 130), (Unread, 141)])
def test_signals_end_commands_quietly(
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    stream: type[io.StringIO],
    code: int,
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", stream())
        assert main(["list"]) == code
    assert capsys.readouterr().err.strip() == ""


def test_a_full_disk_is_told_in_a_line(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    disk = Pipe(OSError(errno.ENOSPC, "No space left on device"))
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", io.TextIOWrapper(io.BufferedWriter(disk), write_through=True))
        assert main(["history"]) == 1
        disk.fault = None  # for what is left in the buffers
    assert capsys.readouterr().err == "gavo-exec: No space left on device\n"


# mail


def put_mail(site: Site) -> None:
    message = EmailMessage()
    message["Subject"] = "[host] FAILED weather/q#fetch: Größe"
    message["From"] = "gavo-exec@host"
    message["To"] = "ops@example.org"
    message.set_content("It was\x1b[2J too bad.\nSchöne Grüße\n")
    with site.store() as store:
        store.put_mail(message, now=NOON)
        store.flush()
        store.mail_failed(1, error="421 later", retry_at=NOON + timedelta(minutes=5), now=NOON)


def test_mail_list_says_what_became_of_mails(command: Command, site: Site) -> None:
    put_mail(site)
    code, out, _ = command("mail", "list")
    assert code == 0
    assert out.splitlines()[1] == (
        "1   mail     2026-03-01 12:00:00  retrying  1      2026-03-01 12:05:00  "
        "[host] FAILED weather/q#fetch: Größe  421 later"
    )
    [found] = json.loads(command("mail", "list", "--json")[1])
    assert (found["mail_id"], found["attempts"], found["next_attempt_at"]) == (1, 1, "2026-03-01T12:05:00Z")
    assert "content" not in found


def test_mail_show_has_headers_and_text(command: Command, site: Site) -> None:
    put_mail(site)
    code, out, _ = command("mail", "show", "1")
    assert code == 0
    assert "Subject: [host] FAILED weather/q#fetch: Größe\n" in out
    assert out.endswith("\n\nIt was too bad.\nSchöne Grüße\n")
    content = json.loads(command("mail", "show", "1", "--json")[1])["content"]
    assert "To: ops@example.org\n" in content


def test_a_mail_of_another_kind_is_shown_without_text(command: Command, site: Site) -> None:
    put_mail(site)
    with site.store() as store:
        mail = store.mail(1)
    assert mail is not None
    from gavo_exec.cli.mail import parts_of

    headers, text = parts_of(msgspec.structs.replace(mail, content=b"Content-Type: image/png\n\n\x89PNG").content)
    assert (headers, text) == ([], "")


# the rest


@pytest.mark.parametrize(("options", "file"), [((), "rng"), (("--format", "rng"), "rng"), (("--format", "rnc"), "rnc")])
def test_schema_is_the_one_in_the_project(command: Command, options: tuple[str, ...], file: str) -> None:
    code, out, _ = command("schema", *options)
    assert code == 0
    assert out == (Path(__file__).parents[3] / f"schemas/gavo-exec.{file}").read_text(encoding="utf-8")


def test_schema_knows_two_syntaxes(command: Command) -> None:
    code, out, err = command("schema", "--format", "xsd")
    assert (code, out) == (2, "")
    assert "'rng', 'rnc'" in err


def test_serve_refuses_a_directory_that_is_not_there(command: Command, site: Site) -> None:
    code, _, err = command("serve", str(site.inputs_dir / "none"))
    assert code == 1
    assert err.startswith(f"gavo-exec: {site.inputs_dir}/none: ")
    assert err.count("\n") == 1


def test_an_unusable_state_file_is_told_in_a_line(command: Command, site: Site) -> None:
    site.state_dir.mkdir()
    (site.state_dir / "state.sqlite").write_text("no database, but long enough to look like one" * 100)
    code, out, err = command("history")
    assert (code, out) == (1, "")
    assert err.startswith("gavo-exec: The state file ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("arguments", [["--version"], ["--version", "list"]])
def test_the_version_is_told(command: Command, arguments: list[str]) -> None:
    from gavo_exec import __version__

    assert command(*arguments) == (0, f"gavo-exec {__version__}\n", "")


def test_the_root_of_a_dachs_site_stands_for_its_rds(command: Command, site: Site, tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "gavo.rc").write_text("[web]\nsitename=VO\n")
    (tmp_path / "etc" / "userconfig.rd").write_text("<resource schema='x'/>")
    site.put("weather/q", WEATHER.replace(">Hd<", ">\\getConfig{web}{siteName}<"))
    for path in (".", "inputs", "inputs/weather/q.rd"):
        assert command("check", path)[:2] == (0, "1 RD, 2 executes: 0 errors, 0 warnings\n")
    assert "Property station:   VO\n" in command("show", "weather/q#fetch")[1]
    code, said, _ = command("check", "--dachs-config", "none")
    assert code == 1
    assert "no gavo.rc was found" in said


def test_a_configuration_that_cannot_be_used_is_wrong_use(command: Command, site: Site, tmp_path: Path) -> None:
    (tmp_path / "gavo.rc").write_text("sitename=VO\n")
    for arguments in (("list",), ("check",), ("check", ".")):
        code, out, err = command(*arguments)
        assert (code, out) == (2, "")
        assert err.startswith(f"gavo-exec: {tmp_path}/gavo.rc:1: this stands before the first [section]; mend it, or")


def test_only_rds_that_are_named_are_listed(command: Command, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.put("other/q", WEATHER)
    monkeypatch.setenv("GAVO_EXEC_PRELOAD_RDS", "other/q")
    assert [job["key"] for job in json.loads(command("list", "--json")[1])] == ["other/q#fetch", "other/q#fails"]
