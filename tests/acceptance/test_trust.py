"""Trust, with the real daemon: who may write RDs, whom it runs as, and where its secrets do not go."""

import os
import pwd
import sys
from pathlib import Path

import lxml
import pytest

from tests.acceptance.conftest import DaemonProcess, Site
from tests.acceptance.mail_servers import MoodyServer

NOBODY = pwd.getpwnam("nobody")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can do that")
ROOT = Path(__file__).parent.parent.parent
SECRET = "correct-horse-battery"


def rd(code: str = "print('done')", *, every: int = 86_400) -> str:
    return (
        f'<resource schema="a" resdir="."><execute id="x" title="X" every="{every}"><job><code>\n{code}\n'
        "</code></job></execute></resource>\n"
    )


@as_root
def test_as_root_an_rd_that_others_may_write_is_refused_until_they_may_not(site: Site) -> None:
    path = site.save("a/q.rd", rd())
    daemon = site.serve("--rescan-seconds", "0.3")
    assert [job["key"] for job in site.json("list")] == ["a/q#x"]
    path.chmod(0o666)
    with path.open("a") as file:
        file.write("<!-- an edit by anybody -->\n")
    daemon.wait_for("a/q REJECTED for 1 error, its last good version runs on: a/q#x")
    daemon.wait_for(r"q.rd:1:1: E110 others could write what runs as root: anybody may write it \(chmod go-w ")
    assert "E110" in site.run("check", code=1)
    assert "W101" in site.run("check", "--trust", "warn")
    assert "W101" not in site.run("check", "--trust", "off")
    path.chmod(0o644)
    path.write_text(rd())
    daemon.wait_for("a/q is good again")


@as_root
def test_started_by_root_the_daemon_becomes_its_user_with_all_its_jobs(site: Site) -> None:
    code = "import os\nprint(os.getresuid(), os.environ['USER'])\nexecDef.spawn(['id', '-un'])"
    site.save("a/q.rd", rd(code))
    for folder in (site.folder, *site.folder.parents):  # pytest's folders are its user's alone
        if folder.owner() == "root" and folder != Path("/tmp") and str(folder).startswith("/tmp/"):
            folder.chmod(0o755)
    python = python_for_others()
    if python is None:
        pytest.skip("the user has no Python that could run this")
    secret = site.folder / "password"
    secret.write_text(f"{SECRET}\n")
    secret.chmod(0o600)  # which the user cannot read
    mail = ("--smtp-host", "127.0.0.1", "--smtp-port", "9", "--smtp-user", "x", "--mail-to", "ops@example.org")
    packages = os.pathsep.join(
        dict.fromkeys(path for path in (str(ROOT), *sys.path) if "site-packages" in path or path == str(ROOT))
    )
    site.env |= {"PYTHONPATH": packages, "PYTHONWARNINGS": "default"}
    argv = [python, "-m", "gavo_exec", "serve", "--user", "nobody", "--smtp-password-file", str(secret), *mail]
    daemon = DaemonProcess(argv, site.env)
    site.daemons.append(daemon)
    daemon.wait_for("ready")
    assert site.state.owner() == "nobody"
    assert {path.owner() for path in site.state.iterdir()} == {"nobody"}
    status = Path(f"/proc/{daemon.process.pid}/status").read_text()
    assert f"Uid:\t{NOBODY.pw_uid}\t{NOBODY.pw_uid}\t{NOBODY.pw_uid}\t{NOBODY.pw_uid}" in status
    shown = site.run("trigger", "a/q#x", "--wait")
    assert shown == f"({NOBODY.pw_uid}, {NOBODY.pw_uid}, {NOBODY.pw_uid}) nobody\nnobody\n"
    assert daemon.end() == 0


def python_for_others() -> str | None:
    """A Python like this one that any user can run, with what is installed for this one."""
    for python in (os.path.realpath(sys.executable), f"/usr/bin/python3.{sys.version_info.minor}"):
        folders = [Path(python), Path(lxml.__file__), ROOT]
        if all(each.stat().st_mode & 0o001 for folder in folders for each in folder.parents) and Path(python).exists():
            return python
    return None


@as_root
def test_who_is_not_there_cannot_be_become(site: Site) -> None:
    assert "there is no user nemo; make one (useradd --system), or mend the setting user" in site.run(
        "serve", "--user", "nemo", code=1
    )


def test_a_state_directory_that_is_open_to_others_is_closed(site: Site) -> None:
    site.state.mkdir()
    site.state.chmod(0o755)
    daemon = site.serve()
    daemon.wait_for("was open to others, and is not any more")
    assert site.state.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o077 for path in site.state.iterdir()} == {0}


def test_paths_leave_the_resource_directory_only_where_that_is_allowed(site: Site) -> None:
    site.save("a/q.rd", rd("print(rd.getAbsPath('/etc/hostname'))"))
    site.serve()
    site.run("trigger", "a/q#x")
    [run] = site.eventually(lambda: site.json("history", "--failed"))
    assert f"/etc/hostname leads out of the resource directory {site.inputs}/a" in run["error"]
    assert "set outside_resdir = allow" in run["error"]
    site.run("stop")
    site.serve("--outside-resdir", "allow")
    assert site.run("trigger", "a/q#x", "--wait") == "/etc/hostname\n"


@pytest.mark.parametrize(
    ("reference", "more"),
    [
        ('{file = "password"}', {}),
        ('{env = "THE_PASSWORD"}', {"THE_PASSWORD": SECRET}),
        ('{credential = "smtp"}', {"CREDENTIALS_DIRECTORY": "credentials"}),
    ],
)
def test_secrets_are_where_they_are_needed_and_nowhere_else(
    site: Site, reference: str, more: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(site.folder)
    (site.folder / "password").write_text(f"{SECRET}\n")
    (site.folder / "credentials").mkdir()
    (site.folder / "credentials" / "smtp").write_text(f"{SECRET}\n")
    server = MoodyServer()
    server.be("up")
    settings = site.folder / "gavo-exec.toml"
    settings.write_text(
        f'mail_to = ["ops@example.org"]\nsmtp_host = "127.0.0.1"\nsmtp_port = {server.port}\nsmtp_user = "gavo"\n'
        f'smtp_security = "none"\nsmtp_password = {reference}\n'
    )
    site.env |= {**more, "GAVO_EXEC_WEBHOOK_SECRET": f"{SECRET}-too", "GAVO_EXEC_WEBHOOK_URL": "http://127.0.0.1:9/"}
    code = (
        "import os\n"
        "print([name for name, value in os.environ.items() if name.startswith('GAVO') and 'horse' in value])\n"
        "execDef.spawn(['sh', '-c', 'env | grep GAVO_EXEC_WEBHOOK_SECRET; true'])\n"
        "execDef.spawn(['false'])"
    )
    site.save("a/q.rd", rd(code))
    daemon = site.serve()
    shown = site.run("trigger", "a/q#x", "--wait", code=1)
    assert shown.startswith("[]\n")
    assert SECRET not in shown
    daemon.wait_for("mail 1 .*was not taken|was taken")
    arguments = Path(f"/proc/{daemon.process.pid}/cmdline").read_text()
    assert SECRET not in arguments + daemon.said
    assert daemon.end() == 0
    server.close()
    for path in site.state.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path


def test_a_run_by_hand_does_not_hand_secrets_on_either(site: Site) -> None:
    site.env |= {"GAVO_EXEC_WEBHOOK_SECRET": SECRET, "GAVO_EXEC_WEBHOOK_URL": "http://127.0.0.1:9/"}
    site.save("a/q.rd", rd("execDef.spawn(['sh', '-c', 'env | grep -c GAVO_EXEC_WEBHOOK_SECRET; true'])"))
    assert site.run("execute", "a/q#x") == "0\n"


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ('{file = "gone"}', "smtp_password cannot be read from {folder}/gone: No such file or directory"),
        ('{env = "GONE"}', "smtp_password is the variable GONE, which is not set"),
        ('{credential = "gone"}', "smtp_password is the credential 'gone', but no service manager has given any"),
        (
            '{fiel = "x"}',
            "smtp_password must be a text, or one of {{file = ...}}, {{env = ...}} and {{credential = ...}}",
        ),
    ],
)
def test_a_secret_that_is_not_there_is_said_by_its_place_alone(site: Site, reference: str, message: str) -> None:
    settings = site.folder / "settings.toml"
    settings.write_text(
        f'mail_to = ["ops@example.org"]\nsmtp_host = "mail"\nsmtp_user = "gavo"\nsmtp_password = {reference}\n'
    )
    shown = site.run("list", "--settings", str(settings), code=2)
    assert message.format(folder=site.folder) in shown
    assert f"{settings}:4" in shown


def test_no_flag_takes_a_secret(site: Site) -> None:
    for command in ("serve", "doctor", "mail test"):
        assert "--smtp-password " not in site.run(*command.split(), "--help")
