import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path

import jsonschema
import msgspec
import pytest

from gavo_exec.errors import SettingsError
from gavo_exec.settings import SETTINGS, Settings, default_state_dir, find_file, load, reference, schema

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def load_in(
    folder: Path,
    file: str | bytes = "",
    *,
    flags: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    required: tuple[str, ...] = (),
) -> Settings:
    """Load from a settings file with this content, conf/gavo.toml, the environment and flags."""
    path = folder / "conf" / "gavo.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(file if isinstance(file, bytes) else file.encode())
    home = {"HOME": str(folder / "home"), "GAVOSETTINGS": str(folder / "no-gavo.rc")}
    return load(flags=flags or {}, environ=home | dict(environ or {}), path=str(path), required=required)


def faults_of(
    folder: Path,
    file: str | bytes = "",
    *,
    flags: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    required: tuple[str, ...] = (),
) -> list[str]:
    """What is wrong, a fault a line, with FILE for the settings file's path."""
    with pytest.raises(SettingsError) as caught:
        load_in(folder, file, flags=flags, environ=environ, required=required)
    return str(caught.value).replace(str(folder / "conf" / "gavo.toml"), "FILE").splitlines()


def test_flags_win_over_the_environment_which_wins_over_the_file(here: Path) -> None:
    file = "workers = 1\nrescan_seconds = 1\nlog_format = 'json'\n"
    environ = {"GAVO_EXEC_WORKERS": "2", "GAVO_EXEC_RESCAN_SECONDS": "2"}
    settings = load_in(here, file, environ=environ, flags={"workers": 3, "log_format": None})
    assert (settings.workers, settings.rescan_seconds, settings.log_format) == (3, 2.0, "json")


def test_what_is_empty_is_not_given(here: Path) -> None:
    settings = load_in(
        here, "workers = 5\nhost = ''\n", environ={"GAVO_EXEC_WORKERS": ""}, flags={"mail_to": (), "host": ""}
    )
    assert (settings.workers, settings.mail_to, settings.host) == (5, (), socket.gethostname())


def test_paths_count_from_where_they_are_written(here: Path) -> None:
    settings = load_in(
        here,
        "inputs_dir = '../inputs'\nsmtp_password_file = '~/pw'\nsmtp_user = 'u'\nsmtp_host = 'h'\nmail_to = ['a@b']\n",
        flags={"state_dir": "state/"},
    )
    assert settings.inputs_dir == str(here / "inputs")
    assert settings.smtp_password_file == str(here / "home" / "pw")
    assert settings.state_dir == str(here / "state")
    assert load_in(here, environ={"GAVO_EXEC_INPUTS_DIR": "."}).inputs_dir == str(here)


def test_what_follows_from_other_settings_is_filled_in(here: Path) -> None:
    settings = load_in(here, flags={"state_dir": "s", "inputs_dir": "i", "host": "vo.example.org"})
    assert settings == Settings(
        inputs_dir=str(here / "i"),
        state_dir=str(here / "s"),
        workers=32,
        stop_grace_seconds=30.0,
        output_limit_bytes=1_048_576,
        rescan_seconds=10.0,
        log_format="plain",
        smtp_port=25,
        maildir=str(here / "s" / "Maildir"),
        host="vo.example.org",
        trust="strict" if os.geteuid() == 0 else "warn",
    )
    assert settings.state_file == str(here / "s" / "state.sqlite")


@pytest.mark.parametrize("name", ["a/q", "a/q.rd", "./a/q", "a/x/../q.rd", "IN/a/q.rd", "IN/a/q"])
def test_rds_can_be_named_in_several_ways(here: Path, name: str) -> None:
    flags = {"inputs_dir": "in", "preload_rds": f"{name.replace('IN', str(here / 'in'))},//procs"}
    assert load_in(here, flags=flags).preload_rds == ("a/q", "__system__/procs")


@pytest.mark.parametrize(
    ("more", "security", "port"),
    [
        ("", "none", 25),
        ("smtp_user = 'u'\nsmtp_password = 'p'", "starttls", 587),
        ("smtp_user = 'u'\nsmtp_password = 'p'\nsmtp_security = 'none'", "none", 25),
        ("smtp_security = 'tls'", "tls", 465),
        ("smtp_security = 'tls'\nsmtp_port = 2465", "tls", 2465),
    ],
)
def test_the_mail_servers_port_follows_its_security(here: Path, more: str, security: str, port: int) -> None:
    settings = load_in(here, f"smtp_host = 'mail'\nmail_to = ['a@b']\n{more}\n")
    assert (settings.transport, settings.smtp_security, settings.smtp_port) == ("smtp", security, port)


@pytest.mark.parametrize(
    ("file", "environ", "transport"),
    [
        ("", {}, "maildir"),
        ("sendmail = '/usr/sbin/sendmail -t -i'", {}, "sendmail"),
        ("smtp_host = 'h'\nmail_to = ['a@b']", {}, "smtp"),
        ("smtp_host = 'h'\nsmtp_port = 26\nmail_to = ['a@b']", {"GAVO_EXEC_MAILDIR": "/m"}, "maildir"),
        ("smtp_host = 'h'\nmail_to = ['a@b']", {"GAVO_EXEC_SENDMAIL": "sm"}, "sendmail"),
        ("sendmail = 'sm'\nmail_to = ['a@b']", {"GAVO_EXEC_SMTP_HOST": "h"}, "smtp"),
        ("smtp_host = 'h'\nsmtp_port = 26\nmail_to = ['a@b']", {"GAVO_EXEC_SMTP_HOST": "i"}, "smtp"),
    ],
)
def test_the_strongest_place_says_how_mails_leave(
    here: Path, file: str, environ: dict[str, str], transport: str
) -> None:
    assert load_in(here, file, environ=environ).transport == transport


def test_the_sendmail_command_is_split_as_a_shell_would(here: Path) -> None:
    assert load_in(here, "sendmail = \"/usr/sbin/sendmail -t '-F the daemon'\"").sendmail_argv == (
        "/usr/sbin/sendmail",
        "-t",
        "-F the daemon",
    )


@pytest.mark.parametrize("given", ["a@b,c@d", "a@b, ,c@d,", ("a@b", "c@d"), ("a@b,c@d",), ["a@b", "c@d"]])
def test_addresses_can_be_separated_by_commas_where_there_are_only_texts(here: Path, given: object) -> None:
    assert load_in(here, flags={"mail_to": given}).mail_to == ("a@b", "c@d")
    if isinstance(given, str):
        assert load_in(here, environ={"GAVO_EXEC_MAIL_TO": given}).mail_to == ("a@b", "c@d")


DEFAULTS = {"run.timeout": "90", "when.missed": "skip", "run.env.OMP_NUM_THREADS": "2", "run.retryDelay": "0.5"}


@pytest.mark.parametrize(
    "file",
    [
        """[defaults]
"run.timeout" = 90
"when.missed" = "skip"
"run.env.OMP_NUM_THREADS" = 2
"run.retryDelay" = 0.5
""",
        """[defaults]
run.timeout = "90"
when.missed = "skip"
run.env.OMP_NUM_THREADS = "2"
run.retryDelay = " 0.5 "
run.retries = ""
""",
        """[defaults.run]
timeout = 90
retryDelay = 0.5
[defaults.run.env]
OMP_NUM_THREADS = 2
[defaults.when]
missed = "skip"
""",
        'defaults = {"run.timeout" = 90, when = {missed = "skip"}, run = {env.OMP_NUM_THREADS = 2, retryDelay = 0.5}}',
    ],
)
def test_defaults_have_names_with_dots_or_tables(here: Path, file: str) -> None:
    assert load_in(here, file).defaults == DEFAULTS


def test_defaults_can_be_said_where_there_are_only_texts(here: Path) -> None:
    text = "run.timeout=90; when.missed = skip;run.env.OMP_NUM_THREADS=2; ;run.retryDelay=0.5;"
    assert load_in(here, environ={"GAVO_EXEC_DEFAULTS": text}).defaults == DEFAULTS
    assert load_in(here, flags={"defaults": tuple(text.split(";"))}).defaults == DEFAULTS
    assert load_in(here, environ={"GAVO_EXEC_DEFAULTS": "run.env.X=a=b"}).defaults == {"run.env.X": "a=b"}


def test_the_strongest_place_says_all_defaults(here: Path) -> None:
    file = "[defaults]\n'run.timeout' = '1h'\n"
    assert load_in(here, file, environ={"GAVO_EXEC_DEFAULTS": "run.retries=3"}).defaults == {"run.retries": "3"}
    assert load_in(here, file, environ={"GAVO_EXEC_DEFAULTS": ""}).defaults == {"run.timeout": "1h"}
    assert load_in(here).defaults == {}
    assert load_in(here, "[defaults]\n").defaults == {}


A_URL = "an address that begins with https:// or http://"
ADDRESSES = "write jo@example.org, or Jo Doe <jo@example.org>"
NAMES = "a variable's name has ASCII letters, digits and underscores, and no digit first"


def test_all_faults_of_defaults_are_told_with_their_lines(here: Path) -> None:
    file = """workers = 0
timeout = 1

[defaults]
run.overlap = "queu"
run.retries = true
"when.gracee" = "1h"
run.where = "north"
mail.to = "nobody"
[defaults.run.env]
1X = 2
OMP = 1979-05-27
[defaults.run.isolate]
"""
    assert faults_of(here, file) == [
        "FILE:1: workers must be a whole number from 1 to 1,000, not 0",
        "FILE:2: timeout: there is no setting timeout",
        "FILE:5: defaults: run.overlap must be skip, queue, replace or allow, not 'queu' (did you mean queue?)",
        "FILE:6: defaults: run.retries = True is no property with a value, as in run.timeout=1h",
        "FILE:8: defaults: run.where has no effect: this version has no such setting",
        f"FILE:11: defaults: not a name for a variable of the environment: '1X' ({NAMES})",
        "FILE:12: defaults: run.env.OMP = datetime.date(1979, 5, 27) is no property with a value, as in run.timeout=1h",
        "FILE:7: defaults: there is no setting when.gracee (did you mean when.grace?)",
        f"FILE:9: defaults: mail.to has an address that cannot be used: 'nobody' ({ADDRESSES})",
    ]


@pytest.mark.parametrize(
    ("file", "fault"),
    [
        ("\n\ndefaults = 3", "FILE:3: defaults: 3 is no property with a value, as in run.timeout=1h"),
        (
            "defaults = {'run.retries' = 'x'}",
            "FILE:1: defaults: run.retries must be a whole number from 0 to 100, not 'x'",
        ),
        (
            "[defaults.run]\nretries.x = 3",
            "FILE:2: defaults: there is no setting run.retries.x (did you mean run.retries?)",
        ),
    ],
)
def test_what_is_no_table_of_properties_is_refused(here: Path, file: str, fault: str) -> None:
    assert faults_of(here, file) == [fault]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("run.timeout", "'run.timeout' is no property with a value, as in run.timeout=1h"),
        ("=1h", "'=1h' is no property with a value, as in run.timeout=1h"),
        (
            "run.timeout=soon",
            "run.timeout must be a duration such as 90s, 10m or 1h 30m, more than 0 and at most a year, not 'soon'",
        ),
    ],
)
def test_faults_of_defaults_elsewhere_name_the_variable_or_the_flag(here: Path, text: str, fault: str) -> None:
    assert faults_of(here, environ={"GAVO_EXEC_DEFAULTS": text}) == [f"$GAVO_EXEC_DEFAULTS: {fault}"]
    assert faults_of(here, flags={"defaults": (text,)}) == [f"--defaults: {fault}"]


def test_the_schema_of_defaults_has_both_spellings() -> None:
    validator = jsonschema.Draft202012Validator(schema())
    good = (
        {"run.timeout": "1h", "run.env.X": 1},
        {"run": {"timeout": 90, "env": {"X": "1"}}, "when": {"missed": "all"}, "mail": {"to": "jo@example.org"}},
    )
    bad = (
        {"run.timout": "1h"},
        {"run": {"timout": "1h"}},
        {"run.timeout": True},
        {"run.env.1": "1"},
        3,
        {"run": {"where": "x"}},
    )
    assert [error.message for given in good for error in validator.iter_errors({"defaults": given})] == []
    assert all(list(validator.iter_errors({"defaults": given})) for given in bad)


@pytest.mark.parametrize(
    ("file", "fault"),
    [
        ("\nworkers = 0", "FILE:2: workers must be a whole number from 1 to 1,000, not 0"),
        ("workers = '8'", "FILE:1: workers must be a whole number from 1 to 1,000, not '8'"),
        ("workers = true", "FILE:1: workers must be a whole number from 1 to 1,000, not True"),
        ("rescan_seconds = nan", "FILE:1: rescan_seconds must be a number from 0.1 to 86,400, not nan"),
        ("stop_grace_seconds = inf", "FILE:1: stop_grace_seconds must be a number from 0 to 86,400, not inf"),
        ("log_format = 'xml'", "FILE:1: log_format must be plain or json, not 'xml'"),
        ("mail_to = 'a@b'", "FILE:1: mail_to must be a list of texts, not 'a@b'"),
        ("mail_to = ['a@b', 3]", "FILE:1: mail_to must be a list of texts, not ['a@b', 3]"),
        ('mail_from = "a@b\\nBcc: c"', "FILE:1: mail_from must be text on one line, not 'a@b\\nBcc: c'"),
        ('inputs_dir = "a\\u0000b"', "FILE:1: inputs_dir must be a path, not 'a\\x00b'"),
        ("host = 3", "FILE:1: host must be text on one line, not 3"),
        (
            "webhook_url = 'example.org/x'",
            f"FILE:1: webhook_url must be {A_URL}, not 'example.org/x'",
        ),
        (
            "heartbeat_url = 'ftp://x.org'",
            f"FILE:1: heartbeat_url must be {A_URL}, not 'ftp://x.org'",
        ),
        ("smtp_password = 12345", "FILE:1: smtp_password must be text on one line"),
        ("inputsdir = '.'", "FILE:1: inputsdir: there is no setting inputsdir; did you mean inputs_dir?"),
        ("'inputs-dir' = '.'", "FILE:1: inputs-dir: there is no setting inputs-dir; did you mean inputs_dir?"),
        ("\n[smtp]\nhost = 'h'", "FILE:2: smtp: there is no setting smtp; did you mean smtp_user?"),
        ("zzz = 1", "FILE:1: zzz: there is no setting zzz"),
        ("workers = ", "FILE: Invalid value (at end of document)"),
        ("a = 1\nworkers 3", "FILE:2:9: Expected '=' after a key in a key/value pair"),
        (b"a = 1\n# \xff", "FILE:2: this is not UTF-8"),
        ("smtp_port = 99999", "FILE:1: smtp_port must be a whole number from 1 to 65,535, not 99999"),
        ("smtp_port = 25", "FILE:1: smtp_port is given, but smtp_host is not"),
        ("smtp_host = 'h'", "FILE:1: smtp_host is given, but mail_to is not"),
        (
            "smtp_host = 'h'\nmail_to = ['a']\nsmtp_user = 'u'",
            "FILE:3: smtp_user is given, but smtp_password or smtp_password_file is not",
        ),
        (
            "webhook_secret = 'geheim'",
            "FILE:1: webhook_secret is given, but webhook_url is not",
        ),
        (
            "webhook_url = 'https://x.org'\nwebhook_secret = 'geheim'\nwebhook_secret_file = 'f'",
            "FILE:2: webhook_secret is given beside webhook_secret_file; keep one",
        ),
        (
            "heartbeat_seconds = 30",
            "FILE:1: heartbeat_seconds is given, but heartbeat_url is not",
        ),
        (
            'notify_command = "tell \'me"',
            "FILE:1: notify_command is no command: No closing quotation",
        ),
        (
            "smtp_host = 'h'\nmail_to = ['a']\nsmtp_password = 'geheim'",
            "FILE:3: smtp_password is given, but smtp_user is not",
        ),
        (
            "smtp_host = 'h'\nmail_to = ['a']\nsmtp_user = 'u'\nsmtp_password = 'geheim'\nsmtp_password_file = 'f'",
            "FILE:4: smtp_password is given beside smtp_password_file; keep one",
        ),
        (
            "sendmail = 's'\nsmtp_host = 'h'",
            "FILE:1: sendmail is given beside smtp_host, but mails leave in one way only",
        ),
        ('sendmail = "a \'b"', "FILE:1: sendmail is no command: No closing quotation"),
    ],
)
def test_faults_in_the_file_name_its_line(here: Path, file: str | bytes, fault: str) -> None:
    assert faults_of(here, file) == [fault]


@pytest.mark.parametrize(
    ("environ", "flags", "fault"),
    [
        ({"GAVO_EXEC_WORKERS": "many"}, {}, "$GAVO_EXEC_WORKERS must be a whole number from 1 to 1,000, not 'many'"),
        ({"GAVO_EXEC_WORKER": "3"}, {}, "$GAVO_EXEC_WORKER: there is no setting worker; did you mean workers?"),
        ({"GAVO_EXEC_SMTP_PORT": "25"}, {}, "$GAVO_EXEC_SMTP_PORT is given, but smtp_host is not"),
        ({}, {"workers": 0}, "--workers must be a whole number from 1 to 1,000, not 0"),
        ({}, {"log_format": "x" * 1000}, f"--log-format must be plain or json, not '{'x' * 56}..."),
        ({}, {"work_ers": 0}, "--work-ers: there is no setting work_ers; did you mean workers?"),
    ],
)
def test_faults_elsewhere_name_the_variable_or_the_flag(
    here: Path, environ: dict[str, str], flags: dict[str, object], fault: str
) -> None:
    assert faults_of(here, environ=environ, flags=flags) == [fault]


def test_all_faults_are_told_at_once(here: Path) -> None:
    faults = faults_of(
        here,
        "workers = 0\nfoo = 1\n",
        environ={"GAVO_EXEC_RESCAN_SECONDS": "-1"},
        flags={"log_format": "xml"},
        required=("inputs_dir",),
    )
    assert [fault.partition(" ")[0] for fault in faults] == [
        "FILE:1:",
        "FILE:2:",
        "$GAVO_EXEC_RESCAN_SECONDS",
        "--log-format",
    ]


def test_what_is_required_is_asked_for(here: Path) -> None:
    assert faults_of(here, required=("inputs_dir",)) == [
        "inputs_dir is not set: give --inputs-dir DIR, or set GAVO_EXEC_INPUTS_DIR, or inputs_dir in the settings file"
    ]
    assert load_in(here).inputs_dir == ""


@pytest.mark.parametrize("by_flag", [True, False])
def test_a_named_settings_file_must_be_there(here: Path, *, by_flag: bool) -> None:
    environ = {} if by_flag else {"GAVO_EXEC_SETTINGS": "none.toml"}
    with pytest.raises(SettingsError) as caught:
        load(flags={}, environ=environ, path="none.toml" if by_flag else None)
    assert str(caught.value) == f"{here}/none.toml: the settings file cannot be read: No such file or directory"


def test_the_settings_file_is_looked_for_from_near_to_far(here: Path) -> None:
    environ = {"HOME": str(here / "home"), "GAVO_EXEC_SETTINGS": "named.toml"}
    places = {
        here / "named.toml": environ,
        here / "gavo-exec.toml": environ | {"GAVO_EXEC_SETTINGS": ""},
        here / "xdg" / "gavo-exec" / "settings.toml": {"HOME": environ["HOME"], "XDG_CONFIG_HOME": str(here / "xdg")},
        here / "home" / ".config" / "gavo-exec" / "settings.toml": {"HOME": environ["HOME"]},
    }
    for place in places:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    for place, where in places.items():
        assert find_file(where) == str(place)
        place.unlink()
    assert find_file({"HOME": environ["HOME"]}) in {None, "/etc/gavo-exec/settings.toml"}


def test_state_is_kept_where_the_service_manager_says(here: Path) -> None:
    assert load_in(here, environ={"STATE_DIRECTORY": "/var/lib/x:/var/lib/y"}).state_dir == "/var/lib/x"


@pytest.mark.parametrize(
    ("environ", "is_root", "folder"),
    [
        ({}, True, "/var/lib/gavo-exec"),
        ({"HOME": "/home/vo"}, False, "/home/vo/.local/state/gavo-exec"),
        ({"HOME": "/home/vo", "XDG_STATE_HOME": "/xdg"}, False, "/xdg/gavo-exec"),
        ({"HOME": "/home/vo", "XDG_STATE_HOME": "relative"}, False, "/home/vo/.local/state/gavo-exec"),
        ({"STATE_DIRECTORY": "/var/lib/x:/var/lib/y"}, True, "/var/lib/x"),
    ],
)
def test_state_is_kept_where_such_things_belong(environ: dict[str, str], *, is_root: bool, folder: str) -> None:
    assert default_state_dir(environ, is_root=is_root) == folder


def test_the_password_is_shown_nowhere() -> None:
    settings = Settings(inputs_dir="/i", state_dir="/s", smtp_password="geheim", webhook_secret="geheim")
    assert "geheim" not in repr(settings)
    assert "geheim" not in f"{settings!s}{list(settings.__rich_repr__())}"
    assert "smtp_password='...'" in repr(settings)
    assert "webhook_secret='...'" in repr(settings)
    assert next(setting.flag for setting in SETTINGS if setting.name == "smtp_password") == ""


def test_who_needs_no_secrets_is_given_none() -> None:
    settings = Settings(
        inputs_dir="/i",
        state_dir="/s",
        workers=3,
        smtp_user="gavo",
        smtp_password="geheim",
        webhook_secret="geheim",
        webhook_secret_file="/etc/geheim",
        smtp_password_file="/etc/geheim",
        webhook_url="https://geheim@example.org",
        heartbeat_url="https://geheim@example.org",
    ).without_secrets()
    assert settings.workers == 3
    assert "geheim" not in repr(msgspec.structs.asdict(settings))


def test_the_secret_of_webhooks_can_be_in_a_file(here: Path) -> None:
    file = here / "secret"
    file.write_text("whsec_abc\n")
    settings = Settings(inputs_dir="/i", state_dir="/s", webhook_secret_file=str(file))
    assert settings.read_webhook_secret() == "whsec_abc"
    file.unlink()
    with pytest.raises(SettingsError, match="secret: the secret cannot be read: No such file or directory"):
        settings.read_webhook_secret()


def test_the_password_can_be_in_a_file(here: Path) -> None:
    file = here / "password"
    settings = Settings(inputs_dir="/i", state_dir="/s", smtp_password_file=str(file))
    with pytest.raises(SettingsError) as caught:
        settings.read_smtp_password()
    assert str(caught.value) == f"{file}: the password cannot be read: No such file or directory"
    file.write_text("geheim\nrest\n")
    assert settings.read_smtp_password() == "geheim"
    file.write_text("")
    assert settings.read_smtp_password() == ""
    assert Settings(inputs_dir="/i", state_dir="/s", smtp_password="x").read_smtp_password() == "x"


def test_each_setting_has_its_names_and_a_description() -> None:
    assert [setting.name for setting in SETTINGS] == list(Settings.__struct_fields__)
    for setting in SETTINGS:
        assert setting.description.endswith(".")
        assert setting.variable == f"GAVO_EXEC_{setting.name.upper()}"
        assert setting.flag in {"", f"--{setting.name.replace('_', '-')}"}


def test_the_schema_is_that_of_settings_files() -> None:
    found = json.loads(json.dumps(schema()))
    assert list(found["properties"]) == [setting.name for setting in SETTINGS]
    assert found["additionalProperties"] is False
    assert "required" not in found
    assert found["properties"]["workers"] == {
        "description": "How many jobs can run at the same time.",
        "type": "integer",
        "minimum": 1,
        "maximum": 1000,
        "default": 32,
    }
    assert "default" not in found["properties"]["smtp_port"]


def test_the_reference_is_up_to_date() -> None:
    assert REFERENCE.read_text(encoding="utf-8") == reference(), "run make docs"
