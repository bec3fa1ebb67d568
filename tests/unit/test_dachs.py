"""A DaCHS site as it stands: what its configuration says, where it is, and what is taken from it."""

import importlib
import os
import sys
from pathlib import Path

import pytest

from gavo_exec.errors import SettingsError
from gavo_exec.model import Site
from gavo_exec.settings import LiveSite, Settings, find_site, load, locate, read_site


class Machine:
    """A machine with a home directory, a configuration of DaCHS that is its own, and sites."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {"HOME": str(folder / "home"), "GAVOSETTINGS": str(folder / "etc" / "gavo.rc")}

    def put(self, name: str, text: str | bytes = "") -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return str(path)

    def path(self, name: str) -> str:
        return str(self.folder / name) if name else ""

    def read(self, text: str | bytes, name: str = "vo/etc/gavo.rc") -> Site:
        return read_site(self.put(name, text), environ=self.environ)

    def located(self, directory: str, named: str = "") -> tuple[str, str]:
        """The configuration and the resource directory, relative to the folder."""
        found = locate(self.path(directory), environ=self.environ, named=self.path(named))
        return self.relative(found.config), self.relative(found.inputs_dir)

    def relative(self, path: str) -> str:
        return os.path.relpath(path, self.folder) if path.startswith("/") else path

    def load(self, **flags: object) -> Settings:
        return load(flags=flags, environ=self.environ, path=self.put("settings.toml"), required=())


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.chdir(tmp_path)
    return Machine(tmp_path)


# What a file says


def test_items_are_found_in_any_capitalisation_and_values_are_plain(machine: Machine) -> None:
    site = machine.read(
        "# site\n[General]\nMaintainerAddress: a@b\nx=%(y)s $HOME %d\n[general ]\n[web]\nsiteName = VO\n"
    )
    assert site.get("GENERAL", "maintaineraddress") == "a@b"
    assert site.get("general", "X") == "%(y)s $HOME %d"
    assert site.get("Web", "SITENAME") == "VO"
    assert site.get("web", "nothing") is None
    assert site.files == (machine.path("vo/etc/gavo.rc"),)


def test_what_no_file_says_is_as_dachs_has_it(machine: Machine) -> None:
    site = machine.read("")
    general = {item: machine.relative(value) for item, value in site.config["general"].items()}
    assert general == {
        "rootdir": "vo",
        "inputsdir": "vo/inputs",
        "configdir": "vo/etc",
        "cachedir": "vo/cache",
        "logdir": "vo/logs",
        "tempdir": "vo/tmp",
        "webdir": "vo/web",
        "statedir": "vo/state",
        "maintaineraddress": "",
        "sendmail": "sendmail -t",
    }
    assert site.get("web", "serverURL") == "http://localhost:8080"
    assert site.get("web", "nevowRoot") == "/"
    assert site.get("ivoa", "authority") == "x-unregistred"
    assert site.config_dir == machine.path("vo/etc")
    assert site.meta == {}
    assert site.warnings == ()


@pytest.mark.parametrize(
    ("file", "text", "inputs_dir"),
    [
        ("vo/gavo.rc", "", "vo/inputs"),
        ("vo/etc/gavo.rc", "", "vo/inputs"),
        ("vo/conf/gavo.rc", "", "vo/conf/inputs"),
        ("vo/gavo.rc", "[general]\ninputsDir=rds/", "vo/rds"),
        ("vo/gavo.rc", "[general]\ninputsDir=\nrootDir=", "vo/inputs"),
        ("vo/gavo.rc", "[general]\nrootDir=../other", "other/inputs"),
        ("vo/gavo.rc", "[general]\nrootDir=~/gavo\ninputsDir=in/../rds", "home/gavo/rds"),
        ("vo/gavo.rc", "[general]\ninputsDir=~/rds", "home/rds"),
        ("vo/gavo.rc", "[general]\ninputsDir=$HOME/rds", "vo/$HOME/rds"),
        ("vo/gavo.rc", "[general]\ninputsDir=/data/rds", "/data/rds"),
        ("etc/gavo.rc", "[general]\ninputsDir=rds", "/var/gavo/rds"),
        ("etc/gavo.rc", "", "/var/gavo/inputs"),
    ],
)
def test_folders_are_absolute(machine: Machine, file: str, text: str, inputs_dir: str) -> None:
    site = machine.read(text, file)
    wanted = inputs_dir if inputs_dir.startswith("/") else machine.path(inputs_dir)
    assert site.get("general", "inputsDir") == wanted


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("\nx = 1\n[general]", ":2: this stands before the first [section]"),
        ("[general]\nrootDir = a\nrootdir = b", ":3: rootdir is given already"),
        ("[general]\n[web]\n[general]", ":3: the section [general] is there already"),
        ("[general]\nrootDir /var\x1b[2J", ":2: neither item = value nor [section]: 'rootDir /var\\x1b[2J'"),
        (b"[general]\nx = \xff", ":2: this is not UTF-8"),
        ("[general]\nx=1\nrootDir = a\n  b", ":3: rootdir must be a path on one line, not 'a\\nb'"),
        ("[general]\ninputsDir = a\x00b", ":2: inputsdir must be a path on one line, not 'a\\x00b'"),
    ],
)
def test_faults_name_the_line(machine: Machine, text: str | bytes, fault: str) -> None:
    with pytest.raises(SettingsError) as caught:
        machine.read(text)
    said = str(caught.value)
    assert said == f"{machine.path('vo/etc/gavo.rc')}{fault}; mend it, or set dachs_config to another file, or to none"
    assert said.isprintable()


def test_metadata_for_all_rds_is_read_from_the_config_dir(machine: Machine) -> None:
    machine.put(
        "vo/etc/defaultmeta.txt", "# ours\npublisher: The \\\n  VO\nsubject: a\nsubject: b\n!subject: c\n:\n\nx:\n"
    )
    site = machine.read("")
    assert site.meta == {"publisher": ("The VO",), "subject": ("c",)}
    assert site.files == (machine.path("vo/etc/gavo.rc"), machine.path("vo/etc/defaultmeta.txt"))


def test_metadata_is_read_again_when_its_file_has_changed(machine: Machine) -> None:
    live = LiveSite(machine.read(""))
    assert live.meta_file == machine.path("vo/etc/defaultmeta.txt")
    before = live.now()
    assert live.now() is before
    machine.put("vo/etc/defaultmeta.txt", "publisher: VO\n")
    assert live.now().meta == {"publisher": ("VO",)}
    assert live.now() is live.now()
    assert live.now().files == (*before.files, live.meta_file)
    Path(live.meta_file).unlink()
    assert live.now().meta == {}
    assert live.now().files == before.files
    assert LiveSite(Site()).now().meta == {}


def test_the_users_own_file_goes_before_the_sites(machine: Machine) -> None:
    text = "[general]\nmaintainerAddress=a@b\n[web]\nsiteName=VO\n"
    machine.put("home/.gavorc", "[General]\nMAINTAINERADDRESS=me@b\n")
    site = machine.read(text)
    assert (site.get("general", "maintainerAddress"), site.get("web", "sitename")) == ("me@b", "VO")
    assert [machine.relative(path) for path in site.files] == ["vo/etc/gavo.rc", "home/.gavorc"]
    machine.environ["GAVOCUSTOM"] = machine.put("mine", "[web]\nsiteName=Mine\n")
    site = machine.read(text)
    assert (site.get("general", "maintainerAddress"), site.get("web", "sitename")) == ("a@b", "Mine")


def test_the_users_own_file_does_not_lead_away_from_a_site_that_is_named(machine: Machine) -> None:
    machine.put("home/.gavorc", "[general]\nrootDir=~/gavo\nmaintainerAddress=me@b\n")
    site = machine.read("")
    assert site.get("general", "inputsDir") == machine.path("vo/inputs")
    assert site.get("general", "maintainerAddress") == ""
    assert machine.path("home/.gavorc") not in site.files
    assert machine.read("", "etc/gavo.rc").get("general", "inputsDir") == machine.path("home/gavo/inputs")


def test_what_cannot_be_read_is_told(machine: Machine) -> None:
    for name in ("home/.gavorc", "etc/gavo.rc", "vo/etc/defaultmeta.txt"):
        (machine.folder / name).mkdir(parents=True)  # root may read any file, but no folder as one
    site = machine.read("")
    assert site.warnings == (
        f"{machine.path('home/.gavorc')} cannot be read: Is a directory; it is left aside",
        f"{machine.path('vo/etc/defaultmeta.txt')} cannot be read and is left aside: Is a directory",
    )
    own = read_site(machine.path("etc/gavo.rc"), environ=machine.environ)
    assert own.warnings[0] == f"{machine.path('etc/gavo.rc')} cannot be read: Is a directory; it is left aside"
    with pytest.raises(
        SettingsError, match=r"none/gavo\.rc cannot be read: No such file or directory; set dachs_config"
    ):
        read_site(machine.path("none/gavo.rc"), environ=machine.environ)


def test_the_rds_that_come_with_dachs_are_found_and_nothing_is_imported(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.put("lib/gavo/__init__.py", "raise RuntimeError('imported')\n")
    machine.put("lib/gavo/resources/inputs/__system__/procs.rd")
    monkeypatch.syspath_prepend(machine.path("lib"))
    importlib.invalidate_caches()
    assert machine.read("").system_dir == machine.path("lib/gavo/resources/inputs")
    assert "gavo" not in sys.modules


# Where it is


@pytest.mark.parametrize(
    ("files", "directory", "config", "inputs_dir"),
    [
        ([], "vo", "none", "vo"),
        ([], "", "none", ""),
        (["vo/gavo.rc"], "vo", "vo/gavo.rc", "vo/inputs"),
        (["vo/etc/gavo.rc"], "vo", "vo/etc/gavo.rc", "vo/inputs"),
        (["vo/gavo.rc", "vo/etc/gavo.rc"], "vo", "vo/gavo.rc", "vo/inputs"),
        (["vo/etc/gavo.rc"], "vo/inputs", "vo/etc/gavo.rc", "vo/inputs"),
        (["vo/etc/gavo.rc"], "vo/others", "none", "vo/others"),
        (["vo/etc/gavo.rc"], "vo/inputs/deep", "none", "vo/inputs/deep"),
        (["own of vo"], "", "etc/gavo.rc", "vo/inputs"),
        (["own of vo"], "vo", "etc/gavo.rc", "vo/inputs"),
        (["own of vo"], "vo/inputs", "etc/gavo.rc", "vo/inputs"),
        (["own of vo"], "link", "etc/gavo.rc", "link"),
        (["own of vo"], "elsewhere", "none", "elsewhere"),
        (["own of vo", "elsewhere/gavo.rc"], "elsewhere", "elsewhere/gavo.rc", "elsewhere/inputs"),
        (["own of vo", "vo/gavo.rc"], "vo", "vo/gavo.rc", "vo/inputs"),
        (["user's of vo"], "", "etc/gavo.rc", "vo/inputs"),
    ],
)
def test_a_site_is_found_where_it_belongs(
    machine: Machine, files: list[str], directory: str, config: str, inputs_dir: str
) -> None:
    (machine.folder / "vo" / "inputs").mkdir(parents=True)
    (machine.folder / "link").symlink_to("vo/inputs")
    of_vo = f"[general]\nrootDir={machine.path('vo')}\n"
    for name in files:
        match name:
            case "own of vo":
                machine.put("etc/gavo.rc", of_vo)
            case "user's of vo":
                machine.put("home/.gavorc", of_vo)
            case _:
                machine.put(name)
    assert machine.located(directory) == (config, inputs_dir)


def test_dachs_where_it_is_by_default_needs_no_file(machine: Machine) -> None:
    for directory in ("/var/gavo", "/var/gavo/inputs"):
        found = locate(directory, environ=machine.environ)
        assert (found.config, found.inputs_dir) == (machine.path("etc/gavo.rc"), "/var/gavo/inputs")


def test_a_configuration_that_is_named_is_the_only_one(machine: Machine) -> None:
    machine.put("vo/gavo.rc")
    machine.put("conf/site.rc", "[general]\nrootDir=../other\n")
    assert machine.located("vo", "conf/site.rc") == ("conf/site.rc", "vo")
    assert machine.located("other", "conf/site.rc") == ("conf/site.rc", "other/inputs")
    assert machine.located("", "conf/site.rc") == ("conf/site.rc", "other/inputs")
    found = locate(machine.path("vo"), environ=machine.environ, named="none")
    assert (found.config, found.inputs_dir) == ("none", machine.path("vo"))


# What is taken from it


RC = "[general]\nmaintainerAddress = ops@example.org\n"


def test_settings_that_are_not_given_come_from_the_site(machine: Machine) -> None:
    config = machine.put("vo/etc/gavo.rc", f"{RC}sendmail = /usr/sbin/sendmail -t -F 'the | daemon'\n")
    settings = machine.load(inputs_dir="vo")
    assert settings.inputs_dir == machine.path("vo/inputs")
    assert settings.dachs_config == config
    assert settings.mail_to == ("ops@example.org",)
    assert settings.sendmail_argv == ("/usr/sbin/sendmail", "-t", "-F", "the | daemon")
    site = find_site(settings, machine.environ)
    assert site.get("general", "inputsDir") == machine.path("vo/inputs")
    assert site.warnings == ()


@pytest.mark.parametrize(
    ("flags", "mail_to", "transport"),
    [
        ({}, "ops@example.org", "sendmail"),
        ({"mail_to": "me@example.org"}, "me@example.org", "sendmail"),
        ({"smtp_host": "mail"}, "ops@example.org", "smtp"),
        ({"maildir": "mails"}, "ops@example.org", "maildir"),
        ({"sendmail": "msmtp -t"}, "ops@example.org", "sendmail"),
    ],
)
def test_what_the_operator_gives_wins(machine: Machine, flags: dict[str, object], mail_to: str, transport: str) -> None:
    machine.put("vo/gavo.rc", f"{RC}sendmail = ours -t\n")
    settings = machine.load(inputs_dir="vo", **flags)
    assert (settings.mail_to, settings.transport) == ((mail_to,), transport)
    assert settings.sendmail == ("" if transport != "sendmail" else flags.get("sendmail", "ours -t"))


def test_without_an_address_mails_are_not_handed_to_a_command_that_nobody_chose(machine: Machine) -> None:
    machine.put("vo/gavo.rc", "[web]\nsitename=VO\n")
    assert machine.load(inputs_dir="vo").transport == "maildir"
    machine.put("vo/gavo.rc", RC)
    assert machine.load(inputs_dir="vo").sendmail == "sendmail -t"
    machine.put("vo/gavo.rc", "[general]\nsendmail = mailer")
    assert machine.load(inputs_dir="vo").sendmail == "mailer"


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        ("cat > /tmp/mails", "needs a shell"),
        ("tee log | sendmail -t", "needs a shell"),
        ("sendmail -t; true", "needs a shell"),
        ("sendmail -t &", "needs a shell"),
        ("sendmail -f $USER -t", "needs a shell"),
        ('sendmail -f "$USER" -t', "needs a shell"),
        ('sendmail -f "a`id`" -t', "needs a shell"),
        ("MAILRC=x sendmail -t", "needs a shell"),
        ("~/bin/mailer", "needs a shell"),
        ("mailer *", "needs a shell"),
        ("mailer 'x", "is no command (No closing quotation)"),
    ],
)
def test_a_command_for_a_shell_is_told_and_not_used(machine: Machine, command: str, complaint: str) -> None:
    machine.put("vo/gavo.rc", f"{RC}sendMail: {command}\n")
    settings = machine.load(inputs_dir="vo")
    assert settings.transport == "maildir"
    place = f"{machine.path('vo/gavo.rc')}:3: sendmail"
    mend = "set sendmail in gavo-exec's own settings"
    assert find_site(settings, machine.environ).warnings == (
        f"{place} {complaint}, and is not used: {command!r}; {mend}",
    )
    assert find_site(machine.load(inputs_dir="vo", sendmail="s"), machine.environ).warnings == ()


@pytest.mark.parametrize(
    "command", [r"mailer a\|b", "mailer '$x'", '/usr/bin/mailer -F "A <a@b>" -t', "mailer --from=a@b", 'mailer "a;b"']
)
def test_what_only_looks_like_a_shells_is_used(machine: Machine, command: str) -> None:
    machine.put("vo/gavo.rc", f"{RC}sendmail={command}\n")
    assert machine.load(inputs_dir="vo").sendmail == command


@pytest.mark.parametrize(
    ("text", "flags", "fault"),
    [
        ("[general\n", {"inputs_dir": "vo"}, "VO/gavo.rc:1: this stands before the first [section]"),
        ("[general]\nmaintainerAddress = a\n  b\n", {"inputs_dir": "vo"}, "VO/gavo.rc:2: maintainerAddress must be"),
        ("[general]\nx\n", {"dachs_config": "vo/gavo.rc"}, "--dachs-config: VO/gavo.rc:2: neither item"),
        ("", {"dachs_config": "vo/none.rc"}, "--dachs-config: VO/none.rc cannot be read: No such file"),
    ],
)
def test_faults_are_faults_of_the_settings(machine: Machine, text: str, flags: dict[str, object], fault: str) -> None:
    machine.put("vo/gavo.rc", text)
    with pytest.raises(SettingsError) as caught:
        machine.load(**flags)
    assert str(caught.value).replace(machine.path("vo"), "VO").startswith(fault)


def test_the_site_can_be_switched_off(machine: Machine) -> None:
    machine.put("vo/gavo.rc", RC)
    settings = machine.load(inputs_dir="vo", dachs_config="none")
    assert (settings.inputs_dir, settings.dachs_config, settings.mail_to) == (machine.path("vo"), "none", ())
    site = find_site(settings, machine.environ)
    assert (site.config, site.meta, site.config_dir, site.files) == ({}, {}, "", ())


def test_settings_that_were_not_loaded_find_their_site_as_well(machine: Machine) -> None:
    machine.put("vo/gavo.rc", "[web]\nsitename=VO\n")
    settings = Settings(inputs_dir=machine.path("vo/inputs"), state_dir=machine.path("state"))
    assert find_site(settings, machine.environ).get("web", "sitename") == "VO"


def test_macros_are_told_the_resource_directory_in_use(machine: Machine) -> None:
    config = machine.put("vo/gavo.rc")
    settings = machine.load(inputs_dir="elsewhere", dachs_config=config)
    assert settings.inputs_dir == machine.path("elsewhere")
    assert find_site(settings, machine.environ).get("general", "inputsdir") == machine.path("elsewhere")
