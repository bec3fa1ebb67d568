"""The places where settings are given, and how they are brought together."""

# ruff: noqa: PTH100, PTH119, PTH109, PTH113, PTH117, PTH118, PTH120 -- paths are strings in this house

import os
import re
import shlex
import tomllib
from collections.abc import Callable, Collection, Mapping, MutableMapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import msgspec

from gavo_exec.errors import SettingsError
from gavo_exec.ports import RUN_VARIABLE, WITHIN_VARIABLE
from gavo_exec.settings.dachs import NO_CONFIG, locate, read_site, sendmail_of
from gavo_exec.settings.defaults import DefaultsError, line_of
from gavo_exec.settings.gavorc import place_of
from gavo_exec.settings.paths import expanded
from gavo_exec.settings.setting import PREFIX, Setting
from gavo_exec.settings.table import BY_NAME, Settings

FILE_VARIABLE = f"{PREFIX}SETTINGS"
FILE_NAME = "gavo-exec.toml"
_NO_SETTINGS = frozenset({FILE_VARIABLE, RUN_VARIABLE, WITHIN_VARIABLE})
_NEEDED = (
    ("smtp_host", ("mail_to",)),
    ("smtp_user", ("smtp_password", "smtp_password_file")),
    ("smtp_password", ("smtp_user",)),
    ("smtp_password_file", ("smtp_user",)),
    ("webhook_secret", ("webhook_url",)),
    ("webhook_secret_file", ("webhook_url",)),
    ("heartbeat_seconds", ("heartbeat_url",)),
)
"""Settings that make sense only where one of these is given, too."""
_EITHER = (("smtp_password", "smtp_password_file"), ("webhook_secret", "webhook_secret_file"))
"""Settings of which only one can be given."""
_TRANSPORTS = ("smtp_host", "sendmail", "maildir")


class _Given(msgspec.Struct, frozen=True):
    """A value that was given somewhere; ``where`` begins the sentence about it.

    ``where_of`` tells the same for a name in it, where that can be told.
    """

    value: Any
    where: str
    where_of: Callable[[str], str] | None = None


class _Reader:
    """Gathers what is given, the weakest place first, and all faults."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.given: dict[str, _Given] = {}
        self.faults: list[str] = []

    def take(self, values: Mapping[str, _Given], *, is_text: bool, folder: str) -> None:
        """Take the values of one place; they go before those taken until now."""
        taken: dict[str, _Given] = {}
        for name, given in values.items():
            if given.value in (None, "", (), [], {}):
                continue
            setting = BY_NAME.get(name)
            if setting is None:
                self.faults.append(f"{given.where}: there is no setting {name}{_meant(name)}")
                continue
            try:
                plain = (
                    self._referred_to(setting, given.value, folder) if isinstance(given.value, dict) else given.value
                )
                value = setting.convert(plain, is_text=is_text)
            except DefaultsError as error:
                for inner, fault in error.faults:
                    self.faults.append(f"{given.where_of(inner) if given.where_of else given.where}: {fault}")
                continue
            except ValueError as fault:
                self.faults.append(f"{given.where} {fault}")
                continue
            if setting.type == "path" and (name, value) != ("dachs_config", NO_CONFIG):
                value = os.path.normpath(os.path.join(folder, expanded(str(value), self.environ)))
            taken[name] = _Given(value, given.where)
        chosen = [name for name in _TRANSPORTS if name in taken]
        if len(chosen) > 1:
            self.faults.append(f"{taken[chosen[1]].where} is given beside {chosen[0]}, but mails leave in one way only")
        elif chosen:
            # A flag that says where mails go must not lose against the settings file's mail server.
            self.given = {
                name: given
                for name, given in self.given.items()
                if name not in _TRANSPORTS and (chosen == ["smtp_host"] or not name.startswith("smtp_"))
            }
        self.given.update(taken)

    def _referred_to(self, setting: Setting, value: dict[str, Any], folder: str) -> Any:
        """The secret that is kept elsewhere: in a file, a variable, or a credential of systemd's.

        Raises ValueError, with what is wrong, where it is not there.
        """
        if setting.type not in {"secret", "url"}:
            return value
        match value:
            case {"file": str(name), **rest} if not rest:
                path = os.path.join(folder, expanded(name, self.environ))
            case {"credential": str(name), **rest} if not rest:
                if not (credentials := self.environ.get("CREDENTIALS_DIRECTORY", "")):
                    raise ValueError(
                        f"is the credential {name!r}, but no service manager has given any (LoadCredential=)"
                    )
                path = os.path.join(credentials, os.path.basename(name))
            case {"env": str(name), **rest} if not rest:
                if name not in self.environ:
                    raise ValueError(f"is the variable {name}, which is not set")
                return self.environ[name]
            case _:
                raise ValueError("must be a text, or one of {file = ...}, {env = ...} and {credential = ...}")
        try:
            lines = Path(path).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as fault:
            why = fault.strerror if isinstance(fault, OSError) else "it is not in UTF-8"
            raise ValueError(f"cannot be read from {path}: {why}") from None
        return lines[0] if lines else ""

    def take_file(self, path: str) -> None:
        """Take a settings file."""
        try:
            text = Path(path).read_bytes().decode()
            values = tomllib.loads(text)
        except OSError as fault:
            self.faults.append(f"{path}: the settings file cannot be read: {fault.strerror}")
        except UnicodeDecodeError as fault:
            line = fault.object.count(b"\n", 0, fault.start) + 1
            self.faults.append(f"{path}:{line}: this is not UTF-8")
        except tomllib.TOMLDecodeError as fault:
            found = re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", str(fault))
            self.faults.append(f"{path}:{found[2]}:{found[3]}: {found[1]}" if found else f"{path}: {fault}")
        else:

            def where_of(name: str) -> str:
                return f"{path}:{line}: defaults" if (line := line_of(name, text)) else given["defaults"].where

            given = {
                name: _Given(value, f"{path}{_line(name, text)}: {name}", where_of) for name, value in values.items()
            }
            self.take(given, is_text=False, folder=os.path.dirname(path))

    def take_site(self) -> None:
        """Take what a DaCHS site says, where nothing is given; the resource directory may be its root."""
        given = self.given.get("inputs_dir", _Given("", ""))
        named = self.given.get("dachs_config", _Given("", ""))
        try:
            located = locate(given.value, environ=self.environ, named=named.value)
            site = read_site(located.config, environ=self.environ) if located.config != NO_CONFIG else None
        except SettingsError as fault:
            self.faults.append(f"{named.where}: {fault}" if named.value else str(fault))
            return
        if located.inputs_dir:
            self.given["inputs_dir"] = _Given(located.inputs_dir, given.where)
        if site is None:
            return
        self.given["dachs_config"] = _Given(located.config, named.where)
        values = {}
        if "mail_to" not in self.given:
            values["mail_to"] = site.get("general", "maintainerAddress")
        if not any(name in self.given for name in _TRANSPORTS):
            values["sendmail"] = sendmail_of(site)[0]
        items = {"mail_to": "maintainerAddress", "sendmail": "sendmail"}
        given_there = {name: _Given(value, place_of(site.files, items[name])) for name, value in values.items()}
        self.take(given_there, is_text=True, folder="")

    def check(self, required: Collection[str]) -> None:
        """Note what does not go together, and what is missing."""
        for name in required:
            if name not in self.given:
                setting = BY_NAME[name]
                self.faults.append(
                    f"{name} is not set: give {setting.flag} {setting.metavar}, or set {setting.variable}, "
                    f"or {name} in the settings file"
                )
        for name, given in self.given.items():
            if name.startswith("smtp_") and "smtp_host" not in self.given:
                self.faults.append(f"{given.where} is given, but smtp_host is not")
        for name, needed in _NEEDED:
            if name in self.given and not any(other in self.given for other in needed):
                self.faults.append(f"{self.given[name].where} is given, but {' or '.join(needed)} is not")
        for name, other in _EITHER:
            if name in self.given and other in self.given:
                self.faults.append(f"{self.given[name].where} is given beside {other}; keep one")
        self._check_commands()

    def _check_commands(self) -> None:
        """Note what is no command."""
        for name in ("sendmail", "notify_command"):
            if name in self.given:
                try:
                    shlex.split(self.given[name].value)
                except ValueError as fault:
                    self.faults.append(f"{self.given[name].where} is no command: {fault}")


def load(
    *,
    flags: Mapping[str, object],
    environ: Mapping[str, str],
    path: str | None = None,
    required: Collection[str] = ("inputs_dir",),
) -> Settings:
    """The settings from a file, the environment and flags (by the settings' names; None is not given).

    A DaCHS site that the resource directory belongs to gives what none of them does; ``dachs_config`` then says where
    its configuration is.  ``path`` is that of the settings file; without it, see ``find_file``.  What is
    not ``required`` and not given is ''.
    Raises SettingsError with all faults, one a line.
    """
    reader = _Reader(environ)
    here = os.getcwd()
    file = os.path.join(here, expanded(path, environ)) if path else find_file(environ)
    if file is not None:
        reader.take_file(file)
    variables = {
        variable.removeprefix(PREFIX).lower(): _Given(value.strip(), f"${variable}")
        for variable, value in environ.items()
        if variable.startswith(PREFIX) and variable not in _NO_SETTINGS
    }
    reader.take(variables, is_text=True, folder=here)
    given = {name: _Given(value, f"--{name.replace('_', '-')}") for name, value in flags.items()}
    reader.take(given, is_text=True, folder=here)
    if not reader.faults:
        reader.take_site()
    if not reader.faults:
        reader.check(required)
    if reader.faults:
        raise SettingsError("\n".join(reader.faults))
    values = {name: given.value for name, given in reader.given.items()}
    if "smtp_user" in values:
        values.setdefault("smtp_security", "starttls")
    values.setdefault("inputs_dir", "")
    values.setdefault("trust", "strict" if os.geteuid() == 0 else "warn")
    values.setdefault("web_reading", "anyone" if is_loopback(values.get("web_host", "127.0.0.1")) else "token")
    values.setdefault("state_dir", default_state_dir(environ, is_root=os.geteuid() == 0))
    return Settings(**values)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def hide_secrets(environ: MutableMapping[str, str]) -> None:
    """Take the secrets among the settings out of an environment that jobs would have, too."""
    for setting in BY_NAME.values():
        if setting.type == "secret":
            environ.pop(setting.variable, None)


def find_file(environ: Mapping[str, str]) -> str | None:
    """The settings file to read where none is named: that of ``$GAVO_EXEC_SETTINGS``, or the first that is there."""
    if named := environ.get(FILE_VARIABLE):
        return os.path.abspath(expanded(named, environ))
    config_home = _xdg(environ, "XDG_CONFIG_HOME") or expanded("~/.config", environ)
    for path in (
        os.path.abspath(FILE_NAME),
        f"{config_home}/gavo-exec/settings.toml",
        "/etc/gavo-exec/settings.toml",
    ):
        if os.path.isfile(path):
            return path
    return None


def default_state_dir(environ: Mapping[str, str], *, is_root: bool) -> str:
    """Where state is kept unless told otherwise: by the service manager, or where such things belong."""
    if managed := environ.get("STATE_DIRECTORY", "").partition(":")[0]:
        return managed
    if is_root:
        return "/var/lib/gavo-exec"
    state_home = _xdg(environ, "XDG_STATE_HOME") or expanded("~/.local/state", environ)
    return os.path.join(state_home, "gavo-exec")


def _xdg(environ: Mapping[str, str], variable: str) -> str:
    """A folder from the environment; relative ones are to be ignored."""
    folder = environ.get(variable, "")
    return folder if os.path.isabs(folder) else ""


def _line(name: str, text: str) -> str:
    """``:3`` where a name is set on line 3 of a settings file; '' where that cannot be told."""
    found = re.search(rf"""^[ \t]*\[*[ \t]*["']?{re.escape(name)}["']?[ \t]*[].=]""", text, re.MULTILINE)
    line = text.count("\n", 0, found.start()) + 1 if found else 0
    return f":{line}" if line else ""


def _meant(name: str) -> str:
    """``; did you mean ...?``, where a known name is close."""
    # It is only wanted when something is wrong.
    from difflib import get_close_matches

    close = get_close_matches(name.replace("-", "_").lower(), BY_NAME, n=1)
    return f"; did you mean {close[0]}?" if close else ""
