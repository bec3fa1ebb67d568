"""A DaCHS site as it stands: where its configuration is, and what can be known from it."""

# ruff: noqa: PTH100, PTH112, PTH113, PTH118, PTH120 -- paths are strings in this house

import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path

import msgspec

from gavo_exec.errors import SettingsError, plain, shortened
from gavo_exec.metalines import meta_lines
from gavo_exec.model import Site
from gavo_exec.settings.gavorc import DEFAULT_SENDMAIL, Config, completed, place_of, read_config
from gavo_exec.settings.paths import expanded
from gavo_exec.settings.table import Settings

NO_CONFIG = "none"
"""What ``dachs_config`` is where there is no configuration, or none is wanted."""

META_FILE = "defaultmeta.txt"
_FILE = "/etc/gavo.rc"
_ROOT_DIR = "/var/gavo"
_QUOTED = re.compile(r"""'[^']*'|\\.|"(?:[^"\\$`]|\\[^$`])*\"""")
_FOR_A_SHELL = re.compile(r"[|&;<>()$`*?\[~#\n]|^\s*\w+=")


class Located(msgspec.Struct, frozen=True, kw_only=True):
    """The configuration that belongs to a directory (``none`` where there is none), and the resource directory."""

    config: str
    inputs_dir: str


def locate(directory: str, *, environ: Mapping[str, str], named: str = "") -> Located:
    """The configuration that belongs to a directory, and the resource directory that is meant.

    Where the directory is the root of a site, that is the site's inputsDir, else the directory itself.  Without a
    directory ('') it is that of the configuration that DaCHS itself would read, if there is one.  ``named`` is the
    configuration where the operator names one.  Raises SettingsError for its faults.
    """
    if named == NO_CONFIG:
        return Located(config=NO_CONFIG, inputs_dir=directory)
    if named:
        inputs_dir = _inputs_dir(read_site(named, environ=environ), directory) or directory
        return Located(config=named, inputs_dir=inputs_dir)
    own = _own_file(environ)
    if path := _config_in(directory):
        return Located(config=path, inputs_dir=_inputs_dir(read_site(path, environ=environ), ""))
    for path in filter(None, (_config_in(os.path.dirname(directory)), own)):
        site = read_site(path, environ=environ)
        if (directory or site.files) and (inputs_dir := _inputs_dir(site, directory)):
            return Located(config=path, inputs_dir=inputs_dir)
    return Located(config=NO_CONFIG, inputs_dir=directory)


def find_site(settings: Settings, environ: Mapping[str, str]) -> Site:
    """The site that the resource directory of these settings belongs to; raises SettingsError for faults."""
    path = settings.dachs_config or locate(settings.inputs_dir, environ=environ).config
    if path == NO_CONFIG:
        return Site(system_dir=_system_dir())
    site = read_site(path, environ=environ)
    config = dict(site.config)
    if settings.inputs_dir:
        config["general"] = {**config["general"], "inputsdir": settings.inputs_dir}
    _, complaint = sendmail_of(site)
    is_wanted = complaint and settings.transport == "maildir"
    warnings = (*site.warnings, complaint) if is_wanted else site.warnings
    return msgspec.structs.replace(site, config=config, warnings=warnings)


def read_site(path: str, *, environ: Mapping[str, str] | None = None) -> Site:
    """What the configuration at ``path`` and the user's own say, or are silent about.

    The user's own is left aside where it would lead to another inputsDir than a configuration that DaCHS would not
    read by itself.  Raises SettingsError for faults, with their lines, and for a file that cannot be read, unless that
    is the user's own, or what DaCHS would read by itself; this is told in the site's warnings.
    """
    environ = {} if environ is None else environ
    is_own = path == _own_file(environ)
    root_dir = _ROOT_DIR if is_own else _site_root(path)
    user_file = expanded(environ.get("GAVOCUSTOM") or "~/.gavorc", environ)
    files: list[str] = []
    warnings: list[str] = []
    given = _read(path, files, warnings if is_own else None)
    config = completed(given, files, root_dir=root_dir, environ=environ)
    overlay = _read(user_file, files, warnings)
    if overlay:
        for section, items in overlay.items():
            given.setdefault(section, {}).update(items)
        both = completed(given, files, root_dir=root_dir, environ=environ)
        if is_own or both["general"]["inputsdir"] == config["general"]["inputsdir"]:
            config = both
        else:
            files.remove(user_file)
    config_dir = config["general"]["configdir"]
    return Site(
        config=config,
        meta=read_meta(config_dir, files, warnings),
        config_dir=config_dir,
        system_dir=_system_dir(),
        files=tuple(files),
        warnings=tuple(warnings),
    )


def read_meta(config_dir: str, files: list[str], warnings: list[str]) -> dict[str, tuple[str, ...]]:
    """The metadata that holds for all RDs of a site; adds to the files read, and to the warnings."""
    path = os.path.join(config_dir, META_FILE)
    try:
        text = Path(path).read_text(encoding="utf-8-sig", errors="replace")
    except OSError as fault:
        if not isinstance(fault, FileNotFoundError | NotADirectoryError):
            warnings.append(f"{plain(path)} cannot be read and is left aside: {fault.strerror}")
        return {}
    files.append(path)
    found: dict[str, tuple[str, ...]] = {}
    for line in meta_lines(text):
        before = () if line.replaces else found.get(line.key, ())
        found[line.key] = (*before, line.value) if line.value else before
    return {key: values for key, values in found.items() if values}


class LiveSite:
    """A site whose metadata is read again when its file has changed; for one thread."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.meta_file = os.path.join(site.config_dir, META_FILE) if site.config_dir else ""
        self._signature = self._look()

    def now(self) -> Site:
        """The site as it stands."""
        if (signature := self._look()) != self._signature:
            self._signature = signature
            files = [path for path in self._site.files if path != self.meta_file]
            meta = read_meta(self._site.config_dir, files, [])
            self._site = msgspec.structs.replace(self._site, meta=meta, files=tuple(files))
        return self._site

    def _look(self) -> tuple[int, int, int] | None:
        try:
            status = os.stat(self.meta_file)  # noqa: PTH116 -- done for each RD that is read
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino


def sendmail_of(site: Site) -> tuple[str, str]:
    """The site's command for mail, to be run without a shell, and what speaks against it; '' where nothing does.

    The command is '' where it cannot be used, or where nobody has asked for it.
    """
    command = site.get("general", "sendmail") or ""
    if not command or (command == DEFAULT_SENDMAIL and not site.get("general", "maintainerAddress")):
        return "", ""
    complaint = ""
    if _FOR_A_SHELL.search(_QUOTED.sub("q", command)):
        complaint = "needs a shell"
    else:
        try:
            shlex.split(command)
        except ValueError as fault:
            complaint = f"is no command ({fault})"
    if not complaint:
        return command, ""
    place = place_of(site.files, "sendmail")
    return "", f"{place} {complaint}, and is not used: {shortened(command)}; set sendmail in gavo-exec's own settings"


def _own_file(environ: Mapping[str, str]) -> str:
    """The configuration that DaCHS itself would read."""
    return os.path.abspath(expanded(environ.get("GAVOSETTINGS") or _FILE, environ))


def _config_in(directory: str) -> str:
    """The configuration that is in a directory or its etc; '' where there is none, and for the root of all."""
    if directory not in ("", "/"):
        for path in (os.path.join(directory, "gavo.rc"), os.path.join(directory, "etc", "gavo.rc")):
            if os.path.isfile(path):
                return path
    return ""


def _site_root(path: str) -> str:
    """The directory that a configuration is in, or whose etc it is in."""
    folder = os.path.dirname(path)
    return os.path.dirname(folder) if os.path.basename(folder) == "etc" else folder  # noqa: PTH119 -- same


def _inputs_dir(site: Site, directory: str) -> str:
    """The resource directory that is meant by a directory, if that belongs to the site; '' where it does not."""
    general = site.config["general"]
    if not directory:
        return general["inputsdir"]
    real = os.path.realpath(directory)
    if real == os.path.realpath(general["inputsdir"]):
        return directory
    return general["inputsdir"] if real == os.path.realpath(general["rootdir"]) else ""


def _read(path: str, files: list[str], warnings: list[str] | None) -> Config:
    """What a file says; adds it to the files read.  With ``warnings`` one that cannot be read only makes one of them.

    Raises SettingsError for its faults.
    """
    try:
        found = read_config(path)
    except OSError as fault:
        problem = f"{plain(path)} cannot be read: {fault.strerror}"
        if warnings is None:
            raise SettingsError(f"{problem}; set dachs_config to another file, or to none") from None
        if not isinstance(fault, FileNotFoundError | NotADirectoryError):
            warnings.append(f"{problem}; it is left aside")
        return {}
    files.append(path)
    return found


def _system_dir() -> str:
    """Where the RDs are that come with DaCHS, if that can be found; it is not imported."""
    from importlib.util import find_spec  # only wanted where RDs are read

    try:
        spec = find_spec("gavo")
    except (ImportError, ValueError):
        return ""
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        path = os.path.join(os.path.abspath(folder), "resources", "inputs")
        if os.path.isdir(path):
            return path
    return ""
