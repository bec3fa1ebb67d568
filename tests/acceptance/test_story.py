"""The whole story of an operator, with the real command: from an empty folder over years, in a minute."""

import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gavo_exec.descriptor import read
from tests.acceptance.conftest import PATIENCE_SECONDS, Site
from tests.acceptance.mail_servers import MoodyServer

RD = (
    '<resource schema="w" resdir="."><execute id="fetch" title="Fetch" every="86400"><job><code>\n'
    'print("fetching", execDef.getProperty("night", "today"))\n'
    "</code></job></execute></resource>\n"
)


@pytest.fixture
def here(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A site of which nothing is known but what the settings file in the present folder says."""
    monkeypatch.chdir(site.folder)
    site.env = {name: text for name, text in site.env.items() if not name.startswith("GAVO_EXEC_")}
    site.env["GAVO_EXEC_HOST"] = "vo"
    site.inputs.rmdir()
    return site


def test_the_whole_story(here: Site) -> None:
    # init, doctor
    shown = here.run("init", "--mail-to", "ops@example.org", "--state-dir", "state", "--yes")
    assert shown.startswith("wrote gavo-exec.toml\nwrote inputs/hello/q.rd\nwrote inputs/hello/bin/greet.py\n")
    assert here.run("check").startswith("1 RD, 1 execute: 0 errors")
    shown = here.run("doctor")
    assert "0 bad" in shown
    assert "1 RD in " in shown
    # serve
    daemon = here.serve()
    daemon.wait_for("hello/q#greet succeeded")
    assert re.search(r"^good  daemon: process \d+, up ", here.run("doctor"), re.MULTILINE)
    # drop, list
    here.save("w/q.rd", RD)
    daemon.wait_for("w/q accepted: 1 job")
    assert [job["key"] for job in here.json("list", "--sort", "key")] == ["hello/q#greet", "w/q#fetch"]
    # trigger, tail
    assert here.run("trigger", "w/q#fetch", "--wait", "--set", "night=2026-11-24") == "fetching 2026-11-24\n"
    run_id = here.json("history", "w/q#fetch")[0]["run_id"]
    assert here.run("tail", run_id) == "fetching 2026-11-24\n"
    # pause
    here.run("pause", "w/q#fetch", "--note", "the disk moves")
    assert "1 paused" in here.run("list")
    here.run("resume", "w/q#fetch")
    # break, mend
    here.save("w/q.rd", RD.replace("every=", "evry="))
    daemon.wait_for("w/q REJECTED for .*, its last good version runs on: w/q#fetch")
    shown = here.run("list", "w/q")
    assert "held back" in shown
    assert "w/q.rd:1:" in shown
    assert "bad   RDs: " in here.run("doctor", code=1)
    assert here.run("trigger", "w/q#fetch", "--wait") == "fetching today\n"
    here.save("w/q.rd", RD.replace("fetching", "getting"))
    daemon.wait_for("w/q is good again: 1 job")
    assert here.run("trigger", "w/q#fetch", "--wait") == "getting today\n"
    # history: with the code as it was, and who did what
    outcomes = [run["outcome"] for run in here.json("history", "w/q#fetch", "--since", "1h")]
    assert outcomes == ["succeeded"] * 3
    shown = here.run("show", run_id)
    assert 'print("fetching", execDef.getProperty("night", "today"))' in shown
    assert "2 | " in shown
    deeds = [(deed["what"], deed["about"]) for deed in reversed(here.json("audit", "w/q#fetch"))]
    assert deeds == [
        ("added", "w/q"),
        ("triggered", "w/q#fetch"),
        ("paused", "w/q#fetch"),
        ("resumed", "w/q#fetch"),
        ("triggered", "w/q#fetch"),
        ("edited", "w/q"),
        ("triggered", "w/q#fetch"),
    ]
    assert here.run("export", "w/q#fetch").count("\n") == 3
    # stop
    assert "has ended" in here.run("stop")
    assert daemon.process.wait(PATIENCE_SECONDS) == 0
    assert here.run("status", code=3)
    assert "no daemon runs" in here.run("list")


def test_what_is_asked_on_a_terminal_is_written(here: Site) -> None:
    end, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "gavo_exec", "init"], env=here.env, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    os.write(end, b"rds\nops@example.org\nmail.example.org\n")
    shown = b""
    while b"gavo-exec serve" not in shown:
        shown += os.read(end, 4096)
    assert process.wait(PATIENCE_SECONDS) == 0
    os.close(end)
    text = Path("gavo-exec.toml").read_text()
    assert 'inputs_dir = "rds"\n' in text
    assert 'mail_to = ["ops@example.org"]\n' in text
    assert 'smtp_host = "mail.example.org"\n' in text
    assert len(read("rds/hello/q.rd", inputs_dir="rds").executes) == 1


def test_nothing_that_is_there_is_written_over(here: Site) -> None:
    Path("gavo-exec.toml").write_text("# mine\n")
    assert "gavo-exec.toml is there already; --force writes over it" in here.run("init", "--yes", code=1)
    assert Path("gavo-exec.toml").read_text() == "# mine\n"
    assert not Path("inputs").exists()
    here.run("init", "--yes", "--force")
    assert Path("gavo-exec.toml").read_text() != "# mine\n"


def test_a_directory_with_rds_gets_none(here: Site) -> None:
    here.save("w/q.rd", RD)
    assert here.run("init", "inputs", "--yes", "--settings", "conf/mine.toml").startswith(
        "wrote conf/mine.toml\n\nNow:"
    )
    assert 'inputs_dir = "../inputs"' in Path("conf/mine.toml").read_text()
    assert here.run("check", "--settings", "conf/mine.toml").startswith("1 RD, 1 execute: 0 errors")


def test_a_mail_server_needs_somebody_to_write_to(here: Site) -> None:
    assert "--smtp-host needs --mail-to" in here.run("init", "--smtp-host", "mail", "--yes", code=2)


# The doctor


def verdicts(site: Site, *arguments: str, code: int = 0) -> dict[str, list[str]]:
    """What is found, by subject: the verdict and the message."""
    found: dict[str, list[str]] = {}
    for finding in site.json("doctor", *arguments, code=code) if code == 0 else failed(site, *arguments):
        found.setdefault(finding["subject"], []).append(f"{finding['verdict']} {finding['message']}")
        # What is to be done is said, be it in the message itself.
        assert finding["verdict"] == "good" or finding["advice"] or ";" in finding["message"], finding
    return found


def failed(site: Site, *arguments: str) -> list[dict[str, str]]:
    import msgspec

    shown = site.run("doctor", *arguments, "--json", code=1)
    return msgspec.json.decode(shown, type=list[dict[str, str]])


def test_the_doctor_finds_nothing_bad_where_nothing_is(site: Site) -> None:
    site.save("w/q.rd", RD)
    found = verdicts(site)
    assert found["RDs"] == [f"good 1 RD in {site.inputs}, 1 job"]
    assert found["daemon"] == [f"note none runs on {site.state}"]
    assert not site.state.exists()


def test_the_doctor_finds_what_is_bad_about_state_and_mail(site: Site) -> None:
    site.save("w/q.rd", "<resource>")
    site.state.mkdir(mode=0o755)
    site.state.chmod(0o755)
    site.env["GAVO_EXEC_SENDMAIL"] = "/nowhere/sendmail -t"
    found = verdicts(site, "--mail-to", "nobody at all", code=1)
    [public, _] = found["state directory"]
    assert public == f"bad {site.state} is open to others (0755); mails and output may be confidential"
    assert found["mail"] == [
        "bad 'nobody at all' is no mail address",
        "bad /nowhere/sendmail: there is no such program",
    ]
    assert found["RDs"][1].startswith(f"bad {site.inputs}/w/q.rd:1:")


def test_the_doctor_goes_to_the_mail_server_and_sends_nothing(site: Site) -> None:
    site.save("w/q.rd", RD)
    server = MoodyServer()
    server.be("up")
    arguments = ("--smtp-host", "127.0.0.1", "--smtp-port", str(server.port), "--mail-to", "ops@example.org")
    [found] = verdicts(site, *arguments)["mail"]
    assert found == f"good 127.0.0.1:{server.port} answers (not encrypted)"
    server.close()
    assert server.mails == []
    [found] = verdicts(site, *arguments, code=1)["mail"]
    assert found.startswith("bad ")
    assert "connection refused; look whether it runs, and at smtp_port" in found


def test_the_doctor_knows_a_damaged_state_and_leaves_it_alone(site: Site) -> None:
    site.state.mkdir(mode=0o700)
    state = site.state / "state.sqlite"
    state.write_text("This is no database at all.\n" * 1000)
    found = verdicts(site, code=1)
    assert found["state file"][0].startswith(f"bad The state file {state} is damaged")
    assert state.read_text().startswith("This is no database")


def test_the_doctor_knows_few_descriptors_for_few(site: Site) -> None:
    done = subprocess.run(
        ["bash", "-c", f"ulimit -n 200; exec {sys.executable} -m gavo_exec doctor"],
        env=site.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "bad   limits: a process may have 200 files open; 1024 are advisable" in done.stdout
    assert "      -> LimitNOFILE= in the unit, or ulimit -n" in done.stdout


# Completion


def test_bash_completes_commands_options_and_keys(site: Site) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash here")
    site.save("w/q.rd", RD)
    site.serve().end()
    site.program("gavo-exec", f'exec {sys.executable} -m gavo_exec "$@"')

    def completed(*words: str) -> list[str]:
        script = (
            f"{site.run('completion', 'bash')}\n"
            f"COMP_WORDS=({' '.join(words)}) COMP_CWORD={len(words) - 1}\n"
            "_gavo_exec_completion gavo-exec\n"
            'printf "%s\\n" "${COMPREPLY[@]}"\n'
        )
        done = subprocess.run([bash, "-c", script], env=site.env, capture_output=True, text=True, check=True)
        return done.stdout.split()

    assert completed("gavo-exec", "tri") == ["trigger"]
    assert completed("gavo-exec", "trigger", "--wa") == ["--wait"]
    assert completed("gavo-exec", "trigger", "w/q") == ["w/q#fetch"]
    assert completed("gavo-exec", "trigger", "x") == []


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_there_is_a_script_for_other_shells(site: Site, shell: str) -> None:
    shown = site.run("completion", shell)
    assert f"_GAVO_EXEC_COMPLETE={shell}_complete" in shown
    if found := shutil.which(shell):
        assert subprocess.run([found, "-n"], input=shown, text=True, check=False).returncode == 0
